"""The small CNN beside others: the time of a step, and what is learned, on images of 16x16x3 and 32x32x3.

The first group are those it was chosen from: as accurate in a trial as the one it replaced, which had a
second 3x3 convolution at the stem's resolution, a pool after it, and GELU. The second group asks whether a
cheaper one would do, since the step bounds how much faster any way of feeding can be; so does the small CNN
in mixed precision. Every network learns to predict quarter-turns of the same glyphs for as many steps. Then
other glyphs say how well it does, and how well their class can be read from its representation. The time is
that of forward, backward and update on one batch, as the training benchmark does them.

`python benchmarks/encoders.py [--seeds 5] [--networks NAME ..]`; the small CNN is always among them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from synergy.device import keep_freed_memory
from synergy.experiments.worlds import raw_glyphs, untransformed
from synergy.learning import ImageSet, PredictTransformation, Training, build_encoder, probe, train
from synergy.learning.encoders import count_parameters
from synergy.learning.encoders.plain import channels_last
from synergy.learning.encoders.pooling import SymmetricPool

RESULTS = Path(__file__).parent / "results"
SIDES, CHANNELS, FEATURES = (16, 32), 3, 64
BATCHES = ((128, 1), (128, 2), (512, 2))
"""The batches whose steps are timed, and the threads: 512 is the batch of the authors' lightest feed."""
Layer = tuple[int, int, int, int] | tuple[str, int] | int
"""Filters, their side, stride and padding; a kind of first layer and its filters; or the side to pool to."""
FIRST: dict[str, dict[int, tuple[int, int, int]]] = {
    "stem": {16: (3, 1, 1), 32: (4, 2, 1)},
    "to 8x8": {16: (4, 2, 1), 32: (8, 4, 2)},
}
"""Side, stride and padding of the first filters, by the side of the images; the small CNN has the stem."""
GELU, RELU = nn.GELU, nn.ReLU
STEM: Layer = ("stem", 16)
FORMER = "the former one: 3x3, then a pool, GELU"
DESIGNS: dict[str, tuple[type[nn.Module], tuple[Layer, ...]]] = {
    FORMER: (GELU, (STEM, (16, 3, 1, 1), 8, (32, 3, 1, 1), 4)),
    "the former one with ReLU": (RELU, (STEM, (16, 3, 1, 1), 8, (32, 3, 1, 1), 4)),
    "the small CNN with GELU": (GELU, (STEM, (16, 2, 2, 0), (32, 3, 1, 1), 4)),
    "the second layer halves by 4x4": (RELU, (STEM, (16, 4, 2, 1), (32, 3, 1, 1), 4)),
    "the pool before the second layer": (RELU, (STEM, 8, (16, 3, 1, 1), (32, 3, 1, 1), 4)),
    "no second layer": (RELU, (STEM, 8, (32, 3, 1, 1), 4)),
    "the second and third halve by 4x4": (RELU, (STEM, (16, 4, 2, 1), (32, 4, 2, 1))),
    "cheaper: 8 filters in the stem": (RELU, (("stem", 8), (16, 2, 2, 0), (32, 3, 1, 1), 4)),
    "cheaper: 24 filters in the third layer": (RELU, (STEM, (16, 2, 2, 0), (24, 3, 1, 1), 4)),
    "cheaper: 16 filters in the third layer": (RELU, (STEM, (16, 2, 2, 0), (16, 3, 1, 1), 4)),
    "cheaper: the third layer 2x2": (RELU, (STEM, (16, 2, 2, 0), (32, 2, 1, 0), 4)),
    "cheaper: the third layer 1x1": (RELU, (STEM, (16, 2, 2, 0), (32, 1, 1, 0), 4)),
    "cheaper: the third layer halves by 4x4, no pool": (RELU, (STEM, (16, 2, 2, 0), (32, 4, 2, 1))),
    "cheaper: that with 8 filters in the stem": (RELU, (("stem", 8), (16, 2, 2, 0), (32, 4, 2, 1))),
    "cheaper: 4x4 patches after the stem": (RELU, (STEM, (32, 4, 4, 0))),
    "cheaper: 8x8 at once, two of 3x3": (RELU, (("to 8x8", 16), (16, 3, 1, 1), (16, 3, 1, 1), 4)),
    "cheaper: 8x8 at once, 3x3 and 2x2": (RELU, (("to 8x8", 16), (16, 3, 1, 1), (32, 2, 1, 0), 4)),
}
OWN, ROUNDED = "the small CNN", "the small CNN in bfloat16"
NAMES = (OWN, ROUNDED, *DESIGNS)


