"""The choice of an estimator by the kinds, dimensions and sizes of the columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from synergy.estimators.classifier import classifier, paired_estimate
from synergy.estimators.entries_discrete import run_plug_in
from synergy.estimators.entry import Entry
from synergy.estimators.intake import split_columns
from synergy.estimators.intervals import normal_interval
from synergy.estimators.result import Estimate
from synthetic import Sample
from theory import Expression, parse_expression

__all__ = ["AUTO_ENTRY", "auto", "combine"]


def auto(sample: Sample, expression: Expression, *, confidence: float = 0.95, seed: int = 0) -> Estimate:
    """Choose an estimator, run it, and say in `notes` what was chosen and why.

    Args:
        sample: The data.
        expression: A term or a linear combination.
        confidence: The nominal coverage of the interval.
        seed: Fixes everything random.

    Raises:
        ValueError: If no estimator can take the columns.
    """
    discrete, continuous, images = split_columns(sample, expression.variables)
    if not continuous and not images:
        found = run_plug_in(sample, expression, correction="digamma", confidence=confidence)
        return _with_note(found, "auto chose the discrete estimator: every column is discrete")
    if len(expression.terms) > 1:
        return combine(sample, expression, auto, confidence=confidence, seed=seed)
    term = expression.terms[0]
    if any(all(name in discrete for name in group) for group in term.groups):
        found = classifier(sample, expression, confidence=confidence, seed=seed)
        why = f"{images[0]} is an image" if images else f"{continuous[0]} is continuous"
        return _with_note(found, f"auto chose the classifier: {why} and a slot is discrete")
    raise ValueError(f"no estimator can take {term}")


def combine(
    sample: Sample,
    expression: Expression,
    run: Callable[..., Estimate],
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """A linear expression, term by term, paired row by row where every estimate has scores.

    Without scores the standard errors are added, which is the most they can come to.
    """
    parts = [
        (float(c), run(sample, parse_expression(term), confidence=confidence, seed=seed))
        for c, term in expression.summands
    ]
    value = sum(c * part.value for c, part in parts)
    names = " + ".join(dict.fromkeys(part.estimator for _, part in parts))
    notes = dict.fromkeys(note for _, part in parts for note in part.notes)
    if all(part.scores is not None for _, part in parts):
        scores = sum((c * part.scores for c, part in parts if part.scores is not None), np.zeros(len(sample)))
        groups = None if sample.groups is None else sample[sample.groups]
        paired = paired_estimate(
            scores, term=str(expression), estimator=names, confidence=confidence, groups=groups
        )
        error = paired.standard_error
    else:
        scores = None
        error = sum(abs(c) * part.standard_error for c, part in parts)
        notes["standard errors of the terms were added, not paired"] = None
    return Estimate(
        term=str(expression),
        value=value,
        standard_error=error,
        interval=normal_interval(value, error, confidence),
        confidence=confidence,
        estimator=names,
        samples=len(sample),
        notes=tuple(notes),
        scores=scores,
    )


def _with_note(found: Estimate, note: str) -> Estimate:
    return replace(found, notes=(note, *found.notes))


AUTO_ENTRY = Entry(
    "auto",
    "any",
    "this library",
    "chooses by the kinds, dimensions and sizes of the columns and says what and why",
    auto,
)
"""The choice itself, in the registry."""
