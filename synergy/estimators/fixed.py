r"""Columns that the conditions fix: I(X, f(Z); Y | Z) = I(X; Y | Z), and 0 where nothing of X is left.

A column is taken as fixed where it is a linear function of the conditions, or its normal scores are one of
theirs (a monotone function of one condition, say), up to rounding. Neighbours cannot tell such a column from
its condition, and a correlation matrix with both is singular.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from synergy.estimators.columns import Slot, scaled

__all__ = ["without_fixed"]

Floats = npt.NDArray[np.float64]

_ROUNDING = 1e-6
"""A residual of less than this share of the spread is rounding, also of columns that were in single
precision."""


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
        names = tuple(s.column(int(i)) for i in np.flatnonzero(free)) if s.columns else ()
        kept.append(
            replace(s, values=s.values[:, free], discrete=s.discrete[free], tied=s.tied[free], columns=names)
        )
    return [*kept, slots[2]], notes


def _explained(values: Floats, conditions: Floats, scale: str) -> npt.NDArray[np.bool_]:
    """Which columns are linear in the conditions after scaling, shape (d,)."""
    left = scaled(values, "copula" if scale == "copula" else "standardise")
    right = scaled(conditions, "copula" if scale == "copula" else "standardise")
    right = np.column_stack([np.ones(len(right)), right])
    residual = left - right @ np.linalg.lstsq(right, left, rcond=None)[0]
    return np.asarray(np.abs(residual).max(axis=0) <= _ROUNDING * np.abs(left).max(axis=0))
