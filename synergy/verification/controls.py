"""Negative controls: a claim that must fail, on data built to break it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synthetic import Generator, ModularShift, Sample, Variable
from synthetic.generator import AnswerKind
from theory import Claim, Diagram, Joint

__all__ = ["CONTROL", "Confounded"]


@dataclass(frozen=True)
class Confounded(Generator):
    """A modular shift whose transformation is chosen by the class: C -> A breaks the collider.

    With probability `strength` the transformation is A = C, else uniform, so that I(A;C) > 0 and
    I(A;X|C) = I(A;X) + I(A;C|X) - I(A;C) falls short of what explaining away promises.

    Args:
        n: The number of states, classes and transformations, at least 2.
        strength: How often the class decides, in (0, 1].

    Raises:
        ValueError: If a parameter is out of its range.
    """

    family: ClassVar[str] = "confounded-shift"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("enumeration",)
    n: int = 4
    strength: float = 0.5

    def __post_init__(self) -> None:
        if self.n < 2:
            raise ValueError(f"n must be at least 2, got {self.n}")
        if not 0 < self.strength <= 1:
            raise ValueError(f"strength must be in (0, 1], got {self.strength}")

    @property
    def diagram(self) -> Diagram:
        """C -> A, C -> X, A -> X."""
        return Diagram.parse("C->A, C->X, A->X", name="confounded shift")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, A and X, all with n states."""
        return ModularShift(n=self.n).variables

    def joint(self) -> Joint:
        """The exact joint, of shape (n, n, n)."""
        independent = ModularShift(n=self.n).joint()
        choice = (1 - self.strength) + self.strength * self.n * np.eye(self.n)  # (C, A)
        return Joint(independent.names, independent.probabilities * choice[:, :, None])

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw n rows."""
        rows = self.joint().sample(n, seed=seed)
        return Sample(
            {v.name: rows[v.name].to_numpy() for v in self.variables},
            {v.name: v for v in self.variables},
            metadata={"generator": self.family, "parameters": self.parameters, "seed": seed},
        )


CONTROL = Claim(
    "E1-control",
    "Explaining away needs independence",
    "I(A;Z|C) == I(A;Z) + I(A;C|Z)",
    "false",
    Diagram.parse("C->R, S->R, V->R, R->X, C->A, A->X, X->Z", name="confounded E-SSL diagram"),
    prose="A negative control: where the class chooses the transformation the identity E1 must fail.",
    reference="this project",
    worlds=("proof", "exact", "sample"),
)
"""E1 on a diagram with C -> A. A verifier that lets it pass is broken."""
