"""The field's statements: the verdict of each on its own diagram, against a table written by hand."""

import re

import pytest

from theory import (
    CHAPTERS,
    CLAIMS,
    DIAGRAMS,
    Diagram,
    check,
    find_claim,
    judge,
    of_chapter,
    prove,
    read_diagram,
)
from theory.claims import OWN, Claim
from theory.claims.composed import Composed
from theory.claims.exact import is_on
from theory.diagrams import diagram_text

FIELD = """
K1  | contrast   | two-views    | | I(Z1;Z2) <= I(X1;X2) | proved
K2  | contrast   | two-views    | | I(Z1;Z2) <= H(R) | proved
K3  | contrast   | given-class  | | I(X1;X2) <= I(X1;C) | proved
K3f | contrast   | two-views    | | I(X1;X2) <= I(X1;C) | refuted
K4  | contrast   | two-views    | I(X1;X2;;Z1) == 0 | I(Z1;X2) == I(X1;X2) | proved
K5  | contrast   | two-views    | I(X1;X2;;Z1) == 0, I(X1;X2;;Z2) == 0 | I(Z1;Z2) == I(X1;X2) | proved
K6  | contrast   | two-views    | | I(Z1;C) >= I(Z1;X2) - I(Z1;X2;;C) | proved
K7  | contrast   | two-views    | | I(Z1;C) == I(Z1;X2) - I(Z1;X2;;C) + I(Z1;C;;X2) | proved
K8  | contrast   | two-views    | | I(C;X1) <= I(C;R) | proved
K9  | contrast   | two-views    | H(C;;X1) == 0 | I(C;X1) == I(C;R) | proved
W1  | multi-view | signal       | I(X;S;;Z) == 0 | I(Z;T) >= I(X;T) - I(X;T;;S) | proved
W1f | multi-view | signal       | I(X;S;;Z) == 0 | I(Z;T) >= I(X;T) | refuted
W2  | multi-view | signal       | | I(X;Z) == I(X;Z;;S) + I(Z;S) | proved
W3  | multi-view | signal       | I(X;S;;Z) == 0, I(X;T;;S) == 0 | I(X;T;;Z) == 0 | proved
W4  | multi-view | signal       | I(X;T;;S) == 0 | I(Z;T) <= I(Z;S) and I(Z;T) <= I(S;T) | proved
W5  | multi-view | signal, Z->M | | I(M;T) <= I(Z;T) and I(Z;T) - I(M;T) == I(Z;T;;M) | proved
W6  | multi-view | signal, X->M | I(X;S;;M) == 0 | I(X;T) - I(M;T) <= I(X;T;;S) | proved
W6b | multi-view | signal, X->M | I(X;M;;S) == 0 | I(M;T;;S) == 0 | proved
W7f | multi-view | signal, X->M | I(X;S;;M) == 0, I(X;M;;S) == 0 | I(M;T) == I(S;T) | refuted
B1  | bottleneck | nuisance     | I(X;Y;;Z) == 0 | I(Z;N) <= I(Z;X) - I(X;Y) | proved
B2f | bottleneck | nuisance     | I(X;Y;;Z) == 0 | I(Z;N) == 0 | refuted
B3  | bottleneck | nuisance     | | I(Z;N) <= I(Z;N;;Y) | proved
Q1  | bottleneck | invariant    | H(M;;Z) == 0 | I(X;Y;;Z) == 0 and I(X;Z) >= H(M) | proved
H1  | heads | head | | I(C;Z) <= I(C;H) and I(A;Z) <= I(A;H) and I(C;H) - I(C;Z) == I(C;H;;Z) | proved
H2f | heads      | head         | I(A;Z) == 0 | I(A;H) == 0 | refuted
H3f | heads      | head         | | I(A;C;;Z) <= I(A;C;;H) | refuted
H4  | heads      | head         | | H(C;;Z) <= H(C;;Z,A) + I(A;C;;Z) | proved
N1  | contrast   | two-views    | | I(C;Z1,Z2) >= I(C;Z1) | proved
N2f | contrast   | two-views    | | I(C;Z1,Z2) <= I(C;Z1) + I(C;Z2) | refuted
N2  | contrast   | given-class  | | I(C;Z1,Z2) <= I(C;Z1) + I(C;Z2) | proved
N3f | bottleneck | B->R, C->R, R->X, A->X, X->Z | I(A;Z) == 0 | I(B;Z) == 0 | refuted
S1  | paper      | C->R, S->R, V->R, R->X, A->X, X=>U, X->W | | I(A;X;;U) == I(A;X) - I(A;U) | proved
S2  | paper      | C->R, S->R, V->R, R->X, A->X, X=>U, X->W | | I(A;W;;U) <= I(A;X;;U) | proved
S3  | paper      | C->R, S->R, V->R, R->X, A->X, X=>U, X->W | | I(A;C;;X) <= I(A;X;;U) | refuted
S3b | paper      | C->R, S->R, V->R, R->X, A->X, X=>U, X->W | | I(A;C;;U) <= I(A;C;;X) | refuted
"""
"""Id, chapter, diagram, given, statement and verdict; `;;` stands for the bar of a condition."""

