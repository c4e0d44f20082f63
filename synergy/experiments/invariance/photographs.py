"""Invariance or equivariance on images whose latents nobody knows, such as photographs.

The hue of a raw photograph is not known, but its pose is: they are upright. So A turns them by quarters (or
puts those that are not square upside down), and in place of the hue probes read A itself from the
representation of turned images. The control turns every raw image at random before A acts (intrinsic pose):
A then cannot be told from what is seen, I(A;X) = 0, and the same training teaches nothing.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.findings import Comparison, Finding
from synergy.experiments.invariance.conditions import (
    CARE,
    EQUIVARIANT,
    HIDDEN,
    INVARIANT,
    MARGIN,
    PIXELS,
    RANDOM,
    SHORT,
    SOFT,
    STARTS,
    draw_accuracies,
    mean_moved,
    pretexts,
)
from synergy.experiments.limits import ACCURACY, GAIN, SQUARES
from synergy.experiments.outcome import Conclusion
from synergy.experiments.runs import Row
from synergy.experiments.scale import DataName, Scale
from synergy.experiments.show import SHARED, means, paired, shared_images, worded
from synergy.experiments.worlds import (
    few_labels,
    fit,
    head_log_probabilities,
    image_sets,
    pixel_accuracy,
    probe_accuracy,
    shared_by_seeds,
    untransformed,
)
from synergy.learning import ImageSet, PredictTransformation, Task, as_task
from synthetic import Sample

__all__ = [
    "FEWEST",
    "MOVED",
    "POSE_HIDDEN",
    "conclude_photographs",
    "draw_photographs",
    "measure_photographs",
    "pose_task",
]

FEWEST = 40
"""Images of one's own, at least: 16 of them are judged, by five folds."""

POSE_HIDDEN = "equivariant, pose hidden"
"""What the control is called here."""

MOVED = "moved by the transformation"
"""The column of how far the transformation moves representations."""

_DATA: DataName = "digits"
"""What is read where a scale names no images, which the experiment never asks for."""

_MEANS = {"C accuracy": ACCURACY, "A accuracy": ACCURACY, MOVED: SQUARES}
"""The columns of the table, and what they cannot leave."""


def pose_task(shape: tuple[int, ...]) -> Task:
    """The transformation whose state upright images show: quarter-turns, or upside down.

    Example:
        >>> pose_task((3, 32, 32)).name, pose_task((3, 32, 24)).name
        ('rotation', 'vertical-flip')
    """
    return as_task("rotation" if shape[-1] == shape[-2] else "vertical-flip")


def _turned_at_random(images: ImageSet, task: Task, seed: int) -> ImageSet:
    """The images, each in a pose of its own that nobody is told."""
    drawn = images.transformed(task, seed=seed)
    return ImageSet.from_arrays(
        drawn["X"], {"C": drawn["C"]}, states={"C": images.states["C"]}, pixels=images.pixels
    )


