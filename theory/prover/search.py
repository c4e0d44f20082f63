"""The search for a proof of one inequality, shortest first.

`Search` looks for a quantity's representation as a sum of Shannon inequalities modulo the facts: none
needed (an identity), one, two, then a linear program over the elemental inequalities of the reduced
space, whose weights are made exact. What comes out is a list of steps for a certificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from theory.prover.facts import Function, Given, Independence
from theory.prover.lattice import Vector, add_to, information, scaled
from theory.prover.programs import combine
from theory.prover.space import Hashes, Space, Triples, Use, elementals, triples

__all__ = ["Found", "Search"]

_LOOKUP = 6
_TRIED = 12


@dataclass
class Found:
    """A representation: target = sum of multiples of triples, given relations and facts.

    Args:
        inequalities: Weights of I(left; right | condition) >= 0, by (left, right, condition).
        given: Weights of given relations, by their number.
        facts: Multiples of quantities that are zero by the diagram, by (kind, left, right, condition).
        instances: Weights of non-Shannon instances, by their position in `Search.extra`.
    """

    inequalities: dict[tuple[int, int, int], Fraction]
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
        extra: Further valid inequalities as vectors (non-Shannon instances).
    """

    def __init__(self, space: Space, extra: tuple[Vector, ...] = ()) -> None:
        self.space = space
        self.extra = extra
        self.given: list[Given] = space.facts.others(space.frame)
        self.reduced_given = [space.reduced(g.vector) for g in self.given]

    @cached_property
    def rows(self) -> tuple[list[tuple[int, int, int]], list[Vector]]:
        """The elemental inequalities that differ under the facts, and their reduced vectors."""
        some = elementals(self.space.inside)
        hashes = self.space.hashes(some)
        _, index = np.unique(hashes, return_index=True)
        index = index[hashes[index] != 0]
        names = [(int(some[0][i]), int(some[1][i]), int(some[2][i])) for i in np.sort(index)]
        return names, [self.space.reduced(information(*name)) for name in names]

    @cached_property
    def candidates(self) -> tuple[Hashes, Triples]:
        """The numbers of all grouped inequalities that differ under the facts, sorted, with the triples."""
        some = triples(self.space.inside)
        hashes = self.space.hashes(some)
        unique, index = np.unique(hashes, return_index=True)
        keep = unique != 0
        left, right, condition = (part[index[keep]] for part in some)
        return unique[keep], (left, right, condition)

    def prove(self, target: Vector, *, strict: bool = False) -> Found | None:
        """A representation of `target` (`>= 0`, or `> 0` if `strict`), or None."""
        reduced = self.space.reduced(target)
        if strict:
            return self._by_program(target, reduced, strict=True)
        if not reduced:
            return self._finish(target, {}, {}, {})
        if self.space.inside <= _LOOKUP:
            found = self._by_lookup(target, reduced)
            if found is not None:
                return found
        return self._by_program(target, reduced, strict=False)

    def _by_lookup(self, target: Vector, reduced: Vector) -> Found | None:
        """One or two inequalities, found by their numbers."""
        best: Found | None = None
        for inequalities in self._few(reduced):
            found = self._finish(target, inequalities, {}, {})
            if found is not None and (best is None or found.length < best.length):
                best = found
        return best

    def _few(self, reduced: Vector) -> Iterator[dict[tuple[int, int, int], Fraction]]:
        known, names = self.candidates
        if not len(known):
            return
        denominator = int(np.lcm.reduce([c.denominator for c in reduced.values()]))
        whole = scaled(reduced, denominator)
        divisor = int(np.gcd.reduce([int(c) for c in whole.values()]))
        unit = Fraction(divisor, denominator)
        goal = np.uint64(sum(int(c) // divisor * int(self.space.hash[m]) for m, c in whole.items()) % 2**64)
        at = int(np.searchsorted(known, goal))

        def name(i: int) -> tuple[int, int, int]:
            return int(names[0][i]), int(names[1][i]), int(names[2][i])

        if at < len(known) and known[at] == goal:
            yield {name(at): unit}
            return
        sizes = sorted({abs(int(c)) // divisor for c in whole.values()} | {1})[:3]
        tried = 0
        for first in sizes:
            remainder = goal - known * np.uint64(first)
            for second in sizes:
                if second == 1:
                    position = np.searchsorted(known, remainder)
                    position[position == len(known)] = 0
                    hits = np.flatnonzero(known[position] == remainder)
                    pairs = [(int(i), int(position[i])) for i in hits]
                else:
                    multiples = known * np.uint64(second)
                    order = np.argsort(multiples)
                    position = np.searchsorted(multiples[order], remainder)
                    position[position == len(known)] = 0
                    hits = np.flatnonzero(multiples[order][position] == remainder)
                    pairs = [(int(i), int(order[position[i]])) for i in hits]
                for i, j in pairs:
                    if (first == second and i > j) or tried >= _TRIED:
                        continue
                    tried += 1
                    weights: dict[tuple[int, int, int], Fraction] = {name(i): unit * first}
                    weights[name(j)] = weights.get(name(j), Fraction(0)) + unit * second
                    yield weights

    def _by_program(self, target: Vector, reduced: Vector, *, strict: bool) -> Found | None:
        names, vectors = self.rows
        extra = [self.space.reduced(v) for v in self.extra]
        above = [i for i, g in enumerate(self.given) if g.operator != "==" and self.reduced_given[i]]
        equal = [i for i, g in enumerate(self.given) if g.operator == "==" and self.reduced_given[i]]
        rows = [*vectors, *extra, *(self.reduced_given[i] for i in above)]
        chosen: list[int] = []
        if strict:
            start = len(vectors) + len(extra)
            above = [i for i, g in enumerate(self.given) if g.operator != "=="]
            rows = [*rows[:start], *(self.reduced_given[i] for i in above)]
            chosen = [start + k for k, i in enumerate(above) if self.given[i].operator == ">"]
            if not chosen:
                return None
            rows.append(scaled(reduced, -1))
        solution = combine(
            {} if strict else reduced,
            rows,
            [self.reduced_given[i] for i in equal],
            at_least_one=chosen,
        )
        if solution is None:
            return None
        weights, multiples = solution
        share = Fraction(1)
        if strict:
            if not weights[-1] and target:
                return None
            share = 1 / weights[-1] if weights[-1] else Fraction(1)
        inequalities = {n: w * share for n, w in zip(names, weights, strict=False) if w}
        instances = {i: w * share for i, w in enumerate(weights[len(names) :][: len(extra)]) if w}
        given: dict[int, Fraction] = {}
        for i, w in zip(above, weights[len(names) + len(extra) :], strict=False):
            if w:
                given[i] = w * share
        for i, w in zip(equal, multiples, strict=True):
            if w:
                given[i] = w * share
        return self._finish(target, inequalities, given, instances)

    def _finish(
        self,
        target: Vector,
        inequalities: dict[tuple[int, int, int], Fraction],
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
        for use, factor in uses:
            self._record(found, use, factor)
        return found

    def _record(self, found: Found, use: Use, factor: Fraction) -> None:
        """Write `factor` times a fact into the representation."""

        def fact(kind: str, *name: int) -> None:
            key = (kind, name[0], name[1], name[2])
            found.facts[key] = found.facts.get(key, Fraction(0)) + factor
            if not found.facts[key]:
                del found.facts[key]

        def inequality(left: int, right: int, condition: int, weight: Fraction) -> None:
            if information(left, right, condition):
                key = (left, right, condition)
                found.inequalities[key] = found.inequalities.get(key, Fraction(0)) + weight

        if use.source is None:
            kind = "independence" if use.kind == "separation" else "function"
            fact(kind, use.left, use.right, use.condition)
            return
        number = use.source.given
        relation = next(g for g in self.given if g.index == number)
        whole = self._whole(use.source)
        mask = max(whole, key=lambda m: (m.bit_count(), m))
        scale = relation.vector[mask] / whole[mask]
        same = whole == use.vector()
        if factor > 0 and not (same and relation.operator == "=="):
            inequality(use.left, use.right, use.condition, factor)
            return
        found.given[relation.index] = found.given.get(relation.index, Fraction(0)) + factor / scale
        if not found.given[relation.index]:
            del found.given[relation.index]
        if not same:
            for name in self._difference(use):
                inequality(*name, -factor)

    @staticmethod
    def _whole(source: Function | Independence) -> Vector:
        if isinstance(source, Function):
            return information(source.target, source.target, source.source)
        return information(source.left, source.right, source.condition)

    @staticmethod
    def _difference(use: Use) -> list[tuple[int, int, int]]:
        """Non-negative terms that the given quantity exceeds the used one by."""
        source = use.source
        if isinstance(source, Function):
            rest = use.condition & ~source.source
            target = source.target & ~source.source
            return [
                (target, rest, source.source),
                (target & ~use.left, target & ~use.left, use.condition | use.left),
            ]
        if isinstance(source, Independence):
            return [
                (use.left, source.right & ~use.right, source.condition | use.right),
                (source.left & ~use.left, source.right, source.condition | use.left),
            ]
        raise TypeError(f"expected a fact that follows from a given one, got {use!r}")
