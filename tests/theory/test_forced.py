"""Forced class information: Theorems J1 to J5 on random and on known worlds."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import ESSL, Diagram, Joint, Model
from theory.forced import (
    deterministic_worlds,
    disagreements,
    forced_information,
    posterior_gap,
    price_of_avoidance,
    random_refinement,
    with_statistic,
)
from theory.predictions import OrbitForm

ROUNDING = 1e-11
COLLIDER = Diagram.parse("C->X, A->X")
seeds = st.integers(0, 2**32 - 1)
levels = st.sampled_from([0.05, 0.3, 1.0])


def counted(diagram, sizes, seed, level=0.3):
    """A random model with probabilities k/6: different posteriors differ by far more than rounding."""
    rng = np.random.default_rng(seed)
    tables = {}
    for v in diagram.order:
        shape = tuple(sizes[parent] for parent in diagram.parents(v))
        if v in diagram.deterministic:
            tables[v] = np.eye(sizes[v])[rng.integers(sizes[v], size=shape)]
        else:
            tables[v] = rng.multinomial(6, rng.dirichlet(np.full(sizes[v], level), size=shape)) / 6
    return Model(diagram, tables)


worlds = st.builds(
    lambda seed, level, sizes: counted(COLLIDER, dict(zip("ACX", sizes, strict=True)), seed, level).joint(),
    seeds,
    levels,
    st.tuples(st.integers(2, 4), st.integers(2, 3), st.integers(2, 6)),
)


def half_symmetric(rotations=4):
    """Class 0 is free, class 1 looks the same under all rotations."""
    return Joint.from_function(("A", "C"), (rotations, 2), {"X": lambda a, c: rotations if c else a})


def grouped(joint, seed):
    """The same world with some inputs split in two that have equal posteriors."""
    rng = np.random.default_rng(seed)
    k = joint.cardinalities["X"]
    kernel = np.zeros((k, 2 * k))
    share = rng.choice([0.0, 0.25, 0.5, 1.0], size=k)
    kernel[np.arange(k), 2 * np.arange(k)] = share
    kernel[np.arange(k), 2 * np.arange(k) + 1] = 1 - share
    return joint.channel("X", "Y", kernel).marginal(("A", "C", "Y"))


@given(worlds, seeds)
@settings(max_examples=40, deadline=None)
def test_j1_refinements_of_t_are_optimal_and_know_at_least_j(joint, seed):
    world = random_refinement(joint, seed=seed)
    assert world.value("I(A;Z)") == pytest.approx(world.value("I(A;X)"), abs=ROUNDING)
    assert world.value("I(C;Z)") >= forced_information(joint) - ROUNDING
    stated = with_statistic(world)
    assert stated.value("H(T|Z)") == pytest.approx(0, abs=ROUNDING)
    assert stated.value("I(A;T)") == pytest.approx(world.value("I(A;X)"), abs=ROUNDING)
    assert stated.value("I(C;T)") == pytest.approx(forced_information(joint), abs=ROUNDING)


@given(worlds, seeds)
@settings(max_examples=40, deadline=None)
def test_j1_whatever_mixes_different_posteriors_is_not_optimal(joint, seed):
    world = with_statistic(joint)
    k = joint.cardinalities["X"]
    kernel = np.random.default_rng(seed).dirichlet(np.ones(3), size=k)
    world = world.channel("X", "Z", kernel)
    lost = world.value("I(A;X) - I(A;Z)")
    if world.value("I(A;X)") > 1e-6:
        assert world.value("H(T|Z)") > 0
        assert lost > 0
    assert world.value("I(C;T)") <= world.value("I(C;X)") + ROUNDING


def test_j1_holds_for_the_style_too():
    sizes = {"C": 2, "S": 3, "V": 1, "R": 4, "A": 3, "X": 5, "Z": 1}
    for seed in range(5):
        joint = counted(ESSL, sizes, seed, 1.0).joint(("A", "C", "S", "X"))
        world = random_refinement(joint, seed=seed)
        assert world.value("I(S;Z)") >= forced_information(joint, target="S") - ROUNDING
        assert world.value("I(C,S;Z)") >= forced_information(joint, target=("C", "S")) - ROUNDING


@given(worlds, seeds)
@settings(max_examples=30, deadline=None)
def test_splitting_inputs_does_not_change_j(joint, seed):
    split = grouped(joint, seed)
    assert forced_information(split, inputs="Y") == pytest.approx(forced_information(joint), abs=ROUNDING)


@given(seeds, levels)
@settings(max_examples=30, deadline=None)
def test_j2_lossless_and_separate_worlds_force_nothing(seed, level):
    sizes = {"C": 3, "A": 2, "X": 3}
    joint = counted(COLLIDER, sizes, seed, level).joint(("A", "C", "X"))
    shown = joint.channel("A", "M", np.eye(2))
    assert forced_information(shown, inputs=("X", "M")) == pytest.approx(0, abs=ROUNDING)
    apart = counted(
        Diagram.parse("C->X1, A->X2"), dict.fromkeys(("C", "X1", "A", "X2"), 3), seed, level
    ).joint()
    assert forced_information(apart, inputs=("X1", "X2")) == pytest.approx(0, abs=ROUNDING)


@given(worlds, st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_j2_a_watermark_takes_its_share(joint, strength):
    k = joint.cardinalities["A"]
    kernel = np.hstack([strength * np.eye(k), np.full((k, 1), 1 - strength)])
    marked = joint.channel("A", "M", kernel)
    forced = forced_information(marked, inputs=("X", "M"))
    assert forced <= (1 - strength) * forced_information(joint) + ROUNDING


@given(seeds, levels)
@settings(max_examples=30, deadline=None)
def test_j2_finer_and_several_transformations_force_more(seed, level):
    fine = Diagram.parse("C->X, B->X, B=>A")
    joint = counted(fine, {"C": 2, "B": 4, "A": 2, "X": 5}, seed, level).joint()
    assert forced_information(joint, transformation="B") >= forced_information(joint) - ROUNDING
    both = Diagram.parse("C->X, A->X, B->X")
    joint = counted(both, {"C": 2, "A": 2, "B": 3, "X": 5}, seed, level).joint()
    together = forced_information(joint, transformation=("A", "B"))
    alone = [forced_information(joint, transformation=t) for t in ("A", "B")]
    assert together >= max(alone) - ROUNDING


def test_j3_the_search_finds_both_counterexamples():
    unforced, unexplained = disagreements()
    assert unforced.forced == 0
    assert unforced.synergy == pytest.approx(math.log(2))
    assert unforced.joint.probabilities.shape == (2, 2, 2)
    assert unexplained.synergy == 0
    assert unexplained.forced == pytest.approx(math.log(2))
    assert unexplained.joint.value("H(C|X)") == 0
    for found in (unforced, unexplained):
        assert all(isinstance(p, Fraction | int) for p in found.joint.probabilities.flat)
        assert found.joint.value("I(A;C)") == pytest.approx(0, abs=ROUNDING)


def test_j3_the_search_goes_through_every_partition_once():
    seen = {tuple(j.probabilities.argmax(axis=2).ravel()) for j in deterministic_worlds(2, 2)}
    assert len(seen) == sum(1 for _ in deterministic_worlds(2, 2)) == 15
    assert sum(1 for _ in deterministic_worlds(3, 2)) == 203


@given(worlds, seeds)
@settings(max_examples=40, deadline=None)
def test_j4_near_optimal_representations_show_t(joint, seed):
    k = joint.cardinalities["X"]
    kernel = np.random.default_rng(seed).dirichlet(np.full(4, 0.3), size=k)
    gap = posterior_gap(joint.channel("X", "Z", kernel))
    assert gap.divergence == pytest.approx(gap.excess, abs=ROUNDING)
    assert gap.distance <= gap.bound + 1e-6
    perfect = posterior_gap(random_refinement(joint, seed=seed))
    assert perfect.excess == pytest.approx(0, abs=ROUNDING)
    assert perfect.distance == pytest.approx(0, abs=1e-6)


def test_j_meets_the_closed_form_on_orbits():
    quarters = [[(x + g) % 4 for x in range(4)] for g in range(4)]
    rows = [[*q, 4 + (g % 2), 5 - (g % 2), 6, *(7 + x for x in q)] for g, q in enumerate(quarters)]
    for prototypes in ([0, 4, 6], [0, 1, 7], [4, 5, 6], [0, 4, 5, 6, 7, 8]):
        for noise in (0.0, 0.2):
            form = OrbitForm(rows, prototypes, noise=noise)
            table = np.zeros((4, len(prototypes), 11))
            for a in range(4):
                for c, x in enumerate(prototypes):
                    orbit = [y for y in range(11) if form.orbit_of[y] == form.orbit_of[x]]
                    table[a, c, rows[a][x]] += (1 - noise) / (4 * len(prototypes))
                    table[a, c, orbit] += noise / len(orbit) / (4 * len(prototypes))
            exact = forced_information(Joint(("A", "C", "X"), table))
            assert float(form.forced_information()) == pytest.approx(exact, abs=ROUNDING)


def test_exact_joints_are_grouped_without_a_tolerance():
    hair = Fraction(1, 10**15)
    table = np.full((2, 2, 2), Fraction(0), dtype=object)
    table[0, :, :] = [[Fraction(1, 4), 0], [0, Fraction(1, 4) + hair]]
    table[1, :, :] = [[Fraction(1, 4), 0], [0, Fraction(1, 4) - hair]]
    exact = Joint(("A", "C", "X"), table)
    assert forced_information(exact) == pytest.approx(math.log(2))
    assert forced_information(Joint(exact.names, table.astype(float))) == 0


def test_inputs_with_one_posterior_and_different_masses_are_one():
    thirds = [[Fraction(1, 3), Fraction(2, 3)] + [Fraction(0)] * 4, [Fraction(0)] * 2 + [Fraction(1, 4)] * 4]
    kernel = np.array([*thirds, [Fraction(0)] * 5 + [Fraction(1)]], dtype=object)
    half = half_symmetric(2).to_fractions()
    split = half.channel("X", "Y", kernel).marginal(("A", "C", "Y"))
    for joint in (split, Joint(split.names, split.probabilities.astype(float))):
        world = with_statistic(joint, inputs="Y")
        assert world.cardinalities["T"] == 3
        assert world.marginal(("Y", "T")).probabilities[:2].argmax(axis=1).tolist() == [0, 0]
        assert world.marginal(("Y", "T")).probabilities[2:5].argmax(axis=1).tolist() == [1, 1, 1]


def test_j5_bounds_of_different_tolerances_do_not_contradict():
    for joint in (half_symmetric(), counted(COLLIDER, {"A": 3, "C": 2, "X": 5}, 1, 1.0).joint()):
        budgets = (np.array([0.1, 0.4, 0.8]) * forced_information(joint)).tolist()
        coarse = price_of_avoidance(joint, budgets, tolerance=2e-2)
        fine = price_of_avoidance(joint, budgets, tolerance=5e-4)
        assert (np.array(fine.lower) <= np.array(coarse.upper) + 1e-6).all()
        assert (np.array(coarse.lower) <= np.array(fine.upper) + 1e-6).all()


def test_exact_joints_have_an_exact_j():
    world = with_statistic(half_symmetric().to_fractions())
    assert world.symbolic("I(C;T)") == sympy.log(2)
    assert world.symbolic("I(A;T) - I(A;X)") == 0
    assert with_statistic(disagreements()[0].joint).symbolic("I(C;T)") == 0


def test_j5_meets_the_closed_form_of_the_half_symmetric_world():
    curve = price_of_avoidance(half_symmetric())
    p = np.array([5, 1, 1, 1]) / 8
    assert curve.free == pytest.approx(math.log(4) + (p * np.log(p)).sum(), abs=1e-9)
    assert curve.ceiling == pytest.approx(math.log(4) / 2, abs=ROUNDING)
    assert curve.forced == pytest.approx(math.log(2), abs=ROUNDING)
    assert curve.gap <= 1e-3 + 1e-6
    assert curve.lower[-1] == pytest.approx(curve.ceiling, abs=ROUNDING)
    lower, upper = np.array(curve.lower), np.array(curve.upper)
    assert (np.diff(lower) > 0).all()
    assert (upper >= lower - 1e-7).all()
    middle = (lower[2:] + lower[:-2]) / 2
    assert (upper[1:-1] >= middle - 1e-7).all()


def test_j5_no_price_where_nothing_is_forced():
    shift = Joint.from_function(("A", "C"), (3, 3), {"X": lambda a, c: (a + c) % 3})
    assert price_of_avoidance(shift).price == pytest.approx(0, abs=1e-9)
    free = Joint.from_function(("A", "C"), (3, 2), {"X": lambda a, c: 3 * c + a})
    curve = price_of_avoidance(free)
    assert curve.price == pytest.approx(0, abs=1e-9)
    assert curve.ceiling == pytest.approx(math.log(3))


@given(seeds)
@settings(max_examples=6, deadline=None)
def test_j5_no_representation_beats_the_upper_bound_and_the_price_follows_j(seed):
    sizes = {"A": 2, "C": 2, "X": 3}
    joint = counted(COLLIDER, sizes, seed, 1.0).joint(("A", "C", "X"))
    forced = forced_information(joint)
    budgets = [max(forced, 0.0) * share for share in (0, 1 / 3, 2 / 3, 1)]
    curve = price_of_avoidance(joint, budgets, tolerance=2e-3)
    assert (curve.price > 1e-6) == (forced > 1e-6)
    rng = np.random.default_rng(seed)
    for _ in range(200):
        kernel = rng.dirichlet(np.full(4, rng.choice([0.1, 0.5, 1.0])), size=3)
        world = joint.channel("X", "Z", kernel)
        spent, earned = world.value("I(C;Z)"), world.value("I(A;Z)")
        ceiling = np.interp(spent, curve.budgets, curve.upper)
        nearest = min((b for b in curve.budgets if b >= spent - 1e-9), default=math.inf)
        if nearest < math.inf:
            assert earned <= curve.upper[curve.budgets.index(nearest)] + 1e-6
        assert earned <= curve.ceiling + 1e-9
        assert ceiling <= curve.ceiling + 1e-9


def test_the_price_curve_is_a_table_for_plots():
    frame = price_of_avoidance(half_symmetric(2), [0.0, 0.2]).to_pandas()
    assert frame.columns.tolist() == ["budget", "lower", "upper"]
    assert len(frame) == 2


def world():
    return half_symmetric()


BAD = {
    "unknown variable": (lambda: forced_information(world(), target="Q"), "unknown variable 'Q'"),
    "name taken": (lambda: with_statistic(world(), name="A"), "name 'A' is taken"),
    "same variable twice": (lambda: with_statistic(world(), inputs="A"), "must be different variables"),
    "no values": (lambda: random_refinement(world(), seed=0, values=0), "values must be at least 1, got 0"),
    "negative budget": (lambda: price_of_avoidance(world(), [-0.1]), "budgets must be non-negative"),
    "no budget": (lambda: price_of_avoidance(world(), []), "at least one, got []"),
    "tolerance 0": (lambda: price_of_avoidance(world(), tolerance=0), "tolerance must be positive, got 0"),
    "too few cells": (lambda: price_of_avoidance(world(), [0.3], max_cells=2), "more than max_cells=2"),
    "too many inputs": (lambda: price_of_avoidance(half_symmetric(10)), "at most 9 different inputs, got 11"),
    "empty alphabet": (lambda: list(deterministic_worlds(0, 2)), "alphabets must not be empty"),
    "too many functions": (lambda: list(deterministic_worlds(4, 4)), "have 10480142147 functions"),
    "alphabets too small": (lambda: disagreements(1, 2), "do not disagree in both ways"),
    "posteriors too close": (
        lambda: forced_information(Joint(("A", "C", "X"), _near()), tolerance=1e-9),
        "too close to the tolerance 1e-09",
    ),
}


def _near():
    table = np.zeros((2, 2, 2))
    table[:, 0, 0] = [0.25, 0.25]
    table[:, 1, 1] = [0.25 + 1e-9, 0.25 - 1e-9]  # posteriors that differ by 2e-9
    return table


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_bad_arguments_are_named(case):
    make, message = BAD[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        make()
