"""Watermark: a world whose input carries a mark that shows the transformation, a shortcut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sympy

from synthetic.families.erasure import behind_input
from synthetic.families.modular_shift import ModularShift
from synthetic.families.wrapping import GeneratorForm, fresh, predict_with, require_discrete, support_of
from synthetic.generator import AnswerKind, FiniteGenerator, Generator
from synthetic.seeds import Streams, child_seed
from synthetic.variables import Variable
from theory import Diagram, Expression, Term
from theory.checks import probability
from theory.predictions import ClosedForm, WatermarkedForm
from theory.predictions.closed_form import binary_entropy
from theory.predictions.watermark import strength as strength_symbol
from theory.support import Support

__all__ = ["Watermark"]


@dataclass(frozen=True)
class Watermark(FiniteGenerator):
    """Any discrete family, its input marked: with some probability the mark shows A, else it is blank.

    The clean input becomes the variable Y, the mark is M with one state more than A (the last is blank), and
    X is the pair (Y, M), numbered Y * (states of M) + M. The synergy is multiplied by one minus the strength.

    Args:
        base: The world whose input is marked.
        strength: The probability that the mark shows A, independently of everything.

    Raises:
        ValueError: If the base has a variable that is not discrete, or lacks A or X, or the strength is not a
            probability.

    Example:
        >>> clean, marked = ModularShift(n=4), Watermark(ModularShift(n=4), strength=0.25)
        >>> round(marked.predicted("I(A;C|X)") / clean.predicted("I(A;C|X)"), 6)
        0.75
    """

    family: ClassVar[str] = "watermark"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    base: Generator = field(default_factory=ModularShift)
    strength: float = 0.2

    def __post_init__(self) -> None:
        require_discrete("base", self.base)
        probability("strength", self.strength)

    @property
    def clean(self) -> str:
        """The name of the clean input."""
        return fresh("Y", (v.name for v in self.base.variables))

    @property
    def mark(self) -> str:
        """The name of the mark."""
        return fresh("M", (v.name for v in self.base.variables))

    @property
    def diagram(self) -> Diagram:
        """The diagram of the base with its input called Y; A -> M, and X is the pair of Y and M."""
        edges = [("A", self.mark), (self.clean, "X"), (self.mark, "X")]
        return behind_input(self.base.diagram, self.clean, edges, name="watermark", deterministic=True)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Those of the base, the clean input Y, the mark M, and X."""
        sizes = {v.name: v.cardinality or 0 for v in self.base.variables}
        others = tuple(v for v in self.base.variables if v.name != "X")
        marks = sizes["A"] + 1
        return (
            *others,
            Variable(self.clean, "discrete", sizes["X"]),
            Variable(self.mark, "discrete", marks),
            Variable("X", "discrete", sizes["X"] * marks, "input"),
        )

    def enumerate(self) -> Support:
        """The states of the base, each with and without the mark."""
        support = support_of(self.base).rename({"X": self.clean})
        shown = support.cardinalities["A"]
        kernel = np.hstack([self.strength * np.eye(shown), np.full((shown, 1), 1 - self.strength)])
        support = support.channel(self.mark, ("A",), kernel)
        pair = support.column(self.clean) * (shown + 1) + support.column(self.mark)
        support = support.with_column("X", support.cardinalities[self.clean] * (shown + 1), pair)
        return support.select(tuple(v.name for v in self.variables))

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw the base, and which rows show their transformation."""
        rows = self.base.sample(n, seed=child_seed(streams.seed, "base"))
        shown = rows.variables["A"].cardinality or 0
        mark = np.where(streams["mark"].random(n) < self.strength, rows["A"], shown)
        return {**rows.columns, self.clean: rows["X"], self.mark: mark, "X": rows["X"] * (shown + 1) + mark}

    @cached_property
    def _form(self) -> ClosedForm:
        g: Any = self._symbol if self._symbol is not None else self.strength
        return _WatermarkForm(GeneratorForm(self.base), g, clean=self.clean, sign=self.mark)

    @property
    def _symbol(self) -> sympy.Symbol | None:
        return None if strength_symbol in self.base.symbols else strength_symbol

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form, in the symbols of the base and `strength`, where the base has one.

        Raises:
            NoExactAnswerError: If the base has no closed form for what is needed.
        """
        return predict_with(self._form, self, expression)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, Any]:
        """The values of the base's symbols and of `strength`; a watermark of a watermark is a number."""
        own = {} if self._symbol is None else {self._symbol: sympy.Rational(str(self.strength))}
        return {**self.base.symbols, **own}


class _WatermarkForm(WatermarkedForm):
    """The watermarked family together with its clean input and its mark; X is the pair of them."""

    def __init__(self, base: ClosedForm, strength: Any, *, clean: str, sign: str) -> None:  # noqa: ANN401  (as sympy takes it)
        super().__init__(base, strength)
        self.clean, self.sign = clean, sign
        self.variables = (*base.variables, clean, sign)

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables): given any W, the mark shows A with probability g, visibly."""
        inside = variables - {self.clean, self.sign, "X"}
        if variables & {self.clean, "X"}:
            inside |= {"X"}
        if not variables & {self.sign, "X"}:
            return self.base.entropy(inside)
        g = self.probability
        return binary_entropy(g) + (1 - g) * self.base.entropy(inside) + g * self.base.entropy(inside | {"A"})
