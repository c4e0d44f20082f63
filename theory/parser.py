"""From text to statements: a small grammar of its own, with errors that point at the place.

    statement   := comparison (("and" | "," | ";" | new line) comparison)* [";"]
    comparison  := sum (("==" | "=" | ">=" | "<=" | ">" | "<") sum)+
                 | group "_||_" group ["|" group]          (short for I(..;..|..) == 0)
    sum         := ["+" | "-"] product (("+" | "-") product)*
    product     := factor (["*" | "/"] factor)*
    factor      := number | term | "(" sum ")"
    term        := "H" "(" group ["|" group] ")" | "I" "(" group (";" group)+ ["|" group] ")"
    group       := names | "(" names ")"
    names       := name ("," name)*

Signs of mathematics are read too: `≥ ⩾ ≧ ≤ ⩽ ≦` compare, `− – · ×` calculate, `∣` is `|`, and `⊥⊥ ⊥ ⫫ ⟂` are
`_||_`.

Numbers are kept as exact fractions: `0.1` is 1/10 and `1e-8` is 1/100000000. A product has at most one
factor that is not a number, so that every expression is linear. Two factors beside each other on one line
multiply, as in `2 H(A)`. A line may go on where it cannot be read otherwise: inside brackets, after a sign,
or before a comparison. Comparisons of 0 with 0 are left out, and a term whose factor is 0 too.

Example:
    >>> print(parse_statement("I(A;Z|C) >= (1 + 1e-1) I(A;Z)"))
    I(A;Z|C) >= 11/10 I(A;Z)
    >>> print(parse_statement("A _||_ C | X"))
    I(A;C|X) == 0
    >>> print(parse_statement("I(A;C) >= 0 >= 0"))
    I(A;C) >= 0
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from theory.errors import shown
from theory.expressions import Expression, Operator, Relation, Statement, Term

__all__ = ["ParseError", "parse_expression", "parse_statement", "parse_statements", "parse_term"]

_TOKEN = re.compile(
    r"(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<independent>_\|\|_|⊥⊥|⊥|⫫|⟂)"
    r"|(?P<name>[^\W\d](?:(?!_\|\|_)\w)*'*)"
    r"|(?P<reversed>=>|=<)"
    r"|(?P<arrow><?[-=]{1,2}>|[→⇒⟶⟹↔⇔←⟵])"
    r"|(?P<operator>==|>=|<=|≥|⩾|≧|≤|⩽|≦|=|>|<)"
    r"|(?P<symbol>[-+*/();,|−–·×⋅∣])"
)
"""One token; the name of the group is its kind."""

_OPERATORS = {"=": "==", "≥": ">=", "⩾": ">=", "≧": ">=", "≤": "<=", "⩽": "<=", "≦": "<="}
"""The standard spelling of comparisons that have several."""

_SYMBOLS = {"−": "-", "–": "-", "·": "*", "×": "*", "⋅": "*", "∣": "|"}
"""The standard spelling of symbols that have several."""

_PREMISES = "premises go into given=, edges into diagram="
"""Where what does not belong into a statement belongs."""

_RENAME = "a name is a letter, then letters, digits or underscores: rename the column"
"""What to do with a name that cannot be read."""

_NUMBERS = (
    "a statement compares entropies with each other or with 0; what follows from numbers that are known, "
    "`bounds` says with at="
)
"""What a number that stands alone is told."""

_COMPARISONS = "the comparisons are ==, >=, <=, > and <; dependence is I(A;B) > 0"
"""What a sign is told that compares or denies in another way."""

_ALONE = "variables stand in H(..) or I(..), or beside _||_; a chain X - Y - Z is X _||_ Z | Y"
"""What a variable that stands alone is told."""

_CHARACTERS = {
    **dict.fromkeys("!≠≈\u0338", _COMPARISONS),
    **dict.fromkeys("，；（）｜", "write the plain signs , ; ( ) and |"),
    "&": "write 'and' between statements",
    "∧": "write 'and' between statements",
    "∨": "a statement joins its parts by 'and', never by 'or'",
    "¬": "a statement cannot be negated",
    ":": "write ';' between the slots, as in I(A;B)",
    "[": "write round brackets, as in H(A)",
    "]": "write round brackets, as in H(A)",
    "{": "write variables without braces, as in I(A,B;C)",
    "}": "write variables without braces, as in I(A,B;C)",
    **dict.fromkeys("\\$", "write signs such as >= and not LaTeX"),
    "^": "a statement is linear in H(..) and I(..)",
    "∅": "leave out what is empty",
    "′": "write a prime as '",
    "'": "write names without quotes",
    '"': "write names without quotes",
    ".": _RENAME,
}
"""What to write in place of a character that the grammar has not."""

_WORDS = {
    "or": "a statement joins its parts by 'and', never by 'or'",
    "not": "a statement cannot be negated",
    **dict.fromkeys(("if", "given", "when", "where", "with", "implies", "then"), _PREMISES),
    **dict.fromkeys(("min", "max"), "write a comparison for each, joined by 'and'"),
    **dict.fromkeys(("log", "ln", "log2", "sqrt", "exp"), _NUMBERS),
}
"""What to write in place of a word that the grammar has not."""

_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""The characters that end a line."""

