"""Bounds: against Fourier-Motzkin elimination, all models and the interval by linear programming."""

import json
from fractions import Fraction
from itertools import combinations
from math import inf, lcm, log

import numpy as np
import pytest
from scipy.optimize import linprog

from theory import (
    ESSL,
    Certificate,
    Diagram,
    Model,
    ParseError,
    TooLargeError,
    bounds,
    check,
    parse_term,
    prove,
)
from theory.bounding.duals import Dual
from theory.cones import Cone

ROUNDING = 1e-10  # entropies of tables of up to 243 states, summed in float64
SOLVER = 1e-7  # the feasibility tolerance of HiGHS


def eliminate(rows, equations, keep):
    """Fourier-Motzkin elimination: what inequalities `row x >= 0` and equations say of the first coordinates.

    Each inequality remembers which of the given ones it comes from; after k eliminations one that comes from
    more than k + 1 is a sum of others (Chernikov). Equations are used up first, by substitution.
    """
    rows = [([Fraction(c) for c in row], frozenset([i])) for i, row in enumerate(rows)]
    equations = [[Fraction(c) for c in row] for row in equations]
    width = len(rows[0][0])
    for column in range(keep, width):
        pivot = next((e for e in equations if e[column]), None)
        if pivot is not None:
            equations.remove(pivot)

            def without(row, pivot=pivot, column=column):
                return [a - row[column] / pivot[column] * b for a, b in zip(row, pivot, strict=True)]

            equations = [without(e) for e in equations]
            rows = [(without(row), source) for row, source in rows]
    steps = 0
    while True:
        open_ = [c for c in range(keep, width) if any(row[c] for row, _ in rows)]
        if not open_:
            break
        steps += 1

        def cost(c, rows=rows):
            return sum(row[c] > 0 for row, _ in rows) * sum(row[c] < 0 for row, _ in rows)

        column = min(open_, key=cost)
        found = {}
        for row, source in rows:
            if not row[column]:
                found[primitive(row)] = source
        for up, one in ((r, s) for r, s in rows if r[column] > 0):
            for down, other in ((r, s) for r, s in rows if r[column] < 0):
                source = one | other
                if len(source) <= steps + 1:
                    row = [a * -down[column] + b * up[column] for a, b in zip(up, down, strict=True)]
                    key = primitive(row)
                    if key not in found or len(source) < len(found[key]):
                        found[key] = source
        rows = [([Fraction(c) for c in key], source) for key, source in found.items() if any(key)]
    assert not any(any(e[keep:]) for e in equations)
    return [row[:keep] for row, _ in rows], [e[:keep] for e in equations if any(e)]


