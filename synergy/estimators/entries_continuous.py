"""The nearest-neighbour and Gaussian estimators as entries of the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from synergy.estimators.columns import Scaling
from synergy.estimators.entry import Entry
from synergy.estimators.gaussian import gaussian
from synergy.estimators.intake import slots_of, split_columns
from synergy.estimators.neighbours.knn import NeighbourMethod, copula_knn, knn, mixed
from synergy.statistics.result import Estimate
from synthetic import Sample
from theory import Expression, Term

__all__ = ["CONTINUOUS_ENTRIES", "one_term", "run_copula_knn", "run_frenzel_pompe", "run_mixed"]


def one_term(expression: Expression, *, estimator: str) -> Term:
    """The term of an expression that is one mutual information.

    Raises:
        ValueError: If it is anything else.
    """
    if len(expression.summands) != 1 or expression.summands[0][0] != 1:
        raise ValueError(
            f"{estimator} estimates one term at a time, got {expression}: estimator='auto' takes combinations"
        )
    term = expression.terms[0]
    if len(term.groups) == 1:
        raise ValueError(
            f"{term} of continuous columns is a differential entropy, which changes with their units: "
            f"{estimator} estimates I(..;..) and I(..;..|..)"
        )
    return term


def _groups(sample: Sample) -> npt.NDArray[Any] | None:
    return None if sample.groups is None else np.unique(sample[sample.groups], return_inverse=True)[1]


def _labels(sample: Sample, names: tuple[str, ...]) -> list[bool]:
    """Which components that vary are labels, in the order of `slots_of`."""
    found: list[bool] = []
    for name in names:
        part = sample[name].reshape(len(sample), -1)
        varies = int((part.min(axis=0) < part.max(axis=0)).sum())
        found += [sample.variables[name].kind == "discrete"] * varies
    return found


def run_mixed(
    sample: Sample,
    expression: Expression,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    method: NeighbourMethod = "mesner-shalizi",
    labels: bool = True,
    k: int = 5,
    scale: Scaling | None = "standardise",
    regress: bool = False,
    workers: int | None = None,
    device: str | None = None,
) -> Estimate:
    """Discrete and continuous columns together; without `labels`, integers count as ordered numbers."""
    term = one_term(expression, estimator=method)
    slots = slots_of(sample, term, estimator=method)
    marked = [_labels(sample, names) if labels else None for names in (*term.groups, term.given)]
    found = mixed(
        slots.x,
        slots.y,
        slots.z,
        discrete_x=marked[0],
        discrete_y=marked[1],
        discrete_z=marked[2] if slots.z is not None else None,
        method=method,
        k=k,
        scale=scale,
        regress=regress,
        confidence=confidence,
        groups=_groups(sample),
        seed=seed,
        workers=workers,
        device=device,
        term=str(term),
        columns=slots.columns,
    )
    return replace(found, notes=(*slots.notes, *found.notes))


def on_arrays(
    name: str,
    function: Callable[..., Estimate],
    sample: Sample,
    expression: Expression,
    **options: Any,
) -> Estimate:
    """Run a function of continuous arrays; where a column is discrete, run the mixed estimator and say so.

    Args:
        name: The estimator that was asked for.
        function: Called as `function(x, y, z, groups=.., term=.., columns=.., **options)`.
        sample: The data.
        expression: One term.
        **options: Of the function.

    Raises:
        ValueError: If the expression is not one mutual information.
    """
    term = one_term(expression, estimator=name)
    discrete, _, _ = split_columns(sample, term.variables)
    if discrete:
        found = run_mixed(sample, expression, **options)
        note = f"{', '.join(discrete)} is discrete: switched from {name} to mesner-shalizi, for mixed columns"
        return replace(found, notes=(note, *found.notes))
    slots = slots_of(sample, term, estimator=name)
    found = function(
        slots.x,
        slots.y,
        slots.z,
        groups=_groups(sample),
        term=str(term),
        columns=slots.columns,
        **options,
    )
    return replace(found, notes=(*slots.notes, *found.notes))


run_frenzel_pompe = partial(on_arrays, "frenzel-pompe", partial(knn, method="frenzel-pompe"))
"""KSG 1, with or without conditions, on standardised columns."""

run_copula_knn = partial(on_arrays, "copula-knn", copula_knn)
"""Nearest neighbours on normal scores, their Gaussian bias removed."""

_CONTINUOUS = "continuous columns and vectors; one I(..;..|..); discrete ones switch to mesner-shalizi"
"""What estimators of I(..;..|..) take."""
_PAIR = "continuous columns and vectors; one I(..;..); discrete ones switch to mesner-shalizi"
"""What estimators of I(..;..) take."""
_MIXED = "discrete and continuous columns, mixtures and ties; one "
"""What estimators of mixtures take."""


def _neighbours(method: NeighbourMethod, columns: str, reference: str, description: str) -> Entry:
    fixed = {"method": method, "correction": "none", "interval": True}
    return Entry(method, columns, reference, description, knn, fixed, on_arrays)


def _mixed(method: NeighbourMethod, columns: str, reference: str, description: str) -> Entry:
    return Entry(method, columns, reference, description, run_mixed, {"method": method, "labels": True})


def _gaussian(name: str, reference: str, description: str, *, copula: bool) -> Entry:
    return Entry(name, _CONTINUOUS, reference, description, gaussian, {"copula": copula}, on_arrays)


CONTINUOUS_ENTRIES = (
    _neighbours("ksg1", _PAIR, "Kraskov, Stoegbauer, Grassberger 2004", "KSG 1"),
    _neighbours("ksg2", _PAIR, "Kraskov, Stoegbauer, Grassberger 2004", "KSG 2"),
    _neighbours("frenzel-pompe", _CONTINUOUS, "Frenzel and Pompe 2007", "KSG 1 with conditions"),
    Entry(
        "copula-knn",
        _CONTINUOUS,
        "this library, on Frenzel and Pompe 2007",
        "neighbours of normal scores, less the bias on Gaussian rows with the same correlations",
        copula_knn,
        {"interval": True},
        on_arrays,
    ),
    _mixed(
        "ross",
        "one discrete column with continuous ones; one I(..;..)",
        "Ross 2014",
        "neighbours within a label",
    ),
    _mixed("gao", _MIXED + "I(..;..)", "Gao et al. 2017, arXiv:1709.06212", "mixtures"),
    _mixed(
        "mesner-shalizi",
        _MIXED + "I(..;..|..)",
        "Mesner and Shalizi 2020, arXiv:1912.03387",
        "mixtures with conditions",
    ),
    _gaussian(
        "gaussian",
        "Misra, Singh, Demchuk 2005",
        "log-determinants, exactly unbiased for Gaussian columns",
        copula=False,
    ),
    _gaussian("gaussian-copula", "Ince et al. 2017", "log-determinants of normal scores", copula=True),
)
"""The nearest-neighbour and Gaussian estimators in the registry."""
