"""Standard errors of means of row scores, paired and clustered."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["clustered_error"]


def clustered_error(scores: npt.NDArray[np.float64], groups: npt.NDArray[np.integer] | None) -> float:
    """The standard error of the mean of scores of shape (n,), rows of one group being dependent."""
    n = len(scores)
    centred = scores - scores.mean()
    if groups is None:
        return float(np.sqrt((centred**2).sum() / (n - 1) / n))
    _, index = np.unique(groups, return_inverse=True)
    sums = np.bincount(index.reshape(-1), weights=centred)
    return float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / n)
