"""Which quantity predicts how useful a pretext task is, after Figure 1 of Wang et al. (2024).

Seven tasks are few, and five of them have no synergy on the first set of glyphs. On the second, half-turn
pairs, the synergy and the forced class information J differ: a rotation has the synergy log 2 and J = 0. The
results hold for these tasks on these glyphs alone. Intervals are over training seeds, and a permutation of
the tasks tells how often as high a rank correlation comes by chance.

Quantities nearer than 0.005 nats, or than the standard error of their difference, are tied, because their
order is that of sampling errors. The rule came after a first look at the results, in which the order of five
synergies near 0 made their rank correlation +0.60 on the first set; with ties it was +0.12. Both numbers are
reported.

Which tasks are lossless is decided by their H(A|X), see `lossless`. On images whose latents nobody knows the
quantities are estimates by the networks of `rank`, each with its error.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import rankdata, spearmanr

from synergy.experiments.findings import Finding, summarise
from synergy.experiments.limits import ACCURACY, CORRELATION, GAIN, apart
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import SHARED, foremost, means, paired, shared_images
from synergy.experiments.transformations.lossless import LITTLE, Loss, loss_of
from synergy.experiments.worlds import (
    few_labels,
    fit,
    glyph_world,
    head_log_probabilities,
    image_sets,
    probe_accuracy,
    raw_glyphs,
    shared_by_seeds,
    untransformed,
)
from synergy.learning import PredictLabel, PredictTransformation, Pretext, Untrained
from synergy.plots import COLOURS, plot_style, subplots
from synergy.ranking import RankSettings, rank
from synergy.ranking.candidates import fitting

__all__ = ["TRANSFORMATIONS"]

SEVEN = ("rotation", "horizontal-flip", "vertical-flip", "inversion", "grayscale", "jigsaw", "blur")
"""The pretext tasks."""

LOSS = "loss"
"""The column that says whether a task is lossless, lossy or neither for certain."""

TRUTHS = ("H(A|X)", "I(A;C|X)", "J")
"""The quantities of the input that are compared."""

QUANTITIES = (*TRUTHS, "pretext loss")
"""All that are compared."""

_FEWEST = 100
"""Images of one's own, at least: a pilot sets 20 of the six tenths aside that are trained on."""

_RESOLUTION = 0.005
"""Quantities that are nearer than this, in nats, are tied: their order is that of sampling errors."""

_FINE, _COARSE = 0.01, 0.02
"""The tolerances of the scales that have a name lie on either side of the first; none is above the second."""

SETS = ("mixed", "half-turn-pairs")
"""The glyphs; the predictions are about the first."""
Job = tuple[str, str, int]


def _seven(scale: Scale) -> tuple[str, ...]:
    """The transformations that fit the images: gray ones have no colour to take, some must be square."""
    if scale.draws_glyphs:
        return SEVEN
    channels, height, width = image_sets(scale, seed=0, default="digits")[0].shape
    known = fitting((channels, height, width))
    return tuple(name for name in SEVEN if name in known)


def _draws(tolerance: float) -> int:
    """How many images J is found from; beyond the coarsest scale with a name as few as its error allows."""
    return 10_000 if tolerance <= _FINE else round(2000 * min(1.0, (_COARSE / tolerance) ** 2))


def _truth(job: tuple[str, str], scale: Scale) -> Row:
    """The input side: exact on glyphs; on images without known latents estimates, with their errors."""
    images, name = job
    if images in SETS:
        world = glyph_world(images, name, pixels=scale.pixels)
        draws = _draws(scale.tolerance)
        answers = dict(zip(TRUTHS[:2], world.exact_each(TRUTHS[:2], tolerance=scale.tolerance), strict=True))
        answers["J"] = world.forced_information(draws=draws)
        drawn: Row = {"images": images, "transformation": name}
        for term, answer in answers.items():
            drawn |= {term: answer.value, error_of(term): answer.standard_error}
        return drawn
    size = RankSettings(
        judged=scale.judged,
        steps=scale.steps,
        features=scale.features,
        batch=scale.batch,
        encoder=scale.encoder,
    )
    shown = image_sets(scale, seed=0, default="digits")[0]
    found = rank(
        shown, transformations=[name], seeds=2, settings=size, jobs=1, device=scale.device
    ).best.quantities
    row: Row = {"images": images, "transformation": name}
    for term in TRUTHS:
        quantity = found[term]
        row[term] = float("nan") if quantity is None else quantity.value
        row[error_of(term)] = float("nan") if quantity is None else quantity.error
    return row


