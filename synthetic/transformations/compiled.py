"""Augmentations, blurs and moved pixels on the CPU, compiled by numba: each image in one go.

The operations of torch go through the memory once for each of some seventy steps, and a training step leaves
little of it in the cache; compiled, the SimCLR set takes a fifth of the time. The values agree with those of
torch to rounding, a few times 1e-6. Images are float32 of shape (n, channels, height, width) on the CPU.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from synthetic.transformations import kernels, moves
from synthetic.transformations.team import share

__all__ = ["augmented", "blurred", "permuted"]


@lru_cache(maxsize=64)
def _kept(values: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


def _whole(labels: torch.Tensor) -> torch.Tensor:
    """As compiled code reads them: 64-bit integers next to one another."""
    return labels.to(torch.int64).contiguous()


@lru_cache(maxsize=64)
def _orders(sources: torch.Tensor) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """The orders as compiled code reads them, and for each the length and the step of its runs."""
    orders = sources.numpy()
    runs = np.array([max(_runs(order, step) for step in (1, -1)) for order in orders], np.int64)
    return np.ascontiguousarray(orders, np.uint32), runs


def _runs(order: npt.NDArray[np.int64], step: int) -> tuple[int, int]:
    """The length of the equal runs in which each pixel is a step from the one before, and the step."""
    jumps = np.flatnonzero(np.diff(order) != step) + 1
    return int(np.gcd.reduce(jumps, initial=len(order))), step


def augmented(
    images: torch.Tensor,
    uniform: torch.Tensor,
    rows: torch.Tensor | None,
    *,
    crop: tuple[float, float] | None,
    chances: tuple[float, float, float, float],
) -> torch.Tensor:
    """The augmented images, a new tensor; see `Augmentation.apply`.

    Args:
        images: Shape (m, 1 or 3, height, width).
        uniform: Numbers in [0, 1), shape (n, 14).
        rows: Which of the images, shape (n,); None for all, where m = n.
        crop: The range of the share of the area; None for no crop.
        chances: The probabilities of a mirror image, jitter, gray and blur.

    Raises:
        IndexError: If a row is out of range.
    """
    source, numbers = images.contiguous(), uniform.float().contiguous()
    chosen = torch.arange(len(images)) if rows is None else _whole(rows)
    out = torch.empty(len(chosen), *images.shape[1:])
    known = share(
        kernels.augment_share,
        len(out),
        out.numel(),
        [
            *images.shape[1:],
            len(images),
            source.data_ptr(),
            chosen.data_ptr(),
            numbers.data_ptr(),
            numbers.shape[1],
            _kept(chances).data_ptr(),
            crop is not None,
            _kept(crop or (1.0, 1.0)).data_ptr(),
            out.data_ptr(),
        ],
    )
    if not known:
        raise IndexError("a row is out of range")
    return out


def blurred(
    images: torch.Tensor, labels: torch.Tensor, taps: torch.Tensor, *, overwrite: bool = False
) -> torch.Tensor:
    """Blur with mirrored borders; see `Blur`.

    Args:
        images: Shape (n, channels, height, width).
        labels: Integers, shape (n,).
        taps: The weights of a pixel and of its neighbours to either side, for each label.
        overwrite: Write the result over the images where they lie next to one another; else a new tensor.

    Raises:
        IndexError: If a label is out of range.
    """
    source, chosen = images.contiguous(), _whole(labels)
    out = source if overwrite else torch.empty(images.shape)
    weights = taps.float().contiguous()
    known = share(
        kernels.blur_share,
        len(images),
        images.numel(),
        [
            *images.shape[1:],
            *weights.shape,
            source.data_ptr(),
            chosen.data_ptr(),
            weights.data_ptr(),
            out.data_ptr(),
        ],
    )
    if not known:
        raise IndexError("a label is out of range")
    return out


def permuted(
    images: torch.Tensor,
    labels: torch.Tensor,
    sources: torch.Tensor,
    *,
    rows: torch.Tensor | None = None,
    overwrite: bool = False,
) -> torch.Tensor:
    """Pixels moved; see `PixelPermutation`.

    Args:
        images: Shape (m, channels, height, width).
        labels: Integers, shape (n,).
        sources: For each label and each pixel of the result, the pixel it comes from, shape (labels, pixels).
        rows: Which of the images, shape (n,); None for all, where m = n.
        overwrite: Write the result over the images, all of them, where they lie next to one another; else a
            new tensor.

    Raises:
        IndexError: If a row or a label is out of range.
    """
    source, codes = images.contiguous(), _whole(labels)
    chosen = torch.arange(len(images)) if rows is None else _whole(rows)
    out = source if overwrite and rows is None else torch.empty(len(codes), *images.shape[1:])
    orders, runs = _orders(sources)
    known = share(
        moves.permute_share,
        len(out),
        out.numel(),
        [
            images.shape[1],
            orders.shape[1],
            len(orders),
            orders.ctypes.data,
            runs.ctypes.data,
            len(images),
            source.data_ptr(),
            chosen.data_ptr(),
            codes.data_ptr(),
            out.data_ptr(),
        ],
    )
    if not known:
        raise IndexError(
            "a row or a label is out of range" if rows is not None else "a label is out of range"
        )
    return out
