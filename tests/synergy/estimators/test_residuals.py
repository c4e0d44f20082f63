"""Columns of any margins, and columns that the conditions nearly fix: closed forms of Gaussian noise."""

import math

import numpy as np
import pytest

from synergy import estimate
from synergy.estimators.columns import is_filled, named_slots, scaled
from synergy.estimators.neighbours.residuals import without_regressions

KNOWN = 0.5 * math.log(5)
"""I(E; E + N / 2) of standard normal E and N."""

MARGINS = {
    "log-normal": lambda x: np.exp(2 * x),
    "exponential twice": lambda x: np.exp(np.exp(x)),
    "coded": lambda x: np.where(np.arange(len(x)) % 100 == 0, 9999.0, x),
}


def holds(found, truth):
    """Whether the interval holds the truth, or six standard errors do: a chance of 1e-8 by the normal law."""
    return found.interval[0] <= truth <= found.interval[1] or (
        abs(found.value - truth) < 6 * found.standard_error
    )


def nearly_fixed(function, size, condition, seed, rows=1_000):
    """X = f(Z) + size E and Y = E + N / 2."""
    e, n = np.random.default_rng(seed).standard_normal((2, rows))
    return {"X": function(condition) + size * e, "Y": e + 0.5 * n, "Z": condition}


@pytest.mark.parametrize("margin", ["log-normal", "exponential twice"])
def test_heavy_tails_beside_a_uniform_column_change_nothing(margin):
    """A monotone change of a column that ends in no edges leaves the estimate as it is."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(800)
    data = {"X": x, "Y": 0.8 * x + 0.6 * rng.standard_normal(800), "Z": rng.random(800)}
    changed = {name: MARGINS[margin](v) if name != "Z" else v for name, v in data.items()}
    first, second = (estimate(d, "I(X;Y|Z)") for d in (data, changed))
    assert second.value == pytest.approx(first.value, abs=1e-9)
    assert second.interval == pytest.approx(first.interval, abs=1e-9)


@pytest.mark.parametrize("margin", MARGINS)
def test_no_column_drowns_another_beside_a_label(margin):
    """A column that says nothing changes little, however its values are spread."""
    rng = np.random.default_rng(1)
    a, noise = rng.integers(2, size=1_000), rng.standard_normal((2, 1_000))
    signal = 1.5 * a + noise[0]
    plain, changed = (
        estimate({"A": a, "X": np.column_stack([one, other])}, "I(A;X)")
        for one, other in ((signal, noise[1]), (MARGINS[margin](signal), MARGINS[margin](noise[1])))
    )
    assert abs(plain.value - changed.value) < 3 * plain.standard_error


@pytest.mark.parametrize("size", [0.3, 0.03, 0.003])
@pytest.mark.parametrize("function", [np.sin, np.exp, lambda z: z, lambda z: z**2])
@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_what_a_condition_leaves_is_found(kind, function, size):
    rng = np.random.default_rng(2)
    z = rng.uniform(-2, 2, 1_000) if kind == "uniform" else rng.standard_normal(1_000)
    found = estimate(nearly_fixed(function, size, z, 3), "I(X;Y|Z)")
    assert holds(found, KNOWN) or found.warnings


def test_functions_themselves_are_left_as_they_are():
    rng = np.random.default_rng(4)
    z = rng.uniform(-2, 2, 1_000)
    y = z + rng.standard_normal(1_000)
    for function in (np.sin, np.abs, np.exp):
        slots = named_slots(function(z), y, z)
        assert np.array_equal(without_regressions(slots, "copula")[0][0].values, slots[0].values)


def test_what_the_conditions_do_not_explain_is_left_as_it_is():
    slots = named_slots(*np.random.default_rng(5).standard_normal((3, 300)))
    assert without_regressions(slots, "copula") == (slots, [])


def test_the_order_of_the_sides_does_not_matter():
    rng = np.random.default_rng(6)
    z = rng.standard_normal(300)
    data = nearly_fixed(np.sin, 0.5, z, 7, rows=300) | {"A": rng.integers(3, size=300)}
    for first, second in (("I(X;Y|Z)", "I(Y;X|Z)"), ("I(X;Y)", "I(Y;X)"), ("I(A;X|Z)", "I(X;A|Z)")):
        one, other = estimate(data, first), estimate(data, second)
        assert (one.value, one.interval, one.standard_error) == (
            other.value,
            other.interval,
            other.standard_error,
        )


def test_columns_that_fill_their_range_are_standardised_and_others_scored():
    rng = np.random.default_rng(8)
    uniform, angle = rng.random(500), np.cos(rng.uniform(0, 2 * np.pi, 500))
    modes = 50.0 * rng.integers(2, size=500) + rng.standard_normal(500)
    assert is_filled(uniform)
    assert is_filled(angle)
    assert not is_filled(modes)
    table = np.column_stack([uniform, np.exp(2 * rng.standard_normal(500))])
    found = scaled(table, "balanced")
    assert np.array_equal(found[:, :1], scaled(table[:, :1], "standardise"))
    assert np.array_equal(found[:, 1:], scaled(table[:, 1:], "copula"))
