"""Gains in accuracy with intervals that hold over seeds and images, and who can be told from whom."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

__all__ = ["PRIOR_SEEDS", "Gain", "Seeds", "compared", "gain", "tiers"]

PRIOR_SEEDS = 4.0
"""The weight of the other tasks' variance between seeds in that of each, at most, in degrees of freedom.

Two to five seeds say little of a task's own variance; shrinking it towards the mean of the others (Smyth
2004, with the prior's weight fixed instead of fitted) keeps the interval from being very narrow or wide by
chance. It weighs no more than the seeds of the others do: two seeds of one other task are one degree.
"""

Scores = npt.NDArray[np.float64]
"""Rightness, 0 or 1, by seed and judged image, shape (seeds, m)."""


@dataclass(frozen=True)
class Gain:
    """A mean difference in accuracy with its interval.

    Args:
        value: The mean over seeds and images.
        standard_error: Of that mean, over seeds and images.
        interval: The confidence interval, within [-1, 1].
        seeds: The number of training seeds.
        degrees: The degrees of freedom.
    """

    value: float
    standard_error: float
    interval: tuple[float, float]
    seeds: int
    degrees: float

    @property
    def smallest(self) -> float:
        """The smallest gain that such an interval would have told from none."""
        return (self.interval[1] - self.interval[0]) / 2

    def p_value(self) -> float:
        """Two-sided, of no difference."""
        if not self.standard_error:
            return 1.0 if not self.value else 0.0
        return float(2 * student.sf(abs(self.value) / self.standard_error, self.degrees))


@dataclass(frozen=True)
class Seeds:
    """How much the accuracies of tasks vary between seeds.

    Args:
        degrees: The number of seeds less one, by name.
        variances: The variance of the accuracy between them, by name.
    """

    degrees: Mapping[str, int]
    variances: Mapping[str, float]

    @classmethod
    def of(cls, scores: Mapping[str, Scores]) -> Seeds:
        """Those of some tasks, from their rightness by name, shape (seeds, m)."""
        return cls(
            {name: len(right) - 1 for name, right in scores.items()},
            {name: _between(right) for name, right in scores.items()},
        )

    def shrunk(self, right: Scores, *names: str) -> tuple[float, float]:
        """A variance between seeds, shrunk towards that of the others, and its degrees of freedom.

        Args:
            right: Of one training, or the difference of several, shape (seeds, m).
            names: What these are, which is not counted among the others. The variance of a difference is
                as many times that of the others.
        """
        others = [name for name in self.degrees if name not in names]
        weight = sum(self.degrees[name] for name in others)
        prior = min(PRIOR_SEEDS, weight)
        mean = sum(self.degrees[name] * self.variances[name] for name in others) / weight if weight else 0.0
        own = len(right) - 1
        degrees = prior + own
        if not degrees:
            raise ValueError(
                f"one seed of {', '.join(names)} alone says nothing of the variance between seeds"
            )
        return (prior * len(names) * mean + own * _between(right)) / degrees, degrees


def gain(
    right: Scores,
    reference: Scores,
    seeds: Seeds,
    name: str | None,
    *,
    confidence: float = 0.95,
    looks: int = 1,
) -> Gain:
    """What a training gains in accuracy over the random encoder.

    The variance is s_t^2 / S + s_r^2 / R + s_images^2 / m: of the means of each seed of the task and of the
    random encoder, and of the difference for each image. s_t^2 is shrunk towards that of the other tasks,
    s_r^2 is not, since nothing else is like the random encoder. What varies with seeds and images is counted
    twice, so that the interval rather covers too often. The degrees of freedom are Satterthwaite's. A task
    may be dropped after any look at its seeds; with the error shared by the looks (Bonferroni) the interval
    holds whichever was its last.

    Args:
        right: Rightness, shape (S, m).
        reference: That of the random encoder, shape (R, m), R > 1.
        seeds: The variances between seeds of the tasks.
        name: The task among them; None for what no seed changes.
        confidence: The nominal coverage.
        looks: How often the task could have been dropped, and the last.

    Raises:
        ValueError: If there is no seed, one random encoder, or fewer than two images.

    Example:
        >>> task, random = np.array([[1.0, 1, 0, 1], [1, 1, 0, 0]]), np.array([[0.0, 1, 0, 0], [0, 1, 0, 0]])
        >>> found = gain(task, random, Seeds.of({"rotation": task}), "rotation")
        >>> found.value, found.seeds
        (0.375, 2)
    """
    parts = []
    if name is not None:
        variance, degrees = seeds.shrunk(right, name)
        parts.append((variance / len(right), degrees))
    if len(reference) < 2:
        raise ValueError(f"a gain needs at least two random encoders, got {len(reference)}")
    parts.append((_between(reference) / len(reference), len(reference) - 1.0))
    images = right.mean(axis=0) - reference.mean(axis=0)
    return _gain(images, parts, seeds=len(right), confidence=confidence, looks=looks)


def compared(scores: Mapping[str, Scores], one: str, other: str, seeds: Seeds) -> Gain:
    """The difference of two tasks on the seeds that both have."""
    both = min(len(scores[one]), len(scores[other]))
    difference = scores[one][:both] - scores[other][:both]
    variance, degrees = seeds.shrunk(difference, one, other)
    return _gain(difference.mean(axis=0), [(variance / both, degrees)], seeds=both)


def tiers(
    scores: Mapping[str, Scores],
    seeds: Seeds,
    *,
    confidence: float = 0.95,
    dropped: Collection[str] = (),
) -> dict[str, int]:
    """Groups of tasks that cannot be told apart.

    The first is the best with all that are not worse, the next the best of the rest with its own.
    All pairs are compared, with Holm's correction, so that with the given confidence no two tasks are told
    apart that are equally good. A task that was dropped was told from the best when it was, and stays so.

    Args:
        scores: By task, shape (seeds, m); seeds in one order.
        seeds: The variances between seeds.
        confidence: Of all comparisons together.
        dropped: The tasks that were dropped, see `synergy.ranking.halving.dropped`.

    Returns:
        The number of the group by task, from 1, the best.
    """
    order = sorted(scores, key=lambda name: (name in dropped, -float(scores[name].mean()), name))
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    found = {pair: compared(scores, *pair, seeds) for pair in pairs}
    apart = {(order[0], name) for name in dropped}
    for rank, pair in enumerate(sorted(pairs, key=lambda p: found[p].p_value())):
        if found[pair].p_value() > (1 - confidence) / (len(pairs) - rank):
            break
        if found[pair].value > 0:
            apart.add(pair)
    groups: dict[str, int] = {}
    number, left = 0, list(order)
    while left:
        number += 1
        together = [name for name in left if (left[0], name) not in apart]
        groups.update(dict.fromkeys(together, number))
        left = [name for name in left if name not in groups]
    return groups


def _between(right: Scores) -> float:
    """The variance of the accuracy between seeds; 0 for one seed."""
    return float(right.mean(axis=1).var(ddof=1)) if len(right) > 1 else 0.0


def _gain(
    images: npt.NDArray[np.float64],
    parts: list[tuple[float, float]],
    *,
    seeds: int,
    confidence: float = 0.95,
    looks: int = 1,
) -> Gain:
    """The mean over images, with its variance over seeds, in parts, and over images."""
    m = len(images)
    if not seeds or m < 2:
        raise ValueError(f"a gain needs at least one seed and two images, got {seeds} and {m}")
    parts = [*parts, (float(images.var(ddof=1)) / m, m - 1.0)]
    square = sum(variance for variance, _ in parts)
    degrees = min(degrees for _, degrees in parts)
    if square:  # Satterthwaite
        degrees = square**2 / sum(variance**2 / each for variance, each in parts)
    value, error = float(images.mean()), math.sqrt(square)
    half = float(student.ppf(1 - (1 - confidence) / (2 * looks), degrees)) * error
    return Gain(value, error, (max(-1.0, value - half), min(1.0, value + half)), seeds, degrees)
