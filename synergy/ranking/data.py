"""The images of a ranking: which are trained on, and which are judged."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset

from synergy.learning import ImageSet
from synergy.ranking.settings import RankSettings
from synthetic import LabelledImages, from_arrays
from synthetic.columns import as_array
from synthetic.images.arrays import ChannelOrder
from synthetic.images.real import RealImageGenerator

__all__ = ["UNKNOWN", "Rankable", "RankedImages", "ranked_images"]

UNKNOWN = -1
"""The label of an image whose class is not known."""

UNKNOWN_NAMES = ("-1", "unlabeled", "unlabelled")
"""Names of a class of files that stand for images of no known class, as in STL-10, in small letters."""

_ANY_SHAPE = "horizontal-flip"
"""A transformation of images of any shape: which ones are ranked is settled later."""

Rankable = npt.ArrayLike | torch.Tensor | ImageSet | LabelledImages | RealImageGenerator
"""Images that can be ranked; all but arrays and tensors have their labels."""

_FEWEST = 20
"""Labelled images that are judged, at least: fewer cannot be cross-validated."""


@dataclass(frozen=True)
class RankedImages:
    """Images with their classes, and their parts.

    Args:
        pixels: Floats in [0, 1], shape (n, channels, height, width).
        labels: The class of each, -1 where it is not known, shape (n,).
        names: The name of each class.
        trained: The rows that are pretrained on, labelled or not.
        judged: The rows that are judged, all labelled.
        notes: How the images were understood.
    """

    pixels: npt.NDArray[np.float32] = field(repr=False)
    labels: npt.NDArray[np.int64] = field(repr=False)
    names: tuple[str, ...]
    trained: npt.NDArray[np.int64] = field(repr=False)
    judged: npt.NDArray[np.int64] = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        _, channels, height, width = self.pixels.shape
        return channels, height, width

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that differ from those of other images, labels or parts."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        for column in (self.pixels, self.labels, self.trained, self.judged):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()[:16]

    @property
    def labelled(self) -> npt.NDArray[np.int64]:
        """The labelled rows among those that are pretrained on."""
        return np.asarray(self.trained[self.labels[self.trained] != UNKNOWN], dtype=np.int64)

    def rows(self, index: npt.NDArray[np.int64]) -> ImageSet:
        """Some rows to train on; a label that is not known is 0, and must not be used."""
        labels = torch.from_numpy(np.maximum(self.labels[index], 0))
        return ImageSet(torch.from_numpy(self.pixels[index]), {"C": labels}, {"C": len(self.names)})

    def drawn(self, limit: int, *, seed: int, labelled: bool = False) -> npt.NDArray[np.int64]:
        """The rows that a pilot of this seed is trained on: at most `limit`."""
        pool = self.labelled if labelled else self.trained
        if len(pool) <= limit:
            return pool
        chosen = np.random.default_rng([seed, 0x9A1]).choice(pool, limit, replace=False)
        return np.asarray(np.sort(chosen), dtype=np.int64)


def ranked_images(
    images: Rankable,
    labels: npt.ArrayLike | Sequence[str] | None,
    settings: RankSettings,
    *,
    seed: int,
    channels: ChannelOrder = "auto",
) -> RankedImages:
    """Read images and labels, and set aside those that are judged.

    Where files say which images are to test on, those are judged, and none of them is trained on.

    Args:
        images: An array as `synthetic.from_arrays` takes it, or images with their labels.
        labels: The class of each, integers or strings; -1 where it is not known. None where `images` has
            them.
        settings: How many are judged.
        seed: Fixes which.
        channels: Where the channel axis is, as in `from_arrays`.

    Raises:
        TypeError: If labels are missing, or given twice, or are no integers or strings.
        ValueError: If shapes do not fit, there are fewer than two classes, or too few labelled images.
    """
    pixels, classes, names, notes = _read(images, labels, channels)
    known = np.flatnonzero(classes != UNKNOWN)
    split = images.trained if isinstance(images, LabelledImages) else None
    if split is None:
        wanted = min(settings.judged, round(settings.judged_share * len(classes)), len(known))
        others = len(classes) - wanted
    else:
        known = known[known >= split]
        wanted, others = min(settings.judged, len(known)), split
    if wanted < _FEWEST or others < _FEWEST:
        parted = "" if split is None else f", {split} to train on and {len(classes) - split} to test on"
        raise ValueError(
            f"rank needs at least {_FEWEST} labelled images to judge on and as many others to train on: got "
            f"{len(classes)} images{parted}, {len(known)} of them labelled"
            f"{'' if split is None else ' among those to test on'}"
        )
    order = np.random.default_rng([seed, 0x1D6]).permutation(known)
    judged = np.sort(order[:wanted])
    if len(np.unique(classes[judged])) < 2:
        raise ValueError(f"the {wanted} judged images must show at least two classes: give more labels")
    if int(np.bincount(classes[judged]).max()) < 2:
        raise ValueError(
            f"each of the {wanted} judged images is the only one of its class: give more of some"
        )
    if wanted < 2 * settings.folds:
        raise ValueError(
            f"settings.folds must be at most half of the {wanted} judged images, got {settings.folds}"
        )
    trained = np.setdiff1d(np.arange(len(classes)), judged) if split is None else np.arange(split)
    return RankedImages(
        pixels, classes, names, trained, judged, (*notes, *_repeated(pixels, trained, judged))
    )


def _repeated(
    pixels: npt.NDArray[np.float32], trained: npt.NDArray[np.int64], judged: npt.NDArray[np.int64]
) -> list[str]:
    """Notes on judged images that were seen: trained on, or judged by a probe that was fitted on them."""
    digests = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in pixels]
    shown, seen = Counter(digests[row] for row in judged), {digests[row] for row in trained}
    trained_on = sum(count for digest, count in shown.items() if digest in seen)
    more = sum(count for count in shown.values() if count > 1)
    notes = []
    if trained_on:
        notes.append(
            f"{trained_on:,} of the {len(judged):,} judged images are among those to train on too, pixel by "
            "pixel: leave out copies, or the gains count what was seen"
        )
    if more:
        notes.append(
            f"{more:,} of the {len(judged):,} judged images are copies of others of them, pixel by pixel: a "
            "probe is judged on images that it was fitted on, and intervals are narrower than they should be"
        )
    return notes


@dataclass(frozen=True)
class _Given:
    """Images as `from_arrays` takes them, their labels, and the names of these where they have some."""

    images: Any
    labels: npt.ArrayLike | Sequence[str] | None
    channels: ChannelOrder
    named: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def _given(images: Rankable, labels: npt.ArrayLike | Sequence[str] | None, channels: ChannelOrder) -> _Given:
    """Images of any kind as an array, with their labels.

    Raises:
        TypeError: If they are something else, or labels are missing or given twice.
        ValueError: If the labels have another name, or the images of a list several shapes.
    """
    if isinstance(images, ImageSet | LabelledImages | RealImageGenerator):
        if labels is not None:
            raise TypeError("labels must be None where the images come with their own")
        return _labelled(images, channels)
    wanted = "images must be an array or images with labels, got"
    if isinstance(images, Dataset | DataLoader):
        raise TypeError(f"{wanted} {type(images).__name__}: read a dataset with ImageSet.from_dataset(..)")
    if isinstance(images, str | Path):
        raise TypeError(f"{wanted} {str(images)!r}: read a file or folder with synthetic.read_images(..)")
    if not hasattr(images, "__array__") and not isinstance(images, list | tuple):
        raise TypeError(f"{wanted} {type(images).__name__}")
    if labels is None:
        raise TypeError("labels must be the class of each image, got None")
    _check_alike(images)
    return _Given(images, labels, channels)


def _labelled(images: ImageSet | LabelledImages | RealImageGenerator, channels: ChannelOrder) -> _Given:
    if isinstance(images, ImageSet):
        if "C" not in images.labels:
            raise ValueError(f"images must have the label 'C', got {sorted(images.labels)}")
        return _Given(images.images, images.labels["C"].numpy(), "first")
    if isinstance(images, LabelledImages):
        return _Given(images.images, images.labels, channels, images.names, images.notes)
    return _Given(images.raw, np.asarray(images.targets), "first", tuple(map(str, images.class_names)))


def _read(
    images: Rankable,
    labels: npt.ArrayLike | Sequence[str] | None,
    channels: ChannelOrder,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], tuple[str, ...], tuple[str, ...]]:
    """Pixels, the class of each image, the names of the classes, and notes."""
    given = _given(images, labels, channels)
    named = given.named
    numbers = _labels(given.labels)
    texts = np.array([str(value) for value in numbers.tolist()] if named is None else named, dtype=str)
    marked = np.array(texts if named is None else texts[numbers])
    unknown = np.isin(np.char.lower(marked), UNKNOWN_NAMES)
    if unknown.all():
        raise ValueError("labels must name at least two classes, got images of no known class alone")
    try:
        world = from_arrays(
            given.images,
            numbers if named is None else marked,
            transformation=_ANY_SHAPE,
            channels=given.channels,
        )
    except ValueError as error:
        if isinstance(images, LabelledImages):
            raise ValueError(f"{images.source}: {error}") from error
        raise
    names = [name for name in world.class_names if name.lower() not in UNKNOWN_NAMES]
    if len(names) < 2:
        raise ValueError(f"labels must name at least two classes, got {', '.join(names)}")
    place = {name: number for number, name in enumerate(names)}
    classes = np.array([place.get(name, UNKNOWN) for name in marked.tolist()], dtype=np.int64)
    notes = (*given.notes, *_wrapped(numbers))
    if unknown.any():
        notes = (*notes, f"{int(unknown.sum())} of {len(classes)} images have no known class")
    return np.asarray(world.raw.numpy(), dtype=np.float32), classes, tuple(names), notes


def _wrapped(labels: npt.NDArray[Any]) -> list[str]:
    """A note on the label that -1 becomes among unsigned integers, where it stands apart from the others."""
    if labels.dtype.kind != "u" or labels.max() != (largest := np.iinfo(labels.dtype).max):
        return []
    if np.any(labels == largest - 1):
        return []
    return [
        f"{np.sum(labels == largest):,} images have the label {largest}, which is a class: if it was -1, "
        f"for no known class, give signed integers, as {labels.dtype} holds none below 0"
    ]


def _check_alike(images: object) -> None:
    """Refuse a list of images of several shapes, of which numpy says no more than that there are such."""
    if isinstance(images, list | tuple) and len(images):
        try:
            shapes = [tuple(np.shape(image)) for image in images]
        except ValueError as error:
            raise ValueError(f"images must be an array, or a list of arrays of one shape: {error}") from error
        other = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
        if other is not None:
            raise ValueError(
                f"images must have one shape, got {shapes[0]} for image 0 and {shapes[other]} for image "
                f"{other}"
            )


def _labels(labels: npt.ArrayLike | Sequence[str] | None) -> npt.NDArray[Any]:
    shape = tuple(getattr(labels, "shape", (1,)))
    if len(shape) != 1:
        raise ValueError(f"labels must have shape (n,), one class for each image, got {shape}")
    try:
        numbers = as_array("labels", labels)
    except ValueError as error:
        raise ValueError(f"{error}; an image of no known class has the label -1") from error
    if numbers.ndim != 1 or not len(numbers):
        raise ValueError(f"labels must have shape (n,) with n > 0, got {numbers.shape}")
    if numbers.dtype.kind not in "iubUSO":
        raise TypeError(
            f"labels must be integers or strings, -1 where the class is not known, got {numbers.dtype}"
        )
    return numbers
