r"""From a measured gap to a verdict, with the error rate controlled over the whole table.

A relation is reduced to its gap g (`>= 0`, `> 0` or `== 0`). With a margin m that is stated in the
table a gap smaller than m counts as none: an inequality is *verified* when the hypothesis g <= -m is
rejected and *violated* when g >= -m is; an equality is verified when both g <= -m and g >= m are rejected
(two one-sided tests, Schuirmann 1987) and violated when |g| <= m is. A strict inequality is verified when
g <= 0 is rejected, or g <= m where something was fitted and the margin stands for what that costs; it is
violated when g >= m is rejected and the interval of g is not wholly above 0. All tests are read off the
ends of the 95 % interval, as if both sides were normal. Those of 0 take both tails: at independence an
interval spends its whole level on one. Holm's step-down procedure (Holm 1979) then bounds the chance of any
wrong rejection in the table by alpha, whatever the dependence between the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.stats import norm

from theory.expressions import Operator, Relation

__all__ = ["Gap", "apart", "combine", "decide", "holm", "p_values", "rows_needed"]

_NORMAL = float(norm.isf(0.025))
"""How many standard errors a 95 % interval reaches to each side."""

Outcome = Literal["verified", "violated", "inconclusive"]


@dataclass(frozen=True)
class Gap:
    """A measured gap of one relation, in nats.

    Args:
        relation: The relation.
        value: The estimate of the gap.
        standard_error: Its standard error.
        samples: The number of rows behind it.
        ends: The ends of its 95 % interval; None for those of the normal law.
        fitted: Whether something was fitted to measure it, so that a margin stands for what that costs.
    """

    relation: Relation
    value: float
    standard_error: float
    samples: int
    ends: tuple[float, float] | None = None
    fitted: bool = False

    @property
    def operator(self) -> Operator:
        """The comparison of the relation."""
        return self.relation.operator

    @property
    def is_strict(self) -> bool:
        """Whether the relation is `>` or `<`."""
        return self.operator in (">", "<")

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        half = _NORMAL * self.standard_error
        return self.ends or (self.value - half, self.value + half)

    @property
    def errors(self) -> tuple[float, float]:
        """How far the interval reaches below and above the value, in standard errors of the normal law."""
        low, high = self.interval
        return max(0.0, self.value - low) / _NORMAL, max(0.0, high - self.value) / _NORMAL


def _upper_tail(value: float, threshold: float, standard_error: float) -> float:
    """P-value of the hypothesis that the true value is at most the threshold."""
    if standard_error == 0:
        return 0.0 if value > threshold else 1.0
    return float(norm.sf((value - threshold) / standard_error))


def p_values(gap: Gap, margin: float) -> tuple[float, float]:
    """The p-values (verify, violate): small ones speak for the verdict of that name.

    Raises:
        ValueError: If the margin is negative or the gap is not finite.
    """
    if margin < 0:
        raise ValueError(f"margin must not be negative, got {margin}")
    if not math.isfinite(gap.value) or not gap.standard_error >= 0:
        raise ValueError(
            f"a gap needs a finite value and standard error, got {gap.value}, {gap.standard_error}"
        )
    g, (down, up) = gap.value, gap.errors
    if gap.is_strict:
        above = _upper_tail(g, margin, down) if gap.fitted else min(1.0, 2 * _upper_tail(g, 0.0, down))
        return above, 1.0 if gap.interval[0] > 0 else _upper_tail(-g, -margin, up)
    not_below, below = _upper_tail(g, -margin, down), _upper_tail(-g, margin, up)
    if gap.operator == "==":
        verify = max(not_below, _upper_tail(-g, -margin, up))
        return verify, min(1.0, 2 * min(below, _upper_tail(g, margin, down)))
    return not_below, below


def apart(gap: Gap) -> float:
    """The p-value of an equality or inequality as it is written, with no margin: that the gap is on its side.

    At most 0.05 where the 95 % interval lies on the other side of 0. A strict inequality has none such: 1.
    """
    g, (down, up) = gap.value, gap.errors
    if gap.is_strict:
        return 1.0
    below = _upper_tail(-g, 0.0, up)
    return min(1.0, 2 * (min(below, _upper_tail(g, 0.0, down)) if gap.operator == "==" else below))


def combine(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The p-values of a conjunction: every part must be verified, one violated part suffices."""
    if not pairs:
        raise ValueError("a conjunction needs at least one part, got none")
    return max(p for p, _ in pairs), min(1.0, len(pairs) * min(q for _, q in pairs))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: rejecting those at most alpha keeps the family-wise error at alpha.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        running = max(running, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = running
    return adjusted


def decide(verify: float, violate: float, alpha: float) -> Outcome:
    """The verdict from the two adjusted p-values."""
    if verify <= alpha:
        return "verified"
    return "violated" if violate <= alpha else "inconclusive"


def rows_needed(gap: Gap, margin: float, *, alpha: float, power: float = 0.9) -> int | None:
    """How many rows would decide an inconclusive gap if its true value were the estimate.

    Returns:
        The number of rows, or None where the estimate sits on the boundary of its hypothesis.
    """
    g, tail = gap.value, alpha
    if gap.operator == "==":
        distance = abs(margin - abs(g))
    elif not gap.is_strict:
        distance = abs(g + margin)
    elif gap.fitted or g <= 0:
        distance = abs(g - margin)
    else:
        distance, tail = g, alpha / 2
    if distance == 0:
        return None
    z = float(norm.isf(tail) + norm.isf(1 - power))
    return math.ceil(gap.samples * (z * max(gap.errors) / distance) ** 2)
