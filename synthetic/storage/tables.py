"""Single files: Parquet, CSV, npz and safetensors tables, read as data and never as code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic.inference import check_names, parts_of
from synthetic.sample import Sample
from synthetic.storage.files import DamagedFileError, read_tensors, reading, write_tensors
from synthetic.storage.manifest import describe_sample, described
from synthetic.storage.npz import NpzFile
from synthetic.table import Table, common_length, rows_of

__all__ = ["ParquetFile", "read_table", "save_sample", "scan_table"]

_KEY = b"essl-sample"
"""Where a Parquet file that this package wrote holds its description."""


def read_table(path: str | Path, *, columns: Sequence[str] | None = None) -> Sample:
    """Read a sample from a `.parquet`, `.csv`, `.npz` or `.safetensors` file, and check every column.

    Files that this package wrote keep their variables; for others, integers, booleans and strings are
    discrete, floats continuous, two-dimensional arrays and lists of floats vectors and four-dimensional
    arrays images. Arrays of a single value are left out.

    Args:
        path: The file.
        columns: The variables wanted, as in `read_data`; None for all.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the suffix is unknown, the file is damaged, or a column cannot be a variable.
    """
    found = scan_table(path, columns=columns)
    if isinstance(found, Table):
        return found.select(
            [name for name in found.names if rows_of(found.raw(name)) is not None] or found.names
        )
    return found


def scan_table(path: str | Path, *, columns: Sequence[str] | None = None) -> Sample:
    """Read a file as `read_table` does; without `columns` as a `Table`, which checks what is named.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the suffix is unknown, the file is damaged, repeats a name or describes other columns
            than it has, or a column that is named cannot be a variable.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"no file {str(file)!r}")
    suffix = file.suffix.lower()
    if suffix not in _READERS:
        raise ValueError(f"cannot read {str(file)!r}: expected a folder or one of {', '.join(_READERS)}")
    content = _READERS[suffix](file)
    for name, times in Counter(content.names).items():
        if times > 1:
            raise ValueError(f"cannot use {str(file)!r}: it has {times} columns {name!r}")
    if not content.names:
        raise ValueError(f"cannot use {str(file)!r}: a sample needs at least one column, got none")
    if "variables" in content.metadata:
        return _described(file, content, columns)
    table = Table(content.names, content.read, rows=content.rows, source=str(file))
    return table if columns is None else table.select(columns)


def save_sample(sample: Sample, path: str | Path) -> Path:
    """Write a sample to a `.safetensors` file, or to `.parquet` where it has no images.

    Args:
        sample: The rows to write.
        path: The file; its suffix says the format.

    Returns:
        The path that was written.

    Raises:
        ValueError: If the suffix is another one, or the sample has images and the suffix is `.parquet`.
    """
    file = Path(path)
    if file.suffix == ".safetensors":
        write_tensors(file, sample.columns, describe_sample(sample))
    elif file.suffix == ".parquet":
        with ParquetFile(file) as out:
            out.write(sample)
    else:
        raise ValueError(f"cannot save to {str(file)!r}: expected .safetensors or .parquet")
    return file


class ParquetFile:
    """A Parquet file that appears when it is whole; one row group for each sample."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.tmp")
        self._writer: Any = None

    def __enter__(self) -> ParquetFile:
        return self

    def write(self, sample: Sample) -> None:
        """Append the rows of a sample as one row group.

        Raises:
            ValueError: If the sample has images.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        images = [v.name for v in sample.variables.values() if v.kind == "image"]
        if images:
            raise ValueError(f"a Parquet table holds no images, got {', '.join(images)}: use .safetensors")
        columns = {name: _arrow(column) for name, column in sample.columns.items()}
        table = pa.table(columns)
        if self._writer is None:
            schema = table.schema.with_metadata({_KEY: json.dumps(describe_sample(sample)).encode()})
            self._writer = pq.ParquetWriter(self._temporary, schema)
        self._writer.write_table(table.cast(self._writer.schema))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        if kind is None:
            self._temporary.replace(self._path)
        else:
            self._temporary.unlink(missing_ok=True)


def _arrow(column: npt.NDArray[Any]) -> Any:  # noqa: ANN401  (an Arrow array)
    import pyarrow as pa

    if column.ndim == 1:
        return pa.array(column)
    flat = np.ascontiguousarray(column.reshape(len(column), -1))
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])


@dataclass(frozen=True)
class _Content:
    """What a file holds: its columns, each read when it is asked for."""

    names: tuple[str, ...]
    read: Callable[[str], Any]
    rows: Callable[[], int]
    metadata: Mapping[str, str] = field(default_factory=dict)


def _parquet(file: Path) -> _Content:
    from synthetic.storage.arrow import from_arrow
    from synthetic.storage.parquet import Parquet

    opened = Parquet(file)
    text = opened.metadata.get(_KEY)
    with reading(f"{file} is damaged: its description cannot be read"):
        metadata = {str(key): str(value) for key, value in json.loads(text).items()} if text else {}
    return _Content(
        opened.names, lambda name: from_arrow(name, opened.read(name)), lambda: opened.rows, metadata
    )


def _csv(file: Path) -> _Content:
    from synthetic.storage.text import from_text, read_csv

    table = read_csv(file)
    return _Content(
        tuple(table.column_names), lambda name: from_text(name, table.column(name)), lambda: table.num_rows
    )


def _npz(file: Path) -> _Content:
    opened = NpzFile(file)

    def rows() -> int:
        return common_length({name: next(iter(opened.shape(name)), None) for name in opened.names})

    return _Content(opened.names, opened.read, rows)


def _safetensors(file: Path) -> _Content:
    columns, metadata = read_tensors(file)
    return _Content(tuple(columns), columns.__getitem__, lambda: common_length(columns.rows()), metadata)


_READERS = {".parquet": _parquet, ".csv": _csv, ".npz": _npz, ".safetensors": _safetensors}
"""The reader of each ending."""


def _described(file: Path, content: _Content, wanted: Sequence[str] | None) -> Sample:
    """The variables that the file describes, those that are wanted and the groups."""
    variables, groups = described(file, content.metadata)
    names = [v.name for v in variables]
    if set(names) != set(content.names):
        raise DamagedFileError(
            f"{file} is damaged: its columns {sorted(content.names)} are not those it describes"
        )
    if wanted is None:
        chosen = names
    else:
        wanted = [*dict.fromkeys([*check_names(wanted), *([] if groups is None else [groups])])]
        parts = [parts_of(name, names) or (name,) for name in wanted]
        chosen = [*dict.fromkeys(part for each in parts for part in each)]
    with reading(f"{file} is damaged"):
        source = json.loads(content.metadata.get("metadata", "{}"))
        arrays = {name: np.asarray(content.read(name)) for name in chosen}
        held = {v.name: v for v in variables if v.name in arrays}
        sample = Sample({name: arrays[name] for name in held}, held, groups, source)
    return sample if wanted is None else sample.select(wanted)
