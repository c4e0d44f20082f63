"""A folder of class subfolders of image files, as torchvision's ImageFolder reads it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from synthetic.images.reading.decode import Encoded

__all__ = ["SUFFIXES", "find_images", "find_splits"]

SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""The endings that ImageFolder takes for images, in upper or lower case."""

_SPLITS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation", "dev"})
"""Names of subfolders that are splits of a data set, and so no classes."""

_TRAIN = ("train", "training")
"""Names of a split to train on."""

_TEST = ("test", "testing", "val", "valid", "validation", "dev")
"""Names of a split to judge on, the most telling first."""


@dataclass(frozen=True)
class ImageFiles:
    """The image files of a folder.

    Args:
        files: The files, class by class in sorted order.
        labels: The class of each, a number.
        names: The names of the classes, those of the subfolders in sorted order.
    """

    files: tuple[Encoded, ...]
    labels: tuple[int, ...]
    names: tuple[str, ...]


def find_images(folder: Path) -> ImageFiles:
    """The image files below each class subfolder, at any depth.

    Raises:
        ValueError: If there is no subfolder, only one, one without images, or the subfolders are splits.
    """
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != ".")
    if not classes:
        raise ValueError(f"{str(folder)!r} must have a subfolder of image files for each class, got none")
    splits = [name for name in classes if name.lower() in _SPLITS]
    if len(splits) == len(classes) and all(_has_subfolders(folder / name) for name in splits):
        raise ValueError(
            f"the subfolders of {str(folder)!r} are splits and not classes ({', '.join(classes)}): "
            f"name one of them, such as {str(folder / classes[-1])!r}"
        )
    if len(classes) == 1:
        raise ValueError(f"{str(folder)!r} must have at least two classes, got {classes[0]!r} alone")
    files: list[Encoded] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = _images_below(folder / name)
        if not found:
            raise ValueError(
                f"the class {name!r} of {str(folder)!r} has no image file: expected {', '.join(SUFFIXES)}"
            )
        files += [Encoded(str(path), path) for path in found]
        labels += [label] * len(found)
    return ImageFiles(tuple(files), tuple(labels), tuple(classes))


def find_splits(folder: Path) -> tuple[ImageFiles, int, tuple[str, ...]] | None:
    """The image files of a folder of splits, those to test on last.

    The split to test on is `test` or `testing`, or where there is none one for validation; the one to train
    on is `train` or `training`.

    Returns:
        The files of both, how many are to train on, and the names of the splits that are left out; None
        where the folder has not both.

    Raises:
        ValueError: If the two have not the same classes, or see `find_images`.
    """
    found = {entry.name.lower(): entry for entry in folder.iterdir() if entry.is_dir()}
    train = next((found[name] for name in _TRAIN if name in found), None)
    test = next((found[name] for name in _TEST if name in found), None)
    splits = sorted(name for name in found if name[0] != ".")
    if train is None or test is None or not set(splits) <= _SPLITS or not _has_subfolders(train):
        return None
    first, second = find_images(train), find_images(test)
    if first.names != second.names:
        odd = sorted(set(first.names) ^ set(second.names))
        raise ValueError(
            f"{train.name} and {test.name} of {str(folder)!r} must have the same classes, and {odd[0]!r} is "
            "in one of them alone"
        )
    joined = ImageFiles(first.files + second.files, first.labels + second.labels, first.names)
    return (
        joined,
        len(first.files),
        tuple(n for n in splits if n not in (train.name.lower(), test.name.lower())),
    )


def _images_below(folder: Path) -> list[Path]:
    """The image files at any depth; links are followed, but into each folder once: they may form circles."""
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for root, below, names in os.walk(folder, followlinks=True):
        place = os.stat(root)
        if (place.st_dev, place.st_ino) in seen:
            below.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        below.sort()
        chosen = [Path(root) / name for name in names if name.lower().endswith(SUFFIXES) and name[0] != "."]
        found += [path for path in chosen if path.is_file()]  # a pipe would be waited for
    return sorted(found)


def _has_subfolders(folder: Path) -> bool:
    return any(entry.is_dir() for entry in list(folder.iterdir()))
