"""The conditions of invariance-or-equivariance, and what is measured of each of them on any images."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from matplotlib.figure import Figure

from synergy.experiments.limits import ACCURACY
from synergy.experiments.show import points
from synergy.learning import (
    Equivariance,
    ImageSet,
    Invariance,
    PredictTransformation,
    Pretext,
    SoftEquivariance,
    Task,
    Untrained,
)
from synergy.plots import plot_style, subplots

__all__ = [
    "CARE",
    "EQUIVARIANT",
    "HIDDEN",
    "INVARIANT",
    "MARGIN",
    "PIXELS",
    "RANDOM",
    "SHORT",
    "SOFT",
    "STARTS",
    "draw_accuracies",
    "mean_moved",
    "moved",
    "pretexts",
]

Images = npt.NDArray[np.float32]

PIXELS = "raw pixels"
"""The condition without an encoder."""

RANDOM = "random"
"""The condition of encoders with their initial weights."""

INVARIANT, EQUIVARIANT = "invariant", "equivariant"
"""The conditions that are compared: trained to ignore the transformation, and to predict it."""

CARE = "both (CARE)"
"""The condition trained for invariance and equivariance at once."""

HIDDEN = "equivariant, shift hidden"
"""The control: the same training on raw images whose own pose hides the transformation."""

SOFT = "soft: invariant output"
"""The condition of an invariant output with a term of equivariance at an inner layer."""

SHORT = {CARE: "CARE", HIDDEN: "shift hidden", SOFT: "soft"}
"""What conditions with long names are called in findings."""

STARTS = 8
"""Untrained encoders per seed: they differ from one another far more than trained ones do."""

MARGIN = 0.05
"""A smaller difference from a prediction counts as none, in accuracy or nats."""

_AUGMENT = "crop+flip"
"""The base augmentation of CARE."""


def pretexts(task: Task) -> dict[str, Pretext | None]:
    """The training of each condition; None for the raw pixels."""
    return {
        PIXELS: None,
        RANDOM: Untrained(),
        INVARIANT: Invariance(task),
        EQUIVARIANT: PredictTransformation(task),
        CARE: Equivariance(task, augment=_AUGMENT),
        HIDDEN: PredictTransformation(task),
        SOFT: SoftEquivariance(task),
    }


def moved(before: npt.NDArray[np.floating], after: npt.NDArray[np.floating]) -> float:
    """How far a transformation moves representations: E|f(ax) - f(x)|^2 / E|f(x) - f(x')|^2.

    It is 0 for an invariant f, and 1 where f(ax) says no more of x than another image x' does.

    Args:
        before: f(x), of shape (n, ..).
        after: f(ax), of the same shape.

    Raises:
        ValueError: If f does not depend on the image.

    Example:
        >>> z = np.array([[0.0], [2.0]])
        >>> moved(z, z), moved(z, 2 - z)
        (0.0, 2.0)
    """
    x, y = (v.reshape(len(v), -1).astype(np.float64) for v in (before, after))
    apart = 2 * float(x.var(axis=0).sum())
    if apart == 0:
        raise ValueError("the representations of all images are the same")
    return float(((y - x) ** 2).sum(axis=1).mean()) / apart


def mean_moved(images: ImageSet, represent: Callable[[Images], Images], task: Task) -> float:
    """The mean of `moved` over the states of a task that are not its first, the identity."""
    before = represent(images.images.numpy())
    shown = (task.apply(images.images, torch.full((len(images),), a)).numpy() for a in range(1, task.applied))
    return float(np.mean([moved(before, represent(x)) for x in shown]))


def draw_accuracies(runs: pd.DataFrame, latents: Mapping[str, tuple[str, float]]) -> Figure:
    """A panel for each latent: the accuracy of a linear probe under every condition, and chance.

    Args:
        runs: One row per condition and seed, with a column `L accuracy` for each latent L.
        latents: What each is called, and the accuracy of a guess.
    """
    names = list(dict.fromkeys(runs["pretext"]))
    with plot_style():
        figure, axes = subplots(len(latents), width=5.0, height=3.4)
        for k, (axis, (latent, (called, chance))) in enumerate(zip(axes, latents.items(), strict=True)):
            axis.axhline(chance, color="0.3", linestyle=":", linewidth=1)
            axis.text(0, chance, "chance", fontsize=8, color="0.3", ha="center", va="bottom")
            points(axis, names, runs, "pretext", f"{latent} accuracy", colour=k, kind=ACCURACY)
            axis.set_xticks(range(len(names)), [n.replace(" ", "\n") for n in names], fontsize=8)
            axis.set_ylabel(f"accuracy of a linear probe of {called}")
    return figure
