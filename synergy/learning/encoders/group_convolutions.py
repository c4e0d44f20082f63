r"""Convolutions over the groups C4 and D4, exact on the pixel grid.

Write T_g for the action of g on square grids (quarter-turns, and for D4 the mirror first), and * for
correlation with zero padding, so that (T_g x) * (T_g w) = T_g (x * w). A lifting layer turns an image x
into one map per group element, and a group convolution turns such maps F into others:

    lift(x)[g] = x * T_g w,        conv(F)[g] = sum_u F[u] * T_g w[g^-1 u].

Both commute with the group: with (L_h F)[g] = T_h F[h^-1 g], lift(T_h x) = L_h lift(x) and
conv(L_h F) = L_h conv(F). Pointwise maps and symmetric pooling commute with L_h too.

Source: Cohen and Welling 2016, "Group equivariant convolutional networks", arXiv:1602.07576.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from synthetic.groups import FiniteGroup, cyclic, dihedral
from synthetic.transformations import HorizontalFlip, Rotation

__all__ = [
    "GroupConv2d",
    "LiftingConv2d",
    "PlaneGroup",
    "act",
    "order_within",
    "plane_group",
    "regular_action",
]

PlaneGroup = Literal["C4", "D4"]
"""The quarter-turns, of order 4; the quarter-turns and mirrors, of order 8."""


def plane_group(name: PlaneGroup) -> FiniteGroup:
    """The group of a name: element k + 4 f is k quarter-turns after f mirrors.

    Raises:
        ValueError: If the name is unknown.
    """
    if name not in get_args(PlaneGroup):
        raise ValueError(f"unknown group {name!r}: expected one of {', '.join(get_args(PlaneGroup))}")
    return cyclic(4) if name == "C4" else dihedral(4)


def order_within(name: PlaneGroup, features: int) -> int:
    """The order of a group, of which the features hold whole copies of the regular representation.

    Raises:
        ValueError: If the name is unknown, or the order does not divide the features.
    """
    order = plane_group(name).order
    if features < order or features % order:
        raise ValueError(f"features must be a multiple of {order} for {name}, got {features}")
    return order


def pixel_sources(name: PlaneGroup, side: int) -> torch.Tensor:
    """For each element and each pixel of a square, the pixel it comes from, of shape (order, side^2)."""
    turns = Rotation().sources(side, side)
    mirrors = HorizontalFlip().sources(side, side)[: 1 if name == "C4" else 2]
    return torch.from_numpy(np.concatenate([mirror[turns] for mirror in mirrors]))


def act(name: PlaneGroup, g: int, images: torch.Tensor) -> torch.Tensor:
    """T_g on square images or maps of shape (.., side, side).

    Raises:
        ValueError: If they are not square.
    """
    side = images.shape[-1]
    if images.shape[-2] != side:
        raise ValueError(f"{name} acts on square images, got {images.shape[-2]} x {side} pixels")
    source = pixel_sources(name, side)[g].to(images.device)
    return images.flatten(-2)[..., source].reshape(images.shape)


def regular_action(name: PlaneGroup, h: int, maps: torch.Tensor) -> torch.Tensor:
    """L_h on maps of shape (n, fields, order, side, side), or on features of shape (n, fields, order)."""
    group = plane_group(name)
    order = torch.tensor(group.table[group.inverses[h]]).to(maps.device)
    moved = maps[:, :, order]
    return moved if maps.ndim == 3 else act(name, h, moved)


class _GroupLayer(nn.Module):
    """The base of the two layers: the free weights, the bias, and the index that spreads the weights.

    Args:
        name: The group.
        inputs: Image channels, or fields.
        outputs: Fields, each of which has one map per element.
        kernel: The side of the filters.
        padding: Zeros around the maps.
        stride: Pixels from one place of the filters to the next. Beyond 1 the layer commutes with the group
            only where the places are symmetric: where it divides the side plus twice the padding less the
            kernel.
    """

    index: torch.Tensor

    def __init__(
        self, name: PlaneGroup, inputs: int, outputs: int, kernel: int, *, padding: int = 0, stride: int = 1
    ) -> None:
        super().__init__()
        self.group = name
        self.order = plane_group(name).order
        self.inputs, self.outputs, self.kernel = inputs, outputs, kernel
        self.padding, self.stride = padding, stride
        index = self._places()
        self.register_buffer("index", index, persistent=False)
        copies = index.shape[1] // kernel**2
        bound = 1 / math.sqrt(inputs * index.shape[1])
        self.weight = nn.Parameter(torch.empty(outputs, inputs, copies, kernel**2).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))

    def _places(self) -> torch.Tensor:
        """For each element, the free weight that stands at each place of its filter."""
        return pixel_sources(self.group, self.kernel)

    def _spread(self) -> torch.Tensor:
        """The weights of every element, (outputs * order, inputs * copies, kernel, kernel)."""
        flat = self.weight.flatten(2)
        turned = torch.stack([flat.index_select(2, row) for row in self.index], dim=1)
        return turned.reshape(self.outputs * self.order, -1, self.kernel, self.kernel)

    def _convolve(self, x: torch.Tensor) -> torch.Tensor:
        bias = self.bias.repeat_interleave(self.order)
        y = functional.conv2d(x, self._spread(), bias, self.stride, self.padding)
        return y.reshape(len(y), self.outputs, self.order, *y.shape[2:])


class LiftingConv2d(_GroupLayer):
    """From images to one map per group element."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, inputs, h, w) to (n, outputs, order, h', w')."""
        return self._convolve(x)


class GroupConv2d(_GroupLayer):
    """From one map per group element to others."""

    def _places(self) -> torch.Tensor:
        group = plane_group(self.group)
        shifted = torch.from_numpy(group.table[group.inverses])[:, :, None]  # (g, u): g^-1 u
        own = super()._places()
        return (shifted * self.kernel**2 + own[:, None, :]).flatten(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, inputs, order, h, w) to (n, outputs, order, h', w')."""
        return self._convolve(x.flatten(1, 2))
