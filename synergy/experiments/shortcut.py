"""A watermark that gives the transformation away: what it does to the synergy and to the representation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.findings import Finding
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import means, paired
from synergy.experiments.worlds import fit, glyph_world, image_sets, probe_accuracy, untransformed
from synergy.learning import ImageSet, PredictLabel
from synergy.learning.measure import measure_representation
from synergy.plots import COLOURS, plot_style, subplots
from synthetic import Sample

__all__ = ["SHORTCUT", "mark"]

STRENGTHS = (0.0, 0.5, 0.8, 1.0)
_GLYPHS = "mixed"
_BORDER = 1
_MARGIN = 0.02
"""About half of the smallest synergy that is predicted, 0.04 nats at g = 0.8: none at all must not pass."""
_TRAINED_ON = 16_000
_QUANTITIES = ("H(A|Z)", "I(A;C|Z)", "class accuracy")


def mark(
    sample: Sample, strength: float, *, seed: int, labels: npt.NDArray[np.int64] | None = None
) -> Sample:
    """Write A into a border of blank pixels, with a given probability; the border is there in any case.

    Images have no blank corner that a rotation would spare, so they are framed first. One pixel of the frame
    says which transformation was applied, and its last one that a watermark is shown.

    Args:
        sample: Images X and labels A.
        strength: The probability g that the watermark is shown.
        seed: Fixes on which images.
        labels: What is written, of shape (n,); None for A itself.
    """
    rng = np.random.default_rng(seed)
    images: npt.NDArray[np.float32] = np.pad(
        sample["X"], ((0, 0), (0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER))
    )
    shown = rng.random(len(sample)) < strength
    rows = np.flatnonzero(shown)
    written = sample["A"] if labels is None else labels
    images[rows, 0, 0, 2 * written[rows]] = 1.0
    images[rows, 0, -1, -1] = 1.0
    return sample.with_column(sample.variables["X"], images)


def _prepared(sample: Sample, strength: float, *, pruned: bool, seed: int) -> Sample:
    """Marked images; pruned, with marks that say nothing: the labels of other rows, in random order."""
    if not pruned:
        return mark(sample, strength, seed=seed)
    shuffled = np.random.default_rng([seed, 1]).permutation(sample["A"])
    return mark(sample, strength, seed=seed, labels=shuffled)


def _truth(transformation: str, scale: Scale) -> Row:
    """The exact synergy without a watermark, in nats; NaN on images whose latents are not known."""
    if not scale.draws_glyphs:
        return {"I(A;C|X)": float("nan")}
    world = glyph_world(_GLYPHS, transformation, pixels=scale.pixels)
    return {"I(A;C|X)": float(world.exact("I(A;C|X)", tolerance=scale.tolerance))}


def _train(job: tuple[float, bool, int], scale: Scale) -> Row:
    strength, pruned, seed = job
    train, judged = image_sets(scale, seed=seed, default="glyphs", glyphs=_GLYPHS)
    copies = max(1, _TRAINED_ON // train.size)
    rows = _prepared(
        train.transformed("rotation", copies=copies, seed=7000 + seed),
        strength,
        pruned=pruned,
        seed=7000 + seed,
    )
    fitted = fit(PredictLabel("A"), ImageSet.from_sample(rows), seed=seed, scale=scale)
    copies = max(1, scale.judged // judged.size)
    turned = judged.transformed("rotation", copies=copies, seed=8000 + seed)
    shown = _prepared(turned, strength, pruned=pruned, seed=8000 + seed)
    found = measure_representation(
        fitted.represented(shown),
        terms=["H(A|Z)", "I(A;C|Z)"],
        quality=scale.quality,
        folds=4,
        seed=seed,
    )
    raw = untransformed(judged)
    framed = np.pad(raw["X"], ((0, 0), (0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER)))
    upright = raw.with_column(raw.variables["X"], framed)
    return {
        "strength": strength,
        "pruned": pruned,
        "seed": seed,
        "H(A|Z)": found["H(A|Z)"].value,
        "I(A;C|Z)": found["I(A;C|Z)"].value,
        "class accuracy": probe_accuracy(fitted, upright, seed=seed),
    }


def _measure(runner: Runner) -> pd.DataFrame:
    truth = runner.spread(_truth, ["rotation"])
    conditions = [(g, False) for g in STRENGTHS] + [(max(STRENGTHS), True)]
    jobs = [(g, pruned, seed) for seed in range(runner.scale.seeds) for g, pruned in conditions]
    runs = runner.spread(
        _train, jobs, label=lambda j: f"strength {j[0]:g}{', pruned' if j[1] else ''}, seed {j[2]}"
    )
    left = np.where(runs["pruned"], 1.0, 1.0 - runs["strength"])
    return runs.assign(**{"I(A;C|X)": left * float(truth["I(A;C|X)"].iloc[0])})


def _at(runs: pd.DataFrame, strength: float, *, pruned: bool = False) -> pd.DataFrame:
    return runs[(runs["strength"] == strength) & (runs["pruned"] == pruned)]


def _conclude(runs: pd.DataFrame) -> Conclusion:
    none, full = _at(runs, min(STRENGTHS)), _at(runs, max(STRENGTHS))
    pruned = _at(runs, max(STRENGTHS), pruned=True)
    findings = []
    for strength in STRENGTHS[1:]:
        scaled = none.assign(**{"I(A;C|Z)": (1 - strength) * none["I(A;C|Z)"]})
        findings.append(
            Finding(
                f"I(A;C|Z) at g = {strength:g} less {1 - strength:.1f} of that at g = 0, in nats",
                paired(_at(runs, strength), scaled, "I(A;C|Z)"),
                "==",
                _MARGIN,
            )
        )
    findings += [
        Finding("class accuracy at g = 0 less that at g = 1", paired(none, full, "class accuracy"), ">"),
        Finding(
            "class accuracy with the watermark pruned less that at g = 1",
            paired(pruned, full, "class accuracy"),
            ">",
        ),
        Finding(
            "I(A;C|Z) with the watermark pruned less that at g = 1, in nats",
            paired(pruned, full, "I(A;C|Z)"),
            ">",
        ),
    ]
    table = means(runs, ["strength", "pruned"], _QUANTITIES, keep=["I(A;C|X)"])
    told = "; ".join(
        f"{'pruned' if r['pruned'] else 'g = ' + format(r['strength'], 'g')}: synergy {r['I(A;C|Z)']:.3f}, "
        f"accuracy {r['class accuracy']:.3f}"
        for r in table.to_dict("records")
    )
    return Conclusion(
        table,
        tuple(findings),
        "P2: a watermark shown with probability g leaves (1 - g) of the synergy I(A;C|X), so that of a "
        "representation which reads the watermark shrinks alike; the probe falls with it, and pruning the "
        "watermark (writing it at random, so that it says nothing) restores both.",
        f"I(A;C|Z) in nats and the accuracy of a linear probe of C: {told}.",
    )


def _draw(runs: pd.DataFrame) -> Figure:
    start = runs.loc[(runs["strength"] == 0) & ~runs["pruned"], "I(A;C|X)"].mean()
    measured = runs.loc[(runs["strength"] == 0) & ~runs["pruned"], "I(A;C|Z)"].mean()
    with plot_style():
        figure, axes = subplots(2, width=4.0, height=3.3)
        if np.isfinite(start):
            axes[0].plot([0, 1], [start, 0], color="0.3", label="(1 - g) of the exact I(A;C|X)")
        axes[0].plot([0, 1], [measured, 0], color="0.3", linestyle="--", label="(1 - g) of I(A;C|Z)")
        for k, (pruned, part) in enumerate(runs.groupby("pruned")):
            label = "pruned" if pruned else "with watermark"
            x = part["strength"] + (0.03 if pruned else 0.0)
            for axis, quantity in zip(axes, ("I(A;C|Z)", "class accuracy"), strict=True):
                axis.scatter(
                    x, part[quantity], s=26, alpha=0.8, color=COLOURS[k], marker="os"[k], label=label
                )
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
)
