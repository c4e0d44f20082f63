"""Rows that were entered more than once.

Values of full precision hardly ever meet, so rows that repeat one another in every digit are the same row. Of
rounded values and of labels many meet by chance, but not in any numbers: `multiplicity.py` has the law.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from synergy.estimators.multiplicity import most_unlikely_multiplicity
from synergy.estimators.past import MOST_ROWS
from synthetic import Sample

__all__ = ["repeated_rows"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_REPEATED = 0.02
"""From this share of repeated rows on the interval is visibly too short."""

_MOST_ATOMS = 8
"""So few different rows that repeat may be the corners of columns that are cut off, not copies."""

_FINE = 4
"""Values are fine, not rounded, where the smallest step between the middle ones is below a grid's by this."""

_MET = 0.02
"""With more rows than this share of the numbers of as many binary digits values meet by chance: of n of N
equally likely ones n / 2N do."""

_MOST_DIGITS = 53
"""The binary digits of float64."""

_LEVEL = 0.01
"""The chance that one of three numbers is beyond what is taken to be possible; they must conspire."""

_LEVEL_OF_MULTIPLES = 1e-5
"""The chance that all counts have a common divisor; a table of designed counts may have one."""


def repeated_rows(sample: Sample, names: list[str]) -> str | None:
    """What to say of rows that repeat one another in every digit of these variables; None where few do."""
    if not names:
        return None
    continuous = [name for name in names if sample.variables[name].kind == "continuous"]
    n = len(sample) if continuous else min(len(sample), MOST_ROWS)
    columns = [column for name in continuous for column in sample[name].reshape(n, -1).T]
    if any(len(np.unique(column)) == n for column in columns):
        return None
    coded = [_codes(column) for column in columns]
    repeated = _fine_repeats(coded) if coded and all(map(_fine, columns)) else 0
    if repeated > _REPEATED * n:
        return (
            f"{repeated} of {n} rows repeat another row in every digit, so they are not independent: "
            "drop them if they were entered twice, or name the column of their groups by groups='column'"
        )
    labels = [
        column.astype(np.int64)
        for name in names
        if name not in continuous
        for column in sample[name][:n].reshape(n, -1).T
    ]
    counts = np.bincount(_joint([*coded, *labels]))
    often = _too_often(counts, design=not coded)
    if often is None:
        return None
    return (
        f"more rows than chance allows occur {often}, so they are not independent: drop the copies if rows "
        "were entered again, or name the column of their groups by groups='column'"
    )


def _codes(column: npt.NDArray[Any]) -> Integers:
    codes: Integers = np.unique(column, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return codes


def _joint(columns: list[Integers]) -> Integers:
    """Equal codes for equal rows."""
    found = columns[0]
    for codes in columns[1:]:
        found = _codes(found * (int(codes.max(initial=0)) + 1) + codes)
    return found


def _fine_repeats(columns: list[Integers]) -> int:
    """How many rows repeat another one that has a value of its own; 0 where few different rows do.

    A value that several different rows have, as the zero of a column that is cut off there, is an atom: rows
    that agree in atoms only repeat nothing.
    """
    first, counts = np.unique(_joint(columns), return_index=True, return_counts=True)[1:]
    own = np.zeros(len(first), dtype=bool)
    for codes in columns:
        values = codes[first]
        own |= np.bincount(values)[values] == 1
    again = own & (counts > 1)
    return int((counts[again] - 1).sum()) if again.sum() > _MOST_ATOMS else 0


def _fine(column: npt.NDArray[Any]) -> bool:
    """Whether values hardly meet by chance: the middle ones lie closer than on a grid of as many.

    Nor must they have so few binary digits that they meet, as in half precision, also where they come as
    float64.
    """
    values = np.unique(column.astype(np.float64))
    if len(column) > _MET * 2.0 ** _digits(values):
        return False
    middle = values[len(values) // 4 : len(values) - len(values) // 4]
    if len(middle) < 2 * _FINE:
        return False
    return bool(np.diff(middle).min() * _FINE * len(middle) < middle[-1] - middle[0])


def _digits(values: Floats) -> int:
    """The binary digits that all of these numbers have enough of: 11 in half precision, 8 in bfloat16.

    Example:
        >>> _digits(np.array([0.5, 3.0])), _digits(np.float16([0.1, 0.3]).astype(float))
        (2, 11)
    """
    mantissa = np.abs(np.frexp(values)[0])
    least, most = 1, _MOST_DIGITS
    while least < most:
        middle = (least + most) // 2
        shifted = np.ldexp(mantissa, middle)
        least, most = (least, middle) if (shifted == np.floor(shifted)).all() else (middle + 1, most)
    return least


def _too_often(counts: Integers, *, design: bool) -> str | None:
    """How many times more rows occur than in any independent sample; None where nothing is out of the way.

    Args:
        counts: How often each of the different rows occurs.
        design: Whether equal counts are a design, as of labels that are all combined.
    """
    counts = counts[counts > 0]
    if len(counts) < 2 or (design and counts.min() == counts.max()):
        return None
    divisor = int(np.gcd.reduce(counts))
    if divisor > 1 and (1 - len(counts)) * math.log(divisor) < math.log(_LEVEL_OF_MULTIPLES):
        return f"{divisor} times or a multiple of it"
    k = most_unlikely_multiplicity(counts, _LEVEL)
    return None if k is None else f"{k} times"
