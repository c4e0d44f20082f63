"""Erasure: a world whose input is blanked with some probability, a lossy transformation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sympy

from synthetic.families.modular_shift import ModularShift
from synthetic.families.wrapping import GeneratorForm, fresh, predict_with, require_discrete, support_of
from synthetic.generator import AnswerKind, FiniteGenerator, Generator
from synthetic.seeds import Streams, child_seed
from synthetic.variables import Variable
from theory import Diagram, Expression, Term
from theory.checks import probability
from theory.predictions import ClosedForm, ErasedForm
from theory.predictions.closed_form import binary_entropy
from theory.predictions.erasure import erasure as erasure_symbol
from theory.support import Support

__all__ = ["Erasure"]


@dataclass(frozen=True)
class Erasure(FiniteGenerator):
    """Any discrete family, its input replaced by a blank with some probability.

    The clean input becomes the variable Y, and X is Y or the blank, which is the state after the last of Y.
    With A and C independent the synergy is multiplied by one minus the probability.

    Args:
        base: The world whose input is erased.
        erasure: The probability that X is blank, independently of everything.

    Raises:
        ValueError: If the base has a variable that is not discrete, or no X, or the probability is not one.

    Example:
        >>> clean, erased = ModularShift(n=4), Erasure(ModularShift(n=4), erasure=0.25)
        >>> round(erased.predicted("I(A;C|X)") / clean.predicted("I(A;C|X)"), 6)
        0.75
    """

    family: ClassVar[str] = "erasure"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    base: Generator = field(default_factory=ModularShift)
    erasure: float = 0.2

    def __post_init__(self) -> None:
        require_discrete("base", self.base, ("X",))
        probability("erasure", self.erasure)

    @property
    def clean(self) -> str:
        """The name of the clean input."""
        return fresh("Y", (v.name for v in self.base.variables))

    @property
    def diagram(self) -> Diagram:
        """The diagram of the base with its input called Y, and Y -> X."""
        return behind_input(self.base.diagram, self.clean, [(self.clean, "X")], name="erasure")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Those of the base, the clean input Y, and X."""
        states = {v.name: v.cardinality or 0 for v in self.base.variables}["X"]
        others = tuple(v for v in self.base.variables if v.name != "X")
        return (
            *others,
            Variable(self.clean, "discrete", states),
            Variable("X", "discrete", states + 1, "input"),
        )

    def enumerate(self) -> Support:
        """The states of the base, each with and without the blank."""
        support = support_of(self.base).rename({"X": self.clean})
        states = support.cardinalities[self.clean]
        kernel = np.hstack([(1 - self.erasure) * np.eye(states), np.full((states, 1), self.erasure)])
        support = support.channel("X", (self.clean,), kernel)
        return support.select(tuple(v.name for v in self.variables))

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw the base, and which rows are erased."""
        rows = self.base.sample(n, seed=child_seed(streams.seed, "base"))
        clean = rows["X"]
        blank = streams["erasure"].random(n) < self.erasure
        states = rows.variables["X"].cardinality or 0
        return {**rows.columns, self.clean: clean, "X": np.where(blank, states, clean)}

    @cached_property
    def _form(self) -> ClosedForm:
        p: Any = self._symbol if self._symbol is not None else self.erasure
        return _ErasureForm(GeneratorForm(self.base), p, clean=self.clean)

    @property
    def _symbol(self) -> sympy.Symbol | None:
        return None if erasure_symbol in self.base.symbols else erasure_symbol

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form, in the symbols of the base and `erasure`, where the base has one.

        Raises:
            NoExactAnswerError: If the base has no closed form for what is needed.
        """
        return predict_with(self._form, self, expression)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, Any]:
        """The values of the base's symbols and of `erasure`; an erasure of an erasure is a number."""
        own = {} if self._symbol is None else {self._symbol: sympy.Rational(str(self.erasure))}
        return {**self.base.symbols, **own}


def behind_input(
    base: Diagram, clean: str, edges: list[tuple[str, str]], *, name: str, deterministic: bool = False
) -> Diagram:
    """The base's diagram with its input renamed, and a new input behind it."""
    renamed = {v: clean if v == "X" else v for v in base.variables}
    return Diagram(
        [*((renamed[a], renamed[b]) for a, b in base.edges), *edges],
        variables=renamed.values(),
        deterministic=[*(renamed[v] for v in base.deterministic), *(["X"] if deterministic else [])],
        name=name,
    )


class _ErasureForm(ErasedForm):
    """The erased family together with its clean input."""

    def __init__(self, base: ClosedForm, erasure: Any, *, clean: str) -> None:  # noqa: ANN401  (as sympy takes it)
        super().__init__(base, erasure)
        self.clean = clean
        self.variables = (*base.variables, clean)

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables): given Y, what X adds is whether it is blank."""
        if self.clean not in variables:
            return super().entropy(variables)
        whole = self.base.entropy((variables - {self.clean}) | {"X"})
        return whole + (binary_entropy(self.probability) if "X" in variables else 0)
