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
    "GROUPS_OF_NEIGHBOUR",
    "ROWS_OF_NEIGHBOUR",
    "TIED",
    "Scaling",
    "Slot",
    "by_quartiles",
    "check_rows",
    "check_scale",
    "check_units",
    "described",
    "ends_in_edges",
    "free_columns",
    "is_filled",
    "is_rounding",
    "is_tied",
    "kurtosis",
    "named_slots",
    "scaled",
    "slot",
    "spread_labels",
    "tamed",
    "without_repeats",
]

Floats = npt.NDArray[np.float64]

Scaling = Literal["standardise", "copula", "balanced"]
"""How columns are made comparable: zero mean and unit variance, or normal scores of their ranks, or the first
for columns that end in edges and the second for all others."""

ROWS_OF_NEIGHBOUR = 4
"""The least number of rows for each neighbour."""
GROUPS_OF_NEIGHBOUR = 2
"""The least number of groups of dependent rows for each neighbour: of 4 to 6 groups of Gaussian rows
correlated by 0.9, and 5 neighbours, the interval missed in 33 of 45 data sets."""
TIED = 0.05
"""A column with a larger share of repeated values counts as tied."""
_EDGES = 2.2
"""Below this kurtosis a density ends in edges: uniform 1.8, normal 3."""
_NORMAL_QUARTILES = 1.349
"""The distance between the quartiles of a standard normal number."""
_CROWDED = 1.0
"""Columns with edges of which the usual spacing is below that of normal scores by more than this, in nats, do
not fill their range: uniform 0.2, the coordinate of a circle 0.6, two modes 20 standard deviations apart 1.5,
a steep sigmoid of a normal number 6."""
_WIDE, _SHARE_OF_TAIL = 0.25, 20
"""A gap of this share of the range without one row of so many at each end parts clusters."""
_APART = 4.0
"""By how much normal scores of clusters are kept apart: more than the usual distance within one."""
_CELLS = 16
"""The cells of equal numbers of rows of which the spacing is looked at."""
_ROUNDING = 1e-6
"""A residual of less than this share of the spread is rounding, also of columns that were in single
precision."""
_LINEAR: tuple[Scaling, ...] = ("standardise", "copula")
"""The scales on which a column may be linear in others."""
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

    def take(self, kept: npt.NDArray[np.bool_]) -> Slot:
        """The slot with some of its columns, with the names that they had.

        Args:
            kept: Which to keep, shape (d,).
        """
        names = tuple(self.columns[i] for i in np.flatnonzero(kept)) if self.columns else ()
        return Slot(self.values[:, kept], self.discrete[kept], self.tied[kept], self.name, names)


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
    tied = np.array([is_tied(column) for column in table.T])
    return Slot(table, labels, tied & ~labels, name, tuple(columns))


def is_tied(column: npt.NDArray[np.generic]) -> bool:
    """Whether a column of shape (n,) repeats more than 5 % of its values.

    Example:
        >>> is_tied(np.arange(100) % 95), is_tied(np.arange(100) % 94)
        (False, True)
    """
    return bool(len(column) - np.unique(column).size > TIED * len(column))


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


def without_repeats(slots: list[Slot]) -> tuple[list[Slot], list[str]]:
    """The slots (x, y, z) without columns that others of their slot and of z fix, and notes that name them.

    Such columns add nothing: I(X, f(X, Z); Y | Z) = I(X; Y | Z). Shares that sum up to a whole, parts beside
    their total, one length in two units are of this kind. A column is taken as fixed where it is a linear
    function of the columns before it and of z, or its normal scores are, up to rounding. Columns of slots
    with labels stay as they are.

    Args:
        slots: Of columns of which z fixes none of x and y.
    """
    kept, notes = [], []
    z = slots[2] if len(slots) > 2 and not slots[2].discrete.any() else None
    for s in slots:
        if s.discrete.any():
            kept.append(s)
            continue
        before = s.values[:, :0] if z is None or s is z else z.values
        free = free_columns(np.hstack([before, s.values]))[before.shape[1] :]
        free[0] = True
        for i in np.flatnonzero(~free):
            notes.append(f"{s.column(int(i))} is a function of the columns beside it, and was left out")
        kept.append(s.take(free))
    return kept, notes


