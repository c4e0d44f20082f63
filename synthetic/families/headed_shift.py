"""The headed shift: a modular shift with an encoder `H = X mod d` and a projection head `Z = H mod k`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sympy

from synthetic.families.modular_shift import ModularShift
from synthetic.generator import MOST_STATES, AnswerKind, FiniteGenerator
from synthetic.seeds import Streams
from synthetic.variables import Variable
from theory import Diagram, Expression, Term
from theory.checks import integer
from theory.predictions.headed_shift import HeadedShiftForm
from theory.predictions.headed_shift import encoder as encoder_symbol
from theory.predictions.headed_shift import head as head_symbol
from theory.support import Support

__all__ = ["HeadedShift"]


@dataclass(frozen=True)
class HeadedShift(FiniteGenerator):
    """X = A + C + N mod n, the encoder's H = X mod `encoder`, and the projection head's Z = H mod `head`.

    Args:
        n: The number of states of X, at least 2.
        classes: The number of classes, at most `head`.
        noise: The probability that X is redrawn uniformly on Z_n.
        shifts: The number of transformations, a divisor of n; None for n.
        encoder: The number of states of H, a divisor of n.
        head: The number of states of Z, a divisor of `encoder`, at least 2.

    Raises:
        ValueError: If a parameter is out of its range.

    Example:
        >>> mixed = HeadedShift(n=6, classes=2, shifts=2, encoder=6, head=2)
        >>> round(mixed.exact("I(A;C|Z)").value, 6), abs(round(mixed.exact("I(A;C|H)").value, 6))
        (0.693147, 0.0)
    """

    family: ClassVar[str] = "headed-shift"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    main_terms: ClassVar[tuple[str, ...]] = (
        "I(A;H)",
        "I(A;Z)",
        "I(C;H)",
        "I(C;Z)",
        "I(A;C|H)",
        "I(A;C|Z)",
    )
    n: int = 6
    classes: int = 2
    noise: float = 0.0
    shifts: int | None = 2
    encoder: int = 6
    head: int = 2

    def __post_init__(self) -> None:
        integer("encoder", self.encoder, 2, MOST_STATES)
        integer("head", self.head, 2, MOST_STATES)
        if self.shift.n % self.encoder:
            raise ValueError(f"encoder must be a divisor of n={self.n}, got {self.encoder}")
        if self.encoder % self.head:
            raise ValueError(f"head must be a divisor of encoder={self.encoder}, got {self.head}")
        if self.classes > self.head:
            raise ValueError(f"classes must be at most head={self.head}, got {self.classes}")

    @property
    def shift(self) -> ModularShift:
        """The modular shift that draws C, A and X."""
        return ModularShift(n=self.n, classes=self.classes, noise=self.noise, shifts=self.shifts)

    @property
    def diagram(self) -> Diagram:
        """C -> X <- A, X => H and H => Z."""
        return Diagram.parse(f"{self.shift.diagram}, X=>H, H=>Z", name="headed shift")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, A, X, H and Z, all discrete."""
        return (
            *self.shift.variables,
            Variable("H", "discrete", self.encoder, "representation"),
            Variable("Z", "discrete", self.head, "representation"),
        )

    def enumerate(self) -> Support:
        """The states of all variables."""
        support = self.shift.enumerate()
        support = support.function("H", self.encoder, lambda X: X % self.encoder)
        return support.function("Z", self.head, lambda H: H % self.head)

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw C, A and X, and read H and Z."""
        found = dict(self.shift.columns(n, streams))
        h = np.asarray(found["X"]) % self.encoder
        return {**found, "H": h, "Z": h % self.head}

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form in `n`, `classes`, `shifts`, `encoder`, `head` and `noise`."""
        return self._form.predict(expression)

    @property
    def _form(self) -> HeadedShiftForm:
        return HeadedShiftForm(
            n=self.n,
            classes=self.classes,
            shifts=self.shifts or self.n,
            encoder=self.encoder,
            head=self.head,
        )

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """The values of the symbols."""
        return {**self.shift.symbols, encoder_symbol: self.encoder, head_symbol: self.head}
