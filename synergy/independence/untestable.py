"""What no test can test: constants, rows of which no two can be compared, functions of the condition.

A side that Z fixes is independent of everything given Z. There a test has only rounding errors and what its
regression has not learnt to compare, and so it must not be asked.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from synergy.independence.smoother import Fit, error_from_halves

__all__ = ["fixed_label", "fixed_number", "untestable_strata"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_EXACT = 1e-10
"""A column is a function of Z when the share of its variance that other rows do not predict is below this."""
_CLOSE = 1e-4
"""It is one also below this, where half of the rows predict it much worse: noise would stay as it is."""
_LEARNING = 2.0
"""How much worse: by this factor in the mean square."""
_BORDERS = 2
"""Rows for each state that a nearest neighbour may misplace where Z fixes the state: those at a border."""
_ERRORS = 0.05
"""And at most this share of the rows that are not in the most frequent state."""


def untestable_strata(x: Integers, y: Integers, z: Integers) -> str | None:
    """Why no permutation within strata can change a table of X and Y, or None where one can.

    Args:
        x: Codes of X, shape (n,).
        y: Codes of Y, shape (n,).
        z: Codes of the strata, shape (n,).
    """
    rows = np.bincount(z)
    if rows.max(initial=0) < 2:
        return "no two rows share a state of the condition"
    several = [_states_in(side, z) > 1 for side in (x, y)]
    if (several[0] & several[1]).any():
        return None
    for name, varies in zip(("left", "right"), several, strict=True):
        if not varies.any():
            return f"the condition fixes the {name} side in these rows"
    return "in each state of the condition one of the two sides is constant"


def _states_in(side: Integers, z: Integers) -> Integers:
    """How many states of a side each stratum has."""
    pairs = np.unique(np.column_stack([z, side]), axis=0)
    return np.bincount(pairs[:, 0], minlength=int(z.max()) + 1)


def fixed_number(fit: Fit) -> bool:
    """Whether Z fixes the column of a regression, as far as its rows can tell."""
    variance = float(fit.column.var())
    error = fit.error / max(variance, 1e-300)
    return error < _EXACT or (error < _CLOSE and error_from_halves(fit) > _LEARNING * fit.error)


def fixed_label(codes: Integers, z: Floats) -> bool:
    """Whether the nearest other row in Z has the same label, but for rows at a border.

    Args:
        codes: Shape (n,), with at least two different values.
        z: Shape (n, d).
    """
    near = cKDTree(z).query(z, 2)[1]
    other = np.where(near[:, 0] == np.arange(len(z)), near[:, 1], near[:, 0])
    wrong = int((codes != codes[other]).sum())
    counts = np.bincount(codes)
    most = min(_BORDERS * int(np.count_nonzero(counts)), _ERRORS * (len(codes) - int(counts.max())))
    return wrong <= most