_MAX_NUMBER_LENGTH = 1000
"""The most characters of a number: Python refuses to print integers beyond 4300 digits."""

_MAX_BITS = 3000
"""The most bits of a coefficient's numerator or denominator: about 900 digits, which parse back."""

_MAX_EXPONENT = 300
"""The largest exponent of a number, positive or negative, close to the range of doubles."""

_MAX_NESTING = 100
"""The most brackets inside each other: each takes a few of Python's thousand nested calls."""


class ParseError(ValueError):
    """A text that is not a statement; the message quotes its line and points at the place.

    Args:
        text: What was passed.
        position: Where in the text the trouble starts, from 0.
        reason: What was found and what was expected.
    """

    def __init__(self, text: str, position: int, reason: str) -> None:
        self.text = text
        self.position = position
        self.reason = reason
        before = f"{text[:position]}^".splitlines()[-1][:-1]
        after = f"^{text[position:]}".splitlines()[0][1:]
        pointer = " " * len(before) + "^"
        super().__init__(f"cannot parse at position {position}: {reason}\n  {before}{after}\n  {pointer}")

    def __reduce__(self) -> tuple[type[ParseError], tuple[str, int, str]]:
        """All arguments, so that it reaches another process as it is."""
        return type(self), (self.text, self.position, self.reason)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int
    new_line: bool = False


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
    result: list[_Token] = []
    position, new_line = 0, False
    while position < len(text):
        if text[position].isspace():
            new_line = new_line or (text[position] in _LINE_ENDS and bool(result))
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            mark = unicodedata.combining(text[position])
            hint = _CHARACTERS.get(text[position], _RENAME if mark else None)
            raise ParseError(
                text, position, f"unexpected character {text[position]!r}{f': {hint}' if hint else ''}"
            )
        kind, found = str(match.lastgroup), match.group()
        if kind == "reversed":
            more = f"; {_PREMISES}" if found == "=>" else ""
            raise ParseError(text, position, f"{found!r} is written {found[::-1]!r}{more}")
        if kind == "arrow":
            raise ParseError(text, position, f"{found!r} is no part of a statement: {_PREMISES}")
        result.append(_Token(kind, _SYMBOLS.get(found, found), position, new_line))
        position, new_line = match.end(), False
    return [*result, _Token("end", "", len(text))]


