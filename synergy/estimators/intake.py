"""What goes into an estimator: tables, mappings and samples become one checked `Sample`.

Only the columns that a term names are read, so a date or an address elsewhere in a table or a file does no
harm.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic import Sample, Table, read_data
from synthetic.columns import EXACT, check_finite
from theory import Expression, Term, parse_expression

__all__ = [
    "Data",
    "Slots",
    "as_sample",
    "check_expression",
    "floats_of",
    "is_constant",
    "slots_of",
    "split_columns",
]

Data = Sample | pd.DataFrame | Mapping[str, npt.ArrayLike] | str | Path
"""What `estimate` takes: a sample, a table, arrays by name, or the path of a file or folder."""

_MOST_BITS = 1000
"""Integers of more bits than this are near the end of the range of float64."""


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
    parsed = parse_expression(_composed(expression) if isinstance(expression, str) else expression)
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
    """The columns `names` (and the groups) as a checked sample; no other column is read.

    Integers, booleans, strings and categories are discrete, floats continuous; a float array of shape
    (n, d), or a list of d floats in each row, is one vector variable, of shape (n, channels, height, width)
    or (n, height, width) an image. A name without a column is the vector of the columns `Z_0, Z_1, ..`; a
    column `Z_0` alone is a vector of one dimension. All of it holds for files as for data in memory.

    Args:
        data: A Sample, a pandas DataFrame, a mapping of arrays, or the path of a file or folder, as
            `synthetic.read_data` takes it.
        names: The variables that are wanted.
        groups: The column whose equal values mark dependent rows; a Sample's own by default.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If the data is of another kind, a tensor is sparse, or `groups` is no name.
        ValueError: If a name is unknown, lengths or the labels of the rows of Series differ, or a column is
            empty, has NaN, infinite, masked or missing values, or holds something that is not data.

    Example:
        >>> as_sample({"A": [0, 1, 1], "Z": [[0.5, 1.0], [0.1, 0.2], [0.0, 3.0]]}, ["A", "Z"])
        Sample(3 rows: A[2], Z:continuous)
    """
    if not isinstance(groups, str | None):
        raise TypeError(f"groups must be the name of one column, or None, got {groups!r}")
    wanted = [*dict.fromkeys([*names, *([] if groups is None else [groups])])]
    if isinstance(data, str | Path):
        data = read_data(data, columns=wanted)
    elif isinstance(data, pd.DataFrame | Mapping):
        data = Table.of(_with_composed_names(data))
    elif not isinstance(data, Sample):
        raise TypeError(
            "data must be a Sample, a pandas DataFrame or a mapping of arrays by name, or a path, "
            f"got {type(data).__name__}"
        )
    if groups is None and data.groups is not None:
        groups = data.groups
        wanted = [*dict.fromkeys([*wanted, groups])]
    chosen = data.select(wanted)
    if not isinstance(data, Table):
        for name, column in chosen.columns.items():
            check_finite(name, column)
    return chosen if groups is None else replace(chosen, groups=groups)


def _composed(name: str) -> str:
    """A name with accents in one piece with their letters (NFC)."""
    return unicodedata.normalize("NFC", name)


def _with_composed_names(
    data: pd.DataFrame | Mapping[str, npt.ArrayLike],
) -> pd.DataFrame | Mapping[str, npt.ArrayLike]:
    """The same columns with composed names, where that leaves them different."""
    names = list(data.keys())
    composed = [_composed(name) if isinstance(name, str) else name for name in names]
    if composed == names or len(set(composed)) < len(composed):
        return data
    if isinstance(data, pd.DataFrame):
        return data.set_axis(composed, axis=1)
    return dict(zip(composed, data.values(), strict=True))


def is_constant(column: npt.NDArray[Any]) -> bool:
    """Whether all rows of a column of shape (n, ..) are equal."""
    return bool((column == column[:1]).all())


def floats_of(levels: Sequence[Any]) -> npt.NDArray[np.float64]:
    """Numbers as float64, shape (k,), with the order of integers kept however large they are.

    Where they are integers that no float64 holds, they are taken less the smallest; where these still leave
    its range, in units of a power of two.

    Args:
        levels: k numbers, integers as Python's.

    Example:
        >>> floats_of([-(2**63), 2**63 - 1, 2**63]).tolist() == [0.0, 2.0**64 - 1, 2.0**64]
        True
    """
    if all(isinstance(level, int) for level in levels) and max(map(abs, levels)) > EXACT:
        least = min(levels)
        unit = max(0, (max(levels) - least).bit_length() - _MOST_BITS)
        levels = [(level - least) >> unit for level in levels]
    return np.asarray(levels, dtype=np.float64)


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
