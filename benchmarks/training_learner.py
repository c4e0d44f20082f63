"""The small network that `training.py` feeds, our way to feed it, and the clock."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import torch
from torch import nn

from synergy.learning import ImageSet, PredictTransformation, build_encoder

Shape = tuple[int, int, int]


class Learner:
    """An encoder, a head and their optimiser, set up as the training loop does.

    Args:
        device: Where they are.
        head: Makes the head.
        shape: The shape of an image.
        precision: `float32`, or what begins with `bfloat16` for mixed precision; `compiled` in it compiles
            the encoder.
        encoder: A name in `ENCODERS`.
    """

    def __init__(
        self,
        device: torch.device,
        head: Callable[[], nn.Module],
        shape: Shape,
        precision: str = "float32",
        encoder: str = "cnn",
    ) -> None:
        torch.manual_seed(0)
        self.device, self.mixed = device, precision.startswith("bfloat16")
        self.encoder = build_encoder(encoder, shape, features=64).to(device)
        self.head = head().to(device)
        weights = [*self.encoder.parameters(), *self.head.parameters()]
        self.optimiser = torch.optim.AdamW(weights, lr=1e-3, fused=True)
        if "compiled" in precision:
            self.encoder = torch.compile(self.encoder)

    def autocast(self) -> torch.autocast:
        """Mixed precision, or none."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.mixed)

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        """Forward, backward and update on images and labels."""
        with self.autocast():
            loss = nn.functional.cross_entropy(self.head(self.encoder(images)).float(), labels)
        self.update(loss)

    def update(self, loss: torch.Tensor) -> None:
        """Backward and update."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        synchronise(self.device)


def synchronise(device: torch.device) -> None:
    """Wait for a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ours(images: ImageSet, task: PredictTransformation, device: torch.device, batch: int) -> Iterator:
    """Batches drawn, augmented and turned on the device, for ever."""
    for epoch in itertools.count():
        for drawn in images.batches(epoch, batch, seed=0, device=device):
            shown = task.show(drawn)
            yield shown.images, shown.targets[0]


def nothing(images: ImageSet, device: torch.device, batch: int) -> Iterator:
    """One batch for ever: the step alone."""
    drawn = next(images.batches(0, batch, seed=0, device=device))
    while True:
        yield drawn.images, torch.arange(batch, device=device) % 4


def processor_seconds() -> float:
    """Processor time of this process and of its workers."""
    ticks = 0
    for child in multiprocessing.active_children():
        stat = Path(f"/proc/{child.pid}/stat")
        if stat.exists():
            ticks += sum(int(field) for field in stat.read_text().rsplit(")", 1)[1].split()[11:13])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def timed(
    feed: Iterator, learner: Learner, *, warm: int, seconds: float, start: Barrier | None
) -> dict[str, float]:
    """Images per second, the share of the time spent waiting for inputs, processor time per image in us.

    With a barrier, the clocks of the runs side by side start together.
    """
    inputs, waited = 0, 0.0
    for number in itertools.count():
        if number == warm:
            if start is not None:
                start.wait()
            used, begin, inputs, waited = processor_seconds(), time.perf_counter(), 0, 0.0
        before = time.perf_counter()
        if number > warm and before > begin + seconds:
            break
        shown, labels = next(feed)
        synchronise(learner.device)
        waited += time.perf_counter() - before
        learner.step(shown, labels)
        inputs += len(shown)
    elapsed, used = time.perf_counter() - begin, processor_seconds() - used
    return {"speed": inputs / elapsed, "share": waited / elapsed, "cpu": used / inputs * 1e6}
