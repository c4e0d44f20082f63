"""Repair: what makes false statements true, against an unreduced linear program and random models."""

import json
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from theory import (
    CLAIMS,
    ESSL,
    Certificate,
    ContradictionError,
    Diagram,
    Joint,
    Model,
    NothingToRepairError,
    ParseError,
    Proof,
    Refutation,
    TooLargeError,
    check,
    parse_expression,
    parse_statement,
    prove,
    repair,
)
from theory.cones import Cone, reduced_diagram
from theory.repairing.premises import premises
from theory.repairing.weakest import Search

D4 = "I(A;C|Z) <= I(A;C|X)"
CLEAR = 1e-7  # HiGHS keeps its constraints within 1e-7, and the vertices' values are fractions far above it
ROUNDING = 1e-10  # entropies of tables of up to 243 states, summed in float64


@pytest.fixture(scope="module")
def d4():
    return repair(D4, diagram=ESSL)


class Oracle:
    """All polymatroids on a diagram: every elemental inequality, every d-separation of two variables."""

    def __init__(self, names, diagram):
        self.names = names
        self.index = {v: i for i, v in enumerate(names)}
        n = len(names)
        above, equal = [], []
        for i, j in combinations(range(n), 2):
            for k in (k for k in range(1 << n) if not k >> i & 1 and not k >> j & 1):
                row = self.row({1 << i | k: 1, 1 << j | k: 1, k: -1, 1 << i | 1 << j | k: -1})
                above.append(row)
                given = {names[b] for b in range(n) if k >> b & 1}
                if diagram is not None and diagram.d_separated({names[i]}, {names[j]}, given):
                    equal.append(row)
        full = (1 << n) - 1
        above += [self.row({full: 1, full & ~(1 << i): -1}) for i in range(n)]
        self.above = np.array(above)
        self.equal = np.array(equal).reshape(len(equal), 1 << n)

    def row(self, coefficients):
        row = np.zeros(1 << len(self.names))
        for mask, c in coefficients.items():
            row[mask] += c
        row[0] = 0
        return row

    def vector(self, expression):
        entropies = parse_expression(expression).entropies().items()
        return self.row({sum(1 << self.index[v] for v in subset): float(c) for subset, c in entropies})

    def minimum(self, target, zero=()):
        equal = np.concatenate([self.equal, *(row[None] for row in zero)])
        answer = linprog(
            target,
            A_ub=-self.above,
            b_ub=np.zeros(len(self.above)),
            A_eq=equal,
            b_eq=np.zeros(len(equal)),
            bounds=(0, 1),
            method="highs",
        )
        assert answer.status == 0
        return answer.fun

    def gaps(self, statement):
        for relation in statement:
            yield self.vector(relation.gap)
            if relation.operator == "==":
                yield -self.vector(relation.gap)

    def proves(self, statement, zero=()):
        return all(self.minimum(gap, zero) > -CLEAR for gap in self.gaps(statement))


def zeros(oracle, assumption):
    return [oracle.vector(relation.gap) for premise in assumption.given for relation in premise]


def random_term(rng, names):
    shuffled = [str(v) for v in rng.permutation(names)]
    given = shuffled[2 : 2 + int(rng.integers(len(names) - 1))]
    bar = f"|{','.join(given)})" if given else ")"
    return f"H({shuffled[0]}{bar}" if rng.random() < 0.25 else f"I({shuffled[0]};{shuffled[1]}{bar}"


def random_case(seed):
    """A random diagram of four or five variables, and a statement about three or four of them."""
    rng = np.random.default_rng(seed)
    names = "ABCDE"[: int(rng.integers(4, 6))]
    order = [str(v) for v in rng.permutation(list(names))]
    edges = [pair for pair in combinations(order, 2) if rng.random() < 0.5]
    some = list(names[: int(rng.integers(3, 5))])
    left, right, more = (random_term(rng, some) for _ in range(3))
    operator = str(rng.choice(["<=", ">=", "=="], p=[0.6, 0.3, 0.1]))
    return Diagram(edges, variables=tuple(names)), f"{left} {operator} {right}" + (
        f" + {more}" if seed % 2 else ""
    )


