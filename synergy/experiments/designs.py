"""Finer transformations (F1) and several at once (M1), in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from synergy.experiments.findings import Finding, Relation
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import means, points
from synergy.experiments.worlds import fit, image_sets, probe_accuracy, untransformed
from synergy.learning import PredictTransformation, Task, as_task
from synergy.learning.measure import measure_representation
from synergy.plots import plot_style, subplots
from synthetic import Sample, Variable

__all__ = ["FINE_GRAINED", "MULTIVARIATE"]

_MARGIN = 0.01
_OWN, _SAME = "I(A;C|Z), own Z", "I(A;C|Z), one Z"


@dataclass(frozen=True)
class _Rung:
    """A task of a ladder, and the labels of this and the coarser rungs as functions of the task's own.

    Args:
        name: What it is called.
        task: What is predicted.
        labels: For each rung up to this one, its label by the label of the task; several transformations
            have a label each, so that all labels up to a rung say what that rung says.
    """

    name: str
    task: Task
    labels: tuple[tuple[int, ...], ...]


def _rotations() -> tuple[_Rung, ...]:
    eight = {"name": "continuous-rotation", "steps": 8}
    sizes = (2, 4, 8)
    found = []
    for k, states in enumerate(sizes, start=1):
        task = as_task(eight, coarse=tuple(a * states // 8 for a in range(8)))
        labels = tuple(tuple(a * size // states for a in range(states)) for size in sizes[:k])
        found.append(_Rung(f"{states} rotations", task, labels))
    return tuple(found)


def _several() -> tuple[_Rung, ...]:
    parts = ("rotation", "horizontal-flip", "blur")
    found = []
    for k in range(1, len(parts) + 1):
        task = as_task("+".join(parts[:k]))
        split = task.split(torch.arange(task.applied))
        labels = tuple(tuple(int(a) for a in part) for part in split)
        found.append(_Rung(", ".join(parts[:k]), task, labels))
    return tuple(found)


_LADDERS = {"fine-grained": _rotations(), "multivariate": _several()}


def _train(job: tuple[str, str, int], scale: Scale) -> Row:
    ladder, name, seed = job
    rungs = _LADDERS[ladder]
    rung = next(rung for rung in rungs if rung.name == name)
    train, judged = image_sets(scale, seed=seed, default="digits")
    fitted = fit(PredictTransformation(rung.task), train, seed=seed, scale=scale)
    copies = max(1, scale.judged // judged.size)
    rows = fitted.represented(judged.transformed(rung.task, copies=copies, seed=6000 + seed))
    told = len(rungs) if name == rungs[-1].name else 1
    synergies = [f"I({','.join(_names(k))};C|Z)" for k in range(1, len(rung.labels) + 1)]
    found = measure_representation(
        _labelled(rows, rung),
        terms=["I(A;Z)", *(synergies if told > 1 else synergies[-1:])],
        quality=scale.quality,
        folds=4,
        seed=seed,
    )
    row: Row = {
        "task": name,
        "seed": seed,
        "states": rung.task.states,
        "I(A;Z)": found["I(A;Z)"].value,
        _OWN: found[synergies[-1]].value,
        "class accuracy": probe_accuracy(fitted, untransformed(judged), seed=seed),
    }
    if told > 1:
        row.update({f"one Z: {r.name}": found[t].value for r, t in zip(rungs, synergies, strict=True)})
    return row


def _names(count: int) -> list[str]:
    return [f"L{k}" for k in range(1, count + 1)]


def _labelled(rows: Sample, rung: _Rung) -> Sample:
    """Rows of a task with the labels of its rung and of the coarser ones as columns L1, L2, .."""
    for name, label in zip(_names(len(rung.labels)), rung.labels, strict=True):
        variable = Variable(name, "discrete", max(label) + 1, "transformation")
        rows = rows.with_column(variable, np.array(label)[rows["A"]])
    return rows


def _ladder(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs, with the synergy of each rung on the finest representation in a column of its own."""
    last = runs["task"].iloc[-1]
    finest = runs[runs["task"] == last].set_index("seed")
    filled = runs.copy()
    filled[_SAME] = [
        float(finest.loc[seed, f"one Z: {name}"])
        for name, seed in zip(runs["task"], runs["seed"], strict=True)
    ]
    return filled


def _experiment(ladder: str, title: str, question: str, predicted: str) -> Experiment:
    names = [rung.name for rung in _LADDERS[ladder]]

    def measure(runner: Runner) -> pd.DataFrame:
        jobs = [(ladder, name, seed) for seed in range(runner.scale.seeds) for name in names]
        return runner.spread(_train, jobs, label=lambda j: f"{j[1]}, seed {j[2]}")

    def conclude(runs: pd.DataFrame) -> Conclusion:
        filled = _ladder(runs)
        findings = []
        claims: tuple[tuple[str, Relation | None], ...] = ((_SAME, ">="), (_OWN, None))
        for column, relation in claims:
            wide = filled.pivot_table(index="seed", columns="task", values=column)
            for coarse, fine in pairwise(names):
                values = tuple(float(v) for v in wide[fine] - wide[coarse])
                about = f"{column}: {fine} less {coarse}, in nats"
                findings.append(Finding(about, values, relation, _MARGIN if relation else 0.0))
        table = means(filled, "task", ["I(A;Z)", _SAME, _OWN, "class accuracy"], keep=["states"])
        told = "; ".join(
            f"{r['task']}: {r[_SAME]:.3f} on one Z, {r[_OWN]:.3f} on its own, accuracy "
            f"{r['class accuracy']:.3f}"
            for r in table.to_dict("records")
        )
        return Conclusion(table, tuple(findings), predicted, f"synergy in nats, {told}.")

    def draw(runs: pd.DataFrame) -> Figure:
        filled = _ladder(runs)
        with plot_style():
            figure, axes = subplots(2, width=4.0, height=3.3)
            points(axes[0], names, filled, "task", _SAME, colour=0, shift=-0.12, label="one Z, the finest")
            points(axes[0], names, filled, "task", _OWN, colour=1, shift=0.12, marker="s", label="own Z")
            points(axes[1], names, filled, "task", "class accuracy", colour=2)
            axes[0].set_ylabel("synergy I(A;C|Z) in nats")
            axes[1].set_ylabel("accuracy of a linear probe of C")
            axes[0].legend(fontsize=8)
            for axis in axes:
                axis.set_xticks(range(len(names)), [n.replace(", ", ",\n") for n in names], fontsize=8)
        return figure

    return Experiment(ladder, title, question, measure, conclude, draw)


FINE_GRAINED = _experiment(
    "fine-grained",
    "Finer transformations",
    "Does a finer transformation leave more synergy?",
    "F1: on one representation a finer transformation has at least the synergy of its coarse label. Between "
    "representations that were each trained on a task of their own nothing is guaranteed.",
)
MULTIVARIATE = _experiment(
    "multivariate",
    "Several transformations",
    "Do several transformations together leave more synergy?",
    "M1: on one representation several transformations together have at least the synergy of some of them. "
    "Between representations that were each trained on a task of their own nothing is guaranteed.",
)
