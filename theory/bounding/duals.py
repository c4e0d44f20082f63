"""The dual description of a cone in few dimensions, in exact integers, one ray at a time.

For rays v_1, v_2, .. it keeps generators of {f : f v >= 0 for all v}: lines, which are orthogonal to all
rays, and extreme normals. A new ray turns one line into a normal, or keeps the normals on its good side and
joins each of them with each adjacent one on its bad side (the double description method, Motzkin, Raiffa,
Thompson and Thrall 1953). The normals are then the facets of the cone that the rays span, the lines its
equations.

Example:
    >>> dual = Dual(2)
    >>> for ray in ((1, 0), (1, 1)):
    ...     dual.add(ray)
    >>> dual.lines, sorted(dual.normals)
    ([], [(0, 1), (1, -1)])
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

__all__ = ["Dual", "Normal"]

Normal = tuple[int, ...]
"""Integers without a common factor."""


def _primitive(vector: Sequence[int]) -> Normal:
    divisor = gcd(*vector)
    return tuple(c // divisor for c in vector) if divisor else tuple(vector)


def _product(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _combined(a: Normal, x: int, b: Normal, y: int) -> Normal:
    """The vector x a + y b without a common factor."""
    return _primitive([x * p + y * q for p, q in zip(a, b, strict=True)])


class Dual:
    """The normals that are non-negative on all rays so far.

    Args:
        dimension: The number of coordinates.
    """

    def __init__(self, dimension: int) -> None:
        self.rays: list[Normal] = []
        self.lines: list[Normal] = [tuple(int(i == j) for j in range(dimension)) for i in range(dimension)]
        self.normals: list[Normal] = []

    def _zeros(self, normal: Normal) -> frozenset[int]:
        return frozenset(i for i, ray in enumerate(self.rays) if not _product(normal, ray))

    def add(self, ray: Sequence[int]) -> None:
        """Take a ray into account."""
        line = next((one for one in self.lines if _product(one, ray)), None)
        if line is not None:
            self._turn(line, ray)
        else:
            self._cut(ray)
        self.rays.append(tuple(ray))

    def _turn(self, line: Normal, ray: Sequence[int]) -> None:
        """One line becomes a normal; everything else is made orthogonal to the ray along it."""
        value = _product(line, ray)
        if value < 0:
            line, value = tuple(-c for c in line), -value

        def flat(vector: Normal) -> Normal:
            return _combined(vector, value, line, -_product(vector, ray))

        self.lines = [flat(one) for one in self.lines if one not in (line, tuple(-c for c in line))]
        self.normals = [*(flat(normal) for normal in self.normals), line]

    def _cut(self, ray: Sequence[int]) -> None:
        values = {normal: _product(normal, ray) for normal in self.normals}
        bad = [normal for normal, value in values.items() if value < 0]
        if not bad:
            return
        zeros = {normal: self._zeros(normal) for normal in self.normals}
        made = []
        for good in (normal for normal, value in values.items() if value > 0):
            for other in bad:
                shared = zeros[good] & zeros[other]
                third = (n for n in self.normals if n not in (good, other))
                if not any(shared <= zeros[n] for n in third):
                    made.append(_combined(good, -values[other], other, values[good]))
        self.normals = [*(n for n, value in values.items() if value >= 0), *dict.fromkeys(made)]
