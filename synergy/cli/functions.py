"""Functions of one's own, named on the command line."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["named_function"]


def named_function(text: str) -> Callable[..., Any]:
    """The function that MODULE:FUNCTION names; modules of this folder are found as by `python -m`.

    Raises:
        ValueError: If there is none.
    """
    name, colon, path = text.partition(":")
    if not colon or not name or not path:
        raise ValueError(f"expected MODULE:FUNCTION, such as mine:measure, got {text!r}")
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(f"cannot import {name!r} from {here}: {error}") from None
    for part in path.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{name!r} has no {path!r}")
        found = getattr(found, part)
    if not callable(found):
        raise ValueError(f"{text!r} must be a function, got {type(found).__name__}")
    function: Callable[..., Any] = found
    return function
