"""Training with early stopping, and the scores of rows that were held out."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synergy.estimators.variational.columns import SlotColumns
from synergy.estimators.variational.networks import Categorical, MixtureDensity
from synergy.estimators.variational.objectives import Objective, evaluate, train_loss
from synergy.statistics.folds import Split

__all__ = ["DENSITY_CRITERION", "critic_criterion", "held_out", "train"]

_EVALUATED = 2048
"""Rows that are scored at a time, and the most that early stopping looks at."""


@dataclass(frozen=True)
class Criterion:
    """A loss to train on and influence scores to report, for a network, rows and whether Y is seen."""

    loss: Callable[[nn.Module, tuple[torch.Tensor, ...], bool], torch.Tensor]
    scores: Callable[[nn.Module, tuple[torch.Tensor, ...], bool], torch.Tensor]
    chain: bool


def critic_criterion(bound: Objective, batch: int, clip: float) -> Criterion:
    """The criterion of a critic: a bound's loss, and its scores on held-out rows."""

    def loss(network: nn.Module, rows: tuple[torch.Tensor, ...], see_y: bool) -> torch.Tensor:
        return train_loss(network(*rows, see_y=see_y), bound)

    def scores(network: nn.Module, rows: tuple[torch.Tensor, ...], see_y: bool) -> torch.Tensor:
        return evaluate(network(*rows, see_y=see_y), bound, clip=clip, batch=batch)

    return Criterion(loss, scores, chain=False)


def _log_density(network: nn.Module, rows: tuple[torch.Tensor, ...], see_y: bool) -> torch.Tensor:
    if not isinstance(network, MixtureDensity | Categorical):
        raise TypeError(f"a density is needed, got {type(network).__name__}")
    return network.log_density(*rows, see_y=see_y)


DENSITY_CRITERION = Criterion(
    loss=lambda network, rows, see_y: -_log_density(network, rows, see_y).mean(),
    scores=lambda network, rows, see_y: _log_density(network, rows, see_y).double(),
    chain=True,
)
"""The criterion of a density: its log-likelihood with and without the other slot."""


def train(
    network: nn.Module,
    columns: SlotColumns,
    split: Split,
    criterion: Criterion,
    *,
    steps: int,
    patience: int,
    batch: int,
    rate: float,
) -> None:
    """Adam with a cosine schedule and early stopping on the rows set aside, which are in random order."""
    device = columns.x.device
    fit, tune = (torch.tensor(i, device=device) for i in (split.fit, split.tune[:_EVALUATED]))
    both = criterion.chain or columns.z.shape[1] > 0
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=rate / 20)
    every = max(20, min(100, len(fit) // batch))
    best, kept, waited = math.inf, copy.deepcopy(network.state_dict()), 0
    for step in range(steps):
        index = fit[torch.randperm(len(fit), device=device)[:batch]]
        rows = columns.rows(index)
        loss = criterion.loss(network, rows, True)
        if both:
            loss = loss + criterion.loss(network, rows, False)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % every == 0 or step == steps - 1:
            with torch.no_grad():
                rows = columns.rows(tune)
                now = float(criterion.loss(network, rows, True))
                if both:
                    now += float(criterion.loss(network, rows, False))
            if now < best:
                best, kept, waited = now, copy.deepcopy(network.state_dict()), 0
            else:
                waited += 1
                if waited >= patience:
                    break
    network.load_state_dict(kept)


@torch.no_grad()
def held_out(
    network: nn.Module, columns: SlotColumns, test: npt.NDArray[np.int64], criterion: Criterion
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The scores of the term, and of its first part I(X;Y,Z), in blocks that fit in memory.

    The rows of a block are draws from the marginals for each other: `test` must be in random order.
    """
    both = criterion.chain or columns.z.shape[1] > 0
    blocks = np.array_split(np.arange(len(test)), math.ceil(len(test) / _EVALUATED))
    total, first = np.empty(len(test)), np.empty(len(test))
    for block in blocks:
        rows = columns.rows(torch.tensor(test[block], device=columns.x.device))
        first[block] = criterion.scores(network, rows, True).cpu().numpy()
        less = criterion.scores(network, rows, False).cpu().numpy() if both else 0.0
        total[block] = first[block] - less
    return total, first
