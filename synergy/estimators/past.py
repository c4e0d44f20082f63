"""Whether a column follows its own past, within states and beyond the columns that a table is sorted by.

A table may be sorted by some of its columns: their order says nothing. That of the other columns does: where
rows are independent, the rows of one state of a sorted label come in random order, and so does what is left
of a column beyond a smooth function of a sorted number. Labels have no order, so a label counts as sorted
where each of its states makes one run of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from synthetic import Sample

__all__ = ["LEAST_ROWS", "LEVEL", "LEVEL_OF_SORTED", "MOST_ROWS", "Sorting", "follows", "sorting"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LEAST_ROWS = 50
"""With fewer rows ten lags say nothing."""

LEVEL = 1e-3
"""The chance to take independent rows of one variable as dependent; two variables must seem so."""

LEVEL_OF_SORTED = 1e-4
"""The same in a sorted table, where one is enough: what the table is sorted by is the other."""

MOST_ROWS = 10_000
"""The first rows suffice: from here on every dependence that matters is plain."""

_LAGS = 10
"""How many lags are looked at; dependence that begins later is rare without any before."""

_LEAST_PAIRS = 25
"""A lag of fewer pairs is left out: its sum is not near normal."""

_LEAST_MEETINGS = 5
"""A lag where equal labels, or values off an atom, are expected to meet less often is left out too."""

_BLOCK = 16
"""Rows in which a function of a sorted number is as good as a parabola."""

_REACH = 5
"""In a block, rows are compared that are fewer rows apart than this."""

_EXACT = 0.01
"""Where a parabola leaves a smaller share of a block's variance, what it leaves may be no noise."""

_LEAST_BLOCKS = 4
"""Fewer blocks that vary say nothing."""

_TINY = float(np.finfo(np.float64).tiny)
"""What a divisor of nothing is raised to."""

_LEAST_STEPS = 20
"""A number is sorted within the runs of others where it takes so many steps, all in one direction."""


@dataclass(frozen=True)
class Sorting:
    """What a table is sorted by.

    Args:
        parts: The columns, as the names of variables and the positions in them.
        states: Codes of the states of the sorted labels, shape (n,).
        trends: The sorted numbers, of shape (n,) each.
    """

    parts: frozenset[tuple[str, int]]
    states: Integers
    trends: tuple[Floats, ...]

    @property
    def names(self) -> set[str]:
        """The variables that have a sorted column."""
        return {name for name, _ in self.parts}

    def follows(self, column: Floats | Integers, strata: Integers | None = None) -> float:
        """The p-value of the hypothesis that a column comes in random order, given what is sorted.

        Args:
            column: Shape (n,); integers are labels.
            strata: Codes of further states within which the order is looked at, shape (n,).
        """
        codes = self.states
        if strata is not None:
            codes = np.unique(codes * (int(strata.max()) + 1) + strata, return_inverse=True)[1].reshape(-1)
        return _beyond(column, codes, self.trends) if self.trends else follows(column, codes)


def sorting(sample: Sample, names: Sequence[str], n: int) -> Sorting:
    """What the first n rows are sorted by: one column, several at once, or one within the runs of another.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> data = {"A": np.repeat([2, 0, 1], 30), "X": rng.standard_normal(90)}
        >>> sorting(Sample.infer(data), ["A", "X"], 90).names
        {'A'}
    """
    left = {
        (name, i): (part, sample.variables[name].kind == "discrete" and 2 * len(np.unique(part)) <= n)
        for name in names
        for i, part in enumerate(sample[name][:n].reshape(n, -1).T)
    }
    whole = np.zeros(n, dtype=np.int64)
    runs, states = whole, whole
    trends: list[Floats] = []
    found: set[tuple[str, int]] = set()
    while True:
        key = next((key for key, part in left.items() if _sorted(*part, whole) or _sorted(*part, runs)), None)
        if key is None:
            return Sorting(frozenset(found), states, tuple(trends))
        part, label = left.pop(key)
        found.add(key)
        runs = _runs(runs, part)
        if label:
            states = _runs(states, part)
        else:
            trends.append(part.astype(np.float64))


def _runs(codes: Integers, column: npt.NDArray[Any]) -> Integers:
    """Codes of the runs of rows that agree in both."""
    changes = (codes[1:] != codes[:-1]) | (column[1:] != column[:-1])
    return np.concatenate([[0], np.cumsum(changes)]).astype(np.int64)


