"""Where images are transformed: by the operations of torch anywhere, compiled on the CPU with numba."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from types import ModuleType

import torch

__all__ = ["compiled_for"]


def compiled_for(images: torch.Tensor) -> ModuleType | None:
    """`synthetic.transformations.compiled`, where it can take these images; else None.

    It takes float32 images on the CPU that need no gradient, where numba is installed (the extra `fast`).
    """
    if images.device.type != "cpu" or images.dtype != torch.float32 or images.requires_grad:
        return None
    return _compiled()


@lru_cache(maxsize=1)
def _compiled() -> ModuleType | None:
    try:
        return import_module("synthetic.transformations.compiled")
    except ImportError:  # numba is absent, or does not know this version of NumPy
        return None
