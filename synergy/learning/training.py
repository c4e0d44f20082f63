"""The training loop: a network that predicts one discrete variable, deterministic under its seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn
from torch.nn import functional

__all__ = ["Trained", "choose_device", "train_classifier"]


@dataclass(frozen=True)
class Trained:
    """A trained encoder with its linear head.

    Args:
        encoder: The network whose output is the representation.
        head: The linear map from the representation to the logits.
        curve: One row per epoch: `epoch`, `loss` (mean training cross-entropy in nats).
    """

    encoder: nn.Module
    head: nn.Linear
    curve: pd.DataFrame

    @torch.no_grad()
    def represent(
        self, inputs: npt.NDArray[np.float32], *, batch_size: int = 2048
    ) -> npt.NDArray[np.float32]:
        """The representations of inputs of shape (n, ..), of shape (n, features)."""
        device = self.head.weight.device
        self.encoder.eval()
        batches = torch.from_numpy(inputs).split(batch_size)
        return torch.cat([self.encoder(batch.to(device)).cpu() for batch in batches]).numpy()


def choose_device(device: str = "auto") -> torch.device:
    """The device to run on: `auto` takes CUDA where there is one.

    Raises:
        ValueError: If the device is malformed, or CUDA is asked for and absent.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"unknown device {device!r}: expected 'auto', 'cpu', 'cuda' or such as 'cuda:0'"
        ) from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {device!r} was asked for, but no CUDA device is available; use 'cpu'")
    return chosen


def train_classifier(
    build: Callable[[], nn.Module],
    inputs: npt.NDArray[np.float32],
    labels: npt.NDArray[np.integer],
    *,
    states: int,
    epochs: int,
    seed: int,
    batch_size: int = 128,
    learning_rate: float = 3e-3,
    weight_decay: float = 1e-3,
    device: str = "auto",
    progress: Callable[[float], None] | None = None,
) -> Trained:
    """Train an encoder and a linear head to predict a label, with AdamW and a cosine schedule.

    Minimising the cross-entropy of A given Z maximises the variational lower bound
    H(A) - E[-log q(A|Z)] <= I(A;Z) (Barber and Agakov 2003).

    Args:
        build: Makes the untrained encoder; it must have an attribute `features`.
        inputs: Inputs of shape (n, ..).
        labels: Labels of shape (n,), integers in 0 .. states - 1.
        states: The number of labels.
        epochs: Passes over the data, at least 1.
        seed: Fixes the initial weights and the order of the batches.
        batch_size: Rows per step, at most n.
        learning_rate: The peak step size.
        weight_decay: AdamW's decoupled weight decay.
        device: Where to train: `auto`, `cpu`, `cuda`.
        progress: Called after each epoch with the fraction done.

    Raises:
        ValueError: If labels are out of range, lengths differ, the batch exceeds the data, epochs is
            not positive or the device is absent.
    """
    n = len(inputs)
    if len(labels) != n:
        raise ValueError(f"inputs and labels must have the same length, got {n} and {len(labels)}")
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size must be between 1 and the number of rows {n}, got {batch_size}")
    if labels.min() < 0 or labels.max() >= states:
        raise ValueError(f"labels must stay in 0..{states - 1}, got {labels.min()}..{labels.max()}")
    target = choose_device(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = build().to(target)
        head = nn.Linear(int(encoder.features), states).to(target)  # type: ignore[arg-type]
    x = torch.from_numpy(inputs).to(target)
    y = torch.from_numpy(labels.astype(np.int64)).to(target)
    parameters = [*encoder.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=weight_decay)
    steps = epochs * (n // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=learning_rate, total_steps=steps)
    order = torch.Generator().manual_seed(seed)
    losses = []
    encoder.train()
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(n, generator=order)[: n - n % batch_size].split(batch_size):
            index = rows.to(target)
            loss = functional.cross_entropy(head(encoder(x[index])), y[index])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        losses.append(total / (n // batch_size))
        if progress is not None:
            progress((epoch + 1) / epochs)
    curve = pd.DataFrame({"epoch": range(1, epochs + 1), "loss": losses})
    return Trained(encoder.eval(), head, curve)
