"""Chunks of work on all cores, without a barrier after every operation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

__all__ = ["run_chunks"]


def run_chunks(work: Callable[[int], None], count: int) -> None:
    """Call `work(0)`, .., `work(count - 1)` in as many threads as torch uses, each with one torch thread.

    Torch's own threads meet after each operation, and on a busy machine wait there for the slowest. Here each
    thread does whole chunks. Inside a DataLoader worker, where torch has one thread, the chunks run in order.

    Args:
        work: Does one chunk; it must not depend on the others.
        count: The number of chunks.
    """
    threads = torch.get_num_threads()
    if min(threads, count) < 2:
        for k in range(count):
            work(k)
        return
    try:
        with ThreadPoolExecutor(
            min(threads, count), initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            for _ in pool.map(work, range(count)):
                pass
    finally:
        torch.set_num_threads(threads)  # new threads take the number that was set last, anywhere
