r"""From a measured gap to a verdict, with the error rate controlled over the whole table.

A relation is reduced to its gap g (`>= 0`, `> 0` or `== 0`). With a margin m that is stated in the
table a gap smaller than m counts as none: an inequality is *verified* when the hypothesis g <= -m is
rejected and *violated* when g >= -m is; a strict one is verified when g <= m is rejected and violated
when g >= m is; an equality is verified when both g <= -m and g >= m are rejected (two one-sided tests,
Schuirmann 1987) and violated when |g| <= m is. All tests are one-sided normal tests on the estimate and
its standard error; at most one of the two can be rejected. Holm's step-down procedure (Holm 1979) then
bounds the chance of any wrong rejection in the table by alpha, whatever the dependence between the
rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.stats import norm

from theory.expressions import Operator, Relation

__all__ = ["Gap", "combine", "decide", "holm", "p_values", "rows_needed"]

Outcome = Literal["verified", "violated", "inconclusive"]


@dataclass(frozen=True)
class Gap:
    """A measured gap of one relation, in nats.

    Args:
        relation: The relation.
        value: The estimate of the gap.
        standard_error: Its standard error.
        samples: The number of rows behind it.
    """

    relation: Relation
    value: float
    standard_error: float
    samples: int

    @property
    def operator(self) -> Operator:
        """The comparison of the relation."""
        return self.relation.operator

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """The two-sided normal confidence interval."""
        half = float(norm.isf((1 - confidence) / 2)) * self.standard_error
        return self.value - half, self.value + half


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
    g, se = gap.value, gap.standard_error
    below, above = _upper_tail(-g, margin, se), _upper_tail(g, margin, se)
    if gap.operator == "==":
        return max(_upper_tail(g, -margin, se), _upper_tail(-g, -margin, se)), min(1.0, 2 * min(below, above))
    if gap.operator in (">", "<"):
        return above, _upper_tail(-g, -margin, se)
    return _upper_tail(g, -margin, se), below


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
    if gap.operator == "==":
        distance = abs(margin - abs(gap.value))
    else:
        distance = abs(gap.value - margin if gap.operator in (">", "<") else gap.value + margin)
    if distance == 0:
        return None
    z = float(norm.isf(alpha) + norm.isf(1 - power))
    return math.ceil(gap.samples * (z * gap.standard_error / distance) ** 2)
