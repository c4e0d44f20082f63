"""Whether rows follow one another: the order of the rows, and rows that were entered twice.

Every interval here takes rows, or groups of rows, as independent. Rows of a chain, of a time series or of
repeated measurements are not, and no interval says so by itself. What shows is that neighbours in the order
of the rows resemble each other in two variables of the term or more, since one alone moves no information
(`past.py`), and that more rows are equal in every digit, or come k at a time close together, than chance
allows (`repeats.py`, `views.py`).

A table that is sorted by one of its columns shows the same and may be none the worse for it: its rows are
independent where the other columns come in random order beyond what the sorted one explains.
"""

from __future__ import annotations

import numpy as np

from synergy.estimators.past import LEAST_ROWS, LEVEL, LEVEL_OF_SORTED, MOST_ROWS, sorting
from synergy.estimators.repeats import repeated_rows
from synergy.estimators.views import rows_that_are_views
from synthetic import Sample, Variable
from theory import Expression
from theory.checks import integer

__all__ = ["MOST_ROWS", "dependence_warnings", "in_blocks"]

_LEAST_BLOCKS = 4
"""Fewer blocks of rows make no standard error."""


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
    repeated = repeated_rows(sample, names) or rows_that_are_views(sample, names)
    return found if repeated is None else [*found, repeated]


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
    """The variables whose neighbours in the order of the rows are alike beyond what the table is sorted by.

    What it is sorted by is among them only where another follows.
    """
    n = min(len(sample), MOST_ROWS)
    if n < LEAST_ROWS:
        return []
    order = sorting(sample, names, n)
    level = LEVEL_OF_SORTED if order.parts else LEVEL
    found = set()
    for name in names:
        columns = sample[name][:n].reshape(n, -1).T
        left = [column for i, column in enumerate(columns) if (name, i) not in order.parts]
        if any(order.follows(column) < level / len(left) for column in left):
            found.add(name)
    return [name for name in names if name in (found | order.names if found else found)]
