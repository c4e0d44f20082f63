"""Random models: random conditional tables on any diagram, for claims about almost every model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from synthetic.generator import MOST_STATES, FiniteGenerator, model_support
from synthetic.seeds import Streams
from synthetic.variables import Role, Variable
from theory import Diagram, Model
from theory.checks import integer, number
from theory.diagrams import diagram_text, read_diagram
from theory.support import Support

__all__ = ["RandomModel"]

_ROLES: dict[str, Role] = {
    "C": "class",
    "S": "style",
    "V": "pose",
    "R": "raw",
    "A": "transformation",
    "B": "transformation",
    "X": "input",
    "Z": "representation",
}
"""The roles of variables by their usual names."""


@dataclass(frozen=True)
class RandomModel(FiniteGenerator):
    """Every variable of a diagram drawn from a random table given its parents.

    The rows of the tables are Dirichlet distributed; variables marked deterministic get random functions.

    Args:
        graph: The diagram as text, such as `C->X, A->X`, or its name, such as `essl` or `two-views`.
        states: The number of states of each variable, or one number for all.
        concentration: The Dirichlet parameter: 1 for uniform on the simplex, less for tables that are nearly
            deterministic.
        model_seed: Fixes the tables.

    Raises:
        ValueError: If the diagram cannot be read, a number is not positive, or `states` does not name the
            variables of the diagram.

    Example:
        >>> world = RandomModel("C->X, A->X, X->Z", model_seed=3)
        >>> world.exact("I(A;C)").value < 1e-12 < world.exact("I(A;C|X)").value
        True
    """

    family: ClassVar[str] = "random-model"
    main_terms: ClassVar[tuple[str, ...]] = (
        *FiniteGenerator.main_terms,
        "I(A;C|Z)",
        "I(A;Z)",
        "I(C;Z)",
        "I(A;Z|C)",
        "H(A|Z)",
    )
    graph: str = "essl"
    states: int | Mapping[str, int] = 2
    concentration: float = 1.0
    model_seed: int = 0

    def __post_init__(self) -> None:
        given: Any = self.graph
        if isinstance(given, Diagram):
            object.__setattr__(self, "graph", diagram_text(given))
        elif not isinstance(given, str):
            raise TypeError(f"graph must be a diagram or its text, got {given!r}")
        variables = self.diagram.variables
        if isinstance(self.states, Mapping):
            if set(self.states) != set(variables):
                raise ValueError(f"states must name {', '.join(variables)}, got {', '.join(self.states)}")
            sizes = {v: integer(f"states of {v}", self.states[v], 1, MOST_STATES) for v in variables}
            object.__setattr__(self, "states", sizes)
        else:
            integer("states", self.states, 1, MOST_STATES)
        number("concentration", self.concentration, low=0, strict=True)
        integer("model_seed", self.model_seed, 0)

    @cached_property
    def diagram(self) -> Diagram:
        """The diagram."""
        found = read_diagram(self.graph)
        if found is None:
            raise ValueError(f"graph must be a diagram, such as C->X, A->X, or its name, got {self.graph!r}")
        return found

    @cached_property
    def model(self) -> Model:
        """The diagram with its tables."""
        return Model.random(self.diagram, self.states, seed=self.model_seed, concentration=self.concentration)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of the diagram, in its order."""
        states = self.states
        return tuple(
            Variable(
                v, "discrete", states[v] if isinstance(states, Mapping) else states, _ROLES.get(v, "other")
            )
            for v in self.diagram.variables
        )

    def enumerate(self) -> Support:
        """The states of positive probability, in causal order."""
        return model_support(self.model)

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw each variable from its table, parents first."""
        result: dict[str, npt.NDArray[np.int64]] = {}
        for v in self.diagram.order:
            table = np.asarray(self.model.tables[v], dtype=np.float64)
            rows = table[tuple(result[p] for p in self.diagram.parents(v))]
            edges = np.cumsum(np.broadcast_to(rows, (n, table.shape[-1])), axis=1)  # (n, states)
            u = streams[v].random(n) * edges[:, -1]
            result[v] = (u[:, None] >= edges).sum(axis=1).astype(np.int64)
        return result
