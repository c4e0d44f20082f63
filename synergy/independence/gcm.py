"""The generalised covariance measure: residuals of X given Z against residuals of Y given Z."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from synergy.independence.smoother import Fit, Smoother
from synergy.independence.untestable import fixed_number

__all__ = ["Covariance", "Residual", "covariance_test", "differenced", "residual_features"]

Floats = npt.NDArray[np.float64]

_COSINE, _SINE = 1.2, 2.0
"""Frequencies of the functions of a residual, in standard deviations: one sees spread, one shape."""
_ALLOWANCE = 4.0
"""How many times the expected bias is allowed for: few functions are as smooth as the prior has them."""


@dataclass(frozen=True)
class Residual:
    """What is left of one column given Z.

    Args:
        values: The residuals, shape (n,).
        noise: Residuals of the variance of the noise itself, shape (n,).
        remove: The linear map from noise to residuals, of columns of shape (n, k); symmetric.
        missed: The mean square of what the regression is expected to have missed of Z.
        error: The share of the variance of the column that other rows do not predict.
        freedom: The degrees of freedom of the regression of least error.
        predicted: What that regression on the other rows says of each, shape (n,); None where there is none.
    """

    values: Floats
    noise: Floats
    remove: Callable[[Floats], Floats]
    missed: float = 0.0
    error: float = 0.0
    freedom: float = 0.0
    predicted: Floats | None = None

    @classmethod
    def of(cls, fit: Fit) -> Residual:
        """From a regression on Z."""
        best = fit.best
        return cls(
            fit.residuals,
            fit.noise,
            fit.remove,
            fit.missed,
            error=fit.error / float(fit.column.var()),
            freedom=float(best.leverage.sum()),
            predicted=fit.column - best.left_out,
        )

    @classmethod
    def known(cls, values: Floats) -> Residual:
        """Residuals that are taken as the noise itself, such as those of other rows' predictions."""
        return cls(values, values, lambda columns: columns)


@dataclass(frozen=True)
class Covariance:
    """What the covariance of residuals says.

    Args:
        statistic: The largest studentised covariance; None where no residual is left.
        p_value: Against multiplier draws.
        allowed: The p-value when each covariance may owe several times to Z what the regressions are
            expected to have missed.
        least: The least p-value that so many rows, or clusters, could give, whatever they hold.
        strongest: Which residual of X, which of Y and which weight have the largest covariance.
    """

    statistic: float | None
    p_value: float
    allowed: float
    least: float
    strongest: tuple[int, int, int] = (0, 0, 0)


