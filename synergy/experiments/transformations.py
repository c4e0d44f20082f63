"""Which quantity predicts how useful a pretext task is, after Figure 1 of Wang et al. (2024)."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from synergy.experiments.findings import Finding, summarise
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import means, paired
from synergy.experiments.worlds import (
    fit,
    glyph_world,
    head_log_probabilities,
    image_sets,
    probe_accuracy,
    raw_glyphs,
    untransformed,
)
from synergy.learning import PredictLabel, PredictTransformation, Pretext, Untrained
from synergy.plots import COLOURS, plot_style, subplots
from synergy.ranking import rank

__all__ = ["TRANSFORMATIONS"]

SEVEN = ("rotation", "horizontal-flip", "vertical-flip", "inversion", "grayscale", "jigsaw", "blur")
LOSSLESS = ("inversion", "grayscale")
TRUTHS = ("H(A|X)", "I(A;C|X)", "J")
QUANTITIES = (*TRUTHS, "pretext loss")
_RESOLUTION = 0.005
"""Truths that are nearer than this, in nats, are tied: their order is that of sampling errors."""
_GLYPHS = "mixed"


def _seven(scale: Scale) -> tuple[str, ...]:
    """The transformations that change the images: gray ones stay as they are under grayscale."""
    if scale.draws_glyphs:
        return SEVEN
    gray = image_sets(scale, seed=0, default="digits")[0].shape[0] == 1
    return tuple(name for name in SEVEN if not (gray and name == "grayscale"))


def _truth(name: str, scale: Scale) -> Row:
    """The input side: exact on glyphs, by held-out predictions on images without known latents."""
    if scale.draws_glyphs:
        world = glyph_world(_GLYPHS, name, pixels=scale.pixels)
        draws = 2000 if scale.tolerance > 0.01 else 10_000
        exact = {term: float(world.exact(term, tolerance=scale.tolerance)) for term in TRUTHS[:2]}
        return {"transformation": name, **exact, "J": float(world.forced_information(draws=draws))}
    judged = untransformed(image_sets(scale, seed=0, default="digits")[1])
    found = rank(judged["X"], judged["C"], transformations=[name], quality=scale.quality).table.iloc[0]
    return {"transformation": name, **{term: float(found[term]) for term in TRUTHS}}


def _train(job: tuple[str, int], scale: Scale) -> Row:
    name, seed = job
    drawn = "rotation" if name == "random" else name
    task: Pretext
    if scale.draws_glyphs:
        world = glyph_world(_GLYPHS, drawn, pixels=scale.pixels)
        raw = raw_glyphs(_GLYPHS, scale.judged, seed=1000 + seed, pixels=scale.pixels)
        turned = world.sample(scale.judged, seed=2000 + seed)
        task = PredictLabel("A")
        fitted = fit(Untrained() if name == "random" else task, world, seed=seed, scale=scale)
    else:
        train, judged = image_sets(scale, seed=seed, default="digits")
        raw, turned = untransformed(judged), judged.transformed(drawn, seed=2000 + seed)
        task = PredictTransformation(drawn)
        fitted = fit(Untrained() if name == "random" else task, train, seed=seed, scale=scale)
    row: Row = {"transformation": name, "seed": seed, "accuracy": probe_accuracy(fitted, raw, seed=seed)}
    if name != "random":
        log_p = head_log_probabilities(fitted, turned)
        row["pretext loss"] = float(-log_p[range(len(turned)), turned["A"]].mean())
    return row


def _measure(runner: Runner) -> pd.DataFrame:
    names = _seven(runner.scale)
    truth = runner.spread(_truth, names)
    jobs = [(name, seed) for seed in range(runner.scale.seeds) for name in (*names, "random")]
    runs = runner.spread(_train, jobs, label=lambda j: f"{j[0]}, seed {j[1]}")
    baseline = runs[runs["transformation"] == "random"].set_index("seed")["accuracy"]
    runs["gain"] = runs["accuracy"] - runs["seed"].map(baseline)
    return runs.merge(truth, on="transformation", how="left")


def _tied(truths: pd.Series) -> pd.Series:
    """The values, those of each chain whose links are at most `_RESOLUTION` long replaced by their mean."""
    ordered = truths.sort_values()
    return truths.groupby((ordered.diff() > _RESOLUTION).cumsum()).transform("mean")


def _correlations(runs: pd.DataFrame) -> dict[str, tuple[float, ...]]:
    """Spearman's rank correlation of each quantity with the gain, one number per seed."""
    trained = runs[runs["transformation"] != "random"].copy()
    for name in TRUTHS:
        trained[name] = _tied(trained[name])
    return {
        name: tuple(
            float(spearmanr(part[name], part["gain"]).statistic) for _, part in trained.groupby("seed")
        )
        for name in QUANTITIES
    }