def _sorted(column: npt.NDArray[Any], label: bool, runs: Integers) -> bool:
    """Whether a column varies within runs of rows and is sorted in them."""
    within = runs[1:] == runs[:-1]
    count = int(runs[-1]) + 1
    if label:
        parts, states = int(_runs(runs, column)[-1]) + 1, int(column.max()) + 1
        if not count < parts <= count * states or count * _BLOCK > len(column):
            return False
        return parts == len(np.unique(runs * states + column))
    steps = np.sign(np.diff(column.astype(np.float64))[within])
    steps = steps[steps != 0]
    return len(steps) >= (1 if count == 1 else _LEAST_STEPS) and bool((steps == steps[0]).all())


def follows(column: Floats | Integers, strata: Integers) -> float:
    """The p-value of the hypothesis that a column comes in random order within each stratum.

    The value of a row is u, a centred vector: the normal score of its rank in the stratum, or for integers
    the indicator of its label less the shares of all. At lag l the sum of u_i . u_j over rows i, j that are
    l apart in their stratum has the mean -(mean of |u|^2) / (m - 1) for each pair of a stratum of m rows, and
    about the sum of the mean squares of u_i . u_j as its variance. The squares of ten lags add up to a
    chi-square (G. Ljung and G. Box 1978, "On a measure of lack of fit in time series models", Biometrika 65).

    Args:
        column: Shape (n,); integers are labels.
        strata: Codes of the states of the condition, shape (n,).

    Returns:
        The p-value, of resemblance or of its opposite; 1 where nothing varies or there are too few pairs.

    Example:
        >>> walk = np.cumsum(np.random.default_rng(0).standard_normal(200))
        >>> one = np.zeros(200, dtype=np.int64)
        >>> follows(walk, one) < 1e-9, follows(np.random.default_rng(0).permutation(walk), one) > 0.01
        (True, True)
    """
    from scipy.stats import chi2

    order = np.argsort(strata, kind="stable")
    codes, sizes = np.unique(strata[order], return_inverse=True, return_counts=True)[1:]
    values = column[order]
    products = (
        _Labels(values.astype(np.int64), codes, sizes)
        if column.dtype.kind in "iu"
        else _Scores(values.astype(np.float64), codes, sizes)
    )
    mean = (-products.square / np.maximum(sizes - 1, 1))[codes]
    variance = ((products.pairs * sizes - products.fourth) / np.maximum(sizes - 1, 1))[codes]
    meetings = products.meetings[codes]
    total, lags = 0.0, 0
    for lag in range(1, _LAGS + 1):
        within = (codes[lag:] == codes[:-lag]).astype(np.float64)
        spread = within @ variance[lag:]
        if within.sum() >= _LEAST_PAIRS and within @ meetings[lag:] >= _LEAST_MEETINGS and spread > 0:
            total += (within @ (products.at(lag) - mean[lag:])) ** 2 / spread
            lags += 1
    return float(chi2.sf(total, lags)) if lags else 1.0


class _Products(Protocol):
    """The vectors u of the rows, centred in their stratum, by their products.

    Attributes:
        square: The mean of |u|^2 in each stratum.
        fourth: The mean of |u|^4.
        pairs: The mean of (u . v)^2 over independent draws u and v.
        meetings: How many of such draws have a product that is not of the bulk of the rows, as a share.
    """

    square: Floats
    fourth: Floats
    pairs: Floats
    meetings: Floats

    def at(self, lag: int) -> Floats:
        """The products of rows that are a lag apart, shape (n - lag,)."""


class _Scores(_Products):
    """Normal scores."""

    def __init__(self, values: Floats, codes: Integers, sizes: Integers) -> None:
        scores = _scores(values, codes, sizes)
        self.scores = scores - (_sums(scores, codes) / sizes)[codes]
        squares = np.square(self.scores)
        self.square = _sums(squares, codes) / sizes
        self.fourth = _sums(np.square(squares), codes) / sizes
        self.pairs = np.square(self.square)
        # An atom of share 1 - p leaves kurtosis 1 / p, and two rows off it meet with probability p^2.
        self.meetings = np.square(self.pairs / np.maximum(self.fourth, _TINY))

    def at(self, lag: int) -> Floats:
        return np.asarray(self.scores[lag:] * self.scores[:-lag])


