"""The bias of a nearest-neighbour estimator, measured on rows with a copula like that of the data.

In five dimensions and more the bias of every nearest-neighbour estimator of a conditional information
exceeds its standard error by far, and it depends on n, k, the dimensions and the strength of the dependence.
All of these are known once the copula is: rows are drawn from it and replaced by their normal scores, the
estimator is applied, and what it says beyond the information of the drawn rows is the bias. It is exact in
expectation where the data have such a copula. Whether they have, the same draws tell: two statistics of the
data must look like those of the draws, the estimate less that of a Gaussian, and Mardia's kurtosis (K. Mardia
1970, "Measures of multivariate skewness and kurtosis with applications", Biometrika 57), which every common
scale of the columns raises.

Here is the Gaussian copula, known by the correlations of the normal scores; `students` has another.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from synergy.estimators.columns import scaled
from synergy.estimators.gaussian import gaussian_value

__all__ = [
    "KURTOSIS_ROWS",
    "Copula",
    "CopulaReference",
    "GaussianReference",
    "MeasuredBias",
    "mardia_kurtosis",
]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_LEAST_ROOT = 1e-12
"""Eigenvalues of the correlation matrix below this one, of which none is resolved, count as this one."""

_HALVINGS = 20
"""Bisections of the share of the correlations that is kept, to a millionth."""

_UNLIKE = 3.5
"""How many standard deviations of the draws a statistic of the data may lie off theirs. Of 20 draws the
kurtosis of Gaussian columns, moderately correlated, does so in about 1 % of data sets; that of Student
columns of 2 + 2 dimensions and 100 rows in 99 %, of two pairs turned into spirals in 5 + 5 dimensions and
300 rows in 11 of 12."""

_KURTOSIS_DRAWS = 20
"""How many draws the kurtosis is compared with; they cost no neighbours."""

_RESOLVED = 1.0
"""n^2 times the least variance of scores, in any direction, that n ranks resolve; the middle ones lie
(2 pi)^(1/2) / n apart. Below, information is of the few ranks that changed places: of X and Y that are Z and
noise of 3e-4, independent given Z, a bias of -0.38 was measured (0.06 n^-2 to 0.2 n^-2), and all of it was
such an artefact."""

KURTOSIS_ROWS = 4_000
"""Of more rows a random part this large is compared: what it cannot tell apart moves the bias little."""


class Copula(ABC):
    """A distribution that rows can be drawn from, and whose information is known."""

    @property
    def found(self) -> bool:
        """Whether there was one like the data, and not only one that is nearest to them."""
        return True

    @abstractmethod
    def draw(self, normals: Floats, shares: Floats) -> Floats:
        """Rows from standard normal numbers, shape (n, d), and uniform ones, shape (n, 1)."""

    @abstractmethod
    def information(self, rows: Floats, widths: tuple[int, int, int]) -> float:
        """What an estimator without bias says of drawn rows, up to noise that it shares with the rows."""


C = TypeVar("C", bound=Copula)


@dataclass(frozen=True)
class MeasuredBias(Generic[C]):
    """What the reference says of some columns.

    Args:
        bias: The mean bias on the draws.
        variance: The variance of that mean.
        fits: Whether the columns look like the draws.
        copula: What was drawn from.
        excess: The estimate less that of a Gaussian, beyond what it is on the draws.
    """

    bias: float
    variance: float
    fits: bool
    copula: C
    excess: float = 0.0


class CopulaReference(ABC, Generic[C]):
    """The bias of an estimator at the copula of given columns.

    Args:
        estimator: Maps columns (x, y, z) side by side, shape (n, d), to a value.
        widths: The numbers of columns (dx, dy, dz).
        rows: The number of rows n of the reference samples.
        draws: How many reference samples.
        seed: Fixes them; the same numbers are used for every copula.
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
        self.seed = seed
        self.normals = np.random.default_rng(seed).standard_normal((draws, rows, sum(widths)))
        self.shares = np.random.default_rng([seed, 7]).random((draws, rows, 1))

    @abstractmethod
    def fitted(self, table: Floats) -> C:
        """The copula that is most like normal scores of shape (m, d)."""

    @abstractmethod
    def looked_at(self) -> Sequence[Indices]:
        """The sets of columns whose kurtosis must be like that of the draws."""

    def least_kurtosis(self, expected: float, rows: int, columns: int) -> float:
        """The kurtosis below which columns are not like the draws, however much theirs varies.

        Args:
            expected: The mean kurtosis of the draws.
            rows: Their number of rows.
            columns: Their number of columns.
        """
        return -math.inf

    def biases(self, table: Floats) -> Floats:
        """Estimate minus information on each reference sample, shape (draws,).

        Args:
            table: Normal scores, shape (m, d).
        """
        copula = self.fitted(table)
        drawn = (copula.draw(*numbers) for numbers in zip(self.normals, self.shares, strict=True))
        return np.array(
            [self.estimator(scaled(rows, "copula")) - copula.information(rows, self.widths) for rows in drawn]
        )

    def measure(self, table: Floats, value: float, variance_of_one: float) -> MeasuredBias[C]:
        """The bias at the columns, and whether they look like the copula.

        Args:
            table: Normal scores, shape (n, d).
            value: The estimate on them.
            variance_of_one: The variance of one measured bias, for a single draw.
        """
        copula = self.fitted(table)
        if not copula.found:
            return MeasuredBias(0.0, 0.0, False, copula)
        biases, gaps = [], []
        for numbers in zip(self.normals, self.shares, strict=True):
            rows = copula.draw(*numbers)
            scores = scaled(rows, "copula")
            found = self.estimator(scores)
            biases.append(found - copula.information(rows, self.widths))
            gaps.append(found - gaussian_value(scores, self.widths))
        several = len(gaps) > 1
        spread = float(np.var(biases, ddof=1)) if several else variance_of_one
        known = float(np.var(gaps, ddof=1)) if several else variance_of_one
        off = value - gaussian_value(table, self.widths) - float(np.mean(gaps))
        alike = abs(off) <= _UNLIKE * math.sqrt(known * (1 + 1 / len(gaps)))
        fits = bool(alike and self._kurtosis_fits(table, copula))
        return MeasuredBias(float(np.mean(biases)), spread / len(biases), fits, copula, off)

    def _kurtosis_fits(self, table: Floats, copula: C) -> bool:
        rng = np.random.default_rng([self.seed, 2])
        if len(table) > KURTOSIS_ROWS:
            table = scaled(rng.choice(table, KURTOSIS_ROWS, replace=False), "copula")
        drawn = [
            scaled(copula.draw(rng.standard_normal(table.shape), rng.random((len(table), 1))), "copula")
            for _ in range(_KURTOSIS_DRAWS)
        ]
        for index in self.looked_at():
            expected = np.array([mardia_kurtosis(rows[:, index]) for rows in drawn])
            mean, found = float(expected.mean()), mardia_kurtosis(table[:, index])
            if abs(found - mean) > _UNLIKE * expected.std(ddof=1):
                return False
            if found < self.least_kurtosis(mean, len(table), len(index)):
                return False
        return True


