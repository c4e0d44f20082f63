"""What an item or a batch of a data set holds: its images, and its labels by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from synthetic.images.arrays import label_of, pixels_of
from synthetic.images.reading.arrays import IMAGE_NAMES, LABEL_NAMES

__all__ = ["Names", "batched_labels", "item_labels", "single_image"]

Names = tuple[str, ...] | Mapping[str, str] | None
"""The columns that labels become: their names in order, or each with its key; None for C, and a key A."""

_IMAGES = (*IMAGE_NAMES, "pixel_values", "jpg", "png")
"""Keys that the images of an item go by, the most telling first."""

_GRAY_OR_RGB = ("L", "RGB")
"""Pillow's modes whose pixels are taken as they are."""

_DEEP = ("I", "F")
"""What the modes of more than a byte a pixel begin with."""


def item_labels(item: Any, names: Names, number: int, *, what: str = "item") -> tuple[Any, dict[str, Any]]:  # noqa: ANN401  (of any library)
    """The image or images of an item, and its labels by column.

    An item is an image, a tuple of an image and labels, a pair of an image and a mapping of labels, or a
    mapping. One label is the class C; of a mapping it is the one with a usual name, and that called A, the
    transformation.

    Args:
        item: An item of a dataset, or a batch of them.
        names: What its labels are.
        number: Its place, for errors.
        what: What to call it there.

    Raises:
        TypeError: If a mapping has no image.
        ValueError: If the labels are not those that are named.
    """
    if isinstance(item, Mapping):
        key = next((name for name in _IMAGES if name in item), None)
        if key is None:
            listed = ", ".join(map(str, item)) or "nothing"
            raise TypeError(
                f"{what} {number} must have its images under {', '.join(_IMAGES[:4])}, .., got {listed}"
            )
        return item[key], _keyed({k: v for k, v in item.items() if k != key}, names, number, what)
    if not isinstance(item, tuple | list):
        return item, _placed((), names, number, what)
    if what == "batch" and item and not hasattr(item[0], "__len__") and hasattr(item[0], "size"):
        return item, _placed((), names, number, what)  # a list of pictures
    if not item:
        raise ValueError(f"{what} {number} must hold an image, got nothing")
    image, *labels = item
    if len(labels) == 1 and isinstance(labels[0], Mapping):
        return image, _keyed(labels[0], names, number, what)
    return image, _placed(labels, names, number, what)


def _keyed(given: Mapping[Any, Any], names: Names, number: int, what: str) -> dict[str, Any]:
    """Labels that have keys."""
    if names is None:
        found = {name: given[name] for name in ("A",) if name in given}
        key = next((name for name in LABEL_NAMES if name in given), None)
        return found if key is None else {"C": given[key], **found}
    keys = dict(names) if isinstance(names, Mapping) else {name: name for name in names}
    if "C" in keys and keys["C"] not in given:
        keys["C"] = next((name for name in LABEL_NAMES if name in given), keys["C"])
    missing = [key for key in keys.values() if key not in given]
    if missing:
        listed = ", ".join(map(str, given)) or "nothing"
        raise ValueError(f"{what} {number} must have the label {missing[0]!r}, got {listed}")
    return {name: given[key] for name, key in keys.items()}


def _placed(given: Sequence[Any], names: Names, number: int, what: str) -> dict[str, Any]:
    """Labels that have places."""
    if names is None:
        if len(given) > 1:
            raise ValueError(
                f"{what} {number} has {len(given)} labels: name them in their order, as labels=('C', 'A')"
            )
        return dict(zip(("C",), given, strict=False))
    if isinstance(names, Mapping):
        raise ValueError(
            f"{what} {number} has no keys, so labels must be names in order, as {tuple(names)}, got {names}"
        )
    if names and len(given) != len(names):
        raise ValueError(
            f"{what} {number} must have the {len(names)} labels {', '.join(names)}, got {len(given)}"
        )
    return dict(zip(names, given, strict=False))


def batched_labels(name: str, column: Any, n: int) -> list[Any]:  # noqa: ANN401 - of any library
    """The labels of n images as plain values.

    Raises:
        TypeError: If a label is more than one value.
        ValueError: If there are not n.
    """
    if hasattr(column, "to_numpy"):
        column = column.to_numpy()
    if isinstance(column, torch.Tensor):
        column = column.detach().cpu().numpy()
    if isinstance(column, np.ndarray):
        if column.ndim == 2 and column.shape[1] > 1:
            raise TypeError(
                f"labels {name!r} must be one value an image, got shape {column.shape}: for one-hot labels "
                "give the place of the 1 (argmax)"
            )
        column = column.reshape(len(column)) if column.ndim == 2 else column
        if column.ndim != 1:
            raise TypeError(f"labels {name!r} must be one value an image, got shape {column.shape}")
        values: list[Any] = column.tolist()
    elif isinstance(column, list | tuple):
        values = [label_of(value, i) for i, value in enumerate(column)]
    else:
        raise TypeError(f"labels {name!r} must be one value an image, got {type(column).__name__}")
    if len(values) != n:
        raise ValueError(f"labels {name!r} must have one entry for each of the {n} images, got {len(values)}")
    return values


def single_image(image: Any, index: int) -> npt.NDArray[Any]:  # noqa: ANN401 - of any library
    """One image as an array of two or three dimensions; pictures of other modes become RGB.

    Raises:
        TypeError: If it is no image.
        ValueError: If it has pixels of more than a byte.
    """
    mode = getattr(image, "mode", None)
    if isinstance(mode, str) and hasattr(image, "convert"):
        if mode.startswith(_DEEP):
            raise ValueError(f"image {index} has pixels of more than 8 bits (mode {mode}): convert it before")
        if mode not in _GRAY_OR_RGB:
            image = image.convert("L" if mode in ("1", "LA") else "RGB")
    return pixels_of(image, index)
