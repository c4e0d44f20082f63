"""What `compiled` runs, in the subset of Python that numba compiles: one image after the other.

What calls one another is in one file, because numba does not see that a compiled function calls one of
another file that has changed; `within` alone is not. Inner loops run along the width, where the compiler
finds vector instructions: they need float32 throughout, which is why constants have names, and views whose
indices cannot be negative.

The functions at the end are what the threads of a team run; see `team.share` for what they are given.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.np.numpy_support import carray

from synthetic.transformations.luma import LUMA
from synthetic.transformations.native import Plan, at, compiled, shared, take, within

__all__ = ["augment", "augment_share", "blur_by_label", "blur_share"]

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.integer[Any]]

_ZERO, _ONE, _TWO, _THREE, _FOUR, _SIX = (np.float32(k) for k in (0, 1, 2, 3, 4, 6))
_SIXTH = np.float32(1 / 6)
_GRID, _STEP = np.float32(2**24), np.float32(2**-24)
_RED, _GREEN, _BLUE = (np.float32(weight) for weight in LUMA)
_TINY = np.finfo(np.float32).tiny
_REACH = 6
"""Taps of a Gaussian beyond this many standard deviations are below 2e-8 of the middle one."""
_LINE = 16
"""Values in a cache line."""


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
def _columns(line: Floats, left: Whole, on: np.uint64, share: Floats, target: Floats) -> None:
    """Interpolate between two pixels of a line, for each pixel of another."""
    for j in range(len(target)):
        value = line[left[j]]
        target[j] = value + share[j] * (line[left[j] + on] - value)


@compiled
def _columns_of_three(image: Floats, i: int, left: Whole, on: np.uint64, share: Floats, out: Floats) -> None:
    """The same for a row of three channels at once: places and weights are read once."""
    first, second, third = image[0, i], image[1, i], image[2, i]
    red, green, blue = out[0, i], out[1, i], out[2, i]
    for j in range(len(red)):
        a, b, weight = left[j], left[j] + on, share[j]
        value = first[a]
        red[j] = value + weight * (first[b] - value)
        value = second[a]
        green[j] = value + weight * (second[b] - value)
        value = third[a]
        blue[j] = value + weight * (third[b] - value)


@compiled
def _crop(
    image: Floats, rows: Whole, below: Floats, columns: Whole, right: Floats, room: Floats, out: Floats
) -> None:
    """Interpolate between two columns in the rows that are needed, then between two rows."""
    channels, height, width = image.shape
    down, on = np.uint64(min(1, height - 1)), np.uint64(min(1, width - 1))
    for i in range(rows[0], rows[height - 1] + down + np.uint64(1)):
        if channels == 3:
            _columns_of_three(image, i, columns, on, right, room)
        else:
            for c in range(channels):
                _columns(image[c, i], columns, on, right, room[c, i])
    for c in range(channels):
        for i in range(height):
            upper, lower, share, target = room[c, rows[i]], room[c, rows[i] + down], below[i], out[c, i]
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
def _mirrored(place: int, size: int) -> int:
    """The pixel of an axis that is seen at a place beyond its borders."""
    place %= 2 * size
    return place if place < size else 2 * size - 1 - place


@compiled
def _spread(source: Floats, target: Floats, taps: Floats, stride: int, start: int, end: int) -> None:
    """Add up what is around each entry of a part of a flat array by its taps, `stride` apart."""
    reach, count = len(taps) - 1, end - start
    here, sums = source[start:end], target[start:end]
    before, after = source[start - stride : end - stride], source[start + stride : end + stride]
    middle, near = taps[0], taps[1]
    if reach == 1:
        for k in range(count):
            sums[k] = middle * here[k] + near * (before[k] + after[k])
        return
    earlier, later = source[start - 2 * stride :], source[start + 2 * stride :]
    far = taps[2]
    for k in range(count):
        sums[k] = middle * here[k] + near * (before[k] + after[k]) + far * (earlier[k] + later[k])
    for t in range(3, reach, 2):
        before, after = source[start - t * stride :], source[start + t * stride :]
        earlier, later = source[start - (t + 1) * stride :], source[start + (t + 1) * stride :]
        near, far = taps[t], taps[t + 1]
        for k in range(count):
            sums[k] += near * (before[k] + after[k]) + far * (earlier[k] + later[k])
    if reach % 2 == 1:
        before, after = source[start - reach * stride :], source[start + reach * stride :]
        near = taps[reach]
        for k in range(count):
            sums[k] += near * (before[k] + after[k])


@compiled
def _scales(taps: Floats, out: Floats) -> None:
    """One over the sum of the taps that stay within the borders, for each pixel of an axis."""
    size, reach = len(out), len(taps) - 1
    whole = taps[0]
    for t in range(1, reach + 1):
        whole += _TWO * taps[t]
    out[:] = _ONE / whole
    for i in range(size):
        if reach <= i < size - reach:
            continue
        total = taps[0]
        for t in range(1, reach + 1):
            total += (taps[t] if i >= t else _ZERO) + (taps[t] if i + t < size else _ZERO)
        out[i] = _ONE / total


@compiled
def _room(height: int, width: int, most: int) -> Floats:
    """Zeros for a blur of one channel, three flat arrays that each begin with a cache line, shape (3, ..)."""
    lines = -(-(height + 2 * most) * (width + 2 * most) // _LINE)
    memory = np.zeros((3 * lines + 1) * _LINE, np.float32)
    start = (-(memory.ctypes.data // 4)) % _LINE
    return memory[start : start + 3 * lines * _LINE].reshape(3, lines * _LINE)


@compiled
def _fading_blur(image: Floats, sigma: float, taps: Floats, scales: Floats, room: Floats) -> None:
    """Gaussian blur in place, with weights renormalised at the borders.

    Args:
        image: Shape (channels, height, width).
        sigma: The standard deviation in pixels.
        taps: Room for the weights of a pixel and of its neighbours to one side, shape (1 + most,).
        scales: Room for one number per row, and one per column, shape (2, height or width).
        room: From `_room`. The first array keeps zero rows around the image, the third zeros between its
            rows, where an entry beyond the end of one is one before the next.
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
    tall, sums, wide = room[0], room[1], room[2]
    top, stride = most * width, width + most
    for c in range(channels):
        plane, inner = image[c].reshape(-1), tall[top:]
        for k in range(height * width):
            inner[k] = plane[k]
        _spread(tall, sums, own, width, top, top + height * width)
        spread = sums[top:]
        for i in range(height):
            source, line = spread[i * width :], wide[most + i * stride :]
            for j in range(width):
                line[j] = source[j]
        _spread(wide, sums, own, 1, most, most + height * stride)
        for i in range(height):
            line, target, scale = sums[most + i * stride :], image[c, i], down[i]
            for j in range(width):
                target[j] = line[j] * (scale * along[j])


