"""Regression on conditions of any kind, undersmoothed, with leave-one-out errors in closed form.

A ridge regression on one of several bases (`bases`), for each column that of least leave-one-out error,
which for a linear smoother with hat matrix H is the mean of ((y - H y)_i / (1 - H_ii))^2. All columns share
kernels of one width for all conditions, sums of functions of one condition, and those with products of two.
Each column adds kernels with a width for each condition and kernels on the few directions along which it
varies, both of most marginal likelihood (`metric`). Where they leave much and a wave of several conditions
stands out of what they leave, kernels along it are added (`waves`).

Where the column jumps, a step of each condition or direction is added to the conditions of its kernels
(`jumps`), if that takes at least 30 % off the error: given the thresholds the smoother is linear as before,
and a function without jumps keeps the regression it had.

In a product of residuals of X and of Y the noise of the two fits averages out, but what both fits miss of Z
does not. So the ridge is smaller than the one of least error: the least whose error is within 30 % of it
(undersmoothing; W. Newey and J. Robins 2018, "Cross-fitting and fast remainder rates for semiparametric
estimation", arXiv:1801.09138).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synergy.estimators.kernels import nystroem
from synergy.independence.bases import Basis, bumps, make_basis, products
from synergy.independence.jumps import find_jumps, stairs
from synergy.independence.metric import average_gradients, directions, relevance_widths
from synergy.independence.waves import strongest_wave

__all__ = ["Fit", "Smoother", "error_from_halves"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_WIDTHS = (0.2, 0.8, 4.0)
"""The kernels of one width: their squared widths, in mean squared distances of two rows."""
_TREND = 1
"""Which of them gives the smooth part of a column in the search for its jumps."""
_TREND_COLUMNS = 30
"""How many of its functions."""
_RIDGES = (1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""The ridges that are tried, for each row."""
_NEAR = (0.6, 1.7)
"""Squared widths around the learnt ones."""
_LANDMARKS = 300
"""The largest number of kernel features."""
_MOST_CONDITIONS = 20
"""With more conditions than this no widths or directions are learnt."""
_ROWS = 200
"""From how many rows they are learnt."""
_MOST_DIRECTIONS = 4
"""The largest number of directions."""
_LEAST_START = 0.3
"""The least length at which the search for a direction starts, the longest being 1."""
_WAVES = 3
"""The largest number of waves."""
_WAVE_ROWS = 300
"""On how many rows they are looked for."""
_WAVE_MARKS = 100
"""Kernel features along each of them."""
_LEARNT = 0.1
"""The share of the variance below which no waves are looked for in what is left."""
_UNDERSMOOTHING = 1.3
"""By how much the error may exceed the least one for the sake of a smaller ridge."""
_JUMPS_GAIN = 0.7
"""The share of the error that jumps may leave at most, to be taken."""
_JUMPS_HOPE = 0.9
"""The share that they may leave at most before widths and directions are learnt beside them."""
_MOST_PRODUCTS = 0.25
"""Products of conditions are taken where there are at most this many for each row."""

_MOST_FREEDOM = 0.75
"""The largest share of the rows that a regression may use up: beyond, what it leaves of a row is rounding."""
_MOST_LEVERAGE = 1 - 1e-6
"""A row that fits itself is not divided by zero."""


