"""Shared signal: an input, a signal that supervises it, and a task that either may show."""

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
from theory.predictions.views import SignalKept, SignalTask, ViewsForm, signal_form
from theory.support import Support

__all__ = ["SharedSignal"]

Integers = npt.NDArray[np.int64]

_PARTS: Mapping[SignalKept, frozenset[str]] = {
    "input": frozenset("KO"),
    "shared": frozenset("K"),
    "own": frozenset("O"),
    "nothing": frozenset(),
}
"""The coordinates that each kind of representation keeps."""


@dataclass(frozen=True)
class SharedSignal(FiniteGenerator):
    """U = (K, O, G) makes the input X = (K, O), the signal S = (K, G) and a task T; Z and M are read from X.

    Args:
        shared: The number of states of K, which input and signal show, at least 1.
        own: The number of states of O, which the input shows alone.
        other: The number of states of G, which the signal shows alone.
        noise: The probability that the input is redrawn uniformly, and the signal likewise.
        task: What the task asks for: K (shared), O (own), G (other), or K and O (input).
        representation: What Z keeps of X: all (input), K (shared), O (own) or nothing.
        smaller: What M keeps of Z; no more than Z does.

    Raises:
        ValueError: If a parameter is out of its range, or M would keep what Z does not.

    Example:
        >>> missed = SharedSignal(task="own", representation="shared")
        >>> round(missed.exact("I(X;T)").value, 6), abs(round(missed.exact("I(Z;T)").value, 6))
        (0.693147, 0.0)
    """

    family: ClassVar[str] = "shared-signal"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    main_terms: ClassVar[tuple[str, ...]] = ("I(X;S)", "I(X;T)", "I(X;T|S)", "I(Z;S)", "I(Z;T)", "I(M;T)")
    shared: int = 2
    own: int = 2
    other: int = 2
    noise: float = 0.0
    task: SignalTask = "shared"
    representation: SignalKept = "input"
    smaller: SignalKept = "shared"

    def __post_init__(self) -> None:
        for name in ("shared", "own", "other"):
            integer(name, getattr(self, name), 1, MOST_STATES)
        probability("noise", self.noise)
        one_of("task", self.task, get_args(SignalTask))
        one_of("representation", self.representation, get_args(SignalKept))
        one_of("smaller", self.smaller, get_args(SignalKept))
        if not _PARTS[self.smaller] <= _PARTS[self.representation]:
            raise ValueError(
                f"smaller must keep no more than representation={self.representation!r}, got {self.smaller!r}"
            )

    @property
    def diagram(self) -> Diagram:
        """U makes X, S and T; X makes Z, and Z makes M."""
        arrow = "->" if self.noise else "=>"
        return Diagram.parse(f"U{arrow}X, U{arrow}S, U=>T, X=>Z, Z=>M", name="shared signal")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """U, X, S, T, Z and M, all discrete."""
        return (
            Variable("U", "discrete", self.shared * self.own * self.other, "raw"),
            Variable("X", "discrete", self.shared * self.own, "input"),
            Variable("S", "discrete", self.shared * self.other, "other"),
            Variable("T", "discrete", self._tasks, "class"),
            Variable("Z", "discrete", self._alphabet(self.representation), "representation"),
            Variable("M", "discrete", self._alphabet(self.smaller), "representation"),
        )

    @property
    def _tasks(self) -> int:
        sizes: dict[SignalTask, int] = {
            "shared": self.shared,
            "own": self.own,
            "other": self.other,
            "input": self.shared * self.own,
        }
        return sizes[self.task]

    def _alphabet(self, kept: SignalKept) -> int:
        sizes = {"K": self.shared, "O": self.own}
        return int(np.prod([sizes[part] for part in _PARTS[kept]], dtype=np.int64))

    def _made(self, u: Integers) -> dict[str, Integers]:
        """The clean input and signal, and the task, of each cause."""
        k, rest = np.divmod(u, self.own * self.other)
        o, g = np.divmod(rest, self.other)
        asked: dict[SignalTask, Integers] = {"shared": k, "own": o, "other": g, "input": k * self.own + o}
        return {"X": k * self.own + o, "S": k * self.other + g, "T": asked[self.task]}

    def _keep(self, kept: SignalKept, x: Integers) -> Integers:
        found: dict[SignalKept, Integers] = {
            "input": x,
            "shared": x // self.own,
            "own": x % self.own,
            "nothing": np.zeros_like(x),
        }
        return found[kept]

    def enumerate(self) -> Support:
        """The states of all variables."""
        support = Support.independent({"U": spread(self.shared * self.own * self.other)})
        made = self._made(support.column("U"))
        support = support.with_column("T", self._tasks, made["T"])
        for name in ("X", "S"):
            states = self.variables[1 if name == "X" else 2].cardinality or 1
            support = support.with_column(f"clean{name}", states, self._made(support.column("U"))[name])
            support = support.channel(name, (f"clean{name}",), redrawn(states, self.noise))
        for name, kept in (("Z", self.representation), ("M", self.smaller)):
            support = support.with_column(name, self._alphabet(kept), self._keep(kept, support.column("X")))
        return support.select([v.name for v in self.variables])

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw the cause, and everything else from it."""
        u = streams["U"].integers(self.shared * self.own * self.other, size=n)
        found = {"U": u, **self._made(u)}
        for name, states in (("X", self.shared * self.own), ("S", self.shared * self.other)):
            again = streams[f"noise{name}"].random(n) < self.noise
            found[name] = np.where(again, streams[name].integers(states, size=n), found[name])
        x = found["X"]
        return {**found, "Z": self._keep(self.representation, x), "M": self._keep(self.smaller, x)}

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form in `shared`, `own`, `other` and `noise`."""
        return self._form.predict(expression)

    @property
    def _form(self) -> ViewsForm:
        return signal_form(self.task, self.representation, self.smaller)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """The values of the symbols."""
        return {
            form.shared: self.shared,
            form.own: self.own,
            form.other: self.other,
            form.noise: sympy.Rational(str(self.noise)),
        }
