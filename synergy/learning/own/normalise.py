"""Bringing pixels to the mean and deviation that an encoder expects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

__all__ = ["Normalise", "mean_and_deviation", "normalised"]

Normalise = Literal["imagenet"] | tuple[float | Sequence[float], float | Sequence[float]]
"""The mean that is subtracted from pixels and the deviation they are divided by, one or one a channel."""

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Of the photographs of ImageNet, as torchvision's and most of timm's weights expect them."""


def normalised(images: torch.Tensor, normalise: Normalise) -> torch.Tensor:
    """Images less a mean, divided by a deviation, channel by channel.

    Raises:
        ValueError: If there is neither one number nor one for each channel.
    """
    parts = []
    for name, values in zip(("mean", "deviation"), mean_and_deviation(normalise), strict=True):
        if len(values) not in (1, images.shape[1]):
            raise ValueError(
                f"normalise must have one {name} or one for each of the {images.shape[1]} channels, got "
                f"{len(values)}"
            )
        shape = (1, -1, *([1] * (images.ndim - 2)))
        parts.append(torch.tensor(values, dtype=torch.float32, device=images.device).reshape(shape))
    return (images - parts[0]) / parts[1]


def mean_and_deviation(normalise: object) -> tuple[list[float], list[float]]:
    """The means and deviations, one number each or one for each channel.

    Raises:
        ValueError: If they are none.
    """
    if isinstance(normalise, str):
        if normalise != "imagenet":
            raise ValueError(f"normalise must be (mean, deviation) or 'imagenet', got {normalise!r}")
        normalise = IMAGENET
    try:
        mean, deviation = (
            [float(x) for x in np.atleast_1d(np.asarray(part, dtype=np.float64))]
            for part in normalise  # type: ignore[attr-defined]  # what cannot be iterated raises the TypeError below
        )
    except (TypeError, ValueError):
        raise ValueError(f"normalise must be (mean, deviation) or 'imagenet', got {normalise!r}") from None
    if not np.isfinite(mean + deviation).all() or min(deviation) <= 0:
        raise ValueError(f"normalise must have finite means and positive deviations, got {normalise!r}")
    return mean, deviation
