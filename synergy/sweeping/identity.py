"""Which function made a store: its source, what it holds, and the versions that it ran with."""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np
import pandas as pd

from synthetic.parallel.call import fingerprint
from theory.source import STOREYS

__all__ = ["identity_of", "name_of"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Where an object lies in memory, which is another place in every process."""


def name_of(function: Callable[..., Any]) -> str:
    """The module and name of a function; of what a `functools.partial` calls."""
    inner = function.func if isinstance(function, functools.partial) else function
    kind = inner if hasattr(inner, "__qualname__") else type(inner)
    return f"{kind.__module__}:{kind.__qualname__}"


def identity_of(function: Callable[..., Any]) -> dict[str, str]:
    """What the results of a function depend on, beside its parameters: code, held values, and versions.

    The code is the function's file and, as it may call them, all of the toolkit; for a function of a notebook
    or a script it is the function's own source. Values that the function holds (defaults, closures, the
    arguments of a partial) count by what they hold: arrays and tables by all their numbers, containers and
    objects by their parts, functions by their names, all else as it prints.

    Returns:
        `function`, its name; `source`, a digest; and the versions of `synthetic.parallel.call.fingerprint`.
    """
    digest = hashlib.sha256()
    for part in _parts(function):
        digest.update(part.encode())
    return {"function": name_of(function), "source": digest.hexdigest()[:12], **fingerprint()}


def _parts(function: Any) -> Iterator[str]:  # noqa: ANN401  (a callable of any kind)
    if isinstance(function, functools.partial):
        yield _text((function.args, function.keywords))
        yield from _parts(function.func)
        return
    inner = inspect.unwrap(function)
    if not inspect.isroutine(inner) and not inspect.isclass(inner):
        yield _text(inner)
        inner = type(inner)
    if inspect.ismethod(inner):
        yield _text(inner.__self__)
    module = sys.modules.get(inner.__module__)
    file = getattr(module, "__file__", None)
    if inner.__module__.partition(".")[0] not in STOREYS:
        if inner.__module__ != "__main__" and file and Path(file).suffix == ".py":
            yield Path(file).read_text(errors="replace")
        else:
            yield _source(inner)
    code = getattr(inner, "__code__", None)
    if isinstance(code, CodeType):
        yield _text((inner.__defaults__, inner.__kwdefaults__))
        cells = zip(code.co_freevars, inner.__closure__ or (), strict=True)
        yield _text({name: _held(cell) for name, cell in cells})


def _held(cell: Any) -> object:  # noqa: ANN401  (a cell of a closure)
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _text(value: Any, around: tuple[object, ...] = ()) -> str:  # noqa: ANN401  (anything)
    """A value as text that tells it from others: what prints in short is written in full.

    Args:
        value: What a function holds.
        around: The values that it is a part of, which are not followed again.
    """
    if any(value is outer for outer in around):
        return "itself"
    parts: Any = None
    if isinstance(value, pd.DataFrame):
        parts = (value.index, [(name, column.to_numpy()) for name, column in value.items()])
    elif isinstance(value, pd.Series):
        parts = (value.index, value.to_numpy())
    elif isinstance(value, functools.partial):
        parts = (value.func, value.args, value.keywords)
    elif inspect.ismethod(value):
        parts = value.__self__
    elif hasattr(value, "tolist") and hasattr(value, "dtype"):  # an array, an index, or a tensor
        plain = isinstance(value, np.ndarray) and not value.dtype.hasobject
        numbers = value.tobytes() if plain else repr(value.tolist()).encode()
        return f"{value.dtype} {tuple(value.shape)} {hashlib.sha256(numbers).hexdigest()}"
    elif isinstance(value, Mapping):
        parts = list(value.items())
    elif isinstance(value, list | tuple):
        return f"[{', '.join(_text(part, (*around, value)) for part in value)}]"
    elif isinstance(value, set | frozenset):  # their order is another one in every process
        return f"{{{', '.join(sorted(_text(part, (*around, value)) for part in value))}}}"
    elif not (inspect.isroutine(value) or isinstance(value, type | ModuleType)):
        parts = _attributes(value)
    name = _ADDRESS.sub("", repr(value))
    return name if parts is None else f"{name} {_text(parts, (*around, value))}"


def _attributes(value: Any) -> dict[str, object] | None:  # noqa: ANN401  (an object)
    """What an object holds, but for what it keeps of its own making; None of one that shows nothing."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in fields(value)}
    held = getattr(value, "__dict__", None)
    if held is None:
        return None
    members = [member for kind in type(value).__mro__ for member in vars(kind).items()]
    own = {name for name, member in members if isinstance(member, functools.cached_property)}
    return {name: held[name] for name in sorted(held) if name not in own}


def _source(inner: Any) -> str:  # noqa: ANN401  (a function or a class)
    try:
        return inspect.getsource(inner)
    except (OSError, TypeError):  # typed at a prompt, or compiled
        code = getattr(inner, "__code__", None)
        return f"{inner.__qualname__} {code.co_code.hex() + repr(code.co_consts) if code else ''}"
