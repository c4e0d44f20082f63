"""How numba makes C functions that threads can share, and what those need beyond Python."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.core.ccallback import CFunc
from numba.core.typing.context import Context
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

__all__ = ["Plan", "at", "compiled", "shared", "take", "within"]

Plan = npt.NDArray[np.int64]
"""What the threads that share some work are given; see `team.share`."""
Kernel = TypeVar("Kernel", bound=Callable[..., Any])
Typed = tuple[Signature, Callable[..., ir.Value]]
"""The types of a function, and what writes its instructions."""

_WORK = types.void(types.CPointer(types.int64))
_MADE: list[CFunc] = []
"""C functions last as long as these objects."""


def _kept(compiler: Callable[..., Any], function: Callable[..., Any]) -> object:
    """What the compiler makes of the function, kept on disk where there is a place for it."""
    try:
        return compiler(cache=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return compiler(cache=False)(function)


def compiled(function: Kernel) -> Kernel:
    """Compiled, to be called by other compiled functions."""
    return cast("Kernel", _kept(partial(numba.njit, nogil=True, fastmath={"contract"}), function))


def shared(function: Callable[[Plan], None]) -> int:
    """The address of the function, compiled into a C function of an array of 64-bit integers."""
    made = cast("CFunc", _kept(partial(numba.cfunc, _WORK), function))
    _MADE.append(made)
    return cast("int", made.address)


def _at(typing: Context, address: types.Type) -> Typed:
    def generate(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: list[ir.Value]
    ) -> ir.Value:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


def _take(typing: Context, plan: types.Type, count: types.Type) -> Typed:
    def generate(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: list[ir.Value]
    ) -> ir.Value:
        return builder.atomic_rmw("add", arguments[0], arguments[1], "monotonic")

    return types.int64(types.CPointer(types.int64), types.int64), generate


at = cast("Callable[[int], ctypes.c_void_p]", intrinsic(_at))
"""The memory at an address, in compiled code."""
take = cast("Callable[[Plan, int], int]", intrinsic(_take))
"""Add to the first integer of a plan, in one step that no other thread sees half done; what it was before."""


@compiled
def within(labels: npt.NDArray[np.integer[Any]], count: int) -> bool:
    """Whether all labels are 0 .. count - 1: none of them points beyond the memory that is read."""
    least, most = 0, 0
    for label in labels:
        least, most = min(least, label), max(most, label)
    return least == 0 and most < count