@compiled
def _mirror_blur(image: Floats, taps: Floats, room: Floats, out: Floats) -> None:
    """Spread an image along both axes, with mirrored pixels around it.

    Args:
        image: Shape (channels, height, width).
        taps: The weights of a pixel and of its neighbours to one side, shape (1 + reach,).
        room: From `_room`, for this reach or a larger one.
        out: The shape of the image.
    """
    channels, height, width = image.shape
    reach = len(taps) - 1
    tall, sums, wide = room[0], room[1], room[2]
    top, stride = reach * width, width + 2 * reach
    before, behind = np.empty(reach, np.uint64), np.empty(reach, np.uint64)
    for j in range(reach):
        before[j], behind[j] = _mirrored(j - reach, width), _mirrored(width + j, width)
    for c in range(channels):
        plane, inner = image[c].reshape(-1), tall[top:]
        for k in range(height * width):
            inner[k] = plane[k]
        for i in range(-reach, reach):
            place = i if i < 0 else height + i
            source, line = image[c, _mirrored(place, height)], tall[top + place * width :]
            for j in range(width):
                line[j] = source[j]
        _spread(tall, sums, taps, width, top, top + height * width)
        spread = sums[top:]
        for i in range(height):
            source, line = spread[i * width :], wide[i * stride :]
            inner = line[reach:]
            for j in range(width):
                inner[j] = source[j]
            after = line[reach + width :]
            for j in range(reach):
                line[j] = source[before[j]]
                after[j] = source[behind[j]]
        _spread(wide, sums, taps, 1, reach, height * stride - reach)
        for i in range(height):
            line, target = sums[reach + i * stride :], out[c, i]
            for j in range(width):
                target[j] = line[j]


