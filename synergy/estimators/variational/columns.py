"""The slots of a term as tensors that a network can take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from synergy.estimators.classifier.design import encode_target, make_design
from synergy.estimators.columns import by_quartiles
from synthetic import Sample

__all__ = ["SlotColumns", "density_slot", "is_discrete", "make_columns"]


@dataclass(frozen=True)
class SlotColumns:
    """The slots as standardised float32 tensors of shape (n, columns)."""

    x: torch.Tensor
    y: torch.Tensor
    z: torch.Tensor

    def rows(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Some rows of each slot."""
        return self.x[index], self.y[index], self.z[index]

    def to(self, device: torch.device) -> SlotColumns:
        """The same on a device."""
        return SlotColumns(self.x.to(device), self.y.to(device), self.z.to(device))


def is_discrete(sample: Sample, names: tuple[str, ...]) -> bool:
    """Whether all variables of a slot are discrete."""
    return all(sample.variables[name].kind == "discrete" for name in names)


def density_slot(
    sample: Sample, first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The slot whose density is modelled, then the other: a discrete one, else the smaller; never an image.

    Raises:
        ValueError: If neither slot is discrete or continuous throughout.
    """

    def cost(names: tuple[str, ...]) -> float:
        if is_discrete(sample, names):
            return 0.0
        if any(sample.variables[name].kind != "continuous" for name in names):
            return math.inf
        return float(sum(sample[name][0].size for name in names))

    chosen = min((first, second), key=cost)
    if math.isinf(cost(chosen)):
        raise ValueError(
            "barber-agakov models the density of one slot, which must be discrete or continuous columns "
            f"throughout, got {','.join(first)} and {','.join(second)}: use a critic such as infonce"
        )
    return (first, second) if chosen == first else (second, first)


def make_columns(
    sample: Sample,
    x: tuple[str, ...],
    y: tuple[str, ...],
    z: tuple[str, ...],
    *,
    fit: npt.NDArray[np.int64],
    joint_target: bool,
) -> SlotColumns:
    """The slots encoded, scaled by the rows of `fit`; with `joint_target`, x as one joint label."""
    if joint_target:
        codes, states = encode_target(sample, x)
        x_columns = torch.nn.functional.one_hot(torch.tensor(codes), states).float()
    else:
        x_columns = _encoded(sample, x, fit)
    return SlotColumns(x_columns, _encoded(sample, y, fit), _encoded(sample, z, fit))


def _encoded(sample: Sample, names: tuple[str, ...], fit: npt.NDArray[np.int64]) -> torch.Tensor:
    """One-hot, or standardised and passed through asinh, which is monotone and tames heavy tails."""
    design = make_design(sample, names)
    matrix = design.matrix.astype(np.float64)
    for block in design.blocks:
        if block.kind == "discrete":
            continue
        part = matrix[:, block.columns]
        if block.kind == "continuous":
            part = by_quartiles(part, fit)
        else:
            spread = np.sqrt(part[fit].var(axis=0).mean())
            part = (part - part[fit].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        matrix[:, block.columns] = np.arcsinh(part)
    return torch.tensor(matrix, dtype=torch.float32)
