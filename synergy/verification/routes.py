r"""Routes: which held-out log losses estimate which term, so that a claim can fail.

Where a variable is an image or a representation, information is measured by prediction. Write L(T|G)
for the held-out log loss of predicting the discrete variables T from G. Then

    H(T|G) = L(T|G),        I(T;Y|G) = L(T|G) - L(T|G,Y),

and a mutual information of two discrete slots can be had by predicting either. The choice matters: with
I(A;C|Z) from the losses of A, the identity I(A;Z|C) = I(A;Z) + I(A;C|Z) holds whatever the networks do,
and judging it says nothing. `choose` therefore takes, among all routes, one that shares as few losses as
possible between the terms of a claim, and `Route.by_construction` says when even that one cannot
contradict it. `Route.predict` is the option of the same name that makes the classifier of `estimate` take it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from theory import Relation, Term

__all__ = ["Loss", "Route", "RouteError", "choose", "routes"]


class RouteError(ValueError):
    """A term that no log loss can measure; the message says why."""


@dataclass(frozen=True, order=True)
class Loss:
    """The held-out log loss of predicting `target` from `given`, both sorted."""

    target: tuple[str, ...]
    given: tuple[str, ...]

    def __str__(self) -> str:
        bar = f"|{','.join(self.given)}" if self.given else ""
        return f"L({','.join(self.target)}{bar})"


Form = dict[Loss, Fraction]


@dataclass(frozen=True)
class Route:
    """How the gap of a relation is measured.

    Args:
        gap: The coefficient of each log loss in the gap.
        shared: The losses of representations that more than one term of the relation uses.
        by_construction: Whether no losses at all could contradict the relation.
        predict: For each term the variables that are predicted in it.
    """

    gap: Form
    shared: tuple[Loss, ...]
    by_construction: bool
    predict: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        text = ""
        for loss, c in self.gap.items():
            factor = "" if abs(c) == 1 else f"{abs(c)} "
            sign = ("-" if c < 0 else "+") if text else ("-" if c < 0 else "")
            text += f" {sign} {factor}{loss}" if text else f"{sign}{factor}{loss}"
        return text or "0"


def _loss(target: Collection[str], given: Collection[str]) -> Loss:
    return Loss(tuple(sorted(set(target))), tuple(sorted(set(given))))


def routes(term: Term, discrete: Collection[str]) -> list[Form]:
    """Every way to write a term as a combination of log losses of discrete targets.

    Args:
        term: An entropy or a mutual information.
        discrete: The variables that can be predicted.

    Raises:
        RouteError: If there is none.
    """
    given = set(term.given)
    found: list[Form] = []

    def predictable(group: tuple[str, ...]) -> bool:
        return set(group) <= set(discrete) and not given & set(group)

    if len(term.groups) == 1 and predictable(term.groups[0]):
        found.append({_loss(term.groups[0], given): Fraction(1)})
    if len(term.groups) == 2 and not set(term.groups[0]) & set(term.groups[1]):
        for target, other in (term.groups, term.groups[::-1]):
            if predictable(target):
                before, after = _loss(target, given), _loss(target, given.union(other))
                found.append({before: Fraction(1), after: Fraction(-1)})
    if not found:
        raise RouteError(f"{term} cannot be measured by prediction: no slot is discrete")
    return found


def _collected(weighted: Collection[tuple[Fraction, Form]]) -> Form:
    total: Form = {}
    for weight, form in weighted:
        for loss, c in form.items():
            total[loss] = total.get(loss, Fraction(0)) + weight * c
    return {loss: c for loss, c in total.items() if c}


def choose(relation: Relation, discrete: Collection[str], *, known: Collection[Term] = ()) -> Route:
    """The route of a relation whose terms share as few log losses as possible.

    Losses of latents given latents, such as L(A|C), may be shared: they say nothing about a
    representation.

    Args:
        relation: The relation to measure.
        discrete: The variables that can be predicted; all others are images or representations.
        known: Terms whose value is known from elsewhere, which need no route.

    Raises:
        RouteError: If a term cannot be measured by prediction.
    """
    summands = [(c, term) for c, term in relation.gap.summands if term not in known]
    if not summands:
        raise RouteError(f"{relation} has no term to measure")

    def shared_by(forms: tuple[Form, ...]) -> tuple[Loss, ...]:
        used = [loss for form in forms for loss in form if not set(loss.given) <= set(discrete)]
        return tuple(sorted({loss for loss in used if used.count(loss) > 1}))

    forms = min(
        product(*(routes(term, discrete) for _, term in summands)), key=lambda forms: len(shared_by(forms))
    )
    shared = shared_by(forms)
    gap = _collected([(c, form) for (c, _), form in zip(summands, forms, strict=True)])
    never_negative = all(c > 0 for c in gap.values()) and relation.operator in (">=", "<=")
    return Route(
        gap,
        shared,
        by_construction=not known and (not gap or never_negative),
        predict={str(term): next(iter(form)).target for (_, term), form in zip(summands, forms, strict=True)},
    )
