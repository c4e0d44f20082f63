"""Pretext tasks: what an encoder is trained for.

| task | what is learned |
| --- | --- |
| `PredictTransformation("rotation")` | how the image was transformed; several at once with `+` |
| `PredictTransformation(as_task("rotation", coarse=[0, 1, 0, 1]))` | a coarser label of the same images |
| `PredictTransformation("rotation", told="C")` | the same, the head being told the class |
| `Eliminate(PredictTransformation("rotation"))` | the same, the class being eliminated by an adversary |
| `Equivariance("rotation", augment="crop")` | strict equivariance, in the manner of CARE |
| `SoftEquivariance("rotation")` | invariance at the output, an equivariance term at the encoder's output |
| `Invariance("rotation")` | invariance, SimCLR's NT-Xent |
| `PredictLabel("C")` | supervised learning |
| `Untrained()` | nothing: a random encoder |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from synergy.learning.batches import Batch
from synergy.learning.pretext.adversary import AdversarialHead, Eliminate
from synergy.learning.pretext.base import BatchLoss, Pretext
from synergy.learning.pretext.contrastive import (
    Equivariance,
    Invariance,
    SoftEquivariance,
    nt_xent,
    orthogonal_equivariance,
)
from synergy.learning.pretext.predict import GivenHead, LabelTask, PredictLabel, PredictTransformation

__all__ = [
    "AdversarialHead",
    "BatchLoss",
    "Eliminate",
    "Equivariance",
    "GivenHead",
    "Invariance",
    "LabelTask",
    "PredictLabel",
    "PredictTransformation",
    "Pretext",
    "SoftEquivariance",
    "Untrained",
    "nt_xent",
    "orthogonal_equivariance",
]


@dataclass(frozen=True)
class Untrained(Pretext):
    """No task: the encoder keeps its random initial weights, the baseline of every comparison."""

    name: ClassVar[str] = "random"
    trains: ClassVar[bool] = False

    def check(self, shape: tuple[int, ...], states: Mapping[str, int]) -> None:
        """Everything fits."""

    def head(self, features: int, states: Mapping[str, int]) -> nn.Module:
        """None."""
        del features, states
        return nn.Identity()

    def losses(self, encoder: nn.Module, head: nn.Module, batch: Batch) -> BatchLoss:
        """Zero."""
        del encoder, head
        zero = torch.zeros((), device=batch.source.device)
        return BatchLoss(zero, {"loss": zero})
