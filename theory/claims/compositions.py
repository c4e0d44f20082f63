"""Random models on a diagram that satisfy premises by construction: variables put together from parts.

A premise such as I(X1;X2|C) == 0 holds for almost no random model. Here every variable is a tuple of parts:
some are copies of parts of its parents, others are drawn from parts of its parents, so that the model is on
the diagram whatever the parts are. A premise is then a matter of the parts alone: H(Y|X) == 0 where those of
Y are among those of X or functions of them, and I(X;Y|Z) == 0 where those of Z separate those of X and of Y
(with functions: Geiger, Verma and Pearl 1990). Compositions are drawn at random, and those in which all
premises hold are kept.

Example:
    >>> from theory.diagrams import TWO_VIEWS
    >>> from theory.parser import parse_statement
    >>> draw = compositions(TWO_VIEWS, (parse_statement("I(X1;X2|C) == 0"),), ("C", "X1", "X2"))
    >>> joint = draw(0)
    >>> abs(joint.value("I(X1;X2|C)")) < 1e-12
    True
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from theory.diagrams import Diagram, closure, separated
from theory.expressions import Statement, Term
from theory.joints import Joint
from theory.models import Model
from theory.support import Support

__all__ = ["Compositions", "compositions", "constructible"]

_TRIES = 3000
"""How many compositions are drawn to find some that satisfy the premises."""
_FOUND = 60
"""When so many are found, the search ends."""
_KEPT = 12
"""Of those found, the ones with the most arrows and parts are kept."""
_PARTS = 2
"""The most parts of a variable."""
_CONSTANT = 0.05
"""How often a variable has no parts, and so is constant: it is what some premises ask for."""
_OFFERED = 4
"""The most parts of its parents that a variable may copy or depend on."""


@dataclass(frozen=True)
class _Composition:
    """The parts of each variable, and a diagram of the parts."""

    parts: Mapping[str, tuple[str, ...]]
    diagram: Diagram

    @property
    def richness(self) -> int:
        """The number of arrows and of copies."""
        held = [part for parts in self.parts.values() for part in parts]
        return len(self.diagram.edges) + len(held) - len(set(held))

    def satisfies(self, term: Term) -> bool:
        """Whether a term is 0 whatever the tables of the parts are."""
        given = self._of(term.given)
        left = self._of(term.groups[0])
        if len(term.groups) == 1:
            return left <= closure(self.diagram, given)
        return separated(self.diagram, left, self._of(term.groups[1]), given)

    def _of(self, names: Iterable[str]) -> set[str]:
        return {part for name in names for part in self.parts[name]}


@dataclass(frozen=True)
class Compositions:
    """Draws joints on a diagram that satisfy its premises by construction.

    Args:
        names: The variables of the joints.
        found: The compositions to draw from.
    """

    names: tuple[str, ...]
    found: tuple[_Composition, ...]

    def __call__(self, seed: int) -> Joint:
        """The joint that a seed fixes."""
        rng = np.random.default_rng([seed, 0xC0])
        chosen = self.found[int(rng.integers(len(self.found)))]
        used = tuple(dict.fromkeys(part for name in self.names for part in chosen.parts[name]))
        sizes = {part: int(rng.integers(2, 4)) for part in chosen.diagram.variables}
        concentration = float(rng.choice((0.05, 0.3, 1.0)))
        model = Model.random(chosen.diagram, sizes, seed=seed, concentration=concentration)
        whole = Support.from_joint(model.joint(used))
        for name in self.names:
            parts = chosen.parts[name]
            codes = whole.codes(parts) if parts else np.zeros(len(whole), dtype=np.int64)
            whole = whole.with_column(f"{name}{_MADE}", math.prod(sizes[part] for part in parts), codes)
        made = tuple(f"{name}{_MADE}" for name in self.names)
        return whole.select(made).rename(dict(zip(made, self.names, strict=True))).joint(self.names)


_MADE = "_made"
"""Marks a variable while its parts, which have names of their own, are still there."""


def constructible(fact: Statement) -> tuple[Term, ...] | None:
    """The terms that a premise says are 0, or None where it says something else."""
    terms = []
    for relation in fact:
        sides = sorted((relation.left, relation.right), key=lambda side: len(side.summands))
        if relation.operator != "==" or sides[0].summands or len(sides[1].summands) != 1:
            return None
        term = sides[1].terms[0]
        if len(term.groups) > 2:
            return None
        terms.append(term)
    return tuple(terms)


@lru_cache(maxsize=256)
def compositions(diagram: Diagram, facts: tuple[Statement, ...], names: tuple[str, ...]) -> Compositions:
    """Models on a diagram whose premises hold by construction.

    Args:
        diagram: The causal diagram.
        facts: The premises. Those that say that a term is 0 are built in; any other is left to the caller,
            who draws until it holds.
        names: The variables of the joints, with those of the premises.

    Raises:
        ValueError: If no composition was found that satisfies the premises; the message names them.
    """
    wanted = [term for fact in facts for term in constructible(fact) or ()]
    rng = np.random.default_rng(0)
    kept: dict[str, _Composition] = {}
    for _ in range(_TRIES):
        drawn = _drawn(diagram, names, rng)
        if all(drawn.satisfies(term) for term in wanted):
            kept.setdefault(f"{drawn.parts} {drawn.diagram}", drawn)
        if len(kept) == _FOUND:
            break
    if not kept:
        told = " and ".join(f"{term} == 0" for term in wanted)
        raise ValueError(
            f"no model that satisfies {told} by construction was found among {_TRIES} compositions on "
            f"{diagram}: give the claim a `draw` of its own"
        )
    richest = sorted(kept.values(), key=lambda c: c.richness, reverse=True)[:_KEPT]
    return Compositions(names, tuple(richest))


def _drawn(diagram: Diagram, names: tuple[str, ...], rng: np.random.Generator) -> _Composition:
    """A random composition of the variables and of their ancestors."""
    needed = _ancestors(diagram, names)
    copied = float(rng.choice((0.2, 0.5, 0.8)))
    parts: dict[str, tuple[str, ...]] = {}
    edges: list[tuple[str, str]] = []
    nodes: list[str] = []
    functions: list[str] = []
    for v in (v for v in diagram.order if v in needed):
        if rng.random() < _CONSTANT:
            parts[v] = ()
            continue
        above = list(dict.fromkeys(part for parent in diagram.parents(v) for part in parts[parent]))
        offered = [above[i] for i in rng.permutation(len(above))[:_OFFERED]]
        own = [part for part in offered if rng.random() < copied][:_PARTS]
        count = _PARTS - len(own)
        for _ in range(int(rng.integers(0 if own else 1, count + 1)) if count else 0):
            causes = [part for part in dict.fromkeys([*offered, *own]) if rng.random() < 0.6]
            if v in diagram.deterministic and not causes:
                continue
            node = f"N{len(nodes)}"
            nodes.append(node)
            edges += [(cause, node) for cause in causes]
            own.append(node)
            if v in diagram.deterministic:
                functions.append(node)
        parts[v] = tuple(own)
    return _Composition(parts, Diagram(edges, variables=nodes, deterministic=functions, name="parts"))


def _ancestors(diagram: Diagram, names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        v = waiting.pop()
        if v not in found:
            found.add(v)
            waiting.extend(diagram.parents(v))
    return found
