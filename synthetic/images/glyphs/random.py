"""Random numbers by name on any device: a column depends on the seed and its name alone."""

from __future__ import annotations

import numpy as np
import torch

from synthetic.checks import integer
from synthetic.seeds import Streams, child_seed

__all__ = ["DeviceStreams"]


class DeviceStreams:
    """Independent streams of random numbers, drawn on the device that uses them.

    On the CPU the numbers come from numpy, on other devices from torch, so that the same seed gives the
    same bits on the same device. Successive calls with one name continue its stream.

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
        """Standard normal numbers, float32."""
        if self.device.type == "cpu":
            return torch.from_numpy(self._host[name].standard_normal(shape, dtype=np.float32))
        return torch.randn(shape, generator=self._generator(name), device=self.device)

    def _generator(self, name: str) -> torch.Generator:
        if name not in self._made:
            self._made[name] = torch.Generator(self.device).manual_seed(child_seed(self._seed, name))
        return self._made[name]
