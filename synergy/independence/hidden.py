r"""Whether both sides share a function of Z that the regressions did not learn.

If X = g(Z) + e and Y = g(Z) + f, and a regression finds nothing of g, then the residuals r and s look like
dependent noise. They are not alike: the residuals of *different* rows are then related too, where their Z are
near. With a kernel K the sum over pairs of different rows

    T = sum_(i != j) r_i K(z_i, z_j) s_j

has the mean sum_(i != j) K g_i g_j, and is about 0 where only the residuals of one row are dependent, which
is what a test of independence is to see, or where one side alone was not learnt, which does the test no harm.
Kernels of several widths see smooth functions of all columns, and sums over all sets of up to five columns of
products of one-dimensional kernels see interactions of a few among many (a sign of a product, say).
Multipliers +-1 for each row, put through the same regressions, give the law of T, whose spread is at least
sqrt(sum_i r_i^2 (K s)_i^2 + sum_j s_j^2 (K r)_j^2), so that what is left of Z on one side alone is no sign.

With many columns no row is near another, and T shows nothing. How far T would lie off 0 if a function of one
turn within the range of each column made the whole covariance of the residuals is known from K: if that is
too little to be seen, the rows are too few for the columns.

What T cannot show is a function that varies between any row and the next in Z. Where it is learnt in part,
the degrees of freedom that the regressions take give it away (`regressed`). Where nothing of it is learnt,
the rows do not tell it from noise in common beside a Z that has no part in either side, and no warning is
given.

References:
    A. Gretton, O. Bousquet, A. Smola, B. Schoelkopf (2005), "Measuring statistical dependence with
    Hilbert-Schmidt norms" (kernels); J. Zheng (1996), "A consistent test of functional form via nonparametric
    estimation techniques", Journal of Econometrics 75 (the sum over pairs of residuals); M. Stitson et al.
    (1999), "Support vector regression with ANOVA decomposition kernels" (sums over sets of columns).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synergy.independence.gcm import Residual

__all__ = ["SharedRest", "shared_rest"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_WIDTHS = (0.5, 1.0, 2.0)
"""Widths of the kernels exp(-|z - z'|^2 / 2 w^2), in standard deviations of a column."""
_REFERENCE = 1
"""The width by which it is judged what could be seen: a sine of the sum of columns turns about so fast."""
_ORDERS = 5
"""Up to how many columns interact in the sums of products."""
_MOST_COLUMNS = 40
"""With more columns than this their sets drown in one another."""
_DRAWS = 199
"""How often the multipliers are drawn."""
_MOST_ROWS = 1_000
"""More rows than this are thinned: the pairs are their square."""


@dataclass(frozen=True)
class SharedRest:
    """What pairs of different rows say.

    Args:
        p_value: Of the hypothesis that both residuals share no function of Z.
        visible: How many standard deviations T would lie off 0 if a function of Z made the whole covariance.
    """

    p_value: float
    visible: float


def shared_rest(
    left: Residual,
    right: Residual,
    z: Floats,
    *,
    weight: Floats | None = None,
    seed: int,
    clusters: Integers | None = None,
) -> SharedRest:
    """Whether residuals of X and Y are related across rows that are near in Z.

    Args:
        left: What is left of X.
        right: What is left of Y.
        z: The conditions, shape (n, d).
        weight: A function of Z that the product of the residuals is multiplied by, shape (n,); None for 1.
        seed: Fixes the multipliers, and the rows that are taken where they are many.
        clusters: Labels of dependent rows, shape (n,), which are no pairs; None where rows are independent.

    Example:
        >>> z, e, f = np.random.default_rng(0).normal(size=(3, 200))
        >>> def test(x, y):
        ...     return shared_rest(Residual.known(x), Residual.known(y), z[:, None], seed=0).p_value
        >>> test(np.sin(2 * z) + e, np.sin(2 * z) + f) < 0.05, test(e, e + f) > 0.05
        (True, True)
    """
    rng = np.random.default_rng([seed, 0x41DD])
    n = len(z)
    signs = rng.choice([-1.0, 1.0], size=(n if clusters is None else int(clusters.max()) + 1, _DRAWS))
    if clusters is not None:
        signs = signs[clusters]
    u, v = (
        np.column_stack([side.values, side.remove(side.noise[:, None] * signs)]) for side in (left, right)
    )
    if weight is not None:
        u = u * weight[:, None]
    towards = 1.0 if float(u[:, 0] @ v[:, 0]) >= 0 else -1.0
    rows = np.sort(rng.permutation(n)[:_MOST_ROWS])
    u, v, z = u[rows], v[rows], z[rows]
    apart = ~np.eye(len(rows), dtype=bool) if clusters is None else np.not_equal.outer(*[clusters[rows]] * 2)
    scores, visible = [], 0.0
    for number, kernel in enumerate(_kernels(z, apart)):
        towards_v = kernel @ v
        found = (u * towards_v).sum(axis=0)
        spread = float(found[1:].std(ddof=1))
        if not spread > 0:
            continue
        # a rest on one side alone adds to the spread what multipliers of both sides do not see
        terms = np.r_[u[:, 0] * towards_v[:, 0], v[:, 0] * (kernel @ u[:, 0])]
        score = towards * (found - found[1:].mean()) / spread
        score[0] *= min(1.0, spread / max(float(np.linalg.norm(terms)), 1e-300))
        scores.append(score)
        if number == _REFERENCE:
            shared = abs(float(u[:, 0] @ v[:, 0])) / len(rows)
            visible = shared * float(np.square(kernel).sum()) / spread
    if not scores:
        return SharedRest(1.0, visible)
    largest = np.max(scores, axis=0)
    return SharedRest((1 + int((largest[1:] >= largest[0]).sum())) / (1 + _DRAWS), visible)


def _kernels(z: Floats, apart: npt.NDArray[np.bool_]) -> list[Floats]:
    """Kernels of each width, then the sums over sets of 1, 2, .. columns; each less what is linear in Z.

    They are 0 but on the pairs `apart`, before the linear functions are removed and after it.
    """
    d = z.shape[1]
    squares = (z * z).sum(axis=1)
    distance = np.maximum(squares[:, None] + squares - 2 * z @ z.T, 0.0)
    kernels = [np.exp(-distance / (2 * width * width)) for width in _WIDTHS]
    if 1 < d <= _MOST_COLUMNS:
        kernels += _interactions(z)
    basis = np.linalg.qr(np.hstack([np.ones((len(z), 1)), z]))[0]
    return [_without(kernel * apart, basis) * apart for kernel in kernels]


def _interactions(z: Floats) -> list[Floats]:
    """The sums over all sets of 1 to 5 columns of the products of centred one-dimensional kernels.

    They are the elementary symmetric polynomials of the kernels, by Newton's identities from power sums.
    """
    powers = [np.zeros((len(z), len(z))) for _ in range(min(_ORDERS, z.shape[1]))]
    ones = np.full((len(z), 1), len(z) ** -0.5)
    for column in z.T:
        kernel = _without(np.exp(-np.square(column[:, None] - column) / 2), ones)
        power = kernel
        for total in powers:
            total += power
            power = power * kernel
    sums = [np.ones_like(powers[0])]
    for order in range(1, len(powers) + 1):
        parts = ((-1.0) ** (i - 1) * sums[order - i] * powers[i - 1] for i in range(1, order + 1))
        sums.append(sum(parts, np.zeros_like(powers[0])) / order)
    return sums[1:]


def _without(kernel: Floats, basis: Floats) -> Floats:
    """A symmetric kernel on both sides less its part along orthonormal columns."""
    half = kernel - basis @ (basis.T @ kernel)
    return np.asarray(half - (half @ basis) @ basis.T)
