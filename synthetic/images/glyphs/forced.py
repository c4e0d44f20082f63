"""The forced class information J = I(C;T), T = p(A|X), from exact posteriors of draws of X.

T and p(C|X) are known exactly for each draw, but I(C;T) needs p(C|T), the mean of p(C|X) over the images
with the same T. It is estimated by the mean over the nearest T among other draws, and any such estimate q
gives a lower bound, H(C) + E log q(C|T) <= I(C;T), if the bound is evaluated on draws that q has not seen.
Half of the draws make q, a quarter chooses the number of neighbours, and a quarter gives value and error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.spatial import cKDTree
from scipy.special import xlogy

__all__ = ["posterior_information"]

Array = npt.NDArray[np.float64]

Draws = tuple[Array, Array, Array]
"""The weights, p(A|x) and p(C|x) of some draws."""

_NEIGHBOURS = (1, 4, 16, 64, 256)
"""The numbers of neighbours to choose from."""


def posterior_information(
    batches: Sequence[Draws], *, prior: Array, resolution: float
) -> tuple[float, float]:
    """A lower bound of I(C;T) with its standard error.

    Args:
        batches: For each independent draw of the noise: weights (rows,) that sum to 1, p(A|x) of shape
            (rows, labels) and p(C|x) of shape (rows, classes).
        prior: p(C), of shape (classes,).
        resolution: The step to which T is rounded; 0 for none.

    Returns:
        The bound in nats and its standard error over draws of the noise.
    """
    half, rest = len(batches) // 2, 3 * len(batches) // 4
    weights, t, c = _joined(batches[:half])
    cells, cell = np.unique(_rounded(t, resolution), axis=0, return_inverse=True)
    mass = np.bincount(cell, weights=weights)
    shape = (len(cells), len(cell))
    held = sparse.csr_array((weights, (cell, np.arange(len(cell)))), shape=shape) @ c
    both = np.column_stack([held, mass])
    tree = cKDTree(np.sqrt(cells))
    entropy = -float(xlogy(prior, prior).sum())
    floor = mass.sum() / len(weights)

    def bound(part: Sequence[Draws], counts: Sequence[int]) -> Array:
        """The value of each draw of the noise, for each number of neighbours: shape (counts, draws)."""
        w, there, truth = _joined(part)
        starts = np.cumsum([0, *(len(batch[0]) for batch in part)])[:-1]
        _, near = tree.query(np.sqrt(_rounded(there, resolution)), k=list(range(1, max(counts) + 1)))
        values = []
        for k in counts:
            places = (np.ones(len(w) * k), near[:, :k].ravel(), np.arange(0, len(w) * k + 1, k))
            total = sparse.csr_array(places, shape=(len(w), len(cells))) @ both
            q = (total[:, :-1] + floor * prior) / (total[:, -1:] + floor)
            values.append(np.add.reduceat(w * xlogy(truth, q).sum(axis=1), starts))
        return entropy + np.stack(values)

    counts = [k for k in _NEIGHBOURS if k <= len(cells)]
    best = counts[int(bound(batches[half:rest], counts).mean(axis=1).argmax())]
    bounds = bound(batches[rest:], [best])[0]
    return float(bounds.mean()), float(bounds.std(ddof=1) / math.sqrt(len(bounds)))


def _joined(batches: Sequence[Draws]) -> Draws:
    weights, t, c = (np.concatenate(part) for part in zip(*batches, strict=True))
    return weights, t, c


def _rounded(t: Array, resolution: float) -> Array:
    return np.round(t / resolution) * resolution if resolution else t
