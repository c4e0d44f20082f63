"""The generalised covariance measure: residuals of X given Z against residuals of Y given Z."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synergy.independence.smoother import Smoother

__all__ = ["covariance_test", "residual_features"]

Floats = npt.NDArray[np.float64]


def covariance_test(
    left: Floats,
    right: Floats,
    *,
    weights: Floats,
    resamples: int,
    seed: int,
    clusters: npt.NDArray[np.int64] | None = None,
) -> tuple[float, float]:
    """The largest studentised covariance of two sets of residuals, and its p-value.

    For residuals r_j of X and s_k of Y given Z and weights w_l(Z), the products r_j s_k w_l have mean
    0 under independence. The statistic is max |sqrt(n) mean / sd|; its null distribution is that of the
    products, studentised, with standard normal multipliers (Chernozhukov, Chetverikov, Kato 2013), one
    for each cluster.

    Args:
        left: Residuals of X, shape (n, j).
        right: Residuals of Y, shape (n, k).
        weights: Shape (n, l).
        resamples: The number of multiplier draws.
        seed: Fixes the draws.
        clusters: Labels 0 .. g - 1 of dependent rows, shape (n,); None where rows are independent.

    Returns:
        The statistic and its p-value.
    """
    products = np.einsum("nj,nk,nl->njkl", left, right, weights).reshape(len(left), -1)
    if clusters is not None:
        sums = np.zeros((int(clusters.max()) + 1, products.shape[1]))
        np.add.at(sums, clusters, products)
        products = sums
    n = len(products)
    mean, spread = products.mean(axis=0), products.std(axis=0)
    live = spread > 1e-12 * max(float(spread.max()), 1e-300)
    if not live.any():
        return 0.0, 1.0
    scaled = (products[:, live] - mean[live]) / spread[live] / np.sqrt(n)
    observed = float(np.abs(mean[live] / spread[live]).max() * np.sqrt(n))
    rng = np.random.default_rng([seed, 0x6C3])
    exceed = 0
    for start in range(0, resamples, 256):
        draws = rng.standard_normal((min(256, resamples - start), n)) @ scaled
        exceed += int((np.abs(draws).max(axis=1) >= observed).sum())
    return observed, (1 + exceed) / (1 + resamples)


def residual_features(matrix: Floats, smoother: Smoother, *, shapes: bool) -> Floats:
    """Residuals of columns given Z, and of bounded functions of them, each regressed out again.

    A covariance of residuals sees only linear dependence; cos and sin of the studentised residual also
    see changes of spread and shape. Their own means given Z are removed as well, so that a spread that
    depends on Z is not taken for dependence.

    Args:
        matrix: Shape (n, d).
        smoother: The regression on Z.
        shapes: Whether to add the functions; indicators need none.

    Returns:
        Shape (n, 3 d), or (n, d) without the functions.
    """
    features = []
    for column in matrix.T:
        bases = smoother.bases_for(column)
        residual = smoother.residuals(column / max(float(column.std()), 1e-300), bases)
        studentised = residual / max(float(residual.std()), 1e-300)
        features.append(studentised)
        if shapes:
            features += [
                smoother.residuals(np.cos(1.2 * studentised), bases),
                smoother.residuals(np.sin(2.0 * studentised), bases),
            ]
    return np.column_stack(features)
