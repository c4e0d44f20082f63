"""Which kind a column is, read from its type: integers, booleans and strings are discrete."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthetic.columns import EXACT, as_array, check_exact, check_finite, check_missing
from synthetic.variables import Variable, VariableKind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_names", "infer_columns", "joined", "parts_of", "read_columns"]

Arrays = dict[str, npt.NDArray[Any]]

_COMPARED = 1000
"""Up to so many names are compared with one that is unknown, to suggest another."""

_LISTED = 100
"""So many names are listed in an error."""


def infer_columns(
    columns: Mapping[str, npt.ArrayLike] | pd.DataFrame,
) -> tuple[Arrays, dict[str, Variable], dict[str, list[Any]]]:
    """Arrays, descriptions and levels of all of some columns.

    Integers keep their values where they are non-negative and below four times the number of different
    ones; other discrete columns are numbered in sorted order, and the levels say what the numbers mean.

    Raises:
        ValueError: If a column is empty, has missing values, mixes types, or is an array of a kind or
            shape that no variable has.
    """
    names = [str(key) for key in columns]
    if not names:
        raise ValueError("a sample needs at least one column, got none")
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"column names must differ, got {name!r} twice")
    return _described({str(key): column for key, column in columns.items()})


def read_columns(
    names: Sequence[str], known: Counter[str], read: Callable[[str], Any]
) -> tuple[Arrays, dict[str, Variable], dict[str, list[Any]]]:
    """Arrays, descriptions and levels of the columns that are named, and of no others.

    A name is a column, or where there is none the vector of the columns `name_0, name_1, ..`.

    Args:
        names: The variables wanted.
        known: The names of all columns, counted.
        read: Gives the column of a name.

    Raises:
        ValueError: If a name is unknown or stands for two columns, or a column is bad as in `infer_columns`.
    """
    found: dict[str, Any] = {}
    for name in dict.fromkeys(names):
        parts = parts_of(name, known)
        found[name] = read(name) if parts is None else joined(name, {part: read(part) for part in parts})
    return _described(found)


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names of variables that are asked for, each once.

    Raises:
        ValueError: If there is none.
        TypeError: If it is one text, or a name is no text.
    """
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"variables are asked for by a list of names, got {names!r}")
    if not len(names):
        raise ValueError("select needs at least one variable, got none")
    return tuple(dict.fromkeys(names))


def parts_of(name: str, known: Collection[str]) -> tuple[str, ...] | None:
    """The columns `name_0, name_1, ..` of the vector `name`; None where `name` is a column itself.

    One column `name_0` alone is a vector of one dimension. Numbers may be padded with zeros.

    Raises:
        ValueError: If there is no such column, a number is left out, or a name or number comes twice.
    """
    times = known if isinstance(known, Counter) else Counter(known)
    if name in times:
        if times[name] > 1:
            raise ValueError(f"column names must differ, got {name!r} twice")
        return None
    parts = sorted(
        (int(key[len(name) + 1 :]), key) for key in known if re.fullmatch(rf"{re.escape(name)}_[0-9]+", key)
    )
    places = [place for place, _ in parts]
    if parts and places == list(range(len(parts))):
        return tuple(key for _, key in parts)
    near = difflib.get_close_matches(name, known, n=1) if len(known) <= _COMPARED else []
    hint = f" (did you mean {near[0]!r}?)" if near and not parts else ""
    if parts:
        twice = next((place for place in places if places.count(place) > 1), None)
        gap = next(place for place in range(len(parts) + 1) if place not in places)
        what = f"{name}_{gap} is missing" if twice is None else f"{name}_{twice} comes twice"
        hint = f"; for the vector {name!r}, {what}"
    raise ValueError(f"unknown variable {name!r}: the data has {_listed(known)}{hint}")


def _listed(known: Collection[str]) -> str:
    """The names, or the first of them where there are many."""
    names = list(known)
    rest = f", .. ({len(names):,} columns)" if len(names) > _LISTED else ""
    return (", ".join(names[:_LISTED]) + rest) or "no columns"


