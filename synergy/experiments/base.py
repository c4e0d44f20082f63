"""What an experiment is: a question, a prediction of the theory, runs over seeds, and what was seen."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from matplotlib.figure import Figure
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

__all__ = ["Experiment", "Outcome", "Progress", "Scale", "Spread", "spread", "summarise", "write_outcome"]

Progress = Callable[[int, int, str], None]
Job = TypeVar("Job")
Row = dict[str, Any]


@dataclass(frozen=True)
class Scale:
    """How large an experiment is.

    Args:
        seeds: How many training seeds, at least 1.
        inputs: Inputs in one epoch.
        judged: Inputs that representations are judged on.
        epochs: Training epochs.
        features: The dimension of a representation.
        tolerance: The standard error asked of Monte Carlo truths, in nats.
        quality: How much work the classifier estimator does.
        jobs: Processes at once.
        device: Where networks run.

    Raises:
        ValueError: If a number is not positive.
    """

    seeds: int = 5
    inputs: int = 8192
    judged: int = 4000
    epochs: int = 20
    features: int = 64
    tolerance: float = 0.005
    quality: Literal["quick", "default", "best"] = "quick"
    jobs: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("seeds", "inputs", "judged", "epochs", "features", "jobs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    @classmethod
    def quick(cls, **changes: Any) -> Scale:  # noqa: ANN401  (the fields above)
        """Finishes in about two minutes on two cores; two seeds show a spread, not an interval to trust."""
        small = cls(seeds=2, inputs=2048, judged=1500, epochs=8, features=32, tolerance=0.02)
        return replace(small, **changes)


@dataclass(frozen=True)
class Outcome:
    """What an experiment found.

    Args:
        name: The experiment.
        table: One row per condition, with means and intervals over seeds.
        runs: One row per condition and seed.
        figure: The figure.
        predicted: What the theory predicted, in one or two sentences.
        seen: What was seen, with its numbers.
        agrees: Whether they agree; None where the theory makes no prediction.
        scale: How large it was.
    """

    name: str
    table: pd.DataFrame
    runs: pd.DataFrame
    figure: Figure
    predicted: str
    seen: str
    agrees: bool | None
    scale: Scale

    @property
    def told(self) -> str:
        """The paragraph that goes with the table."""
        verdict = {True: "They agree.", False: "They DISAGREE.", None: "The theory makes no prediction."}
        return f"Predicted: {self.predicted} Seen: {self.seen} {verdict[self.agrees]}"

    def to_dict(self) -> dict[str, Any]:
        """What `synergy experiment --json` prints."""
        return {
            "experiment": self.name,
            "predicted": self.predicted,
            "seen": self.seen,
            "agrees": self.agrees,
            "scale": asdict(self.scale),
            "table": json.loads(self.table.to_json(orient="records")),
        }


@dataclass(frozen=True)
class Experiment:
    """A controlled experiment with a prediction.

    Args:
        name: The name on the command line.
        title: A few words.
        question: What it asks, in one sentence.
        run: Runs it at a scale.
    """

    name: str
    title: str
    question: str
    run: Callable[[Scale, Progress | None], Outcome]


@dataclass(frozen=True)
class Spread:
    """A mean over seeds with Student's interval; without one seed to spare the interval is infinite."""

    mean: float
    low: float
    high: float


def summarise(values: Sequence[float], *, confidence: float = 0.95) -> Spread:
    """The mean of independent runs and its Student t interval.

    Example:
        >>> spread = summarise([1.0, 2.0, 3.0])
        >>> round(spread.mean, 2), round(spread.low, 2), round(spread.high, 2)
        (2.0, -0.48, 4.48)
    """
    data = np.asarray(values, dtype=np.float64)
    mean = float(data.mean())
    if len(data) < 2:
        return Spread(mean, -math.inf, math.inf)
    half = (
        float(student.ppf(0.5 + confidence / 2, len(data) - 1))
        * float(data.std(ddof=1))
        / math.sqrt(len(data))
    )
    return Spread(mean, mean - half, mean + half)


def spread(
    function: Callable[[Job], Row],
    jobs: Iterable[Job],
    *,
    scale: Scale,
    progress: Progress | None,
    label: Callable[[Job], str] = str,
) -> pd.DataFrame:
    """Run every job, each on one thread, on as many processes as the scale says; one row per job."""
    listed = list(jobs)
    runner = Parallel(n_jobs=scale.jobs, return_as="generator")
    rows = []
    for done, row in enumerate(runner(delayed(_single)(function, job) for job in listed), start=1):
        rows.append(row)
        if progress is not None:
            progress(done, len(listed), label(listed[done - 1]))
    return pd.DataFrame(rows)


def _single(function: Callable[[Job], Row], job: Job) -> Row:
    with threadpool_limits(limits=1):
        return function(job)


def write_outcome(outcome: Outcome, out: Path) -> list[Path]:
    """Write table, runs, figure and the paragraph into a folder named after the experiment."""
    folder = out / outcome.name
    folder.mkdir(parents=True, exist_ok=True)
    outcome.table.to_csv(folder / "table.csv", index=False)
    outcome.runs.to_parquet(folder / "runs.parquet", index=False)
    (folder / "outcome.json").write_text(json.dumps(outcome.to_dict(), indent=2) + "\n")
    outcome.figure.savefig(folder / "figure.png", dpi=150)
    outcome.figure.savefig(folder / "figure.svg")
    return sorted(folder.iterdir())
