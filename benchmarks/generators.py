"""How many images a second: the glyph renderer beside per-sample PIL pipelines in DataLoader workers.

    python benchmarks/generators.py [--out benchmarks/results] [--repeats 5] [--seconds 1]

All make float32 batches of 32 x 32 x 3 images. The peers are what training code usually does: a map-style
Dataset makes one image at a time with PIL, in the style of torchvision's transforms, in two worker processes.

* *draw*: class, hue, background, pen width, scale, position, tilt and four-fold rotation are random for
  each image; the peer draws the same strokes with `ImageDraw` four times larger and reduces them, which is
  how smooth strokes are drawn with PIL. Ours draws the ring texture too, which the peers leave out.
* *draw, jagged peer*: the peer draws straight at 32 x 32 without smoothing, which is no equal image but the
  least that PIL can do.
* *draw + noise*: as *draw*, with Gaussian noise of standard deviation 0.1 on every pixel.
* *crop + flip*, *SimCLR*: the peers start from images in memory and only augment and rotate them; ours draws
  each image first.

Ours runs in two DataLoader workers (`as_dataset(batch=1024)`), as the peers do, and in one process with
one and with two threads (`tensors`, 2,048 images at a time: 24 MiB, which the C library's allocator keeps for
the next batch; from 32 MiB on it maps fresh pages for every batch, which costs as much as the drawing). The
ways take turns, so that other work on the machine disturbs all alike; the cost of an image in CPU time,
measured in one thread, is disturbed least. Where there is a GPU, ours is timed on it beside writing as many
bytes to its memory.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import platform
import random
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from torch.utils.data import DataLoader, Dataset

from synthetic import Glyphs
from synthetic.images.glyphs import GLYPH_SETS, GLYPHS

SIDE = 32
BATCH, OWN_BATCH = 256, 1024
WORKERS = 2
MACHINE = "2 CPU cores, 24 GiB of memory, no GPU, shared with other work"
LATENTS = {
    "glyphs": "mixed",
    "size": SIDE,
    "hue": {"low": 0.0, "high": 1.0},
    "background": {"low": 0.0, "high": 0.4},
    "stroke": {"low": 0.15, "high": 0.35},
    "scale": {"low": 0.5, "high": 0.9},
    "position": {"low": -0.1, "high": 0.1},
    "texture": {"low": 0.0, "high": 0.5},
    "pose": {"low": -0.2, "high": 0.2},
}


def to_tensor(image: Image.Image) -> torch.Tensor:
    pixels = np.asarray(image, dtype=np.uint8)
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous().float().div(255)


def rotated(image: Image.Image, label: int) -> Image.Image:
    turns = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    turn = turns[label]
    return image if turn is None else image.transpose(turn)


class DrawnByPIL(Dataset):
    """One glyph at a time with ImageDraw.

    Args:
        enlarge: How many times larger to draw before reducing; 1 for straight, jagged lines.
        noise: The standard deviation of the pixel noise.
    """

    def __init__(self, *, enlarge: int, noise: float = 0.0) -> None:
        self.enlarge, self.noise = enlarge, noise
        self.strokes = [GLYPHS[name].strokes for name in GLYPH_SETS["mixed"]]

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int, int]:
        rng = random.Random(index)
        c, a = rng.randrange(len(self.strokes)), rng.randrange(4)
        side = SIDE * self.enlarge
        level = round(255 * rng.uniform(0.0, 0.4))
        image = Image.new("RGB", (side, side), (level, level, level))
        draw = ImageDraw.Draw(image)
        colour = hsv(rng.random())
        per_unit = rng.uniform(0.5, 0.9) * side / 2
        width = max(1, round(rng.uniform(0.15, 0.35) * per_unit))
        x0, y0 = side / 2 + rng.uniform(-0.1, 0.1) * side, side / 2 + rng.uniform(-0.1, 0.1) * side
        angle = rng.uniform(-0.2, 0.2) * math.pi / 2
        cos, sin = math.cos(angle) * per_unit, math.sin(angle) * per_unit
        for line in self.strokes[c]:
            points = [(x0 + cos * x + sin * y, y0 - sin * x + cos * y) for x, y in line]
            draw.line(points, fill=colour, width=width, joint="curve")
        if self.enlarge > 1:
            image = image.resize((SIDE, SIDE), Image.Resampling.BOX)
        pixels = to_tensor(rotated(image, a))
        if self.noise:
            pixels += self.noise * torch.randn(pixels.shape)
        return pixels, c, a


def hsv(hue: float) -> tuple[int, int, int]:
    k = hue * 6
    channels = ((k + offset) % 6 for offset in (5, 3, 1))
    red, green, blue = (round(255 * (1 - 0.85 * max(0.0, min(x, 4 - x, 1.0)))) for x in channels)
    return red, green, blue


class AugmentedByPIL(Dataset):
    """Stored images, cropped, flipped and, for SimCLR, jittered, grayed and blurred, one at a time."""

    def __init__(self, images: np.ndarray, *, simclr: bool) -> None:
        self.images, self.simclr = images, simclr

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        rng = random.Random(index)
        image = Image.fromarray(self.images[index % len(self.images)])
        area, ratio = rng.uniform(0.2, 1.0), math.exp(rng.uniform(-1, 1) * math.log(4 / 3))
        width, height = min(1.0, math.sqrt(area * ratio)) * SIDE, min(1.0, math.sqrt(area / ratio)) * SIDE
        x, y = rng.uniform(0, SIDE - width), rng.uniform(0, SIDE - height)
        box = (x, y, x + width, y + height)
        image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box)
        if rng.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self.simclr:
            image = self.jittered(image, rng)
        a = rng.randrange(4)
        return to_tensor(rotated(image, a)), a

    @staticmethod
    def jittered(image: Image.Image, rng: random.Random) -> Image.Image:
        """Brightness, contrast, saturation, hue, gray and blur, as SimCLR has them."""
        if rng.random() < 0.8:
            for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
                image = enhance(image).enhance(rng.uniform(0.6, 1.4))
            h, s, v = image.convert("HSV").split()
            shift = rng.randrange(-25, 26)
            h = h.point([(k + shift) % 256 for k in range(256)])
            image = Image.merge("HSV", (h, s, v)).convert("RGB")
        if rng.random() < 0.2:
            image = image.convert("L").convert("RGB")
        if rng.random() < 0.5:
            image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.05, 1.0)))
        return image


Rate = Callable[[float], float]
"""Runs for about so many seconds and returns images a second."""


def rate_of_loader(loader: DataLoader) -> Rate:
    stream = iter(loader)
    backlog = 4 * WORKERS  # what the workers have ready

    def size(batch: dict[str, torch.Tensor] | list[torch.Tensor]) -> int:
        return len(batch["X"] if isinstance(batch, dict) else batch[0])

    def once(seconds: float) -> float:
        for _ in range(backlog):
            next(stream)
        start, made = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            made += size(next(stream))
        return made / (time.perf_counter() - start)

    return once


def rate_of_tensors(world: Glyphs, device: str, batch: int, threads: int = WORKERS) -> Rate:
    seeds = iter(range(10**9))

    def once(seconds: float) -> float:
        torch.set_num_threads(threads)
        start, made = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            made += len(world.tensors(batch, seed=next(seeds), device=device)["X"])
            if device != "cpu":
                torch.cuda.synchronize()
        return made / (time.perf_counter() - start)

    return once


def rate_of_writing(device: str, batch: int) -> Rate:
    """Images a second if writing the pixels to memory were all the work."""
    target = torch.empty(batch, 3, SIDE, SIDE, device=device)

    def once(seconds: float) -> float:
        start, made = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            target.fill_(made)
            made += batch
            if device != "cpu":
                torch.cuda.synchronize()
        return made / (time.perf_counter() - start)

    return once


def cpu_cost(make: Callable[[int], object], images: int) -> float:
    """Microseconds of CPU time for one image, in this thread: the least of five."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    make(0)
    costs = []
    for k in range(1, 6):
        start = time.thread_time()
        make(k)
        costs.append((time.thread_time() - start) / images * 1e6)
    torch.set_num_threads(threads)
    return min(costs)


