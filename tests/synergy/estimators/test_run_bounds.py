"""Runs of the sorted order within a radius, where most rows share one value."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from synergy.estimators.neighbours.bitsets import run_bounds

Floats = np.ndarray


def beside_an_atom(n: int) -> tuple[Floats, Floats]:
    """90 % of the rows at one value a, and radii |v - a| of which v -+ radius rounds to beyond a."""
    rng = np.random.default_rng(0)
    values = np.where(rng.random(n) < 0.9, -0.3391, rng.uniform(-3.0, 3.0, n))
    radius = np.abs(values + 0.3391)
    radius[radius == 0] = 1.0
    return values, radius


def beside_a_cluster(n: int) -> tuple[Floats, Floats]:
    """The same with values of 1e-18 that all differ, in place of the atom: 1 less any of them is 1."""
    rng = np.random.default_rng(0)
    values = np.where(rng.random(n) < 0.9, 1e-18 * rng.standard_normal(n), rng.choice([-1.0, 1.0], n))
    return values, np.ones(n)


def counted(values: Floats, radius: Floats, strict: bool) -> Floats:
    distance = np.abs(values[:, None] - values[None])
    return (distance < radius[:, None] if strict else distance <= radius[:, None]).sum(axis=1)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("draw", [beside_an_atom, beside_a_cluster])
def test_runs_beside_values_that_most_rows_share_are_exact(draw, strict):
    values, radius = draw(500)
    order, low, high = run_bounds(values, radius, strict=strict)
    np.testing.assert_array_equal(high - low, counted(values, radius, strict))
    assert (np.argsort(values, kind="stable") == order).all()


@pytest.mark.parametrize("strict", [True, False])
def test_a_radius_of_zero_holds_the_ties_or_nothing(strict):
    values = np.array([0.0, 0.0, 1.0, 2.0, 2.0, 2.0])
    _, low, high = run_bounds(values, np.zeros(6), strict=strict)
    assert (high - low).tolist() == ([0] * 6 if strict else [2, 2, 1, 3, 3, 3])


def calls_of(values: Floats, radius: Floats, strict: bool) -> int:
    """How many functions of numpy and Python a search calls, each of which passes over the rows once."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        run_bounds(values, radius, strict=strict)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("draw", [beside_an_atom, beside_a_cluster])
def test_an_atom_takes_log_n_steps_and_not_n(draw, strict):
    """Twice log n steps with a dozen calls each; one row at a time it took 10,000 and more."""
    n = 4000
    assert calls_of(*draw(n), strict) < 12 * 2 * (math.log2(n) + 4)