@dataclass(frozen=True)
class Fit:
    """A linear smoother S of one column.

    Args:
        basis: Of the regression.
        ridge: For each row; smaller than the best one.
        column: What was regressed, shape (n,).
        best_ridge: That of least leave-one-out error.
    """

    basis: Basis
    ridge: float
    column: Floats
    best_ridge: float

    @property
    def shrink(self) -> Floats:
        """The eigenvalues of S, shape (m,)."""
        power = self.basis.singular**2
        return np.asarray(power / (power + self.ridge * len(self.column)))

    @property
    def leverage(self) -> Floats:
        """The diagonal of S, shape (n,)."""
        return np.asarray(np.minimum(self.basis.u**2 @ self.shrink, _MOST_LEVERAGE))

    @property
    def residuals(self) -> Floats:
        """(I - S) y, shape (n,)."""
        return self.remove(self.column[:, None])[:, 0]

    @property
    def noise(self) -> Floats:
        """Residuals of the variance of the noise, (I - S) y / sqrt(((I - S)^2)_ii), shape (n,).

        The square is what makes it so: for a ridge, unlike a projection, (I - S)^2 is less than I - S.
        """
        kept = 1 - self.leverage
        squared = 1 - 2 * self.leverage + self.basis.u**2 @ self.shrink**2
        return np.asarray(self.residuals / np.sqrt(np.maximum(squared, kept**2)))

    @property
    def best(self) -> Fit:
        """The fit of least leave-one-out error."""
        return replace(self, ridge=self.best_ridge)

    @property
    def left_out(self) -> Floats:
        """What is left of each row by the regression on the others, shape (n,)."""
        return np.asarray(self.residuals / (1 - self.leverage))

    @property
    def error(self) -> float:
        """The mean square leave-one-out error of the best ridge."""
        return float(_errors(self.column, self.basis).min())

    @property
    def missed(self) -> float:
        """The mean square of what the best ridge misses of Z, as a Gaussian process would have it.

        Were the regression function drawn from the prior for which the best ridge is best, with noise of
        variance v, then its coefficient along a function of size p would have variance p^2 v / (n ridge), of
        which the share (1 - s)^2 stays in the residuals. v is the mean square of the residuals, for the
        degrees of freedom that are left.
        """
        n, penalty = len(self.column), self.best_ridge * len(self.column)
        lost = penalty / (self.basis.singular**2 + penalty)
        along = np.square(self.basis.u.T @ self.column)
        rest = float(np.square(self.column).sum() - ((1 - lost**2) * along).sum())
        variance = max(rest, 0.0) / max(n - float((1 - lost**2).sum()), 1.0)
        return variance * float((lost * (1 - lost)).sum()) / n

    def remove(self, values: Floats) -> Floats:
        """(I - S) of other columns, shape (n, k)."""
        u = self.basis.u
        return np.asarray(values - u @ (self.shrink[:, None] * (u.T @ values)))


