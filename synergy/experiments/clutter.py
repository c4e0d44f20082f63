"""Cluttered glyphs: images on which no encoder, and no raw pixel, is at the ceiling.

Digits are read from raw pixels as well as from any small encoder (0.95 with all labels), so that no gain can
be seen there. Here a glyph of mixed symmetry lies off the middle, in one of three hues, textured or not, on a
bright or dark ground; a small glyph of another kind lies at the border, a gray patch may hide a part, and
there is pixel noise (compare cluttered MNIST, Mnih, Heess, Graves, Kavukcuoglu 2014, arXiv:1406.6247). Images
are drawn afresh for every seed, and probes of the class see few labels.

What is hard was chosen by raw pixels, untrained encoders and networks that are told the class, not by what
pretext tasks gain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synergy.learning import ImageSet
from synthetic import Glyphs, Sample

__all__ = ["JUDGED_PER_LABEL", "LABELLED", "cluttered_glyphs"]

Images = npt.NDArray[np.float32]

LABELLED = 20
"""The labelled images of each class, where a scale does not say otherwise."""

JUDGED_PER_LABEL = 32
"""With fewer judged images than so many for each labelled image of a class, fewer are labelled: of eight
classes a quarter of the images at most."""

_CLASSES = ("F", "K", "6", "9", "S", "H", "plus", "ring")
"""Two free glyphs, a pair of half-turns, two symmetric under half-turns, two under quarter-turns."""

_DISTRACTORS = ("L", "T", "7", "slash", "cross", "hook")
"""The glyphs at the border, none of them a class."""

_SMALL = 0.35
"""The size of a distractor; the glyphs of the classes have 0.6 to 0.8."""

_PLACES = ((0.0, 0.0), (-0.2, 0.0), (0.2, 0.0), (0.0, 0.2), (0.0, -0.2))
"""Where the glyph lies."""

_NEAR, _FAR = 0.25, 0.45
"""A distractor is moved from the middle by such shares of the side, along one axis at least by the first."""

_DRAWN = 0.15
"""A pixel of a distractor on a black ground is a part of it where a channel is brighter."""

_COUNT = 1
"""The distractors of an image."""

_NOISE = 0.1
"""The standard deviation of the pixel noise."""

_OCCLUSION = 0.2
"""The probability of the gray patch."""


def _untransformed(world: Glyphs, n: int, seed: int) -> Sample:
    """The first n images that a horizontal flip left alone."""
    drawn = world.sample(3 * n + 64, seed=seed)  # half of them are left alone
    return drawn.rows(np.flatnonzero(drawn["A"] == 0)[:n])


def _moved(images: Images, rng: np.random.Generator) -> Images:
    """Images moved off the middle, each by its own vector; what leaves one end comes in at the other."""
    side = images.shape[-1]
    near, far = max(1, round(_NEAR * side)), max(1, round(_FAR * side))
    steps = rng.integers(-far, far + 1, size=(len(images), 2))
    axis = rng.integers(2, size=len(images))
    away = rng.integers(near, far + 1, size=len(images)) * rng.choice([-1, 1], size=len(images))
    steps[np.arange(len(images)), axis] = away
    places = np.arange(side)
    down = (places[None, :] - steps[:, :1]) % side
    along = (places[None, :] - steps[:, 1:]) % side
    rows = np.arange(len(images))[:, None, None]
    moved = images.transpose(0, 2, 3, 1)[rows, down[:, :, None], along[:, None, :]]
    return np.asarray(moved.transpose(0, 3, 1, 2))


def cluttered_glyphs(
    n: int, *, seed: int, pixels: int = 16, classes: Sequence[str] = _CLASSES, noise: float = _NOISE
) -> ImageSet:
    """Upright glyphs among smaller ones, textured, partly hidden and noisy, with their class C.

    Args:
        n: The number of images.
        seed: Fixes the draw.
        pixels: The side, 16 to 64.
        classes: The glyphs of the classes, by name.
        noise: The standard deviation of the pixel noise; pixels are clipped to [0, 1].

    Raises:
        ValueError: If a number is out of range or a name unknown.

    Example:
        >>> images = cluttered_glyphs(6, seed=0)
        >>> images.shape, dict(images.states)
        ((3, 16, 16), {'C': 8})
    """
    whole = Glyphs(
        tuple(classes),
        transformation="horizontal-flip",
        size=pixels,
        channels=3,
        texture=[0.0, 0.6],
        scale=[0.6, 0.8],
        stroke=[0.2, 0.3],
        background=[0.0, 0.2],
        position=list(_PLACES),
        occlusion=_OCCLUSION,
    )
    small = Glyphs(
        _DISTRACTORS, transformation="horizontal-flip", size=pixels, channels=3, scale=_SMALL, stroke=0.2
    )
    drawn = _untransformed(whole, n, seed)
    rng = np.random.default_rng([seed, 0xC107])
    images = np.asarray(drawn["X"], dtype=np.float32)
    for number in range(_COUNT):
        beside = _moved(_untransformed(small, n, seed + 7919 * (number + 1))["X"], rng)
        images = np.where(beside.max(axis=1, keepdims=True) > _DRAWN, beside, images)
    images = images + noise * rng.standard_normal(images.shape, dtype=np.float32)
    return ImageSet.from_arrays(
        images.clip(0, 1).astype(np.float32), {"C": drawn["C"]}, states={"C": len(tuple(classes))}
    )
