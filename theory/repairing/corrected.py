"""Corrected inequalities: the least that must be added to make an inequality true.

With premises c_1 == 0, .. under which `gap >= 0` is proved there are weights with

    gap + l_1 c_1 + .. >= 0

for all distributions on the diagram, as the linear program's dual shows: the largest violation of the
inequality on the cone where every c_i <= 1 is finite, and its multipliers are such weights, with the
smallest sum. The point where it is attained is a ray on which the corrected inequality is an equality.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy.optimize import linprog

from theory.cones import ZERO, Cone, Floats
from theory.expressions import Expression, Operator, Relation, Term

__all__ = ["corrected_relation", "least_weights", "sparsest", "weighted"]

_DENOMINATOR = 120
"""Weights are made rational with denominators up to this; the proof decides whether they are right."""


def least_weights(cone: Cone, gap: Floats, quantities: Floats) -> tuple[tuple[Fraction, ...], Floats] | None:
    """The weights with the smallest sum that make `gap + sum weight quantity` non-negative on the cone.

    Args:
        cone: The cone.
        gap: An array of shape (columns,).
        quantities: Non-negative quantities, of shape (quantities, columns).

    Returns:
        The weights and a point on the cone where the sum is 0 and the gap negative, or None if there are no
        such weights.
    """
    answer = linprog(
        gap,
        A_ub=np.concatenate([-cone.rows, quantities]),
        b_ub=np.concatenate([np.zeros(len(cone.rows)), np.ones(len(quantities))]),
        A_eq=cone.equal if len(cone.equal) else None,
        b_eq=np.zeros(len(cone.equal)) if len(cone.equal) else None,
        bounds=(0, None),
        method="highs",
    )
    if answer.status != 0:
        return None
    multipliers = -np.asarray(answer.ineqlin.marginals)[len(cone.rows) :]
    weights = tuple(Fraction(float(m)).limit_denominator(_DENOMINATOR) for m in multipliers)
    return weights, np.asarray(answer.x, dtype=np.float64)


def sparsest(cone: Cone, sums: Sequence[Floats]) -> list[int]:
    """Those of some sums that exceed none of the others everywhere; the first of those that are equal."""

    def exceeds(large: Floats, small: Floats) -> bool:
        return cone.ray(large - small)[0] >= -ZERO

    kept: list[int] = []
    for i, total in enumerate(sums):
        if not any(exceeds(total, sums[j]) for j in kept):
            kept = [j for j in kept if not exceeds(sums[j], total)] + [i]
    return kept


def corrected_relation(relation: Relation, added: Expression, *, downwards: bool = False) -> Relation:
    """A relation with something added to its larger side.

    Args:
        relation: The relation.
        added: What to add.
        downwards: For an equality, whether its left side is to be at most its right, with what is added.

    Example:
        >>> from theory import parse_expression, parse_statement
        >>> (d4,) = parse_statement("I(A;C|Z) <= I(A;C|X)")
        >>> print(corrected_relation(d4, parse_expression("I(A;X|Z)")))
        I(A;C|Z) <= I(A;C|X) + I(A;X|Z)
    """
    upper = relation.operator in ("<=", "<") or (relation.operator == "==" and downwards)
    operator: Operator = "<=" if upper else ">="
    right = relation.right + added if upper else relation.right - added
    return Relation(relation.left, operator, right)


def weighted(terms: Sequence[Term], weights: Sequence[Fraction]) -> Expression:
    """The sum of terms with weights, without those of weight 0."""
    return Expression(tuple((w, term) for w, term in zip(weights, terms, strict=True) if w))
