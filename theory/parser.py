"""From text to statements: a small grammar of its own, with errors that point at the place.

    statement   := comparison (("and" | ",") comparison)*
    comparison  := sum (("==" | "=" | ">=" | "<=" | ">" | "<") sum)+
                 | names "_||_" names ["|" names]          (short for I(..;..|..) == 0)
    sum         := ["+" | "-"] product (("+" | "-") product)*
    product     := factor (["*" | "/"] factor)*
    factor      := number | term | "(" sum ")"
    term        := "H" "(" names ["|" names] ")" | "I" "(" names (";" names)+ ["|" names] ")"
    names       := name ("," name)*

Numbers are kept as exact fractions: `0.1` is 1/10 and `1e-8` is 1/100000000. A product has at most one
factor that is not a number, so that every expression is linear.

Example:
    >>> print(parse_statement("I(A;Z|C) >= (1 + 1e-1) I(A;Z)"))
    I(A;Z|C) >= 11/10 I(A;Z)
    >>> print(parse_statement("A _||_ C | X"))
    I(A;C|X) == 0
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from theory.expressions import Expression, Operator, Relation, Statement, Term

__all__ = ["ParseError", "parse_expression", "parse_statement", "parse_statements", "parse_term"]

_TOKEN = re.compile(
    r"(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<independent>_\|\|_|⊥⊥|⟂)"
    r"|(?P<name>[^\W\d]\w*'*)"
    r"|(?P<reversed>=>|=<)"
    r"|(?P<operator>==|>=|<=|≥|≤|=|>|<)"
    r"|(?P<symbol>[-+*/();,|])"
)
"""One token; the name of the group is its kind."""

_OPERATORS = {"=": "==", "≥": ">=", "≤": "<="}
"""The standard spelling of comparisons that have several."""

_MAX_NUMBER_LENGTH = 1000
"""The most characters of a number: Python refuses to print integers beyond 4300 digits."""

_MAX_BITS = 3000
"""The most bits of a coefficient's numerator or denominator: about 900 digits, which parse back."""

_MAX_EXPONENT = 300
"""The largest exponent of a number, positive or negative, close to the range of doubles."""

_MAX_NESTING = 100
"""The most brackets inside each other: each takes a few of Python's thousand nested calls."""


class ParseError(ValueError):
    """A text that is not a statement; the message quotes it and points at the place.

    Args:
        text: What was passed.
        position: Where in the text the trouble starts, from 0.
        reason: What was found and what was expected.
    """

    def __init__(self, text: str, position: int, reason: str) -> None:
        self.text = text
        self.position = position
        self.reason = reason
        pointer = " " * position + "^"
        super().__init__(f"cannot parse at position {position}: {reason}\n  {text}\n  {pointer}")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True)
class _Linear:
    """A value while parsing: a constant plus a linear expression."""

    constant: Fraction
    expression: Expression

    @property
    def is_constant(self) -> bool:
        return not self.expression.summands

    def scaled(self, factor: Fraction) -> _Linear:
        return _Linear(self.constant * factor, factor * self.expression)


def _tokens(text: str) -> list[_Token]:
    result, position = [], 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise ParseError(text, position, f"unexpected character {text[position]!r}")
        if match.lastgroup == "reversed":
            raise ParseError(text, position, f"{match.group()!r} is written {match.group()[::-1]!r}")
        result.append(_Token(str(match.lastgroup), match.group(), position))
        position = match.end()
    return [*result, _Token("end", "", len(text))]


