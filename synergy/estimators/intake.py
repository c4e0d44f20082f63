"""What goes into an estimator: tables, mappings and samples become one checked `Sample`.

Only the columns that a term names are read, so a date or an address elsewhere in a table does no harm.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic import Sample, Variable
from theory import Expression, Term, parse_expression

__all__ = ["Data", "Slots", "as_sample", "check_expression", "slots_of", "split_columns"]

Data = Sample | pd.DataFrame | Mapping[str, npt.ArrayLike]
"""What `estimate` takes: a sample, a table, or arrays by name."""


def check_expression(expression: str | Term | Expression) -> Expression:
    """Parse, and refuse a variable that stands in two slots of one term.

    Raises:
        ValueError: If the text does not parse or a variable repeats.
        TypeError: If it is neither text nor a term nor an expression.
    """
    if not isinstance(expression, str | Term | Expression):
        raise TypeError(
            f"term must be text such as 'I(A;C|X)', a Term or an Expression, got {type(expression).__name__}"
        )
    parsed = parse_expression(expression)
    if not parsed.terms:
        raise ValueError(f"term must name at least one quantity, got {expression!r}")
    for term in parsed.terms:
        slots = (*term.groups, term.given)
        named = [name for slot in slots for name in dict.fromkeys(slot)]
        repeated = sorted({name for name in named if named.count(name) > 1})
        if repeated:
            raise ValueError(
                f"variable {repeated[0]!r} is repeated in {term}: each variable may stand in one slot only"
            )
    return parsed


def as_sample(data: Data, names: Sequence[str], *, groups: str | None = None) -> Sample:
    """The columns `names` (and the groups) as a checked sample.

    Integers, booleans, strings and categories are discrete, floats continuous; a float array of shape
    (n, d) is one vector variable, of shape (n, channels, height, width) or (n, height, width) an image.
    In a table, `Z_0, Z_1, ..` together are the vector `Z` where there is no column `Z`.

    Args:
        data: A Sample, a pandas DataFrame, or a mapping of arrays.
        names: The variables that are wanted.
        groups: The column whose equal values mark dependent rows; a Sample's own by default.

    Raises:
        TypeError: If the data is of another kind, or a tensor is sparse.
        ValueError: If a name is unknown, lengths or the labels of the rows of Series differ, or a column is
            empty, has NaN, infinite, masked or missing values, or holds something that is not data.

    Example:
        >>> as_sample({"A": [0, 1, 1], "Z": [[0.5, 1.0], [0.1, 0.2], [0.0, 3.0]]}, ["A", "Z"])
        Sample(3 rows: A[2], Z:continuous)
    """
    wanted = list(dict.fromkeys(names))
    if isinstance(data, Sample):
        _known(wanted, data.names)
        groups = groups if groups is not None else data.groups
        if groups is not None:
            _known([groups], data.names)
            wanted = list(dict.fromkeys([*wanted, groups]))
        chosen = {name: data[name] for name in wanted}
        return Sample(chosen, {n: data.variables[n] for n in wanted}, groups, data.metadata)
    if not isinstance(data, pd.DataFrame | Mapping):
        raise TypeError(
            "data must be a Sample, a pandas DataFrame or a mapping of arrays by name, "
            f"got {type(data).__name__}"
        )
    if groups is not None:
        wanted = list(dict.fromkeys([*wanted, groups]))
    columns = {name: _find(data, name) for name in wanted}
    lengths = {name: len(column) if np.ndim(column) else 0 for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"all columns must have the same length, got {lengths}")
    _check_aligned(columns)
    for name, column in columns.items():
        _check_finite(name, column)
    return Sample.infer(columns, groups=groups)


def _known(names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            shown = ", ".join(map(str, known)) or "no columns"
            raise ValueError(f"unknown variable {name!r}: the data has {shown}{hint}")


def _find(data: pd.DataFrame | Mapping[str, npt.ArrayLike], name: str) -> Any:  # noqa: ANN401  (a column of any library)
    """The column, or the vector that a table holds as `name_0, name_1, ..`."""
    known = [str(key) for key in data]
    if name in data:
        column = data[name]
        if isinstance(column, pd.DataFrame):
            raise ValueError(f"column names must differ, got {name!r} twice")
        return column if isinstance(column, pd.Series) else _as_array(name, column)
    parts = sorted(
        (int(key[len(name) + 1 :]), key) for key in known if re.fullmatch(rf"{re.escape(name)}_\d+", key)
    )
    if not parts or [i for i, _ in parts] != list(range(len(parts))):
        _known([name], known)
    stacked = [_as_array(key, data[key]) for _, key in parts]
    for (_, key), column in zip(parts, stacked, strict=True):
        _check_finite(key, column)
        if column.dtype.kind not in "fiub":
            raise ValueError(
                f"column {key!r}, a part of the vector {name!r}, must be numeric, got {column.dtype}"
            )
    return np.column_stack(stacked).astype(np.float64)


def _as_array(name: str, column: object) -> npt.NDArray[Any]:
    if hasattr(column, "detach"):
        column = _from_tensor(name, column)
    if isinstance(column, np.ma.MaskedArray) and np.ma.getmaskarray(column).any():
        where = np.nonzero(np.ma.getmaskarray(column))[0]
        raise ValueError(
            f"column {name!r} is masked in {np.unique(where).size} of {len(column)} rows, the first is row "
            f"{int(where[0])}: drop or fill them first"
        )
    try:
        array = np.asarray(column)
    except ValueError as error:
        raise ValueError(f"column {name!r} must be a rectangular array: {error}") from None
    if array.ndim == 3 and array.dtype.kind == "f":
        return array[:, None]
    if array.dtype == np.uint8 and array.ndim in (3, 4):
        scaled = array.astype(np.float32) / 255
        return scaled[:, None] if array.ndim == 3 else scaled
    return array


def _from_tensor(name: str, column: Any) -> Any:  # noqa: ANN401  (a tensor, without importing torch)
    try:
        tensor = column.detach().cpu()
        return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    except (TypeError, RuntimeError) as error:
        raise TypeError(f"column {name!r} must be a dense tensor of numbers: {error}") from None


def _check_aligned(columns: Mapping[str, Any]) -> None:
    """Refuse Series in a mapping whose rows have different labels: taken by position they may not belong."""
    series = {name: column for name, column in columns.items() if isinstance(column, pd.Series)}
    first = next(iter(series), "")
    for name, column in series.items():
        if not column.index.equals(series[first].index):
            raise ValueError(
                f"the rows of {first!r} and {name!r} have different labels (pandas indices): put both into "
                "one DataFrame, or pass arrays to pair them by position"
            )


def _check_finite(name: str, column: Any) -> None:  # noqa: ANN401  (a column of any library)
    if isinstance(column, pd.Series) and not isinstance(column.dtype, np.dtype):
        return  # nullable and categorical columns: `Sample.infer` counts their missing values
    array = np.asarray(column)
    if array.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        extent = array.max() - array.min() if array.size else 0.0
    if np.isinf(extent) and np.isfinite(array).all():
        raise ValueError(
            f"column {name!r} goes from {array.min():.3g} to {array.max():.3g}, which overflows its "
            f"{array.dtype}: divide it by a constant first"
        )
    bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1) if array.size else np.zeros(0, dtype=bool)
    if bad.any():
        first = int(bad.argmax())
        shown = array.reshape(len(array), -1)[first]
        what = "NaN" if np.isnan(shown).any() else "infinite values"
        raise ValueError(
            f"column {name!r} has {what}: {int(bad.sum())} of {len(array)} rows are not finite, the first is "
            f"row {first}; drop or fill them first"
        )


@dataclass(frozen=True)
class Slots:
    """The slots of one mutual information, as matrices.

    Args:
        x: Shape (n, dx).
        y: Shape (n, dy).
        z: Shape (n, dz), or None without conditions.
        notes: What was left out, and why.
        columns: The names of the columns of x, of y and, where there is one, of z.
    """

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    z: npt.NDArray[np.float64] | None
    notes: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]


def split_columns(sample: Sample, names: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """The discrete, continuous and image variables among `names`."""
    kinds: dict[str, list[str]] = {"discrete": [], "continuous": [], "image": []}
    for name in names:
        kinds[sample.variables[name].kind].append(name)
    return kinds["discrete"], kinds["continuous"], kinds["image"]


def slots_of(sample: Sample, term: Term, *, estimator: str) -> Slots:
    """The slots of I(X;Y|Z) as matrices, for estimators of continuous columns.

    Components that are constant are left out of a vector, with a note; a slot with nothing left is an
    error.

    Raises:
        ValueError: If the term is no mutual information of two slots, or a slot holds an image or only
            constants.
    """
    if len(term.groups) != 2:
        raise ValueError(f"{estimator} estimates I(..;..) or I(..;..|..) of two slots, got {term}")
    for name in term.variables:
        if sample.variables[name].kind == "image":
            raise ValueError(
                f"{estimator} cannot take the image column {name!r} of {term}: distances between pixels say "
                "little; use estimator='classifier', a variational one, or a representation of the image"
            )
    notes: list[str] = []
    (x, of_x), (y, of_y) = (_matrix(sample, group, notes) for group in term.groups)
    for group, matrix in zip(term.groups, (x, y), strict=True):
        if not matrix.shape[1]:
            raise ValueError(
                f"every column of the slot {','.join(group)} of {term} is constant: there is nothing to "
                f"estimate with {estimator}, the information is 0"
            )
    z, of_z = _matrix(sample, term.given, notes) if term.given else (None, ())
    if z is None or not z.shape[1]:
        return Slots(x, y, None, tuple(notes), (of_x, of_y))
    return Slots(x, y, z, tuple(notes), (of_x, of_y, of_z))


def _matrix(
    sample: Sample, names: Sequence[str], notes: list[str]
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """The components of some variables that vary, side by side, and what to call each."""
    parts, called = [], []
    for name in names:
        part = np.asarray(sample[name], dtype=np.float64).reshape(len(sample), -1)
        varies = part.min(axis=0) < part.max(axis=0)
        if not varies.all():
            left = int((~varies).sum())
            notes.append(
                f"{name} is constant and was left out"
                if left == part.shape[1]
                else f"{left} of {part.shape[1]} components of {name} are constant and were left out"
            )
        parts.append(part[:, varies])
        single = part.shape[1] == 1
        called += [name if single else f"component {i} of {name}" for i in np.flatnonzero(varies)]
    return np.hstack(parts), tuple(called)


def describe(variable: Variable, column: npt.NDArray[Any]) -> str:
    """A few words on a column, for notes."""
    if variable.kind == "discrete":
        return f"{variable.name} (discrete, {variable.cardinality} states)"
    return f"{variable.name} ({variable.kind}, {int(np.prod(column.shape[1:]))} dimensions)"
