"""Seeds: one integer fixes everything, and every shard, child and column has a stream of its own.

A column is drawn from a stream that depends on the seed and the column's name alone, so that a larger
sample begins with the smaller one. Shard k has a seed that depends on the seed and k alone, so that
shards can be made anywhere and in any order; shard 0 has the seed itself, so that a data set of one shard
holds the rows of `sample(n, seed=seed)`.
"""

from __future__ import annotations

import zlib
from enum import IntEnum

import numpy as np

from theory.checks import integer

__all__ = ["Streams", "child_seed", "shard_seed"]


class _Purpose(IntEnum):
    """The purpose that a seed is derived for; the values are part of every sample, so they never change."""

    SHARD = 1
    """One of the shards of a data set, by its number."""
    CHILD = 2
    """A part of a composed generator, by its name."""


def shard_seed(seed: int, shard: int) -> int:
    """The seed of one shard, a function of (seed, shard) alone; that of shard 0 is the seed itself.

    Raises:
        ValueError: If one of them is negative.
    """
    if integer("shard", shard, 0) == 0:
        return integer("seed", seed, 0)
    return _derived(seed, _Purpose.SHARD, shard)


def child_seed(seed: int, name: str) -> int:
    """The seed of a part of a composed generator, a function of the seed and the part's name alone."""
    return _derived(seed, _Purpose.CHILD, zlib.crc32(name.encode()))


def _derived(seed: int, purpose: _Purpose, number: int) -> int:
    sequence = np.random.SeedSequence(integer("seed", seed, 0), spawn_key=(purpose, number))
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


class Streams:
    """Independent random generators by name.

    Args:
        seed: Fixes all of them.

    Example:
        >>> streams = Streams(0)
        >>> bool((streams["C"].random(3) == Streams(0)["C"].random(5)[:3]).all())
        True
    """

    def __init__(self, seed: int) -> None:
        self.seed = integer("seed", seed, 0)
        self._made: dict[str, np.random.Generator] = {}

    def __getitem__(self, name: str) -> np.random.Generator:
        if name not in self._made:
            self._made[name] = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return self._made[name]
