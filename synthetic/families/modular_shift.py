"""The modular shift, `X = A + C + N mod n`: explaining away in three integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sympy

from synthetic.generator import MOST_STATES, AnswerKind, FiniteGenerator
from synthetic.seeds import Streams
from synthetic.variables import Variable
from theory import Diagram, Expression, Term
from theory.checks import distribution, integer, probability
from theory.predictions import ModularShiftForm
from theory.predictions import modular_shift as form
from theory.support import Support

__all__ = ["ModularShift"]


@dataclass(frozen=True)
class ModularShift(FiniteGenerator):
    """X = A + C + N mod n with A uniform on a subgroup of Z_n and C on 0 .. classes - 1.

    Args:
        n: The number of states of X, at least 2.
        classes: The number of classes, 1 to n; None for n, or for as many as the prior has.
        noise: The probability that X is redrawn uniformly on Z_n.
        shifts: The number of transformations, a divisor of n; None for n. A = a shifts X by
            a * n / shifts.
        prior: The probability of each class; None for a uniform class.

    Raises:
        ValueError: If a parameter is out of its range.

    Example:
        >>> shift = ModularShift(n=4, noise=0.1)
        >>> round(float(shift.exact("I(A;C|X)")), 6)
        1.037514
        >>> skewed = ModularShift(n=4, prior=(0.7, 0.1, 0.1, 0.1))
        >>> round(skewed.predicted("I(A;C|X)"), 6)
        0.940448
    """

    family: ClassVar[str] = "modular-shift"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    n: int = 4
    classes: int | None = None
    noise: float = 0.0
    shifts: int | None = None
    prior: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        integer("n", self.n, 2, MOST_STATES)
        if self.classes is not None:
            integer("classes", self.classes, 1, self.n)
        probability("noise", self.noise)
        if self.shifts is not None and self.n % integer("shifts", self.shifts, 1):
            raise ValueError(f"shifts must divide n={self.n}, got {self.shifts}")
        if self.prior is not None:
            prior = distribution("prior", self.prior, self.classes)
            if len(prior) > self.n:
                raise ValueError(f"prior must have at most n={self.n} probabilities, got {len(prior)}")
            object.__setattr__(self, "prior", prior)

    @property
    def diagram(self) -> Diagram:
        """C -> X <- A, with X deterministic where there is no noise."""
        arrow = "->" if self.noise else "=>"
        return Diagram.parse(f"C{arrow}X, A{arrow}X", name="modular shift")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, A and X, all discrete."""
        return (
            Variable("C", "discrete", self._classes, "class"),
            Variable("A", "discrete", self.shifts or self.n, "transformation"),
            Variable("X", "discrete", self.n, "input"),
        )

    @property
    def _classes(self) -> int:
        if self.prior is not None:
            return len(self.prior)
        return self.n if self.classes is None else self.classes

    @property
    def _prior(self) -> npt.NDArray[np.float64]:
        m = self._classes
        return np.full(m, 1 / m) if self.prior is None else np.asarray(self.prior)

    def enumerate(self) -> Support:
        """The states of C, A and X."""
        t = self.shifts or self.n
        support = Support.independent({"C": self._prior, "A": np.full(t, 1 / t)})
        support = support.function("Y", self.n, lambda C, A: (C + A * (self.n // t)) % self.n)
        kernel = (1 - self.noise) * np.eye(self.n) + self.noise / self.n
        return support.channel("X", ("Y",), kernel).select(("C", "A", "X"))

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw C, A, and X from them."""
        t = self.shifts or self.n
        a = streams["A"].integers(t, size=n)
        c = draw(self._prior, n, streams["C"])
        redrawn = streams["noise"].random(n) < self.noise
        x = np.where(redrawn, streams["X"].integers(self.n, size=n), (c + a * (self.n // t)) % self.n)
        return {"C": c, "A": a, "X": x}

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form in `n`, `noise` and, where they matter, `classes`, `shifts`, `p0`, `p1`, .."""
        m, t = self._classes, self.shifts or self.n
        subgroup = None if t == self.n else (self.n, m, t)
        if self.prior is not None:
            prior = (*prior_symbols(m), *(0,) * (self.n - m))
            return ModularShiftForm(subgroup=subgroup, prior=prior).predict(expression)
        return ModularShiftForm(all_classes=m == self.n, subgroup=subgroup).predict(expression)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """The values of the symbols; decimals are taken as they were typed."""
        values = {
            form.n: self.n,
            form.classes: self._classes,
            form.shifts: self.shifts or self.n,
            form.noise: sympy.Rational(str(self.noise)),
        }
        if self.prior is not None:
            exact = (sympy.Rational(str(p)) for p in self.prior)
            values |= dict(zip(prior_symbols(self._classes), exact, strict=True))
        return values


def prior_symbols(states: int) -> tuple[sympy.Symbol, ...]:
    """The symbols p0, p1, .. of a class prior."""
    return tuple(sympy.Symbol(f"p{i}", nonnegative=True) for i in range(states))


def draw(prior: npt.NDArray[np.float64], n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw n states from a distribution, one uniform number each."""
    edges = np.cumsum(prior)
    return np.searchsorted(edges / edges[-1], rng.random(n), side="right").astype(np.int64)
