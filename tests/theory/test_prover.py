"""The prover against statements with known answers, random models, and its own bad-argument table."""

import re
from fractions import Fraction
from math import prod

import numpy as np
import pytest
from statements import CASES, MALFORMED

from theory import (
    ESSL,
    ContradictionError,
    Diagram,
    Impossible,
    ParseError,
    Proof,
    Refutation,
    TooLargeError,
    Unknown,
    Witness,
    check,
    parse_statement,
    prove,
)

MODELS = 10_000
ROUNDING = 1e-10  # thousands of terms of size below 10, each rounded to 2e-16


def run(case, **options):
    return prove(
        case.text,
        diagram=case.diagram,
        given=case.given,
        exists=case.exists,
        non_shannon=case.non_shannon,
        **options,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_known_answers(case):
    result = run(case)
    assert result.verdict == case.verdict, f"{case.why}\n{result}"
    expected = {
        ("proved", False): Proof,
        ("refuted", False): Refutation,
        ("unknown", False): Unknown,
        ("proved", True): Witness,
        ("refuted", True): Impossible,
    }
    assert type(result) is expected[case.verdict, case.exists]
    assert result.statement == parse_statement(case.text)
    assert result.seconds > 0
    if isinstance(result, Proof | Impossible):
        assert check(result.certificate).valid
        assert check(result.to_dict()["certificate"]).valid


def test_the_table_is_large_and_has_no_double():
    assert len(CASES) + len(MALFORMED) >= 60
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize(("text", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_statements_are_refused(text, message):
    with pytest.raises(ParseError, match=message):
        prove(text)


def batches(diagram, names, rng, models):
    """Joint tables of random models on a diagram (any joint without one), of shape (batch, 2, .., 2)."""
    letters = dict(zip(names, rng.choice([2, 2, 3], size=len(names)), strict=True))
    if len(names) > 8:
        letters = dict.fromkeys(names, 2)
    shape = tuple(int(letters[v]) for v in names)
    size = max(1, min(models, 2**21 // prod(shape)))
    for start in range(0, models, size):
        count = min(size, models - start)
        concentration = rng.choice([0.1, 1.0])
        if diagram is None:
            flat = rng.gamma(concentration, size=(count, prod(shape))) + 1e-300
            yield (flat / flat.sum(axis=1, keepdims=True)).reshape(count, *shape)
            continue
        joint = np.ones((count, *([1] * len(names))))
        for v in diagram.order:
            if v not in names:
                continue
            parents = diagram.parents(v)
            rows = [letters[p] for p in parents]
            if v in diagram.deterministic:
                table = np.eye(letters[v])[rng.integers(letters[v], size=(count, *rows))]
            else:
                table = rng.gamma(concentration, size=(count, *rows, letters[v])) + 1e-300
                table /= table.sum(axis=-1, keepdims=True)
            axes = [names.index(n) for n in (*parents, v)]
            order = np.argsort(axes)
            spread = [letters[n] if i in axes else 1 for i, n in enumerate(names)]
            joint = joint * np.transpose(table, [0, *(1 + order)]).reshape(count, *spread)
        yield joint


def gaps(tables, names, relations):
    """The gap of each relation for each table, in nats, of shape (relations, batch)."""
    needed = {subset for relation in relations for subset in relation.gap.entropies()}
    entropies = {}
    for subset in needed:
        dropped = tuple(1 + i for i, n in enumerate(names) if n not in subset)
        p = tables.sum(axis=dropped).reshape(len(tables), -1)
        logs = np.log(p, out=np.zeros_like(p), where=p > 0)
        entropies[subset] = -(p * logs).sum(axis=1)
    rows = []
    for relation in relations:
        total = np.zeros(len(tables))
        for subset, c in relation.gap.entropies().items():
            total += float(c) * entropies[subset]
        rows.append(total)
    return np.array(rows)


def violated(values, relations):
    broken = np.zeros(values.shape[1], dtype=bool)
    for row, relation in zip(values, relations, strict=True):
        broken |= np.abs(row) > ROUNDING if relation.operator == "==" else row < -ROUNDING
    return broken


def proved_on(diagram):
    """All relations of the table that are proved on a diagram without given statements."""
    return [
        relation
        for case in CASES
        if case.diagram is diagram and case.verdict == "proved" and not (case.given or case.exists)
        for relation in parse_statement(case.text)
    ]


DIAGRAMS = list(dict.fromkeys(case.diagram for case in CASES if proved_on(case.diagram)))


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=lambda d: "none" if d is None else str(d)[:20])
def test_no_random_model_violates_what_was_proved(diagram):
    rng = np.random.default_rng(7)
    groups = {}
    for relation in proved_on(diagram):
        groups.setdefault(() if diagram else tuple(sorted(relation.variables)), []).append(relation)
    seen = 0
    for variables, relations in groups.items():
        names = diagram.variables if diagram else variables
        for tables in batches(diagram, names, rng, MODELS):
            values = gaps(tables, names, relations)
            assert not violated(values, relations).any()
            seen += len(tables)
    assert seen == MODELS * len(groups)


def test_random_models_do_violate_what_is_false():
    relations = parse_statement("I(A;C|X) >= I(A;C|Z) and I(A;Z) >= 1/4 I(A;X)").relations
    rng = np.random.default_rng(7)
    tables = next(batches(ESSL, ESSL.variables, rng, 2000))
    values = gaps(tables, ESSL.variables, relations)
    assert all(violated(values[i : i + 1], relations[i : i + 1]).any() for i in range(2))


GIVEN = [case for case in CASES if case.verdict == "proved" and case.given and not case.exists]


@pytest.mark.parametrize("case", GIVEN, ids=lambda case: case.id)
def test_no_model_under_the_given_statements_violates_what_was_proved(case):
    """Random functions of a few equally likely atoms that happen to satisfy the given statements."""
    claim = parse_statement(case.text).relations
    given = [relation for text in case.given for relation in parse_statement(text)]
    names = sorted({v for relation in (*claim, *given) for v in relation.variables})
    if case.diagram is not None:
        names = list(case.diagram.variables)
    rng = np.random.default_rng(11)
    kept = 0
    for _ in range(12):
        if case.diagram is not None:
            tables = np.concatenate(list(batches(sharp(case.diagram), names, rng, 1500)))
        else:
            atoms = rng.integers(2, size=(3000, len(names), int(rng.integers(2, 6))))
            tables = np.zeros((3000, *([2] * len(names))))
            for state in np.moveaxis(atoms, 2, 0):
                tables[(np.arange(3000), *state.T)] += 1 / atoms.shape[2]
        values = gaps(tables, names, given)
        fits = np.ones(len(tables), dtype=bool)
        for row, relation in zip(values, given, strict=True):
            if relation.operator == "==":
                fits &= np.abs(row) < ROUNDING
            else:
                fits &= row > (ROUNDING if relation.operator in (">", "<") else -ROUNDING)
        kept += int(fits.sum())
        if fits.any():
            assert not violated(gaps(tables[fits], names, claim), claim).any()
    assert kept >= 20


def sharp(diagram):
    """The same diagram with every inner node deterministic, so that given equalities can be met by chance."""
    inner = [v for v in diagram.variables if diagram.parents(v)]
    return Diagram(diagram.edges, variables=diagram.variables, deterministic=inner)


def test_a_proof_reads_as_numbered_steps():
    proof = prove("I(A;Z) <= I(A;X)", diagram=ESSL)
    lines = str(proof).splitlines()
    assert lines[0] == "proved: I(A;Z) <= I(A;X)"
    assert [line.split(".")[0] for line in lines[1:]] == ["1", "2", "3"]
    assert "A and Z are d-separated given X" in lines[1]
    assert r"\begin{enumerate}" in proof.latex()
    assert proof.latex().count(r"\item") == 3
    assert "<pre>" in proof._repr_html_()
    assert "&gt;=" in proof._repr_html_()


@pytest.mark.parametrize(
    ("text", "diagram", "given", "steps"),
    [
        ("I(A;Z|C) == I(A;Z) + I(A;C|Z)", ESSL, (), 1),
        ("I(A;Z|C) >= I(A;Z)", ESSL, (), 2),
        ("I(A;Z) <= I(A;X)", ESSL, (), 2),
        ("H(C|Z) <= H(C|Z,A) + H(A|Z)", None, (), 1),
        ("I(A;B,C) == I(A;B) + I(A;C|B)", None, (), 0),
        ("H(A,B,C) <= H(A) + H(B) + H(C)", None, (), 2),
        ("H(A,B) + H(B,C) + H(C,A) >= 2 H(A,B,C)", None, (), 2),
        ("I(X1;X12) <= I(X1;X2)", Diagram.parse("->".join(f"X{i}" for i in range(1, 13))), (), 2),
    ],
)
def test_proofs_are_as_short_as_they_can_be(text, diagram, given, steps):
    assert prove(text, diagram=diagram, given=given).steps == steps


@pytest.mark.parametrize("n", [6, 8, 10])
def test_hans_inequality_takes_one_step_less_than_variables(n):
    names = [f"X{i}" for i in range(n)]
    left = " + ".join(f"H({','.join(x for x in names if x != y)})" for y in names)
    proof = prove(f"{left} >= {n - 1} H({','.join(names)})")
    assert proof.verdict == "proved"
    assert proof.steps == n - 1


def test_the_markov_chain_on_twelve_variables_is_reduced():
    from theory.prover.proof.facts import Facts
    from theory.prover.proof.search import Search
    from theory.prover.proof.space import Space

    chain = Diagram.parse("->".join(f"X{i}" for i in range(1, 13)))
    space = Space(Facts(("X1", "X12"), chain, ()), 12)
    assert space.columns == 12 * 13 // 2
    assert len(Search(space, max_columns=1000).distinct) == 1013


def test_the_reduced_space_respects_every_independence():
    from itertools import combinations

    from theory.prover.lattice import information
    from theory.prover.proof.facts import Facts
    from theory.prover.proof.space import Space

    space = Space(Facts(("A", "C", "Z"), ESSL, ()), 7)
    names = space.frame.names
    for a, b in combinations(range(7), 2):
        for given in range(1 << 7):
            if given >> a & 1 or given >> b & 1:
                continue
            zero = not space.reduced(information(1 << a, 1 << b, given))
            assert zero == ESSL.d_separated({names[a]}, {names[b]}, set(space.frame.names_of(given)))


@pytest.mark.parametrize(
    ("given", "diagram"),
    [
        (("I(A;C) > 0",), ESSL),
        (("H(A) > 0", "H(A) <= 0"), None),
        (("H(A|B) > H(A)",), None),
        (("H(A) < 0",), None),
        (("I(A;B) > 0", "A _||_ B,C"), None),
        (("H(A) > H(B) > H(C) > H(A)",), None),
    ],
    ids=["diagram", "zero", "conditioning", "negative", "independence", "cycle"],
)
def test_contradictory_givens_are_reported(given, diagram):
    with pytest.raises(ContradictionError, match="contradict each other or the diagram") as error:
        prove("I(A;B) >= 2 H(A)" if diagram is None else "I(A;Z) >= 2 H(A)", diagram=diagram, given=given)
    assert check(error.value.certificate).valid


def test_a_large_but_easy_problem_is_proved_and_a_hard_one_refused_with_its_size():
    names = [f"X{i}" for i in range(1, 31)]
    chain = "->".join(names)
    assert prove("I(X1;X30) <= I(X1;X2)", diagram=chain).verdict == "proved"
    with pytest.raises(TooLargeError, match=r"30 variables.*1,073,741,824 joint entropies.*GiB"):
        prove("I(X1;X30) <= 1/2 I(X1;X2)", diagram=chain, counterexample=False)
    with pytest.raises(TooLargeError, match=r"2047 columns and up to 28171 rows.*max_columns=1100"):
        prove(f"H({','.join(names[:11])}) <= 10 H(X1) + H(X2,X3)", counterexample=False)


BAD = {
    "unknown-variable": (("I(A;Q) >= 0",), {"diagram": ESSL}, ValueError, "unknown variable 'Q'"),
    "unknown-in-given": (
        ("I(A;Z) >= 0",),
        {"diagram": ESSL, "given": "H(Q) == 0"},
        ValueError,
        "unknown variable 'Q'",
    ),
    "cyclic-diagram": (("H(A) >= 0",), {"diagram": "A->B, B->A"}, ValueError, "no cycle"),
    "diagram-type": (("H(A) >= 0",), {"diagram": 3}, TypeError, "diagram must be"),
    "statement-type": ((3,), {}, TypeError, "must be a string"),
    "given-text": (("H(A) >= 0",), {"given": "H(A"}, ParseError, "expected"),
    "given-type": (("H(A) >= 0",), {"given": [1]}, TypeError, "must be a string"),
}


@pytest.mark.parametrize(("arguments", "options", "error", "message"), BAD.values(), ids=BAD)
def test_bad_arguments(arguments, options, error, message):
    with pytest.raises(error, match=message):
        prove(*arguments, **options)


def test_the_same_seed_gives_the_same_answer():
    text = "I(A;C|X) <= I(A;C|X,S)"
    first, second = (prove(text, diagram=ESSL, seed=3) for _ in range(2))
    assert first.to_dict()["counterexample"] == second.to_dict()["counterexample"]


def test_json_has_what_the_command_line_promises():
    proof = prove("I(A;Z) <= I(A;X)", diagram=ESSL).to_dict()
    assert {"verdict", "statement", "seconds", "certificate"} <= set(proof)
    found = prove("I(A;C|Z) <= I(A;C|X)", diagram=ESSL).to_dict()
    assert {"verdict", "statement", "seconds", "counterexample"} <= set(found)
    model = found["counterexample"]
    assert {"variables", "cardinalities", "probabilities", "sides"} <= set(model)
    assert sum(Fraction(entry["probability"]) for entry in model["probabilities"]) == 1
    unknown = prove("I(A;B) >= 2 H(A)", counterexample=False).to_dict()
    assert unknown["verdict"] == "unknown"
    assert re.search("polymatroid", unknown["reason"])


def test_a_name_that_may_be_meant_as_two_is_told():
    """With commas both are true; as a variable of its own AB is anything."""
    refuted = prove("H(AB) <= H(A) + H(B)")
    assert refuted.verdict == "refuted"
    assert "(AB is a variable of its own: A and B together are A,B)" in refuted.description
    assert "AB is a variable of its own" in str(refuted)
    assert prove("H(A,B) <= H(A) + H(B)").verdict == "proved"
    premise = prove("I(X1;X2) == 0", given="H(X2X1) == H(X1) + H(X2)")
    assert "X2 and X1 together are X2,X1" in premise.description
    assert "together" in prove("H(AB) > H(A) + H(B)", exists=True).description
    unknown = prove("H(AB) <= H(A) + H(B)", counterexample=False)
    assert "(AB is a variable of its own: A and B together are A,B)" in unknown.reason


def test_other_names_are_not():
    for statement in ("H(AB) <= H(A)", "H(AA) <= H(A)", "H(A1) <= H(A)", "H(BX) <= H(A,B)"):
        assert "together" not in str(prove(statement))
    assert "together" not in str(prove("H(AB) <= H(A) + H(B)", diagram="A->AB<-B"))
