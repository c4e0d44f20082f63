"""Sums of estimates: their sampling errors, and how far the interval of each reaches for its bias."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from synergy.statistics.intervals import normal_interval
from synergy.statistics.paired import paired_estimate
from synergy.statistics.result import Estimate
from synthetic import Sample
from theory import Expression, parse_expression

__all__ = ["combine", "reach_of", "reach_of_strata", "reach_of_terms", "summed"]

Floats = npt.NDArray[np.float64]

Part = tuple[float, Estimate]
"""A coefficient and the estimate that it multiplies."""


def reach_of(found: Estimate) -> tuple[float, float]:
    """How far an interval reaches below and above the one of sampling error by the normal law.

    Example:
        >>> found = Estimate("I(X;Y)", 0.5, 0.1, (0.2, 0.9), 0.95, "ksg1", 100)
        >>> down, up = reach_of(found)
        >>> round(down, 3), round(up, 3)
        (0.104, 0.204)
    """
    low, high = normal_interval(found.value, found.standard_error, found.confidence)
    return max(0.0, low - found.interval[0]), max(0.0, found.interval[1] - high)


def reach_of_terms(parts: Sequence[Part]) -> tuple[float, float]:
    """How far the interval of sum_i c_i part_i reaches, for different terms of the same rows.

    The reaches are for biases, which do not average out: they add up, each times |c_i|. A negative c_i turns
    a reach below into one above.

    Example:
        >>> found = Estimate("I(X;Y)", 0.5, 0.0, (0.5, 0.75), 0.95, "ksg1", 100)
        >>> reach_of_terms([(2.0, found), (-1.0, found)])
        (0.25, 0.5)
    """
    down = up = 0.0
    for c, part in parts:
        below, above = reach_of(part)
        down += max(c * below, -c * above)
        up += max(c * above, -c * below)
    return down, up


def reach_of_strata(parts: Sequence[Part]) -> tuple[float, float]:
    """How far the interval of sum_d p(d) part_d reaches, for one term within strata, which share no row.

    Each stratum says on its own, and with noise, to which side the bias lies. What it reaches to both sides
    is as good as sampling error, of which the squares add; what it reaches further to one side adds with its
    sign. So a bias that the strata share is kept, and noise is not. Of ten strata of independent Gaussian
    rows the interval is twice as wide as that of sampling error; with all reaches added up, four times.

    Example:
        >>> up = Estimate("I(X;Y)", 0.5, 0.0, (0.5, 0.75), 0.95, "ksg1", 100)
        >>> down = Estimate("I(X;Y)", 0.5, 0.0, (0.25, 0.5), 0.95, "ksg1", 100)
        >>> reach_of_strata([(0.5, up), (0.5, up)]), reach_of_strata([(0.5, up), (0.5, down)])
        ((0.0, 0.25), (0.0, 0.0))
    """
    squares = lean = 0.0
    for share, part in parts:
        below, above = reach_of(part)
        squares += (share * min(below, above)) ** 2
        lean += share * (above - below)
    both = math.sqrt(squares)
    return both + max(0.0, -lean), both + max(0.0, lean)


def summed(
    term: str,
    parts: Sequence[Part],
    error: float,
    reach: tuple[float, float],
    *,
    samples: int,
    confidence: float,
    notes: Sequence[str] = (),
    warnings: Sequence[str] = (),
    scores: Floats | None = None,
) -> Estimate:
    """sum_i c_i part_i, with an interval of its sampling error that reaches further below and above.

    Args:
        term: What is estimated.
        parts: Each coefficient c_i and its estimate.
        error: The standard error of the sum.
        reach: How much further the interval reaches below and above.
        samples: The number of rows.
        confidence: The nominal coverage, the same as of the parts.
        notes: What was done.
        warnings: What to beware of.
        scores: One influence value per row, where all parts have them.
    """
    value = float(sum(c * part.value for c, part in parts))
    low, high = normal_interval(value, error, confidence)
    return Estimate(
        term=term,
        value=value,
        standard_error=error,
        interval=(low - reach[0], high + reach[1]),
        confidence=confidence,
        estimator=" + ".join(dict.fromkeys(part.estimator for _, part in parts)),
        samples=samples,
        notes=tuple(dict.fromkeys(notes)),
        scores=scores,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def combine(
    sample: Sample,
    expression: Expression,
    run: Callable[..., Estimate],
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """A linear expression, term by term, paired row by row where every estimate has scores.

    Without scores the standard errors are added, which is the most they can come to. That holds whatever the
    terms share, so all of them have one seed: what is drawn alike for two terms cancels in their difference.
    """
    parts = [
        (float(c), run(sample, parse_expression(term), confidence=confidence, seed=seed))
        for c, term in expression.summands
    ]
    notes = [note for _, part in parts for note in part.notes]
    scores = None
    if all(part.scores is not None for _, part in parts):
        scores = sum((c * part.scores for c, part in parts if part.scores is not None), np.zeros(len(sample)))
        groups = None if sample.groups is None else sample[sample.groups]
        error = paired_estimate(
            scores, term=str(expression), estimator="sum", confidence=confidence, groups=groups
        ).standard_error
    else:
        error = sum(abs(c) * part.standard_error for c, part in parts)
        notes.append("standard errors of the terms were added, not paired")
    return summed(
        str(expression),
        parts,
        error,
        reach_of_terms(parts),
        samples=len(sample),
        confidence=confidence,
        notes=notes,
        warnings=[warning for _, part in parts for warning in part.warnings],
        scores=scores,
    )
