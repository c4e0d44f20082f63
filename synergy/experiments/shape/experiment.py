"""Does what shape must tell of the transformation, I(A;X|U), order pretext tasks by their worth?

An observation of `theory.md`, S4, tested so that it can fail: on other images than those it was made on,
with another network than the one that estimates I(A;X|U), trained three times as long, with halves of the
statistics U, and against what is known without any network, the number of states. On glyphs the statistics
miss nothing that is not shape but colour and place; which of the orders is right is open there too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from synergy.experiments.findings import Finding, summarise
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import SHARED, means, shared_images
from synergy.experiments.worlds import (
    fit,
    image_sets,
    probe_accuracy,
    raw_glyphs,
    shared_by_seeds,
    untransformed,
)
from synergy.learning import ImageSet, PredictTransformation, Untrained
from synergy.plots import COLOURS, plot_style, subplots
from synergy.ranking.candidates import Candidate, candidates, fitting
from synergy.ranking.data import RankedImages, ranked_images
from synergy.ranking.pilots import Job as PilotJob
from synergy.ranking.pilots import judged_inputs, run_job, transformed
from synergy.ranking.quantities import combined
from synergy.ranking.settings import RankSettings
from synergy.ranking.shortcuts import SHORTCUTS, predicted, statistics

__all__ = ["SHAPE"]

SETS = ("mixed", "free", "half-turn-pairs")
"""The glyphs; with a scale that does not ask for every condition, the first two."""

HALVES = {"first": tuple(SHORTCUTS)[::2], "second": tuple(SHORTCUTS)[1::2]}
"""Two halves of the statistics, which should order the tasks alike if the choice of U does not matter."""

SHAPE_TERM = "I(A;X|U)"
"""What is tested."""

QUANTITIES = (SHAPE_TERM, *(f"{SHAPE_TERM}, {half} half" for half in HALVES), "I(A;X)", "log states", "pilot")
"""Everything that orders the tasks here."""

_OTHER = "c4"
"""The network whose gains are to be predicted: not that of the pilots."""

_LONGER = 3.0
"""It is trained so many times longer than a pilot."""

_OWN_SEED = 500
"""Seeds of the network that is to be predicted, apart from those of the pilots."""

Job = tuple[str, str, int]


def _images(scale: Scale, name: str, seed: int) -> tuple[ImageSet, ImageSet]:
    """Images to train on and others to judge on, with pixels in [0, 1]."""
    if name not in SETS:
        return image_sets(scale, seed=seed, default="digits")
    parts = []
    for share, first in ((2, 30_000), (1, 40_000)):
        drawn = raw_glyphs(name, share * scale.judged, seed=first + seed, pixels=scale.pixels)
        parts.append(ImageSet.from_arrays(np.clip(drawn["X"], 0, 1), {"C": drawn["C"].astype(np.int64)}))
    return parts[0], parts[1]


def _told(
    candidate: Candidate, data: RankedImages, settings: RankSettings, seed: int, scale: Scale
) -> dict[str, float]:
    """I(A;X), I(A;X|U) with all and with half of the statistics, and the pilot's accuracy."""
    pilot = run_job(PilotJob("pilot", candidate, seed), data, settings, scale.device)
    job = PilotJob("shortcuts", candidate, seed)
    shown, labels = transformed(job, data, np.tile(data.trained, 2), seed=seed)
    judged, truths = judged_inputs(job, data)
    states, rows = candidate.task.states, np.arange(len(truths))

    def log_p(members: list[npt.NDArray[Any]]) -> float:
        found = combined(members, truths, states, folds=settings.folds)
        return float(found[rows, truths].mean())

    def simple(names: tuple[str, ...]) -> list[npt.NDArray[np.float64]]:
        return predicted(
            (statistics(shown, names), labels), statistics(judged, names), states, seed=seed, thorough=False
        )

    whole = simple(tuple(SHORTCUTS))
    by_x = log_p([pilot["log_p"], *whole])
    halves = {
        f"{SHAPE_TERM}, {half} half": by_x - log_p(list(simple(names))) for half, names in HALVES.items()
    }
    return {
        SHAPE_TERM: by_x - log_p(list(whole)),
        **halves,
        "I(A;X)": float(np.log(states)) + by_x,
        "log states": float(np.log(states)),
        "pilot": float(pilot["right"].mean()),
    }


def _run(job: Job, scale: Scale) -> Row:
    name, task, seed = job
    train, judged = _images(scale, name, seed)
    raw = untransformed(judged)
    own = _OWN_SEED + seed
    pretext = Untrained() if task == "random" else PredictTransformation(task)
    found = fit(pretext, train, seed=own, scale=scale, encoder=_OTHER, longer=_LONGER)
    row: Row = {
        "images": name,
        "transformation": task,
        "seed": seed,
        SHARED: 0.0 if name in SETS else shared_by_seeds(scale, default="digits"),
        "accuracy": probe_accuracy(found, raw, seed=seed),
    }
    if task != "random":
        settings = RankSettings(
            judged=scale.judged, steps=scale.steps, features=scale.features, batch=scale.batch
        )
        data = ranked_images(train, None, settings, seed=seed)
        row.update(_told(candidates([task], data.shape)[0], data, settings, seed, scale))
    return row