DIAGRAM_TEXTS = {
    "two-views": "C->R, R->X1, R->X2, X1->Z1, X2->Z2",
    "given-class": "C->X1, C->X2, X1->Z1, X2->Z2",
    "signal": "U->X, U->S, U->T, X->Z",
    "nuisance": "Y->X, N->X, X->Z",
    "invariant": "X=>M, M->Y, X->Z",
    "head": "C->R, S->R, V->R, R->X, A->X, X->H, H->Z",
}


def rows():
    for line in FIELD.strip().splitlines():
        id, chapter, diagram, facts, *rest = (cell.strip().replace(";;", "|") for cell in line.split(" |"))
        given = tuple(fact.strip() for fact in re.split(r",(?= [IH]\()", facts) if fact.strip())
        yield [id, chapter, diagram, given, *rest]


TABLE = {row[0]: row[1:] for row in rows()}


@pytest.mark.parametrize("id", TABLE)
def test_every_statement_of_the_field_comes_out_as_the_table_says(id):
    chapter, diagram, given, statement, verdict = TABLE[id]
    found = find_claim(id)
    assert found.chapter == chapter
    edges, comma, more = diagram.partition(", ") if "," in diagram else (diagram, "", "")
    text = DIAGRAM_TEXTS.get(edges, edges) + comma + more
    assert found.diagram == Diagram.parse(text)
    assert (str(found.statement), tuple(map(str, found.given))) == (statement, given)
    outcome = prove(statement, diagram=diagram, given=given)
    assert outcome.verdict == verdict
    if verdict == "proved":
        assert check(outcome.certificate).valid
        assert found.expectation == "true"
    else:
        assert found.expectation == "false"
        assert found.witness is not None
        assert is_on(found.witness(), found.diagram)
    assert judge(found).holds


def test_the_table_is_the_whole_of_the_field():
    field = [claim.id for name in CHAPTERS if name != "paper" for claim in of_chapter(name)]
    assert sorted(field) == sorted(id for id in TABLE if not id.startswith("S"))
    assert sum(len(find_claim(id).statement.relations) for id in field) == 36
    assert {claim.chapter for claim in CLAIMS.values()} == set(CHAPTERS)


PROVED = [i for i, row in TABLE.items() if row[-1] == "proved"]


@pytest.mark.parametrize("id", PROVED)
def test_what_is_stronger_than_the_field_says_is_refuted(id):
    """The control: the smaller side may not be above half of the larger, nor a vanishing term positive."""
    found = find_claim(id)
    for relation in found.statement:
        smaller, larger = relation.left, relation.right
        if relation.operator == ">=":
            smaller, larger = larger, smaller
        stronger = f"2 ({smaller}) <= {larger}" if str(larger) != "0" else f"{smaller} > 0"
        assert prove(stronger, diagram=found.diagram, given=found.given).verdict == "refuted", stronger


