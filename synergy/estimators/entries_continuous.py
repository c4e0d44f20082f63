"""The nearest-neighbour and Gaussian estimators as entries of the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from synergy.estimators.columns import Scale
from synergy.estimators.entry import Entry
from synergy.estimators.gaussian import gaussian
from synergy.estimators.intake import slots_of, split_columns
from synergy.estimators.neighbours.knn import Method, copula_knn, knn, mixed
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
    method: Method = "mesner-shalizi",
    labels: bool = True,
    k: int = 5,
    scale: Scale | None = "standardise",
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
        confidence=confidence,
        groups=_groups(sample),
        seed=seed,
        workers=workers,
        device=device,
        term=str(term),
        columns=slots.columns,
    )
    return replace(found, notes=(*slots.notes, *found.notes))


def _switched(
    sample: Sample,
    expression: Expression,
    name: str,
    run: Callable[[Term], Estimate],
    switch: Callable[[], Estimate],
) -> Estimate:
    """Run on continuous columns; where one is discrete, run the mixed estimator and say so."""
    term = one_term(expression, estimator=name)
    discrete, _, _ = split_columns(sample, term.variables)
    if not discrete:
        return run(term)
    found = switch()
    note = f"{', '.join(discrete)} is discrete: switched from {name} to mesner-shalizi, for mixed columns"
    return replace(found, notes=(note, *found.notes))


def _neighbour_runner(method: Method) -> Callable[..., Estimate]:
    def run(
        sample: Sample,
        expression: Expression,
        *,
        confidence: float = 0.95,
        seed: int = 0,
        k: int = 5,
        scale: Scale | None = "standardise",
        workers: int | None = None,
        device: str | None = None,
    ) -> Estimate:
        def continuous(term: Term) -> Estimate:
            slots = slots_of(sample, term, estimator=method)
            found = knn(
                slots.x,
                slots.y,
                slots.z,
                method=method,
                k=k,
                scale=scale,
                confidence=confidence,
                groups=_groups(sample),
                seed=seed,
                workers=workers,
                device=device,
                term=str(term),
                columns=slots.columns,
            )
            return replace(found, notes=(*slots.notes, *found.notes))

        return _switched(
            sample,
            expression,
            method,
            continuous,
            lambda: run_mixed(
                sample,
                expression,
                confidence=confidence,
                seed=seed,
                k=k,
                scale=scale,
                workers=workers,
                device=device,
            ),
        )

    return run


def _mixed_runner(method: Method) -> Callable[..., Estimate]:
    def run(
        sample: Sample,
        expression: Expression,
        *,
        confidence: float = 0.95,
        seed: int = 0,
        k: int = 5,
        scale: Scale | None = "standardise",
        workers: int | None = None,
        device: str | None = None,
    ) -> Estimate:
        return run_mixed(
            sample,
            expression,
            confidence=confidence,
            seed=seed,
            method=method,
            k=k,
            scale=scale,
            workers=workers,
            device=device,
        )

    return run


def run_copula_knn(
    sample: Sample,
    expression: Expression,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    k: int = 5,
    workers: int | None = None,
    device: str | None = None,
) -> Estimate:
    """Nearest neighbours on normal scores, their Gaussian bias removed."""

    def continuous(term: Term) -> Estimate:
        slots = slots_of(sample, term, estimator="copula-knn")
        found = copula_knn(
            slots.x,
            slots.y,
            slots.z,
            k=k,
            confidence=confidence,
            groups=_groups(sample),
            seed=seed,
            workers=workers,
            device=device,
            term=str(term),
            columns=slots.columns,
        )
        return replace(found, notes=(*slots.notes, *found.notes))

    return _switched(
        sample,
        expression,
        "copula-knn",
        continuous,
        lambda: run_mixed(
            sample, expression, confidence=confidence, seed=seed, k=k, workers=workers, device=device
        ),
    )


def _gaussian_runner(copula: bool) -> Callable[..., Estimate]:
    name = "gaussian-copula" if copula else "gaussian"

    def run(sample: Sample, expression: Expression, *, confidence: float = 0.95, seed: int = 0) -> Estimate:
        def continuous(term: Term) -> Estimate:
            slots = slots_of(sample, term, estimator=name)
            found = gaussian(
                slots.x,
                slots.y,
                slots.z,
                copula=copula,
                confidence=confidence,
                groups=_groups(sample),
                seed=seed,
                term=str(term),
                columns=slots.columns,
            )
            return replace(found, notes=(*slots.notes, *found.notes))

        return _switched(
            sample,
            expression,
            name,
            continuous,
            lambda: run_mixed(sample, expression, confidence=confidence, seed=seed),
        )

    return run


run_frenzel_pompe = _neighbour_runner("frenzel-pompe")
"""KSG 1, with or without conditions, on standardised columns."""

_CONTINUOUS = "continuous columns and vectors; one I(..;..|..); discrete ones switch to mesner-shalizi"
_PAIR = "continuous columns and vectors; one I(..;..); discrete ones switch to mesner-shalizi"
_MIXED = "discrete and continuous columns, mixtures and ties; one "

CONTINUOUS_ENTRIES = (
    Entry("ksg1", _PAIR, "Kraskov, Stoegbauer, Grassberger 2004", "KSG 1", _neighbour_runner("ksg1")),
    Entry("ksg2", _PAIR, "Kraskov, Stoegbauer, Grassberger 2004", "KSG 2", _neighbour_runner("ksg2")),
    Entry(
        "frenzel-pompe",
        _CONTINUOUS,
        "Frenzel and Pompe 2007",
        "KSG 1 with conditions",
        run_frenzel_pompe,
    ),
    Entry(
        "copula-knn",
        _CONTINUOUS,
        "this library, on Frenzel and Pompe 2007",
        "neighbours of normal scores, less the bias on Gaussian rows with the same correlations",
        run_copula_knn,
    ),
    Entry(
        "ross",
        "one discrete column with continuous ones; one I(..;..)",
        "Ross 2014",
        "neighbours within a label",
        _mixed_runner("ross"),
    ),
    Entry("gao", _MIXED + "I(..;..)", "Gao et al. 2017, arXiv:1709.06212", "mixtures", _mixed_runner("gao")),
    Entry(
        "mesner-shalizi",
        _MIXED + "I(..;..|..)",
        "Mesner and Shalizi 2020, arXiv:1912.03387",
        "mixtures with conditions",
        _mixed_runner("mesner-shalizi"),
    ),
    Entry(
        "gaussian",
        _CONTINUOUS,
        "Misra, Singh, Demchuk 2005",
        "log-determinants, exactly unbiased for Gaussian columns",
        _gaussian_runner(copula=False),
    ),
    Entry(
        "gaussian-copula",
        _CONTINUOUS,
        "Ince et al. 2017",
        "log-determinants of normal scores",
        _gaussian_runner(copula=True),
    ),
)
"""The nearest-neighbour and Gaussian estimators in the registry."""
