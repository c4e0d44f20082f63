"""Linear expressions of entropies of discrete columns: value, interval and paired scores.

The interval inverts a test with the moments of `synergy.estimators.discrete.expansion`. Where cells hold few
rows it reaches further, by the bias that `synergy.estimators.discrete.sparsity` estimates to be left, and the
estimate says so where that bias is a matter of more than a third of the standard error. Where joint states
were never seen it reaches as far as the rule of three says they may go, `synergy.estimators.discrete.unseen`.

An entropy is moved by values that were never seen, and rare rows are a sign of them. How V changes with such
an entropy is not known then, so the end is not drawn in by it, and the interval also reaches to the value of
Chao and Shen, which allows for unseen values, and further by what one more could be worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from synergy.estimators.discrete.counts import DiscreteCounts, encode
from synergy.estimators.discrete.entropies import BiasCorrection, check_correction, entropy_of_seen
from synergy.estimators.discrete.expansion import expand, merged
from synergy.estimators.discrete.marginals import Clusters, Key, Marginals
from synergy.estimators.discrete.sparsity import residual_bias
from synergy.estimators.discrete.unseen import loose_variables, new_value_reach, unseen_reach
from synergy.statistics.intervals import check_confidence, normal_interval, score_interval
from synergy.statistics.result import Estimate
from theory import Expression, Term, parse_expression

__all__ = ["plug_in", "plug_in_from_counts"]

Floats = npt.NDArray[np.float64]

_NOTHING = "the terms cancel by algebra: the expression is 0 whatever the data is"
"""The note of an expression without a term left."""
_OF_UNSEEN = ("chao-shen", "nsb", "shrinkage")
"""The corrections that put probability on states that were not seen."""
_LARGE_BIAS = 0.3
"""A bias beyond this share of the standard error is no longer small."""
_FEW_CARRIERS = 6.0
"""With fewer rows that carry the variance than this an interval by the normal law is not to be trusted."""
_RARE = 12
"""States seen less often may vary though the sample shows no variance."""
_FEW_GROUPS = 20
"""Below this many groups a clustered standard error is itself uncertain."""

_MOST_STATES_OF_ROW = 20
"""States beyond this many for each row have fewer than 0.05 rows each, the least rate that sparsity knows."""

_WARNED_BIAS = 1.0
"""From this many standard errors on a bias that is left is a matter of warning and not of a note."""

_UNCOVERED = 0.25
"""Of entropies: the share of rows in states seen once, beyond which unseen states may hold more than is
told."""


def _value(
    marginals: Marginals,
    form: Mapping[Key, float],
    correction: BiasCorrection,
    clusters: Clusters | None,
) -> float:
    """The corrected value; with clusters each correction grows by its design effect."""
    value = 0.0
    for subset, c in form.items():
        seen, states = marginals.seen(subset), marginals.states(subset)
        entropy = entropy_of_seen(seen, correction, states)
        if clusters is not None:
            raw = entropy_of_seen(seen, "none", states)
            entropy = raw + (entropy - raw) * clusters.design_effect(marginals, subset)
        value += c * entropy
    return value


def _estimate(
    parsed: Expression,
    marginals: Marginals,
    correction: BiasCorrection,
    confidence: float,
    clusters: Clusters | None = None,
) -> tuple[Estimate, Floats]:
    form = {subset: float(c) for subset, c in parsed.entropies().items()}
    name, samples = f"discrete ({correction})", int(marginals.total)
    if not form:
        zero = Estimate(str(parsed), 0.0, 0.0, (0.0, 0.0), confidence, name, samples, notes=(_NOTHING,))
        return zero, np.zeros(len(marginals.cells.counts))
    value = _value(marginals, form, correction, clusters)
    reference = _value(marginals, form, "digamma", clusters)
    centre = reference if correction in ("none", "miller-madow", "grassberger") else value
    missed = _missed(marginals, form, clusters)
    expansion, influence, carriers = expand(marginals, form, centre, reference, missed, clusters)
    low, high = score_interval(expansion, confidence)
    bias = -form[max(form, key=len)] * missed[0] / marginals.total
    if correction not in _OF_UNSEEN:
        low, high = min(low, low - bias), max(high, high - bias)
        down, up = unseen_reach(marginals, form, 1 - confidence, expansion.samples)
        low = min(low, centre - math.hypot(expansion.linear_share(low) * (centre - low), down))
        high = max(high, centre + math.hypot(expansion.linear_share(high) * (high - centre), up))
        if loose_variables(marginals, distinct := merged(marginals, form)):
            allowed = _value(marginals, form, "chao-shen", clusters)
            new = new_value_reach(marginals, distinct, 1 - confidence, expansion.samples)
            down, up = max(down, new[0]), max(up, new[1])
            start, _ = normal_interval(min(centre, allowed), expansion.standard_error, confidence)
            _, end = normal_interval(max(centre, allowed), expansion.standard_error, confidence)
            low, high = min(low, start - down), max(high, end + up)
    sparse = _sparse(marginals, form, bias, expansion.standard_error, carriers)
    warned = abs(bias) > _WARNED_BIAS * expansion.standard_error
    estimate = Estimate(
        term=str(parsed),
        value=value,
        standard_error=expansion.standard_error,
        interval=(low, high),
        confidence=confidence,
        estimator=name,
        samples=samples,
        notes=(() if warned else sparse) + _notes(correction, value, (low, high)),
        warnings=(*(sparse if warned else ()), *_unseen(marginals, form), *_few_groups(clusters)),
    )
    return estimate, influence


def _missed(
    marginals: Marginals, form: Mapping[Key, float], clusters: Clusters | None
) -> tuple[float, float]:
    """What rare joint states leave in the estimate, times N, at the effective number of rows."""
    top = max(form, key=len)
    seen, design = marginals.seen(top), 1.0
    if clusters is not None:
        design = max(clusters.design_effect(marginals, top), 1.0)
        seen = np.maximum(np.rint(seen / design), 1)
    cells = _cells(marginals, marginals.free(top))
    first, second = residual_bias(seen, cells)
    return first * design, second * design


def _cells(marginals: Marginals, free: Key) -> float:
    """How many joint states there may be, values that were never seen included.

    A variable that took m values, f1 of them once and f2 twice, has about f1 (f1 - 1) / (2 (f2 + 1)) more
    (Chao 1984, "Nonparametric estimation of the number of classes in a population"). More than a state to
    every twentieth of a row cannot be told from impossible ones; see `sparsity`.
    """
    found = 1.0
    for name in free:
        seen = marginals.seen(frozenset({name}))
        once, twice = float((seen == 1).sum()), float((seen == 2).sum())
        found *= seen.size + once * (once - 1) / (2 * (twice + 1))
    return min(found, _MOST_STATES_OF_ROW * marginals.total)


def _sparse(
    marginals: Marginals, form: Mapping[Key, float], bias: float, error: float, carriers: float
) -> tuple[str, ...]:
    """A note where the table is too sparse for the interval to be relied on."""
    seen = marginals.seen(max(form, key=len))
    if error > 0 and abs(bias) <= _LARGE_BIAS * error and carriers >= _FEW_CARRIERS:
        return ()
    if error == 0 and not (seen < _RARE).any():
        return ()
    singletons = int((seen == 1).sum())
    why = f"a bias of about {bias:+.2g} nats is left, beside a standard error of {error:.2g} nats"
    if abs(bias) <= _LARGE_BIAS * error:
        why = f"the variance comes from about {carriers:.0f} rows"
    return (
        f"undersampled: {int(marginals.total)} rows in {seen.size} combinations, {singletons} of them seen "
        f"once; {why}: the interval is of sampling error only",
    )


def _notes(correction: BiasCorrection, value: float, interval: tuple[float, float]) -> tuple[str, ...]:
    notes = []
    if correction in _OF_UNSEEN:
        notes.append(f"the interval is of the plug-in's sampling error, moved to the {correction} value")
    elif not interval[0] <= value <= interval[1]:
        notes.append(
            "the interval is centred on the digamma correction; the value, with the correction "
            f"{correction!r}, lies outside it by its bias"
        )
    return tuple(notes)


def _few_groups(clusters: Clusters | None) -> tuple[str, ...]:
    if clusters is None or clusters.count >= _FEW_GROUPS:
        return ()
    return (f"only {clusters.count} groups: the clustered standard error is itself uncertain",)


def _unseen(marginals: Marginals, form: Mapping[Key, float]) -> tuple[str, ...]:
    """What to say of an entropy of all variables where many of their states were never seen."""
    top = max(form, key=len)
    if len(form) > 1 and any(abs(c) == abs(form[top]) for s, c in form.items() if s != top):
        return ()
    seen = marginals.seen(top)
    once = float((seen == 1).sum()) / marginals.total
    if once <= _UNCOVERED:
        return ()
    return (
        f"about {once:.0%} of the distribution is in states that were never seen (Good-Turing): an "
        f"entropy of "
        f"{int(marginals.total)} rows can say little of them, and the interval may be too low",
    )


def plug_in_from_counts(
    expression: str | Term | Expression,
    counts: DiscreteCounts,
    *,
    correction: BiasCorrection = "digamma",
    confidence: float = 0.95,
) -> Estimate:
    """Estimate a linear expression from counts that were added batch by batch.

    The same as `plug_in` without scores: no row is kept.

    Args:
        expression: A term or linear expression over the counted columns.
        counts: The counts.
        correction: See `plug_in`.
        confidence: The nominal coverage of the interval.

    Raises:
        ValueError: If the expression names a column that was not counted, no row was added, or an
            option is unknown.

    Example:
        >>> counts = DiscreteCounts(["X", "Y"], {"X": 2, "Y": 2})
        >>> for seed in range(3):
        ...     x = np.random.default_rng(seed).integers(2, size=1000)
        ...     _ = counts.add({"X": x, "Y": x})
        >>> estimate = plug_in_from_counts("I(X;Y)", counts)
        >>> estimate.samples, round(estimate.value, 2)
        (3000, 0.69)
    """
    parsed = _parsed(expression, counts.names, correction)
    check_confidence(confidence)
    return _estimate(parsed, Marginals(counts.cells()), correction, confidence)[0]


def _parsed(
    expression: str | Term | Expression, names: Iterable[str], correction: BiasCorrection
) -> Expression:
    check_correction(correction)
    parsed = parse_expression(expression)
    known = tuple(names)
    unknown = [v for v in parsed.variables if v not in known]
    if unknown:
        raise ValueError(f"unknown variable {unknown[0]!r}: the data has {', '.join(known)}")
    return parsed


def plug_in(
    expression: str | Term | Expression,
    codes: Mapping[str, npt.NDArray[np.integer[Any]]],
    *,
    cardinalities: Mapping[str, int] | None = None,
    correction: BiasCorrection = "digamma",
    confidence: float = 0.95,
    groups: npt.NDArray[np.integer[Any]] | None = None,
    scores: bool = True,
) -> Estimate:
    """Estimate any linear expression of terms over discrete columns from the counts of their states.

    All terms are computed from one table of counts, so that identities between them hold exactly and a
    difference is paired.

    Args:
        expression: A term or linear expression, as text or parsed, such as `"I(A;Z|C) - I(A;Z)"`.
        codes: For each variable integer codes from 0, shape (n,); `encode` makes them from labels.
        cardinalities: The numbers of states where known; the largest code plus one elsewhere. No value
            depends on them: `nsb` and `shrinkage` count the values that each variable took.
        correction: Of the bias of each entropy. `digamma` (the default, the least biased at a small cost in
            variance, on which the intervals of the next three are centred as well), `none` (the plug-in, also
            the maximum likelihood), `miller-madow`, `grassberger` (2003), `chao-shen` (unseen states), `nsb`,
            `shrinkage` (James-Stein).
        confidence: The nominal coverage of the interval.
        groups: Integers that mark dependent rows, shape (n,); biases and standard errors are then
            clustered by them.
        scores: Whether to return one influence value per row.

    Returns:
        The estimate, in nats, not clipped; `scores` have the plug-in value as their mean.

    Raises:
        ValueError: If a variable is unknown, a column is empty, of another length, not of integer codes
            from 0 or beyond its cardinality, or an option is unknown.

    Example:
        >>> from synthetic import ModularShift
        >>> sample = ModularShift(n=4, noise=0.1).sample(10_000, seed=0)
        >>> estimate = plug_in("I(A;C|X)", sample.columns)
        >>> bool(estimate.interval[0] < 1.037514 < estimate.interval[1])
        True
    """
    parsed = _parsed(expression, codes, correction)
    check_confidence(confidence)
    names = parsed.variables or tuple(codes)[:1]
    if not names:
        raise ValueError("codes must hold at least one column, got none")
    arrays = {name: np.asarray(codes[name]) for name in names}
    sizes = {name: _size(name, arrays[name], cardinalities or {}) for name in names}
    counts = DiscreteCounts(names, sizes)
    rows = None
    if scores or groups is not None:
        rows = counts.add_rows(arrays)
    else:
        counts.add(arrays)
    marginals = Marginals(counts.cells())
    clusters = None
    if rows is not None and groups is not None:
        cells = counts.spread(np.arange(len(marginals.cells.counts)), rows)
        clusters = Clusters(cells, _group_codes(groups, len(rows)))
    estimate, influence = _estimate(parsed, marginals, correction, confidence, clusters)
    return (
        estimate if rows is None or not scores else replace(estimate, scores=counts.spread(influence, rows))
    )


def _size(name: str, column: npt.NDArray[Any], cardinalities: Mapping[str, int]) -> int:
    if name in cardinalities:
        return int(cardinalities[name])
    if column.dtype == bool:
        return 2
    if column.size and np.issubdtype(column.dtype, np.integer):
        return max(1, int(column.max()) + 1)
    return 1


def _group_codes(groups: npt.NDArray[np.integer[Any]], rows: int) -> npt.NDArray[np.int64]:
    array = np.asarray(groups)
    if array.shape != (rows,):
        raise ValueError(f"groups must have shape ({rows},), got {array.shape}")
    codes, count = encode(array, name="groups")
    if count < 2 or np.unique(codes).size < 2:
        raise ValueError(
            "groups must mark at least 2 groups, got 1: no standard error can be clustered by it"
        )
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
