"""How much memory a file asks for, compared with what there is, before any of it is taken.

A file of some kilobytes can ask for gigabytes: a zip member or a Parquet page that repeats one value is
nearly free to store. What counts is what the file itself declares.
"""

from __future__ import annotations

from synthetic.parallel.memory import available_memory
from theory.errors import TooLargeError

__all__ = ["require_room"]

_SHARE = 0.5
"""The share of the available memory that one array or column may take: it is copied at least once."""

_MOST_FOLD = 1000
"""How many times larger than its file an array may be; data of value compresses less than fifty-fold."""

_SMALL = 2**28
"""Arrays of at most so many bytes may be as much larger than their file as they like."""


def require_room(what: str, need: int, *, stored: int) -> None:
    """Refuse what would not fit, or is so much larger than its file that it can hardly be meant.

    Args:
        what: What is read, for the error.
        need: The bytes that it declares to take in memory.
        stored: The bytes of its file.

    Raises:
        TooLargeError: If it needs more than half of the available memory, or more than 256 MiB and a
            thousand times its file.
    """
    if need <= _SMALL:
        return
    room = available_memory()
    size = f"{what} declares {need / 2**30:,.1f} GiB"
    if room is not None and need > _SHARE * room:
        raise TooLargeError(
            f"{size}, and at most {_SHARE:.0%} of the available {room / 2**30:.1f} GiB are taken: name fewer "
            f"columns, write it in several files, or take a machine with more memory"
        )
    if need > _MOST_FOLD * max(stored, 1):
        raise TooLargeError(
            f"{size} in a file of {stored:,} bytes, more than {_MOST_FOLD:,} times as much: it is taken for "
            f"a damaged or malicious file; if it is meant, write it without compression"
        )