@dataclass(frozen=True)
class _Gaussian(Copula):
    """A square root of the correlation matrix, shape (d, d), and whether the rows resolve it."""

    root: Floats
    resolved: bool

    @property
    def found(self) -> bool:
        """Whether the columns differ from linear functions of each other by more than ranks can tell."""
        return self.resolved

    def draw(self, normals: Floats, shares: Floats) -> Floats:
        """Correlated normal rows; the uniform numbers are not used."""
        return np.asarray(normals @ self.root.T)

    def information(self, rows: Floats, widths: tuple[int, int, int]) -> float:
        """The Gaussian's own estimate, which varies with the rows as the estimator does."""
        return gaussian_value(rows, widths)


class GaussianReference(CopulaReference[_Gaussian]):
    """The bias of an estimator at the correlation matrix of given columns; see `CopulaReference`."""

    def fitted(self, table: Floats) -> _Gaussian:
        """The Gaussian with the correlations of the columns."""
        least = np.linalg.eigvalsh(np.corrcoef(table, rowvar=False))[0]
        return _Gaussian(_root(table, self.widths), bool(least * len(table) ** 2 >= _RESOLVED))

    def looked_at(self) -> Sequence[Indices]:
        """All columns."""
        return [np.arange(sum(self.widths))]


def _root(table: Floats, widths: tuple[int, int, int]) -> Floats:
    """A square root of the correlation matrix, its link of X and Y shrunk to what is there without bias.

    The sample's own matrix holds the information that is estimated plus about dx dy / 2n of noise. The part
    of the correlations of X and Y that Z does not explain is scaled down until the Gaussian information is
    the unbiased estimate.
    """
    dx, dy, _ = widths
    matrix = np.atleast_2d(np.corrcoef(table, rowvar=False))
    x, y, z = np.split(np.arange(len(matrix)), [dx, dx + dy])
    by_z = matrix[:, z] @ np.linalg.pinv(matrix[np.ix_(z, z)], hermitian=True) @ matrix[z]  # (d, d)
    rest, through = matrix - by_z, by_z[np.ix_(x, y)]
    link = rest[np.ix_(x, y)]
    share = _share(
        _whitened(rest[np.ix_(x, x)]) @ link @ _whitened(rest[np.ix_(y, y)]), gaussian_value(table, widths)
    )
    matrix[np.ix_(x, y)] = through + share * link
    matrix[np.ix_(y, x)] = matrix[np.ix_(x, y)].T
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, _LEAST_ROOT)))


def _whitened(matrix: Floats) -> Floats:
    """The inverse square root."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors / np.sqrt(np.maximum(values, _LEAST_ROOT)) @ vectors.T)


def _share(link: Floats, target: float) -> float:
    """The factor s of the canonical correlations r with -1/2 sum log(1 - s^2 r^2) = target, within 0 .. 1."""
    squares = np.minimum(np.square(np.linalg.svd(link, compute_uv=False)), 1 - _LEAST_ROOT)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if -0.5 * float(np.log1p(-middle * middle * squares).sum()) < target:
            low = middle
        else:
            high = middle
    return high


def mardia_kurtosis(table: Floats) -> float:
    """Mardia's kurtosis, the mean square of the squared Mahalanobis distances."""
    centred = table - table.mean(axis=0)
    inverse = np.linalg.pinv(centred.T @ centred / len(table), hermitian=True)
    return float(np.square(np.einsum("nd,de,ne->n", centred, inverse, centred)).mean())
