"""Models: a causal diagram with a conditional table for every variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from theory.diagrams import Diagram
from theory.joints import Joint

__all__ = ["Model"]


class Model:
    """A distribution on a diagram, given by one conditional table for each variable.

    Args:
        diagram: The causal diagram.
        tables: For each variable p(variable | parents), an array of shape
            (*cardinalities of `diagram.parents(variable)`, cardinality of the variable).

    Raises:
        ValueError: If a table is missing or unknown, its shape does not fit its parents, or a row is
            not a distribution.
    """

    def __init__(self, diagram: Diagram, tables: Mapping[str, npt.ArrayLike]) -> None:
        if set(tables) != set(diagram.variables):
            raise ValueError(f"a model needs one table for each of {diagram.variables}, got {tuple(tables)}")
        self.diagram = diagram
        self.tables = {v: np.asarray(tables[v]) for v in diagram.variables}
        for v, table in self.tables.items():
            expected = tuple(self.cardinality(parent) for parent in diagram.parents(v))
            if table.shape[:-1] != expected:
                raise ValueError(
                    f"the table of {v} needs shape {expected} + (k,) for parents {diagram.parents(v)}, "
                    f"got {table.shape}"
                )
            if (table < 0).any() or not np.allclose(table.sum(axis=-1).astype(float), 1, atol=1e-9):
                raise ValueError(f"each row of the table of {v} must be a distribution")

    @classmethod
    def random(
        cls,
        diagram: Diagram,
        cardinalities: Mapping[str, int] | int = 2,
        *,
        seed: int,
        concentration: float = 1.0,
    ) -> Model:
        """Conditional tables drawn from a symmetric Dirichlet; deterministic nodes get random functions.

        Args:
            diagram: The causal diagram.
            cardinalities: The number of states of each variable, or one number for all.
            seed: Fixes the draw.
            concentration: The Dirichlet parameter; small values give nearly deterministic tables.
        """
        rng = np.random.default_rng(seed)
        sizes = {
            v: cardinalities if isinstance(cardinalities, int) else cardinalities[v]
            for v in diagram.variables
        }
        tables: dict[str, npt.NDArray[np.float64]] = {}
        for v in diagram.order:
            shape = tuple(sizes[parent] for parent in diagram.parents(v))
            if v in diagram.deterministic:
                tables[v] = np.eye(sizes[v])[rng.integers(sizes[v], size=shape)]
            else:
                tables[v] = rng.dirichlet(np.full(sizes[v], concentration), size=shape)
        return cls(diagram, tables)

    def cardinality(self, variable: str) -> int:
        """The number of states of a variable."""
        return int(self.tables[variable].shape[-1])

    def joint(self, variables: Sequence[str] | None = None) -> Joint:
        """The joint of all variables, or of some, by multiplying the tables."""
        names = self.diagram.variables
        letters = {v: i for i, v in enumerate(names)}
        operands: list[object] = []
        for v, table in self.tables.items():
            operands += [table, [*(letters[p] for p in self.diagram.parents(v)), letters[v]]]
        kept = names if variables is None else tuple(variables)
        table = np.einsum(*operands, [letters[v] for v in kept], optimize=True)  # type: ignore[call-overload]
        return Joint(kept, table / table.sum())
