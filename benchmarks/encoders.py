"""The small CNN beside others: the time of a step, and what is learned, on images of 32x32x3.

It was chosen from these, as accurate in a trial as the one it replaced, which had a second 3x3
convolution at the stem's resolution, a pool after it, and GELU. Every network learns to predict quarter-turns
of the same glyphs for as many steps. Then other glyphs say how well it does, and how well their class can be
read from its representation. The time is that of forward, backward and update on one batch, as the training
benchmark does them.

`python benchmarks/encoders.py [--seeds 3]`
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from synergy.device import keep_freed_memory
from synergy.experiments.worlds import raw_glyphs, untransformed
from synergy.learning import ImageSet, PredictTransformation, Training, build_encoder, probe, train
from synergy.learning.encoders import count_parameters
from synergy.learning.encoders.pooling import SymmetricPool

RESULTS = Path(__file__).parent / "results"
SHAPE, FEATURES, BATCH = (3, 32, 32), 64, 128
Layer = tuple[int, int, int, int] | int
"""Filters, their side, stride and padding; or the side to pool to."""
GELU, RELU = nn.GELU, nn.ReLU
_STEM = (16, 4, 2, 1)
FORMER = "the former one: 3x3, then a pool, GELU"
DESIGNS: dict[str, tuple[type[nn.Module], tuple[Layer, ...]]] = {
    FORMER: (GELU, (_STEM, (16, 3, 1, 1), 8, (32, 3, 1, 1), 4)),
    "the former one with ReLU": (RELU, (_STEM, (16, 3, 1, 1), 8, (32, 3, 1, 1), 4)),
    "the small CNN with GELU": (GELU, (_STEM, (16, 2, 2, 0), (32, 3, 1, 1), 4)),
    "the second layer halves by 4x4": (RELU, (_STEM, (16, 4, 2, 1), (32, 3, 1, 1), 4)),
    "the pool before the second layer": (RELU, (_STEM, 8, (16, 3, 1, 1), (32, 3, 1, 1), 4)),
    "no second layer": (RELU, (_STEM, 8, (32, 3, 1, 1), 4)),
    "three layers that halve by 4x4": (RELU, (_STEM, (16, 4, 2, 1), (32, 4, 2, 1))),
}
OWN = "the small CNN"


class Chain(nn.Module):
    """Convolutions with an activation each and pools, then a linear map."""

    def __init__(self, activation: type[nn.Module], layers: tuple[Layer, ...]) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        channels, self.features = SHAPE[0], FEATURES
        for layer in layers:
            if isinstance(layer, int):
                parts.append(SymmetricPool(layer))
            else:
                filters, side, stride, padding = layer
                parts += [nn.Conv2d(channels, filters, side, stride, padding), activation()]
                channels = filters
        self.layers = nn.Sequential(*parts, nn.Flatten(), nn.Linear(16 * channels, FEATURES))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images to representations."""
        return self.layers(x.contiguous(memory_format=torch.channels_last))


def build(name: str) -> nn.Module:
    """An untrained network."""
    return build_encoder("cnn", SHAPE, features=FEATURES) if name == OWN else Chain(*DESIGNS[name])


def step_time(name: str, threads: int, steps: int = 120) -> float:
    """The median time of a step, us an image."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    encoder, head = build(name), nn.Linear(FEATURES, 4)
    optimiser = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], fused=True)
    images, labels = torch.rand(BATCH, *SHAPE), torch.arange(BATCH) % 4
    times = []
    for _ in range(steps):
        begin = time.perf_counter()
        loss = nn.functional.cross_entropy(head(encoder(images)), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        times.append(time.perf_counter() - begin)
    return float(np.median(times[steps // 6 :])) / BATCH * 1e6


def learned(name: str, seed: int, epochs: int) -> dict[str, float]:
    """The held-out loss of the pretext task, in nats, and the accuracy of a linear probe of the class."""
    torch.set_num_threads(2)
    shown, others = (
        ImageSet.from_sample(raw_glyphs("mixed", n, seed=place + seed, pixels=SHAPE[1]))
        for n, place in ((8000, 1000), (4000, 2000))
    )
    task, options = PredictTransformation("rotation"), Training(epochs=epochs, batch_size=BATCH)
    trained = train(
        task,
        shown,
        seed=seed,
        encoder=lambda: build(name),
        options=options,
        held_out=others,
        progress=False,
    )
    sample = trained.represented(untransformed(others))
    loss = trained.curve["held_out_loss"].iloc[-1]
    return {"pretext loss": loss, "class accuracy": probe(sample, "C").score}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--machine", default="2 CPU cores, 24 GiB, no GPU")
    arguments = parser.parse_args()
    keep_freed_memory()
    names = [OWN, *DESIGNS]
    found = pd.DataFrame(
        {"network": name, "seed": seed, **learned(name, seed, arguments.epochs)}
        for seed in range(arguments.seeds)
        for name in names
    )
    RESULTS.mkdir(exist_ok=True)
    found.to_csv(RESULTS / "encoders.csv", index=False)
    baseline = found[found["network"] == FORMER].set_index("seed")
    lines = [
        "# The small CNN beside others, 32x32x3",
        "",
        f"Machine: {arguments.machine}; Python {platform.python_version()}, torch {torch.__version__}. "
        f"Rotation of glyphs, {arguments.epochs} epochs of 8,000 images, batch {BATCH}, {arguments.seeds} "
        "seeds; means, and the difference from the former network of the same seeds with its standard error.",
        "",
        "| network | parameters | us a step and image, 1 thread | 2 threads | pretext loss | class accuracy "
        "| class accuracy, difference |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in names:
        own = found[found["network"] == name].set_index("seed")
        gap = own["class accuracy"] - baseline["class accuracy"]
        error = f" +- {gap.std(ddof=1) / np.sqrt(len(gap)):.4f}" if len(gap) > 1 else ""
        difference = "" if name == FORMER else f"{gap.mean():+.4f}{error}"
        times = [f"{min(step_time(name, threads) for _ in range(3)):.1f}" for threads in (1, 2)]
        means = f"{own['pretext loss'].mean():.4f} | {own['class accuracy'].mean():.4f}"
        parameters = count_parameters(build(name))
        lines.append(f"| {name} | {parameters:,} | {' | '.join(times)} | {means} | {difference} |")
    (RESULTS / "encoders.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
