"""Proofs with the copy lemma: auxiliary variables, and Shannon's inequalities among all of them.

A copy C' of C over K is distributed like C given K and independent of all else given K. So the entropy of a
set that holds copies is one of other sets,

    H(C', O) = H(C, O)                       where O is within K,
    H(C', O) = H(O) + H(C, K) - H(K)         where O contains K,

and remains of its own in between. Elemental inequalities among the variables and one or two steps of copies
give inequalities among the variables alone that no combination of Shannon's inequalities gives: that of Zhang
and Yeung (1998) and that of Makarychev et al. (2002) with one copy, the six of Dougherty, Freiling and Zeger
(2006) with two. Which copies help is tried, in a fixed order; every plan is one small linear program.

References:
    Z. Zhang and R. W. Yeung (1998), "On characterization of entropy function via information inequalities".
    K. Makarychev, Y. Makarychev, A. Romashchenko and N. Vereshchagin (2002), "A new class of non-Shannon-type
    inequalities for entropies".
    R. Dougherty, C. Freiling and K. Zeger (2006), "Six new non-Shannon information inequalities"; (2011),
    "Non-Shannon information inequalities in four random variables", arXiv:1104.3602.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

from theory.expressions import Expression
from theory.prover.lattice import (
    Combination,
    Frame,
    IntegerVector,
    Quantity,
    Vector,
    add_to,
    bits,
    information,
)
from theory.prover.proof.certificate import Copy, Step, StepKind
from theory.prover.proof.programs import combine
from theory.prover.proof.search import Decomposition, Search
from theory.prover.proof.space import elementals
from theory.prover.shapes import merged

__all__ = ["COPY_VARIABLES", "CopyProof", "by_copies"]

COPY_VARIABLES = (4, 5)
"""The numbers of variables for which copies are tried: fewer have no inequality beyond Shannon's, and with
more the linear programs are too large."""

_TWO_STEPS = 4
"""Up to how many variables there may be two steps of copies."""


@dataclass(frozen=True)
class _Step:
    """One copy in masks over the variables and the copies before it."""

    copied: tuple[int, ...]
    over: int


_Plan = tuple[_Step, ...]


@dataclass(frozen=True)
class CopyProof:
    """A representation with copies.

    Args:
        copies: The copies.
        steps: The inequalities and the facts of the copies.
        found: The representation of what is left, over the variables alone.
    """

    copies: tuple[Copy, ...]
    steps: tuple[Step, ...]
    found: Decomposition


def _single(n: int, sizes: Sequence[int]) -> Iterator[_Step]:
    """Copies of one of n variables over some others."""
    for x in range(n):
        others = [i for i in range(n) if i != x]
        for size in sizes:
            for chosen in combinations(others, size):
                yield _Step((x,), sum(1 << i for i in chosen))


@lru_cache(maxsize=8)
def _plans(n: int) -> tuple[_Plan, ...]:
    """Which copies to try among n variables, the simplest first.

    One copy over two variables, over three, of two variables at once; then a copy r over two variables
    followed by a copy of r over two of the first variables, or of one of these over r and two others. These
    are the plans of the inequalities with two auxiliary variables that are known.
    """
    found: list[_Plan] = [(step,) for step in _single(n, (2, 3))]
    for pair in combinations(range(n), 2):
        others = [i for i in range(n) if i not in pair]
        found += [(_Step(pair, sum(1 << i for i in chosen)),) for chosen in combinations(others, 2)]
    if n <= _TWO_STEPS:
        new = n
        for first in _single(n, (2,)):
            for chosen in combinations(range(n), 2):
                found.append((first, _Step((new,), sum(1 << i for i in chosen))))
            for second in _single(n, (2,)):
                found.append((first, _Step(second.copied, second.over | 1 << new)))
    return tuple(found)


class _Extended:
    """Joint entropies of variables and copies, on those that the copies leave.

    Args:
        n: The number of variables.
        plan: The copies.
    """

    def __init__(self, n: int, plan: _Plan) -> None:
        self.levels: list[tuple[int, int, dict[int, int]]] = []
        self.total = n
        for step in plan:
            new = range(self.total, self.total + len(step.copied))
            originals = dict(zip(new, step.copied, strict=True))
            self.levels.append((sum(1 << i for i in new), step.over, originals))
            self.total += len(step.copied)
        self._rows: dict[int, IntegerVector] = {0: {}}

    def copy_of(self, mask: int) -> int:
        """The number of the last copy in a set, -1 if there is none."""
        return max((i for i, (new, _, _) in enumerate(self.levels) if mask & new), default=-1)

    def rewritten(self, mask: int, level: int) -> list[tuple[int, int]] | None:
        """The entropy of a set that holds copies as a combination of others; None where it is its own."""
        new, over, originals = self.levels[level]
        rest = mask & ~new
        source = 0
        for i in bits(mask & new):
            source |= 1 << originals[i]
        if not rest & ~over:
            return [(source | rest, 1)]
        if rest & over == over:
            return [(rest, 1), (source | over, 1), (over, -1)]
        return None

    def row(self, mask: int) -> IntegerVector:
        """The entropy of a set, remembered."""
        found = self._rows.get(mask)
        if found is None:
            level = self.copy_of(mask)
            parts = self.rewritten(mask, level) if level >= 0 else None
            found = {mask: 1} if parts is None else self.sum(parts)
            self._rows[mask] = found
        return found

    def sum(self, parts: Sequence[tuple[int, int]]) -> IntegerVector:
        """A combination of entropies."""
        total: IntegerVector = {}
        for mask, factor in parts:
            for other, c in self.row(mask).items():
                total[other] = total.get(other, 0) + factor * c
        return {mask: c for mask, c in total.items() if c}

    def inequalities(self) -> tuple[list[Quantity], list[IntegerVector]]:
        """The elemental inequalities that differ."""
        seen: dict[frozenset[tuple[int, int]], Quantity] = {}
        rows: list[IntegerVector] = []
        left, right, condition = (some.tolist() for some in elementals(self.total))
        for a, b, c in zip(left, right, condition, strict=True):
            row = self.sum([(a | c, 1), (b | c, 1), (c, -1), (a | b | c, -1)])
            key = frozenset(row.items())
            if row and key not in seen:
                seen[key] = Quantity(a, b, c)
                rows.append(row)
        return list(seen.values()), rows

    def facts(self, vector: Vector) -> tuple[Vector, dict[tuple[int, int], Fraction]]:
        """A vector without copies, and what was taken away for it.

        Returns:
            What is left, and the multiples of `entropy of a set - its rewriting` by (set, copy).
        """
        rest = dict(vector)
        used: dict[tuple[int, int], Fraction] = {}
        while True:
            open_ = [(level, mask) for mask in rest if (level := self.copy_of(mask)) >= 0]
            parts = None
            for level, mask in sorted(open_, key=lambda pair: (pair[0], pair[1].bit_count(), pair[1]))[::-1]:
                parts = self.rewritten(mask, level)
                if parts is not None:
                    break
            if parts is None:
                return rest, used
            factor = rest.pop(mask)
            used[mask, level] = used.get((mask, level), Fraction(0)) + factor
            for other, c in parts:
                add_to(rest, {other: Fraction(c)}, factor)


def _named(frame: Frame, extended: _Extended, taken: Sequence[str]) -> tuple[Frame, tuple[Copy, ...]]:
    """The frame with new names for the copies, primes added to the old ones, and the copies in words."""
    names = list(frame.names)
    copies = []
    for _, over, originals in extended.levels:
        whole = Frame(tuple(names))
        for source in originals.values():
            name = whole.names[source] + "'"
            while name in names or name in taken:
                name += "'"
            names.append(name)
        copied = tuple(whole.names[source] for source in originals.values())
        copies.append(Copy(copied, whole.names_of(over), tuple(names[len(whole.names) :])))
    return Frame(tuple(names)), tuple(copies)


def by_copies(search: Search, target: Vector, taken: Sequence[str]) -> CopyProof | None:
    """A representation of `target >= 0` with one or two steps of copies, or None.

    Args:
        search: The search over the variables alone; its given relations may be used, too.
        target: The target.
        taken: Further names that copies must not have.
    """
    frame = search.space.frame
    n = len(frame.names)
    if n not in COPY_VARIABLES:
        return None
    above = [v for v, g in zip(search.reduced_given, search.given, strict=True) if g.operator != "==" and v]
    equal = [v for v, g in zip(search.reduced_given, search.given, strict=True) if g.operator == "==" and v]
    reduced = search.space.reduced(target)
    for plan in _plans(n):
        extended = _Extended(n, plan)
        names, rows = extended.inequalities()
        shrunk: list[Combination] = [_shrunk(search, row, n) for row in rows]
        solution = combine(reduced, [*shrunk, *above], equal)
        if solution is None:
            continue
        weights = {name: w for name, w in zip(names, solution[0], strict=False) if w}
        proof = _explained(search, target, merged(weights), extended, taken)
        if proof is not None:
            return proof
    return None


def _shrunk(search: Search, row: IntegerVector, n: int) -> Vector:
    """A row with the facts of the variables alone used, too."""
    total: Vector = {}
    for mask, c in row.items():
        add_to(total, {mask: 1} if mask >> n else search.space.canonical(mask), c)
    return total


def _explained(
    search: Search,
    target: Vector,
    inequalities: dict[Quantity, Fraction],
    extended: _Extended,
    taken: Sequence[str],
) -> CopyProof | None:
    """The facts that make weights of inequalities a proof."""
    rest = dict(target)
    for name, weight in inequalities.items():
        add_to(rest, information(*name), -weight)
    left, used = extended.facts(rest)
    if any(extended.copy_of(mask) >= 0 for mask in left):
        return None
    found = search.prove(left)
    if found is None:
        return None
    frame, copies = _named(search.space.frame, extended, taken)
    facts: dict[tuple[StepKind, str, int], Fraction] = {}
    for (mask, level), weight in used.items():
        for kind, quantity, factor in _copy_facts(frame, extended, mask, level):
            key = kind, quantity, level
            facts[key] = facts.get(key, Fraction(0)) + factor * weight
    steps = [Step(kind, w, quantity, level) for (kind, quantity, level), w in facts.items() if w]
    steps += [Step("shannon", weight, str(frame.term(*name))) for name, weight in inequalities.items()]
    return CopyProof(copies, tuple(steps), found)


def _copy_facts(
    frame: Frame, extended: _Extended, mask: int, level: int
) -> Iterator[tuple[StepKind, str, int]]:
    """The facts whose sum is the entropy of a set minus its rewriting, as (kind, quantity, multiple)."""
    new, over, originals = extended.levels[level]
    inside, rest = mask & new, mask & ~new
    if rest & ~over:
        yield "copy-independence", str(frame.term(inside, rest & ~over, over)), -1
        rest = over
    source = rest
    for i in bits(inside):
        source |= 1 << originals[i]
    pair = (
        (Fraction(1), frame.term(inside | rest, inside | rest)),
        (Fraction(-1), frame.term(source, source)),
    )
    yield "copy", str(Expression(pair)), 1
