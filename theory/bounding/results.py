"""What `bounds` returns: inequalities with their proofs, and the interval that measured values allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from theory.expressions import Statement, Term
from theory.prover import Certificate, Proof, Witness

__all__ = ["Bound", "Bounds", "Violation"]


@dataclass(frozen=True)
class Bound:
    """One inequality or equation that no other sharpens.

    Args:
        statement: The inequality.
        proof: Its proof.
        attained: A distribution on which both sides are equal, and not 0 where they need not be; None if
            none was found.
    """

    statement: Statement
    proof: Proof
    attained: Witness | None = None

    @property
    def certificate(self) -> Certificate:
        """The evidence, which `theory.check` accepts."""
        return self.proof.certificate

    def to_dict(self) -> dict[str, Any]:
        """The bound as plain data."""
        return {
            "bound": str(self.statement),
            "certificate": self.certificate.to_dict(),
            "attained": None if self.attained is None else self.attained.to_dict()["witness"],
        }

    def __str__(self) -> str:
        return str(self.statement)

    def lines(self) -> list[str]:
        """The bound as printed."""
        model = "no model was found that attains it" if self.attained is None else self.attained.description
        return [f"{self}", f"  attained: {model}"]


@dataclass(frozen=True)
class Violation:
    """An inequality that holds for all distributions and not for the given numbers.

    Args:
        statement: The inequality.
        proof: Its proof.
        left: The value of its left side, in the unit of the numbers.
        right: The value of its right side.
    """

    statement: Statement
    proof: Proof
    left: float
    right: float

    @property
    def certificate(self) -> Certificate:
        """The evidence, which `theory.check` accepts."""
        return self.proof.certificate

    def to_dict(self) -> dict[str, Any]:
        """The violation as plain data."""
        return {
            "violated": str(self.statement),
            "left": self.left,
            "right": self.right,
            "certificate": self.certificate.to_dict(),
        }

    def __str__(self) -> str:
        return f"{self.statement} is violated: {self.left:.10g} against {self.right:.10g}"


@dataclass(frozen=True, repr=False)
class Bounds:
    """The tightest linear Shannon bounds of a term by others.

    Args:
        term: What is bounded.
        by: The terms that it is bounded by.
        upper: The upper bounds: each is somewhere the smallest.
        lower: The lower bounds: each is somewhere the largest.
        among: What holds between the other terms alone.
        at: The values of the other terms that were given, in nats (or any one unit).
        interval: The values that the term may take there, of which the upper end may be infinite; None
            without values, and where they are inconsistent.
        violated: An inequality that the values break, or None.
        complete: Whether these are all bounds that there are; if not, there may be sharper ones.
        notes: What to know of the answer.
        seconds: Wall-clock time.
    """

    term: Term
    by: tuple[Term, ...]
    upper: tuple[Bound, ...]
    lower: tuple[Bound, ...]
    among: tuple[Bound, ...]
    at: tuple[tuple[Term, float], ...]
    interval: tuple[float, float] | None
    violated: Violation | None
    complete: bool
    notes: tuple[str, ...]
    seconds: float = field(compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The fields of `synergy bounds --json`; an infinite end of the interval is null."""
        ends = None if self.interval is None else [_finite(end) for end in self.interval]
        return {
            "term": str(self.term),
            "by": [str(term) for term in self.by],
            "upper": [bound.to_dict() for bound in self.upper],
            "lower": [bound.to_dict() for bound in self.lower],
            "among": [bound.to_dict() for bound in self.among],
            "at": {str(term): value for term, value in self.at},
            "interval": ends,
            "violated": None if self.violated is None else self.violated.to_dict(),
            "complete": self.complete,
            "notes": list(self.notes),
            "seconds": self.seconds,
        }

    def _heading(self) -> str:
        by = ", ".join(map(str, self.by))
        return f"{self.term} by {by}" if by else f"{self.term}"

    def _sections(self) -> list[tuple[str, list[list[str]]]]:
        none = "none: it may be arbitrarily {}" if self.complete else "none was found"
        upper = [bound.lines() for bound in self.upper] or [[none.format("large")]]
        lower = [bound.lines() for bound in self.lower] or [[none.format("small")]]
        telling = [bound.lines() for bound in self.among if not _plain(bound.statement)]
        sections = [("Upper bounds", upper), ("Lower bounds", lower), ("Between the other terms", telling)]
        return [(title, entries) for title, entries in sections if entries]

    def _conclusion(self) -> list[str]:
        values = ", ".join(f"{term} = {value:.10g}" for term, value in self.at)
        if self.violated is not None:
            return [f"No distribution has {values}: {self.violated}"]
        if self.interval is None:
            return []
        low, high = (f"{end:.10g}" for end in self.interval)
        return [f"With {values}: {self.term} lies in [{low}, {high}]"]

    def __str__(self) -> str:
        lines = [self._heading()]
        for title, entries in self._sections():
            lines.append(f"{title}:")
            for entry in entries:
                lines += [f"- {entry[0]}", *(f"  {line}" for line in entry[1:])]
        return "\n".join([*lines, *self._conclusion(), *self.notes])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        body = "".join(
            f"<p>{escape(title)}</p><ul>{_items(entries)}</ul>" for title, entries in self._sections()
        )
        end = "".join(f"<p>{escape(line)}</p>" for line in (*self._conclusion(), *self.notes))
        return f"<div><b>{escape(self._heading())}</b>{body}{end}</div>"


def _items(entries: Sequence[Sequence[str]]) -> str:
    shown = ([escape(line.strip()) for line in entry] for entry in entries)
    return "".join(
        f"<li><code>{first}</code>{''.join(f'<br>{line}' for line in rest)}</li>" for first, *rest in shown
    )


def _plain(statement: Statement) -> bool:
    """Whether it only says that one quantity is not negative."""
    return all(
        relation.operator == ">=" and len(relation.gap.summands) == 1 for relation in statement.relations
    )


def _finite(value: float) -> float | None:
    return value if abs(value) != float("inf") else None
