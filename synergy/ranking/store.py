"""Running the jobs of a ranking: in parallel, kept, and taken up again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from synergy.device import keep_freed_memory
from synergy.ranking.candidates import Candidate
from synergy.ranking.data import RankedImages
from synergy.ranking.pilots import MADE, Arrays, Job, run_job
from synergy.ranking.settings import Progress, RankSettings
from synthetic.parallel import active_client, map_unordered
from synthetic.storage.npz import NpzFile
from theory.source import source_digest

__all__ = ["Runs", "runs_folder"]

_SHOWN = 4
"""Images whose transformation identifies a task."""


def runs_folder(out: Path) -> Path:
    """The folder of kept runs in a folder of results.

    Raises:
        ValueError: If one of them is a file.
    """
    folder = out / "runs"
    for place in (out, folder):
        if place.exists() and not place.is_dir():
            raise ValueError(f"out must be a folder, in which runs/ is one too: {str(place)!r} is a file")
    return folder


@dataclass
class Runs:
    """Runs jobs, and remembers what is done.

    Args:
        data: The images.
        settings: How large the runs are.
        device: Where they run.
        processes: How many at once.
        folder: Where finished runs are kept, one file each, named by a digest of the images, the code, the
            settings and the job; None to keep them in memory alone.
        progress: Told of every run that is done.
        tell: Told a line when a worker died, or is waited for.
    """

    data: RankedImages
    settings: RankSettings
    device: str
    processes: int
    folder: Path | None = None
    progress: Progress | None = None
    tell: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        self._found: dict[Job, Arrays] = {}
        self._keys: dict[Job, str] = {}
        self._tasks: dict[Candidate, str] = {}
        self._common = json.dumps(
            [self.data.digest, source_digest(), self.settings.to_dict(), self.device.split(":")[0]]
        )

    def __getitem__(self, job: Job) -> Arrays:
        return self._found[job]

    def __contains__(self, job: Job) -> bool:
        return job in self._found

    def key(self, job: Job) -> str:
        """The name of a job's file: 24 hexadecimal digits."""
        if job not in self._keys:
            task = [] if job.candidate is None else [job.candidate.name, self._identity(job.candidate)]
            text = json.dumps([self._common, job.kind, task, job.seed, job.stretch])
            self._keys[job] = hashlib.sha256(text.encode()).hexdigest()[:24]
        return self._keys[job]

    def _identity(self, candidate: Candidate) -> str:
        if candidate not in self._tasks:
            shown = torch.from_numpy(self.data.pixels[self.data.judged[:_SHOWN]])
            self._tasks[candidate] = candidate.identity(shown)
        return self._tasks[candidate]

    def do(self, jobs: Sequence[Job], *, more: int = 0) -> None:
        """Run the jobs that are not done yet.

        Args:
            jobs: What to run.
            more: Runs that may come later, for the progress.
        """
        for job in jobs:
            if job not in self._found and (kept := self._kept(job)) is not None:
                self._found[job] = kept
        missing = [job for job in dict.fromkeys(jobs) if job not in self._found]
        total = len(self._found) + len(missing) + more
        alone = self.processes > 1 or active_client() is not None
        results = map_unordered(
            _single,
            missing,
            jobs=self.processes,
            shared=(self.data, self.settings, self.device, alone),
            tell=self.tell,
        )
        for index, found in results:
            job = missing[index]
            self._keep(job, found)
            self._found[job] = found
            if self.progress is not None:
                self.progress(len(self._found), total, job.name)

    def waiting(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs that are neither done nor kept."""
        return [
            job
            for job in dict.fromkeys(jobs)
            if job not in self._found and (self.folder is None or not self._path(job).exists())
        ]

    def _path(self, job: Job) -> Path:
        if self.folder is None:
            raise ValueError("no folder was given to keep runs in")
        return self.folder / f"{self.key(job)}.npz"

    def _kept(self, job: Job) -> Arrays | None:
        if self.folder is None or not (path := self._path(job)).exists():
            return None
        try:
            opened = NpzFile(path)
            found = {name: opened.read(name) for name in opened.names}
        except (OSError, ValueError):
            return None  # damaged: it is made again
        return found if MADE[job.kind] <= set(found) else None  # as is one that lacks something

    def _keep(self, job: Job, found: Arrays) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(job)
        part = path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez_compressed(file, **found)  # type: ignore[arg-type]  # arrays by name
        part.replace(path)


def _single(job: Job, data: RankedImages, settings: RankSettings, device: str, alone: bool) -> Arrays:
    if alone:  # in a process that does nothing else
        keep_freed_memory()
    return run_job(job, data, settings, device)
