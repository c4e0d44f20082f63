"""Two encoders under base augmentations, after Tables 2 and 4 of Wang et al. (2024).

The scale names the two, a plain and an equivariant one by default. Each is measured: its number of
parameters, and how far it is from commuting with quarter-turns. A gain is predicted where the first is plain
and the second equivariant; that of a larger encoder is not one of symmetry, which the answer says.

What untrained encoders and raw pixels already tell stands beside them: a gain of one encoder over the other
says nothing of whether training helped. On cluttered glyphs, the default, probes of the class see few labels.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.findings import Finding
from synergy.experiments.limits import ACCURACY, GAIN
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import DataName, EncoderLike, Scale, encoder_name
from synergy.experiments.show import SHARED, legend_below, means, paired, points, shared_images, worded
from synergy.experiments.worlds import (
    few_labels,
    fit,
    image_sets,
    pixel_accuracy,
    probe_accuracy,
    shared_by_seeds,
    untransformed,
)
from synergy.learning import PredictTransformation, Untrained, equivariance_error
from synergy.learning.encoders import count_parameters
from synergy.learning.probes import probe
from synergy.plots import plot_style, subplots

__all__ = ["MODEL_EQUIVARIANCE"]

AUGMENTATIONS = ("none", "crop+flip", "simclr")
"""The base augmentations."""

UNTRAINED, PIXELS = "untrained", "raw pixels"
"""The conditions with initial weights, and without an encoder."""

_FEWEST = 40
"""Images of one's own, at least: 16 of them are judged, by five folds."""

METRICS = ("rotation accuracy", "class accuracy")
"""The columns of the table that are judged."""

PARAMETERS, ERROR = "parameters", "equivariance error"
"""The columns of what an encoder is: its number of parameters, and how far it is from equivariant."""

_EQUIVARIANT = 0.01
"""With an equivariance error below this an encoder has the symmetry; that of a plain one is near 1."""

_ALIKE = 0.05
"""Encoders whose numbers of parameters differ by at most this share are of equal size."""

_ERROR_IMAGES = 8
"""So many images for each feature measure the equivariance error, where there are as many."""

_DATA: DataName = "cluttered-glyphs"
"""The images, where a scale names none."""


