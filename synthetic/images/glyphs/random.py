"""Random numbers by name on any device: a column depends on the seed and its name alone."""

from __future__ import annotations

import math

import numpy as np
import torch

from synthetic.seeds import Streams, child_seed
from theory.checks import integer

__all__ = ["DeviceStreams"]

_LANES, _STEPS = 16, 2**9
"""Torch fills normal numbers in lanes of 16; a stream starts after 1 to 512 lanes, as its seed says."""


class DeviceStreams:
    """Independent streams of random numbers, drawn on the device that uses them.

    On the CPU uniform numbers come from numpy and normal ones from torch, which is faster there; on other
    devices all come from torch. The same seed gives the same bits on the same device. Successive calls with
    one name continue its stream.

    Args:
        seed: Fixes all streams, a non-negative integer.
        device: Where the numbers are needed.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self._seed = integer("seed", seed, 0)
        self._host = Streams(self._seed)
        self._made: dict[str, torch.Generator] = {}

    def uniform(self, name: str, *shape: int) -> torch.Tensor:
        """Numbers in [0, 1), float32."""
        if self.device.type == "cpu":
            return torch.from_numpy(self._host[name].random(shape, dtype=np.float32))
        return torch.rand(shape, generator=self._generator(name), device=self.device)

    def normal(self, name: str, *shape: int) -> torch.Tensor:
        """Standard normal numbers, float32; those of the first rows do not depend on the number of rows."""
        entries = math.prod(shape[1:])
        padded = -(-entries // _LANES) * _LANES  # torch fills in whole lanes
        drawn = torch.randn(shape[0], padded, generator=self._generator(name), device=self.device)
        return drawn[:, :entries].reshape(shape)

    def _generator(self, name: str) -> torch.Generator:
        if name not in self._made:
            seed = child_seed(self._seed, name)
            made = torch.Generator(self.device)
            if self.device.type == "cpu":
                # torch's CPU generator uses 32 bits of a seed: others decide how far its stream is advanced.
                made.manual_seed(seed & 0xFFFFFFFF)
                torch.randn((seed >> 32) % _STEPS * _LANES + _LANES, generator=made)
            else:
                made.manual_seed(seed)
            self._made[name] = made
        return self._made[name]