class _Parser:
    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a statement must be a string, got {type(text).__name__}: {text!r}")
        self.text = text
        self.tokens = _tokens(text)
        self.index = 0
        self.nesting = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def fail(self, reason: str, token: _Token | None = None) -> ParseError:
        return ParseError(self.text, (token or self.token).position, reason)

    def found(self) -> str:
        return f"found {self.token.text!r}" if self.token.kind != "end" else "the text ends"

    def accept(self, *texts: str) -> bool:
        if self.token.text in texts and self.token.kind in ("symbol", "name"):
            self.index += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.fail(f"expected {text!r}, {self.found()}")

    def end(self) -> None:
        if self.token.kind != "end":
            raise self.fail(f"expected the end of the text, {self.found()}")

    def names(self) -> tuple[str, ...]:
        names: list[str] = []
        while True:
            if self.token.kind != "name":
                raise self.fail(f"expected a variable name, {self.found()}")
            names.append(self.token.text)
            self.index += 1
            if self.starts_term(self.index + 1) or not self.accept(","):
                return tuple(dict.fromkeys(names))

    def starts_term(self, index: int) -> bool:
        """Whether `H(` or `I(` follows: the comma before it separates statements, not variables."""
        after = self.tokens[index : index + 2]
        return [t.text for t in after] in (["H", "("], ["I", "("])

    def term(self) -> Term:
        head = self.token
        if head.text not in ("H", "I"):
            raise self.fail(f"expected H(..) or I(..), {self.found()}")
        self.index += 1
        self.expect("(")
        groups = [self.names()]
        while self.accept(";"):
            groups.append(self.names())
        given = self.names() if self.accept("|") else ()
        closing = self.token
        self.expect(")")
        if head.text == "H" and len(groups) > 1:
            raise self.fail("H takes one slot; use I(..;..) for several, or commas for a joint entropy", head)
        if head.text == "I" and len(groups) == 1:
            raise self.fail("I needs at least two slots separated by ';'", closing)
        return Term(tuple(groups), given)

    def number(self) -> Fraction:
        token = self.token
        _, _, exponent = token.text.lower().partition("e")
        if len(token.text) > _MAX_NUMBER_LENGTH or (exponent and abs(int(exponent)) > _MAX_EXPONENT):
            raise self.fail(
                f"a number may have {_MAX_NUMBER_LENGTH} characters and an exponent up to {_MAX_EXPONENT}"
            )
        self.index += 1
        return Fraction(token.text)

    def factor(self) -> _Linear:
        if self.token.kind == "number":
            return _Linear(self.number(), Expression())
        if self.token.text == "(":
            if self.nesting == _MAX_NESTING:
                raise self.fail(f"brackets may be nested {_MAX_NESTING} deep")
            self.index += 1
            self.nesting += 1
            inner = self.sum()
            self.nesting -= 1
            self.expect(")")
            return inner
        if self.token.kind == "name":
            return _Linear(Fraction(0), Expression(((Fraction(1), self.term()),)))
        raise self.fail(f"expected a number, H(..) or I(..), {self.found()}")

    def bounded(self, value: _Linear, start: _Token) -> _Linear:
        """The value, unless a coefficient has grown so large that it would not print and parse back."""
        numbers = (value.constant, *(c for c, _ in value.expression.summands))
        if any(max(c.numerator.bit_length(), c.denominator.bit_length()) > _MAX_BITS for c in numbers):
            raise self.fail("a coefficient may have about 900 digits", start)
        return value

    def product(self) -> _Linear:
        start = self.token
        return self.bounded(self.unbounded_product(), start)

    def unbounded_product(self) -> _Linear:
        value = self.factor()
        while True:
            start = self.token
            if self.accept("/"):
                divisor = self.factor()
                if not divisor.is_constant or not divisor.constant:
                    raise self.fail("can only divide by a number other than 0", start)
                value = value.scaled(1 / divisor.constant)
            elif self.accept("*") or self.token.kind == "number" or self.token.text in ("(", "H", "I"):
                other = self.factor()
                if not value.is_constant and not other.is_constant:
                    raise self.fail("a product of two information quantities is not linear", start)
                value = other.scaled(value.constant) if value.is_constant else value.scaled(other.constant)
            else:
                return value

    def sum(self) -> _Linear:
        constant = Fraction(0)
        summands: list[tuple[Fraction, Term]] = []
        negative = self.accept("-")
        if not negative:
            self.accept("+")
        while True:
            value = self.product()
            signed = value.scaled(Fraction(-1)) if negative else value
            summands += signed.expression.summands
            constant = self.bounded(_Linear(constant + signed.constant, Expression()), self.token).constant
            negative = self.token.text == "-"
            if not self.accept("+", "-"):
                return _Linear(constant, Expression(tuple(summands)))

    def expression(self) -> Expression:
        start = self.token
        value = self.sum()
        if value.constant:
            raise self.fail(
                f"the constant {value.constant} is not an information quantity; only 0 may stand alone", start
            )
        return value.expression

    def independence(self) -> tuple[Relation, ...]:
        groups = [self.names()]
        while self.token.kind == "independent":
            self.index += 1
            groups.append(self.names())
        if len(groups) != 2:
            raise self.fail("expected two sides of '_||_'")
        given = self.names() if self.accept("|") else ()
        term = Term(tuple(groups), given)
        return (Relation(Expression(((Fraction(1), term),)), "==", Expression()),)

    def comparison(self) -> tuple[Relation, ...]:
        if self.is_independence():
            return self.independence()
        start = self.token
        sides, operators = [self.expression()], []
        while self.token.kind == "operator":
            operators.append(cast(Operator, _OPERATORS.get(self.token.text, self.token.text)))
            self.index += 1
            sides.append(self.expression())
        if not operators:
            raise self.fail(f"expected a comparison such as '>=', {self.found()}")
        if not any(side.summands for side in sides):
            raise self.fail("a statement needs at least one H(..) or I(..)", start)
        return tuple(Relation(*parts) for parts in zip(sides, operators, sides[1:], strict=False))

    def is_independence(self) -> bool:
        for token in self.tokens[self.index :]:
            if token.kind == "independent":
                return True
            if token.kind != "name" and token.text != ",":
                return False
        return False

    def statement(self) -> Statement:
        relations = list(self.comparison())
        while self.accept("and", ","):
            relations.extend(self.comparison())
        self.end()
        return Statement(tuple(relations))


def parse_statement(text: str | Statement) -> Statement:
    """Parse a statement such as `"I(A;Z|C) >= I(A;Z)"`; a Statement passes through.

    Raises:
        ParseError: If the text is not in the grammar above; the message quotes it and points at the place.
        TypeError: If it is not a string.
    """
    return text if isinstance(text, Statement) else _Parser(text).statement()


def parse_statements(given: str | Statement | Sequence[str | Statement]) -> tuple[Statement, ...]:
    """One or several statements, or their texts.

    Raises:
        ParseError: If a text is not a statement.
        TypeError: If one is neither.
    """
    listed = (given,) if isinstance(given, str | Statement) else tuple(given)
    return tuple(parse_statement(text) for text in listed)


def parse_expression(text: str | Term | Expression) -> Expression:
    """Parse a linear expression such as `"I(A;Z) + I(A;C|Z)"`; an Expression or Term passes through.

    Raises:
        ParseError: If the text is not in the grammar above.
        TypeError: If it is not a string.
    """
    if isinstance(text, Expression):
        return text
    if isinstance(text, Term):
        return Expression(((Fraction(1), text),))
    parser = _Parser(text)
    value = parser.expression()
    parser.end()
    return value


def parse_term(text: str | Term) -> Term:
    """Parse one term such as `"I(A;C|X)"`; a Term passes through.

    Raises:
        ParseError: If the text is not a single term.
        TypeError: If it is not a string.
    """
    if isinstance(text, Term):
        return text
    parser = _Parser(text)
    value = parser.term()
    parser.end()
    return value
