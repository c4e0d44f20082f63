"""The language of statements: terms, linear expressions and relations between them.

A `Term` is one information quantity, an `Expression` a rational combination of terms, a `Relation`
compares two expressions, and a `Statement` is a conjunction of relations. All are immutable, print as
the text that parses back to them, and reduce to one canonical form: a mapping from sets of variables
to the rational coefficient of their joint entropy. Two expressions are the same quantity for every
distribution exactly when these mappings are equal (Yeung 2008, "Information Theory and Network
Coding", section 13.2).

Example:
    >>> from theory import parse_expression
    >>> gain = parse_expression("I(A;Z|C) - I(A;Z)")
    >>> same = parse_expression("I(A;C|Z) - I(A;C)")
    >>> gain.entropies() == same.entropies()
    True
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from numbers import Rational
from typing import Literal

from theory.errors import TooLargeError, shown

__all__ = [
    "LATEX_OPERATORS",
    "Entropies",
    "Expression",
    "GapOperator",
    "Operator",
    "Relation",
    "Statement",
    "Term",
    "latex_name",
]

Entropies = Mapping[frozenset[str], Fraction]
"""Canonical form: the coefficient of H(set) for each set of variables, none of them zero."""

Operator = Literal["==", ">=", "<=", ">", "<"]
"""The comparisons that a relation may make."""

GapOperator = Literal["==", ">=", ">"]
"""The comparisons of a gap with zero."""

_GAP_OPERATORS: dict[Operator, GapOperator] = {"==": "==", ">=": ">=", "<=": ">=", ">": ">", "<": ">"}
"""How the gap, the larger side minus the smaller, compares with zero."""

MOST_ENTROPIES = 2**16
"""The largest number of joint entropies that one term may be a sum of."""

LATEX_OPERATORS = {"==": "=", ">=": r"\ge", "<=": r"\le", ">": ">", "<": "<"}
"""The comparisons in LaTeX."""


def latex_name(name: str) -> str:
    """A variable's name in LaTeX: X1 gets an index, longer names are set upright."""
    if len(name) == 1:
        return name
    if name[0].isalpha() and name[1:].isdigit():
        return f"{name[0]}_{{{name[1:]}}}"
    return r"\mathrm{" + name.replace("_", r"\_") + "}"


def _collect(pairs: Iterable[tuple[frozenset[str], Fraction]]) -> dict[frozenset[str], Fraction]:
    total: dict[frozenset[str], Fraction] = {}
    for subset, coefficient in pairs:
        if subset:
            known = total.get(subset)
            total[subset] = coefficient if known is None else known + coefficient
    return {subset: c for subset, c in total.items() if c}


@lru_cache(maxsize=4096)
def _of_term(
    groups: tuple[tuple[str, ...], ...], given: tuple[str, ...]
) -> tuple[tuple[frozenset[str], Fraction], ...]:
    """The canonical form of a term, see `Term.entropies`."""
    unions: dict[frozenset[str], int] = {frozenset(given): 1}  # the product over the groups of (1 - e_group)
    for group in groups:
        if 2 * len(unions) > MOST_ENTROPIES:
            raise TooLargeError(
                f"a co-information of {len(groups)} slots is a sum of up to "
                f"2^{len(groups)} joint entropies, more than {MOST_ENTROPIES:,}: write fewer slots"
            )
        joined = dict(unions)
        for subset, coefficient in unions.items():
            union = subset.union(group)
            joined[union] = joined.get(union, 0) - coefficient
        unions = {subset: coefficient for subset, coefficient in joined.items() if coefficient}
    return tuple((subset, Fraction(-c)) for subset, c in unions.items() if subset)


def _is_summand(pair: object) -> bool:
    return (
        isinstance(pair, tuple)
        and len(pair) == 2
        and isinstance(pair[0], Rational)
        and isinstance(pair[1], Term)
    )


