r"""The price of avoiding the class: F(b) = max I(A;Z) over representations with I(C;Z) <= b.

**Theorem J5.** F is concave and non-decreasing, F(b) = I(A;X) exactly when b >= J, and F(0) = F(inf) exactly
when J = 0.

*Proof.* A coin that is part of Z shares time between two representations, which averages both informations:
F is concave. By Theorem J1 the value I(A;X) is reached exactly by the Z that determine T, and these have
I(C;Z) >= J, with equality for Z = T. qed

**Method.** Only the posteriors q = p(X|Z=z) matter: with A_q = p(A) and C_q = p(C) under q,

    F(b) = max E[H(A) - H(A_q)]   over random q with   E q = p(X),   E[H(C) - H(C_q)] <= b.

Over a finite set of posteriors this is a linear program. Some representation attains its value, which is a
*lower bound*. Its dual gives a price beta >= 0 of class information and a linear function l with

    v(q) = -H(A_q) + beta H(C_q) - l.q <= 0   at every posterior of the set.

If v <= e on the whole simplex, then F(b) is at most e above the value of the program, by weak duality: an
*upper bound*. The largest v is found by branch and bound over sub-simplices. On each one -H(A_q) is convex,
so at most the linear interpolation of its corners, and H(C_q) is concave, so at most its tangent plane at
the centroid; the sum of both is linear and largest at a corner. A posterior with v > e joins the set, and
the program is solved again. So the gap between the bounds is at most a chosen tolerance, beside the 1e-7 to
which the program is solved. At b = 0 the posteriors fill a polytope, {q : C_q = p(C)}; its corners suffice,
and the program over them is exact.

(The trade-off is the privacy funnel of Makhdoumi et al. 2014; for b = 0 see Rassouli and Gunduz 2021 on
perfect privacy.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from theory.forced.statistic import forced_information
from theory.joints import Joint, surprisals

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Price", "price_of_avoidance"]

Floats = npt.NDArray[np.float64]

_MAX_INPUTS = 9
"""The most different inputs: the simplices that branch and bound cuts have a corner for each."""

_SAME = 1e-12
"""Values in nats and probabilities that differ by less are equal but for rounding."""

_POLISHING = 200
"""The steps uphill from a posterior that violates the dual, so that fewer rounds are needed."""

_MAX_ROUNDS = 500
"""The most linear programs for one budget, each with one or two posteriors more."""


@dataclass(frozen=True)
class Price:
    """Bounds on F(b) = max I(A;Z) subject to I(C;Z) <= b, in nats.

    Args:
        budgets: The values of b, ascending.
        lower: For each a value that some representation attains.
        upper: For each a value that none exceeds.
        forced: J: from this budget on F is constant.
        ceiling: F(inf) = I(A;X).
        free: F(0), the largest value without any class information.
    """

    budgets: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    forced: float
    ceiling: float
    free: float

    @property
    def gap(self) -> float:
        """The largest difference between the bounds."""
        return max(u - v for u, v in zip(self.upper, self.lower, strict=True))

    @property
    def price(self) -> float:
        """F(inf) - F(0): the cost of avoiding the class altogether."""
        return self.ceiling - self.free

    def to_pandas(self) -> pd.DataFrame:
        """One row for each budget, for plots: columns `budget`, `lower`, `upper`."""
        import pandas as pd

        return pd.DataFrame({"budget": self.budgets, "lower": self.lower, "upper": self.upper})


def price_of_avoidance(
    joint: Joint,
    budgets: Sequence[float] | None = None,
    *,
    target: str = "C",
    transformation: str = "A",
    inputs: str = "X",
    tolerance: float = 1e-3,
    max_cells: int = 4_000_000,
) -> Price:
    """Bound F(b) from both sides within a tolerance.

    Args:
        joint: The world; inputs with the same posteriors of A and C are merged first.
        budgets: The values of b in nats; by default 9 of them from 0 to J.
        target: The variable to avoid.
        transformation: The variable to predict.
        inputs: The variable that is represented.
        tolerance: The largest gap between the bounds, in nats. A tenth of it took four to five times as long
            in the example below (0.1 s at 1e-2, 0.4 s at 1e-3, 1.9 s at 1e-4, for 9 budgets).
        max_cells: How many sub-simplices one branch and bound may look at.

    Raises:
        ValueError: If a budget is negative, the tolerance is not positive, more than 9 different inputs
            remain, or `max_cells` does not suffice.

    Example:
        >>> free_or_fixed = {"X": lambda a, c: 4 if c else a}
        >>> half = Joint.from_function(("A", "C"), (4, 2), free_or_fixed)
        >>> curve = price_of_avoidance(half, [0.0, 0.3])
        >>> round(curve.free, 6), round(curve.ceiling, 6), round(curve.forced, 6), curve.gap < 0.002
        (0.312752, 0.693147, 0.693147, True)
    """
    if tolerance <= 0:
        raise ValueError(f"tolerance must be positive, got {tolerance}")
    forced = forced_information(joint, target=target, transformation=transformation, inputs=inputs)
    chosen = sorted(np.linspace(0, max(forced, 0.0), 9) if budgets is None else map(float, budgets))
    if not chosen or chosen[0] < 0:
        raise ValueError(f"budgets must be non-negative and at least one, got {budgets}")
    funnel = _Funnel.of(joint, target, transformation, inputs)
    ceiling = joint.value(f"I({transformation};{inputs})")
    corners, free = funnel.without_class()
    posteriors = [*np.eye(len(funnel.weights)), funnel.weights, *corners]
    lower, upper = [], []
    for b in chosen:
        if b == 0 or b >= forced - _SAME:
            low = high = free if b == 0 else ceiling
        else:
            low, high = funnel.bounds(b, posteriors, tolerance, max_cells)
        lower.append(low)
        upper.append(min(high, ceiling))
    return Price(tuple(chosen), tuple(lower), tuple(upper), forced, ceiling, free)


@dataclass(frozen=True)
class _Funnel:
    """p(x) of shape (k,), p(A|x) of shape (k, a), p(C|x) of shape (k, c)."""

    weights: Floats
    transformation: Floats
    target: Floats

    @classmethod
    def of(cls, joint: Joint, target: str, transformation: str, inputs: str) -> _Funnel:
        table = joint.marginal((inputs, transformation, target)).probabilities.astype(np.float64)
        weights = table.sum(axis=(1, 2))
        table, weights = table[weights > 0], weights[weights > 0]
        a, c = table.sum(axis=2) / weights[:, None], table.sum(axis=1) / weights[:, None]
        both = np.hstack([a, c])
        first = [int(np.flatnonzero(np.abs(both - row).max(axis=1) < 1e-9)[0]) for row in both]
        kept = sorted(set(first))
        if len(kept) > _MAX_INPUTS:
            raise ValueError(
                f"bounding the price needs at most {_MAX_INPUTS} different inputs, got {len(kept)}: "
                "use a smaller model"
            )
        merged = np.array([weights[[i for i, f in enumerate(first) if f == k]].sum() for k in kept])
        return cls(merged / merged.sum(), a[kept], c[kept])

    def entropies(self, q: Floats) -> tuple[Floats, Floats]:
        """H(A_q) and H(C_q) for posteriors of shape (.., k)."""
        a, c = q @ self.transformation, q @ self.target
        return surprisals(a).sum(axis=-1), surprisals(c).sum(axis=-1)

    def without_class(self) -> tuple[list[Floats], float]:
        """The corners of {q : C_q = p(C)} and F(0) over them."""
        from scipy.optimize import linprog

        k = len(self.weights)
        equations = self.target.T  # (c, k); its columns sum to one, so q does too
        aim = self.weights @ self.target
        size = int(np.linalg.matrix_rank(equations))
        corners: dict[tuple[float, ...], Floats] = {}
        for chosen in combinations(range(k), size):
            part = equations[:, chosen]
            solution, _, rank, _ = np.linalg.lstsq(part, aim, rcond=None)
            if rank == size and solution.min() > -_SAME and np.abs(part @ solution - aim).max() < 1e-10:
                q = np.zeros(k)
                q[list(chosen)] = np.maximum(solution, 0)
                corners.setdefault(tuple(q.round(9)), q / q.sum())
        result = list(corners.values())
        h_a, _ = self.entropies(np.array(result))
        program = linprog(h_a, A_eq=np.array(result).T, b_eq=self.weights, method="highs")
        if program.status != 0:
            raise ValueError(f"the linear program at budget 0 failed: {program.message}")
        return result, float(self.entropies(self.weights)[0] - program.fun)

    def bounds(
        self, b: float, posteriors: list[Floats], tolerance: float, max_cells: int
    ) -> tuple[float, float]:
        """Lower and upper bound on F(b); adds posteriors to the list."""
        from scipy.optimize import linprog

        whole_a, whole_c = map(float, self.entropies(self.weights))
        for _ in range(_MAX_ROUNDS):
            table = np.array(posteriors)
            h_a, h_c = self.entropies(table)
            program = linprog(
                h_a, A_ub=-h_c[None], b_ub=[b - whole_c], A_eq=table.T, b_eq=self.weights, method="highs"
            )
            if program.status != 0:
                raise ValueError(f"the linear program at budget {b} failed: {program.message}")
            beta, line = -float(program.ineqlin.marginals[0]), -program.eqlin.marginals
            low = whole_a - float(program.fun)
            excess, violator = self._largest(beta, line, tolerance, max_cells)
            if violator is None:
                return low, low + excess
            posteriors.extend([violator, self._polished(violator, beta, line)])
        raise ValueError(
            f"the bounds at budget {b} differ by more than tolerance={tolerance} after {_MAX_ROUNDS} rounds: "
            f"raise it"
        )

    def _largest(
        self, beta: float, line: Floats, tolerance: float, max_cells: int
    ) -> tuple[float, Floats | None]:
        """An upper bound on v over the simplex, or a posterior where v exceeds half the tolerance."""
        k = len(self.weights)
        cells = np.eye(k)[None]  # (cells, corners, k)
        looked = 0
        while len(cells):
            looked += len(cells)
            if looked > max_cells:
                raise ValueError(
                    f"branch and bound needs more than max_cells={max_cells} sub-simplices of {k} inputs for "
                    f"tolerance={tolerance}: raise one of the two"
                )
            centre = cells.mean(axis=1)
            h_a, h_c = self.entropies(centre)
            value = -h_a + beta * h_c - centre @ line
            if value.max() > tolerance / 2:
                return float(value.max()), centre[value.argmax()]
            reached = cells @ self.target  # (cells, corners, c)
            with np.errstate(divide="ignore", invalid="ignore"):
                tangent = -np.where(reached > 0, reached * np.log(centre @ self.target)[:, None], 0).sum(
                    axis=2
                )
            bound = (-self.entropies(cells)[0] + beta * tangent - cells @ line).max(axis=1)
            cells = _bisected(cells[bound > tolerance])
        return tolerance, None

    def _polished(self, q: Floats, beta: float, line: Floats) -> Floats:
        """Climb v from q by multiplicative steps, which keep to the simplex."""
        tiny = np.finfo(np.float64).tiny
        for _ in range(_POLISHING):
            slope = self.transformation @ np.log(q @ self.transformation + tiny)
            slope = slope - beta * (self.target @ np.log(q @ self.target + tiny)) - line
            q = q * np.exp((slope - slope.max()) / (1 + beta))
            q = q / q.sum()
        return q


def _bisected(cells: Floats) -> Floats:
    """Each simplex cut in two through the middle of its longest edge."""
    if not len(cells):
        return cells
    corners = cells.shape[1]
    lengths: npt.NDArray[Any] = ((cells[:, :, None] - cells[:, None]) ** 2).sum(axis=3)
    longest = lengths.reshape(len(cells), -1).argmax(axis=1)
    i, j, row = longest // corners, longest % corners, np.arange(len(cells))
    middle = (cells[row, i] + cells[row, j]) / 2
    left, right = cells.copy(), cells.copy()
    left[row, i], right[row, j] = middle, middle
    return np.concatenate([left, right])
