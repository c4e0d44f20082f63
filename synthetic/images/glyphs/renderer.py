"""The vectorised renderer: from latents to pixels, in batches on the device.

A pixel looks up its distance to the glyph in a table (`tables`), the stroke makes a coverage of it, and
the coverage mixes foreground and background. Coordinates are odd functions of the pixel's place, all
coverages and colours are multiples of 1/256, and mixing them is exact in float32, so the symmetries of the
glyphs carry over to the pixels to the bit, on every device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from synthetic.images.glyphs.shapes import Glyph
from synthetic.images.glyphs.tables import EXTENT, distance_tables
from synthetic.transformations.colour import hcv_to_rgb

__all__ = ["TURNS", "Latents", "Renderer", "Turn"]

_LEVELS = 256
"""Coverages and colours are multiples of 1 over this, which float32 mixes exactly."""

_SATURATION = 0.85
"""The chroma of the glyphs' colours, between 0 and 1."""

_RINGS = 4.0
"""Periods of the ring texture in one glyph unit."""


class Turn(NamedTuple):
    """How to turn an image: exchange rows and columns, then reverse the rows, and the columns."""

    swap: bool = False
    flip_rows: bool = False
    flip_columns: bool = False


TURNS: dict[str, tuple[Turn, ...]] = {
    "rotation": (
        Turn(),
        Turn(swap=True, flip_rows=True),
        Turn(flip_rows=True, flip_columns=True),
        Turn(swap=True, flip_columns=True),
    ),
    "horizontal-flip": (Turn(), Turn(flip_columns=True)),
    "vertical-flip": (Turn(), Turn(flip_rows=True)),
}
"""The turn of each label of these transformations; in arrays a turn is a row of its three numbers."""


@dataclass(frozen=True)
class Latents:
    """The values of everything that a raw image depends on, for n images on one device.

    Args:
        glyph: Which glyph, int64 of shape (n,).
        pose: Which of the discrete poses, int64, or the angle in quarter-turns, float32; shape (n,).
        hue: The colour, in turns of the colour circle.
        background: The gray level behind the glyph.
        stroke: The width of the pen in glyph units (half the frame is `scale` units).
        scale: Half the side of the glyph's square as a share of half the side of the frame.
        position: The offset (x, y) of the glyph's centre as a share of the side, shape (n, 2).
        texture: The depth of the rings on the strokes, 0 for none.
    """

    glyph: torch.Tensor
    pose: torch.Tensor
    hue: torch.Tensor
    background: torch.Tensor
    stroke: torch.Tensor
    scale: torch.Tensor
    position: torch.Tensor
    texture: torch.Tensor

    def __len__(self) -> int:
        return len(self.glyph)

    def rows(self, index: slice) -> Latents:
        """Some of the images."""
        return Latents(**{k: v[index] for k, v in vars(self).items()})


