"""Exact joints against a slow reference, closed forms and each other."""

import itertools
import math
import re
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import Diagram, Joint, Model, parse_expression
from theory.checks import distribution

ROUNDING = 1e-12


def slow_entropy(joint, names):
    """State by state, in Python floats."""
    masses = {}
    for index in np.ndindex(*joint.probabilities.shape):
        key = tuple(index[joint.names.index(v)] for v in names)
        masses[key] = masses.get(key, 0.0) + float(joint.probabilities[index])
    return -sum(p * math.log(p) for p in masses.values() if p > 0)


def subsets(names):
    return [s for k in range(len(names) + 1) for s in itertools.combinations(names, k)]


@st.composite
def joints(draw, names="ABCD"):
    shape = tuple(draw(st.integers(1, 3)) for _ in names)
    weights = draw(
        st.lists(st.integers(0, 9), min_size=math.prod(shape), max_size=math.prod(shape)).filter(any)
    )
    return Joint(tuple(names), np.reshape(weights, shape) / sum(weights))


@st.composite
def exact_joints(draw, names="ABC"):
    shape = tuple(draw(st.integers(1, 3)) for _ in names)
    size = math.prod(shape)
    weights = draw(st.lists(st.integers(0, 6), min_size=size, max_size=size).filter(any))
    table = np.array([Fraction(w, sum(weights)) for w in weights] + [None], dtype=object)[:-1]
    return Joint(tuple(names), table.reshape(shape))


@given(joints())
@settings(max_examples=50, deadline=None)
def test_every_entropy_meets_the_slow_reference_on_both_ways(joint):
    lattice = joint.entropies()
    assert len(lattice) == 2**4
    for names in subsets(joint.names):
        truth = slow_entropy(joint, names)
        assert joint.entropy(names) == pytest.approx(truth, abs=ROUNDING)
        assert lattice[frozenset(names)] == pytest.approx(truth, abs=ROUNDING)


@given(joints(), st.permutations("ABCD"))
@settings(max_examples=50, deadline=None)
def test_terms_do_not_depend_on_the_order_of_axes_or_of_questions(joint, order):
    turned = joint.marginal(order)
    fresh = Joint(joint.names, joint.probabilities)
    for text in ("I(A;C|D)", "I(A;B;C)", "H(A,D|B)", "I(A,B;C,D)", "2 I(A;B) - 1/3 H(C|A)"):
        form = parse_expression(text)
        truth = sum(float(c) * slow_entropy(joint, s) for s, c in form.entropies().items())
        assert joint.value(text) == pytest.approx(truth, abs=ROUNDING)
        assert turned.value(form) == pytest.approx(truth, abs=ROUNDING)
    for text in ("I(A,B;C,D)", "I(A;C|D)"):
        assert fresh.value(text) == pytest.approx(joint.value(text), abs=ROUNDING)


@given(exact_joints())
@settings(max_examples=40, deadline=None)
def test_symbolic_values_are_the_float_values(joint):
    for text in ("H(A)", "I(A;B|C)", "I(A;B;C)", "1/2 H(A,B,C) - H(C)"):
        symbolic = joint.symbolic(text)
        assert float(symbolic) == pytest.approx(joint.value(text), abs=1e-11)
        assert all(a.is_Integer and sympy.isprime(a) for log in symbolic.atoms(sympy.log) for a in log.args)
    assert joint.symbolic("I(A;B|C) - I(B;A|C)") == 0
    assert joint.symbolic("H(A,B) - H(A) - H(B|A)") == 0


def test_symbolic_values_see_what_floats_cannot():
    hair = Fraction(1, 10**12)
    table = np.array(
        [[Fraction(1, 4) + hair, Fraction(1, 4) - hair], [Fraction(1, 4) - hair, Fraction(1, 4) + hair]]
    )
    nearly = Joint(("A", "B"), table)
    assert nearly.symbolic("I(A;B)") != 0
    assert Joint(("A", "B"), np.full((2, 2), Fraction(1, 4))).symbolic("I(A;B)") == 0


@given(exact_joints())
@settings(max_examples=30, deadline=None)
def test_to_fractions_recovers_them_from_floats(joint):
    floats = Joint(joint.names, joint.probabilities.astype(float))
    assert (floats.to_fractions().probabilities == joint.probabilities).all()
    assert joint.to_fractions() is joint


