"""Successive halving: every task gets a few seeds, clear losers get no more.

After each look the lower half of the tasks that are left is examined, and those of it that are worse than
the best beyond doubt (Holm's correction over all of them) are dropped. A task that might still be among the
best is kept, whatever half it is in. The idea is that of Jamieson and Talwalkar (2016, arXiv:1502.07943),
whose budget is training time; here it is training seeds, so that every pilot is trained alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from synergy.ranking.gains import Scores, Seeds, compared

__all__ = ["FEWEST", "dropped", "looks"]

FEWEST = 3
"""So many tasks are never dropped."""

_MANY = 12
"""With more tasks there are three looks, if there are seeds for them."""

_ALPHA = 0.05
"""The chance of dropping in one look any task that is as good as the best of it."""


def looks(seeds: int, tasks: int) -> tuple[int, ...]:
    """How many seeds are done at each look.

    Example:
        >>> looks(4, 7), looks(4, 30), looks(2, 7), looks(4, 3)
        ((2, 4), (2, 3, 4), (2,), (4,))
    """
    if seeds < 3 or tasks <= FEWEST:
        return (seeds,)
    if tasks > _MANY and seeds >= 4:
        return (2, (2 + seeds) // 2, seeds)
    return (2, seeds)


def dropped(scores: Mapping[str, Scores], seeds: Seeds) -> list[str]:
    """The tasks that get no more seeds.

    Args:
        scores: Rightness by task, shape (seeds, m).
        seeds: The variances between seeds.
    """
    order = sorted(scores, key=lambda name: (-float(scores[name].mean()), name))
    lower = order[max(FEWEST, (len(order) + 1) // 2) :]
    found = {name: compared(scores, order[0], name, seeds) for name in lower}
    losers = []
    for rank, name in enumerate(sorted(lower, key=lambda n: found[n].p_value())):
        if found[name].p_value() > _ALPHA / (len(lower) - rank):
            break
        losers.append(name)
    return losers
