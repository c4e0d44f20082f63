"""What a transformation of images is: a labelled family of maps, applied in batches on the device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch

from synthetic.groups import FiniteGroup

__all__ = ["Exactness", "PixelPermutation", "Transformation", "on_grid"]

Exactness = Literal["exact", "approximate", "not invertible", "not claimed"]
"""`exact`: T_g T_h = T_gh to the bit; `approximate`: up to interpolation or rounding, as the statement
says; `not invertible`: no group acts, information is lost; `not claimed`: nothing is known of it."""

_GRID = float(2**24)
"""Pixels are multiples of its inverse."""


def on_grid(images: torch.Tensor) -> torch.Tensor:
    """Round pixels in [0, 1] to multiples of 2^-24, at most 2^-25 away.

    Float32 holds all of these multiples, and 1 - x of each, so that colour inversion is exact on them.
    """
    images = images.float() if images.element_size() < 4 else images  # 2^24 is infinite in half precision
    return (images * _GRID).round_().div_(_GRID).float()


@dataclass(frozen=True)
class Transformation(ABC):
    """A family of maps of images, one for each state of the transformation variable A.

    Attributes:
        name: The name on the command line.
        exactness: Whether the labels act as a group, see `Exactness`.
        statement: One sentence: which group acts, or why none does.
        channels: The numbers of channels it is defined for; None for any.
    """

    name: ClassVar[str]
    exactness: ClassVar[Exactness]
    statement: ClassVar[str]
    channels: ClassVar[tuple[int, ...] | None] = None

    @property
    @abstractmethod
    def cardinality(self) -> int | None:
        """The number of states of A; None for a continuous label, an angle in [0, 2 pi)."""

    @property
    def group(self) -> FiniteGroup | None:
        """The group whose element a the label a is, where the action is exact; else None.

        `apply(apply(x, h), g)` is then `apply(x, gh)` to the bit, and label 0 is the identity.
        """
        return None

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name, as JSON can hold them."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise a ValueError if images of shape (channels, height, width) cannot be transformed."""
        if self.channels is not None and shape[0] not in self.channels:
            wanted = " or ".join(map(str, self.channels))
            raise ValueError(
                f"{self.name} needs images with {wanted} channels, got {shape[0]} (shape {shape})"
            )

    def supports(self, shape: tuple[int, ...]) -> bool:
        """Whether `check` accepts images of shape (channels, height, width)."""
        try:
            self.check(shape)
        except ValueError:
            return False
        return True

    def draw(self, n: int, rng: np.random.Generator) -> npt.NDArray[Any]:
        """N independent uniform labels, int64 or float32 of shape (n,)."""
        if self.cardinality is None:
            return (rng.random(n, dtype=np.float32) * np.float32(2 * np.pi)).astype(np.float32)
        return rng.integers(self.cardinality, size=n)

    def apply(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Transform each image by its own label.

        Args:
            images: Floats of shape (n, channels, height, width), usually in [0, 1].
            labels: Shape (n,): integers 0 .. cardinality - 1, or angles in radians.

        Returns:
            The transformed images, a new tensor of the same shape, dtype and device.

        Raises:
            TypeError: If images are not floats, or labels are not integers where they must be.
            ValueError: If a shape does not fit or a label is out of range.
        """
        if not isinstance(images, torch.Tensor) or not images.is_floating_point():
            got = images.dtype if isinstance(images, torch.Tensor) else type(images).__name__
            raise TypeError(f"images must be a tensor of floats, got {got}")
        if images.ndim != 4:
            raise ValueError(
                f"images must have shape (n, channels, height, width), got {tuple(images.shape)}"
            )
        if labels.shape != images.shape[:1]:
            raise ValueError(
                f"labels must have shape ({len(images)},), one for each image, got {tuple(labels.shape)}"
            )
        self.check(tuple(images.shape[1:]))
        labels = labels.to(images.device)
        if self.cardinality is None:
            return self.transform(images, labels.to(images.dtype))
        if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
            raise TypeError(f"labels of {self.name} must be integers, got {labels.dtype}")
        low, high = torch.stack(labels.aminmax()).tolist() if len(labels) else (0, 0)
        if low < 0 or high >= self.cardinality:
            raise ValueError(
                f"labels of {self.name} must stay in 0..{self.cardinality - 1}, got {low}..{high}"
            )
        return self.transform(images, labels.long())

    @abstractmethod
    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """`apply` without the checks, for callers that drew the labels themselves."""


@dataclass(frozen=True)
class PixelPermutation(Transformation):
    """A transformation that moves pixels and changes none: exact on every image."""

    exactness: ClassVar[Exactness] = "exact"

    @abstractmethod
    def sources(self, height: int, width: int) -> npt.NDArray[np.int64]:
        """For each label and each pixel of the result, the pixel it comes from, (cardinality, h * w)."""

    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Gather the pixels of each image in the order of its label."""
        pixels = images.flatten(2)
        index = _source_table(self, *images.shape[2:], images.device).index_select(0, labels)
        return pixels.gather(2, index[:, None].expand(pixels.shape)).reshape(images.shape)


@lru_cache(maxsize=64)
def _source_table(
    transformation: PixelPermutation, height: int, width: int, device: torch.device
) -> torch.Tensor:
    """The sources as 64-bit integers on the device, checked; it goes there once and not in every step."""
    table = np.ascontiguousarray(transformation.sources(height, width))
    pixels = height * width
    if table.shape != (transformation.cardinality, pixels) or not np.issubdtype(table.dtype, np.integer):
        raise ValueError(
            f"sources of {transformation.name} must be integers of shape "
            f"({transformation.cardinality}, {pixels}), got {table.dtype} of shape {table.shape}"
        )
    if table.size and not 0 <= table.min() <= table.max() < pixels:
        raise ValueError(
            f"sources of {transformation.name} must be pixels in 0 .. {pixels - 1}, "
            f"got {table.min()} .. {table.max()}"
        )
    return torch.from_numpy(table.astype(np.int64)).to(device)
