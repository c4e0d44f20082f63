"""One function in front of the independence tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier.design import encode_target
from synergy.estimators.intake import Data, as_sample
from synergy.estimators.order import in_blocks
from synergy.independence.columns import MOST_LABELS, Kinds, kinds_of, matrix_of, varying
from synergy.independence.gcm import Residual, differenced
from synergy.independence.order import order_warnings, residual_warning
from synergy.independence.permutations import g_test, local_permutation_test, random_feature_test
from synergy.independence.regressed import Tested, regressed_test
from synergy.independence.result import IndependenceResult, combined
from synergy.independence.statements import independences, text_of
from synergy.independence.untestable import untestable_strata
from synthetic import Sample
from theory import Statement, Term
from theory.checks import integer

__all__ = ["IndependenceMethod", "independence_test"]

IndependenceMethod = Literal["auto", "g", "gcm", "permutation", "local-permutation"]

Integers = npt.NDArray[np.int64]

_ROWS_PER_STRATUM = 5
"""A number is a condition of strata where they hold so many rows on average; else it is regressed on."""
_LEAST_ROWS = 4
"""Three rows have six orders, none of which is rarer than one in six."""


@dataclass(frozen=True)
class _Options:
    """The arguments of `independence_test` that the tests share."""

    permutations: int
    seed: int
    k: int
    near: int


def independence_test(
    data: Data,
    statement: str | Statement | Term,
    *,
    method: IndependenceMethod = "auto",
    permutations: int = 499,
    seed: int = 0,
    groups: str | None = None,
    blocks: int | None = None,
    k: int = 5,
    near: int = 5,
) -> IndependenceResult:
    """Test `X _||_ Y | Z` on columns of any kind.

    Args:
        data: A Sample, a pandas DataFrame, a mapping of arrays by name, or a path, as in `estimate`.
            Integers of more than 12 values are numbers, which a note says, others labels; `g` takes all as
            labels. To `estimate` they are labels unless they have fewer than two rows to a value.
        statement: Such as "A _||_ C | X"; also the term I(A;C|X), the relation I(A;C|X) == 0, or several,
            as in "A _||_ B and C _||_ D", of which it is tested that all hold.
        method: `g`, exact permutations within the strata of discrete columns; `gcm`, the generalised
            covariance measure (Shah and Peters 2020, arXiv:1804.07203) on residuals and bounded functions
            of them; `permutation`, random features with exact permutations, within the strata of a discrete
            condition where there is one; `local-permutation` (Runge 2018), which keeps its level only where
            the rows are dense in Z; or `auto`, the first of these that fits.
        permutations: The number of resamples: permutations, tables or multiplier draws.
        seed: Fixes everything random.
        groups: The column that marks dependent rows; a Sample's own by default.
        blocks: For rows that follow one another, as in a time series: every so many rows are one group, see
            `estimate`.
        k: Neighbours in the statistic of `local-permutation`.
        near: Neighbours in Z among which it permutes.

    Returns:
        The result, with p = (1 + #) / (1 + permutations). Where nothing can be tested (a side that is
        constant or that the condition fixes, too few rows) it has no p-value, and `warnings` say why. They
        also say where the rows are not independent: where both sides follow their own past beyond what the
        condition explains, or rows repeat others in every digit, and no groups are given. A function of the
        condition that both sides share and that is so rough that no regression learns any of it is taken for
        dependence, without a warning: the rows do not tell it from noise in common.

    Raises:
        ValueError: If the statement is no independence, the method is unknown or cannot take the
            columns, a number is out of range, there are groups and blocks, or the data is bad in a way that
            `estimate` refuses.

    Example:
        >>> from synthetic import ModularShift
        >>> sample = ModularShift(n=4, noise=0.1).sample(1000, seed=0)
        >>> independence_test(sample, "A _||_ C").rejects()
        False
        >>> independence_test(sample, "A _||_ C | X").rejects()
        True
    """
    terms = independences(statement)
    if method not in get_args(IndependenceMethod):
        raise ValueError(f"method must be one of {', '.join(get_args(IndependenceMethod))}, got {method!r}")
    for name, number, least in (("permutations", permutations, 19), ("k", k, 1), ("near", near, 2)):
        integer(name, number, least)
    options = _Options(permutations, integer("seed", seed, 0), k, near)
    found = []
    for term in terms:
        sample = as_sample(data, term.variables, groups=groups)
        found.append(_tested(sample if blocks is None else in_blocks(sample, blocks), term, method, options))
    return combined(found)


def _tested(sample: Sample, term: Term, method: IndependenceMethod, options: _Options) -> IndependenceResult:
    notes: list[str] = []
    left, right = (varying(sample, names, notes) for names in term.groups)
    found = replace(term, groups=(left or term.groups[0], right or term.groups[1]))
    found = replace(found, given=varying(sample, term.given, notes))
    if method == "auto":
        method, why = _choose(sample, found)
        notes.append(f"auto chose {method}: {why}")
    if not left or not right:
        fixed = ", ".join(term.groups[1 if left else 0])
        outcome = Tested.nothing(f"{fixed} is constant, and a constant is independent of everything")
    elif len(sample) < _LEAST_ROWS:
        outcome = Tested.nothing(f"{len(sample)} rows are too few, there must be {_LEAST_ROWS}")
    else:
        notes += _read_as_numbers(sample, found, method)
        outcome = _run(sample, found, method, options, notes)
        outcome = replace(outcome, warnings=(*outcome.warnings, *order_warnings(sample, term)))
    return IndependenceResult(
        text_of(term),
        outcome.p_value,
        outcome.statistic,
        method,
        options.permutations,
        len(sample),
        tuple(notes),
        outcome.warnings,
    )


def _read_as_numbers(sample: Sample, term: Term, method: IndependenceMethod) -> list[str]:
    """What to say of integers that the method takes as numbers: of the condition some take the states."""
    sides = () if method == "g" else (*term.groups[0], *term.groups[1])
    names = term.variables if method in ("gcm", "local-permutation") else sides
    counts = [name for name in kinds_of(sample, names).numbers if sample.variables[name].kind == "discrete"]
    if not counts:
        return []
    return [
        f"{', '.join(counts)}: integers of more than {MOST_LABELS} values, read as numbers, not as labels"
    ]


def _choose(sample: Sample, term: Term) -> tuple[IndependenceMethod, str]:
    given = kinds_of(sample, term.given)
    sides = kinds_of(sample, (*term.groups[0], *term.groups[1]))
    if sample.groups is not None:
        return "gcm", f"rows are dependent within {sample.groups}, which permutations would break"
    if sides.images:
        return "gcm", f"{sides.images[0]} is an image"
    apart = _not_strata(sample, term, given)
    if apart is not None:
        return "gcm", apart
    if not sides.numbers:
        return "g", "every column is discrete"
    if not term.given:
        return "permutation", "there is no condition"
    return "permutation", "the condition is discrete, and rows can be exchanged within its states"


def _not_strata(sample: Sample, term: Term, given: Kinds) -> str | None:
    """Why the rows cannot be exchanged within the states of the condition, or None where they can."""
    if given.images:
        return f"{given.images[0]} is an image"
    for name in given.numbers:
        if sample.variables[name].kind == "continuous":
            return f"{name} is continuous"
    if given.numbers:
        states = encode_target(sample, term.given)[1]
        if states * _ROWS_PER_STRATUM > len(sample):
            return f"{given.numbers[0]} is a number, whose {states} states have too few rows each"
    return None


def _run(
    sample: Sample, term: Term, method: IndependenceMethod, options: _Options, notes: list[str]
) -> Tested:
    if sample.groups is not None and method != "gcm":
        raise ValueError(
            f"method {method!r} permutes rows, which are dependent within {sample.groups!r}: use 'gcm'"
        )
    if method == "gcm":
        return regressed_test(sample, term, permutations=options.permutations, seed=options.seed, notes=notes)
    images = kinds_of(sample, term.variables).images
    if images and method != "g":
        raise ValueError(f"method {method!r} measures distances and cannot take the image {images[0]!r}")
    if method == "local-permutation":
        return _local(sample, term, options, notes)
    return _within_strata(sample, term, method, options)


def _within_strata(sample: Sample, term: Term, method: IndependenceMethod, options: _Options) -> Tested:
    """Permutations within the states of the condition; of all rows where there is none."""
    left, right = term.groups
    wanted = term.variables if method == "g" else term.given
    other = [name for name in wanted if sample.variables[name].kind != "discrete"]
    if other:
        what = "takes discrete columns" if method == "g" else "takes no condition that is not discrete"
        raise ValueError(f"method {method!r} {what}, got {', '.join(other)}")
    z = encode_target(sample, term.given)[0] if term.given else np.zeros(len(sample), dtype=np.int64)
    x, y = (_states(sample, names) for names in (left, right))
    reason = untestable_strata(x, y, z)
    if reason is not None:
        return Tested.nothing(reason)
    if method == "g":
        warnings = residual_warning(sample, term, [[x], [y]], strata=z)
        return Tested(*g_test(x, y, z, resamples=options.permutations, seed=options.seed), tuple(warnings))
    x_matrix, y_matrix = (matrix_of(sample, names) for names in (left, right))
    warnings = residual_warning(sample, term, [list(x_matrix.T), list(y_matrix.T)], strata=z)
    return Tested(
        *random_feature_test(x_matrix, y_matrix, z, resamples=options.permutations, seed=options.seed),
        tuple(warnings),
    )


def _states(sample: Sample, names: tuple[str, ...]) -> Integers:
    """Equal numbers for equal rows of some variables."""
    if all(sample.variables[name].kind == "discrete" for name in names):
        return encode_target(sample, names)[0]
    matrix = np.hstack(
        [np.asarray(sample[name], dtype=np.float64).reshape(len(sample), -1) for name in names]
    )
    return np.unique(matrix, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _local(sample: Sample, term: Term, options: _Options, notes: list[str]) -> Tested:
    k, near = options.k, options.near
    if len(sample) <= max(k, near):
        raise ValueError(f"k={k} and near={near} need more rows, got {len(sample)}")
    x, y = (matrix_of(sample, names) for names in term.groups)
    z = matrix_of(sample, term.given) if term.given else None
    discrete = kinds_of(sample, term.variables).labels
    if discrete:
        notes.append(f"{', '.join(discrete)} entered as indicators: ties may bias the neighbour statistic")
    statistic, p_value = local_permutation_test(
        x, y, z, k=k, near=near, resamples=options.permutations, seed=options.seed
    )
    warnings = (
        ["local permutation rejects true independences where rows are sparse in Z"] if term.given else []
    )
    sides = [[Residual.known(column) for column in matrix.T] for matrix in (x, y)]
    if z is not None:
        sides = [differenced(side, z) for side in sides]
    warnings += residual_warning(sample, term, [[residual.values for residual in side] for side in sides])
    return Tested(statistic, p_value, tuple(warnings))
