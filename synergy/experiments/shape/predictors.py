"""What may predict the worth of a task: numbers of a pilot and of simple statistics U, by several choices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from synergy.ranking.candidates import Candidate
from synergy.ranking.data import RankedImages
from synergy.ranking.pilots import Job, judged_inputs, run_job, transformed
from synergy.ranking.quantities import combined
from synergy.ranking.settings import RankSettings
from synergy.ranking.shortcuts import SHORTCUTS, Statistic, predicted, statistics

__all__ = ["CHOICES", "SHAPE_TERM", "SHOWS_SHAPE", "choices", "predictors", "term"]

SHAPE_TERM = "I(A;X|U)"
"""What shape must tell."""

SHOWS_SHAPE = "with a thumbnail"
"""The control: statistics that show shape, so that what they leave is not what shape must tell."""

_SIDE = 4
"""The side of the thumbnail in pixels: enough to see a shape."""


def _thumbnail(images: torch.Tensor) -> torch.Tensor:
    return functional.adaptive_avg_pool2d(images, _SIDE)


_KNOWN: Mapping[str, Statistic] = {**SHORTCUTS, "thumbnail": _thumbnail}
"""Every statistic that is in some U."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "": tuple(SHORTCUTS),
    SHOWS_SHAPE: tuple(_KNOWN),
    "first half": tuple(SHORTCUTS)[::2],
    "second half": tuple(SHORTCUTS)[1::2],
}
"""The statistics in each U: those of `rank`; these with a thumbnail; every other one of them."""


def choices(every: bool) -> tuple[str, ...]:
    """The choices of U: all, or that of `rank` and the control."""
    return tuple(CHOICES) if every else ("", SHOWS_SHAPE)


def term(choice: str) -> str:
    """The name of I(A;X|U) for a choice of U."""
    return f"{SHAPE_TERM} {choice}" if choice else SHAPE_TERM


def predictors(
    candidate: Candidate,
    data: RankedImages,
    settings: RankSettings,
    seed: int,
    *,
    every: bool,
    device: str,
) -> dict[str, float]:
    """I(A;X), I(A;X|U) for each U, the log of the number of states, and the accuracy of the pilot's probe.

    The posterior given X is that of a portfolio: the head of one pilot, and all simple models. That given
    U is one of the models that see U alone.

    Args:
        candidate: The task.
        data: The images.
        settings: How large the pilot is.
        seed: Of the pilot.
        every: Whether to try every choice of U.
        device: Where the pilot runs.
    """
    pilot = run_job(Job("pilot", candidate, seed), data, settings, device)
    job = Job("shortcuts", candidate, seed)
    shown, labels = transformed(job, data, data.drawn(settings.images, seed=seed), seed=seed)
    judged, truths = judged_inputs(job, data)
    states, rows = candidate.task.states, np.arange(len(truths))
    columns = {name: [statistics(x, [name], known=_KNOWN) for x in (shown, judged)] for name in _KNOWN}

    def log_p(members: list[npt.NDArray[np.float64]]) -> float:
        found = combined(members, truths, states, folds=settings.folds)
        return float(found[rows, truths].mean())

    simple = {}
    for choice in choices(every):
        fitted, seen = (np.hstack([columns[name][side] for name in CHOICES[choice]]) for side in (0, 1))
        simple[choice] = predicted((fitted, labels), seen, states, seed=seed, thorough=False)
    by_x = log_p([pilot["log_p"], *(member for members in simple.values() for member in members)])
    return {
        "I(A;X)": float(np.log(states)) + by_x,
        **{term(choice): by_x - log_p(members) for choice, members in simple.items()},
        "log states": float(np.log(states)),
        "pilot": float(pilot["right"].mean()),
    }
