"""Augmentation of images on the CPU, compiled by numba: one image after the other, each in one go.

The operations of torch go through the memory once for each of some seventy steps; here an image stays in the
cache. Inner loops run along the width, where the compiler finds vector instructions: they need float32
throughout, which is why constants have names, and indices that cannot be negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from synthetic.transformations.luma import LUMA

__all__ = ["augment"]

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.integer[Any]]
Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_ZERO, _ONE, _TWO, _THREE, _FOUR, _SIX = (np.float32(k) for k in (0, 1, 2, 3, 4, 6))
"""Numbers as float32: a Python number would make a float64 of what it is added to."""
_SIXTH = np.float32(1 / 6)
"""From sextants of hue to turns."""
_GRID, _STEP = np.float32(2**24), np.float32(2**-24)
"""Results are multiples of 2^-24, as those of `on_grid`."""
_RED, _GREEN, _BLUE = (np.float32(weight) for weight in LUMA)
"""The weights of `to_gray`."""
_TINY = np.finfo(np.float32).tiny
"""Stands for a chroma of 0, which is divided by."""
_REACH = 6
"""Taps of a Gaussian beyond this many standard deviations are below 2e-8 of the middle one."""


def compiled(function: Kernel) -> Kernel:
    """The function, compiled at its first call and kept on disk where there is a place for it."""
    options = {"nogil": True, "fastmath": {"contract"}}
    try:
        return cast("Kernel", numba.njit(cache=True, **options)(function))
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return cast("Kernel", numba.njit(cache=False, **options)(function))


@compiled
def _places(centre: float, extent: float, first: Whole, weight: Floats) -> None:
    """For each pixel of a stretched interval, the pixel below its place, and the weight of the one above."""
    size = len(first)
    for i in range(size):
        place = ((centre + extent * ((2 * i + 1) / size - 1) + 1) * size - 1) / 2
        place = min(max(place, 0.0), size - 1.0)
        pixel = min(int(place), max(size - 2, 0))
        first[i] = pixel
        weight[i] = place - pixel


@compiled
def _crop(
    image: Floats, rows: Whole, below: Floats, columns: Whole, right: Floats, room: Floats, out: Floats
) -> None:
    """Interpolate between two columns in the rows that are needed, then between two rows."""
    channels, height, width = image.shape
    down, on = np.uint64(min(1, height - 1)), np.uint64(min(1, width - 1))
    for c in range(channels):
        for i in range(rows[0], rows[height - 1] + down + np.uint64(1)):
            line, target = image[c, i], room[i]
            for j in range(width):
                value = line[columns[j]]
                target[j] = value + right[j] * (line[columns[j] + on] - value)
        for i in range(height):
            upper, lower, share, target = room[rows[i]], room[rows[i] + down], below[i], out[c, i]
            for j in range(width):
                target[j] = upper[j] + share * (lower[j] - upper[j])


@compiled
def _copy(image: Floats, mirrored: bool, out: Floats) -> None:
    """The image, or its mirror image."""
    channels, height, width = image.shape
    for c in range(channels):
        for i in range(height):
            source, target = image[c, i], out[c, i]
            if mirrored:
                for j in range(width):
                    target[j] = source[np.uint64(width - 1 - j)]
            else:
                for j in range(width):
                    target[j] = source[j]


@compiled
def _jitter_gray(image: Floats, factor: Floats) -> None:
    """Brightness and contrast of an image of one channel."""
    _, height, width = image.shape
    bright, contrast = factor[0], factor[1]
    total = 0.0
    for i in range(height):
        line = image[0, i]
        for j in range(width):
            line[j] = min(max(line[j] * bright, _ZERO), _ONE)
            total += line[j]
    level = np.float32(total / (height * width))
    for i in range(height):
        line = image[0, i]
        for j in range(width):
            line[j] = min(max(level + contrast * (line[j] - level), _ZERO), _ONE)


@compiled
def _jitter(image: Floats, factor: Floats, sums: Floats) -> None:
    """Brightness, contrast, saturation and hue, clamped to [0, 1] in between.

    The hue follows `rgb_to_hcv` and `hcv_to_rgb`.
    """
    _, height, width = image.shape
    bright, contrast, saturation, turn = factor[0], factor[1], factor[2], factor[3]
    sums[:] = 0
    for i in range(height):
        red, green, blue = image[0, i], image[1, i], image[2, i]
        for j in range(width):
            r = min(max(red[j] * bright, _ZERO), _ONE)
            g = min(max(green[j] * bright, _ZERO), _ONE)
            b = min(max(blue[j] * bright, _ZERO), _ONE)
            red[j], green[j], blue[j] = r, g, b
            sums[j] += _RED * r + _GREEN * g + _BLUE * b
    level = np.float32(sums.sum() / (height * width))
    for i in range(height):
        red, green, blue = image[0, i], image[1, i], image[2, i]
        for j in range(width):
            r = min(max(level + contrast * (red[j] - level), _ZERO), _ONE)
            g = min(max(level + contrast * (green[j] - level), _ZERO), _ONE)
            b = min(max(level + contrast * (blue[j] - level), _ZERO), _ONE)
            gray = _RED * r + _GREEN * g + _BLUE * b
            r = min(max(gray + saturation * (r - gray), _ZERO), _ONE)
            g = min(max(gray + saturation * (g - gray), _ZERO), _ONE)
            b = min(max(gray + saturation * (b - gray), _ZERO), _ONE)
            value = max(r, g, b)
            chroma = value - min(r, g, b)
            sextant = _ONE / max(chroma, _TINY)
            hue = (r - g) * sextant + _FOUR
            hue = (b - r) * sextant + _TWO if value == g else hue
            hue = (g - b) * sextant if value == r else hue
            hue += turn
            hue -= _SIX * np.floor(hue * _SIXTH)
            red[j] = value - chroma * min(max(_TWO - abs(hue - _THREE), _ZERO), _ONE)
            green[j] = value - chroma * min(max(abs(hue - _TWO) - _ONE, _ZERO), _ONE)
            blue[j] = value - chroma * min(max(abs(hue - _FOUR) - _ONE, _ZERO), _ONE)


@compiled
def _gray(image: Floats) -> None:
    """The brightness in all channels."""
    _, height, width = image.shape
    for i in range(height):
        red, green, blue = image[0, i], image[1, i], image[2, i]
        for j in range(width):
            gray = _RED * red[j] + _GREEN * green[j] + _BLUE * blue[j]
            red[j], green[j], blue[j] = gray, gray, gray


@compiled
def _scales(taps: Floats, out: Floats) -> None:
    """One over the sum of the taps that stay within the borders, for each pixel of an axis."""
    size = len(out)
    for i in range(size):
        total = taps[0]
        for t in range(1, len(taps)):
            total += (taps[t] if i >= t else _ZERO) + (taps[t] if i + t < size else _ZERO)
        out[i] = _ONE / total


@compiled
def _blur(image: Floats, sigma: float, taps: Floats, scales: Floats, room: Floats, line: Floats) -> None:
    """Gaussian blur in place, with weights renormalised at the borders.

    Args:
        image: Shape (channels, height, width).
        sigma: The standard deviation in pixels.
        taps: Room for the weights of a pixel and of its neighbours to one side, shape (1 + most,).
        scales: Room for one number per row, and one per column, shape (2, height or width).
        room: One channel, with `most` rows of zeros above and below it.
        line: One row, with `most` zeros before and behind it.
    """
    channels, height, width = image.shape
    most = len(taps) - 1
    reach = min(int(_REACH * sigma), most)
    if reach == 0:
        return
    for t in range(reach + 1):
        taps[t] = math.exp(-0.5 * (t / sigma) ** 2)
    own = taps[: reach + 1]
    down, along = scales[0, :height], scales[1, :width]
    _scales(own, down)
    _scales(own, along)
    row = line[most : most + width]
    for c in range(channels):
        room[most : most + height] = image[c]
        for i in range(height):
            here, target, scale = room[most + i], image[c, i], down[i]
            for j in range(width):
                row[j] = own[0] * here[j]
            for t in range(1, reach + 1):
                above, below, weight = room[most + i - t], room[most + i + t], own[t]
                for j in range(width):
                    row[j] += weight * (above[j] + below[j])
            for j in range(width):
                target[j] = own[0] * row[j]
            for t in range(1, reach + 1):
                before, behind, weight = line[most - t :], line[most + t :], own[t]
                for j in range(width):
                    target[j] += weight * (before[j] + behind[j])
            for j in range(width):
                target[j] *= scale * along[j]


@compiled
def augment(
    images: Floats, rows: Whole, numbers: Floats, chances: Floats, cropped: bool, area: Floats, out: Floats
) -> None:
    """The image of each row by its own numbers: crop and mirror, jitter, gray, blur; see `Augmentation`.

    Args:
        images: Shape (m, 1 or 3 channels, height, width).
        rows: Which of the images, shape (n,), in 0 .. m - 1: it is not checked.
        numbers: In [0, 1), shape (n, 14).
        chances: Of a mirror image, jitter, gray and blur, shape (4,).
        cropped: Whether to crop.
        area: The range of the share of the area that a crop keeps, shape (2,).
        out: For the result, shape (n, channels, height, width).
    """
    n, channels, height, width = out.shape
    flip, jitter, gray, blur = chances
    lines, columns = np.empty(height, np.uint64), np.empty(width, np.uint64)
    below, right = np.empty(height, np.float32), np.empty(width, np.float32)
    sums, factor = np.empty(width, np.float32), np.empty(4, np.float32)
    cut = np.empty((height, width), np.float32)
    most = max(int(_REACH * width / 32), 1)
    taps, scales = np.empty(most + 1, np.float32), np.empty((2, max(height, width)), np.float32)
    room, line = np.zeros((height + 2 * most, width), np.float32), np.zeros(width + 2 * most, np.float32)
    for k in range(n):
        source, u, image = images[rows[k]], numbers[k], out[k]
        mirrored = u[4] < flip
        if cropped:
            share = area[0] + (area[1] - area[0]) * u[0]
            aspect = math.exp((2.0 * u[1] - 1.0) * math.log(4 / 3))
            wide, high = min(math.sqrt(share * aspect), 1.0), min(math.sqrt(share / aspect), 1.0)
            x, y = (2.0 * u[2] - 1.0) * (1.0 - wide), (2.0 * u[3] - 1.0) * (1.0 - high)
            _places(y, high, lines, below)
            _places(x, -wide if mirrored else wide, columns, right)
            _crop(source, lines, below, columns, right, cut, image)
        else:
            _copy(source, mirrored, image)
        if u[5] < jitter:
            for t in range(3):
                factor[t] = 0.6 + 0.8 * u[6 + t]
            factor[3] = (2.0 * u[9] - 1.0) * 0.6
            if channels == 3:
                _jitter(image, factor, sums)
            else:
                _jitter_gray(image, factor)
        if channels == 3 and u[10] < gray:
            _gray(image)
        if u[11] < blur:
            _blur(image, (0.05 + 0.95 * u[12]) * width / 32, taps, scales, room, line)
        pixels = image.reshape(-1)
        for j in range(len(pixels)):
            pixels[j] = np.rint(min(max(pixels[j], _ZERO), _ONE) * _GRID) * _STEP
