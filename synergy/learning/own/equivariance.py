r"""How far an encoder is from equivariant, for any encoder and any transformation with finitely many states.

An encoder f is equivariant where a transformation of the image is a map of the features, f(a x) = M_a f(x).
Nothing is known of M_a in an encoder of one's own, so the best linear one is fitted on some images and judged
on others, as Lenc and Vedaldi (2015, arXiv:1411.5908) did:

    error_a = E |f(a x) - M_a f(x) - b_a|^2 / E |f(a x) - E f(a x)|^2.

It is 0 where the features move by a linear map, and 1 where nothing of f(a x) follows linearly from f(x).
The invariance error has f(x) itself in place of M_a f(x) + b_a: an invariant encoder has both 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from synergy.learning.data import ImageSet
from synergy.learning.own.intake import image_source
from synergy.learning.own.modules import Encoder
from synergy.learning.own.normalise import Normalise
from synergy.learning.own.outputs import Pool
from synergy.learning.own.reading import Reading, read_features
from synergy.learning.own.represent import Listener, check_pixels, reporting
from synergy.learning.probes import fit_ridge
from synergy.learning.seeds import Purpose
from synergy.learning.seeds import generator as random_stream
from synergy.learning.tasks import as_task
from synergy.learning.trained import Trained
from synergy.statistics.errors import clustered_error
from synergy.statistics.folds import Split
from synthetic import Sample
from synthetic.images.arrays import ChannelOrder
from theory.checks import integer

__all__ = ["EquivarianceError", "equivariance_error"]

Floats = npt.NDArray[np.float64]
FeatureAction = Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]
"""Takes features (n, d) and a label a, and gives what they become where a acts on the image."""

_TUNED = 0.125
"""The share of the images to fit on that the penalty of the linear map is chosen on."""

_PENALTIES = (1e-8, 1e-6, 1e-4, 1e-2, 1.0)
"""The ridge penalties to choose from; the smallest leaves an error of its square where a map is exact."""

_FLAT = 1e-7
"""Features that vary by less than this part of the largest are the same, up to rounding."""

_FEWEST = 16
"""Fewer images than these say nothing of a map that is fitted on half of them."""


@dataclass(frozen=True)
class EquivarianceError:
    """The errors of one encoder under one transformation.

    Args:
        value: The mean error over the labels that change images, at least 0 up to noise.
        standard_error: Over the images that are judged.
        invariance: The mean error of the features themselves.
        table: One row a label: `label`, `error`, `invariance`, `standard_error`.
        task: The transformation.
        images: How many were judged, none of which a map was fitted on.
        features: The dimension of the representation.
        warnings: What to beware of.
    """

    value: float
    standard_error: float
    invariance: float
    table: pd.DataFrame
    task: str
    images: int
    features: int
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"equivariance error under {self.task}: {self.value:.3f} ± {self.standard_error:.3f}, invariance "
            f"error {self.invariance:.3f} ({self.images} images, {self.features} features)"
        )

    def to_dict(self) -> dict[str, Any]:
        """The errors as plain data."""
        return {
            "task": self.task,
            "value": self.value,
            "standard_error": self.standard_error,
            "invariance": self.invariance,
            "labels": self.table.to_dict("records"),
            "images": self.images,
            "features": self.features,
            "warnings": list(self.warnings),
        }

    def to_pandas(self) -> pd.DataFrame:
        """One row a label."""
        return self.table

    def _repr_html_(self) -> str:
        return f"<p>{self}</p>" + str(self.table.to_html(index=False, float_format="{:.4f}".format))


def equivariance_error(
    encoder: Encoder | Trained,
    transformation: object,
    images: Any,  # noqa: ANN401 - of any library
    *,
    action: FeatureAction | None = None,
    layer: str | torch.nn.Module | None = None,
    output: str | int | None = None,
    pool: Pool = "mean",
    normalise: Normalise | None = None,
    batch_size: int = 256,
    device: str | torch.device | None = None,
    seed: int = 0,
    channels: ChannelOrder = "auto",
    progress: Listener | bool | None = None,
) -> EquivarianceError:
    """How far the features of any encoder are from moving by a linear map when the image is transformed.

    Every image is shown once under each label. With `action`, the map that the features should move by,
    nothing is fitted.

    Args:
        encoder: As in `represent`.
        transformation: With finitely many states, as in `represent`; label 0 need not be the identity.
        images: As in `represent`; their labels are not used.
        action: What the features should become under each label; None to fit a linear map on half of the
            images, ridge regression with the penalty chosen on an eighth of these.
        layer: As in `represent`, as the following.
        output: The representation in what the encoder returns.
        pool: How maps become one vector; "flatten" keeps their places, which a transformation may move.
        normalise: The mean and deviation of the pixels.
        batch_size: Images that the encoder sees at once.
        device: Where to run.
        seed: Fixes the halves.
        channels: Where the channels are.
        progress: Called after each batch.

    Raises:
        TypeError: If the encoder is no callable or the images are none.
        ValueError: If the transformation does not fit, there are fewer than 16 images, or the features of all
            images are the same.

    Example:
        >>> from synergy.learning import build_encoder
        >>> from synthetic import Digits
        >>> digits = ImageSet.from_generator(Digits(), n=400)
        >>> found = equivariance_error(build_encoder("c4", (1, 8, 8), features=8), "rotation", digits)
        >>> bool(found.value < 1e-3 < found.invariance)
        True
    """
    integer("seed", seed, 0)
    integer("batch_size", batch_size, 1)
    task = as_task(transformation)
    reading = Reading(encoder, layer, output, pool, normalise, device, seed)
    if isinstance(images, Sample):
        images = ImageSet.from_sample(images)
    source = image_source(images, (), batch_size=batch_size, channels=channels)
    plain: list[Floats] = []
    moved: list[list[Floats]] = [[] for _ in range(task.applied)]
    with read_features(reading) as ask, reporting(progress, source.steps) as report:
        for done, batch in enumerate(source.batches, start=1):
            if not plain:
                task.check(tuple(batch.images.shape[1:]))
            check_pixels(task, batch.images)
            plain.append(ask(batch.images).astype(np.float64))
            for label, rows in enumerate(moved):
                codes = torch.full((len(batch.images),), label)
                rows.append(ask(task.apply(batch.images, codes)).astype(np.float64))
            report(done)
    groups = None if source.groups is None else source.groups.numpy()
    return _judged(
        np.concatenate(plain), [np.concatenate(rows) for rows in moved], task.name, action, groups, seed
    )


def _judged(
    plain: Floats,
    moved: list[Floats],
    task: str,
    action: FeatureAction | None,
    groups: npt.NDArray[np.int64] | None,
    seed: int,
) -> EquivarianceError:
    n, d = plain.shape
    raw = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
    if raw.max() + 1 < _FEWEST:
        raise ValueError(
            f"images must be at least {_FEWEST} to judge equivariance on, got {int(raw.max()) + 1}"
        )
    split = _halves(raw, seed) if action is None else Split(raw[:0], raw[:0], np.arange(n))
    test = split.test
    rows, influences = [], []
    for label, features in enumerate(moved):
        expected = (
            fit_ridge(plain, features, split, penalties=_PENALTIES)
            if action is None
            else np.asarray(action(plain[test], label), float)
        )
        if expected.shape != features[test].shape:
            raise ValueError(
                f"action must give features of shape {features[test].shape}, got {expected.shape}"
            )
        total = ((features[test] - features[test].mean(axis=0)) ** 2).sum(axis=1)
        if total.mean() <= (_FLAT * np.abs(features[test]).max()) ** 2:
            raise ValueError("the encoder gives the same features for all images, whose error is not defined")
        residual = ((features[test] - expected) ** 2).sum(axis=1)
        kept = ((features[test] - plain[test]) ** 2).sum(axis=1)
        error = float(residual.mean() / total.mean())
        influence = (residual - error * total) / total.mean()
        influences.append(influence)
        rows.append(
            {
                "label": label,
                "error": error,
                "invariance": float(kept.mean() / total.mean()),
                "standard_error": clustered_error(influence, raw[test]),
            }
        )
    table = pd.DataFrame(rows)
    changed = table["invariance"] > 0  # an identity tells nothing
    used = table[changed] if changed.any() else table
    influence = np.mean([influences[label] for label in used["label"]], axis=0)
    warnings: tuple[str, ...] = ()
    if action is None and len(split.fit) <= 2 * d:
        warnings = (
            f"{len(split.fit)} images to fit a map of {d} features on: more images may show a smaller error",
        )
    return EquivarianceError(
        float(used["error"].mean()),
        clustered_error(influence, raw[test]),
        float(used["invariance"].mean()),
        table,
        task,
        len(test),
        d,
        warnings,
    )


def _halves(raw: npt.NDArray[np.int64], seed: int) -> Split:
    """Half of the raw images to fit on, an eighth of it to choose the penalty on; the others to judge on."""
    count = int(raw.max()) + 1
    order = torch.randperm(count, generator=random_stream(seed, Purpose.SPLIT)).numpy()
    half = count // 2
    tuned = max(1, round(_TUNED * half))
    part = np.empty(count, np.int64)
    part[order[:tuned]], part[order[tuned:half]], part[order[half:]] = 1, 0, 2
    return Split(*(np.flatnonzero(part[raw] == k) for k in range(3)))