@dataclass(frozen=True)
class Term:
    r"""One information quantity, `H(X|W)`, `I(X;Y|W)` or the co-information `I(X;Y;..|W)`.

    All three are one formula over the non-empty collections T of the groups,

        I(X_1; ..; X_k | W) = sum_T (-1)^(|T|+1) [H(X_T, W) - H(W)],

    which for one group is the entropy and for two the mutual information.

    Args:
        groups: The variables between the semicolons, one tuple for each slot.
        given: The variables behind the bar.

    Raises:
        TypeError: If they are no tuples.
        ValueError: If there is no group or a group is empty.
    """

    groups: tuple[tuple[str, ...], ...]
    given: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        slots: object = self.groups
        if not isinstance(slots, tuple) or not all(isinstance(slot, tuple) for slot in (*slots, self.given)):
            raise TypeError(
                "a term is made of tuples, as in Term((('A',), ('B',)), ('C',)), got "
                f"{shown(slots)} and {shown(self.given)}; parse_term reads text"
            )
        if not self.groups or any(not group for group in self.groups):
            raise ValueError(f"a term needs at least one variable in every slot, got groups={self.groups!r}")

    @property
    def symbol(self) -> str:
        """`H` for one group, `I` for several."""
        return "H" if len(self.groups) == 1 else "I"

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable named, once each, in the order of first appearance."""
        return tuple(dict.fromkeys(v for group in (*self.groups, self.given) for v in group))

    def entropies(self) -> dict[frozenset[str], Fraction]:
        """The canonical form: coefficients of joint entropies.

        The sum over T is a product, sum_T (-1)^|T| e_(X_T) = prod_i (1 - e_(X_i)) with e_S e_T = e_(S u T),
        so that a slot that comes twice, or one that is part of another, costs nothing.

        Raises:
            TooLargeError: If there would be more than `MOST_ENTROPIES` joint entropies.
        """
        return dict(_of_term(self.groups, self.given))

    def replace(self, names: Mapping[str, str]) -> Term:
        """The same term with variables renamed; names that are not in the mapping stay."""

        def renamed(variables: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(names.get(v, v) for v in variables))

        return Term(tuple(renamed(group) for group in self.groups), renamed(self.given))

    def __str__(self) -> str:
        body = ";".join(",".join(group) for group in self.groups)
        return f"{self.symbol}({body}|{','.join(self.given)})" if self.given else f"{self.symbol}({body})"

    def latex(self) -> str:
        """The term in LaTeX, without dollar signs."""
        body = "; ".join(", ".join(map(latex_name, group)) for group in self.groups)
        bar = r" \mid " + ", ".join(map(latex_name, self.given)) if self.given else ""
        return f"{self.symbol}({body}{bar})"


@dataclass(frozen=True)
class Expression:
    """A linear combination of terms with rational coefficients, in the order it was written.

    Args:
        summands: Pairs of a coefficient and a term, without those whose coefficient is 0; the empty tuple is
            zero.

    Raises:
        TypeError: If they are no such pairs.
    """

    summands: tuple[tuple[Fraction, Term], ...] = ()

    def __post_init__(self) -> None:
        pairs: object = self.summands
        if not isinstance(pairs, tuple) or not all(map(_is_summand, pairs)):
            raise TypeError(
                f"an expression is made of pairs of a number and a Term, got {shown(pairs)}; "
                "parse_expression reads text"
            )
        if not all(coefficient for coefficient, _ in self.summands):
            object.__setattr__(self, "summands", tuple(pair for pair in self.summands if pair[0]))

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms, once each, in the order of first appearance."""
        return tuple(dict.fromkeys(term for _, term in self.summands))

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable named, once each, in the order of first appearance."""
        return tuple(dict.fromkeys(v for term in self.terms for v in term.variables))

    def entropies(self) -> dict[frozenset[str], Fraction]:
        """The canonical form: coefficients of joint entropies."""
        return _collect(
            (subset, k if plain else c * k)
            for c, term, plain in ((c, term, c == 1) for c, term in self.summands)
            for subset, k in _of_term(term.groups, term.given)
        )

    def replace(self, names: Mapping[str, str]) -> Expression:
        """The same expression with variables renamed."""
        return Expression(tuple((c, term.replace(names)) for c, term in self.summands))

    def __add__(self, other: Expression) -> Expression:
        return Expression(self.summands + other.summands)

    def __neg__(self) -> Expression:
        return Fraction(-1) * self

    def __sub__(self, other: Expression) -> Expression:
        return self + -other

    def __rmul__(self, factor: Fraction | int) -> Expression:
        scale = Fraction(factor)
        return Expression(tuple((scale * c, term) for c, term in self.summands if scale * c))

    def _joined(self, show_term: bool) -> str:
        parts: list[str] = []
        for coefficient, term in self.summands:
            sign = ("-" if coefficient < 0 else "") if not parts else (" - " if coefficient < 0 else " + ")
            size = abs(coefficient)
            if show_term:
                factor = "" if size == 1 else f"{size} "
                parts.append(f"{sign}{factor}{term}")
            else:
                whole = size.denominator == 1
                number = str(size) if whole else rf"\tfrac{{{size.numerator}}}{{{size.denominator}}}"
                parts.append(f"{sign}{'' if size == 1 else number + ' '}{term.latex()}")
        return "".join(parts) or "0"

    def __str__(self) -> str:
        return self._joined(show_term=True)

    def latex(self) -> str:
        """The expression in LaTeX, without dollar signs."""
        return self._joined(show_term=False)


@dataclass(frozen=True)
class Relation:
    """A comparison of two expressions, `left operator right`.

    Args:
        left: The left side.
        operator: One of `==`, `>=`, `<=`, `>` and `<`.
        right: The right side.

    Raises:
        TypeError: If a side is no Expression.
        ValueError: If the operator is none of these.
    """

    left: Expression
    operator: Operator
    right: Expression

    def __post_init__(self) -> None:
        for side in (self.left, self.right):
            if not isinstance(side, Expression):
                raise TypeError(
                    f"a relation compares Expressions, got {shown(side)}; parse_expression reads text"
                )
        if self.operator not in _GAP_OPERATORS:
            raise ValueError(f"operator must be one of ==, >=, <=, > and <, got {shown(self.operator)}")

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable named, once each, in the order of first appearance."""
        return tuple(dict.fromkeys(self.left.variables + self.right.variables))

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of both sides, once each."""
        return tuple(dict.fromkeys(self.left.terms + self.right.terms))

    @property
    def gap(self) -> Expression:
        """The larger side minus the smaller: the relation says that it is `>= 0`, `> 0` or `== 0`."""
        return self.right - self.left if self.operator in ("<=", "<") else self.left - self.right

    @property
    def gap_operator(self) -> GapOperator:
        """How the gap compares with zero."""
        return _GAP_OPERATORS[self.operator]

    @property
    def strict(self) -> bool:
        """Whether the relation is `>` or `<`."""
        return self.operator in (">", "<")

    def replace(self, names: Mapping[str, str]) -> Relation:
        """The same relation with variables renamed."""
        return Relation(self.left.replace(names), self.operator, self.right.replace(names))

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"

    def latex(self) -> str:
        """The relation in LaTeX, without dollar signs."""
        return f"{self.left.latex()} {LATEX_OPERATORS[self.operator]} {self.right.latex()}"


@dataclass(frozen=True)
class Statement:
    """A conjunction of relations; `a >= b >= c` is the conjunction of `a >= b` and `b >= c`.

    Args:
        relations: At least one relation.

    Raises:
        TypeError: If they are no tuple of Relations.
        ValueError: If there is no relation, or one compares 0 with 0.
    """

    relations: tuple[Relation, ...]

    def __post_init__(self) -> None:
        held: object = self.relations
        if not isinstance(held, tuple) or not all(isinstance(relation, Relation) for relation in held):
            raise TypeError(
                f"a statement is made of a tuple of Relations, got {shown(held)}; parse_statement reads text"
            )
        if not self.relations:
            raise ValueError("a statement needs at least one relation, got none")
        for relation in self.relations:
            if not (relation.left.summands or relation.right.summands):
                raise ValueError(f"a relation needs at least one H(..) or I(..), got {relation}")

    def __iter__(self) -> Iterator[Relation]:
        return iter(self.relations)

    def __len__(self) -> int:
        return len(self.relations)

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable named, once each, in the order of first appearance."""
        return tuple(dict.fromkeys(v for relation in self for v in relation.variables))

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of all relations, once each."""
        return tuple(dict.fromkeys(t for relation in self for t in relation.terms))

    def replace(self, names: Mapping[str, str]) -> Statement:
        """The same statement with variables renamed."""
        return Statement(tuple(relation.replace(names) for relation in self))

    def _chained(self, latex: bool) -> str:
        def show(part: Expression | Relation) -> str:
            return part.latex() if latex else str(part)

        text = ""
        previous: Relation | None = None
        for relation in self:
            operator = LATEX_OPERATORS[relation.operator] if latex else relation.operator
            if previous is not None and previous.right == relation.left and relation.left.summands:
                text += f" {operator} {show(relation.right)}"
            else:
                text += ((r" \;\wedge\; " if latex else " and ") if text else "") + show(relation)
            previous = relation
        return text

    def __str__(self) -> str:
        return self._chained(latex=False)

    def latex(self) -> str:
        """The statement in LaTeX, without dollar signs."""
        return self._chained(latex=True)
