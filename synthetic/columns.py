"""A column of any library as an array, with every number unchanged, or an error that names the column.

Lists, tuples, numpy and masked arrays, pandas Series, torch tensors and whatever else turns into an array
come out as one of: floats of any shape (lists of floats are vectors), or integers, booleans and text of
shape (n,). What numpy would change on the way in silence is refused: a missing value among strings becomes
the text "nan", True among integers becomes 1, integers beyond 2^53 among floats lose their last digits.

Example:
    >>> as_array("Z", [[0.5, 1.0], [2.0, 3.0]]).shape
    (2, 2)
    >>> as_array("A", ["x", None])
    Traceback (most recent call last):
        ...
    ValueError: column 'A' has 1 missing values, the first in row 1: drop or fill them first
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["EXACT", "as_array", "check_exact", "check_finite", "check_missing", "check_whole", "native"]

Array = npt.NDArray[Any]

EXACT = 2**53
"""From here on a float64 does not hold every integer."""

_WIDENED = ("torch.bfloat16", "torch.float8")
"""Types of torch that numpy does not know; float32 holds all their values."""


def as_array(name: str, column: Any) -> Array:  # noqa: ANN401  (a column of any library)
    """The column as an array of floats, or of integers, booleans or text of shape (n,).

    Integers that fit no numpy type and text come as objects. Images as bytes, of shape (n, height, width),
    (n, channels, height, width) or (n, height, width, channels), are divided by 255.

    Args:
        name: What to call it in an error.
        column: A column of any library; the rows come first.

    Raises:
        TypeError: If a tensor is sparse or holds no numbers.
        ValueError: If there are no rows, values are missing or masked or not finite, rows differ in shape, or
            the column mixes types or holds one that is no data.
    """
    if hasattr(column, "detach"):
        column = _from_tensor(name, column)
    if isinstance(column, np.ma.MaskedArray):
        hidden = np.asarray(np.ma.getmaskarray(column)).reshape(len(column) if column.ndim else 1, -1)
        gone = np.flatnonzero(hidden.any(axis=1))
        if gone.size:
            raise ValueError(
                f"column {name!r} is masked in {gone.size} of {len(hidden)} rows, the first is row "
                f"{gone[0]}: drop or fill them first"
            )
        column = column.data
    if hasattr(column, "isna"):  # of pandas, which need not be loaded for arrays
        missing = np.asarray(column.isna())
        if missing.ndim == 2:
            check_missing(name, missing.any(axis=1))
        else:
            check_missing(name, missing, nan=getattr(column.dtype, "kind", "O") == "f")
        column = column.to_numpy()
    if isinstance(column, list | tuple | range):
        array = _from_values(name, column)
    else:
        array = np.asarray(column)
        if array.ndim == 0:
            raise ValueError(
                f"column {name!r} must have at least one row, got a single {type(column).__name__}"
            )
        if array.dtype.kind in "OT":
            array = _from_values(name, list(array))
    return _usable(name, array)


def check_whole(name: str, column: object) -> None:
    """Refuse an array with masked entries, which numpy would silently show as data.

    Raises:
        ValueError: If entries are masked.
    """
    if isinstance(column, np.ma.MaskedArray) and np.ma.getmaskarray(column).any():
        raise ValueError(f"{name} must have no masked entries, got {int(np.ma.getmaskarray(column).sum())}")


def native(array: Array) -> Array:
    """The numbers in the byte order of this machine, long doubles as float64; a view where they are so.

    Neither torch nor Arrow takes others. A long double beyond the range of float64 becomes infinite.
    """
    if array.dtype.char == "g":
        with np.errstate(over="ignore"):
            return array.astype(np.float64)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _usable(name: str, array: Array) -> Array:
    if not array.size:
        what = "row" if not len(array) else "entry in each row"
        raise ValueError(f"column {name!r} must have at least one {what}, got shape {array.shape}")
    if array.dtype.kind == "f":
        check_finite(name, array)
        return array[:, None] if array.ndim == 3 else array
    if array.ndim != 1:
        if array.dtype == np.uint8 and array.ndim in (3, 4):
            return _pixels(array)
        if array.dtype.kind in "iub":
            raise ValueError(
                f"column {name!r} of {array.dtype} has shape {array.shape}: discrete columns have "
                f"shape (n,), vectors and images hold floats (.astype(float) makes a vector of numbers)"
            )
    elif array.dtype.kind in "iubUO":
        return array
    raise ValueError(
        f"column {name!r} must hold integers, booleans, strings or floats, got {array.dtype} of shape "
        f"{array.shape}"
    )


def _pixels(array: Array) -> Array:
    if array.ndim == 3:
        array = array[:, None]
    elif array.shape[1] not in (1, 3) and array.shape[3] in (1, 3):
        array = np.moveaxis(array, 3, 1)
    return array.astype(np.float32) / np.float32(255)


def _from_tensor(name: str, column: Any) -> Array:  # noqa: ANN401  (a tensor, without importing torch)
    try:
        tensor = column.detach().cpu().resolve_conj().resolve_neg()
        widened = str(tensor.dtype).startswith(_WIDENED)
        return np.asarray((tensor.float() if widened else tensor).numpy())
    except (TypeError, RuntimeError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise TypeError(f"column {name!r} must be a dense tensor of numbers: {reason}") from None


def _from_values(name: str, values: Sequence[Any]) -> Array:
    """Python objects, one a row."""
    types = set(map(type, values))
    if types <= {float}:
        return np.asarray(values, dtype=np.float64)
    if types == {int}:
        return _integers(values)
    if types == {str}:
        return _objects(values)
    if types <= {list, tuple} and len(set(map(len, values))) == 1 and _all_floats(values):
        return np.asarray(values)
    rows = [_is_row(value) for value in values]
    if any(rows):
        return _stacked(name, values, rows)
    import pandas as pd

    values = [_as_scalar(value) for value in values]
    objects = _objects(values)
    types = set(map(type, values))
    check_missing(name, pd.isna(objects), nan=types <= {float, int})
    if all(issubclass(t, str) for t in types):
        return objects
    if all(issubclass(t, bool | np.bool_) for t in types):
        return np.asarray(values, dtype=np.bool_)
    whole = {t for t in types if _is_whole(t)}
    if types == whole:
        return _integers(values)
    if all(t in whole or issubclass(t, float | np.floating) for t in types):
        check_exact(name, [value for value in values if type(value) in whole])
        return np.asarray(values)
    raise _no_data(name, types)


def _all_floats(rows: Iterable[Iterable[Any]]) -> bool:
    return set(map(type, chain.from_iterable(rows))) == {float}


def _stacked(name: str, values: Sequence[Any], rows: Sequence[bool]) -> Array:
    """Rows of numbers, one vector or image each, side by side."""
    single = [value for value, row in zip(values, rows, strict=True) if not row]
    if single:
        check_missing(
            name, np.asarray([not row and _is_missing(v) for v, row in zip(values, rows, strict=True)])
        )
        where = rows.index(False)
        raise ValueError(
            f"column {name!r} must be a rectangular array: row {where} is the value {values[where]!r}, "
            f"row {rows.index(True)} is a list"
        )
    found = [_row(name, value) for value in values]
    for i, row in enumerate(found):
        if row.shape != found[0].shape:
            raise ValueError(
                f"column {name!r} must be a rectangular array: row {i} has shape {row.shape}, row 0 has "
                f"{found[0].shape}"
            )
    types = {row.dtype for row in found}
    if all(t.kind == "f" for t in types):
        return np.stack(found)
    if all(t.kind in "iuf" for t in types) and any(t.kind == "f" for t in types):
        for row in found:
            if row.dtype.kind != "f":
                check_exact(name, row.ravel().tolist())
        return np.stack([row.astype(np.float64) for row in found])
    return np.stack(found)


def _row(name: str, value: Any) -> Array:  # noqa: ANN401  (a row of any library)
    """One row as an array of numbers."""
    if isinstance(value, list | tuple):
        entries = list(value)
        if entries and set(map(type, entries)) <= {float}:
            return np.asarray(entries)
        inner = [_is_row(entry) for entry in entries]
        if all(inner) and entries:
            parts = [_row(name, entry) for entry in entries]
            if len({part.shape for part in parts}) > 1:
                raise ValueError(f"column {name!r} must be a rectangular array, got the row {value!r}")
            return np.stack(parts)
        if any(inner):
            raise ValueError(f"column {name!r} must be a rectangular array, got the row {value!r}")
        found = _from_values(name, entries) if entries else np.zeros(0)
        if found.dtype.kind == "O":
            raise ValueError(f"column {name!r} must hold rows of numbers, got the row {value!r}")
        return found
    if hasattr(value, "detach"):
        value = _from_tensor(name, value)
    check_whole(f"column {name!r}", value)
    array = np.asarray(value)
    return _row(name, array.tolist()) if array.dtype.kind == "O" else array


def _is_row(value: Any) -> bool:  # noqa: ANN401  (of any library)
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0


def _as_scalar(value: Any) -> Any:  # noqa: ANN401  (of any library)
    """A number of numpy or torch as Python has it; dates and the like as they are."""
    if value is np.ma.masked:
        return None
    if isinstance(value, np.bool_ | np.integer | np.float64 | np.str_):
        return value.item()
    if hasattr(value, "detach") or isinstance(value, np.ndarray):
        return value.item()
    return value


def _is_missing(value: Any) -> bool:  # noqa: ANN401  (of any library)
    import pandas as pd

    return bool(pd.isna(_objects([_as_scalar(value)]))[0])


def _is_whole(kind: type) -> bool:
    return issubclass(kind, int | np.integer) and not issubclass(kind, bool)


def _objects(values: Sequence[Any]) -> Array:
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def _integers(values: Sequence[int]) -> Array:
    """Integers in the smallest of int64, uint64 and Python's own type that holds all of them."""
    if not values:
        return np.zeros(0)
    low, high = min(values), max(values)
    if low >= -(2**63) and high < 2**63:
        return np.asarray(values, dtype=np.int64)
    return np.asarray(values, dtype=np.uint64) if low >= 0 and high < 2**64 else _objects(values)


