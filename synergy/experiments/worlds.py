"""The images of the experiments, and the one pipeline that they share: train, represent, judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from synergy.experiments.clutter import JUDGED_PER_LABEL, LABELLED, cluttered_glyphs
from synergy.experiments.scale import DataName, EncoderLike, Scale
from synergy.learning import ImageSet, Pretext, Stream, Trained, Training, Untrained, train
from synergy.learning.pretext import AdversarialHead
from synergy.learning.probes import probe
from synthetic import Digits, Glyphs, Sample, Variable

__all__ = [
    "few_labels",
    "fit",
    "glyph_world",
    "head_log_probabilities",
    "image_sets",
    "labelled_accuracy",
    "pixel_accuracy",
    "probe_accuracy",
    "raw_glyphs",
    "shared_by_seeds",
    "untransformed",
]

_PLACES = ((0.0, 0.0), (-0.15, 0.0), (0.15, 0.0), (0.0, 0.15), (0.0, -0.15))
"""The positions of the glyphs: the middle and four places around it."""

_EPOCHS = 10
"""A stream of fresh images is cut into so many epochs at most."""

_TRAINED_ON = 0.6
"""The part of a data set that is trained on, where it comes without a split of its own."""

_CHOICES = 5
"""The choices of labelled images that the accuracy with few labels is the mean of."""


def glyph_world(
    glyphs: str,
    transformation: str | Mapping[str, object],
    *,
    noise: float = 0.3,
    pixels: int = 16,
    **changes: Any,
) -> Glyphs:
    """Small glyphs in three hues at five places, with pixel noise: hard enough for probes to differ."""
    options: dict[str, Any] = {
        "size": pixels,
        "channels": 3,
        "noise": noise,
        "position": list(_PLACES),
        "scale": 0.6,
    }
    return Glyphs(glyphs, transformation=transformation, **{**options, **changes})


def raw_glyphs(
    glyphs: str,
    n: int,
    *,
    seed: int,
    **changes: Any,
) -> Sample:
    """About n untransformed images of a glyph world: those that a horizontal flip left alone."""
    rows = glyph_world(glyphs, "horizontal-flip", **changes).sample(2 * n, seed=seed)
    return rows.rows(rows["A"] == 0)


def image_sets(
    scale: Scale, *, seed: int, default: DataName, glyphs: str = "mixed"
) -> tuple[ImageSet, ImageSet]:
    """Raw images to train on and others to judge on, no raw image in both.

    Args:
        scale: Names the images, or holds them.
        seed: Fixes the split and the draws.
        default: The images where the scale names none.
        glyphs: The set of glyphs, where the images are glyphs.
    """
    chosen = scale.data or default
    if isinstance(chosen, ImageSet):
        return chosen.split(_TRAINED_ON, seed=seed)
    if isinstance(chosen, tuple):
        train, test = chosen
        return train, test.some(min(scale.judged, test.size), seed=seed)
    if chosen == "cifar10":
        held = scale.holding().held
        if held is not None:
            return held[0], held[1].some(min(scale.judged, held[1].size), seed=seed)
    if chosen == "digits":
        trained_on, others = ImageSet.from_generator(Digits()).split(_TRAINED_ON, seed=seed)
        return trained_on, others if others.size <= scale.judged else others.some(scale.judged, seed=seed)
    if chosen == "cluttered-glyphs":
        return (
            cluttered_glyphs(2 * scale.judged, seed=10_000 + seed, pixels=scale.pixels),
            cluttered_glyphs(scale.judged, seed=20_000 + seed, pixels=scale.pixels),
        )
    shown = {"pixels": scale.pixels}
    return (
        ImageSet.from_sample(raw_glyphs(glyphs, 2 * scale.judged, seed=10_000 + seed, **shown)),
        ImageSet.from_sample(raw_glyphs(glyphs, scale.judged, seed=20_000 + seed, **shown)),
    )


def shared_by_seeds(scale: Scale, *, default: DataName) -> float:
    """How much the seeds share the images of `image_sets`: those judged over those trained on, or 0.

    Every seed draws glyphs of its own. CIFAR-10, and images in folders `train` and `test`, have one split, so
    intervals over seeds are there about training alone, whatever the images.
    """
    chosen = scale.data or default
    resampled = isinstance(chosen, ImageSet) or chosen == "digits"
    return (1 - _TRAINED_ON) / _TRAINED_ON if resampled else 0.0


def untransformed(images: ImageSet) -> Sample:
    """The raw images, each once, with their labels, and what tells views of one raw image as R."""
    columns = {name: column.numpy() for name, column in images.labels.items()}
    variables = {
        name: Variable(name, "discrete", images.states[name], "class" if name == "C" else "style")
        for name in columns
    }
    if images.groups is not None:
        shown, columns["R"] = np.unique(images.groups.numpy(), return_inverse=True)
        variables["R"] = Variable("R", "discrete", len(shown), "raw")
    columns["X"], variables["X"] = images.images.cpu().numpy(), Variable("X", "image", None, "input")
    return Sample(columns, variables, groups=None if images.groups is None else "R")


def fit(
    pretext: Pretext,
    source: ImageSet | Glyphs,
    *,
    seed: int,
    scale: Scale,
    encoder: EncoderLike | None = None,
    features: int | None = None,
    longer: float = 1.0,
) -> Trained:
    """Train an encoder for the scale's number of steps.

    Args:
        pretext: The task.
        source: Raw or transformed images, or a world of glyphs whose images are drawn afresh in each step.
        seed: Fixes initial weights, order and draws.
        scale: How large.
        encoder: Another encoder than the scale's.
        features: Another dimension than the scale's.
        longer: A multiple of the scale's steps.
    """
    inputs = max(scale.batch, round(longer * scale.steps) * scale.batch)
    if isinstance(source, ImageSet):
        data: ImageSet | Stream = source
        batch = min(scale.batch, source.size)
        epochs = max(1, round(inputs / source.size))
    else:
        batch, epochs = scale.batch, min(_EPOCHS, inputs // scale.batch)
        data = Stream(source, inputs // epochs)
    settings = Training(
        epochs=epochs,
        batch_size=batch,
        precision=scale.precision,
        compile=scale.compile and not isinstance(pretext, Untrained),
        device=scale.device,
    )
    return train(
        pretext,
        data,
        seed=seed,
        encoder=encoder or scale.encoder,
        features=features or scale.features,
        options=settings,
        progress=False,
    )


@torch.no_grad()
def head_log_probabilities(fitted: Trained, sample: Sample) -> npt.NDArray[np.float64]:
    """What the trained head of the task says of A on each row, in nats, shape (n, states)."""
    z = torch.from_numpy(fitted.represent(sample["X"])).to(fitted.device)
    head = fitted.head
    own = head.task if isinstance(head, AdversarialHead) else head
    found = own(z).log_softmax(dim=1).double().cpu().numpy()
    return np.asarray(found, dtype=np.float64)


def probe_accuracy(
    fitted: Trained, sample: Sample, target: str = "C", *, seed: int = 0, labelled: int | None = None
) -> float:
    """The accuracy of a linear probe of a latent on the frozen representation.

    Args:
        fitted: The encoder.
        sample: Holds the images and the latent.
        target: The latent.
        seed: Fixes the folds, or which images have labels.
        labelled: As in `labelled_accuracy`.
    """
    return labelled_accuracy(fitted.represented(sample), target, seed=seed, labelled=labelled)


def pixel_accuracy(sample: Sample, target: str = "C", *, seed: int = 0, labelled: int | None = None) -> float:
    """The accuracy of the same probe on the raw pixels: what needs no representation at all."""
    pixels = sample["X"].reshape(len(sample), -1).astype(np.float32)
    held = sample.with_column(Variable("Z", "continuous"), pixels)
    return labelled_accuracy(held, target, seed=seed, labelled=labelled)


def labelled_accuracy(sample: Sample, target: str, *, seed: int, labelled: int | None) -> float:
    """The accuracy of a linear probe: cross-validated, or fitted on few labels and judged on the others.

    With few labels it is the mean over several choices of the labelled images, which differ more than the
    images that are judged.

    Args:
        sample: Holds the representation Z and the target.
        target: A discrete variable.
        seed: Fixes the folds, or which images have labels.
        labelled: The labelled images of each state of the target; None to cross-validate on all.

    Raises:
        ValueError: If a state has no more images than are labelled.
    """
    if labelled is None:
        return probe(sample, target, seed=seed).score
    codes = sample[target]
    counts = np.bincount(codes)
    if (counts[counts > 0] <= labelled).any():
        raise ValueError(
            f"labelled must be less than the {counts[counts > 0].min()} judged images of the rarest state of "
            f"{target}, got {labelled}"
        )
    scores = []
    for draw in range(_CHOICES):
        order = np.random.default_rng([seed, draw, 0x1AB]).permutation(len(codes))
        chosen = [order[codes[order] == state][:labelled] for state in np.flatnonzero(counts)]
        few = np.concatenate(chosen)
        rest = np.setdiff1d(order, few)
        scores.append(probe(sample.rows(few), target, test=sample.rows(rest), seed=seed).score)
    return float(np.mean(scores))


def few_labels(scale: Scale, *, default: DataName) -> int | None:
    """The labelled images of each class that probes are fitted on; None where they are cross-validated."""
    if scale.labelled is None and (scale.data or default) == "cluttered-glyphs":
        return min(LABELLED, max(2, scale.judged // JUDGED_PER_LABEL))
    return scale.labelled
