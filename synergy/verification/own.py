"""Statements and diagrams of the caller's own: as claims, and models to judge them on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import ClassVar

from synergy.verification.cases import Case
from synergy.verification.controls import CONTROL
from synthetic import Generator, Sample, Variable
from synthetic.generator import AnswerKind
from theory import (
    CLAIMS,
    DIAGRAMS,
    ESSL,
    Claim,
    Diagram,
    Joint,
    Statement,
    find_claim,
    parse_statement,
    prove,
)
from theory.claims.exact import draw_joint
from theory.diagrams import diagram_text, read_diagram
from theory.diagrams.named import NO_DIAGRAM

__all__ = ["Counterexample", "DrawnModel", "diagram_option", "is_own", "own_cases", "read_claim"]

_DRAWS = 20
"""How many models are drawn to find one in which the terms of a claim are far from 0."""


def read_claim(claim: str | Claim, diagram: str | Diagram | None, given: Sequence[str] = ()) -> Claim:
    """A claim, that of an identifier (the registry's or `E1-control`), or the one that a statement makes.

    Args:
        claim: One of these.
        diagram: The diagram to judge it on, or its text; None for its own, which is the E-SSL diagram for a
            statement. `"none"` is for no diagram.
        given: Further premises.

    Raises:
        ValueError: If the identifier is unknown, or the diagram lacks a variable that is named.
        ParseError: If the statement or a premise does not parse.
    """
    if isinstance(claim, str):
        claim = claim.strip()
        claim = _registered(claim) if not _is_statement(claim) else _stated(claim, diagram)
    elif not isinstance(claim, Claim):
        raise TypeError(f"claims must be claims, their identifiers or statements, got {claim!r}")
    if diagram is None and not given:
        return claim
    facts = (*claim.given, *(parse_statement(fact) for fact in given))
    named = dict.fromkeys([*claim.statement.variables, *(v for fact in facts for v in fact.variables)])
    on = claim.diagram if diagram is None else _diagram(diagram, tuple(named))
    if on == claim.diagram and facts == claim.given:
        return claim
    return Claim(
        claim.id,
        claim.title,
        claim.statement,
        claim.expectation,
        on,
        facts,
        prose=claim.prose,
        reference=claim.reference,
        chapter=claim.chapter,
        worlds=claim.worlds,
        ours=claim.ours,
        bounds_error=claim.bounds_error,
    )


def _registered(id: str) -> Claim:
    """A claim of the registry, or the negative control, which tables name beside them."""
    return CONTROL if id == CONTROL.id else find_claim(id)


def _is_statement(text: str) -> bool:
    """Whether a text is to be read as a statement: it is no identifier, and no single word."""
    return text not in CLAIMS and re.fullmatch(r"[\w.-]*", text) is None


@cache
def _read(text: str) -> Statement | None:
    """The statement that a text makes; None where it makes none."""
    try:
        return parse_statement(text)
    except ValueError:
        return None


def _stated(text: str, diagram: str | Diagram | None) -> Claim:
    statement = parse_statement(text)
    unknown = [v for v in statement.variables if v not in ESSL.variables]
    if diagram is None and unknown:
        able = [name for name, d in DIAGRAMS.items() if set(statement.variables) <= set(d.variables)]
        hint = (
            f"name a diagram that has it, such as {able[0]}"
            if able
            else 'name a diagram, such as "A->Z" or "none"'
        )
        raise ValueError(
            f"unknown variable {unknown[0]!r}: the {ESSL.name} has {', '.join(ESSL.variables)}; {hint}"
        )
    on = ESSL if diagram is None else _diagram(diagram, statement.variables)
    strict = any(r.operator in (">", "<") for r in statement.relations)
    return Claim(
        text,
        "Your statement",
        statement,
        "exists" if strict else "true",
        on,
        prose="A statement that was given in place of a claim.",
    )


def _diagram(diagram: str | Diagram, names: tuple[str, ...]) -> Diagram:
    """The diagram; for no diagram the one that has all arrows, and so says nothing."""
    found = read_diagram(diagram)
    if found is not None:
        return found
    edges = [(names[i], names[k]) for k in range(len(names)) for i in range(k)]
    return Diagram(edges, variables=names, name=NO_DIAGRAM + " (all arrows, no independence)")


def is_own(claim: Claim) -> bool:
    """Whether nobody expects anything of all models: a statement, or a claim on another diagram."""
    return CLAIMS[claim.id] != claim if claim.id in CLAIMS else _read(claim.id) == claim.statement


@dataclass(frozen=True)
class DrawnModel(Generator):
    """A random model on a diagram in which premises hold by construction.

    Args:
        claim: The claim whose diagram, premises and variables it has.

    Raises:
        ValueError: If the premises cannot be satisfied by construction.
    """

    family: ClassVar[str] = "drawn-model"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("enumeration",)
    claim: Claim

    @property
    def diagram(self) -> Diagram:
        """That of the claim."""
        return self.claim.diagram

    @cached_property
    def _joint(self) -> Joint:
        """Of some draws the one whose smallest term is largest, so that the claim says something there."""
        terms = self.claim.statement.terms

        def least(joint: Joint) -> float:
            return min(abs(joint.value(term)) for term in terms)

        return max((draw_joint(self.claim, seed) for seed in range(_DRAWS)), key=least)

    def joint(self) -> Joint:
        """The exact joint of what the claim and its premises name."""
        return self._joint

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What the claim and its premises name, all discrete."""
        return tuple(Variable(name, "discrete", k) for name, k in self._joint.cardinalities.items())

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw n rows."""
        rows = self._joint.sample(n, seed=seed)
        return Sample(
            {v.name: rows[v.name].to_numpy() for v in self.variables}, {v.name: v for v in self.variables}
        )


@dataclass(frozen=True)
class Counterexample(DrawnModel):
    """The distribution by which the prover refutes a claim.

    Raises:
        ValueError: If there is none.
    """

    family: ClassVar[str] = "counterexample"

    @cached_property
    def _joint(self) -> Joint:
        found = prove(self.claim.statement, diagram=self.claim.diagram, given=self.claim.given)
        if found.verdict != "refuted" or not hasattr(found, "joint"):
            raise ValueError(f"no distribution that breaks {self.claim.statement} was found")
        whole: Joint = found.joint
        names = [v for v in self.claim.diagram.variables if v in _named(self.claim)]
        kept = whole.marginal([name for name in names if name in whole.names])
        for name in names:
            if name not in kept.names:  # constant, and so left out
                kept = kept.channel(kept.names[0], name, [[1.0]] * kept.probabilities.shape[0])
        return kept


def _named(claim: Claim) -> frozenset[str]:
    return frozenset((*claim.statement.variables, *(v for fact in claim.given for v in fact.variables)))


def own_cases(claims: Sequence[Claim]) -> list[Case]:
    """Models to sample from for claims on diagrams of the caller's own, and what refutes them.

    What cannot be drawn is left out: the exact world says why.
    """
    found: list[Case] = []
    for number, claim in enumerate(claims, start=1):
        which = "" if len(claims) == 1 else f" {number}"
        made = [
            (f"drawn model{which}", DrawnModel(claim), "a random model on the diagram"),
            (f"counterexample{which}", Counterexample(claim), "the distribution that refutes the claim"),
        ]
        for name, generator, about in made:
            try:
                generator.joint()
            except ValueError:
                continue
            exact = "random models on the diagram, and the prover's counterexample, are judged there"
            found.append(Case(name, generator, about, not_in={"exact": exact}))
    return found


def diagram_option(diagram: Diagram) -> str:
    """How the command line names a diagram."""
    return NO_DIAGRAM if diagram.name.startswith(NO_DIAGRAM) else diagram_text(diagram)
