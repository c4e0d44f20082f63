"""Data sets on disk beside what people use, and memory while a data set larger than it goes through.

    python benchmarks/storage.py [--out benchmarks/results] [--rounds 5] [--shards 60] [--budget-mib 256]

Two data sets are drawn once, written and read in turns: 1,000,000 rows of three discrete columns, and 60,000
images of 32 x 32 x 3 floats. Ours writes a folder with checksums, flushed to the disk, and verifies the
checksums when it reads; the others do neither. Reading counts until every number has been summed. In the
third part a child process that may take only so much more address space than after its imports writes and
reads a data set several times as large. The machine is described by `--machine`.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from safetensors.numpy import load_file, save_file

from synthetic import Generator, ModularShift, Sample, Variable, iter_shards, read_dataset, write_dataset
from theory import Diagram

MACHINE = "2 CPU cores, 24 GiB of memory, no GPU, shared with other work"
ROWS, IMAGES = 1_000_000, 60_000
ROWS_PER_SHARD = 1_000_000
Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Drawn(Generator):
    """Columns that are there already, so that only the writing is timed."""

    family: ClassVar[str] = "drawn"
    main_terms: ClassVar[tuple[str, ...]] = ()

    @property
    def held(self) -> Sample:
        """The columns."""
        return HELD["sample"]

    @property
    def diagram(self) -> Diagram:
        """No arrows."""
        return Diagram(variables=self.held.names)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What the columns are."""
        return tuple(self.held.variables.values())

    def sample(self, n: int, *, seed: int) -> Sample:
        """The columns themselves."""
        return self.held


HELD: dict[str, Sample] = {}


def table() -> Sample:
    return ModularShift(n=8, noise=0.1).sample(ROWS, seed=0)


def images() -> Sample:
    rng = np.random.default_rng(0)
    columns = {
        "C": rng.integers(10, size=IMAGES),
        "A": rng.integers(4, size=IMAGES),
        "X": rng.random((IMAGES, 3, 32, 32), dtype=np.float32),
    }
    described = (Variable("C", "discrete", 10), Variable("A", "discrete", 4), Variable("X", "image"))
    return Sample(columns, {v.name: v for v in described})


def touched(columns: Columns) -> float:
    return float(sum(c.sum(dtype=np.float64) for c in columns.values()))


def ours_write(sample: Sample, path: Path) -> None:
    HELD["sample"] = sample
    write_dataset(Drawn(), samples=len(sample), seed=0, out=path)


def npz_read(path: Path) -> Columns:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def torch_write(sample: Sample, path: Path) -> None:
    torch.save({v: torch.from_numpy(sample[v]) for v in sample.names}, path)


WAYS: dict[str, tuple[str, Callable[[Sample, Path], object], Callable[[Path], Columns]]] = {
    "ours": ("", ours_write, lambda path: read_dataset(path).columns),
    "ours, not verified": ("", ours_write, lambda path: read_dataset(path, verify=False).columns),
    "safetensors": (
        ".safetensors",
        lambda sample, path: save_file(dict(sample.columns), path),
        lambda path: load_file(path),
    ),
    "numpy npz": (".npz", lambda sample, path: np.savez(path, **sample.columns), npz_read),
    "torch.save": (
        ".pt",
        torch_write,
        lambda path: {v: t.numpy() for v, t in torch.load(path, weights_only=True).items()},
    ),
    "pandas Parquet": (
        ".parquet",
        lambda sample, path: sample.to_pandas().to_parquet(path),
        lambda path: {v: c.to_numpy() for v, c in pd.read_parquet(path).items()},
    ),
}


