"""Several classifiers as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier.crossfit import calibrated
from synergy.estimators.classifier.design import Design
from synergy.estimators.classifier.models import Classifier, Held
from synergy.statistics.folds import Split

__all__ = ["PooledClassifier"]


@dataclass(frozen=True)
class PooledClassifier:
    """Classifiers that are pooled in each fold, by weights of least log loss on its tuning rows.

    Args:
        models: The classifiers, at least one.

    Raises:
        ValueError: If there is none.
    """

    models: tuple[Classifier, ...]

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("models must hold at least one classifier, got none")

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        each = [model.fit_predict(design, y, k, splits, seed=seed) for model in self.models]
        found = []
        for fold, split in enumerate(splits):
            held = [model[fold] for model in each]
            tune = calibrated([(tuned, tuned) for tuned, _ in held], y, split, k)
            found.append((tune, calibrated(held, y, split, k)))
        return found
