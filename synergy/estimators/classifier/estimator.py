"""The classifier estimator: information as a difference of held-out log losses."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier.design import HEAVY, encode_target
from synergy.estimators.classifier.rare import ROWS_OF_CLASS, pooled
from synergy.estimators.columns import kurtosis
from synergy.estimators.entry import Entry
from synergy.statistics.paired import paired_estimate
from synergy.statistics.result import Estimate
from synthetic import Sample
from theory import Expression, Term, parse_expression, parse_term

if TYPE_CHECKING:
    from synergy.estimators.classifier.crossfit import CrossFit, Quality

__all__ = [
    "CLASSIFIER_ENTRY",
    "Predict",
    "Prediction",
    "classifier",
    "conditional_entropy_scores",
    "decompose",
]

_USABLE = (
    "usable (V-) information: what the classifiers can read, not all that is there (Xu et al. 2020); "
    "each held-out log loss bounds its conditional entropy from above"
)
"""The note of every estimate by classifiers."""


Predict = str | Sequence[str] | Mapping[str, str | Sequence[str]]
"""What is predicted: one or several variables, or those of each term by the term's text."""

_TIMES = 2.0
"""Networks and kernels lose about this many times what a logistic regression does (4 shifted classes in 8
dimensions: 0.11 nats at 300 rows, 0.03 at 1,000)."""

_BENT = 4
"""How many parameters a number with heavy tails takes, whose effect is never linear (five or six columns and
1,000 rows: 0.02 to 0.04 nats are lost)."""

_SMALL_EXCESS, _LARGE_EXCESS = 0.1, 4.0
"""From and beyond how many standard errors a loss in excess is told of, and warned of."""

_ROUNDING = 1e-12
"""A score this small is a difference of two equal losses."""

_MANY_RARE = 0.1
"""Above this share of rows with rare labels what is not counted may be more than the standard error."""


@dataclass(frozen=True)
class Prediction:
    """One conditional entropy of a decomposed expression.

    Args:
        coefficient: Its factor.
        target: The variables that are predicted, jointly.
        given: The variables that they are predicted from.
    """

    coefficient: Fraction
    target: frozenset[str]
    given: frozenset[str]


def decompose(
    expression: str | Term | Expression, sample: Sample, *, predict: Predict | None = None
) -> tuple[Prediction, ...]:
    """Write an expression as conditional entropies of discrete variables.

    In each term one slot T is predicted from the others,
    I(T; G_2; ..; G_k | W) = sum over S of (-1)^|S| H(T | G_S, W), over subsets S of the other slots.

    Args:
        expression: One term or a linear combination.
        sample: Says which variables are discrete.
        predict: The variable(s) whose slot is predicted; None for the first slot that is discrete in
            each term. A term of an expression without such a slot falls back to that rule. A mapping from
            terms, such as `{"I(A;C|Z)": "C"}`, says it for each of them; other terms keep that rule.

    Raises:
        ValueError: If a term has no slot of discrete variables only, if `predict` names no slot, a slot
            with a variable that is not discrete, or a term or a name is unknown.
    """
    parsed = parse_expression(expression)
    for name in parsed.variables:
        sample[name]
    wanted = _wanted(parsed, predict)
    total: dict[tuple[frozenset[str], frozenset[str]], Fraction] = {}
    for coefficient, term in parsed.summands:
        slot = _slot(term, sample, wanted[term])
        others = [g for i, g in enumerate(term.groups) if i != slot]
        subsets = chain.from_iterable(combinations(others, r) for r in range(len(others) + 1))
        for subset in subsets:
            given = frozenset(term.given).union(*subset)
            target = frozenset(term.groups[slot]) - given
            sign = (-1) ** len(subset)
            if target:
                key = (target, given)
                total[key] = total.get(key, Fraction(0)) + sign * coefficient
    return tuple(Prediction(c, target, given) for (target, given), c in total.items() if c)


def _wanted(parsed: Expression, predict: Predict | None) -> dict[Term, frozenset[str]]:
    """The variables that are to be predicted in each term; none where a term may choose.

    Raises:
        ValueError: If `predict` names a term that is not there, or variables that no slot has.
    """
    if isinstance(predict, Mapping):
        found: dict[Term, frozenset[str]] = dict.fromkeys(parsed.terms, frozenset())
        for text, names in predict.items():
            term = parse_term(text)
            if term not in found:
                raise ValueError(f"predict names the term {text}, which is none of {parsed}")
            found[term] = frozenset([names] if isinstance(names, str) else names)
            if not any(found[term] <= set(group) for group in term.groups):
                raise ValueError(f"predict={names!r} must name (part of) a slot of {text}, none has it")
        return found
    wanted = frozenset([predict] if isinstance(predict, str) else predict or ())
    if wanted and not any(wanted <= set(g) for term in parsed.terms for g in term.groups):
        raise ValueError(f"predict={predict!r} must name (part of) a slot of {parsed}, none has it")
    return dict.fromkeys(parsed.terms, wanted)


