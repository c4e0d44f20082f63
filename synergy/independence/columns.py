"""The columns of a sample as matrices of numbers on comparable scales."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier.design import encode_target, make_design
from synergy.estimators.intake import split_columns
from synthetic import Sample

__all__ = ["components", "conditions", "indicators", "matrix_of", "vectors"]

Floats = npt.NDArray[np.float64]

_HEAVY = 20.0
_MOST_CELLS = 60


def components(sample: Sample, given: tuple[str, ...]) -> Floats:
    """The leading principal components of the conditions, at most 8, each of variance 1."""
    matrix = make_design(sample, given).matrix.astype(np.float64)
    centred = matrix - matrix.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    leading = np.argsort(values)[::-1][:8]
    kept = leading[values[leading] > 1e-9 * max(float(values.max()), 1e-300)]
    return np.asarray(centred @ vectors[:, kept] / np.sqrt(values[kept]))


def indicators(sample: Sample, names: tuple[str, ...]) -> Floats:
    """One column for each joint state but the last, shape (n, states - 1).

    Raises:
        ValueError: If there are more than 60 joint states.
    """
    codes, states = encode_target(sample, names)
    if states > _MOST_CELLS:
        raise ValueError(
            f"{', '.join(names)} take {states} joint states, of which at most {_MOST_CELLS} can be indicators"
        )
    return np.eye(states)[codes][:, : max(1, states - 1)]


def vectors(sample: Sample, names: tuple[str, ...]) -> Floats:
    """Standardised columns; heavy tails are drawn in by asinh, which keeps independence.

    Raises:
        ValueError: If every column is constant.
    """
    matrix = np.hstack([np.asarray(sample[n], dtype=np.float64).reshape(len(sample), -1) for n in names])
    matrix = matrix[:, matrix.min(axis=0) < matrix.max(axis=0)]
    if not matrix.shape[1]:
        raise ValueError(f"every column of {', '.join(names)} is constant: it is independent of everything")
    low, middle, high = np.quantile(matrix, [0.25, 0.5, 0.75], axis=0)
    standard = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    robust = (matrix - middle) / np.where(high > low, (high - low) / 1.349, matrix.std(axis=0))
    heavy = (standard**4).mean(axis=0) > _HEAVY
    drawn_in = np.arcsinh(robust)
    return np.asarray(np.where(heavy, drawn_in / drawn_in.std(axis=0), standard))


def matrix_of(sample: Sample, names: tuple[str, ...]) -> Floats:
    """Indicators of each discrete column and the standardised continuous ones, side by side.

    Raises:
        ValueError: If a column is an image.
    """
    discrete, continuous, images = split_columns(sample, names)
    if images:
        raise ValueError(f"distances cannot take the image {images[0]!r}")
    parts = [indicators(sample, (name,)) for name in discrete]
    if continuous:
        parts.append(vectors(sample, tuple(continuous)))
    return np.hstack(parts)


def conditions(sample: Sample, given: tuple[str, ...]) -> Floats:
    """The standardised continuous conditions first, then indicators of the discrete ones."""
    discrete, continuous, _ = split_columns(sample, given)
    parts = [vectors(sample, tuple(continuous))] if continuous else []
    parts += [indicators(sample, (name,)) for name in discrete]
    return np.hstack(parts)
