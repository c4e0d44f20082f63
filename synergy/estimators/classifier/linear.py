"""Logistic regression on the numbers, apart in every state of the discrete conditions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from synergy.estimators.classifier.design import Design, standardised
from synergy.estimators.classifier.models import Held, SklearnClassifier
from synergy.statistics.folds import Split

__all__ = ["LinearClassifier"]


@dataclass(frozen=True)
class LinearClassifier:
    """scikit-learn's logistic regression, its penalty chosen on the tuning rows.

    Where few rows have many columns it is all that can be learned, and where classes are shifted Gaussians of
    one covariance it is right. Each number enters once for every joint state of the discrete conditions, so
    that what a sum of two labels does to the numbers is linear.

    Args:
        penalties: The inverse penalties that are tried.
        states: Up to this many states of the discrete conditions the numbers enter apart in each.
    """

    penalties: tuple[float, ...] = (0.003, 0.03, 0.3)
    states: int = 16

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        del seed
        return [self._one(design, y, k, split) for split in splits]

    def _one(self, design: Design, y: npt.NDArray[np.int64], k: int, split: Split) -> Held:
        x = self._features(design, split)
        best: tuple[float, Held] | None = None
        for penalty in self.penalties:
            model = LogisticRegression(C=penalty, max_iter=100)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(x[split.fit], y[split.fit])
            tune, test = (SklearnClassifier.log_p(model, x[rows], k) for rows in (split.tune, split.test))
            loss = -float(tune[np.arange(len(tune)), y[split.tune]].mean())
            if best is None or loss < best[0]:
                best = loss, (tune, test)
        if best is None:
            raise ValueError(f"penalties must not be empty, got {self.penalties}")
        return best[1]

    def _features(self, design: Design, split: Split) -> npt.NDArray[np.float32]:
        x = standardised(design, split.fit)
        numbers = [x[:, block.columns] for block in design.blocks if block.kind != "discrete"]
        if design.codes is None or not numbers:
            return x
        states, codes = np.unique(design.codes, return_inverse=True)
        if len(states) > self.states:
            return x
        own = np.eye(len(states), dtype=np.float32)[codes.reshape(-1)]  # (n, states)
        apart = own[:, :, None] * np.hstack(numbers)[:, None, :]  # (n, states, d)
        return np.hstack([x, apart.reshape(len(x), -1)])
