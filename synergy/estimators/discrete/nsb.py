"""The Nemenman-Shafee-Bialek entropy: a prior that is nearly flat in the entropy itself.

A symmetric Dirichlet prior of any one concentration beta fixes the entropy almost completely before a
count is seen. NSB mixes them with the weight that makes the prior mean xi(beta) = psi(K beta + 1) -
psi(beta + 1) uniform on 0 .. log K:

    H = int dbeta xi'(beta) rho(n|beta) E[H|n, beta] / int dbeta xi'(beta) rho(n|beta).

References:
    I. Nemenman, F. Shafee and W. Bialek (2001), "Entropy and inference, revisited", NIPS 14,
    arXiv:physics/0108025. D. Wolpert and D. Wolf (1995), Physical Review E 52 (E[H|n, beta]).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, digamma, gammaln, polygamma

__all__ = ["nsb_entropy"]

Floats = npt.NDArray[np.float64]

_LOG_BETA = (-25.0, 17.0)
"""Where the integrand is looked for: log beta, the lower end less log K, since K beta is what the prior
sees."""

_COARSE_STEP, _FINE = 1 / 6, 801
"""The step of log beta at which the integrand is looked for, and the points of the integral where it lies."""

_NEGLIGIBLE = 40.0
"""A log weight this far below the greatest one adds less than rounding."""

_LARGE = 1e6
"""From here on psi'(x + 1) is taken from its series in 1/x: a difference of two of them would cancel."""


def _log_weight(log_beta: Floats, counts: Floats, copies: Floats, states: float) -> Floats:
    """Log of xi'(beta) rho(n|beta) beta, the integrand over log beta; shape of log_beta."""
    beta = np.exp(log_beta)
    total = float(copies @ counts)
    slope = np.where(
        beta < _LARGE,
        states * polygamma(1, states * beta + 1) - polygamma(1, beta + 1),
        (1 - 1 / states) / (2 * beta * beta),
    )
    evidence = betaln(states * beta, total) - gammaln(total)
    evidence = evidence - (betaln(beta, counts[:, None]) - gammaln(counts)[:, None]).T @ copies
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(slope > 0, np.log(slope), -np.inf) + evidence + log_beta)


def _mean_entropy(log_beta: Floats, counts: Floats, copies: Floats, states: float) -> Floats:
    """E[H | n, beta] under the Dirichlet posterior; shape of log_beta."""
    beta = np.exp(log_beta)
    total = float(copies @ counts) + states * beta
    shifted = counts[:, None] + beta
    inner = (shifted * digamma(shifted + 1)).T @ copies + (states - copies.sum()) * beta * digamma(beta + 1)
    return np.asarray(digamma(total + 1) - inner / total)


def nsb_entropy(counts: Floats, states: float) -> float:
    """The NSB posterior mean entropy, in nats.

    Args:
        counts: The positive counts of the states that were seen.
        states: K, the number of states that exist.

    Example:
        >>> round(nsb_entropy(np.array([4.0, 2.0, 2.0]), 4), 4)
        1.1533
    """
    if states == 1:
        return 0.0
    distinct, copies = np.unique(np.asarray(counts, dtype=np.float64), return_counts=True)
    multiplicity = copies.astype(np.float64)
    low, high = _LOG_BETA[0] - float(np.log(states)), _LOG_BETA[1]
    coarse = np.linspace(low, high, int((high - low) / _COARSE_STEP) + 1)
    weight = _log_weight(coarse, distinct, multiplicity, states)
    kept = np.flatnonzero(weight > weight.max() - _NEGLIGIBLE)
    low, high = coarse[max(kept[0] - 1, 0)], coarse[min(kept[-1] + 1, coarse.size - 1)]
    fine = np.linspace(low, high, _FINE)
    weight = _log_weight(fine, distinct, multiplicity, states)
    weight = np.exp(weight - weight.max())
    mean = _mean_entropy(fine, distinct, multiplicity, states)
    return float(np.trapezoid(weight * mean, fine) / np.trapezoid(weight, fine))
