"""Work on a dask cluster: found through joblib, fed a little ahead, and none of it lost when a worker dies.

The tasks go to dask by its own client and not through joblib's: joblib 1.6 waits for ever for an item that
cannot be serialised, and for one whose worker was killed too often.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from synthetic.parallel.call import Call, ItemResult, WorkerDiedError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["active_client", "cluster", "on_cluster"]

R = TypeVar("R")

_CONNECT = 10.0
"""Seconds that a scheduler may take to answer."""

_WORKERS = 600.0
"""Seconds that the first worker may take to come: queues of clusters are long."""

_AHEAD = 2
"""Items on their way for each worker, so that none waits for the next."""

_RECOUNT = 5.0
"""Seconds between two looks at how many workers there are."""

_LOSSES = 5
"""An item that was on its way at so many losses of shared data is under suspicion of killing the workers."""

_GONE = "the scheduler of the cluster is gone: what is done is kept, start the same again"
"""What to say when the connection is lost for good."""

_NEEDED = "a cluster needs dask.distributed, which is not installed: pip install 'essl-synergy[cluster]'"
"""What to say where the extra is missing."""


def active_client() -> Client | None:
    """The client of the dask cluster that work goes to at this place; None where there is none."""
    if "joblib" not in sys.modules or "distributed" not in sys.modules:
        return None
    from joblib.parallel import get_active_backend

    client: Client | None = getattr(get_active_backend()[0], "client", None)
    return client


@contextmanager
def cluster(address: str | None) -> Iterator[Client | None]:
    """Let parallel work inside go to a dask cluster.

    The same as `joblib.parallel_config("dask")` with a client of that scheduler.

    Args:
        address: Of the scheduler, such as `tcp://host:8786`, or the path of its scheduler file; None for no
            cluster: nothing happens.

    Raises:
        ConnectionError: If no scheduler answers there.
        ValueError: If it is neither an address nor a file, or dask.distributed is not installed.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ValueError(_NEEDED) from error
    from joblib import parallel_config

    options = {"address": address} if "://" in address else {"scheduler_file": _file(address)}
    try:
        client = Client(**options, timeout=_CONNECT, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise ConnectionError(
            f"no dask scheduler answers at {address!r} within {_CONNECT:g} s: is it running, and can it be "
            "reached from here?"
        ) from error
    with client, parallel_config("dask", client=client):
        yield client


def _file(address: str) -> str:
    if not Path(address).is_file():
        raise ValueError(
            "cluster must be the address of a dask scheduler, such as tcp://host:8786, or its scheduler "
            f"file, got {address!r}"
        )
    return address


def on_cluster(
    client: Client, call: Call[R], items: Iterable[Any], shared: tuple[Any, ...], tell: Callable[[str], None]
) -> Iterator[ItemResult[R]]:
    """The outcomes from the workers of a cluster; see `map_unordered`."""
    work = _Work(client, call, shared, _Workers(client, tell))
    try:
        yield from work.all(enumerate(items))
    finally:
        work.stop()


class _Workers:
    """How many workers a cluster has, looked up now and then."""

    def __init__(self, client: Client, tell: Callable[[str], None]) -> None:
        self.client, self.tell = client, tell
        self._counted, self._count, self._told = -_RECOUNT, 0, False

    def wait(self) -> None:
        """Wait for the first worker; say so where its processes have several threads.

        Raises:
            TimeoutError: If none comes.
        """
        if not self.client.nthreads():
            self.tell(
                f"the cluster has no workers yet: waiting up to {_WORKERS / 60:.0f} minutes for the first"
            )
            try:
                self.client.wait_for_workers(1, timeout=_WORKERS)
            except TimeoutError:
                raise TimeoutError(
                    f"the cluster at {self.client.scheduler.address} has no workers after "
                    f"{_WORKERS / 60:.0f} minutes"
                ) from None
        threads = max(self.client.nthreads().values(), default=1)
        if threads > 1 and not self._told:
            self._told = True
            self.tell(
                f"workers of this cluster have up to {threads} threads, of which one is used: start them "
                "with --nthreads 1 and one process for each core"
            )

    def count(self) -> int:
        """The number of worker processes, as of a few seconds ago."""
        now = time.monotonic()
        if now - self._counted > _RECOUNT:
            self._counted, self._count = now, len(self.client.nthreads())
        return self._count


class _Work:
    """Items of one map on their way."""

    def __init__(self, client: Client, call: Call[R], shared: tuple[Any, ...], workers: _Workers) -> None:
        self.client, self.call, self.workers, self.tell = client, call, workers, workers.tell
        self.name = f"{getattr(call.function, '__name__', 'call')}-{token_hex(4)}"
        self.shared, self.placed = shared, self._place(shared)
        self.flying: dict[Any, tuple[tuple[int, Any], list[Any]]] = {}
        self.losses: Counter[int] = Counter()
        self.again: deque[tuple[int, Any]] = deque()
        self.done: SimpleQueue[Any] = SimpleQueue()
        self.sent, self.closed = 0, False

    def _place(self, shared: tuple[Any, ...]) -> list[Any]:
        """Send what is shared to every worker there is; one that comes later fetches it from another.

        So does one that had nothing to do for some seconds: dask's memory manager drops copies that nothing
        waits for.
        """
        self.workers.wait()
        # In a list, as dask would take a list or dict apart.
        return [self.client.scatter([thing], broadcast=True, hash=False)[0] for thing in shared]

    def all(self, fresh: Iterator[tuple[int, Any]]) -> Iterator[ItemResult[Any]]:
        """The outcomes of all items, those whose workers died too often last and one by one."""
        suspects: list[tuple[int, Any]] = []
        for pair, outcome in self._outcomes(fresh, lambda: _AHEAD * max(1, self.workers.count())):
            if outcome is not None:
                yield outcome
            else:
                self.tell(f"the workers of item {pair[0]} died: it is run again at the end, alone")
                suspects.append(pair)
        for pair, outcome in self._outcomes(iter(suspects), lambda: 1):
            yield outcome or ItemResult(pair[0], error=_killed(pair[0]))

    def _outcomes(
        self, fresh: Iterator[tuple[int, Any]], limit: Callable[[], int]
    ) -> Iterator[tuple[tuple[int, Any], ItemResult[Any] | None]]:
        """Items with their outcomes; None for one whose workers died too often."""
        from distributed import KilledWorker

        while True:
            while not self.closed and len(self.flying) < limit():
                pair = self.again.popleft() if self.again else next(fresh, None)
                if pair is None:
                    break
                self._send(pair)
            if not self.flying:
                return
            future = self._next()
            pair, placed = self.flying.pop(future)
            try:
                outcome = future.result()
            except KilledWorker:
                yield pair, None
                continue
            except CancelledError:
                if not self._taken_up(pair, placed):
                    yield pair, None
                continue
            except Exception as error:  # it could not be read there, or its result not here
                outcome = ItemResult(pair[0], error=error)
            del future  # its result is not kept on the cluster any longer
            self.closed = self.closed or outcome.error is not None
            yield pair, outcome

    def _next(self) -> Any:  # noqa: ANN401  (a future)
        """The next future that is done, however it ended.

        Raises:
            TimeoutError: If there is no worker for too long.
            ConnectionError: If the scheduler is gone.
        """
        alive = time.monotonic()
        while True:
            try:
                return self.done.get(timeout=_RECOUNT)
            except Empty:
                if self.client.status in ("closing", "closed"):
                    raise ConnectionError(_GONE) from None
                if self.client.status != "running" or self.workers.count():
                    alive = time.monotonic()
                elif time.monotonic() - alive > _WORKERS:
                    raise TimeoutError(
                        f"the cluster has had no workers for {_WORKERS / 60:.0f} minutes; what is done "
                        "is kept"
                    ) from None

    def _send(self, pair: tuple[int, Any]) -> None:
        index, item = pair
        self.sent += 1
        try:
            future = self.client.submit(
                self.call, index, item, self.placed, key=f"{self.name}-{self.sent}", pure=False
            )
        except Exception as error:
            raise TypeError(
                f"item {index} cannot be sent to a worker: {_root(error)}; a worker must be able to import "
                "functions, and items must be plain data"
            ) from error
        self.flying[future] = pair, self.placed
        future.add_done_callback(self.done.put)

    def _taken_up(self, pair: tuple[int, Any], placed: list[Any]) -> bool:
        """Send an item again after what it needs was lost with the workers that had it; False if too often.

        Raises:
            ConnectionError: If the scheduler is gone.
        """
        if self.client.status != "running":
            raise ConnectionError(_GONE)
        if placed is self.placed:  # else it is there again already
            self.tell("data was lost with the workers that held it, and is sent again")
            self.placed = self._place(self.shared)
        self.losses[pair[0]] += 1
        if self.losses[pair[0]] % _LOSSES == 0:
            return False
        self.again.append(pair)
        return True

    def stop(self) -> None:
        """Take back what is on its way."""
        with suppress(Exception):  # the scheduler may be gone
            self.client.cancel(list(self.flying))


def _killed(index: int) -> WorkerDiedError:
    return WorkerDiedError(
        f"item {index}: every worker that ran it died, the last ones with nothing else to do; they were "
        "killed, ran out of memory or crashed"
    )


def _root(error: BaseException) -> str:
    """The first of the errors that led to this one, without those that wrap it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error)
