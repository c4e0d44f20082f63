"""What every generator can do: sample, and say the exact value of what it knows.

A generator is a frozen dataclass; its fields are its parameters. It draws samples, names its diagram
and, where it can, gives the closed form (`predict`) and the exact value (`exact`) of any information
quantity among its variables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import sympy

from synthetic.sample import Sample, Variable
from theory import Diagram, Expression, Joint, Term, parse_expression

__all__ = ["Answer", "Generator", "NoExactAnswerError"]


class NoExactAnswerError(ValueError):
    """The generator does not know the quantity that was asked for; the message says why."""


@dataclass(frozen=True)
class Answer:
    """The exact value of an information quantity in a generator.

    Args:
        expression: What was asked for.
        value: Its value in nats.
        standard_error: 0 for enumeration and closed forms, the Monte Carlo or quadrature error else.
        method: How it was computed.
    """

    expression: str
    value: float
    standard_error: float = 0.0
    method: str = "enumeration"

    def __float__(self) -> float:
        return self.value


class Generator(ABC):
    """A family of worlds whose answers are known; subclasses are frozen dataclasses.

    Attributes:
        family: The name on the command line.
    """

    family: ClassVar[str]

    @property
    @abstractmethod
    def diagram(self) -> Diagram:
        """The causal diagram of the variables that `sample` draws."""

    @property
    @abstractmethod
    def variables(self) -> tuple[Variable, ...]:
        """What each column of a sample is."""

    @abstractmethod
    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw n rows; the same seed gives the same bits."""

    def joint(self) -> Joint:
        """The exact joint distribution of all variables.

        Raises:
            NoExactAnswerError: If the variables are not finite or their distribution is not known.
        """
        raise NoExactAnswerError(f"{self.family} has no finite joint distribution")

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form of an information quantity, in the family's symbols, in nats.

        Raises:
            NoExactAnswerError: If the family has no closed form for it.
        """
        raise NoExactAnswerError(f"{self.family} has no closed form for {expression}")

    @property
    def symbols(self) -> Mapping[sympy.Symbol, Any]:
        """The value of each symbol that `predict` uses in this member of the family."""
        return {}

    def predicted(self, expression: str | Term | Expression) -> float:
        """The closed form evaluated at this generator's parameters, in nats."""
        return float(self.predict(expression).subs(dict(self.symbols)).evalf())

    def exact(self, expression: str | Term | Expression) -> Answer:
        """The exact value of an information quantity, in nats.

        Raises:
            NoExactAnswerError: If the generator does not know it.
        """
        parsed = parse_expression(expression)
        return Answer(str(parsed), self.joint().value(parsed))

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
