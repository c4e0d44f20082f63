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
from functools import cached_property, lru_cache
from itertools import combinations

from theory.expressions import Expression
from theory.prover.budget import spend
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

__all__ = ["by_copies"]

COPY_VARIABLES = (4, 5)
"""The numbers of variables for which copies are tried: fewer have no inequality beyond Shannon's, and with
more the linear programs are too large."""

_WRITTEN = 1.5e-5
"""Seconds that it takes to write down an inequality over variables and copies."""

_TWO_STEPS = 4
"""Up to how many variables there may be two steps of copies."""


@dataclass(frozen=True)
class _CopyStep:
    """One copy in masks over the variables and the copies before it."""

    copied: tuple[int, ...]
    over: int


_CopyPlan = tuple[_CopyStep, ...]


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


def _single(n: int, sizes: Sequence[int]) -> Iterator[_CopyStep]:
    """Copies of one of n variables over some others."""
    for x in range(n):
        others = [i for i in range(n) if i != x]
        for size in sizes:
            for chosen in combinations(others, size):
                yield _CopyStep((x,), sum(1 << i for i in chosen))


@lru_cache(maxsize=8)
def _plans(n: int) -> tuple[_CopyPlan, ...]:
    """Which copies to try among n variables, the simplest first.

    One copy over two variables, over three, of two variables at once; then a copy r over two variables
    followed by a copy of r over two of the first variables, or of one of these over r and two others. These
    are the plans of the inequalities with two auxiliary variables that are known.
    """
    found: list[_CopyPlan] = [(step,) for step in _single(n, (2, 3))]
    for pair in combinations(range(n), 2):
        others = [i for i in range(n) if i not in pair]
        found += [(_CopyStep(pair, sum(1 << i for i in chosen)),) for chosen in combinations(others, 2)]
    if n <= _TWO_STEPS:
        new = n
        for first in _single(n, (2,)):
            for chosen in combinations(range(n), 2):
                found.append((first, _CopyStep((new,), sum(1 << i for i in chosen))))
            for second in _single(n, (2,)):
                found.append((first, _CopyStep(second.copied, second.over | 1 << new)))
    return tuple(found)


class _Extended:
    """Joint entropies of variables and copies, on those that the copies leave.

    Args:
        n: The number of variables.
        plan: The copies.
    """

    def __init__(self, n: int, plan: _CopyPlan) -> None:
        self.levels: list[tuple[int, int, dict[int, int]]] = []
        self.total = n
        for step in plan:
            new = range(self.total, self.total + len(step.copied))
            originals = dict(zip(new, step.copied, strict=True))
            self.levels.append((sum(1 << i for i in new), step.over, originals))
            self.total += len(step.copied)
        self._rows: dict[int, IntegerVector] = {0: {}}

    @property
    def work(self) -> float:
        """The seconds that it takes to write down the inequalities."""
        return _WRITTEN * (self.total + self.total * (self.total - 1) * 2.0 ** (self.total - 3))

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

    @cached_property
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


@dataclass(frozen=True)
class _Blocks:
    """Variables that a target treats as one, and those that all its terms are given.

    Args:
        masks: For each block its variables.
        common: The variables that are in every set of the target.
    """

    masks: tuple[int, ...]
    common: int

    @classmethod
    def of(cls, target: Vector, n: int) -> _Blocks:
        """The blocks of a target over n variables."""
        sets = sorted(target)
        common = (1 << n) - 1
        for mask in sets:
            common &= mask
        together: dict[tuple[int, ...], int] = {}
        for i in (i for i in range(n) if not common >> i & 1):
            where = tuple(k for k, mask in enumerate(sets) if mask >> i & 1)
            together[where] = together.get(where, 0) | 1 << i
        return cls(tuple(mask for where, mask in together.items() if where), common)

    def narrowed(self, target: Vector) -> Vector:
        """The target in blocks, given the common variables."""
        found: Vector = {}
        for mask, c in target.items():
            blocks = sum(1 << i for i, block in enumerate(self.masks) if mask & block)
            if blocks:
                found[blocks] = c
        return found

    def widened(self, vector: Vector, total: Fraction) -> Vector:
        """A vector in blocks over the variables, whose coefficients sum to a total there."""
        found: Vector = {}
        for mask, c in vector.items():
            add_to(found, {self.spread(mask) | self.common: c})
        rest = total - sum(vector.values(), Fraction(0))
        if self.common and rest:
            add_to(found, {self.common: rest})
        return found

    def spread(self, mask: int) -> int:
        """The variables of some blocks."""
        total = 0
        for i in bits(mask):
            total |= self.masks[i]
        return total


@lru_cache(maxsize=256)
def _extended(n: int, plan: _CopyPlan) -> _Extended:
    """The entropies of variables and copies, with the inequalities that they were asked for."""
    return _Extended(n, plan)


