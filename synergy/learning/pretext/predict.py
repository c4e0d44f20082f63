r"""Tasks that predict a label: equivariant learning, supervised learning.

Minimising the cross-entropy of A given Z maximises H(A) - E[-log q(A|Z)] <= I(A;Z) (Barber and Agakov
2003).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import nn
from torch.nn import functional

from synergy.learning.batches import Batch
from synergy.learning.pretext.base import BatchLoss, Pretext, augmented
from synergy.learning.tasks import Task, as_task
from synthetic.transformations import Transformation
from synthetic.transformations.augment import Augmentation, augmentation

__all__ = ["GivenHead", "LabelTask", "PredictLabel", "PredictTransformation"]


@dataclass(frozen=True)
class Shown:
    """The inputs of the encoder and the label that is predicted from them.

    Args:
        images: Shape (n, ..).
        targets: One column of labels for each block of logits, each of shape (n,).
        given: The variable that the head is told, of shape (n,), or None.
    """

    images: torch.Tensor
    targets: tuple[torch.Tensor, ...]
    given: torch.Tensor | None


class GivenHead(nn.Module):
    """A linear head for each state of a variable that the head is told.

    With the class told, its cross-entropy bounds H(A|Z,C) as a linear head's bounds H(A|Z).

    Args:
        features: The dimension of the representation.
        outputs: The number of logits.
        states: The number of states of the variable.
    """

    def __init__(self, features: int, outputs: int, states: int) -> None:
        super().__init__()
        plain = nn.Linear(features, outputs)
        self.weight = nn.Parameter(plain.weight.detach().repeat(states, 1, 1))
        self.bias = nn.Parameter(plain.bias.detach().repeat(states, 1))

    def forward(self, z: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        """Map (n, features) and labels (n,) to logits (n, outputs)."""
        every = torch.einsum("nf,sof->nso", z, self.weight) + self.bias
        return every[torch.arange(len(z), device=z.device), given]


class LabelTask(Pretext):
    """A task whose head predicts labels from the representation by cross-entropy."""

    @abstractmethod
    def show(self, batch: Batch) -> Shown:
        """The inputs and targets of a batch."""

    @abstractmethod
    def sizes(self, states: Mapping[str, int]) -> tuple[int, ...]:
        """The number of logits of each target."""

    @property
    @abstractmethod
    def told(self) -> str | None:
        """The variable that the head is told."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The variable that the head is told."""
        return () if self.told is None else (self.told,)

    def head(self, features: int, states: Mapping[str, int]) -> nn.Module:
        """A linear head, or one for each state of the variable that it is told."""
        outputs = sum(self.sizes(states))
        if self.told is None:
            return nn.Linear(features, outputs)
        return GivenHead(features, outputs, states[self.told])

    def views(self, batch: Batch) -> torch.Tensor:
        """The inputs that the encoder sees."""
        return self.show(batch).images

    def losses(self, encoder: nn.Module, head: nn.Module, batch: Batch) -> BatchLoss:
        """The cross-entropy of the targets, in nats."""
        shown = self.show(batch)
        return self.score(head, encoder(shown.images), shown)

    def score(self, head: nn.Module, z: torch.Tensor, shown: Shown) -> BatchLoss:
        """The cross-entropy of the targets given a representation."""
        logits = (head(z) if shown.given is None else head(z, shown.given)).float()
        blocks = logits.split(self._widths(logits, shown), dim=1)
        parts = list(zip(blocks, shown.targets, strict=True))
        loss = torch.stack([functional.cross_entropy(block, target) for block, target in parts]).sum()
        right = torch.stack([block.argmax(1) == target for block, target in parts]).all(0)
        return BatchLoss(loss, {"loss": loss.detach(), "accuracy": right.float().mean()})

    def _widths(self, logits: torch.Tensor, shown: Shown) -> list[int]:
        del shown
        return [logits.shape[1]]


def _check_known(name: str | None, states: Mapping[str, int]) -> None:
    if name is not None and name not in states:
        raise ValueError(f"unknown label {name!r}: the data has {', '.join(states) or 'none'}")


