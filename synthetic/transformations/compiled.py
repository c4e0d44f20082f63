"""Augmentations, blurs and moved pixels on the CPU, compiled by numba: each image in one go.

The operations of torch go through the memory once for each of some seventy steps, and a training step leaves
little of it in the cache; compiled, the SimCLR set takes a fifth of the time. The values agree with those of
torch to rounding, a few times 1e-6. Images are float32 of shape (n, channels, height, width) on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch

from synthetic.transformations import kernels

__all__ = ["augmented", "blurred", "permuted"]

_SHARE = 2**20
"""A further thread pays from this many pixels on; on two cores, with half a million, it cost 2 %."""


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="images")


def _shared(work: Callable[[slice], None], images: torch.Tensor) -> None:
    """Do the work on slices of the images, in as many threads as torch uses where there is enough of it.

    Each thread takes the next slice when it is done with one, because those of torch, which wait for its next
    operation, may keep a core busy for a while.
    """
    n = len(images)
    threads = min(torch.get_num_threads(), images.numel() // _SHARE)
    if threads < 2:
        work(slice(0, n))
        return
    size = -(-n // (4 * threads))
    slices = iter([slice(k, k + size) for k in range(0, n, size)])

    def take() -> None:
        for part in slices:
            work(part)

    helpers = [_pool(threads - 1).submit(take) for _ in range(threads - 1)]
    take()
    for helper in helpers:
        if not helper.cancel():
            helper.result()


def augmented(
    images: torch.Tensor,
    uniform: torch.Tensor,
    *,
    crop: tuple[float, float] | None,
    chances: tuple[float, float, float, float],
) -> torch.Tensor:
    """The augmented images, a new tensor; see `Augmentation.apply`.

    Args:
        images: Shape (n, 1 or 3, height, width).
        uniform: Numbers in [0, 1), shape (n, 14).
        crop: The range of the share of the area; None for no crop.
        chances: The probabilities of a mirror image, jitter, gray and blur.
    """
    out = torch.empty(images.shape)
    source, numbers, target = images.contiguous().numpy(), uniform.float().contiguous().numpy(), out.numpy()
    chance, area = _floats(chances), _floats(crop or (1.0, 1.0))

    def work(part: slice) -> None:
        kernels.augment(source[part], numbers[part], chance, crop is not None, area, target[part])

    _shared(work, images)
    return out


@lru_cache(maxsize=64)
def _floats(values: tuple[float, ...]) -> kernels.Floats:
    return np.array(values, np.float32)


def blurred(images: torch.Tensor, labels: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    """Blur with mirrored borders, a new tensor; see `Blur`.

    Args:
        images: Shape (n, channels, height, width).
        labels: Integers, shape (n,).
        taps: The weights of a pixel and of an odd number of neighbours to either side, for each label.

    Raises:
        IndexError: If a label is out of range.
    """
    out = torch.empty(images.shape)
    source, chosen, target = images.contiguous().numpy(), labels.contiguous().numpy(), out.numpy()
    weights = taps.numpy()

    def work(part: slice) -> None:
        kernels.blur_by_label(source[part], chosen[part], weights, target[part])

    _shared(work, images)
    return out


def permuted(images: torch.Tensor, labels: torch.Tensor, sources: torch.Tensor) -> torch.Tensor:
    """Pixels moved, a new tensor; see `PixelPermutation`.

    Args:
        images: Shape (n, channels, height, width).
        labels: Integers, shape (n,).
        sources: For each label and each pixel of the result, the pixel it comes from, shape (labels, pixels).

    Raises:
        IndexError: If a label is out of range.
    """
    out = torch.empty(images.shape)
    source, chosen, target = (
        images.contiguous().flatten(2).numpy(),
        labels.contiguous().numpy(),
        out.flatten(2).numpy(),
    )
    table = sources.numpy()

    def work(part: slice) -> None:
        kernels.permute(source[part], chosen[part], table, target[part])

    _shared(work, images)
    return out
