"""What an independence test returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["IndependenceResult"]


@dataclass(frozen=True)
class IndependenceResult:
    """The outcome of a test of `X _||_ Y | Z`.

    Args:
        statement: What was tested, as text.
        p_value: (1 + number of resampled statistics at least as large) / (1 + number of resamples).
        statistic: The observed statistic.
        method: How it was tested.
        resamples: The number of permutations or multiplier draws.
        samples: The number of rows.
        notes: What a reader must know: what was chosen and why, what the test cannot see.
    """

    statement: str
    p_value: float
    statistic: float
    method: str
    resamples: int
    samples: int
    notes: tuple[str, ...] = ()

    def rejects(self, level: float = 0.05) -> bool:
        """Whether independence is rejected at this level.

        Raises:
            ValueError: If the level is not strictly between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must lie strictly between 0 and 1, got {level}")
        return self.p_value <= level

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return {
            "statement": self.statement,
            "p_value": self.p_value,
            "statistic": self.statistic,
            "method": self.method,
            "resamples": self.resamples,
            "samples": self.samples,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        return f"{self.statement}: p = {self.p_value:.4g} ({self.method}, n={self.samples})"
