"""Folds for cross-fitting: every row is predicted by a model that never saw its group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.checks import integer

__all__ = ["Split", "make_splits"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """The rows of one fold: fitted on, tuned on, and predicted.

    Args:
        fit: Rows that the parameters are fitted on.
        tune: Rows that settings, early stopping and calibration are chosen on.
        test: Rows whose losses are reported; disjoint, by group, from the other two.
    """

    fit: Integers
    tune: Integers
    test: Integers


def make_splits(
    n: int,
    folds: int,
    *,
    seed: int,
    groups: Integers | None = None,
    tune_share: float = 0.125,
) -> tuple[Split, ...]:
    """Random folds that never divide a group, each with rows set aside for tuning.

    Args:
        n: The number of rows.
        folds: The number of folds, at least 2.
        seed: Fixes the folds.
        groups: One label per row, shape (n,); None where the rows are independent.
        tune_share: The share of each fold's training groups that is set aside.

    Raises:
        ValueError: If there are fewer than `folds` groups (or rows), or `folds` is below 2.
    """
    labels = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
    count = int(labels.max()) + 1
    integer("folds", folds, 2)
    integer("seed", seed, 0)
    if count < 2 * folds:
        what = "rows" if groups is None else "groups"
        raise ValueError(f"cross-fitting with folds={folds} needs at least {2 * folds} {what}, got {count}")
    rng = np.random.default_rng([seed, 0xF01D])
    fold_of = np.empty(count, dtype=np.int64)
    fold_of[rng.permutation(count)] = np.arange(count) % folds
    splits = []
    for fold in range(folds):
        train = rng.permutation(np.flatnonzero(fold_of != fold))
        tuned = train[: max(1, round(tune_share * len(train)))]
        is_tune = np.zeros(count, dtype=bool)
        is_tune[tuned] = True
        row_test = fold_of[labels] == fold
        row_tune = is_tune[labels]
        splits.append(
            Split(
                np.flatnonzero(~row_test & ~row_tune),
                np.flatnonzero(row_tune),
                np.flatnonzero(row_test),
            )
        )
    return tuple(splits)