class Smoother:
    """Regressions of columns on the rows of a matrix.

    Args:
        z: The conditions, shape (n, d) with d at least 1, on comparable scales.
        seed: Fixes the landmarks, and the rows from which widths and directions are learnt: the same for each
            column.
        relevance: Whether to learn widths, directions and jumps for each column.

    Raises:
        ValueError: If there is no condition.
    """

    def __init__(self, z: Floats, *, seed: int = 0, relevance: bool = True) -> None:
        n, d = z.shape
        if not d:
            raise ValueError("a smoother needs at least one column to regress on, got none")
        self.z = z
        self.seed = seed
        rng = np.random.default_rng([seed, 0x5300])
        self.marks = rng.permutation(n)[: min(_LANDMARKS, n // 2 + 1)]
        self.rows = rng.permutation(n)[: min(_ROWS, n)]
        self.relevance = relevance and d <= _MOST_CONDITIONS
        spread = 2 * float(z.var(axis=0).sum()) or 1.0
        bases = [make_basis(z, [nystroem(z, self.marks, width * spread)]) for width in _WIDTHS]
        self.additive = bumps(z)
        self.sums = d > 1 and self.additive.shape[1] < n / 2
        if self.sums:
            bases.append(make_basis(z, [self.additive]))
            if d * (d + 1) / 2 <= _MOST_PRODUCTS * n:
                bases.append(make_basis(z, [self.additive, products(z)]))
        bases.append(make_basis(z, []))
        self.bases = tuple(bases)

    def bases_for(self, column: Floats) -> tuple[Basis, ...]:
        """The shared bases, and those with the widths and the jumps that suit this column, shape (n,)."""
        if not self.relevance or column.std() == 0:
            return self.bases
        learnt, widths, turned = self._learnt(self.z, column)
        bases = (*self.bases, *learnt)
        bases = (*bases, *self._waves(column, bases, widths))
        trend = self.bases[_TREND].u[:, : min(_TREND_COLUMNS, len(column) // 3)]
        seen = np.hstack([self.z, turned])
        jumps = find_jumps(seen, column, trend)
        if not jumps:
            return bases
        steps = stairs(seen, jumps)
        apart = np.hstack([self.z / widths, steps])
        least = least_error(column, bases)
        hope = least_error(column, [make_basis(self.z, [nystroem(apart, self.marks, 2.0)])])
        if hope > _JUMPS_HOPE * least:
            return bases
        split, _, _ = self._learnt(np.hstack([self.z, steps]), column)
        return (*bases, *split) if least_error(column, split) < _JUMPS_GAIN * least else bases

    def _waves(self, column: Floats, bases: Sequence[Basis], widths: Floats) -> list[Basis]:
        """Bases with functions along the waves that the others have left in a column."""
        rng = np.random.default_rng([self.seed, 0x3A7E])
        rows = rng.permutation(len(column))[:_WAVE_ROWS]
        smooth, along, found = nystroem(self.z / widths, self.marks, 2.0), list[Floats](), list[Basis]()
        known = list(bases)
        while len(along) < _WAVES:
            fit = self.fit(column, known)
            if fit.error < _LEARNT * float(column.var()):
                break
            rest = fit.best.left_out[rows]
            wave = strongest_wave(self.z[rows], rest - rest.mean(), rng)
            if wave is None:
                break
            projection = directions(self.z[rows], rest, wave[None])
            along.append(nystroem(self.z @ projection.T, self.marks[:_WAVE_MARKS], 2.0))
            found = [make_basis(self.z, along), make_basis(self.z, [*along, smooth])]
            known = [*bases, *found]
        return found

    def _learnt(self, z: Floats, column: Floats) -> tuple[list[Basis], Floats, Floats]:
        """Bases with learnt widths and directions, the widths, and the rows along the directions."""
        d, rows = z.shape[1], self.rows
        widths = relevance_widths(z[rows], column[rows])
        bases = [make_basis(self.z, [nystroem(z / widths, self.marks, 2 * width)]) for width in _NEAR]
        if d == 1:
            return bases, widths, np.zeros((len(z), 0))
        sizes, turned = np.linalg.eigh(average_gradients(z[rows], column[rows], widths))
        kept = min(d, _MOST_DIRECTIONS)
        lengths = np.maximum(np.sqrt(np.maximum(sizes[::-1][:kept], 0.0) / sizes[-1]), _LEAST_START)
        slope = np.linalg.lstsq(np.hstack([np.ones((len(z), 1)), z]), column)[0][1:]
        starts = [
            (turned[:, ::-1][:, :kept] * lengths).T,
            slope[None] / max(float(np.linalg.norm(slope)), 1e-300),
        ]
        found = []
        for start in starts:
            projection = directions(z[rows], column[rows], start)
            along = z @ projection.T
            bases += [make_basis(self.z, [nystroem(along, self.marks, 2 * width)]) for width in _NEAR]
            if d > _MOST_DIRECTIONS and self.sums:
                bases.append(make_basis(self.z, [nystroem(along, self.marks, 2.0), self.additive]))
            found.append(z @ np.linalg.svd(projection)[2][: min(2, len(projection))].T)
        return bases, widths, _standard(np.hstack(found))

    @staticmethod
    def fit(column: Floats, bases: Sequence[Basis]) -> Fit:
        """The basis of least leave-one-out error, with the least ridge whose error is near it.

        Args:
            column: Shape (n,).
            bases: From `bases_for`.
        """
        best, found = math.inf, None
        for basis in bases:
            errors = _errors(column, basis)
            least = int(errors.argmin())
            if errors[least] < best or found is None:
                best, best_ridge = float(errors[least]), _RIDGES[least]
                while least and errors[least - 1] <= _UNDERSMOOTHING * best:
                    least -= 1
                found = Fit(basis, _RIDGES[least], column, best_ridge)
        if found is None:
            raise ValueError("a fit needs at least one basis, got none")
        return found


def _errors(column: Floats, basis: Basis) -> Floats:
    """The mean square leave-one-out error for each ridge; infinite where the regression follows its rows."""
    power = basis.singular[:, None] ** 2
    shrink = power / (power + np.array(_RIDGES) * len(column))
    leverage = np.minimum(basis.u**2 @ shrink, _MOST_LEVERAGE)
    out = column[:, None] - basis.u @ (shrink * (basis.u.T @ column)[:, None])
    errors = np.square(out / (1 - leverage)).mean(axis=0)
    return np.asarray(np.where(leverage.mean(axis=0) > _MOST_FREEDOM, np.inf, errors))


def error_from_halves(fit: Fit) -> float:
    """The mean square error of rows that are predicted from every other row, by the best ridge."""
    features = fit.basis.u * fit.basis.singular
    half = np.arange(len(fit.column)) % 2 == 0
    total = 0.0
    for seen in (half, ~half):
        u, size, v = np.linalg.svd(features[seen], full_matrices=False)
        inverse = size / (size**2 + fit.best_ridge * int(seen.sum()))
        predicted = (features[~seen] @ v.T * inverse) @ (u.T @ fit.column[seen])
        total += float(np.square(fit.column[~seen] - predicted).sum())
    return total / len(fit.column)


def least_error(column: Floats, bases: Sequence[Basis]) -> float:
    """The least mean square leave-one-out error over bases and ridges."""
    return min(float(_errors(column, basis).min()) for basis in bases)


def _standard(columns: Floats) -> Floats:
    spread = columns.std(axis=0)
    return np.asarray((columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
