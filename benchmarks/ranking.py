"""Does `rank` tell the truth? Its order, from pilots, against longer training with other encoders.

    python benchmarks/ranking.py [--root FOLDER] [--sets NAME ..] [--encoders c4 resnet] [--seeds 1]
        [--images 20000] [--epochs 20] [--minutes 240] [--jobs 2] [--keep FOLDER] [--report]
        [--pilot-images 6000] [--judged 4000] [--pilot-steps 280] [--pilot-seeds 4] [--longer 2]

For every set of images, `rank` sees at most 10,000 of its training images. The truth is what is predicted:
each task trained for longer on more of them with a narrow C4-equivariant network and a narrow ResNet-18,
neither of which any pilot uses, then a linear probe fitted on training images and judged on test images.

Sets are done one by one, each with its pilots, the truths of the first encoder and other choices of U; the
further encoders and seeds follow in the same order. So whenever --minutes are over, what is done is a mixture
of all kinds of sets. It is kept in `results/ranking-pilots.csv`, `ranking-truth.csv` and
`ranking-shortcuts.csv`, and a run goes on where the last one stopped, also within the pilots of a set where
--keep names a folder. Truths of other sizes are added beside those that are there; pilots are made once, so
remove their file to make others. `results/ranking.md` says which cells there are; --report makes it from
what is kept.
"""

from __future__ import annotations

import argparse
import math
import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from ranking_report import write_report
from ranking_sets import MADE, ORDER, load
from ranking_shortcuts import shortcuts
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
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
from synergy.learning.encoders import EquivariantEncoder, stem_stride
from synergy.ranking import RankSettings, rank
from synergy.ranking.candidates import candidates
from theory.source import source_digest

RESULTS = Path(__file__).parent / "results"

SHOWN = 10_000
"""Training images that `rank` sees, at most."""

FEATURES = 64
"""The dimension of every representation."""

WIDTH = 8
"""Filters of the first stage of the narrow ResNet-18, and the width of the narrow C4 network."""

PROBED = 6_000
"""Training images that the probe of a truth is fitted on, at most."""

LONGER = 10
"""A truth has at least so many times the steps of a pilot."""

MOST_EPOCHS = 200
"""Passes of a truth over few images, at most."""

PENALTIES = (0.01, 0.1, 1.0)
"""The inverse penalties of the probe, chosen on a fifth of its training images."""


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


class Encoder:
    """Makes an untrained encoder; a class, so that a process can be told which."""

    def __init__(self, name: str, shape: tuple[int, int, int]) -> None:
        self.name, self.shape = name, shape

    def __call__(self) -> nn.Module:
        """An untrained encoder."""
        if self.name == "resnet":
            return ResNet18(self.shape[0], FEATURES, width=WIDTH)
        if self.name == "c4":
            stride = stem_stride(self.shape)
            return EquivariantEncoder("C4", self.shape[0], FEATURES, width=WIDTH, stride=stride)
        return build_encoder(self.name, self.shape, features=FEATURES)


def pilot_steps(settings: RankSettings, shown: int) -> int:
    """The steps of a pilot of `rank` where it sees so many images."""
    judged = min(settings.judged, round(settings.judged_share * shown))
    size = min(settings.images, shown - judged)
    return settings.step_count(size)


