"""What an experiment found: a prediction of the theory beside numbers over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.stats import t as student

__all__ = ["Comparison", "Finding", "summarise"]

FindingVerdict = Literal["agrees", "disagrees", "undecided", "no prediction"]
"""Whether a measured number is as predicted."""

Comparison = Literal[">", "<", ">=", "=="]
"""How a number is predicted to compare with another."""


@dataclass(frozen=True)
class Spread:
    """A mean over seeds with Student's interval; with a single seed the interval is infinite."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        if not math.isfinite(self.low):
            return f"{self.mean:+.3f} (one seed)"
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def summarise(values: Sequence[float], *, confidence: float = 0.95, shared: float = 0.0) -> Spread:
    """The mean over seeds and its Student t interval, mean -+ t s sqrt(1/n + shared).

    Args:
        values: One number per seed.
        confidence: The nominal coverage.
        shared: 0 where every seed draws its own images. Where every seed splits the same images anew, its
            numbers are not independent: then judged images over trained ones (the corrected resampled t
            test).

    Raises:
        ValueError: If there is no value.

    Source:
        Nadeau and Bengio 2003, "Inference for the generalization error", Machine Learning 52, section 3.

    Example:
        >>> spread = summarise([1.0, 2.0, 3.0])
        >>> round(spread.mean, 2), round(spread.low, 2), round(spread.high, 2)
        (2.0, -0.48, 4.48)
    """
    data = np.asarray(values, dtype=np.float64)
    if not len(data):
        raise ValueError("a mean over seeds needs at least one value, got none")
    mean = float(data.mean())
    if len(data) < 2:
        return Spread(mean, -math.inf, math.inf)
    quantile = float(student.ppf(0.5 + confidence / 2, len(data) - 1))
    half = quantile * float(data.std(ddof=1)) * math.sqrt(1 / len(data) + shared)
    return Spread(mean, mean - half, mean + half)


@dataclass(frozen=True)
class Finding:
    """A number over seeds, and what the theory says of it.

    With an interval [low, high] and a margin m, the theory and the number agree where the whole interval
    fits the relation, disagree where none of it does, and are undecided otherwise:

        >   low > 0             disagrees: high < 0
        <   high < 0            disagrees: low > 0
        >=  low >= -m           disagrees: high < -m
        ==  -m <= low, high <= m    disagrees: high < -m or low > m

    Args:
        about: What the number is, with its unit.
        values: One number per seed.
        relation: What it should be to 0; None where the theory does not say.
        margin: How far from 0 still counts as 0: the error of a measurement by classifiers.
        shared: How much the seeds share their images, see `summarise`.
    """

    about: str
    values: tuple[float, ...]
    relation: Comparison | None = None
    margin: float = 0.0
    shared: float = 0.0

    def spread(self, confidence: float = 0.95) -> Spread:
        """The mean and interval over seeds."""
        return summarise(self.values, confidence=confidence, shared=self.shared)

    def verdict(self, confidence: float = 0.95) -> FindingVerdict:
        """Whether theory and number agree."""
        found, m = self.spread(confidence), self.margin
        if self.relation is None:
            return "no prediction"
        agrees, disagrees = {
            ">": (found.low > 0, found.high < 0),
            "<": (found.high < 0, found.low > 0),
            ">=": (found.low >= -m, found.high < -m),
            "==": (-m <= found.low and found.high <= m, found.high < -m or found.low > m),
        }[self.relation]
        return "agrees" if agrees else "disagrees" if disagrees else "undecided"

    def to_dict(self, confidence: float = 0.95) -> dict[str, Any]:
        """The finding by name, with its interval and verdict."""
        found = self.spread(confidence)
        finite = math.isfinite(found.low)
        return {
            "about": self.about,
            "relation": self.relation and f"{self.relation} 0",
            "margin": self.margin,
            "mean": found.mean if math.isfinite(found.mean) else None,
            "interval": [found.low, found.high] if finite else None,
            "confidence": confidence,
            "seeds": len(self.values),
            "verdict": self.verdict(confidence),
        }
