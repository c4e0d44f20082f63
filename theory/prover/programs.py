"""Linear programs: floating point proposes, exact rationals decide.

`combine` looks for non-negative weights with sum_i w_i row_i + sum_j v_j equality_j = target; HiGHS finds
a basic solution in floating point, whose support is then solved again in exact rationals.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csc_matrix

from theory.prover.lattice import Combination, Vector, add_to

__all__ = ["combine", "matrix", "solve_exactly"]

_SUPPORT = 1e-9
_DENOMINATOR = 10_000


def matrix(columns: Sequence[int], rows: Sequence[Combination]) -> csc_matrix:
    """The vectors as the columns of a sparse matrix with one row for each mask in `columns`."""
    position = {mask: i for i, mask in enumerate(columns)}
    data, indices, starts = [], [], [0]
    for row in rows:
        for mask, c in row.items():
            indices.append(position[mask])
            data.append(float(c))
        starts.append(len(data))
    return csc_matrix((data, indices, starts), shape=(len(columns), len(rows)))


def solve_exactly(vectors: Sequence[Combination], target: Vector) -> list[Fraction] | None:
    """Rational weights with sum_i w_i vectors_i = target, or None if there are none.

    Sparse Gaussian elimination; free weights are 0.
    """
    pivots: list[tuple[int, Vector, dict[int, Fraction]]] = []
    for number, vector in enumerate(vectors):
        rest: Vector = {mask: Fraction(c) for mask, c in vector.items()}
        made = {number: Fraction(1)}
        for mask, pivot, how in pivots:
            factor = rest.get(mask)
            if factor:
                add_to(rest, pivot, -factor)
                add_to(made, how, -factor)
        if rest:
            mask = min(rest)
            factor = 1 / rest[mask]
            pivots.append(
                (mask, {m: c * factor for m, c in rest.items()}, {i: c * factor for i, c in made.items()})
            )
    rest = {mask: Fraction(c) for mask, c in target.items()}
    weights: dict[int, Fraction] = {}
    for mask, pivot, how in pivots:
        factor = rest.get(mask)
        if factor:
            add_to(rest, pivot, -factor)
            add_to(weights, how, factor)
    if rest:
        return None
    return [weights.get(i, Fraction(0)) for i in range(len(vectors))]


def _total(vectors: Sequence[Combination], weights: Sequence[Fraction]) -> Vector:
    total: Vector = {}
    for vector, weight in zip(vectors, weights, strict=True):
        if weight:
            add_to(total, vector, weight)
    return total


def combine(
    target: Vector,
    rows: Sequence[Combination],
    equalities: Sequence[Combination] = (),
    *,
    costs: npt.NDArray[np.float64] | None = None,
    at_least_one: Sequence[int] = (),
) -> tuple[list[Fraction], list[Fraction]] | None:
    """Exact weights w >= 0 and v with sum w_i rows_i + sum v_j equalities_j = target.

    Args:
        target: The vector to be represented.
        rows: Vectors with non-negative weights.
        equalities: Vectors with weights of any sign.
        costs: What to minimise, one number for each row; the sum of the weights by default.
        at_least_one: Rows whose weights must sum to one (for strict conclusions).

    Returns:
        The weights, or None if floating point finds none or the exact solution is not non-negative.
    """
    everything = [*rows, *equalities]
    columns = sorted({mask for vector in (*everything, target) for mask in vector})
    if not at_least_one and (not everything or not columns):
        return ([Fraction(0)] * len(rows), [Fraction(0)] * len(equalities)) if not target else None
    marker = -1
    extended, goal = everything, dict(target)
    if at_least_one:
        chosen = set(at_least_one)
        extended = [{**v, marker: Fraction(1)} if i in chosen else v for i, v in enumerate(everything)]
        goal[marker] = Fraction(1)
        columns = [marker, *columns]
    wanted = np.array([float(goal.get(mask, 0)) for mask in columns])
    scale = max(1.0, float(np.abs(wanted).max()))
    cost = np.ones(len(rows)) if costs is None else np.asarray(costs, dtype=float)
    answer = linprog(
        np.concatenate([cost, np.zeros(len(equalities))]),
        A_eq=matrix(columns, extended),
        b_eq=wanted / scale,
        bounds=[(0, None)] * len(rows) + [(None, None)] * len(equalities),
        method="highs",
    )
    if answer.status != 0:
        return None
    found = answer.x * scale
    support = [i for i, weight in enumerate(found) if abs(weight) > _SUPPORT * scale]
    weights = [Fraction(float(found[i])).limit_denominator(_DENOMINATOR) for i in support]
    chosen_vectors = [extended[i] for i in support]
    if _total(chosen_vectors, weights) != goal:
        solved = solve_exactly(chosen_vectors, goal)
        if solved is None:
            return None
        weights = solved
    full = [Fraction(0)] * len(everything)
    for i, weight in zip(support, weights, strict=True):
        full[i] = weight
    if any(weight < 0 for weight in full[: len(rows)]):
        return None
    return full[: len(rows)], full[len(rows) :]
