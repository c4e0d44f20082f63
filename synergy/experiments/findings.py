"""What an experiment found: a prediction of the theory beside numbers over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from synergy.experiments.limits import ANYTHING, Limits

__all__ = ["Comparison", "Finding", "FindingVerdict", "joint_confidence", "summarise"]

FindingVerdict = Literal[
    "agrees",
    "disagrees",
    "undecided",
    "fixed by construction",
    "no prediction",
    "nothing was eliminated",
    "elimination undecided",
]
"""Whether a measured number is as predicted.

A number that no seed can change is evidence of nothing, and neither is one of a treatment that did not work,
or that may not have worked.
"""

_ALPHA = 0.05
"""The chance that any interval of a table misses its value."""

Comparison = Literal[">", "<", ">=", "=="]
"""How a number is predicted to compare with another."""


@dataclass(frozen=True)
class Spread:
    """A mean over seeds with Student's interval.

    With a single seed, or with the same number for every seed, there is nothing to learn a variance from: the
    interval is infinite.
    """

    mean: float
    low: float
    high: float
    seeds: int = 0

    def __str__(self) -> str:
        if not math.isfinite(self.low):
            return f"{self.mean:+z.3f} ({'one seed' if self.seeds == 1 else 'the same for every seed'})"
        return f"{self.mean:+z.3f} [{self.low:+z.3f}, {self.high:+z.3f}]"


def summarise(
    values: Sequence[float],
    *,
    confidence: float = 0.95,
    shared: float = 0.0,
    bounds: Limits | None = None,
) -> Spread:
    """The mean over seeds and its Student t interval, mean -+ t s sqrt(1/n + shared).

    Args:
        values: One number per seed.
        confidence: The nominal coverage.
        shared: 0 where every seed draws its own images. Where every seed splits the same images anew, its
            numbers are not independent: then judged images over trained ones (the corrected resampled t
            test).
        bounds: What the number cannot leave, such as (-1, 1) for a correlation. The interval is cut there,
            which costs no coverage, but never so far that it misses its mean: an estimate may err beyond
            what is possible, such as an information a little below 0.

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
    if len(data) < 2 or np.ptp(data) == 0:
        return Spread(mean, -math.inf, math.inf, len(data))
    quantile = float(student.ppf(0.5 + confidence / 2, len(data) - 1))
    half = quantile * _error(data, shared)
    least, most = bounds or (-math.inf, math.inf)
    low, high = max(least, mean - half), min(most, mean + half)
    return Spread(mean, min(mean, low), max(mean, high), len(data))


def _error(data: npt.NDArray[np.float64], shared: float) -> float:
    """The standard error of a mean over seeds that share some of their images."""
    return float(data.std(ddof=1)) * math.sqrt(1 / len(data) + shared)


