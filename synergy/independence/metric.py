"""In which directions of Z a column varies, and how fast: kernels learnt by marginal likelihood.

In a condition of ten columns no row has a near neighbour, and a kernel of one width sees nothing but a trend.
Most functions vary along a few directions only. A Gaussian process with the kernel exp(-|L (z - z')|^2 / 2)
finds them: for a diagonal L one width for each condition (Rasmussen and Williams 2006, section 5.1), for an L
of r rows a projection onto r directions (F. Vivarelli and C. Williams 1999, "Discovering hidden features with
Gaussian processes regression", NeurIPS). The gradient is in closed form, without an array of all differences.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.optimize import minimize

__all__ = ["average_gradients", "directions", "relevance_widths"]

Floats = npt.NDArray[np.float64]

_TREND = 10.0
"""The prior variance of a slope, in variances of the column."""
_JITTER = 1e-8
"""Added to the diagonal of the kernel, so that it can be factored."""
_STEPS = 30
"""Iterations of the search: the bases that are built from the result are compared by their errors anyway."""
_WIDTH, _SCALE, _NOISE = (-3.0, 5.0), (-6.0, 6.0), (-14.0, 1.0)
"""Bounds of the logarithms of a width, of the kernel's variance and of the noise's."""
_START = (0.3, 0.0, -3.0)
"""Where the search starts: the logarithms of width, kernel variance and noise variance."""
_ENTRY = 8.0
"""The largest entry of a projection: a width of an eighth of a standard deviation."""
_SHRINK = 0.5
"""Half the inverse variance of the normal prior on the entries of a projection."""


class _Process:
    """The marginal likelihood of a standardised column on the rows of Z."""

    def __init__(self, z: Floats, y: Floats) -> None:
        self.z = z
        self.target = (y - y.mean()) / max(float(y.std()), 1e-300)
        linear = np.hstack([np.ones((len(z), 1)), z])
        self.trend = _TREND * linear @ linear.T
        self.above = np.triu(np.ones((len(z), len(z))), 1) + 0.5 * np.eye(len(z))

    def kernel(self, projection: Floats, scale: float) -> Floats:
        moved = self.z @ projection.T
        squares = (moved * moved).sum(axis=1)
        apart = np.maximum(squares[:, None] + squares - 2 * moved @ moved.T, 0.0)
        return np.asarray(np.exp(scale - 0.5 * apart))

    def value(self, projection: Floats, scale: float, noise: float) -> tuple[float, Floats, float, float]:
        """The negative logarithm, G with gradient -L G in the projection L, and two more slopes."""
        kernel = self.kernel(projection, scale)
        ridge = kernel + self.trend
        ridge.flat[:: len(ridge) + 1] += math.exp(noise) + _JITTER
        factor, failed = dpotrf(ridge.T, lower=True, overwrite_a=True)  # the columns that LAPACK wants
        if failed:
            raise np.linalg.LinAlgError(f"the kernel of {len(ridge)} rows is not positive definite")
        alpha = dpotrs(factor, self.target, lower=True)[0]
        value = 0.5 * float(self.target @ alpha) + float(np.log(np.diag(factor)).sum())
        slope = dpotri(factor, lower=True, overwrite_c=True)[0].T  # the upper half, in rows
        slope -= np.outer(alpha, alpha)
        traced = float(np.trace(slope))
        slope *= kernel  # of symmetric matrices, so that half of the product tells the whole
        slope *= self.above
        sums = slope.sum(axis=0) + slope.sum(axis=1)
        half = self.z.T @ (slope @ self.z)
        matrix = self.z.T @ (sums[:, None] * self.z) - half - half.T
        return value, matrix, 0.5 * float(sums.sum()), 0.5 * math.exp(noise) * traced


def relevance_widths(z: Floats, y: Floats) -> Floats:
    """One kernel width for each condition, of most marginal likelihood.

    Args:
        z: Shape (n, d).
        y: Shape (n,).

    Returns:
        Shape (d,).
    """
    d = z.shape[1]
    process = _Process(z, y)

    def objective(theta: Floats) -> tuple[float, Floats]:
        inverse = np.exp(-theta[:d])
        value, matrix, scale, noise = process.value(np.diag(inverse), float(theta[d]), float(theta[d + 1]))
        return value, np.concatenate([inverse**2 * np.diag(matrix), [scale, noise]])

    start = np.concatenate([np.full(d, _START[0]), _START[1:]])
    bounds = [_WIDTH] * d + [_SCALE, _NOISE]
    found = minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS}
    )
    return np.asarray(np.exp(found.x[:d]))


def directions(z: Floats, y: Floats, start: Floats) -> Floats:
    """The projection of most marginal likelihood, with a weak normal prior on its entries.

    Args:
        z: Shape (n, d).
        y: Shape (n,).
        start: Where to begin, shape (r, d).

    Returns:
        Shape (r, d).
    """
    shape, size = start.shape, start.size
    process = _Process(z, y)

    def objective(theta: Floats) -> tuple[float, Floats]:
        projection = theta[:size].reshape(shape)
        value, matrix, scale, noise = process.value(projection, float(theta[size]), float(theta[size + 1]))
        gradient = 2 * _SHRINK * projection - projection @ matrix
        value += _SHRINK * float(np.square(projection).sum())
        return value, np.concatenate([gradient.ravel(), [scale, noise]])

    begin = np.concatenate([start.ravel(), _START[1:]])
    bounds = [(-_ENTRY, _ENTRY)] * size + [_SCALE, _NOISE]
    found = minimize(
        objective, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS}
    )
    return np.asarray(found.x[:size].reshape(shape))


def average_gradients(z: Floats, y: Floats, widths: Floats) -> Floats:
    """The mean outer product of the gradients of a kernel ridge regression, shape (d, d).

    Its leading eigenvectors are the directions in which y varies (M. Samarov 1993, "Exploring regression
    structure using nonparametric functional estimation", JASA 88).

    Args:
        z: Shape (n, d).
        y: Shape (n,).
        widths: One for each condition, shape (d,).
    """
    process = _Process(z, y)
    kernel = process.kernel(np.diag(1 / widths), 0.0)
    ridge = kernel + (math.exp(_START[2]) + _JITTER) * np.eye(len(z)) + process.trend
    alpha = cho_solve(cho_factor(ridge, lower=True), process.target)
    pulled = kernel * alpha
    slopes = (pulled @ z - pulled.sum(axis=1)[:, None] * z) / widths**2 + _TREND * alpha @ z
    return np.asarray(slopes.T @ slopes / len(z))
