"""Encoders: networks that turn inputs into representations."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["ConvEncoder", "MLPEncoder"]


class MLPEncoder(nn.Module):
    """A two-layer perceptron on flattened inputs.

    Args:
        inputs: The number of input values per row.
        features: The dimension of the representation.
        hidden: The width of the hidden layer.
    """

    def __init__(self, inputs: int, features: int, *, hidden: int = 64) -> None:
        super().__init__()
        self.features = features
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, features)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map inputs of shape (n, ..) to representations of shape (n, features)."""
        return self.layers(x)  # type: ignore[no-any-return]


class ConvEncoder(nn.Module):
    """A small convolutional network for images of 8 to 64 pixels.

    Two 3x3 convolutions at full resolution, one at half, then a linear map of what remains after
    pooling to 4x4, so that the representation keeps where things are: a rotation cannot be read off
    globally pooled features of a rotation-blind filter bank.

    Args:
        channels: The number of image channels.
        features: The dimension of the representation.
        width: The number of filters of the first layer.
    """

    def __init__(self, channels: int, features: int, *, width: int = 16) -> None:
        super().__init__()
        self.features = features
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GELU(),
            nn.AvgPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.GELU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(32 * width, features),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images of shape (n, channels, height, width) to representations of shape (n, features)."""
        return self.layers(x)  # type: ignore[no-any-return]
