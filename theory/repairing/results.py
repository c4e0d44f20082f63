"""What `repair` returns: assumptions, corrected inequalities, edges, and how they print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from theory.diagrams import Diagram
from theory.expressions import Expression, Relation, Statement
from theory.parser import parse_statement
from theory.prover import Certificate, Proof, Refutation, Unknown, Witness

__all__ = ["Assumption", "Correction", "EdgeChange", "NothingToRepairError", "Repair"]

_SHOWN = 12
"""Entries of a kind that the printed answer shows; the object and its JSON have all."""


class NothingToRepairError(ValueError):
    """The statement is true as it stands.

    Args:
        proof: Its proof.
    """

    def __init__(self, proof: Proof) -> None:
        _, *steps = str(proof).splitlines()
        super().__init__(f"nothing to repair: {proof.statement} is proved: {' '.join(steps)}")
        self.proof = proof

    def __reduce__(self) -> tuple[type[NothingToRepairError], tuple[Proof]]:
        """The proof, so that it reaches another process as it is."""
        return type(self), (self.proof,)


@dataclass(frozen=True)
class Assumption:
    """Premises under which the statement is proved.

    Args:
        given: The premises, I(a;b|K) == 0 or H(a|K) == 0.
        words: Each premise in the words of the field.
        proof: The proof of the statement under them and what was given before.
        vanishing: The statement's quantities that are 0 under the premises.
        example: A distribution on which the premises hold and the statement is strict, or else not all of
            its quantities vanish; None if none was found.
        converse: A distribution on which the statement holds and the premises do not, so that they are more
            than it needs; or the proof that the statement implies them; None if neither was found.
        special_case_of: For a special case the weaker premises that these imply, else empty.
        trivial: Whether every quantity of the statement vanishes under the premises; where the statement
            itself says that, whether one of its variables is constant under them.
    """

    given: tuple[Statement, ...]
    words: tuple[str, ...]
    proof: Proof
    vanishing: tuple[str, ...] = ()
    example: Witness | None = None
    converse: Refutation | Proof | None = None
    special_case_of: tuple[Statement, ...] = ()
    trivial: bool = False

    @property
    def certificate(self) -> Certificate:
        """The evidence, which `theory.check` accepts."""
        return self.proof.certificate

    def to_dict(self) -> dict[str, Any]:
        """The assumption as plain data."""
        data: dict[str, Any] = {
            "given": [str(premise) for premise in self.given],
            "words": list(self.words),
            "proved": True,
            "trivial": self.trivial,
            "vanishing": list(self.vanishing),
            "special_case_of": [str(premise) for premise in self.special_case_of],
            "certificate": self.certificate.to_dict(),
            "example": _model(self.example),
        }
        if isinstance(self.converse, Refutation):
            data["counterexample"] = _model(self.converse)
        elif self.converse is not None:
            data["necessary"] = self.converse.certificate.to_dict()
        return data

    def __str__(self) -> str:
        return " and ".join(map(str, self.given))

    def lines(self) -> list[str]:
        """The assumption as printed, first its premises."""
        found = [f"{self}", *(f"  {word}" for word in self.words)]
        every = len(self.vanishing) == len(self.proof.statement.terms)
        if self.trivial:
            what = "every quantity of the statement vanishes" if every else "a variable is constant"
            return [*found, f"  trivially: {what}"]
        if self.vanishing and not every:
            found.append(
                f"  then {', '.join(self.vanishing)} vanish{'es' if len(self.vanishing) == 1 else ''}"
            )
        if self.example is not None:
            found.append(f"  not vacuous: {self.example.description}")
        if isinstance(self.converse, Refutation):
            found.append(f"  not necessary: {self.converse.description}")
        elif self.converse is not None:
            found.append("  necessary, too: the statement implies it")
        return found


@dataclass(frozen=True)
class Correction:
    """An inequality that holds as it stands.

    Args:
        statement: The corrected inequality.
        added: What was added to the larger side.
        repairs: The relation that it repairs.
        proof: Its proof.
        tight: A distribution on which both sides are equal and the relation that it repairs is broken, or
            else what was added is positive; None if none was found.
    """

    statement: Statement
    added: Expression
    repairs: Statement
    proof: Proof
    tight: Witness | None = None

    @property
    def certificate(self) -> Certificate:
        """The evidence, which `theory.check` accepts."""
        return self.proof.certificate

    def to_dict(self) -> dict[str, Any]:
        """The correction as plain data."""
        return {
            "statement": str(self.statement),
            "added": [{"term": str(term), "weight": str(weight)} for weight, term in self.added.summands],
            "repairs": str(self.repairs),
            "proved": True,
            "certificate": self.certificate.to_dict(),
            "tight": _model(self.tight),
        }

    def __str__(self) -> str:
        return str(self.statement)

    def lines(self) -> list[str]:
        """The correction as printed."""
        tight = "no model was found that attains it" if self.tight is None else self.tight.description
        return [f"{self}", f"  tight: {tight}"]


@dataclass(frozen=True)
class EdgeChange:
    """An edge without which the statement is proved.

    Args:
        edge: Parent and child.
        action: What was done with it.
        diagram: The diagram that is left.
        proof: The proof on it.
        vanishing: The statement's quantities that are 0 on it.
    """

    edge: tuple[str, str]
    action: Literal["removed", "added"]
    diagram: Diagram
    proof: Proof
    vanishing: tuple[str, ...] = ()

    @property
    def certificate(self) -> Certificate:
        """The evidence, which `theory.check` accepts."""
        return self.proof.certificate

    @property
    def trivial(self) -> bool:
        """Whether every quantity of the statement vanishes on the diagram that is left."""
        return len(self.vanishing) == len(self.proof.statement.terms)

    def to_dict(self) -> dict[str, Any]:
        """The change as plain data."""
        return {
            "edge": list(self.edge),
            "action": self.action,
            "diagram": str(self.diagram),
            "proved": True,
            "trivial": self.trivial,
            "vanishing": list(self.vanishing),
            "certificate": self.certificate.to_dict(),
        }

    def __str__(self) -> str:
        return f"{self.edge[0]}->{self.edge[1]} {self.action}"

    def lines(self) -> list[str]:
        """The change as printed."""
        return [f"{self}{' (trivially: every quantity of the statement vanishes)' if self.trivial else ''}"]


@dataclass(frozen=True, repr=False)
class Repair:
    """What would make a statement true, and what is true instead.

    Args:
        statement: The statement that is not provable.
        outcome: What `prove` says of it: a counterexample, or unknown with the reason.
        assumptions: The weakest sets of premises that make it true, none of which implies another.
        special_cases: Single premises that make it true and imply one of the assumptions: dependencies, and
            premises that are stronger than a pair but simpler.
        trivial: Assumptions under which every quantity of the statement vanishes.
        restated: Premises that only say the statement again: it implies them, and so does all that makes it
            true. They are kept apart from the assumptions.
        corrected: Inequalities that hold as they stand.
        edges: Edges without which it is true.
        complete: Whether the search came to its end.
        notes: What to know of the answer.
        seconds: Wall-clock time.
    """

    statement: Statement
    outcome: Refutation | Unknown
    assumptions: tuple[Assumption, ...]
    special_cases: tuple[Assumption, ...]
    trivial: tuple[Assumption, ...]
    restated: tuple[Assumption, ...]
    corrected: tuple[Correction, ...]
    edges: tuple[EdgeChange, ...]
    complete: bool
    notes: tuple[str, ...]
    seconds: float = field(compare=False)

    @property
    def verdict(self) -> Literal["refuted", "unknown"]:
        """What `prove` says of the statement as it stands."""
        return self.outcome.verdict

    def __iter__(self) -> Iterator[Assumption]:
        return iter((*self.assumptions, *self.special_cases))

    def __contains__(self, text: object) -> bool:
        """Whether premises (joined by ` and `) or a corrected inequality are in the answer, as text."""
        if not isinstance(text, str | Statement):
            return False
        wanted = _meaning(parse_statement(text).relations)
        sets = [_meaning([r for premise in entry.given for r in premise]) for entry in self]
        return wanted in sets or wanted in [_meaning(c.statement.relations) for c in self.corrected]

    def to_dict(self) -> dict[str, Any]:
        """The fields of `synergy repair --json`; the special cases come after the assumptions."""
        data = self.outcome.to_dict()
        return {
            "statement": str(self.statement),
            "verdict": self.verdict,
            "assumptions": [entry.to_dict() for entry in self],
            "trivial": [entry.to_dict() for entry in self.trivial],
            "restated": [entry.to_dict() for entry in self.restated],
            "corrected": [entry.to_dict() for entry in self.corrected],
            "edges": [entry.to_dict() for entry in self.edges],
            "counterexample": data.get("counterexample"),
            "reason": data.get("reason"),
            "complete": self.complete,
            "notes": list(self.notes),
            "seconds": self.seconds,
        }

    def _sections(self) -> list[tuple[str, list[list[str]]]]:
        under = "It is true under" + (" any one of" if len(self.assumptions) > 1 else "")
        sections = [
            (under, [entry.lines() for entry in self.assumptions]),
            ("in particular under", [entry.lines() for entry in self.special_cases]),
            ("trivially under", [entry.lines()[:-1] for entry in self.trivial]),
            ("It says the same as", [entry.lines()[:-1] for entry in self.restated]),
            ("True as it stands", [entry.lines() for entry in self.corrected]),
            ("True on the diagram with one edge less", [entry.lines() for entry in self.edges]),
        ]
        return [(title, entries) for title, entries in sections if entries]

    def __str__(self) -> str:
        lines = [f"{self.verdict}: {self.statement}"]
        if isinstance(self.outcome, Refutation):
            lines.append(self.outcome.description)
        for title, entries in self._sections():
            lines.append(f"{title}:")
            for entry in entries[:_SHOWN]:
                lines += [f"- {entry[0]}", *(f"  {line}" for line in entry[1:])]
            if len(entries) > _SHOWN:
                lines.append(f"  .. {len(entries)} in all")
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        body = "".join(
            f"<p>{escape(title)}</p><ul>{_items(entries)}</ul>" for title, entries in self._sections()
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<div><b>{escape(f'{self.verdict}: {self.statement}')}</b>{body}{notes}</div>"


def _meaning(relations: Sequence[Relation]) -> frozenset[object]:
    """What relations say, however they are written."""
    return frozenset(
        (
            relation.operator in (">", "<"),
            relation.operator == "==",
            frozenset(relation.gap.entropies().items()),
        )
        for relation in relations
    )


def _items(entries: Sequence[Sequence[str]]) -> str:
    shown = ([escape(line.strip()) for line in entry] for entry in entries)
    return "".join(
        f"<li><code>{first}</code>{''.join(f'<br>{line}' for line in rest)}</li>" for first, *rest in shown
    )


def _model(found: Witness | Refutation | None) -> dict[str, Any] | None:
    return None if found is None else found.to_dict().get("counterexample") or found.to_dict()["witness"]
