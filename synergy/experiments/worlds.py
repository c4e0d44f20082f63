"""The data of the experiments, and the one pipeline that they share: train, represent, judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synergy.experiments.base import Scale
from synergy.learning import (
    ImageSet,
    PredictLabel,
    Pretext,
    Source,
    Stream,
    Trained,
    Training,
    Untrained,
    train,
)
from synergy.learning.probes import probe
from synthetic import Digits, Glyphs, Sample

__all__ = ["Fitted", "digit_sets", "fit", "glyph_world", "held_out_loss", "probe_accuracy", "raw_glyphs"]

_PLACES = ((0.0, 0.0), (-0.15, 0.0), (0.15, 0.0), (0.0, 0.15), (0.0, -0.15))


def glyph_world(glyphs: str, transformation: Any, *, noise: float = 0.3, **changes: Any) -> Glyphs:  # noqa: ANN401
    """Small glyphs in three hues at five places, with pixel noise: hard enough for probes to differ."""
    options: dict[str, Any] = {
        "size": 16,
        "channels": 3,
        "noise": noise,
        "position": list(_PLACES),
        "scale": 0.6,
    }
    return Glyphs(glyphs, transformation=transformation, **{**options, **changes})


def raw_glyphs(glyphs: str, n: int, *, seed: int, **changes: Any) -> Sample:  # noqa: ANN401
    """About n untransformed images of a glyph world: those that a horizontal flip left alone."""
    rows = glyph_world(glyphs, "horizontal-flip", **changes).sample(2 * n, seed=seed)
    return rows.rows(rows["A"] == 0)


def digit_sets(seed: int) -> tuple[ImageSet, ImageSet]:
    """Digits to train on and digits to judge on, no raw image in both."""
    return ImageSet.from_generator(Digits()).split(0.6, seed=seed)


@dataclass(frozen=True)
class Fitted:
    """A trained encoder and its curve's last loss, in nats."""

    trained: Trained
    loss: float


def fit(
    pretext: Pretext,
    source: Source,
    *,
    seed: int,
    scale: Scale,
    encoder: str = "cnn",
    **options: Any,  # noqa: ANN401
) -> Fitted:
    """Train an encoder at the experiment's scale."""
    settings = Training(epochs=scale.epochs, device=scale.device, **options)
    trained = train(
        pretext, source, seed=seed, encoder=encoder, features=scale.features, options=settings, progress=False
    )
    loss = float("nan") if isinstance(pretext, Untrained) else float(trained.curve["loss"].iloc[-1])
    return Fitted(trained, loss)


def on_world(world: Glyphs, *, seed: int, scale: Scale) -> Fitted:
    """An encoder that predicts the transformation of a glyph world, every image drawn afresh."""
    return fit(PredictLabel("A"), Stream(world, scale.inputs), seed=seed, scale=scale)


def held_out_loss(fitted: Fitted, sample: Sample) -> float:
    """The cross-entropy of the trained head on a sample, in nats: an upper bound on H(A|X)."""
    import torch

    z = torch.from_numpy(fitted.trained.represent(sample["X"])).to(fitted.trained.device)
    with torch.no_grad():
        log_p = fitted.trained.head(z).log_softmax(dim=1).cpu().numpy()
    return float(-log_p[np.arange(len(sample)), sample["A"]].mean())


def probe_accuracy(fitted: Fitted, sample: Sample, target: str = "C", *, seed: int = 0) -> float:
    """The cross-validated accuracy of a linear probe of a latent on the frozen representation."""
    return probe(fitted.trained.represented(sample), target, seed=seed).score