def covariance_test(
    left: Sequence[Residual],
    right: Sequence[Residual],
    *,
    weights: Floats,
    resamples: int,
    seed: int,
    clusters: npt.NDArray[np.int64] | None = None,
) -> Covariance:
    """The largest studentised covariance of two sets of residuals, and its p-value.

    With residuals r = M e of X (M the map `remove`, e the noise), s of Y and weights w(Z), the covariance is
    T = sum_i r_i s_i w_i = sum_i e_i [M (s w)]_i. Given Y and Z this is a sum of independent terms of mean 0
    under independence, whatever M took from e, so that no degree of freedom is counted twice. The statistic
    is the largest |T| / sd over all pairs and weights; its null distribution is that of
    sum_i g_i e_i [M (s w)]_i with standard normal multipliers g (Chernozhukov, Chetverikov, Kato 2013), one
    for each cluster.

    If X and Y carry the same function of Z, what both regressions missed of it adds up to
    n sqrt(missed missed) in T.

    A sum of g terms is at most g^(1/2) times the root of the sum of their squares. The p-value of that is the
    least there could be: with three clusters and one pair of columns it is 0.08.

    Args:
        left: Residuals of X.
        right: Residuals of Y.
        weights: Shape (n, l).
        resamples: The number of multiplier draws.
        seed: Fixes the draws.
        clusters: Labels 0 .. g - 1 of dependent rows, shape (n,); None where rows are independent.
    """
    others = np.hstack([r.values[:, None] * weights for r in right])  # (n, k l)
    totals = np.concatenate([r.values @ others for r in left])
    terms = np.hstack([r.noise[:, None] * r.remove(others) for r in left])  # (n, j k l)
    sizes = np.sqrt(np.square(weights).mean(axis=0))
    bias = np.concatenate([len(weights) * np.sqrt(r.missed * s.missed) * sizes for r in left for s in right])
    if clusters is not None:
        sums = np.zeros((int(clusters.max()) + 1, terms.shape[1]))
        np.add.at(sums, clusters, terms)
        terms = sums
    spread = np.sqrt(np.square(terms).sum(axis=0))
    live = spread > 1e-12 * max(float(spread.max()), 1e-300)
    if not live.any():
        return Covariance(None, 1.0, 1.0, 1.0)
    scaled = terms[:, live] / spread[live]
    found = np.abs(totals[live]) / spread[live]
    observed = float(found.max())
    shape = len(left), len(right), weights.shape[1]
    i, j, weight = np.unravel_index(int(np.flatnonzero(live)[found.argmax()]), shape)
    reduced = max(0.0, float((found - _ALLOWANCE * bias[live] / spread[live]).max()))
    rng = np.random.default_rng([seed, 0x6C3])
    exceed = allowed = reach = 0
    most = np.sqrt(len(terms))
    for start in range(0, resamples, 256):
        draws = rng.standard_normal((min(256, resamples - start), len(scaled))) @ scaled
        largest = np.abs(draws).max(axis=1)
        exceed += int((largest >= observed).sum())
        allowed += int((largest >= reduced).sum())
        reach += int((largest >= most).sum())
    return Covariance(
        observed,
        (1 + exceed) / (1 + resamples),
        (1 + allowed) / (1 + resamples),
        (1 + reach) / (1 + resamples),
        (int(i), int(j), int(weight)),
    )


def residual_features(
    column: Floats, smoother: Smoother, *, shapes: bool, learn: bool = True
) -> list[Residual]:
    """Residuals of a column given Z, and of bounded functions of them, each regressed out again.

    A covariance of residuals sees only linear dependence; cos and sin of the studentised residual also
    see changes of spread and shape. Their own means given Z are removed as well, so that a spread that
    depends on Z is not taken for dependence.

    Args:
        column: Shape (n,), not constant.
        smoother: The regression on Z.
        shapes: Whether to add the functions; indicators need none.
        learn: Whether to learn the widths, directions and jumps of this column.

    Returns:
        Three residuals, or one without the functions; none where Z fixes the column.
    """
    bases = smoother.bases_for(column) if learn else smoother.bases
    fit = smoother.fit((column - column.mean()) / column.std(), bases)
    if fixed_number(fit):
        return []
    features = [Residual.of(fit)]
    if shapes:
        noise = fit.noise / max(float(fit.noise.std()), 1e-300)
        for wave in (np.cos(_COSINE * noise), np.sin(_SINE * noise)):
            features.append(Residual.of(smoother.fit(wave, bases)))
    return features


def differenced(residuals: Sequence[Residual], z: Floats, *, k: int = 5) -> list[Residual]:
    """Residuals less their means over the nearest other rows in Z.

    What a regression misses of Z is shared by neighbours, and the noise is not: the differences keep the
    noise of each row and lose most of what was missed (A. Yatchew 1997, "An elementary estimator of the
    partial linear model", Economics Letters 57).

    Args:
        residuals: Of Y.
        z: The conditions, shape (n, d).
        k: The number of neighbours; fewer where there are fewer other rows.
    """
    near = _neighbours(z, k)
    return [replace(r, values=r.values - r.values[near].mean(axis=1)) for r in residuals]


def _neighbours(z: Floats, k: int) -> npt.NDArray[np.int64]:
    """The k nearest other rows of each row, shape (n, k)."""
    near = cKDTree(z).query(z, min(k, len(z) - 1) + 1)[1]
    own = near == np.arange(len(z))[:, None]
    return np.asarray(np.take_along_axis(near, np.argsort(own, axis=1, kind="stable"), axis=1)[:, :-1])
