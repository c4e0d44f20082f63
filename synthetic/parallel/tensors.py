"""Tensors on their way to other processes: as numpy arrays, which can be mapped and sent without a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["SharedTensors", "as_arrays", "as_tensors"]


@dataclass(frozen=True)
class _Held:
    """A tensor as an array."""

    array: npt.NDArray[Any]


def as_arrays(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of an object with its tensors on the CPU as arrays, also those in mappings.

    joblib writes large arrays once and maps them in every process; a tensor it would copy for each task.

    Example:
        >>> state = as_arrays({"images": torch.zeros(2, 3), "labels": {"C": torch.arange(2)}, "n": 2})
        >>> as_tensors(state)["labels"]
        {'C': tensor([0, 1])}
    """
    return {name: _held(value) for name, value in state.items()}


def _held(value: object) -> object:
    if isinstance(value, torch.Tensor) and value.device.type == "cpu" and not value.requires_grad:
        return _Held(value.numpy())
    if isinstance(value, Mapping):
        return {name: _held(entry) for name, entry in value.items()}
    return value


def as_tensors(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state that `as_arrays` was given; arrays that may be written to are taken as they are."""
    return {name: _tensor(value) for name, value in state.items()}


def _tensor(value: object) -> object:
    if isinstance(value, _Held):
        return torch.from_numpy(value.array if value.array.flags.writeable else np.array(value.array))
    if isinstance(value, Mapping):
        return {name: _tensor(entry) for name, entry in value.items()}
    return value


class SharedTensors:
    """A frozen dataclass whose pickle holds its tensors as arrays: processes of one machine map the same."""

    def __getstate__(self) -> dict[str, Any]:
        return self._arrays

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        """Made once: joblib knows an array again by its identity, and writes it once then."""
        return as_arrays({f.name: getattr(self, f.name) for f in fields(cast(Any, self))})

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in as_tensors(state).items():
            object.__setattr__(self, name, MappingProxyType(value) if isinstance(value, dict) else value)
