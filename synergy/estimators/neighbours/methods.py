"""Which method fits the columns, and its local terms on columns side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from synergy.estimators.columns import Scaling, Slot, scaled, spread_labels
from synergy.estimators.neighbours import local
from synergy.estimators.neighbours.tiles import tiled_terms

__all__ = ["NeighbourMethod", "Neighbours", "chosen", "side_by_side"]

Floats = npt.NDArray[np.float64]

NeighbourMethod = Literal["auto", "ksg1", "ksg2", "frenzel-pompe", "gao", "mesner-shalizi", "ross"]
"""The nearest-neighbour estimators; see `synergy.estimators.neighbours.local` for each."""


@dataclass(frozen=True)
class Neighbours:
    """A method, ready for columns (x, y, z) side by side.

    Args:
        method: One of `NeighbourMethod`, but `auto`.
        widths: The numbers of columns (dx, dy, dz).
        workers: Threads.
        largest: The largest distance within labels; infinite without labels.
        labels_first: Whether x holds the labels (for `ross`).
        device: A torch device, or None for trees and bitsets on the CPU.
    """

    method: str
    widths: tuple[int, int, int]
    workers: int = 1
    largest: float = math.inf
    labels_first: bool = False
    device: str | None = None

    def terms(self, table: Floats, k: int) -> Floats:
        """The local terms, shape (n,), NaN where a row is left out."""
        dx, dy, dz = self.widths
        x, y = np.ascontiguousarray(table[:, :dx]), np.ascontiguousarray(table[:, dx : dx + dy])
        z = np.ascontiguousarray(table[:, dx + dy :]) if dz else None
        k = min(k, len(table) - 1)
        if self.device is not None:
            return tiled_terms(self.method, x, y, z, k, device=self.device, largest=self.largest)
        if self.method == "ksg1" or (self.method == "frenzel-pompe" and z is None):
            return local.ksg1(x, y, k, self.workers)
        if self.method == "ksg2":
            return local.ksg2(x, y, k, self.workers)
        if self.method == "gao":
            return local.gao(x, y, k, self.workers)
        if self.method == "ross":
            labels, numbers = (x, y) if self.labels_first else (y, x)
            codes = np.unique(labels[:, 0], return_inverse=True)[1].astype(np.int64)
            return local.ross(codes, numbers, k, self.workers)
        if self.method == "frenzel-pompe" and z is not None:
            return local.frenzel_pompe(x, y, z, k, self.workers)
        return local.mesner_shalizi(x, y, z, k, self.workers, largest=self.largest)

    def value(self, table: Floats, k: int) -> float:
        """The mean of the local terms; NaN where every row is left out."""
        terms = self.terms(table, k)
        return float(np.nanmean(terms)) if not np.isnan(terms).all() else math.nan


def chosen(method: NeighbourMethod, slots: list[Slot]) -> tuple[str, list[str]]:
    """The method, checked against the columns, and what to say about the choice.

    Raises:
        ValueError: If the method is unknown or does not fit the columns.
    """
    if method not in get_args(NeighbourMethod):
        raise ValueError(f"method must be one of {', '.join(get_args(NeighbourMethod))}, got {method!r}")
    conditional = len(slots) > 2
    labelled = any(s.discrete.any() for s in slots)
    if method in ("ksg1", "ksg2", "gao", "ross") and conditional:
        raise ValueError(
            f"method {method!r} has no conditional form: use 'frenzel-pompe' or 'mesner-shalizi'"
        )
    if method == "ross":
        kinds = [s.discrete.all() and s.width == 1 for s in slots], [not s.discrete.any() for s in slots]
        if not ((kinds[0][0] and kinds[1][1]) or (kinds[0][1] and kinds[1][0])):
            raise ValueError("method 'ross' needs one discrete column in one slot and numbers in the other")
        return method, []
    if method in ("gao", "mesner-shalizi"):
        return method, []
    if labelled:
        raise ValueError(f"method {method!r} needs continuous columns: use 'mesner-shalizi', 'gao' or 'ross'")
    tied = [s.column(int(np.argmax(s.tied))) for s in slots if s.tied.any()]
    if tied:
        return "mesner-shalizi", [
            f"{tied[0]} repeats more than 5 % of its values: switched from {method} to "
            "mesner-shalizi, which allows ties"
        ]
    if method == "auto":
        return ("frenzel-pompe" if conditional else "ksg1"), []
    return method, []


def side_by_side(slots: list[Slot], scale: Scaling | None) -> tuple[Floats, float]:
    """All columns side by side, scaled, labels spread; and the largest distance within labels."""
    parts, widest = [], 0.0
    for s in slots:
        part = s.values.copy()
        numbers = ~s.discrete
        if numbers.any():
            part[:, numbers] = scaled(s.values[:, numbers], scale)
            widest = max(widest, float(np.ptp(part[:, numbers], axis=0).max()))
        parts.append(part)
    widest = widest or 1.0
    spread = [spread_labels(part, s.discrete, 4 * widest) for part, s in zip(parts, slots, strict=True)]
    labelled = any(s.discrete.any() for s in slots)
    return np.hstack(spread), widest if labelled else math.inf