def error_of(term: str) -> str:
    """The column of a quantity's standard error.

    Example:
        >>> error_of("J")
        'J ±'
    """
    return f"{term} ±"


def _errors(runs: pd.DataFrame, term: str) -> pd.Series:
    """The standard errors of a quantity; 0 where runs were kept without them."""
    if error_of(term) not in runs:
        return pd.Series(0.0, index=runs.index)
    return runs[error_of(term)].fillna(0.0)


def _losses(runs: pd.DataFrame) -> pd.Series:
    """Whether each row's task is lossless; None for the untrained encoder, which has no task."""
    errors = _errors(runs, "H(A|X)")
    found: list[Loss | None] = [
        None if np.isnan(entropy) else loss_of(entropy, error)
        for entropy, error in zip(runs["H(A|X)"].tolist(), errors.tolist(), strict=True)
    ]
    return pd.Series(found, index=runs.index, dtype=object)


def _train(job: Job, scale: Scale) -> Row:
    images, name, seed = job
    drawn = "rotation" if name == "random" else name
    task: Pretext
    if images in SETS:
        world = glyph_world(images, drawn, pixels=scale.pixels)
        raw = raw_glyphs(images, scale.judged, seed=1000 + seed, pixels=scale.pixels)
        turned = world.sample(scale.judged, seed=2000 + seed)
        task = PredictLabel("A")
        fitted = fit(Untrained() if name == "random" else task, world, seed=seed, scale=scale)
    else:
        train, judged = image_sets(scale, seed=seed, default="digits")
        drawn = "inversion" if name == "random" else name  # of any shape
        raw, turned = untransformed(judged), judged.transformed(drawn, seed=2000 + seed)
        task = PredictTransformation(drawn)
        fitted = fit(Untrained() if name == "random" else task, train, seed=seed, scale=scale)
    row: Row = {
        "images": images,
        "transformation": name,
        "seed": seed,
        SHARED: 0.0 if images in SETS else shared_by_seeds(scale, default="digits"),
        "accuracy": probe_accuracy(fitted, raw, seed=seed, labelled=few_labels(scale, default="digits")),
    }
    if name != "random":
        log_p = head_log_probabilities(fitted, turned)
        row["pretext loss"] = float(-log_p[range(len(turned)), turned["A"]].mean())
    return row


def _measure(runner: Runner) -> pd.DataFrame:
    scale = runner.scale
    names = _seven(scale)
    glyphs = SETS if scale.every else SETS[:1]
    images = glyphs if scale.draws_glyphs else (str(scale.data_name),)
    truth = runner.spread(_truth, [(where, name) for where in images for name in names])
    jobs = [
        (where, name, seed) for seed in range(scale.seeds) for where in images for name in (*names, "random")
    ]
    runs = runner.spread(_train, jobs, label=lambda j: f"{j[0]}, {j[1]}, seed {j[2]}")
    baseline = runs[runs["transformation"] == "random"].set_index(["images", "seed"])["accuracy"]
    places = pd.MultiIndex.from_frame(runs[["images", "seed"]])
    runs["gain"] = runs["accuracy"] - baseline.loc[places].to_numpy()
    return runs.merge(truth, on=["images", "transformation"], how="left")


def _tied(truths: pd.Series, errors: pd.Series) -> pd.Series:
    """The values, those of each chain whose links are short replaced by their mean.

    A link is short where it is at most `_RESOLUTION` long, or the standard error of the difference.
    """
    ordered = truths.sort_values()
    squares = errors[ordered.index] ** 2
    reach = np.maximum(np.sqrt(squares + squares.shift(fill_value=0.0)), _RESOLUTION)
    return truths.groupby((ordered.diff() > reach).cumsum()).transform("mean")


