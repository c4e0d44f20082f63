"""Permutation tests: exact within the strata of discrete conditions, local near continuous ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy
from scipy.stats import random_table
from threadpoolctl import threadpool_limits

from synergy.estimators.neighbours.local import frenzel_pompe, ksg1
from synergy.estimators.neighbours.search import nearest

__all__ = ["g_test", "local_permutation_test", "random_feature_test"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def g_test(x: Integers, y: Integers, z: Integers, *, resamples: int, seed: int) -> tuple[float, float]:
    """The G statistic, 2 n times the plug-in I(X;Y|Z), against tables with the same margins.

    Permuting X within each stratum of Z draws its table uniformly from the permutations, so the test is
    exact for any n; the tables are drawn directly (Patefield 1981).

    Args:
        x: Codes, shape (n,).
        y: Codes, shape (n,).
        z: Codes of the strata, shape (n,).
        resamples: The number of tables.
        seed: Fixes them.

    Returns:
        The statistic and (1 + #) / (1 + resamples).
    """
    rng = np.random.default_rng([seed, 0x67])
    order = np.argsort(z, kind="stable")
    starts = np.flatnonzero(np.diff(z[order], prepend=-1))
    observed, null = 0.0, np.zeros(resamples)
    for rows in np.split(order, starts[1:]):
        xs, ys = (np.unique(v[rows], return_inverse=True)[1].reshape(-1) for v in (x, y))
        shape = int(xs.max()) + 1, int(ys.max()) + 1
        if min(shape) < 2:
            continue
        table = np.bincount(xs * shape[1] + ys, minlength=shape[0] * shape[1]).reshape(shape)
        margins = float(xlogy(table.sum(0), table.sum(0)).sum() + xlogy(table.sum(1), table.sum(1)).sum())
        constant = 2 * (float(xlogy(len(rows), len(rows))) - margins)
        observed += constant + 2 * float(xlogy(table, table).sum())
        for start in range(0, resamples, 256):
            count = min(256, resamples - start)
            drawn = random_table(table.sum(1), table.sum(0)).rvs(size=count, random_state=rng)
            null[start : start + count] += constant + 2 * xlogy(drawn, drawn).sum(axis=(1, 2))
    exceed = int((null >= observed - 1e-9 * max(1.0, abs(observed))).sum())
    return observed, (1 + exceed) / (1 + resamples)


def random_feature_test(
    x: Floats, y: Floats, z: Integers | None = None, *, resamples: int, seed: int, features: int = 40
) -> tuple[float, float]:
    """The Hilbert-Schmidt independence criterion on random Fourier features, within strata.

    With features centred within each stratum and C_z their cross-covariance in stratum z, one statistic is
    n |sum_z p_z C_z|^2, which sees a dependence that all strata share, another sum_z n_z |C_z|^2, which sees
    any (Gretton et al. 2005; Rahimi and Recht 2007). Each is standardised by its mean and spread over the
    permutations and itself, and the larger one counts. Permuting the rows of X within each stratum makes the
    test exact.

    Args:
        x: Shape (n, dx), on comparable scales.
        y: Shape (n, dy).
        z: Codes of the strata, shape (n,); None without a condition.
        resamples: The number of permutations.
        seed: Fixes features and permutations.
        features: The number of features of each side.

    Returns:
        The statistic and (1 + #) / (1 + resamples).
    """
    rng = np.random.default_rng([seed, 0x451C])
    order = np.arange(len(x)) if z is None else np.argsort(z, kind="stable")
    starts = np.array([0]) if z is None else np.flatnonzero(np.diff(z[order], prepend=-1))
    strata = [slice(a, b) for a, b in zip(starts, [*starts[1:], len(x)], strict=True) if b - a > 1]
    left, right = (_within(_fourier(v, features, rng)[order], strata) for v in (x, y))
    every = 1 < len(strata) <= _MOST_STRATA

    def statistics(moved: Floats) -> list[float]:
        if not every:
            return [float(np.square(moved.T @ right).sum()) / len(right)]
        own = [moved[s].T @ right[s] for s in strata]
        each = sum(float(np.square(c).sum()) / (s.stop - s.start) for c, s in zip(own, strata, strict=True))
        return [float(np.square(sum(own)).sum()) / len(right), each]

    with threadpool_limits(limits=1):  # products this small cost threads more to share than to compute
        values = [statistics(left)]
        for _ in range(resamples):
            rows = np.arange(len(x))
            for stratum in strata:
                rows[stratum] = rng.permutation(rows[stratum])
            values.append(statistics(left[rows]))
    table = np.array(values)
    spread = table.std(axis=0)
    largest = ((table - table.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).max(axis=1)
    exceed = int((largest[1:] >= largest[0] - _TIE).sum())
    return float(table[0, 0]), (1 + exceed) / (1 + resamples)


_MOST_STRATA = 50
"""With more strata than this each one is too small, and there are too many, to look at each."""
_TIE = 1e-9
"""Statistics that differ by less are equal but for rounding."""


def _within(features: Floats, strata: list[slice]) -> Floats:
    """Features less their means in each stratum; 0 in a stratum of one row."""
    centred = np.zeros_like(features)
    for stratum in strata:
        centred[stratum] = features[stratum] - features[stratum].mean(axis=0)
    return centred


def _fourier(v: Floats, features: int, rng: np.random.Generator) -> Floats:
    rows = rng.permutation(len(v))[:500]
    apart = ((v[rows][:, None] - v[rows][None]) ** 2).sum(axis=2)
    width = np.sqrt(np.median(apart[apart > 0]) / 2) if (apart > 0).any() else 1.0
    scales = np.exp2(rng.integers(-1, 2, size=features // 2))
    frequencies = rng.standard_normal((v.shape[1], features // 2)) * scales / width
    angles = v @ frequencies
    waves = np.hstack([np.cos(angles), np.sin(angles)])
    return np.asarray(waves - waves.mean(axis=0))


def local_permutation_test(
    x: Floats,
    y: Floats,
    z: Floats | None,
    *,
    k: int,
    near: int,
    resamples: int,
    seed: int,
) -> tuple[float, float]:
    """The nearest-neighbour I(X;Y|Z) against permutations of X among neighbours in Z.

    Each row takes the X of one of its nearest rows in Z, in random order and where possible one that no
    other row took (Runge 2018, arXiv:1709.01447, algorithm 1).

    Args:
        x: Shape (n, dx), on comparable scales.
        y: Shape (n, dy).
        z: Shape (n, dz), or None for plain permutations.
        k: Neighbours in the estimate.
        near: Neighbours in Z to permute among.
        resamples: The number of permutations.
        seed: Fixes them.

    Returns:
        The statistic and (1 + #) / (1 + resamples).
    """
    rng = np.random.default_rng([seed, 0x10CA1])
    n = len(x)

    def value(moved: Floats) -> float:
        terms = ksg1(moved, y, k) if z is None else frenzel_pompe(moved, y, z, k)
        return float(terms.mean())

    if z is None:
        draws = (rng.permutation(n) for _ in range(resamples))
    else:
        neighbours = np.hstack([np.arange(n)[:, None], nearest(z, min(near, n - 1) - 1)])
        draws = (_local_permutation(neighbours, rng) for _ in range(resamples))
    observed = value(x)
    exceed = sum(value(x[rows]) >= observed for rows in draws)
    return observed, (1 + exceed) / (1 + resamples)


def _local_permutation(neighbours: Integers, rng: np.random.Generator) -> Integers:
    shuffled = rng.permuted(neighbours, axis=1).tolist()
    taken = [False] * len(shuffled)
    chosen = np.empty(len(shuffled), dtype=np.int64)
    for row in rng.permutation(len(shuffled)).tolist():
        pick = next((j for j in shuffled[row] if not taken[j]), shuffled[row][-1])
        taken[pick] = True
        chosen[row] = pick
    return chosen