def measured(sample: Sample, ways: list[str], folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds to write and to read, and the size in MiB, of each way, in turns."""
    found: dict[str, dict[str, list[float]]] = {way: {"write": [], "read": [], "MiB": []} for way in ways}
    truth = touched(sample.columns)
    for _ in range(rounds):
        for way in ways:
            suffix, write, read = WAYS[way]
            path = folder / f"data{suffix}"
            gc.collect()
            start = time.perf_counter()
            write(sample, path)
            middle = time.perf_counter()
            total = touched(read(path))
            end = time.perf_counter()
            if not math.isclose(total, truth, rel_tol=1e-6):
                raise SystemExit(f"{way} read {total}, expected {truth}")
            found[way]["write"].append(middle - start)
            found[way]["read"].append(end - middle)
            files = path.iterdir() if path.is_dir() else [path]
            found[way]["MiB"].append(sum(f.stat().st_size for f in files) / 2**20)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return {way: {what: median(values) for what, values in times.items()} for way, times in found.items()}


def peak_mib() -> float:
    """The most resident memory so far; getrusage would count the parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def bounded(folder: Path, shards: int, budget_mib: int) -> None:
    """In a process of its own: write and read with a limit on further address space."""
    world = ModularShift(n=8, noise=0.1)
    list(iter_shards(write_dataset(world, samples=10, seed=0, out=folder / "warm")))
    before = peak_mib()
    limit = address_space() + budget_mib * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    start = time.perf_counter()
    out = write_dataset(world, samples=shards * ROWS_PER_SHARD, seed=0, out=folder / "large", shards=shards)
    middle = time.perf_counter()
    rows = sum(len(shard) for shard in iter_shards(out))
    end = time.perf_counter()
    refused = ""
    try:
        read_dataset(out, verify=False)
    except MemoryError:
        refused = "MemoryError"
    size = sum(f.stat().st_size for f in out.iterdir()) / 2**20
    print(
        json.dumps(
            {
                "rows": rows,
                "MiB": size,
                "write": middle - start,
                "read": end - middle,
                "before": before,
                "peak": peak_mib(),
                "whole": refused,
            }
        )
    )


def report(
    results: Mapping[str, dict[str, dict[str, float]]], large: dict[str, float], budget: int, machine: str
) -> tuple[str, str]:
    packages = ", ".join(f"{p} {version(p)}" for p in ("numpy", "torch", "safetensors", "pandas", "pyarrow"))
    lines = [
        "# Data sets on disk",
        "",
        f"Medians of the rounds, in turns; {machine}. Python {platform.python_version()}, {packages}.",
        "Ours checks SHA-256 sums and flushes to the disk; the others do not. Ratios are the other's time "
        "over ours, in the same run.",
        "",
    ]
    rows = ["data,way,write_seconds,read_seconds,mib"]
    for title, ways in results.items():
        lines += [
            f"## {title}",
            "",
            "| way | write, s | read, s | size, MiB | write / ours | read / ours |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for way, times in ways.items():
            ratios = [f"{times[what] / ways['ours'][what]:.2f}" for what in ("write", "read")]
            cells = [f"{times['write']:.3f}", f"{times['read']:.3f}", f"{times['MiB']:.0f}", *ratios]
            lines.append(f"| {way} | " + " | ".join(cells) + " |")
            rows.append(f"{title},{way},{times['write']:.6f},{times['read']:.6f},{times['MiB']:.3f}")
        lines.append("")
    lines += [
        "## A data set larger than the memory it may use",
        "",
        f"{large['rows']:,} rows, {large['MiB']:,.0f} MiB in shards of {ROWS_PER_SHARD:,} rows, by a process "
        f"that may take {budget} MiB of address space beyond what its imports took (a limit that the system "
        "enforces):",
        "",
        f"- written in {large['write']:.1f} s, read and verified in {large['read']:.1f} s",
        f"- resident memory after the imports {large['before']:.0f} MiB, at its peak "
        f"{large['peak']:.0f} MiB, that is {large['peak'] - large['before']:.0f} MiB more",
        f"- reading it whole under the same limit: {large['whole'] or 'succeeded'}",
        "",
    ]
    rows.append(
        f"{large['rows']} rows in shards,ours,{large['write']:.6f},{large['read']:.6f},{large['MiB']:.3f}"
    )
    rows.append(f"peak memory beyond imports,ours,,,{large['peak'] - large['before']:.3f}")
    return "\n".join(lines), "\n".join(rows) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shards", type=int, default=60)
    parser.add_argument("--budget-mib", type=int, default=256)
    parser.add_argument("--machine", default=MACHINE)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        bounded(options.worker, options.shards, options.budget_mib)
        return 0
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results[f"{ROWS:,} rows of three discrete columns"] = measured(
            table(), list(WAYS), folder, options.rounds
        )
        some = [way for way in WAYS if way != "pandas Parquet"]
        results[f"{IMAGES:,} images of 32 x 32 x 3 floats"] = measured(images(), some, folder, options.rounds)
        worker = [sys.executable, __file__, "--worker", str(folder), "--shards", str(options.shards)]
        done = subprocess.run(
            [*worker, "--budget-mib", str(options.budget_mib)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        large = json.loads(done.stdout)
    markdown, csv = report(results, large, options.budget_mib, options.machine)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "storage.md").write_text(markdown)
    (options.out / "storage.csv").write_text(csv)
    print(markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
