"""What a number cannot leave: accuracies, rank correlations, informations and their differences."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

__all__ = ["Limits", "apart", "limits_of"]

Limits = tuple[float, float]
"""The least and the most that a number can be."""

_TERM = re.compile(r"([IH])\(([^|)]*)(?:\|[^)]*)?\)(?=[ ,]|$)")
"""A term at the start of a name, such as I(A;C|Z), with what stands before its bar."""


def apart(limits: Limits) -> Limits:
    """What the difference of two numbers cannot leave that both lie within the limits.

    Example:
        >>> apart((0.0, 1.0)), apart((-1.0, 1.0))
        ((-1.0, 1.0), (-2.0, 2.0))
    """
    least, most = limits
    return least - most, most - least


def limits_of(quantity: str, entropies: Mapping[str, float] | None = None) -> Limits | None:
    """What a number cannot leave, by the name that tables and findings give it; None where nothing is known.

    An accuracy lies between 0 and 1, a rank correlation between -1 and 1, and an information between 0 and
    the entropy of either side. So one accuracy less another lies between -1 and 1, and so on; the gain of
    the tables is such a difference. A term counts where the name begins with it, and a ratio has no limits.

    Args:
        quantity: The name.
        entropies: The most that can be known of a variable, in nats, by its name; None to know no term.

    Example:
        >>> limits_of("class accuracy"), limits_of("accuracy of c4 less that of cnn"), limits_of("I(A;Z)")
        ((0.0, 1.0), (-1.0, 1.0), None)
        >>> limits_of("I(A;C|Z), unmarked", {"A": 1.5, "C": 2.0}), limits_of("rank correlation of J")
        ((0.0, 1.5), (-1.0, 1.0))
    """
    words = re.split(r"[ ,:]+", quantity.strip())
    differs = "less" in words
    if "rank correlation" in quantity:
        return apart((-1.0, 1.0)) if differs else (-1.0, 1.0)
    if "over" in words or " - " in quantity:
        return None
    if words[0] == "moved":  # a mean of squares
        return 0.0, math.inf
    if quantity == "gain" or ("accuracy" in words and "nats" not in words):
        return (-1.0, 1.0) if differs or "gain" in words else (0.0, 1.0)
    term = _TERM.match(quantity)
    if term is None or entropies is None:
        return None
    sides = term[2].split(";")
    found = 0.0, min(entropies.get(side, math.inf) for side in sides)
    return apart(found) if differs else found
