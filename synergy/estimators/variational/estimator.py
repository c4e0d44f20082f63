"""Neural variational estimators: trained on some folds, early-stopped, evaluated on the others."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from synergy.estimators.entry import Entry
from synergy.statistics.folds import Split, make_splits
from synergy.statistics.paired import paired_estimate
from synergy.statistics.result import Estimate
from synthetic import Sample
from theory import Expression, Term, parse_expression
from theory.checks import integer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

__all__ = ["VARIATIONAL_ENTRIES", "VariationalBound", "variational"]

VariationalBound = Literal["barber-agakov", "nwj", "infonce", "smile", "donsker-varadhan"]

_ORDER = 0x0BDE
"""Sets the random numbers that order the rows apart from those that make the folds."""

_CEILING_SHARE = 0.8
"""Beyond this share of log(batch) an InfoNCE value is held down by its ceiling."""


def variational(
    sample: Sample,
    term: str | Term | Expression,
    *,
    bound: VariationalBound = "infonce",
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
    from synergy.device import choose_device, deterministic, seeded_generators
    from synergy.estimators.variational.columns import SlotColumns, density_slot, is_discrete, make_columns
    from synergy.estimators.variational.networks import Categorical, Critic, MixtureDensity
    from synergy.estimators.variational.training import DENSITY_CRITERION, critic_criterion, held_out, train

    place = choose_device(device)
    parsed = parse_expression(term)
    if bound not in get_args(VariationalBound):
        raise ValueError(f"bound must be one of {', '.join(get_args(VariationalBound))}, got {bound!r}")
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
        integer(name, number, least)
    most = int(np.clip(100 * len(sample) // batch, 300, 2000)) if steps is None else steps
    one = parsed.terms[0]
    target, other = one.groups
    discrete_x = is_discrete(sample, target)
    if bound == "barber-agakov":
        target, other = density_slot(sample, target, other)
        discrete_x = is_discrete(sample, target)
    groups = None if sample.groups is None else np.unique(sample[sample.groups], return_inverse=True)[1]
    splits = _shuffled(make_splits(len(sample), folds, seed=seed, groups=groups, tune_share=0.15), seed)
    joint_target = bound == "barber-agakov" and discrete_x

    def make(columns: SlotColumns) -> nn.Module:
        x, y, z = (t.shape[1] for t in (columns.x, columns.y, columns.z))
        if bound != "barber-agakov":
            return Critic(x, y, z, hidden=hidden, embed=embed)
        if discrete_x:
            return Categorical(x, y, z, hidden=hidden)
        return MixtureDensity(x, y, z, hidden=hidden)

    criterion = DENSITY_CRITERION if bound == "barber-agakov" else critic_criterion(bound, batch, clip)
    scores = np.empty(len(sample))
    first = np.empty(len(sample))
    with deterministic(place), seeded_generators(seed, place):
        for split in splits:
            columns = make_columns(
                sample, target, other, one.given, fit=split.fit, joint_target=joint_target
            ).to(place)
            network = make(columns).to(place)
            train(network, columns, split, criterion, steps=most, patience=patience, batch=batch, rate=rate)
            scores[split.test], first[split.test] = held_out(network, columns, split.test, criterion)
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


def _shuffled(splits: Sequence[Split], seed: int) -> list[Split]:
    """The folds with their rows in random order: rows that are scored together serve as draws of each other.

    In the order of the sample they would be neighbours, where it is sorted or the rows were measured in time.
    """
    rng = np.random.default_rng([seed, _ORDER])
    return [
        replace(split, tune=rng.permutation(split.tune), test=rng.permutation(split.test)) for split in splits
    ]


def _notes(
    bound: VariationalBound, conditional: bool, first: float, batch: int, folds: int
) -> tuple[str, ...]:
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


_COLUMNS = "any columns, images included; one I(..;..|..) of two slots"
"""What all of them take."""

_BOUNDS: tuple[tuple[VariationalBound, str, str], ...] = (
    ("barber-agakov", "Barber and Agakov 2003", "log-density ratio of two mixture density networks"),
    ("nwj", "Nguyen, Wainwright, Jordan 2010", "critic; high variance, no ceiling"),
    ("infonce", "van den Oord et al. 2018, arXiv:1807.03748", "critic; low variance, ceiling log(batch)"),
    ("smile", "Song and Ermon 2020, arXiv:1910.06222", "critic with clipped ratios; no bound"),
    ("donsker-varadhan", "Belghazi et al. 2018, arXiv:1801.04062", "critic; the MINE bound"),
)
"""The name, source and summary of each."""

VARIATIONAL_ENTRIES = tuple(
    Entry(bound, _COLUMNS, reference, description, variational, fixed={"bound": bound})
    for bound, reference, description in _BOUNDS
)
"""The variational estimators in the registry."""