FALSE = 16
"""How many random statements that are not proved are repaired."""


@cache
def false_cases():
    """Diagrams and statements with their seeds; when they are asked for, not when pytest collects."""
    found = []
    for seed in range(10 * FALSE):
        diagram, statement = random_case(seed)
        if prove(statement, diagram=diagram, counterexample=False).verdict != "proved":
            found.append((diagram, statement, seed))
        if len(found) == FALSE:
            return found
    raise AssertionError(f"fewer than {FALSE} false statements")


@cache
def repaired(number):
    diagram, statement, _ = false_cases()[number]
    return repair(statement, diagram=diagram)


@pytest.mark.parametrize("number", range(FALSE))
def test_random_false_statements_are_repaired(number):
    diagram, _, seed = false_cases()[number]
    found = repaired(number)
    oracle = Oracle(diagram.variables, diagram)
    sets = (*found.assumptions, *found.trivial)
    for assumption in (*found, *found.trivial):
        certificate = assumption.certificate
        assert check(certificate)
        assert certificate.statement == str(found.statement)
        assert certificate.given == tuple(map(str, assumption.given))
        zero = zeros(oracle, assumption)
        assert oracle.proves(found.statement, zero)
        if len(zero) > 1 and assumption in sets:
            assert not any(oracle.proves(found.statement, [row]) for row in zero)
        nothing_left = all(
            oracle.minimum(-oracle.vector(term), zero) > -CLEAR for term in found.statement.terms
        )
        assert nothing_left or not assumption.trivial
        assert assumption.trivial or assumption.example is not None
    for one in sets:
        for other in (o for o in sets if o is not one):
            assert oracle.minimum(-sum(zeros(oracle, other)), zeros(oracle, one)) < -CLEAR
    for correction in found.corrected:
        assert check(correction.certificate)
        assert all(weight > 0 for weight, _ in correction.added.summands)
    rng = np.random.default_rng(seed)
    for _ in range(40):
        sizes = {v: int(rng.integers(2, 4)) for v in diagram.variables}
        joint = Model.random(diagram, sizes, seed=int(rng.integers(2**31)), concentration=0.3).joint()
        for correction in found.corrected:
            assert joint.value(correction.statement.relations[0].gap) >= -ROUNDING


@pytest.mark.parametrize("number", range(8))
def test_every_single_premise_that_suffices_implies_one_in_the_answer(number):
    """Against trying all premises: what works is in the answer or implies something in it."""
    diagram, statement, _ = false_cases()[number]
    found = repair(statement, diagram=diagram, at_most=1)
    oracle = Oracle(diagram.variables, diagram)
    answers = [zeros(oracle, a) for a in (*found.assumptions, *found.trivial, *found.restated)]
    for premise in premises(parse_statement(statement).variables):
        row = oracle.vector(premise.term)
        if oracle.proves(found.statement, [row]):
            assert any(oracle.minimum(-sum(zero), [row]) > -CLEAR for zero in answers)


@pytest.mark.parametrize("number", range(4))
def test_pairs_that_suffice_imply_a_set_in_the_answer(number):
    diagram, statement, seed = false_cases()[number]
    found = repaired(number)
    assert found.complete
    oracle = Oracle(diagram.variables, diagram)
    answers = [zeros(oracle, a) for a in (*found.assumptions, *found.trivial, *found.restated)]
    every = premises(parse_statement(statement).variables)
    rng = np.random.default_rng(seed)
    for _ in range(60):
        rows = [oracle.vector(every[i].term) for i in rng.choice(len(every), 2, replace=False)]
        if oracle.proves(found.statement, rows):
            assert any(oracle.minimum(-sum(zero), rows) > -CLEAR for zero in answers)


def test_d4_is_true_under_each_of_the_three_known_assumptions(d4):
    for premise in ("I(A;X|Z) == 0", "I(C;X|Z) == 0", "H(A|Z) == 0"):
        assert premise in d4
        assert prove(D4, diagram=ESSL, given=premise).verdict == "proved"
    assert "I(A;X|Z,C) == 0" not in d4
    assert d4.verdict == "refuted"
    assert d4.complete