def _measure(runner: Runner) -> pd.DataFrame:
    scale = runner.scale
    glyphs = SETS if scale.every else SETS[:2]
    named = (*glyphs, "digits") if scale.data is None else glyphs
    sets = named if scale.data is None or scale.draws_glyphs else (str(scale.data_name),)
    jobs = []
    for name in sets:
        shape = torch.Size(_images(scale, name, 0)[0].shape)
        tasks = fitting((shape[0], shape[1], shape[2]))
        jobs += [(name, task, seed) for seed in range(scale.seeds) for task in (*tasks, "random")]
    runs = runner.spread(_run, jobs, label=lambda j: f"{j[0]}, {j[1]}, seed {j[2]}")
    baseline = runs[runs["transformation"] == "random"].set_index(["images", "seed"])["accuracy"]
    places = pd.MultiIndex.from_frame(runs[["images", "seed"]])
    runs["gain"] = runs["accuracy"] - baseline.loc[places].to_numpy()
    return runs


def _correlations(runs: pd.DataFrame) -> dict[str, tuple[float, ...]]:
    """Spearman's correlation of each quantity with the gain over the tasks of a set, one number per seed.

    Args:
        runs: Those on one set of images.
    """
    trained = runs[runs["transformation"] != "random"]
    return {
        name: tuple(
            float(spearmanr(part[name], part["gain"]).statistic)
            if min(part[name].nunique(), part["gain"].nunique()) > 1
            else 0.0
            for _, part in trained.groupby("seed")
        )
        for name in QUANTITIES
    }


def _conclude(runs: pd.DataFrame) -> Conclusion:
    findings, best = [], []
    for images, part in runs.groupby("images", sort=False):
        found, shared = _correlations(part), shared_images(part)
        findings.append(
            Finding(
                f"{images}: rank correlation of {SHAPE_TERM} with the gain",
                found[SHAPE_TERM],
                ">",
                shared=shared,
            )
        )
        for other in ("I(A;X)", "log states"):
            apart = tuple(a - b for a, b in zip(found[SHAPE_TERM], found[other], strict=True))
            findings.append(
                Finding(
                    f"{images}: rank correlation of {SHAPE_TERM} less that of {other}",
                    apart,
                    ">",
                    shared=shared,
                )
            )
        findings += [
            Finding(f"{images}: rank correlation of {name} with the gain", found[name], shared=shared)
            for name in QUANTITIES[1:]
        ]
        first = max(QUANTITIES, key=lambda name: summarise(found[name]).mean)
        best.append(f"{first} on {images} ({summarise(found[first]).mean:+.2f})")
    table = means(
        runs[runs["transformation"] != "random"], ["images", "transformation"], ["gain", SHAPE_TERM, "I(A;X)"]
    )
    return Conclusion(
        table.sort_values(["images", "gain"], ascending=False, ignore_index=True),
        tuple(findings),
        f"If S4 holds beyond the images it was seen on, {SHAPE_TERM} orders the tasks as their gains do, and "
        "better than I(A;X) and than the number of states do.",
        "The order nearest to that of the gains of another network, trained longer, is that of "
        f"{', '.join(best)}.",
        None,
    )


def _draw(runs: pd.DataFrame) -> Figure:
    trained = runs[runs["transformation"] != "random"]
    shown = (SHAPE_TERM, "I(A;X)", "pilot")
    tasks = list(trained["transformation"].unique())
    with plot_style():
        figure, axes = subplots(len(shown), width=3.6, height=3.8, share_y=True)
        for axis, name in zip(axes, shown, strict=True):
            said = []
            for (images, part), marker in zip(trained.groupby("images", sort=False), "os^D", strict=False):
                mean = part.groupby("transformation")[[*QUANTITIES, "gain"]].mean()
                for task in mean.index:
                    colour = COLOURS[tasks.index(task) % len(COLOURS)]
                    axis.scatter([mean[name][task]], [mean["gain"][task]], s=40, color=colour, marker=marker)
                said.append(f"{images} {summarise(_correlations(part)[name]).mean:+.2f}")
                axis.scatter([], [], color="0.4", marker=marker, label=str(images))
            label = "accuracy of the pilot's probe" if name == "pilot" else f"{name} in nats"
            axis.set(xlabel=label)
            axis.set_title("rank correlation\n" + "\n".join(said), fontsize=8)
        for task in tasks:
            axes[0].scatter([], [], color=COLOURS[tasks.index(task) % len(COLOURS)], label=str(task))
        axes[0].set_ylabel("gain in accuracy, another network")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8)
    return figure


SHAPE = Experiment(
    "shape",
    "What shape must tell",
    "Does what shape must tell of a transformation, I(A;X|U), say how useful the task is?",
    _measure,
    _conclude,
    _draw,
)
"""The experiment on what shape must tell (S4)."""
