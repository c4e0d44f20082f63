"""Plain and equivariant encoders under base augmentations, after Tables 2 and 4 of Wang et al. (2024)."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.base import Experiment, Outcome, Progress, Row, Scale, spread, summarise
from synergy.experiments.worlds import digit_sets, fit, probe_accuracy
from synergy.learning import PredictTransformation
from synergy.learning.probes import probe
from synergy.plots import COLOURS, plot_style, subplots

__all__ = ["MODEL_EQUIVARIANCE"]

ENCODERS = ("cnn", "c4")
AUGMENTATIONS = ("none", "crop+flip", "simclr")


def _train(job: tuple[str, str, int, Scale]) -> Row:
    encoder, augmentation, seed, scale = job
    train, judged = digit_sets(seed)
    task = PredictTransformation("rotation", augment=augmentation)
    fitted = fit(task, train, seed=seed, scale=scale, encoder=encoder)
    turned = fitted.trained.represented(judged.transformed("rotation", copies=2, seed=4000 + seed))
    upright = judged.transformed("rotation", copies=4, seed=5000 + seed)
    upright = upright.rows(upright["A"] == 0)
    return {
        "encoder": encoder,
        "augmentation": augmentation,
        "seed": seed,
        "rotation accuracy": probe(turned, "A", seed=seed).score,
        "class accuracy": probe_accuracy(fitted, upright, seed=seed),
    }


def _run(scale: Scale, progress: Progress | None) -> Outcome:
    jobs = [(e, a, s, scale) for s in range(scale.seeds) for e in ENCODERS for a in AUGMENTATIONS]
    runs = spread(
        _train, jobs, scale=scale, progress=progress, label=lambda j: f"{j[0]}, {j[1]}, seed {j[2]}"
    )
    gains = _gains(runs)
    listed = "; ".join(
        f"{row['augmentation']}: rotation {row['rotation gain']:+.3f}, class {row['class gain']:+.3f} "
        f"[{row['class gain low']:+.3f}, {row['class gain high']:+.3f}]"
        for row in gains.to_dict("records")
    )
    wins = (gains["class gain"] > 0).all()
    return Outcome(
        "model-equivariance",
        gains,
        runs,
        _figure(runs),
        "An encoder with the symmetry of the task built in predicts rotations better and keeps more of the "
        "class, the more so the stronger the base augmentation.",
        f"gain of the C4 encoder over the plain one of as many parameters, on digits: {listed}.",
        bool(wins),
        scale,
    )


def _gains(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for augmentation, part in runs.groupby("augmentation", sort=False):
        row: Row = {"augmentation": augmentation}
        for metric in ("rotation", "class"):
            wide = part.pivot_table(index="seed", columns="encoder", values=f"{metric} accuracy")
            gain = summarise((wide["c4"] - wide["cnn"]).tolist())
            row.update({f"{metric} cnn": float(wide["cnn"].mean()), f"{metric} c4": float(wide["c4"].mean())})
            row.update(
                {
                    f"{metric} gain": gain.mean,
                    f"{metric} gain low": gain.low,
                    f"{metric} gain high": gain.high,
                }
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _figure(runs: pd.DataFrame) -> Figure:
    with plot_style():
        figure, axes = subplots(2, width=3.6, height=3.2)
        for axis, metric in zip(axes, ("rotation accuracy", "class accuracy"), strict=True):
            for k, encoder in enumerate(ENCODERS):
                part = runs[runs["encoder"] == encoder]
                x = [AUGMENTATIONS.index(a) + 0.12 * (2 * k - 1) for a in part["augmentation"]]
                axis.scatter(x, part[metric], s=26, color=COLOURS[k], marker="os"[k], label=encoder)
            axis.set_xticks(range(len(AUGMENTATIONS)), AUGMENTATIONS)
            axis.set(ylabel=f"{metric} of a linear probe", xlabel="base augmentation")
        axes[0].legend()
    return figure


MODEL_EQUIVARIANCE = Experiment(
    "model-equivariance",
    "Equivariant encoders",
    "Does building the symmetry into the encoder help its representation?",
    _run,
)
