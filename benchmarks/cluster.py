"""What a cell of a sweep costs beside its work, and the parent's memory at 100,000 cells.

    python benchmarks/cluster.py [--cells 100000] [--items 2000] [--out benchmarks/results]

Each row is measured in a process of its own: a sweep of a function that does nothing, kept in Parquet parts,
and the bare map with one item a task. `processor` is the time that the parent computed, so that it means the
same on a busy machine; `memory` is the most that the parent held beyond what it held after its imports.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

WORKERS = 2
MACHINE = "2 CPU cores, 24 GiB of memory"


def nothing(n, seed):
    """A cell without work."""
    return n


def item(n):
    """An item without work."""
    return n


def memory() -> float:
    """The most this process held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(what: str, where: str, count: int) -> dict[str, float]:
    """One row, in this process."""
    from joblib import parallel_config

    from synergy import sweep
    from synthetic.parallel import map_unordered

    folder = Path(tempfile.mkdtemp())
    with ExitStack() as stack:
        jobs = WORKERS if where == "processes" else 1
        if where == "dask":
            from distributed import Client, LocalCluster

            started = LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None)
            client = stack.enter_context(Client(stack.enter_context(started)))
            client.wait_for_workers(WORKERS)
            stack.enter_context(parallel_config("dask", client=client))
        list(map_unordered(item, range(4), jobs=jobs))
        before, wall, busy = memory(), time.perf_counter(), time.process_time()
        if what == "sweep":
            found = sweep(nothing, {"n": list(range(count))}, out=folder / "out", jobs=jobs)
            assert len(found) == count
        else:
            assert sum(1 for _ in map_unordered(item, range(count), jobs=jobs)) == count
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        row = {"seconds": wall, "processor": busy, "memory": memory() - before}
        if what == "sweep":
            row["parts"] = len(list((folder / "out").glob("part-*")))
            row["size"] = sum(path.stat().st_size for path in (folder / "out").iterdir()) / 2**20
            again = time.process_time()
            assert len(sweep(nothing, {"n": list(range(count))}, out=folder / "out")) == count
            row["again"] = time.process_time() - again
    shutil.rmtree(folder)
    return row


PAPER = """
## What limits 10,000 workers, on paper

Nobody lent 10,000 workers; this is arithmetic from the numbers above and from dask's own documentation.

- **The scheduler** is one Python process. dask's documentation puts its cost at some hundred microseconds
  a task, so it hands out at most some thousand tasks a second. 10,000 workers stay busy while a task
  takes longer than 10,000 / 1,000 = 10 s. Runs of `experiment`, `rank` and the learned world of `verify`
  take 10 s to minutes: there it is enough. Cells of a sweep are bundled to half a second: that is enough
  for some hundred workers; for thousands write the function so that a cell takes ten seconds.
- **This process** takes the results. The time a task of the map on dask above is that of the scheduler
  and of this process together: some hundred tasks a second, so tasks of a minute and more for 10,000
  workers while both share a core, and of some ten seconds where the scheduler has its own.
- **Two items a worker** are on their way, so 20,000 futures; dask holds some kilobytes for each, in all
  some hundred megabytes.
- **Images** go out once to each worker, from worker to worker in a tree: 60,000 photographs of CIFAR-10
  are 0.7 GB, and 10,000 workers take 7 TB of traffic in log2(10,000) = 14 rounds. Workers that share a
  file system read `--root` by path in its place.
- **Connections**: one for each worker at the scheduler, so `ulimit -n` must be above 10,000 there (dask
  asks for 65,536).
- **Heartbeats** of 10,000 workers are thousands of messages a second; dask makes them rarer as workers
  become more.
- **A shared file system** suffers first where all workers import Python packages at once: use an image,
  or a copy on local disks.
"""


def table(rows: list[dict[str, object]], cells: int, items: int) -> str:
    """The page."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("dask", "distributed", "joblib", "pyarrow"))
    lines = [
        "# Sweeps and clusters",
        "",
        f"Made by `benchmarks/cluster.py`. {MACHINE}; {packages}. A sweep of {cells:,} cells that do "
        f"nothing, kept in Parquet parts; the map of {items:,} items that do nothing, one a task. Two "
        "workers. `processor` is what the parent itself computed; dask's scheduler runs in it too, as "
        "`LocalCluster` puts it there.",
        "",
        "| what | where | wall, ms a cell | cells a second | processor of the parent, ms a cell "
        "| memory of the parent, MiB | parts | MiB on disk | taking up a whole sweep, processor s |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        count = int(str(row["count"]))
        seconds, busy = float(str(row["seconds"])), float(str(row["processor"]))
        rest = (
            [f"{row['parts']}", f"{row['size']:.1f}", f"{row['again']:.1f}"]
            if "parts" in row
            else ["", "", ""]
        )
        cellsof = [
            str(row["what"]),
            str(row["where"]),
            f"{1000 * seconds / count:.2f}",
            f"{count / seconds:,.0f}",
            f"{1000 * busy / count:.2f}",
            f"{row['memory']:.0f}",
            *rest,
        ]
        lines.append(f"| {' | '.join(cellsof)} |")
    return "\n".join(lines) + "\n" + PAPER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "WHERE", "COUNT"))
    options = parser.parse_args()
    if options.one:
        what, where, count = options.one
        print(json.dumps(measure(what, where, int(count))))
        return
    rows: list[dict[str, object]] = []
    for what, count in (("map", options.items), ("sweep", options.cells)):
        for where in ("one process", "processes", "dask"):
            command = [sys.executable, __file__, "--one", what, where, str(count)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            row = json.loads(done.stdout.splitlines()[-1])
            rows.append({"what": what, "where": where, "count": count, **row})
            print(rows[-1], flush=True)
            (options.out / "cluster.md").write_text(table(rows, options.cells, options.items))


if __name__ == "__main__":
    main()
