"""Short proofs by table look-up: sums of one or two quantities found by the numbers of their vectors."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import gcd, lcm

import numpy as np
import numpy.typing as npt

from theory.prover.lattice import Vector
from theory.prover.proof.space import Hashes, Triples

__all__ = ["Table"]

Name = tuple[int, int, int]
_MODULUS = 2**64
_FACTORS = 3


def primitive(vector: Vector) -> tuple[dict[int, int], Fraction]:
    """Integers without a common factor, and the positive number that the vector is their multiple of."""
    denominator = lcm(*(c.denominator for c in vector.values()))
    whole = {mask: int(c * denominator) for mask, c in vector.items()}
    divisor = gcd(*whole.values())
    return {mask: c // divisor for mask, c in whole.items()}, Fraction(divisor, denominator)


class Table:
    """Quantities by their numbers.

    Args:
        hashes: The number of each quantity.
        some: The quantities.
    """

    def __init__(self, hashes: Hashes, some: Triples) -> None:
        unique, index = np.unique(hashes, return_index=True)
        keep = unique != 0
        self.hashes: Hashes = unique[keep]
        index = index[keep]
        self.triples: Triples = (some[0][index], some[1][index], some[2][index])

    def __len__(self) -> int:
        return len(self.hashes)

    def name(self, i: int) -> Name:
        """The i-th quantity."""
        left, right, condition = self.triples
        return int(left[i]), int(right[i]), int(condition[i])

    def _matches(self, goals: Hashes, factor: int) -> list[tuple[int, int]]:
        """Pairs (i, j) with goals[i] = factor * hashes[j]."""
        if factor == 1:
            values, order = self.hashes, None
        else:
            multiples = self.hashes * np.uint64(factor % _MODULUS)
            order = np.argsort(multiples, kind="stable")
            values = multiples[order]
        position = np.searchsorted(values, goals)
        position[position == len(values)] = 0
        hits = np.flatnonzero(values[position] == goals)
        found: npt.NDArray[np.int64] = position[hits] if order is None else order[position[hits]]
        return [(int(i), int(j)) for i, j in zip(hits, found, strict=True)]

    def sums(self, vector: Vector, hashes: Hashes, *, signed: bool = False) -> Iterator[dict[Name, Fraction]]:
        """Ways to write a vector as a multiple of one quantity, else as a combination of two.

        Args:
            vector: What to write.
            hashes: The number of each set.
            signed: Whether negative multiples are allowed.
        """
        if not len(self):
            return
        whole, unit = primitive(vector)
        goal = np.array([sum(c * int(hashes[m]) for m, c in whole.items()) % _MODULUS], dtype=np.uint64)
        sizes = sorted({abs(c) for c in whole.values()} | {1})[:_FACTORS]
        factors = [*sizes, *(-size for size in sizes)] if signed else sizes
        single = [(j, factor) for factor in factors for _, j in self._matches(goal, factor)]
        if single:
            for j, factor in single:
                yield {self.name(j): unit * factor}
            return
        for n, first in enumerate(factors):
            remainder = goal - self.hashes * np.uint64(first % _MODULUS)
            for second in factors[n:]:
                for i, j in self._matches(remainder, second):
                    if i != j and (first != second or i < j):
                        yield {self.name(i): unit * first, self.name(j): unit * second}
