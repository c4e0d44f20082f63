"""The threads of torch, for compiled functions.

On Linux the operations of torch share their work among a team of threads of the GNU OpenMP library. Between
two operations these threads wait busily, so that threads of one's own compete with them for the cores: on two
cores they lose more than they gain. The library's own way to start a team's work, `GOMP_parallel`, reaches
those threads: they begin within microseconds.

Source: the functions a compiler calls for `#pragma omp parallel`, "Implementing PARALLEL construct" in the
manual of GNU libgomp.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import cast

import torch

__all__ = ["share"]

_GRAIN = 2**15
"""Fewer values are not worth a second thread; torch draws the same line."""
_PARTS = 4
"""The parts per thread, so that a thread that starts late does less."""
_forked = False


def _forget_team() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_team)


@lru_cache(maxsize=1)
def _start() -> Callable[[int, ctypes.Array[ctypes.c_int64], int, int], None] | None:
    """`GOMP_parallel` of the very library that torch is linked to, if there is one on this system."""
    try:
        start = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so")).GOMP_parallel
    except (AttributeError, OSError):
        return None
    start.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    start.restype = None
    return cast("Callable[[int, ctypes.Array[ctypes.c_int64], int, int], None]", start)


@lru_cache(maxsize=16)
def _callable(address: int) -> Callable[[ctypes.Array[ctypes.c_int64]], None]:
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)


def share(address: int, count: int, values: int, arguments: list[int]) -> bool:
    """Run a compiled function on all items, with as many threads as torch uses where that pays.

    Without that library, in a forked process, whose threads are gone, and for few values, it runs on this
    thread alone. The result does not depend on it.

    Args:
        address: Where a C function is that takes an array of 64-bit integers: the first item that nobody has
            taken, how many to take at once, how many there are, the arguments, and a last one that it sets
            to 1 where it refuses an item. It takes items, by adding to the first integer in one step, until
            there are none.
        count: The number of items.
        values: How many values they have, all together.
        arguments: Whole numbers and addresses of memory that stays where it is until the work is done.

    Returns:
        Whether no item was refused.
    """
    start = None if _forked or values < _GRAIN else _start()
    threads = 1 if start is None else min(torch.get_num_threads(), count)
    part = count if threads == 1 else -(-count // (_PARTS * threads))
    plan = (ctypes.c_int64 * (len(arguments) + 4))(0, part, count, *arguments, 0)
    if start is None or threads == 1:
        _callable(address)(plan)
    else:
        start(address, plan, threads, 0)
    return plan[-1] == 0
