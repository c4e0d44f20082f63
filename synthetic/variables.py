"""Variables: the name, kind and role of each column of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Role", "Variable", "VariableKind"]

VariableKind = Literal["discrete", "continuous", "image"]
"""The kind of values that a variable takes."""

Role = Literal["class", "style", "pose", "raw", "transformation", "input", "representation", "other"]
"""The part that a variable plays in a world."""


@dataclass(frozen=True)
class Variable:
    """The name, kind and role of a column.

    Args:
        name: The variable's name in terms and diagrams.
        kind: `discrete` (integers 0 .. cardinality - 1), `continuous` (floats) or `image`
            (floats in [0, 1], channels first).
        cardinality: The number of states of a discrete variable, else None.
        role: The part that the variable plays in the causal diagram.

    Raises:
        ValueError: If a discrete variable has no positive cardinality, or another one has any.
    """

    name: str
    kind: VariableKind
    cardinality: int | None = None
    role: Role = "other"

    def __post_init__(self) -> None:
        if self.kind == "discrete" and (self.cardinality is None or self.cardinality < 1):
            raise ValueError(
                f"discrete variable {self.name!r} needs a cardinality of at least 1, got {self.cardinality}"
            )
        if self.kind != "discrete" and self.cardinality is not None:
            raise ValueError(f"{self.kind} variable {self.name!r} has no cardinality, got {self.cardinality}")
