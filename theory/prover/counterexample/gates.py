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

from theory.prover.budget import spend
from theory.prover.counterexample.effort import GateSearch
from theory.prover.counterexample.exact import WeightedStates
from theory.prover.counterexample.layout import Goal, Layout, masks_of
from theory.prover.lattice import Frame, Vector

__all__ = ["Gates", "search_gates"]

Integers = npt.NDArray[np.int64]

_TOLERANCE = 1e-9
"""Gaps of floating-point entropies up to this count as zero; the exact check decides."""

_PER_CELL = 1e-8
"""Seconds for each outcome of each gate, for drawing it and for each step of finding an entropy."""

_BINARY = 2
"""Gates are described in words where no variable has more states."""

_FEW_OUTCOMES = 8
"""Up to so many outcomes all pairs are compared, which is faster there than looking for runs."""

_LETTERS = (1, 2, 2, 2, 3, 4)
"""The sizes of alphabets to draw from: mostly two letters; one letter makes a constant."""

_ROOT_NOISE = 4
"""A variable without parents has noise of as many values as it has letters, or of this many."""

_NOISE = (1, 1, 2, 3, 4)
"""The numbers of values of the noise of the other variables: often one, which is none."""


@dataclass(frozen=True)
class Gates:
    """Functions of noise, as the values of all variables in equally likely outcomes.

    Args:
        names: The variables.
        values: Array of shape (outcomes, variables).
    """

    names: tuple[str, ...]
    values: Integers

    def distribution(self) -> WeightedStates:
        """The distribution of all variables."""
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
class _Sizes:
    """Sizes for one batch: the letters of each variable, and the values of its noise (1 for none)."""

    letters: tuple[int, ...]
    noise: tuple[int, ...]


def _sizes(layout: Layout, rng: np.random.Generator, outcomes: int) -> _Sizes:
    letters = tuple(int(k) for k in rng.choice(_LETTERS, size=len(layout.names)))
    room = outcomes
    roots = [not parents for parents in layout.parents]
    order = sorted(range(len(letters)), key=lambda v: (not roots[v], rng.random()))
    noise = [1] * len(letters)
    for v in order:
        if layout.noisy[v] and letters[v] > 1:
            wanted = int(rng.choice([letters[v], _ROOT_NOISE] if roots[v] else _NOISE))
            if wanted <= room:
                noise[v] = wanted
                room //= wanted
    return _Sizes(letters, tuple(noise))


def _values(layout: Layout, sizes: _Sizes, batch_size: int, rng: np.random.Generator) -> Integers:
    """Values of shape (batch, outcomes, variables)."""
    total = prod(sizes.noise)
    index = np.arange(total)
    values = np.zeros((batch_size, total, len(layout.names)), dtype=np.int64)
    batch = np.arange(batch_size)[:, None]
    for v, parents in enumerate(layout.parents):
        own = index % sizes.noise[v]
        index = index // sizes.noise[v]
        address = np.broadcast_to(own, (batch_size, total)).copy()
        width = sizes.noise[v]
        for parent in parents:
            address = address + width * values[:, :, parent]
            width *= sizes.letters[parent]
        table = rng.integers(sizes.letters[v], size=(batch_size, width))
        values[:, :, v] = table[batch, address]
    return values


def _free_values(n: int, atoms: int, letters: int, size: int, rng: np.random.Generator) -> Integers:
    return rng.integers(letters, size=(size, atoms, n))


def _entropies(values: Integers, masks: Sequence[int]) -> dict[int, npt.NDArray[np.float64]]:
    """Entropies of sets of variables for a batch of equally likely outcomes."""
    size, total, n = values.shape
    radix = values.max(axis=(0, 1)) + 1
    logs = np.concatenate([[0.0], np.log(np.arange(1, total + 1))])
    result = {}
    for mask in masks:
        state = np.zeros((size, total), dtype=np.int64)
        for v in range(n):
            if mask >> v & 1:
                state = state * radix[v] + values[:, :, v]
        state.sort(axis=1)
        few = total <= _FEW_OUTCOMES
        same = (state[:, :, None] == state[:, None, :]).sum(axis=2) if few else _runs(state)
        result[mask] = logs[total] - logs[same].mean(axis=1)
    return result


def _runs(state: Integers) -> Integers:
    """For each entry of sorted rows the length of its run of equal values."""
    size, total = state.shape
    starts = np.ones((size, total), dtype=bool)
    starts[:, 1:] = state[:, 1:] != state[:, :-1]
    label = np.cumsum(starts.ravel()) - 1
    return np.asarray(np.bincount(label)[label].reshape(size, total), dtype=np.int64)


def _gaps(values: Integers, vectors: Sequence[Vector]) -> list[npt.NDArray[np.generic]]:
    masks = masks_of(vectors)
    size, total, n = values.shape
    spend(_PER_CELL * size * total * (n + len(masks) * (2 + min(total, _FEW_OUTCOMES) / 2)))
    entropies = _entropies(values, masks)
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


def search_gates(goal: Goal, layout: Layout, search: GateSearch, *, seed: int) -> Gates | None:
    """Random gates that meet the goal in floating point, or None.

    Args:
        goal: What they must satisfy and break.
        layout: The variables.
        search: How many gates to try; each round has other alphabets.
        seed: Fixes the draw.
    """
    vectors = goal.vectors(Frame(layout.names))
    outcomes, size = search.outcomes, search.size
    rng = np.random.default_rng([seed, outcomes, size])
    for turn in range(search.rounds):
        if layout.free:
            atoms = outcomes if turn % 2 else int(rng.integers(2, outcomes + 1))
            values = _free_values(len(layout.names), atoms, 2 + turn % 3, size, rng)
        else:
            values = _values(layout, _sizes(layout, rng, outcomes), size, rng)
        hits = np.flatnonzero(goal.met(_gaps(values, vectors), _TOLERANCE))
        if len(hits):
            spread = (values[hits] != values[hits][:, :1]).any(axis=1).sum(axis=1)
            best = values[hits[int(np.argmin(spread))]]
            if layout.free:
                best = _simplified(best, goal, vectors)
            return Gates(layout.names, best)
    return None
