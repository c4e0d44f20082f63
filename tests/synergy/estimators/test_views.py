"""Rows that are views of the same things: near copies in an order that tells nothing, without groups."""

import numpy as np
import pytest

from synergy import estimate, independence_test
from synergy.estimators.views import rows_that_are_views
from synthetic import Sample


def views(rng, things, copies, jitter, columns):
    """Columns of correlated pairs, with a jitter of their own, in random order."""
    x = rng.standard_normal((things, columns))
    y = 0.6 * x + 0.8 * rng.standard_normal((things, columns))
    rows = rng.permutation(np.repeat(np.arange(things), copies))
    shape = (len(rows), columns)
    return {
        "X": x[rows] + jitter * rng.standard_normal(shape),
        "Y": y[rows] + jitter * rng.standard_normal(shape),
        "thing": rows,
    }


def said(data, names=("X", "Y")):
    return rows_that_are_views(Sample.infer(data), list(names))


@pytest.mark.parametrize(
    ("copies", "columns", "jitter"), [(2, 1, 0.01), (3, 1, 0.003), (2, 4, 0.05), (4, 8, 0.05), (2, 30, 0.05)]
)
def test_views_are_told_from_draws(copies, columns, jitter):
    for seed in range(5):
        data = views(np.random.default_rng(seed), 600 // copies, copies, jitter, columns)
        assert f"{copies} at a time" in said(data)


def test_estimates_and_tests_say_so_and_groups_end_it():
    data = views(np.random.default_rng(1), 150, 2, 0.01, 1)
    assert any("close together" in said for said in estimate(data, "I(X;Y)").warnings)
    assert any("close together" in said for said in independence_test(data, "X _||_ Y").warnings)
    assert not estimate(data, "I(X;Y)", groups="thing").warnings


# Independent rows that are dense, or even, in ways of their own. The law holds for each of them, so that a
# warning has a chance below 3 in 1,000 a width of cells; none of 20 sets has one with a chance above 1/2.
def draws(kind, rng, n):
    x = rng.standard_normal(n)
    if kind == "a curve":
        return x, np.sin(3 * x)
    if kind == "clusters":
        middle = rng.integers(0, n // 3, n)
        return middle + 1e-4 * x, middle + 1e-4 * rng.standard_normal(n)
    if kind == "atoms":
        return np.maximum(x, 0), np.maximum(x + rng.standard_normal(n), 0)
    if kind == "rounded":
        return np.round(x, 1), np.round(x + rng.standard_normal(n), 1)
    if kind == "heavy tails":
        return rng.standard_cauchy(n), 1e200 * rng.standard_cauchy(n)
    if kind == "evenly spaced":
        even = rng.permutation(np.linspace(0, 1, n))
        return even, even + 1e-5 * x
    raise AssertionError(kind)


@pytest.mark.parametrize("n", [100, 1_000])
@pytest.mark.parametrize("kind", ["a curve", "clusters", "atoms", "rounded", "heavy tails", "evenly spaced"])
def test_independent_rows_are_not_views(kind, n):
    for seed in range(20):
        x, y = draws(kind, np.random.default_rng([seed, n]), n)
        assert said({"X": x, "Y": y}) is None


def test_a_balanced_design_of_classes_is_no_view():
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(100), 2)
    assert said({"A": label.astype(str), "X": rng.standard_normal(200)}, ["A", "X"]) is None
    kept = np.repeat(rng.standard_normal((10, 2)), 30, axis=0) + 1e-3 * rng.standard_normal((300, 2))
    assert said({"X": kept[:, 0], "Y": kept[:, 1]}) is None


def test_what_does_not_vary_is_left_alone():
    assert said({"X": np.full(100, 1.5), "Y": np.full(100, 0.25)}) is None
    assert said({"X": np.random.default_rng(0).standard_normal(5)}, ["X"]) is None
