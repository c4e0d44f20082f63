"""Cutting planes over the polymatroids: is a combination of entropies non-negative on all of them?

Where few facts shrink the space, there are too many elemental inequalities to write down at once: about
2^(k-2) k(k-1)/2. So they are added as they are needed. Each round

1. minimises the target over functions h with values in [0, 1] that satisfy the inequalities so far;
2. looks for pairs of sets that violate submodularity, H(S) + H(T) >= H(S or T) + H(S and T);
3. adds the worst pair of each S.

If the minimum is 0, the inequalities so far suffice for a proof. If no pair is violated, h is a polymatroid
on which the target is negative. All pairs of sets are examined, not only the elemental ones, because the
others cut off more and give shorter proofs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.prover.budget import solve, spend
from theory.prover.lattice import Combination, IntegerVector, Quantity, Vector
from theory.prover.proof.programs import matrix
from theory.prover.proof.space import IRREDUCIBLE, Space, elementals, sizes

__all__ = ["Cuts", "minimise", "uncrossings"]

_VIOLATED = 1e-7
"""An inequality counts as violated if it fails by more, where entropies are between 0 and 1."""

_NEGATIVE = 1e-9
"""The minimum counts as zero if it is not below minus this; the objective's largest coefficient is 1."""

_PER_ROUND = 400
"""At most so many violated inequalities are added in a round, the worst ones."""

_ALL_PAIRS_VARIABLES = 11
"""Up to so many variables all 4^k pairs of sets are examined; beyond, only elemental inequalities."""

_POOL = 40
"""So many sets are intersected and joined with each other for the inequalities to begin with."""

_CHUNK_CELLS = 1 << 22
"""So many pairs of sets are examined at a time, for the sake of memory (32 MiB)."""


_REDUCED = 1e-5
"""Seconds that it takes to reduce an inequality by the facts."""

_PAIR = 1e-8
"""Seconds that it takes to look at a pair of sets."""


@dataclass
class Cuts:
    """The outcome of the cutting planes.

    Args:
        quantities: The inequalities used, each says that one of them is non-negative.
        vectors: Their reduced vectors.
        point: H of every set on a polymatroid where the target is negative, or None if there is none.
    """

    quantities: list[Quantity]
    vectors: list[IntegerVector]
    point: npt.NDArray[np.float64] | None


def uncrossings(target: Vector, k: int) -> list[Quantity]:
    """Inequalities to begin with: among the sets of the target, their meets and their joins.

    Besides all pairs from a small pool these are the pairs met when the sets with positive coefficients
    are uncrossed one after the other, which prove Han's inequality and its kin at once.
    """
    result: dict[Quantity, None] = {}

    def add(a: int, b: int) -> None:
        left, right = a & ~b, b & ~a
        if left and right:
            result[_sorted(left, right, a & b)] = None

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
                result[Quantity(extra, extra, small)] = None
    full = (1 << k) - 1
    for mask in members:
        result[Quantity(mask, mask, 0)] = None
        if mask != full:
            result[Quantity(full & ~mask, full & ~mask, mask)] = None
    return list(result)


def _sorted(left: int, right: int, condition: int) -> Quantity:
    return Quantity(min(left, right), max(left, right), condition)


