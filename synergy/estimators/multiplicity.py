"""How often things occur among independent draws: a law that holds whatever is drawn.

Where draws are independent, the number F_k of the different things that occur k times has the mean
sum of (l^k / k!) exp(-l) over the mean counts l of all things that there could be, and by the inequality of
Cauchy and Schwarz

    (k! E F_k)^2 <= (k - 1)! E F_(k-1) (k + 1)! E F_(k+1),

whatever the distribution is: with functions, atoms, few states or many. Where every row was entered twice
there are none that occur once or three times. It holds as well for the cells of any partition of the space in
which the rows lie: rows that come in pairs which are close together break it where a cell holds a pair, and
most cells hold no other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

__all__ = ["most_unlikely_multiplicity"]

Integers = npt.NDArray[np.int64]


def most_unlikely_multiplicity(
    counts: Integers, level: float, *, least: int = 1, most: int | None = None
) -> int | None:
    """The first k of which more things occur k times than the law allows; None where there is none.

    Args:
        counts: How often each of the different things occurs.
        level: The chance that one of the three numbers F_(k-1), F_k, F_(k+1) is beyond its bound. All three
            must conspire to break the law by chance.
        least: Fewer things than this that occur k times are not looked at.
        most: The largest k that is looked at; all by default.

    Example:
        >>> most_unlikely_multiplicity(np.full(50, 2), 0.01)
        2
        >>> most_unlikely_multiplicity(np.random.default_rng(0).poisson(1.0, 500), 0.01) is None
        True
    """
    times = np.bincount(counts[counts > 0])[: None if most is None else most + 2]
    found = np.append(times, 0).astype(np.float64)
    lower = chi2.ppf(level, 2 * np.maximum(found, 1)) / 2 * (found > 0)
    upper = chi2.isf(level, 2 * (found + 1)) / 2
    k = np.arange(2, min(len(times), len(times) if most is None else most + 1))
    beyond = np.square(lower[k]) > (k + 1) / k * upper[k - 1] * upper[k + 1]
    beyond &= found[k] >= least
    return int(k[np.argmax(beyond)]) if beyond.any() else None
