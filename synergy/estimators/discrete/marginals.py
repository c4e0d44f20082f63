"""The marginal tables of a table of counts, and what dependent rows do to them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from synergy.estimators.discrete.counts import Cells
from synergy.statistics.intervals import cluster_variance

__all__ = ["Clusters", "Key", "Marginals"]

Floats = npt.NDArray[np.float64]
Key = frozenset[str]


class Marginals:
    """The marginal tables of the seen cells, computed once for each subset."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.total = float(cells.counts.sum())
        self._known: dict[Key, tuple[npt.NDArray[np.int64], Floats]] = {}

    def of(self, subset: Key) -> tuple[npt.NDArray[np.int64], Floats]:
        """The marginal state of each cell and the count of each marginal state."""
        if subset not in self._known:
            index = self.cells.index(subset)
            counts = np.bincount(index, weights=self.cells.counts).astype(np.float64)
            self._known[subset] = index, counts
        return self._known[subset]

    def seen(self, subset: Key) -> Floats:
        """The positive counts of the subset."""
        counts = self.of(subset)[1]
        return counts[counts > 0]

    def states(self, subset: Key) -> float:
        """How many states there may be: the product of the numbers of values that each variable took.

        However values are numbered, and however many more were declared: a value that never occurs is no
        state.
        """
        return float(math.prod(float(self.seen(frozenset({v})).size) for v in subset))

    def free(self, subset: Key) -> Key:
        """Few variables of the subset that fix all others of it in every row.

        Of several such sets one with few values is taken, so that many columns that are functions of one
        count as that one.
        """
        kept = set(subset)
        size = self.seen(subset).size
        for name in sorted(subset, key=lambda v: (-self.seen(frozenset({v})).size, v), reverse=True):
            rest = frozenset(kept - {name})
            if rest and self.seen(rest).size == size:
                kept = set(rest)
        return frozenset(kept)

    def overlap(self, first: Key, second: Key) -> float:
        """The trace of P_S P_T, sum p(s,t)^2 / (p(s) p(t)); the seen states of S where T holds S."""
        if first <= second or second <= first:
            return float(self.seen(min(first, second, key=len)).size)
        joint_index, joint = self.of(first | second)
        left_index, left = self.of(first)
        right_index, right = self.of(second)
        share = joint[joint_index] / (left[left_index] * right[right_index])  # (m,)
        return float(self.cells.counts @ share)

    def triple(self, first: Key, second: Key) -> float:
        """The sum of p(s) p(t) (r - 1)^3 with r = p(s,t) / (p(s) p(t)), over the seen states."""
        if first <= second or second <= first:
            share = self.total / self.seen(min(first, second, key=len))
            return float((share - 3).sum()) + 2
        joint_index, joint = self.of(first | second)
        left_index, left = self.of(first)
        right_index, right = self.of(second)
        ratio = joint[joint_index] * self.total / (left[left_index] * right[right_index])  # (m,)
        return float(self.cells.counts @ (ratio * (ratio - 3))) / self.total + 2


class Clusters:
    """Rows that are dependent within groups: what that does to variances and biases."""

    def __init__(self, cell_of_row: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> None:
        self.cell_of_row = cell_of_row
        self.groups = groups
        self.sizes = np.bincount(groups).astype(np.float64)
        self.count = int((self.sizes > 0).sum())

    def variance(self, influence: Floats) -> float:
        """The clustered variance of an influence function that is given on the seen cells."""
        return cluster_variance(influence[self.cell_of_row], self.groups)[0]

    def design_effect(self, marginals: Marginals, subset: Key) -> float:
        """N sum_s Var(p_s) / p_s over its value for independent rows, the number of states less one."""
        index, counts = marginals.of(subset)
        seen = int((counts > 0).sum())
        if seen < 2:
            return 1.0
        state = index[self.cell_of_row]
        pairs, repeats = np.unique(self.groups * counts.size + state, return_counts=True)
        squares = float((np.square(repeats) / counts[pairs % counts.size]).sum()) * marginals.total
        spread = (squares - float(np.square(self.sizes).sum())) / marginals.total
        return spread * self.count / (self.count - 1) / (seen - 1)