def primitive(row):
    scale = lcm(*(c.denominator for c in row))
    whole = [int(c * scale) for c in row]
    divisor = np.gcd.reduce(whole) or 1
    return tuple(int(c // divisor) for c in whole)


def implied(normal, rows, equations):
    """Whether `normal x >= 0` is a non-negative combination of rows plus any combination of equations."""
    if not rows and not equations:
        return not any(normal)
    table = np.array([*rows, *equations], dtype=float).reshape(-1, len(normal)).T
    low = [*([0] * len(rows)), *([None] * len(equations))]
    answer = linprog(
        np.zeros(table.shape[1]),
        A_eq=table,
        b_eq=np.array(normal, dtype=float),
        bounds=[(b, None) for b in low],
        method="highs",
    )
    return answer.status == 0


def by_elimination(terms, diagram):
    """All inequalities between terms on the whole diagram, by eliminating every joint entropy."""
    names = (
        tuple(dict.fromkeys(v for t in terms for v in t.variables)) if diagram is None else diagram.variables
    )
    place = {}
    for size in range(1, len(names) + 1):
        for subset in combinations(names, size):
            place[frozenset(subset)] = len(terms) + len(place)
    width = len(terms) + len(place)

    def row(pairs):
        vector = [Fraction(0)] * width
        for subset, c in pairs:
            if subset:
                vector[place[frozenset(subset)]] += c
        return vector

    above = [row([(names, 1), (set(names) - {v}, -1)]) for v in names]
    equal = []
    for a, b in combinations(names, 2):
        rest = [v for v in names if v not in (a, b)]
        for size in range(len(rest) + 1):
            for given in combinations(rest, size):
                quantity = row([({a, *given}, 1), ({b, *given}, 1), (given, -1), ({a, b, *given}, -1)])
                above.append(quantity)
                if diagram is not None and diagram.d_separated({a}, {b}, set(given)):
                    equal.append(quantity)
    for i, term in enumerate(terms):
        vector = row(list(term.entropies().items()))
        vector[i] -= 1
        equal.append(vector)
    return eliminate(above, equal, len(terms))


def normals(found):
    """The bounds as coefficients of the target and the other terms, and which are equations."""
    terms = (found.term, *found.by)
    rows, equations = [], []
    for bound in {str(b): b for b in (*found.upper, *found.lower, *found.among)}.values():
        (relation,) = bound.statement
        sign = -1 if relation.operator == "<=" else 1
        sides = ((sign, relation.left), (-sign, relation.right))
        vector = [sum(s * c for s, side in sides for c, t in side.summands if t == term) for term in terms]
        (equations if relation.operator == "==" else rows).append(vector)
    return rows, equations


SMALL = [
    pytest.param("H(C|Z)", ["H(A|Z)", "H(C|Z,A)"], None, id="G1"),
    pytest.param("I(A;B|C)", ["I(A;B)", "H(C)"], None, id="conditioning"),
    pytest.param("I(A;B)", ["H(A)", "H(B)", "H(A,B)"], None, id="an equation"),
    pytest.param("H(A,B,C)", ["H(A,B)", "H(B,C)", "H(A,C)"], None, id="Han"),
    pytest.param("I(A;B;C)", ["I(A;B)", "I(B;C)"], None, id="co-information"),
    pytest.param("I(A;C)", ["I(A;B)", "I(B;C)", "H(B)"], "A->B, B->C", id="a chain"),
    pytest.param("I(A;C|X)", ["H(A)", "H(C)", "I(A;X)"], "A->X, C->X", id="a collider"),
    pytest.param("I(A;Z|C)", ["I(A;Z)", "I(A;C|Z)"], "A->X, C->X, X->Z", id="E1"),
    pytest.param("H(A)", [], None, id="nothing to bound by"),
    pytest.param("I(A;C)", ["H(A)"], "A->X, C->X", id="a term that vanishes"),
    pytest.param("H(B)", ["I(A;C)", "H(A)"], "A->X, C->X, X->B", id="another that vanishes"),
]


@pytest.mark.parametrize(("term", "by", "diagram"), SMALL)
def test_bounds_are_what_elimination_leaves(term, by, diagram):
    found = bounds(term, by=by, diagram=diagram)
    terms = (found.term, *found.by)
    graph = None if diagram is None else Diagram.parse(diagram)
    rows, equations = by_elimination(terms, graph)
    mine, my_equations = normals(found)
    for row in rows:
        assert implied(row, mine, my_equations)
    for equation in equations:
        assert implied(equation, [], my_equations)
    for row in mine:
        assert implied(row, rows, equations)
        assert not implied(row, [r for r in mine if r is not row], my_equations)
    for equation in my_equations:
        for sign in (1, -1):
            assert implied([sign * c for c in equation], rows, equations)


def random_terms(seed):
    rng = np.random.default_rng(seed)
    names = "ABCD"
    terms = []
    while len(terms) < 4:
        shuffled = [str(v) for v in rng.permutation(list(names))]
        given = shuffled[2 : 2 + int(rng.integers(3))]
        bar = f"|{','.join(given)})" if given else ")"
        text = f"H({shuffled[0]}{bar}" if rng.random() < 0.3 else f"I({shuffled[0]};{shuffled[1]}{bar}"
        if parse_term(text).entropies() not in [parse_term(t).entropies() for t in terms]:
            terms.append(text)
    order = [str(v) for v in rng.permutation(list(names))]
    edges = [pair for pair in combinations(order, 2) if rng.random() < 0.6]
    return terms, Diagram(edges, variables=tuple(names))


@pytest.mark.parametrize("seed", range(8))
def test_random_bounds_hold_are_attained_and_leave_the_same_interval(seed):
    (term, *by), diagram = random_terms(seed)
    found = bounds(term, by=by, diagram=diagram)
    assert not found.notes
    every = (*found.upper, *found.lower, *found.among)
    for bound in every:
        assert check(json.dumps(bound.certificate.to_dict()))
        if bound.attained is not None:
            assert bound.attained.joint.symbolic(bound.statement.relations[0].gap) == 0
    rng = np.random.default_rng(seed)
    for number in range(50):
        sizes = {v: int(rng.integers(2, 4)) for v in diagram.variables}
        joint = Model.random(diagram, sizes, seed=int(rng.integers(2**31)), concentration=0.3).joint()
        for bound in every:
            value = joint.value(bound.statement.relations[0].gap)
            operator = bound.statement.relations[0].operator
            gap = -abs(value) if operator == "==" else value
            assert gap >= -ROUNDING
        at = {str(t): max(joint.value(t), 0.0) for t in found.by}
        low, high = allowed(found.term, at, diagram)
        measured = bounds(term, diagram=diagram, at=at) if number < 2 else None
        if measured is not None:
            assert measured.violated is None
            assert measured.interval[0] == pytest.approx(low, abs=100 * SOLVER)
            assert measured.interval[1] == pytest.approx(high, abs=100 * SOLVER)
            assert low - 100 * SOLVER <= joint.value(term) <= high + 100 * SOLVER


def allowed(term, at, diagram):
    """The interval of a term where others have given values, by two linear programs on the whole cone."""
    names = dict.fromkeys(v for t in (term, *map(parse_term, at)) for v in t.variables)
    cone = Cone(tuple(names), diagram)
    ends = []
    for sign in (1, -1):
        answer = linprog(
            sign * cone.vector(term),
            A_ub=-cone.rows,
            b_ub=np.zeros(len(cone.rows)),
            A_eq=np.array([*cone.equal, *(cone.vector(t) for t in at)]),
            b_eq=np.array([*np.zeros(len(cone.equal)), *at.values()]),
            bounds=(0, None),
            method="highs",
        )
        assert answer.status in (0, 3)
        ends.append(sign * answer.fun if answer.status == 0 else sign * -inf)
    return ends


def test_g1_is_found():
    found = bounds("H(C|Z)", by=["H(A|Z)", "H(C|Z,A)"])
    assert [str(b) for b in found.upper] == ["H(C|Z) <= H(A|Z) + H(C|Z,A)"]
    assert [str(b) for b in found.lower] == ["H(C|Z) >= H(C|Z,A)"]
    assert all(b.attained is not None for b in (*found.upper, *found.lower))
    assert all(b.attained.joint.value("H(C|Z)") > SOLVER for b in found.upper)


def test_d5_is_found_on_the_diagram_and_not_without():
    found = bounds("I(A;C|Z)", by=["I(A;C|X)", "I(A;X|Z)"], diagram=ESSL)
    assert "I(A;C|Z) <= I(A;C|X) + I(A;X|Z)" in [str(b) for b in found.upper]
    assert not bounds("I(A;C|Z)", by=["I(A;C|X)", "I(A;X|Z)"]).upper


def test_an_equation_bounds_from_both_sides():
    found = bounds("I(A;Z|C)", by=["I(A;Z)", "I(A;C|Z)"], diagram=ESSL)
    assert [str(b) for b in found.upper] == ["I(A;Z|C) == I(A;Z) + I(A;C|Z)"]
    assert found.upper == found.lower
    assert all(check(b.certificate) for b in found.upper)


def test_given_statements_sharpen_bounds():
    plain = bounds("I(X;T)", by=["I(Z;T)", "I(X;T|S)"], diagram="U->X, U->S, U->T, X->Z")
    assert not [b for b in plain.upper if "I(X;T|S)" in str(b)]
    given = bounds(
        "I(X;T)", by=["I(Z;T)", "I(X;T|S)"], diagram="U->X, U->S, U->T, X->Z", given="I(X;S|Z) == 0"
    )
    assert "I(X;T) <= I(Z;T) + I(X;T|S)" in [str(b) for b in given.upper]


def test_a_term_that_is_given_to_vanish_is_bounded_by_zero():
    found = bounds("H(A)", given="H(A) == 0")
    assert [str(b) for b in found.upper] == ["H(A) == 0"]
    assert bounds("H(A)", by=["H(B)"], given="H(A) == 0", at={"H(B)": 1.0}).interval == (0.0, 0.0)


def test_measured_values_leave_an_interval():
    found = bounds("I(A;C|Z)", diagram=ESSL, at={"I(A;Z)": 1.1, "H(A)": 1.386})
    assert found.interval == pytest.approx((0, 1.386 - 1.1))
    assert found.violated is None
    assert [str(t) for t in found.by] == ["I(A;Z)", "H(A)"]


def test_without_an_upper_bound_the_interval_is_open():
    found = bounds("I(A;C|Z)", by=["I(A;Z)"], at={"I(A;Z)": 1.0})
    assert found.interval == (0.0, inf)
    assert found.to_dict()["interval"] == [0.0, None]


def test_values_that_contradict_each_other_name_the_violated_inequality():
    found = bounds("I(A;C|Z)", diagram=ESSL, at={"I(A;Z)": 1.5, "H(A)": 1.386})
    assert found.interval is None
    assert str(found.violated.statement) == "H(A) >= I(A;Z)"
    assert (found.violated.left, found.violated.right) == (1.386, 1.5)
    assert check(found.violated.certificate)
    assert "No distribution has I(A;Z) = 1.5, H(A) = 1.386" in str(found)


def test_a_lower_bound_above_an_upper_one_is_a_violation_too():
    """H(A,B) is at least H(A) and at most H(C|D): only together they say that H(A) <= H(C|D)."""
    at = {"H(A)": 1.0, "H(C|D)": 0.5}
    found = bounds("H(A,B)", given="H(A,B) <= H(C|D)", at=at)
    assert found.interval is None
    assert prove(found.violated.statement, given="H(A,B) <= H(C|D)").verdict == "proved"
    assert str(found.violated.statement) == "H(C|D) >= H(A)"


def test_rounding_is_no_violation():
    third = log(3) / 3
    at = {"H(A)": third, "I(A;B)": third * (1 + 1e-15)}
    assert bounds("H(B)", at=at).violated is None
    assert bounds("H(B)", at={**at, "I(A;B)": third * (1 + 1e-6)}).violated is not None


def test_exact_models_lie_in_the_interval():
    model = Model.random_exact(ESSL, 2, seed=3)
    names = ("I(A;Z)", "H(A)", "I(A;X)", "H(C)")
    at = {t: max(0.0, model.value(t)) for t in names}
    found = bounds("I(A;C|Z)", diagram=ESSL, at=at)
    assert found.violated is None
    assert found.interval[0] - ROUNDING <= model.value("I(A;C|Z)") <= found.interval[1] + ROUNDING


def test_bounds_print_and_become_plain_data():
    found = bounds("I(A;C|Z)", by=["I(A;C|X)"], diagram=ESSL, at={"I(A;Z)": 0.5, "H(A)": 1.5})
    data = json.loads(json.dumps(found.to_dict()))
    assert {"term", "by", "upper", "lower", "among", "at", "interval", "violated", "seconds"} <= set(data)
    for bound in (*data["upper"], *data["lower"]):
        assert check(Certificate.from_dict(bound["certificate"]))
    assert data["at"] == {"I(A;Z)": 0.5, "H(A)": 1.5}
    assert "lies in [0, 1]" in str(found)
    assert "H(A) >= I(A;C|X) + I(A;Z)" in found._repr_html_().replace("&gt;", ">")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        pytest.param({"by": ["H(C|Z)"]}, ValueError, "by must not hold the term", id="itself"),
        pytest.param({"by": ["H(C|Z,Z)"]}, ValueError, "by must not hold the term", id="itself, oddly"),
        pytest.param({"at": {"H(C|Z)": 1.0}}, ValueError, "at must not hold the term", id="its own value"),
        pytest.param({"by": ["H(A)", "H(A)"]}, ValueError, "by must hold each term once", id="twice"),
        pytest.param(
            {"by": ["H(A)", "H(B)", "H(D)", "H(E)", "H(F)"]},
            ValueError,
            r"up to 4 others, got 5: H\(A\), H\(B\)",
            id="five terms",
        ),
        pytest.param({"at": {"H(A)": -1.0}}, ValueError, "in at must be at least 0, got -1", id="negative"),
        pytest.param({"at": {"H(A)": float("nan")}}, ValueError, "must be finite, got nan", id="NaN"),
        pytest.param({"at": {"H(A)": inf}}, ValueError, "must be finite, got inf", id="infinite"),
        pytest.param({"at": {"H(A)": "1"}}, TypeError, "must be a number, got '1'", id="text"),
        pytest.param({"at": {"H(A)": True}}, TypeError, "must be a number, got True", id="a truth value"),
        pytest.param({"at": [1.0]}, TypeError, r"at must be a mapping .* got \[1.0\]", id="no mapping"),
        pytest.param({"by": ["H(A) + H(B)"]}, ParseError, "expected the end", id="no term"),
        pytest.param({"by": ["H(Q)"], "diagram": ESSL}, ValueError, "unknown variable 'Q'", id="not there"),
        pytest.param(
            {"by": ["H(A,B,D,E,F,G,K)"]},
            TooLargeError,
            "need 511 joint entropies and 4617",
            id="nine variables",
        ),
    ],
)
def test_bad_input_is_told_in_one_line(arguments, error, message):
    with pytest.raises(error, match=message):
        bounds("H(C|Z)", **arguments)


