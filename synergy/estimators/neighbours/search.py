"""Nearest neighbours in the maximum norm: distances to the k-th, and counts within a radius.

Distances come from scipy's cKDTree. Counts come from the sorted order in one dimension, from bitsets in more
(`bitsets`), and from scikit-learn's KDTree beyond the rows where bitsets pay. All of them decide the boundary
by the same subtraction |x_i - x_j| of float64 numbers, so that a neighbour that is the k-th in the joint
space is never counted as strictly nearer in a subspace by rounding.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from synergy.estimators.neighbours.bitsets import all_run_bounds, run_bounds, subspace_counts
from theory.checks import integer

__all__ = ["available_workers", "counts_within", "joint_counts", "kth_distance", "nearest"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LEAVES, _DEEP_LEAF = {1: 24, 2: 24, 3: 16}, 32
"""The fastest leaf sizes, by dimension, and beyond three (measured at n = 20,000)."""
_BITSET_ROWS, _BITSET_ROWS_OF_PLANE = 200_000, 80_000
"""Up to here bitsets beat the trees: in three dimensions and more, and in two."""
_THREADED_ROWS = 1_000
"""With fewer rows to start the threads of a tree takes longer than the search."""


def available_workers(workers: int | None) -> int:
    """The number of threads: all cores that this process may use for None.

    Raises:
        ValueError: If it is not positive.
    """
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return integer("workers", workers, 1)


def _tree(points: Floats) -> cKDTree:
    return cKDTree(points, leafsize=_LEAVES.get(points.shape[1], _DEEP_LEAF))


def _useful(workers: int, points: Floats) -> int:
    """How many threads to search with."""
    return workers if len(points) >= _THREADED_ROWS else 1


def kth_distance(points: Floats, k: int, *, workers: int = 1) -> Floats:
    """The distance of each point to its k-th nearest other point, shape (n,).

    Args:
        points: Shape (n, d).
        k: 1 .. n - 1.
        workers: Threads.
    """
    tree = _tree(points)
    order = tree.indices
    found = np.empty(len(points))
    found[order] = tree.query(points[order], k=[k + 1], p=np.inf, workers=_useful(workers, points))[0][:, 0]
    return found


def nearest(points: Floats, k: int, *, workers: int = 1) -> Ints:
    """The indices of the k nearest other points of each point, nearest first, shape (n, k)."""
    tree = _tree(points)
    found = tree.query(points, k=k + 1, p=np.inf, workers=_useful(workers, points))[1]  # (n, k + 1)
    own = found == np.arange(len(points))[:, None]
    own[~own.any(axis=1), -1] = True
    return np.asarray(found[~own].reshape(len(points), k))


def counts_within(points: Floats, radius: Floats, *, strict: bool = True, workers: int = 1) -> Ints:
    """How many points lie within each point's radius, itself included, shape (n,).

    Args:
        points: Shape (n, d).
        radius: Shape (n,).
        strict: Whether to count distances < radius (else <=). A point always counts itself.
        workers: Threads.
    """
    return joint_counts(np.empty((len(points), 0)), [points], radius, strict=strict, workers=workers)[0]


def joint_counts(
    shared: Floats, parts: Sequence[Floats], radius: Floats, *, strict: bool = True, workers: int = 1
) -> list[Ints]:
    """Counts in the shared columns (if any) and in each (shared, part); see `subspace_counts`."""
    width = shared.shape[1] + max(part.shape[1] for part in parts)
    spaces = [np.hstack([shared, part]) for part in parts]
    if shared.shape[1]:
        spaces.insert(0, shared)
    if width == 1:
        columns = [np.ascontiguousarray(space[:, 0]) for space in spaces]
        bounds = all_run_bounds(columns, radius, strict=strict, workers=workers)
        found = [high - low for _, low, high in bounds]
    elif len(radius) <= (_BITSET_ROWS if width > 2 else _BITSET_ROWS_OF_PLANE):
        found = subspace_counts(shared, parts, radius, strict=strict, workers=workers)
    else:
        found = [_counts(space, radius, strict, workers) for space in spaces]
    return [np.maximum(counts, 1) for counts in found]


def _counts(points: Floats, radius: Floats, strict: bool, workers: int) -> Ints:
    if points.shape[1] == 1:
        _, low, high = run_bounds(points[:, 0], radius, strict=strict)
        return high - low
    from sklearn.neighbors import KDTree

    inclusive = np.nextafter(radius, -1) if strict else radius
    tree = KDTree(points, leaf_size=40, metric="chebyshev")
    order = np.asarray(tree.get_arrays()[1])
    found = np.empty(len(points), dtype=np.int64)

    def count(rows: Ints) -> None:
        found[rows] = tree.query_radius(points[rows], inclusive[rows], count_only=True)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(count, np.array_split(order, workers)))
    return found
