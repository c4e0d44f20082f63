"""The intervals: exact limits, oracles by root finding, monotonicity, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2, norm
from scipy.stats import t as student

from synergy.statistics.intervals import (
    Expansion,
    check_confidence,
    cluster_variance,
    normal_interval,
    score_interval,
)


def regular(value=0.3, variance=0.5, slope=0.0, skew=0.0, quadratic=0.0, cubic=0.0, samples=100.0):
    return Expansion(value, variance, slope, skew, quadratic, cubic, samples)


def test_the_regular_case_is_the_normal_interval():
    expected = normal_interval(0.3, math.sqrt(0.5 / 100))
    assert score_interval(regular()) == pytest.approx(expected, abs=1e-6)


def test_a_linear_variance_gives_wilson_s_quadratic():
    """(value - t)^2 = z^2 (V + s (t - value)) / n has closed roots."""
    z, n, variance, slope = norm.ppf(0.975), 100.0, 0.5, 1.5
    b = z * z * slope / n
    roots = [(b + sign * math.sqrt(b * b + 4 * z * z * variance / n)) / 2 for sign in (-1, 1)]
    found = score_interval(regular(slope=slope))
    assert found == pytest.approx((0.3 + roots[0], 0.3 + roots[1]), abs=1e-5)


@pytest.mark.parametrize("freedom", [4.0, 12.5, 300.0])
def test_an_estimated_variance_gives_student_s_interval(freedom):
    expansion = Expansion(0.3, 0.5, 0.0, 0.0, 0.0, 0.0, 100.0, freedom)
    half = student.ppf(0.975, freedom) * math.sqrt(0.5 / 100)
    assert score_interval(expansion) == pytest.approx((0.3 - half, 0.3 + half), abs=1e-6)


@pytest.mark.parametrize("freedom", [1, 9, 81])
def test_independence_is_rejected_at_the_chi_square_quantile(freedom):
    """2 n I ~ chi2_f: 0 is the lower end exactly where 2 n I is the 95 % point (one-sided there)."""
    n = 500.0

    def low(statistic):
        value = (statistic - freedom) / (2 * n)
        expansion = Expansion(value, 2 * value, 2.0, 3.0, freedom, freedom, n)
        return score_interval(expansion)[0]

    threshold = brentq(low, freedom, freedom + 10 * math.sqrt(2 * freedom) + 5)
    assert chi2.sf(threshold, freedom) == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize("statistic", [0.2, 1.0, 4.0, 25.0])
def test_one_degree_of_freedom_gives_the_ends_of_the_noncentral_chi_square(statistic):
    """The upper end of 2 n I ~ chi2_1(2 n I) at 97.5 %: a Pearson III shape never falls short by over 2 %."""
    n = 500.0
    value = (statistic - 1) / (2 * n)
    high = score_interval(Expansion(value, 2 * value, 2.0, 3.0, 1.0, 1.0, n))[1]
    exact = brentq(lambda t: ncx2.cdf(statistic, 1, t) - 0.025, 1e-6, 100 + 4 * statistic)
    assert 0.98 * exact <= 2 * n * high <= 1.3 * exact


def test_the_most_curved_direction_bounds_the_variance_from_below():
    """V = b^2 + a^2 with a = 0 and T = b beta + a^2 / 2: beyond b^2 the cheapest way to t is along a."""
    plain, bent = (Expansion(0.0, 0.02, 0.0, 0.0, 1.0, 1.0, 100.0, bend=b) for b in ((0.0, 0.0), (0.0, 1.0)))
    for move in (-0.1, 0.01, 0.02):
        assert bent.moments(move) == plain.moments(move)
    n, linear = 100.0, 0.02 + 2 * (0.05 - 0.02)
    assert bent.moments(0.05)[0] ** 2 == pytest.approx(linear / n + 1 / (2 * n * n))


def test_an_estimate_beyond_the_edge_of_a_chi_square_does_not_exclude_it():
    """(z^2 - 1) / 2n ends at -1 / 2n; with a third-order term of 0.1 / 2n the truth 0 may give less."""
    n, value = 100.0, -1.15 / 200
    edges = [Expansion(value, 2 * value, 2.0, 3.0, 1.0, 1.0, n, smear=s) for s in (0.0, 0.25)]
    hard, blurred = (score_interval(e)[1] for e in edges)
    assert hard < 0 < blurred


def test_a_maximum_is_the_mirror_image():
    up = Expansion(0.01, 0.02, 2.0, 3.0, 4.0, 4.0, 200.0)
    down = Expansion(-0.01, 0.02, -2.0, -3.0, 4.0, -4.0, 200.0)
    low, high = score_interval(up)
    assert score_interval(down) == pytest.approx((-high, -low), abs=1e-6)


def test_wider_at_higher_confidence_and_exact_when_degenerate():
    expansion = regular(slope=1.0, quadratic=3.0, cubic=3.0)
    inner, outer = score_interval(expansion, 0.5), score_interval(expansion, 0.99)
    assert outer[0] < inner[0] < 0.3 < inner[1] < outer[1]
    assert score_interval(regular(variance=0.0)) == (0.3, 0.3)


def test_cluster_variance_of_repeats_and_of_singletons():
    scores = np.random.default_rng(0).standard_normal(500)
    single, count = cluster_variance(scores, np.arange(500))
    assert count == 500
    assert single == pytest.approx(scores.var() * 500 / 499, rel=1e-12)
    repeated, _ = cluster_variance(np.repeat(scores, 3), np.repeat(np.arange(500), 3))
    assert repeated == pytest.approx(3 * single, rel=1e-12)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5, math.nan])
def test_bad_confidence_is_named(confidence):
    with pytest.raises(ValueError, match="confidence must lie strictly between 0 and 1"):
        check_confidence(confidence)


def test_too_few_groups_are_named():
    with pytest.raises(ValueError, match="at least 2 independent rows or groups, got 1"):
        cluster_variance(np.ones(4), np.zeros(4, dtype=np.int64))
