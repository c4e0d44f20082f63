"""Features of a Gaussian kernel: a regression that is linear in them is one on the kernel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

__all__ = ["nystroem"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_JITTER = 1e-8
"""Added to the diagonal of a kernel among landmarks, so that it can be factored."""


def nystroem(scaled: Floats, marks: Integers, width: float) -> Floats:
    """Nystroem features of exp(-|a - b|^2 / width), whose products are its values, shape (n, m).

    Args:
        scaled: Rows on comparable scales, shape (n, d).
        marks: The m rows whose kernels are the features.
        width: A squared distance.

    Source:
        Williams and Seeger 2001, "Using the Nystroem method to speed up kernel machines".
    """
    near = np.exp(-_squared(scaled, scaled[marks]) / width)
    factor = cholesky(near[marks] + _JITTER * np.eye(len(marks)), lower=True)
    return np.asarray(solve_triangular(factor, near.T, lower=True).T)


def _squared(a: Floats, b: Floats) -> Floats:
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0.0))
