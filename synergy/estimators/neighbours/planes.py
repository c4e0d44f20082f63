"""Exact neighbour counts in the plane by a wavelet matrix, in n log n.

In the maximum norm the neighbours of a point in two coordinates are the points that lie in a run of the
sorted order of each. With the points numbered along the first coordinate and ranked along the second, their
number is that of ranks between two bounds among consecutive numbers: a range count, which a wavelet matrix
answers for all points at once, one bit of the ranks at a time.

Reference:
    F. Claude, G. Navarro, A. Ordonez (2015), "The wavelet matrix: an efficient wavelet tree for large
    alphabets", Information Systems 47.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from synergy.estimators.neighbours.bitsets import all_run_bounds

__all__ = ["plane_counts", "range_counts"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def range_counts(ranks: Ints, first: tuple[Ints, Ints], second: tuple[Ints, Ints]) -> Ints:
    """How many j in [first_low_i, first_high_i) have second_low_i <= ranks[j] < second_high_i.

    Args:
        ranks: Integers 0 .. n - 1, shape (n,).
        first: The ends of a run of positions j for each query i, shapes (m,).
        second: The ends of a range of ranks for each query, at most n, shapes (m,).

    Returns:
        Shape (m,).

    Example:
        >>> import numpy as np
        >>> two, four = np.array([0]), np.array([3])
        >>> range_counts(np.array([2, 0, 3, 1]), (two, four), (np.array([1]), np.array([4]))).tolist()
        [2]
    """
    queries = len(first[0])
    level = ranks.astype(np.int64)
    ends = np.array([np.tile(first[0], 2), np.tile(first[1], 2)], dtype=np.int64)  # (2, 2 m)
    bound = np.concatenate([second[1], second[0]]).astype(np.int64)
    count = np.zeros(2 * queries, dtype=np.int64)
    zeros = np.zeros(len(ranks) + 1, dtype=np.int64)
    for bit in range(len(ranks).bit_length() - 1, -1, -1):
        clear = (level >> bit) & 1 == 0
        np.cumsum(clear, out=zeros[1:])
        before = zeros.take(ends)
        up = (bound >> bit) & 1
        count += (before[1] - before[0]) * up
        ends += zeros[-1] - 2 * before
        ends *= up
        ends += before
        level = np.concatenate([level[clear], level[~clear]])
    return np.asarray(count[:queries] - count[queries:])


def plane_counts(
    spaces: list[Floats], radius: Floats, *, strict: bool = True, workers: int = 1
) -> list[Ints]:
    """How many points are within each point's radius, itself included, in spaces of one or two columns.

    Args:
        spaces: Columns of shapes (n, 1) or (n, 2); a column that several share is sorted once.
        radius: Shape (n,).
        strict: Whether to count distances < radius (else <=).
        workers: Threads.

    Returns:
        The counts in each space.
    """
    position: dict[bytes, int] = {}
    columns: list[Floats] = []
    wanted = []
    for space in spaces:
        named = []
        for column in np.ascontiguousarray(space.T):
            key = column.tobytes()
            if key not in position:
                position[key] = len(columns)
                columns.append(column)
            named.append(position[key])
        wanted.append(named)
    bounds = all_run_bounds(columns, radius, strict=strict, workers=workers)

    def count(named: list[int]) -> Ints:
        order, low, high = bounds[named[0]]
        if len(named) == 1:
            return high - low
        along, low_rank, high_rank = bounds[named[1]]
        rank = np.empty(len(radius), dtype=np.int64)
        rank[along] = np.arange(len(radius))
        found = np.empty(len(radius), dtype=np.int64)
        found[order] = range_counts(
            rank[order], (low[order], high[order]), (low_rank[order], high_rank[order])
        )
        return found

    if workers == 1 or len(wanted) == 1:
        return [count(named) for named in wanted]
    with ThreadPoolExecutor(min(workers, len(wanted))) as pool:
        return list(pool.map(count, wanted))
