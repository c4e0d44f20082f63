"""Closed forms against enumeration, quadrature and each other."""

import itertools
import math
import re
from functools import cache

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from sympy.combinatorics import Permutation, PermutationGroup

from theory import Joint, parse_expression, prove
from theory.predictions import (
    ClosedForm,
    ErasedForm,
    Eta,
    IntrinsicPoseForm,
    LinearGaussianForm,
    ModularShiftForm,
    OrbitForm,
    ProductForm,
    QuotientForm,
    WatermarkedForm,
    linear_gaussian,
    modular_shift,
)
from theory.predictions.closed_form import as_number, binary_entropy
from theory.predictions.erasure import erasure
from theory.predictions.intrinsic_pose import spread
from theory.predictions.watermark import FreeForm, strength, synergy_slope

TOLERANCE = 1e-12
QUARTERS = [[(x + g) % 4 for x in range(4)] for g in range(4)]
HALVES = [[0, 1], [1, 0], [0, 1], [1, 0]]


def dihedral(points):
    """Turns, then flips, of the regular polygon, acting on its corners."""
    turns = [[(x + g) % points for x in range(points)] for g in range(points)]
    return turns + [[(g - x) % points for x in range(points)] for g in range(points)]


def beside(*actions):
    """One group acting on several sets of points at once."""
    rows = []
    for parts in zip(*actions, strict=True):
        row, start = [], 0
        for part in parts:
            row += [start + x for x in part]
            start += len(part)
        rows.append(row)
    return rows


ACTIONS = {
    "quarter turns": QUARTERS,
    "half-turns of a pair": HALVES,
    "free, pair, fixed": beside(QUARTERS, HALVES, [[0]] * 4),
    "triangle": dihedral(3),
    "square": dihedral(4),
    "square and its diagonals": beside(dihedral(4), [[(x + g) % 2 for x in range(2)] for g in range(4)] * 2),
    "all of three": [list(p) for p in itertools.permutations(range(3))],
}


def enumerated(action, prototypes, prior, noise, pose):
    """The joint of C, A, V, O and X, state by state."""
    order, points = len(action), len(action[0])
    orbit = [min(row[x] for row in action) for x in range(points)]
    table = np.zeros((len(prototypes), order, order, points, points))
    for c, x0 in enumerate(prototypes):
        inside = [x for x in range(points) if orbit[x] == orbit[x0]]
        for a, v in itertools.product(range(order), repeat=2):
            p = prior[c] * pose[c][v] / order
            table[c, a, v, orbit[x0], action[a][action[v][x0]]] += p * (1 - noise)
            for x in inside:
                table[c, a, v, orbit[x0], x] += p * noise / len(inside)
    return Joint(("C", "A", "V", "O", "X"), table)


def subsets(names):
    return [s for k in range(1, len(names) + 1) for s in itertools.combinations(names, k)]


def distributions(size):
    """Distributions with small denominators, from the uniform one."""
    return (
        st.lists(st.integers(0, 12), min_size=size, max_size=size)
        .filter(any)
        .map(lambda w: [x / sum(w) for x in w])
    )


@st.composite
def orbit_worlds(draw):
    action = ACTIONS[draw(st.sampled_from(list(ACTIONS)))]
    prototypes = draw(st.lists(st.integers(0, len(action[0]) - 1), min_size=1, max_size=3))
    prior = draw(distributions(len(prototypes)))
    noise = draw(st.sampled_from([0, 0.1, 0.5, 1]))
    pose = draw(st.lists(distributions(len(action)), min_size=len(prototypes), max_size=len(prototypes)))
    return action, prototypes, prior, noise, pose


@given(orbit_worlds())
@settings(max_examples=25, deadline=None)
def test_orbit_entropies_meet_enumeration(world):
    action, prototypes, prior, noise, pose = world
    form = OrbitForm(action, prototypes, prior=prior, noise=noise, pose=pose)
    joint = enumerated(*world)
    for subset in subsets(("A", "C", "O", "V", "X")):
        assert float(form.entropy(frozenset(subset))) == pytest.approx(joint.entropy(subset), abs=TOLERANCE)


@pytest.mark.parametrize("name", ACTIONS)
def test_the_synergy_of_an_orbit_is_the_class_left_inside_it(name):
    points = range(len(ACTIONS[name][0]))
    form = OrbitForm(ACTIONS[name], points)
    assert form.predict("I(A;C|X) - H(C|O)") == 0
    stabilisers = [sympy.log(len(k)) for k in form.stabilisers]
    assert sympy.simplify(form.predict("H(A|X,C)") - sympy.Add(*stabilisers) / len(points)) == 0