class Renderer:
    """Draws glyphs of one size on one device.

    Args:
        glyphs: The classes.
        poses: The discrete poses in quarter-turns; None for continuous ones.
        size: The side of the images in pixels.
        channels: 1 or 3.
        plain: No texture is ever asked for, so that looking it up can be skipped.
        device: Where to draw.
    """

    def __init__(
        self,
        glyphs: tuple[Glyph, ...],
        poses: tuple[float, ...] | None,
        *,
        size: int,
        channels: int,
        plain: bool,
        device: torch.device,
    ) -> None:
        self.size, self.channels, self.plain, self.device = size, channels, plain, device
        self.half = 2 * size
        self.side = 2 * self.half + 1
        self.tilted = poses is None
        tables = distance_tables(glyphs, poses or (0.0,), self.half)
        self.poses = tables.shape[1]
        self.tables = torch.from_numpy(tables.astype(np.float32)).reshape(-1).to(device)
        axis = np.arange(-self.half, self.half + 1) * (EXTENT / self.half)
        radius = np.hypot(axis[:, None], axis[None, :])
        rings = np.round(_LEVELS * 0.5 * (1 - np.cos(2 * math.pi * _RINGS * radius)))
        self.rings = torch.from_numpy(rings.astype(np.float32)).reshape(-1).to(device)
        self.centred = torch.arange(size, device=device, dtype=torch.float32) - (size - 1) / 2

    def colours(self, hue: torch.Tensor) -> torch.Tensor:
        """The foreground of each image, multiples of 1/256 of shape (n, channels)."""
        if self.channels == 1:
            return torch.ones(len(hue), 1, device=self.device)
        rgb = hcv_to_rgb(hue * 6, torch.full_like(hue, _SATURATION), torch.ones_like(hue))
        return torch.round(rgb * _LEVELS) / _LEVELS

    def shapes(
        self, latents: Latents, turn: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Coverage times 256, and brightness times 256 where there is texture, both (n, size, size).

        Args:
            latents: What to draw.
            turn: How to turn each finished image, rows of `TURNS`, shape (n, 3); None for not at all.
        """
        per_unit = latents.scale * (self.size / 2)  # pixels in one glyph unit, (n,)
        step = (self.half / EXTENT) / per_unit
        x = (self.centred - latents.position[:, :1] * self.size) * step[:, None]  # (n, size), table steps
        y = (self.centred - latents.position[:, 1:] * self.size) * step[:, None]
        place = self._tilted_places(x, y, latents.pose, turn) if self.tilted else self._places(x, y, turn)
        table = latents.glyph if self.tilted else latents.glyph * self.poses + latents.pose
        start = (table * (self.side * self.side)).int()
        cover = self.tables.index_select(0, (place + start[:, None, None]).view(-1)).view(place.shape)
        sharp = _LEVELS * per_unit[:, None, None]
        cover.mul_(-sharp).add_(latents.stroke[:, None, None] / 2 * sharp + _LEVELS / 2)
        cover.clamp_(0, _LEVELS).round_()
        if self.plain:
            return cover, None
        bright = self.rings.index_select(0, place.view(-1)).view(place.shape)
        bright.mul_(-latents.texture[:, None, None]).add_(_LEVELS).round_()
        return cover, bright

    def _places(self, x: torch.Tensor, y: torch.Tensor, turn: torch.Tensor | None) -> torch.Tensor:
        """The place in the table of each pixel, int32 of shape (n, size, size)."""
        column = x.round_().clamp_(-self.half, self.half).add_(self.half).int()
        row = y.round_().clamp_(-self.half, self.half).add_(self.half).int()
        return _spread(row * self.side, column, turn)

    def _tilted_places(
        self, x: torch.Tensor, y: torch.Tensor, pose: torch.Tensor, turn: torch.Tensor | None
    ) -> torch.Tensor:
        """The same for glyphs that are turned counter-clockwise by any angle."""
        angle = pose * (math.pi / 2)
        cos, sin = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
        column = _spread(-(sin * y), cos * x, turn)
        row = _spread(cos * y, sin * x, turn)
        column.round_().clamp_(-self.half, self.half)
        row.round_().clamp_(-self.half, self.half)
        return row.mul_(self.side).add_(column).add_(self.half * (self.side + 1)).int()

    def draw(
        self, latents: Latents, *, turn: torch.Tensor | None = None, out: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The raw images, multiples of 2^-24 in [0, 1] of shape (n, channels, size, size).

        Args:
            latents: What to draw.
            turn: How to turn each finished image, rows of `TURNS`, shape (n, 3); None for not at all. It
                moves the places where the pixels look up the tables, which costs less than moving pixels.
            out: Where to write them; None for a new tensor.
        """
        cover, bright = self.shapes(latents, turn)
        shape = (len(latents), self.channels, self.size, self.size)
        images = torch.empty(shape, device=self.device) if out is None else out
        front = self.colours(latents.hue)[:, :, None, None]
        back = (torch.round(latents.background * _LEVELS) / _LEVELS)[:, None, None, None]
        if bright is None:
            return torch.mul(cover[:, None], (front - back) / _LEVELS, out=images).add_(back)
        torch.mul(bright.mul_(cover)[:, None], front / _LEVELS**2, out=images)
        return images.add_(cover.neg_().add_(_LEVELS)[:, None].mul_(back / _LEVELS))


def _spread(rows: torch.Tensor, columns: torch.Tensor, turn: torch.Tensor | None) -> torch.Tensor:
    """rows[i] + columns[j] for each pixel (i, j) of each image, turned: shape (n, size, size)."""
    if turn is not None:
        swap, flip_rows, flip_columns = (turn[:, k : k + 1] for k in range(len(Turn._fields)))
        rows, columns = torch.where(swap, columns, rows), torch.where(swap, rows, columns)
        rows = torch.where(flip_rows, rows.flip(1), rows)
        columns = torch.where(flip_columns, columns.flip(1), columns)
    return rows[:, :, None] + columns[:, None, :]
