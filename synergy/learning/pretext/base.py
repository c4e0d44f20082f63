"""Pretext tasks: how a batch becomes views and targets, a head, and a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from synergy.device import full_precision
from synergy.learning.batches import Batch
from synthetic.transformations.augment import Augmentation

__all__ = ["BatchLoss", "Pretext", "augmented"]


@dataclass(frozen=True)
class BatchLoss:
    """The loss of one batch and what is reported beside it.

    Args:
        total: The scalar that is minimised.
        metrics: Detached scalars by name; `loss` is the pretext loss alone, without adversary.
    """

    total: torch.Tensor
    metrics: Mapping[str, torch.Tensor]


class Pretext(ABC):
    """A pretext task; subclasses are frozen dataclasses.

    Attributes:
        name: The name in tables.
        trains: Whether there is anything to train.
        adversarial: Whether parts of the head are trained against the encoder.
        pairwise: Whether the loss of a row depends on the other rows of its batch, and so on the size of
            the batch; held-out data are then judged on whole batches only.
    """

    name: ClassVar[str]
    trains: ClassVar[bool] = True
    adversarial: ClassVar[bool] = False
    pairwise: ClassVar[bool] = False

    @abstractmethod
    def check(self, shape: tuple[int, ...], states: Mapping[str, int]) -> None:
        """Raise a ValueError if inputs of this shape, with labels of these states, do not fit."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the data that the task reads."""
        return ()

    @property
    def fewest(self) -> int:
        """The fewest rows that a batch must have."""
        return 1

    @abstractmethod
    def head(self, features: int, states: Mapping[str, int]) -> nn.Module:
        """The untrained head on a representation."""

    @abstractmethod
    def losses(self, encoder: nn.Module, head: nn.Module, batch: Batch) -> BatchLoss:
        """Draw, transform, encode and compare."""

    def views(self, batch: Batch) -> torch.Tensor:
        """The inputs that the encoder sees: the input pipeline alone, for timing."""
        return batch.images

    def adversary_parameters(self, head: nn.Module) -> list[nn.Parameter]:
        """The parameters of the head that are trained against the encoder, by an optimiser of their own."""
        del head
        return []

    def adversary_losses(self, encoder: nn.Module, head: nn.Module, batch: Batch) -> Iterator[torch.Tensor]:
        """The losses that those parameters minimise, one after the other, before the encoder's step."""
        del encoder, head, batch
        return iter(())


def augmented(batch: Batch, augmentation: Augmentation, *, views: int = 1) -> torch.Tensor:
    """The images after a base augmentation by the batch's random numbers, in full precision.

    Args:
        batch: Of n images.
        augmentation: What is done to each.
        views: How many times every image is shown, each time changed anew.

    Returns:
        Shape (views * n, ..), all first views before all second ones.
    """
    if augmentation.name == "none":
        return batch.images if views == 1 else torch.cat([batch.images] * views)
    source, rows = batch.source, batch.rows
    if views > 1:
        rows = (torch.arange(len(batch), device=source.device) if rows is None else rows).repeat(views)
    uniform = torch.rand(views * len(batch), augmentation.numbers, generator=batch.rng, device=source.device)
    with full_precision(source.device):
        return augmentation.apply(source, uniform, rows)
