"""The mean of scores of rows, with an interval that allows for groups and for skewness."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from synergy.statistics.intervals import check_confidence
from synergy.statistics.result import Estimate

__all__ = ["paired_estimate"]


def paired_estimate(
    scores: npt.NDArray[np.float64],
    *,
    term: str,
    estimator: str,
    confidence: float = 0.95,
    groups: npt.NDArray[Any] | None = None,
    notes: tuple[str, ...] = (),
) -> Estimate:
    """The mean of per-row scores with its standard error, clustered by group.

    The variance is G / (G - 1) sum_g (sum over rows of g of (score - mean))^2 / n^2 for G groups (Liang
    and Zeger 1986). The interval inverts Hall's cubic transformation of Student's t, which removes the
    effect of skewness (Hall 1992, "On the removal of skewness by transformation", JRSS B 54): scores of
    rare large losses are skewed, and the symmetric interval then covers too rarely.

    Args:
        scores: Shape (n,).
        term: What is estimated.
        estimator: The estimator's name.
        confidence: The nominal coverage.
        groups: One label per row, shape (n,); None where the rows are independent.
        notes: What a reader must know.

    Raises:
        ValueError: If the confidence is not strictly between 0 and 1, or there are fewer than 2 groups.
    """
    check_confidence(confidence)
    scores = np.array(scores, dtype=np.float64)  # a copy: the caller may change its own
    n = len(scores)
    value = float(scores.mean())
    sums = scores - value
    if groups is not None:
        labels = np.unique(groups, return_inverse=True)[1].reshape(-1)
        sums = np.bincount(labels, weights=sums).astype(np.float64)
    count = len(sums)
    if count < 2:
        raise ValueError(f"a standard error needs at least 2 independent rows or groups, got {count}")
    squares = float((sums**2).sum())
    error = float(np.sqrt(count / (count - 1) * squares) / n)
    skewness = float((sums**3).mean()) / (squares / count) ** 1.5 if squares > 0 else 0.0
    point = float(stdtrit(count - 1, 0.5 + confidence / 2))
    return Estimate(
        term=term,
        value=value,
        standard_error=error,
        interval=(
            value - _unskewed(point, skewness, count) * error,
            value - _unskewed(-point, skewness, count) * error,
        ),
        confidence=confidence,
        estimator=estimator,
        samples=n,
        notes=notes,
        scores=scores,
    )


def _unskewed(u: float, skewness: float, count: int) -> float:
    """The T with T + a T^2 + a^2 T^3 / 3 + skewness / (6 sqrt(count)) = u, a = skewness / (3 sqrt(count))."""
    a = skewness / (3 * math.sqrt(count))
    if abs(a) < 1e-9:
        return u
    return float((np.cbrt(1 + 3 * a * (u - a / 2)) - 1) / a)
