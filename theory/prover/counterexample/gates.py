"""Counterexamples from gates: every variable a random function of its parents and of uniform noise.

The noise takes a few equally likely values, so that all probabilities are small fractions; copies, erasures,
AND, OR, noisy switches and random tables over alphabets of two to four letters all arise. Without a diagram
every variable is a function of one hidden uniform variable instead: any distribution with a few equally
likely atoms, such as the four atoms that violate Ingleton's inequality.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import prod

import numpy as np
import numpy.typing as npt

from theory.prover.counterexample.exact import WeightedStates
from theory.prover.counterexample.layout import Goal, Layout, masks_of
from theory.prover.lattice import Frame, Vector

__all__ = ["Gates", "search_gates"]

Integers = npt.NDArray[np.int64]

_TOLERANCE = 1e-9
_BINARY = 2


@dataclass(frozen=True)
class Gates:
    """Functions of noise, as the values of all variables in equally likely outcomes.

    Args:
        names: The variables.
        values: Array of shape (outcomes, variables).
    """

    names: tuple[str, ...]
    values: Integers

    def support(self) -> WeightedStates:
        """The distribution."""
        return WeightedStates.uniform(self.names, self.values)

    def describe(self) -> str:
        """One line: what each variable is, where it is a copy or a gate of two others."""
        live = [v for v in range(len(self.names)) if len(set(self.values[:, v])) > 1]
        parts = [self._gate(v, [u for u in live if u != v]) for v in live]
        told = "; ".join(part for part in parts if part)
        names = ", ".join(self.names[v] for v in live)
        return f"{len(self.values)} equally likely outcomes of {names}" + (f"; {told}" if told else "")

    def _gate(self, target: int, others: Sequence[int]) -> str:
        own = self.values[:, target] != self.values[:, target].min()
        bits_ = {u: self.values[:, u] != self.values[:, u].min() for u in others}
        if any(len(set(self.values[:, v])) > _BINARY for v in (target, *others)):
            return ""
        for u, bit in bits_.items():
            if u < target and (own == bit).all():
                return f"{self.names[target]} = {self.names[u]}"
        for u, w in permutations(others, 2):
            a, b = bits_[u], bits_[w]
            for word, gate in (("and", a & b), ("or", a | b), ("xor", a ^ b), ("and not", a & ~b)):
                if (own == gate).all():
                    return f"{self.names[target]} = {self.names[u]} {word} {self.names[w]}"
        return ""


@dataclass(frozen=True)
class _Plan:
    """Sizes for one batch: letters of each variable and outcomes of its noise (0: none)."""

    letters: tuple[int, ...]
    noise: tuple[int, ...]


def _plan(layout: Layout, rng: np.random.Generator, outcomes: int) -> _Plan:
    letters = tuple(int(k) for k in rng.choice([1, 2, 2, 2, 3, 4], size=len(layout.names)))
    room = outcomes
    roots = [not parents for parents in layout.parents]
    order = sorted(range(len(letters)), key=lambda v: (not roots[v], rng.random()))
    sizes = [1] * len(letters)
    for v in order:
        if layout.noisy[v] and letters[v] > 1:
            wanted = int(rng.choice([letters[v], 4] if roots[v] else [1, 1, 2, 3, 4]))
            if wanted <= room:
                sizes[v] = wanted
                room //= wanted
    return _Plan(letters, tuple(sizes))


def _values(layout: Layout, plan: _Plan, size: int, rng: np.random.Generator) -> Integers:
    """Values of shape (batch, outcomes, variables)."""
    total = prod(plan.noise)
    index = np.arange(total)
    values = np.zeros((size, total, len(layout.names)), dtype=np.int64)
    batch = np.arange(size)[:, None]
    for v, parents in enumerate(layout.parents):
        own = index % plan.noise[v]
        index = index // plan.noise[v]
        address = np.broadcast_to(own, (size, total)).copy()
        width = plan.noise[v]
        for parent in parents:
            address = address + width * values[:, :, parent]
            width *= plan.letters[parent]
        table = rng.integers(plan.letters[v], size=(size, width))
        values[:, :, v] = table[batch, address]
    return values


def _free_values(n: int, atoms: int, letters: int, size: int, rng: np.random.Generator) -> Integers:
    return rng.integers(letters, size=(size, atoms, n))


def _entropies(values: Integers, masks: Sequence[int]) -> dict[int, npt.NDArray[np.float64]]:
    """Entropies of sets of variables for a batch of equally likely outcomes."""
    size, total, n = values.shape
    radix = values.max(axis=(0, 1)) + 1
    logs = np.concatenate([[0.0], np.log(np.arange(1, total + 1))])
    found = {}
    for mask in masks:
        code = np.zeros((size, total), dtype=np.int64)
        for v in range(n):
            if mask >> v & 1:
                code = code * radix[v] + values[:, :, v]
        code.sort(axis=1)
        same = (code[:, :, None] == code[:, None, :]).sum(axis=2) if total <= 8 else _runs(code)
        found[mask] = logs[total] - logs[same].mean(axis=1)
    return found


def _runs(code: Integers) -> Integers:
    """For each entry of sorted rows the length of its run of equal values."""
    size, total = code.shape
    starts = np.ones((size, total), dtype=bool)
    starts[:, 1:] = code[:, 1:] != code[:, :-1]
    label = np.cumsum(starts.ravel()) - 1
    return np.asarray(np.bincount(label)[label].reshape(size, total), dtype=np.int64)


def _gaps(values: Integers, vectors: Sequence[Vector]) -> list[npt.NDArray[np.generic]]:
    entropies = _entropies(values, masks_of(vectors))
    zero = np.zeros(len(values))
    gaps: list[npt.NDArray[np.generic]] = []
    for vector in vectors:
        total = zero
        scale = max((abs(float(c)) for c in vector.values()), default=1.0)
        for mask, c in vector.items():
            total = total + float(c) / scale * entropies[mask]
        gaps.append(total)
    return gaps


def _simplified(values: Integers, goal: Goal, vectors: Sequence[Vector]) -> Integers:
    """Of values of shape (outcomes, variables): merge letters where the goal does not need them."""

    def fine(candidate: Integers) -> bool:
        return bool(goal.met(_gaps(candidate[None], vectors), _TOLERANCE)[0])

    for v in range(values.shape[1]):
        candidate = values.copy()
        candidate[:, v] = 0
        if fine(candidate):
            values = candidate
    return values


def search_gates(
    goal: Goal, layout: Layout, *, outcomes: int, size: int, rounds: int, seed: int
) -> Gates | None:
    """Random gates that meet the goal in floating point, or None.

    Args:
        goal: What they must satisfy and break.
        layout: The variables.
        outcomes: How many equally likely outcomes of all noise together, at most.
        size: How many to draw at a time.
        rounds: How many times, each with other alphabets.
        seed: Fixes the draw.
    """
    vectors = goal.vectors(Frame(layout.names))
    rng = np.random.default_rng([seed, outcomes, size])
    for turn in range(rounds):
        if layout.free:
            atoms = outcomes if turn % 2 else int(rng.integers(2, outcomes + 1))
            values = _free_values(len(layout.names), atoms, 2 + turn % 3, size, rng)
        else:
            values = _values(layout, _plan(layout, rng, outcomes), size, rng)
        hits = np.flatnonzero(goal.met(_gaps(values, vectors), _TOLERANCE))
        if len(hits):
            spread = (values[hits] != values[hits][:, :1]).any(axis=1).sum(axis=1)
            best = values[hits[int(np.argmin(spread))]]
            if layout.free:
                best = _simplified(best, goal, vectors)
            return Gates(layout.names, best)
    return None
