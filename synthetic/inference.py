"""Which kind a column is, read from its type: integers, booleans and strings are discrete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthetic.variables import Variable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["infer_columns"]

Columns = dict[str, npt.NDArray[Any]]


def infer_columns(
    columns: Mapping[str, npt.ArrayLike] | pd.DataFrame,
) -> tuple[Columns, dict[str, Variable], dict[str, list[Any]]]:
    """Arrays, descriptions and levels of some columns.

    Integers keep their values where they are non-negative and below four times the number of different
    ones; other discrete columns are numbered in sorted order, and the levels say what the numbers mean.

    Raises:
        ValueError: If a column is empty, has missing values, mixes types, or is an array of a kind or
            shape that no variable has.
    """
    if not len(columns.keys()):
        raise ValueError("a sample needs at least one column, got none")
    arrays: Columns = {}
    variables: dict[str, Variable] = {}
    levels: dict[str, list[Any]] = {}
    for key, column in columns.items():
        name = str(key)
        if name in arrays:
            raise ValueError(f"column names must differ, got {name!r} twice")
        array, states = _read(name, column)
        if states is not None:
            levels[name] = states
        discrete = np.issubdtype(array.dtype, np.integer)
        cardinality = max(int(array.max()) + 1, len(states or ())) if discrete else None
        kind = "discrete" if discrete else "image" if array.ndim == 4 else "continuous"
        arrays[name] = array
        variables[name] = Variable(name, kind, cardinality)  # type: ignore[arg-type]
    return arrays, variables, levels


def _read(name: str, column: Any) -> tuple[npt.NDArray[Any], list[Any] | None]:  # noqa: ANN401
    import pandas as pd

    if isinstance(column, pd.Series):
        missing = column.isna().to_numpy()
        if missing.any():
            raise ValueError(
                f"column {name!r} has {int(missing.sum())} missing values, the first in row "
                f"{int(missing.argmax())}: drop or fill them first"
            )
        if isinstance(column.dtype, pd.CategoricalDtype):
            return column.cat.codes.to_numpy().astype(np.int64), [str(x) for x in column.cat.categories]
        column = column.to_numpy()
    array = np.asarray(column)
    if array.ndim == 0 or not array.size:
        raise ValueError(f"column {name!r} must have at least one row, got shape {array.shape}")
    if array.dtype.kind == "f":
        return array, None
    if array.ndim != 1:
        if array.dtype.kind in "iub":
            raise ValueError(
                f"column {name!r} of {array.dtype} has shape {array.shape}: discrete columns have "
                f"shape (n,), vectors and images hold floats"
            )
    elif array.dtype.kind == "b":
        return array.astype(np.int64), [False, True]
    elif array.dtype.kind in "iu":
        return _integers(array)
    elif array.dtype.kind == "U" or (
        array.dtype.kind in "OT" and all(isinstance(value, str) for value in array.tolist())
    ):
        labels = array if array.dtype.kind == "O" else array.astype(object)
        numbers, names = pd.factorize(labels, sort=True)
        return numbers.astype(np.int64), [str(state) for state in names]
    elif array.dtype.kind == "O":
        types = sorted({type(value).__name__ for value in array.tolist()})
        raise ValueError(f"column {name!r} mixes or holds types that are not data: {', '.join(types)}")
    raise ValueError(
        f"column {name!r} must hold integers, booleans, strings or floats, got {array.dtype} of shape "
        f"{array.shape}"
    )


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
