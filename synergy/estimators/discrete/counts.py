"""Counts of discrete rows, added batch by batch, and the marginal tables an expression needs.

Memory is the number of states (when all combinations fit a dense table) or the number of combinations
that were seen, never the number of rows, so a dataset larger than memory works.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["DiscreteCounts", "encode"]

Codes = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]

_DENSE_CELLS = 1 << 22
"""Up to this many joint states the counts are one dense table of 32 MiB."""
_BLOCK = 1 << 14
"""Rows that are coded at a time: their codes stay in the cache."""
_LARGEST_CODE = 1 << 62
"""Joint codes beyond this would leave int64, and are numbered anew."""
_OF_INT64 = 1 << 63
"""Codes from here on would be negative in int64, and are refused."""
_NARROW = 1024
"""Integers that span less than this are only shifted."""


def encode(column: npt.ArrayLike, *, name: str = "column", narrow: bool = False) -> tuple[Codes, int]:
    """Integer codes 0 .. k - 1 of any labels (integers, booleans, strings), and k.

    Integers that span less than 1,024 are only shifted, which keeps gaps as states that never occur; wider
    ones are numbered in increasing order or, where they span more than twice the rows, like all other
    labels, in the order of first appearance.

    Args:
        column: Labels, shape (n,).
        name: What to call the column in errors.
        narrow: Whether to return the smallest unsigned integers that hold the codes in place of int64: a
            quarter faster to count, but sums of them can overflow.

    Raises:
        ValueError: If the column is not one-dimensional, is empty or has a missing label.

    Example:
        >>> encode(["b", "a", "b"])
        (array([0, 1, 0]), 2)
    """
    array = np.asarray(column)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} must be a non-empty column of shape (n,), got shape {array.shape}")
    if array.dtype == bool:
        return array.astype(_width(2, narrow)), 2
    if np.issubdtype(array.dtype, np.integer) and int(array.max()) < 2**63:
        low, high = int(array.min()), int(array.max())
        if high - low < _NARROW:
            shifted = np.empty(array.size, dtype=_width(high - low + 1, narrow))
            np.subtract(array, low, out=shifted, dtype=np.int64, casting="unsafe")
            return shifted, high - low + 1
        if high - low < 2 * array.size:
            return _renumbered(array, low, high - low + 1, narrow)
    codes, labels = pd.factorize(array)
    if (codes < 0).any():
        raise ValueError(f"{name} has missing labels in {int((codes < 0).sum())} of {array.size} rows")
    return codes.astype(_width(len(labels), narrow)), len(labels)


def _width(states: int, narrow: bool) -> npt.DTypeLike:
    """int64, or the smallest unsigned integers for this many codes."""
    return np.min_scalar_type(states - 1) if narrow else np.int64


def _renumbered(array: Codes, low: int, span: int, narrow: bool) -> tuple[Codes, int]:
    """The ranks of integers among the distinct ones, by a table of their span, in blocks that stay cached."""
    seen = np.zeros(span, dtype=bool)
    scratch = np.empty(min(array.size, _BLOCK), dtype=np.int64)
    for start in range(0, array.size, _BLOCK):
        block = array[start : start + _BLOCK]
        place = np.subtract(block, low, out=scratch[: block.size], dtype=np.int64, casting="unsafe")
        seen[place] = True
    states = int(np.count_nonzero(seen))
    rank = (np.cumsum(seen) - 1).astype(_width(states, narrow))
    found = np.empty(array.size, dtype=rank.dtype)
    for start in range(0, array.size, _BLOCK):
        block = array[start : start + _BLOCK]
        place = np.subtract(block, low, out=scratch[: block.size], dtype=np.int64, casting="unsafe")
        np.take(rank, place, out=found[start : start + _BLOCK], mode="clip")
    return found, states


@dataclass(frozen=True)
class Cells:
    """The combinations that were seen: `states` of shape (m, variables) and `counts` of shape (m,)."""

    states: npt.NDArray[np.int64]
    counts: Floats
    columns: Mapping[str, int]

    def index(self, subset: Collection[str]) -> npt.NDArray[np.int64]:
        """A number for each cell that is equal where the cells agree on the subset, shape (m,)."""
        code = np.zeros(len(self.counts), dtype=np.int64)
        size = 1
        for name in sorted(subset):
            state = self.states[:, self.columns[name]]
            width = int(state.max()) + 1
            if size * width > _LARGEST_CODE:
                code, size = _ranks(code)
            if size * width > _LARGEST_CODE:
                state, width = _ranks(state)  # both are fewer than the cells now
            code = code * width + state
            size *= width
        return _ranks(code)[0] if size > max(4 * len(self.counts), 4096) else code


def _ranks(codes: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], int]:
    """The ranks of codes among those that occur, shape (m,), and how many these are."""
    seen, ranks = np.unique(codes, return_inverse=True)
    return ranks.astype(np.int64), len(seen)


class DiscreteCounts:
    """Counts of the joint states of named discrete columns.

    Args:
        names: The columns.
        cardinalities: Their numbers of states, where known; a dense table is used when all are known
            and the product is at most 4,194,304, and only seen combinations are stored otherwise.

    Raises:
        ValueError: If there is no column, a name repeats, or a cardinality is not positive.

    Example:
        >>> counts = DiscreteCounts(["X", "Y"], {"X": 2, "Y": 2})
        >>> for batch in ([0, 1], [1, 1]):
        ...     _ = counts.add({"X": np.array(batch), "Y": np.array(batch)})
        >>> counts.rows, counts.table().tolist()
        (4, [[1, 0], [0, 3]])
    """

    def __init__(self, names: Sequence[str], cardinalities: Mapping[str, int] | None = None) -> None:
        self.names = tuple(names)
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError(f"names must be different columns, at least one, got {self.names}")
        self.cardinalities = {n: int(k) for n, k in (cardinalities or {}).items() if n in self.names}
        for name, size in self.cardinalities.items():
            if size < 1:
                raise ValueError(f"the cardinality of {name!r} must be at least 1, got {size}")
        shape = tuple(self.cardinalities.get(n, 0) for n in self.names)
        self._dense: npt.NDArray[np.int64] | None = None
        if all(shape) and prod(shape) <= _DENSE_CELLS:
            self._dense = np.zeros(prod(shape), dtype=np.int64)
        self._states = np.empty((0, len(self.names)), dtype=np.int64)
        self._counts = np.empty(0, dtype=np.int64)

    @property
    def rows(self) -> int:
        """The number of rows that were added."""
        return int((self._counts if self._dense is None else self._dense).sum())

    def add(self, batch: Mapping[str, npt.ArrayLike]) -> DiscreteCounts:
        """Count the rows of a batch; returns itself.

        Args:
            batch: For each column integer codes from 0, all of one shape (n,).

        Raises:
            ValueError: If a column is missing, has another length, is not made of whole numbers, or
                leaves 0 .. cardinality - 1.
        """
        self._count(batch)
        return self

    def add_rows(self, batch: Mapping[str, npt.ArrayLike]) -> npt.NDArray[np.int64]:
        """Like `add` for the only batch, and says where each row went; see `spread`.

        Returns:
            An opaque number for each row, shape (n,).

        Raises:
            ValueError: If rows were added before, or as `add`.
        """
        if self.rows:
            raise ValueError(f"add_rows needs empty counts, got {self.rows} rows already added")
        return np.asarray(self._count(batch, keep=True), dtype=np.int64)

    def spread(self, values: npt.NDArray[Any], rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Values on the seen cells, shape (m,), as values of the rows of `add_rows`, shape (n,)."""
        table = values
        if self._dense is not None:
            table = np.zeros(self._dense.size, dtype=values.dtype)
            table[self._dense > 0] = values
        return np.take(table, rows, mode="clip")

    def _count(self, batch: Mapping[str, npt.ArrayLike], *, keep: bool = False) -> Codes | None:
        columns = self._columns(batch)
        n = len(columns[0])
        if self._dense is None:
            for name, column in zip(self.names, columns, strict=True):
                _check_range(name, column, self.cardinalities.get(name))
            stacked = np.stack(columns, axis=1).astype(np.int64)
            merged = np.concatenate([self._states, stacked])
            weights = np.concatenate([self._counts, np.ones(n, dtype=np.int64)])
            self._states, self._counts, inverse = _distinct(merged, weights)
            return inverse[len(inverse) - n :] if keep else None
        sizes = [self.cardinalities[name] for name in self.names]
        kept = np.empty(n, dtype=np.int64) if keep else None
        scratch = np.empty(min(n, _BLOCK), dtype=np.int64)
        total = np.zeros_like(self._dense)
        for start in range(0, n, _BLOCK):
            part = slice(start, min(start + _BLOCK, n))
            code = scratch[: part.stop - start] if kept is None else kept[part]
            code[:] = columns[0][part]
            _check_range(self.names[0], columns[0][part], sizes[0])
            for name, column, size in zip(self.names[1:], columns[1:], sizes[1:], strict=True):
                block = column[part]
                _check_range(name, block, size)
                code *= size
                code += block
            total += np.bincount(code, minlength=total.size)
        self._dense += total
        return kept

    def _columns(self, batch: Mapping[str, npt.ArrayLike]) -> list[Codes]:
        missing = [name for name in self.names if name not in batch]
        if missing:
            raise ValueError(f"unknown variable {missing[0]!r}: the batch has {', '.join(batch)}")
        columns = [np.asarray(batch[name]) for name in self.names]
        for name, column in zip(self.names, columns, strict=True):
            if column.ndim != 1 or not column.size:
                raise ValueError(f"column {name!r} must be non-empty of shape (n,), got {column.shape}")
            if column.dtype != bool and not np.issubdtype(column.dtype, np.integer):
                raise ValueError(
                    f"column {name!r} must hold integer codes, got {column.dtype}; encode its labels first"
                )
        lengths = {name: len(c) for name, c in zip(self.names, columns, strict=True)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"all columns must have the same length, got {lengths}")
        return [c.view(np.uint8) if c.dtype == bool else c for c in columns]

    def add_cells(self, cells: Cells) -> DiscreteCounts:
        """Add what was counted elsewhere, as `cells` gives it; returns itself.

        Raises:
            ValueError: If it is of other columns, or a state leaves 0 .. cardinality - 1.
        """
        if tuple(cells.columns) != self.names:
            raise ValueError(f"cells must be of the columns {self.names}, got {tuple(cells.columns)}")
        for name, column in zip(self.names, cells.states.T, strict=True):
            _check_range(name, np.ascontiguousarray(column), self.cardinalities.get(name))
        counts = cells.counts.astype(np.int64)
        if self._dense is None:
            states = np.concatenate([self._states, cells.states])
            self._states, self._counts, _ = _distinct(states, np.concatenate([self._counts, counts]))
        else:
            shape = [self.cardinalities[name] for name in self.names]
            self._dense[np.ravel_multi_index(tuple(cells.states.T), shape)] += counts
        return self

    def cells(self) -> Cells:
        """The combinations that were seen, with their counts.

        Raises:
            ValueError: If no row was added.
        """
        if self._dense is None:
            states, counts = self._states, self._counts
        else:
            flat = np.flatnonzero(self._dense)
            shape = [self.cardinalities[name] for name in self.names]
            states = np.stack(np.unravel_index(flat, shape), axis=1).astype(np.int64)
            counts = self._dense[flat]
        if not len(counts):
            raise ValueError("no rows were added: there is nothing to estimate from")
        return Cells(states, counts.astype(np.float64), {name: i for i, name in enumerate(self.names)})

    def table(self) -> npt.NDArray[np.int64]:
        """The dense table of counts, one axis for each column.

        Raises:
            ValueError: If the table is too large or a cardinality is unknown.
        """
        if self._dense is None:
            raise ValueError(
                "there is no dense table: a cardinality is unknown, or the table would have more than "
                f"{_DENSE_CELLS} cells"
            )
        return self._dense.reshape([self.cardinalities[name] for name in self.names]).copy()


def _check_range(name: str, column: Codes, size: int | None) -> None:
    """Raise unless all codes are in 0 .. size - 1; one pass, as negative codes are huge unsigned ones."""
    unsigned = column.view(column.dtype.str.replace("i", "u")) if column.flags.c_contiguous else column
    states = min(size or _LARGEST_CODE, _OF_INT64)
    if int(unsigned.max()) >= states or (unsigned is column and int(column.min()) < 0):
        end = states - 1
        raise ValueError(
            f"column {name!r} must stay in 0..{end}, got {int(column.min())}..{int(column.max())}"
        )


def _distinct(
    states: npt.NDArray[np.int64], weights: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Distinct rows, their total weights, and which distinct row each row is."""
    cells = Cells(states, weights.astype(np.float64), {str(i): i for i in range(states.shape[1])})
    code = cells.index(cells.columns)
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    totals = np.bincount(inverse, weights=weights).astype(np.int64)
    return states[first], totals, inverse.astype(np.int64)
