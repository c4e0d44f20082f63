"""Counterexamples from linear codes: every variable a linear function over a small field.

The variables are processed parents first; each is a vector of linear forms in its parents' symbols and in
noise of its own. Such a distribution is on the diagram by construction, and every entropy is a rank times
log q, so whole families of constructions (constants, copies, xor, parity checks, Reed-Solomon codes) are
searched in integer arithmetic, many at a time (Hammer, Romashchenko, Shen and Vereshchagin 2000).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import gcd, lcm, prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theory.prover.budget import spend
from theory.prover.counterexample.effort import CodeSearch
from theory.prover.counterexample.exact import WeightedStates
from theory.prover.counterexample.layout import Goal, Layout, masks_of
from theory.prover.lattice import Frame, Vector

__all__ = ["Code", "realise_ray", "search_codes"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Limits:
    """The limits of a search among codes.

    Args:
        exhaustive: Up to so many codes all are tried, where a search asks for all.
        enumerated: Up to so many codes all are tried in place of random ones.
        kept: So many codes that meet the goal are compared for the smallest.
        symbols: The most symbols of a variable in a code made from a polymatroid.
        words: The most code words that are listed as states.
        packed_bits: Binary codes with at most so many coordinates are packed into 64-bit integers.
        safe_sum: Coefficients with a smaller sum of sizes cannot overflow a 64-bit sum of ranks.
    """

    exhaustive: int = 20_000
    enumerated: int = 1_024
    kept: int = 512
    symbols: int = 4
    words: int = 1 << 14
    packed_bits: int = 62
    safe_sum: int = 2**50


_LIMITS = _Limits()
"""Those that are used."""


@dataclass(frozen=True)
class _Draw:
    """How random codes are drawn. A symbol is a sum of up to three terms, each there with some probability.

    Args:
        absent: The probability that the first, second and third term is absent.
        calm_absent: The same in calm codes, where nearly every symbol is a copy.
        calm_every: With few variables one code in so many is calm.
        calm_every_long: With many variables one code in so many is, so that information survives long paths.
        few: Up to so many variables are few.
        noise: The probability that a symbol of a variable with parents has noise of its own.
        root_noise: The same for a variable without parents.
    """

    absent: tuple[float, ...] = (0.2, 0.6, 0.9)
    calm_absent: tuple[float, ...] = (0.05, 0.95, 0.99)
    calm_every: int = 8
    calm_every_long: int = 2
    few: int = 8
    noise: float = 0.15
    root_noise: float = 0.5


_DRAW = _Draw()
"""The probabilities that are used."""


@dataclass(frozen=True)
class _Cost:
    """Seconds of a usual core.

    Args:
        drawn: For each symbol of a code.
        packed: For each pair of rows whose rank over two elements is sought.
        entry: For each entry of a matrix over another field, and each of its columns.
    """

    drawn: float = 1.5e-7
    packed: float = 2e-9
    entry: float = 1.5e-8


_COST = _Cost()
"""Those that are used."""


@dataclass(frozen=True)
class _CodeBatch:
    """Many codes on one layout.

    Args:
        mix: For each variable the coefficients of its parents' symbols, of shape
            (batch, dimension, parents * dimension).
        own: For each variable the coefficients of its own noise, of shape (batch, dimension).
    """

    layout: Layout
    field: int
    dimension: int
    mix: list[Integers]
    own: list[Integers]

    def __len__(self) -> int:
        return len(self.own[0])

    def forms(self) -> Integers:
        """The linear forms in the noise, of shape (batch, variables, dimension, coordinates)."""
        n, d, size = len(self.layout.names), self.dimension, len(self)
        forms = np.zeros((size, n, d, n * d), dtype=np.int64)
        for v, parents in enumerate(self.layout.parents):
            if parents:
                source = forms[:, list(parents)].reshape(size, len(parents) * d, n * d)
                mixed = self.mix[v].astype(float) @ source.astype(float)
                forms[:, v] = mixed.astype(np.int64) % self.field
            for i in range(d):
                forms[:, v, i, v * d + i] = self.own[v][:, i]
        return forms

    def packed(self) -> Integers:
        """The forms over two elements as bit masks, of shape (batch, variables, dimension)."""
        n, d, size = len(self.layout.names), self.dimension, len(self)
        forms = np.zeros((size, n, d), dtype=np.int64)
        for v, parents in enumerate(self.layout.parents):
            for i in range(d):
                forms[:, v, i] = self.own[v][:, i] << (v * d + i)
            if parents:
                source = forms[:, list(parents)].reshape(size, 1, len(parents) * d)
                forms[:, v] ^= np.bitwise_xor.reduce(self.mix[v] * source, axis=2)
        return forms

    def gaps(self, vectors: Sequence[Vector]) -> list[npt.NDArray[np.generic]]:
        """The gaps of the goal's relations in units of log q, exact integers."""
        masks = masks_of(vectors)
        n = len(self.layout.names)
        spend(self.work(masks))
        sets = [[v for v in range(n) if mask >> v & 1] for mask in masks]
        size = len(self)
        if self.field == 2 and n * self.dimension <= _LIMITS.packed_bits:
            packed = self.packed()
            values = [_ranks_binary(list(packed[:, some].reshape(size, -1).T)) for some in sets]
        else:
            forms = self.forms()
            values = [_ranks(forms[:, some].reshape(size, -1, forms.shape[-1]), self.field) for some in sets]
        ranks = dict(zip(masks, values, strict=True))
        gaps: list[npt.NDArray[np.generic]] = []
        for vector in vectors:
            small = sum(abs(c) for c in vector.values()) < _LIMITS.safe_sum
            total: npt.NDArray[Any] = np.zeros(size, dtype=np.int64 if small else object)
            for mask, c in vector.items():
                total = total + int(c) * (ranks[mask] if small else ranks[mask].astype(object))
            gaps.append(total)
        return gaps

    def work(self, masks: Sequence[int]) -> float:
        """The seconds that it takes to draw the codes and to find the ranks of some sets of variables."""
        n, d = len(self.layout.names), self.dimension
        rows = [mask.bit_count() * d for mask in masks]
        if self.field == 2 and n * d <= _LIMITS.packed_bits:
            ranks = _COST.packed * sum(r * r for r in rows)
        else:
            ranks = _COST.entry * n * d * sum(r * n * d for r in rows)
        return len(self) * (_COST.drawn * n * d + ranks)

    def pick(self, index: npt.NDArray[np.int64] | list[int]) -> _CodeBatch:
        """Some of the codes, copied."""
        return _CodeBatch(
            self.layout,
            self.field,
            self.dimension,
            [m[index].copy() for m in self.mix],
            [o[index].copy() for o in self.own],
        )