def joined(name: str, parts: Mapping[str, Any]) -> npt.NDArray[Any]:
    """The vector of some columns of numbers, of shape (n, parts).

    Floats of one type keep it; everything else becomes float64.

    Raises:
        ValueError: If a part is no column of numbers, has missing values or integers that no float64 holds,
            or the lengths differ.
    """
    _check_aligned(parts)
    columns = {part: as_array(part, column) for part, column in parts.items()}
    for part, column in columns.items():
        if column.dtype.kind not in "fiub" or column.ndim != 1:
            raise ValueError(
                f"column {part!r}, a part of the vector {name!r}, must be numeric of shape (n,), got "
                f"{'text' if column.dtype.kind in 'UO' else column.dtype} of shape {column.shape}"
            )
        if column.dtype.kind in "iu":
            check_exact(part, column[(column > EXACT) | (column < -EXACT)].tolist())
    lengths = {part: len(column) for part, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"all columns must have the same length, got {lengths}")
    types = {column.dtype for column in columns.values()}
    kept = types.pop() if len(types) == 1 else np.dtype(np.float64)
    vector = np.column_stack(list(columns.values())).astype(kept if kept.kind == "f" else np.float64)
    check_finite(name, vector)
    return vector


def _described(
    columns: Mapping[str, Any],
) -> tuple[Arrays, dict[str, Variable], dict[str, list[Any]]]:
    _check_aligned(columns)
    arrays: Arrays = {}
    variables: dict[str, Variable] = {}
    levels: dict[str, list[Any]] = {}
    for name, column in columns.items():
        array, states = _read(name, column)
        if states is not None:
            levels[name] = states
        discrete = np.issubdtype(array.dtype, np.integer)
        cardinality = max(int(array.max()) + 1, len(states or ())) if discrete else None
        kind: VariableKind = "discrete" if discrete else "image" if array.ndim == 4 else "continuous"
        arrays[name] = array
        variables[name] = Variable(name, kind, cardinality)
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"all columns must have the same length, got {lengths}")
    return arrays, variables, levels


def _check_aligned(columns: Mapping[str, Any]) -> None:
    """Refuse Series in a mapping whose rows have different labels: taken by position they may not belong."""
    import pandas as pd

    tables = {name: c for name, c in columns.items() if isinstance(c, pd.Series | pd.DataFrame)}
    first = next(iter(tables), "")
    for name, column in tables.items():
        if not column.index.equals(tables[first].index):
            raise ValueError(
                f"the rows of {first!r} and {name!r} have different labels (pandas indices): put both into "
                "one DataFrame, or pass arrays to pair them by position"
            )


def _read(name: str, column: Any) -> tuple[npt.NDArray[Any], list[Any] | None]:  # noqa: ANN401  (a column of any library)
    import pandas as pd

    if isinstance(getattr(column, "dtype", None), pd.CategoricalDtype):
        category = pd.Categorical(column)
        if not len(category):
            raise ValueError(f"column {name!r} must have at least one row, got none")
        check_missing(name, pd.isna(category))
        return category.codes.astype(np.int64), [str(x) for x in category.categories]
    array = as_array(name, column)
    if array.dtype.kind == "f":
        return array, None
    if array.dtype.kind == "b":
        return array.astype(np.int64), [False, True]
    if array.dtype.kind in "iu":
        return _integers(array)
    if array.dtype.kind == "O" and not isinstance(array[0], str):
        states, codes = np.unique(array, return_inverse=True)
        return codes.astype(np.int64), states.tolist()
    labels = array if array.dtype.kind == "O" else array.astype(object)
    numbers, names = pd.factorize(labels, sort=True)
    return numbers.astype(np.int64), [str(state) for state in names]


def _integers(array: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], list[Any] | None]:
    low, high = int(array.min()), int(array.max())
    if low >= 0 and high < 4 * len(array):
        distinct = int(np.count_nonzero(np.bincount(array.astype(np.int64))))
        if high < 4 * distinct:
            return array.astype(np.int64), None
    if high - low < 4 * len(array):
        place = (array.astype(np.uint64) - np.uint64(low % 2**64)).astype(np.int64)
        seen = np.zeros(high - low + 1, dtype=bool)
        seen[place] = True
        return (np.cumsum(seen) - 1)[place], [low + step for step in np.flatnonzero(seen).tolist()]
    states, codes = np.unique(array, return_inverse=True)
    return codes.astype(np.int64), states.tolist()
