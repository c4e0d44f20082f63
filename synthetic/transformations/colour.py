"""Transformations of colour: inversion, grayscale, hue shift."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from synthetic.groups import FiniteGroup, cyclic
from synthetic.transformations.base import Exactness, Transformation
from synthetic.transformations.luma import LUMA

__all__ = ["Grayscale", "HueShift", "Inversion", "hcv_to_rgb", "rgb_to_hcv", "to_gray"]


def to_gray(images: torch.Tensor) -> torch.Tensor:
    """The brightness of RGB images (n, 3, h, w), of shape (n, 1, h, w)."""
    red, green, blue = images.unbind(1)
    return (red * LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])[:, None]


def rgb_to_hcv(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Hue in [0, 6], chroma and value of RGB images (n, 3, h, w), each (n, h, w); gray has hue 0.

    Chroma, the largest channel less the smallest, stands in for the saturation, chroma / value, which has no
    inverse where noise makes a pixel's largest channel zero or negative.
    """
    red, green, blue = images.unbind(1)
    value = torch.maximum(red, green).clamp_(min=blue)
    chroma = value - torch.minimum(red, green).clamp_(max=blue)
    safe = chroma.clamp(min=torch.finfo(images.dtype).tiny)  # where it is 0, so are all differences
    hue = (red - green).div_(safe).add_(4)
    # an interpolation by 0 or 1 chooses, and is faster than a mask
    hue = torch.lerp((blue - red).div_(safe).add_(2), hue, (value - green).sign_())
    hue = torch.lerp((green - blue).div_(safe), hue, (value - red).sign_())
    return _wrapped(hue), chroma, value


def _wrapped(hue: torch.Tensor) -> torch.Tensor:
    """Hues of any size, in sextants, brought to [0, 6]; one just below 0 rounds to 6, the same colour."""
    return torch.add(hue, torch.floor(hue / 6), alpha=-6)


def hcv_to_rgb(hue: torch.Tensor, chroma: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """The inverse of `rgb_to_hcv` for all real pixels; a new channel axis is put at position 1.

    A hue h, in sextants of any size, takes chroma times a ramp from the value: 2 - |h - 3| for red,
    |h - 2| - 1 for green and |h - 4| - 1 for blue, each clamped to [0, 1].
    """
    hue = _wrapped(hue)
    red = (hue - 3).abs_().neg_().add_(2)
    green, blue = ((hue - centre).abs_().sub_(1) for centre in (2, 4))
    ramps = torch.stack([red, green, blue], dim=1).clamp_(0, 1)
    return torch.addcmul(value[:, None], ramps, chroma[:, None], value=-1)


@dataclass(frozen=True)
class Inversion(Transformation):
    """Label 1 replaces each pixel x by 1 - x.

    The action is exact on pixels that are multiples of 2^-24, as all images of this package are
    (`on_grid`); elsewhere inverting twice comes back within 2^-25.
    """

    name: ClassVar[str] = "inversion"
    exactness: ClassVar[Exactness] = "exact"
    statement: ClassVar[str] = (
        "the cyclic group of order 2, exact on pixels that are multiples of 2^-24 and within 2^-25 elsewhere"
    )

    @property
    def cardinality(self) -> int:
        """2."""
        return 2

    @property
    def group(self) -> FiniteGroup:
        """The cyclic group of order 2."""
        return cyclic(2)

    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Choose x or 1 - x by the label."""
        return torch.where((labels == 1)[:, None, None, None], 1 - images, images)


@dataclass(frozen=True)
class Grayscale(Transformation):
    """Label 1 replaces each RGB pixel by its brightness (ITU-R BT.601) in all three channels."""

    name: ClassVar[str] = "grayscale"
    exactness: ClassVar[Exactness] = "not invertible"
    statement: ClassVar[str] = "no group: grayscale is a projection, the colours are lost"
    channels: ClassVar[tuple[int, ...] | None] = (3,)

    @property
    def cardinality(self) -> int:
        """2."""
        return 2

    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Choose the image or its brightness by the label."""
        return torch.where((labels == 1)[:, None, None, None], to_gray(images), images)


@dataclass(frozen=True)
class HueShift(Transformation):
    """Turn the hue of every pixel by an angle; saturation and value stay.

    Args:
        steps: None for a continuous angle in [0, 2 pi); k for the k angles 2 pi a / k.

    Raises:
        ValueError: If `steps` is less than 2.
    """

    name: ClassVar[str] = "hue-shift"
    exactness: ClassVar[Exactness] = "approximate"
    statement: ClassVar[str] = (
        "the circle (with steps=k the cyclic group of order k), up to float rounding of about 1e-6"
    )
    channels: ClassVar[tuple[int, ...] | None] = (3,)
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 2:
            raise ValueError(f"steps must be at least 2, or None for a continuous angle, got {self.steps}")

    @property
    def cardinality(self) -> int | None:
        """`steps`."""
        return self.steps

    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Go to hue, chroma and value, shift, and come back."""
        sextants = labels.to(images.dtype) * (6 / (self.steps or 2 * math.pi))
        hue, chroma, value = rgb_to_hcv(images)
        shifted = hcv_to_rgb(hue + sextants[:, None, None], chroma, value)
        return torch.where((labels == 0)[:, None, None, None], images, shifted)