def _slot(term: Term, sample: Sample, wanted: frozenset[str]) -> int:
    def discrete(group: tuple[str, ...]) -> bool:
        return all(sample.variables[name].kind == "discrete" for name in group)

    if wanted:
        for i, group in enumerate(term.groups):
            if wanted <= set(group):
                if not discrete(group):
                    raise ValueError(
                        f"predict={', '.join(sorted(wanted))!r}: the slot {','.join(group)} of {term} "
                        "must be discrete to be predicted"
                    )
                return i
    for i, group in enumerate(term.groups):
        if discrete(group):
            return i
    raise ValueError(f"the classifier needs a slot of discrete variables to predict, {term} has none")


def classifier(
    sample: Sample,
    expression: str | Term | Expression,
    *,
    predict: Predict | None = None,
    model: object = "auto",
    quality: Quality = "default",
    nested: bool = False,
    folds: int = 5,
    seed: int = 0,
    confidence: float = 0.95,
    device: str | None = None,
    fit: CrossFit | None = None,
) -> Estimate:
    """Estimate with cross-fitted classifiers: any term with a discrete slot, everything else of any kind.

    I(A;Z|C) = H(A|C) - H(A|Z,C), each conditional entropy the mean held-out log loss of a calibrated
    classifier of A; I(A;C|Z) can be had by predicting A or by predicting C, two independent routes.

    Args:
        sample: The data; `sample.groups` are never split between folds.
        expression: A term or a linear combination.
        predict: The variable whose slot is predicted; None for the first discrete slot; a mapping such as
            `{"I(A;C|Z)": "C"}` says it term by term.
        model: `auto`, a scikit-learn classifier, a torch module giving logits, or a `Classifier`.
        quality: How much work `auto` does.
        nested: Whether classifiers may ignore discrete conditions beside others, see `NestedCrossFit`: a
            condition that tells nothing then costs nothing, for several times the work.
        folds: The number of folds.
        seed: Fixes everything random.
        confidence: The nominal coverage of the interval.
        device: Where networks are trained, see `CrossFit`.
        fit: A `CrossFit` on the same sample to share folds and losses with; the options that it holds
            are then taken from it.

    Returns:
        The estimate, with one score per row.

    Raises:
        ValueError: If no slot can be predicted, a name is unknown, or there are too few rows.

    Source:
        Xu, Zhao, Song, Stewart, Ermon 2020, "A theory of usable information under computational
        constraints", arXiv:2002.10689.

    Example:
        >>> from synthetic import ModularShift
        >>> sample = ModularShift(n=4, noise=0.1).sample(4000, seed=0)
        >>> by_a = classifier(sample, "I(A;C|X)", predict="A")
        >>> by_c = classifier(sample, "I(A;C|X)", predict="C")
        >>> bool(abs(by_a.value - by_c.value) < 0.05)
        True
    """
    parsed = parse_expression(expression)
    parts = decompose(parsed, sample, predict=predict)
    if fit is None:
        from synergy.estimators.classifier.crossfit import CrossFit
        from synergy.estimators.classifier.nested import NestedCrossFit

        fit = (NestedCrossFit if nested else CrossFit)(
            sample, folds=folds, seed=seed, model=model, quality=quality, device=device, progress=_progress
        )
    elif fit.sample is not sample:
        raise ValueError("fit must have been made on the sample that is passed, got another one")
    warnings = _rare_labels(parts, sample)
    scores = np.zeros(len(sample))
    for part in parts:
        scores += float(part.coefficient) * fit.losses(sorted(part.target), sorted(part.given))
    _progress("")
    scores[np.abs(scores) < _ROUNDING] = 0.0
    targets = ", ".join(sorted({",".join(sorted(p.target)) for p in parts}))
    notes = [_USABLE, f"predicted {targets or 'nothing'} in {len(fit.splits)} folds"]
    if sum(p.coefficient < 0 and bool(p.given) for p in parts) and sum(
        p.coefficient > 0 and bool(p.given) for p in parts
    ):
        notes.append(
            "a difference of two bounds: the interval is of sampling error only and the sign of the "
            "remaining bias is not known"
        )
    seen = {name for part in parts for name in part.given if sample.variables[name].kind == "image"}
    if seen and fit.model is None and fit.quality != "quick":
        notes.append(
            f"{', '.join(sorted(seen))} was read by a kernel classifier, a dense and a small convolutional "
            "network, combined on rows set aside"
        )
    if fit.groups is not None:
        notes.append(f"standard error clustered by {sample.groups}")
    found = paired_estimate(
        scores,
        term=str(parsed),
        estimator="classifier",
        confidence=confidence,
        groups=fit.groups,
        notes=tuple(notes),
    ).with_words(warnings=warnings)
    return _reaching(found, *_excess(parts, sample, fit))


