r"""Ranking pretext transformations for labelled images, before anything is trained on them.

For each transformation A of an image R into X the theory names four numbers: what can be guessed, I(A;X),
and what is left to guess, H(A|X); the synergy I(A;C|X), what knowing the class C would add to the guess; and
the forced class information J = I(C;T) with T = p(A|X), which every optimal solver of the pretext task must
know about the class. All are estimated by held-out predictions, so they are usable information (Xu et al.
2020, arXiv:2002.10689): what a classifier of this kind can extract.

The order is that of J, and a guide: in the experiment `transformations` J orders seven tasks on one set of
glyphs as their usefulness does, and on another the synergy does, so read all columns. That a lossless
transformation, H(A|X) = 0, helps least holds on both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synergy.estimators.classifier import CrossFit, Quality
from synergy.statistics.errors import clustered_error
from synthetic import RealImages, Sample, Variable, from_arrays
from synthetic.transformations import TRANSFORMATIONS, transformation
from theory.checks import integer

__all__ = ["QUANTITIES", "Ranking", "rank"]

QUANTITIES = ("H(A|X)", "I(A;X)", "I(A;C|X)", "J")
"""The columns of the table, with the terms that they hold."""
_GRID = 4
"""The steps to which a posterior probability is rounded."""


@dataclass(frozen=True)
class Ranking:
    """What each transformation asks of a network, most class information first.

    Args:
        table: One row per transformation: `transformation`, `states`, and for each of `QUANTITIES` the
            value and `.. ±`, its standard error, in nats.
        images: The number of raw images.
        classes: The number of classes.
    """

    table: pd.DataFrame
    images: int
    classes: int

    def to_dict(self) -> dict[str, Any]:
        """What `synergy rank --json` prints."""
        return {
            "images": self.images,
            "classes": self.classes,
            "unit": "nats",
            "ranking": self.table.to_dict("records"),
        }

    def _repr_html_(self) -> str:
        return str(self.table.to_html(index=False, float_format="{:.3f}".format))


def rank(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    transformations: Sequence[str] = (),
    copies: int = 2,
    folds: int = 4,
    quality: Quality = "quick",
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> Ranking:
    """Rank pretext transformations by the class information that solving them forces.

    The synergy is estimated by predicting the class from the image without and with A. For J the held-out
    posterior of A is rounded to quarters, so that the confidence of a classifier, which may differ between
    classes where the truth does not, is not mistaken for information. J is an approximation: rounding lowers
    it, and errors of the classifier that depend on the class raise it.

    Args:
        images: Raw images, of the shapes that `synthetic.from_arrays` takes.
        labels: The class of each, shape (n,).
        transformations: Names in `synthetic.transformations.TRANSFORMATIONS`; none for all with finitely
            many states that fit the images.
        copies: How often each raw image is transformed.
        folds: Cross-fitting folds; views of one raw image stay together.
        quality: How much work each classifier does.
        seed: Fixes the labels of the transformations, the folds and the classifiers.
        progress: Told of every transformation that is done.

    Raises:
        ValueError: If a transformation is unknown, continuous or does not fit the images, or the images
            and labels do not fit together.
    """
    integer("copies", copies, 1)
    integer("folds", folds, 2)
    integer("seed", seed, 0)
    for name in transformations:
        if transformation(name).cardinality is None:
            raise ValueError(
                f"transformation {name!r} is continuous: ranking needs one with finitely many states"
            )
    names = list(dict.fromkeys(transformations)) or _fitting(images, labels)
    rows = []
    world = from_arrays(images, labels, transformation=names[0])
    for done, name in enumerate(names, start=1):
        world = from_arrays(images, labels, transformation=name)
        sample = world.sample(copies * len(world.raw), seed=seed)
        rows.append({"transformation": name, **_measured(sample, folds=folds, quality=quality, seed=seed)})
        if progress is not None:
            progress(done, len(names), name)
    table = pd.DataFrame(rows).sort_values("J", ascending=False, ignore_index=True)
    return Ranking(table, len(world.raw), len(world.class_names))


def _fitting(images: npt.ArrayLike, labels: npt.ArrayLike) -> list[str]:
    """The transformations with finitely many states that can be applied to the images."""
    found = []
    for name, kind in TRANSFORMATIONS.items():
        if kind().cardinality is None:
            continue
        try:
            world: RealImages = from_arrays(images, labels, transformation=name)
            world.sample(1, seed=0)
        except ValueError:
            continue
        found.append(name)
    if not found:
        from_arrays(images, labels).sample(1, seed=0)
        raise ValueError("no transformation fits the images")
    return found


def _measured(sample: Sample, *, folds: int, quality: Quality, seed: int) -> dict[str, Any]:
    fit = CrossFit(sample, folds=folds, quality=quality, seed=seed)
    posterior = np.exp(fit.log_probabilities("A", "X"))  # (n, states)
    codes = np.unique(np.round(posterior * _GRID).astype(np.int64), axis=0, return_inverse=True)[1]
    codes = codes.reshape(-1).astype(np.int64)
    rounded = sample.with_column(Variable("T", "discrete", int(codes.max()) + 1), codes)
    told = CrossFit(rounded, folds=folds, quality=quality, seed=seed)
    scores = {
        "H(A|X)": fit.losses("A", "X"),
        "I(A;X)": fit.losses("A") - fit.losses("A", "X"),
        "I(A;C|X)": fit.losses("C", "X") - fit.losses("C", ["A", "X"]),
        "J": told.losses("C") - told.losses("C", "T"),
    }
    groups = None if sample.groups is None else sample[sample.groups]
    row: dict[str, Any] = {"states": sample.variables["A"].cardinality}
    for name, values in scores.items():
        row[name] = float(values.mean())
        row[f"{name} ±"] = clustered_error(values, groups)
    return row