@dataclass(frozen=True)
class Code:
    """A linear code on a diagram.

    Args:
        names: The variables, parents first.
        field: The number of elements of the (prime) field.
        forms: Generators of shape (variables, dimension, coordinates), entries 0..field-1.
    """

    names: tuple[str, ...]
    field: int
    forms: Integers

    @property
    def live(self) -> Integers:
        """The coordinates that are used."""
        return np.asarray(np.flatnonzero(self.forms.any(axis=(0, 1))), dtype=np.int64)

    def distribution(self) -> WeightedStates | None:
        """The uniform distribution over the code words; None where there are too many."""
        used = self.live
        if float(self.field) ** len(used) > _LIMITS.words:
            return None
        words = np.array(list(product(range(self.field), repeat=len(used))), dtype=np.int64)
        words = words.reshape(self.field ** len(used), len(used))
        columns = []
        for forms in self.forms:
            values = words @ forms[:, used].T % self.field
            columns.append(np.unique(values, axis=0, return_inverse=True)[1].reshape(-1))
        return WeightedStates.uniform(self.names, np.stack(columns, axis=1))

    def describe(self) -> str:
        """One line: what each variable is."""
        label = {int(c): f"u{i + 1}" for i, c in enumerate(self.live)}
        plus = " xor " if self.field == 2 else " + "
        shown: dict[bytes, str] = {}
        parts: list[str] = []
        for name, forms in zip(self.names, self.forms, strict=True):
            rows = sorted({tuple(map(int, form)) for form in forms if form.any()}, reverse=True)
            if not rows:
                continue
            key = np.array(rows).tobytes()
            if key in shown:
                parts.append(f"{name} = {shown[key]}")
                continue
            shown[key] = name
            texts = [
                plus.join((f"{c} " if c > 1 else "") + label[i] for i, c in enumerate(row) if c)
                for row in rows
            ]
            parts.append(f"{name} = {texts[0] if len(texts) == 1 else '(' + ', '.join(texts) + ')'}")
        if not parts:
            return "every variable constant"
        symbols = "bits" if self.field == 2 else f"digits modulo {self.field}"
        names = ", ".join(label.values())
        return f"{'' if len(label) == 1 else 'independent '}uniform {symbols} {names}; {', '.join(parts)}"


