"""Images per second of a pretext step, and the share of the input pipeline in it.

Two ways to feed the same small CNN with the same task (a base augmentation, then predict a four-fold rotation
of 32x32x3 images):

- ours: the whole batch is drawn, augmented and rotated on the device, in the training process;
- per sample: as the paper's repository and most others feed, a map-style Dataset of uint8 arrays whose items
  go through PIL and numpy transforms one by one in DataLoader workers.

End to end: everything from the raw images to the optimiser's step. One run, alternating the feeds, medians
and ratios. Processor time, workers included, is given beside the wall clock, because it depends less on what
else the machine does. `python benchmarks/training.py [--device cuda] [--repeats 5] [--batch 256]`
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import nn
from torch.utils.data import DataLoader, Dataset

from synergy.learning import ImageSet, PredictTransformation, build_encoder, choose_device

RESULTS = Path(__file__).parent / "results"
SIDE, COUNT = 32, 4096


class PerSample(Dataset):
    """Augmentation and rotation of one image at a time, with PIL and numpy, as torchvision does it."""

    def __init__(self, images: np.ndarray, augment: str) -> None:
        self.images, self.augment = images, augment

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        rng = np.random.default_rng()
        image = Image.fromarray(self.images[index])
        if self.augment != "none":
            image = crop_and_flip(image, rng)
        if self.augment == "simclr":
            image = recoloured(image, rng)
        label = int(rng.integers(4))
        pixels = np.rot90(np.asarray(image), label)
        array = np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32) / 255
        return torch.from_numpy(array), label


def crop_and_flip(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A random resized crop, and a mirror image half of the time."""
    area = SIDE * SIDE * rng.uniform(0.2, 1.0)
    aspect = np.exp(rng.uniform(-1, 1) * np.log(4 / 3))
    width = min(SIDE, max(1, round((area * aspect) ** 0.5)))
    height = min(SIDE, max(1, round((area / aspect) ** 0.5)))
    left, top = int(rng.integers(SIDE - width + 1)), int(rng.integers(SIDE - height + 1))
    box = (left, top, left + width, top + height)
    image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image


def recoloured(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """SimCLR's colour jitter, gray and blur, with the probabilities and strengths of our set."""
    if rng.random() < 0.8:
        for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = change(image).enhance(rng.uniform(0.6, 1.4))
        hue, saturation, value = image.convert("HSV").split()
        shifted = (np.asarray(hue).astype(np.int16) + round(rng.uniform(-0.1, 0.1) * 255)) % 256
        hue = Image.fromarray(shifted.astype(np.uint8))
        image = Image.merge("HSV", (hue, saturation, value)).convert("RGB")
    if rng.random() < 0.2:
        image = image.convert("L").convert("RGB")
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.05, 1.0)))
    return image


class Learner:
    """The small CNN, its head and its optimiser, and one step on images and labels."""

    def __init__(self, device: torch.device) -> None:
        torch.manual_seed(0)
        self.device = device
        self.encoder = build_encoder("cnn", (3, SIDE, SIDE), features=64).to(device)
        self.head = nn.Linear(64, 4).to(device)
        self.optimiser = torch.optim.AdamW([*self.encoder.parameters(), *self.head.parameters()], lr=1e-3)

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        """Forward, backward, update."""
        loss = nn.functional.cross_entropy(self.head(self.encoder(images)), labels)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        synchronise(self.device)


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def ours(images: ImageSet, task: PredictTransformation, device: torch.device, batch: int) -> Iterator:
    for epoch in range(1_000_000):
        for drawn in images.batches(epoch, batch, seed=0, device=device):
            shown = task.show(drawn)
            yield shown.images, shown.targets[0]


def theirs(images: np.ndarray, augment: str, device: torch.device, batch: int, workers: int) -> Iterator:
    loader = DataLoader(
        PerSample(images, augment),
        batch,
        shuffle=True,
        num_workers=workers,
        drop_last=True,
        persistent_workers=workers > 0,
    )
    while True:
        for shown, labels in loader:
            yield shown.to(device), labels.to(device)


