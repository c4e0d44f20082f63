r"""The digamma entropy with a least-squares correction at small counts: smooth, and nearly unbiased.

For a Poisson count n of mean lambda, E[n psi(n)] = lambda log lambda + lambda E_1(lambda), so that
psi(N) - (1/N) sum n psi(n) has a bias that falls like exp(-lambda) (Grassberger 1988). Grassberger (2003)
removes more of it by a term (-1)^n/2 that never dies out and raises the variance at independence by one
half, for counts of any size; that is poison for an interval. Here a correction h(n) for n < 12 alone is
the ridge least-squares solution of E h(n) = -lambda E_1(lambda) on lambda = 0.05 .. 40, the trade of
bias against variance that Paninski (2003, "Estimation of entropy and mutual information", Neural
Computation 15) makes over all linear estimators. `residual_variance(n)` estimates what n contributes to
the second-order variance: Var F(n) - Cov(F(n), n)^2 / lambda, which tends to 1/2, the chi-square limit.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear
from scipy.special import digamma, exp1, gammaln, polygamma

__all__ = ["digamma_entropy", "residual_variance", "small_count_terms", "variance_noise"]

Floats = npt.NDArray[np.float64]

_SMALL = 12
"""Counts below this are corrected (see above)."""
_RIDGE = 0.06
"""The penalty on the corrections: bias against variance."""
_STRESS = 10.0
"""Above two counts per state the weight of the bias rises, as its sum over many states must vanish there."""
_VARIANCE_RIDGE = 0.02
"""The penalty on the coefficients of the residual variance."""
_FLOOR = -0.2
"""The least residual variance of a count beyond one half: 0.3 in all, so that none is taken for certain."""
_DENSE = 40
"""Counts beyond this add nothing to the noise of the variance."""


def _ridge(design: Floats, target: Floats, weights: Floats, ridge: float, floor: float = -np.inf) -> Floats:
    """Weighted least squares with a penalty in proportion to the variance that each coefficient adds."""
    penalty = np.diag(np.sqrt(ridge * design.sum(axis=0)))
    stacked = np.vstack([design * weights[:, None], penalty])
    padded = np.r_[target * weights, np.zeros(design.shape[1])]
    solved = lsq_linear(stacked, padded, bounds=(floor, np.inf))
    return np.asarray(solved.x)


@lru_cache(maxsize=1)
def _small_counts() -> tuple[Floats, Floats, Floats]:
    """h(n), the residual variance less 1/2, and g(n), for n = 0 .. 11 (all 0 at n = 0)."""
    rate = np.exp(np.linspace(np.log(0.05), np.log(40), 120))  # (120,)
    n = np.arange(200)
    poisson = np.exp(n * np.log(rate)[:, None] - rate[:, None] - gammaln(n + 1))  # (120, 200)
    small = poisson[:, 1:_SMALL]
    weights = 1 + _STRESS * np.clip(rate / 2 - 1, 0, 1)
    h = np.zeros(_SMALL)
    h[1:] = _ridge(small, -rate * exp1(rate), weights, _RIDGE)
    f = np.zeros(n.size)
    f[1:] = n[1:] * digamma(n[1:])
    f[:_SMALL] += h
    mean = poisson @ f
    residual = poisson @ f**2 - mean**2 - (poisson @ (f * n) - mean * rate) ** 2 / rate
    g = np.zeros(_SMALL)
    squared = np.zeros(n.size)
    squared[1:] = n[1:] * (np.square(digamma(n[1:])) - polygamma(1, n[1:]))
    g[1:] = _ridge(small, rate * np.square(np.log(rate)) - poisson @ squared, weights, _RIDGE)
    excess = np.zeros(_SMALL)
    excess[1:] = _ridge(
        small, residual - (1 - poisson[:, 0]) / 2, np.ones_like(rate), _VARIANCE_RIDGE, _FLOOR
    )
    return h, excess, g


def _looked_up(counts: Floats, table: Floats) -> Floats:
    return np.asarray(np.where(counts < _SMALL, table[np.minimum(counts, _SMALL - 1).astype(np.intp)], 0.0))


def digamma_entropy(counts: Floats) -> float:
    """psi(N) - (1/N) sum [n psi(n) + h(n)] over the positive counts, in nats."""
    total = float(counts.sum())
    h = _looked_up(counts, _small_counts()[0])
    return float(digamma(total) - (counts @ digamma(counts) + h.sum()) / total)


def residual_variance(counts: Floats) -> float:
    """The sum over the states of the second-order variance; half the number of states for large counts."""
    return counts.size / 2 + float(_looked_up(counts, _small_counts()[1]).sum())


def small_count_terms(counts: Floats) -> tuple[Floats, Floats]:
    """h(n) and g(n) of each count, shape (m,).

    n psi(n) + h(n) is nearly unbiased for lambda log lambda, and n [psi(n)^2 - psi'(n)] + g(n) for
    lambda log^2 lambda; both vanish for counts of 12 and more.
    """
    h, _, g = _small_counts()
    return _looked_up(counts, h), _looked_up(counts, g)


@lru_cache(maxsize=1)
def _variance_noise() -> Floats:
    """For rates 0 .. 40 what a Poisson count adds to the estimated V and not along the estimate itself.

    At a rate with log lambda = l the term n [psi(n)^2 - psi'(n)] + g - 2 l [n psi(n) + h] + l^2 n of V has
    mean 0; this is its variance about its regression on n and n psi(n) + h, which vanishes in the
    chi-square limit.
    """
    n = np.arange(200.0)
    h, _, g = _small_counts()
    f, f2 = np.zeros((2, n.size))
    f[1:] = n[1:] * digamma(n[1:])
    f2[1:] = n[1:] * (np.square(digamma(n[1:])) - polygamma(1, n[1:]))
    f[:_SMALL] += h
    f2[:_SMALL] += g
    noise = np.zeros(_DENSE + 1)
    for rate in range(1, _DENSE + 1):
        p = np.exp(n * np.log(rate) - rate - gammaln(n + 1))
        level = np.log(rate)
        term = f2 - 2 * level * f + level * level * n
        known = np.stack([n - rate, f - p @ f])
        covered = (known * p) @ (term - p @ term)
        total = float(p @ np.square(term - p @ term))
        noise[rate] = total - covered @ np.linalg.solve((known * p) @ known.T, covered)
    return noise


def variance_noise(counts: Floats) -> float:
    """The variance that counts add to N times the estimate of V, none for counts above 40.

    Example:
        >>> variance_noise(np.full(16, 5.0)) > 100 * variance_noise(np.full(16, 40.0))
        True
    """
    few = np.rint(counts[counts <= _DENSE]).astype(np.intp)
    return float(_variance_noise()[few].sum())
