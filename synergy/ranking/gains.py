"""Gains in accuracy with intervals that hold over seeds and images, and who can be told from whom."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

__all__ = ["PRIOR_SEEDS", "Gain", "compared", "gain", "seed_variance", "tiers"]

PRIOR_SEEDS = 4.0
"""The weight of the variance between seeds of all tasks in that of each, in degrees of freedom.

Two to five seeds say little of a task's own variance; shrinking it towards the mean of all tasks (Smyth
2004, with the prior's weight fixed instead of fitted) keeps the interval from being very narrow or wide by
chance.
"""

Scores = npt.NDArray[np.float64]
"""Differences of rightness, by seed and judged image, shape (seeds, m)."""


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


def seed_variance(scores: Sequence[Scores]) -> float:
    """The mean variance between seeds of several tasks; 0 where none has two seeds."""
    parts = [(len(s) - 1, float(s.mean(axis=1).var(ddof=1))) for s in scores if len(s) > 1]
    weight = sum(degrees for degrees, _ in parts)
    return sum(degrees * variance for degrees, variance in parts) / weight if weight else 0.0


def gain(scores: Scores, *, pooled: float, confidence: float = 0.95, looks: int = 1) -> Gain:
    """The mean of differences that are paired over seeds and images.

    The variance is s_seeds^2 / S + s_images^2 / m, of the means of each seed and of each image: what varies
    with both is counted twice, so that the interval rather covers too often. s_seeds^2 is shrunk towards
    that of all tasks. A task may be dropped after any look at its seeds; with the error shared by the looks
    (Bonferroni) the interval holds whichever was its last.

    Args:
        scores: Shape (seeds, m).
        pooled: The variance between seeds of all tasks, see `seed_variance`.
        confidence: The nominal coverage.
        looks: How often the task could have been dropped, and the last.

    Raises:
        ValueError: If there is no seed, or fewer than two images.

    Example:
        >>> found = gain(np.array([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]]), pooled=0.01)
        >>> found.value, found.seeds
        (0.375, 2)
    """
    seeds, m = scores.shape
    if not seeds or m < 2:
        raise ValueError(f"a gain needs at least one seed and two images, got shape {scores.shape}")
    own = float(scores.mean(axis=1).var(ddof=1)) if seeds > 1 else 0.0
    between = (PRIOR_SEEDS * pooled + (seeds - 1) * own) / (PRIOR_SEEDS + seeds - 1) / seeds
    within = float(scores.mean(axis=0).var(ddof=1)) / m
    error = math.sqrt(between + within)
    degrees = PRIOR_SEEDS + seeds - 1
    if error:  # Satterthwaite
        degrees = (between + within) ** 2 / (between**2 / degrees + within**2 / (m - 1))
    value = float(scores.mean())
    half = float(student.ppf(1 - (1 - confidence) / (2 * looks), degrees)) * error
    return Gain(value, error, (max(-1.0, value - half), min(1.0, value + half)), seeds, degrees)


def compared(one: Scores, other: Scores, *, pooled: float) -> Gain:
    """The difference of two tasks on the seeds that both have."""
    seeds = min(len(one), len(other))
    return gain(one[:seeds] - other[:seeds], pooled=2 * pooled)


def tiers(
    scores: Mapping[str, Scores],
    *,
    pooled: float,
    confidence: float = 0.95,
    dropped: Collection[str] = (),
) -> dict[str, int]:
    """Groups of tasks that cannot be told apart.

    The first is the best with all that are not worse, the next the best of the rest with its own.
    All pairs are compared, with Holm's correction, so that with the given confidence no two tasks are told
    apart that are equally good. A task that was dropped was told from the best when it was, and stays so.

    Args:
        scores: By task, shape (seeds, m); seeds in one order.
        pooled: The variance between seeds of all tasks.
        confidence: Of all comparisons together.
        dropped: The tasks that were dropped, see `synergy.ranking.halving.dropped`.

    Returns:
        The number of the group by task, from 1, the best.
    """
    order = sorted(scores, key=lambda name: (name in dropped, -float(scores[name].mean()), name))
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    found = {pair: compared(scores[pair[0]], scores[pair[1]], pooled=pooled) for pair in pairs}
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
