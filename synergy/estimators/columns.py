"""Slots of columns: checked, scaled, and described, before a neighbour is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from theory.checks import integer

__all__ = [
    "Scaling",
    "Slot",
    "check_rows",
    "check_scale",
    "described",
    "ends_in_edges",
    "named_slots",
    "scaled",
    "slot",
    "spread_labels",
]

Floats = npt.NDArray[np.float64]

Scaling = Literal["standardise", "copula"]
"""How columns are made comparable: zero mean and unit variance, or normal scores of their ranks."""

_TIED = 0.05
"""A column with a larger share of repeated values counts as tied."""
_EDGES = 2.2
"""Below this kurtosis a density ends in edges: uniform 1.8, normal 3."""
_EXTREME = 250
"""Beyond 2 to this power the fourth power of a number leaves float64."""


@dataclass(frozen=True)
class Slot:
    """The columns of one slot.

    Args:
        values: Shape (n, d).
        discrete: Which columns are labels, shape (d,).
        tied: Which continuous columns repeat more than 5 % of their values, shape (d,).
        name: `x`, `y` or `z`, for errors.
        columns: What the user calls the columns, d names; empty where they have none.
    """

    values: Floats
    discrete: npt.NDArray[np.bool_]
    tied: npt.NDArray[np.bool_]
    name: str
    columns: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """The number of columns."""
        return int(self.values.shape[1])

    def column(self, index: int) -> str:
        """What to call a column in errors and notes."""
        return self.columns[index] if self.columns else f"column {index} of {self.name}"


def slot(
    values: npt.ArrayLike, name: str, *, discrete: npt.ArrayLike | None = None, columns: Sequence[str] = ()
) -> Slot:
    """Check the columns of a slot.

    Args:
        values: Numbers of shape (n,) or (n, d).
        name: `x`, `y` or `z`.
        discrete: Which of the d columns are labels; None for none.
        columns: What the user calls the d columns, for errors and notes; empty for `column i of name`.

    Raises:
        ValueError: If the shape is another (an image, say), a number is NaN or infinite, a column is
            constant, or there are not d names.
        TypeError: If the values are not numbers.
    """
    array = np.asarray(values)
    if array.dtype != bool and not np.issubdtype(array.dtype, np.number):
        raise TypeError(f"{name} must hold numbers, got {array.dtype}")
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{name} must have shape (n,) or (n, d), got {array.shape}: neighbours of images mean nothing "
            "in pixels; use the classifier or an encoder's representation"
        )
    table = np.ascontiguousarray(array[:, None] if array.ndim == 1 else array, dtype=np.float64)
    if not table.size:
        raise ValueError(f"{name} must have at least one row and one column, got shape {array.shape}")
    if not np.isfinite(table).all():
        raise ValueError(
            f"{name} contains NaN or infinities in {int((~np.isfinite(table)).any(1).sum())} rows"
        )
    labels = np.zeros(table.shape[1], dtype=bool) if discrete is None else np.asarray(discrete, dtype=bool)
    if labels.shape != (table.shape[1],):
        raise ValueError(f"discrete_{name} must have shape ({table.shape[1]},), got {labels.shape}")
    if columns and len(columns) != table.shape[1]:
        raise ValueError(f"columns must name the {table.shape[1]} columns of {name}, got {columns!r}")
    constant = np.ptp(table, axis=0) == 0
    if constant.any():
        first = int(np.argmax(constant))
        called = columns[first] if columns else f"column {first} of {name}"
        raise ValueError(f"{called} is constant ({table[0, first]:g}): it says nothing, leave it out")
    repeated = np.array([1 - np.unique(column).size / len(column) for column in table.T])
    return Slot(table, labels, (repeated > _TIED) & ~labels, name, tuple(columns))


def named_slots(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    z: npt.ArrayLike | None,
    columns: Sequence[Sequence[str]] = (),
    discrete: Sequence[npt.ArrayLike | None] = (None, None, None),
) -> list[Slot]:
    """The checked slots of I(x;y|z), with the users' names of their columns.

    Raises:
        ValueError: As `slot`, or if there are names for some slots only.
        TypeError: As `slot`.
    """
    given = [(x, "x"), (y, "y")] + ([] if z is None else [(z, "z")])
    if columns and len(columns) != len(given):
        raise ValueError(f"columns must name the columns of {len(given)} slots, got {columns!r}")
    names = columns or ((),) * len(given)
    return [
        slot(values, name, discrete=labels, columns=called)
        for (values, name), labels, called in zip(given, discrete, names, strict=False)
    ]


def check_rows(slots: list[Slot], k: int) -> int:
    """The number of rows, if all slots agree on it and it exceeds k.

    Raises:
        ValueError: If they do not, or k is not positive, or there are too few rows.
        TypeError: If k is not an integer.
    """
    lengths = {s.name: len(s.values) for s in slots}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"all slots must have the same length, got {lengths}")
    integer("k", k, 1)
    n = len(slots[0].values)
    if n < 4 * k:
        raise ValueError(f"{k} neighbours need at least {4 * k} rows, got {n}")
    return n


def check_scale(scale: str | None) -> None:
    """Raise a ValueError that lists the scales if it is not one of them."""
    if scale is not None and scale not in get_args(Scaling):
        raise ValueError(f"scale must be one of {', '.join(get_args(Scaling))} or None, got {scale!r}")


def tamed(values: Floats) -> Floats:
    """The columns times powers of two where their squares would overflow or vanish; others as they are."""
    exponent = np.frexp(np.abs(values).max(axis=0))[1]
    return np.ldexp(values, np.where(np.abs(exponent) > _EXTREME, -exponent, 0))


def ends_in_edges(values: Floats) -> bool:
    """Whether a column has a kurtosis below 2.2, as a uniform one (1.8) has: edges, not tails."""
    safe = tamed(values)
    centred = safe - safe.mean(axis=0)
    second = np.square(centred).mean(axis=0)
    fourth = np.square(np.square(centred)).mean(axis=0)
    return bool((fourth < _EDGES * np.square(second)).any())


def scaled(values: Floats, scale: Scaling | None) -> Floats:
    """The columns made comparable, shape (n, d).

    `standardise` subtracts the mean and divides by the standard deviation, so that the units of a column
    do not matter. `copula` replaces each value by the normal score of its (mid-)rank, so that no
    monotone change of a column matters; information is invariant under both.
    """
    if scale is None:
        return values
    if scale == "standardise":
        safe = tamed(values)
        return np.asarray((safe - safe.mean(axis=0)) / safe.std(axis=0))
    order = values.argsort(axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    if (ordered[1:] > ordered[:-1]).all():  # no ties: the scores of all ranks, in the order of the rows
        scores = ndtri((np.arange(1.0, len(values) + 1) - 0.5) / len(values))
        found = np.empty(values.shape)
        np.put_along_axis(found, order, np.broadcast_to(scores[:, None], values.shape), axis=0)
        return found
    from scipy.stats import rankdata

    return np.asarray(ndtri((rankdata(values, axis=0) - 0.5) / len(values)))


def spread_labels(values: Floats, discrete: npt.NDArray[np.bool_], gap: float) -> Floats:
    """Labels as numbers that are further apart than any two continuous values, shape (n, d)."""
    found = values.copy()
    for column in np.flatnonzero(discrete):
        found[:, column] = np.unique(values[:, column], return_inverse=True)[1] * gap
    return found


def described(scale: Scaling | None) -> str:
    """What a note says about the scale."""
    if scale is None:
        return "columns as they are: the answer depends on their units"
    if scale == "standardise":
        return "columns standardised"
    return "columns replaced by their normal scores"
