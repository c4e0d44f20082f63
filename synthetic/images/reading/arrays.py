"""Files that hold images and labels as arrays: .npz and .safetensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic.storage.files import read_tensors
from synthetic.storage.npz import NpzFile

__all__ = ["IMAGE_NAMES", "LABEL_NAMES", "SPLITS", "read_npz", "read_safetensors"]

IMAGE_NAMES = ("images", "image", "img", "X", "x", "data", "pixels")
"""Names that a column of images goes by, the most telling first."""

LABEL_NAMES = ("C", "labels", "label", "class", "classes", "y", "target", "targets", "fine_label")
"""Names that a column of labels goes by, the most telling first."""

SPLITS = ("{}_train", "{}_test"), ("train_{}", "test_{}")
"""How the names of images and labels to train and to test on are made: Keras, scikit-learn, MedMNIST."""

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each array of a file, from its header."""


@dataclass(frozen=True)
class ImageArrays:
    """Images and labels as they lie in a file.

    Args:
        images: Shape (n, height, width), (n, channels, height, width) or (n, height, width, channels).
        labels: Shape (n,), integers or strings.
        columns: The names of the two in the file, and of the two to test on where it has them.
        trained: The number of images to train on, which come first; None without a split.
        left: The names of arrays that were not read.
    """

    images: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    columns: tuple[str, ...]
    trained: int | None
    left: tuple[str, ...]


def choose(path: Path, shapes: Shapes) -> tuple[str, str]:
    """Which array holds the images and which the labels.

    Raises:
        ValueError: If there is none of a kind, or several that could be meant.
    """
    pictures = [name for name, shape in shapes.items() if len(shape) in (3, 4)]
    images = _meant(pictures, IMAGE_NAMES)
    if images is None:
        listed = ", ".join(f"{name} of shape {shape}" for name, shape in shapes.items()) or "nothing"
        raise ValueError(
            f"{str(path)!r} must hold one array of images of 3 or 4 dimensions, or one named "
            f"{', '.join(IMAGE_NAMES[:4])}, .., got {listed}"
        )
    n = shapes[images][0]
    rows = [name for name, shape in shapes.items() if shape in ((n,), (n, 1))]
    labels = _meant(rows, LABEL_NAMES)
    if labels is None:
        raise ValueError(
            f"{str(path)!r} must hold the labels of its {n:,} images, shape ({n},), under one of the names "
            f"{', '.join(LABEL_NAMES[:6])}, .., got {', '.join(rows) or 'none of that shape'}"
        )
    return images, labels


def _meant(candidates: Sequence[str], names: Sequence[str]) -> str | None:
    """The only candidate, or the first that has a known name, of those to train on too."""
    if len(candidates) == 1:
        return candidates[0]
    known = (*names, *(train.format(name) for train, _ in SPLITS for name in names))
    return next((name for name in known if name in candidates), None)


def read_npz(path: Path) -> ImageArrays:
    """Read the images and labels of an .npz file; the others are not touched, and no object is unpickled.

    Raises:
        ValueError: If the file is damaged, an array is too large or of objects, or see `choose`.
    """
    opened = NpzFile(path)
    shapes = {name: opened.shape(name) for name in opened.names}
    return _chosen(path, shapes, opened.read)


def read_safetensors(path: Path) -> ImageArrays:
    """Read the images and labels of a .safetensors file.

    Raises:
        ValueError: If the file is damaged, or see `choose`.
    """
    tensors, _ = read_tensors(path)
    return _chosen(path, tensors.shapes(), tensors.__getitem__)


def _chosen(path: Path, shapes: Shapes, read: Callable[[str], npt.NDArray[Any]]) -> ImageArrays:
    """Read the arrays of a split where there is one, else one array of images and one of labels.

    Raises:
        ValueError: If the images to train and to test on differ in shape or kind, or see `choose`.
    """
    split = _split(shapes)
    if split is None:
        columns = choose(path, shapes)
        left = tuple(name for name in shapes if name not in columns)
        return ImageArrays(read(columns[0]), _flat(path, columns, shapes, read), columns, None, left)
    first, second = (read(name) for name in split[::2])
    if first.shape[1:] != second.shape[1:] or first.dtype != second.dtype:
        raise ValueError(
            f"{str(path)!r} must hold images to train and to test on of one shape and kind, got "
            f"{split[0]!r} of {first.dtype} {first.shape} and {split[2]!r} of {second.dtype} {second.shape}"
        )
    labels = [_flat(path, pair, shapes, read) for pair in (split[:2], split[2:])]
    left = tuple(name for name in shapes if name not in split)
    return ImageArrays(np.concatenate([first, second]), np.concatenate(labels), split, len(first), left)


def _split(shapes: Shapes) -> tuple[str, str, str, str] | None:
    """Images and labels to train on, and those to test on; None where a file has no such names."""
    for train, test in SPLITS:
        images = [n for n in IMAGE_NAMES if train.format(n) in shapes and test.format(n) in shapes]
        labels = [n for n in LABEL_NAMES if train.format(n) in shapes and test.format(n) in shapes]
        if images and labels:
            x, y = images[0], labels[0]
            return train.format(x), train.format(y), test.format(x), test.format(y)
    return None


def _flat(
    path: Path, columns: tuple[str, ...], shapes: Shapes, read: Callable[[str], npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    """The labels of some images, of shape (n,), also where they lie in one column.

    Raises:
        ValueError: If they are not as many as the images.
    """
    images, labels = columns
    n = shapes[images][0] if shapes[images] else 0
    if shapes[labels] not in ((n,), (n, 1)):
        raise ValueError(
            f"{labels!r} of {str(path)!r} must hold the labels of the {n:,} images of {images!r}, of shape "
            f"({n},), got {shapes[labels]}"
        )
    return read(labels).reshape(n)
