"""Discrete estimates from a stored data set that need not fit into memory: shards are counted, counts added.

Counts are whole numbers, so their sum does not depend on the order of the shards, and the estimate is that of
all rows in memory, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from synergy.estimators.discrete import BiasCorrection, DiscreteCounts, plug_in_from_counts
from synergy.estimators.discrete.counts import Cells
from synergy.estimators.discrete.marginals import Marginals
from synergy.estimators.entries_discrete import DISCRETE_ENTRIES
from synergy.estimators.order import MOST_ROWS
from synergy.statistics.result import Estimate
from synthetic import Sample, StoredDataset, open_dataset
from synthetic.parallel import active_client, available_memory, map_unordered
from theory import Expression

__all__ = ["Counted", "counted", "estimate_counted"]

_ROWS = 2**20
"""Rows that are counted at a time, so that one large shard does not matter either."""

_BUNDLES = 256
"""Shards are counted in so many bundles at most; each sends its counts once."""

_WORKING = 24
"""Bytes for each row and column that an estimate in memory needs beside the columns: codes and scores."""

_SHARE = 0.5
"""Columns that would take a larger part of the available memory are counted shard by shard."""

_CORRECTIONS: dict[str, BiasCorrection] = {
    "auto": "digamma",
    **{entry.name: cast(BiasCorrection, entry.fixed["correction"]) for entry in DISCRETE_ENTRIES},
}
"""The estimators that need nothing but counts, and their corrections."""


@dataclass(frozen=True)
class Counted:
    """What of a data set decides a discrete estimate.

    Args:
        counts: How often each joint state came.
        head: The first rows, by which the order of the rows is judged.
        rows: The number of all rows.
    """

    counts: DiscreteCounts
    head: Sample
    rows: int

    @property
    def constant(self) -> tuple[str, ...]:
        """The variables that took one value only."""
        marginals = Marginals(self.counts.cells())
        return tuple(v for v in self.counts.names if marginals.seen(frozenset({v})).size == 1)


def counted(
    data: object,
    expression: Expression,
    *,
    estimator: str,
    jobs: int = 1,
    tell: Callable[[str], None] | None = None,
) -> Counted | None:
    """The counts of a data set's folder, where they suffice and the rows would be too many, or several count.

    Args:
        data: What `estimate` was given.
        expression: The quantity.
        estimator: The name of the estimator.
        jobs: Processes that count.
        tell: Called with a line when a worker died, or a cluster has none yet.

    Returns:
        The counts; None where the estimate needs the rows (columns that are not discrete, groups of dependent
        rows, integers that `auto` takes as numbers, other estimators), and where one process holds them.

    Raises:
        ValueError: If a name is unknown or a shard is damaged.
    """
    names = expression.variables
    if (
        estimator not in _CORRECTIONS
        or not names
        or not isinstance(data, str | Path)
        or not Path(data).is_dir()
    ):
        return None
    stored = open_dataset(data)
    kinds = {v.name: v for v in stored.manifest.variables}
    if stored.manifest.groups is not None or any(
        n not in kinds or kinds[n].kind != "discrete" for n in names
    ):
        return None
    if jobs == 1 and active_client() is None and not _too_many(stored, names):
        return None
    sizes = {name: kinds[name].cardinality or 1 for name in names}
    counts = DiscreteCounts(names, sizes)
    bundles = np.array_split(np.arange(stored.shards), min(stored.shards, _BUNDLES))
    there = replace(stored, folder=stored.folder.absolute())
    for _, cells in map_unordered(_cells, bundles, jobs=jobs, shared=(there, names, sizes), tell=tell):
        counts.add_cells(cells)
    found = Counted(counts, _head(stored, names), len(stored))
    return None if estimator == "auto" and _numbers(found, expression) else found


def _too_many(stored: StoredDataset, names: Sequence[str]) -> bool:
    left = available_memory()
    first = stored.shard(0, verify=False)
    each = sum(first[name].itemsize for name in names) + _WORKING * len(names)
    return left is not None and each * len(stored) > _SHARE * left


def _cells(
    bundle: Sequence[int], stored: StoredDataset, names: tuple[str, ...], sizes: Mapping[str, int]
) -> Cells:
    counts = DiscreteCounts(names, sizes)
    for k in bundle:
        shard = stored.shard(int(k))
        for start in range(0, len(shard), _ROWS):
            counts.add({name: shard[name][start : start + _ROWS] for name in names})
    return counts.cells()


def _head(stored: StoredDataset, names: Sequence[str]) -> Sample:
    parts: list[Sample] = []
    rows = 0
    for k in range(stored.shards):
        shard = stored.shard(k, verify=False).select(names)
        parts.append(shard.rows(slice(0, MOST_ROWS - rows)))
        rows += len(parts[-1])
        if rows >= MOST_ROWS:
            break
    return Sample.concatenate(parts)


def _numbers(found: Counted, expression: Expression) -> bool:
    """Whether `auto` would take a column of integers as numbers: it needs the rows then."""
    from synergy.estimators.auto import ROWS_OF_NUMBER

    if any(len(term.groups) == 1 for term in expression.terms):
        return False
    marginals = Marginals(found.counts.cells())
    return any(
        marginals.seen(frozenset({v})).size * ROWS_OF_NUMBER > found.rows for v in expression.variables
    )


def estimate_counted(
    found: Counted, expression: Expression, *, estimator: str, confidence: float
) -> Estimate:
    """The estimate from counts: what `estimate` gives for the rows, without scores."""
    made = plug_in_from_counts(
        expression, found.counts, correction=_CORRECTIONS[estimator], confidence=confidence
    )
    if estimator == "auto":
        from synergy.estimators.auto import ALL_DISCRETE

        return made.with_words(notes=[ALL_DISCRETE])
    return made
