"""Samples: named columns that know what they are.

A `Sample` holds one array per variable, all with the same first axis, and for each a `Variable` that
says whether it is discrete (with its number of states), continuous or an image, and which role it plays
in the causal diagram.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Kind", "Role", "Sample", "Variable"]

Kind = Literal["discrete", "continuous", "image"]
Role = Literal["class", "style", "pose", "raw", "transformation", "input", "representation", "other"]


@dataclass(frozen=True)
class Variable:
    """What a column is.

    Args:
        name: The variable's name in terms and diagrams.
        kind: `discrete` (integers 0 .. cardinality - 1), `continuous` (floats) or `image`
            (floats in [0, 1], channels first).
        cardinality: The number of states of a discrete variable, else None.
        role: What the variable is in the causal diagram.

    Raises:
        ValueError: If a discrete variable has no positive cardinality, or another one has any.
    """

    name: str
    kind: Kind
    cardinality: int | None = None
    role: Role = "other"

    def __post_init__(self) -> None:
        if self.kind == "discrete" and (self.cardinality is None or self.cardinality < 1):
            raise ValueError(
                f"discrete variable {self.name!r} needs a cardinality of at least 1, got {self.cardinality}"
            )
        if self.kind != "discrete" and self.cardinality is not None:
            raise ValueError(f"{self.kind} variable {self.name!r} has no cardinality, got {self.cardinality}")


@dataclass(frozen=True)
class Sample:
    """Named columns drawn together.

    Args:
        columns: One array per variable, all with the same first axis n: shape (n,) for scalars,
            (n, d) for vectors, (n, channels, height, width) for images.
        variables: A description of each column, in the same order.
        groups: The column whose equal values mark dependent rows (several views of one raw image);
            None where the rows are independent. Estimators never split a group between folds and
            cluster their standard errors by it.
        metadata: Where the sample came from: generator, parameters, seed.

    Raises:
        ValueError: If a column has no description or the reverse, the lengths differ, a column is
            empty, contains NaN or infinities, or a discrete one leaves 0 .. cardinality - 1.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    variables: Mapping[str, Variable]
    groups: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))
        object.__setattr__(self, "variables", MappingProxyType(dict(self.variables)))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        if set(self.columns) != set(self.variables):
            raise ValueError(
                f"columns {sorted(self.columns)} and their descriptions {sorted(self.variables)} must agree"
            )
        if not self.columns:
            raise ValueError("a sample needs at least one column, got none")
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"all columns must have the same length, got {lengths}")
        for name, column in self.columns.items():
            _check_column(column, self.variables[name])
        if self.groups is not None and self.groups not in self.columns:
            raise ValueError(f"groups names an unknown column {self.groups!r}: the sample has {self.names}")

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names."""
        return tuple(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self.columns:
            raise ValueError(f"unknown variable {name!r}: the sample has {', '.join(self.names)}")
        return self.columns[name]

    def with_column(self, variable: Variable, column: npt.NDArray[Any]) -> Sample:
        """The same sample with one more column, or with one replaced."""
        return Sample(
            {**self.columns, variable.name: column},
            {**self.variables, variable.name: variable},
            self.groups,
            self.metadata,
        )

    def rows(self, index: npt.NDArray[Any] | slice) -> Sample:
        """The rows chosen by an index array, a mask or a slice."""
        return Sample(
            {n: c[index] for n, c in self.columns.items()}, self.variables, self.groups, self.metadata
        )

    def to_pandas(self) -> pd.DataFrame:
        """A table with one column per scalar; vectors and images become `name_0`, `name_1`, .."""
        table: dict[str, npt.NDArray[Any]] = {}
        for name, column in self.columns.items():
            if column.ndim == 1:
                table[name] = column
            else:
                flat = column.reshape(len(column), -1)
                table.update({f"{name}_{i}": flat[:, i] for i in range(flat.shape[1])})
        return pd.DataFrame(table)

    def __repr__(self) -> str:
        def show(v: Variable) -> str:
            return f"{v.name}[{v.cardinality}]" if v.kind == "discrete" else f"{v.name}:{v.kind}"

        return f"Sample({len(self)} rows: {', '.join(map(show, self.variables.values()))})"


def _check_column(column: npt.NDArray[Any], variable: Variable) -> None:
    if not len(column):
        raise ValueError(f"column {variable.name!r} is empty")
    if variable.kind == "discrete":
        if not np.issubdtype(column.dtype, np.integer) or column.ndim != 1:
            raise ValueError(
                f"discrete column {variable.name!r} needs integers of shape (n,), "
                f"got {column.dtype} of shape {column.shape}"
            )
        low, high = int(column.min()), int(column.max())
        if low < 0 or high >= (variable.cardinality or 0):
            raise ValueError(
                f"discrete column {variable.name!r} must stay in 0..{(variable.cardinality or 0) - 1}, "
                f"got {low}..{high}"
            )
        return
    if not np.issubdtype(column.dtype, np.floating):
        raise ValueError(f"{variable.kind} column {variable.name!r} needs floats, got {column.dtype}")
    if not np.isfinite(column).all():
        raise ValueError(f"column {variable.name!r} contains NaN or infinities")
