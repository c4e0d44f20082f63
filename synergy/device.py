"""Where networks run, and how a process that trains them keeps its memory."""

from __future__ import annotations

import ctypes
from contextlib import AbstractContextManager, nullcontext

import torch

from theory.checks import integer

__all__ = ["choose_device", "full_precision", "keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""The parameters of C's `mallopt`, as malloc.h numbers them."""


def choose_device(device: str = "auto") -> torch.device:
    """The device to run on: `auto` takes CUDA where there is one.

    Raises:
        ValueError: If the device is malformed, or CUDA, or that many CUDA devices, are asked for and absent.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"unknown device {device!r}: expected 'auto', 'cpu', 'cuda' or such as 'cuda:0'"
        ) from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {device!r} was asked for, but no CUDA device is available; use 'cpu'")
    if chosen.type == "cuda" and (chosen.index or 0) >= (count := torch.cuda.device_count()):
        there = "cuda:0" if count == 1 else f"cuda:0 .. cuda:{count - 1}"
        raise ValueError(f"device {device!r} was asked for, but there is only {there}")
    if chosen.type not in ("cpu", "cuda"):
        raise ValueError(f"device {device!r} is not supported: expected 'auto', 'cpu' or 'cuda'")
    return chosen


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """A context without mixed precision; where there is none, one that costs nothing."""
    if torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def keep_freed_memory(limit: int = 2**28) -> bool:
    """Let this process keep freed memory for the next step instead of returning it to the system.

    A step of a small network on the CPU allocates and frees tens of megabytes. The GNU C library returns
    blocks of that size at once, so that every step waits for fresh pages: with 128 images of 16 x 16 pixels
    a step takes a quarter longer for it. No value changes. The setting holds for the whole process and
    cannot be read back, so it is for processes that train, such as the workers of an experiment, and no
    part of `train`.

    Args:
        limit: How many bytes may be kept, less than 2^31.

    Returns:
        Whether the C library has the setting; elsewhere nothing happens.

    Raises:
        ValueError: If the limit is out of range.
    """
    integer("limit", limit, 1, 2**31 - 1)
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, limit)) and bool(mallopt(_MMAP_THRESHOLD, limit))
