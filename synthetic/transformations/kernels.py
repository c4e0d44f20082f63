"""What `compiled` runs, in the subset of Python that numba compiles: one image after the other.

All functions are in this file, because numba does not see that a compiled function calls one of another file
that has changed. Inner loops run along the width, where the compiler finds vector instructions: they need
float32 throughout, which is why constants have names, and views whose indices cannot be negative.

The functions at the end are what the threads of a team run; see `team.share` for what they are given.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.np.numpy_support import carray

from synthetic.transformations.colour import LUMA
from synthetic.transformations.native import Plan, at, compiled, shared, take

__all__ = ["augment", "augment_share", "blur_by_label", "blur_share", "permute", "permute_share"]

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.integer[Any]]

_ZERO, _ONE, _TWO, _THREE, _FOUR, _SIX = (np.float32(k) for k in (0, 1, 2, 3, 4, 6))
_SIXTH = np.float32(1 / 6)
_GRID, _STEP = np.float32(2**24), np.float32(2**-24)
_RED, _GREEN, _BLUE = (np.float32(weight) for weight in LUMA)
_TINY = np.finfo(np.float32).tiny
_REACH = 6
"""Taps of a Gaussian beyond this many standard deviations are below 2e-8 of the middle one."""


@compiled
def _taps(centre: float, extent: float, first: Whole, weight: Floats) -> None:
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
    image: Floats, rows: Whole, below: Floats, columns: Whole, right: Floats, line: Floats, out: Floats
) -> None:
    """Interpolate between two rows, then between two columns."""
    channels, height, width = image.shape
    down, on = np.uint64(min(1, height - 1)), np.uint64(min(1, width - 1))
    for c in range(channels):
        for i in range(height):
            upper, lower = image[c, rows[i]], image[c, rows[i] + down]
            share = below[i]
            for j in range(width):
                line[j] = upper[j] + share * (lower[j] - upper[j])
            target = out[c, i]
            for j in range(width):
                left = line[columns[j]]
                target[j] = left + right[j] * (line[columns[j] + on] - left)


@compiled
def _copy(image: Floats, mirrored: bool, out: Floats) -> None:
    """The image, or its mirror image."""
    channels, height, width = image.shape
    for c in range(channels):
        for i in range(height):
            source, target = image[c, i], out[c, i]
            if mirrored:
                for j in range(width):
                    target[j] = source[width - 1 - j]
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
def _mirrored(place: int, size: int) -> int:
    """The pixel of an axis that is seen at a place beyond its borders."""
    place %= 2 * size
    return place if place < size else 2 * size - 1 - place


@compiled
def _spread(source: Floats, target: Floats, taps: Floats, reach: int, stride: int) -> None:
    """Add up the entries around each of a flat array by its taps, an odd `reach` of them, `stride` apart."""
    start, end = reach * stride, len(source) - reach * stride
    middle, tap = taps[0], taps[1]
    here, sums = source[start:end], target[start:end]
    before, after = source[start - stride : end - stride], source[start + stride : end + stride]
    for k in range(end - start):
        sums[k] = middle * here[k] + tap * (before[k] + after[k])
    for t in range(2, reach, 2):
        before, after = source[start - t * stride :], source[start + t * stride :]
        earlier, later = source[start - (t + 1) * stride :], source[start + (t + 1) * stride :]
        near, far = taps[t], taps[t + 1]
        for k in range(end - start):
            sums[k] += near * (before[k] + after[k]) + far * (earlier[k] + later[k])


@compiled
def _scales(taps: Floats, reach: int, out: Floats) -> None:
    """One over the sum of the taps that stay within the borders, for each pixel of an axis."""
    size = len(out)
    for i in range(size):
        total = taps[0]
        for t in range(1, reach + 1):
            total += (taps[t] if i >= t else _ZERO) + (taps[t] if i + t < size else _ZERO)
        out[i] = _ONE / total


@compiled
def _smooth(image: Floats, out: Floats, taps: Floats, mirror: bool, first: Floats, second: Floats) -> None:
    """Spread an image along both axes, with mirrored pixels around it or zeros.

    Args:
        image: Shape (channels, height, width).
        out: The same shape; may be the image itself.
        taps: The weights of a pixel and of an odd number of neighbours to either side, shape (1 + reach,).
        mirror: Whether the image is mirrored at its borders.
        first: Room for one channel with its surroundings, (height + 2 reach) (width + 2 reach) values.
        second: The same.
    """
    channels, height, width = image.shape
    reach = len(taps) - 1
    stride = width + 2 * reach
    beyond = np.empty(2 * reach, np.int64)
    for j in range(reach):
        beyond[j], beyond[reach + j] = _mirrored(j - reach, width), _mirrored(width + j, width)
    for c in range(channels):
        for i in range(height + 2 * reach):
            line = first[i * width : (i + 1) * width]
            place = _mirrored(i - reach, height)
            source = image[c, place]
            if mirror or place == i - reach:
                for j in range(width):
                    line[j] = source[j]
            else:
                line[:] = 0
        _spread(first[: (height + 2 * reach) * width], second, taps, reach, width)
        for i in range(height):
            source = second[(reach + i) * width : (reach + i + 1) * width]
            line = first[i * stride : (i + 1) * stride]
            inner = line[reach:]
            for j in range(width):
                inner[j] = source[j]
            for j in range(reach):
                line[j] = source[beyond[j]] if mirror else _ZERO
                line[reach + width + j] = source[beyond[reach + j]] if mirror else _ZERO
        _spread(first[: height * stride], second, taps, reach, 1)
        for i in range(height):
            line, target = second[i * stride + reach :], out[c, i]
            for j in range(width):
                target[j] = line[j]


@compiled
def _fading_blur(
    image: Floats, sigma: float, taps: Floats, first: Floats, second: Floats, down: Floats, along: Floats
) -> None:
    """Gaussian blur in place, with weights renormalised at the borders."""
    channels, height, width = image.shape
    reach = min(2 * int(_REACH * sigma / 2) + 1, len(taps) - 1)
    for t in range(reach + 1):
        taps[t] = math.exp(-0.5 * (t / sigma) ** 2)
    _smooth(image, image, taps[: reach + 1], False, first, second)
    _scales(taps, reach, down)
    _scales(taps, reach, along)
    for c in range(channels):
        for i in range(height):
            target, scale = image[c, i], down[i]
            for j in range(width):
                target[j] *= scale * along[j]


@compiled
def blur_by_label(images: Floats, labels: Whole, taps: Floats, out: Floats) -> None:
    """Each image spread by the taps of its label; a label with one tap leaves the image as it is."""
    n, _, height, width = images.shape
    reach = taps.shape[1] - 1
    first = np.empty((height + 2 * reach) * (width + 2 * reach), np.float32)
    second = np.empty_like(first)
    for k in range(n):
        own = taps[labels[k]]
        last = reach
        while last > 1 and own[last] == 0 and own[last - 1] == 0:
            last -= 2
        if own[1] == 0:
            _copy(images[k], False, out[k])
        else:
            _smooth(images[k], out[k], own[: last + 1], True, first, second)


@compiled
def augment(
    images: Floats, numbers: Floats, chances: Floats, cropped: bool, area: Floats, out: Floats
) -> None:
    """Every image by its own numbers: crop and mirror, jitter, gray, blur, the grid; see `Augmentation`."""
    n, channels, height, width = images.shape
    flip, jitter, gray, blur = chances
    rows, columns = np.empty(height, np.uint64), np.empty(width, np.uint64)
    below, right = np.empty(height, np.float32), np.empty(width, np.float32)
    down, along = np.empty(height, np.float32), np.empty(width, np.float32)
    line, factor = np.empty(width, np.float32), np.empty(4, np.float32)
    reach = 2 * int(_REACH * width / 64) + 1
    taps = np.empty(reach + 1, np.float32)
    first = np.empty((height + 2 * reach) * (width + 2 * reach), np.float32)
    second = np.empty_like(first)
    for k in range(n):
        u, image = numbers[k], out[k]
        mirrored = u[4] < flip
        wide, high, x, y = 1.0, 1.0, 0.0, 0.0
        if cropped:
            share = area[0] + (area[1] - area[0]) * u[0]
            aspect = math.exp((2.0 * u[1] - 1.0) * math.log(4 / 3))
            wide, high = min(math.sqrt(share * aspect), 1.0), min(math.sqrt(share / aspect), 1.0)
            x, y = (2.0 * u[2] - 1.0) * (1.0 - wide), (2.0 * u[3] - 1.0) * (1.0 - high)
            _taps(y, high, rows, below)
            _taps(x, -wide if mirrored else wide, columns, right)
            _crop(images[k], rows, below, columns, right, line, image)
        else:
            _copy(images[k], mirrored, image)
        if u[5] < jitter:
            for t in range(3):
                factor[t] = 0.6 + 0.8 * u[6 + t]
            factor[3] = (2.0 * u[9] - 1.0) * 0.6
            if channels == 3:
                _jitter(image, factor, line)
            else:
                _jitter_gray(image, factor)
        if channels == 3 and u[10] < gray:
            _gray(image)
        if u[11] < blur:
            _fading_blur(image, (0.05 + 0.95 * u[12]) * width / 32, taps, first, second, down, along)
        pixels = image.reshape(-1)
        for j in range(len(pixels)):
            pixels[j] = np.rint(min(max(pixels[j], _ZERO), _ONE) * _GRID) * _STEP


@compiled
def permute(images: Floats, labels: Whole, sources: Whole, out: Floats) -> None:
    """Take the pixels of each channel, shape (n, channels, pixels), in the order of the image's label."""
    n, channels, pixels = images.shape
    for k in range(n):
        order = sources[labels[k]]
        for c in range(channels):
            source, target = images[k, c], out[k, c]
            for j in range(pixels):
                target[j] = source[order[j]]


