"""Confidence intervals that also hold where the normal limit fails, and clustered variances.

A smooth functional of a distribution has an estimate that is asymptotically normal with variance V/n,
V the variance of its influence function. At and near independence V vanishes and the second-order term,
a quadratic form in Gaussians, takes over: 2n I(X;Y) becomes a (noncentral) chi-square. `score_interval`
covers both ends and everything between by inverting a test whose variance and skewness are those of the
hypothesised value, not of the estimate.

References:
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference" (the
    inversion); T. DiCiccio and B. Efron (1996), "Bootstrap confidence intervals", Statistical Science 11
    (least favourable families and acceleration); K.-Y. Liang and S. Zeger (1986), "Longitudinal data
    analysis using generalized linear models", Biometrika 73 (the clustered variance).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtr, ndtri, stdtrit

__all__ = [
    "Expansion",
    "check_confidence",
    "cluster_variance",
    "normal_interval",
    "score_interval",
]

Floats = npt.NDArray[np.float64]

_SMALL_SKEWNESS = 1e-4
"""Below this skewness a Pearson III quantile is the normal one, to rounding."""
_SMALLEST_TAIL = 1e-6
"""The smallest tail whose quantile is asked for."""
_LEAST_FREEDOM = 3.0
"""Student's quantiles are taken with at least these degrees of freedom; below, they say nothing."""


def check_confidence(confidence: float) -> float:
    """The confidence, if it lies strictly between 0 and 1.

    Raises:
        ValueError: If it does not.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}")
    return float(confidence)


def normal_interval(value: float, standard_error: float, confidence: float = 0.95) -> tuple[float, float]:
    """The symmetric interval value +- z standard_error.

    Example:
        >>> low, high = normal_interval(1.0, 0.1)
        >>> round(low, 3), round(high, 3)
        (0.804, 1.196)
    """
    half = float(ndtri(0.5 + check_confidence(confidence) / 2)) * standard_error
    return value - half, value + half


@dataclass(frozen=True)
class Expansion:
    """The moments of an estimate as a function of the true value t, to second order in 1/n.

    variance(t) = L(t) / n + quadratic / (2 n^2), with L(t) = max(0, V + slope (t - value)) the variance of
    the influence function, and the third cumulant is skew L(t) / n^2 + cubic / n^3. Where V is small the
    cheapest way to a far t is along the most curved direction, in which V grows by 2 bend (t - value); L
    follows the larger of both.

    Args:
        value: The bias-corrected estimate.
        variance: V, the variance of the influence function at the estimate.
        slope: dV/dt along the least favourable family.
        skew: The third cumulant of the linear and the mixed part, times n^2, for each unit of L.
        quadratic: The trace of the squared second-derivative operator, Q.
        cubic: The trace of its cube (its sign says which way a degenerate estimate leans).
        samples: n, the effective number of independent rows.
        freedom: The degrees of freedom of the estimated variance; infinite where it is known.
        smear: n^3 times the variance of the third-order term, which blurs the edge of a chi-square.
        bend: The least and the greatest eigenvalue of the second-derivative operator; 0 where unknown.
    """

    value: float
    variance: float
    slope: float
    skew: float
    quadratic: float
    cubic: float
    samples: float
    freedom: float = math.inf
    smear: float = 0.0
    bend: tuple[float, float] = (0.0, 0.0)

    def moments(self, truth: float) -> tuple[float, float, float]:
        """The standard deviation, the skewness and the lean of the estimate if the truth were `truth`.

        The lean is the second-order term's share of the variance, with the sign of its skewness: 0 where
        the estimate is normal, 1 at independence, -1 at a maximum such as the uniform entropy.
        """
        linear = self._linear(truth)
        n = self.samples
        second = self.quadratic / (2 * n * n)
        variance = linear / n + second
        if variance <= 0:
            return 0.0, 0.0, 0.0
        third = self.skew * linear / n**2 + self.cubic / n**3
        sign = max(-1.0, min(1.0, self.cubic / self.quadratic)) if self.quadratic > 0 else 0.0
        return math.sqrt(variance), third / variance**1.5, sign * second / variance

    def linear_share(self, truth: float) -> float:
        """The first-order term's share of the standard deviation: 0 at a degenerate point, at most 1."""
        linear = self._linear(truth)
        total = linear + self.quadratic / (2 * self.samples)
        return math.sqrt(linear / total) if total > 0 else 0.0

    def _linear(self, truth: float) -> float:
        move = truth - self.value
        gain = self.slope * move
        bend = self.bend[move > 0]
        if bend:
            rest = max(0.0, 2 - self.slope / bend) * max(self.variance, 0.0)
            gain = max(gain, 2 * bend * move - rest)
        return max(0.0, self.variance + gain)

    @property
    def standard_error(self) -> float:
        """The standard deviation at the estimate itself."""
        return self.moments(self.value)[0]


