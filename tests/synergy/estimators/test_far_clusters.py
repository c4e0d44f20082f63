"""Clusters that lie far apart: what tells the cluster, and what tells rows within one, are both seen."""

import math

import numpy as np
import pytest

from synergy import estimate
from synergy.estimators.columns import scaled

ROWS = 300


def clusters(seed, distance):
    """The same of two clusters on both sides, apart by some standard deviations, and noise of each side."""
    rng = np.random.default_rng(seed)
    which = distance * rng.integers(2, size=ROWS)
    return which[:, None] + rng.standard_normal((ROWS, 2)), which + rng.standard_normal(ROWS)


@pytest.mark.parametrize("distance", [20.0, 1e3, 1e6])
def test_what_the_cluster_tells_is_a_bit(distance):
    """X and Y share the cluster and nothing else: I(X;Y) = log 2, up to errors of exp(-distance^2 / 8)."""
    x, y = clusters(0, distance)
    found = estimate({"X": x, "Y": y}, "I(X;Y)")
    assert found.interval[0] <= math.log(2) <= found.interval[1]


def test_what_rows_tell_within_clusters_adds_to_it():
    """Of a pair of correlation r within clusters I(X;Y) = log 2 - log(1 - r^2) / 2."""
    rng = np.random.default_rng(1)
    which, r = 1e3 * rng.integers(2, size=1_000), 0.9
    u, v = rng.standard_normal((2, 1_000))
    noise = rng.standard_normal(1_000)
    found = estimate(
        {"X": np.stack([which + u, noise], axis=1), "Y": which + r * u + math.sqrt(1 - r**2) * v}, "I(X;Y)"
    )
    truth = math.log(2) - math.log(1 - r**2) / 2
    assert found.interval[0] <= truth <= found.interval[1]


def test_ranks_keep_a_gap_and_make_none():
    rng = np.random.default_rng(2)
    low, high = rng.standard_normal((2, ROWS))
    both = scaled(np.concatenate([low, high + 50])[:, None], "balanced")[:, 0]
    assert both[ROWS:].min() - both[:ROWS].max() > 4
    normal = rng.standard_normal((ROWS, 1))
    np.testing.assert_array_equal(scaled(normal, "balanced"), scaled(normal, "copula"))
    lone = np.concatenate([low, [1e9]])[:, None]  # one row is no cluster
    np.testing.assert_array_equal(scaled(lone, "balanced"), scaled(lone, "copula"))
