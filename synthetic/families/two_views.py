"""Two views: one raw input seen twice through random augmentations, in integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt
import sympy

from synthetic.generator import MOST_STATES, AnswerKind, FiniteGenerator
from synthetic.seeds import Streams
from synthetic.variables import Variable
from theory import Diagram, Expression, Term
from theory.checks import integer, probability
from theory.predictions import views as form
from theory.predictions.views import ViewKept, ViewsForm, two_views_form
from theory.support import Support

__all__ = ["TwoViews", "one_of", "redrawn", "spread"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TwoViews(FiniteGenerator):
    """X1 = f(R, A1) and X2 = f(R, A2): both show the class and a shared style, and each a private style.

    The style S = (Q, L) of the raw input R has a shared part Q and a part L that the augmentation A_i moves
    round, so that the view X_i = (C, Q, L + A_i) shows L only to who knows A_i. With one shared style the
    views are independent given the class.

    Args:
        classes: The number of classes, at least 1.
        shared: The number of shared styles, at least 1.
        private: The number of private styles, and of augmentations, at least 1.
        noise: The probability that a view is redrawn uniformly, each on its own.
        first: What Z1 keeps of X1: all of it (input), class and shared style (content), the class, the style,
            the mixture C + Q modulo the number of classes, or nothing.
        second: What Z2 keeps of X2.

    Raises:
        ValueError: If a parameter is out of its range, or a mixture is asked for where there are not as many
            shared styles as classes.

    Example:
        >>> views = TwoViews(classes=4, shared=2, private=2)
        >>> round(views.exact("I(X1;X2)").value, 6), round(views.predicted("I(X1;C)"), 6)
        (2.079442, 1.386294)
        >>> together = TwoViews(private=1, first="style", second="mixture")
        >>> round(together.exact("I(C;Z1,Z2)").value, 6), abs(round(together.exact("I(C;Z2)").value, 6))
        (0.693147, 0.0)
    """

    family: ClassVar[str] = "two-views"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    main_terms: ClassVar[tuple[str, ...]] = (
        "I(X1;X2)",
        "I(X1;C)",
        "I(X1;X2|C)",
        "I(Z1;Z2)",
        "I(Z1;C)",
        "I(C;Z1,Z2)",
    )
    classes: int = 2
    shared: int = 2
    private: int = 2
    noise: float = 0.0
    first: ViewKept = "content"
    second: ViewKept = "content"

    def __post_init__(self) -> None:
        for name in ("classes", "shared", "private"):
            integer(name, getattr(self, name), 1, MOST_STATES)
        probability("noise", self.noise)
        one_of("first", self.first, get_args(ViewKept))
        one_of("second", self.second, get_args(ViewKept))
        if "mixture" in (self.first, self.second) and self.shared != self.classes:
            raise ValueError(
                f"a mixture of class and style needs as many shared styles as classes={self.classes}, got "
                f"shared={self.shared}"
            )

    @property
    def diagram(self) -> Diagram:
        """C and S make R, R and A_i make X_i, and X_i makes Z_i."""
        arrow = "->" if self.noise else "=>"
        views = ", ".join(f"R{arrow}X{i}, A{i}{arrow}X{i}, X{i}=>Z{i}" for i in (1, 2))
        return Diagram.parse(f"C=>R, S=>R, {views}", name="two views")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, S, R, A1, A2, X1, X2, Z1 and Z2, all discrete."""
        styles, states = self.shared * self.private, self.states
        return (
            Variable("C", "discrete", self.classes, "class"),
            Variable("S", "discrete", styles, "style"),
            Variable("R", "discrete", states, "raw"),
            *(Variable(f"A{i}", "discrete", self.private, "transformation") for i in (1, 2)),
            *(Variable(f"X{i}", "discrete", states, "input") for i in (1, 2)),
            Variable("Z1", "discrete", self._alphabet(self.first), "representation"),
            Variable("Z2", "discrete", self._alphabet(self.second), "representation"),
        )

    @property
    def states(self) -> int:
        """The number of states of a view."""
        return self.classes * self.shared * self.private

    def _alphabet(self, kept: ViewKept) -> int:
        sizes: dict[ViewKept, int] = {
            "input": self.states,
            "content": self.classes * self.shared,
            "class": self.classes,
            "style": self.shared * self.private,
            "mixture": self.classes,
            "nothing": 1,
        }
        return sizes[kept]

    def _clean(self, raw: Integers, augmentation: Integers) -> Integers:
        """The view without noise: the augmentation moves the private style round."""
        content, place = np.divmod(raw, self.private)
        return content * self.private + (place + augmentation) % self.private

    def _keep(self, kept: ViewKept, view: Integers) -> Integers:
        content = view // self.private
        of_class, of_style = np.divmod(content, self.shared)
        found: dict[ViewKept, Integers] = {
            "input": view,
            "content": content,
            "class": of_class,
            "style": view % (self.shared * self.private),
            "mixture": (of_class + of_style) % self.classes,
            "nothing": np.zeros_like(view),
        }
        return found[kept]

    def enumerate(self) -> Support:
        """The states of all variables."""
        styles = self.shared * self.private
        support = Support.independent({"C": spread(self.classes), "S": spread(styles)})
        support = support.function("R", self.states, lambda C, S: C * styles + S)
        for i, kept in ((1, self.first), (2, self.second)):
            a, x = f"A{i}", f"X{i}"
            support = support.channel(a, (), spread(self.private))
            clean = self._clean(support.column("R"), support.column(a))
            support = support.with_column(f"Y{i}", self.states, clean)
            support = support.channel(x, (f"Y{i}",), redrawn(self.states, self.noise))
            z = self._keep(kept, support.column(x))
            support = support.with_column(f"Z{i}", self._alphabet(kept), z)
        return support.select([v.name for v in self.variables])

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw class, style and augmentations, and the views from them."""
        c = streams["C"].integers(self.classes, size=n)
        s = streams["S"].integers(self.shared * self.private, size=n)
        found = {"C": c, "S": s, "R": c * (self.shared * self.private) + s}
        for i, kept in ((1, self.first), (2, self.second)):
            a = streams[f"A{i}"].integers(self.private, size=n)
            again = streams[f"noise{i}"].random(n) < self.noise
            other = streams[f"X{i}"].integers(self.states, size=n)
            x = np.where(again, other, self._clean(found["R"], a))
            found |= {f"A{i}": a, f"X{i}": x, f"Z{i}": self._keep(kept, x)}
        return found

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form in `classes`, `shared`, `private` and `noise`."""
        return self._form.predict(expression)

    @property
    def _form(self) -> ViewsForm:
        return two_views_form(self.first, self.second)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """The values of the symbols."""
        return {
            form.classes: self.classes,
            form.shared: self.shared,
            form.private: self.private,
            form.noise: sympy.Rational(str(self.noise)),
        }


def spread(states: int) -> npt.NDArray[np.float64]:
    """The uniform distribution."""
    return np.full(states, 1 / states)


def redrawn(states: int, noise: float) -> npt.NDArray[np.float64]:
    """The channel that redraws its input uniformly with probability `noise`, of shape (states, states)."""
    return np.asarray((1 - noise) * np.eye(states) + noise / states)


def one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    """Raise a ValueError unless the value is one of the words that are known."""
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