def test_co_information_may_be_negative():
    found = bounds("I(A;B|C)", by=["I(A;B)"], at={"I(A;B;C)": -0.5})
    assert found.interval == (0.5, inf)


@pytest.mark.parametrize("seed", range(25))
def test_facets_of_random_cones_are_those_of_all_hyperplanes(seed):
    """Against trying every hyperplane through as many rays as it takes."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 5))
    rays = rng.integers(-2, 3, size=(int(rng.integers(d, 9)), d))
    rays[:, 0] = np.abs(rays).sum(axis=1) + 1  # in an open half-space, so that the cone is pointed
    dual = Dual(d)
    for ray in rays:
        dual.add(tuple(map(int, ray)))
    if np.linalg.matrix_rank(rays) < d:
        assert len(dual.lines) == d - np.linalg.matrix_rank(rays)
        return
    found = set()
    for chosen in combinations(rays, d - 1):
        if np.linalg.matrix_rank(np.array(chosen)) == d - 1:
            minors = [
                (-1) ** i * round(np.linalg.det(np.delete(np.array(chosen), i, axis=1))) for i in range(d)
            ]
            for sign in (1, -1):
                normal = primitive([Fraction(sign * int(m)) for m in minors])
                if (rays @ np.array(normal) >= 0).all():
                    found.add(normal)
    assert not dual.lines
    assert {primitive([Fraction(c) for c in n]) for n in dual.normals} == found
