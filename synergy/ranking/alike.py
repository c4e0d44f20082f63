"""States of a task that show the same image: nothing tells them apart, not even the raw image beside them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from synergy.ranking.candidates import Candidate
from synergy.ranking.data import RankedImages

__all__ = ["show_the_same", "unreadable"]

_LOOKED_AT = 400
"""Judged images in which the states of A that look the same are counted, at most."""

_ALIKE = 1e-6
"""Images whose pixels differ by less are the same."""


def show_the_same(candidate: Candidate, data: RankedImages) -> bool:
    """Whether all states show the same image, in every judged image that is looked at.

    Then H(A|X,R) = H(A), and so H(A|X) = H(A): there is nothing to learn.
    """
    return all(bool(((shown - shown[0]).abs() < _ALIKE).all()) for shown in _states(candidate, data))


def unreadable(candidate: Candidate, data: RankedImages) -> float:
    """H(A|X,R) in nats: what cannot be told even beside the raw image."""
    labels = candidate.task.predicted(torch.arange(candidate.task.applied))
    found = []
    for shown in _states(candidate, data):
        same = torch.stack([(shown - one).abs().amax(dim=1) < _ALIKE for one in shown])
        alike = (same & (labels[:, None] == labels[None])).float().sum(dim=1) / same.float().sum(dim=1)
        found.append(-float(alike.log().mean()))
    return float(np.mean(found))


def _states(candidate: Candidate, data: RankedImages) -> Iterator[torch.Tensor]:
    """What each state of B makes of one image after the other, shape (states, pixels)."""
    applied = candidate.task.applied
    for row in data.judged[:: max(1, len(data.judged) // _LOOKED_AT)]:
        image = torch.from_numpy(data.pixels[row])[None].expand(applied, *data.shape)
        yield candidate.shown(image, torch.arange(applied)).flatten(1)
