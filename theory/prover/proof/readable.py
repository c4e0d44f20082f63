"""Proofs for readers: numbered steps in text, LaTeX and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape

from theory.expressions import LATEX_OPERATORS, Expression, GapOperator, Relation, latex_name
from theory.parser import parse_expression, parse_statement, parse_term
from theory.prover.proof.certificate import Certificate, Copy, Part, Step

__all__ = ["end_operator", "given_operators", "html", "html_table", "latex", "step_operator", "text"]


def _reason(step: Step, latex: bool) -> str:
    if step.kind == "zhang-yeung":
        return "Zhang and Yeung's inequality"
    if step.kind == "given":
        return "given"
    if step.kind == "copy":
        return "the copy is distributed like the original"
    term = parse_term(step.quantity)

    def names(group: Sequence[str]) -> str:
        return rf"\({', '.join(map(latex_name, group))}\)" if latex else ", ".join(group)

    bar = f" given {names(term.given)}" if term.given else ""
    if step.kind == "copy-independence":
        return f"the copy is independent of {names(term.groups[1])}{bar}"
    if step.kind == "independence":
        return f"{' and '.join(map(names, term.groups))} are d-separated{bar}"
    if step.kind == "function":
        return f"{names(term.groups[0])} is a function of {names(term.given)}"
    kind = "entropy" if len(term.groups) == 1 else "mutual information"
    return f"{'conditional ' if term.given else ''}{kind} is never negative"


def given_operators(certificate: Certificate) -> list[GapOperator]:
    """How the gap of each given relation compares with zero."""
    return [relation.gap_operator for given in certificate.given for relation in parse_statement(given)]


def step_operator(step: Step, given: Sequence[GapOperator]) -> GapOperator:
    """How the quantity of a step compares with zero, given `given_operators` of its certificate."""
    if step.kind in ("independence", "function", "copy", "copy-independence"):
        return "=="
    return given[step.index] if step.kind == "given" and step.index is not None else ">="


def end_operator(operators: Sequence[GapOperator]) -> GapOperator:
    """How a sum of quantities compares with zero that compare with it like this."""
    return ">" if ">" in operators else ">=" if ">=" in operators else "=="


def _number(value: Fraction, latex: bool) -> str:
    if not latex or value.denominator == 1:
        return str(value)
    return rf"\tfrac{{{value.numerator}}}{{{value.denominator}}}"


def _sum(part: Part, latex: bool) -> str:
    """The weighted sum of the steps; quantities of several terms are bracketed."""
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
    return "".join(pieces)


def _copied(copy: Copy, latex: bool) -> str:
    """A copy in words."""

    def names(group: Sequence[str]) -> str:
        return rf"\({', '.join(map(latex_name, group))}\)" if latex else ", ".join(group)

    made = f"{names(copy.names)} be a copy of {names(copy.copied)}"
    given = f" given {names(copy.over)}" if copy.over else ""
    return f"Let {made}{given}, drawn independently of all else (copy lemma)."


def _is_plain(part: Part) -> bool:
    """Whether the part's only step is its claim, word for word."""
    return len(part.steps) == 1 and part.steps[0].weight == 1 and part.steps[0].quantity == part.claim


def _part(part: Part, given: Sequence[GapOperator], latex: bool) -> list[str]:
    """The steps of a part, then the identity that they add up to."""
    operators = [step_operator(step, given) for step in part.steps]
    lines = [_copied(copy, latex) for copy in part.copies]
    for step, operator in zip(part.steps, operators, strict=True):
        relation = Relation(parse_expression(step.quantity), operator, Expression())
        shown = rf"\({relation.latex()}\)" if latex else str(relation)
        lines.append(f"{shown}: {_reason(step, latex)}.")
    if _is_plain(part):
        return lines
    end = end_operator(operators)
    claim = parse_expression(part.claim)
    if not part.steps:
        return [
            rf"\({claim.latex()} = 0\), an identity." if latex else f"{claim} = 0, an identity (chain rule)."
        ]
    if latex:
        sign = LATEX_OPERATORS[end]
        return [*lines, rf"Chain rule: \({claim.latex()} = {_sum(part, True)} {sign} 0\)."]
    return [*lines, f"Chain rule: {claim} = {_sum(part, False)} {end} 0."]


def _blocks(certificate: Certificate, latex: bool) -> list[tuple[str, list[str]]]:
    """For each relation a heading (none if there is only one) and its lines."""
    given = given_operators(certificate)
    blocks: list[tuple[str, list[str]]] = []
    several = len({part.relation for part in certificate.parts}) > 1
    previous = ""
    for part in certificate.parts:
        if part.relation != previous or not blocks:
            shown = rf"\({parse_statement(part.relation).latex()}\)" if latex and several else part.relation
            blocks.append((f"For {shown}:" if several else "", []))
            previous = part.relation
        blocks[-1][1].extend(_part(part, given, latex))
    return blocks


def text(certificate: Certificate) -> str:
    """The numbered steps as text."""
    lines: list[str] = []
    number = 0
    for heading, steps in _blocks(certificate, latex=False):
        lines += [heading] if heading else []
        for step in steps:
            number += 1
            lines.append(f"{number}. {step}")
    return "\n".join(lines)


def latex(certificate: Certificate) -> str:
    r"""The numbered steps as a LaTeX `enumerate`, for a document in text mode."""
    lines = [r"\begin{enumerate}"]
    for heading, steps in _blocks(certificate, latex=True):
        lines += [rf"\item[] {heading}"] if heading else []
        lines += [rf"\item {step}" for step in steps]
    return "\n".join([*lines, r"\end{enumerate}"])


def html(heading: str, lines: Sequence[str]) -> str:
    """A heading and preformatted lines for a notebook."""
    return f"<div><b>{escape(heading)}</b><pre>{escape(chr(10).join(lines))}</pre></div>"


def html_table(
    heading: str, description: str, names: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]
) -> str:
    """A heading, a description, a table and lines below it for a notebook."""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(v)}</td>" for v in row) + "</tr>" for row in rows)
    below = "<br>".join(map(escape, notes))
    return (
        f"<div><b>{escape(heading)}</b><p>{escape(description)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{below}</p></div>"
    )
