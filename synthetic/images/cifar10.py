"""CIFAR-10 from a local copy of its binary version, which is read as plain bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch

from synthetic.images.real import RealImageGenerator
from synthetic.transformations import Transformation, on_grid
from synthetic.transformations import transformation as resolve
from theory.checks import integer

__all__ = ["Cifar10", "CifarPart"]

CifarPart = Literal["train", "test"]
"""The 50,000 images to train on, or the 10,000 to judge on."""

FILES: dict[str, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    "test": ("test_batch.bin",),
}
"""The files of each split."""

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The names of the classes, by their number."""

_SHAPE = (3, 32, 32)
"""Channels, height and width of an image."""

_ROW = 1 + 3 * 32 * 32
"""The bytes of one row of a file: the label, then the pixels."""

_FOLDER = "cifar-10-batches-bin"
"""The folder that the archive makes."""

_ADVICE = "get the binary version (for C programs) from https://www.cs.toronto.edu/~kriz/cifar.html"
"""Where to get the files, for error messages."""


@dataclass(frozen=True)
class Cifar10(RealImageGenerator):
    """The photographs of CIFAR-10, 32 x 32 pixels in three colours and ten classes, transformed.

    Reads the binary version: files of rows of 3073 bytes, the label and then 1024 bytes each of red, green
    and blue. C is the class; style and pose are not known. The pixels are k / 255, rounded to multiples of
    2^-24. Images are read when they are first needed, and kept: 12 KiB each.

    Args:
        root: The folder `cifar-10-batches-bin`, or the one that it is in.
        split: Which images, `train` or `test`.
        transformation: A name in `TRANSFORMATIONS`, a mapping with its parameters, or a Transformation.
        size: Keep the first images only, which are in random order; None for all.

    Raises:
        FileNotFoundError: If the folder or one of the split's files is missing.
        ValueError: If the folder holds the Python version, a file is truncated, a label is not one of
            0 .. 9, there are fewer images than `size`, or the transformation cannot be applied.

    References:
        A. Krizhevsky (2009), Learning multiple layers of features from tiny images.
    """

    family: ClassVar[str] = "cifar10"
    root: str
    split: CifarPart = "train"
    transformation: str | Mapping[str, object] | Transformation = "rotation"
    size: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.root, (str, Path)):
            raise TypeError(f"root must be the path of a folder, got {self.root!r}")
        if self.split not in get_args(CifarPart):
            raise ValueError(f"split must be one of {', '.join(get_args(CifarPart))}, got {self.split!r}")
        object.__setattr__(self, "root", str(self.root))
        action = resolve(self.transformation)
        action.check(_SHAPE)
        object.__setattr__(self, "transformation", action)
        rows = sum(self._counts.values())
        if self.size is not None and integer("size", self.size, 1) > rows:
            raise ValueError(f"size must be at most {rows}, the images in {self.root}, got {self.size}")
        self.targets  # noqa: B018  (reads the labels, so that bad ones are refused now)

    @classmethod
    def specimen(cls) -> Cifar10:
        """A member with black images for the description of the family, which needs no files."""
        return _Blank(root="")

    @property
    def action(self) -> Transformation:
        """The transformation that A chooses from."""
        return resolve(self.transformation)

    @cached_property
    def _counts(self) -> dict[Path, int]:
        """The number of rows of each file of the split."""
        names = FILES[self.split]
        folder = _find(Path(self.root), names)
        result = {}
        for path in (folder / name for name in names):
            size = path.stat().st_size
            if not size or size % _ROW:
                raise ValueError(
                    f"{path} is truncated or no CIFAR-10 batch: expected a positive multiple of {_ROW} "
                    f"bytes, one row per image, got {size}"
                )
            result[path] = size // _ROW
        return result

    def _rows(self) -> list[npt.NDArray[np.uint8]]:
        """The chosen rows of each file, memory-mapped, of shape (n, 3073)."""
        left = sum(self._counts.values()) if self.size is None else self.size
        parts = []
        for path, count in self._counts.items():
            taken = min(count, left)
            if taken:
                parts.append(np.memmap(path, np.uint8, "r", shape=(count, _ROW))[:taken])
            left -= taken
        return parts

    @cached_property
    def raw(self) -> torch.Tensor:
        """The images, of shape (N, 3, 32, 32)."""
        values = on_grid(torch.arange(256, dtype=torch.float64) / 255).numpy()
        parts = self._rows()
        pixels = np.empty((sum(map(len, parts)), _ROW - 1), dtype=np.float32)
        start = 0
        for part in parts:
            for rows in np.array_split(part, -(-len(part) // 1024)):
                pixels[start : start + len(rows)] = values[rows[:, 1:]]
                start += len(rows)
        return torch.from_numpy(pixels.reshape(-1, *_SHAPE))

    @cached_property
    def targets(self) -> npt.NDArray[np.int64]:
        """The class of each image, of shape (N,)."""
        columns = []
        for path, part in zip(self._counts, self._rows(), strict=False):
            labels = part[:, 0].astype(np.int64)
            if labels.max() >= len(CLASSES):
                row = int((labels >= len(CLASSES)).argmax())
                raise ValueError(f"labels must be in 0..9, got {labels[row]} in row {row} of {path}")
            columns.append(labels)
        return np.concatenate(columns)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class."""
        return CLASSES

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name, as JSON can hold them."""
        return {"root": self.root, "split": self.split, **super().parameters, "size": self.size}

    def __getstate__(self) -> dict[str, Any]:
        """The parameters without the images, so that another process reads them for itself."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


class _Blank(Cifar10):
    """As many black images as the training split has, in no memory."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "transformation", resolve(self.transformation))

    @property
    def raw(self) -> torch.Tensor:
        return torch.zeros(1).expand(50_000, *_SHAPE)

    @property
    def targets(self) -> npt.NDArray[np.int64]:
        return np.arange(50_000) % len(CLASSES)


def is_cifar10(root: str | Path) -> bool:
    """Whether a folder, or `cifar-10-batches-bin` in it, holds a batch of the binary version."""
    names = [name for split in FILES.values() for name in split]
    return any((folder / name).is_file() for folder in places(root) for name in names)


def places(root: str | Path) -> tuple[Path, Path]:
    """Where the files may lie: in the folder that a user names, or in the one that the archive makes."""
    return Path(root), Path(root) / _FOLDER


def _find(root: Path, names: tuple[str, ...]) -> Path:
    """The folder that holds the files."""
    if not root.is_dir():
        raise FileNotFoundError(f"root must be a folder with CIFAR-10, got {str(root)!r}, which is none")
    for folder in places(root):
        if all((folder / name).is_file() for name in names):
            return folder
    for folder in (root, root / "cifar-10-batches-py"):
        if (folder / names[0].removesuffix(".bin")).is_file():
            raise ValueError(
                f"{folder} holds the Python version of CIFAR-10, which is pickled and could run code when "
                f"read, so it never is: {_ADVICE}"
            )
    near = next((folder for folder in reversed(places(root)) if folder.is_dir()), root)
    missing = [name for name in names if not (near / name).is_file()]
    raise FileNotFoundError(
        f"no {', '.join(missing)} in {near}: looked for {names[0]}"
        + (f" .. {names[-1]}" if len(names) > 1 else "")
        + f" there and in {_FOLDER}; {_ADVICE}"
    )
