"""Plain and equivariant encoders under base augmentations, after Tables 2 and 4 of Wang et al. (2024)."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.findings import Finding
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import means, paired, points
from synergy.experiments.worlds import fit, image_sets, probe_accuracy, untransformed
from synergy.learning import PredictTransformation
from synergy.learning.probes import probe
from synergy.plots import plot_style, subplots

__all__ = ["MODEL_EQUIVARIANCE"]

PLAIN, EQUIVARIANT = "cnn", "c4"
AUGMENTATIONS = ("none", "crop+flip", "simclr")
METRICS = ("rotation accuracy", "class accuracy")


def _train(job: tuple[str, str, int], scale: Scale) -> Row:
    encoder, augmentation, seed = job
    train, judged = image_sets(scale, seed=seed, default="digits")
    task = PredictTransformation("rotation", augment=augmentation)
    fitted = fit(task, train, seed=seed, scale=scale, encoder=encoder)
    copies = max(1, scale.judged // judged.size)
    turned = fitted.represented(judged.transformed("rotation", copies=copies, seed=4000 + seed))
    return {
        "encoder": encoder,
        "augmentation": augmentation,
        "seed": seed,
        "rotation accuracy": probe(turned, "A", seed=seed).score,
        "class accuracy": probe_accuracy(fitted, untransformed(judged), seed=seed),
    }


def _measure(runner: Runner) -> pd.DataFrame:
    jobs = [
        (encoder, augmentation, seed)
        for seed in range(runner.scale.seeds)
        for encoder in (PLAIN, EQUIVARIANT)
        for augmentation in AUGMENTATIONS
    ]
    return runner.spread(_train, jobs, label=lambda j: f"{j[0]}, {j[1]}, seed {j[2]}")


def _gains(runs: pd.DataFrame, augmentation: str, metric: str) -> tuple[float, ...]:
    part = runs[runs["augmentation"] == augmentation]
    return paired(part[part["encoder"] == EQUIVARIANT], part[part["encoder"] == PLAIN], metric)


def _conclude(runs: pd.DataFrame) -> Conclusion:
    findings = [
        Finding(f"{augmentation}: gain in {metric}", _gains(runs, augmentation, metric), ">")
        for augmentation in AUGMENTATIONS
        for metric in METRICS
    ]
    told = "; ".join(
        f"{augmentation}: rotation {findings[2 * k].spread().mean:+.3f}, "
        f"class {findings[2 * k + 1].spread().mean:+.3f}"
        for k, augmentation in enumerate(AUGMENTATIONS)
    )
    return Conclusion(
        means(runs, ["augmentation", "encoder"], METRICS),
        tuple(findings),
        "An encoder with the symmetry of the task built in predicts rotations better and keeps more of the "
        "class. This is the paper's observation on photographs; the theory allows it, and does not force it.",
        f"gain of the C4 encoder over the plain one of as many parameters: {told}.",
    )


def _draw(runs: pd.DataFrame) -> Figure:
    with plot_style():
        figure, axes = subplots(2, width=3.8, height=3.3)
        for axis, metric in zip(axes, METRICS, strict=True):
            for k, encoder in enumerate((PLAIN, EQUIVARIANT)):
                part = runs[runs["encoder"] == encoder]
                points(
                    axis,
                    AUGMENTATIONS,
                    part,
                    "augmentation",
                    metric,
                    colour=k,
                    shift=0.3 * k - 0.15,
                    marker="os"[k],
                    label=encoder,
                )
            axis.set(ylabel=f"{metric} of a linear probe", xlabel="base augmentation")
        axes[0].legend()
    return figure


MODEL_EQUIVARIANCE = Experiment(
    "model-equivariance",
    "Equivariant encoders",
    "Does building the symmetry into the encoder help its representation?",
    _measure,
    _conclude,
    _draw,
)
