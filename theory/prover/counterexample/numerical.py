"""Counterexamples by numerical search over conditional tables, made rational afterwards.

A distribution on the diagram is a product of conditional tables, the softmax of free numbers. The gap
sum c H(S) has the gradient -sum_S c_S (log p(x_S) + 1) with respect to p(x), which the product carries to
every table. L-BFGS minimises the gap plus a growing penalty for the given equalities. The resulting tables
are rounded to small denominators, smallest first, and the exact check decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import softmax

from theory.joints import Joint
from theory.prover.budget import spend
from theory.prover.counterexample.exact import Proposal, WeightedStates
from theory.prover.counterexample.layout import Goal, Layout
from theory.prover.lattice import Frame, Vector

__all__ = ["Tables", "numerical_candidates"]

Floats = npt.NDArray[np.float64]

_DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 64, 100, 256, 1000, 4096)
"""The denominators that tables are rounded to, in this order: small ones make simple counterexamples."""

_EVALUATION = 2e-4
"""Seconds that an evaluation takes for however small a table."""

_PER_CELL = 1.5e-8
"""Seconds for each cell of the joint and each entropy."""

_PER_TERM = 2e-9
"""Seconds for each cell of the joint and each term of a gap."""

_CELLS = 1 << 14
"""The largest joint table that is searched."""

_TOLERANCE = 1e-9
"""Gaps of floating-point entropies up to this count as zero; the exact check decides."""

_ITERATIONS = 150
"""The most steps of L-BFGS for each penalty."""

_PENALTIES = (3.0, 100.0)
"""The factors of what the required relations lack, one minimisation after the other."""

_STRICT_MARGIN = 0.02
"""A strict required relation is asked to hold by this many nats, so that rounding does not undo it."""

_BOUND = 40.0
"""Free numbers stay between minus and plus this: exp(-40) is as good as probability zero."""

_SPREADS = (1.0, 3.0)
"""The standard deviations of the random start: tables near uniform, and tables near deterministic."""


class Tables:
    """Conditional tables on a layout with given alphabets, and the gaps of a goal as functions of them.

    Args:
        layout: The variables.
        letters: The number of states of each.
        vectors: The gaps.
    """

    def __init__(self, layout: Layout, letters: Sequence[int], vectors: Sequence[Vector]) -> None:
        self.layout = layout
        self.letters = tuple(letters)
        self.vectors = vectors
        n = len(letters)
        self.axes = [(*parents, v) for v, parents in enumerate(layout.parents)]
        self.shapes = [tuple(letters[a] for a in axes) for axes in self.axes]
        self.dropped = {
            mask: tuple(v for v in range(n) if not mask >> v & 1) for vector in vectors for mask in vector
        }
        self.terms = sum(map(len, vectors))
        self.size = sum(prod(shape) for shape in self.shapes)

    def split(self, numbers: Floats) -> list[Floats]:
        """The tables p(v | parents) from free numbers."""
        tables, start = [], 0
        for shape in self.shapes:
            stop = start + prod(shape)
            tables.append(softmax(numbers[start:stop].reshape(shape), axis=-1))
            start = stop
        return tables

    def _spread(self, v: int, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
        order = np.argsort(self.axes[v])
        shape = [k if a in self.axes[v] else 1 for a, k in enumerate(self.letters)]
        return np.transpose(table, order).reshape(shape)

    def joint(self, tables: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """The product of the tables, one axis for each variable."""
        total = self._spread(0, tables[0])
        for v in range(1, len(tables)):
            total = total * self._spread(v, tables[v])
        return np.broadcast_to(total, self.letters)

    def gaps(self, p: Floats) -> tuple[list[float], list[Floats]]:
        """The gaps at a distribution and their gradients with respect to it."""
        spend(_EVALUATION + p.size * (_PER_CELL * len(self.dropped) + _PER_TERM * self.terms))
        entropies: dict[int, float] = {}
        slopes: dict[int, Floats] = {}
        for mask, dropped in self.dropped.items():
            marginal = p.sum(axis=dropped, keepdims=True)
            logs = np.log(np.maximum(marginal, 1e-300))
            entropies[mask] = -float((marginal * logs).sum())
            slopes[mask] = -(logs + 1)
        values, gradients = [], []
        for vector in self.vectors:
            scale = max((abs(float(c)) for c in vector.values()), default=1.0)
            values.append(sum(float(c) / scale * entropies[mask] for mask, c in vector.items()))
            gradient = np.zeros_like(p)
            for mask, c in vector.items():
                gradient = gradient + float(c) / scale * slopes[mask]
            gradients.append(gradient)
        return values, gradients

    def pull_back(self, p: Floats, gradient: Floats, tables: Sequence[Floats]) -> Floats:
        """The gradient with respect to the free numbers."""
        weighted = p * gradient
        parts = []
        for v, axes in enumerate(self.axes):
            other = tuple(a for a in range(len(self.letters)) if a not in axes)
            summed = weighted.sum(axis=other)
            kept = [a for a in range(len(self.letters)) if a in axes]
            own = np.transpose(summed, [kept.index(a) for a in axes])
            parts.append((own - tables[v] * own.sum(axis=-1, keepdims=True)).ravel())
        return np.concatenate(parts)


def _search(tables: Tables, goal: Goal, which: int | None, direction: float, start: Floats) -> Floats:
    """Free numbers that make the chosen gap small under the required relations."""
    equal = [i for i, r in enumerate(goal.required) if r.operator == "=="]
    above = [
        (i, _STRICT_MARGIN if r.strict else 0.0) for i, r in enumerate(goal.required) if r.operator != "=="
    ]
    numbers = start
    for penalty in _PENALTIES if goal.required else (0.0,):

        def loss(x: Floats, penalty: float = penalty) -> tuple[float, Floats]:
            parts = tables.split(x)
            p = np.asarray(tables.joint(parts), dtype=np.float64)
            values, gradients = tables.gaps(p)
            total, slope = 0.0, np.zeros_like(p)
            if which is not None:
                total += direction * values[which]
                slope = slope + direction * gradients[which]
            for i in equal:
                total += penalty * abs(values[i])
                slope = slope + penalty * np.sign(values[i]) * gradients[i]
            for i, margin in above:
                if values[i] < margin:
                    total += penalty * (margin - values[i])
                    slope = slope - penalty * gradients[i]
            return total, tables.pull_back(p, slope, parts)

        numbers = minimize(
            loss,
            numbers,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-_BOUND, _BOUND)] * len(numbers),
            options={"maxiter": _ITERATIONS},
        ).x
    return np.asarray(numbers, dtype=np.float64)


def _rounded(table: Floats, denominator: int) -> npt.NDArray[np.int64]:
    """Each row as integers that add up to the denominator, largest remainders rounded up."""
    scaled = table * denominator
    whole = np.floor(scaled + 1e-9).astype(np.int64)
    missing = denominator - whole.sum(axis=-1, keepdims=True)
    order = np.argsort(np.argsort(-(scaled - whole), axis=-1, kind="stable"), axis=-1, kind="stable")
    return np.asarray(whole + (order < missing), dtype=np.int64)


def _rational(table: npt.NDArray[np.int64], denominator: int) -> npt.NDArray[np.object_]:
    exact = np.empty(table.shape, dtype=object)
    for index in np.ndindex(*table.shape):
        exact[index] = Fraction(int(table[index]), denominator)
    return exact


def _alphabets(layout: Layout, rng: np.random.Generator, restarts: int) -> Iterator[tuple[int, ...]]:
    n = len(layout.names)
    for turn in range(restarts):
        if turn < restarts // 2:
            letters = (2,) * n
        else:
            letters = tuple(int(k) for k in rng.integers(2, 5 if n <= 5 else 4, size=n))
        if prod(letters) <= _CELLS:
            yield letters


def numerical_candidates(goal: Goal, layout: Layout, *, restarts: int, seed: int) -> Iterator[Proposal]:
    """Rational distributions near local optima that meet the goal in floating point, the simplest first.

    Args:
        goal: What they must satisfy and break.
        layout: The variables.
        restarts: How many random starts.
        seed: Fixes the starts.
    """
    rng = np.random.default_rng([seed, restarts])
    vectors = goal.vectors(Frame(layout.names))
    targets: list[tuple[int | None, float]] = []
    for i, relation in enumerate(goal.broken, start=len(goal.required)):
        targets.append((i, 1.0))
        if relation.operator == "==":
            targets.append((i, -1.0))
    for turn, letters in enumerate(_alphabets(layout, rng, restarts)):
        tables = Tables(layout, letters, vectors)
        which, direction = targets[turn % len(targets)] if targets else (None, 1.0)
        start = rng.normal(scale=float(rng.choice(_SPREADS)), size=tables.size)
        optimum = tables.split(_search(tables, goal, which, direction, start))
        for v, noisy in enumerate(layout.noisy):
            if not noisy:
                optimum[v] = np.eye(optimum[v].shape[-1])[optimum[v].argmax(axis=-1)]
        for denominator in _DENOMINATORS:
            integers = [_rounded(table, denominator) for table in optimum]
            p = np.asarray(tables.joint([t / denominator for t in integers]), dtype=np.float64)
            gaps = [np.array([value]) for value in tables.gaps(p)[0]]
            if goal.met(gaps, _TOLERANCE)[0]:
                exact = tables.joint([_rational(t, denominator) for t in integers])
                joint = Joint(layout.names, np.array(exact, dtype=object))
                yield Proposal(
                    WeightedStates.of(joint),
                    f"conditional tables with denominator {denominator}, found numerically",
                )
