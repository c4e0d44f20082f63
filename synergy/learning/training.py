"""Training a classifier of one given label, the shortest way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from torch import nn

from synergy.learning.data import ImageSet
from synergy.learning.loop import train
from synergy.learning.options import Training
from synergy.learning.pretext import PredictLabel
from synergy.learning.trained import Trained

__all__ = ["train_classifier"]


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
        inputs: Inputs of shape (n, ..), of any range.
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
    data = ImageSet.from_arrays(inputs, {"A": labels}, states={"A": states}, pixels=None)
    options = Training(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        warmup=0.3,
        device=device,
    )
    return train(
        PredictLabel("A"), data, seed=seed, encoder=build, options=options, progress=progress or False
    )
