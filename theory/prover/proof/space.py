"""The reduced space of joint entropies: facts shrink a problem before a linear program sees it.

Every fact is an identity that expresses the entropy of a set by those of smaller ones:

    X and Y independent given W     H(X, Y, W) = H(X, W) + H(Y, W) - H(W)
    T a function of U, U in S       H(S, T) = H(S)

Applied to the largest sets first they leave a few *irreducible* sets, the columns of the program. On a
Markov chain of n variables those are the n(n+1)/2 single variables and pairs. Facts that two routes
express differently leave an equation between irreducible sets, which eliminates one more.

All 2^k sets are handled together, by *hashes*: each irreducible set has a random 64-bit hash that stands for
its entropy, and the hash of any other set follows by integer arithmetic modulo 2^64. So two combinations of
entropies are equal under the facts exactly when their hashes agree. By chance different ones agree too, in
about 1 of 1e12 cases; this can cost a proof but never make a false one, because the certificate is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from theory.diagrams.separations import closures, neighbours
from theory.errors import TooLargeError
from theory.prover.lattice import Combination, Frame, IntegerVector, Quantity, Vector, add_to, information
from theory.prover.proof.facts import Facts, Function, Independence

__all__ = ["MOST_VARIABLES", "Quantities", "Space", "Use", "elementals", "quantities"]

Masks = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

FactKind = Literal["independence", "function", "given"]
"""Where a fact comes from: the diagram, by separation or by a function, or a given statement."""

Number = TypeVar("Number", np.int64, np.uint64, np.float64)

MOST_VARIABLES = 16
"""The largest number of variables: there are 2^16 joint entropies then."""

_SEED = 20241106
"""Fixes the random hashes, so that the same question has the same proof."""

_CACHED_VARIABLES = 12
"""Up to so many variables the elemental inequalities are kept for the next proof (3 MiB for 12)."""

IRREDUCIBLE = -1
"""In place of the number of a rule: no rule expresses the set by smaller ones."""

HASHES = 2**64
"""Hashes are integers modulo this."""


class Quantities(NamedTuple):
    """Many quantities I(left; right | condition), as three arrays of masks of the same shape."""

    left: Masks
    right: Masks
    condition: Masks

    def values(self, entropies: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """The value of each, given the entropy of every set of variables, indexed by its mask."""
        given_left, given_right = self.left | self.condition, self.right | self.condition
        whole = self.left | self.right | self.condition
        h = entropies
        result: npt.NDArray[Number] = h[given_left] + h[given_right] - h[self.condition] - h[whole]
        return result

    def at(self, i: int) -> Quantity:
        """The i-th quantity."""
        return Quantity(int(self.left[i]), int(self.right[i]), int(self.condition[i]))

    def pick(self, where: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Quantities:
        """Some of them."""
        return Quantities(self.left[where], self.right[where], self.condition[where])


@dataclass(frozen=True)
class Use:
    """One use of a fact: I(left; right | condition) == 0, or H(left | condition) == 0 if left == right.

    Args:
        kind: Where it comes from: `independence`, `function` (both by the diagram) or `given`.
        quantity: What is zero.
        source: The given function or independence that it follows from.
    """

    kind: FactKind
    quantity: Quantity
    source: Function | Independence | None = None

    def vector(self) -> Vector:
        """The quantity that is zero."""
        return information(*self.quantity)


@dataclass(frozen=True)
class Rule:
    """A fact that expresses joint entropies by those of smaller sets.

    Args:
        kind: Where it comes from.
        source: The given function or independence; None for the diagram's.
    """

    kind: FactKind
    source: Function | Independence | None


class Rewriting(NamedTuple):
    """H(whole) = H(first) + H(second) - H(minus) by one rule, for many sets: arrays of the same shape."""

    rule: int
    whole: Masks
    first: Masks
    second: Masks
    minus: Masks


class Equation(NamedTuple):
    """A combination of irreducible sets that is zero, and the multiples of facts that it is made of."""

    vector: Vector
    parts: list[tuple[Use, Fraction]]


@lru_cache(maxsize=32)
def sizes(k: int) -> Masks:
    """The number of elements of each set of k variables."""
    total = np.zeros(1, dtype=np.int64)
    for _ in range(k):
        total = np.concatenate([total, total + 1])
    return total


def elementals(k: int) -> Quantities:
    """The elemental inequalities of k variables: k of the form H(i|rest), the others I(i;j|K) >= 0."""
    return _cached_elementals(k) if k <= _CACHED_VARIABLES else _elementals(k)


def _elementals(k: int) -> Quantities:
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
    return Quantities(
        np.concatenate([*left, single]),
        np.concatenate([*right, single]),
        np.concatenate([*condition, full & ~single]),
    )


@lru_cache(maxsize=16)
def _cached_elementals(k: int) -> Quantities:
    return _elementals(k)


@lru_cache(maxsize=16)
def quantities(k: int) -> Quantities:
    """All I(X;Y|W) >= 0 and H(X|W) >= 0 with disjoint, non-empty X and Y among k variables."""
    parts: list[Quantities] = []
    every = np.arange(1 << k, dtype=np.int64)
    for condition in range(1 << k):
        free = every[(every & condition == 0) & (every > 0)]
        parts.append(Quantities(free, free, np.full_like(free, condition)))
        x, y = np.meshgrid(free, free, indexing="ij")
        keep = (x & y == 0) & (x < y)
        count = int(keep.sum())
        parts.append(Quantities(x[keep], y[keep], np.full(count, condition, dtype=np.int64)))
    every_part = Quantities(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    whole = every_part.left | every_part.right | every_part.condition
    return every_part.pick(np.argsort(sizes(k)[whole], kind="stable"))


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
        self.rule = np.full(size, IRREDUCIBLE, dtype=np.int64)
        self.rules: list[Rule] = []
        self.equations: dict[int, Equation] = {}
        self._rewritings: list[Rewriting] = []
        self._add_diagram_functions(everything)
        self._add_given_functions()
        self._add_separations()
        self._add_given_independences()
        self.rule[0] = IRREDUCIBLE
        rng = np.random.default_rng(_SEED)
        self.raw_hash: Hashes = rng.integers(1, HASHES, size=size, dtype=np.uint64)
        self.raw_hash[0] = 0
        self.hash: Hashes = self.raw_hash.copy()
        self._fill()
        self._eliminate_equations()
        self._canonical: dict[int, IntegerVector] = {0: {}}

    def _propose(
        self,
        rule: Rule,
        where: npt.NDArray[np.bool_],
        first: Masks,
        second: Masks | int,
        minus: Masks | int,
    ) -> None:
        """H(S) = H(first) + H(second) - H(minus) for the sets S in `where`."""
        chosen = np.flatnonzero(where)
        if not len(chosen):
            return
        number = len(self.rules)
        self.rules.append(rule)
        a, b, c = (
            np.broadcast_to(np.asarray(part, dtype=np.int64), self.sets.shape)[chosen]
            for part in (first, second, minus)
        )
        self._rewritings.append(Rewriting(number, self.sets[chosen], a, b, c))
        new = self.rule[chosen] == IRREDUCIBLE
        fresh = chosen[new]
        self.rule[fresh] = number
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
            self._propose(Rule("function", None), has & (closed[rest] & bit > 0), rest, 0, 0)

    def _add_given_functions(self) -> None:
        for function in self.facts.functions(self.frame):
            if function.given is None:
                continue
            extra = function.target & ~function.source
            where = (self.sets & function.source == function.source) & (self.sets & extra > 0)
            self._propose(Rule("given", function), where, self.sets & ~extra, 0, 0)

    def _add_separations(self) -> None:
        if self.facts.diagram is None:
            return
        graph = neighbours(self.facts.diagram, self.facts.variables, self.inside)
        for v in np.argsort([len(self.facts.diagram.parents(n)) for n in self.frame.names], kind="stable"):
            bit = 1 << int(v)
            has = self.sets & bit > 0
            near = graph[v] & self.sets
            far = self.sets & ~near & ~bit
            rule = Rule("independence", None)
            self._propose(rule, has & (far > 0), near | bit, self.sets & ~bit, near)

    def _add_given_independences(self) -> None:
        for fact in self.facts.independences(self.frame):
            whole = fact.left | fact.right | fact.condition
            where = (
                (self.sets & fact.condition == fact.condition)
                & (self.sets & ~whole == 0)
                & (self.sets & fact.left > 0)
                & (self.sets & fact.right > 0)
            )
            first, second = self.sets & ~fact.right, self.sets & ~fact.left
            self._propose(Rule("given", fact), where, first, second, fact.condition)

    def _fill(self) -> None:
        counts = sizes(self.inside)
        for level in range(1, self.inside + 1):
            here = self.sets[counts == level]
            reducible = here[self.rule[here] != IRREDUCIBLE]
            h = self.hash
            h[reducible] = h[self.first[reducible]] + h[self.second[reducible]] - h[self.minus[reducible]]
            for mask in sorted(m for m in self.equations if m.bit_count() == level):
                others = {m: -c for m, c in self.equations[mask].vector.items() if m != mask}
                h[mask] = self._hash_of(others)

    def _hash_of(self, vector: Vector) -> np.uint64:
        total = 0
        for mask, coefficient in vector.items():
            total += int(coefficient) * int(self.hash[mask])
        return np.uint64(total % HASHES)

    def _eliminate_equations(self) -> None:
        """Solve the equations between irreducible sets that remain where two rules express one set."""
        while True:
            added = False
            for rule, whole, a, b, c in self._rewritings:
                gap = self.hash[whole] - self.hash[a] - self.hash[b] + self.hash[c]
                open_ = np.flatnonzero(gap)
                if not len(open_):
                    continue
                _, index = np.unique(gap[open_], return_index=True)
                for i in open_[index]:
                    use = self._use(rule, int(whole[i]), int(a[i]), int(b[i]), int(c[i]))
                    remainder, used = self.reduce(use.vector())
                    if not remainder:
                        continue
                    lead = max(remainder, key=lambda m: (m.bit_count(), m))
                    factor = 1 / remainder[lead]
                    equation = {m: v * factor for m, v in remainder.items()}
                    if any(v.denominator != 1 for v in equation.values()):
                        continue
                    parts = [(use, factor), *((u, -m * factor) for u, m in used)]
                    self.equations[lead] = Equation(equation, parts)
                    added = True
            if not added:
                return
            self._fill()

    def _use(self, rule: int, whole: int, first: int, second: int, minus: int) -> Use:
        kind, source = self.rules[rule].kind, self.rules[rule].source
        if kind == "independence" or isinstance(source, Independence):
            return Use(kind, Quantity(first & ~minus, second & ~minus, minus), source)
        removed = whole & ~first
        return Use(kind, Quantity(removed, removed, first), source)

    @property
    def columns(self) -> int:
        """The number of irreducible sets."""
        return int(np.count_nonzero(self.rule[1:] == IRREDUCIBLE)) - len(self.equations)

    def irreducible(self, mask: int) -> bool:
        """Whether the set is a column."""
        return self.rule[mask] == IRREDUCIBLE and mask not in self.equations

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
            rule = int(self.rule[mask])
            if rule != IRREDUCIBLE:
                use = self._use(
                    rule, mask, int(self.first[mask]), int(self.second[mask]), int(self.minus[mask])
                )
                zero = use.vector()
                factor = coefficient / zero[mask]
                parts: Iterable[tuple[Use, Fraction]] = [(use, factor)]
                add_to(rest, zero, -factor)
            else:
                equation = self.equations[mask]
                parts = [(use, m * coefficient) for use, m in equation.parts]
                add_to(rest, equation.vector, -coefficient)
            for use, factor in parts:
                used[use] = used.get(use, Fraction(0)) + factor

    def canonical(self, mask: int) -> IntegerVector:
        """H(mask) on irreducible sets, remembered; the coefficients are always integers."""
        result = self._canonical.get(mask)
        if result is None:
            if self.irreducible(mask):
                result = {mask: 1}
            elif self.rule[mask] != IRREDUCIBLE:
                result = self._sum(
                    (int(self.first[mask]), 1), (int(self.second[mask]), 1), (int(self.minus[mask]), -1)
                )
            else:
                vector = self.equations[mask].vector
                result = self._sum(*((m, -int(c)) for m, c in vector.items() if m != mask))
            self._canonical[mask] = result
        return result

    def _sum(self, *parts: tuple[int, int]) -> IntegerVector:
        total: IntegerVector = {}
        for mask, factor in parts:
            for other, c in self.canonical(mask).items():
                total[other] = total.get(other, 0) + factor * c
        return {mask: c for mask, c in total.items() if c}

    def row(self, quantity: Quantity) -> IntegerVector:
        """I(left; right | condition) on irreducible sets."""
        left, right, condition = quantity
        whole = left | right | condition
        return self._sum((left | condition, 1), (right | condition, 1), (condition, -1), (whole, -1))

    def reduced(self, vector: Combination) -> Vector:
        """A vector on irreducible sets."""
        total: Vector = {}
        for mask, coefficient in vector.items():
            add_to(total, self.canonical(mask), coefficient)
        return total

    def hashes(self, some: Quantities) -> Hashes:
        """The hash of each quantity under the facts: 0 where the facts make it zero."""
        return some.values(self.hash)

    def raw_hashes(self, some: Quantities) -> Hashes:
        """The hash of each quantity before any fact is used."""
        return some.values(self.raw_hash)
