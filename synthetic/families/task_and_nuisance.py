"""Task and nuisance: an input that shows both, and a representation that keeps some of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt
import sympy

from synthetic.families.two_views import one_of, redrawn, spread
from synthetic.generator import MOST_STATES, AnswerKind, FiniteGenerator
from synthetic.seeds import Streams
from synthetic.variables import Variable
from theory import Diagram, Expression, Term
from theory.checks import integer, probability
from theory.predictions import views as form
from theory.predictions.views import NuisanceKept, ViewsForm, nuisance_form
from theory.support import Support

__all__ = ["TaskAndNuisance"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TaskAndNuisance(FiniteGenerator):
    """X = (Y, N): the task Y and an independent nuisance N make the input; Z is read from it.

    Args:
        classes: The number of states of the task, at least 1.
        nuisances: The number of states of the nuisance, at least 1.
        noise: The probability that the input is redrawn uniformly.
        representation: What Z keeps of X: all (input), the task, the nuisance, the mixture Y + N modulo the
            number of classes, or nothing.

    Raises:
        ValueError: If a parameter is out of its range, or a mixture is asked for where there are not as many
            nuisances as classes.

    Example:
        >>> kept = TaskAndNuisance(representation="input")
        >>> abs(round(kept.exact("I(X;Y|Z)").value, 6)), round(kept.predicted("I(Z;N)"), 6)
        (0.0, 0.693147)
    """

    family: ClassVar[str] = "task-and-nuisance"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    main_terms: ClassVar[tuple[str, ...]] = ("I(X;Y)", "I(X;N)", "I(Z;Y)", "I(Z;N)", "I(Z;N|Y)", "I(X;Y|Z)")
    classes: int = 2
    nuisances: int = 2
    noise: float = 0.0
    representation: NuisanceKept = "task"

    def __post_init__(self) -> None:
        integer("classes", self.classes, 1, MOST_STATES)
        integer("nuisances", self.nuisances, 1, MOST_STATES)
        probability("noise", self.noise)
        one_of("representation", self.representation, get_args(NuisanceKept))
        if self.representation == "mixture" and self.nuisances != self.classes:
            raise ValueError(
                f"a mixture of task and nuisance needs as many nuisances as classes={self.classes}, got "
                f"nuisances={self.nuisances}"
            )

    @property
    def diagram(self) -> Diagram:
        """Y -> X <- N and X => Z."""
        arrow = "->" if self.noise else "=>"
        return Diagram.parse(f"Y{arrow}X, N{arrow}X, X=>Z", name="task and nuisance")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Y, N, X and Z, all discrete."""
        return (
            Variable("Y", "discrete", self.classes, "class"),
            Variable("N", "discrete", self.nuisances, "style"),
            Variable("X", "discrete", self.classes * self.nuisances, "input"),
            Variable("Z", "discrete", self._alphabet, "representation"),
        )

    @property
    def _alphabet(self) -> int:
        sizes: dict[NuisanceKept, int] = {
            "input": self.classes * self.nuisances,
            "task": self.classes,
            "nuisance": self.nuisances,
            "mixture": self.classes,
            "nothing": 1,
        }
        return sizes[self.representation]

    def _keep(self, x: Integers) -> Integers:
        y, n = np.divmod(x, self.nuisances)
        found: dict[NuisanceKept, Integers] = {
            "input": x,
            "task": y,
            "nuisance": n,
            "mixture": (y + n) % self.classes,
            "nothing": np.zeros_like(x),
        }
        return found[self.representation]

    def enumerate(self) -> Support:
        """The states of all variables."""
        states = self.classes * self.nuisances
        support = Support.independent({"Y": spread(self.classes), "N": spread(self.nuisances)})
        support = support.function("clean", states, lambda Y, N: Y * self.nuisances + N)
        support = support.channel("X", ("clean",), redrawn(states, self.noise))
        support = support.with_column("Z", self._alphabet, self._keep(support.column("X")))
        return support.select([v.name for v in self.variables])

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw task and nuisance, and the input from them."""
        y = streams["Y"].integers(self.classes, size=n)
        nuisance = streams["N"].integers(self.nuisances, size=n)
        again = streams["noise"].random(n) < self.noise
        other = streams["X"].integers(self.classes * self.nuisances, size=n)
        x = np.where(again, other, y * self.nuisances + nuisance)
        return {"Y": y, "N": nuisance, "X": x, "Z": self._keep(x)}

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form in `classes`, `nuisances` and `noise`."""
        return self._form.predict(expression)

    @property
    def _form(self) -> ViewsForm:
        return nuisance_form(self.representation)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """The values of the symbols."""
        return {
            form.classes: self.classes,
            form.nuisances: self.nuisances,
            form.noise: sympy.Rational(str(self.noise)),
        }
