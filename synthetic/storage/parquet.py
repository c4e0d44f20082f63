"""Parquet tables: one column at a time, after its size in memory has been found from what the file declares.

A page may repeat one value a billion times in a few bytes, and a dictionary one long text. The number of
values is in the footer, so that numbers are sized by it; texts are added up while they are still numbers in
the dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthetic.storage.files import reading
from synthetic.storage.memory import require_room

__all__ = ["Parquet"]

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8}
"""The bytes of a value of each physical type of fixed size."""

_TEXT = "BYTE_ARRAY"
"""The physical type of texts and bytes."""

_OFFSET = 8
"""The bytes by which the place of a text is told, besides its content."""

_BATCH = 4096
"""Rows that are added up at once."""

_PLAIN = 2**28
"""Columns of texts that cannot take more than this, even if each is as long as all, are not added up."""


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
            what = f"column {name!r} of {self.path}"
            stored = self.path.stat().st_size
            require_room(what, sum(map(self._declared, self._leaves[name])), stored=stored)
            texts = [leaf for leaf in self._leaves[name] if self._may_repeat(leaf)]
            if texts:
                require_room(what, self._added_up(name, texts, what, stored), stored=stored)
            return self._file.read(columns=[name]).column(name)

    @cached_property
    def _leaves(self) -> dict[str, range]:
        """The numbers of the physical columns of each column."""
        found, start = {}, 0
        for field in self.schema:
            found[field.name] = range(start, start := start + _leaf_count(field.type))
        return found

    def _chunks(self, leaf: int) -> Iterator[pq.ColumnChunkMetaData]:
        footer = self._file.metadata
        return (footer.row_group(group).column(leaf) for group in range(footer.num_row_groups))

    def _declared(self, leaf: int) -> int:
        """The bytes of a physical column, from the number of its values; of texts what is stored."""
        column = self._file.schema.column(leaf)
        values = sum(chunk.num_values for chunk in self._chunks(leaf))
        if column.physical_type == _TEXT:
            return _OFFSET * values + sum(chunk.total_uncompressed_size for chunk in self._chunks(leaf))
        return values * _WIDTHS.get(column.physical_type, column.length)

    def _may_repeat(self, leaf: int) -> bool:
        """Whether texts may take more than is stored, as those of a dictionary do."""
        if self._file.schema.column(leaf).physical_type != _TEXT:
            return False
        worst = sum(
            chunk.num_values * chunk.total_uncompressed_size
            for chunk in self._chunks(leaf)
            if any("DICTIONARY" in kind or "DELTA" in kind for kind in chunk.encodings)
        )
        return worst > _PLAIN

    def _added_up(self, name: str, leaves: list[int], what: str, stored: int) -> int:
        """The bytes of the texts of a column, without unpacking its dictionary."""
        paths = [self._file.schema.column(leaf).path for leaf in leaves]
        opened = pq.ParquetFile(self.path, read_dictionary=paths)
        total = 0
        for batch in opened.iter_batches(batch_size=_BATCH, columns=[name]):
            total += sum(map(_text_bytes, batch.columns))
            require_room(what, total, stored=stored)
        return total


def _leaf_count(kind: pa.DataType) -> int:
    """The physical columns of a type."""
    if isinstance(kind, pa.BaseExtensionType):
        return _leaf_count(kind.storage_type)
    if pa.types.is_nested(kind):
        return sum(_leaf_count(kind.field(i).type) for i in range(kind.num_fields))
    return 1


def _text_bytes(array: pa.Array) -> int:
    """The bytes that the texts of an array take when its dictionaries are unpacked."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _text_bytes(array.storage)
    if pa.types.is_dictionary(kind):
        if not _is_text(kind.value_type):
            return 0
        lengths = pc.binary_length(array.dictionary).take(array.indices)
        return int(pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0)
    if _is_text(kind):
        return int(array.nbytes)
    if pa.types.is_struct(kind):
        return sum(_text_bytes(array.field(i)) for i in range(kind.num_fields))
    if pa.types.is_nested(kind) and not pa.types.is_union(kind):
        return _text_bytes(array.flatten()) if not pa.types.is_map(kind) else int(array.nbytes)
    return 0


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)
