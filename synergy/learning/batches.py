"""The batches of training steps, and the sources that they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch

from synergy.learning.seeds import Purpose, stream_seed

__all__ = ["Batch", "Source", "step_streams"]


@dataclass(frozen=True)
class Batch:
    """The inputs and labels of one training step, on the device.

    Args:
        source: Inputs of shape (m, ..).
        labels: Integers of shape (n,), by variable.
        rng: The random numbers of this step.
        rows: Which of the inputs the batch consists of, integers of shape (n,); None for all.
    """

    source: torch.Tensor
    labels: Mapping[str, torch.Tensor]
    rng: torch.Generator
    rows: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.source if self.rows is None else self.rows)

    @cached_property
    def images(self) -> torch.Tensor:
        """The inputs of the batch, shape (n, ..), gathered when they are first asked for."""
        if self.rows is None:
            return self.source
        return self.source.index_select(0, self.rows)  # faster than source[rows]


class Source(Protocol):
    """Where batches come from."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        ...

    @property
    def states(self) -> Mapping[str, int]:
        """The number of states of each label."""
        ...

    @property
    def size(self) -> int:
        """Inputs in one epoch."""
        ...

    def batches(
        self, epoch: int, batch_size: int, *, seed: int, device: torch.device, held_out: bool = False
    ) -> Iterator[Batch]:
        """The batches of an epoch, a function of (epoch, seed) alone."""
        ...


def step_streams(
    epoch: int, steps: int, *, seed: int, device: torch.device, held_out: bool
) -> Iterator[torch.Generator]:
    """The random numbers of each step of an epoch.

    Those of step t are a function of (seed, epoch, t) alone; held out: of (seed, t). Their seeds are made in
    one go: after a training step, which leaves nothing in the cache, making one takes ten times as long.
    """
    purpose, number = (Purpose.HELD_OUT, 0) if held_out else (Purpose.STEP, epoch)
    for state in [stream_seed(seed, purpose, number, step) for step in range(steps)]:
        yield torch.Generator(device=device).manual_seed(state)
