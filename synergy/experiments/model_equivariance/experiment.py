"""Plain and equivariant encoders under base augmentations, after Tables 2 and 4 of Wang et al. (2024).

What untrained encoders and raw pixels already tell stands beside them: a gain of one encoder over the other
says nothing of whether training helped.
"""

from __future__ import annotations

from itertools import product

import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.findings import Finding
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import SHARED, legend_below, means, paired, points, shared_images, worded
from synergy.experiments.worlds import (
    fit,
    image_sets,
    pixel_accuracy,
    probe_accuracy,
    shared_by_seeds,
    untransformed,
)
from synergy.learning import PredictTransformation, Untrained
from synergy.learning.probes import probe
from synergy.plots import plot_style, subplots

__all__ = ["MODEL_EQUIVARIANCE"]

PLAIN, EQUIVARIANT = "cnn", "c4"
"""The encoders."""

AUGMENTATIONS = ("none", "crop+flip", "simclr")
"""The base augmentations."""

UNTRAINED, PIXELS = "untrained", "raw pixels"
"""The conditions with initial weights, and without an encoder."""

_FEWEST = 40
"""Images of one's own, at least: 16 of them are judged, by five folds."""

METRICS = ("rotation accuracy", "class accuracy")
"""The columns of the table."""


def _train(job: tuple[str, str, int], scale: Scale) -> Row:
    encoder, augmentation, seed = job
    train, judged = image_sets(scale, seed=seed, default="digits")
    copies = max(1, scale.judged // judged.size)
    turned = judged.transformed("rotation", copies=copies, seed=4000 + seed)
    raw = untransformed(judged)
    row: Row = {
        "encoder": encoder,
        "augmentation": augmentation,
        "seed": seed,
        SHARED: shared_by_seeds(scale, default="digits"),
    }
    if encoder == PIXELS:
        found = pixel_accuracy(turned, "A", seed=seed), pixel_accuracy(raw, seed=seed)
    else:
        untrained = augmentation == UNTRAINED
        task = Untrained() if untrained else PredictTransformation("rotation", augment=augmentation)
        fitted = fit(task, train, seed=seed, scale=scale, encoder=encoder)
        found = (
            probe(fitted.represented(turned), "A", seed=seed).score,
            probe_accuracy(fitted, raw, seed=seed),
        )
    return {**row, **dict(zip(METRICS, found, strict=True))}


def _measure(runner: Runner) -> pd.DataFrame:
    jobs = [
        (encoder, augmentation, seed)
        for seed in range(runner.scale.seeds)
        for encoder, augmentation in [
            *product((PLAIN, EQUIVARIANT), (*AUGMENTATIONS, UNTRAINED)),
            (PIXELS, UNTRAINED),
        ]
    ]
    return runner.spread(_train, jobs, label=lambda j: f"{j[0]}, {j[1]}, seed {j[2]}")


def _gains(runs: pd.DataFrame, augmentation: str, metric: str) -> tuple[float, ...]:
    part = runs[runs["augmentation"] == augmentation]
    return paired(part[part["encoder"] == EQUIVARIANT], part[part["encoder"] == PLAIN], metric)


def _trained(runs: pd.DataFrame, encoder: str, metric: str) -> tuple[float, ...]:
    """What training without augmentation adds to an encoder."""
    part = runs[runs["encoder"] == encoder]
    first, second = (part[part["augmentation"] == name] for name in (AUGMENTATIONS[0], UNTRAINED))
    return paired(first, second, metric)


def _conclude(runs: pd.DataFrame) -> Conclusion:
    shared = shared_images(runs)
    findings = [
        Finding(f"{augmentation}: gain in {metric}", _gains(runs, augmentation, metric), ">", shared=shared)
        for augmentation in AUGMENTATIONS
        for metric in METRICS
    ]
    rotation, class_ = (finding.values for finding in findings[: len(METRICS)])
    better = worded(rotation, ("better", "worse", "neither clearly better nor worse"), shared=shared)
    more = worded(class_, shared=shared)
    findings += [
        Finding(
            f"{encoder}: {metric} with no augmentation less that of the untrained encoder",
            _trained(runs, encoder, metric),
            shared=shared,
        )
        for encoder in (PLAIN, EQUIVARIANT)
        for metric in METRICS
    ]
    return Conclusion(
        means(runs, ["augmentation", "encoder"], METRICS),
        tuple(findings),
        "The theory allows that an encoder with the symmetry of the task built in predicts rotations better "
        "and keeps more of the class, and does not force it. The paper observed it on photographs: whether "
        "it holds here too is what is judged.",
        f"Trained without augmentation, the C4 encoder predicts rotations {better} than the plain one of as "
        f"many parameters, and keeps {more} of the class.",
    )


def _draw(runs: pd.DataFrame) -> Figure:
    with plot_style():
        figure, axes = subplots(2, width=3.8, height=3.3)
        for axis, metric in zip(axes, METRICS, strict=True):
            for k, encoder in enumerate((PLAIN, EQUIVARIANT)):
                part = runs[runs["encoder"] == encoder]
                points(
                    axis,
                    (*AUGMENTATIONS, UNTRAINED),
                    part,
                    "augmentation",
                    metric,
                    colour=k,
                    shift=0.3 * k - 0.15,
                    marker="os"[k],
                    label=encoder,
                )
            level = runs.loc[runs["encoder"] == PIXELS, metric].mean()
            axis.axhline(
                level,
                color="0.3",
                linestyle=":",
                linewidth=1.2,
                label=f"{PIXELS}: {metric.split()[0]} {level:.3f}",
            )
            axis.set(ylabel=f"{metric} of a linear probe", xlabel="base augmentation")
        legend_below(figure, axes, ncols=4)
    return figure


MODEL_EQUIVARIANCE = Experiment(
    "model-equivariance",
    "Equivariant encoders",
    "Does building the symmetry into the encoder help its representation?",
    _measure,
    _conclude,
    _draw,
    fewest=_FEWEST,
)
"""The experiment on equivariant encoders."""
