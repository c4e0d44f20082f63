"""What travels to a worker: a function, and the code and versions that it must meet there."""

from __future__ import annotations

import copy
import platform
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Generic, TypeVar

from theory.source import source_digest

__all__ = ["Call", "ItemResult", "OtherCodeError", "WorkerDiedError", "fingerprint"]

R = TypeVar("R")

_TURN = threading.Lock()
"""A worker process of a cluster runs one item at a time: random streams and thread limits belong to a
process."""

_CONTROLLERS: dict[int, Any] = {}
"""The libraries that were found, by the number of modules that were imported then."""

_PACKAGES = ("essl-synergy", "numpy", "scipy", "torch", "scikit-learn")
"""The packages that results depend on, beside the code of the toolkit."""


class WorkerDiedError(ChildProcessError):
    """An item whose worker died each time that it was tried."""


class OtherCodeError(ValueError):
    """A worker has other code or other versions than the process that sent the work."""


@cache
def _fingerprint() -> tuple[tuple[str, str], ...]:
    found = {"code": source_digest(), "python": ".".join(platform.python_version_tuple()[:2])}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return tuple(found.items())


def fingerprint() -> dict[str, str]:
    """The code of the toolkit, as a digest, and the versions of what its results depend on."""
    return dict(_fingerprint())


@dataclass(frozen=True)
class ItemResult(Generic[R]):
    """What became of one item.

    Args:
        index: Its number.
        value: The result; None where there is an error.
        error: What the function raised.
    """

    index: int
    value: R | None = None
    error: Exception | None = None

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """What travels: the error by its class and what it holds where its arguments do not make it again."""
        if self.error is None or _is_made_again(self.error):
            return ItemResult, (self.index, self.value, self.error)
        return _arrived, (self.index, type(self.error), self.error.args, dict(self.error.__dict__))


@dataclass(frozen=True)
class Call(Generic[R]):
    """Runs a function on one item, on one thread, and never raises what the function raised.

    Args:
        function: What to run.
        needs: The `fingerprint` that a worker must have; None on the same machine.
    """

    function: Callable[..., R]
    needs: Mapping[str, str] | None = None

    def __call__(self, index: int, item: object, shared: tuple[object, ...] = ()) -> ItemResult[R]:
        """The outcome of `function(item, *shared)`."""
        with nullcontext() if self.needs is None else _TURN:
            try:
                if self.needs is not None:
                    _require(self.needs)
                with _one_thread():
                    return ItemResult(index, self.function(item, *shared))
            except Exception as error:
                return ItemResult(index, error=portable(error))


def _one_thread() -> AbstractContextManager[object]:
    """A context in which the libraries for numbers use one thread.

    Looking for them takes milliseconds, so it is done again only after something was imported.
    """
    from threadpoolctl import ThreadpoolController

    imported = len(sys.modules)
    if imported not in _CONTROLLERS:
        _CONTROLLERS.clear()
        _CONTROLLERS[imported] = ThreadpoolController()
    limited: AbstractContextManager[object] = _CONTROLLERS[imported].limit(limits=1)
    return limited


def _arrived(
    index: int, kind: type[Exception], args: tuple[Any, ...], held: dict[str, Any]
) -> ItemResult[Any]:
    """The result of an item that failed, as it is made in the process that it reaches."""
    return ItemResult(index, error=_remade(kind, args, held))


def _remade(kind: type[Exception], args: tuple[Any, ...], held: dict[str, Any]) -> Exception:
    """An error by its class and what it holds, without its constructor."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(held)
    return error


def _is_made_again(error: Exception) -> bool:
    """Whether a copy by its constructor, which is how errors travel, says the same."""
    try:
        return str(copy.copy(error)) == str(error)
    except Exception:
        return False


def portable(error: Exception) -> Exception:
    """The error with its traceback, or one that says the same where its class cannot be made elsewhere."""
    told = traceback.format_exc()
    if not _is_made_again(error):
        try:
            same = str(_remade(type(error), error.args, error.__dict__)) == str(error)
        except Exception:
            same = False
        if not same:
            error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"in a worker:\n{told}")
    return error


def _require(needs: Mapping[str, str]) -> None:
    here = fingerprint()
    other = [
        f"{name} {here.get(name, 'none')} instead of {needs[name]}"
        for name in needs
        if here.get(name) != needs[name]
    ]
    if other:
        raise OtherCodeError(
            f"the worker on {socket.gethostname()} has {', '.join(other)}: install the same versions there, "
            "so that results are the same wherever they are computed"
        )
