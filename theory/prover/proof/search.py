"""The search for a proof of one inequality, shortest first.

`Search` looks for a quantity's representation as a sum of Shannon inequalities modulo the facts: none
needed (an identity), one, two, then a linear program over the inequalities of the reduced space, whose
weights are made exact and whose steps are joined. What comes out makes the steps of a certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice

import numpy as np
import numpy.typing as npt

from theory.diagrams import closure, separated
from theory.errors import TooLargeError
from theory.expressions import Expression
from theory.prover.lattice import Combination, Row, Vector, add_to, information, scaled
from theory.prover.proof.facts import Function, Given, Independence
from theory.prover.proof.lazy import Cuts, minimise, uncrossings
from theory.prover.proof.lookup import Table
from theory.prover.proof.programs import combine
from theory.prover.proof.shortest import fewest
from theory.prover.proof.space import Space, Use, elementals, triples
from theory.prover.shapes import as_quantity, merged

__all__ = ["Found", "Search"]

Name = tuple[int, int, int]

_LOOKUP = 6
_TRIED = 12
_ALL_ROWS = 1200
_MOST_ROWS = 12_000
_FEW_COLUMNS = 200
_STRICT_ROWS = 20_000
_FEW_ROWS = 300
_ENOUGH = 3
_FEW_VARIABLES = 4


@dataclass
class Found:
    """A representation: target = sum of multiples of quantities, given relations and facts.

    Args:
        inequalities: Weights of I(left; right | condition) >= 0, by (left, right, condition).
        given: Weights of given relations, by their number.
        facts: Multiples of quantities that are zero by the diagram, by (kind, left, right, condition).
        instances: Weights of non-Shannon instances, by their position in `Search.extra`.
    """

    inequalities: dict[Name, Fraction]
    given: dict[int, Fraction]
    facts: dict[tuple[str, int, int, int], Fraction]
    instances: dict[int, Fraction]

    @property
    def length(self) -> tuple[int, int]:
        """The number of steps, and of inequalities among them."""
        strong = len(self.inequalities) + len(self.instances)
        return strong + len(self.given) + len(self.facts), strong


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
        return rows > _ALL_ROWS and (rows > _MOST_ROWS or self.space.columns > _FEW_COLUMNS)

    @cached_property
    def rows(self) -> tuple[list[Name], list[Row]]:
        """The elemental inequalities that differ under the facts, and their reduced vectors."""
        some = elementals(self.space.inside)
        names = [(int(some[0][i]), int(some[1][i]), int(some[2][i])) for i in self.distinct]
        return names, [self.space.row(name) for name in names]

    @cached_property
    def table(self) -> Table:
        """All grouped inequalities that differ under the facts."""
        some = triples(self.space.inside)
        return Table(self.space.hashes(some), some)

    @cached_property
    def zeros(self) -> Table:
        """All quantities that are zero under the facts, by their numbers before any fact is used."""
        some = triples(self.space.inside)
        zero = self.space.hashes(some) == 0
        raw = self.space.raw_hashes(some)[zero]
        return Table(raw, (some[0][zero], some[1][zero], some[2][zero]))

    def prove(self, target: Vector, *, strict: bool = False) -> Found | None:
        """A representation of `target` (`>= 0`, or `> 0` if `strict`), or None.

        Raises:
            TooLargeError: If the linear program would be too large.
        """
        reduced = self.space.reduced(target)
        if strict:
            return self._strictly(target, reduced)
        if not reduced:
            return self._finish(target, {}, {}, {})
        if self.space.inside <= _LOOKUP:
            found = self._by_lookup(target, reduced)
            if found is not None:
                return found
        if self.is_large:
            return self._at_large(target, reduced)
        if self.space.inside > _FEW_VARIABLES:
            found = self._by_uncrossing(target, reduced)
            if found is not None and found.length[1] < self.space.inside:
                return found
        names, vectors = self.rows
        found = self._by_program(target, reduced, names, vectors)
        if found is None or found.length[1] < _ENOUGH or found.given or found.instances:
            return found
        others = [self._by_uncrossing(target, reduced), self._by_fewest(target, reduced, found)]
        return min([found, *(other for other in others if other is not None)], key=lambda f: f.length)

    def _by_lookup(self, target: Vector, reduced: Vector) -> Found | None:
        """One or two inequalities, found by their numbers."""
        best: Found | None = None
        for inequalities in islice(self.table.sums(reduced, self.space.hash), _TRIED):
            found = self._finish(target, inequalities, {}, {})
            if found is not None and (best is None or found.length < best.length):
                best = found
        return best

    def _by_uncrossing(self, target: Vector, reduced: Vector) -> Found | None:
        """Inequalities among the sets of the target, their meets and joins, by a small program."""
        names: list[Name] = []
        vectors: list[Row] = []
        for name in uncrossings(reduced, self.space.inside):
            vector = self.space.row(name)
            if vector:
                names.append(name)
                vectors.append(vector)
        return self._by_program(target, reduced, names, vectors)

    def _at_large(self, target: Vector, reduced: Vector) -> Found | None:
        """Inequalities among the sets of the target first, cutting planes after."""
        found = self._by_uncrossing(target, reduced)
        if found is not None:
            return found
        cuts = self.cuts(reduced)
        if cuts.point is not None:
            return None
        return self._by_program(target, reduced, cuts.names, cuts.vectors)

    def cuts(self, reduced: Vector) -> Cuts:
        """Cutting planes for a reduced vector.

        Raises:
            TooLargeError: If there are too many columns.
        """
        columns = self.space.columns
        if columns > self.max_columns:
            raise TooLargeError(
                f"the linear program would have {columns} columns and up to {len(self.distinct)} rows after "
                f"reduction, and max_columns={self.max_columns}: raise it, name fewer variables, or give a "
                f"diagram or statements that tie them together"
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
        self, target: Vector, reduced: Vector, names: Sequence[Name], vectors: Sequence[Combination]
    ) -> Found | None:
        above, equal = self._above, self._equal
        solution = combine(
            reduced,
            [*vectors, *self.reduced_extra, *(self.reduced_given[i] for i in above)],
            [self.reduced_given[i] for i in equal],
        )
        if solution is None:
            return None
        weights, multiples = solution
        cut = len(names), len(names) + len(self.extra)
        inequalities = {n: w for n, w in zip(names, weights, strict=False) if w}
        instances = {i: w for i, w in enumerate(weights[cut[0] : cut[1]]) if w}
        given = {i: w for i, w in zip(above, weights[cut[1] :], strict=True) if w}
        given |= {i: w for i, w in zip(equal, multiples, strict=True) if w}
        return self._finish(target, merged(inequalities), given, instances)

    def _by_fewest(self, target: Vector, reduced: Vector, found: Found) -> Found | None:
        """The fewest inequalities, where the integer program is small enough; `found` bounds the weights."""
        if self.space.inside > _LOOKUP or len(self.table) > _FEW_ROWS:
            return None
        names = [self.table.name(i) for i in range(len(self.table))]
        vectors = [self.space.row(name) for name in names]
        weights = fewest(reduced, vectors, max(found.inequalities.values()))
        if weights is None:
            return None
        return self._finish(target, merged({names[i]: w for i, w in weights.items()}), {}, {})

    def _strictly(self, target: Vector, reduced: Vector) -> Found | None:
        """A representation in which a strict given relation has a positive weight.

        Some sum of inequalities, given relations and -t times the target, t >= 0, with strict ones of
        total weight 1, must vanish. A target of zero asks whether the given relations are contradictory.
        """
        above = [i for i, g in enumerate(self.given) if g.operator != "=="]
        if not any(self.given[i].operator == ">" for i in above):
            return None
        if len(self.distinct) > _STRICT_ROWS:
            raise TooLargeError(
                f"strict relations over {self.space.inside} variables need {len(self.distinct)} rows at once "
                f"and {_STRICT_ROWS} are the limit: name fewer variables, or use >= and <="
            )
        names, vectors = self.rows
        rows: list[Combination] = [*vectors, *self.reduced_extra]
        rows += [self.reduced_given[i] for i in above]
        start = len(vectors) + len(self.reduced_extra)
        chosen = [start + k for k, i in enumerate(above) if self.given[i].operator == ">"]
        equal = self._equal
        if target:
            rows.append(scaled(reduced, -1))
        solution = combine({}, rows, [self.reduced_given[i] for i in equal], at_least_one=chosen)
        if solution is None:
            return None
        weights, multiples = solution
        share = Fraction(1)
        if target:
            if not weights[-1]:
                return None
            share = 1 / weights[-1]
        inequalities = {n: w * share for n, w in zip(names, weights, strict=False) if w}
        instances = {i: w * share for i, w in enumerate(weights[len(names) : start]) if w}
        given = {i: w * share for i, w in zip(above, weights[start:], strict=False) if w}
        given |= {i: w * share for i, w in zip(equal, multiples, strict=True) if w}
        return self._finish(target, merged(inequalities), given, instances)

    def _finish(
        self,
        target: Vector,
        inequalities: dict[Name, Fraction],
        given: dict[int, Fraction],
        instances: dict[int, Fraction],
    ) -> Found | None:
        """Add the facts that make the representation an identity."""
        rest = dict(target)
        for name, weight in inequalities.items():
            add_to(rest, information(*name), -weight)
        for i, weight in given.items():
            add_to(rest, self.given[i].vector, -weight)
        for i, weight in instances.items():
            add_to(rest, self.extra[i], -weight)
        left, uses = self.space.reduce(rest)
        if left:
            return None
        found = Found(
            dict(inequalities), {self.given[i].index: w for i, w in given.items()}, {}, dict(instances)
        )
        few = self._few_facts(rest) if len(uses) > 1 else None
        if few is not None:
            found.facts = few
            return found
        for use, factor in uses:
            self._record(found, use, factor)
        return found

    def _few_facts(self, rest: Vector) -> dict[tuple[str, int, int, int], Fraction] | None:
        """One or two facts of the diagram that a vector is a combination of, or None."""
        if self.space.facts.diagram is None or self.space.inside > _LOOKUP:
            return None
        single = as_quantity(rest)
        ways = [] if single is None else [{single[0]: single[1]}]
        ways.extend(islice(self.zeros.sums(rest, self.space.raw, signed=True), _TRIED))
        for way in ways:
            kinds = {name: self._kind(name) for name in way}
            total: Vector = {}
            for name, weight in way.items():
                add_to(total, information(*name), weight)
            if all(kinds.values()) and total == rest:
                return {(str(kinds[name]), *name): weight for name, weight in way.items()}
        return None

    def _kind(self, name: Name) -> str | None:
        """Why the diagram makes a quantity zero, or None."""
        diagram, frame = self.space.facts.diagram, self.space.frame
        if diagram is None:
            return None
        left, right, condition = (set(frame.names_of(mask)) for mask in name)
        if name[0] == name[1]:
            return "function" if left <= closure(diagram, condition) else None
        return "independence" if separated(diagram, left, right, condition) else None

    def _record(self, found: Found, use: Use, factor: Fraction) -> None:
        """Write `factor` times a fact into the representation."""

        def put(store: dict[Name, Fraction], name: Name, weight: Fraction) -> None:
            if information(*name):
                store[name] = store.get(name, Fraction(0)) + weight

        if use.source is None:
            kind = "independence" if use.kind == "separation" else "function"
            key = (kind, use.left, use.right, use.condition)
            found.facts[key] = found.facts.get(key, Fraction(0)) + factor
            return
        relation = next(g for g in self.given if g.index == use.source.given)
        whole = _whole(use.source)
        mask = max(whole, key=lambda m: (m.bit_count(), m))
        same = whole == use.vector()
        if factor > 0 and not (same and relation.operator == "=="):
            put(found.inequalities, (use.left, use.right, use.condition), factor)
            return
        share = factor * whole[mask] / relation.vector[mask]
        found.given[relation.index] = found.given.get(relation.index, Fraction(0)) + share
        if not found.given[relation.index]:
            del found.given[relation.index]
        if not same:
            for name in _difference(use):
                put(found.inequalities, name, -factor)


def _whole(source: Function | Independence) -> Vector:
    if isinstance(source, Function):
        return information(source.target, source.target, source.source)
    return information(source.left, source.right, source.condition)


def _difference(use: Use) -> list[Name]:
    """Non-negative terms by which the given quantity exceeds the used one."""
    source = use.source
    if isinstance(source, Function):
        target = source.target & ~source.source
        more = target & ~use.left
        return [
            (target, use.condition & ~source.source, source.source),
            (more, more, use.condition | use.left),
        ]
    if isinstance(source, Independence):
        return [
            (use.left, source.right & ~use.right, source.condition | use.right),
            (source.left & ~use.left, source.right, source.condition | use.left),
        ]
    raise TypeError(f"expected a fact that follows from a given one, got {use!r}")
