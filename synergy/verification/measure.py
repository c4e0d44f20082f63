"""Measuring the gap of a relation on a sample, by plug-in entropies or by held-out log losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from synergy.estimators.classifier import CrossFit
from synergy.estimators.discrete.plug_in import plug_in
from synergy.statistics.decision import Gap
from synergy.statistics.errors import clustered_error
from synergy.verification.routes import RouteError, choose, routes
from synthetic import Answer, Sample
from theory import Expression, Relation, Statement, Term, parse_statement, prove

__all__ = ["Known", "Measurement", "measure", "shannon"]


@dataclass(frozen=True)
class Measurement:
    """A measured relation.

    Args:
        gap: The number and its error.
        by_construction: Whether this way of measuring could not have contradicted the relation.
        note: How it was measured.
        plug_in: Whether it came from entropies of one empirical joint and not from predictions.
        smallest: For an equality by predictions, the term nearest to 0 and its value, in nats: with a margin
            that is larger, the equality could not be told from one without it.
    """

    gap: Gap
    by_construction: bool
    note: str
    plug_in: bool = True
    smallest: tuple[str, float] | None = None


@cache
def shannon(relation: Relation, given: tuple[Statement, ...] = ()) -> bool:
    """Whether the relation holds for every distribution that satisfies `given`, with no diagram.

    Such a relation cannot be contradicted by entropies that all come from one joint distribution, be it
    exact or empirical.
    """
    outcome = prove(Statement((relation,)), given=given, counterexample=False)
    return outcome.verdict == "proved"


Known = Callable[[Expression], Answer | None]
"""The exact value of an expression of latents and raw inputs, or None where the generator has none."""


def measure(
    relation: Relation,
    sample: Sample,
    fit: CrossFit,
    *,
    deterministic: bool,
    given: tuple[Statement, ...] = (),
    column: Mapping[str, str] | None = None,
    known: Known | None = None,
) -> Measurement:
    """Measure the gap of a relation.

    Relations among discrete columns use plug-in entropies, which all come from one empirical joint, and
    those among vectors the log-determinants of one empirical covariance; all others use the route of
    `routes.choose`.

    Args:
        relation: The relation; its variables are columns of the sample.
        sample: The data.
        fit: The cross-fitted losses on the same data.
        deterministic: Whether Z is a function of X in the sample.
        given: What the claim assumes.
        column: The column that plays a variable, where it has another name.
        known: Gives the terms of the raw input X their exact value, so that what a representation holds
            is compared with the truth; None to estimate them too.

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
        gap = Gap(shown, estimate.value, error, len(sample))
        note = "; ".join([_plug_in_note(relation), *(f"warning: {words}" for words in estimate.warnings)])
        return Measurement(gap, shannon(relation, facts), note)
    if set(kinds.values()) == {"continuous"}:
        value, scores = _gaussian(relation, sample)
        gap = Gap(shown, value, clustered_error(scores, groups), len(sample))
        note = "log-determinants of one empirical covariance, which assumes that all is Gaussian"
        return Measurement(gap, shannon(relation, given), note)
    if sample.groups in kinds:
        raise RouteError(
            f"{sample.groups} names the raw input, which no two folds share: nothing can be predicted from it"
        )
    exact, terms = _exactly(relation, known)
    discrete = {name for name, v in sample.variables.items() if v.kind == "discrete"}
    route = choose(relation, discrete, known=terms)
    scores = np.zeros(len(sample))
    for loss, coefficient in route.gap.items():
        scores += float(coefficient) * fit.losses(loss.target, loss.given)
    value, error = float(scores.mean()), clustered_error(scores, groups)
    note = f"usable information, gap = {route}"
    if exact is not None:
        value, error = value + exact.value, math.hypot(error, exact.standard_error)
        note += f" + {exact.value:.4f}, the exact {exact.expression} ({exact.method})"
        measured = [c for loss, c in route.gap.items() if not set(loss.given) <= discrete]
        if all(c > 0 for c in measured):
            note += "; such losses bound their entropies from above: only a leak between the folds, or a "
            note += "wrong exact value, could contradict this"
    if route.shared:
        note += f"; shared losses {', '.join(map(str, route.shared))}"
    gap = Gap(shown, value, error, len(sample))
    smallest = _smallest(relation, discrete, fit, terms) if relation.operator == "==" else None
    return Measurement(gap, route.by_construction, note, plug_in=False, smallest=smallest)


def _smallest(
    relation: Relation, discrete: set[str], fit: CrossFit, known: frozenset[Term]
) -> tuple[str, float]:
    """The measured term nearest to 0, times its coefficient, and that number in nats."""
    found = []
    for coefficient, term in relation.gap.summands:
        if term not in known:
            form = routes(term, discrete)[0]
            value = sum(float(c) * fit.losses(loss.target, loss.given).mean() for loss, c in form.items())
            found.append((str(term), abs(float(coefficient) * value)))
    return min(found, key=lambda pair: pair[1])


def _exactly(relation: Relation, known: Known | None) -> tuple[Answer | None, frozenset[Term]]:
    """The exact sum of the terms of X in the gap and those terms, where there are other terms too."""
    of_input = tuple((c, term) for c, term in relation.gap.summands if "X" in term.variables)
    if known is None or not of_input or len(of_input) == len(relation.gap.summands):
        return None, frozenset()
    answer = known(Expression(of_input))
    return answer, frozenset(term for _, term in of_input) if answer is not None else frozenset()


def _gaussian(relation: Relation, sample: Sample) -> tuple[float, npt.NDArray[np.float64]]:
    """The gap by Gaussian entropies and its influence on each row, shape (n,).

    h(Y) = 1/2 log det(2 pi e S) with S the empirical covariance of Y, whose influence function at y is
    1/2 ((y - mean)' S^-1 (y - mean) - dim Y).
    """
    value, scores = 0.0, np.zeros(len(sample))
    for names, coefficient in relation.gap.entropies().items():
        y = np.hstack([sample[name].reshape(len(sample), -1) for name in sorted(names)]).astype(np.float64)
        y = y - y.mean(axis=0)
        covariance = y.T @ y / len(y)
        sign, log_det = np.linalg.slogdet(covariance)
        if sign <= 0:
            raise RouteError(f"the covariance of {', '.join(sorted(names))} is singular")
        d = y.shape[1]
        value += float(coefficient) * 0.5 * (float(log_det) + d * math.log(2 * math.pi * math.e))
        distances = (y * np.linalg.solve(covariance, y.T).T).sum(axis=1)
        scores += float(coefficient) * 0.5 * (distances - d)
    return value, scores


def _plug_in_note(relation: Relation) -> str:
    """Says so where the gap does not depend on all that the relation names."""
    form = relation.gap.entropies()
    left = set().union(*form) if form else set()
    if left == set(relation.variables):
        return "plug-in entropies of one empirical joint"
    parts = " ".join(f"{'-' if c < 0 else '+'} H({','.join(sorted(s))})" for s, c in form.items())
    return f"plug-in entropies of one empirical joint, in which the gap is {parts.removeprefix('+ ') or '0'}"
