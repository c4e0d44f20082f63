"""Counterexamples and witnesses, checked from their JSON alone by slow and independent arithmetic."""

import dataclasses
import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from statements import CASES

from theory import ESSL, Diagram, Joint, parse_expression, parse_statement, prove
from theory.prover.counterexample.codes import search_codes
from theory.prover.counterexample.effort import CodeSearch, GateSearch
from theory.prover.counterexample.exact import WeightedStates, off_diagram
from theory.prover.counterexample.gates import search_gates
from theory.prover.counterexample.layout import Goal, Layout
from theory.prover.counterexample.numerical import Tables, numerical_candidates
from theory.prover.counterexample.refute import _products, verified
from theory.prover.lattice import Frame

DIGITS = 80
ZERO = mpmath.mpf(10) ** -60


def states(model):
    """The distribution of a JSON counterexample as a dictionary from states to Fractions."""
    table = {}
    for entry in model["probabilities"]:
        table[tuple(entry["state"])] = Fraction(entry["probability"])
    return tuple(model["variables"]), table


def marginal(names, table, kept):
    total = {}
    for state, p in table.items():
        key = tuple(x for x, n in zip(state, names, strict=True) if n in kept)
        total[key] = total.get(key, 0) + p
    return total


def value(names, table, entropies):
    """sum c H(set) in nats to `DIGITS` digits."""
    with mpmath.workdps(DIGITS):
        total = mpmath.mpf(0)
        for subset, c in entropies.items():
            for p in marginal(names, table, subset).values():
                exact = mpmath.mpf(p.numerator) / p.denominator
                total -= mpmath.mpf(c.numerator) / c.denominator * exact * mpmath.log(exact)
        return total


def true(names, table, relation):
    gap = value(names, table, relation.gap.entropies())
    if relation.operator == "==":
        return abs(gap) < ZERO
    return gap > ZERO if relation.operator in (">", "<") else gap > -ZERO


def factorises(names, table, diagram):
    """Whether p(x) = prod p(v | parents) for every combination of states, in Fractions."""
    kept = [v for v in diagram.order if v in names]
    tables = {}
    for v in kept:
        parents = set(diagram.parents(v))
        assert parents <= set(names)
        tables[v] = (marginal(names, table, parents | {v}), marginal(names, table, parents), parents)
    letters = [sorted({state[i] for state in table}) for i in range(len(names))]
    for state in itertools.product(*letters):
        product = Fraction(1)
        for v in kept:
            both, base, parents = tables[v]
            full = tuple(x for x, n in zip(state, names, strict=True) if n in parents | {v})
            given = tuple(x for x, n in zip(state, names, strict=True) if n in parents)
            product *= both.get(full, 0) / base[given] if given in base else 0
        if product != table.get(state, 0):
            return False
    return all(len(tables[v][0]) == len(tables[v][1]) for v in diagram.deterministic if v in kept)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.verdict == "refuted" and not c.exists], ids=lambda c: c.id
)
def test_a_refutation_breaks_the_statement(case):
    result = prove(case.text, diagram=case.diagram, given=case.given, non_shannon=case.non_shannon)
    model = result.to_dict()["counterexample"]
    names, table = states(model)
    assert sum(table.values()) == 1
    assert min(table.values()) > 0
    assert len(table) <= 64, "a witness is small enough to read"
    assert all(true(names, table, r) for text in case.given for r in parse_statement(text))
    broken = [r for r in parse_statement(case.text) if not true(names, table, r)]
    assert broken
    if case.diagram is not None:
        assert factorises(names, table, case.diagram)
    reported = {side["relation"]: side for side in model["sides"]}
    for relation in broken:
        side = reported[str(relation)]
        left, right = (float(value(names, table, e.entropies())) for e in (relation.left, relation.right))
        assert side["left"] == pytest.approx(left, abs=1e-12)
        assert side["right"] == pytest.approx(right, abs=1e-12)
    assert model["description"]
    assert model["description"] in str(result)


@pytest.mark.parametrize("case", [c for c in CASES if c.verdict == "proved" and c.exists], ids=lambda c: c.id)
def test_a_witness_satisfies_the_statement(case):
    result = prove(case.text, diagram=case.diagram, given=case.given, exists=True)
    names, table = states(result.to_dict()["witness"])
    assert all(true(names, table, r) for r in parse_statement(case.text))
    if case.diagram is not None:
        assert factorises(names, table, case.diagram)


@pytest.mark.parametrize("seed", range(6))
def test_every_seed_refutes(seed):
    for text in ("I(A;C|Z) <= I(A;C|X)", "I(A;C|X) <= I(A;C|X,S)", "I(A;X|C) >= 11/10 I(A;X)"):
        result = prove(text, diagram=ESSL, seed=seed)
        assert result.verdict == "refuted"
        names, table = states(result.to_dict()["counterexample"])
        assert not true(names, table, parse_statement(text).relations[0])
        assert factorises(names, table, ESSL)


