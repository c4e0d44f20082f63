"""Running a sweep."""

from __future__ import annotations

import functools
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from synergy.sweeping.grid import Cell, Cells, Grid
from synergy.sweeping.identity import identity_of, name_of
from synergy.sweeping.plain import plain, to_text
from synergy.sweeping.result import Sweep
from synergy.sweeping.store import Record, Store
from synthetic.parallel import WorkerDiedError, active_client, map_unordered
from theory.checks import integer

__all__ = ["sweep"]

_TASK = 0.5
"""Seconds that cells sent to a worker together should take: sending costs milliseconds."""

_MOST = 500
"""The most cells that are sent together."""


def sweep(
    function: Callable[..., Any],
    grid: Grid,
    *,
    seeds: int | Sequence[int] = 1,
    out: str | Path | None = None,
    jobs: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Sweep:
    """Run `function(**parameters, seed=seed)` for every setting of a grid and every seed.

    Cells are kept in Parquet parts as they are done. The same call again, or one with more seeds or settings,
    runs what is missing and what failed. A cell that fails is kept with its error and stops no other one,
    also when its process is killed. Inside `synthetic.parallel.cluster(..)` or
    `joblib.parallel_config("dask")` the workers of the cluster run the cells.

    Args:
        function: Takes the parameters and `seed` by name, and gives a number, a text, None, an array, or
            lists, dicts, dataclasses or Estimates of such.
        grid: Lists of values by parameter, of which all combinations are run; or a list of dicts, or a frame,
            with a setting in each row. Values may be nested.
        seeds: How many seeds, from 0; or the seeds.
        out: The folder to keep the cells in; None for memory.
        jobs: The number of processes on this machine.
        progress: Called with the cells that are done, their number in all, and the name of the function.
        tell: Called with a line when a worker died, or a cluster has none yet.

    Raises:
        TypeError: If the grid is something else, a value cannot be told in JSON, or the function cannot be
            called with the parameters or sent to a worker.
        ValueError: If the grid is empty, or a cell or a seed comes twice.
        BusyError: If another sweep writes to the folder.
        FileExistsError: If the folder holds something else, or cells that other code made.

    Example:
        >>> def power(base, exponent, seed):
        ...     return {"power": base**exponent}
        >>> found = sweep(power, {"base": [2, 3], "exponent": [1, 2]})
        >>> found.to_pandas()["power"].tolist(), found.failed
        ([2, 4, 3, 9], ())
    """
    cells = Cells(grid, seeds)
    if not callable(function):
        raise TypeError(f"function must be callable, got {function!r}")
    cells.check(function)
    integer("jobs", jobs, 1)
    name = name_of(function)
    store = Store(None if out is None else Path(out))
    with store.writing(identity_of(function)):
        done = store.done()
        keys = tuple(cell.key for cell in cells)
        ready = sum(key in done for key in keys)
        if progress is not None:
            progress(ready, len(keys), name)
        _ship(function)
        for record in _records(function, (c for c in cells if c.key not in done), jobs, tell):
            store.add(record)
            ready += 1
            if progress is not None:
                progress(ready, len(keys), name)
    return Sweep(name, cells.names, keys, store)


def _ship(function: Callable[..., Any]) -> None:
    """Give the workers of a cluster the file of a user's function, as they may not be able to import it."""
    client = active_client()
    if client is None:
        return
    inner = function.func if isinstance(function, functools.partial) else function
    module = sys.modules.get(getattr(inner, "__module__", ""))
    file = getattr(module, "__file__", None)
    if module is None or file is None or module.__name__ == "__main__" or "." in module.__name__:
        return
    installed = {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")}
    if not any(Path(file).is_relative_to(folder) for folder in installed):
        client.upload_file(file)


def _records(
    function: Callable[..., Any], cells: Iterator[Cell], jobs: int, tell: Callable[[str], None] | None
) -> Iterator[Record]:
    """The cells that are done, in bundles where others run them; of one whose workers died, one by one."""
    together = jobs > 1 or active_client() is not None
    size = 1
    flying: dict[int, tuple[Cell, ...]] = {}
    suspects: list[Cell] = []

    def bundles() -> Iterator[tuple[Cell, ...]]:
        while bundle := tuple(islice(cells, size)):
            flying[len(flying)] = bundle
            yield bundle

    def died(index: int, error: WorkerDiedError) -> list[Record]:
        if len(flying[index]) == 1:
            return [_failed(flying[index][0], error, str(error), 0.0)]
        suspects.extend(flying[index])
        return []

    while True:
        for index, records in map_unordered(
            _run, bundles(), jobs=jobs, shared=(function,), tell=tell, died=died
        ):
            flying[index] = ()
            spent = sum(record["seconds"] for record in records)
            if together and records and not suspects:
                size = max(1, min(_MOST, 2 * size, int(_TASK * len(records) / max(spent, 1e-6))))
            yield from records
        if not suspects:
            return
        cells, size = iter(tuple(suspects)), 1
        flying.clear()
        suspects.clear()


def _run(bundle: tuple[Cell, ...], function: Callable[..., Any]) -> list[Record]:
    return [_one(cell, function) for cell in bundle]


def _one(cell: Cell, function: Callable[..., Any]) -> Record:
    start = time.perf_counter()
    try:
        value = to_text(plain(function(**cell.parameters, seed=cell.seed), "the result"))
    except (Exception, SystemExit) as error:  # whatever a function of the user's does
        return _failed(cell, error, traceback.format_exc(), time.perf_counter() - start)
    return {
        "key": cell.key,
        "parameters": cell.text,
        "seed": cell.seed,
        "value": value,
        "error": None,
        "message": None,
        "traceback": None,
        "seconds": time.perf_counter() - start,
    }


def _failed(cell: Cell, error: BaseException, told: str, seconds: float) -> Record:
    return {
        "key": cell.key,
        "parameters": cell.text,
        "seed": cell.seed,
        "value": None,
        "error": type(error).__name__,
        "message": str(error),
        "traceback": told,
        "seconds": seconds,
    }