def peer_loader(dataset: Dataset) -> DataLoader:
    return DataLoader(dataset, batch_size=BATCH, num_workers=WORKERS, prefetch_factor=4)


def own_loader(world: Glyphs) -> DataLoader:
    stream = world.as_dataset(seed=0, batch=OWN_BATCH)
    return DataLoader(stream, batch_size=None, num_workers=WORKERS, prefetch_factor=2)


def measure(repeats: int, seconds: float) -> list[dict[str, object]]:
    stored = Glyphs(**LATENTS).sample(10_000, seed=0)["X"]
    stored = (np.moveaxis(stored, 1, -1) * 255).round().astype(np.uint8)
    tasks: list[tuple[str, Dataset, dict[str, object]]] = [
        ("draw", DrawnByPIL(enlarge=4), {}),
        ("draw, jagged peer", DrawnByPIL(enlarge=1), {}),
        ("draw + noise", DrawnByPIL(enlarge=4, noise=0.1), {"noise": 0.1}),
        ("crop + flip", AugmentedByPIL(stored, simclr=False), {"augmentation": "crop+flip"}),
        ("SimCLR", AugmentedByPIL(stored, simclr=True), {"augmentation": "simclr"}),
    ]
    rows = []
    for task, peer, options in tasks:
        world = Glyphs(**LATENTS, **options)
        ways: dict[str, Rate] = {
            "PIL, 2 workers": rate_of_loader(peer_loader(peer)),
            "Glyphs, 2 workers": rate_of_loader(own_loader(world)),
            "Glyphs, 1 process, 1 thread": rate_of_tensors(world, "cpu", 2 * OWN_BATCH, 1),
            "Glyphs, 1 process, 2 threads": rate_of_tensors(world, "cpu", 2 * OWN_BATCH),
        }
        costs = {
            "PIL": cpu_cost(
                lambda k, peer=peer: torch.stack([peer[k * BATCH + i][0] for i in range(BATCH)]), BATCH
            ),
            "Glyphs": cpu_cost(lambda k, world=world: world.tensors(OWN_BATCH, seed=k), OWN_BATCH),
        }
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(repeats):
            for way, once in ways.items():
                rates[way].append(once(seconds))
        rows += [row(task, way, found, costs[way.split(",")[0]]) for way, found in rates.items()]
    writing = rate_of_writing("cpu", OWN_BATCH)
    rows.append(row("write pixels", "CPU memory", [writing(seconds) for _ in range(repeats)], None))
    return rows


