"""What a claim is, and the registry that holds all of them.

A claim is a statement about information quantities on a causal diagram, together with what is expected of
it (true, false, or satisfied by some model) and the worlds in which it can be judged. A claim that says
more than one linear statement can, such as a scaling law, carries the rest in words (`law`) with checks
of its own.

Example:
    >>> from theory import CLAIMS, find_claim
    >>> print(find_claim("E2"))
    E2 Explaining away never hurts: I(A;Z|C) >= I(A;Z) (true)
    >>> find_claim("E2").expectation
    'true'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, get_args

from theory.claims.evidence import Evidence, World
from theory.diagrams import ESSL, Diagram, some_diagram
from theory.expressions import Statement
from theory.joints import Joint
from theory.parser import parse_statement, parse_statements

__all__ = [
    "CHAPTERS",
    "CLAIMS",
    "OWN",
    "Check",
    "Claim",
    "Expectation",
    "find_claim",
    "of_chapter",
    "register",
]

Expectation = Literal["true", "false", "exists"]

CHAPTERS: Mapping[str, str] = MappingProxyType(
    {
        "paper": "equivariant self-supervised learning: the paper's ideas, and what follows from them",
        "contrast": "two views of one input, and what comparing them can know",
        "multi-view": "a signal that supervises itself, and a task that shares a cause with it",
        "bottleneck": "what a representation may forget: nuisances, invariances, other features",
        "heads": "encoder and projection head, and what the head throws away",
    }
)
"""The chapters of the registry, and what each is about."""

OWN = "own"
"""The chapter of a claim that names none: the caller's own."""

CALLER = "the caller"
"""Where a claim comes from that names no source."""

Check = Callable[[int], Evidence]
"""Judges a claim in one world; the argument is the seed of whatever is random in it."""


@dataclass(frozen=True, init=False)
class Claim:
    """A statement on a diagram, what is expected of it, and where it can be judged.

    Args:
        id: The short name, such as `"E1"`.
        title: A few words for tables.
        statement: The statement, or its text; for a claim with a `law` it is the part of the law that
            is linear in entropies.
        expectation: `"true"` for all distributions on the diagram that satisfy `given`, `"false"` for
            at least one of them, or `"exists"`: at least one of them satisfies it.
        diagram: The causal diagram, or its text, such as `"A->X"` or `"signal"`.
        given: Statements, or their texts, that are assumed; one alone, or several.
        prose: The claim in one sentence; its title where there is none.
        reference: Where it comes from; by default from the caller.
        chapter: The part of the field that it belongs to: one of `CHAPTERS`, or a word of the caller's.
        worlds: Those in which it makes sense, out of proof, symbolic, exact, sample and learned; by default
            all, of which those are used that some case fits.
        ours: Whether it goes beyond the cited work.
        bounds_error: Whether it bounds the error of a classifier of C on Z, so that where it is measured the
            error of a probe stands beside it.
        law: What the claim says beyond its linear statement; empty if nothing.
        draw: A function from a seed to a joint that is on the diagram and satisfies `given`; by default
            a random model on the diagram, which is right where nothing is given.
        witness: For `"exists"` a joint that satisfies the statement, for `"false"` one that violates it.
        checks: For a world, the function that judges the law there.

    Raises:
        ValueError: If the expectation or a world is unknown, the statement or a given one names a
            variable that the diagram lacks, a text is empty, or a law has no check.
        ParseError: If a text is not a statement.
    """

    id: str
    title: str
    statement: Statement
    expectation: Expectation
    diagram: Diagram
    given: tuple[Statement, ...]
    prose: str
    reference: str
    chapter: str
    worlds: tuple[World, ...]
    ours: bool
    bounds_error: bool
    law: str
    draw: Callable[[int], Joint] | None = field(repr=False, compare=False)
    witness: Callable[[], Joint] | None = field(repr=False, compare=False)
    checks: Mapping[World, Check] = field(repr=False, compare=False)

    def __init__(
        self,
        id: str,
        title: str,
        statement: str | Statement,
        expectation: Expectation,
        diagram: Diagram | str = ESSL,
        given: str | Statement | Sequence[str | Statement] = (),
        *,
        prose: str = "",
        reference: str = CALLER,
        worlds: tuple[World, ...] = get_args(World),
        chapter: str = OWN,
        ours: bool = False,
        bounds_error: bool = False,
        law: str = "",
        draw: Callable[[int], Joint] | None = None,
        witness: Callable[[], Joint] | None = None,
        checks: Mapping[World, Check] | None = None,
    ) -> None:
        prose = prose if prose != "" else title
        texts = {"id": id, "title": title, "prose": prose, "reference": reference, "chapter": chapter}
        for name, text in texts.items():
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"a claim needs a text for {name}, got {text!r}")
        if expectation not in get_args(Expectation):
            raise ValueError(f"expectation must be one of {get_args(Expectation)}, got {expectation!r}")
        if not worlds or not set(worlds) <= set(get_args(World)):
            raise ValueError(f"worlds must be some of {get_args(World)}, got {worlds!r}")
        diagram = some_diagram(diagram)
        parsed, facts = parse_statement(statement), parse_statements(given)
        for part in (parsed, *facts):
            diagram.require(*part.variables)
        if law and not checks:
            raise ValueError(f"claim {id!r} has a law beyond its statement, which needs at least one check")
        if checks and not set(checks) <= set(worlds):
            raise ValueError(f"checks of claim {id!r} are for worlds {tuple(checks)}, it has {worlds!r}")
        values = {
            "id": id,
            "title": title,
            "statement": parsed,
            "expectation": expectation,
            "diagram": diagram,
            "given": facts,
            "prose": prose,
            "reference": reference,
            "chapter": chapter,
            "worlds": tuple(worlds),
            "ours": ours,
            "bounds_error": bounds_error,
            "law": law,
            "draw": draw,
            "witness": witness,
            "checks": MappingProxyType(dict(checks or {})),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], Claim], tuple[dict[str, Any]]]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return _rebuilt, ({**values, "checks": dict(self.checks)},)

    def latex(self) -> str:
        """The statement, with what is given behind a colon, in LaTeX without dollar signs."""
        facts = r",\; ".join(fact.latex() for fact in self.given)
        return f"{facts}: \\quad {self.statement.latex()}" if facts else self.statement.latex()

    def _repr_markdown_(self) -> str:
        law = f"\n\n`{self.law}`" if self.law else ""
        return f"**{self.id}. {self.title}** ({self.expectation}). {self.prose}\n\n$${self.latex()}$${law}"

    def __str__(self) -> str:
        given = f" given {', '.join(map(str, self.given))}" if self.given else ""
        law = f"; {self.law}" if self.law else ""
        return f"{self.id} {self.title}: {self.statement}{given}{law} ({self.expectation})"


