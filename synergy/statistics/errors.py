"""Standard errors of means of row scores, paired and clustered."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from synergy.statistics.intervals import cluster_variance

__all__ = ["clustered_error"]


def clustered_error(scores: npt.NDArray[np.float64], groups: npt.NDArray[np.integer] | None) -> float:
    """The standard error of the mean of scores, rows of one group being dependent.

    Args:
        scores: Shape (n,).
        groups: One label per row, shape (n,); None where the rows are independent.

    Raises:
        ValueError: If there are fewer than two independent rows or groups.
    """
    labels = np.arange(len(scores)) if groups is None else np.unique(groups, return_inverse=True)[1]
    variance, _ = cluster_variance(scores, labels.reshape(-1).astype(np.int64))
    return math.sqrt(variance / len(scores))
