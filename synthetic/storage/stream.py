"""A stored data set for torch: rows shard by shard, the shards shared among the workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch.utils.data import IterableDataset, get_worker_info

if TYPE_CHECKING:
    from synthetic.storage.read import StoredDataset
    from synthetic.streaming import Tensors

__all__ = ["ShardStream"]


class ShardStream(IterableDataset["Tensors"]):
    """The rows of a data set, one at a time, as dicts of tensors.

    Worker w of W reads the shards w, w + W, .., so that no row is seen twice and memory holds one shard
    for each worker.

    Args:
        stored: The data set.
    """

    def __init__(self, stored: StoredDataset) -> None:
        self.stored = stored

    def __len__(self) -> int:
        return len(self.stored)

    def __iter__(self) -> Iterator[Tensors]:
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        for k in range(worker, self.stored.shards, workers):
            shard = self.stored.shard(k).tensors()
            for i in range(len(next(iter(shard.values())))):
                yield {name: tensor[i] for name, tensor in shard.items()}
