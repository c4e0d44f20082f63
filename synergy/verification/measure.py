"""Measuring the gap of a relation on a sample, with what `estimate` says of it.

Every number here is one that a user gets from `estimate` on the same columns:

* where all columns are discrete, `estimate(sample, gap)`: entropies of one empirical joint;
* where every term has a discrete slot, `estimate(.., estimator="classifier", nested=True, predict=..)` with
  the slots of `routes.choose`, so that the terms share as few losses as possible;
* else `estimate(sample, gap)`, whose `auto` takes the terms one by one.

The interval is that of `estimate` too, but for classifiers: theirs reaches further for what fitting costs,
and the margin of the verdict stands for that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations

from synergy.estimators import Estimate, estimate
from synergy.estimators.classifier import NestedCrossFit, classifier
from synergy.estimators.classifier.design import encode_target
from synergy.estimators.order import dependence_warnings
from synergy.statistics.decision import Gap
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
        warnings: What `estimate` says to beware of.
    """

    gap: Gap
    by_construction: bool
    note: str
    plug_in: bool = True
    smallest: tuple[str, float] | None = None
    warnings: tuple[str, ...] = ()


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
    fit: Callable[[], NestedCrossFit],
    *,
    seed: int = 0,
    given: tuple[Statement, ...] = (),
    column: Mapping[str, str] | None = None,
    known: Known | None = None,
) -> Measurement:
    """Measure the gap of a relation.

    Args:
        relation: The relation; its variables are columns of the sample.
        sample: The data.
        fit: Gives the cross-fitted losses on the same data, where they are needed.
        seed: Fixes everything random.
        given: What the claim assumes.
        column: The column that plays a variable, where it has another name.
        known: Gives the terms of the raw input X their exact value, so that what a representation holds
            is compared with the truth; None to estimate them too.

    Raises:
        RouteError: If no estimator takes the columns; the message says why.
        ValueError: If the sample lacks a variable.
    """
    shown, relation = relation, relation.replace(column or {})
    facts = (*given, *_constants(sample, relation.variables))
    kinds = {v: sample.variables[v].kind for v in relation.variables if sample[v] is not None}
    if set(kinds.values()) == {"discrete"}:
        found = _asked(sample, relation.gap, seed)
        facts = (*facts, *_functions(sample, relation.variables))
        return Measurement(
            _gap(shown, found), shannon(relation, facts), _plug_in_note(relation), warnings=found.warnings
        )
    if sample.groups in kinds:
        raise RouteError(
            f"{sample.groups} names the raw input, which no two folds share: nothing can be predicted from it"
        )
    exact, terms = _exactly(relation, known)
    discrete = {name for name, v in sample.variables.items() if v.kind == "discrete"}
    try:
        route = choose(relation, discrete, known=terms)
    except RouteError:
        if "image" in kinds.values() or terms:
            raise
        found = _asked(sample, relation.gap, seed)
        note = "; ".join([f"term by term with estimate(.., {found.term!r})", *found.notes])
        fixed = facts != given and shannon(relation, facts)
        gap = _gap(shown, found, fitted=True)
        return Measurement(gap, fixed, note, plug_in=False, warnings=found.warnings)
    rest = Expression(tuple((c, term) for c, term in relation.gap.summands if term not in terms))
    try:
        fitted = fit()
        found = classifier(fitted.sample, rest, predict=route.predict, fit=fitted)
    except ValueError as error:
        raise RouteError(str(error)) from None
    found = found.with_words(warnings=dependence_warnings(sample, rest))
    # The margin of the decision stands for what fitting costs, so the interval's reach for it is not added.
    gap = Gap(shown, found.value, found.standard_error, found.samples, fitted=True)
    note = f"usable information, gap = {route}"
    if exact is not None:
        both = math.hypot(gap.standard_error, exact.standard_error)
        gap = Gap(shown, gap.value + exact.value, both, len(sample), fitted=True)
        note += f" + {exact.value:.4f}, the exact {exact.expression} ({exact.method})"
        measured = [c for loss, c in route.gap.items() if not set(loss.given) <= discrete]
        if all(c > 0 for c in measured):
            note += "; such losses bound their entropies from above: only a leak between the folds, or a "
            note += "wrong exact value, could contradict this"
    if route.shared:
        note += f"; shared losses {', '.join(map(str, route.shared))}"
    return Measurement(
        gap,
        route.by_construction or (facts != given and shannon(relation, facts)),
        note,
        plug_in=False,
        smallest=_smallest(relation, discrete, fitted, terms) if relation.operator == "==" else None,
        warnings=found.warnings,
    )


def _asked(sample: Sample, expression: Expression, seed: int) -> Estimate:
    """What `estimate` says.

    Raises:
        RouteError: If it takes no such columns.
    """
    try:
        return estimate(sample, expression, seed=seed)
    except ValueError as error:
        raise RouteError(str(error)) from None


def _gap(relation: Relation, found: Estimate, *, fitted: bool = False) -> Gap:
    """The gap with the numbers of `estimate`."""
    return Gap(relation, found.value, found.standard_error, found.samples, found.interval, fitted)


def _constants(sample: Sample, names: tuple[str, ...]) -> tuple[Statement, ...]:
    """Which columns take one value only: relations that hold because of that could not have failed."""
    return tuple(
        parse_statement(f"H({name}) == 0") for name in names if bool((sample[name] == sample[name][:1]).all())
    )


def _functions(sample: Sample, names: tuple[str, ...]) -> tuple[Statement, ...]:
    """Which discrete columns are functions of another in these rows, and so in their empirical joint."""
    found = []
    states = {name: encode_target(sample, [name])[1] for name in names}
    for source, target in permutations(names, 2):
        if (
            1 < states[target] < states[source]
            and encode_target(sample, [source, target])[1] == states[source]
        ):
            found.append(parse_statement(f"H({target}|{source}) == 0"))
    return tuple(found)


def _smallest(
    relation: Relation, discrete: set[str], fit: NestedCrossFit, known: frozenset[Term]
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


def _plug_in_note(relation: Relation) -> str:
    """Says so where the gap does not depend on all that the relation names."""
    form = relation.gap.entropies()
    left = set().union(*form) if form else set()
    if left == set(relation.variables):
        return "plug-in entropies of one empirical joint"
    parts = " ".join(f"{'-' if c < 0 else '+'} H({','.join(sorted(s))})" for s, c in form.items())
    return f"plug-in entropies of one empirical joint, in which the gap is {parts.removeprefix('+ ') or '0'}"
