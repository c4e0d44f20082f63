"""What a classifier sees: named columns turned into one matrix of balanced blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synergy.estimators.columns import kurtosis, scaled, tamed
from synthetic import Sample

__all__ = ["HEAVY", "Block", "Design", "encode_target", "make_design", "scaling", "standardised"]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_LARGEST = 2**30
"""The most numbers of a design matrix: 4 GiB in single precision."""
_MOST_CODES = 2**62
"""Joint codes below this are surely integers of 64 bits."""
HEAVY = 6.0
"""Columns whose mean fourth power, standardised, exceeds this have heavy tails (normal 3, Laplace 6)."""
_COARSE, _TINY = 1e4, 1e-30
"""Columns whose size is this many times their extent, or whose extent or inverse size is below the other,
lose digits in single precision."""


@dataclass(frozen=True)
class Block:
    """One variable's columns in the design matrix.

    Args:
        name: The variable.
        kind: `discrete` (one-hot), `continuous` or `image`.
        columns: Where the block lies in the matrix.
        shape: The shape of one row before it was flattened, (channels, height, width) for images.
    """

    name: str
    kind: str
    columns: slice
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Design:
    """The conditioning variables as one matrix.

    Args:
        matrix: Shape (n, d): discrete columns one-hot, continuous ones and images as they are.
        blocks: Which columns belong to which variable.
        codes: The joint state of the discrete variables, shape (n,), or None where there are none.
        cells: The number of their joint states that occur; the codes are 0 .. cells - 1.
        plain: The continuous columns as they are, shape (n, m), where normal scores stand for some of them in
            the matrix; else None.
    """

    matrix: Floats
    blocks: tuple[Block, ...]
    codes: Integers | None
    cells: int
    plain: npt.NDArray[np.float64] | None = None

    @property
    def all_discrete(self) -> bool:
        """Whether every conditioning variable is discrete."""
        return all(block.kind == "discrete" for block in self.blocks)


def encode_target(sample: Sample, target: Sequence[str]) -> tuple[Integers, int]:
    """Joint codes 0 .. k - 1 of discrete variables, and k, the number of states that occur.

    Raises:
        ValueError: If a variable is not discrete.
    """
    for name in target:
        kind = sample.variables[name].kind
        if kind != "discrete":
            raise ValueError(f"the predicted variable must be discrete, got {name!r}, which is {kind}")
    return _joint_codes(sample, target)


def make_design(sample: Sample, given: Sequence[str], *, scores: bool = False) -> Design:
    """Encode the conditioning variables of `given`, in that order.

    Args:
        sample: The data.
        given: The names of the conditions.
        scores: Whether normal scores of their ranks stand for numbers with heavy tails, of which the standard
            deviation says nothing of where most rows lie. They tell as much of any label.

    Raises:
        ValueError: If the matrix would not fit in 4 GiB.
    """
    n = len(sample)
    parts: list[Floats] = []
    blocks: list[Block] = []
    plain: list[npt.NDArray[np.float64]] = []
    scored = False
    start = 0
    discrete = [name for name in given if sample.variables[name].kind == "discrete"]
    width = sum(
        (sample.variables[name].cardinality or 1) if name in discrete else sample[name][0].size
        for name in given
    )
    if width * n > _LARGEST:
        raise ValueError(
            f"conditioning on {', '.join(given)} needs a matrix of {n} x {width}, "
            f"{width * n / 2**28:.1f} GiB; the limit is 4 GiB: "
            "merge rare states, or take fewer rows or smaller images"
        )
    for name in given:
        column, variable = sample[name], sample.variables[name]
        if variable.kind == "discrete":
            part = np.zeros((n, variable.cardinality or 1), dtype=np.float32)
            part[np.arange(n), column] = 1
        else:
            numbers = column.reshape(n, -1)
            if scores and variable.kind == "continuous":
                heavy = kurtosis(numbers.astype(np.float64)) > HEAVY
                plain.append(tamed(numbers.astype(np.float64)))
                scored |= bool(heavy.any())
                numbers = _with_scores(numbers, heavy)
            part = _in_single_precision(numbers)
        shape = part.shape[1:] if variable.kind == "discrete" else column.shape[1:] or (1,)
        blocks.append(Block(name, variable.kind, slice(start, start + part.shape[1]), shape))
        parts.append(part)
        start += part.shape[1]
    matrix = np.hstack(parts) if parts else np.zeros((n, 0), dtype=np.float32)
    codes, cells = _joint_codes(sample, discrete) if discrete else (None, 1)
    return Design(matrix, tuple(blocks), codes, cells, np.hstack(plain) if scored else None)


def _with_scores(
    part: npt.NDArray[np.floating[Any]], heavy: npt.NDArray[np.bool_]
) -> npt.NDArray[np.floating[Any]]:
    """The columns, those with heavy tails replaced by their normal scores."""
    if not heavy.any():
        return part
    found = part.astype(np.float64)
    found[:, heavy] = scaled(found[:, heavy], "copula")
    return found


def _in_single_precision(part: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
    """Columns in float32; those that it cannot resolve or hold (times of day in seconds, say) from 0 to 1."""
    if part.dtype == np.float32:
        return part
    low, high = part.min(axis=0), part.max(axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    lost = (high > low) & ((size > _COARSE * (high - low)) | (size > 1 / _TINY) | (high - low < _TINY))
    if not lost.any():
        return part.astype(np.float32)
    moved = np.where(lost, part - low, part) / np.where(lost, high - low, 1.0)
    return moved.astype(np.float32)


def _joint_codes(sample: Sample, names: Sequence[str]) -> tuple[Integers, int]:
    """Joint codes 0 .. k - 1 in the order of the states, and k, the number of states that occur.

    The states that there could be may be more than an integer holds, those that occur are at most n: so the
    codes are numbered anew before they would be too many.
    """
    codes, bound = np.zeros(len(sample), dtype=np.int64), 1
    for name in names:
        column, size = sample[name].astype(np.int64), sample.variables[name].cardinality or 1
        if bound > _MOST_CODES // size:
            codes, bound = _numbered(codes)
        if bound > _MOST_CODES // size:
            column, size = _numbered(column)
        codes = codes * size + column
        bound *= size
    return _numbered(codes)


def _numbered(codes: Integers) -> tuple[Integers, int]:
    """The codes as 0 .. k - 1 in their order, and k."""
    seen, compact = np.unique(codes, return_inverse=True)
    return compact.reshape(-1).astype(np.int64), len(seen)


def scaling(
    design: Design, fit: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What the columns are centred and divided by, from the rows of `fit`, each of shape (d,).

    Per column for vectors, the spread of images as a whole; 0 and 1 for discrete conditions.
    """
    centre, spread = np.zeros(design.matrix.shape[1], np.float32), np.ones(design.matrix.shape[1], np.float32)
    for block in design.blocks:
        if block.kind == "discrete":
            continue
        part = design.matrix[fit, block.columns]
        centre[block.columns] = part.mean(axis=0)
        part = part - centre[block.columns]
        found = part.std(axis=0) if block.kind == "continuous" else np.sqrt(part.var(axis=0).mean())
        spread[block.columns] = np.where(found > 0, found, 1.0)
    return centre, spread


def standardised(design: Design, fit: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Each block centred and scaled by the rows of `fit`, see `scaling`."""
    centre, spread = scaling(design, fit)
    return np.asarray((design.matrix - centre) / spread)
