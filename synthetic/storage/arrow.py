"""Columns of Arrow, as Parquet holds them: numbers unchanged, lists as vectors, missing values refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from synthetic.columns import check_missing

__all__ = ["from_arrow"]


def from_arrow(name: str, column: pa.Array | pa.ChunkedArray) -> Any:  # noqa: ANN401  (what `as_array` takes)
    """The column as numpy or pandas holds it; lists of equal length become rows of an array.

    Raises:
        ValueError: If a value is missing, also within a list, or lists differ in length.
    """
    array = (
        pa.concat_arrays(column.chunks)
        if isinstance(column, pa.ChunkedArray) and column.num_chunks
        else column
    )
    if isinstance(array, pa.ChunkedArray):
        array = pa.array([], type=array.type)
    kind = array.type
    if pa.types.is_dictionary(kind) and array.dictionary.null_count:
        return from_arrow(name, array.cast(kind.value_type))
    check_missing(name, pc.is_null(array))
    if isinstance(array, pa.FixedShapeTensorArray):
        check_missing(
            name, np.asarray(pc.is_null(array.storage.flatten())).reshape(len(array), -1).any(axis=1)
        )
        return array.to_numpy_ndarray()
    if _is_list(kind):
        return _lists(name, array)
    if pa.types.is_dictionary(kind) or isinstance(array, pa.ExtensionArray):
        return array.to_pandas()
    return array.to_numpy(zero_copy_only=False)


def _is_list(kind: pa.DataType) -> bool:
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in (*tests, pa.types.is_list_view, pa.types.is_large_list_view))


def _lists(name: str, array: Any) -> npt.NDArray[Any]:  # noqa: ANN401  (an Arrow array of lists without missing ones)
    if pa.types.is_fixed_size_list(array.type):
        width = array.type.list_size
    else:
        lengths = np.asarray(array.value_lengths())
        width = int(lengths[0]) if len(lengths) else 0
        if (lengths != width).any():
            row = int((lengths != width).argmax())
            raise ValueError(
                f"column {name!r} must be a rectangular array: row {row} has {lengths[row]} entries, row 0 "
                f"has {width}"
            )
    entries = array.flatten()
    if width:
        check_missing(name, np.asarray(pc.is_null(entries)).reshape(-1, width).any(axis=1))
    found = np.asarray(from_arrow(name, entries))
    return found.reshape(len(array), width, *found.shape[1:])
