"""The map: a function on many items, wherever there are workers, results as they come."""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from synthetic.parallel.call import Call, ItemResult, WorkerDiedError, fingerprint
from synthetic.parallel.clusters import active_client, on_cluster
from synthetic.parallel.orphans import end_with_parent
from theory.checks import integer

__all__ = ["map_unordered"]

T = TypeVar("T")
R = TypeVar("R")

_SHARED_FROM = "1M"
"""Arrays of this size and more are written once and mapped by all processes (joblib's own default)."""

_NOT_WRITTEN = re.compile(r"\w+: \[Errno (\d+)\] (.*)")
"""How a traceback ends where an array could not be written for the other processes."""

_TRIES_TOGETHER = 2
"""An item that was being worked on at so many deaths is run alone next, so that the guilty one is known."""


def map_unordered(
    function: Callable[..., R],
    items: Iterable[T],
    *,
    jobs: int = 1,
    shared: Sequence[Any] = (),
    tell: Callable[[str], None] | None = None,
    died: Callable[[int, WorkerDiedError], R] | None = None,
) -> Iterator[tuple[int, R]]:
    """Run `function(item, *shared)` for every item, and give `(index, result)` as each is done.

    Every item runs on one thread, so results do not depend on where. Inside `cluster(..)` or
    `joblib.parallel_config("dask")` the workers of the cluster run them, one item at a time in a process, and
    `jobs` counts for nothing; else `jobs` processes of this machine. Items are taken as they are needed, so
    that there may be many. An item whose worker dies is run again. Whoever keeps each result as it comes
    loses nothing when the run is interrupted. When an item fails, no more are begun, those that run are
    waited for and given, and then its error is raised, with the worker's traceback as a note.

    Args:
        function: What to run; it and the items must be such that another process can have them.
        items: What to run it on.
        jobs: The number of processes; 1 for this one.
        shared: Large things that every item needs, passed on after the item. They travel once to each worker
            of a cluster; on this machine their numpy arrays are memory-mapped by all processes. They must not
            be changed.
        tell: Called with a line when a worker has died, or is waited for.
        died: Makes a result of an item whose worker died each time; None to raise the error.

    Raises:
        WorkerDiedError: If the worker of an item died each time.
        OtherCodeError: If the workers of a cluster have other code or versions.
        OSError: If large arrays cannot be written where the processes of this machine map them.
        TypeError: If the function or an item cannot be sent to another process.

    Example:
        >>> sorted(map_unordered(abs, [-3, 2, -1]))
        [(0, 3), (1, 2), (2, 1)]
    """
    integer("jobs", jobs, 1)
    say = tell or _say_nothing
    client = active_client()
    if client is not None:
        outcomes: Iterator[ItemResult[R]] = on_cluster(
            client, Call(function, fingerprint()), items, tuple(shared), say
        )
    elif jobs > 1:
        outcomes = _on_processes(Call(function), items, jobs, tuple(shared), say)
    else:
        outcomes = _here(Call(function), items, tuple(shared))
    return _given(outcomes, died)


def _say_nothing(line: str) -> None:
    del line


def _given(
    outcomes: Iterator[ItemResult[R]], died: Callable[[int, WorkerDiedError], R] | None
) -> Iterator[tuple[int, R]]:
    """The results; the first error when all others that were begun are there."""
    first: Exception | None = None
    for outcome in outcomes:
        if outcome.error is None:
            yield outcome.index, outcome.value  # type: ignore[misc]  # a result, which may itself be None
        elif died is not None and isinstance(outcome.error, WorkerDiedError):
            yield outcome.index, died(outcome.index, outcome.error)
        else:
            first = first or outcome.error
    if first is not None:
        raise first


def _here(call: Call[R], items: Iterable[T], shared: tuple[Any, ...]) -> Iterator[ItemResult[R]]:
    for index, item in enumerate(items):
        outcome = call(index, item, shared)
        yield outcome
        if outcome.error is not None:
            return


