"""Data sets of torch: rows of a sample, and fresh rows of a generator for any number of workers.

Worker w of W draws the shards w, w + W, w + 2W, .. of a stream. So no row is drawn twice, and the set of rows
is the same for any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from theory.checks import integer

if TYPE_CHECKING:
    from synthetic.generator import Generator
    from synthetic.sample import Sample

__all__ = ["BatchStream", "RowStream", "SampleDataset", "Tensors"]

Tensors = dict[str, torch.Tensor]

_BLOCK = 1024
"""A stream of single rows draws so many at a time."""


class SampleDataset(Dataset[Tensors]):
    """The rows of a sample; item i is a dict of tensors, one for each variable.

    Args:
        sample: The rows.
    """

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self._tensors = sample.tensors()

    def __len__(self) -> int:
        return len(self.sample)

    def __getitem__(self, index: int) -> Tensors:
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} does not exist: the sample has {len(self)} rows")
        return {name: tensor[index] for name, tensor in self._tensors.items()}


class BatchStream(IterableDataset[Tensors]):
    """Fresh batches of a generator; batch k is shard k of the stream.

    Args:
        generator: Where the rows come from.
        seed: Fixes the rows.
        samples: The number of rows; None for no end. The last batch may be smaller.
        batch: The number of rows of a batch.

    Raises:
        ValueError: If a number is not positive or the seed is negative.
    """

    def __init__(self, generator: Generator, *, seed: int, samples: int | None = None, batch: int) -> None:
        self.generator = generator
        self.seed = integer("seed", seed, 0)
        self.samples = None if samples is None else integer("samples", samples, 1)
        self.batch = integer("batch", batch, 1)

    def __iter__(self) -> Iterator[Tensors]:
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        k = worker
        while self.samples is None or k * self.batch < self.samples:
            left = self.batch if self.samples is None else self.samples - k * self.batch
            yield self.generator.shard(k, min(self.batch, left), seed=self.seed).tensors()
            k += workers


class RowStream(IterableDataset[Tensors]):
    """Fresh rows of a generator, one at a time; drawn in blocks of 1,024.

    Args:
        generator: Where the rows come from.
        seed: Fixes the rows.
        samples: The number of rows; None for no end.

    Raises:
        ValueError: If `samples` is not positive or the seed is negative.
    """

    def __init__(self, generator: Generator, *, seed: int, samples: int | None = None) -> None:
        block = _BLOCK if samples is None else max(1, min(_BLOCK, integer("samples", samples, 1) // 16))
        self.batches = BatchStream(generator, seed=seed, samples=samples, batch=block)

    def __iter__(self) -> Iterator[Tensors]:
        for batch in self.batches:
            for i in range(len(next(iter(batch.values())))):
                yield {name: tensor[i] for name, tensor in batch.items()}
