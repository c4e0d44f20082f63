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

from synthetic.columns import EXACT, check_exact
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
    *("-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN", "n/a", "na", "nan", "null", "?", "."),
)
"""What stands for a missing value: the list of pandas, NaT, na, and two marks of old archives."""

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

_STRAY = 2
"""So few words among numbers are no labels, but a footer or a header within the table."""

_NUMBERS_PER_WORD = 10
"""Numbers that there must be for each of them before a column is one of numbers."""


def read_csv(file: Path) -> pa.Table:
    """The table with every entry as text.

    Raises:
        DamagedFileError: If it is no CSV table of UTF-8, or a row and the header disagree in number.
        ValueError: If the header repeats a name, a row repeats the header, or other marks than commas
            separate the columns.
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
    _check_one_header(file, table)
    return table


def _check_one_header(file: Path, table: pa.Table) -> None:
    """Refuse a row that repeats the header, as where files were joined; one name alone may be a label.

    Raises:
        ValueError: If there is one.
    """
    names = table.column_names
    if len(names) < 2 or not table.num_rows:
        return
    repeated = pc.equal(table.column(0), names[0])
    for name in names[1:]:
        if not pc.any(repeated).as_py():
            return
        repeated = pc.and_(repeated, pc.equal(table.column(name), name))
    rows = np.flatnonzero(np.asarray(repeated))
    if len(rows):
        raise ValueError(
            f"cannot use {str(file)!r}: its header is repeated {len(rows)} times, first in row {rows[0]}: "
            "drop such rows first"
        )


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

    Integers with leading zeros, as postal codes have, are text. A table of text has no other way to leave
    out a value than to write something in its place. What pandas reads so (an empty entry, NA, N/A, NaN,
    None, null, ..), na, and the marks "?" and "." are missing values, and refused. Every other word is a
    state of its own, because in some table it is one: "none" is a degree, "-" a strand, "missing" an answer.
    Among numbers it is not: words or marks beside fractions, marks beside integers, and one or two words, or
    the name of the column, in a column of integers are refused. Integers beside more words are names.

    Raises:
        ValueError: If a value is missing, entries are lists, or numbers are mixed with words or marks.
    """
    text = pc.utf8_trim_whitespace(column)
    _check_written(name, text)
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


def _check_written(name: str, text: pa.ChunkedArray) -> None:
    """Refuse what stands for a missing value, and say how it is written.

    Raises:
        ValueError: If there is any.
    """
    missing = np.asarray(pc.is_in(text, value_set=pa.array(_MISSING)))
    if missing.any():
        row = int(missing.argmax())
        word = text[row].as_py()
        hint = f"; if {word!r} is a label, write it otherwise" if word else ""
        raise ValueError(
            f"column {name!r} has {int(missing.sum())} missing values, the first in row {row}, which is "
            f"{word!r}: drop or fill them first{hint}"
        )


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
    odd = ~number if fraction.any() or _are_stray(name, text, number) else ~(number | word)
    if odd.any():
        row = int(odd.argmax())
        raise ValueError(
            f"column {name!r} mixes numbers and text: row {row} is {text[row].as_py()!r}; if that stands for "
            "a missing value, drop or fill it first, and a row that is no data, as a total or a header"
        )
    return np.asarray(column.to_numpy())


def _are_stray(name: str, text: pa.ChunkedArray, number: npt.NDArray[np.bool_]) -> bool:
    """Whether the words among integers are no labels: one or two, or the name of the column each time."""
    words = int((~number).sum())
    if words > _STRAY and not pc.all(pc.equal(text.filter(pa.array(~number)), name)).as_py():
        return False
    return bool(number.sum() >= _NUMBERS_PER_WORD * words)
