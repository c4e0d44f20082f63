"""Commands that are killed at random and run again: is anything lost, doubled, different or left behind?

    python benchmarks/soak.py [--minutes 30] [--seed 0] [--out benchmarks/results] [--command synergy]

`generate`, `verify --jobs 2`, `experiment --jobs 2` and `rank` run through the installed command. At a random
moment the parent gets SIGKILL, SIGTERM or SIGINT, or one of its workers SIGKILL; then the same command runs
again, perhaps to be killed once more, and at last to its end. What it wrote is compared, byte by byte but for
times, with a run of one process that nobody disturbed. Processes are ended by their id alone, and only those
that this script started. It stops after `--minutes`, and no run may take longer than ten.

Counted are: results that are missing (lost), units of work that were whole before a kill and were made again
(repeated), entries that are there twice (doubled), results that differ, processes that outlive the command by
half a minute, files in shared memory and in the temporary folder, and tracebacks.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

LONGEST = 600.0
"""Seconds after which a run is given up."""

PATIENCE = 30.0
"""Seconds that workers have to end after their parent."""

SHARED = Path("/dev/shm")

CACHES = ("torchinductor_",)
"""Folders that libraries keep in the temporary folder from run to run."""

TIMES = {"seconds", "minutes", "ms"}
"""Columns of a table that may differ from run to run."""


@dataclass(frozen=True)
class Task:
    """One command.

    Args:
        name: What to call it.
        arguments: Its arguments but for the folder and the number of processes.
        parallel: Whether it takes `--jobs`.
        results: What it wrote, in a form that can be compared.
        units: The pieces of work that are whole in a folder, by name, with what would change if made again.
    """

    name: str
    arguments: tuple[str, ...]
    parallel: bool
    results: Callable[[Path], dict[str, str]]
    units: Callable[[Path], dict[str, str]]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def generated(out: Path) -> dict[str, str]:
    return {path.name: digest(path.read_bytes()) for path in sorted(out.iterdir())} if out.is_dir() else {}


def shards(out: Path) -> dict[str, str]:
    """Shards with a receipt: their inode changes if they are written again."""
    found = {}
    for folder in (out, *out.parent.glob(f".{out.name}.*.partial")):
        for shard in folder.glob("*.safetensors") if folder.is_dir() else ():
            if folder == out or shard.with_suffix(".json").exists():
                found[shard.name] = str(shard.stat().st_ino)
    return found


def table(path: Path) -> dict[str, str]:
    """The rows of a CSV file without their times; a row that is there twice has a number."""
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            kept = [value for name, value in row.items() if name not in TIMES]
            key = "|".join(kept[:3])
            found[key if key not in found else f"{key} (again)"] = "|".join(kept)
    return found


def verdicts(out: Path) -> dict[str, str]:
    return table(out / "verdicts.csv")


def partial(out: Path) -> dict[str, str]:
    return {p.name: str(p.stat().st_ino) for p in (out / ".partial").glob("*.json")}


def outcome(out: Path) -> dict[str, str]:
    found = {}
    for path in sorted(out.glob("*/*.csv")):
        found |= {f"{path.stem}: {key}": value for key, value in table(path).items()}
    return found


def journal(out: Path) -> dict[str, str]:
    found: Counter[str] = Counter()
    for path in out.glob("*/journal.jsonl"):
        for line in path.read_text().splitlines():
            try:
                found[json.loads(line)["job"]] += 1
            except (ValueError, KeyError):
                continue  # cut off by the kill
    return {job: str(times) for job, times in found.items()}


def ranking(out: Path) -> dict[str, str]:
    return table(out / "ranking.csv")


def tasks(folder: Path) -> list[Task]:
    rng = np.random.default_rng(0)
    images = folder / "images.npz"
    np.savez(images, images=rng.random((600, 8, 8)).astype(np.float32), labels=np.arange(600) % 2)
    return [
        Task(
            "generate",
            ("generate", "modular-shift", "--samples", "2000000", "--shards", "100", "--seed", "1"),
            False,
            generated,
            shards,
        ),
        Task(
            "verify",
            (
                *("verify", "E1", "E2", "D1", "--world", "exact", "--world", "sample"),
                *("--generator", "modular-shift", "--generator", "orbits", "--generator", "random-model"),
            ),
            True,
            verdicts,
            partial,
        ),
        Task(
            "experiment",
            ("experiment", "multivariate", "--seeds", "1", "--data", str(images)),
            True,
            outcome,
            journal,
        ),
        Task(
            "rank",
            ("rank", str(images), "--transformation", "rotation", "--transformation", "horizontal-flip"),
            False,
            ranking,
            lambda out: {},
        ),
    ]


@dataclass
class Counts:
    """What was seen."""

    runs: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def fault(self, kind: str, what: str) -> None:
        """Count what went wrong, and say so."""
        self.faults[kind] += 1
        self.told.append(f"{kind}: {what}")
        print(f"  {kind}: {what}", file=sys.stderr, flush=True)


def session(leader: int) -> list[int]:
    """The processes of a session that we opened, without its leader."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == leader:
            continue
        try:
            state, _, _, own = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if own == str(leader) and state != "Z":
            found.append(int(entry.name))
    return found