def test_d4_is_corrected_by_what_the_representation_lost(d4):
    assert f"{D4} + I(A;X|Z)" in d4
    assert f"{D4} + I(C;X|Z)" in d4
    for correction in d4.corrected:
        assert correction.tight is not None
        relation = correction.statement.relations[0]
        assert correction.tight.joint.symbolic(relation.gap) == 0
        assert correction.tight.joint.value(correction.repairs.relations[0].gap) < -CLEAR


def test_d4_premises_are_said_in_the_field_s_words(d4):
    told = {str(a): a.words for a in d4}
    assert told["I(A;X|Z) == 0"] == ("Z is sufficient for A: it keeps all that X tells of A",)
    assert told["H(A|Z) == 0"] == ("Z determines A: A can be read off Z",)


def test_dependencies_that_make_everything_vanish_say_so(d4):
    trivial = {str(a) for a in d4 if a.trivial}
    assert "H(A|Z) == 0" in trivial
    assert not any(a.trivial for a in d4.assumptions)
    assert "trivially: every quantity of the statement vanishes" in str(d4)


def test_each_special_case_implies_the_assumption_that_it_names(d4):
    assert d4.special_cases
    for case in d4.special_cases:
        for weaker in case.special_case_of:
            assert prove(weaker, diagram=ESSL, given=case.given).verdict == "proved"


def test_distributions_show_that_assumptions_are_neither_vacuous_nor_necessary(d4):
    gap = parse_statement(D4).relations[0].gap
    for assumption in d4.assumptions:
        example, converse = assumption.example, assumption.converse
        assert all(example.joint.symbolic(r.gap) == 0 for p in assumption.given for r in p)
        assert example.joint.value(gap) > CLEAR
        assert isinstance(converse, Refutation)
        assert converse.joint.value(gap) >= -ROUNDING
        assert any(converse.joint.value(r.gap) > CLEAR for p in assumption.given for r in p)


def test_a_premise_that_the_statement_implies_is_called_necessary():
    found = repair("I(A;B) <= 0")
    (assumption,) = found.restated
    assert isinstance(assumption.converse, Proof)
    assert str(assumption) == "I(A;B) == 0"
    assert "necessary" in assumption.to_dict()
    assert not found.assumptions
    assert {str(a) for a in found.trivial} == {"H(A) == 0", "H(B) == 0"}


def test_where_nothing_helps_the_answer_says_so():
    found = repair("H(A,B) <= I(A;C)", at_most=1)
    assert not found.assumptions
    assert found.notes == ("no premise over A, B, C makes it true without saying it again",)
    assert found.complete
    assert str(found).endswith(found.notes[0])


def test_what_only_says_the_statement_again_hides_nothing():
    """Everything that makes a statement true implies its restatement, which must not drop the others."""
    found = repair(
        "I(Z;N) == 0", diagram="Y->X, N->X, X->Z", given="I(X;Y|Z) == 0", within=("X", "Y"), at_most=1
    )
    assert [str(a) for a in found.restated] == ["I(Z;N) == 0"]
    assert {"I(X;N) == 0", "I(Z;N|Y) == 0"} == {a for a in ("I(X;N) == 0", "I(Z;N|Y) == 0") if a in found}
    assert all(isinstance(a.converse, Refutation) for a in found.assumptions)


REFUTED = [claim for claim in CLAIMS.values() if claim.expectation == "false"]


@pytest.mark.parametrize("claim", REFUTED, ids=lambda claim: claim.id)
def test_every_refuted_claim_has_a_repair_that_is_not_trivial(claim):
    found = repair(claim.statement, diagram=claim.diagram, given=claim.given)
    assert found.assumptions
    for assumption in found.assumptions:
        assert assumption.example is not None
        assert check(json.dumps(assumption.certificate.to_dict()))
        assert assumption.certificate.given == (
            *map(str, claim.given),
            *map(str, assumption.given),
        )


