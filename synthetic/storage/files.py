"""safetensors files: written atomically, read memory-mapped, checked before anything is believed.

The layout is eight bytes with the length of a JSON header, the header (for each tensor its type, shape
and place), and the numbers. The library checks the header; numpy then looks at the numbers in place, so
that a column costs memory only where it is touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from synthetic.storage.memory import require_room
from synthetic.variables import Variable, VariableKind
from theory.errors import TooLargeError, one_line, shown

__all__ = [
    "DamagedFileError",
    "read_tensors",
    "reading",
    "sha256_of",
    "variable_from_dict",
    "variable_to_dict",
    "write_atomically",
    "write_tensors",
]

_TYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
"""The types of safetensors that numpy holds."""

_WIDENED = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}
"""The types that torch holds, by its names, and float32 exactly."""

_NAMES = {np.dtype(dtype): name for name, dtype in _TYPES.items()}
"""The format's names of the types of numpy."""


class DamagedFileError(ValueError):
    """A file that is truncated, damaged, or not what it should be; the message names it."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """The one gate for files of others: whatever a library finds wrong with one is one error of one line.

    Libraries raise an open set of errors for damaged input (zlib, zip, Arrow and Pillow alone some thirty
    kinds). What runs inside are their calls and nothing else.

    Args:
        what: What is wrong where one fails, such as "a.npz is damaged".

    Raises:
        DamagedFileError: In place of any error but a missing file, a lack of permission and our own.
        TooLargeError: In place of a MemoryError.
    """
    try:
        yield
    except (DamagedFileError, TooLargeError, FileNotFoundError, PermissionError):
        raise
    except MemoryError as error:
        raise TooLargeError(f"{what}, or does not fit into memory: {one_line(error)}") from None
    except Exception as error:
        raise DamagedFileError(f"{what}: {one_line(error)}") from None


def write_atomically(path: Path, *pieces: bytes | memoryview) -> str:
    """Write a file so that it is there whole or not at all, and return its SHA-256."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    digest = hashlib.sha256()
    try:
        with temporary.open("wb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def write_tensors(path: Path, columns: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]) -> str:
    """Write a safetensors file atomically and return its SHA-256; the same input gives the same bytes.

    The library's own writer puts the metadata in an order that changes from call to call, and copies the
    numbers twice.

    Raises:
        TypeError: If a column has a type that safetensors does not hold.
    """
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    pieces: list[memoryview] = []
    offset = 0
    for name, column in sorted(columns.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])):
        if column.dtype not in _NAMES:
            raise TypeError(f"column {name!r} of {column.dtype} cannot be stored in safetensors")
        plain = np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<"))
        end = offset + plain.nbytes
        header[name] = {
            "dtype": _NAMES[column.dtype],
            "shape": list(column.shape),
            "data_offsets": [offset, end],
        }
        if plain.nbytes:
            pieces.append(plain.reshape(-1).data.cast("B"))
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return write_atomically(path, len(text).to_bytes(8, "little") + text, *pieces)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_tensors(path: Path) -> tuple[TensorFile, dict[str, str]]:
    """The tensors of a safetensors file as read-only views of the mapped file, and its metadata.

    The library checks the header: every tensor lies within the file, in order, without a gap. Types that
    numpy lacks and float32 holds exactly, bfloat16 and float8, are widened when they are asked for.

    Raises:
        FileNotFoundError: If there is no such file.
        DamagedFileError: If the file is truncated or not a safetensors file; when a tensor is asked for, if
            neither numpy nor float32 can hold it.
    """
    from safetensors import safe_open

    with reading(f"{path} is truncated, damaged or not a safetensors file"):
        with safe_open(path, "numpy") as opened:
            metadata = dict(opened.metadata() or {})
            names = list(opened.offset_keys())
        mapped = np.asarray(np.memmap(path, np.uint8, "r"))
        start = 8 + int.from_bytes(mapped[:8].tobytes(), "little")
        header = json.loads(mapped[8:start].tobytes())
        return TensorFile(path, mapped[start:], {name: header[name] for name in names}), metadata


class TensorFile(Mapping[str, npt.NDArray[Any]]):
    """The tensors of a mapped file, each looked at when it is asked for."""

    def __init__(self, path: Path, mapped: npt.NDArray[np.uint8], entries: Mapping[str, Any]) -> None:
        self._path, self._mapped, self._entries = path, mapped, entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each."""
        return {name: tuple(entry["shape"]) for name, entry in self._entries.items()}

    def rows(self) -> dict[str, int | None]:
        """The number of rows of each, None for a single value."""
        return {name: next(iter(entry["shape"]), None) for name, entry in self._entries.items()}

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        entry = self._entries[name]
        kind, shape, (low, high) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        content = self._mapped[low:high]
        with reading(f"{self._path} is damaged: {name!r} of shape {shape}"):
            if kind in _TYPES:
                return content.view(_TYPES[kind]).reshape(shape)
            if kind in _WIDENED:
                require_room(f"{name!r} of {self._path}", 4 * len(content), stored=len(content))
                return _widened(content, kind).reshape(shape)
        raise DamagedFileError(
            f"{self._path} holds {name!r} as {kind}, which is not read: expected "
            f"{', '.join((*_TYPES, *_WIDENED))}"
        )


def _widened(content: npt.NDArray[np.uint8], kind: str) -> npt.NDArray[np.float32]:
    import torch

    narrow = torch.from_numpy(np.array(content)).view(getattr(torch, _WIDENED[kind]))
    return np.asarray(narrow.float().numpy())


def variable_to_dict(variable: Variable) -> dict[str, Any]:
    """A variable as JSON holds it."""
    return {
        "name": variable.name,
        "kind": variable.kind,
        "cardinality": variable.cardinality,
        "role": variable.role,
    }


def variable_from_dict(entry: Any) -> Variable:  # noqa: ANN401  (what JSON has)
    """The variable that `variable_to_dict` wrote.

    Raises:
        ValueError: If it is something else.
    """
    wanted = {"name": (str,), "kind": (str,), "cardinality": (int, type(None)), "role": (str,)}
    fits = isinstance(entry, dict) and all(type(entry.get(key)) in kinds for key, kinds in wanted.items())
    if not fits or entry["kind"] not in get_args(VariableKind):
        raise ValueError(f"a variable needs name, kind, cardinality and role, got {shown(entry)}")
    return Variable(entry["name"], entry["kind"], entry["cardinality"], entry["role"])
