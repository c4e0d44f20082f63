"""What things are made of, as a digest: kept results of one thing are not taken for those of another.

Two modules may print alike and compute different things, two functions may have one name, and a table prints
without most of its numbers. So a thing counts by what pickle would take of it, with code in place of names
where the code is one's own. Nothing depends on the process: neither addresses nor the order of sets.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from theory.source import STOREYS

__all__ = ["digest_of", "without_addresses"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Where an object lies in memory, which is another place in every process."""

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
"""The types of values that print in full."""

_HOLDERS = ("__func__", "fget", "fset", "func")
"""Where methods and properties keep their functions."""

_INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib"))
"""Where the code of others lies."""


def digest_of(*things: object) -> str:
    """16 hexadecimal digits that differ from those of things with other code or other values.

    Functions and classes of one's own count by their file (as they may call what else is in it), their byte
    code, and what they hold; those of installed packages and of the toolkit by their names. Arrays and
    tensors count by all their numbers, containers and objects by their parts. What a thing works out for
    itself is no part of it: cached properties, and fields of dataclasses that no argument sets.

    Args:
        things: Functions, classes, objects, modules of torch, tables or plain values.

    Example:
        >>> def times(factor):
        ...     return lambda x: factor * x
        >>> digest_of(times(2)) == digest_of(times(2)), digest_of(times(2)) == digest_of(times(3))
        (True, False)
    """
    return _Walk().of(things).hex()[:16]


def without_addresses(text: str) -> str:
    """Printed objects without where they lie in memory.

    Example:
        >>> without_addresses("<function f at 0x7f00>")
        '<function f>'
    """
    return _ADDRESS.sub("", text)


class _Walk:
    """The way through a thing and its parts; each is looked at once, and one that holds itself ends."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, bytes]] = {}  # things are held, so that no id is used again
        self._around: dict[int, int] = {}

    def of(self, thing: object) -> bytes:
        """The digest of a thing."""
        key = id(thing)
        if key in self._known:
            return self._known[key][1]
        if key in self._around:
            return f"{len(self._around) - self._around[key]} above".encode()
        self._around[key] = len(self._around)
        digest = hashlib.sha256()
        for part in self._parts(thing):
            told = part if isinstance(part, bytes) else self.of(part[0])
            digest.update(len(told).to_bytes(8, "little") + told)
        del self._around[key]
        self._known[key] = thing, digest.digest()
        return digest.digest()

    def _parts(self, thing: Any) -> Iterator[bytes | tuple[object]]:  # noqa: ANN401  (anything)
        """What a thing is made of: text as bytes, and parts, each alone in a tuple."""
        kind = type(thing)
        yield f"{kind.__module__}.{kind.__qualname__}".encode()
        if kind in _PLAIN:
            yield repr(thing).encode()
        elif isinstance(thing, CodeType):
            yield thing.co_code
            yield (thing.co_names,)
            yield (thing.co_consts,)
        elif isinstance(thing, ModuleType):
            yield thing.__name__.encode()
        elif isinstance(thing, FunctionType | type):
            yield f"{thing.__module__}.{thing.__qualname__}".encode()
            yield from _of_function(thing) if isinstance(thing, FunctionType) else _of_class(thing)
        elif kind in (list, tuple):
            yield from ((part,) for part in thing)
        elif kind is dict:
            yield from ((part,) for item in thing.items() for part in item)
        elif kind in (set, frozenset):
            yield from sorted(map(self.of, thing))
        elif isinstance(thing, np.ndarray) and not thing.dtype.hasobject:
            yield f"{thing.dtype} {thing.shape}".encode()
            yield thing.tobytes()
        elif _is_tensor(thing):
            yield from _of_tensor(thing)
        else:
            yield from _of_object(thing)


def _of_function(function: FunctionType) -> Iterator[bytes | tuple[object]]:
    if _is_own(function.__module__):
        yield _file_of(function.__module__)
        yield (function.__code__,)
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    yield ((function.__defaults__, function.__kwdefaults__, cells),)


def _of_class(kind: type) -> Iterator[bytes | tuple[object]]:
    """The members of a class of one's own and of its bases, private values left out."""
    for base in kind.__mro__:
        if not _is_own(base.__module__):
            yield base.__qualname__.encode()
            continue
        yield _file_of(base.__module__)
        for name, member in sorted(vars(base).items()):
            if isinstance(member, staticmethod | classmethod | property | functools.cached_property):
                yield name.encode()
                yield from ((getattr(member, part, None),) for part in _HOLDERS)
            elif isinstance(member, FunctionType) or not name.startswith("_"):
                yield name.encode()
                yield (member,)


def _of_tensor(tensor: Any) -> Iterator[bytes]:  # noqa: ANN401  (torch is not loaded for this)
    torch = sys.modules["torch"]
    lazy = sys.modules["torch.nn.parameter"].is_lazy(tensor)
    yield f"{tensor.dtype} {'not known yet' if lazy else tuple(tensor.shape)}".encode()
    if not lazy:
        yield tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def _of_object(thing: Any) -> Iterator[bytes | tuple[object]]:  # noqa: ANN401  (anything)
    """What pickle would take of an object, or how it prints where pickle takes nothing."""
    yield (type(thing),)
    made: Any
    try:
        made = thing.__reduce_ex__(2)
    except Exception:
        made = without_addresses(repr(thing))
    if isinstance(made, str):
        yield made.encode()
        return
    parts: list[Any] = [*made, None]
    yield getattr(parts[0], "__qualname__", "").encode()
    yield (parts[1],)
    yield (_given(thing, parts[2]),)
    yield from ((list(part),) for part in parts[3:] if part is not None)


def _given(thing: object, state: object) -> object:
    """The state of an object less what it worked out for itself."""
    if not isinstance(state, dict):
        return state
    members = [item for kind in type(thing).__mro__ for item in vars(kind).items()]
    own = {name for name, member in members if isinstance(member, functools.cached_property)}
    if is_dataclass(thing):
        own |= {field.name for field in fields(thing) if not field.init}
    return {name: value for name, value in state.items() if name not in own}


def _is_tensor(thing: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(thing, torch.Tensor)


def _is_filled(cell: Any) -> bool:  # noqa: ANN401  (a cell of a closure)
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _is_own(module: str | None) -> bool:
    """Whether code is neither the toolkit's nor that of an installed package."""
    name = module or ""
    if name.partition(".")[0] in (*STOREYS, *sys.builtin_module_names):
        return False
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is None or not any(Path(file).resolve().is_relative_to(place) for place in _INSTALLED)


def _file_of(module: str) -> bytes:
    """The text of a module's file; of a script that runs, or a notebook, its functions say all."""
    file = getattr(sys.modules.get(module), "__file__", None)
    is_module = module != "__main__" and file is not None and Path(file).suffix == ".py"
    return Path(str(file)).read_bytes() if is_module else b""
