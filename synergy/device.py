"""Where networks run, how they repeat there, and how a process that trains them keeps its memory."""

from __future__ import annotations

import ctypes
import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from theory.checks import integer

__all__ = ["choose_device", "deterministic", "full_precision", "keep_freed_memory", "seeded_generators"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""The parameters of C's `mallopt`, as malloc.h numbers them."""
_WORKSPACE, _FIXED_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
"""What torch asks for before it calls matrix products on CUDA deterministic."""


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


@contextmanager
def seeded_generators(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's own generators within, of the CPU and of the device, seeded; afterwards they are as they were.

    What modules draw, such as initial weights and dropout, comes from them. `torch.manual_seed` would seed
    those of every other device too, and leave them so.

    Args:
        seed: Of it the last 64 bits count.
        device: Where modules run.
    """
    state = int(seed) % 2**64
    cuda = device.type == "cuda"
    index = torch.cuda.current_device() if cuda and device.index is None else device.index
    with torch.random.fork_rng(devices=[index] if cuda else []):
        torch.default_generator.manual_seed(state)
        if cuda:
            with torch.cuda.device(index):
                torch.cuda.manual_seed(state)
        yield


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Deterministic algorithms on CUDA within, whatever holds outside; on the CPU nothing changes.

    Torch's flags hold for the whole process, and so for other threads meanwhile; afterwards they are as they
    were. Where torch has no deterministic algorithm, as for the gradient of `AdaptiveAvgPool2d` in a module
    of the user's, it warns, or raises where that was asked for before.

    Source:
        PyTorch, "Reproducibility", https://docs.pytorch.org/docs/stable/notes/randomness.html
    """
    if device.type != "cuda":
        yield
        return
    cudnn = torch.backends.cudnn
    memory: Any = torch.utils.deterministic  # its attribute is a property that mypy does not see
    mode, filled, workspace = (
        torch.get_deterministic_debug_mode(),
        memory.fill_uninitialized_memory,
        os.environ.get(_WORKSPACE),
    )
    os.environ.setdefault(_WORKSPACE, _FIXED_WORKSPACE)
    torch.set_deterministic_debug_mode(max(mode, 1))
    memory.fill_uninitialized_memory = False  # it is for finding errors, and takes time
    try:
        with (
            warnings.catch_warnings(),
            cudnn.flags(
                enabled=cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=cudnn.allow_tf32
            ),
        ):
            # the workspace is read once in a process; products on one stream repeat whatever it is
            warnings.filterwarnings("ignore", message=".*it uses CuBLAS", category=UserWarning)
            yield
    finally:
        torch.set_deterministic_debug_mode(mode)
        memory.fill_uninitialized_memory = filled
        if workspace is None:
            os.environ.pop(_WORKSPACE, None)


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
