"""All linear inequalities between a few quantities that hold on a cone of polymatroids.

The quantities project the cone to a few dimensions, and the inequalities are the facets of the projection.
They are found from inside (the convex hull method of Lassez and Lassez 1992): begin with no ray, take the
normals that are non-negative on the rays so far, and minimise each over the whole cone; a negative minimum
brings a new ray, and when there is none left the normals are the facets. Rays and normals are exact integers;
the linear programs only choose them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from theory.bounding.duals import Dual, Normal
from theory.cones import ZERO, Cone, Floats
from theory.expressions import Term
from theory.prover.budget import SpentError

__all__ = ["Projection", "project"]

_DENOMINATOR = 5040
"""Where a ray of the cone is not found exactly, its projection is rounded to denominators up to this."""


@dataclass(frozen=True)
class Projection:
    """What holds between some quantities on a cone.

    Args:
        equations: Coefficients of combinations that vanish.
        facets: Coefficients of combinations that are never negative, none a sum of others.
        exact: Whether every ray that they rest on is exactly on the cone; if not, an inequality may be
            missing that differs from one of these by little.
        complete: Whether these are all; if not, the work that was allowed was done before.
    """

    equations: tuple[Normal, ...]
    facets: tuple[Normal, ...]
    exact: bool
    complete: bool


def project(cone: Cone, terms: Sequence[Term], tick: Callable[[str], None]) -> Projection:
    """All linear inequalities and equations between some terms on a cone.

    Where work is limited (`theory.prover.budget`), those that were found until then: a normal that is nowhere
    negative on the cone is a facet, whatever is still to come, once all lines are known to be equations.

    Args:
        cone: The cone.
        terms: The quantities.
        tick: Called before each linear program.
    """
    vectors = np.array([cone.vector(term) for term in terms]).reshape(len(terms), -1)
    dual = Dual(len(terms))
    settled: set[Normal] = set()
    exact = True

    def below(normal: Normal) -> bool:
        """Add a ray on which the normal is negative, if there is one."""
        nonlocal exact
        if normal in settled:
            return False
        tick("looking for facets")
        value, point = cone.ray(np.array(normal, dtype=float) @ vectors)
        if value >= -ZERO:
            settled.add(normal)
            return False
        ray, is_exact = _projected(cone, terms, vectors, point)
        if sum(a * b for a, b in zip(normal, ray, strict=True)) >= 0:
            settled.add(normal)
            exact = False
            return False
        exact = exact and is_exact
        dual.add(ray)
        return True

    try:
        while any(below(normal) for normal in (*_both_signs(dual.lines), *dual.normals)):
            pass
    except SpentError:
        equations = tuple(line for line in dual.lines if settled.issuperset(_both_signs([line])))
        flat = len(equations) == len(dual.lines)
        facets = tuple(normal for normal in dual.normals if flat and normal in settled)
        return Projection(equations, facets, exact, complete=False)
    return Projection(tuple(dual.lines), tuple(dual.normals), exact, complete=True)


def _both_signs(lines: Sequence[Normal]) -> list[Normal]:
    return [normal for line in lines for normal in (line, tuple(-c for c in line))]


def _projected(cone: Cone, terms: Sequence[Term], vectors: Floats, point: Floats) -> tuple[Normal, bool]:
    """The values of the terms at a point of the cone, in integers, and whether they are exact."""
    ray = cone.exact(point)
    if ray is not None:
        values = [
            sum((c * ray[subset] for subset, c in term.entropies().items()), Fraction(0)) for term in terms
        ]
    else:
        rough = vectors @ point
        unit = float(np.abs(rough).max())
        values = [Fraction(float(x) / unit).limit_denominator(_DENOMINATOR) for x in rough]
    scale = lcm(*(v.denominator for v in values))
    return tuple(int(v * scale) for v in values), ray is not None