def truth(cell: Cell, root: Path | None, least: int) -> dict[str, object]:
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
        steps = len(rows) // batch
        epochs = max(cell.epochs, min(MOST_EPOCHS, math.ceil(least / steps)))
        fitted = train(
            Untrained() if cell.task == "random encoder" else PredictTransformation(cell.task),
            source,
            seed=100 + cell.seed,
            encoder=Encoder(cell.encoder, found.shape),
            options=Training(epochs=epochs, batch_size=batch, learning_rate=2e-3, device="cpu"),
            progress=False,
        )
        trained = time.process_time() - start
        probed = rng.permutation(len(found.train))[:PROBED]
        z, held = fitted.represent(found.train[probed]), fitted.represent(found.test)
        mean, spread = z.mean(axis=0), z.std(axis=0) + 1e-6
        z, held = (z - mean) / spread, (held - mean) / spread
        tuned = PredefinedSplit(np.where(np.arange(len(probed)) < len(probed) // 5, 0, -1))
        probe = GridSearchCV(LogisticRegression(max_iter=200), {"C": PENALTIES}, cv=tuned)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a probe all the same
            right = probe.fit(z, found.train_labels[probed]).predict(held) == found.test_labels
    return {
        "accuracy": float(right.mean()),
        "tested": len(right),
        "steps": 0 if cell.task == "random encoder" else epochs * steps,
        "loss": float(fitted.curve["loss"].iloc[-1]) if len(fitted.curve) else float("nan"),
        "training seconds": trained,
        "seconds": time.process_time() - start,
    }


def pilots(name: str, options: argparse.Namespace) -> pd.DataFrame:
    """What `rank` says of each task of a set."""
    found = load(name, options.root)
    rows = np.random.default_rng(0x5403).permutation(len(found.train))[:SHOWN]
    settings: RankSettings = options.settings
    ranking = rank(
        found.train[rows],
        found.train_labels[rows],
        seeds=options.pilot_seeds,
        settings=settings,
        jobs=options.jobs,
        device="cpu",
        out=options.keep,
    )
    table = ranking.table.drop(columns=["told", "augmentation", "rank"])
    table = table.rename(columns={"transformation": "task"})
    table.insert(0, "images", name)
    table["raw pixels"] = next(r.accuracy for r in ranking.references if r.name == "raw pixels")
    table["trained on"], table["judged on"] = ranking.trained, ranking.judged
    table["most seeds"] = options.pilot_seeds
    table["longer"], table["source"], table["seconds"] = settings.longer, source_digest(), ranking.seconds
    return table


def append(path: Path, rows: pd.DataFrame) -> None:
    """Add rows to a file, all or none of them."""
    whole = pd.concat([kept(path), rows], ignore_index=True) if path.exists() else rows
    part = path.with_suffix(".part")
    whole.to_csv(part, index=False, float_format="%.6g")
    part.replace(path)


def kept(path: Path) -> pd.DataFrame:
    """What a file has; no rows where there is none."""
    if path.exists():
        return pd.read_csv(path, dtype={"source": str})  # a digest such as 1234e56 is no number
    return pd.DataFrame({name: [] for name in CELL})


def work(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Make what is not there, until time is over."""
    start = time.monotonic()
    files = {part: RESULTS / f"ranking-{part}.csv" for part in ("pilots", "truth", "shortcuts")}

    def over() -> bool:
        return time.monotonic() - start >= options.minutes * 60

    def told(what: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {what}", flush=True)

    for number, (seed, encoder) in enumerate((s, e) for s in range(options.seeds) for e in options.encoders):
        for name in names:
            if over():
                told(f"time is over before {name}, {encoder}, seed {seed}")
                return
            if number == 0 and name not in set(kept(files["pilots"])["images"]):
                append(files["pilots"], pilots(name, options))
                told(f"pilots of {name}")
            found = load(name, options.root)
            tasks = ("random encoder", *(c.name for c in candidates((), found.shape)))
            size = (encoder, seed, options.images, options.epochs)
            cells = [Cell(name, task, *size) for task in tasks]
            done = {tuple(row) for row in kept(files["truth"])[list(CELL)].itertuples(index=False)}
            waiting = [cell for cell in cells if tuple(asdict(cell)[f] for f in CELL) not in done]
            least = LONGER * pilot_steps(options.settings, min(SHOWN, len(found.train)))
            for at in range(0, len(waiting), 2 * options.jobs):
                part = waiting[at : at + 2 * options.jobs]
                rows = Parallel(n_jobs=options.jobs)(delayed(truth)(c, options.root, least) for c in part)
                both = [
                    {**asdict(c), **r, "source": source_digest()} for c, r in zip(part, rows, strict=True)
                ]
                append(files["truth"], pd.DataFrame(both))
                told(f"{name}, {encoder}, seed {seed}: {', '.join(cell.task for cell in part)}")
                if over() and at + len(part) < len(waiting):
                    told(f"time is over within {name}")
                    return
            if number == 0 and name not in set(kept(files["shortcuts"])["images"]):
                append(files["shortcuts"], shortcuts(name, found))
                told(f"other U of {name}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--sets", nargs="*", default=None)
    parser.add_argument("--encoders", nargs="*", default=["c4", "resnet"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--pilot-seeds", type=int, default=4)
    parser.add_argument("--pilot-images", type=int, default=RankSettings.images)
    parser.add_argument("--judged", type=int, default=RankSettings.judged)
    parser.add_argument("--pilot-steps", type=int, default=RankSettings.steps)
    parser.add_argument("--longer", type=float, default=RankSettings.longer)
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, default=None)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    options.settings = RankSettings(
        images=options.pilot_images,
        judged=options.judged,
        epochs=6,
        steps=options.pilot_steps,
        longer=options.longer,
        stretch=4,
    )
    if not options.report:
        work(options, options.sets or [n for n in ORDER if options.root or n in MADE])
    write_report(RESULTS)


if __name__ == "__main__":
    main()
