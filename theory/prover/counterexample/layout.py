"""The variables and the goal of a search for distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from theory.diagrams import Diagram
from theory.expressions import GapOperator, Relation
from theory.prover.lattice import Frame, Vector

__all__ = ["Goal", "Layout"]


@dataclass(frozen=True)
class Layout:
    """The variables of a search.

    Args:
        names: The variables, parents first.
        parents: For each variable the positions of its parents; without a diagram all before it.
        noisy: Whether a variable may have noise of its own (deterministic ones may not).
        free: Whether there is no diagram.
    """

    names: tuple[str, ...]
    parents: tuple[tuple[int, ...], ...]
    noisy: tuple[bool, ...]
    free: bool

    @classmethod
    def of(cls, variables: Sequence[str], diagram: Diagram | None) -> Layout:
        """The layout of an ancestral set of variables of a diagram, or of all variables without one."""
        if diagram is None:
            n = len(variables)
            return cls(tuple(variables), tuple(tuple(range(i)) for i in range(n)), (True,) * n, True)
        names = tuple(v for v in diagram.order if v in set(variables))
        parents = tuple(tuple(names.index(p) for p in diagram.parents(v)) for v in names)
        return cls(names, parents, tuple(v not in diagram.deterministic for v in names), False)


@dataclass(frozen=True)
class Goal:
    """Relations that a distribution must satisfy, and relations of which it must break at least one.

    Args:
        required: It must satisfy all of these.
        broken: It must break at least one of these, if there is one.
    """

    required: tuple[Relation, ...]
    broken: tuple[Relation, ...]

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """The required ones, then the others."""
        return (*self.required, *self.broken)

    def vectors(self, frame: Frame) -> list[Vector]:
        """The gap of each relation, scaled to integers."""
        result = []
        for relation in self.relations:
            vector = frame.vector(relation.gap)
            scale = lcm(*(c.denominator for c in vector.values())) if vector else 1
            result.append({mask: c * scale for mask, c in vector.items()})
        return result

    def met(self, gaps: Sequence[npt.NDArray[np.generic]], tolerance: float = 0.0) -> npt.NDArray[np.bool_]:
        """Which of a batch meet the goal, given the gap of each relation.

        Args:
            gaps: One array of shape (batch,) for each of `relations`.
            tolerance: Gaps up to this size count as zero.
        """
        truths = [
            _true(np.asarray(gap), relation.gap_operator, tolerance)
            for gap, relation in zip(gaps, self.relations, strict=True)
        ]
        good = np.ones(len(gaps[0]), dtype=bool)
        for truth in truths[: len(self.required)]:
            good &= truth
        if self.broken:
            good &= ~np.all(truths[len(self.required) :], axis=0)
        return good


def _true(gap: npt.NDArray[np.generic], operator: GapOperator, tolerance: float) -> npt.NDArray[np.bool_]:
    value: npt.NDArray[Any] = gap.astype(float) if tolerance else gap
    if operator == "==":
        answer = np.abs(value) <= tolerance
    elif operator == ">":
        answer = value > tolerance
    else:
        answer = value >= -tolerance
    return np.asarray(answer, dtype=bool)


def masks_of(vectors: Sequence[Mapping[int, object]]) -> list[int]:
    """Every mask that occurs, once."""
    return sorted({mask for vector in vectors for mask in vector})
