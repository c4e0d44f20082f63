"""Small dense networks, all folds trained together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import log_softmax

from synergy.device import choose_device, deterministic
from synergy.estimators.classifier.design import Design, scaling
from synergy.estimators.classifier.models import Floats64, Held
from synergy.statistics.folds import Split

__all__ = ["NetworkClassifier"]


@dataclass(frozen=True)
class NetworkClassifier:
    """Small multi-layer perceptrons, all folds and members trained together as one batched network.

    Args:
        hidden: Units in each of the two hidden layers.
        members: Networks per fold; their log probabilities are averaged.
        passes: Row visits per network, at least `epochs[0]` and at most `epochs[1]` epochs.
        epochs: The least and the largest number of epochs.
        batch: Rows in a step.
        rate: The peak learning rate of the one-cycle schedule.
        dropout: The share of hidden units that is dropped.
        decay: The weight decay of AdamW.
        device: Where to train.

    Raises:
        ValueError: If there is no such device.
    """

    hidden: int = 192
    members: int = 2
    passes: int = 60_000
    epochs: tuple[int, int] = (4, 40)
    batch: int = 128
    rate: float = 5e-3
    dropout: float = 0.25
    decay: float = 1e-2
    device: str = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", str(choose_device(self.device)))

    def fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        """Log probabilities of the tuning and test rows of every split."""
        with deterministic(torch.device(self.device)):
            return self._fit_predict(design, y, k, splits, seed=seed)

    def _fit_predict(
        self, design: Design, y: npt.NDArray[np.int64], k: int, splits: Sequence[Split], *, seed: int
    ) -> list[Held]:
        generator = torch.Generator().manual_seed(int(seed) % 2**64)
        rng = np.random.default_rng([seed, 0x2E7])
        rows = torch.tensor(design.matrix, device=self.device)
        labels = torch.tensor(y, device=self.device)
        owners = [i for i in range(len(splits)) for _ in range(self.members)]
        scales = [scaling(design, split.fit) for split in splits]  # each network has those of its fold
        scale = torch.tensor(np.stack([scales[i] for i in owners]), device=self.device)[:, :, None]
        size = min(len(s.fit) for s in splits)
        batch = min(self.batch, size)
        steps = max(1, size // batch)
        epochs = int(np.clip(self.passes // max(size, 1), *self.epochs))
        layers = self._initial(len(owners), rows.shape[1], k, generator)
        if rows.device.type != "cpu":  # masks are drawn where they are needed
            generator = torch.Generator(device=rows.device).manual_seed(int(seed) % 2**64)
        tunes = [torch.tensor(split.tune, device=self.device) for split in splits]
        parameters = [p for layer in layers for p in layer]
        optimiser = torch.optim.AdamW(parameters, lr=self.rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.rate, total_steps=epochs * steps, cycle_momentum=False
        )
        kept = [[p.detach().clone() for p in layer] for layer in layers]
        best = np.full(len(owners), np.inf)
        for epoch in range(epochs):
            order = torch.tensor(np.stack([rng.permutation(splits[i].fit)[: steps * batch] for i in owners]))
            order = order.to(self.device).reshape(len(owners), steps, batch)
            for step in range(steps):
                index = order[:, step]
                logits = self._forward(rows[index], layers, scale, generator)
                loss = torch.nn.functional.cross_entropy(
                    logits.reshape(-1, k), labels[index].reshape(-1), reduction="sum"
                )
                optimiser.zero_grad()
                torch.autograd.backward(loss / batch)
                optimiser.step()
                schedule.step()
            if epoch >= epochs // 2 or epoch == epochs - 1:
                self._keep_best(rows, labels, layers, scale, kept, best, tunes, owners)
        return self._collect(rows, kept, scale, splits, owners, k)

    def _initial(self, nets: int, d: int, k: int, generator: torch.Generator) -> list[list[torch.Tensor]]:
        sizes = [(d, self.hidden), (self.hidden, self.hidden), (self.hidden, k)]
        layers = []
        for fan_in, fan_out in sizes:
            bound = 1 / max(fan_in, 1) ** 0.5
            weight = (torch.rand(nets, fan_in, fan_out, generator=generator) * 2 - 1) * bound * 3**0.5
            if fan_out == k:
                weight = weight * 0.3
            layers.append(
                [
                    weight.to(self.device).requires_grad_(),
                    torch.zeros(nets, 1, fan_out, device=self.device, requires_grad=True),
                ]
            )
        return layers

    def _forward(
        self,
        x: torch.Tensor,
        layers: list[list[torch.Tensor]],
        scale: torch.Tensor,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Logits of shape (nets, rows, k); with a generator, units are dropped.

        Args:
            x: Rows of the design matrix, shape (nets, rows, d).
            layers: Weights and biases.
            scale: What the columns are centred and divided by, shape (nets, 2, 1, d).
            generator: Draws the units.
        """
        x = (x - scale[:, 0]) / scale[:, 1]
        for weight, bias in layers[:-1]:
            x = torch.relu(torch.baddbmm(bias, x, weight))
            if generator is not None and self.dropout:
                mask = torch.rand(x.shape, generator=generator, device=x.device) >= self.dropout
                x = x * mask / (1 - self.dropout)
        weight, bias = layers[-1]
        return torch.baddbmm(bias, x, weight)

    @torch.no_grad()
    def _keep_best(
        self,
        rows: torch.Tensor,
        labels: torch.Tensor,
        layers: list[list[torch.Tensor]],
        scale: torch.Tensor,
        kept: list[list[torch.Tensor]],
        best: Floats64,
        tunes: Sequence[torch.Tensor],
        owners: list[int],
    ) -> None:
        found = []
        for net, owner in enumerate(owners):
            one = [[p[net : net + 1] for p in layer] for layer in layers]
            logits = self._forward(rows[tunes[owner]][None], one, scale[net : net + 1])[0]
            found.append(torch.nn.functional.cross_entropy(logits, labels[tunes[owner]]))
        for net, loss in enumerate(torch.stack(found).tolist()):
            if loss < best[net]:
                best[net] = loss
                for layer, snapshot in zip(layers, kept, strict=True):
                    for p, saved in zip(layer, snapshot, strict=True):
                        saved[net] = p[net]

    @torch.no_grad()
    def _collect(
        self,
        rows: torch.Tensor,
        kept: list[list[torch.Tensor]],
        scale: torch.Tensor,
        splits: Sequence[Split],
        owners: list[int],
        k: int,
    ) -> list[Held]:
        held = []
        for fold, split in enumerate(splits):
            nets = [net for net, owner in enumerate(owners) if owner == fold]
            pair = []
            for index in (split.tune, split.test):
                total = np.zeros((len(index), k))
                for net in nets:
                    one = [[p[net : net + 1] for p in layer] for layer in kept]
                    seen = rows[torch.tensor(index, device=self.device)][None]
                    logits = self._forward(seen, one, scale[net : net + 1])[0]
                    total += torch.log_softmax(logits.double(), dim=1).cpu().numpy()
                pair.append(log_softmax(total / len(nets), axis=1))
            held.append((pair[0], pair[1]))
        return held
