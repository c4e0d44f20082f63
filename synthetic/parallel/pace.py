"""How long work still takes, from how long it took so far."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Pace", "duration"]

_LEAST = 1
"""Items that must be done before anything is said of the rest."""


class Pace:
    """The time that is left, by the items that this run did; those that were taken up count for nothing.

    Args:
        clock: Seconds that never go back.

    Example:
        >>> seconds = iter([0.0, 10.0, 20.0])
        >>> pace = Pace(clock=lambda: next(seconds))
        >>> pace.left(0, 4), pace.left(1, 4), pace.left(2, 4)
        (None, 30.0, 20.0)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start: float | None = None
        self._first = 0

    def left(self, done: int, total: int) -> float | None:
        """Seconds until all are done; None before anything can be said."""
        now = self._clock()
        if self._start is None:
            self._start, self._first = now, done
        worked = done - self._first
        if worked < _LEAST:
            return None
        return (now - self._start) / worked * (total - done)


def duration(seconds: float) -> str:
    """Seconds in words.

    Example:
        >>> duration(42), duration(90), duration(8000)
        ('42 s', '2 min', '2 h 13 min')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
