"""Parquet tables: one column at a time, after its size in memory has been found from what the file declares.

A page may repeat one value a billion times in a few bytes, and a dictionary one long text. The number of
rows is in the footer, so that numbers are sized by it; texts and lists are added up in batches, texts while
they are still numbers in the dictionary. (What the footer says of the chunks of a column is not asked: Arrow
ends the process where that is damaged.)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthetic.storage.files import reading
from synthetic.storage.memory import require_room

__all__ = ["Parquet"]

_TEXT = "BYTE_ARRAY"
"""The physical type of texts and bytes."""

_OFFSET = 8
"""The bytes by which the place of a text is told, besides its content."""

_BATCHES = (1, 32, 1024)
"""Rows that are added up at once: a few first, in case each is large."""


class Parquet:
    """A Parquet file, its columns read when they are asked for.

    Args:
        path: The file.

    Raises:
        DamagedFileError: If it is damaged or no Parquet file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(f"{path} is damaged or not a Parquet file"):
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
            self.schema: pa.Schema = self._file.schema_arrow
            self.rows = int(self._file.metadata.num_rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in their order."""
        return tuple(self.schema.names)

    @property
    def metadata(self) -> Mapping[bytes, bytes]:
        """The key-value metadata."""
        return self.schema.metadata or {}

    def read(self, name: str) -> pa.ChunkedArray:
        """One column.

        Raises:
            TooLargeError: If it would not fit, or is a thousand times larger than the file.
            DamagedFileError: If it is damaged.
        """
        with reading(f"{self.path} is damaged: column {name!r} cannot be read"):
            kind = self.schema.field(name).type
            if _is_plain(kind):
                require_room(self._what(name), self.rows * (_width(kind) or 1), stored=self._stored)
            else:
                self._require_room_for_parts(name)
            return self._file.read(columns=[name]).column(name)

    def _what(self, name: str) -> str:
        return f"column {name!r} of {self.path}"

    @cached_property
    def _stored(self) -> int:
        return self.path.stat().st_size

    @cached_property
    def _leaves(self) -> dict[str, range]:
        """The numbers of the physical columns of each column."""
        found, start = {}, 0
        for field in self.schema:
            found[field.name] = range(start, start := start + _leaf_count(field.type))
        return found

    def _require_room_for_parts(self, name: str) -> None:
        """Add up texts and lists in batches, without unpacking dictionaries, until there are too many."""
        columns = [self._file.schema.column(leaf) for leaf in self._leaves[name]]
        texts = [column.path for column in columns if column.physical_type == _TEXT]
        opened = pq.ParquetFile(self.path, read_dictionary=texts)
        total = 0
        for size in _BATCHES:
            for batch in opened.iter_batches(batch_size=size, columns=[name]):
                total += sum(map(_unpacked, batch.columns))
                require_room(self._what(name), total, stored=self._stored)
                if size < _BATCHES[-1]:
                    break  # the first rows alone, so that not too many rows of many entries come at once
            else:
                return


def _leaf_count(kind: pa.DataType) -> int:
    """The physical columns of a type."""
    if isinstance(kind, pa.BaseExtensionType):
        return _leaf_count(kind.storage_type)
    if pa.types.is_nested(kind):
        return sum(_leaf_count(kind.field(i).type) for i in range(kind.num_fields))
    return 1


def _is_plain(kind: pa.DataType) -> bool:
    """Whether a value has one size, which the type says."""
    return _width(kind) is not None or pa.types.is_boolean(kind) or pa.types.is_null(kind)


def _width(kind: pa.DataType) -> int | None:
    """The bytes of a value; None where they differ from value to value, or the type is of parts."""
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_nested(kind) or pa.types.is_dictionary(kind):
        return None
    try:
        return int(kind.bit_width) // 8
    except ValueError:  # texts
        return None


def _unpacked(array: pa.Array) -> int:
    """The bytes that an array takes when the dictionaries in it are unpacked."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _unpacked(array.storage)
    if pa.types.is_dictionary(kind):
        if not _is_text(kind.value_type):
            return len(array) * (_width(kind.value_type) or _OFFSET)
        lengths = pc.binary_length(array.dictionary).take(array.indices)
        return int(pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0) + _OFFSET * len(array)
    if pa.types.is_struct(kind):
        return sum(_unpacked(array.field(i)) for i in range(kind.num_fields))
    if pa.types.is_nested(kind) and not pa.types.is_union(kind) and not pa.types.is_map(kind):
        return _unpacked(array.flatten()) + _OFFSET * len(array)
    return int(array.nbytes)


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)
