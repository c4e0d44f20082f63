"""Plain encoders: a perceptron, a small convolutional network, ResNet-18 with the CIFAR stem."""

from __future__ import annotations

import torch
from torch import nn

from synergy.learning.encoders.pooling import EvenPool, SymmetricPool

__all__ = ["ConvEncoder", "MLPEncoder", "ResNet18", "channels_last", "check_images", "stem_stride"]

_LARGE = 24
"""Images with at least so many pixels a side are halved by the first layer."""


def check_images(x: torch.Tensor, channels: int) -> None:
    """Raise a ValueError unless x has shape (n, channels, height, width)."""
    if x.ndim != 4 or x.shape[1] != channels:
        raise ValueError(
            f"images must have shape (n, {channels}, height, width) for this encoder, got {tuple(x.shape)}"
        )


def channels_last(x: torch.Tensor) -> torch.Tensor:
    """The same images with the channels next to one another in memory, which convolutions run faster on.

    With one channel both orders are the same; torch goes by the strides, so they say which one is meant.
    """
    n, channels, height, width = x.shape
    ordered = x.contiguous(memory_format=torch.channels_last)
    return (
        ordered.as_strided((n, 1, height, width), (height * width, 1, width, 1)) if channels == 1 else ordered
    )


def stem_stride(shape: tuple[int, ...]) -> int:
    """The stride of the first convolution of the small networks for images of shape (channels, h, w).

    From 24 pixels on it halves the resolution, which costs a quarter of the time at 32 and loses no accuracy
    that was seen; only even sides, whose halves treat both ends of an axis alike.
    """
    sides = shape[1:]
    return 2 if min(sides) >= _LARGE and all(side % 2 == 0 for side in sides) else 1


class MLPEncoder(nn.Module):
    """A two-layer perceptron on flattened inputs.

    Args:
        inputs: The number of input values per row.
        features: The dimension of the representation.
        hidden: The width of the hidden layer.
    """

    def __init__(self, inputs: int, features: int, *, hidden: int = 64) -> None:
        super().__init__()
        self.inputs = inputs
        self.features = features
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, features)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map inputs of shape (n, ..) to representations of shape (n, features).

        Raises:
            ValueError: If a row has another number of values.
        """
        if x.shape[1:].numel() != self.inputs:
            raise ValueError(
                f"inputs must have {self.inputs} values per row for this encoder, got {tuple(x.shape)}"
            )
        features: torch.Tensor = self.layers(x)
        return features


class ConvEncoder(nn.Module):
    """A small convolutional network for images of 8 to 64 pixels.

    A 3x3 convolution, a 2x2 one that halves the resolution, another 3x3, then a linear map of what remains
    after pooling to 4x4, so that the representation keeps where things are: a rotation cannot be read off
    globally pooled features of a rotation-blind filter bank. With a stride of 2 the first filters are 4x4,
    and everything after them has half the resolution. `benchmarks/encoders.py` has it beside others.

    Args:
        channels: The number of image channels.
        features: The dimension of the representation.
        width: The number of filters of the first layer.
        stride: The stride of the first layer, 1 or 2; `stem_stride` chooses.
    """

    def __init__(self, channels: int, features: int, *, width: int = 16, stride: int = 1) -> None:
        super().__init__()
        self.channels = channels
        self.features = features
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 2 + stride, stride, padding=1),
            nn.ReLU(),
            EvenPool(),
            nn.Conv2d(width, width, 2, 2),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.ReLU(),
            SymmetricPool(4),
            nn.Flatten(),
            nn.Linear(32 * width, features),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images of shape (n, channels, height, width) to representations of shape (n, features).

        Raises:
            ValueError: If the images have another shape.
        """
        check_images(x, self.channels)
        features: torch.Tensor = self.layers(channels_last(x))
        return features


class _Block(nn.Module):
    """Two 3x3 convolutions with batch normalisation around a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut = (
            nn.Identity()
            if stride == 1 and inputs == outputs
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        y = torch.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return torch.relu(y + self.shortcut(x))


class ResNet18(nn.Module):
    """ResNet-18 with the CIFAR stem: a 3x3 first convolution of stride 1 and no max-pooling.

    Args:
        channels: The number of image channels.
        features: The dimension of the representation; other than 8 width a linear map is added.
        width: The number of filters of the first stage.

    Source:
        He, Zhang, Ren, Sun 2016, "Deep residual learning for image recognition", arXiv:1512.03385.
    """

    def __init__(self, channels: int, features: int = 512, *, width: int = 64) -> None:
        super().__init__()
        self.channels = channels
        self.features = features
        stages = []
        inputs = width
        for stage in range(4):
            outputs = width * 2**stage
            stages += [_Block(inputs, outputs, 1 if stage == 0 else 2), _Block(outputs, outputs, 1)]
            inputs = outputs
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.stages = nn.Sequential(*stages)
        self.last = nn.Identity() if features == inputs else nn.Linear(inputs, features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images of shape (n, channels, height, width) to representations of shape (n, features).

        Raises:
            ValueError: If the images have another shape.
        """
        check_images(x, self.channels)
        maps = self.stages(self.stem(channels_last(x)))
        features: torch.Tensor = self.last(maps.mean(dim=(2, 3)))
        return features