@given(joints())
@settings(max_examples=40, deadline=None)
def test_marginals_conditions_and_channels_are_consistent(joint):
    part = joint.marginal(("D", "A"))
    assert part.names == ("D", "A")
    np.testing.assert_allclose(part.probabilities, joint.probabilities.sum(axis=(1, 2)).T, atol=1e-15)
    assert part.probabilities.sum() == pytest.approx(1)
    share, average = joint.marginal(("B",)).probabilities, 0.0
    for b, p in enumerate(share):
        if p > 0:
            average += p * joint.condition(B=b).value("I(A;C|D)")
    assert joint.value("I(A;C|B,D)") == pytest.approx(average, abs=1e-10)
    sizes = joint.cardinalities
    kernel = np.random.default_rng(0).dirichlet(np.ones(2), size=(sizes["D"], sizes["B"]))
    longer = joint.channel(("D", "B"), "Z", kernel)
    assert longer.value("I(Z;A,C|B,D)") == pytest.approx(0, abs=1e-10)
    for d, b in itertools.product(range(sizes["D"]), range(sizes["B"])):
        if part.names and joint.marginal(("D", "B")).probabilities[d, b] > 0:
            rows = longer.marginal(("D", "B", "Z")).condition(D=d, B=b).probabilities
            np.testing.assert_allclose(rows, kernel[d, b], atol=1e-12)


def test_channels_keep_fractions():
    coin = Joint(("A",), np.array([Fraction(1, 3), Fraction(2, 3)]))
    both = coin.channel("A", "B", [[1, 0], [0, 1]])
    assert both.probabilities[1, 1] == Fraction(2, 3)
    assert both.symbolic("H(A|B)") == 0
    with pytest.raises(ValueError, match="needs a kernel of Fractions or integers, got float64"):
        coin.channel("A", "B", [[0.5, 0.5], [0.5, 0.5]])


def test_samples_follow_the_joint_and_the_seed():
    joint = Joint.from_function(("A", "C"), (2, 3), {"X": lambda a, c: (a + c) % 3})
    frame = joint.sample(30_000, seed=1)
    assert frame.equals(joint.sample(30_000, seed=1))
    assert (frame.X == (frame.A + frame.C) % 3).all()
    counts = np.bincount(frame.A * 3 + frame.C, minlength=6)
    statistic = ((counts - 5000) ** 2 / 5000).sum()
    assert statistic < 20.5  # the 0.999 quantile of chi-square with 5 degrees of freedom


def test_known_values():
    xor = Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: a ^ c})
    assert xor.value("I(A;C|X)") == pytest.approx(math.log(2), abs=ROUNDING)
    assert xor.value("I(A;C;X)") == pytest.approx(-math.log(2), abs=ROUNDING)
    assert xor.to_fractions().symbolic("I(A;C|X)") == sympy.log(2)
    assert math.copysign(1, Joint(("A",), [1.0]).entropy(("A",))) == 1
    assert repr(xor) == "Joint(A: 2, C: 2, X: 2)"
    assert "<td>0.25</td>" in xor._repr_html_()
    assert xor.to_pandas().probability.tolist() == [0.25] * 4


def test_probabilities_cannot_be_changed():
    table = np.full((2, 2), 0.25)
    joint = Joint(("A", "B"), table)
    table[0, 0] = 1
    assert joint.probabilities[0, 0] == 0.25
    for view in (joint, joint.marginal(("B", "A")), joint.marginal(("A",))):
        with pytest.raises(ValueError, match="read-only"):
            view.probabilities[0] = 1


def flat(k=2):
    return Joint(("A", "B"), np.full((k, k), 1 / k**2))


