"""The standard error of a nearest-neighbour estimate from random splits of the rows.

The bootstrap duplicates points, which puts neighbours at distance zero: its intervals miss. Here the
variance comes from random splits of the rows into m disjoint parts, in which no row is repeated: the
estimates on the parts vary with m times the variance of the whole (Politis and Romano 1994; Holmes and
Nemenman 2019, "Estimation of mutual information for real-valued data with error bars and controlled bias",
Physical Review E 100), and the interval is Student's.

Rows of one group may be near copies, and then the nearest neighbours of a row are its copies and say nothing
of the distribution. So with groups an estimate is the mean over a few draws of one row from each group.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Groups", "Thinned", "group_codes", "parts_of", "subsampled"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Groups = npt.NDArray[np.integer]

_INFLATION = 1.1
"""n times the variance still rises by about a tenth between a part and the whole (measured on Gaussians)."""

_OF_FEW_ROWS = 50.0
"""How many times (k / m)^3 the variance is larger than parts of m rows tell: with half or a third of them for
neighbours a part cannot say much, so its values vary less. Of 25 Gaussian rows, correlated by 0.6, and k = 5
the variance is three times what the parts tell, of 20 rows five times, of 60 rows a seventh more."""

_FREEDOM = 0.75
"""Splits share their rows: the variances of s splits have this share of s (m - 1) degrees of freedom."""

_PICKS = 8
"""How many draws of one row from each group an estimate is the mean of, and of each part, a quarter of
these."""


def group_codes(groups: Groups | None, n: int) -> Indices:
    """Codes 0 .. of the groups that no part may split, shape (n,): one for each row without groups.

    Raises:
        ValueError: If their shape is another.
    """
    if groups is None:
        return np.arange(n)
    array = np.asarray(groups)
    if array.shape != (n,):
        raise ValueError(f"groups must have shape ({n},), got {array.shape}")
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class Thinned:
    """Draws of one row from each group.

    Args:
        groups: The group of each row, codes 0 .., shape (n,).
        seed: Fixes the draws.
    """

    groups: Indices
    seed: int

    @property
    def count(self) -> int:
        """The number of groups."""
        return int(self.groups.max()) + 1

    @property
    def single(self) -> bool:
        """Whether every group is one row, so that nothing is thinned."""
        return self.count == len(self.groups)

    def picks(self, rows: Indices, *, few: bool = False) -> Iterator[Indices]:
        """The rows themselves, where every group is one row; else a few draws of one from each group."""
        if self.single:
            yield rows
            return
        rng = np.random.default_rng([self.seed, 3])
        for _ in range(_PICKS // 4 if few else _PICKS):
            order = rng.permutation(rows)
            yield order[np.unique(self.groups[order], return_index=True)[1]]


def _plan(n: int) -> tuple[int, int]:
    """How many random splits into how many parts."""
    if n <= 2000:
        return 16, 2
    return (4, 4) if n <= 10_000 else (1, 16)


def parts_of(n: int) -> int:
    """Into how many parts n rows (or groups) are split."""
    return _plan(n)[1]


def subsampled(
    thinned: Thinned, estimate: Callable[[Indices], float], value: float, k: int
) -> tuple[float, int, float]:
    """The standard error, its degrees of freedom, and how far the parts' mean lies from the value.

    Args:
        thinned: The groups, which no part splits.
        estimate: The estimate on some rows; NaN where there is none.
        value: The estimate on all rows.
        k: The number of neighbours.

    Raises:
        ValueError: If every split has a part without an estimate; other splits of such parts are left out.
    """
    splits, parts = _plan(thinned.count)
    rng = np.random.default_rng([thinned.seed, 1])
    variances, means = [], []
    for _ in range(splits):
        part = rng.permutation(np.arange(thinned.count) % parts)[thinned.groups]
        found = [estimate(np.flatnonzero(part == p)) for p in range(parts)]
        if np.isnan(found).any():
            continue
        variances.append(float(np.var(found, ddof=1)) / parts)
        means.append(float(np.mean(found)))
    if not variances:
        raise ValueError(
            "the labels are all but distinct: no two rows of a random part of the rows share theirs, and "
            "there is nothing to tell the error of the estimate from"
        )
    few = 1 + _OF_FEW_ROWS * (k / (thinned.count / parts)) ** 3
    variance = _INFLATION * few * float(np.mean(variances))
    freedom = max(1, int(_FREEDOM * len(variances) * (parts - 1)))
    return math.sqrt(variance), freedom, float(np.mean(means)) - value