def _ranks_binary(rows: Sequence[Integers]) -> Integers:
    """Ranks over two elements of a batch of matrices, each row packed into an integer per matrix."""
    basis: list[Integers] = []
    rank = np.zeros_like(rows[0])
    for row in rows:
        rest = row
        for pivot in basis:
            rest = np.minimum(rest, rest ^ pivot)
        basis.append(rest)
        rank += rest != 0
    return rank


def _ranks(forms: Integers, field: int) -> Integers:
    """Ranks over a prime field of a batch of matrices of shape (batch, rows, columns)."""
    work = forms.copy()
    batch, rows, columns = work.shape
    inverse = np.array([0, *(pow(a, -1, field) for a in range(1, field))], dtype=np.int64)
    rank = np.zeros(batch, dtype=np.int64)
    every = np.arange(batch)
    for column in range(columns):
        candidates = (work[:, :, column] != 0) & (np.arange(rows) >= rank[:, None])
        has_pivot = candidates.any(axis=1)
        if not has_pivot.any():
            continue
        pivot = np.where(has_pivot, candidates.argmax(axis=1), 0)
        target = np.where(has_pivot, rank, 0)
        row = work[every, pivot]
        work[every[has_pivot], pivot[has_pivot]] = work[every[has_pivot], target[has_pivot]]
        row = row * inverse[row[:, column]][:, None] % field
        work[every[has_pivot], target[has_pivot]] = row[has_pivot]
        factors = work[:, :, column].copy()
        factors[every, target] = 0
        factors[~has_pivot] = 0
        work = (work - factors[:, :, None] * row[:, None, :]) % field
        rank += has_pivot
    return rank


def _enumerated(layout: Layout, field: int, most: int) -> _CodeBatch | None:
    """All codes with one symbol for each variable, or None if there are more than `most`."""
    counts = [field ** len(p) * (2 if s else 1) for p, s in zip(layout.parents, layout.noisy, strict=True)]
    total = prod(counts)
    if total > most:
        return None
    index = np.arange(total)
    mix, own = [], []
    for parents, noisy in zip(layout.parents, layout.noisy, strict=True):
        digits = np.zeros((total, 1, len(parents)), dtype=np.int64)
        for i in range(len(parents)):
            digits[:, 0, i] = index % field
            index = index // field
        mix.append(digits)
        noise = np.zeros((total, 1), dtype=np.int64)
        if noisy:
            noise[:, 0] = index % 2
            index = index // 2
        own.append(noise)
    return _CodeBatch(layout, field, 1, mix, own)


def _sampled(layout: Layout, field: int, dimension: int, size: int, rng: np.random.Generator) -> _CodeBatch:
    """Random codes whose symbols are mostly constant, copies, or sums of two or three.

    In some codes nearly all symbols are copies, so that information survives long paths.
    """
    mix, own = [], []
    batch, row = np.arange(size)[:, None], np.arange(dimension)
    every = _DRAW.calm_every if len(layout.names) <= _DRAW.few else _DRAW.calm_every_long
    calm = batch % every == 0
    for parents, noisy in zip(layout.parents, layout.noisy, strict=True):
        width = len(parents) * dimension
        coefficients = np.zeros((size, dimension, width), dtype=np.int64)
        if width:
            draw = rng.random((size, dimension))
            for absent, calm_absent in zip(_DRAW.absent, _DRAW.calm_absent, strict=True):
                factor = rng.integers(1, field, size=(size, dimension)) if field > 2 else 1
                source = rng.integers(width, size=(size, dimension))
                coefficients[batch, row, source] += (draw > np.where(calm, calm_absent, absent)) * factor
        mix.append(coefficients % field)
        chance = np.where(calm, 0.0, _DRAW.noise) if parents else _DRAW.root_noise
        noise = rng.random((size, dimension)) < chance
        own.append(np.asarray(noise & noisy, dtype=np.int64))
    return _CodeBatch(layout, field, dimension, mix, own)


class _Coefficient(NamedTuple):
    """One coefficient of a code: whether of a variable's own noise, of which variable, and where in it."""

    of_noise: bool
    variable: int
    position: tuple[int, ...]


def _without(batch: _CodeBatch, removed: Sequence[Sequence[_Coefficient]]) -> _CodeBatch:
    """Copies of the only code of a batch, each without some coefficients."""
    copies = batch.pick([0] * len(removed))
    for i, some in enumerate(removed):
        for of_noise, v, position in some:
            (copies.own if of_noise else copies.mix)[v][(i, *position)] = 0
    return copies