def _train(job: tuple[str, str, int], scale: Scale) -> Row:
    name, augmentation, seed = job
    train, judged = image_sets(scale, seed=seed, default=_DATA)
    copies = max(1, scale.judged // judged.size)
    turned = judged.transformed("rotation", copies=copies, seed=4000 + seed)
    raw = untransformed(judged)
    few = few_labels(scale, default=_DATA)
    row: Row = {
        "encoder": name,
        "augmentation": augmentation,
        "seed": seed,
        SHARED: shared_by_seeds(scale, default=_DATA),
        PARAMETERS: 0,
        ERROR: float("nan"),
    }
    if name == PIXELS:
        found = pixel_accuracy(turned, "A", seed=seed), pixel_accuracy(raw, seed=seed, labelled=few)
        return {**row, **dict(zip(METRICS, found, strict=True))}
    encoder = _encoder(name, scale)
    untrained = augmentation == UNTRAINED
    task = Untrained() if untrained else PredictTransformation("rotation", augment=augmentation)
    fitted = fit(task, train, seed=seed, scale=scale, encoder=encoder)
    found = (
        probe(fitted.represented(turned), "A", seed=seed).score,
        probe_accuracy(fitted, raw, seed=seed, labelled=few),
    )
    row[PARAMETERS] = count_parameters(fitted.encoder)
    if untrained:  # training changes it little: the symmetry is built in or not
        some = judged.some(min(_ERROR_IMAGES * scale.features, judged.size), seed=seed)
        row[ERROR] = equivariance_error(fitted, "rotation", some, progress=False).value
    return {**row, **dict(zip(METRICS, found, strict=True))}


def _encoder(name: str, scale: Scale) -> EncoderLike:
    return next(encoder for encoder in scale.encoders if encoder_name(encoder) == name)


def _measure(runner: Runner) -> pd.DataFrame:
    names = [encoder_name(encoder) for encoder in runner.scale.encoders]
    jobs = [
        (encoder, augmentation, seed)
        for seed in range(runner.scale.seeds)
        for encoder, augmentation in [*product(names, (*AUGMENTATIONS, UNTRAINED)), (PIXELS, UNTRAINED)]
    ]
    return runner.spread(_train, jobs, label=lambda j: f"{j[0]}, {j[1]}, seed {j[2]}")


class _Pair:
    """The two encoders of some runs; runs that were kept before encoders were measured say less."""

    def __init__(self, runs: pd.DataFrame) -> None:
        first, second = (name for name in runs["encoder"].unique() if name != PIXELS)
        self.runs, self.first, self.second = runs, str(first), str(second)
        self.shared = shared_images(runs)

    def of(self, encoder: str, column: str) -> float:
        """A number of an encoder, NaN where it is not known."""
        if column not in self.runs:
            return float("nan")
        return float(self.runs.loc[self.runs["encoder"] == encoder, column].mean())

    @property
    def built_in(self) -> bool:
        """Whether the second encoder commutes with quarter-turns, and the first does not."""
        errors = [self.of(name, ERROR) for name in (self.first, self.second)]
        if np.isnan(errors).all():
            return (self.first, self.second) == ("cnn", "c4")
        return errors[1] < _EQUIVARIANT < errors[0]

    @property
    def sizes(self) -> str:
        """The numbers of parameters in words."""
        first, second = (self.of(name, PARAMETERS) for name in (self.first, self.second))
        if np.isnan([first, second]).any():
            return ""
        alike = abs(second - first) <= _ALIKE * max(first, second)
        said = f"{self.second} has {second:,.0f} parameters, {self.first} {first:,.0f}"
        return f" {said}." if alike else f" {said}: what is gained may be due to size."

    def gains(self, augmentation: str, metric: str) -> tuple[float, ...]:
        """What the second has more than the first, one number per seed."""
        part = self.runs[self.runs["augmentation"] == augmentation]
        return paired(part[part["encoder"] == self.second], part[part["encoder"] == self.first], metric)

    def trained(self, encoder: str, metric: str) -> tuple[float, ...]:
        """What training without augmentation adds to an encoder."""
        part = self.runs[self.runs["encoder"] == encoder]
        first, second = (part[part["augmentation"] == name] for name in (AUGMENTATIONS[0], UNTRAINED))
        return paired(first, second, metric)


def _conclude(runs: pd.DataFrame) -> Conclusion:
    pair = _Pair(runs)
    findings = [
        Finding(
            f"{augmentation}: {metric} of {pair.second} less that of {pair.first}",
            pair.gains(augmentation, metric),
            ">" if pair.built_in else None,
            shared=pair.shared,
            bounds=GAIN,
        )
        for augmentation in AUGMENTATIONS
        for metric in METRICS
    ]
    rotation, class_ = (finding.values for finding in findings[: len(METRICS)])
    words = ("better", "worse", "neither clearly better nor worse")
    better = worded(rotation, words, shared=pair.shared, beside=findings)
    more = worded(class_, shared=pair.shared, beside=findings)
    findings += [
        Finding(
            f"{encoder}: {metric} with no augmentation less that of the untrained encoder",
            pair.trained(encoder, metric),
            shared=pair.shared,
            bounds=GAIN,
        )
        for encoder in (pair.first, pair.second)
        for metric in METRICS
    ]
    table = means(runs, ["augmentation", "encoder"], dict.fromkeys(METRICS, ACCURACY))
    for place, column in enumerate((c for c in (PARAMETERS, ERROR) if c in runs), start=2):
        known = runs.groupby("encoder")[column].mean()
        table.insert(place, column, known.reindex(table["encoder"]).to_numpy())
    if PARAMETERS in table:
        table[PARAMETERS] = table[PARAMETERS].round().astype(int)
    return Conclusion(
        table,
        tuple(findings),
        "The theory allows that an encoder with the symmetry of the task built in predicts rotations better "
        "and keeps more of the class, and does not force it. The paper observed it on photographs: whether "
        "it holds here too is what is judged, where the second encoder is equivariant and the first is not.",
        f"Trained without augmentation, {pair.second} predicts rotations {better} than {pair.first}, "
        f"and keeps {more} of the class.{pair.sizes}",
    )


def _draw(runs: pd.DataFrame) -> Figure:
    pair = _Pair(runs)
    with plot_style():
        figure, axes = subplots(2, width=3.8, height=3.3)
        for axis, metric in zip(axes, METRICS, strict=True):
            for k, encoder in enumerate((pair.first, pair.second)):
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
                    kind=ACCURACY,
                )
            level = runs.loc[runs["encoder"] == PIXELS, metric].mean()
            axis.axhline(level, color="0.3", linestyle=":", linewidth=1.2, label=PIXELS)
            axis.set(ylabel=f"{metric} of a linear probe", xlabel="base augmentation")
        legend_below(figure, axes, ncols=3)
    return figure


MODEL_EQUIVARIANCE = Experiment(
    "model-equivariance",
    "Equivariant encoders",
    "Does building the symmetry into the encoder help its representation?",
    _measure,
    _conclude,
    _draw,
    fewest=_FEWEST,
    square=True,
)
"""The experiment on equivariant encoders."""
