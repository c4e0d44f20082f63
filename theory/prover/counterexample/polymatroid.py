"""Why Shannon's inequalities do not suffice: a polymatroid under the facts that violates the statement.

It assigns a number to each set of variables, satisfies every elemental inequality and every fact, and makes
the target negative. If it is the entropy of a distribution, that is a counterexample; it need not be.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from theory.prover.budget import solve
from theory.prover.lattice import Combination, Vector
from theory.prover.proof.lazy import everywhere
from theory.prover.proof.programs import matrix
from theory.prover.proof.search import Search
from theory.prover.proof.space import elementals

__all__ = ["violating"]

_DENOMINATOR = 60
"""The entropies are rounded to fractions of at most this denominator, in units of the smallest one."""

_MOST_COMMON_DENOMINATOR = 10**6
"""A rounding with a larger common denominator is given up: it is noise rather than a vertex."""

_SMALL = 1e-7
"""Entropies between 0 and 1 count as zero up to this, the tolerance of the linear program."""


def violating(search: Search, target: Vector) -> dict[int, Fraction] | None:
    """H of every set on a polymatroid where the target is negative, exact, or None if none was found.

    Raises:
        TooLargeError: If the linear program would be too large.
    """
    space = search.space
    reduced = space.reduced(target)
    if not reduced:
        return None
    point = search.cuts(reduced).point if search.is_large else _by_program(search, reduced)
    return None if point is None else _exact(search, target, point)


def _by_program(search: Search, reduced: Vector) -> npt.NDArray[np.float64] | None:
    space = search.space
    columns = [m for m in range(1, 1 << space.inside) if space.irreducible(m)]
    _, vectors = search.rows
    above = [v for v, g in zip(search.reduced_given, search.given, strict=True) if g.operator != "=="]
    equal = [v for v, g in zip(search.reduced_given, search.given, strict=True) if g.operator == "==" and v]
    rows: list[Combination] = [*vectors, *search.reduced_extra, *above]
    objective = np.array([float(reduced.get(mask, 0)) for mask in columns])
    answer = solve(
        objective / np.abs(objective).max(),
        A_ub=-matrix(columns, rows).T,
        b_ub=np.zeros(len(rows)),
        A_eq=matrix(columns, equal).T if equal else None,
        b_eq=np.zeros(len(equal)) if equal else None,
        bounds=(0, 1),
    )
    if answer.status != 0 or answer.fun > -_SMALL:
        return None
    return everywhere(space, columns, np.asarray(answer.x))


def _exact(search: Search, target: Vector, point: npt.NDArray[np.float64]) -> dict[int, Fraction] | None:
    positive = point[point > _SMALL]
    if not len(positive):
        return None
    scaled = point / positive.min()
    values = [Fraction(float(x)).limit_denominator(_DENOMINATOR) for x in scaled]
    common = int(np.lcm.reduce([v.denominator for v in values]))
    if common > _MOST_COMMON_DENOMINATOR:
        return None
    h = np.array([int(v * common) for v in values], dtype=np.int64)
    if (elementals(search.space.inside).values(h) < 0).any():
        return None
    result = {mask: Fraction(int(h[mask]), common) for mask in range(1, len(h))}

    def value(vector: Vector) -> Fraction:
        return sum((c * result[mask] for mask, c in vector.items()), Fraction(0))

    for given in search.given:
        gap = value(given.vector)
        if gap < 0 or (gap and given.operator == "=="):
            return None
    return result if value(target) < 0 else None
