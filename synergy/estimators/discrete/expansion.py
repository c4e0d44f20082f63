r"""The second-order expansion of a linear expression of entropies.

For T = sum_S c_S H(S) with distribution p the estimate expands as

    T(p_n) - T(p) = mean psi - (1/2n) z' M z + ..,    psi = sum_S c_S (-log p_S) - T,

with M = sum_S c_S P_S, P_S the conditional expectation given S (a projection in L2(p)), and z standard
Gaussian. All that the interval needs follows from these two objects and is a sum over the seen cells:

- bias -(tr M - sum c)/2n: the Miller-Madow terms; the interval uses the digamma correction, which also
  removes the higher orders;
- V = Var psi, without the bias of its plug-in (n [psi(n)^2 - psi'(n)] is to p log^2 p what n psi(n) is to
  p log p); Q = tr (M - const)^2, with tr P_S P_T = sum p(s,t)^2 / (p(s) p(t)); the variance of the
  estimate is V/n + Q/2n^2;
- skewness and dV/dT from E psi^3 and -sum_S c_S Var E[psi|S] (the acceleration), both shrunk by the
  weight Q/n of noise towards what they are at a degenerate point, 3 and 2 times tr N^3 / tr N^2 with
  N = const - M, since where psi is mostly noise their ratios to V are too;
- the variance of the third-order term, (1/6n^3) sum c_S c_T sum p(s) p(t) (r - 1)^3 with
  r = p(s,t) / (p(s) p(t));
- the estimate of V is itself uncertain: Student's quantiles in place of the normal ones.

At independence V = 0 and Q = (|X|-1)(|Y|-1): the chi-square limit. Near it V = 2 T and the slope dV/dT
is 2: the noncentral chi-square. Away from it the interval is the score (Wilson-type) normal interval.

References:
    G. Miller (1955), "Note on the bias of information estimates"; A. Antos and I. Kontoyiannis (2001),
    "Convergence properties of functional estimates for discrete distributions" (the normal limit);
    P. Grassberger (2003), arXiv:physics/0307138; and `synergy.statistics.intervals`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, polygamma

from synergy.estimators.discrete.digamma import residual_variance, small_count_terms, variance_noise
from synergy.estimators.discrete.marginals import Clusters, Key, Marginals
from synergy.statistics.intervals import Expansion

__all__ = ["expand", "merged"]

Floats = npt.NDArray[np.float64]

_NO_VARIANCE = 1e-24
"""A variance of the influence below this is rounding."""

_ROUNDING = 1e-9
"""Eigenvalues of the second derivative below this are 0."""

_RARE = 3
"""States with at most this many rows share out what rare states leave in the second moment."""

_EXACT, _PROBES = 150, 2000
"""The most cells whose spectrum is computed; beyond them, how many random signs stand for it."""


def expand(
    marginals: Marginals,
    form: Mapping[Key, float],
    value: float,
    reference: float,
    missed: tuple[float, float],
    clusters: Clusters | None,
) -> tuple[Expansion, Floats, float]:
    """The expansion around an estimate of T = sum_S c_S H(S).

    Args:
        marginals: The tables.
        form: The coefficients c_S.
        value: The estimate.
        reference: The digamma estimate, the mean to which the second moment of the influence belongs.
        missed: What rare states leave in the joint entropy and in the second moment; see `sparsity`.
        clusters: The groups of dependent rows, if any.

    Returns:
        The expansion; the influence value of each seen cell, shape (m,); and the carriers of the variance,
        n (E psi^2)^2 / E psi^4: the number of rows that it comes from, were their influence all alike.
    """
    n = marginals.total
    whole, form = form, merged(marginals, form)
    if max(form, key=len) != max(whole, key=len):
        missed = (0.0, 0.0)
    weights = marginals.cells.counts / n  # (m,)
    influence, unbiased = _influence(marginals, form)
    centred = influence - weights @ influence
    raw = float(weights @ np.square(centred))
    limit, cubed = _second_order(marginals, form)
    top = max(form, key=len)
    seen, square = marginals.seen(top), form[top] ** 2
    quadratic = max(limit / 2, limit + square * (2 * residual_variance(seen) - seen.size))
    spread, design = _spread(marginals, form, unbiased, reference, missed, clusters)
    noise = limit + square * (float(seen @ polygamma(1, seen)) - seen.size)
    variance = spread - noise * design / n
    cube, bend = _spectrum(marginals, form, sum(form.values()))
    cubic = cube * (quadratic / limit) ** 1.5 if limit > 0 else 0.0
    third, fourth = (float(weights @ centred**power) for power in (3, 4))
    bent = _curvature(marginals, form, centred) + cubic * design / n
    known = max(raw + quadratic * design / n, _NO_VARIANCE)
    expansion = Expansion(
        value=value,
        variance=variance,
        slope=(third + 2 * bent) / known,
        skew=(third + 3 * bent) / known,
        quadratic=quadratic,
        cubic=cubic,
        smear=max(0.0, cubed) / 6,
        bend=bend,
        samples=n / design,
        freedom=_freedom(marginals, form, centred, max(variance, 0.0) + quadratic * design / (2 * n), design),
    )
    carriers = n * raw * raw / (fourth * design) if raw > _NO_VARIANCE else math.inf
    return expansion, influence, carriers


def _influence(marginals: Marginals, form: Mapping[Key, float]) -> tuple[Floats, Floats]:
    """The influence value psi of each seen cell, by the plug-in and with the digamma in place of the log."""
    n, m = marginals.total, len(marginals.cells.counts)
    influence, unbiased = np.zeros(m), np.zeros(m)
    for subset, c in form.items():
        index, counts = marginals.of(subset)
        positive = np.maximum(counts, 1)
        influence -= c * np.log(positive / n)[index]
        unbiased -= c * (digamma(positive) - digamma(n))[index]
    return influence, unbiased


def _second_order(marginals: Marginals, form: Mapping[Key, float]) -> tuple[float, float]:
    """Q = tr (M - const)^2 of dense tables, and n^3 times six times the variance of the third-order term."""
    pairs = list(combinations(form.items(), 2))
    limit = sum(c * c * marginals.seen(s).size for s, c in form.items()) - sum(form.values()) ** 2
    limit += sum(2 * c * d * marginals.overlap(s, t) for (s, c), (t, d) in pairs)
    cubed = sum(c * c * marginals.triple(s, s) for s, c in form.items())
    cubed += sum(2 * c * d * marginals.triple(s, t) for (s, c), (t, d) in pairs)
    return max(0.0, limit), cubed


def _curvature(marginals: Marginals, form: Mapping[Key, float], centred: Floats) -> float:
    """-sum_S c_S Var E[psi|S], the acceleration."""
    n = marginals.total
    found = 0.0
    for subset, c in form.items():
        index, counts = marginals.of(subset)
        sums = np.bincount(index, weights=marginals.cells.counts / n * centred)
        found -= c * float((np.square(sums) * n / np.maximum(counts, 1)).sum())
    return found


def _spread(
    marginals: Marginals,
    form: Mapping[Key, float],
    unbiased: Floats,
    reference: float,
    missed: tuple[float, float],
    clusters: Clusters | None,
) -> tuple[float, float]:
    """The second moment of the influence, without its plug-in bias, and the design effect of groups."""
    top = max(form, key=len)
    rare = _rare(marginals, top, form[top], unbiased, missed)
    if clusters is None:
        weights = marginals.cells.counts / marginals.total
        return float(weights @ np.square(unbiased)) - reference * reference + rare, 1.0
    design = max(clusters.design_effect(marginals, top), 1e-9)
    return (clusters.variance(unbiased) + rare) / design, design


def merged(marginals: Marginals, form: Mapping[Key, float]) -> dict[Key, float]:
    """The form with entropies that are equal on the seen cells, as H(X) and H(X,Y) where X sets Y, as one."""
    found: dict[Key, float] = {}
    for subset in sorted(form, key=lambda s: (len(s), sorted(s))):
        same = (s for s in found if s <= subset and marginals.seen(s).size == marginals.seen(subset).size)
        twin = next(same, subset)
        found[twin] = found.get(twin, 0.0) + form[subset]
    kept = {subset: c for subset, c in found.items() if c}
    return kept or dict(form)


def _spectrum(
    marginals: Marginals, form: Mapping[Key, float], constant: float
) -> tuple[float, tuple[float, float]]:
    """The trace of the cube of N = const - M, and its least and greatest eigenvalue.

    Of a large table the trace is Hutchinson's (1990) estimate with fixed signs, and (0, 0) stands for the
    eigenvalues.
    """
    weights = np.sqrt(marginals.cells.counts / marginals.total)
    m = len(weights)
    tables = [(c, *marginals.of(subset)) for subset, c in form.items()]
    if m <= _EXACT:
        matrix = constant * np.outer(weights, weights)
        for c, index, counts in tables:
            ratio = c * marginals.total / counts[index] * weights
            matrix -= (index[:, None] == index) * ratio * weights[:, None]
        values = np.linalg.eigvalsh(matrix)
        ends = np.where(np.abs(values) < _ROUNDING, 0.0, values)[[0, -1]]
        return float((values**3).sum()), (min(0.0, float(ends[0])), max(0.0, float(ends[1])))

    def applied(v: Floats) -> Floats:
        found = np.zeros(m)
        for c, index, counts in tables:
            sums = np.bincount(index, weights=v * weights) * (c * marginals.total / np.maximum(counts, 1))
            found += sums[index]
        return found * weights

    total, probes = 0.0, max(2, _PROBES // m)
    for signs in np.random.default_rng(0).choice([-1.0, 1.0], size=(probes, m)):
        once = applied(signs)
        total += float(once @ applied(once)) / probes
    return constant**3 - total, (0.0, 0.0)


def _freedom(
    marginals: Marginals, form: Mapping[Key, float], centred: Floats, total: float, design: float
) -> float:
    """The degrees of freedom of the estimated variance, 2 total^2 / Var.

    V = Var psi has the influence function psi^2 - V - 2 sum_S c_S E[psi|S]. The part of it along psi is the
    slope dV/dT, which the score interval follows; only the rest makes the variance uncertain, and what the
    counts of the joint states add to it at second order
    (Satterthwaite 1946, "An approximate distribution of estimates of variance components").
    """
    n = marginals.total
    weights = marginals.cells.counts / n
    moving = np.square(centred)
    for subset, c in form.items():
        index, counts = marginals.of(subset)
        sums = np.bincount(index, weights=weights * centred)
        moving -= 2 * c * (sums * n / np.maximum(counts, 1))[index]
    moving -= weights @ moving
    raw = float(weights @ np.square(centred))
    along = float(weights @ (moving * centred))
    rest = float(weights @ np.square(moving)) - (along * along / raw if raw > 0 else 0.0)
    top = max(form, key=len)
    rest += form[top] ** 4 * design * variance_noise(marginals.seen(top) / design) / n
    return 2 * total * total * n / (rest * design) if rest * design > 1e-12 * total * total else math.inf


def _rare(marginals: Marginals, top: Key, c: float, unbiased: Floats, missed: tuple[float, float]) -> float:
    """What states with few rows add to the second moment of the influence.

    In it n psi(n) and n psi(n)^2 of the joint states stand for lambda log lambda and lambda log^2 lambda;
    h(n) and g(n) remove what they miss, and `missed` is what is missing still.
    """
    index, counts = marginals.of(top)
    own = counts[index]
    h, g = small_count_terms(own)
    rest = unbiased + c * digamma(own)
    share = marginals.cells.counts / own
    added = float(share @ (c * c * g - 2 * c * rest * h))
    rare = share * (own <= _RARE)
    if rare.any():
        added -= c * c * missed[1] - 2 * c * float(rare @ rest / rare.sum()) * missed[0]
    return added / marginals.total
