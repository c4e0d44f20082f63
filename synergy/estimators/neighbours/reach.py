r"""How far the interval must reach beyond sampling error: the bias that neighbours show, and what to warn of.

The value of a nearest-neighbour estimate moves with k where the density is not flat across k neighbours.
With a bias that grows like k^(1/2) (between the first and the second order of that expansion), the limit
k -> 0 lies beyond the value at k by

    (v(k) - v(2k)) / (2^(1/2) - 1)   and by   (v(k/2.5) - v(k)) / (1 - 2.5^(-1/2)),

2.4 and 2.7 times the moves, and 1.3 times both together, whose noise is smaller. Over 60 families
(benchmarks/silence.py) the bias at 300 rows was between none and 1.4 times the largest of these wherever
neighbours moved at all. So the interval reaches that far, to the side that the moves point to.

Of a pair of columns two more are looked at. A third move, v(k) - v(4k), is as large as the bias by the same
law. And where a density ends sharply (a uniform sum, a turned square) the normal scores stretch its edge, and
the value creeps with k more slowly than k^(1/2); on ranks, which are flat there, a few neighbours see most of
what is missing. With these, the upper end of a 95 % interval is too low in more than 12 % of 40 data sets of
300 rows in 2 of 38 families (10 without them), with a reach of 0.15 nats on average instead of 0.12; half of
the families, which had no part in the choice, are covered in 96 % (92).

What moves nothing, such as a common scale of six columns, cannot be seen so: there a copula that is not
Gaussian is warned of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from synergy.estimators.columns import Slot

__all__ = ["Moves", "ceiling_warning", "reach", "resolution_warning"]

Floats = npt.NDArray[np.float64]

_OF_MORE, _OF_FEWER, _OF_BOTH = 1 / (2**0.5 - 1), 1 / (1 - 2.5**-0.5), 1 / (2**0.5 - 2.5**-0.5)
"""How many times its move with 2 k, with k / 2.5, and between these two, the value may be off (see above)."""

_OF_MOST, _OF_RANKS = 1 / (4**0.5 - 1), 1.5
"""The same for 4 k, and for a few neighbours on ranks, which was chosen on half of the families above."""

_NOISE_OF_MORE, _NOISE_OF_FEWER, _NOISE_OF_BOTH, _NOISE_OF_MOST, _NOISE_OF_RANKS = 0.3, 0.8, 0.4, 0.3, 0.8
"""Moves of less than these shares of the standard error are noise of the neighbours (measured on
Gaussians)."""

_NEAR_CEILING = 0.8
"""Beyond this share of the labels' entropy the estimates are skewed: 95 % intervals of 500 rows covered in
95 % of data sets at a share of 0.64, in 92 to 94 % at 0.85 and in 78 to 83 % at 0.98."""

_NEAR_RESOLUTION = 0.55
"""Beyond this share of psi(n) - psi(k) neighbours fall short: with 500 Gaussian rows 95 % intervals
covered in 93 % of data sets at half of it, in 82 % at 0.7 and in 12 % at the whole, on normal scores."""

_REACHES_RESOLUTION = 0.9
"""Intervals of pairs reach further, and only those whose upper end is beyond this share are not to be
trusted: all of 30 sets each of three functions without noise, whose information is infinite, at 100 to 1,000
rows, also where the value is at 0.4 of the most; Gaussian pairs of 2 nats and 100 rows, all of which are
covered, in 7 %."""


@dataclass(frozen=True)
class Moves:
    """How the value moves with the number of neighbours.

    Args:
        more: The value at k less that at 2 k.
        fewer: The value at k / 2.5 less that at k.
        most: The value at k less that at 4 k.
        ranks: The value at k / 2.5 on ranks less that at k.
    """

    more: float
    fewer: float
    most: float = 0.0
    ranks: float = 0.0


def reach(moves: Moves, error: float) -> tuple[float, float]:
    """How far the bias may lie below and above the value.

    Example:
        >>> down, up = reach(Moves(0.1, 0.05), 0.02)
        >>> down, round(up, 2)
        (0.0, 0.23)
    """
    parts = (
        (_OF_MORE, moves.more, _NOISE_OF_MORE),
        (_OF_FEWER, moves.fewer, _NOISE_OF_FEWER),
        (_OF_BOTH, moves.more + moves.fewer, _NOISE_OF_BOTH),
        (_OF_MOST, moves.most, _NOISE_OF_MOST),
        (_OF_RANKS, moves.ranks, _NOISE_OF_RANKS),
    )
    up = max(times * max(0.0, move - noise * error) for times, move, noise in parts)
    down = max(times * max(0.0, -move - noise * error) for times, move, noise in parts)
    return down, up


def ceiling_warning(slots: list[Slot], value: float) -> list[str]:
    """What to say where the value comes near the entropy of a slot of labels, which it cannot exceed."""
    from scipy.stats import entropy

    labels = [s.values for s in slots[:2] if s.discrete.all()]
    if not labels:
        return []
    counts = [np.unique(column, axis=0, return_counts=True)[1] for column in labels]
    ceiling = min(float(entropy(count)) for count in counts)
    if value <= _NEAR_CEILING * ceiling:
        return []
    return [
        f"close to the entropy of the labels, {ceiling:.3f} nats, which information cannot exceed: estimates "
        "are skewed there and the interval is of sampling error only"
    ]


def resolution_warning(value: float, high: float | None, n: int, k: int) -> list[str]:
    """What to say where psi(n) - psi(k), the most that k neighbours can show, is near.

    Args:
        value: The estimate, without a correction.
        high: The upper end of an interval that reaches as far as the neighbours move; None or NaN where there
            is none.
        n: The number of rows.
        k: The number of neighbours.
    """
    most = float(digamma(n) - digamma(k))
    if high is None or math.isnan(high):
        near = value > _NEAR_RESOLUTION * most
    else:
        near = high > _REACHES_RESOLUTION * most
    if not near:
        return []
    return [
        f"near the most that {k} neighbours among {n} rows can show, {most:.2f} nats: the information may be "
        "larger, infinite if one slot is a function of the other, and the interval too low"
    ]
