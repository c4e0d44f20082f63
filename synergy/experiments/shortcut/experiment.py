r"""A watermark that gives the transformation away: what it does to the synergy and to the representation.

Of the input X the theory says (P2) that a watermark shown with probability g leaves (1 - g) of the synergy.
Of a representation Z it says so under a condition. Let M tell whether the watermark is shown, independent of
the rest. Where Z tells M,

    I(A;C|Z) = (1 - g) I(A;C|Z, unmarked) + g I(A;C|Z, marked),

and where it reads A from the watermark the last term is 0 (L1). Both can fail, and are measured: the synergy
of unmarked images by classifiers that see these alone, that of mixed images, and what marked ones add to it,
by classifiers that are not told which are which. The rest is about networks, and no theorem: whether one
that saw a watermark in training reads unmarked images as well as one that never saw any.

The mixed images hold every raw image once without the watermark, and g / (1 - g) times with it. So the
synergy of unmarked images is learned from as many of them at every g: a classifier that sees few of them
finds less of it, whatever the representation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from synergy.estimators.classifier import NestedCrossFit, classifier
from synergy.experiments.findings import Comparison, Finding
from synergy.experiments.limits import ACCURACY, ANYTHING, GAIN, Information, Quantity, apart
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.shortcut.watermarks import framed, judged_sets, prepared
from synergy.experiments.show import CLASSES, SHARED, entropies, means, paired, shared_images, worded
from synergy.experiments.worlds import (
    few_labels,
    fit,
    glyph_world,
    image_sets,
    probe_accuracy,
    shared_by_seeds,
    untransformed,
)
from synergy.learning import ImageSet, PredictLabel, Trained
from synergy.plots import COLOURS, plot_style, subplots
from synthetic import Sample, Variable

__all__ = ["SHORTCUT"]

Floats = npt.NDArray[np.float64]

STRENGTHS = (0.0, 0.5, 0.8, 1.0)
"""The probabilities of the watermark."""

_GLYPHS = "mixed"
"""The set of glyphs."""

_MARGIN = 0.1
"""A tenth of the synergy that is predicted."""

_ROTATIONS = 4
"""The states of A."""

_FEWEST = 40
"""Images of one's own, at least: 16 of them are judged, by four folds."""

_ACCURACY_MARGIN = 0.05
"""A smaller difference of accuracies counts as none."""

_TRAINED_ON = 16_000
"""Images are repeated until there are about so many, or as many as training looks at."""

SYNERGY = "I(A;C|Z)"
"""The column of the synergy on mixed images."""

READ = "H(A|Z)/(1-g)"
"""The column of H(A|Z) in units of what the watermark leaves open."""

UNMARKED = "I(A;C|Z), unmarked"
"""The column of the synergy on images without the watermark."""

MARKED = "I(A;C|Z), marked"
"""The column of what images with the watermark add to the synergy."""

UNREAD = "H(A|Z), unmarked"
"""The column of H(A|Z) on images without the watermark."""

_SYNERGY_OF_Z = Information("A", "C")
"""What a synergy is: it lies below either entropy."""

_QUANTITIES: dict[str, Quantity] = {
    "H(A|Z)": Information("A"),
    READ: ANYTHING,
    UNREAD: Information("A"),
    SYNERGY: _SYNERGY_OF_Z,
    UNMARKED: _SYNERGY_OF_Z,
    MARKED: _SYNERGY_OF_Z,
    "mark accuracy": ACCURACY,
    "class accuracy": ACCURACY,
}
"""The columns of the table, and what they are."""


def _truth(transformation: str, scale: Scale) -> Row:
    """The exact synergy without a watermark, in nats; NaN on images whose latents are not known."""
    if not scale.draws_glyphs:
        return {"I(A;C|X)": float("nan")}
    world = glyph_world(_GLYPHS, transformation, pixels=scale.pixels)
    return {"I(A;C|X)": float(world.exact("I(A;C|X)", tolerance=scale.tolerance))}


def _information(fitted: Trained, shown: Sample, *, scale: Scale, seed: int) -> tuple[float, Floats]:
    """H(A|Z) in nats, and one number per row whose mean is I(A;C|Z), by predicting C."""
    held = fitted.represented(shown)
    losses = NestedCrossFit(held, folds=4, seed=seed, quality=scale.quality, device=scale.judging_device)
    entropy = classifier(held, "H(A|Z)", fit=losses).value
    synergy = losses.losses("C", "Z") - losses.losses("C", ["A", "Z"])
    return entropy, np.asarray(synergy, dtype=np.float64)


def _mark_accuracy(fitted: Trained, unmarked: Sample, marked: Sample, *, seed: int) -> float:
    """How well a linear probe tells whether the watermark is shown, chance 1/2."""
    shown = np.repeat([0, 1], [len(unmarked), len(marked)])
    both = Sample.concatenate([unmarked, marked]).with_column(Variable("M", "discrete", 2), shown)
    return probe_accuracy(fitted, both, "M", seed=seed)