def everywhere(
    space: Space, columns: Sequence[int], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """H of every set from its values on the irreducible sets."""
    h = np.zeros(1 << space.inside)
    h[list(columns)] = values
    counts = sizes(space.inside)
    for level in range(1, space.inside + 1):
        here = space.sets[counts == level]
        some = here[space.rule[here] != IRREDUCIBLE]
        h[some] = h[space.first[some]] + h[space.second[some]] - h[space.minus[some]]
        for mask in sorted(m for m in space.equations if m.bit_count() == level):
            h[mask] = -sum(float(c) * h[m] for m, c in space.equations[mask].vector.items() if m != mask)
    return h


def _violated_pairs(h: npt.NDArray[np.float64]) -> list[Quantity]:
    size = len(h)
    every = np.arange(size)
    worst = np.zeros(size)
    partner = np.zeros(size, dtype=np.int64)
    chunk = max(1, _CHUNK_CELLS // size)
    for start in range(0, size, chunk):
        some = every[start : start + chunk, None]
        gap = h[some] + h[None, :] - h[some | every] - h[some & every]
        partner[start : start + chunk] = gap.argmin(axis=1)
        worst[start : start + chunk] = gap.min(axis=1)
    bad = np.flatnonzero(worst < -_VIOLATED)
    bad = bad[np.argsort(worst[bad], kind="stable")[:_PER_ROUND]]
    result = set()
    for s in bad:
        a, b = int(s), int(partner[s])
        result.add(_sorted(a & ~b, b & ~a, a & b))
    return sorted(result)


def _violated_elementals(h: npt.NDArray[np.float64], k: int) -> list[Quantity]:
    every = elementals(k)
    gap = every.values(h)
    bad = np.flatnonzero(gap < -_VIOLATED)
    bad = bad[np.argsort(gap[bad], kind="stable")[:_PER_ROUND]]
    return [every.at(int(i)) for i in bad]


def _decreasing(h: npt.NDArray[np.float64]) -> list[Quantity]:
    full = len(h) - 1
    bad = np.flatnonzero(h[full] - h < -_VIOLATED)
    return [Quantity(full & ~int(s), full & ~int(s), int(s)) for s in bad]


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
    columns = [m for m in range(1, 1 << space.inside) if space.irreducible(m)]
    program = _GrowingProgram(columns, target, equalities)
    cuts = Cuts([], [], None)
    known: set[int] = set()
    _add(cuts, uncrossings(target, space.inside), space, known)
    while True:
        values = program.minimiser([*inequalities, *cuts.vectors])
        if values is None:
            return cuts
        h = everywhere(space, columns, values)
        every_pair = space.inside <= _ALL_PAIRS_VARIABLES
        spend(_PAIR * 4**space.inside if every_pair else _PAIR * space.inside**2 * 2**space.inside)
        violated = _violated_pairs(h) if every_pair else _violated_elementals(h, space.inside)
        if not _add(cuts, [*violated, *_decreasing(h)], space, known):
            cuts.point = h
            return cuts


def _add(cuts: Cuts, new: Sequence[Quantity], space: Space, known: set[int]) -> bool:
    """Add the inequalities whose reduced vectors are new; whether there was one."""
    before = len(cuts.vectors)
    spend(_REDUCED * len(new))
    for quantity in new:
        vector = space.row(quantity)
        key = hash(frozenset(vector.items()))
        if vector and key not in known:
            known.add(key)
            cuts.quantities.append(quantity)
            cuts.vectors.append(vector)
    return len(cuts.vectors) > before


class _GrowingProgram:
    """Minimise the target over functions on the irreducible sets with values in [0, 1].

    Args:
        columns: The irreducible sets.
        target: A reduced vector.
        equalities: Reduced vectors that are zero.
    """

    def __init__(self, columns: Sequence[int], target: Vector, equalities: Sequence[Vector]) -> None:
        self.columns = columns
        objective = np.array([float(target.get(mask, 0)) for mask in columns])
        self.objective = objective / np.abs(objective).max()
        self.equalities = matrix(columns, equalities).T if equalities else None
        self.zeros = np.zeros(len(equalities)) if equalities else None

    def minimiser(self, inequalities: Sequence[Combination]) -> npt.NDArray[np.float64] | None:
        """Where the target is smallest under some inequalities, or None if it is nowhere negative."""
        answer = solve(
            self.objective,
            A_ub=-matrix(self.columns, inequalities).T if inequalities else None,
            b_ub=np.zeros(len(inequalities)) if inequalities else None,
            A_eq=self.equalities,
            b_eq=self.zeros,
            bounds=(0, 1),
        )
        if answer.status != 0 or answer.fun > -_NEGATIVE:
            return None
        return np.asarray(answer.x, dtype=np.float64)