third = Fraction(1, 3)
BAD = {
    "repeated name": (lambda: Joint(("A", "A"), np.full((2, 2), 0.25)), "variable names must differ"),
    "axis missing": (lambda: Joint(("A", "B"), [0.5, 0.5]), "have 1 axes for 2 variables"),
    "negative": (lambda: Joint(("A",), [1.5, -0.5]), "must not be negative, got -0.5"),
    "sums to 0.9": (lambda: Joint(("A",), [0.5, 0.4]), "must sum to 1, got 0.9"),
    "not a number": (lambda: Joint(("A",), [math.nan, 1]), "must be finite"),
    "infinite": (lambda: Joint(("A",), [math.inf, 1]), "must be finite"),
    "empty": (lambda: Joint(("A",), []), "must sum to 1, got 0.0"),
    "exact negative": (
        lambda: Joint(("A",), np.array([4 * third, -third])),
        "must not be negative, got -1/3",
    ),
    "exact sum": (lambda: Joint(("A",), np.array([third, third])), "must sum to 1, got 2/3"),
    "unknown variable": (lambda: flat().value("I(A;Q)"), "unknown variable 'Q': the joint has A, B"),
    "unknown but cancelled": (lambda: flat().value("H(Q) - H(Q)"), "unknown variable 'Q'"),
    "malformed": (lambda: flat().value("I(A;"), "cannot parse"),
    "unknown entropy": (lambda: flat().entropy(("Q",)), "unknown variable 'Q'"),
    "unknown marginal": (lambda: flat().marginal(("Q",)), "unknown variable 'Q'"),
    "marginal twice": (lambda: flat().marginal(("A", "A")), "variable names must differ"),
    "state outside": (lambda: flat().condition(A=2), "A has states 0..1, got 2"),
    "impossible": (lambda: Joint(("A", "B"), [[0.5, 0.5], [0, 0]]).condition(A=1), "has probability 0"),
    "kernel shape": (lambda: flat().channel("A", "Z", [[1.0]]), "needs shape (2,) + (k,), got (1, 1)"),
    "kernel rows": (lambda: flat().channel("A", "Z", [[1, 1], [0, 1]]), "must be a distribution"),
    "kernel negative": (lambda: flat().channel("A", "Z", [[2, -1], [0, 1]]), "must be a distribution"),
    "channel name taken": (lambda: flat().channel("A", "B", np.eye(2)), "variable names must differ"),
    "symbolic of floats": (lambda: flat().symbolic("H(A)"), "use to_fractions() first"),
    "symbolic unknown": (lambda: flat().to_fractions().symbolic("H(Q)"), "unknown variable 'Q'"),
    "long denominators": (lambda: _long().symbolic("H(A)"), "more than 40 digits"),
    "no small fractions": (
        lambda: _irrational().to_fractions(max_denominator=10),
        "pass probabilities as Fractions",
    ),
    "lattice too large": (
        lambda: Joint(tuple(f"X{i}" for i in range(18)), np.full((2,) * 18, 2.0**-18)).entropies(),
        "need 387420489 cells",
    ),
}


def _irrational():
    return Joint(("A",), [math.pi / 10, math.e / 10, 1 - (math.pi + math.e) / 10])


def _long():
    p = Fraction(1, 10**45)
    return Joint(("A",), np.array([p, 1 - p]))


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_bad_arguments_are_named(case):
    make, message = BAD[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_exact_tables_of_floats_are_refused():
    with pytest.raises(TypeError, match=r"exact probabilities must be Fractions, got float: 0\.5"):
        Joint(("A",), np.array([0.5, 0.5], dtype=object))


@pytest.mark.parametrize(
    "p",
    [1e-9, 1e-13, 3e-7, 1e-300, 0.5 + 1e-9],
    ids=["a billionth", "below rounding", "between fractions", "tiny", "near a half"],
)
def test_exact_changes_no_probability(p):
    joint = Joint(("A",), [1 - p, p])
    with pytest.raises(ValueError, match=r"is no fraction with a denominator up to 1000000, the nearest is"):
        joint.to_fractions()


def test_exact_with_a_larger_denominator_keeps_what_is_small():
    found = Joint(("A",), [1 - 1e-9, 1e-9]).to_fractions(max_denominator=10**9)
    assert found.probabilities.tolist() == [Fraction(10**9 - 1, 10**9), Fraction(1, 10**9)]


def test_functions_may_give_truth_values_and_whole_numbers_of_any_kind():
    kinds = (bool, int, float, np.int8, np.float32, np.bool_, np.asarray, Fraction)
    # A = C has probability 1/2
    for kind in kinds:
        joint = Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c, kind=kind: kind(a == c)})
        assert joint.value("H(X)") == pytest.approx(math.log(2), abs=ROUNDING)


NO_STATES = {
    "negative": (lambda a, c: a - c, ValueError, r"states 0, 1, \.\., got -1 at \(0, 1\)"),
    "halves": (lambda a, c: (a + c) / 2, ValueError, r"got 0\.5 at \(0, 1\)"),
    "not a number": (lambda a, c: math.nan, ValueError, "got nan at"),
    "infinite": (lambda a, c: math.inf, ValueError, "got inf at"),
    "minus infinity": (lambda a, c: -math.inf, ValueError, "got -inf at"),
    "thirds": (lambda a, c: Fraction(a, 3), ValueError, "got Fraction"),
    "text": (lambda a, c: str(a), TypeError, "got '0' at"),
    "nothing": (lambda a, c: None, TypeError, "got None at"),
    "complex": (lambda a, c: 1j, TypeError, "got 1j at"),
    "a list": (lambda a, c: [a, c], TypeError, "got \\[0, 0\\] at"),
    "several": (lambda a, c: np.array([a, c]), TypeError, "got array"),
    "a number of a cell far away": (lambda a, c: 10**9 * a, ValueError, "needs 4000000004 cells"),
}


@pytest.mark.parametrize(("function", "error", "message"), NO_STATES.values(), ids=NO_STATES)
def test_functions_whose_values_are_no_states(function, error, message):
    with pytest.raises(error, match=message):
        Joint.from_function(("A", "C"), (2, 2), {"X": function})