def free_columns(table: Floats) -> npt.NDArray[np.bool_]:
    """Which columns are not linear in those before them, nor their normal scores, shape (d,).

    Args:
        table: Shape (n, d), no column constant.
    """
    n, d = table.shape
    most = max(0, min(d, n - 2))  # as many columns as rows fix everything, and say nothing
    fixed = np.zeros((len(_LINEAR), d), dtype=bool)
    parts = [(scaled(table, scale), np.full((n, most + 1), n**-0.5, order="F")) for scale in _LINEAR]
    size = 1
    for i in range(most):
        rest = []
        for of, (columns, basis) in zip(fixed, parts, strict=True):
            left = columns[:, i]
            for _ in range(2):  # twice, to full precision
                left = left - basis[:, :size] @ (basis[:, :size].T @ left)
            of[i] = is_rounding(left, columns[:, i])
            rest.append(left)
        if not fixed[:, i].any():
            for left, (_, basis) in zip(rest, parts, strict=True):
                basis[:, size] = left / np.linalg.norm(left)
            size += 1
    return np.asarray(~fixed.any(axis=0))


def is_rounding(rest: Floats, column: Floats) -> bool:
    """Whether what is left of a column is rounding, beside its largest value and beside its usual spread.

    The second matters where a few values dwarf the others, which are then less than rounding beside them.
    The usual spread is that of the rows off the median, which many rows of a floor or a cap may share.

    Args:
        rest: What a regression leaves of the column, shape (n,).
        column: Shape (n,).

    Example:
        >>> column = np.array([0.0, 0.0, 0.0, -1.0, 1.0, 1e9])
        >>> is_rounding(1e-9 * column, column), is_rounding(np.array([0.0, 0, 0, 1, 1, 0]), column)
        (True, False)
    """
    left, whole = np.abs(rest), np.abs(column - np.median(column))
    off = whole > 0
    if not off.any():
        return not left.any()
    usual = np.median(left[off]) <= _ROUNDING * np.median(whole[off])
    return bool(usual and left.max() <= _ROUNDING * whole.max())


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
    check_units(n, k, single=True)
    return n


def check_units(count: int, k: int, *, single: bool) -> None:
    """Check that there are enough rows, or groups of dependent rows, among which to look for neighbours.

    Args:
        count: Of the rows or groups.
        k: The number of neighbours.
        single: Whether they are rows.

    Raises:
        ValueError: If there are not.
    """
    each, called = (
        (ROWS_OF_NEIGHBOUR, "rows") if single else (GROUPS_OF_NEIGHBOUR, "groups of dependent rows")
    )
    if count < each * k:
        raise ValueError(f"{k} neighbours need at least {each * k} {called}, got {count}")


def check_scale(scale: str | None) -> None:
    """Raise a ValueError that lists the scales if it is not one of them."""
    if scale is not None and scale not in get_args(Scaling):
        raise ValueError(f"scale must be one of {', '.join(get_args(Scaling))} or None, got {scale!r}")


def tamed(values: Floats) -> Floats:
    """The columns times powers of two where their squares would overflow or vanish; others as they are."""
    exponent = np.frexp(np.abs(values).max(axis=0))[1]
    return np.ldexp(values, np.where(np.abs(exponent) > _EXTREME, -exponent, 0))


def kurtosis(values: Floats) -> Floats:
    """The mean fourth power of each column, standardised, shape (d,); NaN of one that is constant.

    Example:
        >>> kurtosis(np.array([[-1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [1.0, 9.0]])).round(2).tolist()
        [1.0, 2.33]
    """
    safe = tamed(values)
    squares = np.square(safe - safe.mean(axis=0))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.square(squares).mean(axis=0) / np.square(squares.mean(axis=0)))


