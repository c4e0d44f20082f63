"""Nearest-neighbour estimates of I(X;Y) and I(X;Y|Z) with intervals from subsamples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy.typing as npt

from synergy.estimators.columns import Scaling, named_slots
from synergy.estimators.neighbours.methods import NeighbourMethod
from synergy.estimators.neighbours.run import run
from synergy.estimators.neighbours.subsamples import Groups
from synergy.statistics.result import Estimate

__all__ = ["NeighbourMethod", "copula_knn", "knn", "mixed"]


def knn(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    z: npt.ArrayLike | None = None,
    *,
    method: NeighbourMethod = "auto",
    k: int = 5,
    scale: Scaling | None = "standardise",
    correction: Literal["none", "gaussian"] = "none",
    regress: bool = False,
    confidence: float = 0.95,
    interval: bool = True,
    groups: Groups | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: str | None = None,
    term: str | None = None,
    columns: Sequence[Sequence[str]] = (),
) -> Estimate:
    """Estimate I(X;Y) or I(X;Y|Z) of continuous columns from nearest neighbours.

    Args:
        x: Shape (n,) or (n, dx).
        y: Shape (n,) or (n, dy).
        z: Shape (n,) or (n, dz), or None.
        method: `ksg1` or `ksg2` without z, `frenzel-pompe` with or without, `gao` (no z) and
            `mesner-shalizi` for ties and mixtures. `auto` is KSG 1 or Frenzel-Pompe, and Mesner-Shalizi
            where a column has more than 5 % of repeated values.
        k: The number of neighbours.
        scale: `standardise` (the default: no answer depends on the units of a column), `copula` (normal
            scores of ranks: nor on any monotone change of a column), `balanced` (normal scores, but of
            columns that end in edges, as uniform ones do: these are standardised), or None for the columns as
            they are.
        correction: `gaussian` subtracts the bias that the estimator has on Gaussian rows with the same
            correlations, n and k (see `GaussianReference`).
        regress: Whether columns of x and y that z explains by more than half are taken less a regression on
            z: I(X - f(Z); Y | Z) = I(X; Y | Z). Only where z holds numbers without ties.
        confidence: The nominal coverage of the interval.
        interval: Whether to spend the time on a standard error and an interval (NaN otherwise).
        groups: Codes of dependent rows, shape (n,): one row of each at a time, and 2 k groups at least.
        seed: Fixes the subsamples and the reference.
        workers: Threads; None for all cores. The answer does not depend on it.
        device: `auto`, `cpu` or `cuda`, to run KSG 1, Frenzel-Pompe and Mesner-Shalizi there in tiles of all
            pairwise distances; None for trees and bitsets on the CPU. The answer is the same.
        term: What to call the quantity.
        columns: What to call the columns of x, y and z in notes, such as `[("height",), ("weight",)]`.

    Returns:
        The estimate, in nats, not clipped, with the summands of the method as `local`: one per row, their
        mean the value before the bias correction. They say which rows carry the information. They are no
        influence values: neighbours are shared, and their spread over sqrt(n) is 0.7 to 0.85 of the
        standard error (measured on Gaussian columns), so that they make no interval.

    Raises:
        ValueError: If there are NaN, infinities, constant columns, unequal lengths, too few rows, groups or
            rows that share their labels, an option is unknown, or the method does not fit the columns.
        TypeError: If a slot does not hold numbers.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal(1000)
        >>> y = 0.8 * x + 0.6 * rng.standard_normal(1000)   # I = 0.5108
        >>> estimate = knn(x, y)
        >>> bool(estimate.interval[0] < 0.5108 < estimate.interval[1])
        True
    """
    slots = named_slots(x, y, z, columns)
    return run(
        slots,
        method=method,
        k=k,
        scale=scale,
        correction=correction,
        regress=regress,
        confidence=confidence,
        interval=interval,
        groups=groups,
        seed=seed,
        workers=workers,
        device=device,
        term=term,
    )


def copula_knn(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    z: npt.ArrayLike | None = None,
    *,
    k: int = 5,
    confidence: float = 0.95,
    interval: bool = True,
    groups: Groups | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: str | None = None,
    term: str | None = None,
    columns: Sequence[Sequence[str]] = (),
) -> Estimate:
    """`knn` on normal scores with its Gaussian bias removed: the most accurate one for continuous columns.

    The arguments are those of `knn`.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((2000, 5))
        >>> y = 0.6 * x + 0.8 * rng.standard_normal((2000, 5))   # I = -5 log 0.8 = 1.1157
        >>> plain, corrected = knn(x, y, interval=False), copula_knn(x, y, interval=False)
        >>> bool(abs(plain.value - 1.1157) > 0.2), bool(abs(corrected.value - 1.1157) < 0.1)
        (True, True)
    """
    slots = named_slots(x, y, z, columns)
    return run(
        slots,
        method="auto",
        k=k,
        scale="copula",
        correction="gaussian",
        regress=True,
        confidence=confidence,
        interval=interval,
        groups=groups,
        seed=seed,
        workers=workers,
        device=device,
        term=term,
    )


def mixed(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    z: npt.ArrayLike | None = None,
    *,
    discrete_x: npt.ArrayLike | None = None,
    discrete_y: npt.ArrayLike | None = None,
    discrete_z: npt.ArrayLike | None = None,
    method: NeighbourMethod = "mesner-shalizi",
    k: int = 5,
    scale: Scaling | None = "standardise",
    regress: bool = False,
    confidence: float = 0.95,
    interval: bool = True,
    groups: Groups | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: str | None = None,
    term: str | None = None,
    columns: Sequence[Sequence[str]] = (),
) -> Estimate:
    """Estimate I(X;Y) or I(X;Y|Z) where columns are labels, numbers, or mixtures of both.

    Two different labels are further apart than any two numbers, so that neighbours share their labels
    wherever enough rows do.

    Args:
        x: Numbers, and labels as codes, shape (n,) or (n, dx).
        y: Shape (n,) or (n, dy).
        z: Shape (n,) or (n, dz), or None.
        discrete_x: Which columns of x are labels, shape (dx,); None for none.
        discrete_y: The same for y.
        discrete_z: The same for z.
        method: `mesner-shalizi` (any columns), `gao` (without z), or `ross` (one label column against
            numbers).
        k: The number of neighbours.
        scale: See `knn`; labels are not scaled.
        regress: See `knn`.
        confidence: The nominal coverage of the interval.
        interval: Whether to spend the time on a standard error and an interval (NaN otherwise).
        groups: Codes of dependent rows, shape (n,).
        seed: Fixes the subsamples.
        workers: Threads; None for all cores.
        device: See `knn`.
        term: What to call the quantity.
        columns: What to call the columns of x, y and z in notes, such as `[("height",), ("weight",)]`.

    Returns:
        The estimate, in nats, not clipped; the notes count rows that had to be left out because no
        other row shares their labels.

    Raises:
        ValueError: As `knn`.
        TypeError: As `knn`.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> a = rng.integers(2, size=2000)
        >>> x = 6.0 * a + rng.standard_normal(2000)          # a can be read off x: I = log 2
        >>> bool(abs(mixed(a, x, discrete_x=[True], interval=False).value - np.log(2)) < 0.05)
        True
    """
    slots = named_slots(x, y, z, columns, (discrete_x, discrete_y, discrete_z))
    return run(
        slots,
        method=method,
        k=k,
        scale=scale,
        correction="none",
        regress=regress,
        confidence=confidence,
        interval=interval,
        groups=groups,
        seed=seed,
        workers=workers,
        device=device,
        term=term,
    )
