"""Bases of functions of Z: kernels on all conditions, sums of functions of one, products of two.

A basis is orthonormal columns with the size that a ridge sees in each. The linear functions of Z come first
and are hardly shrunk; the others are taken as what they add to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Basis", "bumps", "make_basis", "products"]

Floats = npt.NDArray[np.float64]

_LINEAR = 30.0
"""The size of the linear functions beside the kernels': so much that a ridge hardly shrinks them."""
_LEAST = 1e-6
"""Directions whose size is below this share of the largest are left out: rounding errors."""
_BUMPS = 12
"""Gaussian bumps on each condition, from the 2nd to the 98th percentile."""
_BUMP_WIDTH = 0.5
"""Their width, in standard deviations of the condition."""


@dataclass(frozen=True)
class Basis:
    """Orthonormal columns, shape (n, m), and the size of the function along each, shape (m,)."""

    u: Floats
    singular: Floats


def make_basis(z: Floats, features: Sequence[Floats]) -> Basis:
    """The linear functions of Z and the features, made orthonormal.

    Args:
        z: Shape (n, d).
        features: Each of shape (n, m).
    """
    linear = np.hstack([np.ones((len(z), 1)), z])
    first, size, _ = np.linalg.svd(linear, full_matrices=False)
    first, size = first[:, size > _LEAST * size[0]], size[size > _LEAST * size[0]]
    if not features:
        return Basis(first, _LINEAR * size)
    others = np.hstack(features)
    for _ in range(2):
        others = others - first @ (first.T @ others)
    squares, turned = np.linalg.eigh(others.T @ others)
    kept = squares > _LEAST**2 * max(float(squares[-1]), len(z) * _LEAST)
    singular = np.sqrt(squares[kept])
    return Basis(
        np.hstack([first, others @ turned[:, kept] / singular]), np.concatenate([_LINEAR * size, singular])
    )


def bumps(z: Floats) -> Floats:
    """Bumps along each condition of more than two values: their sums are the additive functions of Z."""
    places = np.quantile(z, np.linspace(0.02, 0.98, _BUMPS), axis=0)
    columns = [
        np.exp(-((column[:, None] - place) ** 2) / (2 * _BUMP_WIDTH**2))
        for column, place in zip(z.T, places.T, strict=True)
        if len(np.unique(column)) > 2
    ]
    return np.hstack(columns) / np.sqrt(_BUMPS) if columns else np.zeros((len(z), 0))


def products(z: Floats) -> Floats:
    """The products of all pairs of conditions and the squares, centred, shape (n, d (d + 1) / 2)."""
    first, second = np.triu_indices(z.shape[1])
    paired = z[:, first] * z[:, second]
    return np.asarray(paired - paired.mean(axis=0))
