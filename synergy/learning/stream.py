"""Fresh draws from a generator, for training on data without end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from synergy.learning.batches import Batch, step_streams
from synthetic import Generator
from synthetic.seeds import shard_seed

__all__ = ["Stream"]


@dataclass(frozen=True)
class Stream:
    """Fresh rows of a generator in every step, never the same twice.

    Args:
        source: The generator; one with a method `tensors(n, seed=, device=)` draws on the device.
        size: Rows in an epoch.
        image: The column that the encoder sees.

    Raises:
        ValueError: If `size` is not positive or the generator has no such column.
    """

    source: Generator
    size: int
    image: str = "X"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1, got {self.size}")
        names = [v.name for v in self.source.variables]
        if self.image not in names:
            raise ValueError(f"unknown variable {self.image!r}: {self.source.family} has {', '.join(names)}")

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        return tuple(self.source.sample(1, seed=0)[self.image].shape[1:])

    @property
    def states(self) -> Mapping[str, int]:
        """The number of states of each discrete column."""
        return {v.name: v.cardinality or 1 for v in self.source.variables if v.kind == "discrete"}

    def __len__(self) -> int:
        return self.size

    def batches(
        self, epoch: int, batch_size: int, *, seed: int, device: torch.device, held_out: bool = False
    ) -> Iterator[Batch]:
        """Fresh draws; held out: draws that no training step sees."""
        steps = max(1, self.size // batch_size)
        streams = step_streams(epoch, steps, seed=seed, device=device, held_out=held_out)
        for step, rng in enumerate(streams):
            shard = step if held_out else (epoch + 1) * 1_000_000 + step
            columns = self._draw(batch_size, shard_seed(seed, shard), device)
            labels = {name: columns[name] for name in self.states}
            yield Batch(columns[self.image], labels, rng)

    def _draw(self, n: int, seed: int, device: torch.device) -> Mapping[str, torch.Tensor]:
        tensors = getattr(self.source, "tensors", None)
        if tensors is not None:
            drawn: Mapping[str, torch.Tensor] = tensors(n, seed=seed, device=device)
            return drawn
        return self.source.sample(n, seed=seed).tensors(device=device)