def test_edges_without_which_the_statement_holds(d4):
    removed = {change.edge: change for change in d4.edges}
    assert set(removed) == {("C", "R"), ("R", "X"), ("A", "X"), ("X", "Z")}
    for edge, change in removed.items():
        assert check(change.certificate)
        assert set(change.diagram.graph.edges) == set(ESSL.graph.edges) - {edge}
    assert not removed["X", "Z"].trivial
    assert removed["A", "X"].trivial
    for edge in set(ESSL.graph.edges) - set(removed):
        shorter = Diagram([e for e in ESSL.graph.edges if e != edge], variables=ESSL.variables)
        assert prove(D4, diagram=shorter).verdict == "refuted"


@pytest.mark.parametrize("edge", [("V", "A"), ("S", "A"), ("C", "A"), ("A", "Z"), ("R", "Z"), ("C", "X")])
def test_an_edge_more_helps_nothing(edge):
    longer = Diagram([*ESSL.graph.edges, edge], variables=ESSL.variables)
    assert prove(D4, diagram=longer).verdict == "refuted"


def test_premises_within_name_further_variables():
    statement, diagram = "I(A;C) <= I(A;D)", "A->B, B->C, B->D"
    plain = repair(statement, diagram=diagram)
    wide = repair(statement, diagram=diagram, within=["B"])
    names = {v for a in wide for p in a.given for v in p.variables}
    assert "B" in names
    assert "B" not in {v for a in plain for p in a.given for v in p.variables}
    assert "H(B|D) == 0" in wide


def test_given_statements_are_kept():
    found = repair("I(Z;T) >= I(X;T)", diagram="U->X, U->S, U->T, X->Z", given="I(X;S|Z) == 0")
    assert "I(X;T|S) == 0" in found
    assert all(a.certificate.given[0] == "I(X;S|Z) == 0" for a in found.assumptions)


def test_assumptions_that_contradict_what_is_given_are_left_out():
    free = repair(D4, diagram=ESSL)
    assert "H(C|Z) == 0" in free
    strict = repair(D4, diagram=ESSL, given="H(C|Z) > 0")
    assert "H(C|Z) == 0" not in strict
    assert "I(A;X|Z) == 0" in strict
    for assumption in (*strict, *strict.trivial):
        prove("H(A) >= 0", diagram=ESSL, given=["H(C|Z) > 0", *assumption.given])  # no ContradictionError


@pytest.mark.parametrize("statement", ["2 H(A) <= 3/7 H(B)", "I(A;B) <= 0", "I(A,B;C) >= I(A;C) + I(B;C)"])
def test_no_correction_adds_what_is_there_already(statement):
    """H(A) <= H(B) + H(A) would hold for nothing."""
    found = repair(statement, at_most=1)
    (relation,) = found.statement
    smaller = relation.left if relation.operator == "<=" else relation.right
    for correction in found.corrected:
        added = {tuple(term.entropies().items()) for term in correction.added.terms}
        assert not added & {tuple(term.entropies().items()) for term in smaller.terms}


def test_both_sides_of_an_equality_are_corrected():
    found = repair("H(A|B) == H(A|C)")
    operators = {c.statement.relations[0].operator for c in found.corrected}
    assert operators == {"<=", ">="}
    for correction in found.corrected:
        assert check(correction.certificate)


def test_every_relation_of_a_conjunction_is_repaired():
    found = repair("H(A) <= H(B) and H(B) <= H(A)")
    assert "H(A|B) == 0 and H(B|A) == 0" in found
    assert {str(c.repairs) for c in found.corrected} == {"H(A) <= H(B)", "H(B) <= H(A)"}


def test_a_strict_statement_needs_a_strict_premise():
    found = repair("I(A;B) > 0")
    assert not found.assumptions
    assert any("strict" in note for note in found.notes)
    with_premise = repair("I(A;C) > 0", given="I(A;B) > 0")
    assert {"H(A|C) == 0", "H(B|C) == 0", "I(A;B|C) == 0"} == {
        p for p in ("H(A|C) == 0", "H(B|C) == 0", "I(A;B|C) == 0", "I(A;C|B) == 0") if p in with_premise
    }
    assert with_premise.complete
    assert all(check(a.certificate) for a in with_premise)