def measure_photographs(job: tuple[str, int], scale: Scale) -> Row:
    """The row of a condition and a seed.

    Columns: `pretext`, `seed`, the accuracies of linear probes of the class C (on raw images) and of A (on
    transformed ones), how far the transformation moves representations, I(A;Z) by the trained head where
    there is one, and the chance of either guess.

    Args:
        job: The condition and the seed.
        scale: How large, and which images.
    """
    name, seed = job
    train, judged = image_sets(scale, seed=seed, default=_DATA)
    task, few = pose_task(judged.shape), few_labels(scale, default=_DATA)
    raw = untransformed(judged)
    copies = max(1, scale.judged // judged.size)
    shown = judged.transformed(task, copies=copies, seed=300 + seed)
    counts = np.bincount(raw["C"])
    row: Row = {
        "pretext": POSE_HIDDEN if name == HIDDEN else name,
        "seed": seed,
        SHARED: shared_by_seeds(scale, default=_DATA),
        "transformation": task.name,
        "chance of C": float(counts.max() / counts.sum()) if few is None else 1 / int((counts > 0).sum()),
        "chance of A": 1 / task.states,
        "I(A;Z)": float("nan"),
    }
    pretext = pretexts(task)[name]
    if pretext is None:
        accuracies = pixel_accuracy(raw, seed=seed, labelled=few), pixel_accuracy(shown, "A", seed=seed)
        return {**row, **dict(zip(_MEANS, (*accuracies, mean_moved(judged, lambda x: x, task)), strict=True))}
    source = _turned_at_random(train, task, 500 + seed) if name == HIDDEN else train
    starts = STARTS if name == RANDOM else 1
    fitted = [fit(pretext, source, seed=seed + 1000 * k, scale=scale) for k in range(starts)]
    found = [
        (
            probe_accuracy(f, raw, seed=seed, labelled=few),
            probe_accuracy(f, shown, "A", seed=seed),
            mean_moved(judged, f.represent, task),
        )
        for f in fitted
    ]
    row |= dict(zip(_MEANS, np.mean(found, axis=0).tolist(), strict=True))
    if isinstance(pretext, PredictTransformation):
        asked: Sample = shown
        if name == HIDDEN:
            hidden = _turned_at_random(judged, task, 700 + seed)
            asked = hidden.transformed(task, copies=copies, seed=300 + seed)
        log_p = head_log_probabilities(fitted[0], asked)
        row["I(A;Z)"] = float(math.log(task.states) + log_p[range(len(asked)), asked["A"]].mean())
    return row


def _gap(runs: pd.DataFrame, latent: str, first: str, second: str) -> tuple[float, ...]:
    """The accuracy of a latent in one condition less that in another, one number per seed."""
    one, other = (runs[runs["pretext"] == name] for name in (first, second))
    return paired(one, other, f"{latent} accuracy")


def _values(runs: pd.DataFrame, name: str, column: str) -> tuple[float, ...]:
    """A column of a condition, one number per seed."""
    return tuple(runs[runs["pretext"] == name].sort_values("seed")[column].astype(float).tolist())


def _findings(runs: pd.DataFrame) -> tuple[Finding, ...]:
    shared, task = shared_images(runs), str(runs["transformation"].iloc[0])

    def of_a(first: str, second: str, relation: Comparison | None = None) -> Finding:
        about = f"accuracy of the {task}, {SHORT.get(first, first)} less {second}"
        return Finding(about, _gap(runs, "A", first, second), relation, shared=shared, bounds=GAIN)

    def of_c(first: str, second: str) -> Finding:
        about = f"accuracy of the class, {first} less {second}"
        return Finding(about, _gap(runs, "C", first, second), shared=shared, bounds=GAIN)

    guess = float(runs["chance of A"].iloc[0])
    chance = tuple(v - guess for v in _values(runs, INVARIANT, "A accuracy"))
    known = (0.0, -math.log(guess))
    return (
        of_a(EQUIVARIANT, RANDOM, ">"),
        of_a(EQUIVARIANT, INVARIANT, ">"),
        Finding(
            f"accuracy of the {task}, invariant less chance",
            chance,
            "==",
            MARGIN,
            shared,
            (-guess, 1 - guess),
        ),
        Finding(
            f"I(A;Z) where the raw images are turned at random, which hides the {task}, in nats",
            _values(runs, POSE_HIDDEN, "I(A;Z)"),
            "==",
            MARGIN,
            shared,
            known,
        ),
        Finding(
            "I(A;Z) of the equivariant encoder, in nats",
            _values(runs, EQUIVARIANT, "I(A;Z)"),
            shared=shared,
            bounds=known,
        ),
        of_a(PIXELS, EQUIVARIANT),
        of_c(INVARIANT, EQUIVARIANT),
        of_c(EQUIVARIANT, RANDOM),
        of_c(INVARIANT, RANDOM),
        of_c(EQUIVARIANT, POSE_HIDDEN),
        of_c(CARE, INVARIANT),
        of_c(SOFT, INVARIANT),
        of_a(CARE, INVARIANT),
        of_a(SOFT, INVARIANT),
    )


def conclude_photographs(runs: pd.DataFrame) -> Conclusion:
    """What the runs on images without known latents say."""
    shared, task = shared_images(runs), str(runs["transformation"].iloc[0])
    findings = _findings(runs)
    table = means(runs, "pretext", _MEANS)
    table["I(A;Z)"] = runs.groupby("pretext", sort=False)["I(A;Z)"].mean().to_numpy()
    kept = worded(_gap(runs, "A", EQUIVARIANT, RANDOM), shared=shared, beside=findings)
    class_ = worded(_gap(runs, "C", INVARIANT, EQUIVARIANT), shared=shared, beside=findings)
    return Conclusion(
        table,
        findings,
        f"Who predicts the {task} keeps it, more than a random encoder does. V1: a representation that "
        "ignores it tells nothing of it. Where each raw image is in a random pose of its own (intrinsic "
        "pose), it cannot be told, I(A;X) = 0, and its prediction teaches nothing: the control. Which "
        "encoder serves the class better, and what CARE and soft equivariance keep, the theory leaves open. "
        "CARE alone is trained on crops.",
        f"The equivariant encoder keeps {kept} of the {task} than the random one, and the invariant encoder "
        f"{class_} of the class than the equivariant one.",
    )


def draw_photographs(runs: pd.DataFrame) -> Figure:
    """The accuracies of the class and of the transformation."""
    task = str(runs["transformation"].iloc[0])
    chance = {latent: float(runs[f"chance of {latent}"].iloc[0]) for latent in "CA"}
    return draw_accuracies(runs, {"C": ("the class", chance["C"]), "A": (f"the {task}", chance["A"])})
