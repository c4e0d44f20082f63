"""Which cases a claim is judged on: those that have its variables, its independences and its premises.

A case fits a claim when

* it has every variable that the claim names,
* its diagram implies every independence that the claim's diagram implies among the variables that both have,
  and its functions are functions there: so the case is one of the models that the claim speaks of,
* the premises hold in it, which is checked exactly where its distribution is known, and on the sample
  elsewhere.

Example:
    >>> from theory import find_claim
    >>> judged_on(find_claim("K1")).to_dict()["proof"]
    ['any model']
    >>> judged_on(find_claim("K1")).to_dict()["exact"][:2]
    ['random models', 'two-views']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, get_args

import numpy as np

from synergy.verification.cases import CASES, Case
from synthetic import NoExactAnswerError
from theory import Claim, Diagram, Relation, Statement
from theory.claims import World
from theory.diagrams import closure
from theory.diagrams.separations import Masks, neighbours

__all__ = ["JudgedOn", "general", "judged_on", "readable", "why_not"]

_ROUNDING = 1e-9
"""A premise whose exact gap is this far from holding, in nats, does not hold."""

_ERRORS = 5.0
"""Where the exact value has an error: this many of them."""


def why_not(claim: Claim, case: Case, world: World) -> str | None:
    """Why a claim is not judged on a case in a world; None where it is."""
    if world not in claim.worlds:
        return f"{claim.id} is not for the {world} world"
    if claim.id in case.not_for:
        return case.not_for[claim.id]
    reason = case.why_not_in(world)
    if reason is not None:
        return reason
    names = case.names(world)
    missing = [v for v in _named(claim) if v not in names]
    if missing:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not known here"
    drawn = [v.name for v in case.generator.variables]
    made = world == "learned" or case.represent is not None
    try:
        readable(claim.statement, sorted(names) if made else drawn)
    except ValueError as error:
        return str(error)
    return _not_on_diagram(claim.diagram, case, world) or _broken_premise(claim, case, world)


def _named(claim: Claim) -> tuple[str, ...]:
    facts = (v for fact in claim.given for v in fact.variables)
    return tuple(dict.fromkeys((*claim.statement.variables, *facts)))


def readable(statement: Statement, names: Sequence[str]) -> Sequence[Relation]:
    """The relations of a statement in the variables that are there; where there is no Z, it is read as X.

    Raises:
        ValueError: If a variable is missing, or nothing is left to judge.
    """
    known = set(names)
    relations = list(statement)
    if "Z" not in known:
        read = [r.replace({"Z": "X"}) for r in relations]
        relations = [
            new for new, old in zip(read, relations, strict=True) if new.gap.entropies() or new == old
        ]
        if not relations:
            raise ValueError("trivial where the representation is the input itself")
    relations = list(dict.fromkeys(relations))
    for variable in dict.fromkeys(v for relation in relations for v in relation.variables):
        if variable not in known:
            raise ValueError(f"{variable} is not known here")
    return relations


def _not_on_diagram(diagram: Diagram, case: Case, world: World) -> str | None:
    """What the diagram of a claim says and the case does not satisfy; None where it satisfies all of it.

    What the case's own diagram does not say may hold in its distribution all the same, which is looked up
    where that is known.
    """
    here, names = case.diagram(world), case.names(world)
    shared = tuple(v for v in diagram.variables if v in names and v in here.variables)
    for v in diagram.deterministic:
        parents = diagram.parents(v)
        if {v, *parents} <= set(shared) and v not in closure(here, set(parents)):
            told = f"{v} is a function of {', '.join(parents)} in the claim's diagram, and not here"
            if not _vanishes(case, f"H({v}|{','.join(parents)})"):
                return told
    said, known = _adjacent(diagram, shared), _adjacent(here, shared)
    for i, v in enumerate(shared):
        sets = np.flatnonzero(known[i] & ~said[i]).tolist()
        for inside in sorted(sets, key=int.bit_count):
            for k, other in enumerate(shared[:i]):
                if not (known[i, inside] & ~said[i, inside]) >> k & 1:
                    continue
                given = [u for p, u in enumerate(shared) if inside >> p & 1 and u not in (v, other)]
                bar = f"|{','.join(given)}" if given else ""
                if not _vanishes(case, f"I({other};{v}{bar})"):
                    return f"{other} _||_ {v}{bar.replace('|', ' | ')} in the claim's diagram, and not here"
    return None


@cache
def _vanishes(case: Case, term: str) -> bool:
    """Whether a term is known to be 0 in a case."""
    try:
        return abs(case.generator.exact(term).value) <= _ROUNDING
    except ValueError:  # unknown to the generator, or of a variable that it does not draw
        return False


@lru_cache(maxsize=4096)
def _adjacent(diagram: Diagram, shared: tuple[str, ...]) -> Masks:
    """For each set of the shared variables which of them depend on each other given the rest of it."""
    rest = tuple(v for v in diagram.variables if v not in shared)
    found = neighbours(diagram, (*shared, *rest), len(shared))
    inside = np.arange(1 << len(shared), dtype=np.int64) >> np.arange(len(shared))[:, None] & 1
    masked: Masks = np.where(inside == 1, found, 0)
    return masked


def _broken_premise(claim: Claim, case: Case, world: World) -> str | None:
    """The premise that does not hold in the case, where its distribution is known; None elsewhere."""
    drawn = [v.name for v in case.generator.variables]
    for fact in claim.given:
        if world == "learned" and "Z" in fact.variables:
            continue
        try:
            relations = readable(fact, drawn)
        except ValueError:
            continue
        for relation in relations:
            gap = _exact_gap(case, relation)
            if gap is not None and gap[0] < -gap[1]:
                return f"the premise {relation} does not hold: gap {gap[0]:.4g}"
    return None


def _exact_gap(case: Case, relation: Relation) -> tuple[float, float] | None:
    """How far a relation is from failing, negative where it fails, and the error of that; None if unknown."""
    try:
        answer = case.generator.exact(relation.gap)
    except NoExactAnswerError:
        return None
    slack = -abs(answer.value) if relation.operator == "==" else answer.value
    return slack, max(_ROUNDING, _ERRORS * answer.standard_error)


@dataclass(frozen=True)
class JudgedOn:
    """Where a claim is judged.

    Args:
        claim: The claim's identifier.
        cases: For each world the names of the cases; what is judged without a case is named too.
        reasons: For each case that is judged in no world the reason.
    """

    claim: str
    cases: Mapping[World, tuple[str, ...]]
    reasons: Mapping[str, str]

    @property
    def count(self) -> int:
        """The number of cases, each counted once."""
        return len({name for names in self.cases.values() for name in names} - set(_GENERAL))

    def to_dict(self) -> dict[str, Any]:
        """The cases by world, as plain data."""
        return {world: list(names) for world, names in self.cases.items()}

    def __str__(self) -> str:
        return "\n".join(f"{world}: {', '.join(names)}" for world, names in self.cases.items())


_GENERAL = ("any model", "random models", "witness", "its own check")
"""What a claim is judged on without a case."""


def general(claim: Claim, world: World) -> str | None:
    """What a claim is judged on in a world without a case; None where there is nothing."""
    if world not in claim.worlds:
        return None
    if world == "proof":
        return "any model"
    if world in claim.checks:
        return "its own check"
    if world == "exact":
        return "random models" if claim.witness is None else "witness"
    return None


def judged_on(claim: Claim, cases: Sequence[Case] = CASES) -> JudgedOn:
    """On which cases, and in which worlds, a claim is judged when it is verified.

    Args:
        claim: A claim, registered or not.
        cases: The cases to choose from.
    """
    found: dict[World, tuple[str, ...]] = {}
    for world in get_args(World):
        first = general(claim, world)
        names = [case.name for case in cases if world != "proof" and why_not(claim, case, world) is None]
        if first is not None or names:
            found[world] = (*([] if first is None else [first]), *names)
    used = {name for names in found.values() for name in names}
    worlds = [world for world in claim.worlds if world != "proof"]
    reasons = {
        case.name: _telling([reason for w in worlds if (reason := why_not(claim, case, w)) is not None])
        for case in cases
        if case.name not in used
    }
    return JudgedOn(claim.id, found, reasons)


def _telling(reasons: Sequence[str]) -> str:
    """The reason that says most: one that names variables or premises, before one about the world."""
    kinds = ("premise", "_||_", "function of", "not known here", "trivial")
    return next((r for kind in kinds for r in reasons if kind in r), reasons[0] if reasons else "")
