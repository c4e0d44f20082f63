"""Which function made a store: its source, what it holds, and the versions that it ran with."""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

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
    arguments of a partial) count as they print.

    Returns:
        `function`, its name; `source`, a digest; and the versions of `synthetic.parallel.call.fingerprint`.
    """
    digest = hashlib.sha256()
    for part in _parts(function):
        digest.update(_ADDRESS.sub("", part).encode())
    return {"function": name_of(function), "source": digest.hexdigest()[:12], **fingerprint()}


def _parts(function: Any) -> Iterator[str]:  # noqa: ANN401  (a callable of any kind)
    if isinstance(function, functools.partial):
        yield repr((function.args, sorted(function.keywords.items())))
        yield from _parts(function.func)
        return
    inner = inspect.unwrap(function)
    if not inspect.isroutine(inner) and not inspect.isclass(inner):
        yield repr((inner, sorted(getattr(inner, "__dict__", {}).items())))
        inner = type(inner)
    module = sys.modules.get(inner.__module__)
    file = getattr(module, "__file__", None)
    if inner.__module__.partition(".")[0] not in STOREYS:
        if inner.__module__ != "__main__" and file and Path(file).suffix == ".py":
            yield Path(file).read_text(errors="replace")
        else:
            yield _source(inner)
    code = getattr(inner, "__code__", None)
    if isinstance(code, CodeType):
        yield repr((inner.__defaults__, sorted((inner.__kwdefaults__ or {}).items())))
        yield repr(
            [
                (name, _held(cell))
                for name, cell in zip(code.co_freevars, inner.__closure__ or (), strict=True)
            ]
        )


def _held(cell: Any) -> object:  # noqa: ANN401  (a cell of a closure)
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _source(inner: Any) -> str:  # noqa: ANN401  (a function or a class)
    try:
        return inspect.getsource(inner)
    except (OSError, TypeError):  # typed at a prompt, or compiled
        code = getattr(inner, "__code__", None)
        return f"{inner.__qualname__} {code.co_code.hex() + repr(code.co_consts) if code else ''}"