BAD_SIZES = {
    "one for two": (("A", "C"), (2,), ValueError, "one number for each of"),
    "none": (("A",), (0,), ValueError, "the cardinality of A must be at least 1, got 0"),
    "a fraction": (("A",), (1.5,), TypeError, "the cardinality of A must be an integer, got 1.5"),
}


@pytest.mark.parametrize(("names", "sizes", "error", "message"), BAD_SIZES.values(), ids=BAD_SIZES)
def test_cardinalities_are_counts(names, sizes, error, message):
    with pytest.raises(error, match=message):
        Joint.from_function(names, sizes, {})


NO_NUMBERS = {
    "text": (["0.5", "0.5"], TypeError, "must be real numbers, got <U3"),
    "text of an array": (np.array(["0.5", "0.5"]), TypeError, "must be real numbers"),
    "text among numbers": ([0.5, "0.5"], TypeError, "must be real numbers"),
    "bytes": ([b"0.5", b"0.5"], TypeError, "must be real numbers"),
    "complex": ([0.5 + 0j, 0.5], TypeError, "must be real numbers, got complex128"),
    "decimals": ([Decimal("0.5")] * 2, TypeError, "must be Fractions, got Decimal"),
    "nothing": ([1, None], TypeError, "must be Fractions, got NoneType"),
    "masked": (np.ma.array([0.5, 0.5, 7], mask=[0, 0, 1]), ValueError, "no masked entries, got [12]"),
    "ragged": ([[0.5], [0.25, 0.25]], ValueError, "rows of equal length"),
    "times": (np.array([1, 0], dtype="m8[s]"), TypeError, "must be real numbers"),
}


@pytest.mark.parametrize(("table", "error", "message"), NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_tables_that_hold_no_numbers_are_refused_everywhere(table, error, message):
    takers = (
        lambda: Joint(("A",), table),
        lambda: Model(Diagram.parse("A"), {"A": table}),
        lambda: flat().channel("A", "Z", [table, table]),
        lambda: distribution("prior", table),
    )
    for take in takers:
        with pytest.raises(error, match=message):
            take()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n": 3, "seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"n": 3, "seed": 1.5}, TypeError, "seed must be an integer, got 1.5"),
        ({"n": 3, "seed": None}, TypeError, "seed must be an integer, got None"),
        ({"n": 2.5, "seed": 0}, TypeError, "n must be an integer, got 2.5"),
        ({"n": -1, "seed": 0}, ValueError, "n must be at least 0, got -1"),
    ],
    ids=["negative seed", "fractional seed", "no seed", "half a row", "fewer than no rows"],
)
def test_seeds_and_counts_of_samples(options, error, message):
    with pytest.raises(error, match=message):
        flat().sample(**options)


def exact_marginal_entropy(joint, subset):
    axes = tuple(i for i, name in enumerate(joint.names) if name not in subset)
    fractions = np.vectorize(Fraction, otypes=[object])(joint.probabilities)
    with mpmath.workdps(50):
        p = [mpmath.mpf(x.numerator) / x.denominator for x in np.ravel(fractions.sum(axis=axes)) if x > 0]
        return -mpmath.fsum(x * mpmath.log(x) for x in p)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 4)),
    digits=st.sampled_from([0, 3, 16, 100, 300]),
    lonely=st.booleans(),
)
def test_rounding_errors_are_within_the_stated_bound(seed, shape, digits, lonely):
    """The bound of the module, against 50 digits: also for tiny probabilities and nearly certain states."""
    rng = np.random.default_rng(seed)
    table = rng.random(shape) * 10.0 ** -rng.uniform(0, digits, shape)
    if lonely:
        table *= 1e-12
        table[0, 0, 0] = 1.0
    joint = Joint(("A", "B", "C"), table / table.sum())
    known = {}
    for term in ("H(A,B,C)", "H(A)", "I(A;B|C)", "I(A;C)", "I(A;B;C)", "H(B|A,C)"):
        exact, allowed = mpmath.mpf(0), 0.0
        for subset, c in parse_expression(term).entropies().items():
            known[subset] = known.get(subset) or exact_marginal_entropy(joint, subset)
            exact += mpmath.mpf(c.numerator) / c.denominator * known[subset]
            h = joint.entropy(subset)
            summed = sum(k for name, k in joint.cardinalities.items() if name not in subset)
            states = np.prod([joint.cardinalities[name] for name in subset])
            allowed += abs(float(c)) * ((1 + h) * summed + (20 + np.log2(states)) * h)
        assert abs(float(mpmath.mpf(joint.value(term)) - exact)) <= 2.0**-53 * allowed + 1e-300