def end(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


@contextmanager
def started(
    command: list[str], errors: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a session of its own, of which nothing is left at the end."""
    with errors.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=file, start_new_session=True, env=environment
        )
    try:
        yield process
    finally:
        for other in (*session(process.pid), process.pid):
            end(other)
        process.wait()


class Soak:
    """The whole of it, in one folder.

    Args:
        folder: An empty folder.
        command: The installed command.
        seed: Fixes the order and the moments, as far as the machine's speed does not matter.
    """

    def __init__(self, folder: Path, command: str, seed: int) -> None:
        self.folder, self.command, self.rng = folder, command, random.Random(seed)
        self.counts = Counts()
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.tasks = tasks(folder)
        self.known: dict[str, tuple[dict[str, str], float]] = {}
        self.environment = {**os.environ, "TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "1"}

    def line(self, task: Task, out: Path, jobs: int) -> list[str]:
        """The whole command line."""
        more = ["--jobs", str(jobs)] if task.parallel else []
        return [self.command, *task.arguments, *more, "--out", str(out)]

    def whole(self, task: Task, out: Path, jobs: int) -> float:
        """Run to the end; the seconds that it took."""
        start = time.monotonic()
        errors = self.folder / "errors"
        with started(self.line(task, out, jobs), errors, self.environment) as process:
            try:
                status = process.wait(LONGEST)
            except subprocess.TimeoutExpired:
                self.counts.fault("hung", f"{task.name} ran longer than {LONGEST:g} s")
                return LONGEST
            self.left_behind(task, process.pid)
        self.counts.runs[task.name] += 1
        if status not in (0, 1, 3):
            self.counts.fault("failed", f"{task.name} ended with {status}: {tail(errors)}")
        return time.monotonic() - start

    def reference(self, task: Task) -> tuple[dict[str, str], float]:
        """What one process writes that nobody disturbs."""
        if task.name not in self.known:
            out = self.folder / f"reference-{task.name}"
            seconds = self.whole(task, out, 1)
            self.known[task.name] = task.results(out), seconds
            print(
                f"{task.name}: {len(self.known[task.name][0])} results in {seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )
        return self.known[task.name]

    def left_behind(self, task: Task, leader: int) -> None:
        """Workers, and files in shared memory, that outlive the command."""
        deadline = time.monotonic() + PATIENCE
        ours = {leader}
        while (others := session(leader)) and time.monotonic() < deadline:
            ours |= {*others}
            time.sleep(0.2)
        if others:
            self.counts.fault("process left", f"{len(others)} of {task.name}")
        names = [p.name for p in SHARED.iterdir()] if SHARED.is_dir() else []
        shared = [name for name in names if any(f"_{pid}_" in name or f"-{pid}-" in name for pid in ours)]
        if shared:
            self.counts.fault("shared memory", f"{task.name}: {shared}")

    def kill(self, task: Task, out: Path, seconds: float) -> bool:
        """Start and kill once; whether it was still running."""
        kind = self.rng.choice(["SIGKILL", "SIGKILL worker", "SIGTERM", "SIGINT"])
        if kind == "SIGKILL worker" and not task.parallel:
            kind = "SIGKILL"
        errors = self.folder / "errors"
        with started(self.line(task, out, 2), errors, self.environment) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(self.rng.uniform(0, seconds))
            if process.poll() is not None:
                return False
            workers = session(process.pid)
            target = self.rng.choice(workers) if kind == "SIGKILL worker" and workers else process.pid
            if kind == "SIGKILL worker" and not workers:
                kind = "SIGKILL"
            try:
                os.kill(target, getattr(signal, kind.split()[0]))
            except ProcessLookupError:
                return False
            self.counts.kills[f"{task.name}: {kind}"] += 1
            try:
                process.wait(LONGEST)
            except subprocess.TimeoutExpired:
                self.counts.fault("hung", f"{task.name} after {kind}")
            self.left_behind(task, process.pid)
        said = errors.read_text(errors="replace")
        if "Traceback" in said:
            self.counts.fault("traceback", f"{task.name} after {kind}: {tail(errors)}")
        return True

    def once(self, task: Task) -> None:
        """Kills and restarts of one command in a new folder."""
        wanted, seconds = self.reference(task)
        out = Path(tempfile.mkdtemp(dir=self.folder)) / task.name
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            before = task.units(out)
            if not self.kill(task, out, seconds):
                break
            self.compare_units(task, before, task.units(out), "a kill")
        before = task.units(out)
        already = bool(task.results(out))
        self.whole(task, out, 2)
        if task.name != "verify":  # the partial results of a verification go when the whole is written
            self.compare_units(task, before, task.units(out), "the last run")
        found = task.results(out)
        lost = wanted.keys() - found.keys()
        doubled = found.keys() - wanted.keys()
        different = [key for key in wanted.keys() & found.keys() if wanted[key] != found[key]]
        for kind, keys in (("lost", lost), ("doubled", doubled), ("different", different)):
            if keys:
                self.counts.fault(kind, f"{task.name}{' (was there)' if already else ''}: {sorted(keys)[:3]}")
        for path in self.temporary.iterdir():
            if not path.name.startswith(CACHES):
                self.counts.fault("temporary file", f"{task.name}: {path.name}")
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.rmtree(out.parent)

    def compare_units(self, task: Task, before: dict[str, str], after: dict[str, str], when: str) -> None:
        """Pieces of work that were whole before and are gone, or were made again."""
        gone = [key for key in before if key not in after]
        again = [key for key in before if key in after and after[key] != before[key]]
        if gone and when != "the last run":
            self.counts.fault("unit lost", f"{task.name} at {when}: {gone[:3]}")
        if again:
            self.counts.fault("unit repeated", f"{task.name} at {when}: {again[:3]}")

    def run(self, minutes: float) -> float:
        """Rounds until the time is over; the minutes that it took."""
        start = time.monotonic()
        turn = 0
        while time.monotonic() - start < 60 * minutes:
            task = self.tasks[turn % len(self.tasks)]
            turn += 1
            seconds = self.known.get(task.name, ({}, 0.0))[1]
            if time.monotonic() - start + 2 * seconds > 60 * minutes and seconds:
                if turn > 4 * len(self.tasks) and all(
                    time.monotonic() - start + 2 * s > 60 * minutes for _, s in self.known.values()
                ):
                    break
                time.sleep(0.1)
                continue
            self.once(task)
        return (time.monotonic() - start) / 60


def tail(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "nothing said"


def page(counts: Counts, minutes: float, known: dict[str, tuple[dict[str, str], float]]) -> str:
    kills = sum(counts.kills.values())
    kinds = ("lost", "doubled", "different", "unit lost", "unit repeated", "failed", "hung", "traceback")
    kinds += ("process left", "shared memory", "temporary file")
    rows = "\n".join(f"| {kind} | {counts.faults[kind]} |" for kind in kinds)
    killed = "\n".join(f"| {name} | {n} |" for name, n in sorted(counts.kills.items()))
    compared = ", ".join(f"{name} {len(found)} ({seconds:.0f} s)" for name, (found, seconds) in known.items())
    told = "\n".join(f"- {line}" for line in counts.told)
    return f"""# Killed and run again

Made by `python benchmarks/soak.py` in {minutes:.0f} minutes on 2 CPU cores shared with other work:
{kills} kills, {sum(counts.runs.values())} runs to the end. Results that were compared with an undisturbed run
of one process, and what that took: {compared}.

| killed | times |
| --- | ---: |
{killed}

| what went wrong | times |
| --- | ---: |
{rows}
{chr(10) + told + chr(10) if told else ""}"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--command", default=str(Path(sys.executable).with_name("synergy")))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(Path(folder), arguments.command, arguments.seed)
        minutes = soak.run(arguments.minutes)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "soak.md").write_text(page(soak.counts, minutes, soak.known))
    print(dict(soak.counts.kills), dict(soak.counts.faults))


if __name__ == "__main__":
    main()
