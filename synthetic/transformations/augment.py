"""Base augmentations: crop, crop and flip, and the SimCLR set, in batches on the device.

An augmentation is a function of the images and of uniform numbers, a fixed count for each image, so that
whoever draws the numbers fixes the result on every device, to rounding. The crop is the usual random resized
crop; the colour jitter and the order of operations are those of SimCLR (Chen et al. 2020, arXiv:2002.05709)
with the strengths that are customary for small images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch

from synthetic.transformations.base import on_grid
from synthetic.transformations.colour import hcv_to_rgb, rgb_to_hcv, to_gray
from theory.checks import number, probability

__all__ = ["AUGMENTATIONS", "Augmentation", "AugmentationName", "augmentation"]

AugmentationName = Literal["none", "crop", "crop+flip", "simclr"]


@dataclass(frozen=True)
class Augmentation:
    """A random change of an image that is meant to keep its class.

    Args:
        name: What to call it.
        crop: The range of the share of the area that a crop keeps; None for no crop.
        flip: The probability of a mirror image, left to right.
        jitter: The probability of a change of brightness, contrast, saturation and hue.
        gray: The probability of losing all colour.
        blur: The probability of a Gaussian blur with a standard deviation of up to 1/32 of the side.

    Raises:
        TypeError: If the name is no text, or a field is no number.
        ValueError: If a probability leaves [0, 1], the crop is not 0 < low <= high <= 1, or the name `none`
            stands for something else than no change.
    """

    name: str
    crop: tuple[float, float] | None = None
    flip: float = 0.0
    jitter: float = 0.0
    gray: float = 0.0
    blur: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a text, got {self.name!r}")
        chances = [probability(name, getattr(self, name)) for name in ("flip", "jitter", "gray", "blur")]
        if self.crop is not None:
            if isinstance(self.crop, str) or not isinstance(self.crop, Sequence) or len(self.crop) != 2:
                raise TypeError(f"crop must be a pair of shares of the area or None, got {self.crop!r}")
            low, high = (number("crop", share) for share in self.crop)
            if not 0 < low <= high <= 1:
                raise ValueError(f"crop must be shares 0 < low <= high <= 1 of the area, got {self.crop}")
            object.__setattr__(self, "crop", (low, high))
        if self.name == "none" and (self.crop is not None or any(chances)):
            raise ValueError("name 'none' is kept for no change: choose another name for this augmentation")

    @property
    def numbers(self) -> int:
        """How many uniform numbers each image needs."""
        return 14

    def apply(
        self, images: torch.Tensor, uniform: torch.Tensor, rows: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The augmented images.

        Args:
            images: Floats in [0, 1] of shape (m, channels, height, width), 1 or 3 channels.
            uniform: Numbers in [0, 1), shape (n, `numbers`).
            rows: Which of the images, integers of shape (n,); None for all, where m = n. To read images
                where they lie, in the order that is asked for, is faster than to gather them before.

        Returns:
            Floats in [0, 1], multiples of 2^-24, of shape (n, channels, height, width).

        Raises:
            IndexError: If a row is out of range.
            ValueError: If the shapes do not fit.
        """
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ValueError(
                f"images must have shape (n, 1 or 3 channels, height, width), got {tuple(images.shape)}"
            )
        if rows is not None and (rows.ndim != 1 or rows.is_floating_point() or rows.dtype == torch.bool):
            raise ValueError(f"rows must be integers of shape (n,), got {rows.dtype} {tuple(rows.shape)}")
        n = len(images) if rows is None else len(rows)
        if tuple(uniform.shape) != (n, self.numbers):
            raise ValueError(f"uniform must have shape ({n}, {self.numbers}), got {tuple(uniform.shape)}")
        if self == AUGMENTATIONS["none"]:
            return images if rows is None else images.index_select(0, rows)
        plain = images.device.type == "cpu" and images.dtype == torch.float32 and not images.requires_grad
        if plain and (kernel := _kernel()) is not None:
            return self._by_numba(kernel, images, uniform, rows)
        chosen = images if rows is None else images.index_select(0, rows)
        return self._by_torch(chosen, uniform.to(images))

    def _by_numba(
        self,
        kernel: Callable[..., None],
        images: torch.Tensor,
        uniform: torch.Tensor,
        rows: torch.Tensor | None,
    ) -> torch.Tensor:
        """Each image in one go, for float32 on the CPU; agrees with torch to rounding, a few times 1e-6."""
        if rows is None:
            rows = torch.arange(len(images))
        elif not images.is_contiguous():
            images, rows = images.index_select(0, rows), torch.arange(len(rows))  # rather than copy all
        elif len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(images):
            raise IndexError(f"rows must be 0 .. {len(images) - 1}, got {rows.min()} .. {rows.max()}")
        out = torch.empty(len(rows), *images.shape[1:])
        kernel(
            images.contiguous().numpy(),
            rows.to("cpu", torch.int64).contiguous().numpy(),
            uniform.to("cpu", torch.float32).contiguous().numpy(),
            np.array([self.flip, self.jitter, self.gray, self.blur], np.float32),
            self.crop is not None,
            np.array(self.crop or (1, 1), np.float32),
            out.numpy(),
        )
        return out

    def _by_torch(self, images: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """The same by operations of torch, on any device."""
        mirrored = u[:, 4] < self.flip
        if self.crop is None:
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        else:
            images = _crop(images, u[:, :4], mirrored, self.crop)
        if self.jitter:
            _change(images, u[:, 5] < self.jitter, lambda x, v: _jitter(x, v[:, 6:10]), u)
        if self.gray and images.shape[1] == 3:
            _change(images, u[:, 10] < self.gray, lambda x, _: to_gray(x).expand_as(x), u)
        if self.blur:
            _change(images, u[:, 11] < self.blur, lambda x, v: _blur(x, v[:, 12]), u)
        return on_grid(images.clamp_(0, 1))


AUGMENTATIONS: dict[str, Augmentation] = {
    a.name: a
    for a in (
        Augmentation("none"),
        Augmentation("crop", crop=(0.2, 1.0)),
        Augmentation("crop+flip", crop=(0.2, 1.0), flip=0.5),
        Augmentation("simclr", crop=(0.2, 1.0), flip=0.5, jitter=0.8, gray=0.2, blur=0.5),
    )
}
"""The base augmentations by name."""


def augmentation(spec: str | Augmentation) -> Augmentation:
    """The augmentation of a name.

    Raises:
        ValueError: If the name is unknown.
    """
    if isinstance(spec, Augmentation):
        return spec
    if spec not in AUGMENTATIONS:
        raise ValueError(f"unknown augmentation {spec!r}: expected one of {', '.join(AUGMENTATIONS)}")
    return AUGMENTATIONS[spec]


@lru_cache(maxsize=1)
def _kernel() -> Callable[..., None] | None:
    """The compiled augmentation, where numba is installed (the extra `fast`)."""
    try:
        from synthetic.transformations.kernels import augment
    except ImportError:  # numba is absent, or does not know this version of NumPy
        return None
    return augment


def _change(
    images: torch.Tensor,
    mask: torch.Tensor,
    change: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    uniform: torch.Tensor,
) -> None:
    """Change the chosen images in place by a function of them and their numbers.

    On the CPU the chosen ones alone are computed. A device would have to tell the host how many they are.
    """
    if images.device.type != "cpu":
        images.copy_(torch.where(mask[:, None, None, None], change(images, uniform), images))
        return
    chosen = mask.nonzero().squeeze(1)
    images.index_copy_(0, chosen, change(images.index_select(0, chosen), uniform[chosen]))


def _crop(
    images: torch.Tensor, u: torch.Tensor, flip: torch.Tensor, area: tuple[float, float]
) -> torch.Tensor:
    """A box of random area, aspect ratio (3/4 to 4/3) and place, stretched to the whole frame."""
    share = area[0] + (area[1] - area[0]) * u[:, 0]
    aspect = torch.exp((2 * u[:, 1] - 1) * math.log(4 / 3))
    width = torch.sqrt(share * aspect).clamp(max=1)
    height = torch.sqrt(share / aspect).clamp(max=1)
    x = (2 * u[:, 2] - 1) * (1 - width)
    y = (2 * u[:, 3] - 1) * (1 - height)
    rows = _interpolation(y, height, images.shape[2])
    columns = _interpolation(x, torch.where(flip, -width, width), images.shape[3])
    return _between(rows, images, columns)


def _interpolation(centre: torch.Tensor, extent: torch.Tensor, size: int) -> torch.Tensor:
    """Matrices (n, size, size) that read equal steps through an interval, beyond the border repeated.

    Args:
        centre: The middle of the interval, -1 to 1 from edge to edge, shape (n,).
        extent: Half its length, negative to go backwards, shape (n,).
        size: The number of pixels.
    """
    pixels = torch.arange(size, device=centre.device, dtype=centre.dtype)
    steps = (pixels * 2 + 1) / size - 1
    place = (((centre[:, None] + extent[:, None] * steps + 1) * size - 1) / 2).clamp_(0, size - 1)
    return (place[:, :, None] - pixels).abs_().neg_().add_(1).clamp_(min=0)


def _between(rows: torch.Tensor, images: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """The product rows @ image @ columns^T for each image: small products are faster than gathering.

    Args:
        rows: Shape (n, height, height).
        images: Shape (n, channels, height, width).
        columns: Shape (n, width, width).
    """
    n, channels, height, width = images.shape
    wide = images.reshape(n, channels * height, width) @ columns.transpose(1, 2)
    return rows[:, None] @ wide.reshape(images.shape)


def _jitter(images: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """Brightness, contrast and saturation times 0.6 to 1.4, hue by up to a tenth of a turn."""
    factors = (0.6 + 0.8 * u[:, :3])[:, :, None, None, None]
    images = (images * factors[:, 0]).clamp_(0, 1)
    level = (to_gray(images) if images.shape[1] == 3 else images).mean(dim=(2, 3), keepdim=True)
    images = torch.lerp(level, images, factors[:, 1]).clamp_(0, 1)
    if images.shape[1] == 1:
        return images
    images = torch.lerp(to_gray(images), images, factors[:, 2]).clamp_(0, 1)
    hue, chroma, value = rgb_to_hcv(images)
    shift = (2 * u[:, 3] - 1) * 0.6  # sextants: a tenth of a turn
    return hcv_to_rgb(hue + shift[:, None, None], chroma, value)


def _blur(images: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """Gaussian blur by a matrix for each image, weights renormalised at the borders."""
    sigma = (0.05 + 0.95 * u) * images.shape[-1] / 32

    def matrices(size: int) -> torch.Tensor:
        position = torch.arange(size, device=images.device, dtype=images.dtype)
        gap = (position[:, None] - position[None, :])[None] / sigma[:, None, None]
        return torch.softmax(-0.5 * gap * gap, dim=2)

    columns = matrices(images.shape[3])
    rows = columns if images.shape[2] == images.shape[3] else matrices(images.shape[2])
    return _between(rows, images, columns)
