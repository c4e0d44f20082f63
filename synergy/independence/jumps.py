"""Thresholds at which a function of conditions jumps or bends.

A smooth regression blurs a step over its width, the more so the fewer rows there are, while the place of a
step much larger than the noise is known to within a few rows. The thresholds are found by forward search
(J. Friedman 1991, "Multivariate adaptive regression splines", Annals of Statistics 19), with a linear
function of all conditions beyond each, so that a slope that changes its sign is found as well.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["find_jumps", "stairs"]

Floats = npt.NDArray[np.float64]
Jump = tuple[int, float]

_MOST = 40
"""The largest number of thresholds."""
_ROWS_PER_JUMP = 16
"""Rows that there must be for each threshold."""
_EDGE = 5
"""Rows that must lie on either side of a threshold."""
_PATIENCE = 8
"""Thresholds that may be added without gain before the search ends."""
_RIDGE = 1e-6
"""Added to the terms below a threshold, relative to their size, so that they can be solved for."""


class _JumpSearch:
    """The gains of all thresholds on one condition, kept up to date as columns are taken into the model."""

    def __init__(self, values: Floats, terms: Floats, taken: Floats) -> None:
        self.order = np.argsort(values, kind="stable")
        ranked = values[self.order]
        inner = np.arange(_EDGE - 1, len(values) - _EDGE)
        self.last = inner[ranked[inner + 1] > ranked[inner]]
        self.thresholds = (ranked[self.last] + ranked[self.last + 1]) / 2
        self.terms = terms[self.order]
        self.gram = np.cumsum(self.terms[:, :, None] * self.terms[:, None, :], axis=0)[self.last]
        size = np.trace(self.gram, axis1=1, axis2=2) / terms.shape[1]
        self.gram += _RIDGE * size[:, None, None] * np.eye(terms.shape[1])
        self.take(taken)

    def take(self, columns: Floats) -> None:
        """Remove orthonormal columns, shape (n, c), from the terms below each threshold."""
        shared = np.cumsum(self.terms[:, :, None] * columns[self.order][:, None, :], axis=0)[self.last]
        self.gram -= shared @ shared.transpose(0, 2, 1)

    def gains(self, rest: Floats) -> Floats:
        """By how much each threshold would reduce the sum of squares of what is left, shape (n,)."""
        along = np.cumsum(self.terms * rest[self.order][:, None], axis=0)[self.last]
        return np.asarray((np.linalg.solve(self.gram, along[:, :, None])[:, :, 0] * along).sum(axis=1))


def find_jumps(z: Floats, y: Floats, trend: Floats) -> list[Jump]:
    """Conditions and thresholds such that y is smoother on either side than across.

    Forward search adds the threshold t on the condition j whose terms 1[z_j <= t] (1, z) reduce the sum of
    squares most. Of the nested models the one of least n log(sum of squares) + c m is kept, m the number of
    thresholds and c = k + 2 sqrt(k log(n d)) + 2 log(n d), k = d + 1: a bound on what the best of n d
    thresholds gains from noise alone (B. Laurent and P. Massart 2000, Annals of Statistics 28, lemma 1).

    Args:
        z: The conditions, shape (n, d).
        y: Shape (n,).
        trend: Orthonormal columns of the smooth part that is fitted anyway, shape (n, q).

    Returns:
        Pairs of the condition's number and the threshold, in the order in which they were found.

    Example:
        >>> z = np.random.default_rng(0).uniform(size=(200, 2))
        >>> y = np.where(z[:, 1] < 0.5, 0.0, 1.0)
        >>> jumps = find_jumps(z, y, np.full((200, 1), 200**-0.5))
        >>> [(j, round(float(t), 1)) for j, t in jumps]
        [(1, 0.5)]
    """
    n, d = z.shape
    terms = np.hstack([np.ones((n, 1)), z])
    chances = math.log(n * d)
    price = d + 1 + 2 * math.sqrt((d + 1) * chances) + 2 * chances
    rest = y - trend @ (trend.T @ y)
    floor = 1e-20 * max(float(y @ y), 1e-300)
    searches = {j: _JumpSearch(z[:, j], terms, trend) for j in range(d) if len(np.unique(z[:, j])) > 2}
    searches = {j: search for j, search in searches.items() if len(search.last)}
    taken, found, kept = trend, list[Jump](), 0
    least = n * math.log(max(float(rest @ rest), floor))
    while searches and len(found) < min(_MOST, n // _ROWS_PER_JUMP) and len(found) - kept < _PATIENCE:
        gains = {j: search.gains(rest) for j, search in searches.items()}
        j = max(gains, key=lambda name: float(gains[name].max()))
        threshold = float(searches[j].thresholds[gains[j].argmax()])
        added = np.where(z[:, [j]] <= threshold, terms, 0.0)
        for _ in range(2):
            added = added - taken @ (taken.T @ added)
        u, singular, _ = np.linalg.svd(added, full_matrices=False)
        u = u[:, singular > 1e-4 * math.sqrt(n)]
        if not u.shape[1] or taken.shape[1] + u.shape[1] > n // 2:
            break
        found.append((j, threshold))
        taken = np.hstack([taken, u])
        rest = rest - u @ (u.T @ rest)
        for search in searches.values():
            search.take(u)
        cost = n * math.log(max(float(rest @ rest), floor)) + price * len(found)
        if cost < least:
            least, kept = cost, len(found)
    return found[:kept]


def stairs(z: Floats, jumps: list[Jump]) -> Floats:
    """For each condition with thresholds, how many of them are passed, standardised: shape (n, c)."""
    columns = []
    for j in sorted({j for j, _ in jumps}):
        passed = np.searchsorted(np.sort([t for i, t in jumps if i == j]), z[:, j]).astype(np.float64)
        columns.append((passed - passed.mean()) / passed.std())
    return np.column_stack(columns)
