"""What is to be tested: one independence or several, as text, statement or term."""

from __future__ import annotations

import re
from fractions import Fraction

from synergy.estimators.intake import check_expression
from theory import Expression, Statement, Term, parse_statement

__all__ = ["independences", "text_of"]

_SIGN = re.compile(r"_\|\|_|⊥⊥|⊥|⟂")
"""The signs of independence that the parser knows."""


def independences(statement: str | Statement | Term) -> tuple[Term, ...]:
    """The terms I(X;Y|Z) that are to be 0.

    Raises:
        ValueError: If it is anything else, or a list whose commas can be read in two ways.

    Example:
        >>> [text_of(term) for term in independences("A _||_ B, C _||_ D | X")]
        ['A _||_ B', 'C _||_ D | X']
    """
    if isinstance(statement, Term):
        return (_checked(Expression(((Fraction(1), statement),)), statement),)
    parts = parse_statement(_as_statement(statement)) if isinstance(statement, str) else statement
    if any(relation.operator != "==" for relation in parts.relations):
        raise ValueError(f"statement must be {_WANTED}, got {statement}")
    return tuple(dict.fromkeys(_checked(relation.gap, statement) for relation in parts.relations))


_WANTED = "an independence such as 'A _||_ C | X', or several joined by 'and'"
"""What the errors say was expected."""


def _checked(gap: Expression, statement: object) -> Term:
    parsed = check_expression(gap) if gap.terms else gap
    if len(parsed.terms) != 1 or len(parsed.terms[0].groups) != 2:
        raise ValueError(f"statement must be {_WANTED}, got {statement}")
    return parsed.terms[0]


def _as_statement(text: str) -> str:
    if not _SIGN.search(text):
        return text if any(sign in text for sign in "=<>") else f"{text} == 0"
    pieces = _SIGN.split(text)
    signs = _SIGN.findall(text)
    for i in range(1, len(pieces) - 1):
        if re.search(r"\band\b", pieces[i]):
            continue
        before, bar, after = pieces[i].partition("|")
        names = after if bar else before
        if names.count(",") != 1:
            raise ValueError(
                f"statement {text!r} does not say where one independence ends and the next begins: join them "
                "by 'and', as in 'A _||_ B and C, D _||_ E'"
            )
        pieces[i] = before + bar + after.replace(",", " and ") if bar else before.replace(",", " and ")
    return "".join(piece + sign for piece, sign in zip(pieces, [*signs, ""], strict=True))


def text_of(term: Term) -> str:
    """The independence as text."""
    text = f"{','.join(term.groups[0])} _||_ {','.join(term.groups[1])}"
    return text + (f" | {','.join(term.given)}" if term.given else "")