class _Supply:
    """Items on their way to workers: those that go again first, then fresh ones, until something failed."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.fresh = enumerate(items)
        self.again: deque[tuple[int, Any]] = deque()
        self.flying: dict[int, Any] = {}
        self.closed = False

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        while not self.closed:
            pair = self.again.popleft() if self.again else next(self.fresh, None)
            if pair is None:
                return
            self.flying[pair[0]] = pair[1]
            yield pair

    def landed(self, outcome: ItemResult[R], died: bool = False) -> ItemResult[R]:
        """Note that an item is done; an error of the function's own ends the supply."""
        self.flying.pop(outcome.index, None)
        self.closed = self.closed or (outcome.error is not None and not died)
        return outcome


def _on_processes(
    call: Call[R], items: Iterable[T], jobs: int, shared: tuple[Any, ...], tell: Callable[[str], None]
) -> Iterator[ItemResult[R]]:
    """The outcomes from processes of this machine; when one dies, all that were in work are run again."""
    from concurrent.futures.process import BrokenProcessPool

    supply = _Supply(items)
    deaths: Counter[int] = Counter()
    alone: deque[tuple[int, Any]] = deque()
    while True:
        try:
            for outcome in _pool(call, supply, jobs, shared):
                yield supply.landed(outcome)
            break
        except BrokenProcessPool:
            lost = sorted(supply.flying.items())
            supply.flying.clear()
            deaths.update(index for index, _ in lost)
            tell(f"a worker process died (killed, or out of memory): {len(lost)} items are run again")
            alone.extend(pair for pair in lost if deaths[pair[0]] >= _TRIES_TOGETHER)
            supply.again.extend(pair for pair in lost if deaths[pair[0]] < _TRIES_TOGETHER)
    while alone and not supply.closed:
        pair = alone.popleft()
        try:
            for outcome in _pool(call, [pair], 2, shared):
                yield supply.landed(outcome)
        except BrokenProcessPool:
            yield supply.landed(ItemResult(pair[0], error=_killed(pair[0], _TRIES_TOGETHER + 1)), died=True)


def _pool(
    call: Call[R], pairs: Iterable[tuple[int, Any]], jobs: int, shared: tuple[Any, ...]
) -> Iterator[ItemResult[R]]:
    from joblib import Parallel, delayed

    here = os.getpid()
    # Mapped copy-on-write: shared until written to, and torch takes the arrays as they are.
    run = Parallel(
        n_jobs=jobs,
        return_as="generator_unordered",
        batch_size=1,
        pre_dispatch=jobs,
        max_nbytes=_SHARED_FROM,
        mmap_mode="c",
        initializer=end_with_parent,
        initargs=(here,),
    )
    outcomes: Generator[ItemResult[R], None, None] = run(
        delayed(call)(index, item, shared) for index, item in pairs
    )
    try:
        while True:
            with _quiet():
                outcome = next(outcomes, None)
            if outcome is None:
                return
            yield outcome
    except Exception as error:
        if type(error).__name__ != "PicklingError":
            raise
        reason = _last_line(error.__cause__ or error)
        refused = _NOT_WRITTEN.fullmatch(reason)
        if refused is not None:
            raise OSError(
                int(refused[1]),
                f"large arrays cannot be written for the worker processes: {refused[2]}; the environment "
                "variable JOBLIB_TEMP_FOLDER names the folder for them",
            ) from error
        raise TypeError(
            f"the function, an item or a result cannot be sent between processes: {reason}; a worker must be "
            "able to import functions, and items must be plain data"
        ) from error
    finally:
        with _quiet():
            outcomes.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without two warnings of joblib.

    A worker that keeps freed memory looks like a leak to it, and work that is given up like a mistake.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        warnings.filterwarnings("ignore", ".*still being processed by the workers", UserWarning)
        yield


def _last_line(error: BaseException) -> str:
    """What an error says, without the traceback that joblib puts before it."""
    return [line for line in str(error).splitlines() if line.strip(' "')][-1]


def _killed(index: int, times: int) -> WorkerDiedError:
    return WorkerDiedError(
        f"item {index}: its worker process died {times} times, the last time alone on it; it was killed, "
        "ran out of memory or crashed"
    )