def test_latin_squares_need_three_letters():
    case = next(c for c in CASES if c.id == "latin-squares")
    result = prove(case.text, given=case.given)
    assert min(result.joint.cardinalities.values()) >= 3


def test_the_counterexample_to_ingleton_has_four_atoms():
    result = prove("I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D)")
    assert sum(1 for p in result.joint.probabilities.flat if p) == 4


@pytest.mark.parametrize(
    ("entropies", "expected"),
    [
        ("H(A)", 1),
        ("-H(A)", -1),
        ("H(A) - H(A,B) + H(B)", 0),
        ("H(C) - 2 H(A)", 0),
        ("2000000000000001 H(A) - 1000000000000000 H(C)", 1),
        ("1999999999999999 H(A) - 1000000000000000 H(C)", -1),
        ("H(D) - H(A)", -1),
        ("4 H(D) - 2 H(A)", 1),
    ],
)
def test_signs_are_exact(entropies, expected):
    """A, B fair bits, C = (A, B) and D true with probability 1/8, independent of them."""
    names = ("A", "B", "C", "D")
    table = np.full((2, 2, 4, 2), Fraction(0), dtype=object)
    for a, b, d in itertools.product(range(2), repeat=3):
        table[a, b, 2 * a + b, d] = Fraction(1, 4) * (Fraction(1, 8) if d else Fraction(7, 8))
    assert WeightedStates.of(Joint(names, table)).sign(parse_expression(entropies).entropies()) == expected


def test_a_sign_within_1e_minus_40_is_decided():
    """p log p with p = 1/2 +- 1e-12 differs from the fair coin's entropy by about 2e-24."""
    small = Fraction(1, 10**12)
    table = np.array([Fraction(1, 2) + small, Fraction(1, 2) - small], dtype=object)
    fair = np.array([Fraction(1, 2), Fraction(1, 2)], dtype=object)
    joint = Joint(("A", "B"), table[:, None] * fair[None, :])
    assert WeightedStates.of(joint).sign({frozenset("A"): Fraction(1), frozenset("B"): Fraction(-1)}) == -1


def test_entropies_of_independent_products_add_up():
    names = ("A", "B", "C")
    xor = WeightedStates.uniform(names, np.array([[a, b, a ^ b] for a in range(2) for b in range(2)]))
    other = WeightedStates(("C", "B", "A"), [(0, 0, 0), (1, 0, 2), (1, 1, 1)], [1, 2, 3])
    both = xor.product(other).joint(names)
    for subset in (("A",), ("B",), ("A", "B"), ("A", "C"), names):
        parts = xor.joint(names).entropy(subset) + other.joint(names).entropy(subset)
        assert both.entropy(subset) == pytest.approx(parts, abs=1e-12)


def test_copies_outweigh_what_a_strict_relation_needs():
    """The strict part needs H(B) = 4 I(A;B) > 0; copies of a free D make H(D) larger than that."""
    required = parse_statement("I(A;B) > 0 and H(B|A) == 3 I(A;B)").relations
    goal = Goal(required, parse_statement("H(B) >= H(D)").relations)
    layout = Layout.of(("A", "B", "D"), None)
    for distribution, description in _products(goal, layout, (), 0, None):
        if verified(distribution, goal, None):
            assert description.startswith("independent product of")
            joint = distribution.joint(("A", "B", "D"))
            assert joint.entropy(("D",)) > joint.entropy(("B",)) > joint.value("I(A;B)") > 0
            return
    pytest.fail("no product was found")


def test_floating_point_is_not_evidence():
    with pytest.raises(ValueError, match="needs a joint of Fractions"):
        WeightedStates.of(Joint(("A",), [0.5, 0.5]))


def test_distributions_off_the_diagram_are_not_accepted():
    goal = Goal((), parse_statement("I(A;C|Z) <= I(A;C|X)").relations)
    copied = WeightedStates.uniform(("A", "C", "X", "Z"), np.array([[0, 0, 0, 0], [1, 1, 0, 1]]))
    diagram = Diagram.parse("A->X, C->X, X->Z")
    assert "not independent" in off_diagram(copied, diagram)
    assert not verified(copied, goal, diagram)
    xor = np.array([[a, c, 2 * a + c, a ^ c] for a in range(2) for c in range(2)])
    assert verified(WeightedStates.uniform(("A", "C", "X", "Z"), xor), goal, diagram)
    noisy = WeightedStates.uniform(("A", "X"), np.array([[0, 0], [0, 1], [1, 1], [1, 0]]))
    assert "not a function" in off_diagram(noisy, Diagram.parse("A=>X"))
    assert "without its parents" in off_diagram(noisy, Diagram.parse("B->X, A"))
    hole = WeightedStates.uniform(("A", "C"), np.array([[0, 0], [0, 1], [1, 0]]))
    assert "not independent" in off_diagram(hole, Diagram.parse("A, C"))