@pytest.mark.parametrize("name", ACTIONS)
def test_stabilisers_and_orbits_are_those_of_sympy(name):
    action = ACTIONS[name]
    group = PermutationGroup([Permutation(row) for row in action])
    form = OrbitForm(action, range(len(action[0])))
    kernel = len(action) // group.order()
    for x, stabiliser in enumerate(form.stabilisers):
        assert len(stabiliser) == group.stabilizer(x).order() * kernel
        assert {y for y, o in enumerate(form.orbit_of) if o == form.orbit_of[x]} == group.orbit(x)


def test_six_and_nine_keep_one_bit_and_free_glyphs_none():
    action = beside(QUARTERS, QUARTERS, HALVES)
    assert OrbitForm(action, [0, 4]).predict("I(A;C|X)") == 0
    assert OrbitForm(action, [8, 9]).predict("I(A;C|X)") == sympy.log(2)
    assert OrbitForm(action, [0, 8, 9]).predict("I(A;C|X)") == 2 * sympy.log(2) / 3


def test_forced_information_is_the_entropy_of_the_pattern():
    free, fixed = QUARTERS, [[0]] * 4
    assert OrbitForm(beside(free, free), [0, 4]).forced_information() == 0
    assert OrbitForm(beside(free, fixed), [0, 4]).forced_information() == sympy.log(2)
    assert OrbitForm(beside(free, free, fixed, fixed), [0, 4, 8, 9]).forced_information() == sympy.log(2)
    p = sympy.Symbol("p", positive=True)
    skewed = OrbitForm(beside(free, fixed), [0, 4], prior=[p, 1 - p]).forced_information()
    assert skewed.subs(p, sympy.Rational(1, 4)).evalf() == pytest.approx(0.5623351446188083, abs=TOLERANCE)


def test_orbits_with_symbols_hold_for_every_prior_and_noise():
    p, e = sympy.symbols("p e", positive=True)
    form = OrbitForm(HALVES, [0, 1], prior=[p, 1 - p], noise=e)
    sweep = form.function("I(A;C|X)", p, e)
    for prior, noise in itertools.product((0.1, 0.5, 0.9), (0.0, 0.3, 1.0)):
        upright = [[1, 0, 0, 0]] * 2
        joint = enumerated(HALVES, [0, 1], [prior, 1 - prior], noise, upright)
        assert sweep(prior, noise) == pytest.approx(joint.value("I(A;C|X)"), abs=TOLERANCE)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_a_uniform_pose_hides_the_transformation(action):
    rows = sorted(action)
    form = IntrinsicPoseForm(rows, range(len(rows[0])))
    assert form.predict("I(A;X)") == form.predict("I(A;X|C)") == form.predict("I(A;C|X)") == 0


@given(st.floats(0, 1), st.sampled_from([[0], [0, 1], [0, 4], [0, 4, 5]]))
@settings(max_examples=15, deadline=None)
def test_partly_random_poses_meet_enumeration(chance, prototypes):
    action = beside(QUARTERS, HALVES)
    form = IntrinsicPoseForm(action, prototypes)
    joint_pose = [[1 - 0.75 * chance, *[chance / 4] * 3]] * len(prototypes)
    prior = [1 / len(prototypes)] * len(prototypes)
    joint = enumerated(action, prototypes, prior, 0, joint_pose)
    form = IntrinsicPoseForm(action, prototypes, spread=spread)
    for term in ("I(A;C|X)", "I(A;X)", "H(A|X,C)", "I(A;V|X)"):
        assert form.function(term, spread)(chance) == pytest.approx(joint.value(term), abs=TOLERANCE)


