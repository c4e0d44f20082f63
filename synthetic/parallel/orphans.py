"""Worker processes end when the process that started them is gone.

A pool's workers wait for work from a pipe whose writing end they hold themselves, so that they never see it
close. When their parent is killed they would stay for minutes, with what they hold in shared memory.
"""

from __future__ import annotations

import os
import threading
import time
from functools import cache

__all__ = ["end_with_parent"]

_EVERY = 1.0
"""The seconds between two looks at who the parent is."""


@cache
def end_with_parent(parent: int) -> bool:
    """Watch the parent from a thread of this worker process, and end the process when the parent is gone.

    Args:
        parent: The process that sent the work. Nothing is done where that is not the parent, as in the
            process itself.

    Returns:
        Whether it is watched.
    """
    if os.getppid() != parent:
        return False
    threading.Thread(target=_watch, args=(parent,), name="end-with-parent", daemon=True).start()
    return True


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_EVERY)
    os._exit(1)
