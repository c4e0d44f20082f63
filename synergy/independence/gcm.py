"""The generalised covariance measure: residuals of X given Z against residuals of Y given Z."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from synergy.independence.smoother import Fit, Smoother

__all__ = ["Residual", "covariance_test", "differenced", "residual_features"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Residual:
    """What is left of one column given Z.

    Args:
        values: The residuals, shape (n,).
        noise: Residuals of the variance of the noise itself, shape (n,).
        remove: The linear map from noise to residuals, of columns of shape (n, k); symmetric.
    """

    values: Floats
    noise: Floats
    remove: Callable[[Floats], Floats]

    @classmethod
    def of(cls, fit: Fit) -> Residual:
        """From a regression on Z."""
        return cls(fit.residuals, fit.noise, fit.remove)

    @classmethod
    def known(cls, values: Floats) -> Residual:
        """Residuals that are taken as the noise itself, such as those of other rows' predictions."""
        return cls(values, values, lambda columns: columns)


def covariance_test(
    left: Sequence[Residual],
    right: Sequence[Residual],
    *,
    weights: Floats,
    resamples: int,
    seed: int,
    clusters: npt.NDArray[np.int64] | None = None,
) -> tuple[float, float]:
    """The largest studentised covariance of two sets of residuals, and its p-value.

    With residuals r = M e of X (M the map `remove`, e the noise), s of Y and weights w(Z), the covariance is
    T = sum_i r_i s_i w_i = sum_i e_i [M (s w)]_i. Given Y and Z this is a sum of independent terms of mean 0
    under independence, whatever M took from e, so that no degree of freedom is counted twice. The statistic
    is the largest |T| / sd over all pairs and weights; its null distribution is that of
    sum_i g_i e_i [M (s w)]_i with standard normal multipliers g (Chernozhukov, Chetverikov, Kato 2013), one
    for each cluster.

    Args:
        left: Residuals of X.
        right: Residuals of Y.
        weights: Shape (n, l).
        resamples: The number of multiplier draws.
        seed: Fixes the draws.
        clusters: Labels 0 .. g - 1 of dependent rows, shape (n,); None where rows are independent.

    Returns:
        The statistic and its p-value.
    """
    others = np.hstack([r.values[:, None] * weights for r in right])  # (n, k l)
    totals = np.concatenate([r.values @ others for r in left])
    terms = np.hstack([r.noise[:, None] * r.remove(others) for r in left])  # (n, j k l)
    if clusters is not None:
        sums = np.zeros((int(clusters.max()) + 1, terms.shape[1]))
        np.add.at(sums, clusters, terms)
        terms = sums
    spread = np.sqrt(np.square(terms).sum(axis=0))
    live = spread > 1e-12 * max(float(spread.max()), 1e-300)
    if not live.any():
        return 0.0, 1.0
    scaled = terms[:, live] / spread[live]
    observed = float(np.abs(totals[live] / spread[live]).max())
    rng = np.random.default_rng([seed, 0x6C3])
    exceed = 0
    for start in range(0, resamples, 256):
        draws = rng.standard_normal((min(256, resamples - start), len(scaled))) @ scaled
        exceed += int((np.abs(draws).max(axis=1) >= observed).sum())
    return observed, (1 + exceed) / (1 + resamples)


def residual_features(matrix: Floats, smoother: Smoother, *, shapes: bool) -> list[Residual]:
    """Residuals of columns given Z, and of bounded functions of them, each regressed out again.

    A covariance of residuals sees only linear dependence; cos and sin of the studentised residual also
    see changes of spread and shape. Their own means given Z are removed as well, so that a spread that
    depends on Z is not taken for dependence.

    Args:
        matrix: Shape (n, d).
        smoother: The regression on Z.
        shapes: Whether to add the functions; indicators need none.

    Returns:
        Three residuals for each column, or one without the functions.
    """
    features = []
    for column in matrix.T:
        bases = smoother.bases_for(column)
        fit = smoother.fit(column / max(float(column.std()), 1e-300), bases)
        features.append(Residual.of(fit))
        if shapes:
            noise = fit.noise / max(float(fit.noise.std()), 1e-300)
            for wave in (np.cos(1.2 * noise), np.sin(2.0 * noise)):
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