def shift_joint(n, prior, shifts, noise):
    table = np.zeros((n, shifts, n))
    for c, a, x in itertools.product(range(n), range(shifts), range(n)):
        hit = (c + a * (n // shifts)) % n == x
        table[c, a, x] = prior[c] / shifts * ((1 - noise) * hit + noise / n)
    return Joint(("C", "A", "X"), table)


@st.composite
def shifts_and_priors(draw):
    n = draw(st.integers(1, 6))
    size = draw(st.sampled_from([d for d in range(1, n + 1) if n % d == 0]))
    return n, draw(st.integers(1, n)), size, draw(st.floats(0, 1)), draw(distributions(n))


@given(shifts_and_priors())
@settings(max_examples=40, deadline=None)
def test_modular_shift_meets_enumeration(world):
    n, classes, size, noise, prior = world
    subgroup = None if size == n else (n, classes, size)
    numbers = {modular_shift.n: n, modular_shift.classes: classes, modular_shift.shifts: size}
    counted = ModularShiftForm(all_classes=classes == n, subgroup=subgroup)
    uniform = shift_joint(n, [1 / classes] * classes + [0] * (n - classes), size, noise)
    weighted = ModularShiftForm(prior=prior, subgroup=subgroup)
    numbers[modular_shift.noise] = noise
    for form, joint in ((counted, uniform), (weighted, shift_joint(n, prior, size, noise))):
        for names in subsets(("A", "C", "X")):
            value = form.entropy(frozenset(names)).subs(numbers)
            assert float(value) == pytest.approx(joint.entropy(names), abs=TOLERANCE)


def test_modular_shift_by_hand():
    form = ModularShiftForm(all_classes=True)
    assert form.predict("I(A;X)") == 0
    assert form.predict("I(A;C|X)").subs(modular_shift.noise, 0).simplify() == sympy.log(modular_shift.n)
    assert form.predict("I(A;C|X)").subs(modular_shift.noise, 1).simplify() == 0
    single = ModularShiftForm().predict("I(A;C|X)").subs(modular_shift.classes, 1)
    assert sympy.simplify(single) == 0


def test_derivatives_are_those_of_the_numbers():
    term = "I(A;C|X)"
    form = ModularShiftForm(all_classes=True)
    slope = form.predict(term).subs(modular_shift.n, 4).diff(modular_shift.noise)
    value, step = form.function(term, modular_shift.n, modular_shift.noise), 1e-5
    for e in (0.05, 0.3, 0.9):
        numeric = (value(4, e + step) - value(4, e - step)) / (2 * step)
        assert float(slope.subs(modular_shift.noise, e)) == pytest.approx(float(numeric), abs=1e-8)


def test_functions_broadcast_for_sweeps():
    value = ModularShiftForm(all_classes=True).function("I(A;C|X)", modular_shift.n, modular_shift.noise)
    table = value(np.array([[2], [4], [8]]), np.linspace(0, 1, 5))
    assert table.shape == (3, 5)
    np.testing.assert_allclose(table[:, 0], np.log([2, 4, 8]), atol=TOLERANCE)
    np.testing.assert_allclose(table[:, -1], 0, atol=TOLERANCE)
    constant = ModularShiftForm(all_classes=True).function("I(A;X)", modular_shift.n)
    assert constant(np.arange(1, 4)).tolist() == [0, 0, 0]


WRAPPED_TERMS = ("I(A;C|X)", "H(A|X)", "I(A;X)", "I(C;X|A)", "H(X)")


@cache
def wrapped(wrapper, symbol, term):
    """The closed form of a wrapped shift as a function of n, the number of shifts, the noise and a symbol."""
    form = wrapper(ModularShiftForm(prior=(0.5, 0.25, 0.25, 0), subgroup=(4, 3, 2)))
    return form.function(term, modular_shift.n, modular_shift.shifts, modular_shift.noise, symbol)


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_erasure_and_watermark_meet_enumeration(d, noise):
    base = shift_joint(4, [0.5, 0.25, 0.25, 0], 2, noise)
    blank, shown = np.zeros((4, 5)), np.zeros((2, 3))
    blank[:, :4], blank[:, 4] = (1 - d) * np.eye(4), d
    shown[:, :2], shown[:, 2] = d * np.eye(2), 1 - d
    erased = base.channel("X", "Y", blank)
    marked = base.channel("A", "M", shown)
    for term in WRAPPED_TERMS:
        low = wrapped(ErasedForm, erasure, term)(4, 2, noise, d)
        high = wrapped(WatermarkedForm, strength, term)(4, 2, noise, d)
        assert low == pytest.approx(erased.value(term.replace("X", "Y")), abs=TOLERANCE)
        assert high == pytest.approx(marked.value(term.replace("X", "X,M")), abs=TOLERANCE)


def test_erasure_scales_the_synergy_for_every_distribution():
    free = FreeForm("A", "C", "X")
    erased = ErasedForm(free)
    given_independence = {sympy.Symbol("H_AC"): sympy.Symbol("H_A") + sympy.Symbol("H_C")}
    for term, share in (("I(A;C|X)", 1 - erasure), ("I(A;X)", 1 - erasure), ("I(A;X|C)", 1 - erasure)):
        difference = erased.predict(term) - share * free.predict(term)
        assert sympy.expand(difference.subs(given_independence)) == 0
    growth = erased.predict("H(A|X)").diff(erasure)
    assert sympy.expand(growth - free.predict("I(A;X)")) == 0


def test_the_synergy_falls_with_the_watermark_for_every_distribution():
    slope, minus_synergy = synergy_slope()
    assert sympy.expand(slope - minus_synergy) == 0
    assert prove("I(A;C|X) >= 0").verdict == "proved"
    assert slope.free_symbols == {sympy.Symbol(f"H_{s}") for s in ("X", "AX", "CX", "ACX")}
    n = sympy.Symbol("n", integer=True, positive=True)
    members = WatermarkedForm(ModularShiftForm(all_classes=True)).predict("I(A;C|X)")
    noiseless = members.subs(modular_shift.noise, 0).diff(strength).simplify()
    assert noiseless.subs(modular_shift.n, n + 1).is_negative


@given(orbit_worlds())
@settings(max_examples=10, deadline=None)
def test_coarse_labels_meet_enumeration(world):
    action, prototypes, prior, noise, _ = world
    coarse = [g % 2 for g in range(len(action))]
    form = QuotientForm(action, prototypes, coarse=coarse, prior=prior, noise=noise)
    upright = [[float(list(row) == sorted(row)) for row in action]] * len(prototypes)
    upright = [[x / sum(row) for x in row] for row in upright]
    joint = enumerated(action, prototypes, prior, noise, upright)
    joint = joint.channel("A", "K", np.eye(2)[coarse])
    for term in ("I(A;C|X)", "H(A|X)", "I(A;X|C)", "I(B;C|X)", "I(A;C|X,B)", "H(A|B)", "H(O|A)"):
        truth = joint.value(parse_expression(term).replace({"A": "K", "B": "A"}))
        assert float(form.predict(term)) == pytest.approx(truth, abs=TOLERANCE)


def test_a_quotient_forgets_the_synergy_of_the_subgroup():
    prior = sympy.symbols("p:4", positive=True)
    coarse = QuotientForm(QUARTERS, range(4), coarse=[0, 1, 0, 1], prior=prior)
    inside = OrbitForm([QUARTERS[0], QUARTERS[2]], range(4), prior=prior)
    lost = coarse.predict("I(B;C|X)") - coarse.predict("I(A;C|X)") - inside.predict("I(A;C|X)")
    total = {prior[3]: 1 - sum(prior[:3])}
    values = dict(zip(prior[:3], (0.1, 0.2, 0.3), strict=True))
    assert float(lost.subs(total).subs(values)) == pytest.approx(0, abs=TOLERANCE)


def test_products_add_up_and_meet_enumeration():
    first, second = shift_joint(2, [0.5, 0.5], 2, 0.1), shift_joint(3, [0.7, 0.3, 0], 3, 0.2)
    table = np.einsum("cax,dby->cdabxy", first.probabilities, second.probabilities).reshape(6, 2, 3, 6)
    joint = Joint(("C", "A", "B", "X"), table)
    one = ModularShiftForm(prior=(0.5, 0.5))
    two = ModularShiftForm(prior=(0.7, 0.3, 0)).rename({"A": "B"})
    pair = ProductForm(_At(one, 2, "0.1"), _At(two, 3, "0.2"))
    for term in ("I(A,B;C|X)", "I(A;C|X)", "I(B;C|X,A)", "H(A,B|X)", "I(A;B|X)"):
        assert float(pair.predict(term)) == pytest.approx(joint.value(term), abs=TOLERANCE)


class _At(ClosedForm):
    def __init__(self, base, n, noise):
        self.base, self.variables = base, base.variables
        self.values = {modular_shift.n: n, modular_shift.noise: sympy.Rational(noise)}

    def entropy(self, variables):
        return self.base.entropy(variables).subs(self.values)


def test_scalar_gaussian_is_the_textbook_formula():
    a, c, noise = linear_gaussian.a, linear_gaussian.c, linear_gaussian.noise
    form = LinearGaussianForm.scalar()
    textbook = sympy.log((1 + c / noise) * (1 + a / noise) / (1 + (a + c) / noise)) / 2
    difference = sympy.logcombine(form.predict("I(A;C|X)") - textbook, force=True)
    assert sympy.simplify(sympy.exp(difference)) == 1
    assert form.predict("I(A;C)") == 0
    assert sympy.factor(form.predict("I(A;C|X)").diff(c)).is_positive


def test_scalar_gaussian_meets_quadrature():
    a, c, noise = 1.5, 0.7, 0.4
    truth = 0.5 * math.log(1 + a / (c + noise))
    density = lambda x, v: math.exp(-x * x / (2 * v)) / math.sqrt(2 * math.pi * v)  # noqa: E731

    def integrand(x, y):
        joint = density(x, a) * density(y - x, c + noise)
        return joint * math.log(density(y - x, c + noise) / density(y, a + c + noise))

    wide = 8 * math.sqrt(a + c + noise)
    value, error = integrate.dblquad(integrand, -wide, wide, -wide, wide, epsabs=1e-7)
    predicted = float(LinearGaussianForm.scalar(a, c, noise).predict("I(A;X)"))
    assert predicted == pytest.approx(truth, abs=TOLERANCE)
    assert predicted == pytest.approx(value, abs=max(error, 1e-6))


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_vector_gaussian_meets_log_determinants_of_the_whole_covariance(seed):
    rng = np.random.default_rng(seed)
    sizes = {"A": 2, "C": 1, "S": 2, "X": 2}
    loadings = {v: rng.normal(size=(2, sizes[v])).round(2) for v in "ACS"}
    roots = {v: rng.normal(size=(k, k)).round(2) for v, k in sizes.items()}
    covariances = {v: r @ r.T + np.eye(len(r)) for v, r in roots.items()}
    covariances = {v: (s + s.T) / 2 for v, s in covariances.items()}
    form = LinearGaussianForm(
        {v: loadings[v] for v in "ACS"}, {v: covariances[v] for v in "ACS"}, covariances["X"]
    )
    lift = np.hstack([loadings[v] for v in "ACS"])
    sources = np.zeros((5, 5))
    start, axes = 0, {}
    for v in "ACS":
        axes[v] = list(range(start, start + sizes[v]))
        sources[np.ix_(axes[v], axes[v])] = covariances[v]
        start += sizes[v]
    axes["X"] = [5, 6]
    whole = np.block(
        [[sources, sources @ lift.T], [lift @ sources, lift @ sources @ lift.T + covariances["X"]]]
    )

    def h(names):
        index = [i for v in names for i in axes[v]]
        part = whole[np.ix_(index, index)]
        return 0.5 * (len(index) * math.log(2 * math.pi * math.e) + np.linalg.slogdet(part)[1])

    for term in ("I(A;C|X)", "I(A;X)", "I(A;C,S|X)", "H(A|X,S)", "I(C;X|S)"):
        truth = sum(float(k) * h(sorted(s)) for s, k in parse_expression(term).entropies().items())
        # log-determinants of 7 x 7 matrices: condition numbers up to 1e3 times the rounding of 16 digits
        assert float(form.predict(term)) == pytest.approx(truth, abs=1e-11)


def test_eta_is_the_entropy_function():
    p = sympy.Symbol("p", nonnegative=True)
    assert Eta(0) == Eta(1) == 0
    assert Eta(sympy.Rational(1, 2)) == sympy.log(2) / 2
    assert Eta(-1) is sympy.nan
    assert Eta(p).diff(p) == -sympy.log(p) - 1
    assert Eta(p).rewrite(sympy.log) == -p * sympy.log(p)
    assert sympy.latex(Eta(p)) == r"\eta\left(p\right)"
    assert binary_entropy(p).subs(p, 0) == binary_entropy(p).subs(p, 1) == 0


def test_closed_forms_print_as_latex():
    text = WatermarkedForm(OrbitForm(HALVES, [0, 1])).latex("I(A;C|X)")
    assert text.startswith(r"I(A; C \mid X) = ")
    assert r"\mathrm{strength}" in text


ERRORS = {
    "unknown variable": (lambda: OrbitForm(HALVES, [0]).predict("H(Q)"), "unknown variable 'Q'"),
    "open symbol": (
        lambda: ModularShiftForm(all_classes=True).function("I(A;C|X)", modular_shift.n),
        "depends on noise too",
    ),
    "row is no permutation": (lambda: OrbitForm([[0, 0]], [0]), "action[0] must be a permutation"),
    "not closed": (lambda: OrbitForm([[1, 2, 0], [0, 1, 2]], [0]), "closed under composition"),
    "uneven kernel": (lambda: OrbitForm([[0, 1], [0, 1], [1, 0]], [0]), "equally many group elements"),
    "empty action": (lambda: OrbitForm([], [0]), "at least one element"),
    "prototype outside": (lambda: OrbitForm(HALVES, [2]), "prototypes must be points 0..1, got (2,)"),
    "no class": (lambda: OrbitForm(HALVES, []), "prototypes must be points"),
    "prior of the wrong length": (lambda: OrbitForm(HALVES, [0], prior=[0.5, 0.5]), "prior needs 1"),
    "prior that sums to 0.9": (lambda: OrbitForm(HALVES, [0, 1], prior=[0.5, 0.4]), "must sum to 1, got 0.9"),
    "negative prior": (lambda: OrbitForm(HALVES, [0, 1], prior=[1.5, -0.5]), "must not be negative"),
    "noise above 1": (lambda: OrbitForm(HALVES, [0], noise=1.5), "noise must be a probability, got 1.5"),
    "pose of the wrong length": (lambda: OrbitForm(HALVES, [0], pose=[1]), "pose needs 4 probabilities"),
    "pose rows": (lambda: OrbitForm(HALVES, [0, 1], pose=[[1, 0, 0, 0]]), "one row for each of 2 classes"),
    "identity not first": (lambda: IntrinsicPoseForm(HALVES[::-1], [0]), "element 0 must be the identity"),
    "label missing": (lambda: QuotientForm(HALVES, [0], coarse=[0]), "a label for each of 4 elements"),
    "no factor": (lambda: ProductForm(), "at least one factor"),
    "erase what is not there": (
        lambda: ErasedForm(OrbitForm(HALVES, [0]), variable="Z"),
        "unknown variable 'Z'",
    ),
    "erase with 2": (lambda: ErasedForm(OrbitForm(HALVES, [0]), 2), "must be a probability, got 2"),
    "mark what is not there": (
        lambda: WatermarkedForm(OrbitForm(HALVES, [0]), mark="B"),
        "unknown variable 'B'",
    ),
    "rename to a clash": (lambda: OrbitForm(HALVES, [0]).rename({"A": "C"}), "keep different names"),
    "rename the unknown": (lambda: OrbitForm(HALVES, [0]).rename({"Q": "C"}), "unknown variable 'Q'"),
    "uneven subgroup": (lambda: ModularShiftForm(subgroup=(4, 2, 3)), "must divide n=4, got 3"),
    "prior and subgroup": (lambda: ModularShiftForm(subgroup=(4, 2, 2), prior=[1]), "prior needs 4"),
    "no variance": (lambda: LinearGaussianForm.scalar(0, 1, 1), "positive definite"),
    "not square": (lambda: LinearGaussianForm({"A": [[1]]}, {"A": [[1, 2]]}, [[1]]), "must be square"),
    "asymmetric": (
        lambda: LinearGaussianForm({"A": [[1, 0]]}, {"A": [[1, 2], [0, 1]]}, [[1]]),
        "must be symmetric",
    ),
    "singular": (
        lambda: LinearGaussianForm({"A": [[1, 0]]}, {"A": [[1, 1], [1, 1]]}, [[1]]),
        "positive definite",
    ),
    "shapes": (lambda: LinearGaussianForm({"A": [[1, 2]]}, {"A": [[1]]}, [[1]]), "needs shape (1, 1)"),
    "other sources": (lambda: LinearGaussianForm({"A": [[1]]}, {"B": [[1]]}, [[1]]), "same sources"),
    "output among sources": (
        lambda: LinearGaussianForm({"X": [[1]]}, {"X": [[1]]}, [[1]]),
        "must not be one",
    ),
    "loading is a vector": (lambda: LinearGaussianForm({"A": [1]}, {"A": [[1]]}, [[1]]), "must be a matrix"),
}


@pytest.mark.parametrize("case", ERRORS, ids=list(ERRORS))
def test_bad_arguments_are_named(case):
    make, message = ERRORS[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_parameters_that_are_no_numbers_are_refused():
    with pytest.raises(TypeError, match="noise must be a finite number or a sympy expression, got 'a'"):
        as_number("a", "noise")
    with pytest.raises(TypeError, match="got nan"):
        as_number(math.nan, "noise")
