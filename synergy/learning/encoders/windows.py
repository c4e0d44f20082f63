"""Windows that lie side by side: averages and convolutions over them, with quicker gradients.

Each pixel lies in one window, so the gradient of an average is the same for all pixels of a window, and that
of a convolution is one product of matrices. torch goes a general way round, which on the CPU takes two to
five times as long. What is written here has the same values up to rounding, and derivatives of every order.
"""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import nn
from torch.nn import functional

__all__ = ["WindowConv2d", "as_mixed", "window_conv2d", "window_means"]


class _Call(Protocol):
    """What the gradients need to know of the call."""

    window: tuple[int, int]
    needs_input_grad: tuple[bool, ...]
    saved_tensors: tuple[torch.Tensor, ...]

    def save_for_backward(self, *tensors: torch.Tensor) -> None: ...

    def save_for_forward(self, *tensors: torch.Tensor) -> None: ...


class _Means(torch.autograd.Function):
    """The average of each window."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor, window: tuple[int, int]) -> torch.Tensor:
        """Average (n, channels, height, width) over windows of this height and width."""
        return functional.avg_pool2d(x, window)

    @staticmethod
    def setup_context(ctx: _Call, inputs: tuple[torch.Tensor, tuple[int, int]], output: torch.Tensor) -> None:
        """Keep the window."""
        ctx.window = inputs[1]

    @staticmethod
    def backward(ctx: _Call, slope: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Copy the gradient of each window to its pixels."""
        down, along = ctx.window
        n, channels, rows, columns = slope.shape
        each = (slope / (down * along)).permute(0, 2, 3, 1).reshape(n * rows * columns, channels)
        lines = each.repeat(1, along).reshape(n * rows, columns * along * channels)
        copied = lines.repeat(1, down).reshape(n, rows * down, columns * along, channels)
        return copied.permute(0, 3, 1, 2), None

    @staticmethod
    def jvp(ctx: _Call, tangent: torch.Tensor, _: None) -> torch.Tensor:
        """The derivative along a direction: averages are linear."""
        return functional.avg_pool2d(tangent, ctx.window)


class _Convolution(torch.autograd.Function):
    """A convolution that moves by its own size."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Correlate (n, inputs, height, width) with filters (outputs, inputs, down, along)."""
        return functional.conv2d(x, weight, bias, (weight.shape[2], weight.shape[3]))

    @staticmethod
    def setup_context(
        ctx: _Call, inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor], output: torch.Tensor
    ) -> None:
        """Keep the images and the filters."""
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])

    @staticmethod
    def backward(ctx: _Call, slope: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Each window's gradient is the filters, weighted by the gradients of its outputs."""
        x, weight = ctx.saved_tensors
        outputs, inputs, down, along = weight.shape
        to_pixels = None
        if ctx.needs_input_grad[0]:
            n, _, rows, columns = slope.shape
            filters = weight.permute(0, 2, 3, 1).reshape(outputs, down * along * inputs)
            windows = slope.permute(0, 2, 3, 1).reshape(n * rows * columns, outputs) @ filters
            lines = windows.view(n, rows, columns, down, along * inputs).transpose(2, 3)
            to_pixels = lines.reshape(n, rows * down, columns * along, inputs).permute(0, 3, 1, 2)
        _, to_weight, to_bias = torch.ops.aten.convolution_backward(
            slope, x, weight, [outputs], [down, along], [0, 0], [1, 1], False, [0, 0], 1,
            [False, *ctx.needs_input_grad[1:]],
        )  # fmt: skip
        return to_pixels, to_weight, to_bias

    @staticmethod
    def jvp(
        ctx: _Call, x_tangent: torch.Tensor, weight_tangent: torch.Tensor, bias_tangent: torch.Tensor
    ) -> torch.Tensor:
        """The derivative along a direction."""
        x, weight = ctx.saved_tensors
        size = (weight.shape[2], weight.shape[3])
        return functional.conv2d(x_tangent, weight, bias_tangent, size) + functional.conv2d(
            x, weight_tangent, None, size
        )


def as_mixed(x: torch.Tensor) -> torch.Tensor:
    """A tensor on the CPU as a convolution of torch's takes it: rounded where training is mixed."""
    if x.device.type != "cpu" or x.dtype == torch.float64 or not torch.is_autocast_enabled("cpu"):
        return x
    return x.to(torch.get_autocast_dtype("cpu"))


def _quicker(x: torch.Tensor, window: tuple[int, int]) -> bool:
    """Whether the gradients here are for these images: on the CPU, channels side by side, not compiled."""
    return (
        x.device.type == "cpu"
        and not torch.compiler.is_compiling()
        and x.shape[2] % window[0] == x.shape[3] % window[1] == 0
        and x.is_contiguous(memory_format=torch.channels_last)
    )


def window_means(x: torch.Tensor, window: tuple[int, int]) -> torch.Tensor:
    """Average (n, channels, height, width) over windows of this height and width.

    What is left at the lower and the right border, less than a window, is not looked at.
    """
    if not _quicker(x, window):
        return functional.avg_pool2d(x, window)
    return cast(torch.Tensor, _Means.apply(x, window))  # type: ignore[no-untyped-call]  # untyped in torch


def window_conv2d(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Correlate images with filters that move by their own size.

    What is left at the lower and the right border, less than a filter, is not looked at.

    Args:
        x: Shape (n, inputs, height, width).
        weight: Shape (outputs, inputs, down, along).
        bias: Shape (outputs,).
    """
    window = weight.shape[2], weight.shape[3]
    if not _quicker(x, window):
        return functional.conv2d(x, weight, bias, window)
    given = as_mixed(x), as_mixed(weight), as_mixed(bias)
    return cast(torch.Tensor, _Convolution.apply(*given))  # type: ignore[no-untyped-call]  # untyped in torch


class WindowConv2d(nn.Conv2d):
    """`window_conv2d` with weights of its own."""

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__(inputs, outputs, side, side)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, inputs, height, width) to (n, outputs, height // side, width // side)."""
        return window_conv2d(x, self.weight, cast(torch.Tensor, self.bias))
