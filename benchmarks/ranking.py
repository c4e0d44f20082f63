"""Does `rank` tell the truth? Its order, from pilots, against longer training with other encoders.

    python benchmarks/ranking.py [--root FOLDER] [--sets NAME ..] [--encoders resnet c4] [--seeds 1]
        [--images 20000] [--epochs 20] [--minutes 240] [--jobs 2] [--report]

For every set of images, `rank` sees at most 10,000 of its training images. The truth is what is predicted:
each task trained for longer on more of them with a narrow ResNet-18 and a C4-equivariant network, neither of
which any pilot uses, then a linear probe fitted on training images and judged on test images. Cells are done
in an order in which every prefix is a fair part of the whole (all sets with the first encoder and seed, then
the next), until --minutes are over; what is done is kept in `results/ranking-truth.csv` and
`ranking-pilots.csv`, and a run goes on where the last one stopped. `results/ranking.md` says which cells
there are. --report makes it from what is kept.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from joblib import Parallel, delayed
from ranking_report import write_report
from ranking_sets import MADE, SHARED, Images, half, load
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits
from torch import nn

from synergy.device import keep_freed_memory
from synergy.learning import (
    ImageSet,
    PredictTransformation,
    ResNet18,
    Training,
    Untrained,
    build_encoder,
    train,
)
from synergy.learning.seeds import Purpose, generator
from synergy.ranking import rank
from synergy.ranking.candidates import Candidate, candidates
from synergy.ranking.quantities import combined
from synergy.ranking.shortcuts import SHORTCUTS, Statistic, predicted, statistics
from theory.source import source_digest

RESULTS = Path(__file__).parent / "results"

SHOWN = 10_000
"""Training images that `rank` sees, at most: 6,000 to train on and 4,000 to judge."""

FEATURES = 64
"""The dimension of every representation."""

WIDTH = 8
"""Filters of the first stage of the narrow ResNet-18."""

PROBED = 6_000
"""Training images that the probe of a truth is fitted on, at most."""

FEWEST_STEPS = 900
"""Steps of a truth, at least: three times a pilot's, also on a set of few images."""


