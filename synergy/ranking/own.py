"""What things of one's own are made of, so that the kept runs of one are not taken for those of another.

Two modules may print alike and compute different things, and two functions may have one name. What tells
them apart is what they are made of: files, byte code, and every value that they hold, however deep.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from synergy.sweeping.identity import identity_of
from theory.source import STOREYS

__all__ = ["digest_of"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Where an object lies in memory, which is another place in every process."""

_KNOWN = ("builtins", "torch", *STOREYS)
"""The packages whose code is not looked into: runs are kept under a digest of the toolkit's."""


def digest_of(*things: object) -> str:
    """16 hexadecimal digits that differ from those of things with other code or other values.

    Functions count by their file, their byte code, and the values of their closure and defaults; objects of
    classes of one's own by the same of their methods and by their attributes but private ones; modules by
    those of their parts and by their numbers; all else as it prints. Code of the toolkit is not looked at.

    Args:
        things: Functions, classes, objects, modules or plain values.

    Example:
        >>> def times(factor):
        ...     return lambda x: factor * x
        >>> digest_of(times(2)) == digest_of(times(2)), digest_of(times(2)) == digest_of(times(3))
        (True, False)
    """
    digest = hashlib.sha256()
    seen: dict[int, object] = {}
    for thing in things:
        for text in _texts(thing, seen):
            digest.update(len(text).to_bytes(8, "little") + text)
    return digest.hexdigest()[:16]


def _texts(thing: Any, seen: dict[int, object]) -> Iterator[bytes]:  # noqa: ANN401  (anything)
    """What a thing is made of."""
    if isinstance(thing, CodeType):
        yield thing.co_code
        yield from _texts((thing.co_names, thing.co_consts), seen)
    elif isinstance(thing, torch.Tensor | np.ndarray):
        yield from _of_numbers(thing)
    elif isinstance(thing, set | frozenset):
        yield repr(sorted(map(repr, thing))).encode()  # their order is another one in every process
    elif isinstance(thing, tuple):
        yield f"tuple of {len(thing)}".encode()
        for part in thing:
            yield from _texts(part, seen)
    elif isinstance(thing, functools.partial):
        yield from _texts((thing.func, thing.args, thing.keywords), seen)
    elif isinstance(thing, MethodType):
        yield from _texts((thing.__func__, thing.__self__), seen)
    elif isinstance(thing, list | Mapping | FunctionType | type) or _has_parts(thing):
        yield from _of_deep(thing, seen)
    else:
        yield _ADDRESS.sub("", repr(thing)).encode()


def _of_numbers(numbers: torch.Tensor | npt.NDArray[Any]) -> Iterator[bytes]:
    if isinstance(numbers, torch.Tensor):
        lazy = is_lazy(numbers)
        yield str((numbers.dtype, None if lazy else tuple(numbers.shape))).encode()
        if not lazy:
            yield numbers.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    else:
        yield str((numbers.dtype, numbers.shape)).encode()
        yield repr(numbers.tolist()).encode() if numbers.dtype.hasobject else numbers.tobytes()


def _of_deep(thing: Any, seen: dict[int, object]) -> Iterator[bytes]:  # noqa: ANN401  (what may hold itself)
    """What a thing is made of that may hold itself: what was seen before is not followed again."""
    if id(thing) in seen:
        yield b"seen"
        return
    seen[id(thing)] = thing  # held, so that no other object takes its place in memory
    if isinstance(thing, list):
        yield from _texts(tuple(thing), seen)
    elif isinstance(thing, Mapping):
        yield from _texts(tuple(thing.items()), seen)
    elif isinstance(thing, FunctionType):
        yield from _of_function(thing, seen)
    elif isinstance(thing, type):
        yield from _of_class(thing, seen)
    else:
        yield from _of_object(thing, seen)


def _has_parts(thing: Any) -> bool:  # noqa: ANN401  (anything)
    """Whether it is an object of a class of one's own, a module, or an object with fields."""
    known = isinstance(thing, nn.Module) or is_dataclass(thing)
    return hasattr(thing, "__dict__") and (known or _is_own(type(thing)))


def _is_own(kind: type) -> bool:
    return kind.__module__.partition(".")[0] not in _KNOWN


def _of_function(function: FunctionType, seen: dict[int, object]) -> Iterator[bytes]:
    yield function.__qualname__.encode()
    if (function.__module__ or "").partition(".")[0] not in _KNOWN:
        yield identity_of(function)["source"].encode()
        yield from _texts(function.__code__, seen)
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    yield from _texts((function.__defaults__, function.__kwdefaults__, tuple(cells)), seen)


def _is_filled(cell: Any) -> bool:  # noqa: ANN401  (a cell of a closure)
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _of_class(kind: type, seen: dict[int, object]) -> Iterator[bytes]:
    yield f"{kind.__module__}.{kind.__qualname__}".encode()
    for base in kind.__mro__:
        if not _is_own(base):
            continue
        yield identity_of(base)["source"].encode()
        for name, member in sorted(vars(base).items()):
            if isinstance(member, staticmethod | classmethod):
                member = member.__func__
            elif isinstance(member, property | functools.cached_property):
                member = member.fget if isinstance(member, property) else member.func
            if isinstance(member, FunctionType) or not name.startswith("_"):
                yield name.encode()
                yield from _texts(member, seen)


def _of_object(thing: Any, seen: dict[int, object]) -> Iterator[bytes]:  # noqa: ANN401  (an object)
    yield from _texts(type(thing), seen)
    yield from _texts(tuple(p for p in sorted(vars(thing).items()) if not p[0].startswith("_")), seen)
    yield _ADDRESS.sub("", repr(thing)).encode()
    if isinstance(thing, nn.Module):
        numbers = (*thing.named_parameters(recurse=False), *thing.named_buffers(recurse=False))
        yield from _texts((numbers, tuple(thing.named_children())), seen)