def _rebuilt(values: dict[str, Any]) -> Claim:
    return Claim(**values)


_REGISTRY: dict[str, Claim] = {}
"""The claims by id, in the order of their registration."""

CLAIMS: Mapping[str, Claim] = MappingProxyType(_REGISTRY)
"""Every registered claim by its id, in the order of registration."""


def register(claim: Claim) -> Claim:
    """Add a claim to the registry and return it.

    Raises:
        ValueError: If the id is taken.
        TypeError: If it is not a Claim.
    """
    if not isinstance(claim, Claim):
        raise TypeError(f"register needs a Claim, got {type(claim).__name__}: {claim!r}")
    if claim.id in _REGISTRY:
        raise ValueError(f"the claim id {claim.id!r} is taken: {_REGISTRY[claim.id]}")
    _REGISTRY[claim.id] = claim
    return claim


def of_chapter(chapter: str) -> tuple[Claim, ...]:
    """The registered claims of a chapter, in the order of registration.

    Raises:
        ValueError: If no claim is in it; the message lists the chapters that exist.

    Example:
        >>> print(*(claim.id for claim in of_chapter("heads")))
        H1 H2f H3f H4
    """
    found = tuple(claim for claim in _REGISTRY.values() if claim.chapter == chapter)
    if not found:
        known = ", ".join(dict.fromkeys(claim.chapter for claim in _REGISTRY.values()))
        raise ValueError(f"unknown chapter {chapter!r}: the registry has {known}")
    return found


def find_claim(id: str) -> Claim:
    """The registered claim with this id.

    Raises:
        ValueError: If there is none; the message lists those that exist.
    """
    if id not in _REGISTRY:
        raise ValueError(f"unknown claim {id!r}: the registry has {', '.join(_REGISTRY)}")
    return _REGISTRY[id]