@compiled
def blur_by_label(images: Floats, labels: Whole, taps: Floats, out: Floats) -> None:
    """Each image spread by the taps of its label; a label with one tap leaves the image as it is.

    The result may be the images themselves.
    """
    n, _, height, width = images.shape
    most = taps.shape[1] - 1
    room = _room(height, width, most)
    in_place = images.ctypes.data == out.ctypes.data
    for k in range(n):
        own = taps[labels[k]]
        reach = most
        while reach > 0 and own[reach] == 0:
            reach -= 1
        if reach > 0:
            _mirror_blur(images[k], own[: reach + 1], room, out[k])
        elif not in_place:
            _copy(images[k], False, out[k])


@compiled
def augment(
    images: Floats, rows: Whole, numbers: Floats, chances: Floats, cropped: bool, area: Floats, out: Floats
) -> None:
    """The image of each row by its own numbers: crop and mirror, jitter, gray, blur; see `Augmentation`."""
    n, channels, height, width = out.shape
    flip, jitter, gray, blur = chances
    lines, columns = np.empty(height, np.uint64), np.empty(width, np.uint64)
    below, right = np.empty(height, np.float32), np.empty(width, np.float32)
    line, factor = np.empty(width, np.float32), np.empty(4, np.float32)
    cut = np.empty((channels, height, width), np.float32)
    most = max(int(_REACH * width / 32), 1)
    taps, scales = np.empty(most + 1, np.float32), np.empty((2, max(height, width)), np.float32)
    room = _room(height, width, most)
    for k in range(n):
        source, u, image = images[rows[k]], numbers[k], out[k]
        mirrored = u[4] < flip
        wide, high, x, y = 1.0, 1.0, 0.0, 0.0
        if cropped:
            share = area[0] + (area[1] - area[0]) * u[0]
            aspect = math.exp((2.0 * u[1] - 1.0) * math.log(4 / 3))
            wide, high = min(math.sqrt(share * aspect), 1.0), min(math.sqrt(share / aspect), 1.0)
            x, y = (2.0 * u[2] - 1.0) * (1.0 - wide), (2.0 * u[3] - 1.0) * (1.0 - high)
            _taps(y, high, lines, below)
            _taps(x, -wide if mirrored else wide, columns, right)
            _crop(source, lines, below, columns, right, cut, image)
        else:
            _copy(source, mirrored, image)
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
            _fading_blur(image, (0.05 + 0.95 * u[12]) * width / 32, taps, scales, room)
        pixels = image.reshape(-1)
        for j in range(len(pixels)):
            pixels[j] = np.rint(min(max(pixels[j], _ZERO), _ONE) * _GRID) * _STEP


@shared
def augment_share(plan: Plan) -> None:
    """`augment` on images that no other thread takes; its arguments, after the shape."""
    part, n, channels, height, width = plan[1], plan[2], plan[3], plan[4], plan[5]
    images = carray(at(plan[7]), (plan[6], channels, height, width), np.float32)
    rows = carray(at(plan[8]), (n,), np.int64)
    numbers = carray(at(plan[9]), (n, plan[10]), np.float32)
    chances, area = carray(at(plan[11]), (4,), np.float32), carray(at(plan[13]), (2,), np.float32)
    out = carray(at(plan[14]), (n, channels, height, width), np.float32)
    a = take(plan, part)
    while a < n:
        b = min(a + part, n)
        if within(rows[a:b], len(images)):
            augment(images, rows[a:b], numbers[a:b], chances, plan[12] != 0, area, out[a:b])
        else:
            plan[15] = 1
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
        if within(labels[a:b], len(taps)):
            blur_by_label(images[a:b], labels[a:b], taps, out[a:b])
        else:
            plan[12] = 1
        a = take(plan, part)
