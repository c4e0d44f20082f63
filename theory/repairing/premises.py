"""Simple premises: which there are over some variables, and what they say in the field's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import networkx as nx

from theory.diagrams import Diagram
from theory.expressions import Expression, Relation, Statement, Term
from theory.parser import parse_expression

__all__ = ["Premise", "premises", "words"]


@dataclass(frozen=True)
class Premise:
    """I(a;b|K) == 0, or H(a|K) == 0.

    Args:
        term: The quantity that vanishes.
    """

    term: Term

    @property
    def is_function(self) -> bool:
        """Whether it says that one variable is a function of others."""
        return len(self.term.groups) == 1

    @cached_property
    def statement(self) -> Statement:
        """The premise as a statement."""
        return Statement((Relation(parse_expression(self.term), "==", Expression()),))

    def follows_at_once(self, other: Premise) -> bool:
        """Whether another premise implies this one whatever the variables are.

        H(a|K) == 0 implies H(a|K,L) == 0 and I(a;b|K,L) == 0.
        """
        if not other.is_function or not set(other.term.given) <= set(self.term.given):
            return False
        return any(other.term.groups[0] == side for side in self.term.groups)

    def __str__(self) -> str:
        return str(self.statement)


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def premises(names: Sequence[str]) -> list[Premise]:
    """All simple premises over some variables, those with short conditions first."""
    found = []
    for a, b in combinations(names, 2):
        others = [v for v in names if v not in (a, b)]
        found += [Premise(Term(((a,), (b,)), given)) for given in _subsets(others)]
    for a in names:
        found += [Premise(Term(((a,),), given)) for given in _subsets([v for v in names if v != a])]
    return sorted(found, key=lambda p: (len(p.term.given), p.is_function))


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def words(premise: Premise, diagram: Diagram | None) -> str:
    """What a premise says, in the words of the field.

    Args:
        premise: The premise.
        diagram: The causal diagram, which says what is made from what.

    Example:
        >>> from theory import ESSL, parse_term
        >>> words(Premise(parse_term("I(A;X|Z)")), ESSL)
        'Z is sufficient for A: it keeps all that X tells of A'
        >>> words(Premise(parse_term("H(A|Z)")), ESSL)
        'Z determines A: A can be read off Z'
        >>> words(Premise(parse_term("I(A;Z)")), ESSL)
        'Z is invariant to A: it tells nothing of A'
    """
    given = premise.term.given
    if premise.is_function:
        (a,) = premise.term.groups[0]
        if not given:
            return f"{a} is constant"
        verb = "determines" if len(given) == 1 else "together determine"
        return f"{_listed(given)} {verb} {a}: {a} can be read off {'them' if len(given) > 1 else given[0]}"
    (a,), (b,) = premise.term.groups
    if diagram is not None:
        made = _made_from(diagram, a, b, given)
        if made is not None:
            return made
    if not given:
        return f"{a} and {b} are independent"
    return f"{a} and {b} are independent given {_listed(given)}"


def _made_from(diagram: Diagram, a: str, b: str, given: Sequence[str]) -> str | None:
    """The words for sufficiency and invariance, where the diagram says what is made from what."""

    def causes(x: str, y: str) -> bool:
        return bool(nx.has_path(diagram.graph, x, y))

    if not given:
        for source, target in ((a, b), (b, a)):
            if causes(source, target):
                return f"{target} is invariant to {source}: it tells nothing of {source}"
        return None
    made, *more = given
    known = f", given {_listed(more)}" if more else ""
    if diagram.d_separated({a}, {b}, set(more)):
        if causes(a, made) and causes(b, made):
            return f"{a} and {b} stay independent once {made} is seen{known}: no explaining away"
        return None
    for task, source in ((a, b), (b, a)):
        if causes(source, made) and not causes(source, task):
            return f"{made} is sufficient for {task}: it keeps all that {source} tells of {task}{known}"
    return None
