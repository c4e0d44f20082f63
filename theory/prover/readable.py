"""Proofs for readers: numbered steps in text, LaTeX and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape

from theory.expressions import Expression
from theory.parser import parse_expression, parse_term
from theory.prover.certificate import Certificate, Part, Step

__all__ = ["html", "latex", "text"]


def _reason(step: Step, latex: bool) -> str:
    if step.kind == "zhang-yeung":
        return "Zhang and Yeung's inequality"
    if step.kind == "given":
        return "given"
    term = parse_term(step.quantity)

    def names(group: Sequence[str]) -> str:
        joined = ", ".join(group)
        return rf"\({joined}\)" if latex else joined

    sides = [names(group) for group in term.groups]
    bar = f" given {names(term.given)}" if term.given else ""
    if step.kind == "independence":
        verb = "is" if len(term.groups[0]) == len(term.groups[1]) == 1 else "are"
        verb = "are" if verb == "is" else verb
        return f"{' and '.join(sides)} {verb} d-separated{bar}"
    if step.kind == "function":
        return f"{sides[0]} is a function of {names(term.given)}"
    kind = "entropy" if len(term.groups) == 1 else "mutual information"
    return f"{'conditional ' if term.given else ''}{kind} is never negative"


def _operator(step: Step, given: Sequence[str]) -> str:
    if step.kind in ("independence", "function"):
        return "=="
    if step.kind == "given" and step.index is not None:
        return given[step.index]
    return ">="


def _operators(certificate: Certificate) -> list[str]:
    from theory.parser import parse_statement

    found = []
    for statement in certificate.given:
        for relation in parse_statement(statement):
            found.append({"<=": ">=", "<": ">"}.get(relation.operator, relation.operator))
    return found


_LATEX = {"==": "=", ">=": r"\ge", ">": ">"}


def _sum(part: Part) -> Expression:
    total = Expression()
    for step in part.steps:
        total = total + step.weight * parse_expression(step.quantity)
    return total


def _weighted(part: Part, latex: bool) -> str:
    """The sum of the steps, given relations in brackets if they have several terms."""
    pieces: list[str] = []
    for step in part.steps:
        quantity = parse_expression(step.quantity)
        size = abs(step.weight)
        body = quantity.latex() if latex else str(quantity)
        several = len(quantity.summands) > 1 or any(c < 0 for c, _ in quantity.summands)
        if several and (size != 1 or step.weight < 0 or pieces):
            body = rf"\left({body}\right)" if latex else f"({body})"
        factor = "" if size == 1 else f"{_number(size, latex)} "
        sign = ("-" if step.weight < 0 else "") if not pieces else (" - " if step.weight < 0 else " + ")
        pieces.append(f"{sign}{factor}{body}")
    return "".join(pieces) or "0"


def _is_plain(part: Part) -> bool:
    """Whether the part's only step is its claim, word for word."""
    return len(part.steps) == 1 and part.steps[0].weight == 1 and part.steps[0].quantity == part.claim


def _number(value: Fraction, latex: bool) -> str:
    if not latex or value.denominator == 1:
        return str(value)
    return rf"\tfrac{{{value.numerator}}}{{{value.denominator}}}"


def _lines(certificate: Certificate, latex: bool) -> list[str]:
    operators = _operators(certificate)
    lines: list[str] = []
    number = 0
    for part in certificate.parts:
        claim = parse_expression(part.claim) if part.claim != "0" else Expression()
        strong = False
        strict = False
        for step in part.steps:
            number += 1
            quantity = parse_expression(step.quantity)
            operator = _operator(step, operators)
            strong = strong or operator != "=="
            strict = strict or operator == ">"
            if latex:
                lines.append(rf"\item \({quantity.latex()} {_LATEX[operator]} 0\): {_reason(step, True)}.")
            else:
                lines.append(f"{number}. {quantity} {operator} 0: {_reason(step, False)}.")
        if _is_plain(part):
            continue
        number += 1
        end = (">" if strict else ">=") if strong else "=="
        left = claim.latex() if latex else str(claim)
        right = _weighted(part, latex)
        if right == "0":
            body = rf"\({left} = 0\) identically." if latex else f"{left} = 0, an identity (chain rule)."
        elif latex:
            body = rf"\({left} = {right} {_LATEX[end]} 0\)."
        else:
            body = f"Chain rule: {left} = {right} {end} 0."
        lines.append(rf"\item {body}" if latex else f"{number}. {body}")
    return lines


def text(certificate: Certificate) -> str:
    """The numbered steps as text."""
    return "\n".join(_lines(certificate, latex=False))


def latex(certificate: Certificate) -> str:
    r"""The numbered steps as a LaTeX `enumerate`, for a document in text mode."""
    return "\n".join([r"\begin{enumerate}", *_lines(certificate, latex=True), r"\end{enumerate}"])


def html(heading: str, lines: Sequence[str]) -> str:
    """A heading and preformatted lines for a notebook."""
    return f"<div><b>{escape(heading)}</b><pre>{escape(chr(10).join(lines))}</pre></div>"
