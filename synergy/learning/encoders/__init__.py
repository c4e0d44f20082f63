"""Encoders: networks that turn inputs into representations.

Example:
    >>> import torch
    >>> encoder = build_encoder("c4", (1, 9, 9), features=32)
    >>> encoder(torch.zeros(2, 1, 9, 9)).shape
    torch.Size([2, 32])
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import nn

from synergy.learning.encoders.equivariant import EquivariantEncoder, count_parameters
from synergy.learning.encoders.group_convolutions import (
    GroupConv2d,
    LiftingConv2d,
    PlaneGroup,
    act,
    plane_group,
    regular_action,
)
from synergy.learning.encoders.plain import ConvEncoder, MLPEncoder, ResNet18, stem_stride
from synergy.learning.encoders.residual import EquivariantResNet18
from theory.checks import integer

__all__ = [
    "ENCODERS",
    "ConvEncoder",
    "EquivariantEncoder",
    "EquivariantResNet18",
    "GroupConv2d",
    "LiftingConv2d",
    "MLPEncoder",
    "PlaneGroup",
    "ResNet18",
    "act",
    "build_encoder",
    "count_parameters",
    "plane_group",
    "regular_action",
    "stem_stride",
]

Shape = tuple[int, ...]

_NARROW = 16
"""The filters of the first stage of the narrow ResNet-18, a sixteenth of the parameters of the usual one."""


def _equivariant(group: PlaneGroup, shape: Shape, features: int) -> EquivariantEncoder:
    return EquivariantEncoder(group, shape[0], features, stride=stem_stride(shape))


ENCODERS: dict[str, Callable[[Shape, int], nn.Module]] = {
    "mlp": lambda shape, features: MLPEncoder(math.prod(shape), features, hidden=128),
    "cnn": lambda shape, features: ConvEncoder(shape[0], features, stride=stem_stride(shape)),
    "resnet18": lambda shape, features: ResNet18(shape[0], features),
    "c4": lambda shape, features: _equivariant("C4", shape, features),
    "d4": lambda shape, features: _equivariant("D4", shape, features),
    "c4-resnet18": lambda shape, features: EquivariantResNet18("C4", shape[0], features),
    "d4-resnet18": lambda shape, features: EquivariantResNet18("D4", shape[0], features),
    "narrow-resnet18": lambda shape, features: ResNet18(shape[0], features, width=_NARROW),
    "c4-narrow-resnet18": lambda shape, features: EquivariantResNet18(
        "C4", shape[0], features, width=_NARROW
    ),
    "d4-narrow-resnet18": lambda shape, features: EquivariantResNet18(
        "D4", shape[0], features, width=_NARROW
    ),
}
"""The encoders by name; each is made from the shape of one input and the number of features.

Those of a plane group have about as many parameters as the plain one of their kind: `c4` and `d4` as `cnn`,
`c4-resnet18` as `resnet18`.
"""


def build_encoder(name: str, shape: Shape, *, features: int = 64) -> nn.Module:
    """An untrained encoder; its initial weights come from torch's current random state.

    Args:
        name: A name in `ENCODERS`.
        shape: The shape of one input, (channels, height, width) for images.
        features: The dimension of the representation.

    Raises:
        TypeError: If features is not an integer.
        ValueError: If the name is unknown, features is not positive, or the encoder cannot take inputs of
            this shape.
    """
    if name not in ENCODERS:
        raise ValueError(f"unknown encoder {name!r}: expected one of {', '.join(ENCODERS)}")
    integer("features", features, 1)
    if name != "mlp" and len(shape) != 3:
        raise ValueError(f"encoder {name!r} needs images (channels, height, width), got shape {shape}")
    if name.startswith(("c4", "d4")) and shape[-1] != shape[-2]:
        raise ValueError(f"encoder {name!r} needs square images, got {shape[-2]} x {shape[-1]} pixels")
    return ENCODERS[name](tuple(shape), features)