@dataclass(frozen=True)
class Finding:
    """A number over seeds, and what the theory says of it.

    With an interval [low, high] and a margin m, the theory and the number agree where the whole interval
    fits the relation, disagree where none of it does, and are undecided otherwise:

        >   low > 0             disagrees: high < 0
        <   high < 0            disagrees: low > 0
        >=  low >= -m           disagrees: high < -m
        ==  -m <= low, high <= m    disagrees: high < -m or low > m

    A number that is the same for every seed is fixed by construction: it neither agrees nor disagrees. A
    discrete one, such as a rank correlation of a few tasks, may be the same by chance: then it is undecided.
    A number without limits, such as a ratio, is not told with two seeds, whose intervals reach 13 standard
    errors to either side and more.

    Args:
        about: What the number is, with its unit.
        values: One number per seed.
        relation: What it should be to 0; None where the theory does not say.
        margin: How far from 0 still counts as 0: the error of a measurement by classifiers.
        shared: How much the seeds share their images, see `summarise`.
        bounds: What the number cannot leave, see `limits`; None where nothing is known, as in a ratio. The
            words of `about` say nothing of it.
        discrete: Whether the number takes few values, so that seeds may agree by chance.
        void: The verdict where what was to be done to the representations was not done, so that the number
            is no evidence, whatever it is; None where it was.
        rounding: How far numbers that no seed changes may differ by rounding.
    """

    about: str
    values: tuple[float, ...]
    relation: Comparison | None = None
    margin: float = 0.0
    shared: float = 0.0
    bounds: Limits | None = None
    discrete: bool = False
    void: FindingVerdict | None = None
    rounding: float = 0.0

    def spread(self, confidence: float = 0.95) -> Spread:
        """The mean and interval over seeds."""
        if self.fixed:
            return Spread(float(np.mean(self.values)), -math.inf, math.inf, len(self.values))
        return summarise(self.values, confidence=confidence, shared=self.shared, bounds=self.limits)

    @property
    def limits(self) -> Limits:
        """What the number cannot leave, infinite where nothing is known."""
        return self.bounds or ANYTHING

    @property
    def told(self) -> bool:
        """Whether the seeds are enough for an interval that means something."""
        return len(self.values) > 2 or (len(self.values) == 2 and bool(np.isfinite(self.limits).all()))

    @property
    def fixed(self) -> bool:
        """Whether no seed changes the number, though it could take any value."""
        return len(self.values) > 1 and float(np.ptp(self.values)) <= self.rounding and not self.discrete

    def over_seeds(self, confidence: float = 0.95) -> str:
        """The mean and interval in words.

        Example:
            >>> Finding("a ratio", (0.5, 2.0)).over_seeds()
            '+1.250 [-8.280, +10.780], not told with two seeds'
        """
        found = self.spread(confidence)
        untold = math.isfinite(found.low) and not self.told
        return f"{found}, not told with two seeds" if untold else str(found)

    def could_have_seen(self, confidence: float = 0.95) -> str:
        """The smallest effect in words, empty where the seeds show no spread.

        Example:
            >>> Finding("accuracy of c4 less that of cnn", (-0.9, 0.9), bounds=(-1, 1)).could_have_seen()
            'no effect'
        """
        effect = self.smallest_effect(confidence)
        if effect is not None:
            return f"{effect:.3f}" if self.told else "not told"
        return "no effect" if math.isfinite(self.spread(confidence).low) else ""

    def smallest_effect(self, confidence: float = 0.95, power: float = 0.8) -> float | None:
        """The smallest distance from 0 that as many seeds, spread as these, tell from 0 with that power.

        It is (t_(1+confidence)/2 + t_power) standard errors, t the quantiles of Student's law: a smaller
        effect can easily go unseen. None where the seeds show no spread, or where the number cannot be so
        far from 0: then no effect is sure to be seen.

        Example:
            >>> round(Finding("a gain", (0.1, 0.2, 0.3)).smallest_effect(), 3)
            0.31
        """
        data = np.asarray(self.values, dtype=np.float64)
        if len(data) < 2 or np.ptp(data) == 0 or self.fixed:
            return None
        quantiles = student.ppf([0.5 + confidence / 2, power], len(data) - 1)
        effect = float(quantiles.sum()) * _error(data, self.shared)
        return effect if effect <= max(map(abs, self.limits)) else None

    def verdict(self, confidence: float = 0.95) -> FindingVerdict:
        """Whether theory and number agree."""
        found, m = self.spread(confidence), self.margin
        if self.void is not None:
            return self.void
        if self.fixed:
            return "fixed by construction"
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
            "smallest_effect": self.smallest_effect(confidence),
            "seeds": len(self.values),
            "verdict": self.verdict(confidence),
        }


def joint_confidence(findings: Sequence[Finding]) -> float:
    """The confidence of each interval, so that those of all that are judged hold together with 95 %."""
    return 1 - _ALPHA / max(1, sum(finding.relation is not None for finding in findings))
