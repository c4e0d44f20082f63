"""Regression on conditions of any kind, undersmoothed, with leave-one-out errors in closed form.

A ridge regression on linear terms and Nystroem features of a Gaussian kernel. Each column that is
regressed gets kernels with one width for all conditions and kernels with a width for each condition,
the latter of most marginal likelihood; the width has the least leave-one-out error, which for a linear
smoother with hat matrix H is (y - H y)_i / (1 - H_ii).

Where the column jumps, a step of each condition is added to the conditions of its kernels (`jumps`), if that
takes at least 30 % off the error: given the thresholds the smoother is linear as before, and a function
without jumps keeps the regression it had.

In a product of residuals of X and of Y the noise of the two fits averages out, but what both fits miss of Z
does not. So the ridge is smaller than the one of least error: the least whose error is within 30 % of it
(undersmoothing; W. Newey and J. Robins 2018, "Cross-fitting and fast remainder rates for semiparametric
estimation", arXiv:1801.09138).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from synergy.independence.jumps import find_jumps, stairs

__all__ = ["Basis", "Fit", "Smoother", "relevance_widths"]

Floats = npt.NDArray[np.float64]

_WIDTHS = (0.15, 0.5, 1.5, 6.0)
_RIDGES = (1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
_LINEAR = 30.0
_MOST_CONDITIONS = 8
_RELEVANCE_ROWS = 200
_UNDERSMOOTHING = 1.3
_TREND = 2
_TREND_COLUMNS = 30
_JUMPS_GAIN = 0.7


@dataclass(frozen=True)
class Basis:
    """The left singular vectors of one feature matrix, shape (n, m), and its singular values."""

    u: Floats
    singular: Floats


@dataclass(frozen=True)
class Fit:
    """A linear smoother S of one column: residuals (I - S) y and the diagonal of S, both of shape (n,)."""

    basis: Basis
    shrink: Floats
    residuals: Floats
    leverage: Floats

    @property
    def noise(self) -> Floats:
        """Residuals of the variance of the noise, (I - S) y / sqrt(((I - S)^2)_ii), shape (n,).

        The square is what makes it so: for a ridge, unlike a projection, (I - S)^2 is less than I - S.
        """
        kept = 1 - self.leverage
        squared = 1 - 2 * self.leverage + self.basis.u**2 @ self.shrink**2
        return np.asarray(self.residuals / np.sqrt(np.maximum(squared, kept**2)))

    def remove(self, values: Floats) -> Floats:
        """(I - S) of other columns, shape (n, k)."""
        u = self.basis.u
        return np.asarray(values - u @ (self.shrink[:, None] * (u.T @ values)))


class Smoother:
    """Regressions of columns on the rows of a matrix.

    Args:
        z: The conditions, shape (n, d) with d at least 1, on comparable scales.
        landmarks: The largest number of kernel features.
        seed: Fixes the landmarks.
        relevance: Whether to fit a width for each condition; never with more than 8 conditions.

    Raises:
        ValueError: If there is no condition.
    """

    def __init__(self, z: Floats, *, landmarks: int = 300, seed: int = 0, relevance: bool = True) -> None:
        n, d = z.shape
        if not d:
            raise ValueError("a smoother needs at least one column to regress on, got none")
        self.z = z
        self.rng = np.random.default_rng([seed, 0x5300])
        self.marks = self.rng.permutation(n)[: min(landmarks, n // 2 + 1)]
        self.relevance = relevance and d <= _MOST_CONDITIONS
        spread = 2 * float(z.var(axis=0).sum()) or 1.0
        self.bases = tuple(self._basis(z, z, width * spread) for width in _WIDTHS)

    def _basis(self, z: Floats, scaled: Floats, width: float) -> Basis:
        near = _squared(scaled, scaled[self.marks]) / width
        gram = np.exp(-near[self.marks])
        factor = cholesky(gram + 1e-8 * np.eye(len(self.marks)), lower=True)
        kernel = solve_triangular(factor, np.exp(-near).T, lower=True).T
        linear = _LINEAR * np.hstack([np.ones((len(z), 1)), z])
        u, singular, _ = np.linalg.svd(np.hstack([linear, kernel]), full_matrices=False)
        kept = singular > 1e-10 * singular[0]
        return Basis(u[:, kept], singular[kept])

    def bases_for(self, column: Floats) -> tuple[Basis, ...]:
        """The shared bases, and those with the widths and the jumps that suit this column, shape (n,)."""
        if not self.relevance or column.std() == 0:
            return self.bases
        rows = self.rng.permutation(len(column))[: min(_RELEVANCE_ROWS, len(column))]
        bases = (*self.bases, *self._relevant(self.z, column, rows))
        jumps = find_jumps(self.z, column, self.bases[_TREND].u[:, : min(_TREND_COLUMNS, len(column) // 3)])
        if not jumps:
            return bases
        split = self._relevant(np.hstack([self.z, stairs(self.z, jumps)]), column, rows)
        better = _least_error(column, split) < _JUMPS_GAIN * _least_error(column, bases)
        return (*bases, *split) if better else bases

    def _relevant(self, z: Floats, column: Floats, rows: npt.NDArray[np.int64]) -> list[Basis]:
        scaled = z / relevance_widths(z[rows], column[rows])
        return [self._basis(z, scaled, 2 * width) for width in (0.5, 1.0, 2.0)]

    @staticmethod
    def fit(column: Floats, bases: Sequence[Basis]) -> Fit:
        """The basis of least leave-one-out error, with the least ridge whose error is near it.

        Args:
            column: Shape (n,).
            bases: From `bases_for`.
        """
        best, found = math.inf, None
        for basis in bases:
            shrink, leverage, out = _fits(column, basis)
            errors = np.square(out / (1 - leverage)).mean(axis=0)
            least = int(errors.argmin())
            if errors[least] < best or found is None:
                best = float(errors[least])
                while least and errors[least - 1] <= _UNDERSMOOTHING * best:
                    least -= 1
                found = Fit(basis, shrink[:, least], out[:, least], leverage[:, least])
        if found is None:
            raise ValueError("a fit needs at least one basis, got none")
        return found


def _fits(column: Floats, basis: Basis) -> tuple[Floats, Floats, Floats]:
    """For each ridge the shrinkage (m, ridges), the leverages and the residuals, (n, ridges)."""
    power = basis.singular[:, None] ** 2
    shrink = power / (power + np.array(_RIDGES) * len(column))
    leverage = np.minimum(basis.u**2 @ shrink, 1 - 1e-6)
    return shrink, leverage, column[:, None] - basis.u @ (shrink * (basis.u.T @ column)[:, None])


def _least_error(column: Floats, bases: Sequence[Basis]) -> float:
    """The least mean square leave-one-out error over bases and ridges."""
    errors = []
    for basis in bases:
        _, leverage, out = _fits(column, basis)
        errors.append(float(np.square(out / (1 - leverage)).mean(axis=0).min()))
    return min(errors)


def relevance_widths(z: Floats, y: Floats) -> Floats:
    """One kernel width for each condition, of most marginal likelihood.

    A Gaussian process with a linear part and an anisotropic Gaussian kernel (Rasmussen and Williams 2006,
    section 5.1), its gradient in closed form.

    Args:
        z: Shape (n, d).
        y: Shape (n,).

    Returns:
        Shape (d,).
    """
    n, d = z.shape
    target = (y - y.mean()) / max(float(y.std()), 1e-300)
    linear = np.hstack([np.ones((n, 1)), z])
    trend = 10 * linear @ linear.T
    apart = (z[:, None, :] - z[None, :, :]) ** 2  # (n, n, d)

    def objective(theta: Floats) -> tuple[float, Floats]:
        precision = np.exp(-2 * theta[:d])
        kernel = np.exp(theta[d] - 0.5 * (apart @ precision))
        noise = math.exp(theta[d + 1])
        factor = cho_factor(kernel + (noise + 1e-8) * np.eye(n) + trend, lower=True)
        inverse = cho_solve(factor, np.eye(n))
        alpha = inverse @ target
        value = 0.5 * float(target @ alpha) + float(np.log(np.diag(factor[0])).sum())
        slope = inverse - np.outer(alpha, alpha)
        shaped = slope * kernel
        gradient = np.empty(d + 2)
        gradient[:d] = 0.5 * np.einsum("ij,ijd->d", shaped, apart) * precision
        gradient[d] = 0.5 * shaped.sum()
        gradient[d + 1] = 0.5 * noise * np.trace(slope)
        return value, gradient

    start = np.concatenate([np.full(d, 0.3), [0.0, -3.0]])
    bounds = [(-3.0, 5.0)] * d + [(-6.0, 6.0), (-14.0, 1.0)]
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 40})
    return np.asarray(np.exp(found.x[:d]))


def _squared(a: Floats, b: Floats) -> Floats:
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0.0))