def measure_gpu(repeats: int, seconds: float) -> list[dict[str, object]]:
    batch = 2**16
    ways: dict[tuple[str, str], Rate] = {("write pixels", "GPU memory"): rate_of_writing("cuda", batch)}
    for task, options in (
        ("draw", {}),
        ("draw + noise", {"noise": 0.1}),
        ("SimCLR", {"augmentation": "simclr"}),
    ):
        ways[task, "Glyphs, GPU"] = rate_of_tensors(Glyphs(**LATENTS, **options), "cuda", batch)
    for once in ways.values():
        once(seconds)
    rates = {key: [once(seconds) for _ in range(repeats)] for key, once in ways.items()}
    return [row(*key, found, None) for key, found in rates.items()]


def row(task: str, way: str, rates: list[float], cost: float | None) -> dict[str, object]:
    print(f"{task:18} {way:30} {median(rates):12,.0f} images/s  {cost or math.nan:8.2f} us CPU", flush=True)
    return {
        "task": task,
        "way": way,
        "images_per_second": round(median(rates)),
        "low": round(min(rates)),
        "high": round(max(rates)),
        "cpu_microseconds": "" if cost is None else round(cost, 2),
    }


def report(rows: list[dict[str, object]], machine: str) -> str:
    text = io.StringIO()
    peers = {r["task"]: r for r in rows if "PIL" in str(r["way"])}
    versions = f"Python {platform.python_version()}, torch {version('torch')}, Pillow {version('pillow')}"
    text.write(
        f"# Images a second, 32 x 32 x 3\n\n{machine}. {versions}. Medians of one run in which the ways "
    )
    text.write(
        "take turns, lowest and highest in brackets. CPU time is of one image in one thread, the least of "
    )
    text.write(
        "five. The ratios are to the peer of the same task. `python benchmarks/generators.py` makes this "
    )
    text.write("file; its docstring says what each way does.\n\n")
    text.write("| task | way | images/s | ratio | CPU time, microseconds | ratio |\n")
    text.write("| --- | --- | --- | --- | --- | --- |\n")
    for r in rows:
        peer = peers.get(r["task"])
        rate, cost = r["images_per_second"], r["cpu_microseconds"]
        faster = f"{rate / peer['images_per_second']:.1f}" if peer else ""
        cheaper = f"{peer['cpu_microseconds'] / cost:.1f}" if peer and cost else ""
        text.write(f"| {r['task']} | {r['way']} | {rate:,} [{r['low']:,}, {r['high']:,}] | {faster} ")
        text.write(f"| {cost} | {cheaper} |\n")
    if not torch.cuda.is_available():
        text.write(
            "\nNo GPU was at hand, so its rows are missing. By count of the passes, which are not fused, "
        )
        text.write(
            "the renderer moves about 240 bytes for each pixel of 12 bytes with tilt and texture, 100 "
        )
        text.write(
            "without; on a GPU it cannot exceed some 5 to 12 % of the rate of writing the pixels. One "
        )
        text.write("fused kernel (look up, shade, mix) would lift that limit.\n")
    return text.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each timing lasts")
    parser.add_argument("--machine", default=MACHINE)
    options = parser.parse_args()
    rows = measure(options.repeats, options.seconds)
    if torch.cuda.is_available():
        rows += measure_gpu(options.repeats, options.seconds)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "generators.md").write_text(report(rows, options.machine))
    with (options.out / "generators.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