def _correlations(runs: pd.DataFrame, *, tied: bool = True) -> dict[str, tuple[float, ...]]:
    """Spearman's rank correlation of each quantity with the gain, one number per seed.

    It is 0 where one of the two is the same for all tasks.

    Args:
        runs: Those on one set of images.
        tied: Whether truths nearer than `_RESOLUTION` are.
    """
    trained = runs[runs["transformation"] != "random"].copy()
    for name in TRUTHS if tied else ():
        trained[name] = _tied(trained[name], _errors(trained, name))
    found: dict[str, tuple[float, ...]] = {}
    for name in QUANTITIES:
        each = [(part[name], part["gain"]) for _, part in trained.groupby("seed")]
        constant = [min(x.nunique(), y.nunique()) < 2 for x, y in each]
        found[name] = tuple(
            0.0 if flat else float(spearmanr(x, y).statistic)
            for (x, y), flat in zip(each, constant, strict=True)
        )
    return found


def chance(quantity: pd.Series, gain: pd.Series) -> float:
    """How often a permutation of the tasks gives as high a rank correlation, either sign, by enumeration.

    Args:
        quantity: One number per task; at most nine tasks.
        gain: The mean gain of each task.

    Example:
        >>> chance(pd.Series([1.0, 2.0, 3.0, 4.0]), pd.Series([0.1, 0.2, 0.3, 0.4]))
        0.08333333333333333
    """
    x, y = (rankdata(values) for values in (quantity, gain))
    x, y = x - x.mean(), y - y.mean()
    orders = np.array(list(permutations(range(len(x)))))
    products = np.abs(x[orders] @ y)
    return float((products >= abs(x @ y) - 1e-9).mean())


def _of_set(runs: pd.DataFrame, images: str) -> list[Finding]:
    """The findings on one set of images."""
    correlations, shared = _correlations(runs), shared_images(runs)
    losses = _losses(runs)
    lossy, lossless = (
        runs[losses == kind].groupby("seed")[["gain"]].mean().reset_index() for kind in ("lossy", "lossless")
    )
    rotation = runs[runs["transformation"] == "rotation"]
    ahead = tuple(a - b for a, b in zip(correlations["J"], correlations["I(A;C|X)"], strict=True))
    found = []
    if len(lossy) and len(lossless):
        found.append(
            Finding(
                f"{images}: mean gain in accuracy of the lossy transformations less that of the lossless",
                paired(lossy, lossless, "gain"),
                None if images in SETS[1:] else ">",
                shared=shared,
                bounds=GAIN,
            )
        )
    if len(lossless) and len(rotation):
        found.append(
            Finding(
                f"{images}: gain of rotation less the mean gain of the lossless ones",
                paired(rotation, lossless, "gain"),
                shared=shared,
                bounds=GAIN,  # the untrained encoder is in both gains
            )
        )
    ranked = [
        *(
            (f"{images}: rank correlation of {name} with the gain", v, CORRELATION)
            for name, v in correlations.items()
        ),
        (f"{images}: rank correlation of J less that of I(A;C|X)", ahead, apart(CORRELATION)),
    ]
    return [
        *found,
        *(
            Finding(about, values, shared=shared, bounds=bounds, discrete=True)
            for about, values, bounds in ranked
        ),
    ]


def _told_losses(runs: pd.DataFrame, images: str) -> str:
    """Which tasks are lossless on some images, in a sentence."""
    named = _losses(runs)
    tasks = {
        kind: ", ".join(dict.fromkeys(runs.loc[named == kind, "transformation"]))
        for kind in ("lossless", "undecided")
    }
    said = f"Lossless on {images}: {tasks['lossless'] or 'none'}"
    return f"{said}; left open: {tasks['undecided']}." if tasks["undecided"] else f"{said}."


def _told_missing(runs: pd.DataFrame) -> str:
    """Which of the seven tasks some images are not asked for, in a sentence; nothing where all are."""
    missing = [name for name in SEVEN if name not in set(runs["transformation"])]
    return f" Left out, since they do not fit these images: {', '.join(missing)}." if missing else ""


def _ranking(runs: pd.DataFrame, images: str) -> pd.DataFrame:
    """How well each quantity ranks the tasks, best first, with nothing tied, and how often by chance."""
    tied, loose = _correlations(runs), _correlations(runs, tied=False)
    trained = runs[runs["transformation"] != "random"]
    mean = trained.groupby("transformation")[[*QUANTITIES, "gain"]].mean()
    errors = {name: _errors(trained, name).groupby(trained["transformation"]).mean() for name in TRUTHS}
    rows: list[dict[str, Any]] = [
        {
            "images": images,
            "quantity": name,
            "rank correlation": summarise(tied[name]).mean,
            "untied": summarise(loose[name]).mean,
            "p of a permutation": chance(
                _tied(mean[name], errors[name]) if name in TRUTHS else mean[name], mean["gain"]
            ),
        }
        for name in QUANTITIES
    ]
    rows.sort(key=lambda row: -row["rank correlation"])
    return pd.DataFrame(rows)