def thumbnail(side: int) -> Statistic:
    """The image at a few pixels: shape, at 4 x 4."""

    def shrunk(images: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(images, side)

    return shrunk


def edges(images: torch.Tensor) -> torch.Tensor:
    """A histogram of the directions of edges, weighed by their strength."""
    gray = images.mean(dim=1)
    across, down = gray[:, :-1].diff(dim=2), gray[:, :, :-1].diff(dim=1)
    strength, angle = torch.hypot(across, down), torch.atan2(down, across)
    bins = ((angle / (2 * math.pi) + 0.5) * 8).long().clamp(0, 7)
    return torch.stack([(strength * (bins == b)).mean(dim=(1, 2)) for b in range(8)], dim=1)


OTHERS: dict[str, Statistic] = {
    **SHORTCUTS,
    "2 x 2": thumbnail(2),
    "4 x 4": thumbnail(4),
    "edge directions": edges,
}

CHOICES: dict[str, tuple[str, ...]] = {
    "first half": ("channel means", "channel equality", "histogram"),
    "second half": ("channel spreads", "sharpness", "border pixels"),
    "means and spreads": ("channel means", "channel spreads"),
    "without border": tuple(name for name in SHORTCUTS if name != "border pixels"),
    "with 2 x 2": (*SHORTCUTS, "2 x 2"),
    "with edge directions": (*SHORTCUTS, "edge directions"),
    "with 4 x 4, which shows shape": (*SHORTCUTS, "4 x 4"),
}
"""Other choices of U, beside that of `rank`."""


@dataclass(frozen=True)
class Cell:
    """One truth: a task, or no training, of a set with an encoder and a seed."""

    images: str
    task: str
    encoder: str
    seed: int
    shown: int
    epochs: int


CELL = ("images", "task", "encoder", "seed", "shown", "epochs")


def build(name: str, shape: tuple[int, ...]) -> nn.Module:
    if name == "resnet":
        return ResNet18(shape[0], FEATURES, width=WIDTH)
    return build_encoder(name, shape, features=FEATURES)


class Encoder:
    """Makes an untrained encoder; a class, so that a process can be told which."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.name, self.shape = name, shape

    def __call__(self) -> nn.Module:
        """An untrained encoder."""
        return build(self.name, self.shape)


def truth(cell: Cell, root: Path | None) -> dict[str, object]:
    """Train one task for long, fit a linear probe on training images, judge it on test images."""
    keep_freed_memory()
    start = time.process_time()
    with threadpool_limits(limits=1):
        torch.set_num_threads(1)
        found = load(cell.images, root)
        rng = np.random.default_rng([cell.seed, 0x7E57])
        rows = rng.permutation(len(found.train))[: cell.shown]
        source = ImageSet(torch.from_numpy(found.train[rows]))
        batch = min(128, len(rows))
        epochs = max(cell.epochs, min(100, math.ceil(FEWEST_STEPS / (len(rows) // batch))))
        fitted = train(
            Untrained() if cell.task == "random encoder" else PredictTransformation(cell.task),
            source,
            seed=100 + cell.seed,
            encoder=Encoder(cell.encoder, source.shape),
            options=Training(epochs=epochs, batch_size=batch, learning_rate=2e-3, device="cpu"),
            progress=False,
        )
        probed = rng.permutation(len(found.train))[:PROBED]
        z, held = fitted.represent(found.train[probed]), fitted.represent(found.test)
        mean, spread = z.mean(axis=0), z.std(axis=0) + 1e-6
        linear = GridSearchCV(LogisticRegression(max_iter=200), {"C": (0.01, 0.1, 1.0, 10.0)}, cv=3)
        linear.fit((z - mean) / spread, found.train_labels[probed])
        right = linear.predict((held - mean) / spread) == found.test_labels
    return {
        "accuracy": float(right.mean()),
        "tested": len(right),
        "loss": float(fitted.curve["loss"].iloc[-1]) if len(fitted.curve) else float("nan"),
        "seconds": time.process_time() - start,
    }


def pilots(name: str, root: Path | None, jobs: int) -> pd.DataFrame:
    """What `rank` says of each task of a set, and I(A;X|U) with other U."""
    found = load(name, root)
    rows = np.random.default_rng(0x5403).permutation(len(found.train))[:SHOWN]
    ranking = rank(found.train[rows], found.train_labels[rows], jobs=jobs, device="cpu")
    table = ranking.table.drop(columns=["told", "augmentation", "rank", "worth"])
    table = table.rename(columns={"transformation": "task"})
    chosen = candidates((), tuple(found.train.shape[1:]))
    spread = Parallel(n_jobs=jobs)(delayed(others)(c, found, rows) for c in chosen)
    by_task = {c.name: values for c, values in zip(chosen, spread, strict=True)}
    for choice in CHOICES:
        table[f"I(A;X|U) {choice}"] = [
            told - by_task[task][choice] for told, task in zip(table["I(A;X)"], table["task"], strict=True)
        ]
    table.insert(0, "images", name)
    table["raw pixels"] = next(r.accuracy for r in ranking.references if r.name == "raw pixels")
    table["source"], table["seconds"] = source_digest(), ranking.seconds
    return table


def others(candidate: Candidate, found: Images, rows: npt.NDArray[np.int64]) -> dict[str, float]:
    """I(A;U) of other choices of U, from as many images as a pilot has."""
    cut = round(0.6 * len(rows))
    drawn = []
    with threadpool_limits(limits=1):
        torch.set_num_threads(1)
        for part, seed in ((np.tile(rows[:cut], 2), 1), (rows[cut:], 2)):
            codes = candidate.task.draw(len(part), generator(seed, Purpose.LABELS))
            shown = candidate.task.apply(torch.from_numpy(found.train[part]), codes)
            drawn.append((shown, candidate.task.predicted(codes).numpy()))
        (fitted, labels), (judged, truths) = drawn
        result = {}
        for choice, names in CHOICES.items():
            u, shown = (statistics(x, names, known=OTHERS) for x in (fitted, judged))
            members = predicted((u, labels), shown, candidate.task.states, seed=0)
            log_p = combined(members, truths, candidate.task.states, folds=5)
            result[choice] = float(
                np.log(candidate.task.states) + log_p[np.arange(len(truths)), truths].mean()
            )
    return result


def cells(options: argparse.Namespace, names: Sequence[str]) -> Iterable[Cell]:
    """Every truth, in the order in which they are made."""
    for seed in range(options.seeds):
        for encoder in options.encoders:
            for name in names:
                found = load(name, options.root)
                tasks = [c.name for c in candidates((), tuple(found.train.shape[1:]))]
                for task in ("random encoder", *tasks):
                    yield Cell(name, task, encoder, seed, options.images, options.epochs)


def append(path: Path, rows: pd.DataFrame) -> None:
    rows.to_csv(
        path, mode="a", header=not path.exists(), index=False, float_format="%.6g", quoting=csv.QUOTE_MINIMAL
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--sets", nargs="*", default=None)
    parser.add_argument("--encoders", nargs="*", default=["resnet", "c4"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-truth", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    start = time.monotonic()
    names = options.sets or [*MADE, *(SHARED if options.root else ())]
    predictions, truths = RESULTS / "ranking-pilots.csv", RESULTS / "ranking-truth.csv"

    def left() -> float:
        return options.minutes * 60 - (time.monotonic() - start)

    if not options.report:
        for name in names:
            known = set(pd.read_csv(predictions)["images"]) if predictions.exists() else set()
            if name not in known and left() > 0:
                append(predictions, pilots(name, options.root, options.jobs))
                print(f"pilots of {name}: {time.monotonic() - start:.0f} s", flush=True)
    if not (options.report or options.no_truth):
        done = set()
        if truths.exists():
            done = {tuple(row) for row in pd.read_csv(truths)[list(CELL)].itertuples(index=False)}
        waiting = [c for c in cells(options, names) if tuple(getattr(c, f) for f in CELL) not in done]
        for at in range(0, len(waiting), 2 * options.jobs):
            if left() <= 0:
                print(f"time is over: {len(waiting) - at} cells are left", flush=True)
                break
            part = waiting[at : at + 2 * options.jobs]
            found = Parallel(n_jobs=options.jobs)(delayed(truth)(cell, options.root) for cell in part)
            rows = [
                {**{f: getattr(c, f) for f in CELL}, **r, "source": source_digest()}
                for c, r in zip(part, found, strict=True)
            ]
            append(truths, pd.DataFrame(rows))
            print(
                f"{at + len(part)} of {len(waiting)}: {part[-1]}, {time.monotonic() - start:.0f} s",
                flush=True,
            )
    write_report(RESULTS, half, tuple(CHOICES))


if __name__ == "__main__":
    main()
