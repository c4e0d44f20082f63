"""Encoders that commute with quarter-turns, or with quarter-turns and mirrors, by construction."""

from __future__ import annotations

from itertools import product

import torch
from torch import nn

from synergy.learning.encoders.group_convolutions import (
    GroupConv2d,
    LiftingConv2d,
    PlaneGroup,
    order_within,
)
from synergy.learning.encoders.plain import channels_last, check_images
from synergy.learning.encoders.pooling import symmetric_pool

__all__ = ["EquivariantEncoder", "count_parameters"]


def count_parameters(module: nn.Module) -> int:
    """The number of trainable values.

    Args:
        module: The network; parameters that need no gradient do not count.
    """
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


class EquivariantEncoder(nn.Module):
    """`ConvEncoder` with group convolutions, and as many parameters.

    Lifting 3x3, a group convolution 2x2 that halves the resolution, another 3x3, pooling to 4x4, a last one
    4x4 without padding; with a stride of 2 lifting is 4x4. The representation is features / |G| copies of
    the regular representation: `regular_action` says how it turns with the image,

        encode(T_h x).view(n, -1, |G|) = L_h encode(x).view(n, -1, |G|).

    Args:
        group: C4 or D4.
        channels: The number of image channels.
        features: The dimension of the representation, a multiple of the order of the group.
        width: The width of the `ConvEncoder` whose number of parameters is matched.
        stride: Its stride, 1 or 2.

    Raises:
        ValueError: If the group is unknown or does not divide the features.
    """

    def __init__(
        self, group: PlaneGroup, channels: int, features: int, *, width: int = 16, stride: int = 1
    ) -> None:
        super().__init__()
        order = order_within(group, features)
        self.group: PlaneGroup = group
        self.channels = channels
        self.features = features
        narrow, wide = matched_fields(order, channels * (2 + stride) ** 2, features, width)
        self.stride = stride
        self.lift = LiftingConv2d(group, channels, narrow, 2 + stride, padding=1, stride=stride)
        self.second = GroupConv2d(group, narrow, narrow, 2, stride=2)
        self.third = GroupConv2d(group, narrow, wide, 3, padding=1)
        self.last = GroupConv2d(group, wide, features // order, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map square images (n, channels, side, side) to representations of shape (n, features).

        Raises:
            ValueError: If the images have another shape, are not square, or have an odd side where the
                stride is 2.
        """
        check_images(x, self.channels)
        if x.shape[-1] != x.shape[-2]:
            raise ValueError(f"{self.group} needs square images, got {x.shape[-2]} x {x.shape[-1]} pixels")
        if x.shape[-1] % self.stride:
            raise ValueError(f"stride {self.stride} needs images of even side, got {x.shape[-1]} pixels")
        maps = torch.relu(self.lift(channels_last(x)))
        maps = torch.relu(self.second(_pool(maps, 2 * max(1, maps.shape[-1] // 2))))
        features: torch.Tensor = self.last(_pool(torch.relu(self.third(maps)), 4))
        return features.flatten(1)


def _pool(maps: torch.Tensor, size: int) -> torch.Tensor:
    return symmetric_pool(maps.flatten(1, 2), size).reshape(*maps.shape[:3], size, size)


def matched_fields(order: int, seen: int, features: int, width: int) -> tuple[int, int]:
    """The numbers of fields whose parameter count is nearest to that of the plain network.

    Among pairs that come within 1 % of the best, the one nearest to the plain network's proportions.

    Args:
        order: The order of the group.
        seen: The values that a filter of the first layer sees.
        features: The dimension of the representation.
        width: The number of filters of the plain network's first layer.
    """
    plain = (seen + 1) * width + 22 * width**2 + 3 * width + (32 * width + 1) * features

    def parameters(narrow: int, wide: int) -> int:
        return (
            (seen + 1) * narrow
            + order * narrow * (4 * narrow + 9 * wide)
            + narrow
            + wide
            + 16 * wide * features
            + features // order
        )

    pairs = list(product(range(1, width + 1), range(1, 4 * width + 1)))
    misses = {pair: abs(parameters(*pair) - plain) / plain for pair in pairs}
    best = min(misses.values())
    good = [pair for pair in pairs if misses[pair] <= best + 0.01]
    return min(good, key=lambda pair: (abs(pair[1] / pair[0] - 2), misses[pair]))
