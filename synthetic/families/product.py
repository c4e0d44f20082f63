"""Product: two independent worlds side by side, with two transformations of one input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy.typing as npt
import sympy

from synthetic.families.modular_shift import ModularShift
from synthetic.families.wrapping import (
    GeneratorForm,
    SubstitutedForm,
    fresh,
    predict_with,
    require_discrete,
    support_of,
)
from synthetic.generator import Answer, AnswerKind, FiniteGenerator, Generator
from synthetic.seeds import Streams, child_seed
from synthetic.variables import Variable
from theory import Diagram, Expression, Term, parse_expression
from theory.predictions import ClosedForm, ProductForm
from theory.support import Support

__all__ = ["Product"]

_JOINED = ("C", "X")
"""The variables that become pairs."""


@dataclass(frozen=True)
class Product(FiniteGenerator):
    """Two independent discrete families: C = (C1, C2), X = (X1, X2), transformations A and B.

    The transformation of the second factor is called B. Other variables that both factors have get a 1 or 2
    behind their name; the pairs C and X are numbered first * (states of the second) + second. Terms add:
    I(A,B;C|X) = I(A;C1|X1) + I(B;C2|X2).

    Args:
        first: The first world.
        second: The second world.

    Raises:
        ValueError: If a factor has a variable that is not discrete, or lacks A, C or X.

    Example:
        >>> both = Product(ModularShift(n=4), ModularShift(n=2))
        >>> round(both.predicted("I(A,B;C|X)"), 6), round(both.predicted("I(A;C|X)"), 6)
        (2.079442, 1.386294)
    """

    family: ClassVar[str] = "product"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    main_terms: ClassVar[tuple[str, ...]] = (
        "I(A,B;C|X)",
        "I(A;C|X)",
        "I(B;C|X)",
        "I(B;C|X,A)",
        "I(A,B;X)",
        "H(A,B|X)",
    )
    first: Generator = field(default_factory=ModularShift)
    second: Generator = field(default_factory=lambda: ModularShift(n=3))

    def __post_init__(self) -> None:
        require_discrete("first", self.first, ("A", "C", "X"))
        require_discrete("second", self.second, ("A", "C", "X"))

    @cached_property
    def names(self) -> tuple[dict[str, str], dict[str, str]]:
        """The names, here, of the variables of the first and of the second factor."""
        left = [v.name for v in self.first.variables]
        right = [v.name for v in self.second.variables]
        shared = (set(left) & set(right)) - {"A"}
        taken = {"C", "X", *left, *right}
        names: tuple[dict[str, str], dict[str, str]] = ({}, {})
        for number, (own, variables) in enumerate(zip(names, (left, right), strict=True), start=1):
            for v in variables:
                if v == "A" and number == 1:
                    own[v] = "A"
                elif v == "A":
                    own[v] = fresh("B", taken)
                elif v in shared or v in ("C", "X"):
                    own[v] = fresh(f"{v}{number}", taken)
                else:
                    own[v] = v
                taken.add(own[v])
        return names

    @property
    def diagram(self) -> Diagram:
        """The two diagrams beside each other, and the pairs C and X."""
        edges: list[tuple[str, str]] = []
        variables: list[str] = []
        deterministic = list(_JOINED)
        for base, own in zip((self.first.diagram, self.second.diagram), self.names, strict=True):
            edges += [(own[a], own[b]) for a, b in base.edges]
            variables += [own[v] for v in base.variables]
            deterministic += [own[v] for v in base.deterministic]
        edges += [(own[v], v) for own in self.names for v in _JOINED]
        return Diagram(edges, variables=[*variables, *_JOINED], deterministic=deterministic, name="product")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of both factors, and the pairs C and X."""
        result = []
        sizes = dict.fromkeys(_JOINED, 1)
        for base, own in zip((self.first, self.second), self.names, strict=True):
            for v in base.variables:
                role = "other" if v.name in _JOINED else v.role
                result.append(Variable(own[v.name], "discrete", v.cardinality, role))
                if v.name in _JOINED:
                    sizes[v.name] *= v.cardinality or 0
        return (
            *result,
            Variable("C", "discrete", sizes["C"], "class"),
            Variable("X", "discrete", sizes["X"], "input"),
        )

    def enumerate(self) -> Support:
        """The states of both factors, side by side."""
        left, right = self.names
        both = support_of(self.first).rename(left).product(support_of(self.second).rename(right))
        for v in _JOINED:
            size = both.cardinalities[right[v]]
            pair = both.column(left[v]) * size + both.column(right[v])
            both = both.with_column(v, both.cardinalities[left[v]] * size, pair)
        return both.select(tuple(v.name for v in self.variables))

    def exact(self, expression: str | Term | Expression) -> Answer:
        """The value from the states of the factors, whose entropies add; in nats.

        Raises:
            NoExactAnswerError: If a factor has too many states to enumerate.
            ValueError: If the expression names an unknown variable.
        """
        parsed = parse_expression(expression)
        known = {v.name for v in self.variables}
        for variable in parsed.variables:
            if variable not in known:
                raise ValueError(f"unknown variable {variable!r}: product has {', '.join(sorted(known))}")
        value = 0.0
        for base, own in zip((self.first, self.second), self.names, strict=True):
            support = support_of(base)
            here = {v: name for name, v in own.items()} | {v: v for v in _JOINED}
            for subset, coefficient in parsed.entropies().items():
                inside = {here[v] for v in subset if v in here}
                value += float(coefficient) * support.entropy(inside)
        return Answer(str(parsed), value)

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw both factors."""
        result: dict[str, npt.NDArray[Any]] = {}
        for base, own, part in zip((self.first, self.second), self.names, ("first", "second"), strict=True):
            rows = base.sample(n, seed=child_seed(streams.seed, part))
            result |= {own[v]: column for v, column in rows.columns.items()}
        left, right = self.names
        sizes = {v.name: v.cardinality or 0 for v in self.second.variables}
        for v in _JOINED:
            result[v] = result[left[v]] * sizes[v] + result[right[v]]
        return result

    @cached_property
    def _renamed(self) -> tuple[dict[sympy.Symbol, sympy.Symbol], dict[sympy.Symbol, sympy.Symbol]]:
        """The symbols of each factor, with a number behind those of both."""
        left, right = self.first.symbols, self.second.symbols
        shared = {s.name for s in left} & {s.name for s in right}

        def numbered(symbols: Mapping[sympy.Symbol, Any], number: int) -> dict[sympy.Symbol, sympy.Symbol]:
            return {
                s: sympy.Symbol(f"{s.name}_{number}", **s.assumptions0) for s in symbols if s.name in shared
            }

        return numbered(left, 1), numbered(right, 2)

    @cached_property
    def _form(self) -> ClosedForm:
        factors = [
            SubstitutedForm(GeneratorForm(base), symbols).rename(own)
            for base, symbols, own in zip((self.first, self.second), self._renamed, self.names, strict=True)
        ]
        return _PairForm(factors, {v: [own[v] for own in self.names] for v in _JOINED})

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form, in the symbols of the factors; symbols that both have end in _1 and _2.

        Raises:
            NoExactAnswerError: If a factor has no closed form for what is needed.
        """
        return predict_with(self._form, self, expression)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, Any]:
        """The values of the symbols of both factors."""
        result: dict[sympy.Symbol, Any] = {}
        for base, renamed in zip((self.first, self.second), self._renamed, strict=True):
            result |= {renamed.get(s, s): value for s, value in base.symbols.items()}
        return result


class _PairForm(ProductForm):
    """Independent factors with different names, and the pairs of some of their variables."""

    def __init__(self, factors: list[ClosedForm], pairs: Mapping[str, list[str]]) -> None:
        super().__init__(*factors)
        self.pairs = dict(pairs)
        self.variables = (*self.variables, *pairs)

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables), each pair written out."""
        written = frozenset(w for v in variables for w in self.pairs.get(v, [v]))
        return super().entropy(written)