def check_exact(name: str, integers: Iterable[int]) -> None:
    """Refuse integers that a float64 would change.

    Raises:
        ValueError: If there is one.
    """
    for value in integers:
        if abs(value) > EXACT and int(float(value)) != value:
            raise ValueError(
                f"column {name!r} of numbers has the integer {value}, which no float64 holds exactly: "
                "pass labels as a column of integers or strings alone"
            )


def check_missing(name: str, missing: Any, *, nan: bool = False) -> None:  # noqa: ANN401  (a mask of any library)
    """Refuse missing values.

    Args:
        name: The column.
        missing: Which rows are missing, of shape (n,).
        nan: Whether to call them NaN.

    Raises:
        ValueError: If any is.
    """
    gone = np.asarray(missing, dtype=bool)
    if gone.any():
        raise ValueError(
            f"column {name!r} has {'NaN: ' if nan else ''}{int(gone.sum())} missing values, the first in row "
            f"{int(gone.argmax())}: drop or fill them first"
        )


def _no_data(name: str, types: set[type]) -> ValueError:
    shown = ", ".join(sorted(t.__name__ for t in types))
    return ValueError(
        f"column {name!r} mixes or holds types that are not data: {shown}; expected integers, booleans, "
        "strings or floats, one kind in a column"
    )


def check_finite(name: str, array: Array) -> None:
    """Refuse NaN and infinities by row, and a span that overflows.

    Raises:
        ValueError: If a float is not finite, or the largest less the smallest is not.
    """
    if array.dtype.kind != "f" or not array.size:
        return
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = array.min(), array.max()
        extent = high - low
    if np.isfinite(extent):
        return
    bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not bad.any():
        raise ValueError(
            f"column {name!r} goes from {low:.3g} to {high:.3g}, which overflows its {array.dtype}: divide "
            "it by a constant first"
        )
    first = int(bad.argmax())
    what = "NaN" if np.isnan(array.reshape(len(array), -1)[first]).any() else "infinite values"
    raise ValueError(
        f"column {name!r} has {what}: {int(bad.sum())} of {len(array)} rows are not finite, the first is "
        f"row {first}; drop or fill them first"
    )