def _train(job: tuple[float, bool, int], scale: Scale) -> Row:
    strength, pruned, seed = job
    train, judged = image_sets(scale, seed=seed, default="glyphs", glyphs=_GLYPHS)
    copies = max(1, min(_TRAINED_ON, scale.steps * scale.batch) // train.size)
    rows = prepared(
        train.transformed("rotation", copies=copies, seed=7000 + seed),
        strength,
        pruned=pruned,
        seed=7000 + seed,
    )
    fitted = fit(PredictLabel("A"), ImageSet.from_sample(rows), seed=seed, scale=scale)
    copies = max(1, scale.judged // judged.size)
    sets = judged_sets(judged, strength, pruned=pruned, copies=copies, seed=8000 + seed)
    n = copies * judged.size
    whole = sets.get("mixed") or next(iter(sets.values()))
    entropy, synergy = _information(fitted, whole, scale=scale, seed=seed)
    unread = unmarked = marked = told = float("nan")
    if "mixed" in sets:
        unread, scores = _information(fitted, sets["unmarked"], scale=scale, seed=seed)
        unmarked = float(scores.mean())
        marked = float(synergy[n:].mean())
        told = _mark_accuracy(fitted, sets["unmarked"], sets["marked"].rows(slice(n)), seed=seed)
    raw = untransformed(judged)
    upright = raw.with_column(raw.variables["X"], framed(raw["X"]))
    return {
        "strength": strength,
        "pruned": pruned,
        "seed": seed,
        "H(A|Z)": entropy,
        UNREAD: unread,
        SYNERGY: float(synergy.mean()),
        UNMARKED: unmarked,
        MARKED: marked,
        "mark accuracy": told,
        "class accuracy": probe_accuracy(
            fitted, upright, seed=seed, labelled=few_labels(scale, default="glyphs")
        ),
        SHARED: shared_by_seeds(scale, default="glyphs"),
        CLASSES: judged.states["C"],
    }


def _measure(runner: Runner) -> pd.DataFrame:
    truth = runner.spread(_truth, ["rotation"])
    conditions = [(g, False) for g in STRENGTHS] + [(max(STRENGTHS), True)]
    jobs = [(g, pruned, seed) for seed in range(runner.scale.seeds) for g, pruned in conditions]
    runs = runner.spread(
        _train, jobs, label=lambda j: f"strength {j[0]:g}{', pruned' if j[1] else ''}, seed {j[2]}"
    )
    left = _left(runs)
    return runs.assign(
        **{"I(A;C|X)": left * float(truth["I(A;C|X)"].iloc[0]), READ: runs["H(A|Z)"] / left.where(left > 0)}
    )


def _left(runs: pd.DataFrame) -> pd.Series[float]:
    """The share of images whose transformation no watermark gives away: 1 - g, or 1 where it is pruned."""
    return (1.0 - runs["strength"]).where(~runs["pruned"], 1.0)


def _at(runs: pd.DataFrame, strength: float, *, pruned: bool = False) -> pd.DataFrame:
    return runs[(runs["strength"] == strength) & (runs["pruned"] == pruned)]


def _known(runs: pd.DataFrame) -> dict[str, float]:
    """The most that can be known of the rotation and of the class."""
    return entropies(runs, A=_ROTATIONS)


def _ratio(first: pd.Series[float], second: pd.Series[float]) -> tuple[float, ...]:
    return tuple(float(v) for v in (first / second).sort_index())


def _laws(runs: pd.DataFrame) -> list[Finding]:
    """The synergy as a share of what it should be; nothing where what it should be is not positive."""
    shared = shared_images(runs)
    at = {g: _at(runs, g).set_index("seed") for g in STRENGTHS}
    pruned = _at(runs, 1.0, pruned=True).set_index("seed")
    start = at[0.0][SYNERGY]
    between = {g: part for g, part in at.items() if 0 < g < 1}
    if not all((part > 0).all() for part in (start, *(part[UNMARKED] for part in between.values()))):
        return []
    found = []

    def add(
        about: str, first: pd.Series[float], second: pd.Series[float], *, one: bool, told: bool = True
    ) -> None:
        values = tuple(v - one for v in _ratio(first, second))
        relation: Comparison | None = "==" if told else None
        margin = _MARGIN if told else 0.0
        found.append(Finding(about, values, relation, margin, shared, ANYTHING))

    for g, part in between.items():
        left = (1 - g) * part[UNMARKED]
        of = f"(1 - g) of {UNMARKED} at g = {g:g}"
        add(f"{SYNERGY} over {of}, less 1", part[SYNERGY], left, one=True)
        add(f"g {MARKED} over {of}", g * part[MARKED], left, one=False)
    for g, part in between.items():
        add(
            f"{SYNERGY} at g = {g:g} over (1 - g) of that at g = 0, less 1",
            part[SYNERGY],
            (1 - g) * start,
            one=True,
        )
    add(f"{SYNERGY} at g = 1 over that at g = 0", at[1.0][SYNERGY], start, one=False)
    add(f"{SYNERGY} with the watermark pruned over that at g = 0, less 1", pruned[SYNERGY], start, one=True)
    for g, part in between.items():
        about = f"{UNMARKED} at g = {g:g} over {SYNERGY} at g = 0, less 1"
        add(about, part[UNMARKED], start, one=True, told=False)
    return found


def _conclude(runs: pd.DataFrame) -> Conclusion:
    none, full, pruned = _at(runs, 0.0), _at(runs, 1.0), _at(runs, 1.0, pruned=True)
    shared = shared_images(runs)
    laws = _laws(runs)
    accuracy = "class accuracy"
    findings = [
        *laws,
        Finding(
            f"{SYNERGY} with the watermark pruned less that at g = 1, in nats",
            paired(pruned, full, SYNERGY),
            ">",
            shared=shared,
            bounds=apart(_SYNERGY_OF_Z.within(_known(runs))),
        ),
        Finding(
            f"{accuracy} at g = 0 less that at g = 1",
            paired(none, full, accuracy),
            ">",
            shared=shared,
            bounds=GAIN,
        ),
        Finding(
            f"{accuracy} with the watermark pruned less that at g = 1",
            paired(pruned, full, accuracy),
            ">",
            shared=shared,
            bounds=GAIN,
        ),
        Finding(
            f"{accuracy} with the watermark pruned less that at g = 0",
            paired(pruned, none, accuracy),
            "==",
            _ACCURACY_MARGIN,
            shared,
            GAIN,
        ),
    ]
    table = means(runs, ["strength", "pruned"], _QUANTITIES, keep=["I(A;C|X)"], known=_known)
    words = ("falls", "rises", "does not clearly change")
    change = worded(paired(none, full, accuracy), words, shared=shared, beside=findings)
    seen = (
        f"The accuracy of a linear probe of the class {change} from {none[accuracy].mean():.3f} without a "
        f"watermark to {full[accuracy].mean():.3f} where it is always shown, and is "
        f"{pruned[accuracy].mean():.3f} where it is pruned."
    )
    if not laws:
        seen += " Without a watermark there is no synergy in every run, so no share of it can be given."
    return Conclusion(
        table,
        tuple(findings),
        "Of the input, P2 is a theorem: a watermark shown with probability g leaves (1 - g) of the synergy "
        "I(A;C|X). Of a representation that tells whether the watermark is shown and reads it, it follows "
        "that I(A;C|Z) is (1 - g) of its value on unmarked images, and that marked ones add nothing. That it "
        "is also (1 - g) of what a network trained without a watermark has, which needs unmarked images read "
        "as well as by that one, is a hypothesis about networks that the theorem does not force; so is "
        "it that the probe falls with the synergy, and that pruning the watermark (writing it at random, so "
        "that it says nothing) restores both.",
        seen,
    )


def _draw(runs: pd.DataFrame) -> Figure:
    none = _at(runs, 0.0)
    exact, measured = none["I(A;C|X)"].mean(), none[SYNERGY].mean()
    with plot_style():
        figure, axes = subplots(2, width=4.2, height=3.4)
        if np.isfinite(exact):
            axes[0].plot([0, 1], [exact, 0], color="0.3", label="(1 - g) of the exact I(A;C|X)")
        axes[0].plot([0, 1], [measured, 0], color="0.3", linestyle="--", label="(1 - g) of I(A;C|Z) at g = 0")
        for k, (pruned, part) in enumerate(runs.groupby("pruned")):
            label = "pruned" if pruned else "with watermark"
            x = part["strength"] + (0.03 if pruned else 0.0)
            for axis, quantity in zip(axes, (SYNERGY, "class accuracy"), strict=True):
                axis.scatter(
                    x, part[quantity], s=26, alpha=0.8, color=COLOURS[k], marker="os"[k], label=label
                )
        mixed = runs[runs["strength"].between(0, 1, inclusive="neither")]
        law = (1 - mixed["strength"]) * mixed[UNMARKED]
        label = "(1 - g) of I(A;C|Z), unmarked"
        axes[0].scatter(mixed["strength"] + 0.03, law, s=26, color=COLOURS[2], marker="x", label=label)
        axes[0].set(xlabel="strength g of the watermark", ylabel="synergy I(A;C|Z) in nats")
        axes[1].set(xlabel="strength g of the watermark", ylabel="accuracy of a linear probe of C")
        axes[1].legend(*axes[0].get_legend_handles_labels(), fontsize=8, loc="lower left")
    return figure


SHORTCUT = Experiment(
    "shortcut",
    "Shortcuts",
    "What does a watermark that shows the transformation do to what is learned?",
    _measure,
    _conclude,
    _draw,
    fewest=_FEWEST,
    square=True,
)
"""The experiment on watermarks."""