@pytest.mark.parametrize("id", [i for i, row in TABLE.items() if row[-1] == "proved" and row[2]])
def test_every_premise_is_needed(id):
    found = find_claim(id)
    for left_out in found.given:
        fewer = tuple(fact for fact in found.given if fact != left_out)
        assert prove(found.statement, diagram=found.diagram, given=fewer).verdict == "refuted"


def test_references_name_where_an_idea_comes_from_and_quote_nothing():
    for name in CHAPTERS:
        for claim in of_chapter(name):
            assert claim.reference
            if name != "paper":
                assert claim.reference == "this project" or re.fullmatch(
                    r"after .+ \(20\d\d\), arXiv:\d{4}\.\d{5}(, and .+ \(20\d\d\), arXiv:\d{4}\.\d{5})?",
                    claim.reference,
                )
                assert not re.search(r"[Tt]heorem|[Pp]roposition|\"", claim.reference + claim.prose)


@pytest.mark.parametrize("name", DIAGRAM_TEXTS)
def test_diagrams_are_read_by_name(name):
    assert DIAGRAMS[name] == read_diagram(name) == read_diagram(f" {name.upper()} ")
    assert read_diagram(name) == Diagram.parse(DIAGRAM_TEXTS[name])
    assert diagram_text(DIAGRAMS[name]) == name
    grown = read_diagram(f"{name}, Q1->Q2")
    assert set(grown.variables) == {*DIAGRAMS[name].variables, "Q1", "Q2"}
    assert set(grown.deterministic) == set(DIAGRAMS[name].deterministic)


def test_no_diagram_and_edges_are_texts_too():
    assert read_diagram("none") is None
    assert read_diagram("A->X") == Diagram([("A", "X")])
    assert read_diagram("A") == Diagram(variables=["A"])
    assert prove("I(A;A) >= 0", diagram="none").verdict == "proved"
    assert prove("I(Z1;Z2) <= I(X1;X2)", diagram="two-views").verdict == "proved"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("two-view", "did you mean two-views", id="near miss"),
        pytest.param("signl", "did you mean signal", id="near miss that could be a variable"),
        pytest.param("foo", "or one of essl, two-views, given-class, signal", id="no name"),
        pytest.param("", "unknown diagram ''", id="empty"),
        pytest.param("signal, Z->", "cannot read the diagram", id="half an edge"),
        pytest.param("signal, Z->U", "no cycle", id="cycle"),
        pytest.param("invariant, X->M", "all arrows into 'M'", id="two kinds of arrows"),
        pytest.param("A->X, signal", "names the diagram 'signal'", id="name that is not first"),
        pytest.param("essl; Signal", "names the diagram 'Signal'", id="two names"),
    ],
)
def test_texts_that_are_no_diagram(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_diagram(text)


def test_a_diagram_is_a_text():
    with pytest.raises(TypeError, match="diagram must be a Diagram, text"):
        read_diagram(3)
    with pytest.raises(TypeError, match="diagram must be a Diagram, text"):
        prove("I(A;A) >= 0", diagram=3)


def test_chapters():
    assert [claim.id for claim in of_chapter("heads")] == ["H1", "H2f", "H3f", "H4"]
    with pytest.raises(ValueError, match="unknown chapter 'tails': the registry has paper, contrast"):
        of_chapter("tails")
    options = {"prose": "p", "reference": "r", "worlds": ("proof",)}
    assert Claim("mine", "t", "I(A;Z) >= 0", "true", **options).chapter == OWN
    with pytest.raises(ValueError, match="text for chapter, got ' '"):
        Claim("mine", "t", "I(A;Z) >= 0", "true", chapter=" ", **options)


def test_models_are_composed_of_parts():
    draw = Composed("W->P, P->Q, W->X2", {"X1": "P,Q", "Z1": "Q", "X2": "X2"})
    joint = draw(3)
    assert (joint.probabilities == draw(3).probabilities).all()
    assert max(draw(seed).value("I(X1;X2|Z1)") for seed in range(10)) > 1e-3  # Q alone is not sufficient
    with pytest.raises(ValueError, match="unknown variable 'N'"):
        Composed("A->X", {"Z": "N"})(0)
