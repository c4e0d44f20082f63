"""Statements as presentation MathML, which browsers show without any script.

Example:
    >>> from theory import parse_expression
    >>> mathml(parse_expression("0"))
    '<math alttext="0"><mrow><mn>0</mn></mrow></math>'
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from html import escape

from theory.expressions import Expression, Relation, Statement, Term

__all__ = ["mathml", "mathml_lines", "mathml_pieces"]

_OPERATORS = {"==": "=", ">=": "≥", "<=": "≤", ">": ">", "<": "<"}
"""The comparisons as a page shows them."""

_OPEN, _CLOSE = '<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>'
"""Brackets that do not grow with what they hold."""


def mathml(node: Term | Expression | Relation | Statement) -> str:
    """One `<math>` element; its `alttext` is the text that parses back to the node.

    Raises:
        TypeError: If the node is none of the four kinds.
    """
    if not isinstance(node, Term | Expression | Relation | Statement):
        raise TypeError(f"mathml needs a Term, Expression, Relation or Statement, got {node!r}")
    return _wrap(str(node), _body(node))


def mathml_lines(statement: Statement) -> list[str]:
    """One `<math>` element for each chain of a conjunction, so that a narrow page can stack them."""
    return [mathml(Statement(chain)) for chain in _chains(statement)]


def mathml_pieces(statement: Statement) -> list[list[str]]:
    """For each chain of a conjunction its pieces, between which a line may break.

    A piece is a term with the sign or the comparison in front of it; browsers do not break inside MathML.
    """
    return [list(_pieces(chain)) for chain in _chains(statement)]


def _pieces(relations: tuple[Relation, ...]) -> Iterator[str]:
    yield from _summands(relations[0].left, "")
    for relation in relations:
        yield from _summands(relation.right, relation.operator)


def _summands(expression: Expression, operator: str) -> Iterator[str]:
    front = _operator(operator).replace("<mo>", '<mo form="infix">') if operator else ""
    if not expression.summands:
        yield _wrap(f"{operator} 0".strip(), _row(f"{front}<mn>0</mn>"))
    for i, (coefficient, term) in enumerate(expression.summands):
        signed = i > 0 or coefficient < 0
        sign = ("-" if coefficient < 0 else "+") if signed else ""
        size = "" if abs(coefficient) == 1 else f"{abs(coefficient)} "
        text = f"{operator} {sign}{' ' if i else ''}{size}{term}".strip()
        yield _wrap(text, _row(front + _summand(coefficient, term, signed=signed, first=i == 0)))
        front, operator = "", ""


def _wrap(text: str, body: str) -> str:
    return f'<math alttext="{escape(text)}">{body}</math>'


def _body(node: Term | Expression | Relation | Statement) -> str:
    if isinstance(node, Term):
        return _term(node)
    if isinstance(node, Expression):
        return _row(_expression(node))
    if isinstance(node, Relation):
        return _row(_relation(node))
    return _row('<mspace width="0.6em"/><mo>∧</mo><mspace width="0.6em"/>'.join(map(_chain, _chains(node))))


def _row(body: str) -> str:
    return f"<mrow>{body}</mrow>"


def _chains(statement: Statement) -> Iterator[tuple[Relation, ...]]:
    """Runs of relations in which each begins with the expression that the one before ended with."""
    run: tuple[Relation, ...] = ()
    for relation in statement:
        if run and (run[-1].right != relation.left or not relation.left.summands):
            yield run
            run = ()
        run = (*run, relation)
    yield run


def _chain(relations: tuple[Relation, ...]) -> str:
    first, *rest = relations
    tail = "".join(_operator(r.operator) + _expression(r.right) for r in rest)
    return _relation(first) + tail


def _relation(relation: Relation) -> str:
    return _expression(relation.left) + _operator(relation.operator) + _expression(relation.right)


def _operator(operator: str) -> str:
    return f"<mo>{escape(_OPERATORS[operator])}</mo>"


def _expression(expression: Expression) -> str:
    parts = [
        _summand(coefficient, term, signed=i > 0 or coefficient < 0, first=i == 0)
        for i, (coefficient, term) in enumerate(expression.summands)
    ]
    return "".join(parts) or "<mn>0</mn>"


def _summand(coefficient: Fraction, term: Term, *, signed: bool, first: bool) -> str:
    sign = ""
    if signed:
        form = "prefix" if first else "infix"
        sign = f'<mo form="{form}">{"−" if coefficient < 0 else "+"}</mo>'
    size = "" if abs(coefficient) == 1 else _number(abs(coefficient)) + '<mspace width="0.17em"/>'
    return sign + size + _term(term)


def _number(value: Fraction) -> str:
    if value.denominator == 1:
        return f"<mn>{value.numerator}</mn>"
    return f"<mfrac><mn>{value.numerator}</mn><mn>{value.denominator}</mn></mfrac>"


def _term(term: Term) -> str:
    slots = '<mo separator="true">;</mo>'.join(map(_names, term.groups))
    bar = f'<mo lspace="0.25em" rspace="0.25em">|</mo>{_names(term.given)}' if term.given else ""
    return _row(f"<mi>{term.symbol}</mi>{_OPEN}{slots}{bar}{_CLOSE}")


def _names(group: tuple[str, ...]) -> str:
    return '<mo separator="true">,</mo>'.join(map(_name, group))


def _name(name: str) -> str:
    stem = name.rstrip("'")
    primes = "′" * (len(name) - len(stem))
    if stem[0].isalpha() and stem[1:].isdigit():
        base = f"<msub><mi>{escape(stem[0])}</mi><mn>{stem[1:]}</mn></msub>"
    else:
        base = f"<mi>{escape(stem)}</mi>"
    return f"<msup>{base}<mo>{primes}</mo></msup>" if primes else base
