r"""Columns that the conditions fix: I(X, f(Z); Y | Z) = I(X; Y | Z), and 0 where nothing of X is left.

A column is taken as fixed where it is a linear function of the conditions, or its normal scores are one of
theirs (a monotone function of one condition, say), up to rounding. Neighbours cannot tell such a column from
its condition, and a correlation matrix with both is singular.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from synergy.estimators.columns import Scaling, Slot, is_rounding, scaled

__all__ = ["is_smooth", "smooth_functions", "without_fixed"]

Floats = npt.NDArray[np.float64]

_CLOSE = 1e-3
"""A column may be a function of its conditions where other rows predict it with less than this share of its
variance left, by the median; of its usual variance, where a few values dwarf the others."""

_MEDIAN_OF_SQUARES = 0.4549
"""Of a normal column of variance 1."""

_EXACT = 1e-10
"""Below this share nothing is left but rounding, as of a function that is linear in pieces."""

_LEARNING = 2.5
"""Else half of the rows must predict it worse by at least this factor: what is left of a smooth function of
up to three conditions shrinks by 2.5 to 16 times with twice the rows, and noise stays as it is."""

_FEW_CONDITIONS = 3
"""With more conditions no row has neighbours that are near enough to tell."""

_SMOOTH = 0.2
"""A residual is a function itself where its neighbours leave less than this share of its variance, by the
median; of normal noise they leave 0.6."""

_MOST_ROWS = 2_000
"""More rows than this are not needed to tell."""

_LEAST_ROWS = 40
"""With fewer rows their halves say nothing."""


def without_fixed(slots: list[Slot]) -> tuple[list[Slot], list[str]]:
    """The slots (x, y, z) without the columns of x and y that z fixes, and notes that name them.

    Returns:
        No slots where nothing is left of x or of y; as they are where there are no conditions, or labels
        among the columns.
    """
    if len(slots) < 3 or any(s.discrete.any() for s in slots):
        return slots, []
    z = slots[2].values
    if len(z) <= z.shape[1] + 2:
        return slots, []
    kept, notes = [], []
    for s in slots[:2]:
        free = ~(_explained(s.values, z, "standardise") | _explained(s.values, z, "copula"))
        notes += [f"{s.column(int(i))} is a function of the conditions" for i in np.flatnonzero(~free)]
        if not free.any():
            return [], notes
        kept.append(s.take(free))
    return [*kept, slots[2]], notes


def _explained(values: Floats, conditions: Floats, scale: Scaling) -> npt.NDArray[np.bool_]:
    """Which columns are linear in the conditions after scaling, up to rounding, shape (d,)."""
    left, right = scaled(values, scale), scaled(conditions, scale)
    right = np.column_stack([np.ones(len(right)), right])
    residual = left - right @ np.linalg.lstsq(right, left, rcond=None)[0]
    return np.array([is_rounding(*pair) for pair in zip(residual.T, left.T, strict=True)])


def smooth_functions(slots: list[Slot]) -> list[str]:
    """Which of the slots x and y the conditions fix as far as the rows tell, as in X = |Z| or X = sin Z.

    Each row is predicted by a linear function of the conditions that is fitted to its nearest other rows.
    What that misses of a function shrinks as the rows become denser; noise does not.

    Returns:
        Words for each such slot; none where there are no conditions, or more than three columns of them, or
        labels.
    """
    if len(slots) < 3 or slots[2].width > _FEW_CONDITIONS or any(s.discrete.any() for s in slots):
        return []
    rows = np.random.default_rng(0).permutation(len(slots[2].values))[:_MOST_ROWS]
    if len(rows) < _LEAST_ROWS:
        return []
    z = scaled(slots[2].values, "standardise")[rows]
    found = []
    for s in slots[:2]:
        values = scaled(s.values, "standardise")[rows]
        usual = np.array([_usual_variance(column) for column in values.T])
        left = np.median(_missed(values, z, values, z, own=True), axis=0) / usual
        if (left >= _CLOSE).any():
            continue
        half = len(z) // 2
        parts = (slice(half), slice(half, None))
        crossed = [_missed(values[a], z[a], values[b], z[b], own=False) for a, b in (parts, parts[::-1])]
        sparse = np.median(np.concatenate(crossed), axis=0) / usual
        if ((left < _EXACT) | (sparse > _LEARNING * left)).all():
            found.append(", ".join(s.column(i) for i in range(s.width)))
    return found


def is_smooth(rest: Floats, z: Floats) -> bool:
    """Whether neighbours in z predict a residual: it is what is missed of a function, and not noise.

    Args:
        rest: Shape (n, 1).
        z: The conditions, comparable, shape (n, dz).
    """
    rows = np.random.default_rng(0).permutation(len(z))[:_MOST_ROWS]
    values = scaled(rest, "standardise")[rows]
    left = float(np.median(_missed(values, z[rows], values, z[rows], own=True)))
    return left < _SMOOTH * _usual_variance(values[:, 0])


def _usual_variance(column: Floats) -> float:
    """That of a normal column with the same median square off the median; at most 1, that of the column."""
    squares = np.square(column - np.median(column))
    off = squares > 0
    return min(1.0, float(np.median(squares[off])) / _MEDIAN_OF_SQUARES) if off.any() else 1.0


def _missed(values: Floats, z: Floats, others: Floats, among: Floats, *, own: bool) -> Floats:
    """Squares of what a linear function of the nearest other rows in z misses of each value.

    Args:
        values: Shape (m, d).
        z: Shape (m, dz).
        others: The values of the rows that predict, shape (n, d).
        among: Their conditions, shape (n, dz).
        own: Whether they are the same rows, of which each leaves itself out.
    """
    near = cKDTree(among).query(z, 2 * (z.shape[1] + 1) + own)[1][:, int(own) :]
    design = np.concatenate([np.ones((*near.shape, 1)), among[near] - z[:, None]], axis=2)
    fitted = np.linalg.pinv(design)[:, :1] @ others[near]  # (m, 1, d)
    return np.asarray(np.square(values - fitted[:, 0]))