def _simplified(batch: _CodeBatch, goal: Goal, vectors: Sequence[Vector]) -> _CodeBatch:
    """A batch of one with every coefficient removed that the goal does not need.

    All removals of one coefficient are tried together; of those that keep the goal the longest run of them
    that can go at once is removed, until none is left.
    """
    while True:
        present = [
            _Coefficient(of_noise, v, tuple(map(int, position)))
            for of_noise, arrays in ((True, batch.own), (False, batch.mix))
            for v in reversed(range(len(arrays)))
            for position in np.argwhere(arrays[v][0])
        ]
        if not present:
            return batch
        single = goal.met(_without(batch, [[one] for one in present]).gaps(vectors))
        free = [one for one, fine in zip(present, single, strict=True) if fine]
        if not free:
            return batch
        runs = _without(batch, [free[: i + 1] for i in range(len(free))])
        longest = int(np.flatnonzero(goal.met(runs.gaps(vectors)))[-1])
        batch = runs.pick([longest])


def search_codes(goal: Goal, layout: Layout, search: CodeSearch, *, seed: int) -> Code | None:
    """A small linear code that meets the goal, or None.

    Codes with one symbol for each variable are all tried where they are few: up to 1,024, or up to 20,000
    where the search asks for all.

    Args:
        goal: What it must satisfy and break.
        layout: The variables.
        search: Which codes to try, and how many.
        seed: Fixes the sampling.
    """
    field, dimension, size = search.field, search.dimension, search.size
    vectors = goal.vectors(Frame(layout.names))
    most = _LIMITS.enumerated if size else _LIMITS.exhaustive
    every = _enumerated(layout, field, most) if dimension == 1 else None
    rng = np.random.default_rng([seed, field, dimension, size])
    if every is None and not size:
        return None
    for _ in range(1 if every is not None else search.rounds):
        batch = _sampled(layout, field, dimension, size, rng) if every is None else every
        hits = np.flatnonzero(goal.met(batch.gaps(vectors)))
        if len(hits):
            return _smallest(batch.pick(hits[: _LIMITS.kept]), goal, vectors)
    return None


def realise_ray(
    goal: Goal, layout: Layout, ray: Mapping[frozenset[str], Fraction], *, field: int, size: int, seed: int
) -> Code | None:
    """A linear code whose ranks follow a polymatroid: the symbols and the noise of each variable as it says.

    Args:
        goal: What the code must satisfy and break.
        layout: The variables.
        ray: H of every non-empty set of them on a polymatroid.
        field: A prime number of symbols.
        size: How many random codes of that shape to try.
        seed: Fixes the sampling.
    """
    scale = lcm(*(value.denominator for value in ray.values()))
    divisor = gcd(*(int(value * scale) for value in ray.values())) or 1

    def rank(names: frozenset[str]) -> int:
        return int(ray[names] * scale) // divisor if names else 0

    rng = np.random.default_rng([seed, field, size])
    symbols = [rank(frozenset({name})) for name in layout.names]
    dimension = max(symbols)
    if not dimension or dimension > _LIMITS.symbols:
        return None
    mix, own = [], []
    for name, count, parents, noisy in zip(layout.names, symbols, layout.parents, layout.noisy, strict=True):
        above = frozenset(layout.names[p] for p in parents)
        fresh = min(count, rank(above | {name}) - rank(above)) if noisy else 0
        coefficients = rng.integers(field, size=(size, dimension, len(parents) * dimension))
        coefficients[::2] *= rng.random((len(coefficients[::2]), *coefficients.shape[1:])) < 1 / 2
        coefficients[:, count:] = 0
        noise = np.zeros((size, dimension), dtype=np.int64)
        noise[:, :fresh] = 1
        mix.append(coefficients)
        own.append(noise)
    batch = _CodeBatch(layout, field, dimension, mix, own)
    vectors = goal.vectors(Frame(layout.names))
    hits = np.flatnonzero(goal.met(batch.gaps(vectors)))
    return _smallest(batch.pick(hits[: _LIMITS.kept]), goal, vectors) if len(hits) else None


def _smallest(batch: _CodeBatch, goal: Goal, vectors: Sequence[Vector]) -> Code:
    """The code of a batch with the fewest live variables, then symbols, then terms, simplified."""
    forms = batch.forms()
    variables = forms.any(axis=(2, 3)).sum(axis=1)
    symbols = forms.any(axis=3).sum(axis=(1, 2))
    weight = np.count_nonzero(forms, axis=(1, 2, 3))
    best = int(np.lexsort((weight, symbols, variables))[0])
    chosen = _simplified(batch.pick([best]), goal, vectors)
    return Code(chosen.layout.names, chosen.field, chosen.forms()[0])
