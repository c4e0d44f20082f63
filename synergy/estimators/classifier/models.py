"""What a classifier is, and the plainest ones: a frequency table, and any of scikit-learn's.

Every one turns a design and a target into held-out log probabilities for the tuning and the test rows
of each split; `portfolio` calibrates and combines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from synergy.estimators.classifier.design import Design
from synergy.estimators.classifier.rare import frequencies
from synergy.statistics.folds import Split

__all__ = ["Classifier", "Floats64", "Held", "SklearnClassifier", "TableClassifier"]

Floats64 = npt.NDArray[np.float64]
Held = tuple[Floats64, Floats64]
"""Log probabilities of the tuning rows and of the test rows, shapes (tune, k) and (test, k)."""


@runtime_checkable
class Classifier(Protocol):
    """A classifier that is fitted in every split at once."""

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        ...


@dataclass(frozen=True)
class TableClassifier:
    """Frequencies of the target in each joint state of discrete conditions, shrunk to the marginal.

    The probability in a cell with counts n_a is (n_a + s p(a)) / (n + s) with p the target's own
    smoothed frequencies; the strength s is the one of a grid with the best leave-one-out loss.

    Args:
        strengths: The grid of s.
    """

    strengths: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 32.0, 128.0)

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        del seed
        if not design.all_discrete:
            raise ValueError("a frequency table needs discrete conditions only")
        codes = np.zeros(len(y), dtype=np.int64) if design.codes is None else design.codes
        cells, codes = np.unique(codes, return_inverse=True)
        codes = codes.reshape(-1)
        held = []
        for split in splits:
            train = np.concatenate([split.fit, split.tune])
            counts = np.bincount(codes[train] * k + y[train], minlength=len(cells) * k).reshape(-1, k)
            total = counts.sum(axis=1, keepdims=True)
            prior = frequencies(y, split, k)
            if len(cells) == 1:
                log_p = np.log(prior)[None, :]
            else:
                strength = self._strength(counts, total, prior)
                log_p = np.log(counts + strength * prior) - np.log(total + strength)
            held.append((log_p[codes[split.tune]], log_p[codes[split.test]]))
        return held

    def _strength(
        self, counts: npt.NDArray[np.int64], total: npt.NDArray[np.int64], prior: Floats64
    ) -> float:
        """The strength with the least leave-one-out log loss, in closed form from the counts."""
        left = np.maximum(counts - 1, 0)

        def loss(s: float) -> float:
            return -float((counts * (np.log(left + s * prior) - np.log(total - (total > 0) + s))).sum())

        return min(self.strengths, key=loss)


@dataclass(frozen=True)
class SklearnClassifier:
    """Any scikit-learn classifier with `predict_proba` or `decision_function`.

    It sees one matrix: images flattened, discrete conditions one-hot, everything else as it is.

    Args:
        estimator: The classifier or pipeline; it is cloned for every fold, and every `random_state` of the
            clone is set from the seed and the fold.
    """

    estimator: Any

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        from sklearn.base import clone

        held = []
        for fold, split in enumerate(splits):
            fitted = clone(self.estimator)
            state = int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])  # 32 bits are all it takes
            seeds = {p: state for p in fitted.get_params() if p.rpartition("__")[2] == "random_state"}
            fitted.set_params(**seeds).fit(design.matrix[split.fit], y[split.fit])
            pair = [self.log_p(fitted, design.matrix[rows], k) for rows in (split.tune, split.test)]
            held.append((pair[0], pair[1]))
        return held

    @staticmethod
    def log_p(estimator: object, rows: npt.NDArray[np.float32], k: int) -> Floats64:
        """Log probabilities of all k classes by a fitted classifier that may have seen some only.

        Raises:
            ValueError: If the classifier answers with a number that is not finite.
        """
        fitted: Any = estimator
        log_p = np.full((len(rows), k), np.log(1e-9))
        seen = np.asarray(fitted.classes_)
        proper = hasattr(fitted, "predict_proba")
        # A product of small matrices may warn of what lies behind them in memory (numpy issue 24067).
        with np.errstate(invalid="ignore"):
            found = np.asarray(fitted.predict_proba(rows) if proper else fitted.decision_function(rows))
        if not np.isfinite(found).all():
            raise ValueError(f"{type(fitted).__name__} predicts numbers that are not finite")
        if proper:
            log_p[:, seen] = np.log(np.maximum(found, 1e-9))
        else:
            both = np.column_stack([-found / 2, found / 2]) if found.ndim == 1 else found
            log_p[:, seen] = log_softmax(both, axis=1)
        return np.asarray(log_softmax(log_p, axis=1))
