"""What a ranking will cost, said before it is paid."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from synergy.learning import PredictTransformation, Training, train
from synergy.ranking.candidates import Candidate
from synergy.ranking.data import RankedImages
from synergy.ranking.settings import RankSettings

__all__ = ["Cost", "predicted_cost"]

_PROBE_STEPS = 8
"""Steps that are timed; the first ones, which set everything up, are not."""

_PROBE_OPS = 4e-9
"""Seconds of a cross-validated probe for each image, feature, class, fold and step, on one core."""

_SIMPLE_SECONDS = 12.0
"""Seconds that the simple models and the calibration of a task take with 12,000 images, one core."""


@dataclass(frozen=True)
class Cost:
    """The predicted cost of a ranking.

    Args:
        runs: Trainings and other runs at most, if no task is dropped.
        least: Runs at least.
        done: Those of them that are kept from earlier.
        seconds: Of one core for all runs that are left, about, if no task is dropped and every pilot begins
            to learn.
        longer: Seconds more of one core, about, if none does before it is trained for longest.
        processes: How many run at once.
    """

    runs: int
    least: int
    done: int
    seconds: float
    longer: float
    processes: int

    @property
    def minutes(self) -> float:
        """By the clock, about, if no task is dropped."""
        return self.seconds / self.processes / 60

    def __str__(self) -> str:
        kept = f", {self.done} of them kept from earlier" if self.done else ""
        spent = _clock(self.seconds / self.processes)
        more = f", and {_clock(self.longer / self.processes)} more where pilots do not begin to learn"
        sure = self.least == self.runs
        runs = f"{self.runs}" if sure else f"{self.least} to {self.runs}"
        return (
            f"{runs} runs{kept}: about {spent} with {self.processes} "
            f"process{'es' if self.processes > 1 else ''}{'' if sure else ', if no task is dropped'}"
            f"{more if self.longer else ''}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "runs": self.runs,
            "least": self.least,
            "done": self.done,
            "seconds": self.seconds,
            "longer": self.longer,
            "processes": self.processes,
        }


def predicted_cost(
    tasks: list[Candidate],
    data: RankedImages,
    settings: RankSettings,
    *,
    counts: tuple[int, int, int],
    pilots: int,
    pilots_of_a_task: int,
    longer: int,
    explained: int,
    device: str,
    processes: int,
) -> Cost:
    """Time a few steps here, and count.

    Args:
        tasks: What is ranked.
        data: The images.
        settings: How large the runs are.
        counts: Runs at most, at least, and those that are done.
        pilots: Pilots and supervised runs that are left, at most.
        pilots_of_a_task: Seeds of each task.
        longer: Longer trainings that are left, at most.
        explained: Tasks whose simple models are left to fit.
        device: Where they run.
        processes: How many at once.
    """
    size = min(settings.images, len(data.trained))
    _, batch = settings.passes(size)
    step = _step_seconds(tasks[0], data, settings, batch, device) if pilots or longer else 0.0
    steps = settings.step_count(size)
    probe = _PROBE_OPS * len(data.judged) * settings.features * len(data.names) * settings.folds * 50
    simple = _SIMPLE_SECONDS * min(1.0, size / 6_000)
    seconds = pilots * (steps * step + probe) + longer * settings.longer * steps * step + explained * simple
    # The first seed of a task is tried with 1, 2, 4, .. times the steps, the others with the last of them.
    tried = 2 * (settings.stretch - 1) / pilots_of_a_task if settings.stretch > 1 else 0.0
    rest = (settings.stretch - 1) * (1 - 1 / pilots_of_a_task)
    read = longer * settings.longer * (settings.stretch - 1)
    return Cost(*counts, seconds, (pilots * (tried + rest) + read) * steps * step, processes)


def _clock(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def _step_seconds(
    task: Candidate, data: RankedImages, settings: RankSettings, batch: int, device: str
) -> float:
    """Seconds of one training step of a pilot."""
    rows = data.rows(data.trained[: batch * _PROBE_STEPS])
    options = Training(epochs=1, batch_size=min(batch, rows.size), device=device)
    spent = 0.0
    with threadpool_limits(limits=1):
        for _ in range(2):  # the second is warm
            start = time.perf_counter()
            train(
                PredictTransformation(task.task),
                rows,
                seed=0,
                encoder=settings.encoder,
                features=settings.features,
                options=options,
                progress=False,
            )
            spent = time.perf_counter() - start
    return spent / max(1, rows.size // options.batch_size)
