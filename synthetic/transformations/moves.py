"""Pixels moved without a change, in the subset of Python that numba compiles; see `kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba.np.numpy_support import carray

from synthetic.transformations.native import Plan, at, compiled, shared, take, within

__all__ = ["permute", "permute_in_place", "permute_share"]

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.integer[Any]]

_LONG = 8
"""Shorter runs of pixels are moved faster one by one."""


@compiled
def _moved(image: Floats, order: Whole, run: int, step: int, out: Floats) -> None:
    """The pixels of each channel in another order, which is made of runs of neighbours, either way round."""
    channels, pixels = image.shape
    if run >= _LONG:
        for c in range(channels):
            for start in range(0, pixels, run):
                target = out[c, start : start + run]
                if step == 1:
                    source = image[c, order[start] :]
                    for j in range(run):
                        target[j] = source[j]
                else:
                    source = image[c, order[start + run - 1] :]
                    for j in range(run):
                        target[j] = source[np.uint64(run - 1 - j)]
    elif channels == 3:
        first, second, third = image[0], image[1], image[2]
        red, green, blue = out[0], out[1], out[2]
        for j in range(pixels):
            place = order[j]
            red[j], green[j], blue[j] = first[place], second[place], third[place]
    else:
        for c in range(channels):
            source, target = image[c], out[c]
            for j in range(pixels):
                target[j] = source[order[j]]


@compiled
def permute(images: Floats, rows: Whole, labels: Whole, sources: Whole, runs: Whole, out: Floats) -> None:
    """Take the pixels of chosen images, of shape (m, channels, pixels), in the order of their labels."""
    for k in range(len(rows)):
        _moved(images[rows[k]], sources[labels[k]], runs[labels[k], 0], runs[labels[k], 1], out[k])


@compiled
def permute_in_place(images: Floats, labels: Whole, sources: Whole, runs: Whole) -> None:
    """The same, written over the images."""
    n, channels, pixels = images.shape
    kept = np.empty((channels, pixels), np.float32)
    for k in range(n):
        order, run, step = sources[labels[k]], runs[labels[k], 0], runs[labels[k], 1]
        if run == pixels and step == 1:
            continue
        image = images[k]
        for c in range(channels):
            source, target = image[c], kept[c]
            for j in range(pixels):
                target[j] = source[j]
        _moved(kept, order, run, step, image)


@shared
def permute_share(plan: Plan) -> None:
    """`permute` of rows that no other thread takes; its arguments, after the shapes and the orders.

    In place where the result lies where the images are.
    """
    part, n, channels, pixels = plan[1], plan[2], plan[3], plan[4]
    sources = carray(at(plan[6]), (plan[5], pixels), np.uint32)
    runs = carray(at(plan[7]), (plan[5], 2), np.int64)
    images = carray(at(plan[9]), (plan[8], channels, pixels), np.float32)
    rows = carray(at(plan[10]), (n,), np.int64)
    labels = carray(at(plan[11]), (n,), np.int64)
    out = carray(at(plan[12]), (n, channels, pixels), np.float32)
    a = take(plan, part)
    while a < n:
        b = min(a + part, n)
        if not (within(rows[a:b], len(images)) and within(labels[a:b], len(sources))):
            plan[13] = 1
        elif plan[9] == plan[12]:
            permute_in_place(images[a:b], labels[a:b], sources, runs)
        else:
            permute(images, rows[a:b], labels[a:b], sources, runs, out[a:b])
        a = take(plan, part)
