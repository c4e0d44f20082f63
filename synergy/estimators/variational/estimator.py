"""Neural variational estimators: trained on some folds, early-stopped, evaluated on the others."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synergy.estimators.classifier import paired_estimate
from synergy.estimators.classifier.design import Split, encode_target, make_design, make_splits
from synergy.estimators.entry import Entry
from synergy.estimators.result import Estimate
from synergy.estimators.variational.networks import Categorical, Critic, MixtureDensity
from synergy.estimators.variational.objectives import Objective, evaluate, train_loss
from synthetic import Sample
from theory import Expression, Term, parse_expression

__all__ = ["VARIATIONAL_ENTRIES", "Bound", "variational"]

Bound = Literal["barber-agakov", "nwj", "infonce", "smile", "donsker-varadhan"]

_EVALUATED = 2048
_CEILING_SHARE = 0.8


@dataclass(frozen=True)
class _Columns:
    """The slots as standardised float32 tensors of shape (n, columns)."""

    x: torch.Tensor
    y: torch.Tensor
    z: torch.Tensor

    def rows(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.x[index], self.y[index], self.z[index]


def variational(
    sample: Sample,
    term: str | Term | Expression,
    *,
    bound: Bound = "infonce",
    confidence: float = 0.95,
    seed: int = 0,
    folds: int = 3,
    steps: int | None = None,
    patience: int = 5,
    batch: int = 256,
    hidden: int = 128,
    embed: int = 32,
    rate: float = 1e-3,
    clip: float = 5.0,
    device: str = "cpu",
) -> Estimate:
    """Estimate I(X;Y) or I(X;Y|Z) between columns of any kind with a neural network.

    A conditional term is I(X;Y,Z) - I(X;Z) with both networks sharing a trunk that sees Y or not. Every
    number comes from held-out rows: each fold is evaluated by networks trained on the others, with the
    step count chosen on rows of their own.

    Args:
        sample: The data; `sample.groups` are never split between folds.
        term: One mutual information of two slots.
        bound: `barber-agakov` (a density or softmax q(x|w) against q(x) or q(x|z)), `nwj`, `infonce`,
            `smile` or `donsker-varadhan` (a critic).
        confidence: The nominal coverage of the interval.
        seed: Fixes everything random.
        folds: The number of folds.
        steps: The most optimiser steps in each fold; None for 100 passes, at least 300 and at most 2000.
        patience: Stop after this many checks without a better bound on the rows set aside.
        batch: Rows in a step; InfoNCE cannot exceed log(batch).
        hidden: Units in each hidden layer.
        embed: The dimension of the critic's embeddings.
        rate: The learning rate of Adam.
        clip: SMILE's tau.
        device: Where to train.

    Returns:
        The estimate, with one influence score per row.

    Raises:
        ValueError: If the term has not two slots, the bound is unknown, a number is out of range, or
            there are too few rows.

    Source:
        Barber and Agakov 2003; Nguyen, Wainwright, Jordan 2010; van den Oord et al. 2018
        (arXiv:1807.03748); Belghazi et al. 2018 (arXiv:1801.04062); Song and Ermon 2020
        (arXiv:1910.06222); Poole et al. 2019 (arXiv:1905.06922) for what each can reach.
    """
    parsed = parse_expression(term)
    if bound not in get_args(Bound):
        raise ValueError(f"bound must be one of {', '.join(get_args(Bound))}, got {bound!r}")
    if len(parsed.summands) != 1 or len(parsed.terms[0].groups) != 2 or parsed.summands[0][0] != 1:
        raise ValueError(
            f"{bound} estimates one I(..;..) or I(..;..|..) of two slots at a time, got {parsed}"
        )
    for name, number, least in (
        ("steps", 1 if steps is None else steps, 1),
        ("patience", patience, 1),
        ("batch", batch, 2),
        ("hidden", hidden, 1),
        ("embed", embed, 1),
    ):
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")
    most = int(np.clip(100 * len(sample) // batch, 300, 2000)) if steps is None else steps
    one = parsed.terms[0]
    target, other = one.groups
    discrete_x = _discrete(sample, target)
    if bound == "barber-agakov":
        target, other = _density_slot(sample, target, other)
        discrete_x = _discrete(sample, target)
    groups = None if sample.groups is None else np.unique(sample[sample.groups], return_inverse=True)[1]
    splits = make_splits(len(sample), folds, seed=seed, groups=groups, tune_share=0.15)
    columns = _columns(sample, target, other, one.given, joint_target=bound == "barber-agakov" and discrete_x)
    columns = _Columns(*(t.to(device) for t in (columns.x, columns.y, columns.z)))

    def make() -> nn.Module:
        x, y, z = (t.shape[1] for t in (columns.x, columns.y, columns.z))
        if bound != "barber-agakov":
            return Critic(x, y, z, hidden=hidden, embed=embed)
        if discrete_x:
            return Categorical(x, y, z, hidden=hidden)
        return MixtureDensity(x, y, z, hidden=hidden)

    objective = _density_objective if bound == "barber-agakov" else _critic_objective(bound, batch, clip)
    scores = np.empty(len(sample))
    first = np.empty(len(sample))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for split in splits:
            network = make().to(device)
            _train(network, columns, split, objective, steps=most, patience=patience, batch=batch, rate=rate)
            scores[split.test], first[split.test] = _held_out(network, columns, split.test, objective)
    notes = _notes(
        bound, bool(one.given), float(first.mean()), min(batch, *(len(s.test) for s in splits)), folds
    )
    return paired_estimate(
        scores,
        term=str(parsed),
        estimator=bound,
        confidence=confidence,
        groups=groups,
        notes=notes,
    )


@dataclass(frozen=True)
class _Objective:
    """A loss to train on and influence scores to report, for a network, rows and whether Y is seen."""

    loss: Callable[[nn.Module, tuple[torch.Tensor, ...], bool], torch.Tensor]
    scores: Callable[[nn.Module, tuple[torch.Tensor, ...], bool], torch.Tensor]
    chain: bool


def _critic_objective(bound: Objective, batch: int, clip: float) -> _Objective:
    def loss(network: nn.Module, rows: tuple[torch.Tensor, ...], see_y: bool) -> torch.Tensor:
        return train_loss(network(*rows, see_y=see_y), bound)

    def scores(network: nn.Module, rows: tuple[torch.Tensor, ...], see_y: bool) -> torch.Tensor:
        return evaluate(network(*rows, see_y=see_y), bound, clip=clip, batch=batch)

    return _Objective(loss, scores, chain=False)


def _log_density(network: nn.Module, rows: tuple[torch.Tensor, ...], see_y: bool) -> torch.Tensor:
    if not isinstance(network, MixtureDensity | Categorical):
        raise TypeError(f"a density is needed, got {type(network).__name__}")
    return network.log_density(*rows, see_y=see_y)


_density_objective = _Objective(
    loss=lambda network, rows, see_y: -_log_density(network, rows, see_y).mean(),
    scores=lambda network, rows, see_y: _log_density(network, rows, see_y).double(),
    chain=True,
)


def _train(
    network: nn.Module,
    columns: _Columns,
    split: Split,
    objective: _Objective,
    *,
    steps: int,
    patience: int,
    batch: int,
    rate: float,
) -> None:
    """Adam with a cosine schedule and early stopping on the rows set aside."""
    device = columns.x.device
    fit, tune = (torch.tensor(i, device=device) for i in (split.fit, split.tune[:_EVALUATED]))
    both = objective.chain or columns.z.shape[1] > 0
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=rate / 20)
    every = max(20, min(100, len(fit) // batch))
    best, kept, waited = math.inf, copy.deepcopy(network.state_dict()), 0
    for step in range(steps):
        index = fit[torch.randperm(len(fit))[:batch].to(device)]
        rows = columns.rows(index)
        loss = objective.loss(network, rows, True)
        if both:
            loss = loss + objective.loss(network, rows, False)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % every == 0 or step == steps - 1:
            with torch.no_grad():
                rows = columns.rows(tune)
                now = float(objective.loss(network, rows, True))
                if both:
                    now += float(objective.loss(network, rows, False))
            if now < best:
                best, kept, waited = now, copy.deepcopy(network.state_dict()), 0
            else:
                waited += 1
                if waited >= patience:
                    break
    network.load_state_dict(kept)


@torch.no_grad()
def _held_out(
    network: nn.Module, columns: _Columns, test: npt.NDArray[np.int64], objective: _Objective
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The scores of the term, and of its first part I(X;Y,Z), in blocks that fit in memory."""
    both = objective.chain or columns.z.shape[1] > 0
    blocks = np.array_split(np.arange(len(test)), math.ceil(len(test) / _EVALUATED))
    total, first = np.empty(len(test)), np.empty(len(test))
    for block in blocks:
        rows = columns.rows(torch.tensor(test[block], device=columns.x.device))
        first[block] = objective.scores(network, rows, True).cpu().numpy()
        less = objective.scores(network, rows, False).cpu().numpy() if both else 0.0
        total[block] = first[block] - less
    return total, first


