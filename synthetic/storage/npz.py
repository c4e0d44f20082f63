"""npz files: what each array is, from its header, before any of it is unpacked."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic.storage.files import DamagedFileError, reading
from synthetic.storage.memory import require_room

__all__ = ["NpzFile"]

_SUFFIX = ".npy"
"""How the name of an array ends in the archive."""


@dataclass(frozen=True)
class _Header:
    """What the header of an array says.

    Args:
        shape: Its shape.
        dtype: Its type.
        bytes: Its size in memory.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bytes: int


class NpzFile:
    """The arrays of an npz file, each read when it is asked for; no object is ever unpickled.

    The file stays open, as its table of contents is read once.

    Args:
        path: The file.

    Attributes:
        names: The arrays, in their order; other members of the archive are left out.

    Raises:
        DamagedFileError: If it is no zip archive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(f"{path} is damaged or not an npz file"):
            self._archive = zipfile.ZipFile(path)
            members = [name for name in self._archive.namelist() if name.endswith(_SUFFIX)]
        self.names = tuple(name.removesuffix(_SUFFIX) for name in members)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array, from its header.

        Raises:
            DamagedFileError: If the header cannot be read or does not agree with the size of the array.
        """
        with reading(self._damaged(name)):
            return self._header(name).shape

    def read(self, name: str) -> npt.NDArray[Any]:
        """One array.

        Raises:
            TooLargeError: If it would not fit, or is a thousand times larger than the file.
            DamagedFileError: If it is damaged, encrypted or holds Python objects.
        """
        with reading(self._damaged(name)):
            header = self._header(name)
            if header.dtype.hasobject:
                raise DamagedFileError(
                    f"{self.path}: the array {name!r} holds Python objects, which are never read"
                )
            require_room(f"the array {name!r} of {self.path}", header.bytes, stored=self.path.stat().st_size)
            with self._archive.open(name + _SUFFIX) as opened:
                found: npt.NDArray[Any] = np.lib.format.read_array(opened, allow_pickle=False)
                return found

    def _damaged(self, name: str) -> str:
        return f"{self.path} is damaged: the array {name!r} cannot be read"

    def _header(self, name: str) -> _Header:
        member = self._archive.getinfo(name + _SUFFIX)
        with self._archive.open(member) as opened:
            version = np.lib.format.read_magic(opened)
            first = version == (1, 0)
            read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(opened)
            size = dtype.itemsize * math.prod(shape)
            content = member.file_size - opened.tell()
        if not dtype.hasobject and size != content:
            raise DamagedFileError(
                f"{self.path} is damaged: the array {name!r} of shape {shape} and {dtype} takes {size:,} "
                f"bytes and has {content:,}"
            )
        return _Header(tuple(map(int, shape)), dtype, size)
