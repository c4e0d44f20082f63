"""A torch module of the user's as a classifier."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from synergy.device import choose_device, deterministic, seeded_generators
from synergy.estimators.classifier.design import Design, standardised
from synergy.estimators.classifier.models import Held
from synergy.statistics.folds import Split

__all__ = ["TorchClassifier"]


@dataclass(frozen=True)
class TorchClassifier:
    """A torch module that maps rows to logits, trained afresh in every fold with early stopping.

    Args:
        module: Takes a batch and gives logits of shape (batch, k). With one image and nothing else it
            gets images of shape (batch, channels, height, width), else the flat design matrix. It is
            copied, with its initial weights, for every fold.
        epochs: The number of passes over the data.
        batch: Rows in a step.
        rate: The peak learning rate.
        decay: The weight decay of AdamW.
        device: Where to train; None for where the module is.

    Raises:
        ValueError: If there is no such device.
    """

    module: torch.nn.Module
    epochs: int = 20
    batch: int = 128
    rate: float = 2e-3
    decay: float = 1e-2
    device: str | None = None

    def __post_init__(self) -> None:
        here = next(self.module.parameters(), torch.zeros(0)).device
        object.__setattr__(self, "device", str(here if self.device is None else choose_device(self.device)))

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        pictured = len(design.blocks) == 1 and design.blocks[0].kind == "image"
        shape = design.blocks[0].shape if pictured else design.matrix.shape[1:]
        place = torch.device(str(self.device))
        held = []
        with deterministic(place), seeded_generators(seed, place):
            for split in splits:
                x = torch.tensor(standardised(design, split.fit), device=place).reshape(len(y), *shape)
                held.append(self._one(x, torch.tensor(y, device=place), k, split))
        return held

    def _one(self, x: torch.Tensor, y: torch.Tensor, k: int, split: Split) -> Held:
        module = copy.deepcopy(self.module).to(x.device)
        fit, tune, test = (torch.tensor(i, device=x.device) for i in (split.fit, split.tune, split.test))
        optimiser = torch.optim.AdamW(module.parameters(), lr=self.rate, weight_decay=self.decay)
        steps = max(1, len(fit) // self.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.rate, total_steps=self.epochs * steps, cycle_momentum=False
        )
        best, kept = float("inf"), copy.deepcopy(module.state_dict())
        for _ in range(self.epochs):
            module.train()
            order = fit[torch.randperm(len(fit), device=x.device)]
            for index in order.tensor_split(steps):
                logits = module(x[index])
                if logits.shape != (len(index), k):
                    raise ValueError(
                        f"the module must give logits of shape (batch, {k}), "
                        f"got {tuple(logits.shape)} for {len(index)} rows"
                    )
                optimiser.zero_grad()
                torch.autograd.backward(torch.nn.functional.cross_entropy(logits, y[index]))
                optimiser.step()
                schedule.step()
            module.eval()  # no dropout while it is judged
            with torch.no_grad():
                loss = float(torch.nn.functional.cross_entropy(module(x[tune]), y[tune]))
            if loss < best:
                best, kept = loss, copy.deepcopy(module.state_dict())
        module.load_state_dict(kept)
        module.eval()  # no dropout while it is judged
        with torch.no_grad():
            pair = [torch.log_softmax(module(x[rows]).double(), 1).cpu().numpy() for rows in (tune, test)]
        return pair[0], pair[1]
