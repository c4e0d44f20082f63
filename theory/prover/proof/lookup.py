"""Short proofs by table look-up: sums of one or two quantities, found by their hashes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import gcd, lcm

import numpy as np
import numpy.typing as npt

from theory.prover.lattice import Quantity, Vector
from theory.prover.proof.space import HASHES, Hashes, Quantities

__all__ = ["HashTable", "primitive"]

_FACTORS = 3
"""So many different sizes of coefficients of the goal are tried as multiples, the smallest first."""


def primitive(vector: Vector) -> tuple[dict[int, int], Fraction]:
    """Integers without a common factor, and the positive factor that makes the vector of them."""
    denominator = lcm(*(c.denominator for c in vector.values()))
    whole = {mask: int(c * denominator) for mask, c in vector.items()}
    divisor = gcd(*whole.values())
    return {mask: c // divisor for mask, c in whole.items()}, Fraction(divisor, denominator)


class HashTable:
    """Quantities by their hashes: the first one of each hash but 0.

    Args:
        hashes: The hash of each quantity.
        some: The quantities.
    """

    def __init__(self, hashes: Hashes, some: Quantities) -> None:
        unique, index = np.unique(hashes, return_index=True)
        keep = unique != 0
        self.hashes: Hashes = unique[keep]
        self.quantities = some.pick(index[keep])

    def __len__(self) -> int:
        return len(self.hashes)

    def _matches(self, goals: Hashes, factor: int) -> list[tuple[int, int]]:
        """Pairs (i, j) with goals[i] = factor * hashes[j]."""
        if factor == 1:
            values, order = self.hashes, None
        else:
            multiples = self.hashes * np.uint64(factor % HASHES)
            order = np.argsort(multiples, kind="stable")
            values = multiples[order]
        position = np.searchsorted(values, goals)
        position[position == len(values)] = 0
        hits = np.flatnonzero(values[position] == goals)
        matched: npt.NDArray[np.int64] = position[hits] if order is None else order[position[hits]]
        return [(int(i), int(j)) for i, j in zip(hits, matched, strict=True)]

    def sums(
        self, vector: Vector, set_hashes: Hashes, *, signed: bool = False
    ) -> Iterator[dict[Quantity, Fraction]]:
        """Ways to write a vector as a multiple of one quantity, else as a combination of two.

        Args:
            vector: What to write.
            set_hashes: The hash of the entropy of each set, indexed by its mask.
            signed: Whether negative multiples are allowed.
        """
        if not len(self):
            return
        whole, unit = primitive(vector)
        goal = np.array([sum(c * int(set_hashes[m]) for m, c in whole.items()) % HASHES], dtype=np.uint64)
        sizes = sorted({abs(c) for c in whole.values()} | {1})[:_FACTORS]
        factors = [*sizes, *(-size for size in sizes)] if signed else sizes
        single = [(j, factor) for factor in factors for _, j in self._matches(goal, factor)]
        if single:
            for j, factor in single:
                yield {self.quantities.at(j): unit * factor}
            return
        for n, first in enumerate(factors):
            remainder = goal - self.hashes * np.uint64(first % HASHES)
            for second in factors[n:]:
                for i, j in self._matches(remainder, second):
                    if i != j and (first != second or i < j):
                        one, other = self.quantities.at(i), self.quantities.at(j)
                        yield {one: unit * first, other: unit * second}
