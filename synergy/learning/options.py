"""How to train."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from theory.checks import integer, number

__all__ = ["Training"]


@dataclass(frozen=True)
class Training:
    """The settings of the training loop.

    Args:
        epochs: Passes over the data, at least 1.
        batch_size: Inputs per step, at most the size of the data.
        optimiser: `adamw` (Loshchilov and Hutter 2019) or `sgd` with Nesterov momentum.
        learning_rate: The peak step size.
        weight_decay: Decoupled for AdamW, an L2 penalty for SGD.
        momentum: Of SGD.
        warmup: The share of the steps in which the rate rises linearly; a cosine brings it down to 0.
        adversary_rate: The constant step size of an adversary's own optimiser.
        clip: The largest norm of the gradient; None for no limit.
        precision: `float32`, or mixed precision: `bfloat16`, or on CUDA `float16` with a scaled loss. On a
            CPU that has such instructions, the small CNN takes 14 to 44 % more images per second in
            `bfloat16`, one training a core, and learns the same to a thousandth of class accuracy
            (`benchmarks/results/training.md`, `encoders.md`).
        compile: Whether to compile the encoder (`torch.compile`); worth its start-up for long runs of
            large networks on a GPU. On a CPU the small CNN was not faster for it.
        patience: Stop after this many epochs without a better held-out loss, and keep the best weights;
            None to train to the end and keep the last.
        checkpoint_every: Epochs between checkpoints, where a folder for them is given.
        device: `auto`, `cpu`, `cuda`.

    Raises:
        ValueError: If a number is out of range or a name unknown.
    """

    epochs: int = 20
    batch_size: int = 128
    optimiser: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    momentum: float = 0.9
    warmup: float = 0.1
    adversary_rate: float = 3e-3
    clip: float | None = None
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    compile: bool = False
    patience: int | None = None
    checkpoint_every: int = 1
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "checkpoint_every"):
            integer(name, getattr(self, name), 1)
        if self.patience is not None:
            integer("patience", self.patience, 1)
        number("learning_rate", self.learning_rate, low=0, strict=True)
        number("adversary_rate", self.adversary_rate, low=0, strict=True)
        number("weight_decay", self.weight_decay, low=0)
        if not 0 <= number("momentum", self.momentum) < 1:
            raise ValueError(f"momentum must be at least 0 and below 1, got {self.momentum}")
        if not 0 <= number("warmup", self.warmup) < 1:
            raise ValueError(f"warmup must be at least 0 and below 1, got {self.warmup}")
        if self.clip is not None:
            number("clip", self.clip, low=0, strict=True)
        if self.optimiser not in ("adamw", "sgd"):
            raise ValueError(f"optimiser must be 'adamw' or 'sgd', got {self.optimiser!r}")
        if self.precision not in ("float32", "bfloat16", "float16"):
            raise ValueError(f"precision must be 'float32', 'bfloat16' or 'float16', got {self.precision!r}")

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step, a function of its number alone.

        Example:
            >>> options = Training(learning_rate=1.0, warmup=0.5)
            >>> [round(options.rate(step, 8), 2) for step in range(8)]
            [0.25, 0.5, 0.75, 1.0, 1.0, 0.85, 0.5, 0.15]
        """
        rising = round(self.warmup * steps)
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        done = (step - rising) / max(steps - rising, 1)
        return self.learning_rate * (1 + math.cos(math.pi * done)) / 2

    def to_dict(self) -> dict[str, Any]:
        """The settings by name."""
        return asdict(self)
