"""How the random numbers of networks are seeded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import numpy as np
import torch

from synergy.device import seeded_generators
from theory.checks import integer

__all__ = ["Purpose", "generator", "seeded", "stream_seed"]


class Purpose(IntEnum):
    """The purpose that random numbers are drawn for; each has a stream of its own.

    The values are part of every result, so they never change and none is used again.
    """

    SUBSET = 0
    """The images that a data set keeps."""
    ORDER = 1
    """The order of the images in an epoch, by the number of the epoch."""
    STEP = 2
    """Transformations and augmentations of a training step, by the numbers of the epoch and the step."""
    HELD_OUT = 3
    """The same for held-out images, equal in every epoch."""
    SPLIT = 4
    """Which images are held out."""
    LABELS = 5
    """The labels of transformations that are applied once and kept."""
    WEIGHTS = 9
    """The initial weights of encoder and head."""
    EPOCH = 10
    """The random numbers of a network in an epoch, such as dropout, by the number of the epoch."""
    REPRESENT = 11
    """The random numbers of an encoder that is asked for representations."""
    APPLIED = 12
    """What a transformation of one's own draws from torch's own generators, where it is applied once."""


def generator(seed: int, purpose: Purpose, *key: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A stream of random numbers that depends on the seed, the purpose and the key alone.

    A training step draws from the stream of its own number, so that resumed training needs no saved
    generator state.

    Raises:
        ValueError: If the seed is negative.
    """
    return torch.Generator(device=device).manual_seed(stream_seed(seed, purpose, *key))


def stream_seed(seed: int, purpose: Purpose, *key: int) -> int:
    """The seed that `generator` gives its stream, a number below 2^63.

    Raises:
        ValueError: If the seed is negative.
    """
    sequence = np.random.SeedSequence(integer("seed", seed, 0), spawn_key=(purpose, *key))
    return int(sequence.generate_state(1, np.uint64)[0]) >> 1


@contextmanager
def seeded(seed: int, purpose: Purpose, *key: int, device: torch.device) -> Iterator[None]:
    """Torch's own generators within, of the CPU and of the device, seeded by the same three alone.

    Initial weights and dropout draw from them. Afterwards they are as they were.

    Raises:
        ValueError: If the seed is negative.
    """
    with seeded_generators(stream_seed(seed, purpose, *key), device):
        yield
