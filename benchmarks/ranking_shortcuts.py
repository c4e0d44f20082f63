"""Other choices of the simple statistics U than that of `rank`, fitted alike, to be compared."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch
from ranking_sets import Images
from threadpoolctl import threadpool_limits
from torch import nn

from synergy.learning.seeds import Purpose, generator
from synergy.ranking.candidates import Candidate, candidates
from synergy.ranking.quantities import combined
from synergy.ranking.shortcuts import SHORTCUTS, Statistic, predicted, statistics

FITTED, JUDGED = 3_000, 2_000
"""Images that the simple models are fitted and judged on: fewer than in `rank`, for eight choices of U."""


def thumbnail(side: int) -> Statistic:
    """The image at a few pixels: shape, at 4 x 4."""

    def shrunk(images: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(images, side)

    return shrunk


def edges(images: torch.Tensor) -> torch.Tensor:
    """A histogram of the directions of edges, weighed by their strength."""
    gray = images.mean(dim=1)
    across, down = gray[:, :-1].diff(dim=2), gray[:, :, :-1].diff(dim=1)
    strength, angle = torch.hypot(across, down), torch.atan2(down, across)
    bins = ((angle / (2 * math.pi) + 0.5) * 8).long().clamp(0, 7)
    return torch.stack([(strength * (bins == b)).mean(dim=(1, 2)) for b in range(8)], dim=1)


OTHERS: dict[str, Statistic] = {
    **SHORTCUTS,
    "2 x 2": thumbnail(2),
    "4 x 4": thumbnail(4),
    "edge directions": edges,
}

CHOICES: dict[str, tuple[str, ...]] = {
    "that of rank": tuple(SHORTCUTS),
    "first half": ("channel means", "channel equality", "histogram"),
    "second half": ("channel spreads", "sharpness", "border pixels"),
    "means and spreads": ("channel means", "channel spreads"),
    "without border": tuple(name for name in SHORTCUTS if name != "border pixels"),
    "with 2 x 2": (*SHORTCUTS, "2 x 2"),
    "with edge directions": (*SHORTCUTS, "edge directions"),
    "with 4 x 4, which shows shape": (*SHORTCUTS, "4 x 4"),
}
"""The choices of U. That of `rank` is among them, so that all are fitted on as few images."""


def shortcuts(name: str, found: Images) -> pd.DataFrame:
    """I(A;U) of every task of a set, for every choice of U: one row per task."""
    rows = []
    with threadpool_limits(limits=1):
        torch.set_num_threads(1)
        for candidate in candidates((), found.shape):
            rows.append({"images": name, "task": candidate.name, **_of_task(candidate, found)})
    return pd.DataFrame(rows)


def _of_task(candidate: Candidate, found: Images) -> dict[str, float]:
    order = np.random.default_rng(0x54C).permutation(len(found.train))
    cut = min(FITTED, round(0.6 * len(order)))
    drawn = []
    for part, seed in ((order[:cut], 1), (order[cut : cut + JUDGED], 2)):
        codes = candidate.task.draw(len(part), generator(seed, Purpose.LABELS))
        shown = candidate.task.apply(torch.from_numpy(found.train[part]), codes)
        drawn.append((shown, candidate.task.predicted(codes).numpy()))
    (fitted, labels), (judged, truths) = drawn
    every = {name: tuple(statistics(x, [name], known=OTHERS) for x in (fitted, judged)) for name in OTHERS}
    states, rows = candidate.task.states, np.arange(len(truths))
    result = {}
    for choice, names in CHOICES.items():
        u, shown = (np.hstack([every[name][side] for name in names]) for side in (0, 1))
        members = predicted((u, labels), shown, states, seed=0, thorough=False)
        log_p = combined(members, truths, states, folds=5)
        result[choice] = float(np.log(states) + log_p[rows, truths].mean())
    return result
