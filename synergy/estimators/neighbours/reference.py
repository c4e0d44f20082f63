"""The bias of a nearest-neighbour estimator, measured on a Gaussian reference of the same shape.

In five dimensions and more the bias of every nearest-neighbour estimator of a conditional information
exceeds its standard error by far, and it depends on n, k, the dimensions and the strength of the
dependence. All of these are known once the normal scores' correlation matrix is: rows are drawn from the
Gaussian with that matrix, the estimator is applied, and what it says beyond the reference's exact
Gaussian estimate is subtracted. Applied to normal scores, the correction is exact in expectation where the
copula is Gaussian, vanishes where the columns are uncorrelated, and is an approximation between.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from synergy.estimators.gaussian import gaussian_value

__all__ = ["GaussianReference"]

Floats = npt.NDArray[np.float64]


class GaussianReference:
    """The bias of an estimator at the correlation matrix of given columns.

    Args:
        estimator: Maps columns (x, y, z) side by side, shape (n, d), to a value.
        widths: The numbers of columns (dx, dy, dz).
        rows: The number of rows n of the reference samples.
        draws: How many reference samples.
        seed: Fixes them; the same normal numbers are used for every correlation matrix.
    """

    def __init__(
        self,
        estimator: Callable[[Floats], float],
        widths: tuple[int, int, int],
        *,
        rows: int,
        draws: int,
        seed: int,
    ) -> None:
        self.estimator = estimator
        self.widths = widths
        self.normals = np.random.default_rng(seed).standard_normal((draws, rows, sum(widths)))

    def biases(self, table: Floats) -> Floats:
        """Estimate minus the Gaussian's own estimate on each reference sample, shape (draws,).

        Args:
            table: The columns whose correlation matrix is taken, shape (m, d).
        """
        correlation = np.atleast_2d(np.corrcoef(table, rowvar=False))
        values, vectors = np.linalg.eigh(correlation)
        root = vectors * np.sqrt(np.maximum(values, 1e-12))  # (d, d)
        found = []
        for normal in self.normals:
            drawn = normal @ root.T
            found.append(self.estimator(drawn) - gaussian_value(drawn, self.widths))
        return np.array(found)
