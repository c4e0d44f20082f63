r"""Linear expressions of entropies of discrete columns: value, interval and paired scores.

For T = sum_S c_S H(S) with distribution p the estimate expands as

    T(p_n) - T(p) = mean psi - (1/2n) z' M z + ..,    psi = sum_S c_S (-log p_S) - T,

with M = sum_S c_S P_S, P_S the conditional expectation given S (a projection in L2(p)), and z standard
Gaussian. All that the interval needs follows from these two objects and is a sum over the seen cells:

- bias -(tr M - sum c)/2n: the Miller-Madow terms; the interval uses the digamma correction, which also
  removes the higher orders;
- V = Var psi, without the bias of its plug-in (n [psi(n)^2 - psi'(n)] is to p log^2 p what n psi(n) is to
  p log p); Q = tr (M - const)^2, with tr P_S P_T = sum p(s,t)^2 / (p(s) p(t)); the variance of the
  estimate is V/n + Q/2n^2;
- skewness and dV/dT from E psi^3 and -sum_S c_S Var E[psi|S] (the acceleration).

At independence V = 0 and Q = (|X|-1)(|Y|-1): the chi-square limit. Near it V = 2 T and the slope dV/dT
is 2: the noncentral chi-square. Away from it the interval is the score (Wilson-type) normal interval.

References:
    G. Miller (1955), "Note on the bias of information estimates"; A. Antos and I. Kontoyiannis (2001),
    "Convergence properties of functional estimates for discrete distributions" (the normal limit);
    P. Grassberger (2003), arXiv:physics/0307138; and `synergy.estimators.intervals`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, polygamma

from synergy.estimators.discrete.counts import Cells, DiscreteCounts, encode
from synergy.estimators.discrete.digamma import residual_variance, small_count_terms
from synergy.estimators.discrete.entropies import Correction, check_correction, entropy_of_seen
from synergy.estimators.intervals import Expansion, check_confidence, cluster_variance, score_interval
from synergy.estimators.result import Estimate
from theory import Expression, Term, parse_expression

__all__ = ["plug_in", "plug_in_from_counts"]

Floats = npt.NDArray[np.float64]
Key = frozenset[str]

_NOTHING = "the terms cancel by algebra: the expression is 0 whatever the data is"
_MANY_SINGLETONS = 0.3
_FEW_GROUPS = 20


class _Marginals:
    """The marginal tables of the seen cells, computed once for each subset."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.total = float(cells.counts.sum())
        self._known: dict[Key, tuple[npt.NDArray[np.int64], Floats]] = {}

    def of(self, subset: Key) -> tuple[npt.NDArray[np.int64], Floats]:
        """The marginal state of each cell and the count of each marginal state."""
        if subset not in self._known:
            index = self.cells.index(subset)
            counts = np.bincount(index, weights=self.cells.counts).astype(np.float64)
            self._known[subset] = index, counts
        return self._known[subset]

    def seen(self, subset: Key) -> Floats:
        """The positive counts of the subset."""
        counts = self.of(subset)[1]
        return counts[counts > 0]

    def overlap(self, first: Key, second: Key) -> float:
        """The trace of P_S P_T, sum p(s,t)^2 / (p(s) p(t)); the seen states of S where T holds S."""
        if first <= second or second <= first:
            return float(self.seen(min(first, second, key=len)).size)
        joint_index, joint = self.of(first | second)
        left_index, left = self.of(first)
        right_index, right = self.of(second)
        share = joint[joint_index] / (left[left_index] * right[right_index])  # (m,)
        return float(self.cells.counts @ share)