def _conclude(runs: pd.DataFrame) -> Conclusion:
    correlations = _correlations(runs)
    trained = runs[runs["transformation"] != "random"]
    lossless = trained["transformation"].isin(LOSSLESS)
    lossy_gain = trained[~lossless].groupby("seed")[["gain"]].mean().reset_index()
    lossless_gain = trained[lossless].groupby("seed")[["gain"]].mean().reset_index()
    findings = [
        Finding(
            "mean gain in accuracy of the lossy transformations less that of the lossless ones",
            paired(lossy_gain, lossless_gain, "gain"),
            ">",
        ),
        *(
            Finding(f"rank correlation of {name} with the gain", values)
            for name, values in correlations.items()
        ),
        Finding(
            "rank correlation of J less that of I(A;C|X)",
            tuple(a - b for a, b in zip(correlations["J"], correlations["I(A;C|X)"], strict=True)),
        ),
    ]
    order = sorted(correlations, key=lambda name: -summarise(correlations[name]).mean)
    listed = ", ".join(f"{name} {summarise(correlations[name]).mean:+.2f}" for name in order)
    table = means(runs, "transformation", ["accuracy", "gain"])
    truths = runs.groupby("transformation")[[*QUANTITIES]].mean()
    for place, name in enumerate(QUANTITIES, start=1):
        table.insert(place, name, table["transformation"].map(truths[name]))
    return Conclusion(
        table.sort_values("gain", ascending=False, ignore_index=True),
        tuple(findings),
        "A lossless transformation has neither synergy nor forced class information (L2, J2), so it should "
        "help less than the lossy ones. Which of the four quantities ranks the tasks best is left open.",
        f"rank correlation with the gain of the linear probe over a random encoder, truths within "
        f"{_RESOLUTION:g} nats of each other being tied: {listed}.",
    )


def _draw(runs: pd.DataFrame) -> Figure:
    trained = runs[runs["transformation"] != "random"]
    table = trained.groupby("transformation", sort=False)[[*QUANTITIES, "gain"]].mean()
    with plot_style():
        figure, axes = subplots(len(QUANTITIES), width=2.9, height=3.3, share_y=True)
        for axis, name in zip(axes, QUANTITIES, strict=True):
            for k, label in enumerate(table.index):
                part = trained[trained["transformation"] == label]
                axis.scatter(part[name], part["gain"], s=12, alpha=0.4, color=COLOURS[k])
                axis.scatter(
                    [table[name][label]], [table["gain"][label]], s=44, color=COLOURS[k], label=str(label)
                )
            rho = summarise(_correlations(runs)[name]).mean
            axis.set(title=f"rank correlation {rho:+.2f}", xlabel=f"{name} in nats")
        axes[0].set_ylabel("gain in accuracy of the probe")
        figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(table), fontsize=8
        )
    return figure


TRANSFORMATIONS = Experiment(
    "transformations",
    "Seven pretext tasks",
    "Which quantity predicts how much a pretext task helps classification?",
    _measure,
    _conclude,
    _draw,
)