class _Parser:
    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a statement must be a string, got {type(text).__name__}: {shown(text)}")
        self.text = text
        self.tokens = _tokens(text)
        self.index = 0
        self.nesting = 0
        self.compared = False

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def fail(self, reason: str, token: _Token | None = None) -> ParseError:
        return ParseError(self.text, (token or self.token).position, reason)

    def found(self) -> str:
        if self.token.kind == "end":
            return "the text ends"
        hint = _WORDS.get(self.token.text)
        return f"found {self.token.text!r}" + (f": {hint}" if hint else "")

    def accept(self, *texts: str) -> bool:
        if self.token.text in texts and self.token.kind in ("symbol", "name"):
            self.index += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.fail(f"expected {text!r}, {self.found()}")

    def end(self, hint: str = "") -> None:
        if self.token.kind != "end":
            raise self.fail(f"expected the end of the text, {self.found()}{hint}")

    def end_of_one(self) -> None:
        """The end of a term or an expression, where there is neither a comparison nor another one."""
        several = self.token.text in (",", ";", "and")
        compared = ": a value is asked for, not a comparison" if self.token.kind == "operator" else ""
        self.end(": pass several as a list" if several else compared)

    def names(self, *, inside: bool = False) -> tuple[str, ...]:
        """Names with commas between them; `inside` brackets a sign cannot follow."""
        names: list[str] = []
        while True:
            if self.token.kind != "name":
                more = f" ({_RENAME})" if self.token.kind == "number" else ""
                raise self.fail(f"expected a variable name, {self.found()}{more}")
            names.append(self.token.text)
            self.index += 1
            if self.cuts_a_name(inside):
                raise self.fail(f"expected ',', {self.found()} ({_RENAME})")
            if self.starts_term(self.index + 1) or not self.accept(","):
                return tuple(dict.fromkeys(names))

    def cuts_a_name(self, inside: bool) -> bool:
        """Whether what follows a name looks like more of it: `my label`, `c.1`, `my-label`."""
        if self.token.new_line and not inside:
            return False
        if self.token.kind == "name":
            return self.token.text != "and" and self.token.text not in _WORDS
        return self.token.kind == "number" or (inside and self.token.text in ("-", "*", "/", "+"))

    def group(self, *, inside: bool = False) -> tuple[str, ...]:
        """Names, which may stand in brackets."""
        if not self.accept("("):
            return self.names(inside=inside)
        names = self.names(inside=True)
        self.expect(")")
        return names

    def starts_term(self, index: int) -> bool:
        """Whether `H(` or `I(` follows: the comma before it separates statements, not variables."""
        after = self.tokens[index : index + 2]
        return [t.text for t in after] in (["H", "("], ["I", "("])

    def term(self) -> Term:
        head = self.token
        if head.text not in ("H", "I"):
            alone = head.kind == "name" and head.text != "and" and head.text not in _WORDS
            hint = f": {_ALONE}" if alone and self.tokens[self.index + 1].text != "(" else ""
            raise self.fail(f"expected H(..) or I(..), {self.found()}{hint}")
        self.index += 1
        self.expect("(")
        groups = [self.group(inside=True)]
        while self.accept(";"):
            groups.append(self.group(inside=True))
        given = self.group(inside=True) if self.accept("|") else ()
        closing = self.token
        if closing.kind == "operator":
            raise self.fail(f"expected ')', {self.found()}: variables stand there, never their values")
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
        absolute = ": write |x| <= y as -y <= x <= y" if self.token.text == "|" else ""
        raise self.fail(f"expected a number, H(..) or I(..), {self.found()}{absolute}")

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
            elif self.accept("*") or self.multiplies():
                other = self.factor()
                if not value.is_constant and not other.is_constant:
                    raise self.fail("a product of two information quantities is not linear", start)
                value = other.scaled(value.constant) if value.is_constant else value.scaled(other.constant)
            else:
                return value

    def multiplies(self) -> bool:
        """Whether a factor follows with no sign before it: beside the last one, not on a line of its own."""
        beside = bool(self.nesting) or not self.token.new_line
        return beside and (self.token.kind == "number" or self.token.text in ("(", "H", "I"))

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
            if self.token.text in ("+", "-") and self.token.new_line and self.compared and not self.nesting:
                raise self.fail(
                    "a line that begins with a sign may go on or begin anew: end the line before with the "
                    "sign, or write 'and' between statements"
                )
            if not self.accept("+", "-"):
                return _Linear(constant, Expression(tuple(summands)))

    def expression(self) -> Expression:
        start = self.token
        value = self.sum()
        if value.constant:
            raise self.fail(
                f"the constant {value.constant} is not an information quantity: {_NUMBERS}", start
            )
        return value.expression

    def independence(self) -> tuple[Relation, ...]:
        groups = [self.group()]
        while self.token.kind == "independent":
            self.index += 1
            groups.append(self.group())
        if len(groups) != 2:
            raise self.fail(
                "expected two sides of '_||_'; all of A, B, C are independent where "
                "H(A,B,C) == H(A) + H(B) + H(C)"
            )
        given = self.group() if self.accept("|") else ()
        term = Term(tuple(groups), given)
        return (Relation(Expression(((Fraction(1), term),)), "==", Expression()),)

    def comparison(self) -> tuple[Relation, ...]:
        if self.is_independence():
            return self.independence()
        start = self.token
        self.compared = False
        sides, operators = [self.expression()], []
        while self.token.kind == "operator":
            operators.append(cast(Operator, _OPERATORS.get(self.token.text, self.token.text)))
            self.index += 1
            self.compared = True
            sides.append(self.expression())
        if not operators:
            raise self.fail(f"expected a comparison such as '>=', {self.found()}")
        relations = tuple(Relation(*parts) for parts in zip(sides, operators, sides[1:], strict=False))
        for relation in relations:
            if relation.strict and not relation.terms:
                raise self.fail(f"{relation} is never true", start)
        return relations

    def is_independence(self) -> bool:
        """Whether the next comparison is `A,B _||_ ..` or `(A,B) _||_ ..`."""
        index = self.index
        bracketed = self.tokens[index].text == "("
        index += bracketed
        while self.tokens[index].kind == "name" or self.tokens[index].text == ",":
            index += 1
        if bracketed and self.tokens[index].text == ")":
            index += 1
        return self.tokens[index].kind == "independent"

    def statement(self) -> Statement:
        start = self.token
        relations = list(self.comparison())
        while self.accept("and", ",", ";") or self.token.new_line:
            if self.token.kind == "end" and self.tokens[self.index - 1].text == ";":
                break
            relations.extend(self.comparison())
        self.end()
        compared = tuple(relation for relation in relations if relation.terms)
        if not compared:
            written = any(self.starts_term(i) for i in range(len(self.tokens)))
            zero = " whose factor is not 0" if written else ""
            raise self.fail(f"a statement needs at least one H(..) or I(..){zero}", start)
        return Statement(compared)


def parse_statement(text: str | Statement | Relation) -> Statement:
    """Parse a statement such as `"I(A;Z|C) >= I(A;Z)"`; a Statement passes through, and so does a Relation.

    Raises:
        ParseError: If the text is not in the grammar above; the message quotes it and points at the place.
        TypeError: If it is not a string.
    """
    if isinstance(text, Relation):
        return Statement((text,))
    return text if isinstance(text, Statement) else _Parser(text).statement()


def parse_statements(
    given: str | Statement | Relation | Sequence[str | Statement | Relation],
) -> tuple[Statement, ...]:
    """One or several statements, or their texts.

    Raises:
        ParseError: If a text is not a statement.
        TypeError: If one is neither.
    """
    if isinstance(given, str | Statement | Relation):
        return (parse_statement(given),)
    if not isinstance(given, Iterable):
        raise TypeError(f"given must be a statement or several, got {shown(given)}")
    return tuple(parse_statement(text) for text in given)


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
    parser.end_of_one()
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
    parser.end_of_one()
    return value
