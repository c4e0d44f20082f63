"""How far long work is: a bar on a terminal, and elsewhere a line a minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

__all__ = ["CLUSTER", "say", "shown"]

CLUSTER = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Work on a dask cluster: its scheduler's address, such as tcp://host:8786, or file.",
    ),
]
"""The option `--cluster`."""

_EVERY = 60.0
"""Seconds between two lines where there is no terminal."""


def say(line: str) -> None:
    """A line on standard error, beside a result that a program may read."""
    print(f"synergy: {line}", file=sys.stderr, flush=True)


@contextmanager
def shown(
    title: str, *, every: float = _EVERY, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int, str], None]]:
    """A function to be told what is done, of how many, and what the last was.

    On a terminal it moves a bar with the time that is left; elsewhere it prints a line a minute, so that
    the file of a batch system tells whether work goes on, and short work prints none.

    Args:
        title: What is being done.
        every: Seconds between two lines.
        clock: Seconds that never go back.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from synthetic.parallel.pace import Pace, duration

    console = Console(stderr=True)
    pace = Pace(clock)
    start = last = clock()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None, left="")

        def progress(done: int, total: int, what: str) -> None:
            nonlocal last
            seconds = pace.left(done, total)
            left = "" if seconds is None else f"about {duration(seconds)} left"
            if console.is_terminal:
                bar.update(task, completed=done, total=total, description=what or title, left=left)
            elif (now := clock()) - last >= every:
                last = now
                gone = f"{duration(now - start)} gone"
                say(", ".join(part for part in (f"{title}: {done} of {total}", gone, left, what) if part))

        yield progress
