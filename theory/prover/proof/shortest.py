"""Fewest steps: an integer program that minimises the number of inequalities, not their weights."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import hstack, identity, vstack

from theory.prover.budget import seconds_left, spend
from theory.prover.lattice import Combination, Vector
from theory.prover.proof.programs import matrix, solve_exactly

__all__ = ["fewest"]

_NODES = 200
"""The most nodes of the branch and bound; what it has by then is taken."""

_LONGEST = 60.0
"""Seconds after which the branch and bound gives up, where the prover has no limit of its own."""

_USUAL = 3e-4
"""Seconds that it takes for each row."""

_USED = 1e-7
"""An inequality is used if its weight is larger."""

_SMALL_WEIGHTS = 1e-4
"""The cost of a weight, in units of the largest one; an inequality costs 1."""

_ROOM = 4.0
"""The largest weight that is allowed, in units of the largest one of the proof that is known."""


def fewest(target: Vector, rows: Sequence[Combination], largest: Fraction) -> dict[int, Fraction] | None:
    """Exact non-negative weights of few rows that add up to the target, or None if none were found.

    Args:
        target: A reduced vector.
        rows: Reduced vectors.
        largest: The largest weight that a proof is known to need.
    """
    spend(_USUAL * len(rows))
    columns = sorted({mask for vector in (*rows, target) for mask in vector})
    system = matrix(columns, rows)
    wanted = np.array([float(target.get(mask, 0)) for mask in columns])
    n = len(rows)
    bound = _ROOM * float(largest)
    zero = matrix(columns, [{} for _ in rows])
    link = hstack([identity(n), -bound * identity(n)])
    answer = milp(
        np.concatenate([np.full(n, _SMALL_WEIGHTS / bound), np.ones(n)]),
        constraints=LinearConstraint(
            vstack([hstack([system, zero]), link]).tocsc(),
            np.concatenate([wanted, np.full(n, -np.inf)]),
            np.concatenate([wanted, np.zeros(n)]),
        ),
        integrality=np.concatenate([np.zeros(n), np.ones(n)]),
        bounds=Bounds(np.zeros(2 * n), np.concatenate([np.full(n, bound), np.ones(n)])),
        options={"node_limit": _NODES, "time_limit": min(_LONGEST, seconds_left())},
    )
    if answer.x is None:
        return None
    used = [i for i in range(n) if answer.x[i] > _USED]
    weights = solve_exactly([rows[i] for i in used], target)
    if weights is None or min(weights, default=Fraction(0)) < 0:
        return None
    return {i: w for i, w in zip(used, weights, strict=True) if w}