def by_quartiles(values: Floats, rows: npt.NDArray[np.int64] | slice = slice(None)) -> Floats:
    """The columns less their medians, in standard deviations of a normal number with their quartiles.

    Heavy tails play no part in that unit. Where the quartiles meet it is the standard deviation.

    Args:
        values: Shape (n, d).
        rows: Those from which median and quartiles are taken.
    """
    low, middle, high = np.quantile(values[rows], [0.25, 0.5, 0.75], axis=0)
    spread = np.where(high > low, (high - low) / _NORMAL_QUARTILES, values[rows].std(axis=0))
    return np.asarray((values - middle) / np.where(spread > 0, spread, 1.0))


def ends_in_edges(values: Floats) -> bool:
    """Whether a column has a kurtosis below 2.2, as a uniform one (1.8) has: edges, not tails."""
    return bool((kurtosis(values) < _EDGES).any())


def is_filled(column: Floats) -> bool:
    """Whether a column of shape (n,) ends in edges and fills the range between them.

    So does a uniform one, an angle, or the coordinate of a circle. One of far modes or of values near 0 and 1
    does not: beside its range the distances between its values are small.
    """
    return ends_in_edges(column[:, None]) and _crowding(column) <= _CROWDED


def _crowding(column: Floats) -> float:
    """By how many nats the usual spacing of a column is below that of as many normal scores.

    The mean logarithm of the spacings (Vasicek 1976) of cells with as many rows each, without atoms, beside
    the standard deviation.
    """
    n = len(column)
    ordered = np.sort(scaled(column[:, None], "standardise")[:, 0])
    ends = np.linspace(0, n - 1, max(1, min(_CELLS, n // 4)) + 1).round().astype(int)
    scores = ndtri((np.arange(n) + 0.5) / n)
    spacing, usual = np.diff(ordered[ends]), np.diff(scores[ends] / scores.std())
    wide = spacing > 0
    return float(np.mean(np.log(usual[wide] / spacing[wide]))) if wide.any() else 0.0


def scaled(values: Floats, scale: Scaling | None) -> Floats:
    """The columns made comparable, shape (n, d).

    `standardise` subtracts the mean and divides by the standard deviation, so that the units of a column
    do not matter. `copula` replaces each value by the normal score of its (mid-)rank, so that no
    monotone change of a column matters. `balanced` does the first with columns that end in edges, which
    normal scores would stretch into tails, and the second with all others: the standard deviation of heavy
    tails, of far modes or of a code such as 9999 says nothing of where most rows lie. Clusters that are far
    apart stay apart. Information is invariant under all of them.
    """
    if scale is None:
        return values
    if scale == "balanced":
        filled = np.array([is_filled(column) for column in values.T], dtype=bool)
        found = np.empty(values.shape)
        found[:, filled] = scaled(values[:, filled], "standardise")
        found[:, ~filled] = scaled(values[:, ~filled], "copula") + _gaps(values[:, ~filled])
        return found
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


def _gaps(values: Floats) -> Floats:
    """What keeps clusters apart where ranks take the place of values: `_APART` for each wide gap below one.

    A gap is wide if it takes a quarter of the range of the middle 90 % of the rows, and lies among them.
    """
    n = len(values)
    few = max(1, n // _SHARE_OF_TAIL)
    ordered = np.sort(values, axis=0)
    inner = ordered[few : n - few]
    wide = np.diff(inner, axis=0) > _WIDE * (inner[-1] - inner[0])
    found = np.zeros(values.shape)
    for column in np.flatnonzero(wide.any(axis=0)):
        above = inner[1:, column][wide[:, column]]
        found[:, column] = _APART * np.searchsorted(above, values[:, column], side="right")
    return found


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
    if scale == "balanced":
        return "columns that end in edges standardised, others replaced by their normal scores"
    return "columns replaced by their normal scores"