class _Labels(_Products):
    """Indicators of labels, less their shares."""

    def __init__(self, values: Integers, codes: Integers, sizes: Integers) -> None:
        states = int(values.max()) + 1
        cells, self.cell, counts = np.unique(codes * states + values, return_inverse=True, return_counts=True)
        stratum = cells // states
        share = counts / sizes[stratum]
        meet, cubes = (_sums(share**power, stratum) for power in (2, 3))
        self.share = share[self.cell]
        self.meet = meet[codes]
        self.square = 1 - meet
        self.fourth = _sums(share * np.square(1 - 2 * share + meet[stratum]), stratum)
        self.pairs = meet + meet**2 - 2 * cubes
        self.meetings = meet

    def at(self, lag: int) -> Floats:
        meet = self.cell[lag:] == self.cell[:-lag]
        return np.asarray(meet - self.share[lag:] - self.share[:-lag] + self.meet[lag:])


def _sums(values: Floats, codes: Integers) -> Floats:
    """The sum of the values of each code."""
    return np.bincount(codes, weights=values).astype(np.float64)


def _scores(values: Floats, codes: Integers, sizes: Integers) -> Floats:
    """The normal scores of ranks in each stratum; equal values share theirs."""
    order = np.lexsort((values, codes))
    ends = np.cumsum(sizes)
    place = np.arange(len(values)) - (ends - sizes)[codes] + 0.5
    alike = _runs(codes, values[order])
    scores = np.empty(len(values))
    scores[order] = (_sums(place, alike) / np.bincount(alike))[alike]
    return np.asarray(ndtri(scores / sizes[codes]))


def _beyond(column: Floats | Integers, strata: Integers, trends: Sequence[Floats]) -> float:
    """The p-value of random order beyond a smooth function of sorted numbers, against resemblance.

    In a block of consecutive rows a least-squares fit of a parabola in the sorted number leaves r = M u. The
    quadratic form r'Kr / r'r, where K weighs rows that are near each other, has for independent normal rows
    the mean t(MK) / t(M) and the variance 2 (t(M) t(MKMK) - t(MK)^2) / (t(M)^2 (t(M) + 2)), t the trace.

    Args:
        column: Shape (n,); integers are labels, and u the vectors of their indicators.
        strata: Codes of states, shape (n,); a block lies in one.
        trends: The sorted numbers, of shape (n,) each.
    """
    order = np.argsort(strata, kind="stable")
    codes, sizes = np.unique(strata[order], return_inverse=True, return_counts=True)[1:]
    place = np.arange(len(codes)) - (np.cumsum(sizes) - sizes)[codes]
    rows = order[place < (sizes // _BLOCK * _BLOCK)[codes]].reshape(-1, _BLOCK)
    if not len(rows):
        return 1.0
    left = _residual_maker([trend[rows] for trend in trends])
    if column.dtype.kind in "iu":
        gram = (column[rows][:, :, None] == column[rows][:, None, :]).astype(np.float64)
    else:
        values = column[rows] - column[rows].mean(axis=1, keepdims=True)
        values = values / np.maximum(np.abs(values).max(axis=1, keepdims=True), _TINY)
        gram = values[:, :, None] * values[:, None, :]
    apart = np.abs(np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK)))
    weights = np.maximum(1 - apart / _REACH, 0) * (apart > 0)
    rest = left @ gram @ left
    size = np.trace(rest, axis1=1, axis2=2)
    near = left @ weights
    freedom, mean = (np.trace(m, axis1=1, axis2=2) for m in (left, near))
    square = (near * near.transpose(0, 2, 1)).sum(axis=(1, 2))
    variance = 2 * (freedom * square - mean**2) / (freedom**2 * (freedom + 2))
    whole = np.trace(gram, axis1=1, axis2=2) - gram.mean(axis=2).sum(axis=1)
    varies = size > np.maximum(_EXACT * whole, 1e-9)
    if varies.sum() < _LEAST_BLOCKS:
        return 1.0
    excess = (rest * weights).sum(axis=(1, 2))[varies] / size[varies] - (mean / freedom)[varies]
    return float(ndtr(-excess.sum() / np.sqrt(variance[varies].sum())))


def _residual_maker(trends: Sequence[Floats]) -> Floats:
    """The projection M off the parabolas in some numbers, shape (blocks, rows, rows)."""
    shape = trends[0].shape
    columns = [np.ones(shape)]
    for i, trend in enumerate(trends):
        centred = trend - trend.mean(axis=1, keepdims=True)
        scaled = centred / np.maximum(np.abs(centred).max(axis=1, keepdims=True), _TINY)
        columns += [scaled, scaled**2] if i == 0 else [scaled]
    base = np.linalg.qr(np.stack(columns[: shape[1] // 2], axis=2))[0]
    return np.asarray(np.eye(shape[1]) - base @ base.transpose(0, 2, 1))
