"""The bias of a nearest-neighbour estimator, measured on Student rows: where all columns share a scale.

Columns of several dimensions with one scale for each row (heavy tails that come together) share information
that no correlation shows and that neighbours miss, the more so the more columns there are, and the value does
not move with k. But such rows can be drawn: a Student copula has a correlation matrix, which Kendall's rank
correlations tell whatever the margins are (H. Fang, K. Fang, S. Kotz 2002, "The meta-elliptical distributions
with given marginals", Journal of Multivariate Analysis 82), and one more number, the degrees of freedom,
which Mardia's kurtosis of the normal scores tells. Its information is known in closed form, so that the
estimator's bias on drawn rows is too. Whether the columns look like the draws is asked as for the Gaussian.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, gammaln
from scipy.stats import kendalltau

from synergy.estimators.columns import scaled
from synergy.estimators.gaussian import gaussian_value
from synergy.estimators.neighbours.reference import MeasuredBias, mardia_kurtosis

__all__ = ["MOST_COLUMNS", "StudentReference", "dispersion_root"]

Floats = npt.NDArray[np.float64]

_FREEDOM = (0.7, 60.0)
"""The degrees of freedom that are looked for: beyond, rows are Gaussian; below, nothing is left of them."""

_HALVINGS = 12
"""Bisections of their logarithm, to a thousandth: the kurtosis is known to a few percent."""

_UNLIKE = 4.0
"""How many standard deviations of the draws a statistic of the data may lie off theirs."""

_KURTOSIS_DRAWS = 20
"""How many draws the kurtosis is compared with; they cost no neighbours."""

_LEAST_ROOT = 1e-6
"""Eigenvalues of the matrix of rank correlations, which may be negative, count as at least this."""

MOST_COLUMNS = 12
"""With more columns there are too many rank correlations for the rows."""


@dataclass(frozen=True)
class _Student:
    """A Student distribution: a square root of its dispersion, shape (d, d), and its degrees of freedom."""

    root: Floats
    freedom: float

    def draw(self, normals: Floats, shares: Floats) -> Floats:
        """Rows from standard normal numbers, shape (n, d), and uniform ones, shape (n, 1)."""
        squares = 2 * gammaincinv(self.freedom / 2, shares)
        return np.asarray(normals @ self.root.T / np.sqrt(squares / self.freedom))

    def density(self, rows: Floats, index: npt.NDArray[np.int64]) -> Floats:
        """The log density of some of the columns, shape (n,)."""
        dispersion = (self.root @ self.root.T)[np.ix_(index, index)]
        part, k, v = rows[:, index], len(index), self.freedom
        distance = np.einsum("nd,nd->n", part, np.linalg.solve(dispersion, part.T).T)
        constant = gammaln((v + k) / 2) - gammaln(v / 2) - k / 2 * math.log(v * math.pi)
        return np.asarray(
            constant - np.linalg.slogdet(dispersion)[1] / 2 - (v + k) / 2 * np.log1p(distance / v)
        )

    def information(self, rows: Floats, widths: tuple[int, int, int]) -> float:
        """The mean information density of drawn rows, whose mean over draws is I(X;Y|Z)."""
        x, y, z = np.split(np.arange(sum(widths)), [widths[0], widths[0] + widths[1]])
        density = self.density(rows, np.r_[x, y, z]) - self.density(rows, np.r_[x, z])
        density -= self.density(rows, np.r_[y, z])
        return float((density + self.density(rows, z) if len(z) else density).mean())


class StudentReference:
    """The bias of an estimator at the rank correlations and the kurtosis of given columns.

    Args:
        estimator: Maps columns (x, y, z) side by side, shape (n, d), to a value.
        widths: The numbers of columns (dx, dy, dz).
        rows: The number of rows n of the reference samples.
        draws: How many reference samples.
        seed: Fixes them; the same numbers are used for every distribution.
        root: A square root of the dispersion of the columns, where it is known from more rows, shape (d, d).
    """

    def __init__(
        self,
        estimator: Callable[[Floats], float],
        widths: tuple[int, int, int],
        *,
        rows: int,
        draws: int,
        seed: int,
        root: Floats | None = None,
    ) -> None:
        self.estimator = estimator
        self.widths = widths
        self.seed = seed
        self.root = root
        rng = np.random.default_rng([seed, 7])
        self.normals = rng.standard_normal((draws, rows, sum(widths)))
        self.shares = rng.random((draws, rows, 1))

    def biases(self, table: Floats) -> Floats:
        """Estimate minus the information on each reference sample, shape (draws,).

        Args:
            table: Normal scores, shape (m, d).
        """
        student = self._fitted(table)
        found = []
        for normals, shares in zip(self.normals, self.shares, strict=True):
            rows = student.draw(normals, shares)
            found.append(self.estimator(scaled(rows, "copula")) - student.information(rows, self.widths))
        return np.array(found)

    def measure(self, table: Floats, value: float, variance_of_one: float) -> MeasuredBias:
        """The bias at the columns, and whether they look like Student rows.

        Args:
            table: Normal scores, shape (n, d).
            value: The estimate on them.
            variance_of_one: The variance of one measured bias, for a single draw.
        """
        student = self._fitted(table)
        if student.freedom in _FREEDOM:
            return MeasuredBias(0.0, 0.0, False)
        biases, gaps = [], []
        for normals, shares in zip(self.normals, self.shares, strict=True):
            rows = student.draw(normals, shares)
            scores = scaled(rows, "copula")
            found = self.estimator(scores)
            biases.append(found - student.information(rows, self.widths))
            gaps.append(found - gaussian_value(scores, self.widths))
        several = len(gaps) > 1
        known = float(np.var(gaps, ddof=1)) if several else variance_of_one
        spread = float(np.var(biases, ddof=1)) if several else variance_of_one
        off = value - gaussian_value(table, self.widths) - float(np.mean(gaps))
        alike = abs(off) <= _UNLIKE * math.sqrt(known * (1 + 1 / len(gaps)))
        return MeasuredBias(
            float(np.mean(biases)), spread / len(biases), bool(alike and self._kurtosis_fits(table, student))
        )

    def freedom(self, table: Floats) -> float:
        """The degrees of freedom of the Student rows that are most like the columns."""
        return self._fitted(table).freedom

    def _fitted(self, table: Floats) -> _Student:
        """The Student distribution of the rank correlations and the kurtosis of the columns."""
        root = dispersion_root(table) if self.root is None else self.root
        wanted = mardia_kurtosis(table)
        rows = min(len(table), self.normals.shape[1])

        def kurtosis(freedom: float) -> float:
            student = _Student(root, freedom)
            found = [
                mardia_kurtosis(scaled(student.draw(normals[:rows], shares[:rows]), "copula"))
                for normals, shares in zip(self.normals, self.shares, strict=True)
            ]
            return float(np.mean(found))

        least, most = _FREEDOM
        if wanted <= kurtosis(most):
            return _Student(root, most)
        if wanted >= kurtosis(least):
            return _Student(root, least)
        low, high = math.log(least), math.log(most)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if kurtosis(math.exp(middle)) > wanted:
                low = middle
            else:
                high = middle
        return _Student(root, math.exp((low + high) / 2))

    def _kurtosis_fits(self, table: Floats, student: _Student) -> bool:
        """Whether each slot of several columns has a kurtosis of its own like the draws'."""
        rng = np.random.default_rng([self.seed, 8])
        slots = [
            slot for slot in np.split(np.arange(table.shape[1]), np.cumsum(self.widths)[:2]) if len(slot) > 1
        ]
        drawn = [
            scaled(student.draw(rng.standard_normal(table.shape), rng.random((len(table), 1))), "copula")
            for _ in range(_KURTOSIS_DRAWS)
        ]
        for slot in slots:
            expected = np.array([mardia_kurtosis(rows[:, slot]) for rows in drawn])
            if abs(mardia_kurtosis(table[:, slot]) - expected.mean()) > _UNLIKE * expected.std(ddof=1):
                return False
        return True


def dispersion_root(table: Floats) -> Floats:
    """A square root of the matrix of sin(pi tau / 2), tau Kendall's rank correlations."""
    d = table.shape[1]
    matrix = np.eye(d)
    for i in range(d):
        for j in range(i):
            tau = float(kendalltau(table[:, i], table[:, j]).statistic)
            matrix[i, j] = matrix[j, i] = math.sin(math.pi / 2 * tau)
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.maximum(values, _LEAST_ROOT))
    return np.asarray(root / np.linalg.norm(root, axis=1, keepdims=True))
