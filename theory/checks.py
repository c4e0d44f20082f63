"""Checks of parameters. Each error names the argument, the value and what was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from theory.errors import shown

__all__ = [
    "array",
    "distribution",
    "distributions",
    "integer",
    "matrix",
    "number",
    "positive_definite",
    "probability",
]

SUM_TOLERANCE = 1e-9
"""Probabilities may miss the sum 1 by this, for those that were typed as decimals."""


def integer(name: str, value: object, low: int, high: int | None = None) -> int:
    """An integer between two bounds.

    Raises:
        TypeError: If it is not an integer.
        ValueError: If it is out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {shown(value)}")
    result = int(value)
    if result < low or (high is not None and result > high):
        wanted = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"{name} must be {wanted}, got {shown(result)}")
    return result


def number(name: str, value: object, *, low: float = -math.inf, strict: bool = False) -> float:
    """A finite real number, at least `low`, or above it where `strict`.

    Raises:
        TypeError: If it is not a real number.
        ValueError: If it is NaN, infinite or too small.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    result = _as_float(value)
    if not math.isfinite(result):
        raise ValueError(f"{name} must be finite, got {shown(value)}")
    if result < low or (strict and result == low):
        raise ValueError(f"{name} must be {'above' if strict else 'at least'} {low:g}, got {value}")
    return result


def probability(name: str, value: object) -> float:
    """A number between 0 and 1.

    Raises:
        TypeError: If it is not a number.
        ValueError: If it is not between 0 and 1.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a probability, got {shown(value)}")
    result = _as_float(value)
    if not 0 <= result <= 1:
        raise ValueError(f"{name} must be a probability between 0 and 1, got {shown(value)}")
    return result


def distribution(name: str, values: object, size: int | None = None) -> tuple[float, ...]:
    """Non-negative numbers that sum to one.

    Raises:
        ValueError: If they are not a distribution, or their number is not `size`.
    """
    p = _floats(name, values)
    if p.ndim != 1 or not p.size:
        raise ValueError(f"{name} must be a list of probabilities, got shape {p.shape}")
    if size is not None and len(p) != size:
        raise ValueError(f"{name} must have {size} probabilities, got {len(p)}")
    if p.min() < 0:
        raise ValueError(f"{name} must not be negative, got {p.min()}")
    if abs(p.sum() - 1) > SUM_TOLERANCE:
        raise ValueError(f"{name} must sum to 1, got {p.sum()}")
    return tuple(float(x) for x in p)


def matrix(
    name: str, values: object, *, rows: int | None = None, columns: int | None = None
) -> tuple[tuple[float, ...], ...]:
    """A matrix of finite numbers, as nested tuples.

    Raises:
        ValueError: If it is not a matrix of that shape.
    """
    table = _floats(name, values)
    wanted = (rows, columns)
    fits = table.ndim == 2 and all(w is None or w == k for w, k in zip(wanted, table.shape, strict=True))
    if not fits or not table.size:
        shape = " x ".join("any" if w is None else str(w) for w in wanted)
        raise ValueError(f"{name} must be a matrix of shape {shape}, got shape {table.shape}")
    return tuple(tuple(float(x) for x in row) for row in table)


def positive_definite(name: str, values: object, size: int) -> tuple[tuple[float, ...], ...]:
    """A symmetric positive definite matrix, as nested tuples.

    Raises:
        ValueError: If it is not square of that size, not symmetric, or singular or indefinite: its
            smallest eigenvalue must exceed the rounding error of the largest.
    """
    table = np.asarray(matrix(name, values))
    if table.shape != (size, size):
        raise ValueError(f"{name} must be a square matrix of size {size}, got shape {table.shape}")
    if not np.allclose(table, table.T, rtol=1e-12, atol=0):
        raise ValueError(f"{name} must be symmetric, got {table.tolist()}")
    eigenvalues = np.linalg.eigvalsh(table)
    if eigenvalues[0] <= size * np.finfo(float).eps * max(abs(eigenvalues)):
        raise ValueError(
            f"{name} must be positive definite, got one that is singular or indefinite "
            f"(smallest eigenvalue {eigenvalues[0]:.3g})"
        )
    return tuple(tuple(float(x) for x in row) for row in table)


def array(name: str, values: object) -> npt.NDArray[Any]:
    """Real numbers as float64, or as objects where they are Fractions, of any shape.

    Raises:
        TypeError: If they are text, complex, or objects that are neither Fractions nor integers.
        ValueError: If entries are masked, or lists differ in length.
    """
    data: Any = values
    masked = _masked(data)
    if masked:
        raise ValueError(f"{name} must have no masked entries, got {masked}")
    try:
        found = np.asarray(data)
    except ValueError:
        raise ValueError(f"{name} must hold numbers in rows of equal length, got {shown(values)}") from None
    if found.dtype == object:
        for entry in found.flat:
            if isinstance(entry, bool) or not isinstance(entry, Fraction | Integral):
                raise TypeError(f"exact {name} must be Fractions, got {type(entry).__name__}: {shown(entry)}")
        return found
    if found.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be real numbers, got {found.dtype}: {shown(values)}")
    return np.asarray(found, dtype=np.float64)


def distributions(name: str, values: object) -> npt.NDArray[Any]:
    """An array whose last axis holds distributions: not negative, each summing to one.

    Fractions sum to one exactly; float64 within 1e-9, by rounding.

    Raises:
        TypeError: If the entries are not real numbers.
        ValueError: If an entry is masked, negative or not finite, or a row does not sum to one.
    """
    table = array(name, values)
    if not table.ndim:
        raise ValueError(f"{name} must be rows of probabilities, got the single value {table}")
    if table.dtype != object and not np.isfinite(table).all():
        raise ValueError(f"each row of {name} must be a distribution, got NaN or infinity")
    if table.size and table.min() < 0:
        raise ValueError(f"each row of {name} must be a distribution, got the entry {table.min()}")
    sums = np.asarray(table.sum(axis=-1))
    wrong = sums != 1 if table.dtype == object else abs(sums - 1) > SUM_TOLERANCE
    if np.any(wrong):
        where = tuple(map(int, np.argwhere(wrong)[0]))
        row = f" in row {', '.join(map(str, where))}" if where else ""
        raise ValueError(f"each row of {name} must be a distribution, got the sum {sums[where]!s}{row}")
    return table


def _as_float(value: Real) -> float:
    """The number as a float; one beyond the range of floats is infinite."""
    try:
        return float(value)
    except OverflowError:
        return -math.inf if value < 0 else math.inf


def _masked(values: object) -> int:
    """The number of masked entries, also within lists."""
    if isinstance(values, np.ma.MaskedArray):
        return int(np.ma.getmaskarray(values).sum())
    return sum(map(_masked, values)) if isinstance(values, list | tuple) else 0


def _floats(name: str, values: object) -> npt.NDArray[np.float64]:
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise TypeError(f"{name} must be a list of numbers, got {shown(values)}")
    try:
        result = array(name, values).astype(np.float64)
    except OverflowError:  # an integer or a fraction beyond the range of floats
        raise ValueError(f"{name} must be within the range of floats, got {shown(values)}") from None
    if not np.isfinite(result).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return result
