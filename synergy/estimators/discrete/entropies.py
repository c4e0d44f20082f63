"""Entropy of a finite distribution from counts, with each correction of the plug-in's bias.

All are in nats and take the positive counts n_1 .. n_m of the observed states, N their sum.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, xlogy

from synergy.estimators.discrete.digamma import digamma_entropy
from synergy.estimators.discrete.nsb import nsb_entropy

__all__ = ["BiasCorrection", "check_correction", "entropy"]

BiasCorrection = Literal["digamma", "none", "miller-madow", "grassberger", "chao-shen", "nsb", "shrinkage"]

Counts = npt.NDArray[np.float64]


def check_correction(correction: str) -> None:
    """Raise a ValueError that lists the corrections if the name is not one of them."""
    if correction not in get_args(BiasCorrection):
        raise ValueError(
            f"correction must be one of {', '.join(get_args(BiasCorrection))}, got {correction!r}"
        )


def plug_in_entropy(counts: Counts) -> float:
    """H = log N - (1/N) sum n log n."""
    total = counts.sum()
    return float(np.log(total) - xlogy(counts, counts).sum() / total)


def miller_madow_entropy(counts: Counts) -> float:
    """The plug-in plus (m - 1) / 2N, m the number of observed states (Miller 1955)."""
    return plug_in_entropy(counts) + (counts.size - 1) / (2 * float(counts.sum()))


def grassberger_numbers(counts: npt.NDArray[np.integer] | Counts) -> Counts:
    """G(n) = psi(n) + (-1)^n / 2 [psi((n + 1)/2) - psi(n/2)], Grassberger (2003), eq. 27."""
    n = np.asarray(counts, dtype=np.float64)
    sign = 1 - 2 * np.mod(n, 2)
    return np.asarray(digamma(n) + sign / 2 * (digamma((n + 1) / 2) - digamma(n / 2)))


def grassberger_entropy(counts: Counts) -> float:
    """H = log N - (1/N) sum n G(n); its bias falls exponentially in the counts.

    P. Grassberger (2003), "Entropy estimates from insufficient samplings", arXiv:physics/0307138.
    """
    total = counts.sum()
    return float(np.log(total) - counts @ grassberger_numbers(counts) / total)


def chao_shen_entropy(counts: Counts) -> float:
    """Horvitz-Thompson over the observed states with Good-Turing coverage C = 1 - f1/N.

    H = - sum C p log(C p) / (1 - (1 - C p)^N). Where every state was seen once, f1 = N would make the
    coverage zero; it is then taken as 1/N, as if one state had been seen twice.

    A. Chao and T.-J. Shen (2003), "Nonparametric estimation of Shannon's index of diversity when there
    are unseen species in sample", Environmental and Ecological Statistics 10.
    """
    total = float(counts.sum())
    singletons = float((counts == 1).sum())
    coverage = 1 - min(singletons, total - 1) / total
    p = coverage * counts / total
    seen = -np.expm1(total * np.log1p(-np.minimum(p, 1 - 1e-16)))
    return float(-(xlogy(p, p) / seen).sum())


def shrinkage_entropy(counts: Counts, states: float) -> float:
    """The plug-in at p_shrunk = w / K + (1 - w) n / N, with the James-Stein weight w.

    w = (1 - sum p^2) / ((N - 1) sum (1/K - p)^2), at most 1, over all K states, unseen ones included.

    J. Hausser and K. Strimmer (2009), "Entropy inference and the James-Stein estimator", JMLR 10.
    """
    total = float(counts.sum())
    p = counts / total
    unseen = states - counts.size
    distance = float(np.square(1 / states - p).sum()) + unseen / states**2
    if total <= 1 or distance == 0:
        weight = 1.0
    else:
        weight = min(1.0, (1 - float(np.square(p).sum())) / ((total - 1) * distance))
    shrunk = weight / states + (1 - weight) * p
    return float(-xlogy(shrunk, shrunk).sum() - unseen * xlogy(weight / states, weight / states))


def entropy(
    counts: npt.ArrayLike, correction: BiasCorrection = "miller-madow", *, states: int | None = None
) -> float:
    """The entropy of the distribution that the counts were drawn from, in nats.

    Args:
        counts: Non-negative counts, any shape; zeros are states that were not seen.
        correction: `miller-madow`, the default here (that of `plug_in` is `digamma`), `digamma`, `none`
            (plug-in), `grassberger`, `chao-shen`, `nsb` or `shrinkage`.
        states: The number of states K, used by `nsb` and `shrinkage`; None for the number of counts.

    Raises:
        ValueError: If a count is negative or not whole, all are zero, the correction is unknown, or
            `states` is smaller than the number of states that were seen.

    Example:
        >>> round(entropy([4, 2, 2, 0], "none"), 4), round(entropy([4, 2, 2, 0]), 4)
        (1.0397, 1.1647)
    """
    check_correction(correction)
    table = np.asarray(counts, dtype=np.float64).ravel()
    if not np.isfinite(table).all() or (table < 0).any() or (table != np.floor(table)).any():
        raise ValueError(f"counts must be whole numbers, not negative, got {counts!r}")
    seen = table[table > 0]
    if not seen.size:
        raise ValueError("counts must not all be zero: there is no row to estimate from")
    size = table.size if states is None else states
    if size < seen.size:
        raise ValueError(f"states={size} is fewer than the {seen.size} states that were seen")
    return entropy_of_seen(seen, correction, float(size))


def entropy_of_seen(seen: Counts, correction: BiasCorrection, states: float) -> float:
    """The same for checked, strictly positive counts."""
    if correction == "digamma":
        return digamma_entropy(seen)
    if correction == "none":
        return plug_in_entropy(seen)
    if correction == "miller-madow":
        return miller_madow_entropy(seen)
    if correction == "grassberger":
        return grassberger_entropy(seen)
    if correction == "chao-shen":
        return chao_shen_entropy(seen)
    if correction == "nsb":
        return nsb_entropy(seen, states)
    return shrinkage_entropy(seen, states)
