"""Running the jobs of an experiment: in parallel, with progress, and so that a run can be taken up again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from synergy.device import keep_freed_memory
from synergy.experiments.scale import Scale
from synthetic.parallel import active_client, map_unordered
from theory.source import source_digest

__all__ = ["Progress", "Row", "Runner"]

Progress = Callable[[int, int, str], None]
"""Called with the runs that are done, their number in all, and the name of the last."""

Job = TypeVar("Job")
Row = dict[str, Any]


@dataclass(frozen=True)
class Runner:
    """Runs jobs and remembers what is done.

    Args:
        scale: How large the experiment is.
        progress: Told of every job that is done.
        journal: A file with one line of JSON per finished job; None to remember nothing. Jobs that it
            holds for the same settings and the same code of all three storeys are not run again, so a run
            that was interrupted goes on, and one with more seeds adds to those that are there.
        tell: Called with a line when a worker died, or a cluster has none yet.
    """

    scale: Scale
    progress: Progress | None = None
    journal: Path | None = None
    tell: Callable[[str], None] | None = None

    def spread(
        self,
        function: Callable[[Job, Scale], Row],
        jobs: Iterable[Job],
        *,
        label: Callable[[Job], str] = str,
    ) -> pd.DataFrame:
        """Run every job, each on one thread, on as many processes as the scale says.

        Args:
            function: Makes the row of a job.
            jobs: What to do; each has a label of its own.
            label: The name of a job, in the progress bar and in the journal.

        Returns:
            One row per job, in the order of the jobs.
        """
        listed = list(jobs)
        source = source_digest(function)
        names = [f"{function.__qualname__} of {source}: {label(job)}" for job in listed]
        known = self._known()
        found: dict[str, Row] = {name: known[name] for name in names if name in known}
        missing = [(name, job) for name, job in zip(names, listed, strict=True) if name not in found]
        together = self.scale.jobs > 1 and len(missing) > 1 and active_client() is None
        scale = self.scale.holding() if together else self.scale  # else each process reads
        results = map_unordered(
            _single,
            [job for _, job in missing],
            jobs=self.scale.jobs,
            shared=(function, scale),
            tell=self.tell,
        )
        for index, row in results:
            name, job = missing[index]
            found[name] = row
            self._note(name, row)
            if self.progress is not None:
                self.progress(len(found), len(listed), label(job))
        return pd.DataFrame([found[name] for name in names])

    def _known(self) -> dict[str, Row]:
        if self.journal is None or not self.journal.exists():
            return {}
        known = {}
        for line in self.journal.read_text().splitlines():
            with suppress(json.JSONDecodeError, KeyError, TypeError):  # cut off by an interruption
                note = json.loads(line)
                if note["settings"] == self.scale.identity:
                    known[note["job"]] = note["row"]
        return known

    def _note(self, name: str, row: Row) -> None:
        if self.journal is None:
            return
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        note = json.dumps({"settings": self.scale.identity, "job": name, "row": row})
        with self.journal.open("a+b") as file:
            if file.tell():  # a line that was cut off does not spoil this one
                file.seek(-1, os.SEEK_END)
                note = note if file.read(1) == b"\n" else f"\n{note}"
            file.write(f"{note}\n".encode())


def _single(job: Job, function: Callable[[Job, Scale], Row], scale: Scale) -> Row:
    if scale.jobs > 1:  # in a worker, which does nothing else
        keep_freed_memory()
    return function(job, scale)