def processor_seconds() -> float:
    """Processor time of this process and of its workers."""
    ticks = 0
    for child in multiprocessing.active_children():
        stat = Path(f"/proc/{child.pid}/stat")
        if stat.exists():
            ticks += sum(int(field) for field in stat.read_text().rsplit(")", 1)[1].split()[11:13])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def timed(batches: Iterator, learner: Learner, steps: int, batch: int) -> tuple[float, float, float]:
    """Images per second, the share of the time spent waiting for inputs, processor time per image."""
    device = learner.device
    waited = 0.0
    used, start = processor_seconds(), time.perf_counter()
    for _ in range(steps):
        before = time.perf_counter()
        shown, labels = next(batches)
        synchronise(device)
        waited += time.perf_counter() - before
        learner.step(shown, labels)
    elapsed = time.perf_counter() - start
    used = processor_seconds() - used
    return steps * batch / elapsed, waited / elapsed, used / (steps * batch) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--note", default="")
    parser.add_argument("--machine", default="2 CPU cores, 24 GiB, no GPU")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    torch.set_num_threads(arguments.threads)
    raw = np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)
    images = ImageSet.from_arrays(raw.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    batch = arguments.batch
    rows = []
    for augment in ("none", "crop+flip", "simclr"):
        task = PredictTransformation("rotation", augment=augment)
        feeds: dict[str, Callable[[], Iterator]] = {
            "ours": lambda task=task: ours(images, task, device, batch),
            f"per sample, {arguments.workers} workers": lambda augment=augment: theirs(
                raw, augment, device, batch, arguments.workers
            ),
            "per sample, no worker": lambda augment=augment: theirs(raw, augment, device, batch, 0),
        }
        running = {name: (feed(), Learner(device)) for name, feed in feeds.items()}
        for batches, learner in running.values():
            timed(batches, learner, 2, batch)
        for repeat in range(arguments.repeats):
            for name, (batches, learner) in running.items():
                speed, share, used = timed(batches, learner, arguments.steps, batch)
                rows.append(
                    {
                        "augment": augment,
                        "feed": name,
                        "repeat": repeat,
                        "speed": speed,
                        "share": share,
                        "cpu": used,
                    }
                )
        del running
    report(pd.DataFrame(rows), arguments, device)


def report(table: pd.DataFrame, arguments: argparse.Namespace, device: torch.device) -> None:
    RESULTS.mkdir(exist_ok=True)
    suffix = "" if device.type == "cpu" else f"-{device.type}"
    table.to_csv(RESULTS / f"training{suffix}.csv", index=False)
    lines = [
        f"# A pretext step end to end, {SIDE}x{SIDE}x3, small CNN",
        "",
        f"Machine: {arguments.machine}; device {device.type}; Python {platform.python_version()}, "
        f"torch {torch.__version__}. Batch {arguments.batch}, {arguments.steps} steps a repeat, medians of "
        f"{arguments.repeats} repeats in one run, {arguments.threads} torch threads in the training process. "
        f"Input share: time spent waiting for inputs. {arguments.note}".strip(),
        "",
        "| augmentation | feed | images/s | range | input share | processor time per image | "
        "wall: ours is faster by | processor: ours needs less by |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for augment, part in table.groupby("augment", sort=False):
        wide = part.pivot(index="repeat", columns="feed", values="speed")
        cpu = part.pivot(index="repeat", columns="feed", values="cpu")
        for name in part["feed"].unique():
            speeds = part.loc[part["feed"] == name, "speed"]
            share = statistics.median(part.loc[part["feed"] == name, "share"])
            ratio = statistics.median(wide["ours"] / wide[name])
            spared = statistics.median(cpu[name] / cpu["ours"])
            lines.append(
                f"| {augment} | {name} | {statistics.median(speeds):,.0f} | {speeds.min():,.0f} to "
                f"{speeds.max():,.0f} | {share:.1%} | {cpu[name].median():,.0f} µs | "
                f"{ratio:.2f} | {spared:.2f} |"
            )
    text = "\n".join(lines) + "\n"
    (RESULTS / f"training{suffix}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
