"""The standard error of a nearest-neighbour estimate from random splits of the rows.

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

import numpy as np
import numpy.typing as npt

from synergy.estimators.neighbours.reference import GaussianReference

__all__ = ["Groups", "bias_notes", "draws_of_reference", "group_codes", "reference_variance", "subsampled"]

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.integer]

_INFLATION = 1.1
"""n times the variance still rises by about a tenth between a part and the whole (measured on Gaussians)."""

_REFERENCE_NOISE = 0.3
"""n times the variance of one measured bias (measured for k = 5; the part that neighbours add)."""

_SHARP = 0.5

_CHEAP_DIMENSIONS = 6
_CHEAP_ROWS = 20_000
"""Up to these joint columns and rows an estimate takes little, and the reference is drawn often."""


def group_codes(groups: Groups | None, n: int) -> npt.NDArray[np.int64]:
    """Codes 0 .. of the groups that no part may split, shape (n,): one for each row without groups.

    Raises:
        ValueError: If their shape is another, or they are fewer than four.
    """
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


def subsampled(
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


def draws_of_reference(n: int, width: int) -> int:
    """How many reference samples: as many as leave no more than a few percent of the standard error."""
    if width <= _CHEAP_DIMENSIONS and n <= _CHEAP_ROWS:
        return 8 if width == 2 else 4
    return 4 if n <= 4000 else 1


def reference_variance(biases: Floats, n: int) -> float:
    """The variance of the mean of the measured biases, also where there is one draw only."""
    if len(biases) > 1:
        return float(np.var(biases, ddof=1)) / len(biases)
    return _REFERENCE_NOISE / n


def bias_notes(
    doubled: float, shift: float, error: float, correction: str, k: int, n: int, *, sharp: bool = False
) -> list[str]:
    """What to say where the value moves by more than its standard error with k or with n.

    Half of that is said where columns end in edges or there are conditions (`sharp`): a bias is about twice
    the shift, and in such families (uniform noise, boxes, curved chains) it is often there, so that a note
    where there is none, in about a quarter of the data sets, is the lesser evil.
    """
    notes, tolerance = [], error * (_SHARP if sharp else 1.0)
    if correction == "gaussian":
        tolerance = 2 * math.hypot(error, math.sqrt(_REFERENCE_NOISE * _plan(n)[1] / n))
    elif abs(doubled) > tolerance:
        notes.append(f"bias: {2 * k} neighbours instead of {k} move the value by {doubled:+.4f}")
    if abs(shift) > tolerance:
        notes.append(f"bias: smaller subsamples move the value by {shift:+.4f}")
    return [f"{note}; the interval is of sampling error only" for note in notes]
