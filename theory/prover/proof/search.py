"""The search for a proof of one inequality, shortest first.

`Search` writes a vector as a sum of Shannon inequalities modulo the facts, a `Decomposition`. It tries no
inequality at all (an identity), then one, then two, then a linear program over the inequalities of the
reduced space, whose weights are made exact and whose steps are joined. A decomposition makes the steps of
a certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from theory.diagrams import closure, separated
from theory.errors import TooLargeError
from theory.expressions import Expression
from theory.prover.budget import SpentError, spend
from theory.prover.lattice import Combination, IntegerVector, Quantity, Vector, add_to, information, scaled
from theory.prover.proof.facts import Function, Given, Independence
from theory.prover.proof.lazy import Cuts, minimise, uncrossings
from theory.prover.proof.lookup import HashTable
from theory.prover.proof.programs import combine
from theory.prover.proof.shortest import fewest
from theory.prover.proof.space import Space, Use, elementals, quantities
from theory.prover.shapes import as_quantity, merged

__all__ = ["Decomposition", "Search"]


@dataclass(frozen=True)
class _Limits:
    """Where one way of searching gives way to another; found by timing.

    Args:
        lookup_variables: Up to so many variables all quantities are looked up by their hashes.
        lookups: So many sums from a table are completed to a certificate, and the shortest is taken.
        few_variables: Beyond so many variables a small program is tried before the one of all inequalities.
        all_rows: Up to so many inequalities are always written down at once.
        most_rows: Beyond so many they never are: cutting planes find those that matter.
        few_columns: In between they are, if there are at most so many columns.
        strict_rows: So many inequalities are written down at most for a strict relation, which cutting
            planes cannot prove.
        fewest_rows: Up to so many quantities an integer program looks for the fewest inequalities.
        short: A proof with fewer inequalities than this is short enough to be kept as it is.
        reduced: Seconds that it takes to reduce an inequality by the facts.
    """

    lookup_variables: int = 6
    lookups: int = 12
    few_variables: int = 4
    all_rows: int = 1_200
    most_rows: int = 12_000
    few_columns: int = 200
    strict_rows: int = 20_000
    fewest_rows: int = 300
    short: int = 3
    reduced: float = 1e-5


_LIMITS = _Limits()
"""Those that are used."""


class DiagramFact(NamedTuple):
    """A quantity that the diagram makes zero, by d-separation or by a deterministic variable."""

    kind: Literal["independence", "function"]
    quantity: Quantity


class Length(NamedTuple):
    """The length of a proof; shorter ones come first."""

    steps: int
    inequalities: int


@dataclass
class Decomposition:
    """A vector as a sum of multiples of quantities, given relations and facts.

    Args:
        inequalities: Weights of quantities that are never negative.
        given: Weights of given relations, by their position among all given ones.
        facts: Multiples of quantities that the diagram makes zero.
        instances: Weights of non-Shannon instances, by their position in `Search.instances`.
    """

    inequalities: dict[Quantity, Fraction]
    given: dict[int, Fraction]
    facts: dict[DiagramFact, Fraction]
    instances: dict[int, Fraction]

    @property
    def length(self) -> Length:
        """The number of steps, and of inequalities among them."""
        inequalities = len(self.inequalities) + len(self.instances)
        return Length(inequalities + len(self.given) + len(self.facts), inequalities)


class Search:
    """Proofs in one reduced space.

    Args:
        space: The space.
        extra: Further valid inequalities (non-Shannon instances).
        max_columns: The largest linear program to solve.
    """

    def __init__(self, space: Space, extra: Sequence[Expression] = (), *, max_columns: int) -> None:
        self.space = space
        self.max_columns = max_columns
        self.given: list[Given] = space.facts.others(space.frame)
        self.reduced_given = [space.reduced(g.vector) for g in self.given]
        self.extra: list[Vector] = []
        self.reduced_extra: list[Vector] = []
        seen: set[frozenset[tuple[int, Fraction]]] = set()
        self.instances: list[Expression] = []
        for expression in extra:
            vector = space.frame.vector(expression)
            reduced = space.reduced(vector)
            key = frozenset(reduced.items())
            if reduced and key not in seen:
                seen.add(key)
                self.instances.append(expression)
                self.extra.append(vector)
                self.reduced_extra.append(reduced)

    @cached_property
    def distinct(self) -> npt.NDArray[np.int64]:
        """Which elemental inequalities to keep of those that are equal under the facts."""
        hashes = self.space.hashes(elementals(self.space.inside))
        _, index = np.unique(hashes, return_index=True)
        return np.asarray(np.sort(index[hashes[index] != 0]), dtype=np.int64)

    @property
    def is_large(self) -> bool:
        """Whether there are too many inequalities to write them all down."""
        rows = len(self.distinct)
        few_columns = self.space.columns <= _LIMITS.few_columns
        return rows > _LIMITS.all_rows and (rows > _LIMITS.most_rows or not few_columns)

    @cached_property
    def rows(self) -> tuple[list[Quantity], list[IntegerVector]]:
        """The elemental inequalities that differ under the facts, and their reduced vectors."""
        spend(_LIMITS.reduced * len(self.distinct))
        every = elementals(self.space.inside)
        chosen = [every.at(i) for i in self.distinct]
        return chosen, [self.space.row(quantity) for quantity in chosen]

    @cached_property
    def table(self) -> HashTable:
        """All grouped inequalities that differ under the facts."""
        every = quantities(self.space.inside)
        return HashTable(self.space.hashes(every), every)

    @cached_property
    def zeros(self) -> HashTable:
        """All quantities that are zero under the facts, by their hashes before any fact is used."""
        every = quantities(self.space.inside)
        zero = every.pick(self.space.hashes(every) == 0)
        return HashTable(self.space.raw_hashes(zero), zero)

    def prove(self, target: Vector, *, strict: bool = False) -> Decomposition | None:
        """A decomposition of `target` that shows it `>= 0`, or `> 0` if `strict`; or None.

        Raises:
            TooLargeError: If the linear program would be too large.
        """
        reduced = self.space.reduced(target)
        if strict:
            return self._strictly(target, reduced)
        if not reduced:
            return self._finish(target, {}, {}, {})
        if self.space.inside <= _LIMITS.lookup_variables:
            result = self._by_lookup(target, reduced)
            if result is not None:
                return result
        if self.is_large:
            return self._at_large(target, reduced)
        if self.space.inside > _LIMITS.few_variables:
            result = self._by_uncrossing(target, reduced)
            if result is not None and result.length.inequalities < self.space.inside:
                return result
        chosen, vectors = self.rows
        result = self._by_program(target, reduced, chosen, vectors)
        short = result is None or result.length.inequalities < _LIMITS.short
        if result is None or short or result.given or result.instances:
            return result
        with suppress(SpentError):  # a shorter proof is not worth more than what was allowed
            others = [self._by_uncrossing(target, reduced), self._by_fewest(target, reduced, result)]
            return min([result, *(other for other in others if other is not None)], key=lambda d: d.length)
        return result

    def _by_lookup(self, target: Vector, reduced: Vector) -> Decomposition | None:
        """One or two inequalities, found by their hashes."""
        best: Decomposition | None = None
        for inequalities in islice(self.table.sums(reduced, self.space.hash), _LIMITS.lookups):
            result = self._finish(target, inequalities, {}, {})
            if result is not None and (best is None or result.length < best.length):
                best = result
        return best

    def _by_uncrossing(self, target: Vector, reduced: Vector) -> Decomposition | None:
        """Inequalities among the sets of the target, their meets and joins, by a small program."""
        chosen: list[Quantity] = []
        vectors: list[IntegerVector] = []
        for quantity in uncrossings(reduced, self.space.inside):
            vector = self.space.row(quantity)
            if vector:
                chosen.append(quantity)
                vectors.append(vector)
        return self._by_program(target, reduced, chosen, vectors)

    def _at_large(self, target: Vector, reduced: Vector) -> Decomposition | None:
        """Inequalities among the sets of the target first, cutting planes after."""
        result = self._by_uncrossing(target, reduced)
        if result is not None:
            return result
        cuts = self.cuts(reduced)
        if cuts.point is not None:
            return None
        return self._by_program(target, reduced, cuts.quantities, cuts.vectors)

    def cuts(self, reduced: Vector) -> Cuts:
        """Cutting planes for a reduced vector.

        Raises:
            TooLargeError: If there are too many columns.
        """
        columns = self.space.columns
        if columns > self.max_columns:
            raise TooLargeError(
                f"the linear program would have {columns} columns and up to {len(self.distinct)} rows after "
                f"reduction, more than max_columns={self.max_columns}: raise it, name fewer variables, or "
                f"give a diagram or statements that tie them together"
            )
        equal = [self.reduced_given[i] for i in self._equal]
        above = [self.reduced_given[i] for i in self._above]
        return minimise(self.space, reduced, equal, [*self.reduced_extra, *above])

    @property
    def _above(self) -> list[int]:
        return [i for i, g in enumerate(self.given) if g.operator != "==" and self.reduced_given[i]]

    @property
    def _equal(self) -> list[int]:
        return [i for i, g in enumerate(self.given) if g.operator == "==" and self.reduced_given[i]]

    def _by_program(
        self, target: Vector, reduced: Vector, chosen: Sequence[Quantity], vectors: Sequence[Combination]
    ) -> Decomposition | None:
        above, equal = self._above, self._equal
        solution = combine(
            reduced,
            [*vectors, *self.reduced_extra, *(self.reduced_given[i] for i in above)],
            [self.reduced_given[i] for i in equal],
        )
        if solution is None:
            return None
        weights, multiples = solution
        start = len(chosen) + len(self.extra)
        inequalities = {q: w for q, w in zip(chosen, weights, strict=False) if w}
        instances = {i: w for i, w in enumerate(weights[len(chosen) : start]) if w}
        given = {i: w for i, w in zip(above, weights[start:], strict=True) if w}
        given |= {i: w for i, w in zip(equal, multiples, strict=True) if w}
        return self._finish(target, merged(inequalities), given, instances)

    def _by_fewest(self, target: Vector, reduced: Vector, known: Decomposition) -> Decomposition | None:
        """The fewest inequalities, where the integer program is small enough; `known` bounds the weights."""
        if self.space.inside > _LIMITS.lookup_variables or len(self.table) > _LIMITS.fewest_rows:
            return None
        chosen = [self.table.quantities.at(i) for i in range(len(self.table))]
        vectors = [self.space.row(quantity) for quantity in chosen]
        weights = fewest(reduced, vectors, max(known.inequalities.values()))
        if weights is None:
            return None
        return self._finish(target, merged({chosen[i]: w for i, w in weights.items()}), {}, {})

    def _strictly(self, target: Vector, reduced: Vector) -> Decomposition | None:
        """A decomposition in which a strict given relation has a positive weight.

        Some sum of inequalities, given relations and -t times the target, t >= 0, with strict ones of
        total weight 1, must vanish. A target of zero asks whether the given relations are contradictory.
        """
        above = [i for i, g in enumerate(self.given) if g.operator != "=="]
        if not any(self.given[i].operator == ">" for i in above):
            return None
        if len(self.distinct) > _LIMITS.strict_rows:
            raise TooLargeError(
                f"strict relations over {self.space.inside} variables need {len(self.distinct)} rows at once "
                f"and {_LIMITS.strict_rows} are the limit: name fewer variables, or use >= and <="
            )
        chosen, vectors = self.rows
        rows: list[Combination] = [*vectors, *self.reduced_extra]
        rows += [self.reduced_given[i] for i in above]
        start = len(vectors) + len(self.reduced_extra)
        strict = [start + k for k, i in enumerate(above) if self.given[i].operator == ">"]
        equal = self._equal
        if target:
            rows.append(scaled(reduced, -1))
        solution = combine({}, rows, [self.reduced_given[i] for i in equal], at_least_one=strict)
        if solution is None:
            return None
        weights, multiples = solution
        share = Fraction(1)
        if target:
            if not weights[-1]:
                return None
            share = 1 / weights[-1]
        inequalities = {q: w * share for q, w in zip(chosen, weights, strict=False) if w}
        instances = {i: w * share for i, w in enumerate(weights[len(chosen) : start]) if w}
        given = {i: w * share for i, w in zip(above, weights[start:], strict=False) if w}
        given |= {i: w * share for i, w in zip(equal, multiples, strict=True) if w}
        return self._finish(target, merged(inequalities), given, instances)

    def _finish(
        self,
        target: Vector,
        inequalities: dict[Quantity, Fraction],
        given: dict[int, Fraction],
        instances: dict[int, Fraction],
    ) -> Decomposition | None:
        """Add the facts that make the sum an identity."""
        rest = dict(target)
        for quantity, weight in inequalities.items():
            add_to(rest, information(*quantity), -weight)
        for i, weight in given.items():
            add_to(rest, self.given[i].vector, -weight)
        for i, weight in instances.items():
            add_to(rest, self.extra[i], -weight)
        left, uses = self.space.reduce(rest)
        if left:
            return None
        result = Decomposition(
            dict(inequalities), {self.given[i].index: w for i, w in given.items()}, {}, dict(instances)
        )
        few = self._few_facts(rest) if len(uses) > 1 else None
        if few is not None:
            result.facts = few
            return result
        for use, factor in uses:
            self._record(result, use, factor)
        return result

    def _few_facts(self, rest: Vector) -> dict[DiagramFact, Fraction] | None:
        """One or two facts of the diagram that a vector is a combination of, or None."""
        if self.space.facts.diagram is None or self.space.inside > _LIMITS.lookup_variables:
            return None
        single = as_quantity(rest)
        ways = [] if single is None else [{single[0]: single[1]}]
        ways.extend(islice(self.zeros.sums(rest, self.space.raw_hash, signed=True), _LIMITS.lookups))
        for way in ways:
            facts = {self._fact(quantity): weight for quantity, weight in way.items()}
            total: Vector = {}
            for quantity, weight in way.items():
                add_to(total, information(*quantity), weight)
            if total == rest and None not in facts:
                return {fact: weight for fact, weight in facts.items() if fact is not None}
        return None

    def _fact(self, quantity: Quantity) -> DiagramFact | None:
        """The fact of the diagram that makes a quantity zero, or None."""
        diagram, frame = self.space.facts.diagram, self.space.frame
        if diagram is None:
            return None
        left, right, condition = (set(frame.names_of(mask)) for mask in quantity)
        if quantity.left == quantity.right:
            return DiagramFact("function", quantity) if left <= closure(diagram, condition) else None
        return DiagramFact("independence", quantity) if separated(diagram, left, right, condition) else None

    def _record(self, result: Decomposition, use: Use, factor: Fraction) -> None:
        """Write `factor` times a fact into the decomposition."""

        def put(store: dict[Quantity, Fraction], quantity: Quantity, weight: Fraction) -> None:
            if information(*quantity):
                store[quantity] = store.get(quantity, Fraction(0)) + weight

        if use.source is None:
            fact = DiagramFact("independence" if use.kind == "independence" else "function", use.quantity)
            result.facts[fact] = result.facts.get(fact, Fraction(0)) + factor
            return
        relation = next(g for g in self.given if g.index == use.source.given)
        whole = _whole(use.source)
        mask = max(whole, key=lambda m: (m.bit_count(), m))
        same = whole == use.vector()
        if factor > 0 and not (same and relation.operator == "=="):
            put(result.inequalities, use.quantity, factor)
            return
        share = factor * whole[mask] / relation.vector[mask]
        result.given[relation.index] = result.given.get(relation.index, Fraction(0)) + share
        if not result.given[relation.index]:
            del result.given[relation.index]
        if not same:
            for quantity in _difference(use):
                put(result.inequalities, quantity, -factor)


def _whole(source: Function | Independence) -> Vector:
    if isinstance(source, Function):
        return information(source.target, source.target, source.source)
    return information(source.left, source.right, source.condition)


def _difference(use: Use) -> list[Quantity]:
    """Non-negative terms by which the given quantity exceeds the used one."""
    source = use.source
    left, right, condition = use.quantity
    if isinstance(source, Function):
        target = source.target & ~source.source
        more = target & ~left
        return [
            Quantity(target, condition & ~source.source, source.source),
            Quantity(more, more, condition | left),
        ]
    if isinstance(source, Independence):
        return [
            Quantity(left, source.right & ~right, source.condition | right),
            Quantity(source.left & ~left, source.right, source.condition | left),
        ]
    raise TypeError(f"expected a fact that follows from a given one, got {use!r}")
