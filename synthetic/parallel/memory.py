"""How much memory there is, and how many processes of some size it holds."""

from __future__ import annotations

import os
from pathlib import Path

from theory.checks import integer

__all__ = ["available_memory", "fitting_jobs", "gib"]

_SHARE = 0.8
"""The part of the available memory that is planned with; the rest is for what was not foreseen."""

_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Where containers and batch systems say how much a job may use, and uses (cgroups, versions 2 and 1)."""


def available_memory() -> int | None:
    """The bytes that could be used now: what the system has left, and no more than its container allows.

    Returns:
        The number of bytes; None where the system does not say.
    """
    found = [_left_to_system()]
    for limit, usage in _LIMITS:
        most, used = _number(limit), _number(usage)
        if most is not None and used is not None:
            found.append(max(most - used, 0))
    known = [size for size in found if size is not None]
    return min(known) if known else None


def _left_to_system() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        [kib] = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
        return int(kib) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):  # no such file, or `max`
        return None


def gib(size: float) -> str:
    """Bytes in words.

    Example:
        >>> gib(3 * 2**30), gib(5 * 2**20)
        ('3.0 GiB', '5 MiB')
    """
    return f"{size / 2**30:.1f} GiB" if size >= 2**29 else f"{size / 2**20:.0f} MiB"


def fitting_jobs(
    jobs: int, *, each: float, shared: float = 0.0, available: float | None = None
) -> tuple[int, str | None]:
    """As many processes as asked for, or as fit into memory, and what to say where they do not all fit.

    Args:
        jobs: The number asked for.
        each: The bytes that a process needs for itself.
        shared: The bytes that all of them share.
        available: The bytes there are; None for `available_memory()`.

    Example:
        >>> fitting_jobs(8, each=2**30, available=5 * 2**30)
        (4, '4 processes instead of 8: each needs about 1.0 GiB and 5.0 GiB are available')
        >>> fitting_jobs(2, each=2**30, available=5 * 2**30)
        (2, None)
    """
    integer("jobs", jobs, 1)
    left = available_memory() if available is None else available
    if left is None or each <= 0:
        return jobs, None
    fit = max(1, int((_SHARE * left - shared) // each))
    if fit >= jobs:
        return jobs, None
    together = f", {gib(shared)} together" if shared else ""
    return fit, (
        f"{fit} process{'es' if fit > 1 else ''} instead of {jobs}: each needs about "
        f"{gib(each)}{together} and "
        f"{gib(left)} are available"
    )
