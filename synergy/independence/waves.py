"""The waves of several conditions that a column follows.

A function of one direction that turns many times, such as sin 2 (z_1 + .. + z_5), looks like noise to kernels
on all conditions, and no climb from a smooth start comes to its direction: the likelihood is flat in between.
Its Fourier transform has a peak. So frequencies are drawn at random, of all directions and many lengths, and
the periodogram is climbed from the best of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["follows_one_condition", "strongest_wave"]

Floats = npt.NDArray[np.float64]

_DRAWS = 10_000
"""How many frequencies are drawn."""
_LENGTHS = (0.5, 4.0)
"""Their spread in each condition, from the least to the largest, in radians for a standard deviation."""
_ALONE = np.arange(0.5, 30.0, 0.5)
"""Frequencies of waves of one condition alone: a peak is about one radian wide."""
_ALONE_LEFT = np.arange(0.5, 100.0, 0.5)
"""The same in what regressions have left: sixteen steps of a staircase in a standard deviation."""
_CLIMBS = 64
"""From how many of them the periodogram is climbed."""
_STEPS = 20
"""Of a climb."""
_CHANCE = 1e-3
"""The chance that one of as many independent frequencies is taken for a wave where there is none."""
_CLIMBED = 1.5
"""What a climb adds to a peak of noise for each condition: half the logarithm of a height of 20."""


def strongest_wave(z: Floats, y: Floats, rng: np.random.Generator) -> Floats | None:
    """The frequency w at which y follows a wave of z, or None where no frequency stands out of noise.

    The periodogram P(w) = |sum_i y_i exp(i w.z_i)|^2 / sum_i y_i^2 has about the law Exp(1) at each w if y
    is noise, so the largest of m is below log(m / a) with probability 1 - a. A climb in d dimensions raises
    the highest peak of noise by about (d / 2) log P (R. Adler and J. Taylor 2007, "Random Fields and
    Geometry"). A wave that is the share R^2 of the variance has P = n R^2 / 2.

    Args:
        z: Conditions of variance 1, shape (n, d).
        y: Centred, shape (n,).
        rng: Draws the frequencies.

    Returns:
        Shape (d,).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> z, noise = rng.normal(size=(300, 2)), rng.normal(size=300)
        >>> wave = strongest_wave(z, np.sin(z @ [3.0, -4.0]), rng)
        >>> np.abs(wave).round(1).tolist(), strongest_wave(z, noise, rng) is None
        ([3.0, 4.0], True)
    """
    least, most = (math.log(length) for length in _LENGTHS)
    spread = np.exp(rng.uniform(least, most, size=(_DRAWS, 1)))
    drawn = np.vstack([spread * rng.standard_normal((_DRAWS, z.shape[1])), _alone(z.shape[1], _ALONE)])
    power = np.concatenate([_coarse_power(part, z, y) for part in np.array_split(drawn, 16)])
    waves = drawn[np.argsort(power)[-_CLIMBS:]]
    waves, heights = _climb(waves, z, y)
    noise = math.log(_DRAWS / _CHANCE) + _CLIMBED * z.shape[1]
    return waves[heights.argmax()] if heights.max() > noise else None


def follows_one_condition(z: Floats, y: Floats, *, freedom: float = 0.0) -> bool:
    """Whether y follows a wave of one condition alone, which are few, so that a lower peak tells.

    Args:
        z: Conditions of variance 1, shape (n, d).
        y: Centred, shape (n,), such as what a regression has left.
        freedom: The degrees of freedom that it took: of noise it leaves the more of other frequencies.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> z, noise = rng.normal(size=(300, 2)), rng.normal(size=300)
        >>> follows_one_condition(z, np.sin(12 * z[:, 1]) + noise), follows_one_condition(z, noise)
        (True, False)
    """
    n, d = z.shape
    waves = _alone(d, _ALONE_LEFT)
    white = max(1 - freedom / n, 1 / n)
    return bool(_coarse_power(waves, z, y).max() > math.log(len(waves) / _CHANCE) / white)


def _alone(d: int, lengths: Floats) -> Floats:
    """Waves of one of d conditions each, shape (m, d)."""
    return np.asarray(np.kron(np.eye(d), lengths[:, None]))


def _coarse_power(waves: Floats, z: Floats, y: Floats) -> Floats:
    """The periodogram in single precision, which is enough to say from where to climb: shape (m,)."""
    turns = waves.astype(np.float32) @ z.T.astype(np.float32)
    return _heights(np.cos(turns), np.sin(turns), y.astype(np.float32))


def _heights(cosine: npt.NDArray[Any], sine: npt.NDArray[Any], y: npt.NDArray[Any]) -> Floats:
    """The periodogram from the waves at each row, shape (m, n)."""
    return np.asarray((np.square(cosine @ y) + np.square(sine @ y)) / (y @ y))


def _climb(waves: Floats, z: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Frequencies uphill of others, by steps of a length that grows where it helps and halves where not."""
    turns = waves @ z.T
    cosine, sine = np.cos(turns), np.sin(turns)
    heights = _heights(cosine, sine, y)
    lengths = np.full((len(waves), 1), 0.3)
    for _ in range(_STEPS):
        slopes = (((sine @ y)[:, None] * cosine - (cosine @ y)[:, None] * sine) * y) @ z
        tried = waves + lengths * slopes / np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1e-300)
        turns = tried @ z.T
        further = np.cos(turns), np.sin(turns)
        reached = _heights(*further, y)
        better = reached > heights
        waves, cosine, sine = (
            np.where(better[:, None], new, old)
            for new, old in zip((tried, *further), (waves, cosine, sine), strict=True)
        )
        heights = np.where(better, reached, heights)
        lengths = lengths * np.where(better[:, None], 1.3, 0.4)
    return waves, heights
