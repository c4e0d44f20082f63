"""Linear programs: floating point proposes, exact rationals decide.

`combine` looks for non-negative weights with sum_i w_i row_i + sum_j v_j equality_j = target. HiGHS finds
a basic solution in floating point, and the vectors that it uses are then solved again in exact rationals.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix

from theory.prover.budget import solve, spend
from theory.prover.lattice import Combination, Vector, add_to, scaled

__all__ = ["Weights", "combine", "matrix", "solve_exactly"]

_USED = 1e-9
"""A vector is used by a floating-point solution if its weight is larger."""

_DENOMINATOR = 10_000
"""Weights are rounded to fractions of at most this denominator, which mostly makes them exact."""

_ROUNDS = 8
"""So many times what is left over is scaled up and solved again; each gains about 9 digits."""

_FAR = 1e6
"""How far a weight may be taken back, in units of what is left over: farther is as good as no bound."""

_EXACT = 1e-6
"""Seconds that a vector takes in the exact elimination, for each pivot before it."""

_MARKER = -1
"""The mask of an added row that counts the weight of strict relations; no set of variables has it."""


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


class _Pivot(NamedTuple):
    """A row of the elimination: 1 at its mask, and the multiples of the vectors that it is made of."""

    mask: int
    row: Vector
    made_of: dict[int, Fraction]


def solve_exactly(vectors: Sequence[Combination], target: Vector) -> list[Fraction] | None:
    """Rational weights with sum_i w_i vectors_i = target, or None if there are none.

    Sparse Gaussian elimination; free weights are 0.
    """
    pivots: list[_Pivot] = []
    for number, vector in enumerate(vectors):
        spend(_EXACT * (1 + len(pivots)))
        rest: Vector = {mask: Fraction(c) for mask, c in vector.items()}
        made_of = {number: Fraction(1)}
        for pivot in pivots:
            factor = rest.get(pivot.mask)
            if factor:
                add_to(rest, pivot.row, -factor)
                add_to(made_of, pivot.made_of, -factor)
        if rest:
            mask = min(rest)
            factor = 1 / rest[mask]
            pivots.append(_Pivot(mask, scaled(rest, factor), scaled(made_of, factor)))
    rest = {mask: Fraction(c) for mask, c in target.items()}
    weights: dict[int, Fraction] = {}
    for pivot in pivots:
        factor = rest.get(pivot.mask)
        if factor:
            add_to(rest, pivot.row, -factor)
            add_to(weights, pivot.made_of, factor)
    if rest:
        return None
    return [weights.get(i, Fraction(0)) for i in range(len(vectors))]


class Weights(NamedTuple):
    """Weights of the rows, never negative, and of the equalities, of any sign."""

    rows: list[Fraction]
    equalities: list[Fraction]


def combine(
    target: Vector,
    rows: Sequence[Combination],
    equalities: Sequence[Combination] = (),
    *,
    at_least_one: Sequence[int] = (),
) -> Weights | None:
    """Exact weights w >= 0 and v with sum w_i rows_i + sum v_j equalities_j = target.

    The weights that HiGHS finds are rounded to small denominators, which mostly makes them exact; if not,
    the vectors that they use are solved exactly. If that fails too, what is left over is scaled up and solved
    in its turn, where weights may be taken back (the refinement of Gleixner, Steffy and Wolter 2016). So
    statements that hold by 1e-30 are proved although floating point does not see such a difference.

    Args:
        target: The vector to be represented.
        rows: Vectors with non-negative weights.
        equalities: Vectors with weights of any sign.
        at_least_one: Rows whose weights must sum to one (for strict conclusions).

    Returns:
        The weights, with a small sum, or None if none are found.
    """
    vectors: list[Combination] = [*rows, *equalities]
    goal = dict(target)
    if at_least_one:
        chosen = set(at_least_one)
        vectors = [{**v, _MARKER: 1} if i in chosen else v for i, v in enumerate(vectors)]
        goal[_MARKER] = Fraction(1)
    if not goal:
        return Weights([Fraction(0)] * len(rows), [Fraction(0)] * len(equalities))
    if not vectors:
        return None
    columns = sorted({mask for vector in (*vectors, goal) for mask in vector})
    program = _WholeProgram(columns, matrix(columns, vectors), len(rows))
    weights = [Fraction(0)] * len(vectors)
    residual: Vector = goal
    for _ in range(_ROUNDS):
        answer = program.solve(residual, weights)
        if answer is None:
            return None
        step, size = answer
        for i in np.flatnonzero(np.abs(step) > _USED):
            weights[i] += Fraction(float(step[i])).limit_denominator(_DENOMINATOR) * size
            if i < len(rows):
                weights[i] = max(weights[i], Fraction(0))
        residual = _left_over(goal, vectors, weights)
        exact = _exact(goal, vectors, weights, len(rows)) if residual else weights
        if exact is not None:
            return Weights(exact[: len(rows)], exact[len(rows) :])
    return None


def _left_over(goal: Vector, vectors: Sequence[Combination], weights: Sequence[Fraction]) -> Vector:
    """Goal - sum w_i vectors_i."""
    residual = dict(goal)
    for vector, weight in zip(vectors, weights, strict=True):
        if weight:
            add_to(residual, vector, -weight)
    return residual


def _exact(
    goal: Vector, vectors: Sequence[Combination], weights: Sequence[Fraction], rows: int
) -> list[Fraction] | None:
    """Exact weights of the vectors that are used, or None; those of the first `rows` are not negative."""
    used = [i for i, weight in enumerate(weights) if weight]
    solution = solve_exactly([vectors[i] for i in used], goal)
    if solution is None or any(w < 0 for i, w in zip(used, solution, strict=True) if i < rows):
        return None
    full = dict(zip(used, solution, strict=True))
    return [full.get(i, Fraction(0)) for i in range(len(vectors))]


class _WholeProgram:
    """minimise sum w over w with matrix w = target, w >= lower for the rows and w free for the equalities."""

    def __init__(self, columns: Sequence[int], table: csc_matrix, rows: int) -> None:
        self.columns = columns
        self.table = table
        self.rows = rows
        self.cost = np.zeros(table.shape[1])
        self.cost[:rows] = 1

    def solve(
        self, target: Vector, weights: Sequence[Fraction]
    ) -> tuple[npt.NDArray[np.float64], Fraction] | None:
        """A step from `weights` whose total is the target, in units of the target's size, and that size."""
        size = max(abs(c) for c in target.values())
        wanted = np.array([float(target.get(mask, 0) / size) for mask in self.columns])
        low = [-min(float(w / size), _FAR) for w in weights[: self.rows]]
        free = len(weights) - self.rows
        answer = solve(
            self.cost,
            A_eq=self.table,
            b_eq=wanted,
            bounds=[*((bound, None) for bound in low), *[(None, None)] * free],
        )
        return (np.asarray(answer.x, dtype=np.float64), size) if answer.status == 0 else None