def by_copies(search: Search, target: Vector, taken: Sequence[str]) -> CopyProof | None:
    """A representation of `target >= 0` with one or two steps of copies, or None.

    Variables that the target treats as one are copied together, and those that all its terms are given are
    kept as a condition, so that what counts is the number of blocks that are left. Where there are none of
    either, the given relations and the diagram's facts may be used among the variables, too.

    Args:
        search: The search over the variables alone.
        target: The target.
        taken: Further names that copies must not have.
    """
    n = len(search.space.frame.names)
    blocks = _Blocks.of(target, n)
    if len(blocks.masks) < n and len(blocks.masks) in COPY_VARIABLES:
        for plan in _plans(len(blocks.masks)):
            extended = _extended(len(blocks.masks), plan)
            spend(extended.work)
            names, rows = extended.inequalities
            solution = combine(blocks.narrowed(target), rows)
            if solution is not None:
                weights = {name: w for name, w in zip(names, solution[0], strict=True) if w}
                proof = _explained(search, target, merged(weights), extended, blocks, taken)
                if proof is not None:
                    return proof
    return _with_facts(search, target, taken) if n in COPY_VARIABLES else None


def _with_facts(search: Search, target: Vector, taken: Sequence[str]) -> CopyProof | None:
    """A representation in which the facts of the variables alone may be used."""
    n = len(search.space.frame.names)
    above = [v for v, g in zip(search.reduced_given, search.given, strict=True) if g.operator != "==" and v]
    equal = [v for v, g in zip(search.reduced_given, search.given, strict=True) if g.operator == "==" and v]
    reduced = search.space.reduced(target)
    blocks = _Blocks(tuple(1 << i for i in range(n)), 0)
    free = all(search.space.canonical(mask) == {mask: 1} for mask in range(1, 1 << n))
    for plan in _plans(n):
        extended = _extended(n, plan)
        spend(2 * extended.work)
        names, rows = extended.inequalities
        shrunk: Sequence[Combination] = rows if free else [_shrunk(search, row, n) for row in rows]
        solution = combine(reduced, [*shrunk, *above], equal)
        if solution is not None:
            weights = {name: w for name, w in zip(names, solution[0], strict=False) if w}
            proof = _explained(search, target, merged(weights), extended, blocks, taken)
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
    blocks: _Blocks,
    taken: Sequence[str],
) -> CopyProof | None:
    """The facts that make weights of inequalities a proof."""
    rest = blocks.narrowed(target)
    for name, weight in inequalities.items():
        add_to(rest, information(*name), -weight)
    left, used = extended.facts(rest)
    if any(extended.copy_of(mask) >= 0 for mask in left):
        return None
    found = search.prove(blocks.widened(left, sum(target.values(), Fraction(0))))
    if found is None:
        return None
    frame, copies, blocks = _named(search.space.frame, extended, blocks, taken)
    facts: dict[tuple[StepKind, str, int], Fraction] = {}
    for (mask, level), weight in used.items():
        for kind, quantity, factor in _copy_facts(frame, extended, blocks, mask, level):
            key = kind, quantity, level
            facts[key] = facts.get(key, Fraction(0)) + factor * weight
    steps = [Step(kind, w, quantity, level) for (kind, quantity, level), w in facts.items() if w]
    for (left_side, right_side, condition), weight in inequalities.items():
        sides = blocks.spread(left_side), blocks.spread(right_side)
        quantity = str(frame.term(*sides, blocks.spread(condition) | blocks.common))
        steps.append(Step("shannon", weight, quantity))
    return CopyProof(copies, tuple(steps), found)


def _named(
    frame: Frame, extended: _Extended, blocks: _Blocks, taken: Sequence[str]
) -> tuple[Frame, tuple[Copy, ...], _Blocks]:
    """The frame with new names for the copies, primes added to the old ones, the copies and their blocks."""
    names = list(frame.names)
    masks = list(blocks.masks)
    copies = []
    for _, over, originals in extended.levels:
        whole = Frame(tuple(names))
        known = _Blocks(tuple(masks), blocks.common)
        copied: list[str] = []
        for source in originals.values():
            made = 0
            for name in whole.names_of(masks[source]):
                copied.append(name)
                new = name + "'"
                while new in names or new in taken:
                    new += "'"
                made |= 1 << len(names)
                names.append(new)
            masks.append(made)
        condition = whole.names_of(known.spread(over) | blocks.common)
        copies.append(Copy(tuple(copied), condition, tuple(names[len(whole.names) :])))
    return Frame(tuple(names)), tuple(copies), _Blocks(tuple(masks), blocks.common)


def _copy_facts(
    frame: Frame, extended: _Extended, blocks: _Blocks, mask: int, level: int
) -> Iterator[tuple[StepKind, str, int]]:
    """The facts whose sum is the entropy of a set minus its rewriting, as (kind, quantity, multiple)."""
    new, over, originals = extended.levels[level]
    inside, rest = mask & new, mask & ~new
    condition = blocks.spread(over) | blocks.common
    if rest & ~over:
        term = frame.term(blocks.spread(inside), blocks.spread(rest & ~over), condition)
        yield "copy-independence", str(term), -1
        rest = over
    source = rest
    for i in bits(inside):
        source |= 1 << originals[i]
    copied, original = (blocks.spread(some) | blocks.common for some in (inside | rest, source))
    pair = (Fraction(1), frame.term(copied, copied)), (Fraction(-1), frame.term(original, original))
    yield "copy", str(Expression(pair)), 1
