"""Moving numbers to the device without making the host wait for it."""

from __future__ import annotations

import torch

__all__ = ["to_device"]


def to_device(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """The tensor on the device, for what is moved in every step.

    A copy from ordinary memory to CUDA makes the host wait until the device has done all that it was given.
    One from pinned memory does not.

    Args:
        tensor: Of any shape and type.
        device: Where it is needed.
    """
    if tensor.device.type != "cpu" or torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
