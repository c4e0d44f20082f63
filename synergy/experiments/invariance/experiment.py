r"""Invariance or equivariance: what each keeps of the class and of the colour.

A shifts the three hues round, a permutation of the colour channels. The raw glyphs are red in eight cases
of ten, so the shift can be read up to the doubt about the raw hue, I(A;X) = log 3 - H(hue), and who reads it
must know the hue that is seen, but not the class: the posterior T = p(A|X) is another one for each hue
(theory, J1). Where the raw hue is uniform it hides the shift (theory, intrinsic pose): I(A;X) = 0, T is
constant, and the same training teaches nothing. That is the negative control. All are judged on images whose
hue is uniform.

Representations are narrow and images noisy so that the hue is not kept by chance: a random encoder with 64
features keeps nearly all of it. Eight features and noise of 0.3 were chosen by looking at untrained encoders
and raw pixels alone: a linear probe then reads the hue from the first in 51 to 76 % of the images, from the
second in all. The row of the random encoder is the mean of eight untrained encoders per seed: one each, in a
first quick run, left open whether the equivariant encoder keeps more. Pixels are clipped to [0, 1], since
cropping clips them and views and judged images should look alike.

CARE is trained on crops and mirror images, which keep the hue: its contrastive pair is two such views of one
image, neither of them shifted, and the shift acts in the equivariance loss alone. (Without a base
augmentation the pair would be an image and its shifted copy, which asks for invariance to the shift.)

Soft equivariance (after Lee et al. 2025) is that on purpose: the head's output is to be the same for an image
and its shifted copy, and a term at the encoder's output, an inner layer, asks that the shift act there by an
orthogonal map. It stands between the invariant encoder, which has neither the term nor an unshifted image in
its pairs, and CARE. Runs that were kept before it was added are read without it.

On other images, whose hue nobody knows, A turns them instead, see `photographs`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.findings import Comparison, Finding
from synergy.experiments.invariance.conditions import (
    CARE,
    HIDDEN,
    MARGIN,
    PIXELS,
    RANDOM,
    SHORT,
    SOFT,
    STARTS,
    draw_accuracies,
    mean_moved,
    moved,
    pretexts,
)
from synergy.experiments.invariance.photographs import (
    FEWEST,
    conclude_photographs,
    draw_photographs,
    measure_photographs,
)
from synergy.experiments.limits import ACCURACY, GAIN, SQUARES, Limits
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import means, paired, worded
from synergy.experiments.worlds import (
    fit,
    head_log_probabilities,
    pixel_accuracy,
    probe_accuracy,
    raw_glyphs,
    untransformed,
)
from synergy.learning import ImageSet, PredictTransformation, Pretext, as_task
from synthetic.images.glyphs import GLYPH_SETS

__all__ = ["INVARIANCE_OR_EQUIVARIANCE", "moved", "readable"]

_GLYPHS = "mixed"
"""The set of glyphs."""

_TASK = as_task({"name": "hue-shift", "steps": 3})
"""A shifts the hues round."""

_HUES = (0.0, 1 / 3, 2 / 3)
"""The raw hues, in turns of the colour circle."""

_MOSTLY_RED = (0.8, 0.1, 0.1)
"""The probabilities of the hues in training, by which the shift can be read."""

_UNIFORM = (1 / 3, 1 / 3, 1 / 3)
"""The probabilities that hide the shift, also those of the judged images."""

_NOISE = 0.3
"""The standard deviation of the pixel noise."""

_FEATURES = 8
"""The width of the representation."""

_TRAINED_ON = 8000
"""The most images in training."""

LATENTS = ("C", "hue")
"""The latents that probes read."""

_MEANS: dict[str, Limits] = {
    **{f"{latent} accuracy": ACCURACY for latent in LATENTS},
    "moved by a shift": SQUARES,
}
"""The columns of the table, and what they cannot leave."""


def _pretexts() -> dict[str, Pretext | None]:
    return pretexts(_TASK)


def _images(n: int, weights: tuple[float, ...], seed: int, scale: Scale) -> ImageSet:
    hue = {"values": list(_HUES), "weights": list(weights)}
    drawn = raw_glyphs(_GLYPHS, n, seed=seed, noise=_NOISE, hue=hue, pixels=scale.pixels)
    return ImageSet.from_sample(drawn.with_column(drawn.variables["X"], drawn["X"].clip(0, 1)))


def readable(weights: tuple[float, ...]) -> float:
    """I(A;X) = log 3 - H(hue) in nats, the noise of the pixels left aside.

    Example:
        >>> round(readable((0.8, 0.1, 0.1)), 4)
        0.4596
    """
    return math.log(len(weights)) + sum(w * math.log(w) for w in weights)


def _train(job: tuple[str, int], scale: Scale) -> Row:
    name, seed = job
    held = _images(scale.judged, _UNIFORM, 200 + seed, scale)
    judged = untransformed(held)
    pretext = _pretexts()[name]
    if pretext is None:
        accuracy = {
            f"{latent} accuracy": pixel_accuracy(judged, latent, seed=seed, labelled=scale.labelled)
            for latent in LATENTS
        }
        return {
            "pretext": name,
            "seed": seed,
            **accuracy,
            "moved by a shift": mean_moved(held, lambda x: x, _TASK),
        }
    weights = _UNIFORM if name == HIDDEN else _MOSTLY_RED
    source = _images(min(_TRAINED_ON, scale.steps * scale.batch), weights, 100 + seed, scale)
    starts = STARTS if name == RANDOM else 1
    fitted = [
        fit(pretext, source, seed=seed + 1000 * k, scale=scale, features=_FEATURES) for k in range(starts)
    ]
    row: Row = {"pretext": name, "seed": seed}
    for latent in LATENTS:
        row[f"{latent} accuracy"] = float(
            np.mean([probe_accuracy(f, judged, latent, seed=seed, labelled=scale.labelled) for f in fitted])
        )
    row["moved by a shift"] = float(np.mean([mean_moved(held, f.represent, _TASK) for f in fitted]))
    if isinstance(pretext, PredictTransformation):
        shifted = _images(scale.judged, weights, 300 + seed, scale).transformed(_TASK, seed=400 + seed)
        log_p = head_log_probabilities(fitted[0], shifted)
        row["I(A;Z)"] = float(math.log(3) + log_p[range(len(shifted)), shifted["A"]].mean())
    return row


def _measure(runner: Runner) -> pd.DataFrame:
    jobs = [(name, seed) for seed in range(runner.scale.seeds) for name in _pretexts()]
    measured = _train if runner.scale.draws_glyphs else measure_photographs
    return runner.spread(measured, jobs, label=lambda j: f"{j[0]}, seed {j[1]}")


def _on_glyphs(runs: pd.DataFrame) -> bool:
    """Whether the runs are about the hue of glyphs."""
    return f"{LATENTS[1]} accuracy" in runs


def _findings(by: dict[str, pd.DataFrame]) -> tuple[Finding, ...]:
    def gap(latent: str, first: str, second: str) -> tuple[float, ...]:
        return paired(by[first], by[second], f"{latent} accuracy")

    def values(name: str, quantity: str) -> npt.NDArray[np.float64]:
        return by[name].sort_values("seed")[quantity].to_numpy(dtype=np.float64)

    def less(
        latent: str, first: str, second: str, relation: Comparison | None = None, margin: float = 0.0
    ) -> Finding:
        """The accuracy of a latent in one condition less that in another."""
        called = {"C": "the class", "hue": "the hue"}[latent]
        about = f"accuracy of {called}, {SHORT.get(first, first)} less {SHORT.get(second, second)}"
        return Finding(about, gap(latent, first, second), relation, margin, bounds=GAIN)

    guess = 1 / len(_HUES)
    chance = values("invariant", "hue accuracy") - guess
    most, there = math.log(_TASK.states), readable(_MOSTLY_RED)
    unread = there - values("equivariant", "I(A;Z)")
    found = (
        less("hue", "equivariant", RANDOM, ">"),
        less("hue", PIXELS, "equivariant", "==", MARGIN),
        less("hue", "equivariant", "invariant", ">"),
        Finding(
            "accuracy of the hue, invariant less chance",
            tuple(chance.tolist()),
            "==",
            MARGIN,
            bounds=(-guess, 1 - guess),
        ),
        less("C", "invariant", "equivariant", ">"),
        Finding(
            "I(A;Z) where the raw hue hides the shift, in nats",
            tuple(values(HIDDEN, "I(A;Z)").tolist()),
            "==",
            MARGIN,
            bounds=(0.0, most),
        ),
        Finding(
            "log 3 - H(hue) less I(A;Z) where eight in ten raw glyphs are red, in nats",
            tuple(unread.tolist()),
            "==",
            MARGIN,
            bounds=(there - most, there),
        ),
        less("hue", HIDDEN, RANDOM),
        less("hue", CARE, RANDOM),
        less("hue", CARE, "invariant"),
        less("C", CARE, "invariant"),
    )
    if SOFT not in by:
        return found
    return (
        *found,
        less("hue", SOFT, "invariant"),
        less("hue", "equivariant", SOFT),
        less("C", SOFT, "invariant"),
    )


def _conclude(runs: pd.DataFrame) -> Conclusion:
    if not _on_glyphs(runs):
        return conclude_photographs(runs)
    by = {name: runs[runs["pretext"] == name] for name in runs["pretext"].unique()}
    table = means(runs, "pretext", _MEANS)
    table["I(A;Z)"] = runs.groupby("pretext", sort=False)["I(A;Z)"].mean().to_numpy()
    findings = _findings(by)
    hue = worded(paired(by["equivariant"], by[RANDOM], "hue accuracy"), beside=findings)
    class_ = worded(paired(by["invariant"], by["equivariant"], "C accuracy"), beside=findings)
    return Conclusion(
        table,
        findings,
        "J1: who predicts the shift as well as it can be predicted knows the hue that is seen, so the "
        "equivariant representation keeps what the pixels say of it, more than a random one does. V1: a "
        "representation that ignores the shift says nothing of a uniform hue. That the invariant one serves "
        "the class better is a hypothesis about networks. Where the raw hue is uniform on the shifts "
        "(intrinsic pose), no shift can be predicted; the theory then forces no hue, and does not say what "
        "of it training leaves. Nor does it say what CARE keeps: its equivariance loss is content with an "
        "invariant representation as well; it is the contrast of images, whose two views share the hue, "
        "that rewards keeping it. The same is true of soft equivariance, whose output is asked to "
        "forget the shift. CARE alone is trained on crops.",
        f"The equivariant encoder keeps {hue} of the hue than the random one, and the invariant encoder "
        f"{class_} of the class than the equivariant one.",
    )


def _draw(runs: pd.DataFrame) -> Figure:
    if not _on_glyphs(runs):
        return draw_photographs(runs)
    chance = {"C": 1 / len(GLYPH_SETS[_GLYPHS]), "hue": 1 / len(_HUES)}
    return draw_accuracies(runs, {"C": ("the class", chance["C"]), "hue": ("the hue", chance["hue"])})


INVARIANCE_OR_EQUIVARIANCE = Experiment(
    "invariance-or-equivariance",
    "Invariance or equivariance",
    "What do invariant and equivariant representations keep of the class and of the colour or pose?",
    _measure,
    _conclude,
    _draw,
    fewest=FEWEST,
)
"""The experiment on invariant and equivariant representations."""
