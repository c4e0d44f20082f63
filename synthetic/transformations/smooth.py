"""Transformations that interpolate or smooth: Gaussian blur and rotation by any angle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch

from synthetic.transformations.base import Exactness, Transformation

__all__ = ["Blur", "ContinuousRotation"]


@lru_cache(maxsize=64)
def blur_matrix(size: int, sigma: float) -> torch.Tensor:
    """The matrix (size, size) of a one-dimensional Gaussian blur with mirrored borders; rows sum to 1."""
    taps = _taps(sigma)
    reach = len(taps) - 1
    offsets = torch.arange(-reach, reach + 1)
    source = torch.remainder(torch.arange(size)[:, None] + offsets[None, :], 2 * size)
    source = torch.where(source >= size, 2 * size - 1 - source, source)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    matrix.scatter_add_(1, source, taps[offsets.abs()].expand(size, -1).contiguous())
    return matrix.float()


@lru_cache(maxsize=64)
def _blur_table(
    sigmas: tuple[float, ...], size: int, device: torch.device, dtype: torch.dtype
) -> torch.Tensor:
    """`blur_matrix` of each strength on the device, shape (strengths, size, size)."""
    return torch.stack([blur_matrix(size, sigma) for sigma in sigmas]).to(device, dtype)


def _taps(sigma: float) -> torch.Tensor:
    """The weights of a pixel and of its neighbours to either side, as far as 4 standard deviations."""
    if sigma == 0:
        return torch.ones(1, dtype=torch.float64)
    distances = torch.arange(math.ceil(4 * sigma) + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (distances / sigma) ** 2)
    return weights / (2 * weights.sum() - weights[0])


@dataclass(frozen=True)
class Blur(Transformation):
    """Gaussian blur of as many strengths as there are labels; borders are mirrored.

    Args:
        sigmas: The standard deviation of the Gaussian in pixels for each label; 0 leaves the image as it is.

    Raises:
        ValueError: If there are fewer than two strengths, two are equal, or one is negative or not finite.
    """

    name: ClassVar[str] = "blur"
    exactness: ClassVar[Exactness] = "not invertible"
    statement: ClassVar[str] = "no group: blurring loses detail, and two blurs make a third that has no label"
    sigmas: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigmas", tuple(float(s) for s in self.sigmas))
        if len(self.sigmas) < 2:
            raise ValueError(f"sigmas needs at least two strengths, got {self.sigmas}")
        if any(not math.isfinite(s) or s < 0 for s in self.sigmas):
            raise ValueError(f"sigmas must be finite and not negative, got {self.sigmas}")
        if len(set(self.sigmas)) != len(self.sigmas):
            raise ValueError(f"sigmas must differ, got {self.sigmas}")

    @property
    def cardinality(self) -> int:
        """The number of strengths."""
        return len(self.sigmas)

    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Along one axis, then along the other.

        On the CPU the images of one strength after the other, on a device all at once, by a matrix for each
        image: a device would have to tell the host how many images each strength has.
        """
        if images.device.type != "cpu":
            return self._at_once(images, labels)
        result = images.clone()
        for label, sigma in enumerate(self.sigmas):
            if sigma == 0:
                continue
            chosen = (labels == label).nonzero().squeeze(1)
            rows = blur_matrix(images.shape[2], sigma).to(images)
            columns = blur_matrix(images.shape[3], sigma).to(images)
            result[chosen] = rows @ images[chosen] @ columns.T
        return result

    def _at_once(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        down, along = (
            _blur_table(self.sigmas, size, images.device, images.dtype).index_select(0, labels)[:, None]
            for size in images.shape[2:]
        )
        blurred = down @ images @ along.transpose(2, 3)
        if 0.0 not in self.sigmas:
            return blurred
        return torch.where((labels == self.sigmas.index(0.0))[:, None, None, None], images, blurred)


@dataclass(frozen=True)
class ContinuousRotation(Transformation):
    """Rotation about the centre by any angle, counter-clockwise, with bilinear interpolation.

    Where the background differs from `fill`, the corners show the angle: a shortcut.

    Args:
        steps: None for a continuous angle in [0, 2 pi); k for the k angles 2 pi a / k.
        fill: The value of pixels that come from outside the image.

    Raises:
        ValueError: If `steps` is less than 2.
    """

    name: ClassVar[str] = "continuous-rotation"
    exactness: ClassVar[Exactness] = "approximate"
    statement: ClassVar[str] = (
        "the circle, approximately: interpolation smooths, and what leaves the frame is lost; "
        "quarter-turns are a group exactly in `rotation`"
    )
    steps: int | None = None
    fill: float = 0.0

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 2:
            raise ValueError(f"steps must be at least 2, or None for a continuous angle, got {self.steps}")

    @property
    def cardinality(self) -> int | None:
        """`steps`."""
        return self.steps

    def check(self, shape: tuple[int, ...]) -> None:
        """Square images only."""
        super().check(shape)
        if shape[-1] != shape[-2]:
            raise ValueError(f"continuous-rotation needs square images, got {shape[-2]} x {shape[-1]} pixels")

    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Look up where each pixel comes from and interpolate."""
        angles = labels.to(images.dtype) * (2 * math.pi / self.steps if self.steps else 1.0)
        cos, sin = torch.cos(angles), torch.sin(angles)
        zero = torch.zeros_like(cos)
        maps = torch.stack([torch.stack([cos, -sin, zero], 1), torch.stack([sin, cos, zero], 1)], 1)
        grid = torch.nn.functional.affine_grid(maps, list(images.shape), align_corners=False)
        turned = torch.nn.functional.grid_sample(images - self.fill, grid, align_corners=False) + self.fill
        return torch.where((labels == 0)[:, None, None, None], images, turned)
