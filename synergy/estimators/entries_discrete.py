"""The discrete estimators as entries of the registry."""

from __future__ import annotations

from synergy.estimators.discrete.entropies import BiasCorrection
from synergy.estimators.discrete.plug_in import plug_in
from synergy.estimators.entry import Entry
from synergy.statistics.result import Estimate
from synthetic import Sample
from theory import Expression

__all__ = ["DISCRETE_ENTRIES", "require_discrete", "run_plug_in"]


def require_discrete(sample: Sample, expression: Expression, *, estimator: str) -> None:
    """Refuse columns that are not discrete.

    Raises:
        ValueError: If one is not.
    """
    for name in expression.variables:
        kind = sample.variables[name].kind
        if kind != "discrete":
            raise ValueError(
                f"{estimator} takes discrete columns, got {name!r}, which is {kind}: use estimator='auto' or "
                "round it to integers first"
            )


def run_plug_in(
    sample: Sample,
    expression: Expression,
    *,
    correction: BiasCorrection,
    confidence: float = 0.95,
    name: str | None = None,
) -> Estimate:
    """The plug-in family on the columns of a sample."""
    require_discrete(sample, expression, estimator=name or correction)
    codes = {v: sample[v] for v in expression.variables}
    sizes = {v: sample.variables[v].cardinality or 1 for v in expression.variables}
    groups = None if sample.groups is None else sample[sample.groups]
    return plug_in(
        expression,
        codes,
        cardinalities=sizes,
        correction=correction,
        confidence=confidence,
        groups=groups,
    )


_FAMILY: tuple[tuple[str, BiasCorrection, str, str], ...] = (
    ("plug-in", "none", "maximum likelihood; Strong et al. 1998", "entropies of the observed frequencies"),
    ("digamma", "digamma", "Grassberger 1988", "least biased of the simple corrections"),
    ("miller-madow", "miller-madow", "Miller 1955", "first-order bias correction by the number of states"),
    ("grassberger", "grassberger", "Grassberger 2003, arXiv:physics/0307138", "digamma-like bias correction"),
    ("chao-shen", "chao-shen", "Chao and Shen 2003", "coverage-adjusted, for many unseen states"),
    ("nsb", "nsb", "Nemenman, Shafee, Bialek 2002", "Bayes with a nearly flat prior on the entropy"),
    ("shrinkage", "shrinkage", "Hausser and Strimmer 2009", "frequencies shrunk to the uniform distribution"),
)
"""The name, correction, source and summary of each."""

DISCRETE_ENTRIES = tuple(
    Entry(
        name,
        "discrete columns, any number in each slot; linear expressions",
        reference,
        description,
        run_plug_in,
        fixed={"correction": correction, "name": name},
    )
    for name, correction, reference, description in _FAMILY
)
"""The estimators that count."""
