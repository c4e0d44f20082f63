"""One function in front of the independence tests."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier import CrossFit
from synergy.estimators.classifier.design import encode_target
from synergy.estimators.intake import Data, as_sample, check_expression, split_columns
from synergy.independence.columns import components, conditions, indicators, matrix_of, vectors
from synergy.independence.gcm import Residual, covariance_test, differenced, residual_features
from synergy.independence.permutations import g_test, local_permutation_test, random_feature_test
from synergy.independence.result import IndependenceResult
from synergy.independence.smoother import Smoother
from synthetic import Sample
from theory import Expression, Statement, Term, parse_statement
from theory.checks import integer

__all__ = ["Method", "independence_test"]

Method = Literal["auto", "g", "gcm", "permutation", "local-permutation"]

Floats = npt.NDArray[np.float64]

_MOST_ROWS = 5000


def independence_test(
    data: Data,
    statement: str | Statement | Term,
    *,
    method: Method = "auto",
    permutations: int = 499,
    seed: int = 0,
    groups: str | None = None,
    k: int = 5,
    near: int = 5,
) -> IndependenceResult:
    """Test `X _||_ Y | Z` on columns of any kind.

    Args:
        data: A Sample, a pandas DataFrame, a mapping of arrays by name, or a path, as in `estimate`.
        statement: Such as "A _||_ C | X"; also the term I(A;C|X), or the relation I(A;C|X) == 0.
        method: `g`, exact permutations within the strata of discrete columns; `gcm`, the generalised
            covariance measure (Shah and Peters 2020, arXiv:1804.07203) on residuals and bounded functions
            of them; `permutation`, random features with plain permutations, where there is no condition;
            `local-permutation` (Runge 2018), which keeps its level only where the rows are dense in Z; or
            `auto`, the first of these that fits.
        permutations: The number of resamples: permutations, tables or multiplier draws.
        seed: Fixes everything random.
        groups: The column that marks dependent rows; a Sample's own by default.
        k: Neighbours in the statistic of `local-permutation`.
        near: Neighbours in Z among which it permutes.

    Returns:
        The result, with p = (1 + #) / (1 + permutations).

    Raises:
        ValueError: If the statement is not one independence, the method is unknown or cannot take the
            columns, a number is out of range, or the data is bad in a way that `estimate` refuses.

    Example:
        >>> from synthetic import ModularShift
        >>> sample = ModularShift(n=4, noise=0.1).sample(1000, seed=0)
        >>> independence_test(sample, "A _||_ C").rejects()
        False
        >>> independence_test(sample, "A _||_ C | X").rejects()
        True
    """
    term = _term(statement)
    text = f"{','.join(term.groups[0])} _||_ {','.join(term.groups[1])}"
    text += f" | {','.join(term.given)}" if term.given else ""
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(get_args(Method))}, got {method!r}")
    for name, number, least in (("permutations", permutations, 19), ("k", k, 1), ("near", near, 2)):
        integer(name, number, least)
    integer("seed", seed, 0)
    sample = as_sample(data, term.variables, groups=groups)
    notes: list[str] = []
    if method == "auto":
        method, why = _choose(sample, term)
        notes.append(f"auto chose {method}: {why}")
    statistic, p_value = _run(sample, term, method, permutations, seed, k, near, notes)
    return IndependenceResult(text, p_value, statistic, method, permutations, len(sample), tuple(notes))


def _term(statement: str | Statement | Term) -> Term:
    if isinstance(statement, Term):
        parsed = Expression(((_ONE, statement),))
    else:
        parts = parse_statement(_as_statement(statement)) if isinstance(statement, str) else statement
        if len(parts) != 1 or parts.relations[0].operator != "==":
            raise ValueError(f"statement must be one independence such as 'A _||_ C | X', got {statement}")
        parsed = parts.relations[0].gap
    check_expression(parsed)
    if len(parsed.terms) != 1 or len(parsed.terms[0].groups) != 2:
        raise ValueError(f"statement must be one independence such as 'A _||_ C | X', got {statement}")
    return parsed.terms[0]


_ONE = check_expression("I(A;B)").summands[0][0]


def _as_statement(text: str) -> str:
    return text if any(sign in text for sign in ("=", "_||_", "⊥", "⟂", "<", ">")) else f"{text} == 0"


def _choose(sample: Sample, term: Term) -> tuple[Method, str]:
    _, continuous, images = split_columns(sample, term.variables)
    if sample.groups is not None:
        return "gcm", f"rows are dependent within {sample.groups}, which permutations would break"
    if not continuous and not images:
        return "g", "every column is discrete"
    if not term.given:
        return "permutation", "there is no condition"
    return "gcm", f"{(images or continuous)[0]} is {'an image' if images else 'continuous'}"


def _run(
    sample: Sample,
    term: Term,
    method: Method,
    permutations: int,
    seed: int,
    k: int,
    near: int,
    notes: list[str],
) -> tuple[float, float]:
    discrete, continuous, images = split_columns(sample, term.variables)
    if sample.groups is not None and method != "gcm":
        raise ValueError(
            f"method {method!r} permutes rows, which are dependent within {sample.groups!r}: use 'gcm'"
        )
    left, right = term.groups
    if method == "g":
        if continuous or images:
            raise ValueError(f"method 'g' takes discrete columns, got {', '.join([*continuous, *images])}")
        x, y, z = (encode_target(sample, names)[0] for names in (left, right, term.given))
        return g_test(x, y, z, resamples=permutations, seed=seed)
    if method == "gcm":
        return _gcm(sample, term, permutations, seed, notes)
    if images:
        raise ValueError(f"method {method!r} measures distances and cannot take the image {images[0]!r}")
    x_matrix, y_matrix = (matrix_of(sample, names) for names in (left, right))
    if method == "permutation":
        if term.given:
            raise ValueError(f"method 'permutation' takes no condition, got {', '.join(term.given)}")
        return random_feature_test(x_matrix, y_matrix, resamples=permutations, seed=seed)
    if len(sample) <= max(k, near):
        raise ValueError(f"k={k} and near={near} need more rows, got {len(sample)}")
    notes.append("local permutation rejects true independences where rows are sparse in Z")
    z_matrix = matrix_of(sample, term.given) if term.given else None
    if discrete:
        notes.append(f"{', '.join(discrete)} entered as indicators: ties may bias the neighbour statistic")
    return local_permutation_test(
        x_matrix, y_matrix, z_matrix, k=k, near=near, resamples=permutations, seed=seed
    )


def _gcm(sample: Sample, term: Term, permutations: int, seed: int, notes: list[str]) -> tuple[float, float]:
    """Residuals by a smoother, or where a condition is an image by cross-fitted classifiers."""
    groups = None
    if sample.groups is not None:
        groups = np.unique(sample[sample.groups], return_inverse=True)[1].reshape(-1)
    images = [v for v in term.given if sample.variables[v].kind == "image"]
    rows: npt.NDArray[np.int64] = np.arange(len(sample))
    if not term.given:
        left, right = (_centred(matrix_of(sample, names)) for names in term.groups)
        weights = np.ones((len(sample), 1))
    elif images:
        left, right = (_classified(sample, names, term.given, seed) for names in term.groups)
        weights = np.hstack([np.ones((len(sample), 1)), np.tanh(components(sample, term.given))])
        notes.append(f"residuals by cross-fitted classifiers, because {images[0]} is an image")
    else:
        if len(sample) > _MOST_ROWS:
            rows = np.sort(np.random.default_rng([seed, 0x5B]).permutation(len(sample))[:_MOST_ROWS])
            notes.append(f"{_MOST_ROWS} of {len(sample)} rows were used")
        few = sample.rows(rows)
        z = conditions(few, term.given)
        smoother = Smoother(z, seed=seed)
        left, missed = (_features(few, names, smoother) for names in term.groups)
        right = differenced(missed, z)
        weights = np.hstack([np.ones((len(rows), 1)), np.tanh(z[:, :_MOST_WEIGHTS])])
        notes.append(
            "sees dependence through residuals, their cosine and sine, and weights in Z; a jump of both "
            "sides along a slanted plane of Z would be taken for it"
        )
    clusters = None if groups is None else np.unique(groups[rows], return_inverse=True)[1].reshape(-1)
    return covariance_test(left, right, weights=weights, resamples=permutations, seed=seed, clusters=clusters)


_MOST_WEIGHTS = 5


def _features(sample: Sample, names: tuple[str, ...], smoother: Smoother) -> list[Residual]:
    discrete, continuous, images = split_columns(sample, names)
    if images:
        raise ValueError(f"method 'gcm' cannot regress the image {images[0]!r}: condition on it instead")
    parts: list[Residual] = []
    if discrete:
        parts.extend(residual_features(indicators(sample, tuple(discrete)), smoother, shapes=False))
    if continuous:
        parts.extend(residual_features(vectors(sample, tuple(continuous)), smoother, shapes=True))
    return parts


def _classified(sample: Sample, names: tuple[str, ...], given: tuple[str, ...], seed: int) -> list[Residual]:
    """Indicators less their cross-fitted probabilities, one for each state but the last."""
    other = [name for name in names if sample.variables[name].kind != "discrete"]
    if other:
        raise ValueError(
            f"conditioning on an image needs discrete columns on both sides, got {other[0]!r}, which is "
            f"{sample.variables[other[0]].kind}"
        )
    fit = CrossFit(sample, seed=seed, quality="quick")
    p = np.exp(fit.log_probabilities(names, given))
    codes, states = encode_target(sample, [n for n in sample if n in names])
    left = np.asarray(np.eye(states)[codes] - p)[:, : max(1, states - 1)]
    return [Residual.known(column) for column in left.T]


def _centred(matrix: Floats) -> list[Residual]:
    return [
        Residual(column, column, lambda values: values - values.mean(axis=0))
        for column in (matrix - matrix.mean(axis=0)).T
    ]
