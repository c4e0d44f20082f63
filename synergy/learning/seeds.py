"""How the random numbers of networks are seeded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from theory.checks import integer

__all__ = ["generator", "seeded", "stream_seed"]


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


@contextmanager
def seeded(seed: int, *key: int, device: torch.device) -> Iterator[None]:
    """Torch's own generators within, of the CPU and of the device, seeded by (seed, key) alone.

    Initial weights and dropout draw from them. Afterwards they are as they were.

    Raises:
        ValueError: If the seed is negative.
    """
    state = stream_seed(seed, *key)
    cuda = device.type == "cuda"
    index = torch.cuda.current_device() if cuda and device.index is None else device.index
    with torch.random.fork_rng(devices=[index] if cuda else []):
        torch.default_generator.manual_seed(state)  # torch.manual_seed would also seed every other device
        if cuda:
            with torch.cuda.device(index):
                torch.cuda.manual_seed(state)
        yield
