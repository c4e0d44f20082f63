"""A small convolutional network for images, with other conditions beside its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synergy.device import choose_device, deterministic, seeded_generators
from synergy.estimators.classifier.design import Design, standardised
from synergy.estimators.classifier.models import Held
from synergy.statistics.folds import Split

__all__ = ["ConvolutionClassifier"]

_SIDE = 4
"""The images are halved until their side is at most this."""
_COARSE = 16
"""From this side on the first convolution takes every second pixel."""


class _Network(nn.Module):
    """Convolutions of the image, then two dense layers whose units the other conditions gate and shift.

    The gates start at random, so that what only the image and a condition together tell (an exclusive or)
    has a gradient from the first step (compare FiLM, Perez et al. 2018, arXiv:1709.07871).
    """

    def __init__(
        self, shape: tuple[int, ...], others: int, k: int, *, width: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        channels, *sides = shape
        coarse = min(sides) >= _COARSE
        layers: list[nn.Module] = [
            nn.Conv2d(channels, width, 5 if coarse else 3, 2 if coarse else 1, 2 if coarse else 1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        sides = [(side + 1) // 2 for side in sides] if coarse else sides
        while min(sides) > _SIDE:
            layers += [
                nn.Conv2d(width, 2 * width, 3, padding=1),
                nn.BatchNorm2d(2 * width),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            width, sides = 2 * width, [side // 2 for side in sides]
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout))
        self.dense = nn.Linear(width * sides[0] * sides[1], hidden)
        self.shift = nn.Linear(others, hidden, bias=False) if others else None
        self.gate = nn.Linear(others, hidden, bias=False) if others else None
        if self.gate is not None:
            nn.init.normal_(self.gate.weight)
        self.head = nn.Sequential(nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, k))

    def forward(self, image: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        units = self.dense(self.features(image))
        if self.gate is not None and self.shift is not None:
            units = units * self.gate(others) + self.shift(others)
        return torch.as_tensor(self.head(units))


@dataclass(frozen=True)
class ConvolutionClassifier:
    """Convolutions of one image, pooled to a side of at most 4 pixels, and two dense layers.

    Positions are kept, not averaged away, since a transformation shows in where things are. Conditions
    other than the image gate and shift the hidden units. The image is standardised as a whole,
    by the rows that are fitted on.

    Args:
        width: Channels after the first convolution; each halving doubles them.
        hidden: Units of the hidden dense layer.
        passes: Row visits in each fold, at least `epochs[0]` and at most `epochs[1]` epochs.
        epochs: The least and the largest number of epochs.
        batch: Rows in a step.
        rate: The peak learning rate of the one-cycle schedule.
        dropout: The share of features and hidden units that is dropped.
        decay: The weight decay of AdamW.
        device: Where to train.

    Raises:
        ValueError: If there is no such device.
    """

    width: int = 16
    hidden: int = 128
    passes: int = 40_000
    epochs: tuple[int, int] = (4, 30)
    batch: int = 64
    rate: float = 5e-3
    dropout: float = 0.25
    decay: float = 1e-2
    device: str = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", str(choose_device(self.device)))

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split.

        Raises:
            ValueError: If the conditions hold no image, or more than one.
        """
        images = [block for block in design.blocks if block.kind == "image"]
        if len(images) != 1:
            raise ValueError(
                f"the convolutional classifier takes one image among its conditions, got {len(images)}"
            )
        block = images[0]
        labels = torch.tensor(y, device=self.device)
        held = []
        with deterministic(labels.device), seeded_generators(seed, labels.device):
            for split in splits:
                x = standardised(design, split.fit)
                pixels = torch.tensor(x[:, block.columns], device=self.device).reshape(len(x), *block.shape)
                others = torch.tensor(np.delete(x, block.columns, axis=1), device=self.device)
                held.append(self._one(pixels, others, labels, k, split))
        return held

    def _one(self, pixels: torch.Tensor, others: torch.Tensor, y: torch.Tensor, k: int, split: Split) -> Held:
        shape = tuple(pixels.shape[1:])
        network = _Network(
            shape, others.shape[1], k, width=self.width, hidden=self.hidden, dropout=self.dropout
        ).to(self.device)
        fit, tune, test = (torch.tensor(i, device=self.device) for i in (split.fit, split.tune, split.test))
        steps = max(1, len(fit) // self.batch)
        epochs = int(np.clip(self.passes // len(fit), *self.epochs))
        optimiser = torch.optim.AdamW(network.parameters(), lr=self.rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.rate, total_steps=epochs * steps, cycle_momentum=False
        )
        best = float("inf")
        kept = {name: value.clone() for name, value in network.state_dict().items()}
        for epoch in range(epochs):
            network.train()
            for index in fit[torch.randperm(len(fit), device=self.device)].tensor_split(steps):
                loss = nn.functional.cross_entropy(network(pixels[index], others[index]), y[index])
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
                schedule.step()
            if 2 * epoch < epochs:
                continue
            held = float(nn.functional.nll_loss(_log_p(network, pixels, others, tune), y[tune]))
            if held < best:
                best = held
                kept = {name: value.clone() for name, value in network.state_dict().items()}
        network.load_state_dict(kept)
        tuned, tested = (_log_p(network, pixels, others, rows).cpu().numpy() for rows in (tune, test))
        return tuned, tested


@torch.no_grad()
def _log_p(
    network: nn.Module, pixels: torch.Tensor, others: torch.Tensor, rows: torch.Tensor
) -> torch.Tensor:
    """Log probabilities of some rows, shape (rows, k), in float64."""
    network.eval()  # batch normalisation by its running means
    parts = [network(pixels[index], others[index]) for index in rows.tensor_split(-(-len(rows) // 1024))]
    return torch.log_softmax(torch.cat(parts).double(), dim=1)
