"""The generalised covariance measure on the columns of a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier import CrossFit
from synergy.estimators.classifier.design import encode_target
from synergy.independence.columns import components, conditions, indicators, kinds_of, matrix_of, vectors
from synergy.independence.gcm import Covariance, Residual, covariance_test, differenced, residual_features
from synergy.independence.hidden import shared_rest
from synergy.independence.order import residual_warning
from synergy.independence.smoother import Smoother
from synergy.independence.untestable import fixed_label
from synergy.independence.waves import follows_one_condition, strongest_wave
from synthetic import Sample
from theory import Term

__all__ = ["Tested", "regressed_test"]

Floats = npt.NDArray[np.float64]

_MOST_ROWS = 5000
"""More rows than this are thinned out: the time of a regression grows with them, and little else does."""
_LEAST_ROWS = 20
"""Fewer rows than this leave a regression nothing to go by."""
_ROWS_PER_COLUMN = 2
"""Rows that there must be for each column of the condition."""
_MOST_WEIGHTS = 5
"""How many columns of Z weight the covariances, each by its tanh."""
_MOST_LEARNT = 6
"""With more indicators than this the regressions share their kernels, for the sake of time."""
_SEVERAL, _MANY = 5, 6
"""From so many columns of Z on, a function of them may be too rough for the rows; from so many on, no
regression can tell every function of them from noise."""
_UNEXPLAINED, _UNRELATED = 0.15, 0.95
"""Sides that leave a share between these depend on Z, and may do so by more than what was learnt."""
_ROUGH, _LEFT = 0.7, 0.1
"""Regressions that take more degrees of freedom than this power of the rows, and leave more than this share,
follow functions that are too rough for the rows: the best regression on d columns takes n^(d / (2 b + d)) or
so for one of b derivatives (C. Stone 1982, Annals of Statistics 10), and errs in proportion to them."""
_WAVE_ROWS = 1_000
"""On how many rows waves are looked for in what is left."""
_SHARED = 0.1
"""The level at which residuals of different rows are taken to share a function of Z."""
_SEEN = 4.0
"""A shared function that would lie so many standard deviations off 0 is seen in 19 of 20 data sets."""
_DOUBTED, _LEVEL = 0.1, 0.05
"""A p-value of at most the first is warned of if it exceeds the second when Z is allowed for. Where every
p-value must exceed the second, nothing can be tested."""


@dataclass(frozen=True)
class Tested:
    """What a test found: None and None where there was nothing to test, as the warnings say."""

    statistic: float | None
    p_value: float | None
    warnings: tuple[str, ...] = ()

    @classmethod
    def nothing(cls, reason: str) -> Tested:
        """No p-value, and why."""
        return cls(None, None, (f"nothing was tested: {reason}",))


def regressed_test(sample: Sample, term: Term, *, permutations: int, seed: int, notes: list[str]) -> Tested:
    """Residuals by a smoother, or where a condition is an image by cross-fitted classifiers.

    Raises:
        ValueError: If an image is to be regressed, or to be conditioned on beside sides that are not labels.
    """
    rows: npt.NDArray[np.int64] = np.arange(len(sample))
    z: Floats | None = None
    left: list[Residual]
    right: list[Residual]
    if not term.given:
        left, right = (_centred(matrix_of(sample, names)) for names in term.groups)
        weights = np.ones((len(sample), 1))
    elif images := kinds_of(sample, term.given).images:
        left, right = (_classified(sample, names, term.given, seed) for names in term.groups)
        weights = np.hstack([np.ones((len(sample), 1)), np.tanh(components(sample, term.given))])
        notes.append(f"residuals by cross-fitted classifiers, because {images[0]} is an image")
    else:
        if len(sample) > _MOST_ROWS:
            rows = np.sort(np.random.default_rng([seed, 0x5B]).permutation(len(sample))[:_MOST_ROWS])
            notes.append(f"{_MOST_ROWS} of {len(sample)} rows were used")
        few = sample.rows(rows)
        z = conditions(few, term.given)
        least = max(_LEAST_ROWS, _ROWS_PER_COLUMN * (z.shape[1] + 1))
        if len(few) < least:
            return Tested.nothing(
                f"{len(few)} rows are too few for a condition of {z.shape[1]} columns, which needs {least}"
            )
        smoother = Smoother(z, seed=seed)
        sides = [_features(few, names, smoother, notes) for names in term.groups]
        for names, side in zip(term.groups, sides, strict=True):
            if not side:
                return Tested.nothing(
                    f"{', '.join(term.given)} fixes {', '.join(names)} as far as {len(few)} rows tell, and "
                    "what the condition fixes is independent of everything given it"
                )
        left, right = sides[0], sides[1]
        weights = np.hstack([np.ones((len(rows), 1)), np.tanh(z[:, :_MOST_WEIGHTS])])
        notes.append("sees dependence through residuals, their cosine and sine, and weights in Z")
    clusters = None
    if sample.groups is not None:
        clusters = np.unique(sample[sample.groups][rows], return_inverse=True)[1].reshape(-1)
    apart = right if z is None else differenced(right, z)
    found = covariance_test(
        left, apart, weights=weights, resamples=permutations, seed=seed, clusters=clusters
    )
    if found.statistic is None:
        return Tested.nothing("the condition leaves nothing of one side")
    if found.least > _LEVEL:
        units = f"{len(rows)} rows" if clusters is None else f"groups, {int(clusters.max()) + 1} in number,"
        return Tested.nothing(
            f"{units} are too few: whatever they hold, the least p-value they could give is {found.least:.2g}"
        )
    warnings = (
        [] if z is None else _doubts(term, found, left, right, z, weights, seed=seed, clusters=clusters)
    )
    sides_left = [[residual.noise for residual in side] for side in (left, right)]
    warnings += residual_warning(sample.rows(rows), term, sides_left)
    return Tested(found.statistic, found.p_value, tuple(warnings))


def _doubts(
    term: Term,
    found: Covariance,
    left: Sequence[Residual],
    right: Sequence[Residual],
    z: Floats,
    weights: Floats,
    *,
    seed: int,
    clusters: npt.NDArray[np.int64] | None,
) -> list[str]:
    """Why a small p-value may come from what the regressions have not learnt of Z."""
    if found.p_value > _DOUBTED:
        return []
    warnings = []
    given, (rows, columns) = ", ".join(term.given), z.shape
    if found.allowed > _LEVEL:
        warnings.append(
            f"the regressions on {given} miss so much of it that a function of it which both "
            f"sides share could give this p-value: with that allowed for, p = {found.allowed:.2g}"
        )
    i, j, weight = found.strongest
    rest = shared_rest(left[i], right[j], z, weight=weights[:, weight], seed=seed, clusters=clusters)
    most = [min(side, key=lambda residual: residual.error) for side in (left, right)]
    shares, freedom = [learnt.error for learnt in most], [learnt.freedom for learnt in most]
    learnt_of = columns >= _MANY and max(shares) < _UNRELATED
    unseen = columns >= _SEVERAL and rest.visible < _SEEN
    if rest.p_value <= _SHARED:
        warnings.append(
            f"the regressions on {given} leave something of it on both sides: what is left of one row is "
            f"related to what is left of other rows near it in {given} (p = {rest.p_value:.2g}), so that the "
            "two sides may share a function of the condition and nothing else"
        )
    elif _share_a_wave(left[i].values, right[j].values, z, most, seed):
        warnings.append(
            f"the regressions on {given} leave waves of it on both sides, such as those of a function with "
            "many steps, which the two sides may share and nothing else"
        )
    elif min(freedom) > rows**_ROUGH and min(shares) > _LEFT:
        warnings.append(
            f"both sides follow rough functions of {given}: the regressions take {freedom[0]:.0f} and "
            f"{freedom[1]:.0f} degrees of freedom from {rows} rows and leave {shares[0]:.0%} and "
            f"{shares[1]:.0%} of the two sides, which may be more of such a function rather than noise"
        )
    elif min(shares) > _UNEXPLAINED and (learnt_of or unseen):
        warnings.append(
            f"regressions on the {columns} columns of {given} leave {shares[0]:.0%} and "
            f"{shares[1]:.0%} of the two sides, and {rows} rows do not tell whether that is noise or a "
            "function of the condition that they could not learn"
        )
    return warnings


def _share_a_wave(one: Floats, other: Floats, z: Floats, most: Sequence[Residual], seed: int) -> bool:
    """Whether a wave of the conditions stands out of what two regressions have left together.

    Both, of one size and with the sign that makes them alike: a function that both have left adds up, and
    their noise does not, unless it is the same. Waves of what the regressions predict are tried as well: a
    column that was rounded is a smooth function and a wave of it, whichever function it is.

    Args:
        one: Residuals of X, shape (n,).
        other: Of Y.
        z: The conditions, of variance 1, shape (n, d).
        most: The residuals of each side of which most was learnt.
        seed: Fixes the rows and the frequencies.
    """
    freedom = max(learnt.freedom for learnt in most)
    said = [learnt.predicted for learnt in most if learnt.predicted is not None]
    seen = np.column_stack([z, *(column / max(float(column.std()), 1e-300) for column in said)])
    rng = np.random.default_rng([seed, 0x3A7F])
    rows = rng.permutation(len(z))[:_WAVE_ROWS]
    both = [side[rows] - side[rows].mean() for side in (one, other)]
    left, right = (side / max(float(np.linalg.norm(side)), 1e-300) for side in both)
    together = left + math.copysign(1.0, float(left @ right)) * right
    if follows_one_condition(seen[rows], together, freedom=freedom * len(rows) / len(z)):
        return True
    return strongest_wave(z[rows], together, rng) is not None


def _features(sample: Sample, names: tuple[str, ...], smoother: Smoother, notes: list[str]) -> list[Residual]:
    kinds = kinds_of(sample, names)
    if kinds.images:
        raise ValueError(
            f"method 'gcm' cannot regress the image {kinds.images[0]!r}: condition on it instead"
        )
    parts: list[Residual] = []
    fixed = 0
    if kinds.labels:
        codes, states = encode_target(sample, kinds.labels)
        if states > 1 and fixed_label(codes, smoother.z):
            fixed += 1
        else:
            columns = _that_vary(indicators(sample, kinds.labels))
            learn = columns.shape[1] <= _MOST_LEARNT
            for column in columns.T:
                parts += residual_features(column, smoother, shapes=False, learn=learn)
    if kinds.numbers:
        for column in vectors(sample, kinds.numbers).T:
            found = residual_features(column, smoother, shapes=True)
            fixed += not found
            parts += found
    if fixed and parts:
        notes.append(f"the condition fixes a part of {', '.join(names)}, which was left out")
    return parts


def _classified(sample: Sample, names: tuple[str, ...], given: tuple[str, ...], seed: int) -> list[Residual]:
    """Indicators less their cross-fitted probabilities, one for each state but the last."""
    other = [name for name in names if sample.variables[name].kind != "discrete"]
    if other:
        raise ValueError(
            f"conditioning on an image needs discrete columns on both sides, got {other[0]!r}, which is "
            f"{sample.variables[other[0]].kind}"
        )
    fit = CrossFit(sample, seed=seed, quality="quick")
    p = np.exp(fit.log_probabilities(names, given))
    codes, states = encode_target(sample, [n for n in sample if n in names])
    left = np.asarray(np.eye(states)[codes] - p)[:, : max(1, states - 1)]
    return [Residual.known(column) for column in left.T]


def _centred(matrix: Floats) -> list[Residual]:
    return [
        Residual(column, column, lambda values: values - values.mean(axis=0))
        for column in (matrix - matrix.mean(axis=0)).T
    ]


def _that_vary(matrix: Floats) -> Floats:
    return matrix[:, matrix.min(axis=0) < matrix.max(axis=0)]