def _excess(parts: Sequence[Prediction], sample: Sample, fit: CrossFit) -> tuple[float, float]:
    """About how much too low and too high the estimate is, since models were fitted on few rows.

    A model of p parameters fitted on m rows loses p / 2m nats more than its best parameters would (the
    expansion behind AIC, Akaike 1974). p is that of a logistic regression on the numbers, apart in every
    state of the discrete conditions, with bends where tails are heavy; networks and kernels hold more, and
    less after penalties. No loss is more than itself in excess.
    """
    low = high = 0.0
    rows = float(np.mean([len(split.fit) for split in fit.splits]))
    for part in parts:
        names = [name for name in sample if name in part.given]
        numbers = sum(
            int(np.where(kurtosis(sample[name].reshape(len(sample), -1)) > HEAVY, _BENT, 1).sum())
            for name in names
            if sample.variables[name].kind == "continuous"
        )
        if not numbers or any(sample.variables[name].kind == "image" for name in names):
            continue
        states = encode_target(sample, [n for n in names if sample.variables[n].kind == "discrete"])[1]
        classes = pooled(*encode_target(sample, [n for n in sample if n in part.target])).classes
        loss = float(fit.losses(sorted(part.target), sorted(part.given)).mean())
        excess = abs(float(part.coefficient)) * min(
            _TIMES * numbers * states * (classes - 1) / (2 * rows), loss
        )
        low, high = (low + excess, high) if part.coefficient < 0 else (low, high + excess)
    return low, high


def _reaching(found: Estimate, low: float, high: float) -> Estimate:
    """The estimate, its interval further by what fitting on few rows costs, with a note or a warning."""
    if max(low, high) <= _SMALL_EXCESS * found.standard_error:
        return found
    ends = (found.interval[0] - high, found.interval[1] + low)
    sides = [f"too {word} by about {size:.2g}" for word, size in (("low", low), ("high", high)) if size > 0]
    text = (
        f"fitting on few rows makes the value {' and '.join(sides)} nats, "
        "by which the interval reaches further"
    )
    few = max(low, high) > _LARGE_EXCESS * found.standard_error
    return replace(found, interval=ends).with_words(
        notes=[] if few else [text], warnings=[f"{text}; more rows would say more"] if few else []
    )


def _progress(words: str) -> None:
    """One line on a terminal, each in place of the one before; nothing in a pipe or a notebook."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")
        sys.stderr.flush()


def _rare_labels(parts: Sequence[Prediction], sample: Sample) -> list[str]:
    """What to say of targets with labels too rare to be learned.

    Raises:
        ValueError: If no two classes of a target that is predicted from something can be told apart.
    """
    found = []
    for target in dict.fromkeys(part.target for part in parts if part.given):
        names = [name for name in sample if name in target]
        classes = pooled(*encode_target(sample, names))
        if classes.k == 1:
            continue
        if classes.classes == 1:
            raise ValueError(
                f"{', '.join(names)} has {classes.k} labels, each of fewer than {ROWS_OF_CLASS} of "
                f"{len(sample)} rows: nothing can be learned of them; merge labels, or take rows with more "
                "of each"
            )
        share = float((classes.codes == classes.classes - 1).mean()) if classes.rare else 0.0
        if share > _MANY_RARE:
            found.append(
                f"{classes.rare} labels of {', '.join(names)} with fewer than {ROWS_OF_CLASS} rows each, "
                f"{share:.0%} of the rows, were predicted as one: what tells them apart is not counted"
            )
    return found


def conditional_entropy_scores(
    sample: Sample,
    target: str | Sequence[str],
    given: str | Sequence[str] = (),
    *,
    folds: int = 5,
    seed: int = 0,
    model: object = "auto",
    quality: Quality = "default",
    device: str | None = None,
    fit: CrossFit | None = None,
) -> npt.NDArray[np.float64]:
    """Per-row held-out log losses of predicting `target` from `given`, shape (n,), in nats, the caller's own.

    Their mean estimates H(target | given) from above. Use one `CrossFit` for several calls to pair them.

    Args:
        sample: The data.
        target: The discrete variable, or several taken jointly.
        given: The conditions.
        folds: The number of folds.
        seed: Fixes everything random.
        model: As in `CrossFit`.
        quality: As in `CrossFit`.
        device: As in `CrossFit`.
        fit: A `CrossFit` on the same sample, used in place of the options above.
    """
    if fit is None:
        from synergy.estimators.classifier.crossfit import CrossFit

        fit = CrossFit(sample, folds=folds, seed=seed, model=model, quality=quality, device=device)
    return fit.losses(target, given).copy()


CLASSIFIER_ENTRY = Entry(
    "classifier",
    "a discrete slot to predict; everything else discrete, continuous or images; linear expressions",
    "Xu et al. 2020, arXiv:2002.10689",
    "difference of cross-fitted, calibrated log losses: usable (V-) information",
    classifier,
    fixed={"fit": None},
)
"""The classifier in the registry."""
