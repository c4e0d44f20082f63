"""Columns less what the conditions say of them: I(X - f(Z); Y - g(Z) | Z) = I(X; Y | Z) for any f and g.

Where X is a function of Z and a little noise, what X says beside Z is in the noise, which is finer than the
distances between neighbours in Z. Of the residuals of a regression it is all there is, whatever the function
was. The regression needs to be smooth, not right: what it misses is a function of Z, which stays given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synergy.estimators.columns import Scaling, Slot, kurtosis, scaled, tamed
from synergy.estimators.fixed import is_smooth
from synergy.estimators.kernels import nystroem

__all__ = ["without_regressions"]

Floats = npt.NDArray[np.float64]

_EXPLAINED = 0.5
"""A column of which a regression leaves more than this share of the variance stays as it is."""

_FINE = 0.1
"""Of a column of which less than this share is left the rest is not much larger than the steps of ranks."""

_SIZE_EXPLAINED = 0.9
"""The same for the logarithms of the squares of residuals, which noise alone spreads by 2.2."""

_ROUNDING = 1e-6
"""A residual below this share of the spread is rounding, also of columns that were in single precision."""

_WIDTHS = (2.0, 0.7, 0.25)
"""Widths of the Gaussian kernel, in standard deviations of the conditions."""

_RIDGES = 10.0 ** np.arange(-10, 3)
"""Ridges: the variance of the noise beside that of the function."""

_HEAVY = 5.0
"""Columns of a kurtosis above this have heavy tails: normal 3, Laplace 6, exponential 9."""

_CENTRES = 150
"""The most functions in which the regression is linear."""

_MOST_ROWS = 4_000
"""More rows than this are not needed to fit it."""

_LEAST_ROWS = 40
"""With fewer rows nothing is fitted."""

_ROWS_OF_CONDITION = 20
"""The least number of rows for each condition."""

_FEW_CONDITIONS = 3
"""With more conditions the regression is linear."""

_FREEDOM, _FREEDOM_OF_ONE = 0.25, 0.05
"""The largest share of the rows that it may use up; and where a side is of labels, which miss nothing."""

_NEARLY = 0.02
"""Mean logarithms of squared errors up to this much above the least are as good."""


@dataclass(frozen=True)
class _Regression:
    """A linear smoother, fitted to some columns.

    Args:
        plane: The linear part, shape (n, 1 + dz).
        features: The rest, shape (n, m), of which the linear part is taken out.
        ridge: Of the rest.
        rows: Those that it is fitted to.
        best: The scale of each column, shape (d,).
        left: The logarithm of the share of the squares of each column that is left by the best, shape (d,).
    """

    plane: Floats
    features: Floats
    ridge: float
    rows: npt.NDArray[np.int64]
    best: npt.NDArray[np.int64]
    left: Floats

    def rest(self, columns: Floats) -> Floats:
        """What is left of columns of shape (n, d)."""
        rest = (
            columns - self.plane @ np.linalg.lstsq(self.plane[self.rows], columns[self.rows], rcond=None)[0]
        )
        if not self.features.shape[1]:
            return rest
        left, size, right = np.linalg.svd(self.features[self.rows], full_matrices=False)
        weights = (size / (size**2 + self.ridge))[:, None] * (left.T @ rest[self.rows])
        return np.asarray(rest - self.features @ (right.T @ weights))


def without_regressions(slots: list[Slot], scale: Scaling | None) -> tuple[list[Slot], list[str]]:
    """The slots (x, y, z) with residuals for columns of x and y that z explains, and a note that names them.

    Whether it does is asked on the scale of the estimate. Where z all but fixes a column, what is left is
    finer than ranks, and the columns are regressed as they are, or with their tails drawn in.

    Columns that are explained to rounding, or of which the residual is itself a smooth function of z, stay as
    they are: nothing beside z shows in them. So do labels, and columns with ties. One regression serves all
    columns, also those that it says nothing of: what it takes of the noise by chance is then missing on both
    sides alike.

    Args:
        slots: As they are without columns that z fixes.
        scale: Of the estimate.
    """
    if len(slots) < 3 or slots[2].discrete.any() or slots[2].tied.any():
        return slots, []
    n, dz = slots[2].values.shape
    if n < max(_LEAST_ROWS, _ROWS_OF_CONDITION * dz):
        return slots, []
    index = [(s, i) for s in (0, 1) for i in np.flatnonzero(~(slots[s].discrete | slots[s].tied))]
    columns = np.stack([slots[s].values[:, i] for s, i in index], axis=1)
    labelled = slots[0].discrete.any() or slots[1].discrete.any()
    freedom = _FREEDOM_OF_ONE if labelled else _FREEDOM
    z = scaled(slots[2].values, scale)
    versions = scaled(columns, scale)[None]  # (1, n, d)
    found = _regression(versions, np.zeros((1, len(index))), z, freedom, share=_EXPLAINED, error=_logarithms)
    if found is None:
        return slots, []
    if found.left.min() < math.log(_FINE):
        z = scaled(slots[2].values, "standardise")
        z = np.where(kurtosis(z) > _HEAVY, _drawn_in(slots[2].values)[0], z)
        drawn, slope = _drawn_in(columns)
        versions = np.stack([scaled(columns, "standardise"), drawn])  # (2, n, d)
        slopes = np.stack([np.zeros(len(slope)), slope])
        found = _regression(versions, slopes, z, freedom, share=_EXPLAINED, error=_logarithms)
        if found is None:
            return slots, []
    rest = found.rest(versions[found.best, :, np.arange(len(index))].T)
    size = np.sqrt(np.square(rest).mean(axis=0))
    noise = [size[j] > _ROUNDING and not is_smooth(rest[:, [j]], z) for j in range(len(index))]
    explained = (found.left < math.log(_EXPLAINED)) & noise
    if not explained.any():
        return slots, []
    values = [s.values.copy() for s in slots[:2]]
    for j in np.flatnonzero(noise):
        slot, i = index[j]
        values[slot][:, i] = _of_one_size(rest[:, [j]] / size[j], z)[:, 0]
    told = ", ".join(slots[index[j][0]].column(int(index[j][1])) for j in np.flatnonzero(explained))
    note = (
        f"{told}: explained by the conditions by more than half, so a regression on them was taken away, "
        "which leaves the information as it is"
    )
    return [*(replace(s, values=v) for s, v in zip(slots, values, strict=False)), slots[2]], [note]


def _regression(
    versions: Floats,
    slopes: Floats,
    z: Floats,
    freedom: float,
    *,
    share: float,
    error: Callable[[Floats], Floats],
) -> _Regression | None:
    """The most flexible of the regressions that columns need which z explains; None where it explains none.

    Each column needs the one with the fewest degrees of freedom of those that are nearly as good as the best,
    on the scale on which that explains most.

    Args:
        versions: The columns on several scales, shape (s, n, d).
        slopes: The mean logarithm of the squares of their derivatives, shape (s, d): what is left is compared
            in the units of the columns (Box and Cox 1964).
        z: The conditions, comparable, shape (n, dz).
        freedom: The largest share of the rows that it may use up.
        share: A column is explained where less than this share of its squares is left.
        error: The logarithm of the usual square of each column, shape (n, d) to (d,).
    """
    rows = np.random.default_rng(0).permutation(len(z))[:_MOST_ROWS]
    plane = np.column_stack([np.ones(len(z)), z])
    basis = np.linalg.qr(plane[rows])[0]
    shape = (versions.shape[0], versions.shape[2])
    columns = versions[:, rows].transpose(1, 0, 2).reshape(len(rows), -1)
    rest = columns - basis @ (basis.T @ columns)
    used = np.square(basis).sum(axis=1)
    whole = error(columns - columns.mean(axis=0))
    tried = [(plane.shape[1], plane[:, :0], 0.0)]
    errors = [error(rest / (1 - used)[:, None]) - whole]
    marks = rows[: min(_CENTRES, len(rows) // 4)]
    for width in _WIDTHS if z.shape[1] <= _FEW_CONDITIONS else ():
        features = nystroem(z, marks, 2 * width**2)
        features -= plane @ np.linalg.lstsq(plane[rows], features[rows], rcond=None)[0]
        left, size, _ = np.linalg.svd(features[rows], full_matrices=False)
        onto = left.T @ rest
        for ridge in _RIDGES:
            kept = size**2 / (size**2 + ridge)
            hat = used + np.square(left) @ kept
            if hat.sum() <= freedom * len(rows):
                missed = (rest - left @ (kept[:, None] * onto)) / np.maximum(1 - hat, _ROUNDING)[:, None]
                errors.append(error(missed) - whole)
                tried.append((float(hat.sum()), features, float(ridge)))
    table = np.stack(errors).reshape(-1, *shape)  # (tried, s, d)
    least = table.min(axis=0)
    left = least + whole.reshape(shape) - slopes
    best = np.where(left[0] <= left.min(axis=0) + _NEARLY, 0, left.argmin(axis=0))
    share_left = least[best, np.arange(len(best))]
    explained = share_left < math.log(share)
    if not explained.any():
        return None
    needed = [
        min((tried[i][0], i) for i in np.flatnonzero(table[:, best[j], j] <= least[best[j], j] + _NEARLY))
        for j in np.flatnonzero(explained)
    ]
    _, features, ridge = tried[max(needed)[1]]
    return _Regression(plane, features, ridge, rows, best, share_left)


def _drawn_in(values: Floats) -> tuple[Floats, Floats]:
    """Standardised columns with their tails drawn in, as by a logarithm, and how much that changes squares.

    It is done smoothly. Ranks would be rough: a smooth function of z is none of the ranks of z.

    Returns:
        The columns, shape (n, d), and the mean logarithm of the squared derivative, beside that of columns
        that are standardised only, shape (d,).
    """
    centred = tamed(values - np.median(values, axis=0))
    usual = np.median(np.abs(centred), axis=0)
    usual[usual == 0] = 1.0
    drawn = np.arcsinh(centred / usual)
    slope = -np.log1p(np.square(centred / usual)).mean(axis=0)
    slope += 2 * np.log(centred.std(axis=0) / usual / drawn.std(axis=0))
    return scaled(drawn, "standardise"), slope


def _of_one_size(rest: Floats, z: Floats) -> Floats:
    """A residual of shape (n, 1) over its size, where that is a function of z as well."""
    sizes = np.log(np.square(rest) + _ROUNDING**2)
    found = _regression(
        sizes[None], np.zeros((1, 1)), z, _FREEDOM_OF_ONE, share=_SIZE_EXPLAINED, error=_squares
    )
    if found is None:
        return rest
    return np.asarray(rest * np.exp((found.rest(sizes) - sizes) / 2))


def _squares(columns: Floats) -> Floats:
    """The logarithm of the mean square of each column."""
    return np.asarray(np.log(np.square(columns).mean(axis=0) + _ROUNDING**4))


def _logarithms(columns: Floats) -> Floats:
    """The mean logarithm of the squares of each column, which a few values off any regression do not rule."""
    return np.asarray(np.log(np.square(columns) + _ROUNDING**4).mean(axis=0))
