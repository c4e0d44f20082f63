"""How the random numbers of networks are seeded."""

from __future__ import annotations

import numpy as np
import torch

from synthetic.checks import integer

__all__ = ["generator", "stream_seed"]


def generator(seed: int, *key: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A stream of random numbers that depends on the seed and the key alone.

    A training step draws from the stream of its own number, so that resumed training needs no saved
    generator state.

    Raises:
        ValueError: If the seed is negative.
    """
    return torch.Generator(device=device).manual_seed(stream_seed(seed, *key))


def stream_seed(seed: int, *key: int) -> int:
    """What `generator` seeds its stream with, a number below 2^63.

    Raises:
        ValueError: If the seed is negative.
    """
    sequence = np.random.SeedSequence(integer("seed", seed, 0), spawn_key=key)
    return int(sequence.generate_state(1, np.uint64)[0]) >> 1
