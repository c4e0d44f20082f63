"""Parameters and results as plain data: JSON that reads back to the same numbers, bit for bit."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np

__all__ = ["from_text", "plain", "to_text"]

_ARRAY = "__array__"
"""The key that marks an array: its bytes in base 64, with its type and shape."""


def plain(value: object, what: str) -> Any:  # noqa: ANN401  (what JSON has, and arrays)
    """The value as dicts, lists, numbers, texts, None and numpy arrays.

    Objects with `to_dict`, such as an `Estimate`, are what it gives; dataclasses are their fields.

    Args:
        value: What to tell.
        what: What to call it in an error.

    Raises:
        TypeError: If some part of it is something else, or a dict has keys that are no text.

    Example:
        >>> plain({"a": (1, np.float64(0.5)), "b": None}, "the result")
        {'a': [1, 0.5], 'b': None}
    """
    if isinstance(value, Enum):
        return plain(value.value, what)
    if isinstance(value, np.generic):
        return plain(value.item(), what)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{what} has the key {key!r} of {type(key).__name__}: expected text")
            if key == _ARRAY:
                raise TypeError(f"{what} has the key {key!r}, which marks arrays: expected another name")
        return {key: plain(entry, f"{what}[{key!r}]") for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        ordered = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [plain(entry, f"{what}[{i}]") for i, entry in enumerate(ordered)]
    if isinstance(value, PurePath):
        return str(value)
    return _of_object(value, what)


def _of_object(value: object, what: str) -> object:
    array = _as_array(value)
    if array is not None:
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{what} is an array of {array.dtype}: expected numbers or truth values")
        return array
    to_dict: Callable[[], Any] | None = getattr(value, "to_dict", None)
    if callable(to_dict) and not isinstance(value, type) and not hasattr(value, "columns"):
        return plain(to_dict(), what)
    if is_dataclass(value) and not isinstance(value, type):
        held = {f.name: getattr(value, f.name) for f in fields(value)}
        return {name: plain(entry, f"{what}.{name}") for name, entry in held.items()}
    raise TypeError(
        f"{what} is of {type(value).__name__}: expected numbers, texts, None, arrays, lists, dicts, "
        "dataclasses or objects with to_dict"
    )


def _as_array(value: object) -> np.ndarray[Any, Any] | None:
    """An array, or a tensor as one; None for anything else."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        return np.asarray(value.detach().cpu().numpy())
    return None


def to_text(value: object) -> str:
    """What `plain` gives as JSON with sorted keys; numbers read back bit for bit, also NaN and infinities."""
    return json.dumps(value, sort_keys=True, default=_packed, separators=(",", ":"))


def _packed(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    held = np.ascontiguousarray(array)
    return {
        _ARRAY: base64.b64encode(held.tobytes()).decode(),
        "dtype": held.dtype.str,
        "shape": list(array.shape),
    }


def from_text(text: str) -> Any:  # noqa: ANN401  (what `plain` gives)
    """What `to_text` was given."""
    return json.loads(text, object_hook=_unpacked)


def _unpacked(entry: dict[str, Any]) -> object:
    if _ARRAY not in entry:
        return entry
    held = np.frombuffer(base64.b64decode(entry[_ARRAY]), dtype=np.dtype(entry["dtype"]))
    return held.reshape(entry["shape"]).copy()
