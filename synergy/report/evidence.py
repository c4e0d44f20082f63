"""Results of the prover prepared for a page: steps in mathematics, distributions as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from markupsafe import Markup

from theory import (
    Certificate,
    Expression,
    Relation,
    Statement,
    parse_expression,
    parse_statement,
    parse_term,
)
from theory.expressions import GapOperator
from theory.mathml import mathml_pieces
from theory.prover.proof.certificate import Part, Step
from theory.prover.proof.checker import CONTRADICTION
from theory.prover.proof.readable import end_operator, given_operators, step_operator

__all__ = ["Argument", "Distribution", "argument", "distribution", "statement_lines"]

STATES_SHOWN = 24
"""The page shows at most so many states of a distribution."""


_IMPOSSIBLE = Markup('<math alttext="0 &gt; 0"><mrow><mn>0</mn><mo>&gt;</mo><mn>0</mn></mrow></math>')
"""What is shown of a statement that is impossible."""


@dataclass(frozen=True)
class Line:
    """One inequality or fact of a proof: the mathematics, and why it holds."""

    math: Markup
    reason: Markup


@dataclass(frozen=True)
class Argument:
    """The proof of one relation.

    Args:
        goal: What is shown; 0 > 0 where a statement is shown to be impossible.
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
        sides: For each relation its mathematics and the values of its two sides in nats, as text.
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
    given = given_operators(certificate)
    return [_argument(part, given) for part in certificate.parts]


def _argument(part: Part, given: list[GapOperator]) -> Argument:
    quantities = [parse_expression(step.quantity) for step in part.steps]
    operators = [step_operator(step, given) for step in part.steps]
    lines = [
        Line(_math(Relation(quantity, operator, Expression())), Markup(_reason(step)))  # nosec B704 # escaped
        for step, quantity, operator in zip(part.steps, quantities, operators, strict=True)
    ]
    total = Expression()
    for step, quantity in zip(part.steps, quantities, strict=True):
        total = total + step.weight * quantity
    identity = _chain(parse_expression(part.claim), total, end_operator(operators))
    if part.relation == CONTRADICTION:  # the steps add up to 0 > 0
        return Argument(_IMPOSSIBLE, tuple(lines), identity)
    return Argument(_math(*parse_statement(part.relation)), tuple(lines), identity)


def _chain(claim: Expression, total: Expression, end: GapOperator) -> Markup:
    if not total.summands:
        return _math(Relation(claim, "==", Expression()))
    if claim == total:
        return _math(Relation(claim, end, Expression()))
    return _math(Relation(claim, "==", total), Relation(total, end, Expression()))


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


def _math(*chain: Relation) -> Markup:
    (pieces,) = mathml_pieces(Statement(chain))
    return Markup(" ".join(pieces))  # nosec B704 # MathML of a parsed statement


def distribution(evidence: Mapping[str, Any]) -> Distribution | None:
    """The distribution of a refutation or witness in its JSON form; None if there is none."""
    model = evidence.get("counterexample") or evidence.get("witness")
    if not model:
        return None
    names, sizes = model["variables"], model["cardinalities"]
    shown = [i for i, size in enumerate(sizes) if size > 1]
    rows = [
        (*(str(entry["state"][i]) for i in shown), str(entry["probability"]))
        for entry in model["probabilities"]
    ]
    sides = tuple(
        (_math(*parse_statement(side["relation"])), f"{side['left']:.4g}", f"{side['right']:.4g}")
        for side in model["sides"]
    )
    return Distribution(
        description=str(model.get("description", "")),
        names=tuple(names[i] for i in shown),
        rows=tuple(rows[:STATES_SHOWN]),
        hidden=max(0, len(rows) - STATES_SHOWN),
        constant=tuple(names[i] for i, size in enumerate(sizes) if size == 1),
        sides=sides,
    )


def statement_lines(statement: Statement) -> list[Markup]:
    """The mathematics of a statement, one element for each chain of relations."""
    return [Markup(" ".join(pieces)) for pieces in mathml_pieces(statement)]  # nosec B704 # MathML of it
