"""Fresh draws from a generator, for training on data without end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from synergy.learning.batches import Batch, step_streams
from synthetic import Generator
from synthetic.seeds import shard_seed

__all__ = ["Stream"]


@dataclass(frozen=True)
class Stream:
    """Fresh rows of a generator in every step, each drawn with a seed of its own.

    A generator of raw images (`Digits`, `Cifar10`, `from_arrays`) has finitely many: they come again and
    again, transformed afresh, in held-out rows too. So `train` refuses a held-out stream whose raw images
    are those of the training stream, or some of them, or more; `ImageSet.split` keeps raw images apart.

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

    @property
    def _raw(self) -> npt.NDArray[np.generic] | None:
        """The raw images that the generator draws from; None where it draws without end."""
        found = getattr(self.source, "raw", None)
        return np.ascontiguousarray(found.cpu().numpy()) if isinstance(found, torch.Tensor) else None

    @cached_property
    def raw_digests(self) -> frozenset[bytes]:
        """One digest for each different raw image of the generator; none where it draws without end."""
        return frozenset(
            hashlib.sha256(image.data).digest() for image in (() if self._raw is None else self._raw)
        )

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that differ from those of any other stream, raw images included."""
        kind = type(self.source)
        drawn = f"{kind.__module__}.{kind.__qualname__}", self.source.settings, self.size, self.image
        digest = hashlib.sha256(json.dumps(drawn, sort_keys=True).encode())
        if self._raw is not None:
            digest.update(self._raw.data)
        return digest.hexdigest()[:16]

    def batches(
        self, epoch: int, batch_size: int, *, seed: int, device: torch.device, held_out: bool = False
    ) -> Iterator[Batch]:
        """Fresh draws; held out: `size` rows whose seeds no training step has, the same in every epoch."""
        sizes = [batch_size] * max(1, self.size // batch_size)
        if held_out:
            sizes = [min(batch_size, self.size - start) for start in range(0, self.size, batch_size)]
        streams = step_streams(epoch, len(sizes), seed=seed, device=device, held_out=held_out)
        for step, (n, rng) in enumerate(zip(sizes, streams, strict=True)):
            shard = step if held_out else (epoch + 1) * 1_000_000 + step
            columns = self._draw(n, shard_seed(seed, shard), device)
            labels = {name: columns[name] for name in self.states}
            yield Batch(columns[self.image], labels, rng)

    def _draw(self, n: int, seed: int, device: torch.device) -> Mapping[str, torch.Tensor]:
        tensors = getattr(self.source, "tensors", None)
        if tensors is not None:
            drawn: Mapping[str, torch.Tensor] = tensors(n, seed=seed, device=device)
            return drawn
        return self.source.sample(n, seed=seed).tensors(device=device)
