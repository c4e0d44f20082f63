r"""What a state that was never seen could change: how far an interval must reach for it.

No row in n says of a joint state that its probability is at most q = log(1/level)/n at the given level, the
rule of three (Hanley and Lippman-Hand 1983, "If nothing goes wrong, is everything all right?", JAMA 249).
Yet no variance tells of it: a copy that never failed in 100 rows has a delta-method variance of 0, and may
fail in 3 rows of 100. T((1 - q) p + q e_s) - T(p), for a joint state s that is made of states that were
each seen (or of a second state of a variable that took one value only), is what it could be worth.

A value that was never seen matters where a variable is unbalanced: where the coefficients of the entropies
that it is in do not sum to zero, as in H(X) and, for X, in H(X|Y), but not in I(X;Y). (The word is that of
T. Chan 2003, "Balanced information inequalities", IEEE Transactions on Information Theory 49.) That there
are such values is likely where some were seen once or twice only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from synergy.estimators.discrete.marginals import Key, Marginals

__all__ = ["loose_variables", "new_value_reach", "unseen_reach"]

Floats = npt.NDArray[np.float64]

_MOST = 1 << 14
"""The most joint states that are gone through one by one."""

_RARE = 2
"""A variable with a value in so few rows may well have others in none."""

_BALANCED = 1e-12
"""Coefficients that sum to less are balanced, up to rounding."""


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
    q = _rule_of_three(level, samples)
    change = np.zeros(sizes)
    for subset, c in form.items():
        others = tuple(i for i, name in enumerate(names) if name not in subset)
        p = joint.sum(axis=others, keepdims=True)
        change = change + c * _change(p, -float(xlogy(p, p).sum()), q)
    empty = change[joint == 0]
    return max(0.0, -float(empty.min())), max(0.0, float(empty.max()))


def loose_variables(marginals: Marginals, form: Mapping[Key, float]) -> tuple[str, ...]:
    """The unbalanced variables of T = sum_S c_S H(S) that have a value in one or two rows only."""
    loose = []
    for name in sorted(frozenset().union(*form)):
        counts = marginals.seen(frozenset({name}))
        total = sum(c for subset, c in form.items() if name in subset)
        if abs(total) > _BALANCED and (counts <= _RARE).any():
            loose.append(name)
    return tuple(loose)


def new_value_reach(
    marginals: Marginals, form: Mapping[Key, float], level: float, samples: float
) -> tuple[float, float]:
    """The most that a value that was never seen takes from T = sum_S c_S H(S), and adds to it.

    It is a new value of one of the loose variables, or one of each of them at once, in rows where the others
    have values that were seen.

    Args:
        marginals: The tables.
        form: The coefficients c_S.
        level: The probability to be wrong.
        samples: The effective number of rows.

    Returns:
        (down, up), both at least 0; (0, 0) where no variable is loose, see `loose_variables`.

    Example:
        >>> from synergy.estimators.discrete.counts import Cells
        >>> states = Cells(np.array([[0], [1], [2]]), np.array([30.0, 29.0, 1.0]), {"X": 0})
        >>> down, up = new_value_reach(Marginals(states), {frozenset("X"): 1.0}, 0.05, 60)
        >>> down, round(up, 2)
        (0.0, 0.16)
    """
    loose = loose_variables(marginals, form)
    if not loose:
        return 0.0, 0.0
    q = _rule_of_three(level, samples)
    down = up = 0.0
    for fresh in {*(frozenset({name}) for name in loose), frozenset(loose)}:
        change = np.zeros(len(marginals.cells.counts))
        for subset, c in form.items():
            index, counts = marginals.of(subset)
            p = counts / marginals.total
            known = np.zeros_like(change) if subset & fresh else p[index]
            change += c * _change(known, -float(xlogy(p, p).sum()), q)
        down, up = max(down, -float(change.min())), max(up, float(change.max()))
    return down, up


def _rule_of_three(level: float, samples: float) -> float:
    """The probability that a state without a row may have."""
    return min(-math.log(level) / samples, 0.5)


def _change(p: Floats, entropy: float, q: float) -> Floats:
    """What an entropy gains where a state of probability p is given q of everything."""
    rest = (1 - q) * (entropy + xlogy(p, p) - (1 - p) * math.log1p(-q))
    mixed = (1 - q) * p + q
    return np.asarray(rest - xlogy(mixed, mixed) - entropy)
