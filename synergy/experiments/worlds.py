"""The images of the experiments, and the one pipeline that they share: train, represent, judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from synergy.experiments.scale import DataName, Scale
from synergy.learning import ImageSet, Pretext, Stream, Trained, Training, Untrained, train
from synergy.learning.pretext import AdversarialHead
from synergy.learning.probes import probe
from synthetic import Digits, Glyphs, Sample, Variable

__all__ = [
    "fit",
    "glyph_world",
    "head_log_probabilities",
    "image_sets",
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


def glyph_world(
    glyphs: str,
    transformation: str | Mapping[str, object],
    *,
    noise: float = 0.3,
    pixels: int = 16,
    **changes: Any,  # noqa: ANN401  (the parameters of Glyphs)
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
    **changes: Any,  # noqa: ANN401  (the parameters of Glyphs)
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
        return ImageSet.from_generator(Digits()).split(_TRAINED_ON, seed=seed)
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
    encoder: str | None = None,
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


def probe_accuracy(fitted: Trained, sample: Sample, target: str = "C", *, seed: int = 0) -> float:
    """The cross-validated accuracy of a linear probe of a latent on the frozen representation."""
    return probe(fitted.represented(sample), target, seed=seed).score


def pixel_accuracy(sample: Sample, target: str = "C", *, seed: int = 0) -> float:
    """The accuracy of the same probe on the raw pixels: what needs no representation at all."""
    pixels = sample["X"].reshape(len(sample), -1).astype(np.float32)
    held = sample.with_column(Variable("Z", "continuous"), pixels)
    return probe(held, target, seed=seed).score
