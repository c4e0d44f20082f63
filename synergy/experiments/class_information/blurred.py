r"""What a representation of finitely many images tells once noise is added: Z + tau N, exactly.

A deterministic Z gives different images different values, almost always, however close. So of finitely many
images it forgets nothing: I(C;Z) is what the images tell of C, and a table of the values reads it. Z + tau N,
N standard normal, is a representation too, a channel from X, so every bound on representations holds for it;
and it has forgotten what lies below tau.

The images u = 1 .. m, their probabilities p(u) and p(a,c|u) are known, and so is the value z_u of each:

    p(u|z) is proportional to p(u) exp(-|z - z_u|^2 / 2 tau^2),    p(a,c|z) = sum_u p(a,c|u) p(u|z),

    I(A;Z) = H(A) - E H(p(A|z)),    I(A;Z|C) = H(A|C) - E [H(p(A,C|z)) - H(p(C|z))].

No classifier takes part. Only the noise is drawn, equally often for every image: the mean over images is
exact, and the standard error is that of a stratified mean. Events too rare for any draw to show are in
neither value nor error.

Example:
    >>> ends = np.array([[-1.0], [1.0]])
    >>> joint = np.array([[[0.5], [0.0]], [[0.0], [0.5]]])  # the two images show A, which has two states
    >>> sharp = blurred_information(ends, joint, tau=0.1, draws=1000, seed=0)["I(A;Z)"]
    >>> faint = blurred_information(ends, joint, tau=10.0, draws=1000, seed=0)["I(A;Z)"]
    >>> round(sharp.value, 3), round(faint.value, 2)
    (0.693, 0.0)
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from scipy.special import entr

from synthetic.generator import Answer
from theory.checks import integer, number

__all__ = ["TERMS", "blurred_information", "standardised"]

Floats = npt.NDArray[np.float64]

TERMS = ("I(A;Z)", "I(C;Z)", "I(A;Z|C)")
"""What `blurred_information` finds."""

_BLOCK = 2**20
"""So many cells of a table of densities are held at a time, 8 MiB."""

_CONSTANT = 1e-6
"""A feature is constant if its spread is smaller, in units of its largest value."""

_SUM_TOLERANCE = 1e-9
"""Probabilities may miss the sum 1 by this."""


def standardised(templates: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
    """The representations with mean 0 and variance 1 in each feature, under the images' probabilities.

    A feature that varies by less than a millionth of its size, the rounding of float32, is set to 0.

    Args:
        templates: The representation of each different image, shape (m, d).
        weights: The probability of each image, shape (m,).

    Example:
        >>> standardised([[1.0, 5.0], [3.0, 5.0]], [0.5, 0.5]).tolist()
        [[-1.0, 0.0], [1.0, 0.0]]
    """
    z, p = np.asarray(templates, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    centred = z - p @ z
    spread = np.sqrt(p @ centred**2)
    varies = spread > _CONSTANT * np.abs(z).max(axis=0)
    return np.asarray(np.where(varies, centred / np.where(varies, spread, 1.0), 0.0))


def blurred_information(
    templates: npt.ArrayLike, joint: npt.ArrayLike, *, tau: float, draws: int, seed: int
) -> dict[str, Answer]:
    """I(A;Z), I(C;Z) and I(A;Z|C) of Z = z_U + tau N in nats, each with its Monte Carlo error.

    Args:
        templates: The representation z_u of each image, shape (m, d); two images may share one.
        joint: The probability of each image together with A and C, shape (m, states of A, states of C).
        tau: The standard deviation of the noise in each feature, positive.
        draws: How many z at least; every image gets equally many, two or more.
        seed: Fixes the noise.

    Raises:
        ValueError: If shapes do not fit, a value is not finite, `joint` is not a distribution, or a number
            is out of range.
    """
    z, p = np.asarray(templates, dtype=np.float64), np.asarray(joint, dtype=np.float64)
    _check(z, p)
    number("tau", tau, low=0, strict=True)
    integer("draws", draws, 1)
    p = p / p.sum()
    occurs = p.sum(axis=(1, 2)) > 0
    z, p = z[occurs], p[occurs]
    weights = p.sum(axis=(1, 2))
    labels = p / weights[:, None, None]
    m = len(z)
    each = max(2, -(-draws // m))
    rng = np.random.default_rng(seed)
    mean, variance = np.zeros(len(TERMS)), np.zeros(len(TERMS))
    block = max(1, _BLOCK // (m * each))
    for start in range(0, m, block):
        rows = slice(start, min(start + block, m))
        entropies = _entropies(z, weights, labels, z[rows], each, tau, rng)  # (images, draws, terms)
        mean += weights[rows] @ entropies.mean(axis=1)
        variance += weights[rows] ** 2 @ entropies.var(axis=1, ddof=1) / each
    whole = _terms(p.sum(axis=0))
    method = f"exact posterior, {m * each:,} draws of the noise, {each} for each of {m} images"
    return {
        name: Answer(name, float(whole[k] - mean[k]), math.sqrt(variance[k]), method)
        for k, name in enumerate(TERMS)
    }


def _check(z: Floats, p: Floats) -> None:
    if z.ndim != 2 or not len(z):
        raise ValueError(f"templates must have shape (m, d) with m at least 1, got {z.shape}")
    if p.ndim != 3 or len(p) != len(z):
        raise ValueError(f"joint must have shape ({len(z)}, states of A, states of C), got {p.shape}")
    if not np.isfinite(z).all():
        raise ValueError("templates must be finite")
    if not (p >= 0).all() or abs(p.sum() - 1) > _SUM_TOLERANCE:
        raise ValueError(f"joint must be non-negative and sum to 1, got a sum of {p.sum():.6g}")


def _terms(joint: Floats) -> Floats:
    """H(A), H(C) and H(A|C) of distributions of shape (.., states of A, states of C), shape (.., 3)."""
    of_a, of_c = (entr(joint.sum(axis=k)).sum(axis=-1) for k in (-1, -2))
    return np.stack([of_a, of_c, entr(joint).sum(axis=(-1, -2)) - of_c], axis=-1)


def _entropies(
    z: Floats,
    weights: Floats,
    labels: Floats,
    sources: Floats,
    each: int,
    tau: float,
    rng: np.random.Generator,
) -> Floats:
    """`_terms` of p(a,c|z) at draws of z from some images, shape (images, draws, terms).

    Draws of one image come in parts, so that no more than a block of posteriors is held at once.
    """
    (m, d), found = z.shape, []
    part = max(1, _BLOCK // (m * len(sources)))
    for start in range(0, each, part):
        size = min(part, each - start)
        drawn = sources[:, None] + tau * rng.standard_normal((len(sources), size, d))
        logits = np.log(weights) - cdist(drawn.reshape(-1, d), z, "sqeuclidean") / (2 * tau**2)
        logits -= logits.max(axis=1, keepdims=True)
        posterior = np.exp(logits, out=logits)
        posterior /= posterior.sum(axis=1, keepdims=True)
        mixed = (posterior @ labels.reshape(m, -1)).reshape(-1, *labels.shape[1:])
        found.append(_terms(mixed).reshape(len(sources), size, -1))
    return np.concatenate(found, axis=1)
