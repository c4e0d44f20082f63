"""One function that reads images and labels, whatever they lie in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthetic.images.arrays import RealImages, from_arrays
from synthetic.images.reading.arrays import read_npz, read_safetensors
from synthetic.images.reading.decode import Told, decode
from synthetic.images.reading.folder import SUFFIXES, find_images, find_splits
from synthetic.images.reading.table import read_image_table

if TYPE_CHECKING:
    from synthetic.transformations import Transformation

__all__ = ["FORMATS", "LabelledImages", "read_images"]

FORMATS = (
    "a folder with a subfolder of image files for each class, an .npz or .safetensors file with images and "
    "labels, or a .parquet file with encoded images and labels"
)
"""What `read_images` takes, in words."""


@dataclass(frozen=True)
class LabelledImages:
    """Images and their classes.

    Args:
        images: Unsigned bytes, or floats in [0, 1], of shape (n, height, width), (n, channels, height, width)
            or (n, height, width, channels).
        labels: The class of each image, 0 .. k - 1, of shape (n,).
        names: The name of each class.
        source: Where they came from.
        notes: How they were understood.
        trained: How many of them, the first ones, are to train on, where they lie in a folder of splits; the
            others are to judge on. None where nothing was said.
    """

    images: npt.NDArray[Any] = field(repr=False)
    labels: npt.NDArray[np.int64] = field(repr=False)
    names: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = ()
    trained: int | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def counts(self) -> dict[str, int]:
        """The number of images of each class."""
        return dict(
            zip(self.names, np.bincount(self.labels, minlength=len(self.names)).tolist(), strict=True)
        )

    def split(self) -> tuple[LabelledImages, LabelledImages]:
        """The images to train on and those to judge on, as their folders say.

        Raises:
            ValueError: If they came without a split.
        """
        if self.trained is None:
            raise ValueError(
                f"{self.source!r} has no split into train and test: make one with ImageSet.split(0.6, seed=0)"
            )
        parts = (slice(None, self.trained), slice(self.trained, None))
        first, second = (
            replace(self, images=self.images[p], labels=self.labels[p], trained=None) for p in parts
        )
        return first, second

    def generator(
        self, transformation: str | Mapping[str, object] | Transformation = "rotation"
    ) -> RealImages:
        """The images behind the interface of the generators, with a transformation applied to them."""
        made = from_arrays(self.images, self.labels, transformation=transformation)
        return RealImages(made.images, self.labels, transformation=transformation, names=self.names)


def read_images(
    path: str | Path, *, size: int | tuple[int, int] | None = None, progress: Told | None = None
) -> LabelledImages:
    """Read images and their classes.

    Args:
        path: A folder with a subfolder of image files for each class, or of such folders called `train` and
            `test`, whose images come together and `LabelledImages.split` parts again; an .npz or .safetensors
            file with an array of images (bytes, or floats in [0, 1]) and one of labels, or two of each, such
            as x_train, y_train, x_test and y_test, which are a split too; or a Parquet file
            with a column of encoded images and one of labels, as the data sets of the Hugging Face hub have
            them.
        size: The side, or the (height, width), to resize encoded images to; None to keep their own.
        progress: Called with the images decoded and the images in all.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        ValueError: If it holds no images and labels, an image cannot be read, sizes differ and `size` is
            None, or a class is alone or empty.
    """
    place = Path(path)
    wanted = _size(size)
    if not place.exists():
        raise FileNotFoundError(f"there is no file or folder {str(path)!r}: expected {FORMATS}")
    if place.is_dir():
        splits = find_splits(place)
        found = find_images(place) if splits is None else splits[0]
        decoded = decode(found.files, size=wanted, progress=progress)
        labels = np.array(found.labels, dtype=np.int64)
        if splits is None:
            return LabelledImages(decoded.pixels, labels, found.names, str(path), decoded.notes)
        _, trained, left = splits
        note = f"{trained:,} images to train on and {len(labels) - trained:,} to test on, as the folders say"
        told = (note, *(f"the folder {name!r} is not read" for name in left), *decoded.notes)
        return LabelledImages(decoded.pixels, labels, found.names, str(path), told, trained)
    suffix = place.suffix.lower()
    if suffix == ".parquet":
        table = read_image_table(place)
        decoded = decode(table.images, size=wanted, progress=progress)
        note = f"images from column {table.columns[0]!r}, labels from {table.columns[1]!r}"
        numbers, names = _numbered(np.asarray(table.labels), str(path), table.names)
        return LabelledImages(decoded.pixels, numbers, names, str(path), (note, *decoded.notes))
    if suffix not in (".npz", ".safetensors"):
        hint = ": name the folder above its class folder" if suffix in SUFFIXES else ""
        raise ValueError(f"cannot read images from {str(path)!r}{hint}: expected {FORMATS}")
    if wanted is not None:
        raise ValueError(f"size resizes image files, and {str(path)!r} holds arrays: resize them before")
    arrays = read_npz(place) if suffix == ".npz" else read_safetensors(place)
    numbers, names = _numbered(arrays.labels, str(path), None)
    notes = [f"images from {arrays.columns[0]!r}, labels from {arrays.columns[1]!r}"]
    if arrays.trained is not None:
        tested = len(numbers) - arrays.trained
        notes.append(
            f"{tested:,} images to test on from {arrays.columns[2]!r}, labels from {arrays.columns[3]!r}"
        )
    notes += [f"the array {name!r} is not read" for name in arrays.left]
    return LabelledImages(arrays.images, numbers, names, str(path), tuple(notes), arrays.trained)


def _size(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = size if isinstance(size, tuple) else (size, size)
    if len(sides) != 2 or not all(type(side) is int and side >= 1 for side in sides):
        raise ValueError(f"size must be a positive side in pixels, or (height, width), got {size!r}")
    return sides[0], sides[1]


def _numbered(
    labels: npt.NDArray[Any], source: str, names: tuple[str, ...] | None
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """The classes numbered in sorted order, and their names.

    Raises:
        ValueError: If labels are neither integers nor text, or there is one class.
    """
    if labels.ndim != 1 or labels.dtype.kind not in "iuUST":
        raise ValueError(
            f"the labels of {source!r} must be integers or text, got {labels.dtype} of shape {labels.shape}"
        )
    states, numbers = np.unique(labels, return_inverse=True)
    if len(states) < 2:
        raise ValueError(f"{source!r} must have at least two classes, got {states.tolist()}")
    if names is not None and labels.dtype.kind in "iu" and states[0] >= 0 and states[-1] < len(names):
        shown = tuple(names[int(state)] for state in states)
    else:
        shown = tuple(str(state) for state in states.tolist())
    return numbers.reshape(-1).astype(np.int64), shown
