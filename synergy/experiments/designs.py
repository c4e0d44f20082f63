"""Finer transformations (F1) and several at once (M1), in numbers."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.base import Experiment, Outcome, Progress, Row, Scale, spread, summarise
from synergy.experiments.worlds import digit_sets, fit, probe_accuracy
from synergy.learning import PredictTransformation, Task, as_task
from synergy.learning.measure import measure_representation
from synergy.plots import plot_style, subplots

__all__ = ["FINE_GRAINED", "MULTIVARIATE"]

_EIGHT = {"name": "continuous-rotation", "steps": 8}
_LADDERS: dict[str, dict[str, Task]] = {
    "fine-grained": {
        "2 rotations": as_task(_EIGHT, coarse=[0, 0, 0, 0, 1, 1, 1, 1]),
        "4 rotations": as_task(_EIGHT, coarse=[0, 0, 1, 1, 2, 2, 3, 3]),
        "8 rotations": as_task(_EIGHT),
    },
    "multivariate": {
        "rotation": as_task("rotation"),
        "rotation, flip": as_task("rotation+horizontal-flip"),
        "rotation, flip, blur": as_task("rotation+horizontal-flip+blur"),
    },
}


def _train(job: tuple[str, str, int, Scale]) -> Row:
    ladder, name, seed, scale = job
    task = _LADDERS[ladder][name]
    train, judged = digit_sets(seed)
    fitted = fit(PredictTransformation(task), train, seed=seed, scale=scale)
    rows = fitted.trained.represented(judged.transformed(task, copies=2, seed=6000 + seed))
    found = measure_representation(
        rows, terms=["I(A;C|Z)", "I(A;Z)"], quality=scale.quality, folds=4, seed=seed
    )
    upright = judged.transformed("rotation", copies=4, seed=5000 + seed)
    return {
        "task": name,
        "seed": seed,
        "states": task.states,
        "I(A;Z)": found["I(A;Z)"].value,
        "I(A;C|Z)": found["I(A;C|Z)"].value,
        "class accuracy": probe_accuracy(fitted, upright.rows(upright["A"] == 0), seed=seed),
    }


def _experiment(ladder: str, title: str, question: str, predicted: str) -> Experiment:
    def run(scale: Scale, progress: Progress | None) -> Outcome:
        jobs = [(ladder, name, seed, scale) for seed in range(scale.seeds) for name in _LADDERS[ladder]]
        runs = spread(_train, jobs, scale=scale, progress=progress, label=lambda j: f"{j[1]}, seed {j[2]}")
        table = _table(runs)
        listed = "; ".join(
            f"{r['task']}: synergy {r['I(A;C|Z)']:.3f}, accuracy {r['class accuracy']:.3f}"
            for r in table.to_dict("records")
        )
        rising = table["I(A;C|Z)"].is_monotonic_increasing
        seen = f"on digits, each task on its own representation: {listed}."
        return Outcome(ladder, table, runs, _figure(runs), predicted, seen, bool(rising), scale)

    return Experiment(ladder, title, question, run)


def _table(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, part in runs.groupby("task", sort=False):
        row: Row = {"task": name, "states": int(part["states"].iloc[0])}
        for quantity in ("I(A;Z)", "I(A;C|Z)", "class accuracy"):
            found = summarise(part[quantity].tolist())
            row.update({quantity: found.mean, f"{quantity} low": found.low, f"{quantity} high": found.high})
        rows.append(row)
    return pd.DataFrame(rows)


def _figure(runs: pd.DataFrame) -> Figure:
    names = list(dict.fromkeys(runs["task"]))
    with plot_style():
        figure, axes = subplots(2, width=3.8, height=3.2)
        for axis, quantity in zip(axes, ("I(A;C|Z)", "class accuracy"), strict=True):
            axis.scatter([names.index(n) for n in runs["task"]], runs[quantity], s=26)
            axis.set_xticks(range(len(names)), names, fontsize=8)
            axis.set_ylabel(
                "synergy I(A;C|Z) in nats" if quantity.startswith("I") else "accuracy of a linear probe"
            )
    return figure


FINE_GRAINED = _experiment(
    "fine-grained",
    "Finer transformations",
    "Does a finer transformation leave more synergy?",
    "F1: on one representation a finer transformation has at least the synergy of its coarse label; here "
    "each task has a representation of its own, so the ladder is expected, not guaranteed.",
)
MULTIVARIATE = _experiment(
    "multivariate",
    "Several transformations",
    "Do several transformations together leave more synergy?",
    "M1: on one representation several transformations together have at least the synergy of one; here each "
    "task has a representation of its own, so the ladder is expected, not guaranteed.",
)
