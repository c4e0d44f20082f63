"""Counterexamples from linear codes: every variable a linear function over a small field.

The variables of the diagram are processed parents first; each is a vector of linear forms in its parents'
coordinates and in noise of its own. Such a distribution is on the diagram by construction, and every
entropy is a rank times log q, so whole families of constructions (constants, copies, xor, parity checks,
Reed-Solomon codes) are searched with integer arithmetic (Hammer, Romashchenko, Shen and Vereshchagin 2000).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm, prod

import numpy as np
import numpy.typing as npt

from theory.expressions import Relation
from theory.joints import Joint
from theory.prover.lattice import Frame, Vector

__all__ = ["Code", "Goal", "search_codes"]

Forms = npt.NDArray[np.int64]

_BATCH = 8192
_EXHAUSTIVE = 40_000
_SAMPLES = 40_000


@dataclass(frozen=True)
class Goal:
    """What a distribution must do: satisfy `required`, and break at least one of `broken`, if any."""

    required: tuple[Relation, ...]
    broken: tuple[Relation, ...]


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
    forms: Forms

    def joint(self, order: Sequence[str]) -> Joint:
        """The uniform distribution over the code words, exact; constant variables have one state."""
        used = np.flatnonzero(self.forms.any(axis=(0, 1)))
        words = np.array(list(product(range(self.field), repeat=len(used))), dtype=np.int64)
        words = words.reshape(-1, len(used))
        columns: list[npt.NDArray[np.int64]] = []
        for name in order:
            values = words @ self.forms[self.names.index(name)][:, used].T % self.field
            _, inverse = np.unique(values, axis=0, return_inverse=True)
            columns.append(inverse.reshape(-1))
        shape = [int(column.max()) + 1 for column in columns]
        table = np.zeros(shape, dtype=object)
        table[...] = Fraction(0)
        for state in zip(*columns, strict=True):
            table[tuple(map(int, state))] += Fraction(1, len(words))
        return Joint(tuple(order), table)

    def describe(self) -> str:
        """One line: what each variable is."""
        sign = {2: "xor", 3: "mod 3", 5: "mod 5"}.get(self.field, f"mod {self.field}")
        parts: list[str] = []
        shown: dict[bytes, str] = {}
        for name, forms in zip(self.names, self.forms, strict=True):
            live = forms[forms.any(axis=1)]
            if not len(live):
                continue
            key = live.tobytes()
            if key in shown:
                parts.append(f"{name} = {shown[key]}")
                continue
            shown[key] = name
            texts = []
            for form in live:
                terms = [(f"{c} " if c > 1 else "") + f"u{i + 1}" for i, c in enumerate(form.tolist()) if c]
                texts.append((" xor " if self.field == 2 else " + ").join(terms))
            parts.append(f"{name} = {texts[0] if len(texts) == 1 else '(' + ', '.join(texts) + ')'}")
        kind = "bits" if self.field == 2 else f"{sign} digits"
        return f"linear code: u1, u2, .. independent uniform {kind}; " + ", ".join(parts)


def _ranks_binary(rows: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    basis: list[npt.NDArray[np.int64]] = []
    rank = np.zeros_like(rows[0])
    for row in rows:
        rest = row
        for pivot in basis:
            rest = np.minimum(rest, rest ^ pivot)
        basis.append(rest)
        rank += rest != 0
    return rank


def _ranks(forms: Forms, field: int) -> npt.NDArray[np.int64]:
    """Ranks of a batch of matrices of shape (batch, rows, columns) over a prime field."""
    work = forms.copy()
    batch, rows, columns = work.shape
    inverse = np.array([0, *(pow(a, -1, field) for a in range(1, field))], dtype=np.int64)
    rank = np.zeros(batch, dtype=np.int64)
    every = np.arange(batch)
    for column in range(columns):
        candidates = (work[:, :, column] != 0) & (np.arange(rows) >= rank[:, None])
        found = candidates.any(axis=1)
        pivot = np.where(found, candidates.argmax(axis=1), 0)
        target = np.where(found, rank, 0)
        row = work[every, pivot].copy()
        work[every[found], pivot[found]] = work[every[found], target[found]]
        row = row * inverse[row[:, column]][:, None] % field
        work[every[found], target[found]] = row[found]
        factors = work[:, :, column].copy()
        factors[every, target] = 0
        factors[~found] = 0
        work = (work - factors[:, :, None] * row[:, None, :]) % field
        rank += found
    return rank


def _choices(parents: int, dimension: int, field: int, noisy: bool) -> int:
    return int(field ** (parents * dimension) * (2 if noisy else 1))


def _batches(
    parents: Sequence[Sequence[int]], noisy: Sequence[bool], field: int, dimension: int, seed: int
) -> Iterator[Forms]:
    """Arrays of shape (batch, variables, dimension, coordinates)."""
    n = len(parents)
    coordinates = n * dimension
    counts = [_choices(len(p), 1, field, s) for p, s in zip(parents, noisy, strict=True)]
    exhaustive = dimension == 1 and prod(counts) <= _EXHAUSTIVE
    rng = np.random.default_rng([seed, field, dimension])
    total = prod(counts) if exhaustive else _SAMPLES
    for start in range(0, total, _BATCH):
        size = min(_BATCH, total - start)
        forms = np.zeros((size, n, dimension, coordinates), dtype=np.int64)
        index = np.arange(start, start + size)
        for v in range(n):
            ps = list(parents[v])
            if exhaustive:
                digits = []
                for _ in ps:
                    digits.append(index % field)
                    index = index // field
                mix = np.array(digits, dtype=np.int64).reshape(len(ps), size).T.reshape(size, 1, len(ps))
                own = np.zeros((size, 1), dtype=np.int64)
                if noisy[v]:
                    own = (index % 2).reshape(size, 1)
                    index = index // 2
            else:
                mix = rng.integers(field, size=(size, dimension, len(ps) * dimension))
                mix *= rng.random((size, 1, len(ps) * dimension)) < rng.random((size, 1, 1))
                own = (rng.random((size, dimension)) < rng.random((size, 1))).astype(np.int64)
                if not noisy[v]:
                    own[:] = 0
            if ps:
                source = forms[:, ps].reshape(size, len(ps) * dimension, coordinates)
                forms[:, v] = mix @ source % field
            for d in range(dimension):
                forms[:, v, d, v * dimension + d] = own[:, d]
        yield forms


class _Ranks:
    """Ranks of sets of variables of a batch of codes, remembered."""

    def __init__(self, forms: Forms, field: int) -> None:
        self.forms = forms
        self.field = field
        self.known: dict[int, npt.NDArray[np.int64]] = {}
        self.packed: Forms | None = None
        if field == 2 and forms.shape[-1] < 62:
            self.packed = forms @ (1 << np.arange(forms.shape[-1], dtype=np.int64))

    def __call__(self, mask: int) -> npt.NDArray[np.int64]:
        if mask not in self.known:
            chosen = [v for v in range(self.forms.shape[1]) if mask >> v & 1]
            if self.packed is not None:
                rows = self.packed[:, chosen].reshape(len(self.forms), -1)
                self.known[mask] = _ranks_binary(list(rows.T))
            else:
                stacked = self.forms[:, chosen].reshape(len(self.forms), -1, self.forms.shape[-1])
                self.known[mask] = _ranks(stacked, self.field)
        return self.known[mask]

    def value(self, vector: Vector) -> npt.NDArray[np.int64]:
        scale = lcm(*(c.denominator for c in vector.values())) if vector else 1
        total = np.zeros(len(self.forms), dtype=object)
        for mask, coefficient in vector.items():
            total = total + int(coefficient * scale) * self(mask).astype(object)
        return total


def _true(value: npt.NDArray[np.int64], operator: str) -> npt.NDArray[np.bool_]:
    if operator == "==":
        answer = value == 0
    elif operator in (">", "<"):
        answer = value > 0
    else:
        answer = value >= 0
    return np.asarray(answer, dtype=bool)


def search_codes(
    goal: Goal,
    names: Sequence[str],
    parents: Sequence[Sequence[int]],
    noisy: Sequence[bool],
    *,
    field: int,
    dimension: int,
    seed: int,
) -> Code | None:
    """The smallest linear code found that meets the goal.

    Args:
        goal: What it must satisfy and break.
        names: The variables, parents first.
        parents: For each variable the positions of its parents.
        noisy: Whether a variable may have noise of its own.
        field: A prime number of symbols.
        dimension: Symbols in each variable.
        seed: Fixes the sampling where the family is too large to enumerate.
    """
    frame = Frame(tuple(names))
    for forms in _batches(parents, noisy, field, dimension, seed):
        ranks = _Ranks(forms, field)
        good = np.ones(len(forms), dtype=bool)
        for relation in goal.required:
            good &= _true(ranks.value(frame.vector(relation.gap)), relation.operator)
            if not good.any():
                break
        if goal.broken and good.any():
            broken = np.zeros(len(forms), dtype=bool)
            for relation in goal.broken:
                broken |= ~_true(ranks.value(frame.vector(relation.gap)), relation.operator)
            good &= broken
        hits = np.flatnonzero(good)
        if len(hits):
            live = forms[hits].any(axis=(2, 3)).sum(axis=1)
            total = np.array(forms[hits].any(axis=3).sum(axis=(1, 2)))
            weight = np.count_nonzero(forms[hits], axis=(1, 2, 3))
            best = hits[np.lexsort((weight, total, live))[0]]
            return Code(tuple(names), field, forms[best])
    return None
