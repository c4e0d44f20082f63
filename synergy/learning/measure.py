r"""Measuring a representation: its information about the transformation, the class and the style.

Every term is a difference of held-out log losses of cross-fitted classifiers, on images that the encoder
never saw, and so usable information (Xu et al. 2020, arXiv:2002.10689). The synergy I(A;C|Z) is measured
twice, by predicting C and by predicting A. With L(T|G) the log loss of predicting T from G,

    I(A;Z)   = L(A) - L(A|Z)         I(C;Z)   = L(C) - L(C|Z)
    I(A;Z|C) = L(A|C) - L(A|C,Z)     I(C;Z|A) = L(C|A) - L(C|A,Z)
    I(A;C|Z) = L(C|Z) - L(C|A,Z)  or  L(A|Z) - L(A|C,Z)

so E1, I(A;Z|C) = I(A;Z) + I(A;C|Z), is a finding when the synergy comes from predicting C, and holds by
algebra when it comes from predicting A; E3 is a finding with the other one.

A classifier that is told an irrelevant variable must be free to ignore it ("optional ignorance", Xu et al.
2020). `NestedCrossFit` gives it that freedom: without it random labels lower the usable information about
A by 0.03 to 0.1 nats on a few hundred images, and the synergy looks negative.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm, t

from synergy.estimators.classifier import (
    CrossFit,
    NestedCrossFit,
    Quality,
    classifier,
    decompose,
)
from synergy.statistics.intervals import check_confidence
from synergy.statistics.paired import paired_estimate
from synergy.statistics.result import Estimate
from synthetic import Generator, NoExactAnswerError, Sample
from theory import parse_expression

__all__ = ["DEFAULT_TERMS", "Measured", "measure_representation", "over_seeds"]

DEFAULT_TERMS = (
    "I(A;Z)",
    "I(A;Z|C)",
    "I(A;C|Z)",
    "I(C;Z)",
    "I(C;Z|A)",
    "H(A|Z)",
    "H(C|Z)",
)
"""The terms that are measured by default; I(S;Z) is added for every style S in the sample."""


@dataclass(frozen=True)
class Measured:
    """The measured terms of one representation.

    Args:
        estimates: By term and by the variable that was predicted, such as ("I(A;C|Z)", "C").
        fit: The cross-fitted losses, for further terms on the same folds.
    """

    estimates: Mapping[tuple[str, str], Estimate]
    fit: CrossFit

    def __getitem__(self, term: str) -> Estimate:
        """The first estimate of a term; the synergy's first one predicts C.

        Raises:
            ValueError: If the term was not measured.
        """
        wanted = str(parse_expression(term))
        for (found, _), estimate in self.estimates.items():
            if found == wanted:
                return estimate
        measured = ", ".join(dict.fromkeys(name for name, _ in self.estimates))
        raise ValueError(f"{term} was not measured: there are {measured}")

    def gap(self, larger: Sequence[tuple[str, str]], smaller: Sequence[tuple[str, str]]) -> Estimate:
        """The sum of some estimates less the sum of others, paired row by row.

        Args:
            larger: Keys of `estimates` that are added.
            smaller: Keys that are subtracted.

        Example:
            E1 on independent routes is
            `gap([("I(A;Z|C)", "A")], [("I(A;Z)", "A"), ("I(A;C|Z)", "C")])`, which should be 0.
        """
        scores: npt.NDArray[np.float64] = np.zeros(len(self.fit.sample))
        for sign, keys in ((1.0, larger), (-1.0, smaller)):
            for key in keys:
                if key not in self.estimates:
                    raise ValueError(f"{key} was not measured: there are {list(self.estimates)}")
                found = self.estimates[key].scores
                scores = scores + sign * (0.0 if found is None else found)
        name = " + ".join(k for k, _ in larger) + "".join(f" - {k}" for k, _ in smaller)
        confidence = next(iter(self.estimates.values())).confidence
        return paired_estimate(
            scores, term=name, estimator="classifier", confidence=confidence, groups=self.fit.groups
        )

    def to_pandas(self, *, source: Generator | None = None) -> pd.DataFrame:
        """One row per term and route: term, predicted, value, standard_error, low, high, samples.

        Args:
            source: The generator of the images; the column `at_input` then has the exact value of the term
                with the input X in place of Z, NaN where the generator does not know it.
        """
        rows = []
        for (term, predicted), e in self.estimates.items():
            row = {
                "term": term,
                "predicted": predicted,
                "value": e.value,
                "standard_error": e.standard_error,
                "low": e.interval[0],
                "high": e.interval[1],
                "samples": e.samples,
            }
            rows.append(row if source is None else {**row, "at_input": _at_input(source, term)})
        return pd.DataFrame(rows)


def _at_input(source: Generator, term: str) -> float:
    try:
        return source.exact(re.sub(r"\bZ\b", "X", term)).value
    except NoExactAnswerError:
        return float("nan")


def measure_representation(
    sample: Sample,
    *,
    terms: Sequence[str] | None = None,
    representation: str = "Z",
    quality: Quality = "default",
    folds: int = 5,
    seed: int = 0,
    confidence: float = 0.95,
    device: str | None = None,
    model: object = "auto",
) -> Measured:
    """Measure information terms on a representation by cross-fitted classifiers, in nats.

    A term in which both A and C could be predicted is measured by both routes. The intervals are over
    images, clustered by the sample's groups; `over_seeds` adds the spread over training seeds.

    Args:
        sample: Images that the encoder never saw, with A, C and the representation Z as columns
            (`Trained.represented`).
        terms: What to measure; None for `DEFAULT_TERMS` and I(S;Z) for every style in the sample.
        representation: The column that a Z in the terms stands for.
        quality: How much work the classifiers do: `quick`, `default` or `best`.
        folds: Cross-fitting folds.
        seed: Fixes everything random.
        confidence: The nominal coverage of the intervals.
        device: Where classifiers that are networks are trained, see `CrossFit`.
        model: Another classifier, see `CrossFit`.

    Raises:
        ValueError: If a term names an unknown variable or has nothing discrete to predict, or there are
            too few rows.

    Example:
        >>> from synthetic import ModularShift, Variable
        >>> drawn = ModularShift(n=4).sample(2000, seed=0)
        >>> z = np.eye(4, dtype=np.float32)[drawn["X"]]
        >>> found = measure_representation(
        ...     drawn.with_column(Variable("Z", "continuous"), z), terms=["I(A;C|Z)"], quality="quick"
        ... )
        >>> sorted(predicted for _, predicted in found.estimates)
        ['A', 'C']
        >>> bool(abs(found["I(A;C|Z)"].value - np.log(4)) < 0.05)
        True
    """
    sample[representation]
    data = sample
    if representation != "Z":
        data = sample.with_column(replace(sample.variables[representation], name="Z"), sample[representation])
    fit = NestedCrossFit(data, folds=folds, seed=seed, quality=quality, device=device, model=model)
    estimates: dict[tuple[str, str], Estimate] = {}
    for term in _default_terms(data) if terms is None else terms:
        name = str(parse_expression(term))
        for predicted in _routes(term, data):
            estimate = classifier(data, term, predict=predicted, fit=fit, confidence=confidence)
            estimates[name, predicted] = estimate
    return Measured(estimates, fit)


def _default_terms(data: Sample) -> list[str]:
    """`DEFAULT_TERMS` that have something discrete to predict, and I(S;Z) for every style that varies."""
    styles = [v.name for v in data.variables.values() if v.role == "style" and v.kind == "discrete"]
    varied = [name for name in styles if len(np.unique(data[name])) > 1]
    known = set(data.names)
    terms = [
        term
        for term in DEFAULT_TERMS
        if set(parse_expression(term).variables) <= known and _predictable(term, data)
    ]
    return [*terms, *(f"I({name};Z)" for name in varied)]


def _predictable(term: str, sample: Sample) -> bool:
    """Whether a slot of a term is discrete: where A is an angle, that of I(A;Z) is not."""
    slots = [group for single in parse_expression(term).terms for group in single.groups]
    return any(all(sample.variables[name].kind == "discrete" for name in group) for group in slots)


def _routes(term: str, sample: Sample) -> list[str]:
    """The variables by whose prediction a term can be measured, C before A before others."""
    parsed = parse_expression(term)
    slots = [group for single in parsed.terms for group in single.groups]
    result = []
    for group in slots:
        try:
            decompose(term, sample, predict=group)
        except ValueError:
            continue
        if len(group) == 1 and group[0] not in result:
            result.append(group[0])
    if not result:
        decompose(term, sample)
        return [next(iter(slots[0]))]
    order = {"C": 0, "A": 1}
    return sorted(result, key=lambda name: (order.get(name, 2), name))


def over_seeds(
    runs: Sequence[Measured] | Sequence[Mapping[tuple[str, str], Estimate]], *, confidence: float = 0.95
) -> pd.DataFrame:
    """The mean of each term over training seeds, with its interval over seeds.

    The interval is Student's t over the runs, which holds the spread of training and that of the images
    where every run has images of its own; `image_error` is the mean standard error over images within a
    run. With one run the interval is normal, from its standard error over images.

    Args:
        runs: One `Measured` per seed.
        confidence: The nominal coverage.

    Returns:
        One row per term and route: term, predicted, value, seed_deviation, image_error, low, high, seeds.

    Raises:
        ValueError: If there is no run, or the confidence is not strictly between 0 and 1.
    """
    if not runs:
        raise ValueError("over_seeds needs at least one run, got none")
    check_confidence(confidence)
    tables = [run.estimates if isinstance(run, Measured) else run for run in runs]
    rows: list[dict[str, Any]] = []
    for key in tables[0]:
        found = [table[key] for table in tables if key in table]
        values = np.array([e.value for e in found])
        image = float(np.mean([e.standard_error for e in found]))
        deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        if len(values) > 1:
            half = float(t.ppf(0.5 + confidence / 2, len(values) - 1)) * deviation / np.sqrt(len(values))
        else:
            half = float(norm.ppf(0.5 + confidence / 2)) * image
        mean = float(values.mean())
        rows.append(
            {
                "term": key[0],
                "predicted": key[1],
                "value": mean,
                "seed_deviation": deviation,
                "image_error": image,
                "low": mean - half,
                "high": mean + half,
                "seeds": len(values),
            }
        )
    return pd.DataFrame(rows)
