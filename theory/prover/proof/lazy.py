"""Cutting planes over the polymatroids: is a combination of entropies non-negative on all of them?

Where few facts shrink the space there are too many elemental inequalities to write down at once, about
2^(k-2) k(k-1)/2. Minimise the target over functions h with values in [0, 1] that satisfy the inequalities
found so far, look for pairs of sets that violate submodularity, H(S) + H(T) >= H(S or T) + H(S and T), add
the worst for each S, and repeat. The minimum 0 means that the inequalities found so far suffice for a
proof; no violated pair, that h is a polymatroid on which the target is negative.

All pairs of sets are examined, not only elemental ones: their cuts are deeper, and proofs from them shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from theory.prover.lattice import Combination, Row, Vector
from theory.prover.proof.space import Space, elementals, sizes

__all__ = ["Cuts", "Name", "minimise", "uncrossings"]

Name = tuple[int, int, int]
"""Left, right and condition masks of I(left; right | condition)."""

_TOLERANCE = 1e-7
_MINIMUM = 1e-9
_PER_ROUND = 400
_ALL_PAIRS = 11
_POOL = 40


@dataclass
class Cuts:
    """The outcome of the cutting planes.

    Args:
        names: The inequalities used.
        vectors: Their reduced vectors.
        point: H of every set on a polymatroid where the target is negative, or None if there is none.
    """

    names: list[Name]
    vectors: list[Row]
    point: npt.NDArray[np.float64] | None


def uncrossings(target: Vector, k: int) -> list[Name]:
    """Inequalities to begin with: among the sets of the target, their meets and their joins.

    Besides all pairs from a small pool these are the pairs met when the sets with positive coefficients
    are uncrossed one after the other, which prove Han's inequality and its kin at once.
    """
    found: dict[Name, None] = {}

    def add(a: int, b: int) -> None:
        left, right = a & ~b, b & ~a
        if left and right:
            found[min(left, right), max(left, right), a & b] = None

    positive = [m for m, c in sorted(target.items()) if c > 0]
    for order in (positive, positive[::-1]):
        meet, join = (order[0], order[0]) if order else (0, 0)
        for mask in order[1:]:
            add(meet, mask)
            add(join, mask)
            meet, join = meet & mask, join | mask
    pool = dict.fromkeys(sorted(target))
    for a in tuple(pool):
        for b in tuple(pool):
            if len(pool) < _POOL:
                pool.update(dict.fromkeys(m for m in (a & b, a | b) if m))
    members = sorted(pool)
    for i, a in enumerate(members):
        for b in members[i + 1 :]:
            add(a, b)
            small, large = (a, b) if a & b == a else (b, a)
            if small & large == small:
                extra = large & ~small
                found[extra, extra, small] = None
    full = (1 << k) - 1
    for mask in members:
        found[mask, mask, 0] = None
        if mask != full:
            found[full & ~mask, full & ~mask, mask] = None
    return list(found)


def everywhere(
    space: Space, columns: Sequence[int], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """H of every set from its values on the irreducible sets."""
    h = np.zeros(1 << space.inside)
    h[list(columns)] = values
    counts = sizes(space.inside)
    for level in range(1, space.inside + 1):
        here = space.sets[counts == level]
        some = here[space.kind[here] >= 0]
        h[some] = h[space.first[some]] + h[space.second[some]] - h[space.minus[some]]
        for mask in sorted(m for m in space.leftovers if m.bit_count() == level):
            h[mask] = -sum(float(c) * h[m] for m, c in space.leftovers[mask][0].items() if m != mask)
    return h


def _violated_pairs(h: npt.NDArray[np.float64]) -> list[Name]:
    size = len(h)
    every = np.arange(size)
    worst = np.zeros(size)
    partner = np.zeros(size, dtype=np.int64)
    chunk = max(1, (1 << 22) // size)
    for start in range(0, size, chunk):
        some = every[start : start + chunk, None]
        gap = h[some] + h[None, :] - h[some | every] - h[some & every]
        partner[start : start + chunk] = gap.argmin(axis=1)
        worst[start : start + chunk] = gap.min(axis=1)
    bad = np.flatnonzero(worst < -_TOLERANCE)
    bad = bad[np.argsort(worst[bad], kind="stable")[:_PER_ROUND]]
    found = set()
    for s in bad:
        a, b = int(s), int(partner[s])
        found.add((min(a & ~b, b & ~a), max(a & ~b, b & ~a), a & b))
    return sorted(found)


def _violated_elementals(h: npt.NDArray[np.float64], k: int) -> list[Name]:
    left, right, condition = elementals(k)
    gap = h[left | condition] + h[right | condition] - h[condition] - h[left | right | condition]
    bad = np.flatnonzero(gap < -_TOLERANCE)
    bad = bad[np.argsort(gap[bad], kind="stable")[:_PER_ROUND]]
    return [(int(left[i]), int(right[i]), int(condition[i])) for i in bad]


def _decreasing(h: npt.NDArray[np.float64]) -> list[Name]:
    full = len(h) - 1
    bad = np.flatnonzero(h[full] - h < -_TOLERANCE)
    return [(full & ~int(s), full & ~int(s), int(s)) for s in bad]


def minimise(
    space: Space,
    target: Vector,
    equalities: Sequence[Vector] = (),
    inequalities: Sequence[Vector] = (),
) -> Cuts:
    """Cutting planes for `target >= 0` in a reduced space.

    Args:
        space: The space.
        target: A reduced vector.
        equalities: Reduced vectors that are zero.
        inequalities: Reduced vectors that are non-negative, besides Shannon's.
    """
    k = space.inside
    columns = [m for m in range(1, 1 << k) if space.irreducible(m)]
    position = {mask: i for i, mask in enumerate(columns)}
    objective = np.zeros(len(columns))
    for mask, c in target.items():
        objective[position[mask]] = float(c)
    objective /= np.abs(objective).max()
    names: list[Name] = []
    vectors: list[Row] = []
    known: set[int] = set()

    def add(new: Sequence[Name]) -> int:
        before = len(names)
        for name in new:
            vector = space.row(name)
            key = hash(frozenset(vector.items()))
            if vector and key not in known:
                known.add(key)
                names.append(name)
                vectors.append(vector)
        return len(names) - before

    add(uncrossings(target, k))

    def rows(some: Sequence[Combination]) -> csr_matrix:
        starts, indices, data = [0], [], []
        for vector in some:
            indices += [position[m] for m in vector]
            data += [float(c) for c in vector.values()]
            starts.append(len(data))
        return csr_matrix((data, indices, starts), shape=(len(some), len(columns)))

    equal = rows(equalities) if equalities else None
    zeros = np.zeros(len(equalities)) if equalities else None
    while True:
        above: list[Combination] = [*inequalities, *vectors]
        answer = linprog(
            objective,
            A_ub=-rows(above) if above else None,
            b_ub=np.zeros(len(above)) if above else None,
            A_eq=equal,
            b_eq=zeros,
            bounds=(0, 1),
            method="highs",
        )
        if answer.status != 0 or answer.fun > -_MINIMUM:
            return Cuts(names, vectors, None)
        h = everywhere(space, columns, np.asarray(answer.x))
        found = _violated_pairs(h) if k <= _ALL_PAIRS else _violated_elementals(h, k)
        if not add([*found, *_decreasing(h)]):
            return Cuts(names, vectors, h)