def test_a_statement_that_is_true_beyond_shannon_is_unknown_and_repaired():
    found = repair("2 I(C;D) <= I(A;B) + I(A;C,D) + 3 I(C;D|A) + I(C;D|B)", at_most=1)
    assert found.verdict == "unknown"
    assert found.to_dict()["reason"]
    assert found.assumptions


def test_differences_that_floating_point_does_not_see_are_not_taken_for_true():
    with pytest.raises(NothingToRepairError):
        repair("H(A,B) >= H(A)")
    found = repair("H(A,B) >= 1.00000001 H(A)", at_most=1)
    assert found.verdict == "refuted"
    for assumption in found:
        assert check(assumption.certificate)


def test_an_interruption_leaves_what_was_found():
    seen = []

    def interrupt(what):
        seen.append(what)
        if len(seen) == 30:
            raise KeyboardInterrupt

    found = repair(D4, diagram=ESSL, progress=interrupt)
    assert len(seen) == 30
    assert not found.complete
    assert "interrupted" in " ".join(found.notes)
    assert all(check(a.certificate) for a in found.assumptions)
    assert not found.corrected


def test_the_time_may_be_chosen():
    found = repair(D4, diagram=ESSL, seconds=0.02)
    assert not found.complete
    assert "took longer than 0.02 s allow (seconds=0.04 allows more)" in found.notes[0]
    assert all(check(a.certificate) for a in found.assumptions)
    for seconds, error in ((0, ValueError), (-1.0, ValueError), (float("nan"), ValueError), ("2", TypeError)):
        with pytest.raises(error, match="seconds must be"):
            repair(D4, diagram=ESSL, seconds=seconds)


def test_progress_is_told():
    seen = []
    repair(D4, diagram=ESSL, progress=seen.append)
    assert {"looking for assumptions", "comparing assumptions", "looking for models"} <= set(seen)


def test_the_answer_prints_and_becomes_plain_data(d4):
    data = json.loads(json.dumps(d4.to_dict()))
    assert {"statement", "verdict", "assumptions", "corrected", "edges", "trivial", "complete"} <= set(data)
    first = data["assumptions"][0]
    assert first["given"] == ["I(A;X|Z) == 0"]
    assert first["proved"] is True
    assert first["counterexample"]["probabilities"]
    assert all(check(Certificate.from_dict(a["certificate"])) for a in data["assumptions"])
    assert data["corrected"][0]["added"] == [{"term": "I(A;X|Z)", "weight": "1"}]
    assert d4._repr_html_().count("<li>") == sum(
        map(len, (d4.assumptions, d4.special_cases, d4.trivial, d4.restated, d4.corrected, d4.edges))
    )
    assert "<code>I(A;X|Z) == 0</code>" in d4._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        pytest.param(
            {"statement": "I(A;Z) <= I(A;X)", "diagram": "essl"},
            NothingToRepairError,
            r"nothing to repair: I\(A;Z\) <= I\(A;X\) is proved: 1\. I\(A;Z\|X\) == 0",
            id="true",
        ),
        pytest.param(
            {"statement": "H(A) == 0", "given": "H(A) > 0"},
            ContradictionError,
            r"H\(A\) == 0 contradicts H\(A\) > 0",
            id="contradicts the premises",
        ),
        pytest.param(
            {"statement": D4, "given": ["I(A;B) > 0", "I(A;B) == 0"]},
            ContradictionError,
            "the given statements contradict each other",
            id="premises that contradict each other",
        ),
        pytest.param(
            {"statement": "I(A,B,C,D;E) <= H(F|G)"},
            TooLargeError,
            r"premises over 7 variables \(A, B, C, D, E, F, G\) are 1,120, and pairs of them 626,640; 6",
            id="seven variables",
        ),
        pytest.param(
            {"statement": D4, "diagram": ESSL, "within": ("R", "S", "V")},
            TooLargeError,
            "7 variables",
            id="seven with those within",
        ),
        pytest.param(
            {"statement": D4, "at_most": 3}, ValueError, "at_most must be 1 or 2 .*got 3", id="three"
        ),
        pytest.param(
            {"statement": D4, "at_most": 0}, ValueError, "at_most must be 1 or 2 .*got 0", id="none"
        ),
        pytest.param(
            {"statement": D4, "at_most": True}, ValueError, "at_most .*got True", id="a truth value"
        ),
        pytest.param({"statement": D4, "at_most": "2"}, ValueError, "at_most .*got '2'", id="text"),
        pytest.param(
            {"statement": D4, "diagram": ESSL, "within": ["Q"]},
            ValueError,
            "unknown variable 'Q'",
            id="unknown",
        ),
        pytest.param(
            {"statement": D4, "within": 3}, TypeError, "within must be names of variables, got 3", id="within"
        ),
        pytest.param({"statement": "I(A;C|Z) <= "}, ParseError, "expected a number", id="no statement"),
        pytest.param({"statement": D4, "diagram": 3}, TypeError, "diagram must be .*got 3", id="no diagram"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments, error, message):
    with pytest.raises(error, match=message):
        repair(**arguments)


