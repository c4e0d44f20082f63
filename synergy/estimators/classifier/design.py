"""What a classifier sees: named columns turned into one matrix of balanced blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic import Sample

__all__ = ["Block", "Design", "encode_target", "make_design", "standardised"]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

_LARGEST = 2**30
"""The most numbers of a design matrix: 4 GiB in single precision."""
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
        cells: The number of joint states of the discrete variables.
    """

    matrix: Floats
    blocks: tuple[Block, ...]
    codes: Integers | None
    cells: int

    @property
    def all_discrete(self) -> bool:
        """Whether every conditioning variable is discrete."""
        return all(block.kind == "discrete" for block in self.blocks)


def encode_target(sample: Sample, target: Sequence[str]) -> tuple[Integers, int]:
    """Joint codes 0 .. k - 1 of discrete variables, and k, the number of states that occur.

    Raises:
        ValueError: If a variable is not discrete.
    """
    codes, _ = _joint_codes(sample, target)
    seen, compact = np.unique(codes, return_inverse=True)
    return compact.reshape(-1).astype(np.int64), len(seen)


def make_design(sample: Sample, given: Sequence[str]) -> Design:
    """Encode the conditioning variables of `given`, in that order.

    Raises:
        ValueError: If the matrix would not fit in 4 GiB.
    """
    n = len(sample)
    parts: list[Floats] = []
    blocks: list[Block] = []
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
            part = np.eye(variable.cardinality or 1, dtype=np.float32)[column]
        else:
            part = _in_single_precision(column.reshape(n, -1))
        shape = part.shape[1:] if variable.kind == "discrete" else column.shape[1:] or (1,)
        blocks.append(Block(name, variable.kind, slice(start, start + part.shape[1]), shape))
        parts.append(part)
        start += part.shape[1]
    matrix = np.hstack(parts) if parts else np.zeros((n, 0), dtype=np.float32)
    codes, cells = _joint_codes(sample, discrete) if discrete else (None, 1)
    return Design(matrix, tuple(blocks), codes, cells)


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
    codes = np.zeros(len(sample), dtype=np.int64)
    cells = 1
    for name in names:
        variable = sample.variables[name]
        if variable.kind != "discrete":
            raise ValueError(
                f"the predicted variable must be discrete, got {name!r}, which is {variable.kind}"
            )
        size = variable.cardinality or 1
        if cells > 2**62 // size:
            raise ValueError(f"the joint of {', '.join(names)} has more than 2**62 states")
        codes = codes * size + sample[name]
        cells *= size
    return codes, cells


def standardised(design: Design, fit: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Each block centred and scaled: per column for vectors, as a whole for images."""
    x = design.matrix.copy()
    for block in design.blocks:
        part = x[:, block.columns]
        if block.kind == "discrete":
            continue
        part = part - part[fit].mean(axis=0)
        spread = (
            part[fit].std(axis=0) if block.kind == "continuous" else np.sqrt(part[fit].var(axis=0).mean())
        )
        x[:, block.columns] = part / np.where(spread > 0, spread, 1.0)
    return x