class Chain(nn.Module):
    """Convolutions with an activation each and pools, then a linear map.

    Args:
        side: The side of the images.
        activation: Between the layers.
        layers: What comes one after the other.
    """

    def __init__(self, side: int, activation: type[nn.Module], layers: tuple[Layer, ...]) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        channels, self.features = CHANNELS, FEATURES
        for layer in layers:
            if isinstance(layer, int):
                parts.append(SymmetricPool(layer))
                continue
            filters, *window = layer if len(layer) == 4 else (layer[1], *FIRST[layer[0]][side])
            parts += [nn.Conv2d(channels, filters, *window), activation()]
            channels = filters
        self.layers = nn.Sequential(*parts, nn.Flatten(), nn.Linear(16 * channels, FEATURES))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images to representations."""
        return self.layers(channels_last(x))


def build(name: str, side: int) -> nn.Module:
    """An untrained network for images of this side."""
    shape = CHANNELS, side, side
    own = name in (OWN, ROUNDED)
    return build_encoder("cnn", shape, features=FEATURES) if own else Chain(side, *DESIGNS[name])


def step_time(name: str, side: int, batch: int, threads: int, steps: int = 120) -> float:
    """The median time of a step, us an image."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    encoder, head = build(name, side), nn.Linear(FEATURES, 4)
    optimiser = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], fused=True)
    images, labels = torch.rand(batch, CHANNELS, side, side), torch.arange(batch) % 4
    times = []
    for _ in range(steps):
        begin = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=name == ROUNDED):
            loss = nn.functional.cross_entropy(head(encoder(images)).float(), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        times.append(time.perf_counter() - begin)
    return float(np.median(times[steps // 6 :])) / batch * 1e6


@lru_cache(maxsize=2)
def glyphs(seed: int, side: int) -> tuple[ImageSet, ImageSet]:
    """Glyphs to learn from, and others."""
    drawn = ((8000, 1000), (4000, 2000))
    own, others = (raw_glyphs("mixed", n, seed=place + seed, pixels=side) for n, place in drawn)
    return ImageSet.from_sample(own), ImageSet.from_sample(others)


def learned(run: tuple[str, int, int, int]) -> dict[str, object]:
    """The held-out loss of the pretext task, in nats, and the accuracy of a linear probe of the class.

    Args:
        run: The network, the side of the images, the seed, the epochs.
    """
    name, side, seed, epochs = run
    torch.set_num_threads(1)
    keep_freed_memory()
    shown, others = glyphs(seed, side)
    trained = train(
        PredictTransformation("rotation"),
        shown,
        seed=seed,
        encoder=lambda: build(name, side),
        options=Training(
            epochs=epochs, batch_size=BATCHES[0][0], precision="bfloat16" if name == ROUNDED else "float32"
        ),
        held_out=others,
        progress=False,
    )
    sample = trained.represented(untransformed(others))
    loss = trained.curve["held_out_loss"].iloc[-1]
    accuracy = probe(sample, "C").score
    return {"side": side, "network": name, "seed": seed, "pretext loss": loss, "class accuracy": accuracy}


def gap(found: pd.DataFrame, side: int, name: str, column: str) -> str:
    """The mean difference from the small CNN over the seeds, with its standard error."""
    table = found[found["side"] == side].pivot(index="seed", columns="network", values=column)
    difference = table[name] - table[OWN]
    if name == OWN:
        return ""
    error = f" +- {difference.sem():.4f}" if len(difference) > 1 else ""
    return f"{difference.mean():+.4f}{error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--networks", nargs="+", choices=NAMES, default=NAMES, metavar="NAME")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--machine", default="2 CPU cores, 24 GiB, no GPU")
    arguments = parser.parse_args()
    keep_freed_memory()
    names = [name for name in NAMES if name == OWN or name in arguments.networks]
    cases = [(side, name) for side in SIDES for name in names]
    times = {
        (side, name, *batch): min(step_time(name, side, *batch) for _ in range(3))
        for side, name in cases
        for batch in BATCHES
    }
    seeds = range(arguments.seeds)
    runs = [(name, side, seed, arguments.epochs) for side in SIDES for seed in seeds for name in names]
    with ProcessPoolExecutor(arguments.jobs, multiprocessing.get_context("spawn")) as pool:
        found = pd.DataFrame(pool.map(learned, runs))
    arguments.out.mkdir(exist_ok=True, parents=True)
    found.to_csv(arguments.out / "encoders.csv", index=False)
    timed = " | ".join(f"us, batch {b}, {n} thread{'s' * (n > 1)}" for b, n in BATCHES)
    lines = [
        "# The small CNN beside others",
        "",
        f"Machine: {arguments.machine}; Python {platform.python_version()}, torch {torch.__version__}. "
        f"Rotation of glyphs, {arguments.epochs} epochs of 8,000 images, batch {BATCHES[0][0]}, "
        f"{arguments.seeds} seeds; the time of a step per image, best of three medians; means over the "
        "seeds, and differences from the small CNN of the same seeds with their standard errors. Pretext "
        "losses in nats, on other images.",
    ]
    for side in SIDES:
        lines += [
            "",
            f"## {side}x{side}x{CHANNELS}",
            "",
            f"| network | parameters | {timed} | pretext loss | difference | class accuracy | difference |",
            "| --- " * (6 + len(BATCHES)) + "|",
        ]
        for name in names:
            own = found[(found["side"] == side) & (found["network"] == name)]
            cells = [name, f"{count_parameters(build(name, side)):,}"]
            cells += [f"{times[side, name, *batch]:.1f}" for batch in BATCHES]
            for column in ("pretext loss", "class accuracy"):
                cells += [f"{own[column].mean():.4f}", gap(found, side, name, column)]
            lines.append(f"| {' | '.join(cells)} |")
    (arguments.out / "encoders.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
