"""The same local terms in torch, by tiles of all pairwise distances, for a GPU.

A tile of rows meets all columns at once: the distances in z, x and y, their maximum, its k-th smallest,
and the counts below it. Distances are float64 subtractions, the ones of the trees and bitsets, so that the
counts are those of the CPU and the terms differ by no more than the rounding of their sum. Memory is
linear in n: the height of a tile is what fits the budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

if TYPE_CHECKING:
    import torch

__all__ = ["tile_height", "tiled_terms"]

Floats = npt.NDArray[np.float64]

TILED = ("ksg1", "frenzel-pompe", "mesner-shalizi")
"""The methods that run in tiles."""

_BUDGET = 1 << 28
"""Bytes for the arrays of one tile on the CPU."""
_SHARE = 0.25
"""The share of its free memory that they take on a device."""
_ARRAYS = 7
"""How many arrays of the size of a tile are alive at once."""


def tiled_terms(
    method: str,
    x: Floats,
    y: Floats,
    z: Floats | None,
    k: int,
    *,
    device: str,
    largest: float = float("inf"),
    budget: int | None = None,
) -> Floats:
    """The local terms of a method, shape (n,); see `synergy.estimators.neighbours.local`.

    Args:
        method: `ksg1`, `frenzel-pompe` or `mesner-shalizi`.
        x: Shape (n, dx), scaled.
        y: Shape (n, dy).
        z: Shape (n, dz), or None.
        k: The number of neighbours.
        device: `auto`, `cpu` or `cuda`.
        largest: See `mesner_shalizi`.
        budget: Bytes for the arrays of one tile; None for 256 MiB on the CPU, on CUDA a quarter of what is
            free.

    Raises:
        ValueError: If the method does not run in tiles or torch has no such device.
    """
    import torch

    from synergy.device import choose_device

    if method not in TILED:
        raise ValueError(f"method {method!r} does not run on a device: use one of {', '.join(TILED)}")
    place = choose_device(device)
    slots = [torch.as_tensor(s, dtype=torch.float64, device=place) for s in (x, y, z) if s is not None]
    n = len(x)
    height = tile_height(n, place, budget)
    found = torch.empty((4, n), dtype=torch.int64, device=place)
    inclusive = method == "mesner-shalizi"
    for start in range(0, n, height):
        rows = slice(start, start + height)
        near = [_distances(points[rows], points) for points in slots]
        if z is not None:
            near = [torch.maximum(near[0], near[2]), torch.maximum(near[1], near[2]), near[2]]
        joint = torch.maximum(near[0], near[1])
        nearest = torch.topk(joint, k + 1, dim=1, largest=False, sorted=False).values
        radius = nearest.amax(dim=1, keepdim=True).clamp(max=largest)
        for row, distance in enumerate((*near, joint) if z is not None else (*near, joint, joint)):
            inside = distance <= radius if inclusive else distance < radius
            found[row, rows] = inside.sum(dim=1)
    counts = np.maximum(found.cpu().numpy(), 1)
    near_x, near_y = counts[0], counts[1]
    near_z = np.full(n, n) if z is None else counts[2]
    if inclusive:
        last = near_z if z is None else near_z - 1
        with np.errstate(invalid="ignore"):
            terms = digamma(counts[3] - 1) - digamma(near_x - 1) - digamma(near_y - 1) + digamma(last)
        return np.where(counts[3] > 1, terms, np.nan)
    return np.asarray(digamma(k) - digamma(near_x) - digamma(near_y) + digamma(near_z))


def tile_height(n: int, device: torch.device, budget: int | None = None) -> int:
    """How many of n rows meet all others at once.

    Args:
        n: The number of rows.
        device: Where they meet.
        budget: See `tiled_terms`.
    """
    import torch

    if budget is None:
        budget = int(_SHARE * torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else _BUDGET
    return max(1, min(n, budget // (8 * n * _ARRAYS)))


def _distances(rows: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Maximum-norm distances of some rows to all points, shape (rows, n), one column at a time."""
    import torch

    found = (rows[:, :1] - points[:, 0]).abs_()
    for column in range(1, points.shape[1]):
        torch.maximum(found, (rows[:, column : column + 1] - points[:, column]).abs_(), out=found)
    return found
