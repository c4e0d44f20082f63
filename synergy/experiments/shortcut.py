"""A watermark that gives the transformation away: what it does to the synergy and to the representation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from synergy.estimators.classifier import CrossFit
from synergy.experiments.base import Experiment, Outcome, Progress, Row, Scale, spread, summarise
from synergy.experiments.worlds import digit_sets, fit, probe_accuracy
from synergy.learning import ImageSet, PredictLabel
from synergy.plots import COLOURS, plot_style, subplots
from synthetic import Sample

__all__ = ["SHORTCUT"]

STRENGTHS = (0.0, 0.5, 1.0)
_BORDER = 2


def mark(sample: Sample, strength: float, *, seed: int) -> Sample:
    """Write A into a border of blank pixels, with a given probability; the border is there in any case.

    The digits have no blank corner that a rotation would spare, so the image is framed first.
    """
    rng = np.random.default_rng(seed)
    images: npt.NDArray[np.float32] = np.pad(
        sample["X"], ((0, 0), (0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER))
    )
    shown = rng.random(len(sample)) < strength
    rows = np.flatnonzero(shown)
    images[rows, 0, 0, 2 * sample["A"][rows]] = 1.0
    images[rows, 0, -1, -1] = 1.0
    return sample.with_column(sample.variables["X"], images)


def _prepared(images: ImageSet, strength: float, copies: int, *, pruned: bool, seed: int) -> Sample:
    sample = mark(images.transformed("rotation", copies=copies, seed=seed), strength, seed=seed)
    if not pruned:
        return sample
    blank = sample["X"].copy()
    blank[:, :, 0], blank[:, :, -1] = 0.0, 0.0
    return sample.with_column(sample.variables["X"], blank)


def _train(job: tuple[float, bool, int, Scale]) -> Row:
    strength, pruned, seed, scale = job
    train, judged = digit_sets(seed)
    source = ImageSet.from_sample(_prepared(train, strength, 8, pruned=pruned, seed=7000 + seed))
    fitted = fit(PredictLabel("A"), source, seed=seed, scale=scale)
    shown = _prepared(judged, strength, 2, pruned=pruned, seed=8000 + seed)
    losses = CrossFit(shown, folds=4, seed=seed, quality=scale.quality)
    upright = _prepared(judged, 0.0, 4, pruned=pruned, seed=9000 + seed)
    return {
        "strength": strength,
        "pruned": pruned,
        "seed": seed,
        "I(A;C|X)": float((losses.losses("C", "X") - losses.losses("C", ["A", "X"])).mean()),
        "H(A|X)": float(losses.losses("A", "X").mean()),
        "class accuracy": probe_accuracy(fitted, upright.rows(upright["A"] == 0), seed=seed),
    }


def _run(scale: Scale, progress: Progress | None) -> Outcome:
    conditions = [(g, False) for g in STRENGTHS] + [(max(STRENGTHS), True)]
    jobs = [(g, pruned, seed, scale) for seed in range(scale.seeds) for g, pruned in conditions]
    runs = spread(
        _train, jobs, scale=scale, progress=progress, label=lambda j: f"strength {j[0]:g}, seed {j[2]}"
    )
    table = _table(runs)
    plain = table[~table["pruned"]].set_index("strength")
    pruned = table[table["pruned"]].iloc[0]
    falls = bool(plain["class accuracy"].iloc[-1] < plain["class accuracy"].iloc[0])
    restored = bool(pruned["class accuracy"] > plain["class accuracy"].iloc[-1])
    listed = "; ".join(
        f"g = {g:g}: synergy {r['I(A;C|X)']:.3f}, accuracy {r['class accuracy']:.3f}"
        for g, r in plain.iterrows()
    )
    return Outcome(
        "shortcut",
        table,
        runs,
        _figure(runs, float(plain["I(A;C|X)"].iloc[0])),
        "P2: a watermark shown with probability g leaves (1 - g) of the synergy; the probe falls with it, "
        "and pruning the watermark restores both.",
        f"{listed}; pruned at g = 1: synergy {pruned['I(A;C|X)']:.3f}, "
        f"accuracy {pruned['class accuracy']:.3f}.",
        falls and restored,
        scale,
    )


def _table(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (strength, pruned), part in runs.groupby(["strength", "pruned"], sort=False):
        row: Row = {"strength": strength, "pruned": pruned}
        for quantity in ("H(A|X)", "I(A;C|X)", "class accuracy"):
            found = summarise(part[quantity].tolist())
            row.update({quantity: found.mean, f"{quantity} low": found.low, f"{quantity} high": found.high})
        rows.append(row)
    return pd.DataFrame(rows)


def _figure(runs: pd.DataFrame, start: float) -> Figure:
    with plot_style():
        figure, axes = subplots(2, width=3.8, height=3.2)
        axes[0].plot([0, 1], [start, 0], color="0.3", label="(1 - g) of the synergy")
        for k, (pruned, part) in enumerate(runs.groupby("pruned")):
            label = "pruned" if pruned else "with watermark"
            axes[0].scatter(part["strength"], part["I(A;C|X)"], s=26, color=COLOURS[k], label=label)
            axes[1].scatter(part["strength"], part["class accuracy"], s=26, color=COLOURS[k], label=label)
        axes[0].set(xlabel="strength g of the watermark", ylabel="synergy I(A;C|X) in nats")
        axes[1].set(xlabel="strength g of the watermark", ylabel="accuracy of a linear probe of C")
        axes[0].legend(fontsize=8)
    return figure


SHORTCUT = Experiment(
    "shortcut",
    "Shortcuts",
    "What does a watermark that shows the transformation do to what is learned?",
    _run,
)
