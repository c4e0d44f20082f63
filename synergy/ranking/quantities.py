r"""What the theory asks of a pretext task, from portfolios of networks that were trained for a short time.

Every posterior is a portfolio: the log probabilities of several predictors, trained on other images, are
combined by non-negative weights that are fitted on some of the judged images and used on others
(cross-fitted). The held-out loss of such a portfolio is an upper bound of the entropy, in expectation; how
much of it is left by the predictors and not by the input cannot be known. So I(A;X) and I(A;U) are lower
bounds, and differences of two bounds, such as the synergy, are neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from synergy.estimators.classifier.crossfit import CrossFit, super_learned
from synergy.ranking.alike import unreadable
from synergy.ranking.candidates import Candidate
from synergy.ranking.data import RankedImages
from synergy.ranking.gains import PRIOR_SEEDS
from synergy.statistics.errors import clustered_error
from synergy.statistics.folds import make_splits
from synthetic import Sample, Variable

__all__ = ["MEANINGS", "QUANTITIES", "Quantities", "Quantity", "combined", "joined", "measured"]

Floats = npt.NDArray[np.float64]
Bound = Literal["upper bound", "lower bound", "neither"]
"""On which side of the truth an estimate is expected."""

QUANTITIES = ("H(A|X)", "I(A;X)", "I(A;C|X)", "J", "I(A;U)", "I(A;X|U)", "I(A;R|X)")
"""What is measured of each task, in nats."""

MEANINGS: Mapping[str, str] = {
    "H(A|X)": "what is left to guess of the transformation once the input is seen (an upper bound)",
    "I(A;X)": "what can be told of the transformation from the input (a lower bound)",
    "I(A;C|X)": "the synergy: what knowing the class adds to the guess",
    "J": "the forced class information: what the rounded posterior of the transformation tells of the class",
    "I(A;U)": "the shortcut: what simple statistics tell of the transformation (a lower bound)",
    "I(A;X|U)": "what shape must tell: I(A;X) - I(A;U)",
    "I(A;R|X)": "the pose ambiguity: what the untransformed image would add to the guess (an upper bound)",
}
"""The meaning of each quantity."""

_BOUNDS: Mapping[str, Bound] = {
    "H(A|X)": "upper bound",
    "I(A;X)": "lower bound",
    "I(A;U)": "lower bound",
    "I(A;R|X)": "upper bound",
}
"""Those that are expected on one side of the truth; the others are neither."""

_MOST_CODES = 0.02
"""Rounded posteriors are read as one discrete variable where there are fewer of them per judged image."""


@dataclass(frozen=True)
class Quantity:
    """A quantity of the theory, in nats.

    Args:
        value: As measured; it may be negative by error where the truth cannot be.
        error: Its standard error, over images; of a task that was joined with others over trainings as well,
            but for J and I(A;U), whose networks are not divided in halves.
        bound: On which side of the truth it is expected.
    """

    value: float
    error: float
    bound: Bound = "neither"

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"value": self.value, "error": self.error, "bound": self.bound}


@dataclass(frozen=True)
class Quantities:
    """The quantities of one task.

    Args:
        values: By name; None where one could not be measured.
        shortcuts: I(A;U) of each named statistic alone.
        trainings: The half difference between two halves of the networks, by name, see `joined`.
    """

    values: Mapping[str, Quantity | None]
    shortcuts: Mapping[str, Quantity]
    trainings: Mapping[str, float]


def combined(
    members: Sequence[npt.NDArray[Any]], labels: npt.NDArray[np.int64], states: int, *, folds: int
) -> Floats:
    """Held-out log probabilities of a portfolio of predictors, shape (m, states).

    Args:
        members: Log probabilities of each predictor, none of which saw the images, each (m, states).
        labels: The labels, shape (m,).
        states: Their number of states.
        folds: The weights of a fold are fitted on all others.
    """
    return super_learned(members, labels, states, make_splits(len(labels), folds, seed=0))


def measured(
    candidate: Candidate,
    data: RankedImages,
    labels: npt.NDArray[np.int64],
    networks: Sequence[tuple[Floats, ...]],
    shortcuts: Mapping[str, Sequence[Floats]],
    *,
    folds: int,
    resolution: int,
) -> Quantities:
    """The quantities of one task.

    Args:
        candidate: The task.
        data: The images.
        labels: A on each judged image, shape (m,).
        networks: What networks say of A: pilots; those with shuffled classes told; those with the class
            told. Log probabilities (m, states); the last two may be empty.
        shortcuts: What simple models say of A from each named statistic, and from all under the name "".
        folds: Of the calibration.
        resolution: J reads the posterior rounded to multiples of 1 / resolution.
    """
    states = candidate.task.states
    pilots, untold, told = networks
    rows = np.arange(len(labels))
    simple = list(shortcuts[""])

    def log_p(members: Sequence[npt.NDArray[Any]]) -> tuple[Floats, Floats]:
        whole = combined(members, labels, states, folds=folds)
        return whole, whole[rows, labels]

    by_u = log_p(simple)[1]
    posterior, by_x = log_p([*pilots, *untold, *simple])
    prior = -np.log(np.bincount(candidate.task.predicted(torch.arange(candidate.task.applied)).numpy()))
    surprise = (prior + np.log(candidate.task.applied))[labels]  # of A before anything is seen
    scores: dict[str, Floats | None] = {
        "H(A|X)": -by_x,
        "I(A;X)": surprise + by_x,
        "I(A;U)": surprise + by_u,
        "I(A;X|U)": by_x - by_u,
        "I(A;C|X)": log_p([*pilots, *told, *simple])[1] - by_x if told else None,
        "J": _forced(posterior, data, folds=folds, resolution=resolution),
        "I(A;R|X)": -unreadable(candidate, data) - by_x,
    }
    values = {
        name: None if score is None else _quantity(score, _BOUNDS.get(name, "neither"))
        for name, score in scores.items()
    }
    each = {
        name: _quantity(surprise + log_p(list(members))[1], "lower bound")
        for name, members in shortcuts.items()
        if name
    }
    return Quantities(
        values, each, _between_trainings(networks, lambda members: log_p([*members, *simple])[1])
    )


def _quantity(scores: Floats, bound: Bound) -> Quantity:
    return Quantity(float(scores.mean()), clustered_error(scores, None), bound)


def _between_trainings(
    networks: Sequence[tuple[Floats, ...]], read: Callable[[Sequence[Floats]], Floats]
) -> dict[str, float]:
    """Half the difference between two halves of the networks, by name; empty where there are too few.

    Args:
        networks: See `measured`.
        read: The log probability of A on each judged image by a portfolio of some networks, shape (m,).
    """
    pilots, untold, told = networks
    ends = []
    for part in (0, 1):
        half = _halves(pilots, untold, told, part)
        if half is None:
            return {}
        own, with_class = half
        x = read(own)
        c = read(with_class) if with_class else x
        ends.append((float(x.mean()), float((c - x).mean())))
    of_x, of_synergy = (abs(first - second) / 2 for first, second in zip(*ends, strict=True))
    return {**dict.fromkeys(("H(A|X)", "I(A;X)", "I(A;X|U)", "I(A;R|X)"), of_x), "I(A;C|X)": of_synergy}


def _halves(
    pilots: Sequence[Floats], untold: Sequence[Floats], told: Sequence[Floats], part: int
) -> tuple[list[Floats], list[Floats]] | None:
    """Every other network, without and with the class told; None where there are too few."""
    mine = list(pilots[part::2])
    if not mine:
        return None
    return [*mine, *untold[part::2]], [*mine, *told[part::2]] if told else []


def joined(found: Mapping[str, Quantities]) -> dict[str, dict[str, Quantity | None]]:
    """The quantities of all tasks with the error of training in theirs.

    The error of training is half the difference between two halves of the networks; one difference says
    little, so its square is shrunk towards the mean of all tasks.
    """
    pooled = {}
    for name in QUANTITIES:
        squares = [q.trainings[name] ** 2 for q in found.values() if name in q.trainings]
        pooled[name] = float(np.mean(squares)) if squares else 0.0
    result: dict[str, dict[str, Quantity | None]] = {}
    for task, quantities in found.items():
        result[task] = {}
        for name, q in quantities.values.items():
            if q is None:
                result[task][name] = None
                continue
            own = quantities.trainings.get(name)
            square = 0.0 if own is None else (PRIOR_SEEDS * pooled[name] + own**2) / (PRIOR_SEEDS + 1)
            result[task][name] = Quantity(q.value, float(np.hypot(q.error, np.sqrt(square))), q.bound)
    return result


def _forced(log_p: Floats, data: RankedImages, *, folds: int, resolution: int) -> Floats:
    """Row scores of J = I(C;T), T the posterior rounded to multiples of 1 / resolution.

    The class is predicted from T as one discrete variable where its values recur, else from its entries.
    """
    rounded = np.round(np.exp(log_p) * resolution).astype(np.int64)
    values, codes = np.unique(rounded, axis=0, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int64)
    classes = data.labels[data.judged]
    if len(values) <= max(4, _MOST_CODES * len(codes)):
        column: npt.NDArray[Any] = codes
        variable = Variable("T", "discrete", max(2, len(values)))
    else:
        column = (rounded / resolution).astype(np.float32)
        variable = Variable("T", "continuous")
    sample = Sample(
        {"C": classes, "T": column}, {"C": Variable("C", "discrete", len(data.names), "class"), "T": variable}
    )
    fit = CrossFit(sample, folds=folds, seed=0, quality="quick")
    return fit.losses("C") - fit.losses("C", "T")
