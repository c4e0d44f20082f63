"""Which quantity predicts how useful a pretext task is, after Figure 1 of Wang et al. (2024)."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from synergy.experiments.base import Experiment, Outcome, Progress, Row, Scale, spread, summarise
from synergy.experiments.worlds import fit, glyph_world, held_out_loss, on_world, probe_accuracy, raw_glyphs
from synergy.learning import Stream, Untrained
from synergy.plots import plot_style, subplots

__all__ = ["TRANSFORMATIONS"]

SEVEN = ("rotation", "horizontal-flip", "vertical-flip", "inversion", "grayscale", "jigsaw", "blur")
QUANTITIES = ("H(A|X)", "I(A;C|X)", "J", "pretext loss")
_GLYPHS = "mixed"


def _truth(job: tuple[str, Scale]) -> Row:
    name, scale = job
    world = glyph_world(_GLYPHS, name)
    return {
        "transformation": name,
        "H(A|X)": float(world.exact("H(A|X)", tolerance=scale.tolerance)),
        "I(A;C|X)": float(world.exact("I(A;C|X)", tolerance=scale.tolerance)),
        "J": float(world.forced_information(draws=2000 if scale.tolerance > 0.01 else 10_000)),
    }


def _train(job: tuple[str, int, Scale]) -> Row:
    name, seed, scale = job
    raw = raw_glyphs(_GLYPHS, scale.judged, seed=1000 + seed)
    world = glyph_world(_GLYPHS, "rotation" if name == "random" else name)
    if name == "random":
        fitted = fit(Untrained(), Stream(world, scale.inputs), seed=seed, scale=scale)
        return {"transformation": name, "seed": seed, "accuracy": probe_accuracy(fitted, raw, seed=seed)}
    fitted = on_world(world, seed=seed, scale=scale)
    judged = world.sample(scale.judged, seed=2000 + seed)
    return {
        "transformation": name,
        "seed": seed,
        "pretext loss": held_out_loss(fitted, judged),
        "accuracy": probe_accuracy(fitted, raw, seed=seed),
    }


def _run(scale: Scale, progress: Progress | None) -> Outcome:
    truth = spread(
        _truth, [(name, scale) for name in SEVEN], scale=scale, progress=progress, label=lambda j: j[0]
    )
    jobs = [(name, seed, scale) for seed in range(scale.seeds) for name in (*SEVEN, "random")]
    runs = spread(_train, jobs, scale=scale, progress=progress, label=lambda j: f"{j[0]}, seed {j[1]}")
    baseline = runs[runs["transformation"] == "random"].set_index("seed")["accuracy"]
    runs["gain"] = runs["accuracy"] - runs["seed"].map(baseline)
    runs = runs.merge(truth, on="transformation", how="left")
    trained = runs[runs["transformation"] != "random"]
    table = _table(runs)
    correlations = _correlations(trained)
    best = max(correlations, key=lambda name: correlations[name].mean)
    listed = ", ".join(
        f"{name} {s.mean:+.2f} [{max(s.low, -1):+.2f}, {min(s.high, 1):+.2f}]"
        for name, s in correlations.items()
    )
    return Outcome(
        "transformations",
        table,
        runs,
        _figure(trained),
        "A pretext task helps where its transformation is lossy and the class explains part of the loss; of "
        "the quantities in the table only J says what an optimal solver must know about the class.",
        f"rank correlations with the probe's gain over a random encoder, mean and interval over "
        f"{scale.seeds} seeds: {listed}. The best predictor here is {best}.",
        None,
        scale,
    )


def _correlations(trained: pd.DataFrame) -> dict[str, Any]:
    found = {}
    for name in QUANTITIES:
        per_seed = [
            float(spearmanr(part[name], part["gain"]).statistic) for _, part in trained.groupby("seed")
        ]
        found[name] = summarise(per_seed)
    return found


def _table(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, part in runs.groupby("transformation", sort=False):
        gain, accuracy = summarise(part["gain"].tolist()), summarise(part["accuracy"].tolist())
        row: Row = {"transformation": name}
        row.update({q: float(part[q].mean()) for q in QUANTITIES})
        row.update(
            {"accuracy": accuracy.mean, "gain": gain.mean, "gain low": gain.low, "gain high": gain.high}
        )
        rows.append(row)
    return pd.DataFrame(rows).sort_values("gain", ascending=False, ignore_index=True)


def _figure(trained: pd.DataFrame) -> Figure:
    with plot_style():
        figure, axes = subplots(len(QUANTITIES), width=3.0, height=3.2, share_y=True)
        means = trained.groupby("transformation", sort=False)[[*QUANTITIES, "gain"]].mean()
        for axis, name in zip(axes, QUANTITIES, strict=True):
            axis.scatter(trained[name], trained["gain"], s=14, alpha=0.4)
            axis.scatter(means[name], means["gain"], s=40)
            for label, x, y in zip(means.index, means[name], means["gain"], strict=True):
                axis.annotate(str(label), (x, y), xytext=(4, 3), textcoords="offset points", fontsize=7)
            axis.set_xlabel(f"{name} in nats")
        axes[0].set_ylabel("gain of the linear probe over a random encoder")
    return figure


TRANSFORMATIONS = Experiment(
    "transformations",
    "Seven pretext tasks",
    "Which quantity predicts how much a pretext task helps classification?",
    _run,
)
