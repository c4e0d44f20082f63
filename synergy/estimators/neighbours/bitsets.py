"""Exact neighbour counts in many dimensions, 64 pairs at a time.

In the maximum norm a point j is within eps_i of i exactly when it is so in every coordinate, and in one
coordinate these j are a contiguous run of the sorted order. So the neighbours of i are the intersection
of d runs; with the points of a block numbered, a run is the exclusive or of two prefix bitsets, the
intersection is a bitwise and, the count a population count. The cost is n^2 d / 64 word operations
whatever the data looks like (trees visit nearly every pair in five dimensions and more, one by one), the
memory is linear in n, and all subspaces that share columns share their intersections. Points are numbered
along the first shared column, so that blocks beyond a run in it are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

__all__ = ["all_run_bounds", "run_bounds", "subspace_counts"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

_BLOCK = 2048
"""Points to a block of bits: its prefix table of 512 KiB stays in the cache."""
_CHUNK = 1024
"""Rows that are counted at a time."""
_THREADED_ROWS = 4096
"""With fewer rows threads cost more than they give."""
_BITS_OF_BYTE = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)
"""The number of bits that are set, by byte."""


def run_bounds(values: Floats, radius: Floats, *, strict: bool = True) -> tuple[Ints, Ints, Ints]:
    """The run of the sorted order that is within each point's radius.

    Binary search for v - eps and v + eps puts the boundary neighbour on the wrong side for nearly half
    of the points, because (v + eps) - v is not eps in floating point. So the ends are searched by the
    subtraction |v_j - v_i|, the one that the trees make; rounding keeps the order of such differences. An
    end that is far from where v +- eps would put it, as behind a value that most rows share, takes log n
    steps to find.

    Args:
        values: Shape (n,).
        radius: Shape (n,).
        strict: Whether to keep |v_j - v_i| < eps_i (else <=).

    Returns:
        The sorting order, and the ends [low, high) for each point, all of shape (n,).
    """
    order = np.argsort(values, kind="stable")
    ordered, radius = values[order], radius[order]
    n = len(values)

    def inside(points: Ints, positions: Ints) -> Bools:
        distance = np.abs(ordered[positions] - ordered[points])
        return np.asarray(distance < radius[points] if strict else distance <= radius[points])

    def outside(points: Ints, positions: Ints) -> Bools:
        return ~inside(points, positions)

    own = np.arange(n)
    left = np.searchsorted(ordered, ordered - radius, side="left")
    right = np.searchsorted(ordered, ordered + radius, side="right")
    ends = np.empty((2, n), dtype=np.int64)
    ends[0, order] = _first(inside, np.zeros(n, dtype=np.int64), own, left)
    ends[1, order] = _first(outside, own, np.full(n, n), right)
    return order, ends[0], ends[1]


def _first(holds: Callable[[Ints, Ints], Bools], start: Ints, stop: Ints, guess: Ints) -> Ints:
    """For each point the first position at which something holds that holds from there on.

    Args:
        holds: Whether it holds for some points at a position each, both of shape (m,).
        start: Where to begin, shape (n,).
        stop: Where to end, shape (n,); the answer where it holds at no position before.
        guess: Where the answer most likely is, shape (n,).
    """
    low, high = start.copy(), stop.copy()
    points, steps = np.flatnonzero(low < high), [-1, 0, -2, 1]
    while points.size:
        least, most = low[points], high[points] - 1
        middle = np.clip(guess[points] + steps.pop(0), least, most) if steps else (least + most) // 2
        held = holds(points, middle)
        high[points[held]] = middle[held]
        low[points[~held]] = middle[~held] + 1
        points = points[low[points] < high[points]]
    return low


def all_run_bounds(
    columns: Sequence[Floats], radius: Floats, *, strict: bool = True, workers: int = 1
) -> list[tuple[Ints, Ints, Ints]]:
    """`run_bounds` of several columns, on threads."""
    if workers == 1 or len(columns) == 1 or len(radius) < _THREADED_ROWS:
        return [run_bounds(column, radius, strict=strict) for column in columns]
    with ThreadPoolExecutor(min(workers, len(columns))) as pool:
        return list(pool.map(lambda column: run_bounds(column, radius, strict=strict), columns))


def _prefixes(rank: Ints) -> Words:
    """Row r holds the members whose rank is below r, as bits of their position; shape (m + 1, words)."""
    members = len(rank)
    table = np.zeros((members + 1, (_BLOCK + 63) // 64), dtype=np.uint64)
    position = np.empty(members, dtype=np.int64)
    position[rank] = np.arange(members)
    table[np.arange(1, members + 1), position // 64] = np.uint64(1) << (position % 64).astype(np.uint64)
    return np.asarray(np.bitwise_xor.accumulate(table, axis=0))


def _population(words: Words) -> Ints:
    """The number of set bits in each row."""
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(words).sum(axis=1, dtype=np.int64))
    return np.asarray(_BITS_OF_BYTE[words.view(np.uint8)].sum(axis=1, dtype=np.int64))


def subspace_counts(
    shared: Floats, parts: Sequence[Floats], radius: Floats, *, strict: bool = True, workers: int = 1
) -> list[Ints]:
    """How many points are within each point's radius, itself included, in several subspaces.

    Args:
        shared: Columns that every subspace has, shape (n, s); s may be 0.
        parts: The further columns of each subspace, shapes (n, d_1), (n, d_2), ...
        radius: Shape (n,).
        strict: Whether to count distances < radius (else <=).
        workers: Threads.

    Returns:
        The counts in the shared columns alone, if there are any, then in each (shared, part).
    """
    n = len(radius)
    has_shared = shared.shape[1] > 0
    sorting = np.argsort(shared[:, 0], kind="stable") if has_shared else np.arange(n)
    shared, parts, radius = shared[sorting], [part[sorting] for part in parts], radius[sorting]
    columns = [np.ascontiguousarray(column) for group in (shared, *parts) for column in group.T]
    bounds = iter(all_run_bounds(columns, radius, strict=strict, workers=workers))
    groups = [[next(bounds) for _ in range(group.shape[1])] for group in (shared, *parts)]
    chunks = np.arange(0, n, _CHUNK)
    if has_shared:
        lowest = np.minimum.reduceat(groups[0][0][1], chunks)
        highest = np.maximum.reduceat(groups[0][0][2], chunks)

    def block(start: int) -> Ints:
        stop = min(n, start + _BLOCK)
        tables = [[_runs(*bounds, start, stop) for bounds in group] for group in groups]
        found = np.zeros((len(groups), n), dtype=np.int64)
        buffers = [np.empty((min(n, _CHUNK), (_BLOCK + 63) // 64), dtype=np.uint64) for _ in range(4)]
        for first in range(0, n, _CHUNK):
            rows = slice(first, min(n, first + _CHUNK))
            if has_shared and (lowest[first // _CHUNK] >= stop or highest[first // _CHUNK] <= start):
                continue
            size = rows.stop - first
            base, both, upper, lower = (buffer[:size] for buffer in buffers)
            base.fill(np.uint64(2**64 - 1))
            _intersect(base, tables[0], rows, upper, lower)
            if has_shared:
                found[0, rows] = _population(base)
            for g, table in enumerate(tables[1:], start=1):
                np.copyto(both, base)
                _intersect(both, table, rows, upper, lower)
                found[g, rows] = _population(both)
        return found

    starts = range(0, n, _BLOCK)
    total = np.zeros((len(groups), n), dtype=np.int64)
    if workers > 1 and len(starts) > 1:
        with ThreadPoolExecutor(workers) as pool:
            for found in pool.map(block, starts):
                total += found
    else:
        for start in starts:
            total += block(start)
    found = np.empty_like(total)
    found[:, sorting] = total
    return list(found if has_shared else found[1:])


def _runs(order: Ints, low: Ints, high: Ints, start: int, stop: int) -> tuple[Words, Ints, Ints]:
    """The prefix bitsets of the points start .. stop - 1 and the ends of all runs among them."""
    member = (order >= start) & (order < stop)
    before = np.zeros(len(order) + 1, dtype=np.int64)
    np.cumsum(member, out=before[1:])
    rank = np.empty(stop - start, dtype=np.int64)
    rank[order[member] - start] = np.arange(stop - start)
    return _prefixes(rank), before[low], before[high]


def _intersect(
    result: Words, tables: Sequence[tuple[Words, Ints, Ints]], rows: slice, upper: Words, lower: Words
) -> None:
    for prefixes, low, high in tables:
        np.take(prefixes, high[rows], axis=0, out=upper, mode="clip")
        np.take(prefixes, low[rows], axis=0, out=lower, mode="clip")
        np.bitwise_xor(upper, lower, out=upper)
        np.bitwise_and(result, upper, out=result)
