"""What a check of a claim found, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Evidence", "World", "in_nats"]

World = Literal["proof", "symbolic", "exact", "sample", "learned"]

_ROUNDING = 5e-13
"""Numbers below it are rounding errors of sums of p log p, and shown as 0; in nats."""


def in_nats(value: float) -> str:
    """A number for a summary: three digits, and 0 in place of a rounding error."""
    return f"{0.0 if abs(value) < _ROUNDING else value:.3g} nats"


@dataclass(frozen=True)
class Evidence:
    """What a check found.

    Args:
        world: Where it was judged.
        holds: Whether what the claim says was found: for a true claim no violation, for a false one a
            violation, for an existential one a model that satisfies it.
        margin: The smallest slack over all cases, in nats: how far the case closest to failure is
            from failing, negative when it fails. For equalities minus the largest difference.
        tolerance: The rounding error that was allowed for, in nats; 0 for symbolic checks.
        cases: How many models, parameters or identities were tried.
        summary: One line on what was tried and what came out.
    """

    world: World
    holds: bool
    margin: float
    tolerance: float
    cases: int
    summary: str

    def __str__(self) -> str:
        return f"{self.world}: {'holds' if self.holds else 'fails'} ({self.summary})"
