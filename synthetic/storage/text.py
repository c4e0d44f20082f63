"""CSV tables, read as text by Arrow and turned into numbers only where every entry is one.

Rows with more or fewer fields than the header are refused, and so is a header that repeats a name: a reader
that takes the first column as an index, or renames the second, moves the columns in silence.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from synthetic.columns import EXACT, check_exact, check_missing
from synthetic.storage.files import DamagedFileError, reading
from synthetic.storage.memory import require_room

__all__ = ["from_text", "read_csv"]

_BLOCK = 2**26
"""Bytes that are parsed at once; a row must fit."""

_UNPACKED = 2
"""The bytes in memory for each byte of the file: its text, and the numbers of a column."""

_SHOWN = 5
"""Names of a header that an error shows."""

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What some programs write in place of commas."""

_HEAD = 100
"""Entries that are tried first."""

_MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "NaT", "None"),
    *("n/a", "nan", "null"),
)
"""What stands for a missing value: the list of pandas, and NaT."""

_WHOLE = r"^[+-]?[0-9]+$"
"""An integer."""

_PADDED = r"^[+-]?0[0-9]+$"
"""An integer with leading zeros, which names something."""

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
"""A finite number."""

_LIST = r"(?s)^[\[(].*[\])]$"
"""A list or a tuple, as Python and numpy print them."""

_COMMAS = r"^[+-]?[0-9]+(,[0-9]+)*(\.[0-9]*)?$"
"""A number with marks for thousands or a comma for the point."""

_BOOLEAN = r"(?i)^(true|false)$"
"""A truth value."""

_WORD = r"[\p{L}\p{N}]"
"""Whether there is a letter or a digit."""


def read_csv(file: Path) -> pa.Table:
    """The table with every entry as text.

    Raises:
        DamagedFileError: If it is no CSV table of UTF-8, or a row and the header disagree in number.
        ValueError: If the header repeats a name, or other marks than commas separate the columns.
    """
    with (
        reading(f"{file} is not a CSV table"),
        file.open(encoding="utf-8-sig", newline="") as lines,
    ):
        rows = (row for row in csv.reader(lines) if row)
        names, first = next(rows, []), next(rows, [])
    _check_separated(file, names, first)
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"cannot use {str(file)!r}: its header has the name {name!r} {times} times")
    size = file.stat().st_size
    require_room(str(file), _UNPACKED * size, stored=size)
    with reading(f"{file} is not a CSV table"):
        table = pv.read_csv(
            file,
            read_options=pv.ReadOptions(block_size=_BLOCK),
            # an empty line is a missing value where there is one column, and nothing elsewhere
            parse_options=pv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(names) != 1),
            convert_options=pv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    if table.column_names != names:
        read = ", ".join(map(repr, table.column_names[:_SHOWN]))
        raise DamagedFileError(
            f"{file} is not a CSV table: its header reads {', '.join(map(repr, names[:_SHOWN]))} or {read}"
        )
    return table


def _check_separated(file: Path, names: list[str], first: list[str]) -> None:
    """Refuse a table whose header is one name with as many other separators as the row below it has.

    Raises:
        ValueError: If it is one; the commas of such a row may be its decimal points.
    """
    for mark, word in _SEPARATORS.items():
        if len(names) == 1 and 0 < names[0].count(mark) == ",".join(first).count(mark):
            raise ValueError(
                f"cannot read {str(file)!r}: its columns are separated by {word}, expected commas: write "
                f"it again, as by pandas.read_csv(.., sep={mark!r}).to_csv(.., index=False)"
            )


def from_text(name: str, column: pa.ChunkedArray) -> Any:  # noqa: ANN401  (what `as_array` takes)
    """A column of text as booleans, integers or floats where every entry is one, else as text.

    Integers with leading zeros, as postal codes have, are text.

    Raises:
        ValueError: If a value is missing, entries are lists, or numbers are mixed with words or marks.
    """
    text = pc.utf8_trim_whitespace(column)
    check_missing(name, pc.is_in(text, value_set=pa.array(_MISSING)))
    for kind in (pa.int64(), pa.uint64()):
        whole = _cast(text, kind)
        if whole is not None:
            return column.to_numpy() if pc.any(_fits(text, _PADDED)).as_py() else whole
    numbers = _cast(text, pa.float64())
    if numbers is None:
        return _words(name, column, text)
    if (np.floor(numbers) == numbers).all() and _every(text, _WHOLE):
        return column.to_numpy() if pc.any(_fits(text, _PADDED)).as_py() else list(map(int, text.to_pylist()))
    if (abs(numbers) >= EXACT).any():
        check_exact(name, map(int, text.filter(_fits(text, _WHOLE)).to_pylist()))
    return numbers


def _fits(text: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.match_substring_regex(text, pattern)


def _every(text: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(_fits(text, pattern)).as_py())


def _cast(text: pa.ChunkedArray, kind: pa.DataType) -> npt.NDArray[Any] | None:
    try:
        pc.cast(text.slice(0, _HEAD), kind)  # where it fails, Arrow is slow to say so
        return np.asarray(pc.cast(text, kind))
    except pa.ArrowInvalid:
        return None


def _words(name: str, column: pa.ChunkedArray, text: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Truth values or text, but not numbers with a mark for a missing one, and no lists."""
    if _every(text, _BOOLEAN):
        return np.asarray(pc.equal(pc.utf8_lower(text), "true"))
    if _every(text, _LIST):
        raise ValueError(
            f"column {name!r} holds lists as text, such as {text[0].as_py()[:40]!r}: store a vector as "
            f"columns {name}_0, {name}_1, .. or in Parquet"
        )
    if _every(text, _COMMAS):
        raise ValueError(
            f"column {name!r} holds numbers with commas, such as {text[0].as_py()!r}: write decimals with a "
            "point and thousands without a mark"
        )
    number = np.asarray(_fits(text, _NUMBER))
    if not number.any():
        return np.asarray(column.to_numpy())
    word = np.asarray(_fits(text, _WORD)) & ~np.asarray(_fits(text, _BOOLEAN))
    fraction = number & ~np.asarray(_fits(text, _WHOLE))
    odd = ~number if fraction.any() else ~(number | word)
    if odd.any():
        row = int(odd.argmax())
        raise ValueError(
            f"column {name!r} mixes numbers and text: row {row} is {text[row].as_py()!r}; if that stands for "
            "a missing value, drop or fill it first"
        )
    return np.asarray(column.to_numpy())
