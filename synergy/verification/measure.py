"""Measuring the gap of a relation on a sample, by plug-in entropies or by held-out log losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from synergy.estimators.classifier import CrossFit
from synergy.estimators.discrete.plug_in import plug_in
from synergy.verification.decide import Gap
from synergy.verification.routes import choose
from synthetic import Sample
from theory import Relation, Statement, parse_statement, prove

__all__ = ["Measurement", "clustered_error", "measure", "shannon"]


@dataclass(frozen=True)
class Measurement:
    """A measured relation.

    Args:
        gap: The number and its error.
        by_construction: Whether this way of measuring could not have contradicted the relation.
        note: How it was measured.
        plug_in: Whether it came from plug-in entropies, or the truth, and not from predictions.
    """

    gap: Gap
    by_construction: bool
    note: str
    plug_in: bool = True


@cache
def shannon(relation: Relation, given: tuple[Statement, ...] = ()) -> bool:
    """Whether the relation holds for every distribution that satisfies `given`, with no diagram.

    Such a relation cannot be contradicted by entropies that all come from one joint distribution, be it
    exact or empirical.
    """
    outcome = prove(Statement((relation,)), given=given, counterexample=False)
    return outcome.verdict == "proved"


def clustered_error(scores: npt.NDArray[np.float64], groups: npt.NDArray[np.integer] | None) -> float:
    """The standard error of the mean of scores of shape (n,), rows of one group being dependent."""
    n = len(scores)
    centred = scores - scores.mean()
    if groups is None:
        return float(np.sqrt((centred**2).sum() / (n - 1) / n))
    _, index = np.unique(groups, return_inverse=True)
    sums = np.bincount(index.reshape(-1), weights=centred)
    return float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / n)


def measure(
    relation: Relation,
    sample: Sample,
    fit: CrossFit,
    *,
    deterministic: bool,
    given: tuple[Statement, ...] = (),
    column: Mapping[str, str] | None = None,
) -> Measurement:
    """Measure the gap of a relation.

    Relations among discrete columns use plug-in entropies, which all come from one empirical joint;
    all others use the route of `routes.choose`.

    Args:
        relation: The relation; its variables are columns of the sample.
        sample: The data.
        fit: The cross-fitted losses on the same data.
        deterministic: Whether Z is a function of X in the sample.
        given: What the claim assumes.
        column: The column that plays a variable, where it has another name.

    Raises:
        RouteError: If a term cannot be measured by prediction.
        ValueError: If the sample lacks a variable.
    """
    shown, relation = relation, relation.replace(column or {})
    kinds = {v: sample.variables[v].kind for v in relation.variables if sample[v] is not None}
    groups = None if sample.groups is None else sample[sample.groups]
    if set(kinds.values()) == {"discrete"}:
        codes = {v: sample[v] for v in kinds}
        sizes = {v: sample.variables[v].cardinality or 1 for v in kinds}
        estimate = plug_in(relation.gap, codes, cardinalities=sizes, groups=groups)
        low, high = estimate.interval
        error = (high - low) / (2 * float(norm.isf((1 - estimate.confidence) / 2)))
        facts = given
        if deterministic and {"X", "Z"} <= set(kinds):
            facts = (*given, parse_statement("H(Z|X) == 0"))
        gap = Gap(str(shown), relation.operator, estimate.value, error, len(sample))
        return Measurement(gap, shannon(relation, facts), _plug_in_note(relation))
    discrete = {name for name, v in sample.variables.items() if v.kind == "discrete"}
    route = choose(relation, discrete)
    scores = np.zeros(len(sample))
    for loss, coefficient in route.gap.items():
        scores += float(coefficient) * fit.losses(loss.target, loss.given)
    gap = Gap(
        str(shown),
        relation.operator,
        float(scores.mean()),
        clustered_error(scores, groups),
        len(sample),
    )
    shared = f"; shared losses {', '.join(map(str, route.shared))}" if route.shared else ""
    note = f"usable information, gap = {route}{shared}"
    return Measurement(gap, route.by_construction, note, plug_in=False)


def _plug_in_note(relation: Relation) -> str:
    """Says so where the gap does not depend on all that the relation names."""
    form = relation.gap.entropies()
    left = set().union(*form) if form else set()
    if left == set(relation.variables):
        return "plug-in entropies of one empirical joint"
    parts = " ".join(f"{'-' if c < 0 else '+'} H({','.join(sorted(s))})" for s, c in form.items())
    return f"plug-in entropies of one empirical joint, in which the gap is {parts.removeprefix('+ ') or '0'}"
