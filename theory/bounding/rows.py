"""Facets and equations between terms, solved for the first term where they name it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.bounding.duals import Normal
from theory.expressions import Operator

__all__ = ["BoundRow", "solved"]


@dataclass(frozen=True)
class BoundRow:
    """`first operator sum right_i other_i` where `left` is 1, `sum right_i other_i operator 0` where it is 0.

    Args:
        left: Whether the first term is in it.
        right: The weights of the other terms.
        operator: The comparison.
    """

    left: int
    right: tuple[Fraction, ...]
    operator: Operator

    def value(self, numbers: Sequence[float]) -> float:
        """The right side where the other terms have these values."""
        return float(sum(c * Fraction(x) for c, x in zip(self.right, numbers, strict=True)))

    @property
    def weight(self) -> float:
        """The sum of the absolute values of its weights."""
        return float(sum(map(abs, self.right)))


def solved(equations: Sequence[Normal], facets: Sequence[Normal]) -> list[BoundRow]:
    """Equations and facets as rows; equations eliminate terms from the facets, the first term first.

    Args:
        equations: Coefficients of combinations of all terms that vanish.
        facets: Coefficients of combinations that are never negative.

    Example:
        >>> for row in solved([(1, 0, -2)], [(0, 1, 0), (1, -1, 0)]):
        ...     print(row.left, row.operator, *row.right)
        1 == 0 2
        0 >= 1 0
        0 >= -1 2
    """
    pivots: list[tuple[int, list[Fraction]]] = []
    for equation in equations:
        rest = _without(pivots, [Fraction(c) for c in equation])
        place = next((i for i, c in enumerate(rest) if c), None)
        if place is None:
            continue
        unit = [c / rest[place] for c in rest]
        pivots = [(p, _without([(place, unit)], row)) for p, row in pivots] + [(place, unit)]
    rows = [_row(row, "==") for _, row in sorted(pivots)]
    return rows + [_row(_without(pivots, [Fraction(c) for c in facet]), ">=") for facet in facets]


def _without(pivots: Sequence[tuple[int, list[Fraction]]], vector: list[Fraction]) -> list[Fraction]:
    """A vector minus the multiples of equations that make its pivot coefficients vanish."""
    rest = vector
    for place, row in pivots:
        factor = rest[place]
        rest = [a - factor * b for a, b in zip(rest, row, strict=True)]
    return rest


def _row(vector: list[Fraction], operator: Operator) -> BoundRow:
    first, *others = vector
    if not first:
        return BoundRow(0, tuple(others), operator)
    turned: Operator = operator if operator == "==" or first > 0 else "<="
    return BoundRow(1, tuple(-c / first for c in others), turned)