@shared
def augment_share(plan: Plan) -> None:
    """`augment` on images that no other thread takes; its arguments, after the shape."""
    part, n, channels, height, width = plan[1], plan[2], plan[3], plan[4], plan[5]
    images = carray(at(plan[6]), (n, channels, height, width), np.float32)
    numbers = carray(at(plan[7]), (n, plan[8]), np.float32)
    chances, area = carray(at(plan[9]), (4,), np.float32), carray(at(plan[11]), (2,), np.float32)
    out = carray(at(plan[12]), (n, channels, height, width), np.float32)
    a = take(plan, part)
    while a < n:
        b = min(a + part, n)
        augment(images[a:b], numbers[a:b], chances, plan[10] != 0, area, out[a:b])
        a = take(plan, part)


@shared
def blur_share(plan: Plan) -> None:
    """`blur_by_label` on images that no other thread takes; its arguments, after the shapes."""
    part, n, channels, height, width = plan[1], plan[2], plan[3], plan[4], plan[5]
    images = carray(at(plan[8]), (n, channels, height, width), np.float32)
    labels = carray(at(plan[9]), (n,), np.int64)
    taps = carray(at(plan[10]), (plan[6], plan[7]), np.float32)
    out = carray(at(plan[11]), (n, channels, height, width), np.float32)
    a = take(plan, part)
    while a < n:
        b = min(a + part, n)
        blur_by_label(images[a:b], labels[a:b], taps, out[a:b])
        a = take(plan, part)


@shared
def permute_share(plan: Plan) -> None:
    """`permute` on images that no other thread takes; its arguments, after the shape and the orders."""
    part, n, channels, pixels = plan[1], plan[2], plan[3], plan[4]
    images = carray(at(plan[6]), (n, channels, pixels), np.float32)
    labels = carray(at(plan[7]), (n,), np.int64)
    sources = carray(at(plan[8]), (plan[5], pixels), np.int64)
    out = carray(at(plan[9]), (n, channels, pixels), np.float32)
    a = take(plan, part)
    while a < n:
        b = min(a + part, n)
        permute(images[a:b], labels[a:b], sources, out[a:b])
        a = take(plan, part)
