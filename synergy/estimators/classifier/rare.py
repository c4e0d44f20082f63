"""Labels too rare to learn: predicted together, so that every loss treats them alike.

A label that no row of a training fold has gets its probability from smoothing alone, and where two losses
smooth differently their difference looks like information. So labels of fewer rows than can be learned from
are one class for every model; which of them a row has is then coded by their frequencies, at the same price
under every condition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synergy.statistics.folds import Split

__all__ = ["ROWS_OF_CLASS", "frequencies", "pooled"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ROWS_OF_CLASS = 5
"""A label of fewer rows is not learned: in five folds it has about three rows to learn from."""

_SMOOTHING = 0.5
"""What is added to each count of a label, as in the prior of Jeffreys."""


def frequencies(y: Integers, split: Split, k: int) -> Floats:
    """The smoothed frequencies of k classes in the rows of a fold that are not tested, shape (k,)."""
    counts = np.bincount(np.concatenate([y[split.fit], y[split.tune]]), minlength=k)
    return np.asarray((counts + _SMOOTHING) / (counts.sum() + _SMOOTHING * k))


@dataclass(frozen=True)
class Pooled:
    """A target with its rare labels as one class, the last.

    Args:
        y: The labels, shape (n,).
        k: Their number.
        codes: The classes, shape (n,).
        classes: Their number.
        of_label: The class of each label, shape (k,).
    """

    y: Integers
    k: int
    codes: Integers
    classes: int
    of_label: Integers

    @property
    def rare(self) -> int:
        """How many labels were pooled."""
        return self.k - self.classes + 1 if self.classes <= self.k and self._any_rare else 0

    @property
    def _any_rare(self) -> bool:
        return bool((np.bincount(self.y, minlength=self.k) < ROWS_OF_CLASS).any())

    def spread(self, log_p: Floats, split: Split) -> Floats:
        """Log probabilities of the labels, shape (m, k), from those of the classes, shape (m, classes)."""
        share = frequencies(self.y, split, self.k)
        total = np.bincount(self.of_label, weights=share, minlength=self.classes)
        return np.asarray(log_p[:, self.of_label] + np.log(share / total[self.of_label]))


def pooled(y: Integers, k: int) -> Pooled:
    """The target with labels of fewer than five rows as one class.

    Example:
        >>> found = pooled(np.array([0] * 9 + [1] * 9 + [2, 3]), 4)
        >>> found.classes, found.of_label.tolist(), found.rare
        (3, [0, 1, 2, 2], 2)
    """
    rare = np.bincount(y, minlength=k) < ROWS_OF_CLASS
    of_label = np.where(rare, int((~rare).sum()), np.cumsum(~rare) - 1)
    return Pooled(y, k, of_label[y].astype(np.int64), int(of_label.max()) + 1, of_label.astype(np.int64))
