"""The reduced shift: a modular shift with a representation, `Z = X mod d`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import sympy

from synthetic.families.modular_shift import ModularShift
from synthetic.generator import AnswerKind, Generator
from synthetic.sample import Sample
from synthetic.variables import Variable
from theory import Diagram, Expression, Joint, Term
from theory.predictions.reduced_shift import ReducedShiftForm

__all__ = ["ReducedShift"]


@dataclass(frozen=True)
class ReducedShift(Generator):
    """X = A + C + N mod n and Z = X mod `modulus`: a representation whose every term has a closed form.

    Args:
        n: The number of states of X, at least 2.
        classes: The number of classes, at most `modulus`.
        noise: The probability that X is redrawn uniformly on Z_n.
        shifts: The number of transformations, a divisor of n; None for n.
        modulus: The number of states of Z, a divisor of n, at least 2.

    Raises:
        ValueError: If a parameter is out of its range.

    Example:
        >>> xor = ReducedShift(n=6, classes=2, shifts=2, modulus=2)
        >>> round(float(xor.exact("I(A;C|Z)")), 6), abs(round(float(xor.exact("I(A;C|X)")), 6))
        (0.693147, 0.0)
    """

    family: ClassVar[str] = "reduced-shift"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    n: int = 6
    classes: int = 2
    noise: float = 0.0
    shifts: int | None = None
    modulus: int = 2

    def __post_init__(self) -> None:
        if not isinstance(self.modulus, int) or self.modulus < 2 or self.n % self.modulus:
            raise ValueError(f"modulus must be a divisor of n={self.n}, at least 2, got {self.modulus}")
        if self.classes > self.modulus:
            raise ValueError(f"classes must be at most modulus={self.modulus}, got {self.classes}")
        self.shift.joint()

    @property
    def shift(self) -> ModularShift:
        """The modular shift that draws C, A and X."""
        return ModularShift(n=self.n, classes=self.classes, noise=self.noise, shifts=self.shifts)

    @property
    def diagram(self) -> Diagram:
        """C -> X <- A and X => Z."""
        return Diagram.parse(f"{self.shift.diagram}, X=>Z", name="reduced shift")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, A, X and Z, all discrete."""
        return (*self.shift.variables, Variable("Z", "discrete", self.modulus, "representation"))

    def joint(self) -> Joint:
        """The exact joint of C, A, X and Z."""
        reduction = np.eye(self.modulus)[np.arange(self.n) % self.modulus]  # (n, modulus)
        return self.shift.joint().channel("X", "Z", reduction)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw n rows.

        Raises:
            ValueError: If n is not positive.
        """
        rows = self.shift.sample(n, seed=seed)
        told = {"generator": self.family, "parameters": self.parameters, "seed": seed}
        return replace(rows.with_column(self.variables[-1], rows["X"] % self.modulus), metadata=told)

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form in `n`, `classes`, `shifts`, `modulus` and `noise`."""
        return self._form.predict(expression)

    @property
    def _form(self) -> ReducedShiftForm:
        shifts = self.shifts or self.n
        return ReducedShiftForm(n=self.n, classes=self.classes, shifts=shifts, modulus=self.modulus)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """The values of the symbols."""
        return {**self.shift.symbols, ReducedShiftForm.symbols[3]: self.modulus}
