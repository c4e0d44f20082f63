"""Whether rows follow one another: the order of the rows, and rows that were entered twice.

Every interval here takes rows, or groups of rows, as independent. Rows of a chain, of a time series or of
repeated measurements are not, and no interval says so by itself. What shows is that neighbours in the order
of the rows resemble each other (Ljung and Box 1978, "On a measure of lack of fit in time series models",
Biometrika 65, on normal scores; the same sum over how often a label meets itself), in two variables of the
term or more, since one alone moves no information, and that rows of continuous columns are equal in every
digit.

A table that is sorted by one of its columns shows the same and is none the worse for it: there nothing can be
told from the order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from synthetic import Sample, Variable
from theory import Expression
from theory.checks import integer

__all__ = ["MOST_ROWS", "dependence_warnings", "in_blocks", "is_sorted", "repeated_rows"]

Floats = npt.NDArray[np.float64]

_LAGS = 10
"""How many lags are looked at; dependence that begins later is rare without any before."""

_LEAST_ROWS = 50
"""With fewer rows ten lags say nothing."""

MOST_ROWS = 10_000
"""The first rows suffice: from here on every dependence that matters is plain."""

_LEVEL = 1e-3
"""The chance of a warning on independent rows, for each variable; two are needed."""

_REPEATED = 0.02
"""From this share of repeated rows on the interval is visibly too short."""

_LEAST_BLOCKS = 4
"""Fewer blocks of rows make no standard error."""

_FINE = 4
"""Values are fine, not rounded, where the smallest step between the middle ones is below a grid's by this."""


def dependence_warnings(sample: Sample, expression: Expression) -> list[str]:
    """What to say of rows that are not independent; nothing where groups are given.

    Example:
        >>> from theory import parse_expression
        >>> walk = np.cumsum(np.random.default_rng(0).standard_normal((2, 200)), axis=1)
        >>> sample = Sample.infer({"X": walk[0], "Y": walk[1]})
        >>> dependence_warnings(sample, parse_expression("I(X;Y)"))[0].split(":")[0]
        'the rows are not independent'
    """
    if sample.groups is not None:
        return []
    names = [name for name in expression.variables if sample.variables[name].kind != "image"]
    found = []
    followed = _that_follow(sample, names)
    if len(followed) >= min(2, len(names)) and followed:
        found.append(
            f"the rows are not independent: {', '.join(followed)} of a row resemble those of the rows "
            "before; the interval is too short. groups='column' marks rows that belong together, blocks=n "
            "takes every n rows as a group"
        )
    repeated = repeated_rows(sample, names)
    return found if repeated is None else [*found, repeated]


def repeated_rows(sample: Sample, names: list[str]) -> str | None:
    """What to say of rows that repeat one another in every digit of these variables; None where few do."""
    repeated = _repeats(sample, names)
    if repeated <= _REPEATED * len(sample):
        return None
    return (
        f"{repeated} of {len(sample)} rows repeat another row in every digit, so they are not independent: "
        "drop them if they were entered twice, or name the column of their groups by groups='column'"
    )


def in_blocks(sample: Sample, blocks: int) -> Sample:
    """The sample with runs of `blocks` rows as its groups.

    Raises:
        ValueError: If there are groups already, or fewer than four blocks.
        TypeError: If blocks is no integer.

    Example:
        >>> rows = in_blocks(Sample.infer({"X": np.arange(8.0)}), 2)
        >>> rows[rows.groups].tolist()
        [0, 0, 1, 1, 2, 2, 3, 3]
    """
    integer("blocks", blocks, 1)
    if sample.groups is not None:
        raise ValueError(f"blocks={blocks} and groups={sample.groups!r} exclude each other: pass one of them")
    codes = np.arange(len(sample)) // blocks
    count = int(codes[-1]) + 1 if len(sample) else 0
    if count < _LEAST_BLOCKS:
        raise ValueError(f"blocks={blocks} makes {count} blocks of {len(sample)} rows, at least 4 are needed")
    name = next(
        name for name in (f"{'_' * i}block" for i in range(len(sample.names) + 1)) if name not in sample.names
    )
    marked = sample.with_column(Variable(name, "discrete", count), codes)
    return Sample(marked.columns, marked.variables, name, marked.metadata)


def _that_follow(sample: Sample, names: list[str]) -> list[str]:
    """The variables whose neighbours in the order of the rows are alike; none in a sorted table."""
    n = min(len(sample), MOST_ROWS)
    if n < _LEAST_ROWS:
        return []
    found = []
    for name in names:
        column = sample[name][:n].reshape(n, -1)
        if column.shape[1] == 1 and is_sorted(column[:, 0]):
            return []
        discrete = sample.variables[name].kind == "discrete"
        level = _LEVEL / column.shape[1]
        if any(_p_value(part, discrete) < level for part in column.T):
            found.append(name)
    return found


def is_sorted(column: npt.NDArray[Any]) -> bool:
    """Whether a column of shape (n,) varies and never turns round."""
    varies = bool((column[1:] != column[:-1]).any())
    return varies and bool((column[1:] >= column[:-1]).all() or (column[1:] <= column[:-1]).all())


def _p_value(column: npt.NDArray[Any], discrete: bool) -> float:
    """Of the hypothesis that the values come in random order, against resemblance at lags 1 to 10."""
    from scipy.stats import chi2, rankdata

    n = len(column)
    if discrete:
        codes, counts = np.unique(column, return_inverse=True, return_counts=True)[1:]
        share = float(np.square(counts / n).sum())
        cubes = float(((counts / n) ** 3).sum())
        spread = share + share * share - 2 * cubes
        if spread <= 0 or n * share < 1:
            return 1.0
        meet = np.array([np.mean(codes[lag:] == codes[:-lag]) for lag in range(1, _LAGS + 1)])
        return float(chi2.sf(float((n * np.square(meet - share) / spread).sum()), _LAGS))
    scores = ndtri((rankdata(column) - 0.5) / n)
    variance = float(scores @ scores)
    if variance <= 0:
        return 1.0
    correlation = np.array([scores[lag:] @ scores[:-lag] for lag in range(1, _LAGS + 1)]) / variance
    return float(chi2.sf(float((n * np.square(correlation)).sum()), _LAGS))


def _repeats(sample: Sample, names: list[str]) -> int:
    """How many rows repeat another one in every digit; 0 where a column is rounded or none is continuous."""
    continuous = [name for name in names if sample.variables[name].kind == "continuous"]
    if not continuous:
        return 0
    table: Floats = np.hstack(
        [np.asarray(sample[n], dtype=np.float64).reshape(len(sample), -1) for n in continuous]
    )
    if any(np.unique(column).size == len(column) for column in table.T):
        return 0
    if not all(_fine(column) for column in table.T):
        return 0
    return len(table) - len(np.unique(table, axis=0))


def _fine(column: Floats) -> bool:
    """Whether the middle values lie closer to each other than on a grid of as many."""
    values = np.unique(column)
    middle = values[len(values) // 4 : len(values) - len(values) // 4]
    if len(middle) < 2 * _FINE:
        return False
    return bool(np.diff(middle).min() * _FINE * len(middle) < middle[-1] - middle[0])
