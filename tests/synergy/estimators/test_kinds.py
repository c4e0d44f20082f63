"""Kinds of data on which estimates were once wrong in silence: the right value, and a control beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synergy.estimators import estimate
from synergy.estimators.discrete.nsb import nsb_entropy
from synergy.estimators.order import dependence_warnings
from synthetic import Sample
from theory import parse_expression


def linked(n, seed, d=1):
    """Gaussian columns with I(X;Y) = d log 2 / 2, since Y = X + N has correlation 1 / sqrt 2."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) if d > 1 else rng.standard_normal(n)
    return x, x + rng.standard_normal(x.shape)


def holds(found, truth):
    return found.interval[0] <= truth <= found.interval[1]


# A copula that is not Gaussian.


def test_signs_that_are_mixed_are_warned_of():
    """Y = S X + N with random signs S in 2 + 2 columns: neither Gaussian nor Student rows look like it."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 2))
    y = rng.choice([-1.0, 1.0], size=(300, 2)) * x + 0.3 * rng.standard_normal((300, 2))
    found = estimate({"X": x, "Y": y}, "I(X;Y)")
    assert any("not Gaussian" in warning for warning in found.warnings)


def test_gaussian_columns_are_not_warned_of():
    x, y = linked(300, 1, d=3)
    found = estimate({"X": np.exp(x), "Y": y**3}, "I(X;Y)")
    assert found.warnings == ()
    assert holds(found, 1.5 * math.log(2))


def test_an_interval_reaches_as_far_as_neighbours_fall_short():
    """X and N Cauchy: h(X + 0.1 N) - h(0.1 N) = log 11 = 2.398; 300 rows show 0.3 less."""
    rng = np.random.default_rng(2)
    x, noise = rng.standard_cauchy((2, 300))
    found = estimate({"X": x, "Y": x + 0.1 * noise}, "I(X;Y)")
    assert found.value < 2.3
    assert holds(found, math.log(11))


# A condition that fixes a side.


@pytest.mark.parametrize("name", ["2x", "cube", "beside noise", "minus y"])
def test_nothing_is_left_where_the_condition_fixes_a_side(name):
    """I(X;Y|Z) <= H(X|Z) - H(X|Y,Z), which is 0 where X is a function of Z, and the same for Y."""
    x, y = linked(200, 3)
    noise = np.random.default_rng(4).standard_normal(200)
    z = {"2x": 2 * x, "cube": x**3, "beside noise": np.column_stack([x, noise]), "minus y": -y}[name]
    found = estimate({"X": x, "Y": y, "Z": z}, "I(X;Y|Z)")
    assert (found.value, found.interval) == (0.0, (0.0, 0.0))
    assert any("a function of the conditions" in note for note in found.notes)


def test_what_the_condition_does_not_fix_is_left():
    """Of X = (U, V) with U = Z only V tells of Y = V + N: log 2 / 2."""
    v, y = linked(500, 5)
    z = np.random.default_rng(6).standard_normal(500)
    found = estimate({"X": np.column_stack([z, v]), "Y": y, "Z": z}, "I(X;Y|Z)")
    assert holds(found, 0.5 * math.log(2))


# Rare labels.


@pytest.mark.parametrize("d", [1, 5])
def test_labels_of_one_row_say_nothing(d):
    """A is drawn without a look at Z: 0."""
    rng = np.random.default_rng(7)
    a = rng.integers(2, size=300)
    a[:20] = np.arange(2, 22)
    z = rng.standard_normal((300, d) if d > 1 else 300)
    assert estimate({"A": a, "Z": z}, "I(A;Z)").interval[0] <= 0


def test_classes_of_two_rows_are_refused_by_the_classifier():
    rng = np.random.default_rng(8)
    a = np.array([f"name {i // 2}" for i in range(240)])
    with pytest.raises(ValueError, match="120 labels, each of fewer than 5 of 240 rows"):
        estimate({"A": a, "Z": rng.standard_normal((240, 5))}, "I(A;Z)")


# Names have no order; nor have integers that stand for classes.


@pytest.mark.parametrize("names", [np.array([f"c{i:02d}" for i in range(12)]), 3 * np.arange(12)])
def test_renaming_classes_changes_nothing(names):
    rng = np.random.default_rng(9)
    a = rng.integers(12, size=400)
    z = a + rng.standard_normal(400)
    other = names[rng.permutation(12)]
    one, two = (estimate({"A": called[a], "Z": z}, "I(A;Z)") for called in (names, other))
    assert one.value == pytest.approx(two.value, abs=1e-9)
    assert one.interval == pytest.approx(two.interval, abs=1e-9)


def test_integers_all_but_distinct_are_numbers():
    """One tie among 200: as numbers, Y = X + N holds log 2 / 2."""
    x, y = linked(200, 10)
    columns = {"X": np.rint(1e5 * x).astype(int), "Y": np.rint(1e5 * y).astype(int)}
    columns["X"][1] = columns["X"][0]
    found = estimate(columns, "I(X;Y)")
    assert math.isfinite(found.standard_error)
    assert holds(found, 0.5 * math.log(2))


# States.


def test_entropy_with_states_that_were_never_seen_is_warned_of():
    """Zipf over 200 states: 60 rows hold about a third of them."""
    p = 1 / np.arange(1, 201)
    x = np.random.default_rng(11).choice(200, size=60, p=p / p.sum())
    assert any("never seen" in warning for warning in estimate({"X": x}, "H(X)").warnings)


def test_entropy_of_states_that_were_all_seen_is_not():
    x = np.random.default_rng(12).integers(6, size=300)
    found = estimate({"X": x}, "H(X)")
    assert found.warnings == ()
    assert holds(found, math.log(6))


def test_columns_that_are_functions_of_one_count_as_that_one():
    """Y is drawn from X by chance, the other columns are functions of X: the term is I(X;Y) itself."""
    rng = np.random.default_rng(13)
    x = rng.integers(10, size=300)
    y = np.where(rng.random(300) < 0.5, x, rng.integers(10, size=300))
    columns = {"X": x, "Y": y} | {f"F{i}": rng.permutation(10)[x] for i in range(7)}
    alone = estimate(columns, "I(X;Y)")
    found = estimate(columns, "I(" + ",".join(name for name in columns if name != "Y") + ";Y)")
    assert found.value == pytest.approx(alone.value, abs=1e-9)
    assert found.interval == pytest.approx(alone.interval, abs=0.02)


@pytest.mark.parametrize("estimator", ["nsb", "shrinkage", "digamma"])
def test_the_first_label_does_not_matter(estimator):
    rng = np.random.default_rng(14)
    a = rng.integers(3, size=200)
    c = np.where(rng.random(200) < 0.7, a, rng.integers(3, size=200))
    found = [estimate({"A": a + s, "C": c + s}, "I(A;C)", estimator=estimator).value for s in (0, 1, 40)]
    assert found == pytest.approx([found[0]] * 3, abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "states", "entropy"),
    [([4, 2, 2], 4, 1.15334989121), ([10] * 10, 1e9, 2.36181537586), ([10] * 10, 1e11, 2.36181537598)],
)
def test_the_integral_of_nsb(counts, states, entropy):
    """By mpmath's quadrature in 30 digits over log beta from -30 - log K to 17."""
    assert nsb_entropy(np.array(counts, dtype=float), states) == pytest.approx(entropy, abs=1e-9)


