"""Arguments that several functions take: diagrams and given statements, as objects or as text."""

from __future__ import annotations

from collections.abc import Sequence

from theory.diagrams import ESSL, Diagram
from theory.expressions import Statement
from theory.parser import parse_statement

__all__ = ["read_diagram", "read_statements"]


def read_statements(given: str | Statement | Sequence[str | Statement]) -> tuple[Statement, ...]:
    """One or several statements, or their texts.

    Raises:
        ParseError: If a text is not a statement.
    """
    listed = (given,) if isinstance(given, str | Statement) else tuple(given)
    return tuple(parse_statement(text) for text in listed)


def read_diagram(diagram: Diagram | str | None) -> Diagram | None:
    """A diagram, its text or the name `"essl"`.

    Raises:
        TypeError: If it is none of these.
        ValueError: If the text is not a diagram.
    """
    if diagram is None or isinstance(diagram, Diagram):
        return diagram
    if isinstance(diagram, str):
        return ESSL if diagram == "essl" else Diagram.parse(diagram)
    raise TypeError(f"diagram must be a Diagram, text such as 'A->X' or None, got {diagram!r}")
