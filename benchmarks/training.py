"""Images per second of a pretext step, and the share of the input pipeline in it.

Two ways to feed the same small CNN, with the same step of the same optimiser, for the same task (a base
augmentation, then predict a four-fold rotation of 32x32x3 images). Theirs has three base augmentations: none,
mirrors, and mirrors with colour jitter and gray (its crop to 32 of 32 pixels changes nothing). Ours does the
same beside it, and then what it does by default under the name they use, with resized crops and a blur:

- ours: the whole batch is drawn, augmented and rotated on the device, in the training process;
- the authors': torchvision transforms of one image at a time, in DataLoader workers (`training_peers.py`).

End to end: everything from the raw images to the optimiser's step. `step alone` repeats the step on one
batch; no way of feeding can be faster, so theirs divided by it bounds the ratio. On the CPU there are two
ways to use the cores, and each feed is measured in both:

- one run with all threads, as a single training;
- as many runs side by side as there are threads, one thread each, as the experiments train their seeds; the
  images of all runs count.

One run of this file, alternating the feeds, medians and ratios; workers are started, warmed up and stopped
within each turn. Processor time, workers included, is given beside the wall clock, because it depends less on
what else the machine does. All processes keep freed memory, as the experiments' do.

The last table has the share of the input pipeline for every pretext task.

`python benchmarks/training.py [--device cuda] [--repeats 5] [--batch 128] [--torchvision FOLDER]`
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import training_peers as peers
from torch import nn
from training_report import ALONE, HELPED, OURS, UNHELPED, report

from synergy.device import keep_freed_memory
from synergy.learning import (
    Equivariance,
    ImageSet,
    Invariance,
    PredictTransformation,
    Pretext,
    build_encoder,
    choose_device,
)
from synthetic.transformations.augment import Augmentation

SIDE, COUNT = 32, 8192
CASES: dict[str, tuple[str | Augmentation, str]] = {
    "none": ("none", "none"),
    "mirrors": (Augmentation("mirrors", flip=0.5), "crop+flip"),
    "mirrors, colour": (Augmentation("colour", flip=0.5, jitter=0.8, gray=0.2), "simclr"),
    "our crop+flip, their mirrors": ("crop+flip", "crop+flip"),
    "our simclr, their mirrors and colour": ("simclr", "simclr"),
}
"""What ours and theirs do to an image before it is turned."""
SEVEN = ("rotation", "horizontal-flip", "vertical-flip", "inversion", "grayscale", "jigsaw", "blur")
TASKS: dict[str, Pretext] = {
    **{name: PredictTransformation(name) for name in SEVEN},
    "rotation, crop+flip": PredictTransformation("rotation", augment="crop+flip"),
    "rotation, simclr": PredictTransformation("rotation", augment="simclr"),
    "blur, simclr": PredictTransformation("blur", augment="simclr"),
    "rotation+inversion+jigsaw": PredictTransformation("rotation+inversion+jigsaw"),
    "SimCLR": Invariance(augment="simclr"),
    "CARE, simclr": Equivariance("rotation", augment="simclr"),
}


DEEP = ("rotation", "rotation, simclr")
"""The tasks whose shares are also shown for ResNet-18, the network of experiments at this size."""


class Learner:
    """An encoder, a head and their optimiser, set up as the training loop does."""

    def __init__(
        self, device: torch.device, head: Callable[[], nn.Module], precision: str, encoder: str = "cnn"
    ) -> None:
        torch.manual_seed(0)
        self.device, self.mixed = device, precision == "bfloat16"
        self.encoder = build_encoder(encoder, (3, SIDE, SIDE), features=64).to(device)
        self.head = head().to(device)
        weights = [*self.encoder.parameters(), *self.head.parameters()]
        self.optimiser = torch.optim.AdamW(weights, lr=1e-3, fused=True)

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
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ours(images: ImageSet, task: PredictTransformation, device: torch.device, batch: int) -> Iterator:
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


@dataclass(frozen=True)
class Turn:
    """One measurement: which feed, for which case, in which precision, with how many threads."""

    case: str
    feed: str
    precision: str
    threads: int


class Bench:
    """What a training process keeps between its turns."""

    def __init__(self, arguments: argparse.Namespace, start: Barrier | None = None) -> None:
        keep_freed_memory()
        self.arguments, self.start = arguments, start
        self.device = choose_device(arguments.device)
        self.transforms = peers.load_transforms(arguments.torchvision)
        self.raw = np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)
        self.images = ImageSet.from_arrays(self.raw.transpose(0, 3, 1, 2).astype(np.float32) / 255)

    def feed(self, turn: Turn) -> Iterator:
        """The batches of a turn."""
        own, named = CASES[turn.case]
        batch = self.arguments.batch
        if turn.feed == ALONE:
            return nothing(self.images, self.device, batch)
        if turn.feed == OURS:
            task = PredictTransformation("rotation", augment=own)
            return ours(self.images, task, self.device, batch)
        items = peers.dataset(self.raw, named, self.transforms)
        workers = 0 if turn.feed == UNHELPED else self.arguments.workers
        return peers.batches(items, batch, workers=workers, device=self.device)

    def take(self, turn: Turn) -> dict[str, float]:
        """Train for a turn and measure it."""
        torch.set_num_threads(turn.threads)
        learner = Learner(self.device, lambda: nn.Linear(64, 4), turn.precision)
        running = self.feed(turn)
        warm, seconds = self.arguments.warm, self.arguments.seconds
        found = timed(running, learner, warm=warm, seconds=seconds, start=self.start)
        running.close()
        return found


def prepare(arguments: argparse.Namespace, start: Barrier) -> None:
    """Make this process one of those that train side by side."""
    prepare.bench = Bench(arguments, start)


def side_by_side(turn: Turn) -> dict[str, float]:
    """One of the runs side by side."""
    return prepare.bench.take(turn)


def compare(arguments: argparse.Namespace, device: torch.device) -> pd.DataFrame:
    """The feeds beside each other, alternating, in each way to use the cores."""
    bench = Bench(arguments)
    runs = arguments.threads if device.type == "cpu" else 1
    spawn = multiprocessing.get_context("spawn")
    rows = []
    with spawn.Pool(runs, prepare, (arguments, spawn.Barrier(runs))) as pool:
        for precision, case in itertools.product(arguments.precision, CASES):
            for repeat, feed in itertools.product(range(arguments.repeats), (ALONE, OURS, HELPED, UNHELPED)):
                row = {"precision": precision, "augment": case, "feed": feed, "repeat": repeat}
                alone = bench.take(Turn(case, feed, precision, arguments.threads))
                rows.append({**row, "cores": f"one run, {arguments.threads} threads", **alone})
                if runs > 1 and feed != HELPED:  # no core is left for workers
                    each = pool.map(side_by_side, [Turn(case, feed, precision, 1)] * runs, chunksize=1)
                    found = {
                        "speed": sum(run["speed"] for run in each),
                        "share": np.mean([run["share"] for run in each]),
                        "cpu": np.mean([run["cpu"] for run in each]),
                    }
                    rows.append({**row, "cores": f"{runs} runs, one thread each", **found})
    return pd.DataFrame(rows)


def shares(arguments: argparse.Namespace, device: torch.device) -> pd.DataFrame:
    """The share of drawing and transforming in a whole step of each pretext task, on one thread.

    With more, the threads that wait for work to share count as processor time too.
    """
    keep_freed_memory()
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    images = ImageSet.from_arrays(rng.random((COUNT, 3, SIDE, SIDE), dtype=np.float32))
    rows = []
    for encoder, name in [*(("cnn", name) for name in TASKS), *(("resnet18", name) for name in DEEP)]:
        task = TASKS[name]
        warm, steps = (arguments.warm, arguments.steps) if encoder == "cnn" else (1, 2)
        learner = Learner(device, lambda task=task: task.head(64, {}), "float32", encoder)
        drawn = itertools.chain.from_iterable(
            images.batches(epoch, arguments.batch, seed=0, device=device) for epoch in itertools.count()
        )
        fed, stepped = [], []
        for _ in range(warm + steps):
            begin = time.process_time()
            batch = next(drawn)
            task.views(batch)
            synchronise(device)
            middle = time.process_time()
            loss = task.losses(learner.encoder, learner.head, batch).total
            learner.update(loss)
            fed.append(middle - begin)
            stepped.append(time.process_time() - middle)
        kept = slice(warm, None)
        feed, whole = np.median(fed[kept]), np.median(stepped[kept])
        rows.append(
            {"encoder": encoder, "task": name, "share": feed / whole, "cpu": whole / arguments.batch * 1e6}
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warm", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a turn lasts")
    parser.add_argument("--steps", type=int, default=64, help="for the shares")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--torchvision", type=Path, help="a folder that holds it, or to install it in")
    parser.add_argument("--note", default="")
    parser.add_argument("--machine", default="2 CPU cores, 24 GiB, no GPU")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    torch.set_num_threads(arguments.threads)
    report(compare(arguments, device), shares(arguments, device), arguments, device)


if __name__ == "__main__":
    main()
