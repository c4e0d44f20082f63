r"""What a sparse table hides from the digamma entropy: an estimate of the bias that is left.

With a Poisson count of mean lambda in a cell, the digamma entropy misses lambda log lambda by

    b(lambda) = E[n psi(n) + h(n)] - lambda log lambda,

and the second moment of the influence misses lambda log^2 lambda in the same way, by b'(lambda). b
vanishes above five rows per cell and is largest, 0.14, near lambda = 0.2. One cell's count says
nothing of its own lambda, but the counts of all cells together say how the lambdas are spread: their
distribution G of most likelihood (Kiefer and Wolfowitz 1956, "Consistency of the maximum likelihood
estimator in the presence of infinitely many incidental parameters"; by EM on a grid, Laird 1978), the empty
cells included. The bias that is left is then cells * E_G b(lambda).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln, polygamma

from synergy.estimators.discrete.digamma import small_count_terms

__all__ = ["residual_bias"]

Floats = npt.NDArray[np.float64]

_LEAST, _MOST, _RATES = 0.05, 30, 32
"""Below the least rate a cell cannot be told from an impossible one; from `_DENSE` on no bias is left."""
_DENSE = 11.0
"""Rates beyond this leave no bias."""
_STEPS = 100
"""Steps of EM, after which the bias that is left hardly moves."""


@lru_cache(maxsize=1)
def _grid() -> tuple[Floats, Floats]:
    """The probabilities of 0 .. 30 rows at each rate, shape (rates, 31), and b, b' there, (rates, 2)."""
    rate = np.exp(np.linspace(np.log(_LEAST), np.log(_MOST), _RATES))
    n = np.arange(200.0)
    poisson = np.exp(n * np.log(rate)[:, None] - rate[:, None] - gammaln(n + 1))  # (rates, 200)
    h, g = small_count_terms(n[1:])
    f, f2 = np.zeros((2, n.size))
    f[1:] = n[1:] * digamma(n[1:]) + h
    f2[1:] = n[1:] * (np.square(digamma(n[1:])) - polygamma(1, n[1:])) + g
    missed = np.stack(
        [poisson @ f - rate * np.log(rate), poisson @ f2 - rate * np.square(np.log(rate))], axis=1
    )
    missed[rate > _DENSE] = 0.0
    impossible = np.eye(1, _MOST + 1)
    return np.vstack([impossible, poisson[:, : _MOST + 1]]), np.vstack([np.zeros(2), missed])


def residual_bias(counts: Floats, cells: float) -> tuple[float, float]:
    """The estimated sums of b(lambda) and b'(lambda) over the cells of a table.

    Args:
        counts: The positive counts, shape (m,).
        cells: How many cells there are, empty ones included.

    Returns:
        N times the bias of the negative entropy, and of the second moment of log p; 0 where no count is
        small.

    Example:
        >>> residual_bias(np.full(16, 100.0), 16)
        (0.0, 0.0)
        >>> residual_bias(np.ones(16), 32)[0] > 1
        True
    """
    small = counts[counts <= _MOST].astype(np.intp)
    if not small.size:
        return 0.0, 0.0
    seen = np.bincount(small, minlength=_MOST + 1).astype(np.float64)
    seen[0] = max(cells - counts.size, 0.0)
    poisson, missed = _grid()
    shown = seen > 0
    likelihood, share = poisson[:, shown], seen[shown] / seen.sum()
    weights = np.full(len(missed), 1 / len(missed))
    for _ in range(_STEPS):
        weights = weights * (likelihood @ (share / (weights @ likelihood)))
    first, second = seen.sum() * (weights @ missed)
    return float(first), float(second)
