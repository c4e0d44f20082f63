"""Whether both sides of a test follow their own past: rows that are not independent.

A permutation, and a product of residuals, takes the rows as independent. It needs less: where the rows of one
side are exchangeable given the condition, the other may depend on its past as it likes. So both sides must
resemble their neighbours in the order of the rows, beyond what the condition explains: within its states, or
in the residuals of a regression on it. A table sorted by a column says nothing by its order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import chi2, rankdata

from synergy.estimators.order import MOST_ROWS, is_sorted, repeated_rows
from synthetic import Sample
from theory import Term

__all__ = ["follows", "order_warnings", "residual_warning"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LAGS = 10
"""How many lags are looked at; dependence that begins later is rare without any before."""
_LEAST_ROWS = 50
"""With fewer rows ten lags say nothing."""
_LEAST_PAIRS = 25
"""A lag of fewer pairs is left out: its sum is not near normal."""
_LEVEL = 1e-3
"""The chance to take independent rows of one side as dependent; both sides must be."""


def follows(column: Floats | Integers, strata: Integers) -> float:
    """The p-value of the hypothesis that a column comes in random order within each stratum.

    The value of a row is u, a centred vector: the normal score of its rank in the stratum, or for integers
    the indicator of its label less the shares of all. At lag l the sum of u_i . u_j over rows i, j that are
    l apart in their stratum has the mean -(mean of |u|^2) / (m - 1) for each pair of a stratum of m rows, and
    about the sum of (u_i . u_j)^2 as its variance. The squares of ten lags add up to a chi-square (G. Ljung
    and G. Box 1978, "On a measure of lack of fit in time series models", Biometrika 65).

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
    order = np.argsort(strata, kind="stable")
    codes, sizes = np.unique(strata[order], return_inverse=True, return_counts=True)[1:]
    values = column[order]
    products = (
        _Labels(values.astype(np.int64), codes, sizes)
        if column.dtype.kind in "iu"
        else _Scores(values.astype(np.float64), codes, sizes)
    )
    total, lags = 0.0, 0
    for lag in range(1, _LAGS + 1):
        first = np.flatnonzero(codes[lag:] == codes[:-lag])
        if len(first) < _LEAST_PAIRS:
            continue
        found = products.of(first, first + lag)
        variance = float(np.square(found).sum())
        if variance > 0:
            total += float((found - products.expected[codes[first]]).sum()) ** 2 / variance
            lags += 1
    return float(chi2.sf(total, lags)) if lags else 1.0


class _Scores:
    """Products of normal scores, centred in their stratum."""

    def __init__(self, values: Floats, codes: Integers, sizes: Integers) -> None:
        ends = np.cumsum(sizes)
        self.scores = np.empty(len(values))
        for start, end in zip(ends - sizes, ends, strict=True):
            rows = slice(start, end)
            scores = ndtri((rankdata(values[rows]) - 0.5) / (end - start))
            self.scores[rows] = scores - scores.mean()
        squares = np.bincount(codes, weights=np.square(self.scores))
        self.expected = -squares / (sizes * np.maximum(sizes - 1, 1))

    def of(self, first: Integers, second: Integers) -> Floats:
        """u_i . u_j, shape (pairs,)."""
        return np.asarray(self.scores[first] * self.scores[second])


class _Labels:
    """Whether labels meet, less what each of them is expected to."""

    def __init__(self, values: Integers, codes: Integers, sizes: Integers) -> None:
        pairs = np.column_stack([codes, values])
        cells, cell, counts = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
        self.cell = cell.reshape(-1)
        share = counts / sizes[cells[:, 0]]
        self.meets = np.bincount(cells[:, 0], weights=share**2)[codes]
        self.share = share[self.cell]
        self.expected = -(1 - np.bincount(cells[:, 0], weights=share**2)) / np.maximum(sizes - 1, 1)

    def of(self, first: Integers, second: Integers) -> Floats:
        """u_i . u_j, shape (pairs,)."""
        meet = (self.cell[first] == self.cell[second]).astype(np.float64)
        return np.asarray(meet - self.share[first] - self.share[second] + self.meets[first])


def order_warnings(sample: Sample, term: Term) -> list[str]:
    """What to say of rows that repeat one another in every digit; nothing where groups are given."""
    if sample.groups is not None:
        return []
    names = [name for name in term.variables if sample.variables[name].kind != "image"]
    repeated = repeated_rows(sample, names)
    return [] if repeated is None else [repeated]


def residual_warning(
    sample: Sample,
    term: Term,
    sides: Sequence[Sequence[Floats | Integers]],
    *,
    strata: Integers | None = None,
) -> list[str]:
    """What to say where both sides follow their past; nothing where groups are given or a column is sorted.

    Args:
        sample: The rows, which must be as many as the columns of the sides have.
        term: What is tested.
        sides: The columns of X and of Y that are compared, or their residuals given the condition.
        strata: Codes of the states within which rows are exchanged; None without any.
    """
    n = min(len(sample), MOST_ROWS)
    if sample.groups is not None or n < _LEAST_ROWS or _is_sorted(sample, term, n):
        return []
    codes = np.zeros(n, dtype=np.int64) if strata is None else strata[:n]
    for side in sides:
        if not any(follows(column[:n], codes) < _LEVEL / len(side) for column in side):
            return []
    left, right = (",".join(names) for names in term.groups)
    beyond = f", beyond what {','.join(term.given)} explains" if term.given else ""
    return [
        f"the rows are not independent: {left} and {right} of a row resemble those of the rows "
        f"before{beyond}, and true independences are rejected more often than the level says. "
        "groups='column' marks rows that belong together, blocks=n takes every n rows as a group"
    ]


def _is_sorted(sample: Sample, term: Term, n: int) -> bool:
    columns = [sample[name] for name in term.variables if sample.variables[name].kind != "image"]
    return any(is_sorted(column[:n].reshape(-1)) for column in columns if column.size == len(column))