def _discrete(sample: Sample, names: tuple[str, ...]) -> bool:
    return all(sample.variables[name].kind == "discrete" for name in names)


def _density_slot(
    sample: Sample, first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The slot whose density is modelled: a discrete one, else the smaller one; never an image."""

    def cost(names: tuple[str, ...]) -> float:
        if _discrete(sample, names):
            return 0.0
        if any(sample.variables[name].kind != "continuous" for name in names):
            return math.inf
        return float(sum(sample[name][0].size for name in names))

    chosen = min((first, second), key=cost)
    if math.isinf(cost(chosen)):
        raise ValueError(
            "barber-agakov models the density of one slot, which must be discrete or continuous columns "
            f"throughout, got {','.join(first)} and {','.join(second)}: use a critic such as infonce"
        )
    return (first, second) if chosen == first else (second, first)


def _columns(
    sample: Sample,
    x: tuple[str, ...],
    y: tuple[str, ...],
    z: tuple[str, ...],
    *,
    joint_target: bool,
) -> _Columns:
    if joint_target:
        codes, states = encode_target(sample, x)
        x_columns = torch.nn.functional.one_hot(torch.tensor(codes), states).float()
    else:
        x_columns = _encoded(sample, x)
    return _Columns(x_columns, _encoded(sample, y), _encoded(sample, z))


def _encoded(sample: Sample, names: tuple[str, ...]) -> torch.Tensor:
    """One-hot, or standardised and passed through asinh, which is monotone and tames heavy tails."""
    design = make_design(sample, names)
    matrix = design.matrix.astype(np.float64)
    for block in design.blocks:
        part = matrix[:, block.columns]
        if block.kind == "discrete":
            continue
        middle = np.median(part, axis=0) if block.kind == "continuous" else part.mean(axis=0)
        spread = part.std(axis=0) if block.kind == "continuous" else np.sqrt(part.var(axis=0).mean())
        if block.kind == "continuous":
            low, high = np.quantile(part, [0.25, 0.75], axis=0)
            spread = np.where(high > low, (high - low) / 1.349, spread)
        matrix[:, block.columns] = np.arcsinh((part - middle) / np.where(spread > 0, spread, 1.0))
    return torch.tensor(matrix, dtype=torch.float32)


def _notes(bound: Bound, conditional: bool, first: float, batch: int, folds: int) -> tuple[str, ...]:
    notes = [f"held-out rows of {folds} folds; what the network can read, not all that is there"]
    if bound == "smile":
        notes.append("SMILE clips its density ratios: neither a lower nor an upper bound")
    elif conditional:
        notes.append(
            "a difference of two bounds, I(X;Y,Z) - I(X;Z): itself neither a lower nor an upper bound"
        )
    elif bound == "barber-agakov":
        notes.append(
            "a difference of two log densities: a lower bound only where the marginal is learned exactly"
        )
    else:
        notes.append("a lower bound on the Shannon information, in expectation")
    if bound == "infonce" and first > _CEILING_SHARE * math.log(batch):
        notes.append(
            f"InfoNCE's ceiling log({batch}) = {math.log(batch):.3f} binds: the bound reached {first:.3f} "
            "and the truth may be far higher; use a larger batch or another estimator"
        )
    return tuple(notes)


def _entry(bound: Bound, reference: str, description: str) -> Entry:
    def run(
        sample: Sample,
        expression: Expression,
        *,
        confidence: float = 0.95,
        seed: int = 0,
        folds: int = 3,
        steps: int | None = None,
        patience: int = 5,
        batch: int = 256,
        hidden: int = 128,
        embed: int = 32,
        rate: float = 1e-3,
        clip: float = 5.0,
        device: str = "cpu",
    ) -> Estimate:
        return variational(
            sample,
            expression,
            bound=bound,
            confidence=confidence,
            seed=seed,
            folds=folds,
            steps=steps,
            patience=patience,
            batch=batch,
            hidden=hidden,
            embed=embed,
            rate=rate,
            clip=clip,
            device=device,
        )

    return Entry(
        bound, "any columns, images included; one I(..;..|..) of two slots", reference, description, run
    )


VARIATIONAL_ENTRIES = (
    _entry("barber-agakov", "Barber and Agakov 2003", "log-density ratio of two mixture density networks"),
    _entry("nwj", "Nguyen, Wainwright, Jordan 2010", "critic; high variance, no ceiling"),
    _entry(
        "infonce", "van den Oord et al. 2018, arXiv:1807.03748", "critic; low variance, ceiling log(batch)"
    ),
    _entry("smile", "Song and Ermon 2020, arXiv:1910.06222", "critic with clipped ratios; no bound"),
    _entry("donsker-varadhan", "Belghazi et al. 2018, arXiv:1801.04062", "critic; the MINE bound"),
)
"""The variational estimators in the registry."""
