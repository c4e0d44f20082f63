"""Logistic regression on the numbers, apart in every state of the discrete conditions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh
from sklearn.covariance import ledoit_wolf
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from synergy.estimators.classifier.design import Design, standardised
from synergy.estimators.classifier.models import Held, SklearnClassifier
from synergy.estimators.columns import by_quartiles
from synergy.statistics.folds import Split

__all__ = ["LinearClassifier"]

_LEAST_SPREAD = 1e-6
"""Added to the variance within the classes, of columns of variance 1: some may be functions of others."""

_STEPS_OF_SOURCES = 100
"""The most steps towards independent components; five of 650 rows take some twenty."""


@dataclass(frozen=True)
class LinearClassifier:
    """scikit-learn's logistic regression, its penalty chosen on the tuning rows.

    Where few rows have many columns it is all that can be learned, and where classes are shifted Gaussians of
    one covariance it is right. Each number enters once for every joint state of the discrete conditions, so
    that what a sum of two labels does to the numbers is linear.

    Args:
        penalties: The inverse penalties that are tried.
        states: Up to this many states of the discrete conditions the numbers enter apart in each.
        ranks: Numbers of directions that are tried in place of all numbers: those along which the means of
            the classes lie apart. Parameters grow with them and not with the number of columns.
        products: Whether the squares and products of all numbers enter too: then Gaussian classes of any
            covariances are in the model (quadratic discriminants).
        bends: Where the effect of each number may bend, in standard deviations: tanh of 2 (x - c) enters
            for each of them. So numbers that are independent within a class may have any smooth density.
        sources: Whether independent components (FastICA, Hyvarinen 1999) take the place of the numbers. Of
            columns that mix heavy-tailed numbers no single one shows what they tell, and their normal scores
            are no longer the mixture, so they are taken of the columns as they are.
    """

    penalties: tuple[float, ...] = (0.003, 0.03, 0.3)
    states: int = 16
    ranks: tuple[int, ...] = ()
    products: bool = False
    bends: tuple[float, ...] = ()
    sources: bool = False

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        del seed
        return [self._one(design, y, k, split) for split in splits]

    def _one(self, design: Design, y: npt.NDArray[np.int64], k: int, split: Split) -> Held:
        best: tuple[float, Held] | None = None
        for x in self._matrices(design, y, split):
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

    def _matrices(
        self, design: Design, y: npt.NDArray[np.int64], split: Split
    ) -> Iterator[npt.NDArray[np.float32]]:
        """What is regressed on: all numbers, or one matrix for each number of directions."""
        x = standardised(design, split.fit)
        own = np.ones(x.shape[1], dtype=bool)
        for block in design.blocks:
            if block.kind != "discrete":
                own[block.columns] = False
        numbers, labels = x[:, ~own], x[:, own]
        if self.sources:
            numbers = _sources(numbers if design.plain is None else design.plain, split.fit)
        more = [np.tanh(2 * (numbers - centre)) for centre in self.bends]
        if self.products:
            i, j = np.triu_indices(numbers.shape[1])
            more.append((numbers[:, i] * numbers[:, j] - (i == j)) / np.sqrt(2))
        numbers = np.hstack([numbers, *more])
        found = [rank for rank in self.ranks if rank < numbers.shape[1]]
        if not found:
            yield self._apart(design, labels, numbers)
            return
        along = numbers @ _directions(design, numbers, y, split.fit, max(found))
        for rank in found:
            yield self._apart(design, labels, along[:, :rank])

    def _apart(
        self, design: Design, labels: npt.NDArray[np.float32], numbers: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Labels and numbers, and the numbers once more for each state of the labels."""
        x = np.hstack([labels, numbers])
        if design.codes is None or not numbers.shape[1]:
            return x
        states, codes = np.unique(design.codes, return_inverse=True)
        if len(states) > self.states:
            return x
        own = np.eye(len(states), dtype=np.float32)[codes.reshape(-1)]  # (n, states)
        apart = own[:, :, None] * numbers[:, None, :]  # (n, states, d)
        return np.hstack([x, apart.reshape(len(x), -1)])


def _sources(columns: npt.NDArray[np.floating[Any]], fit: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Independent components of the columns, scaled by their quartiles, of which asinh tames the tails."""
    table = by_quartiles(columns.astype(np.float64), fit)
    _, sizes, axes = np.linalg.svd(table[fit] - table[fit].mean(axis=0), full_matrices=False)
    own = sizes > _LEAST_SPREAD * sizes[0]
    if own.sum() > 1:  # the others are functions of these
        table = table @ axes[own].T
        unmixing = FastICA(whiten="unit-variance", max_iter=_STEPS_OF_SOURCES, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            unmixing.fit(table[fit])
        table = by_quartiles(unmixing.transform(table), fit)
    return np.arcsinh(table).astype(np.float32)


def _directions(
    design: Design,
    numbers: npt.NDArray[np.float32],
    y: npt.NDArray[np.int64],
    fit: npt.NDArray[np.int64],
    rank: int,
) -> npt.NDArray[np.float32]:
    """Directions along which the means of the classes lie apart in a state of the labels, shape (d, rank).

    Those of most variance between the means in units of that within (R. Fisher 1936, "The use of multiple
    measurements in taxonomic problems"), the latter shrunk (O. Ledoit and M. Wolf 2004, "A well-conditioned
    estimator for large-dimensional covariance matrices"). Along each the variance within is 1.
    """
    rows = numbers[fit].astype(np.float64)
    state = np.zeros(len(fit), dtype=np.int64) if design.codes is None else design.codes[fit]
    state = np.unique(state, return_inverse=True)[1].reshape(-1)
    cell = np.unique(np.column_stack([state, y[fit]]), axis=0, return_inverse=True)[1].reshape(-1)
    apart = _means(rows, cell) - _means(rows, state)
    within = ledoit_wolf(rows - _means(rows, cell), assume_centered=True)[0]
    within += _LEAST_SPREAD * np.eye(len(within))
    return np.asarray(eigh(apart.T @ apart / len(rows), within)[1][:, ::-1][:, :rank], dtype=np.float32)


def _means(rows: npt.NDArray[np.float64], cell: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The mean of each row's cell, shape (n, d)."""
    sums = np.zeros((int(cell.max()) + 1, rows.shape[1]))
    np.add.at(sums, cell, rows)
    return np.asarray((sums / np.bincount(cell)[:, None])[cell])
