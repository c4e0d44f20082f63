"""The reduced space of joint entropies: facts shrink a problem before a linear program sees it.

Every fact is an identity that expresses the entropy of a set by those of smaller ones:

    X and Y independent given W     H(X, Y, W) = H(X, W) + H(Y, W) - H(W)
    T a function of U, U in S       H(S, T) = H(S)

Applied to the largest sets first they leave a few *irreducible* sets, the columns of the program. On a
Markov chain of n variables those are the n(n+1)/2 single variables and pairs. Facts that two routes
express differently leave an equation between irreducible sets, which eliminates one more.

All 2^k sets are handled together: a random 64-bit number stands for the entropy of each irreducible set,
and the number of any other set follows by integer arithmetic modulo 2^64, so that two combinations of
entropies are equal under the facts exactly when their numbers agree (but for a chance of about 1e-12,
which can only cost a proof, never make a false one: what counts is the exact certificate).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from theory.diagrams.separations import closures, neighbours
from theory.errors import TooLargeError
from theory.prover.lattice import Combination, Frame, Row, Vector, add_to, information
from theory.prover.proof.facts import Facts, Function, Independence

__all__ = ["Space", "Triples", "Use", "elementals", "triples"]

Masks = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Triples = tuple[Masks, Masks, Masks]
"""Left, right and condition masks of I(left; right | condition); left == right means H(left | condition)."""

_SEED = 20241106
_REMEMBERED = 12
MOST_VARIABLES = 16


@dataclass(frozen=True)
class Use:
    """One fact at work: I(left; right | condition) == 0, or H(left | condition) == 0 if left == right.

    Args:
        kind: Where it comes from: `separation`, `function` (both by the diagram) or `given`.
        left: Mask of the first side.
        right: Mask of the second side.
        condition: Mask behind the bar.
        source: The given function or independence that it follows from.
    """

    kind: Literal["separation", "function", "given"]
    left: int
    right: int
    condition: int
    source: Function | Independence | None = None

    def vector(self) -> Vector:
        """The quantity that is zero."""
        return information(self.left, self.right, self.condition)


@lru_cache(maxsize=32)
def sizes(k: int) -> Masks:
    """The number of elements of each set of k variables."""
    total = np.zeros(1, dtype=np.int64)
    for _ in range(k):
        total = np.concatenate([total, total + 1])
    return total


def elementals(k: int) -> Triples:
    """The elemental inequalities of k variables: k of the form H(i|rest), the others I(i;j|K) >= 0."""
    return _remembered(k) if k <= _REMEMBERED else _elementals(k)


def _elementals(k: int) -> Triples:
    full = (1 << k) - 1
    left, right, condition = [], [], []
    every = np.arange(1 << k, dtype=np.int64)
    for i in range(k):
        for j in range(i + 1, k):
            inside = every[(every >> i | every >> j) & 1 == 0]
            condition.append(inside)
            left.append(np.full_like(inside, 1 << i))
            right.append(np.full_like(inside, 1 << j))
    single = np.array([1 << i for i in range(k)], dtype=np.int64)
    return (
        np.concatenate([*left, single]),
        np.concatenate([*right, single]),
        np.concatenate([*condition, full & ~single]),
    )


@lru_cache(maxsize=16)
def _remembered(k: int) -> Triples:
    return _elementals(k)


@lru_cache(maxsize=16)
def triples(k: int) -> Triples:
    """All I(X;Y|W) >= 0 and H(X|W) >= 0 with disjoint, non-empty X and Y among k variables."""
    parts: list[tuple[Masks, Masks, Masks]] = []
    every = np.arange(1 << k, dtype=np.int64)
    for condition in range(1 << k):
        free = every[(every & condition == 0) & (every > 0)]
        parts.append((free, free, np.full_like(free, condition)))
        x, y = np.meshgrid(free, free, indexing="ij")
        keep = (x & y == 0) & (x < y)
        parts.append((x[keep], y[keep], np.full(int(keep.sum()), condition, dtype=np.int64)))
    left, right, condition_ = (np.concatenate([part[i] for part in parts]) for i in range(3))
    order = np.argsort(sizes(k)[left | right | condition_], kind="stable")
    return left[order], right[order], condition_[order]


class Space:
    """Joint entropies of the first `inside` variables of the facts, modulo the facts.

    Args:
        facts: The facts.
        inside: How many of `facts.variables` to work with; the diagram's other ancestors only imply
            independences and functions among these.

    Raises:
        TooLargeError: If there are more than 16 variables.
    """

    def __init__(self, facts: Facts, inside: int) -> None:
        if inside > MOST_VARIABLES:
            gigabytes = 8 * 2**inside * (6 * inside + inside * (inside - 1)) / 2**30
            raise TooLargeError(
                f"{inside} variables ({', '.join(facts.variables[:3])}, ..) have {2**inside:,} joint "
                f"entropies, which would take about {gigabytes:,.0f} GiB, and {MOST_VARIABLES} variables "
                f"are the limit: leave out variables, or cut the diagram down to the part that matters"
            )
        self.facts = facts
        self.frame = Frame(facts.variables[:inside])
        self.inside = inside
        everything = Frame(facts.variables)
        size = 1 << inside
        self.sets = np.arange(size, dtype=np.int64)
        self.first, self.second, self.minus = (np.zeros(size, dtype=np.int64) for _ in range(3))
        self.kind = np.full(size, -1, dtype=np.int64)
        self.uses: list[
            tuple[Literal["separation", "function", "given"], Function | Independence | None]
        ] = []
        self.leftovers: dict[int, tuple[Vector, list[tuple[Use, Fraction]]]] = {}
        self._alternatives: list[tuple[int, Masks, Masks, Masks, Masks]] = []
        self._add_diagram_functions(everything)
        self._add_given_functions()
        self._add_separations()
        self._add_given_independences()
        self.kind[0] = -1
        rng = np.random.default_rng(_SEED)
        self._random = rng.integers(1, 2**64, size=size, dtype=np.uint64)
        self._random[0] = 0
        self.raw: Hashes = self._random
        self.hash: Hashes = self._random.copy()
        self._fill()
        self._eliminate_leftovers()
        self._canonical: dict[int, Row] = {0: {}}

    def _propose(
        self,
        label: Literal["separation", "function", "given"],
        source: Function | Independence | None,
        where: npt.NDArray[np.bool_],
        first: Masks,
        second: Masks | int,
        minus: Masks | int,
    ) -> None:
        """H(S) = H(first) + H(second) - H(minus) for the sets S in `where`."""
        chosen = np.flatnonzero(where)
        if not len(chosen):
            return
        number = len(self.uses)
        self.uses.append((label, source))
        a, b, c = (
            np.broadcast_to(np.asarray(part, dtype=np.int64), self.sets.shape)[chosen]
            for part in (first, second, minus)
        )
        self._alternatives.append((number, self.sets[chosen], a, b, c))
        new = self.kind[chosen] < 0
        fresh = chosen[new]
        self.kind[fresh] = number
        self.first[fresh], self.second[fresh], self.minus[fresh] = a[new], b[new], c[new]

    def _add_diagram_functions(self, everything: Frame) -> None:
        dependencies = [f for f in self.facts.functions(everything) if f.given is None]
        if not dependencies:
            return
        closed = closures([(f.source, f.target) for f in dependencies], self.inside)
        for v in range(self.inside):
            bit = 1 << v
            has = self.sets & bit > 0
            rest = self.sets & ~bit
            self._propose("function", None, has & (closed[rest] & bit > 0), rest, 0, 0)

    def _add_given_functions(self) -> None:
        for function in self.facts.functions(self.frame):
            if function.given is None:
                continue
            extra = function.target & ~function.source
            where = (self.sets & function.source == function.source) & (self.sets & extra > 0)
            self._propose("given", function, where, self.sets & ~extra, 0, 0)

    def _add_separations(self) -> None:
        if self.facts.diagram is None:
            return
        graph = neighbours(self.facts.diagram, self.facts.variables, self.inside)
        for v in np.argsort([len(self.facts.diagram.parents(n)) for n in self.frame.names], kind="stable"):
            bit = 1 << int(v)
            has = self.sets & bit > 0
            near = graph[v] & self.sets
            far = self.sets & ~near & ~bit
            self._propose("separation", None, has & (far > 0), near | bit, self.sets & ~bit, near)

    def _add_given_independences(self) -> None:
        for fact in self.facts.independences(self.frame):
            whole = fact.left | fact.right | fact.condition
            where = (
                (self.sets & fact.condition == fact.condition)
                & (self.sets & ~whole == 0)
                & (self.sets & fact.left > 0)
                & (self.sets & fact.right > 0)
            )
            self._propose(
                "given", fact, where, self.sets & ~fact.right, self.sets & ~fact.left, fact.condition
            )

    def _fill(self) -> None:
        counts = sizes(self.inside)
        for level in range(1, self.inside + 1):
            here = self.sets[counts == level]
            reducible = here[self.kind[here] >= 0]
            h = self.hash
            h[reducible] = h[self.first[reducible]] + h[self.second[reducible]] - h[self.minus[reducible]]
            for mask in sorted(m for m in self.leftovers if m.bit_count() == level):
                h[mask] = self._combine({m: -c for m, c in self.leftovers[mask][0].items() if m != mask})

    def _combine(self, vector: Vector) -> np.uint64:
        total = 0
        for mask, coefficient in vector.items():
            total += int(coefficient) * int(self.hash[mask])
        return np.uint64(total % 2**64)

    def _eliminate_leftovers(self) -> None:
        while True:
            added = False
            for number, whole, a, b, c in self._alternatives:
                gap = self.hash[whole] - self.hash[a] - self.hash[b] + self.hash[c]
                open_ = np.flatnonzero(gap)
                if not len(open_):
                    continue
                _, index = np.unique(gap[open_], return_index=True)
                for i in open_[index]:
                    use = self._use(number, int(whole[i]), int(a[i]), int(b[i]), int(c[i]))
                    remainder, used = self.reduce(use.vector())
                    if not remainder:
                        continue
                    lead = max(remainder, key=lambda m: (m.bit_count(), m))
                    factor = 1 / remainder[lead]
                    equation = {m: v * factor for m, v in remainder.items()}
                    if any(v.denominator != 1 for v in equation.values()):
                        continue
                    parts = [(use, factor), *((u, -m * factor) for u, m in used)]
                    self.leftovers[lead] = (equation, parts)
                    added = True
            if not added:
                return
            self._fill()

    def _use(self, number: int, whole: int, first: int, second: int, minus: int) -> Use:
        label, source = self.uses[number]
        if label == "separation" or isinstance(source, Independence):
            return Use(label, first & ~minus, second & ~minus, minus, source)
        removed = whole & ~first
        return Use(label, removed, removed, first, source)

    @property
    def columns(self) -> int:
        """The number of irreducible sets."""
        return int(np.count_nonzero(self.kind[1:] < 0)) - len(self.leftovers)

    def irreducible(self, mask: int) -> bool:
        """Whether the set is a column."""
        return self.kind[mask] < 0 and mask not in self.leftovers

    def reduce(self, vector: Vector) -> tuple[Vector, list[tuple[Use, Fraction]]]:
        """Rewrite a vector on irreducible sets.

        Returns:
            The rewritten vector and the facts used: vector = rewritten + sum of multiples of facts.
        """
        rest = dict(vector)
        used: dict[Use, Fraction] = {}
        while True:
            reducible = [m for m in rest if not self.irreducible(m)]
            if not reducible:
                return rest, [(use, factor) for use, factor in used.items() if factor]
            mask = max(reducible, key=lambda m: (m.bit_count(), m))
            coefficient = rest[mask]
            number = int(self.kind[mask])
            if number >= 0:
                use = self._use(
                    number, mask, int(self.first[mask]), int(self.second[mask]), int(self.minus[mask])
                )
                information_ = use.vector()
                factor = coefficient / information_[mask]
                parts: Iterable[tuple[Use, Fraction]] = [(use, factor)]
                add_to(rest, information_, -factor)
            else:
                equation, base = self.leftovers[mask]
                parts = [(use, m * coefficient) for use, m in base]
                add_to(rest, equation, -coefficient)
            for use, factor in parts:
                used[use] = used.get(use, Fraction(0)) + factor

    def canonical(self, mask: int) -> Row:
        """H(mask) on irreducible sets, remembered; the coefficients are always integers."""
        found = self._canonical.get(mask)
        if found is None:
            if self.irreducible(mask):
                found = {mask: 1}
            elif self.kind[mask] >= 0:
                found = self._sum(
                    (int(self.first[mask]), 1), (int(self.second[mask]), 1), (int(self.minus[mask]), -1)
                )
            else:
                equation, _ = self.leftovers[mask]
                found = self._sum(*((m, -int(c)) for m, c in equation.items() if m != mask))
            self._canonical[mask] = found
        return found

    def _sum(self, *parts: tuple[int, int]) -> Row:
        total: Row = {}
        for mask, factor in parts:
            for other, c in self.canonical(mask).items():
                total[other] = total.get(other, 0) + factor * c
        return {mask: c for mask, c in total.items() if c}

    def row(self, name: tuple[int, int, int]) -> Row:
        """I(left; right | condition) on irreducible sets."""
        left, right, condition = name
        whole = left | right | condition
        return self._sum((left | condition, 1), (right | condition, 1), (condition, -1), (whole, -1))

    def reduced(self, vector: Combination) -> Vector:
        """A vector on irreducible sets."""
        total: Vector = {}
        for mask, coefficient in vector.items():
            add_to(total, self.canonical(mask), coefficient)
        return total

    def hashes(self, some: Triples) -> Hashes:
        """The numbers of I(left; right | condition) for many triples."""
        left, right, condition = some
        h = self.hash
        found: Hashes = (
            h[left | condition] + h[right | condition] - h[condition] - h[left | right | condition]
        )
        return found

    def raw_hashes(self, some: Triples) -> Hashes:
        """The same before any fact is used."""
        left, right, condition = some
        h = self.raw
        found: Hashes = (
            h[left | condition] + h[right | condition] - h[condition] - h[left | right | condition]
        )
        return found