def _quantile(probability: float, skewness: float) -> float:
    """The standardised quantile of a Pearson III (shifted gamma) distribution."""
    probability = min(max(probability, _SMALLEST_TAIL), 1 - _SMALLEST_TAIL)
    if abs(skewness) < _SMALL_SKEWNESS:
        return float(ndtri(probability))
    if skewness < 0:
        return -_quantile(1 - probability, -skewness)
    shape = 4 / skewness**2
    return float((gammaincinv(shape, probability) - shape) / math.sqrt(shape))


def _of_student(tail: float, freedom: float) -> float:
    """The normal tail that reaches as far as this tail of Student's distribution."""
    if not math.isfinite(freedom) or tail <= 0:
        return tail
    return float(ndtr(stdtrit(max(freedom, _LEAST_FREEDOM), tail)))


def score_interval(expansion: Expansion, confidence: float = 0.95) -> tuple[float, float]:
    r"""All true values t that a test at level 1 - confidence does not reject.

    Under t the estimate has mean t, the variance and the skewness that `expansion.moments(t)` gives, and
    a Pearson III shape, which is exact for a central chi-square and within a few tenths of a percent of
    a noncentral one. The ends solve value = t + sd(t) q(t) with the two quantiles. The two tails share
    the level equally where the estimate is normal. At a degenerate point, such as independence, no other
    truth would make a smaller estimate likelier, and all of the level is spent on the tail that points
    away (as in Feldman and Cousins 1998, "Unified approach to the classical statistical analysis of small
    signals", Physical Review D 57); the lean interpolates. A chi-square has an edge, infinitely dense for
    one degree of freedom, and an estimate may lie beyond it by its third-order term: there the end reaches
    further by the normal quantile of that term. Where the variance was estimated with few degrees of
    freedom the tails are Student's, as far as the first-order term makes the variance.

    Args:
        expansion: The moments as a function of the truth.
        confidence: The nominal coverage.

    Returns:
        The ends (low, high); a degenerate expansion (all moments zero) gives (value, value).
    """
    level = 1 - check_confidence(confidence)
    value = expansion.value

    def gap(truth: float, upper: bool) -> float:
        deviation, skewness, lean = expansion.moments(truth)
        tail = level / 2 * (1 + lean if upper else 1 - lean)
        known = expansion.linear_share(truth) ** 4
        tail = _of_student(tail, expansion.freedom / known if known > 0 else math.inf)
        beyond = reach * max(0.0, -lean if upper else lean)
        quantile = _quantile(1 - tail if upper else tail, skewness)
        return truth + deviation * quantile + (beyond if upper else -beyond) - value

    reach = float(ndtri(1 - level / 2)) * math.sqrt(expansion.smear / expansion.samples**3)

    start = expansion.standard_error
    if not start > 0:
        return value, value
    low = _root(lambda t: gap(t, True), value, -start)
    high = _root(lambda t: gap(t, False), value, start)
    return low, high


def _root(function: Callable[[float], float], start: float, step: float) -> float:
    """The root of an increasing function nearest to `start` on the side that `step` points to."""
    inner, outer = start, start + step
    sign = 1 if step > 0 else -1
    while sign * function(outer) < 0:
        inner, step = outer, 2 * step
        outer = start + step
    for _ in range(60):
        middle = (inner + outer) / 2
        if sign * function(middle) < 0:
            inner = middle
        else:
            outer = middle
        if abs(outer - inner) <= 1e-7 * abs(step):
            break
    return (inner + outer) / 2


def cluster_variance(scores: Floats, groups: npt.NDArray[np.int64]) -> tuple[float, int]:
    """The long-run variance of scores whose rows are dependent within groups.

    With centred scores u_i it is (1/n) sum_g (sum_{i in g} u_i)^2 G / (G - 1), so that variance / n is
    the squared standard error of the mean (Liang and Zeger 1986).

    Args:
        scores: Shape (n,).
        groups: Group codes 0 .. G - 1, shape (n,).

    Returns:
        The variance and the number of groups G.

    Raises:
        ValueError: If there are fewer than two groups.
    """
    totals = np.bincount(groups, weights=scores - scores.mean())
    count = int(np.unique(groups).size)
    if count < 2:
        raise ValueError(f"a standard error needs at least 2 independent rows or groups, got {count}")
    return float(totals @ totals / len(scores) * count / (count - 1)), count
