"""ResNet-18 that commutes with quarter-turns, or with quarter-turns and mirrors, by construction."""

from __future__ import annotations

import math

import torch
from torch import nn

from synergy.learning.encoders.group_convolutions import (
    GroupConv2d,
    LiftingConv2d,
    PlaneGroup,
    order_within,
)
from synergy.learning.encoders.plain import check_images
from synergy.learning.encoders.pooling import symmetric_pool

__all__ = ["EquivariantResNet18"]


class _Block(nn.Module):
    """Two group convolutions with batch normalisation of each field around a shortcut."""

    def __init__(self, group: PlaneGroup, inputs: int, outputs: int, *, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        self.first = GroupConv2d(group, inputs, outputs, 3, padding=1)
        self.first_norm = nn.BatchNorm3d(outputs)
        self.second = GroupConv2d(group, outputs, outputs, 3, padding=1)
        self.second_norm = nn.BatchNorm3d(outputs)
        self.shortcut = (
            nn.Identity()
            if inputs == outputs
            else nn.Sequential(GroupConv2d(group, inputs, outputs, 1), nn.BatchNorm3d(outputs))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, inputs, order, side, side) to (n, outputs, order, side', side')."""
        if self.halve:  # a stride would take other places on even sides than on the turned image
            side = (x.shape[-1] + 1) // 2
            x = symmetric_pool(x.flatten(1, 2), side).reshape(*x.shape[:3], side, side)
        y = torch.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return torch.relu(y + self.shortcut(x))


class EquivariantResNet18(nn.Module):
    """`ResNet18` with group convolutions, and about as many parameters.

    Each stage has the number of fields, of one map per group element, whose filters hold about as many free
    weights as those of the plain network: its width over the root of the group's order. Stages halve the
    resolution by symmetric pooling in place of a stride. The representation is features / |G| copies of the
    regular representation, as that of `EquivariantEncoder`.

    Args:
        group: C4 or D4.
        channels: The number of image channels.
        features: The dimension of the representation, a multiple of the order of the group.
        width: The number of filters of the first stage of the plain network that is matched.

    Raises:
        ValueError: If the group is unknown or does not divide the features.

    Source:
        He, Zhang, Ren, Sun 2016, arXiv:1512.03385; Cohen and Welling 2016, arXiv:1602.07576.
    """

    def __init__(self, group: PlaneGroup, channels: int, features: int = 512, *, width: int = 64) -> None:
        super().__init__()
        order = order_within(group, features)
        self.group: PlaneGroup = group
        self.channels = channels
        self.features = features
        fields = [max(1, round(width * 2**stage / math.sqrt(order))) for stage in range(4)]
        self.lift = LiftingConv2d(group, channels, fields[0], 3, padding=1)
        self.lift_norm = nn.BatchNorm3d(fields[0])
        stages = []
        for stage, outputs in enumerate(fields):
            inputs = fields[max(0, stage - 1)]
            stages += [
                _Block(group, inputs, outputs, halve=stage > 0),
                _Block(group, outputs, outputs, halve=False),
            ]
        self.stages = nn.Sequential(*stages)
        self.last = GroupConv2d(group, fields[-1], features // order, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map square images (n, channels, side, side) to representations of shape (n, features).

        Raises:
            ValueError: If the images have another shape or are not square.
        """
        check_images(x, self.channels)
        if x.shape[-1] != x.shape[-2]:
            raise ValueError(f"{self.group} needs square images, got {x.shape[-2]} x {x.shape[-1]} pixels")
        maps = self.stages(torch.relu(self.lift_norm(self.lift(x))))
        features: torch.Tensor = self.last(maps.mean(dim=(3, 4), keepdim=True))
        return features.flatten(1)
