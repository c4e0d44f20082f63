"""What a number cannot leave: accuracies, rank correlations, informations and their differences.

Who makes a number says what it is. The words beside it are for readers, and change no interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "ACCURACY",
    "ANYTHING",
    "CORRELATION",
    "GAIN",
    "SQUARES",
    "Information",
    "Limits",
    "Quantity",
    "apart",
    "limits_of",
]

Limits = tuple[float, float]
"""The least and the most that a number can be."""


def apart(limits: Limits) -> Limits:
    """What the difference of two numbers cannot leave that both lie within the limits.

    Example:
        >>> apart((0.0, 1.0)), apart((-1.0, 1.0))
        ((-1.0, 1.0), (-2.0, 2.0))
    """
    least, most = limits
    return least - most, most - least


ANYTHING: Limits = (-math.inf, math.inf)
"""Of a ratio."""

ACCURACY: Limits = (0.0, 1.0)
"""Of a share of right guesses."""

GAIN: Limits = apart(ACCURACY)
"""Of one accuracy less another."""

CORRELATION: Limits = (-1.0, 1.0)
"""Of a rank correlation."""

SQUARES: Limits = (0.0, math.inf)
"""Of a mean of squares."""


@dataclass(frozen=True)
class Information:
    """An information or an entropy: it lies between 0 and the entropy of any of its sides.

    Args:
        sides: The variables whose entropies it cannot exceed, such as A and C of I(A;C|Z).
    """

    sides: tuple[str, ...]

    def __init__(self, *sides: str) -> None:
        object.__setattr__(self, "sides", sides)

    def within(self, entropies: Mapping[str, float]) -> Limits:
        """What it cannot leave, in nats.

        Args:
            entropies: The most that can be known of a variable, in nats, by its name.

        Example:
            >>> Information("A", "C").within({"A": 1.5, "C": 2.0}), Information("V").within({"A": 1.5})
            ((0.0, 1.5), (0.0, inf))
        """
        return 0.0, min((entropies.get(side, math.inf) for side in self.sides), default=math.inf)


Quantity = Limits | Information
"""What a number is: by its limits, or as an information, whose limits depend on the runs."""


def limits_of(quantity: Quantity | None, entropies: Mapping[str, float] | None = None) -> Limits | None:
    """What a number of this kind cannot leave; None where nothing is known.

    Args:
        quantity: What it is; None where that is not said.
        entropies: The most that can be known of a variable, in nats, by its name; None to know no
            information, so that an estimate of 0 may be negative.

    Example:
        >>> limits_of(ACCURACY), limits_of(Information("A")), limits_of(Information("A"), {"A": 1.5})
        ((0.0, 1.0), None, (0.0, 1.5))
    """
    if isinstance(quantity, Information):
        return None if entropies is None else quantity.within(entropies)
    return quantity
