r"""What a state that was never seen could change: how far an interval must reach for it.

No row in n says of a joint state that its probability is at most q = log(1/level)/n at the given level, the
rule of three (Hanley and Lippman-Hand 1983, "If nothing goes wrong, is everything all right?", JAMA 249).
Yet no variance tells of it: a copy that never failed in 100 rows has a delta-method variance of 0, and may
fail in 3 rows of 100. T((1 - q) p + q e_s) - T(p), for a joint state s that is made of states that were
each seen (or of a second state of a variable that took one value only), is what it could be worth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from synergy.estimators.discrete.marginals import Key, Marginals

__all__ = ["unseen_reach"]

Floats = npt.NDArray[np.float64]

_MOST = 1 << 14
"""The most joint states that are gone through one by one."""


def unseen_reach(
    marginals: Marginals, form: Mapping[Key, float], level: float, samples: float
) -> tuple[float, float]:
    """The most that one joint state without a row takes from T = sum_S c_S H(S), and adds to it.

    Args:
        marginals: The tables.
        form: The coefficients c_S.
        level: The probability to be wrong.
        samples: The effective number of rows.

    Returns:
        (down, up), both at least 0; (0, 0) where every joint state was seen, or there are more than 16,384.

    Example:
        >>> from synergy.estimators.discrete.counts import Cells
        >>> copy = Cells(np.array([[0, 0], [1, 1]]), np.array([50.0, 50.0]), {"X": 0, "Y": 1})
        >>> form = {frozenset("X"): 1.0, frozenset("Y"): 1.0, frozenset("XY"): -1.0}
        >>> down, up = unseen_reach(Marginals(copy), form, 0.05, 100)
        >>> round(down, 2), up
        (0.11, 0.0)
    """
    names = sorted(frozenset().union(*form))
    states, sizes = [], []
    for name in names:
        values, code = np.unique(
            marginals.cells.states[:, marginals.cells.columns[name]], return_inverse=True
        )
        states.append(code)
        sizes.append(max(len(values), 2))
    if math.prod(sizes) > _MOST:
        return 0.0, 0.0
    share = marginals.cells.counts / marginals.total
    joint = np.zeros(sizes)
    np.add.at(joint, tuple(states), share)
    if (joint > 0).all():
        return 0.0, 0.0
    q = min(-math.log(level) / samples, 0.5)
    change = np.zeros(sizes)
    for subset, c in form.items():
        others = tuple(i for i, name in enumerate(names) if name not in subset)
        p = joint.sum(axis=others, keepdims=True)
        entropy = -float(xlogy(p, p).sum())
        rest = (1 - q) * (entropy + xlogy(p, p) - (1 - p) * math.log1p(-q))
        mixed = (1 - q) * p + q
        change = change + c * (rest - xlogy(mixed, mixed) - entropy)
    empty = change[joint == 0]
    return max(0.0, -float(empty.min())), max(0.0, float(empty.max()))
