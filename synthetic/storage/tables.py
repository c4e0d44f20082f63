"""Single files: Parquet, CSV, npz and safetensors tables, read as data and never as code."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthetic.sample import Sample
from synthetic.storage.files import DamagedFileError, read_tensors, write_tensors
from synthetic.storage.manifest import describe_sample, described

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ParquetFile", "read_table", "save_sample"]

SUFFIXES = (".parquet", ".csv", ".npz", ".safetensors")
_KEY = b"essl-sample"


def read_table(path: str | Path) -> Sample:
    """Read a sample from a `.parquet`, `.csv`, `.npz` or `.safetensors` file.

    Files that this package wrote keep their variables; for others, integers, booleans and strings are
    discrete, floats continuous, two-dimensional arrays vectors and four-dimensional ones images.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the suffix is unknown, the file is damaged, or a column cannot be a variable.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"no file {str(file)!r}")
    readers = {
        ".parquet": _read_parquet,
        ".csv": _read_csv,
        ".npz": _read_npz,
        ".safetensors": _read_safetensors,
    }
    suffix = file.suffix.lower()
    if suffix not in readers:
        raise ValueError(f"cannot read {str(file)!r}: expected a folder or one of {', '.join(SUFFIXES)}")
    return readers[suffix](file)


def save_sample(sample: Sample, path: str | Path) -> Path:
    """Write a sample to a `.safetensors` file, or to `.parquet` where it has no images.

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


def _arrow(column: npt.NDArray[Any]) -> Any:  # noqa: ANN401
    import pyarrow as pa

    if column.ndim == 1:
        return pa.array(column)
    flat = np.ascontiguousarray(column.reshape(len(column), -1))
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])


def _read_parquet(file: Path) -> Sample:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedFileError(f"{file} is damaged or not a Parquet file: {error}") from None
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if pa.types.is_fixed_size_list(column.type):
            width = column.type.list_size
            columns[name] = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
        elif pa.types.is_integer(column.type) and column.null_count:
            columns[name] = column.to_pandas(types_mapper=pd.ArrowDtype)
        else:
            columns[name] = column.to_pandas()
    text = (table.schema.metadata or {}).get(_KEY)
    return _described(file, columns, json.loads(text) if text else {})


def _read_csv(file: Path) -> Sample:
    import pandas as pd

    try:
        frame = pd.read_csv(file)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DamagedFileError(f"{file} is not a CSV table: {error}") from None
    return _inferred(file, frame)


def _read_npz(file: Path) -> Sample:
    try:
        with np.load(file, allow_pickle=False) as archive:
            columns = {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, TypeError, AttributeError) as error:
        raise DamagedFileError(
            f"{file} is damaged, not an npz file, or holds Python objects: {error}"
        ) from None
    return _inferred(file, columns)


def _read_safetensors(file: Path) -> Sample:
    columns, metadata = read_tensors(file)
    return _described(file, columns, metadata)


def _described(file: Path, columns: Mapping[str, Any], metadata: Mapping[str, str]) -> Sample:
    if "variables" not in metadata:
        return _inferred(file, columns)
    variables, groups = described(file, metadata)
    if {v.name for v in variables} != set(columns):
        raise DamagedFileError(f"{file} is damaged: its columns {sorted(columns)} are not those it describes")
    try:
        source = json.loads(metadata.get("metadata", "{}"))
        arrays = {v.name: np.asarray(columns[v.name]) for v in variables}
        return Sample(arrays, {v.name: v for v in variables}, groups, source)
    except (TypeError, ValueError) as error:
        raise DamagedFileError(f"{file} is damaged: {error}") from None


def _inferred(file: Path, columns: Mapping[str, Any] | pd.DataFrame) -> Sample:
    try:
        return Sample.infer(columns)
    except ValueError as error:
        raise ValueError(f"cannot use {str(file)!r}: {error}") from None
