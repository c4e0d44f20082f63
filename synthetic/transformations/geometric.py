"""Transformations that permute pixels: four-fold rotation, flips, jigsaw."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from synthetic.groups import FiniteGroup, cyclic, symmetric
from synthetic.transformations.base import PixelPermutation

__all__ = ["HorizontalFlip", "Jigsaw", "Rotation", "VerticalFlip"]


def _pixels(height: int, width: int) -> npt.NDArray[np.int64]:
    return np.arange(height * width, dtype=np.int64).reshape(height, width)


@dataclass(frozen=True)
class Rotation(PixelPermutation):
    """Four-fold rotation: label a turns the image by a quarter-turns counter-clockwise.

    Example:
        >>> import torch
        >>> image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
        >>> Rotation().apply(image, torch.tensor([1])).squeeze().tolist()
        [[2.0, 4.0], [1.0, 3.0]]
    """

    name: ClassVar[str] = "rotation"
    statement: ClassVar[str] = "the cyclic group of order 4, exact: quarter-turns permute the pixels"

    @property
    def cardinality(self) -> int:
        """4."""
        return 4

    @property
    def group(self) -> FiniteGroup:
        """The cyclic group of order 4."""
        return cyclic(4)

    def check(self, shape: tuple[int, ...]) -> None:
        """Square images only."""
        super().check(shape)
        if shape[-1] != shape[-2]:
            raise ValueError(f"rotation needs square images, got {shape[-2]} x {shape[-1]} pixels")

    def sources(self, height: int, width: int) -> npt.NDArray[np.int64]:
        """The pixel indices, turned."""
        return np.stack([np.rot90(_pixels(height, width), k).ravel() for k in range(4)])


@dataclass(frozen=True)
class HorizontalFlip(PixelPermutation):
    """Label 1 mirrors the image left to right."""

    name: ClassVar[str] = "horizontal-flip"
    statement: ClassVar[str] = "the cyclic group of order 2, exact: the mirror permutes the pixels"

    @property
    def cardinality(self) -> int:
        """2."""
        return 2

    @property
    def group(self) -> FiniteGroup:
        """The cyclic group of order 2."""
        return cyclic(2)

    def sources(self, height: int, width: int) -> npt.NDArray[np.int64]:
        """The pixel indices and their mirror image."""
        pixels = _pixels(height, width)
        return np.stack([pixels.ravel(), pixels[:, ::-1].ravel()])


@dataclass(frozen=True)
class VerticalFlip(PixelPermutation):
    """Label 1 mirrors the image top to bottom."""

    name: ClassVar[str] = "vertical-flip"
    statement: ClassVar[str] = "the cyclic group of order 2, exact: the mirror permutes the pixels"

    @property
    def cardinality(self) -> int:
        """2."""
        return 2

    @property
    def group(self) -> FiniteGroup:
        """The cyclic group of order 2."""
        return cyclic(2)

    def sources(self, height: int, width: int) -> npt.NDArray[np.int64]:
        """The pixel indices and their mirror image."""
        pixels = _pixels(height, width)
        return np.stack([pixels.ravel(), pixels[::-1].ravel()])


@dataclass(frozen=True)
class Jigsaw(PixelPermutation):
    """Cut the image into 2 x 2 tiles and permute them: tile i of the image goes to place p(i).

    The tiles are numbered 0 top left, 1 top right, 2 bottom left, 3 bottom right; the labels number the
    24 permutations p in lexicographic order.
    """

    name: ClassVar[str] = "jigsaw"
    statement: ClassVar[str] = "the symmetric group on 4 tiles, exact: permuting tiles permutes the pixels"

    @property
    def cardinality(self) -> int:
        """24."""
        return 24

    @property
    def group(self) -> FiniteGroup:
        """The symmetric group on four letters."""
        return symmetric(4)

    def check(self, shape: tuple[int, ...]) -> None:
        """Even sides only."""
        super().check(shape)
        if shape[-1] % 2 or shape[-2] % 2:
            raise ValueError(f"jigsaw needs an even height and width, got {shape[-2]} x {shape[-1]} pixels")

    def sources(self, height: int, width: int) -> npt.NDArray[np.int64]:
        """The pixel indices, tile p(i) of the result taken from tile i."""
        quarters = _pixels(height, width).reshape(2, height // 2, 2, width // 2).transpose(0, 2, 1, 3)
        tiles = quarters.reshape(4, height // 2, width // 2)
        rows = []
        for places in permutations(range(4)):
            result = tiles[np.argsort(places)].reshape(2, 2, height // 2, width // 2)
            rows.append(result.transpose(0, 2, 1, 3).ravel())
        return np.stack(rows)
