"""One rule of when a column is fixed by others, for conditions and for columns beside it."""

from __future__ import annotations

import numpy as np
import pytest

from synergy.estimators.columns import Slot, is_tied, named_slots, slot, without_repeats
from synergy.estimators.fixed import without_fixed
from synergy.estimators.neighbours import knn

Floats = np.ndarray


def spike(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Two independent columns but for one row, beside which all others are less than rounding."""
    x, z = rng.standard_normal((2, n))
    x[0] = z[0] = 1e9
    return x, z


def floor(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """A column with 70 % zeros in two units: its median has no spread."""
    x = np.where(rng.random(n) < 0.7, 0.0, rng.gamma(2.0, size=n))
    return x, 2.54 * x + 7.0


def single(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """A column in single precision, in two units."""
    x = rng.standard_cauchy(n)
    return x.astype(np.float32).astype(np.float64), 0.3 * x


FIXED = {spike: False, floor: True, single: True}


@pytest.mark.parametrize("draw", FIXED, ids=[draw.__name__ for draw in FIXED])
def test_conditions_and_columns_beside_fix_by_one_rule(draw):
    rng = np.random.default_rng(0)
    x, z = draw(rng, 300)
    y = rng.standard_normal(300)
    by_condition = not without_fixed(named_slots(x, y, z))[0]
    beside = without_repeats(named_slots(np.column_stack([z, x]), y, None))[0][0].width == 1
    assert by_condition == beside == FIXED[draw]


def test_information_beside_one_extreme_row_is_not_zero():
    """I(X;Y|Z) of a copy with noise; by the largest value, or the variance, Z would fix X."""
    rng = np.random.default_rng(1)
    x, z = spike(rng, 400)
    found = knn(x, x + 0.5 * rng.standard_normal(400), z, scale="copula")
    assert found.interval[0] > 0.3


def test_a_slot_takes_columns_with_their_names():
    rng = np.random.default_rng(0)
    whole = slot(
        np.column_stack([np.arange(50) // 2, rng.permutation(50), rng.standard_normal(50)]),
        "x",
        discrete=[False, True, False],
    )
    named = Slot(whole.values, whole.discrete, whole.tied, "x", ("a", "b", "c"))
    for given in (whole, named):
        part = given.take(np.array([True, False, True]))
        np.testing.assert_array_equal(part.values, given.values[:, [0, 2]])
        assert part.discrete.tolist() == [False, False]
        assert part.tied.tolist() == [True, False]
    assert named.take(np.array([False, True, True])).columns == ("b", "c")
    assert whole.take(np.array([False, True, True])).column(0) == "column 0 of x"


@pytest.mark.parametrize("n", [20, 60, 100, 140, 1000])
def test_five_percent_of_repeats_are_no_ties_and_more_are(n):
    repeats = n // 20
    column = np.arange(float(n))
    assert not is_tied(np.maximum(column, repeats))
    assert is_tied(np.maximum(column, repeats + 1))
    assert not slot(np.maximum(column, repeats), "x").tied.any()
