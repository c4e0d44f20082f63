"""Invariant learning (SimCLR) and strict equivariance (CARE), on pairs of views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from synergy.learning.batches import Batch
from synergy.learning.pretext.base import BatchLoss, Pretext, augmented
from synergy.learning.pretext.predict import _check_augmentable
from synergy.learning.tasks import Task, as_task
from synthetic.transformations import Transformation
from synthetic.transformations.augment import Augmentation, augmentation
from theory.checks import integer, number

__all__ = ["Equivariance", "Invariance", "SoftEquivariance", "nt_xent", "orthogonal_equivariance"]


def nt_xent(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
    """SimCLR's loss: each view must find its partner among the 2n - 1 others.

    The mean over the 2n views of -log softmax of cosine similarity / temperature at the partner.

    Args:
        first: Shape (n, d).
        second: The partners, shape (n, d).
        temperature: Positive.

    Raises:
        ValueError: If there is one pair only, which has nothing to be told from.

    Source:
        Chen, Kornblith, Norouzi, Hinton 2020, arXiv:2002.05709.
    """
    if len(first) < 2:
        raise ValueError(f"a batch must hold at least 2 images to tell apart, got {len(first)}")
    both = functional.normalize(torch.cat([first, second]).float(), dim=1)
    with torch.autocast(both.device.type, enabled=False):
        logits = both @ both.T / temperature
    logits = logits.masked_fill(torch.eye(len(both), dtype=torch.bool, device=both.device), -torch.inf)
    partner = torch.arange(len(both), device=both.device).roll(len(first))
    return functional.cross_entropy(logits, partner)


def orthogonal_equivariance(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """CARE's equivariance loss: one transformation must keep all inner products of a block.

    The mean over blocks and pairs i != j of (<f(a x_i), f(a x_j)> - <f(x_i), f(x_j)>)^2 on the unit
    sphere, which is zero exactly when each a acts by an orthogonal map.

    Args:
        before: f(x), of shape (blocks, k, d).
        after: f(a x), a the same within a block, of the same shape.

    Source:
        Gupta, Robinson, Lim, Villar, Jegelka 2023, arXiv:2306.13924.
    """
    x, y = (functional.normalize(v.float(), dim=2) for v in (before, after))
    with torch.autocast(x.device.type, enabled=False):
        gap = (y @ y.transpose(1, 2) - x @ x.transpose(1, 2)) ** 2
    k = x.shape[1]
    return gap.sum(dim=(1, 2)).mean() / (k * (k - 1))


class _Projected(Pretext):
    """The base of both tasks: a projection head of two layers, as in SimCLR."""

    pairwise: ClassVar[bool] = True
    projection: int

    @property
    def fewest(self) -> int:
        """One image and another to tell it from."""
        return 2

    def head(self, features: int, states: Mapping[str, int]) -> nn.Module:
        """Features to features to `projection`."""
        del states
        return nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, self.projection))


@dataclass(frozen=True)
class Invariance(_Projected):
    """SimCLR: two views of an image get the same representation, views of two images different ones.

    Args:
        task: Transformations to become invariant to; None for none.
        augment: A base augmentation, its name in `AUGMENTATIONS`, that comes first.
        temperature: Of the softmax.
        projection: The dimension that the views are compared in.

    Raises:
        ValueError: If there is neither a task nor an augmentation, a name is unknown, or temperature or
            projection is not positive.
    """

    name: ClassVar[str] = "invariance"
    task: str | Task | Transformation | tuple[str | Transformation, ...] | None = None
    augment: str | Augmentation = "none"
    temperature: float = 0.5
    projection: int = 64

    def __post_init__(self) -> None:
        number("temperature", self.temperature, low=0, strict=True)
        integer("projection", self.projection, 1)
        if self.task is not None:
            object.__setattr__(self, "task", as_task(self.task))
        object.__setattr__(self, "augment", augmentation(self.augment))
        if self.task is None and augmentation(self.augment).name == "none":
            raise ValueError(
                "invariant learning needs a task or an augmentation to be invariant to, got neither"
            )

    def check(self, shape: tuple[int, ...], states: Mapping[str, int]) -> None:
        """The transformations must fit the images."""
        del states
        if self.task is not None:
            as_task(self.task).check(shape)
        _check_augmentable(augmentation(self.augment), shape)

    def views(self, batch: Batch) -> torch.Tensor:
        """Two views of each image, the first ones first."""
        images = augmented(batch, augmentation(self.augment), views=2)
        if self.task is None:
            return images
        task = as_task(self.task)
        return task.apply(images, task.draw(len(images), batch.rng))

    def losses(self, encoder: nn.Module, head: nn.Module, batch: Batch) -> BatchLoss:
        """NT-Xent of the projected views."""
        first, second = head(encoder(self.views(batch))).chunk(2)
        loss = nt_xent(first, second, self.temperature)
        return BatchLoss(loss, {"loss": loss.detach()})


@dataclass(frozen=True)
class Equivariance(_Projected):
    """CARE: contrastive learning in which a transformation of the input acts by an orthogonal map.

    The batch is cut into blocks, and all images of a block are transformed by the same label. The loss is
    NT-Xent on two views + weight * `orthogonal_equivariance` of the blocks.

    Args:
        task: The transformations that shall act by orthogonal maps.
        augment: The base augmentation that makes the two views of NT-Xent; with `none` they are the image
            and its transformed copy.
        weight: The weight of the equivariance loss.
        block: Images per block, at least 2.
        temperature: Of NT-Xent.
        projection: The dimension of the sphere that the maps act on.

    Raises:
        ValueError: If a name is unknown, or block, weight, temperature or projection is out of range.

    Source:
        Gupta, Robinson, Lim, Villar, Jegelka 2023, "Structuring representation geometry with rotationally
        equivariant contrastive learning", arXiv:2306.13924.
    """

    name: ClassVar[str] = "equivariance"
    task: str | Task | Transformation | tuple[str | Transformation, ...]
    augment: str | Augmentation = "none"
    weight: float = 1.0
    block: int = 8
    temperature: float = 0.5
    projection: int = 64

    def __post_init__(self) -> None:
        number("weight", self.weight, low=0)
        number("temperature", self.temperature, low=0, strict=True)
        integer("block", self.block, 2)
        integer("projection", self.projection, 1)
        object.__setattr__(self, "task", as_task(self.task))
        object.__setattr__(self, "augment", augmentation(self.augment))

    @property
    def fewest(self) -> int:
        """One block."""
        return self.block

    def check(self, shape: tuple[int, ...], states: Mapping[str, int]) -> None:
        """The transformations must fit the images."""
        del states
        as_task(self.task).check(shape)
        _check_augmentable(augmentation(self.augment), shape)

    def views(self, batch: Batch) -> torch.Tensor:
        """A view of each image, its transformed copy, and where there is an augmentation a second view."""
        chosen, task = augmentation(self.augment), as_task(self.task)
        first = augmented(batch, chosen)
        blocks = -(-len(batch) // self.block)
        codes = task.draw(blocks, batch.rng).repeat_interleave(self.block)[: len(batch)]
        parts = [first, task.apply(first, codes)]
        if chosen.name != "none":
            parts.append(augmented(batch, chosen))
        return torch.cat(parts)

    def losses(self, encoder: nn.Module, head: nn.Module, batch: Batch) -> BatchLoss:
        """The two losses; the last incomplete block counts in the first only."""
        n = len(batch)
        if n < self.block:
            raise ValueError(f"a batch must hold at least one block of {self.block} images, got {n}")
        parts = head(encoder(self.views(batch))).split(n)
        contrast = nt_xent(parts[0], parts[-1], self.temperature)
        whole = n - n % self.block
        shape = (whole // self.block, self.block, parts[0].shape[1])
        strict = orthogonal_equivariance(parts[0][:whole].reshape(shape), parts[1][:whole].reshape(shape))
        loss = contrast + self.weight * strict
        return BatchLoss(loss, {"loss": loss.detach(), "equivariance": strict.detach()})


@dataclass(frozen=True)
class SoftEquivariance(Equivariance):
    """Invariance at the output, and a term that asks for equivariance at an inner layer.

    The network is the encoder and its projection head. NT-Xent asks that the head's output be the same for an
    image and its transformed copy (a view of it, where there is an augmentation); `weight` times
    `orthogonal_equivariance` asks that the transformation act by an orthogonal map on the encoder's output,
    the layer that is kept. An invariant encoder satisfies both, so nothing forces it to keep the
    transformation: what the term does beside the contrast is an experiment.

    Args:
        task: The transformation, its name, or several; each acts on whole blocks of images.
        augment: The base augmentation that makes the two views of NT-Xent; with `none` they are the image
            and its transformed copy.
        weight: The weight of the equivariance loss.
        block: Images per block, at least 2.
        temperature: Of NT-Xent.
        projection: The dimension of the head's output, which NT-Xent compares.

    Raises:
        ValueError: If a name is unknown, or block, weight, temperature or projection is out of range.

    Source:
        After Lee et al. 2025, on soft equivariance; the form is ours, with CARE's term (arXiv:2306.13924).
    """

    name: ClassVar[str] = "soft-equivariance"

    def losses(self, encoder: nn.Module, head: nn.Module, batch: Batch) -> BatchLoss:
        """The two losses; the last incomplete block counts in the first only."""
        n = len(batch)
        if n < self.block:
            raise ValueError(f"a batch must hold at least one block of {self.block} images, got {n}")
        inner = encoder(self.views(batch))
        outputs, layers = head(inner).split(n), inner.split(n)
        other = outputs[0] if len(outputs) == 2 else outputs[2]
        contrast = nt_xent(outputs[1], other, self.temperature)
        whole = n - n % self.block
        shape = (whole // self.block, self.block, inner.shape[1])
        strict = orthogonal_equivariance(layers[0][:whole].reshape(shape), layers[1][:whole].reshape(shape))
        loss = contrast + self.weight * strict
        return BatchLoss(loss, {"loss": loss.detach(), "equivariance": strict.detach()})
