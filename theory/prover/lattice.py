"""Sets of variables as bit masks, and vectors over joint entropies.

A linear combination of joint entropies is a `Vector`: a dictionary from masks to rational coefficients
with no zero in it. Bit i of a mask stands for the i-th name of a `Frame`. A `Quantity` names one entropy or
one mutual information by its masks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from theory.expressions import Expression, Term

__all__ = [
    "Combination",
    "Frame",
    "IntegerVector",
    "Quantity",
    "Vector",
    "add_to",
    "bits",
    "information",
    "scaled",
]

Vector = dict[int, Fraction]
"""The coefficient of H(mask) for each mask, none of them zero."""

IntegerVector = dict[int, int]
"""The same with integer coefficients: the vector of an inequality."""

Combination = Mapping[int, Fraction | int]
"""Either of them, to be read."""


class Quantity(NamedTuple):
    """The masks of I(left; right | condition); equal sides stand for the entropy H(left | condition)."""

    left: int
    right: int
    condition: int


def bits(mask: int) -> Iterator[int]:
    """The positions of the ones of a mask, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def add_to(total: Vector, other: Combination, factor: Fraction | int = 1) -> None:
    """Add `factor * other` to `total` in place."""
    plain = factor == 1
    for mask, coefficient in other.items():
        added = coefficient if plain else factor * coefficient
        known = total.get(mask)
        value = added if known is None else known + added
        if value:
            total[mask] = value if isinstance(value, Fraction) else Fraction(value)
        else:
            total.pop(mask, None)


def scaled(vector: Combination, factor: Fraction | int) -> Vector:
    """The vector times a number other than zero."""
    return {mask: Fraction(factor * c) for mask, c in vector.items()}


def information(left: int, right: int, given: int = 0) -> Vector:
    """I(left; right | given) as a vector; I(left; left | given) is the entropy H(left | given)."""
    total: Vector = {}
    for mask, sign in (
        (left | given, 1),
        (right | given, 1),
        (given, -1),
        (left | right | given, -1),
    ):
        if mask:
            add_to(total, {mask: Fraction(sign)})
    return total


@dataclass(frozen=True)
class Frame:
    """The variables of one problem, in the order of their bits."""

    names: tuple[str, ...]

    @cached_property
    def index(self) -> dict[str, int]:
        """The bit of each name."""
        return {name: i for i, name in enumerate(self.names)}

    def mask(self, names: Iterable[str]) -> int:
        """The mask of a set of names."""
        total = 0
        for name in names:
            total |= 1 << self.index[name]
        return total

    def names_of(self, mask: int) -> tuple[str, ...]:
        """The names in a mask, in the order of the frame."""
        return tuple(self.names[i] for i in bits(mask))

    def vector(self, expression: Expression | Term) -> Vector:
        """The canonical form of an expression."""
        return {self.mask(subset): c for subset, c in expression.entropies().items()}

    def term(self, left: int, right: int, given: int = 0) -> Term:
        """I(left; right | given), or H(left | given) where both sides are the same."""
        groups = (self.names_of(left),) if left == right else (self.names_of(left), self.names_of(right))
        return Term(groups, self.names_of(given))
