"""Quotient: a world whose transformation has a coarser label beside its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sympy

from synthetic.families.modular_shift import ModularShift, prior_symbols
from synthetic.families.orbits import Orbits
from synthetic.families.wrapping import predict_with, require_discrete, support_of
from synthetic.generator import AnswerKind, FiniteGenerator, Generator, NoExactAnswerError
from synthetic.groups import FiniteGroup, cyclic
from synthetic.seeds import Streams, child_seed
from synthetic.variables import Variable
from theory import Diagram, Expression, Term
from theory.checks import integer
from theory.predictions import ClosedForm, QuotientForm
from theory.predictions.modular_shift import noise as noise_symbol
from theory.support import Support

__all__ = ["Quotient"]


@dataclass(frozen=True)
class Quotient(FiniteGenerator):
    """Any discrete family with its transformation called B, and a coarse transformation A, a function of B.

    Args:
        base: The world with the fine transformation.
        coarse: The label of each state of B, integers from 0 with none left out; None for B mod 2.

    Raises:
        ValueError: If the base has a variable that is not discrete or is called B, or lacks A or X, or the
            labels do not fit.

    Example:
        >>> turns = Quotient()
        >>> print(turns.predict("I(B;C|X)"), turns.predict("I(A;C|X)"))
        2*log(2) log(2)
    """

    family: ClassVar[str] = "quotient"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration")
    base: Generator = field(default_factory=ModularShift)
    coarse: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        require_discrete("base", self.base)
        names = [v.name for v in self.base.variables]
        if "B" in names:
            raise ValueError(f"base must have no variable B, and {self.base.family} has {', '.join(names)}")
        size = self._fine
        if self.coarse is not None:
            labels = tuple(integer(f"coarse[{b}]", a, 0) for b, a in enumerate(self.coarse))
            if len(labels) != size:
                raise ValueError(
                    f"coarse must have a label for each of {size} transformations, got {len(labels)}"
                )
            if set(labels) != set(range(max(labels) + 1)):
                raise ValueError(f"coarse must use every label from 0 to {max(labels)}, got {labels}")
            object.__setattr__(self, "coarse", labels)
        elif size < 2:
            raise ValueError(f"coarse=None needs at least 2 transformations, and the base has {size}")

    @classmethod
    def by_subgroup(cls, base: Orbits | ModularShift, subgroup: Iterable[int]) -> Quotient:
        """Label the transformations of a group by the cosets of a normal subgroup.

        Raises:
            ValueError: If it is not a subgroup, or not normal.
        """
        group: FiniteGroup = base.group if isinstance(base, Orbits) else cyclic(base.shifts or base.n)
        return cls(base, tuple(group.quotient(subgroup)[1].tolist()))

    @property
    def _fine(self) -> int:
        return next(v.cardinality or 0 for v in self.base.variables if v.name == "A")

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The coarse label of each state of B."""
        return np.arange(self._fine) % 2 if self.coarse is None else np.asarray(self.coarse, dtype=np.int64)

    @property
    def diagram(self) -> Diagram:
        """The diagram of the base with its transformation called B, and B => A."""
        base = self.base.diagram
        renamed = {v: "B" if v == "A" else v for v in base.variables}
        return Diagram(
            [*((renamed[a], renamed[b]) for a, b in base.edges), ("B", "A")],
            variables=[*renamed.values(), "A"],
            deterministic=[*(renamed[v] for v in base.deterministic), "A"],
            name="quotient",
        )

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Those of the base, with B for the fine and A for the coarse transformation."""
        result = []
        for v in self.base.variables:
            if v.name == "A":
                result += [
                    Variable("B", "discrete", v.cardinality, "transformation"),
                    Variable("A", "discrete", int(self.labels.max()) + 1, "transformation"),
                ]
            else:
                result.append(v)
        return tuple(result)

    def enumerate(self) -> Support:
        """The states of the base, with the coarse transformation."""
        support = support_of(self.base).rename({"A": "B"})
        support = support.function("A", int(self.labels.max()) + 1, lambda B: self.labels[B])
        return support.select(tuple(v.name for v in self.variables))

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw the base, and label its transformation."""
        rows = self.base.sample(n, seed=child_seed(streams.seed, "base"))
        return {**rows.columns, "B": rows["A"], "A": self.labels[rows["A"]]}

    @cached_property
    def _form(self) -> ClosedForm:
        """The quotient of an orbit family.

        Raises:
            NoExactAnswerError: If the base is not known to be one.
        """
        coarse, base = self.labels.tolist(), self.base
        if isinstance(base, Orbits) and base.pose is None:
            return QuotientForm(
                base.action.table.tolist(),
                base.prototypes.tolist(),
                coarse=coarse,
                prior=base.prior,
                noise=noise_symbol if base.noise else 0,
            )
        if isinstance(base, ModularShift):
            n, shifts = base.n, base.shifts or base.n
            if shifts == n or not base.noise:
                turns = [[(x + a * (n // shifts)) % n for x in range(n)] for a in range(shifts)]
                classes = next(v.cardinality or 0 for v in base.variables if v.name == "C")
                return QuotientForm(
                    turns,
                    list(range(classes)),
                    coarse=coarse,
                    prior=None if base.prior is None else prior_symbols(classes),
                    noise=noise_symbol if base.noise else 0,
                )
        raise NoExactAnswerError(f"quotient has no closed form for this {base.family}, only its exact value")

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form, for orbits without pose and for the modular shift.

        Raises:
            NoExactAnswerError: If the base is another one.
        """
        return predict_with(self._form, self, expression)

    @property
    def symbols(self) -> Mapping[sympy.Symbol, Any]:
        """The values of the base's symbols."""
        return self.base.symbols
