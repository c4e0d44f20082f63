r"""Information between jointly Gaussian columns, and between columns with a Gaussian copula.

For jointly Gaussian columns with covariance S every term is a difference of log-determinants,

    I(X;Y|Z) = 1/2 [log|S_xz| + log|S_yz| - log|S_z| - log|S_xyz|].

With n rows, log|S_hat| of d columns (divisor n - 1) has the exact bias
sum_(i=1..d) psi((n - i)/2) - d log((n - 1)/2), by Bartlett's decomposition of the Wishart distribution;
it is removed from each determinant, so that the estimate is unbiased for Gaussian rows at every n > d.

The interval inverts the same test as for discrete columns: the influence function of a row is
1/2 (sum_S +- (quadratic form - d)), the second-order term at independence is a chi-square with
dx dy degrees of freedom.

References:
    N. Misra, H. Singh, E. Demchuk (2005), "Estimation of the entropy of a multivariate normal
    distribution", Journal of Multivariate Analysis 92 (the bias); R. Ince et al. (2017), "A statistical
    framework for neuroimaging data analysis based on mutual information estimated via a Gaussian copula",
    Human Brain Mapping 38 (the copula estimator).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from synergy.estimators.columns import Slot, check_rows, named_slots, scaled
from synergy.statistics.intervals import Expansion, check_confidence, cluster_variance, score_interval
from synergy.statistics.result import Estimate

__all__ = ["gaussian", "gaussian_value"]

Floats = npt.NDArray[np.float64]

_RANK_BIAS_ROWS = 50_000
"""Beyond this many rows the bias of normal scores is below a hundredth of the standard error."""


def log_determinant_bias(columns: int, rows: int) -> float:
    """E log|S_hat| - log|S| for Gaussian rows and divisor rows - 1."""
    order = np.arange(1, columns + 1)
    return float(digamma((rows - order) / 2).sum() - columns * np.log((rows - 1) / 2))


def _subsets(widths: tuple[int, int, int]) -> list[tuple[float, npt.NDArray[np.int64]]]:
    dx, dy, dz = widths
    x, y, z = np.arange(dx), dx + np.arange(dy), dx + dy + np.arange(dz)
    signed = [(1.0, np.r_[x, z]), (1.0, np.r_[y, z]), (-1.0, np.r_[x, y, z]), (-1.0, z)]
    return [(sign, index.astype(np.int64)) for sign, index in signed if index.size]


def gaussian_value(columns: Floats, widths: tuple[int, int, int]) -> float:
    """The bias-corrected value for columns (x, y, z) side by side, shape (n, dx + dy + dz), in nats.

    Raises:
        ValueError: If the columns are linearly dependent or there are not more rows than columns.
    """
    n = len(columns)
    covariance = np.atleast_2d(np.cov(columns, rowvar=False))
    value = 0.0
    for sign, index in _subsets(widths):
        value += sign / 2 * (_log_determinant(covariance, index) - log_determinant_bias(len(index), n))
    return value


def _log_determinant(covariance: Floats, index: npt.NDArray[np.int64]) -> float:
    block = covariance[index][:, index]
    spread = np.sqrt(np.diag(block))
    sign, value = np.linalg.slogdet(block / np.outer(spread, spread))
    if sign <= 0 or value < np.log(np.finfo(np.float64).eps) * 0.9 * len(block):
        raise ValueError("the columns are linearly dependent: their Gaussian information is infinite")
    return float(value + 2 * np.log(spread).sum())


def gaussian(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    z: npt.ArrayLike | None = None,
    *,
    copula: bool = False,
    confidence: float = 0.95,
    groups: npt.NDArray[np.integer] | None = None,
    seed: int = 0,
    term: str | None = None,
    columns: Sequence[Sequence[str]] = (),
) -> Estimate:
    """I(X;Y) or I(X;Y|Z) of jointly Gaussian columns, exactly unbiased for them.

    Args:
        x: Shape (n,) or (n, dx).
        y: Shape (n,) or (n, dy).
        z: Shape (n,) or (n, dz), or None.
        copula: Whether to replace each column by the normal scores of its ranks first, so that only the
            copula has to be Gaussian.
        confidence: The nominal coverage of the interval.
        groups: Codes of dependent rows, shape (n,); standard errors are then clustered by them.
        seed: Fixes the Gaussian rows on which the bias of the ranks is measured (with `copula`).
        term: What to call the quantity; `I(X;Y)` or `I(X;Y|Z)` by default.
        columns: What to call the columns of x, y and z in errors and notes.

    Returns:
        The estimate, in nats, with one influence value per row as scores. Where the columns (or their
        copula) are not Gaussian it is the information that a linear model can use, and the notes say so.

    Raises:
        ValueError: If a column is constant or contains NaN or infinities, lengths differ, there are too
            few rows, or columns are linearly dependent.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal(5000)
        >>> y = 0.8 * x + 0.6 * rng.standard_normal(5000)   # I = -log(0.6) = 0.5108
        >>> estimate = gaussian(x, y)
        >>> bool(estimate.interval[0] < 0.5108 < estimate.interval[1])
        True
    """
    check_confidence(confidence)
    slots = named_slots(x, y, z, columns)
    check_rows(slots, 1)
    table = np.hstack([scaled(s.values, "copula" if copula else "standardise") for s in slots])
    n, width = table.shape
    if n < width + 3:
        raise ValueError(f"{width} columns need at least {width + 3} rows, got {n}")
    widths = (slots[0].width, slots[1].width, slots[2].width if len(slots) > 2 else 0)
    value = gaussian_value(table, widths)
    if copula:
        value -= _rank_bias(table, widths, seed)
    influence = _influence(table, widths)
    design = 1.0
    spread = float(np.mean(np.square(influence)))
    if groups is not None:
        codes = np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
        if codes.shape != (n,):
            raise ValueError(f"groups must have shape ({n},), got {codes.shape}")
        clustered = cluster_variance(influence, codes)[0]
        design = clustered / spread if spread > 0 else 1.0
    freedom = float(widths[0] * widths[1])
    variance = spread * n / max(n - width, 1) - freedom / n
    noise = freedom * design / n
    known = max(spread + noise, np.finfo(float).tiny)
    third = float(np.mean(influence**3))
    expansion = Expansion(
        value=value,
        variance=variance,
        slope=(third + 2 * (spread + noise)) / known,
        skew=(third + 3 * (spread + noise)) / known,
        quadratic=freedom,
        cubic=freedom,
        samples=(n - width / 2) / design,
    )
    name = "gaussian copula" if copula else "gaussian"
    return Estimate(
        term=term or ("I(X;Y)" if z is None else "I(X;Y|Z)"),
        value=value,
        standard_error=expansion.standard_error,
        interval=score_interval(expansion, confidence),
        confidence=confidence,
        estimator=name,
        samples=n,
        notes=_notes(slots, copula),
        scores=value + influence,
    )


def _influence(table: Floats, widths: tuple[int, int, int]) -> Floats:
    """The centred influence value of each row, shape (n,)."""
    centred = table - table.mean(axis=0)
    covariance = centred.T @ centred / len(table)
    influence = np.zeros(len(table))
    for sign, index in _subsets(widths):
        part = centred[:, index]
        solved = np.linalg.solve(covariance[np.ix_(index, index)], part.T).T  # (n, d)
        influence += sign / 2 * (np.einsum("nd,nd->n", part, solved) - len(index))
    return influence


def _rank_bias(table: Floats, widths: tuple[int, int, int], seed: int) -> float:
    """What taking normal scores of finite samples adds, on Gaussian rows with the same correlations."""
    n = len(table)
    if n > _RANK_BIAS_ROWS:
        return 0.0
    values, vectors = np.linalg.eigh(np.atleast_2d(np.corrcoef(table, rowvar=False)))
    root = vectors * np.sqrt(np.maximum(values, 1e-12))
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(max(4, min(16, 20_000 // n))):
        drawn = rng.standard_normal(table.shape) @ root.T
        found.append(gaussian_value(scaled(drawn, "copula"), widths) - gaussian_value(drawn, widths))
    return float(np.mean(found))


def _notes(slots: list[Slot], copula: bool) -> tuple[str, ...]:
    kind = "copula" if copula else "distribution"
    notes = [
        f"exact only for a Gaussian {kind}: otherwise what a linear model can use, not Shannon information"
    ]
    for s in slots:
        if s.tied.any():
            notes.append(f"{s.column(int(np.argmax(s.tied)))} has many ties: it is not Gaussian")
    return tuple(notes)