@dataclass(frozen=True)
class PredictLabel(LabelTask):
    """Predict a label that the data carries: C for supervised learning, A where inputs are transformed.

    Args:
        label: The variable to predict.
        told: A variable that the head is told; None for nothing.
        augment: A base augmentation, its name in `AUGMENTATIONS`.

    Raises:
        ValueError: If the augmentation is unknown.
    """

    name: ClassVar[str] = "label"
    label: str = "C"
    told: str | None = None
    augment: str | Augmentation = "none"

    def __post_init__(self) -> None:
        object.__setattr__(self, "augment", augmentation(self.augment))

    def check(self, shape: tuple[int, ...], states: Mapping[str, int]) -> None:
        """The labels must exist."""
        _check_known(self.label, states)
        _check_known(self.told, states)
        _check_augmentable(augmentation(self.augment), shape)

    @property
    def labels(self) -> tuple[str, ...]:
        """The label, and what the head is told."""
        return (self.label, *super().labels)

    def sizes(self, states: Mapping[str, int]) -> tuple[int, ...]:
        """The number of states of the label."""
        return (states[self.label],)

    def show(self, batch: Batch) -> Shown:
        """The inputs as they are, augmented, and their label."""
        images = augmented(batch, augmentation(self.augment))
        return Shown(
            images, (batch.labels[self.label],), None if self.told is None else batch.labels[self.told]
        )


@dataclass(frozen=True)
class PredictTransformation(LabelTask):
    """Transform raw images and predict how: equivariant self-supervised learning.

    Args:
        task: The transformation, several for the multivariate task, or a `Task` with coarse labels.
        told: A variable that the head is told, such as C (class information added); None for nothing.
        augment: A base augmentation that comes before the transformation, its name in `AUGMENTATIONS`.
        joint: `product` predicts the joint label of several transformations, whose cross-entropy bounds
            H(A1,A2|Z); `sum` predicts each, which bounds H(A1|Z) + H(A2|Z) and needs fewer logits.

    Raises:
        ValueError: If a transformation or the augmentation is unknown, or `joint` is.

    Example:
        >>> PredictTransformation("rotation+inversion").sizes({})
        (8,)
        >>> PredictTransformation("rotation+inversion", joint="sum").sizes({})
        (4, 2)
    """

    name: ClassVar[str] = "transformation"
    task: str | Task | Transformation | tuple[str | Transformation, ...]
    told: str | None = None
    augment: str | Augmentation = "none"
    joint: Literal["product", "sum"] = "product"

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", as_task(self.task))
        object.__setattr__(self, "augment", augmentation(self.augment))
        if self.joint not in ("product", "sum"):
            raise ValueError(f"joint must be 'product' or 'sum', got {self.joint!r}")
        if self.joint == "sum" and as_task(self.task).coarse is not None:
            raise ValueError(
                "joint='sum' predicts each transformation, which a task with coarse labels has not"
            )

    def check(self, shape: tuple[int, ...], states: Mapping[str, int]) -> None:
        """The transformations must fit the images."""
        as_task(self.task).check(shape)
        _check_known(self.told, states)
        _check_augmentable(augmentation(self.augment), shape)

    def sizes(self, states: Mapping[str, int]) -> tuple[int, ...]:
        """The number of states of the joint label, or of each."""
        del states
        task = as_task(self.task)
        return (task.states,) if self.joint == "product" else task.cardinalities

    def show(self, batch: Batch) -> Shown:
        """Draw the labels and transform the images."""
        task = as_task(self.task)
        images = augmented(batch, augmentation(self.augment))
        codes = task.draw(len(batch), batch.rng)
        targets = (task.predicted(codes),) if self.joint == "product" else tuple(task.split(codes))
        return Shown(
            task.apply(images, codes), targets, None if self.told is None else batch.labels[self.told]
        )

    def _widths(self, logits: torch.Tensor, shown: Shown) -> list[int]:
        return list(self.sizes({}))


def _check_augmentable(chosen: Augmentation, shape: tuple[int, ...]) -> None:
    if chosen.name != "none" and (len(shape) != 3 or shape[0] not in (1, 3)):
        raise ValueError(
            f"augmentation {chosen.name!r} needs images with 1 or 3 channels, got inputs of shape {shape}"
        )
