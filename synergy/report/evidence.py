"""What the prover returned, prepared for a page: steps in mathematics, distributions as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from markupsafe import Markup

from theory import Certificate, Expression, Statement, parse_expression, parse_statement, parse_term
from theory.mathml import mathml_pieces
from theory.prover.proof.certificate import Part, Step

__all__ = ["Argument", "Distribution", "Line", "argument", "distribution", "statement_lines"]

STATES_SHOWN = 24


@dataclass(frozen=True)
class Line:
    """One inequality or fact of a proof: the mathematics, and why it holds."""

    math: Markup
    reason: Markup


@dataclass(frozen=True)
class Argument:
    """The proof of one relation.

    Args:
        goal: What is shown.
        lines: The inequalities and facts it rests on.
        identity: The equation that combines them; None where it is an identity by itself.
    """

    goal: Markup
    lines: tuple[Line, ...]
    identity: Markup


@dataclass(frozen=True)
class Distribution:
    """A counterexample or witness as a table.

    Args:
        description: The distribution in one line.
        names: The variables that take more than one value.
        rows: Their states with the probability last.
        hidden: How many further states are not shown.
        constant: The variables that are constant.
        sides: For each relation its mathematics and the values of its two sides in nats.
    """

    description: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hidden: int
    constant: tuple[str, ...]
    sides: tuple[tuple[Markup, str, str], ...]


def argument(evidence: Mapping[str, Any]) -> list[Argument]:
    """The steps of a certificate in the JSON form of a proof; empty if it has none.

    Raises:
        ValueError: If the certificate is malformed.
    """
    if "certificate" not in evidence:
        return []
    certificate = Certificate.from_dict(evidence["certificate"])
    operators = [
        {"<=": ">=", "<": ">"}.get(relation.operator, relation.operator)
        for text in certificate.given
        for relation in parse_statement(text)
    ]
    return [_argument(part, operators) for part in certificate.parts]


def _argument(part: Part, operators: list[str]) -> Argument:
    lines = []
    weak, strict = False, False
    for step in part.steps:
        operator = _operator(step, operators)
        weak, strict = weak or operator != "==", strict or operator == ">"
        math = _math(f"{step.quantity} {operator} 0")
        lines.append(Line(math, Markup(_reason(step))))
    claim = parse_expression(part.claim) if part.claim != "0" else Expression()
    end = (">" if strict else ">=") if weak else "=="
    total = Expression()
    for step in part.steps:
        total = total + step.weight * parse_expression(step.quantity)
    identity = _chain(claim, total, end) if total.summands else _math(f"{claim} == 0")
    return Argument(_math(part.relation), tuple(lines), identity)


def _chain(claim: Expression, total: Expression, end: str) -> Markup:
    if str(claim) == str(total):
        return _math(f"{claim} {end} 0")
    return _math(f"{claim} == {total} {end} 0")


def _operator(step: Step, given: list[str]) -> str:
    if step.kind in ("independence", "function"):
        return "=="
    if step.kind == "given" and step.index is not None:
        return given[step.index]
    return ">="


def _reason(step: Step) -> str:
    if step.kind == "zhang-yeung":
        return "Zhang and Yeung’s inequality"
    if step.kind == "given":
        return "given"
    term = parse_term(step.quantity)

    def names(group: tuple[str, ...]) -> str:
        return ", ".join(f"<i>{escape(name)}</i>" for name in group)

    sides = [names(group) for group in term.groups]
    bar = f" given {names(term.given)}" if term.given else ""
    if step.kind == "independence":
        return f"{' and '.join(sides)} are d-separated{bar} in the diagram"
    if step.kind == "function":
        return f"{sides[0]} is a function of {names(term.given)} in the diagram"
    kind = "entropy" if len(term.groups) == 1 else "mutual information"
    text = f"conditional {kind}" if term.given else kind
    return f"{text} is never negative"


def _math(text: str) -> Markup:
    (pieces,) = mathml_pieces(parse_statement(text))
    return Markup(" ".join(pieces))


def distribution(evidence: Mapping[str, Any]) -> Distribution | None:
    """The distribution of a refutation or witness in its JSON form; None if there is none."""
    found = evidence.get("counterexample") or evidence.get("witness")
    if not found:
        return None
    names, sizes = found["variables"], found["cardinalities"]
    shown = [i for i, size in enumerate(sizes) if size > 1]
    rows = [
        (*(str(entry["state"][i]) for i in shown), str(entry["probability"]))
        for entry in found["probabilities"]
    ]
    sides = tuple(
        (_math(side["relation"]), f"{side['left']:.4g}", f"{side['right']:.4g}") for side in found["sides"]
    )
    return Distribution(
        description=str(found.get("description", "")),
        names=tuple(names[i] for i in shown),
        rows=tuple(rows[:STATES_SHOWN]),
        hidden=max(0, len(rows) - STATES_SHOWN),
        constant=tuple(names[i] for i, size in enumerate(sizes) if size == 1),
        sides=sides,
    )


def statement_lines(statement: Statement) -> list[Markup]:
    """The mathematics of a statement, one element for each chain of relations."""
    return [Markup(" ".join(pieces)) for pieces in mathml_pieces(statement)]
