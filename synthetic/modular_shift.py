"""The modular shift, `X = A + C + N mod n`: explaining away in three integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import sympy

from synthetic.generator import Generator
from synthetic.sample import Sample, Variable
from theory import Diagram, Expression, Joint, Term
from theory.predictions import ModularShiftForm
from theory.predictions import modular_shift as form

__all__ = ["ModularShift"]


@dataclass(frozen=True)
class ModularShift(Generator):
    """X = A + C + N mod n with A uniform on a subgroup of Z_n and C uniform on 0 .. classes - 1.

    Args:
        n: The number of states of X, at least 2.
        classes: The number of classes, 1 to n; None for n.
        noise: The probability that X is redrawn uniformly on Z_n.
        shifts: The number of transformations, a divisor of n; None for n. A = a shifts X by
            a * n / shifts.

    Raises:
        ValueError: If a parameter is out of its range.

    Example:
        >>> shift = ModularShift(n=4, noise=0.1)
        >>> round(float(shift.exact("I(A;C|X)")), 6)
        1.037514
    """

    family: ClassVar[str] = "modular-shift"
    n: int = 4
    classes: int | None = None
    noise: float = 0.0
    shifts: int | None = None

    def __post_init__(self) -> None:
        if self.n < 2:
            raise ValueError(f"n must be at least 2, got {self.n}")
        if self.classes is not None and not 1 <= self.classes <= self.n:
            raise ValueError(f"classes must be between 1 and n={self.n}, got {self.classes}")
        if not 0 <= self.noise <= 1:
            raise ValueError(f"noise must be a probability, got {self.noise}")
        if self.shifts is not None and (self.shifts < 1 or self.n % self.shifts):
            raise ValueError(f"shifts must divide n={self.n}, got {self.shifts}")

    @property
    def diagram(self) -> Diagram:
        """C -> X <- A."""
        return Diagram.parse("C->X, A->X", name="modular shift")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, A and X, all discrete."""
        return (
            Variable("C", "discrete", self.classes or self.n, "class"),
            Variable("A", "discrete", self.shifts or self.n, "transformation"),
            Variable("X", "discrete", self.n, "input"),
        )

    def joint(self) -> Joint:
        """The exact joint of C, A and X, of shape (classes, shifts, n)."""
        c, a, x = (v.cardinality or 0 for v in self.variables)
        shift = (np.arange(c)[:, None] + np.arange(a)[None, :] * (self.n // a)) % self.n  # (c, a)
        table = (1 - self.noise) * np.eye(x)[shift] + self.noise / x
        return Joint(("C", "A", "X"), table / (c * a))

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw n rows.

        Raises:
            ValueError: If n is not positive.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        rng = np.random.default_rng(seed)
        c_size, a_size, x_size = (v.cardinality or 0 for v in self.variables)
        c = rng.integers(c_size, size=n)
        a = rng.integers(a_size, size=n)
        redrawn = rng.random(n) < self.noise
        x = np.where(redrawn, rng.integers(x_size, size=n), (c + a * (self.n // a_size)) % self.n)
        return Sample(
            {"C": c, "A": a, "X": x},
            {v.name: v for v in self.variables},
            metadata={"generator": self.family, "parameters": self.parameters, "seed": seed},
        )

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form in the symbols `n`, `noise` and, where they matter, `classes` and `shifts`."""
        classes, shifts = self.classes or self.n, self.shifts or self.n
        subgroup = None if shifts == self.n else (self.n, classes, shifts)
        return ModularShiftForm(all_classes=classes == self.n, subgroup=subgroup).predict(expression)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """The values of the symbols; the noise is taken as the decimal that was typed."""
        return {
            form.n: self.n,
            form.classes: self.classes or self.n,
            form.shifts: self.shifts or self.n,
            form.noise: sympy.Rational(str(self.noise)),
        }
