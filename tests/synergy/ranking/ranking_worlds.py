"""Small images and tasks whose worth is known."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.datasets import load_digits

from synergy.ranking import RankSettings
from synthetic.transformations import Transformation

TINY = RankSettings(
    images=400,
    judged=300,
    epochs=3,
    steps=60,
    most_epochs=20,
    batch=32,
    features=16,
    longer=1.0,
    patience=3,
    stretch=1,
)
"""Settings with which a pilot takes a fraction of a second."""


def digits(n, *, seed=0):
    """Some of scikit-learn's digits, upright, (n, 1, 8, 8), with their ten classes."""
    found = load_digits()
    rows = np.random.default_rng(seed).permutation(len(found.images))[:n]
    return (found.images[rows, None] / 16).astype(np.float32), found.target[rows].astype(np.int64)


@dataclass(frozen=True)
class Idle(Transformation):
    """Two states that do the same: nothing can be learned from them."""

    name: ClassVar[str] = "idle"
    exactness: ClassVar[str] = "exact"
    statement: ClassVar[str] = "the trivial action of two labels"

    @property
    def cardinality(self):
        return 2

    def transform(self, images, labels):
        return images.clone()


@dataclass(frozen=True)
class Watermark(Transformation):
    """One of four states shown by the brightness of the first row: nothing else need be looked at."""

    name: ClassVar[str] = "watermark"
    exactness: ClassVar[str] = "not invertible"
    statement: ClassVar[str] = "the first row shows the label, and what was there is lost"

    @property
    def cardinality(self):
        return 4

    def transform(self, images, labels):
        marked = images.clone()
        marked[:, :, 0, :] = (labels.to(images.dtype) / 4)[:, None, None]
        return marked
