"""Nearest-neighbour estimates of I(X;Y) and I(X;Y|Z) with intervals from subsamples.

The bootstrap duplicates points, which puts neighbours at distance zero: its intervals miss. Here the
variance comes from random splits of the rows into m disjoint parts, in which no row is repeated: the
estimates on the parts vary with m times the variance of the whole (Politis and Romano 1994; Holmes and
Nemenman 2019, "Estimation of mutual information for real-valued data with error bars and controlled bias",
Physical Review E 100), and the interval is Student's. The bias is checked by comparing k with 2k neighbours
and the whole with its parts, and the notes say where it shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from synergy.estimators.columns import (
    Scale,
    Slot,
    check_rows,
    check_scale,
    described,
    scaled,
    slot,
    spread_labels,
)
from synergy.estimators.intervals import check_confidence
from synergy.estimators.neighbours import local
from synergy.estimators.neighbours.reference import GaussianReference
from synergy.estimators.neighbours.search import available_workers
from synergy.estimators.neighbours.tiles import tiled_terms
from synergy.estimators.result import Estimate

__all__ = ["Method", "copula_knn", "knn", "mixed"]

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.integer]

Method = Literal["auto", "ksg1", "ksg2", "frenzel-pompe", "gao", "mesner-shalizi", "ross"]
"""The nearest-neighbour estimators; see `synergy.estimators.neighbours.local` for each."""

_INFLATION = 1.1
"""n times the variance still rises by about a tenth between a part and the whole (measured on Gaussians)."""

_REFERENCE_NOISE = 0.3
"""n times the variance of one measured bias (measured for k = 5; the part that neighbours add)."""

_CHEAP_DIMENSIONS = 6
_CHEAP_ROWS = 20_000
"""Up to these joint columns and rows an estimate takes a fraction of a second, and the reference more draws."""

_MANY_DIMENSIONS = 10
"""Beyond this many joint columns the bias of nearest neighbours is of the size of the value."""


def knn(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    z: npt.ArrayLike | None = None,
    *,
    method: Method = "auto",
    k: int = 5,
    scale: Scale | None = "standardise",
    correction: Literal["none", "gaussian"] = "none",
    confidence: float = 0.95,
    interval: bool = True,
    groups: Groups | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: str | None = None,
    term: str | None = None,
) -> Estimate:
    """Estimate I(X;Y) or I(X;Y|Z) of continuous columns from nearest neighbours.

    Args:
        x: Shape (n,) or (n, dx).
        y: Shape (n,) or (n, dy).
        z: Shape (n,) or (n, dz), or None.
        method: `ksg1` or `ksg2` without z, `frenzel-pompe` with or without, `gao` (no z) and
            `mesner-shalizi` for ties and mixtures. `auto` is KSG 1 or Frenzel-Pompe, and Mesner-Shalizi
            where a column has more than 5 % of repeated values.
        k: The number of neighbours.
        scale: `standardise` (the default: no answer depends on the units of a column), `copula` (normal
            scores of ranks: nor on any monotone change of a column), or None for the columns as they are.
        correction: `gaussian` subtracts the bias that the estimator has on Gaussian rows with the same
            correlations, n and k (see `GaussianReference`).
        confidence: The nominal coverage of the interval.
        interval: Whether to spend the time on a standard error and an interval (NaN otherwise).
        groups: Codes of dependent rows, shape (n,): subsamples never split a group.
        seed: Fixes the subsamples and the reference.
        workers: Threads; None for all cores. The answer does not depend on it.
        device: A torch device such as `cuda` to run KSG 1, Frenzel-Pompe and Mesner-Shalizi on, in tiles of
            all pairwise distances; None for trees and bitsets on the CPU. The answer is the same.
        term: What to call the quantity.

    Returns:
        The estimate, in nats, not clipped.

    Raises:
        ValueError: If there are NaN, infinities, constant columns, unequal lengths or too few rows, an
            option is unknown, or the method does not fit the columns.
        TypeError: If a slot does not hold numbers.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal(1000)
        >>> y = 0.8 * x + 0.6 * rng.standard_normal(1000)   # I = 0.5108
        >>> estimate = knn(x, y)
        >>> bool(estimate.interval[0] < 0.5108 < estimate.interval[1])
        True
    """
    slots = [slot(x, "x"), slot(y, "y")] + ([] if z is None else [slot(z, "z")])
    return _run(
        slots,
        method=method,
        k=k,
        scale=scale,
        correction=correction,
        confidence=confidence,
        interval=interval,
        groups=groups,
        seed=seed,
        workers=workers,
        device=device,
        term=term,
    )


def copula_knn(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    z: npt.ArrayLike | None = None,
    *,
    k: int = 5,
    confidence: float = 0.95,
    interval: bool = True,
    groups: Groups | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: str | None = None,
    term: str | None = None,
) -> Estimate:
    """`knn` on normal scores with its Gaussian bias removed: the most accurate one for continuous columns.

    The arguments are those of `knn`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((2000, 5))
        >>> y = 0.6 * x + 0.8 * rng.standard_normal((2000, 5))   # I = -5 log 0.8 = 1.1157
        >>> plain, corrected = knn(x, y, interval=False), copula_knn(x, y, interval=False)
        >>> bool(abs(plain.value - 1.1157) > 0.2), bool(abs(corrected.value - 1.1157) < 0.1)
        (True, True)
    """
    slots = [slot(x, "x"), slot(y, "y")] + ([] if z is None else [slot(z, "z")])
    return _run(
        slots,
        method="auto",
        k=k,
        scale="copula",
        correction="gaussian",
        confidence=confidence,
        interval=interval,
        groups=groups,
        seed=seed,
        workers=workers,
        device=device,
        term=term,
    )


def mixed(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    z: npt.ArrayLike | None = None,
    *,
    discrete_x: npt.ArrayLike | None = None,
    discrete_y: npt.ArrayLike | None = None,
    discrete_z: npt.ArrayLike | None = None,
    method: Method = "mesner-shalizi",
    k: int = 5,
    scale: Scale | None = "standardise",
    confidence: float = 0.95,
    interval: bool = True,
    groups: Groups | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: str | None = None,
    term: str | None = None,
) -> Estimate:
    """Estimate I(X;Y) or I(X;Y|Z) where columns are labels, numbers, or mixtures of both.

    Two different labels are further apart than any two numbers, so that neighbours share their labels
    wherever enough rows do.

    Args:
        x: Numbers, and labels as codes, shape (n,) or (n, dx).
        y: Shape (n,) or (n, dy).
        z: Shape (n,) or (n, dz), or None.
        discrete_x: Which columns of x are labels, shape (dx,); None for none.
        discrete_y: The same for y.
        discrete_z: The same for z.
        method: `mesner-shalizi` (any columns), `gao` (without z), or `ross` (one label column against
            numbers).
        k: The number of neighbours.
        scale: See `knn`; labels are not scaled.
        confidence: The nominal coverage of the interval.
        interval: Whether to spend the time on a standard error and an interval (NaN otherwise).
        groups: Codes of dependent rows, shape (n,).
        seed: Fixes the subsamples.
        workers: Threads; None for all cores.
        device: See `knn`.
        term: What to call the quantity.

    Returns:
        The estimate, in nats, not clipped; the notes count rows that had to be left out because no
        other row shares their labels.

    Raises:
        ValueError: As `knn`.
        TypeError: As `knn`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> a = rng.integers(2, size=2000)
        >>> x = 6.0 * a + rng.standard_normal(2000)          # a can be read off x: I = log 2
        >>> bool(abs(mixed(a, x, discrete_x=[True], interval=False).value - np.log(2)) < 0.05)
        True
    """
    slots = [slot(x, "x", discrete=discrete_x), slot(y, "y", discrete=discrete_y)]
    if z is not None:
        slots.append(slot(z, "z", discrete=discrete_z))
    return _run(
        slots,
        method=method,
        k=k,
        scale=scale,
        correction="none",
        confidence=confidence,
        interval=interval,
        groups=groups,
        seed=seed,
        workers=workers,
        device=device,
        term=term,
    )


def _run(
    slots: list[Slot],
    *,
    method: Method,
    k: int,
    scale: Scale | None,
    correction: Literal["none", "gaussian"],
    confidence: float,
    interval: bool,
    groups: Groups | None,
    seed: int,
    workers: int | None,
    device: str | None,
    term: str | None,
) -> Estimate:
    check_confidence(confidence)
    check_scale(scale)
    if correction not in ("none", "gaussian"):
        raise ValueError(f"correction must be 'none' or 'gaussian', got {correction!r}")
    n = check_rows(slots, k)
    threads = available_workers(workers)
    chosen, notes = _chosen(method, slots)
    notes.append(described(scale))
    widths = (slots[0].width, slots[1].width, slots[2].width if len(slots) > 2 else 0)
    table, gap = _table(slots, scale)
    first = bool(slots[0].discrete.all())
    if correction == "gaussian" and (chosen == "mesner-shalizi" or any(s.discrete.any() for s in slots)):
        correction = "none"
        notes.append("no Gaussian bias correction: it needs continuous columns without ties")

    def estimate(rows: Floats, neighbours: int = k) -> float:
        terms = _terms(chosen, rows, widths, neighbours, threads, gap, first, device)
        return float(np.nanmean(terms)) if not np.isnan(terms).all() else math.nan

    terms = _terms(chosen, table, widths, k, threads, gap, first, device)
    dropped = int(np.isnan(terms).sum())
    if dropped == n:
        raise ValueError("no two rows share their labels: there is nothing to estimate from")
    if dropped:
        notes.append(f"{dropped} of {n} rows left out: no other row shares their labels")
    value, extra = float(np.nanmean(terms)), 0.0
    if correction == "gaussian":
        draws = _draws(n, sum(widths))
        biases = GaussianReference(estimate, widths, rows=n, draws=draws, seed=seed).biases(table)
        value -= float(biases.mean())
        extra = _reference_variance(biases, n)
        notes.append(
            f"a bias of {biases.mean():+.4f} was measured on Gaussian rows with the same correlations"
        )
    if sum(widths) > _MANY_DIMENSIONS and correction == "gaussian":
        notes.append(
            f"{sum(widths)} joint dimensions: the bias was removed as if the copula were Gaussian; where "
            "it is not, no nearest-neighbour estimate is trustworthy there"
        )
    elif sum(widths) > _MANY_DIMENSIONS:
        notes.append(
            f"{sum(widths)} joint dimensions: nearest neighbours are biased there and the interval is of "
            "sampling error only; use copula_knn, a classifier or a variational bound"
        )
    error, ends = math.nan, (math.nan, math.nan)
    if interval:
        error, freedom, shift = _subsampled(
            table, widths, estimate, correction == "gaussian", _group_codes(groups, n), seed, value
        )
        error = math.hypot(error, math.sqrt(extra))
        half = float(student.ppf(0.5 + confidence / 2, freedom)) * error
        ends = value - half, value + half
        doubled = estimate(table, 2 * k) - float(np.nanmean(terms)) if n >= 8 * k else 0.0
        notes.extend(_bias_notes(doubled, shift, error, correction, k, n))
    return Estimate(
        term=term or ("I(X;Y)" if len(slots) == 2 else "I(X;Y|Z)"),
        value=value,
        standard_error=error,
        interval=ends,
        confidence=confidence,
        estimator=f"{chosen} k={k}" + (" gaussian-corrected" if correction == "gaussian" else ""),
        samples=n,
        notes=tuple(notes),
    )


def _chosen(method: Method, slots: list[Slot]) -> tuple[str, list[str]]:
    """The method, checked against the columns, and what to say about the choice."""
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(get_args(Method))}, got {method!r}")
    conditional = len(slots) > 2
    labelled = any(s.discrete.any() for s in slots)
    if method in ("ksg1", "ksg2", "gao", "ross") and conditional:
        raise ValueError(
            f"method {method!r} has no conditional form: use 'frenzel-pompe' or 'mesner-shalizi'"
        )
    if method == "ross":
        kinds = [s.discrete.all() and s.width == 1 for s in slots], [not s.discrete.any() for s in slots]
        if not ((kinds[0][0] and kinds[1][1]) or (kinds[0][1] and kinds[1][0])):
            raise ValueError("method 'ross' needs one discrete column in one slot and numbers in the other")
        return method, []
    if method in ("gao", "mesner-shalizi"):
        return method, []
    if labelled:
        raise ValueError(f"method {method!r} needs continuous columns: use 'mesner-shalizi', 'gao' or 'ross'")
    tied = [(s.name, int(np.argmax(s.tied))) for s in slots if s.tied.any()]
    if tied:
        name, column = tied[0]
        return "mesner-shalizi", [
            f"column {column} of {name} repeats more than 5 % of its values: switched from {method} to "
            "mesner-shalizi, which allows ties"
        ]
    if method == "auto":
        return ("frenzel-pompe" if conditional else "ksg1"), []
    return method, []


def _table(slots: list[Slot], scale: Scale | None) -> tuple[Floats, float]:
    """All columns side by side, scaled, labels spread; and the largest distance within labels."""
    parts, widest = [], 0.0
    for s in slots:
        part = s.values.copy()
        numbers = ~s.discrete
        if numbers.any():
            part[:, numbers] = scaled(s.values[:, numbers], scale)
            widest = max(widest, float(np.ptp(part[:, numbers], axis=0).max()))
        parts.append(part)
    widest = widest or 1.0
    spread = [spread_labels(part, s.discrete, 4 * widest) for part, s in zip(parts, slots, strict=True)]
    labelled = any(s.discrete.any() for s in slots)
    return np.hstack(spread), widest if labelled else math.inf


def _terms(
    method: str,
    table: Floats,
    widths: tuple[int, int, int],
    k: int,
    workers: int,
    largest: float,
    labels_first: bool,
    device: str | None,
) -> Floats:
    """The local terms of a method on columns side by side, shape (n,)."""
    dx, dy, dz = widths
    x, y = np.ascontiguousarray(table[:, :dx]), np.ascontiguousarray(table[:, dx : dx + dy])
    z = np.ascontiguousarray(table[:, dx + dy :]) if dz else None
    k = min(k, len(table) - 1)
    if device is not None:
        return tiled_terms(method, x, y, z, k, device=device, largest=largest)
    if method == "ksg1" or (method == "frenzel-pompe" and z is None):
        return local.ksg1(x, y, k, workers)
    if method == "ksg2":
        return local.ksg2(x, y, k, workers)
    if method == "gao":
        return local.gao(x, y, k, workers)
    if method == "ross":
        labels, numbers = (x, y) if labels_first else (y, x)
        codes = np.unique(labels[:, 0], return_inverse=True)[1].astype(np.int64)
        return local.ross(codes, numbers, k, workers)
    if method == "frenzel-pompe" and z is not None:
        return local.frenzel_pompe(x, y, z, k, workers)
    return local.mesner_shalizi(x, y, z, k, workers, largest=largest)


def _group_codes(groups: Groups | None, n: int) -> npt.NDArray[np.int64]:
    if groups is None:
        return np.arange(n)
    array = np.asarray(groups)
    if array.shape != (n,):
        raise ValueError(f"groups must have shape ({n},), got {array.shape}")
    codes = np.unique(array, return_inverse=True)[1].astype(np.int64)
    if codes.max() < 3:
        raise ValueError(f"groups must mark at least 4 groups to be subsampled, got {int(codes.max()) + 1}")
    return codes


def _plan(n: int) -> tuple[int, int]:
    """How many random splits into how many parts."""
    if n <= 2000:
        return 16, 2
    return (4, 4) if n <= 20_000 else (2, 8)


def _subsampled(
    table: Floats,
    widths: tuple[int, int, int],
    estimate: Callable[[Floats], float],
    corrected: bool,
    groups: npt.NDArray[np.int64],
    seed: int,
    value: float,
) -> tuple[float, int, float]:
    """The standard error, its degrees of freedom, and how far the parts' mean lies from the value."""
    splits, parts = _plan(len(table))
    count = int(groups.max()) + 1
    rng = np.random.default_rng([seed, 1])
    size = len(table) // parts
    reference = GaussianReference(estimate, widths, rows=size, draws=1, seed=seed) if corrected else None
    variances, means = [], []
    for _ in range(splits):
        part_of_group = rng.permutation(np.arange(count) % parts)
        part = part_of_group[groups]
        found = []
        for p in range(parts):
            rows = table[part == p]
            here = estimate(rows)
            if reference is not None:
                here -= float(reference.biases(rows)[0])
            found.append(here)
        variances.append(float(np.var(found, ddof=1)) / parts)
        means.append(float(np.mean(found)))
    variance = _INFLATION * float(np.mean(variances))
    return math.sqrt(variance), int(0.75 * splits * (parts - 1)), float(np.mean(means)) - value


def _draws(n: int, width: int) -> int:
    """How many reference samples: as many as leave no more than a few percent of the standard error."""
    if width <= _CHEAP_DIMENSIONS and n <= _CHEAP_ROWS:
        return 8 if width == 2 else 4
    return 4 if n <= 4000 else 1


def _reference_variance(biases: Floats, n: int) -> float:
    """The variance of the mean of the measured biases, also where there is one draw only."""
    if len(biases) > 1:
        return float(np.var(biases, ddof=1)) / len(biases)
    return _REFERENCE_NOISE / n


def _bias_notes(doubled: float, shift: float, error: float, correction: str, k: int, n: int) -> list[str]:
    """What to say where the value moves by more than its standard error with k or with n."""
    notes, tolerance = [], error
    if correction == "gaussian":
        tolerance = 2 * math.hypot(error, math.sqrt(_REFERENCE_NOISE * _plan(n)[1] / n))
    elif abs(doubled) > error:
        notes.append(f"bias: {2 * k} neighbours instead of {k} move the value by {doubled:+.4f}")
    if abs(shift) > tolerance:
        notes.append(f"bias: smaller subsamples move the value by {shift:+.4f}")
    return [f"{note}; the interval is of sampling error only" for note in notes]