def test_nothing_to_repair_holds_the_proof():
    with pytest.raises(NothingToRepairError) as error:
        repair("I(A;Z) <= I(A;X)", diagram=ESSL)
    assert check(error.value.proof.certificate)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "named", "expected"),
    [
        pytest.param("S->R, C->R, R->X, A->X", "CAX", "C->X, A->X", id="noise and a chain"),
        pytest.param("U->X, U->Y", "XY", "U->X, U->Y", id="a common cause stays"),
        pytest.param("N=>M, M->Y", "NY", "N->Y", id="a chain of a function"),
        pytest.param("A->M, B->M, M=>X", "ABX", "A->M, B->M, M=>X", id="a function of a noisy link stays"),
        pytest.param("S->X, C=>X", None, None, id="mixed arrows are refused"),
        pytest.param("S=>X, C=>X", "CX", "S=>X, C=>X", id="noise of a function stays"),
        pytest.param("A->B, C->D", "AB", "A->B", id="what is apart goes"),
        pytest.param("A->B->C->D", "AD", "A->D", id="a long chain"),
    ],
)
def test_diagrams_are_reduced_to_what_matters(text, named, expected):
    if expected is None:
        with pytest.raises(ValueError, match="all arrows into"):
            Diagram.parse(text)
        return
    assert reduced_diagram(Diagram.parse(text), named).diagram == Diagram.parse(expected)


@pytest.mark.parametrize("seed", range(30))
def test_the_reduced_cone_decides_as_the_whole_one(seed):
    diagram, statement = random_case(seed)
    some = parse_statement(statement).variables
    cone, oracle = Cone(some, diagram), Oracle(diagram.variables, diagram)
    for relation in parse_statement(statement):
        small, whole = cone.minimum(relation.gap), oracle.minimum(oracle.vector(relation.gap))
        assert (small < -CLEAR) == (whole < -CLEAR)


def test_rays_of_the_reduced_cone_are_polymatroids_on_the_whole_diagram():
    cone = Cone(("A", "C", "X", "Z"), ESSL)
    value, point = cone.ray(cone.vector("I(A;C|X) - I(A;C|Z)"))
    assert value < -CLEAR
    ray = cone.exact(point)
    assert {len(subset) for subset in ray} == set(range(1, 8))
    oracle = Oracle(ESSL.variables, ESSL)
    h = oracle.row({sum(1 << oracle.index[v] for v in s): float(x) for s, x in ray.items()})
    assert (oracle.above @ h >= 0).all()
    assert not (oracle.equal @ h).any()


def test_equal_premises_are_tried_once():
    cone = Cone(("A", "C", "X", "Z"), ESSL)
    search = Search(
        cone, [cone.vector("I(A;C|X) - I(A;C|Z)")], premises(("A", "C", "X", "Z")), lambda _: None
    )
    names = [str(premise.term) for premise in search.premises]
    assert "I(A;C)" not in names  # holds anyway
    assert "H(Z|X)" in names
    assert "H(Z|A,X)" not in names  # the same on this diagram


def test_the_counterexample_of_d4_is_in_the_answer(d4):
    gap = parse_statement(D4).relations[0].gap
    assert isinstance(d4.outcome, Refutation)
    assert isinstance(d4.outcome.joint, Joint)
    assert d4.outcome.joint.value(gap) < 0