# Rows that are not independent.


def walk(n, seed):
    noise = np.random.default_rng(seed).standard_normal(n)
    found = np.empty(n)
    found[0] = noise[0]
    for t in range(1, n):
        found[t] = 0.9 * found[t - 1] + math.sqrt(0.19) * noise[t]
    return found


def test_walks_are_warned_of_and_blocks_are_the_way_out():
    columns = {"X": walk(600, 0), "Y": walk(600, 1)}
    found = estimate(columns, "I(X;Y)")
    assert any("blocks=n" in warning for warning in found.warnings)
    blocked = estimate(columns, "I(X;Y)", blocks=30)
    assert not any("not independent" in warning for warning in blocked.warnings)
    assert holds(blocked, 0.0)


def test_rows_in_any_other_order_are_not_warned_of():
    x, y = linked(600, 15)
    order = np.argsort(x)
    assert estimate({"X": x, "Y": y}, "I(X;Y)").warnings == ()
    assert estimate({"X": x[order], "Y": y[order]}, "I(X;Y)").warnings == (), "a sorted table"


def test_independent_rows_are_hardly_ever_warned_of():
    """Two variables at 1/1000 each: of 200 samples none, but once in 5,000 such tests."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        sample = Sample.infer({"X": rng.standard_normal(100), "A": rng.integers(3, size=100)})
        assert not dependence_warnings(sample, parse_expression("I(X;A)"))


def test_rows_entered_twice_are_warned_of():
    x, y = linked(100, 16)
    found = estimate({"X": np.repeat(x, 3), "Y": np.repeat(y, 3)}, "I(X;Y)")
    assert any("200 of 300 rows repeat another row" in warning for warning in found.warnings)


def test_near_copies_count_once_where_groups_are_given():
    """The copies of a row are its nearest neighbours: without groups the value is far above log 2 / 2."""
    x, y = linked(150, 17)
    g = np.repeat(np.arange(150), 4)
    noise = 0.01 * np.random.default_rng(18).standard_normal((2, 600))
    columns = {"X": x[g] + noise[0], "Y": y[g] + noise[1], "G": g}
    assert estimate(columns, "I(X;Y)").value > 0.8
    assert holds(estimate(columns, "I(X;Y)", groups="G"), 0.5 * math.log(2))


def test_blocks_and_groups_exclude_each_other():
    columns = {"X": np.arange(20.0), "Y": np.arange(20.0), "G": np.repeat(np.arange(5), 4)}
    with pytest.raises(ValueError, match="exclude each other"):
        estimate(columns, "I(X;Y)", groups="G", blocks=4)
    with pytest.raises(ValueError, match="blocks=10 makes 2 blocks"):
        estimate(columns, "I(X;Y)", blocks=10)