def _conclude(runs: pd.DataFrame) -> Conclusion:
    sets = {str(images): part for images, part in runs.groupby("images", sort=False)}
    findings = [finding for images, part in sets.items() for finding in _of_set(part, images)]
    table = means(runs, ["images", "transformation"], {"accuracy": ACCURACY, "gain": GAIN})
    marked = runs.assign(**{LOSS: _losses(runs)})
    known = [name for term in QUANTITIES for name in (term, error_of(term)) if name in runs]
    truths = marked.groupby(["images", "transformation"])[known].mean()
    truths[LOSS] = marked.groupby(["images", "transformation"])[LOSS].first()
    keys = pd.MultiIndex.from_frame(table[["images", "transformation"]])
    for place, name in enumerate([LOSS, *known], start=2):
        table.insert(place, name, truths[name].reindex(keys).to_numpy())
    table[LOSS] = table[LOSS].fillna("")
    rankings = {images: _ranking(part, images) for images, part in sets.items()}
    best = ", ".join(
        foremost(_correlations(part), images, shared=shared_images(part), beside=findings)
        for images, part in sets.items()
    )
    return Conclusion(
        table.sort_values(["images", "gain"], ascending=False, ignore_index=True),
        tuple(findings),
        "A lossless transformation has neither synergy nor forced class information (L2, J2), so it should "
        "help less than the lossy ones. A task counts as lossless where H(A|X) is at most "
        f"{LITTLE:g} nats by two standard errors, as lossy where it is more by two, and is left out where "
        "neither is sure. Which of the four quantities ranks the tasks best is left open. "
        f"Quantities within {_RESOLUTION:g} nats of each other, or within the error of their difference, are "
        "tied; J of noisy images is a lower bound that comes near. Of images whose latents nobody knows they "
        "are estimates by trained networks, H(A|X) an upper bound.",
        f"The rank correlation with the gain over a random encoder is highest for {best}. "
        + " ".join(_told_losses(part, images) for images, part in sets.items())
        + _told_missing(runs),
        pd.concat(rankings.values(), ignore_index=True),
    )


def _draw(runs: pd.DataFrame) -> Figure:
    trained = runs[runs["transformation"] != "random"]
    tasks = list(trained["transformation"].unique())
    with plot_style():
        figure, axes = subplots(len(QUANTITIES), width=2.9, height=3.6, share_y=True)
        for axis, name in zip(axes, QUANTITIES, strict=True):
            said = []
            for (images, part), marker in zip(trained.groupby("images", sort=False), "os", strict=False):
                mean = part.groupby("transformation")[[*QUANTITIES, "gain"]].mean()
                for k, task in enumerate(tasks):
                    each = part[part["transformation"] == task]
                    look: dict[str, Any] = {"color": COLOURS[k], "marker": marker}
                    axis.scatter(each[name], each["gain"], s=12, alpha=0.4, **look)
                    label = str(task) if marker == "o" else None
                    axis.scatter([mean[name][task]], [mean["gain"][task]], s=44, label=label, **look)
                said.append(f"{images} {summarise(_correlations(part)[name]).mean:+z.2f}")
                axis.scatter([], [], color="0.4", marker=marker, label=str(images))
                if error_of(name) in part and not part[error_of(name)].isna().all():
                    wide = part.groupby("transformation")[error_of(name)].mean().reindex(mean.index)
                    axis.errorbar(
                        mean[name],
                        mean["gain"],
                        xerr=2 * wide,
                        fmt="none",
                        ecolor="0.6",
                        linewidth=1,
                        zorder=0,
                    )
            axis.set(xlabel=f"{name} in nats")
            axis.set_title("rank correlation\n" + ", ".join(said), fontsize=8)
        axes[0].set_ylabel("gain in accuracy of the probe")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8)
    return figure


TRANSFORMATIONS = Experiment(
    "transformations",
    "Seven pretext tasks",
    "Which quantity predicts how much a pretext task helps classification?",
    _measure,
    _conclude,
    _draw,
    fewest=_FEWEST,
)
"""The experiment on seven pretext tasks."""
