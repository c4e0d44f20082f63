"""Variational bounds from a matrix of critic values whose diagonal holds the joint pairs.

Element (i, j) is T(x_i, w_j); elements off the diagonal are draws from the product of the marginals.
`train` gives the loss to descend, `evaluate` a value with one influence score per row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch

__all__ = ["OBJECTIVES", "Objective", "evaluate", "train_loss"]

Objective = Literal["nwj", "infonce", "smile", "donsker-varadhan"]
OBJECTIVES: tuple[Objective, ...] = ("nwj", "infonce", "smile", "donsker-varadhan")
"""The bounds with a critic."""


def _off_diagonal(scores: torch.Tensor) -> torch.Tensor:
    n = len(scores)
    return scores.masked_fill(torch.eye(n, dtype=torch.bool, device=scores.device), -math.inf)


def _log_partition(scores: torch.Tensor) -> torch.Tensor:
    n = len(scores)
    return torch.logsumexp(_off_diagonal(scores).flatten(), dim=0) - math.log(n * (n - 1))


def _nwj(scores: torch.Tensor) -> torch.Tensor:
    """1 + E_p[T] - E_q[e^T] (Nguyen, Wainwright, Jordan 2010)."""
    return 1 + scores.diagonal().mean() - _log_partition(scores).exp()


def _infonce(scores: torch.Tensor) -> torch.Tensor:
    """E log [e^T(x_i, w_i) / mean_j e^T(x_i, w_j)] (van den Oord et al. 2018)."""
    return (scores.diagonal() - torch.logsumexp(scores, dim=1)).mean() + math.log(len(scores))


def _donsker_varadhan(scores: torch.Tensor) -> torch.Tensor:
    """E_p[T] - log E_q[e^T] (Donsker and Varadhan 1983; Belghazi et al. 2018)."""
    return scores.diagonal().mean() - _log_partition(scores)


def _jensen_shannon(scores: torch.Tensor) -> torch.Tensor:
    """The f-GAN objective, on which SMILE trains its critic (Nowozin et al. 2016)."""
    n = len(scores)
    softplus = torch.nn.functional.softplus
    negatives = (softplus(scores).sum() - softplus(scores.diagonal()).sum()) / (n * (n - 1))
    return -softplus(-scores.diagonal()).mean() - negatives


_TRAIN: dict[Objective, Callable[[torch.Tensor], torch.Tensor]] = {
    "nwj": _nwj,
    "infonce": _infonce,
    "smile": _jensen_shannon,
    "donsker-varadhan": _donsker_varadhan,
}
"""What each maximises while it trains, from scores of shape (n, n)."""


def train_loss(scores: torch.Tensor, objective: Objective) -> torch.Tensor:
    """The loss of one batch, to be descended."""
    return -_TRAIN[objective](scores)


def evaluate(
    scores: torch.Tensor, objective: Objective, *, clip: float = 5.0, batch: int = 256
) -> torch.Tensor:
    """Influence scores of shape (rows,) whose mean is the bound on these rows.

    For the bounds with a partition function M = mean of e^T off the diagonal, row i's influence on M is
    its row mean plus its column mean less M, the Hajek projection of the U-statistic.

    Args:
        scores: Critic values of held-out rows, shape (rows, rows).
        objective: Which bound.
        clip: SMILE's tau: e^T is clipped to [e^-tau, e^tau] in the partition function.
        batch: The number of candidates in InfoNCE, the true one included.
    """
    values = scores.double()
    n = len(values)
    joint = values.diagonal()
    if objective == "infonce":
        size = min(batch, n)
        starts = [*range(0, n - size + 1, size), n - size]  # the last rows see the last candidates
        stops = [*starts[1:-1], len(starts[:-1]) * size, n]
        windows = [
            torch.logsumexp(values[row:stop, start : start + size], dim=1)
            for row, start, stop in zip([0, *stops], starts, stops, strict=False)
        ]
        return joint - torch.cat(windows) + math.log(size)
    if objective == "smile":
        values = values.clamp(-clip, clip)
    off = _off_diagonal(values)
    shift = off.max()
    weights = (off - shift).exp()
    row, column = weights.sum(1) / (n - 1), weights.sum(0) / (n - 1)
    mean = row.mean()
    if objective == "nwj":
        scale = shift.exp()
        return 1 + joint - scale * (row + column - mean)
    return joint - (mean.log() + shift) - (row + column - 2 * mean) / mean