XOR_GOAL = Goal((), parse_statement("I(A;C|X) <= I(A;C)").relations)
SMALL = Layout.of(("A", "C", "X"), Diagram.parse("A->X, C->X"))


@pytest.mark.parametrize(("field", "dimension"), [(2, 1), (3, 1), (2, 2), (5, 1)])
def test_codes_have_the_entropies_of_their_ranks(field, dimension):
    search = CodeSearch(field=field, dimension=dimension, size=512, rounds=2)
    code = search_codes(XOR_GOAL, SMALL, search, seed=0)
    joint = code.distribution().joint(("A", "C", "X"))
    unit = np.log(field)
    for subset in (("A",), ("C",), ("X",), ("A", "C"), ("A", "X"), ("A", "C", "X")):
        ratio = joint.entropy(subset) / unit
        assert ratio == pytest.approx(round(ratio), abs=1e-12)
    assert verified(code.distribution(), XOR_GOAL, Diagram.parse("A->X, C->X"))


def test_gates_find_what_is_not_linear():
    goal = Goal((), parse_statement("I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D)").relations)
    layout = Layout.of(("A", "B", "C", "D"), None)
    gates = search_gates(goal, layout, GateSearch(outcomes=4, size=2048, rounds=6), seed=0)
    assert verified(gates.distribution(), goal, None)
    for field in (2, 3):
        code = search_codes(goal, layout, CodeSearch(field=field, dimension=1, size=0), seed=0)
        assert code is None, "Ingleton's inequality holds for linear codes"


def test_the_numerical_search_alone_refutes():
    diagram = Diagram.parse("A->X, C->X")
    found = next(numerical_candidates(XOR_GOAL, SMALL, restarts=8, seed=0))
    assert verified(found[0], XOR_GOAL, diagram)
    required = parse_statement("I(A;X) == 0 and I(A;C|X) > 0").relations
    found = numerical_candidates(Goal(required, ()), SMALL, restarts=24, seed=0)
    assert any(verified(distribution, Goal(required, ()), diagram) for distribution, _ in found)


def test_the_gradient_of_the_numerical_search_is_right():
    """Against central differences: error h^2 times the third derivative, plus rounding 1e-16 / h."""
    diagram = Diagram.parse("A->X, C->X, X->Z")
    layout = Layout.of(("A", "C", "X", "Z"), diagram)
    goal = Goal((), parse_statement("I(A;C|Z) <= I(A;C|X)").relations)
    tables = Tables(layout, (2, 3, 2, 2), goal.vectors(Frame(layout.names)))
    numbers = np.random.default_rng(0).normal(size=tables.size)

    def gap(x):
        return tables.gaps(tables.joint(tables.split(x)))[0][0]

    parts = tables.split(numbers)
    p = tables.joint(parts)
    slope = tables.pull_back(p, tables.gaps(p)[1][0], parts)
    h = 1e-5
    for i in range(tables.size):
        e = np.zeros(tables.size)
        e[i] = h
        assert slope[i] == pytest.approx((gap(numbers + e) - gap(numbers - e)) / (2 * h), abs=1e-8)


def test_long_tables_are_cut_in_print_only():
    result = prove("I(A;C) >= 1/7 H(A)", given=["H(A) >= 6 H(C)", "H(C) > 0"])
    wide = WeightedStates.uniform(("A", "C"), np.array([[a, 0] for a in range(100)]))
    shown = str(dataclasses.replace(result, joint=wide.joint(("A", "C"))))
    assert ".. 100 states in all" in shown
    assert len(shown.splitlines()) < 75


def test_refutations_print_and_render():
    result = prove("I(A;C|Z) <= I(A;C|X)", diagram=ESSL)
    text = str(result)
    assert text.startswith("refuted: I(A;C|Z) <= I(A;C|X)")
    assert "probability" in text
    assert "against" in text
    assert r"\begin{tabular}" in result.latex()
    assert "<table>" in result._repr_html_()
    witness = prove("I(A;C) == 0 and I(A;C|X) > 0", diagram=ESSL, exists=True)
    assert str(witness).startswith("proved (exists)")
    impossible = prove("I(A;C) > 0", diagram=ESSL, exists=True)
    assert "d-separated" in str(impossible)
    assert r"\begin{enumerate}" in impossible.latex()
    unknown = prove("I(A;B) >= 2 H(A)", counterexample=False)
    assert "polymatroid" in unknown.latex()
