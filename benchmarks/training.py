"""Images per second of a pretext step, and the share of the input pipeline in it.

Two ways to feed the same small CNN, with the same step of the same optimiser, for the same task: a base
augmentation, then predict a quarter-turn. Theirs has three base augmentations: none, mirrors, and mirrors
with colour jitter and gray (its crop to the side of the image changes nothing). Ours does the same beside it,
and then what it does by default under the name they use, with resized crops and a blur. Their other scripts
turn PIL images without an augmentation. The batches and the workers are as in their scripts.

- ours: the whole batch is drawn, augmented and turned on the device, in the training process;
- the authors': torchvision transforms of one image at a time, in DataLoader workers (`training_peers.py`).

The images have the sizes of digits, of the experiments' glyphs and of CIFAR-10.

End to end: everything from the raw images to the optimiser's step. `step alone` repeats the step on one
batch; no way of feeding can be faster, so it over theirs bounds the ratio. On the CPU there are two ways to
use the cores, and each feed is measured in both:

- one run with all threads, as a single training;
- as many runs side by side as there are threads, one thread each, as the experiments train their seeds; the
  images of all runs count.

One run of this file, alternating the feeds, medians and ratios; workers are started, warmed up and stopped
within each turn. Processor time, workers included, is given beside the wall clock, because it depends less on
what else the machine does. All processes keep freed memory, as the experiments' do.

The last table has the share of the input pipeline for every pretext task.

`python benchmarks/training.py [--device cuda] [--repeats 5] [--torchvision FOLDER]`
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import training_peers as peers
from torch import nn
from training_learner import Learner, Shape, nothing, ours, timed
from training_report import ALONE, HELPED, OURS, UNHELPED, report
from training_shares import shares

from synergy.device import choose_device, keep_freed_memory
from synergy.learning import ImageSet, PredictTransformation
from synthetic.transformations.augment import Augmentation

SHAPES: dict[str, Shape] = {"8x8x1": (1, 8, 8), "16x16x3": (3, 16, 16), "32x32x3": (3, 32, 32)}
STEPS = (
    ("8x8x1", "float32"),
    ("16x16x3", "float32"),
    ("32x32x3", "float32"),
    ("16x16x3", "bfloat16"),
    ("32x32x3", "bfloat16"),
    ("16x16x3", "bfloat16, compiled"),
    ("32x32x3", "bfloat16, compiled"),
)
"""The sizes and the precisions that are measured."""


FEEDS = (ALONE, OURS, HELPED, UNHELPED)


@dataclass(frozen=True)
class Case:
    """What ours and theirs do to an image before it is turned, and how theirs is set up."""

    own: str | Augmentation
    theirs: str
    batch: int = 128
    workers: int = 2


CASES: dict[str, Case] = {
    "none": Case("none", "none"),
    "mirrors": Case(Augmentation("mirrors", flip=0.5), "sup"),
    "mirrors, colour": Case(Augmentation("colour", flip=0.5, jitter=0.8, gray=0.2), "simclr"),
    "our crop+flip, their mirrors": Case("crop+flip", "sup"),
    "our simclr, their mirrors and colour": Case("simclr", "simclr"),
    "none, of PIL images": Case("none", "tasks", batch=512, workers=4),
}


@dataclass(frozen=True)
class Turn:
    """One measurement: which feed, for which case and size, in which precision, with how many threads."""

    case: str
    feed: str
    size: str
    precision: str
    threads: int


class Bench:
    """What a training process keeps between its turns."""

    def __init__(self, arguments: argparse.Namespace, start: Barrier | None = None) -> None:
        keep_freed_memory()
        self.arguments, self.start = arguments, start
        self.device = choose_device(arguments.device)
        self.transforms = peers.load_transforms(arguments.torchvision)
        self.raw: dict[str, np.ndarray] = {}
        self.images: dict[str, ImageSet] = {}
        for size, (channels, height, width) in SHAPES.items():
            shape = arguments.count, height, width, channels
            self.raw[size] = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
            pixels = self.raw[size].transpose(0, 3, 1, 2).astype(np.float32) / 255
            self.images[size] = ImageSet.from_arrays(pixels)

    def feed(self, turn: Turn) -> Iterator:
        """The batches of a turn."""
        case, images = CASES[turn.case], self.images[turn.size]
        if turn.feed == ALONE:
            return nothing(images, self.device, case.batch)
        if turn.feed == OURS:
            return ours(images, PredictTransformation("rotation", augment=case.own), self.device, case.batch)
        items = peers.dataset(self.raw[turn.size], case.theirs, self.transforms)
        workers = 0 if turn.feed == UNHELPED else case.workers
        return peers.batches(items, case.batch, workers=workers, device=self.device)

    def take(self, turn: Turn) -> dict[str, float]:
        """Train for a turn and measure it."""
        torch.set_num_threads(turn.threads)
        learner = Learner(self.device, lambda: nn.Linear(64, 4), SHAPES[turn.size], turn.precision)
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
    """The feeds beside each other, alternating, in each way to use the cores.

    One run alone comes first, while no other process is there: with idle ones beside it, its two threads were
    seen to lose a third of their speed.
    """
    bench = Bench(arguments)
    alone = f"one run, {arguments.threads} threads"
    rows = [
        {**named(turn, repeat), "cores": alone, **bench.take(turn)}
        for repeat, turn in turns(arguments, FEEDS, arguments.threads, bench.take)
    ]
    runs = arguments.threads if device.type == "cpu" else 1
    if runs > 1:
        spawn = multiprocessing.get_context("spawn")
        cores = f"{runs} runs, one thread each"
        with spawn.Pool(runs, prepare, (arguments, spawn.Barrier(runs))) as pool:

            def take(turn: Turn) -> dict[str, float]:
                each = pool.map(side_by_side, [turn] * runs, chunksize=1)
                found = {name: float(np.mean([run[name] for run in each])) for name in ("share", "cpu")}
                return {"speed": sum(run["speed"] for run in each), **found}

            feeds = [feed for feed in FEEDS if feed != HELPED]  # no core is left for workers
            rows += [
                {**named(turn, repeat), "cores": cores, **take(turn)}
                for repeat, turn in turns(arguments, feeds, 1, take)
            ]
    return pd.DataFrame(rows)


def turns(
    arguments: argparse.Namespace, feeds: Sequence[str], threads: int, take: Callable[[Turn], object]
) -> Iterator[tuple[int, Turn]]:
    """The turns in order, with the number of the repeat; the first of a size does not count."""
    for size, precision in (step for step in STEPS if step[1] in arguments.precisions):
        for case in CASES:
            if case == next(iter(CASES)):
                take(Turn(case, OURS, size, precision, threads))
            for repeat, feed in itertools.product(range(arguments.repeats), feeds):
                yield repeat, Turn(case, feed, size, precision, threads)


def named(turn: Turn, repeat: int) -> dict[str, object]:
    """What a turn is called in the table."""
    names = {"images": turn.size, "precision": turn.precision, "augment": turn.case, "feed": turn.feed}
    return {**names, "repeat": repeat}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warm", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a turn lasts")
    parser.add_argument("--steps", type=int, default=64, help="for the shares")
    parser.add_argument("--count", type=int, default=8192, help="images of each size")
    parser.add_argument("--batch", type=int, default=128, help="for the shares")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precisions", nargs="+", default=sorted({precision for _, precision in STEPS}))
    parser.add_argument("--torchvision", type=Path, help="a folder that holds it, or to install it in")
    parser.add_argument("--note", default="")
    parser.add_argument("--machine", default="2 CPU cores, 24 GiB, no GPU")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    torch.set_num_threads(arguments.threads)
    report(compare(arguments, device), shares(arguments, device, SHAPES), arguments, device)


if __name__ == "__main__":
    main()
