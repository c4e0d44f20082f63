"""Average pooling that treats both ends of an axis alike, and whose gradient is deterministic."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import nn
from torch.nn import functional

__all__ = ["EvenPool", "SymmetricPool", "symmetric_pool"]


@lru_cache(maxsize=64)
def _weights(size: int, result: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """The matrix (result, size) whose row i averages floor(i s / r) .. ceil((i + 1) s / r) - 1."""
    matrix = torch.zeros(result, size, dtype=torch.float64)
    for i in range(result):
        low, high = i * size // result, -(-(i + 1) * size // result)
        matrix[i, low:high] = 1 / (high - low)
    return matrix.to(device, dtype)


def _window(size: int, result: int) -> tuple[int, int] | None:
    """The width and stride of a moving window, where the bins are the places of one."""
    if size % result == 0:
        return size // result, size // result
    return (2, 1) if size == result + 1 else None


def symmetric_pool(x: torch.Tensor, size: int | tuple[int, int]) -> torch.Tensor:
    """Average (.., height, width) down to (.., size, size), or to the two sides of a tuple.

    The bins are those of adaptive average pooling: bin i mirrors bin size - 1 - i, so pooling commutes
    with flips and, on squares, with quarter-turns, whatever the size. A window of fixed width that drops
    the last row of an odd image does not.

    Args:
        x: Shape (n, channels, height, width).
        size: The side of the result, or its height and width.
    """
    height, width = x.shape[-2:]
    rows, columns = (size, size) if isinstance(size, int) else size
    if (rows, columns) == (height, width):
        return x
    channels_next = x.is_contiguous(memory_format=torch.channels_last)
    down, along = _window(height, rows), _window(width, columns)
    if down is not None and along is not None:
        return functional.avg_pool2d(x, (down[0], along[0]), (down[1], along[1]))
    left, right = (_weights(*sides, x.device, x.dtype) for sides in ((height, rows), (width, columns)))
    if 2 * rows * columns > height * width or not channels_next:
        return left @ x @ right.T
    # where little is left, products with the channels next to one another take a third of the time
    n, channels = x.shape[:2]
    lines = left @ x.permute(0, 2, 3, 1).reshape(n, height, width * channels)
    return (right @ lines.reshape(n, rows, width, channels)).permute(0, 3, 1, 2)


class SymmetricPool(nn.Module):
    """`symmetric_pool` to a fixed side."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pool (n, channels, height, width) to (n, channels, size, size)."""
        return symmetric_pool(x, self.size)


class EvenPool(nn.Module):
    """`symmetric_pool` of an odd side to the even one below, so that halves treat both ends alike.

    A side of 1 becomes 2.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pool (n, channels, height, width) to even sides; those that are even already stay."""
        height, width = (2 * max(1, side // 2) for side in x.shape[-2:])
        return symmetric_pool(x, (height, width))