class _Clusters:
    """Rows that are dependent within groups: what that does to variances and biases."""

    def __init__(self, cell_of_row: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> None:
        self.cell_of_row = cell_of_row
        self.groups = groups
        self.sizes = np.bincount(groups).astype(np.float64)
        self.count = int((self.sizes > 0).sum())

    def variance(self, influence: Floats) -> float:
        """The clustered variance of an influence function that is given on the seen cells."""
        return cluster_variance(influence[self.cell_of_row], self.groups)[0]

    def design_effect(self, marginals: _Marginals, subset: Key) -> float:
        """N sum_s Var(p_s) / p_s over its value for independent rows, the number of states less one."""
        index, counts = marginals.of(subset)
        seen = int((counts > 0).sum())
        if seen < 2:
            return 1.0
        state = index[self.cell_of_row]
        pairs, repeats = np.unique(self.groups * counts.size + state, return_counts=True)
        squares = float((np.square(repeats) / counts[pairs % counts.size]).sum()) * marginals.total
        spread = (squares - float(np.square(self.sizes).sum())) / marginals.total
        return spread * self.count / (self.count - 1) / (seen - 1)


def _expand(
    marginals: _Marginals,
    form: Mapping[Key, float],
    value: float,
    reference: float,
    clusters: _Clusters | None,
) -> tuple[Expansion, Floats]:
    """The expansion around the estimate, and the influence value of each seen cell, shape (m,).

    `reference` is the digamma estimate, the mean to which the second moment of the influence belongs.
    """
    n = marginals.total
    weights = marginals.cells.counts / n  # (m,)
    influence = np.zeros(len(weights))
    unbiased = np.zeros(len(weights))
    for subset, c in form.items():
        index, counts = marginals.of(subset)
        positive = np.maximum(counts, 1)
        influence -= c * np.log(positive / n)[index]
        unbiased -= c * (digamma(positive) - math.log(n))[index]
    centred = influence - weights @ influence
    raw = float(weights @ np.square(centred))
    curvature = trace = 0.0
    for subset, c in form.items():
        index, counts = marginals.of(subset)
        sums = np.bincount(index, weights=weights * centred)
        curvature -= c * float((np.square(sums) * n / np.maximum(counts, 1)).sum())
        trace += c * marginals.seen(subset).size
    constant = sum(form.values())
    limit = sum(c * c * marginals.seen(s).size for s, c in form.items()) - constant * constant
    for (s, c), (t, d) in combinations(form.items(), 2):
        limit += 2 * c * d * marginals.overlap(s, t)
    limit = max(0.0, limit)
    top = max(form, key=len)
    seen, square = marginals.seen(top), form[top] ** 2
    quadratic = max(limit / 2, limit + square * (2 * residual_variance(seen) - seen.size))
    noise = limit + square * (float(seen @ polygamma(1, seen)) - seen.size)
    spread, design = float(weights @ np.square(unbiased)) - reference * reference, 1.0
    spread += _rare(marginals, top, form[top], unbiased)
    if clusters is not None:
        design = max(clusters.design_effect(marginals, top), 1e-9)
        spread = (clusters.variance(unbiased) + _rare(marginals, top, form[top], unbiased)) / design
    fitted = min((seen.size - 1) * design / n, 0.5)
    variance = spread - noise * design / n
    variance /= 1 - fitted if variance > 0 else 1
    third = float(weights @ centred**3)
    expansion = Expansion(
        value=value,
        variance=variance,
        slope=(third + 2 * curvature) / raw if raw > 0 else 0.0,
        third=(third + 3 * curvature) * (max(variance, 0.0) / raw if raw > 0 else 0.0),
        quadratic=quadratic,
        cubic=(constant - trace) * (quadratic / limit if limit > 0 else 0.0),
        samples=n / design,
    )
    return expansion, influence


def _rare(marginals: _Marginals, top: Key, c: float, unbiased: Floats) -> float:
    """What states with few rows add to the second moment of the influence.

    In it n psi(n) and n psi(n)^2 of the joint states stand for lambda log lambda and lambda log^2 lambda;
    h(n) and g(n) remove what they miss.
    """
    index, counts = marginals.of(top)
    own = counts[index]
    h, g = small_count_terms(own)
    rest = unbiased + c * digamma(own)
    share = marginals.cells.counts / own
    return float(share @ (c * c * g - 2 * c * rest * h)) / marginals.total


def _value(
    marginals: _Marginals,
    form: Mapping[Key, float],
    correction: Correction,
    cardinalities: Mapping[str, int],
    clusters: _Clusters | None,
) -> float:
    """The corrected value; with clusters each correction grows by its design effect."""
    largest = marginals.cells.states.max(axis=0) + 1
    columns = marginals.cells.columns
    value = 0.0
    for subset, c in form.items():
        seen = marginals.seen(subset)
        states = math.prod(float(cardinalities.get(v, int(largest[columns[v]]))) for v in subset)
        entropy = entropy_of_seen(seen, correction, states)
        if clusters is not None:
            raw = entropy_of_seen(seen, "none", states)
            entropy = raw + (entropy - raw) * clusters.design_effect(marginals, subset)
        value += c * entropy
    return value


def _estimate(
    parsed: Expression,
    marginals: _Marginals,
    cardinalities: Mapping[str, int],
    correction: Correction,
    confidence: float,
    clusters: _Clusters | None = None,
) -> tuple[Estimate, Floats]:
    form = {subset: float(c) for subset, c in parsed.entropies().items()}
    name, samples = f"discrete ({correction})", int(marginals.total)
    if not form:
        zero = Estimate(str(parsed), 0.0, 0.0, (0.0, 0.0), confidence, name, samples, notes=(_NOTHING,))
        return zero, np.zeros(len(marginals.cells.counts))
    value = _value(marginals, form, correction, cardinalities, clusters)
    reference = _value(marginals, form, "digamma", cardinalities, clusters)
    centre = reference if correction in ("none", "miller-madow", "grassberger") else value
    expansion, influence = _expand(marginals, form, centre, reference, clusters)
    interval = score_interval(expansion, confidence)
    estimate = Estimate(
        term=str(parsed),
        value=value,
        standard_error=expansion.standard_error,
        interval=interval,
        confidence=confidence,
        estimator=name,
        samples=samples,
        notes=_notes(marginals, form, correction, value, interval, clusters),
    )
    return estimate, influence


def _notes(
    marginals: _Marginals,
    form: Mapping[Key, float],
    correction: Correction,
    value: float,
    interval: tuple[float, float],
    clusters: _Clusters | None,
) -> tuple[str, ...]:
    notes = []
    seen = marginals.seen(max(form, key=len))
    singletons = float((seen == 1).sum())
    if singletons > _MANY_SINGLETONS * marginals.total:
        notes.append(
            f"undersampled: {int(singletons)} of {int(marginals.total)} rows are the only one of their "
            f"combination ({seen.size} combinations seen); the bias exceeds the interval, which is of "
            "sampling error only"
        )
    if correction in ("chao-shen", "nsb", "shrinkage"):
        notes.append(f"the interval is of the plug-in's sampling error, moved to the {correction} value")
    elif not interval[0] <= value <= interval[1]:
        notes.append(
            "the interval is centred on the digamma correction; the value, with the correction "
            f"{correction!r}, lies outside it by its bias"
        )
    if clusters is not None and clusters.count < _FEW_GROUPS:
        notes.append(f"only {clusters.count} groups: the clustered standard error is itself uncertain")
    return tuple(notes)


def plug_in_from_counts(
    expression: str | Term | Expression,
    counts: DiscreteCounts,
    *,
    correction: Correction = "digamma",
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
    return _estimate(parsed, _Marginals(counts.cells()), counts.cardinalities, correction, confidence)[0]


def _parsed(expression: str | Term | Expression, names: Iterable[str], correction: Correction) -> Expression:
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
    correction: Correction = "digamma",
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
        cardinalities: The numbers of states where known; the largest code plus one elsewhere. Only the
            corrections `nsb` and `shrinkage` depend on them.
        correction: Of the bias of each entropy. `digamma` (the default, the least biased at a small
            cost in variance, on which the intervals of the next three are centred as well), `none`
            (the plug-in, also the maximum likelihood), `miller-madow`, `grassberger` (2003),
            `chao-shen` (unseen states), `nsb`, `shrinkage` (James-Stein).
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
    marginals = _Marginals(counts.cells())
    clusters = None
    if rows is not None and groups is not None:
        cells = counts.spread(np.arange(len(marginals.cells.counts)), rows)
        clusters = _Clusters(cells, _group_codes(groups, len(rows)))
    estimate, influence = _estimate(parsed, marginals, sizes, correction, confidence, clusters)
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
