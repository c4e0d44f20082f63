"""How long should the pilots of `rank` be? Orders by two lengths, against the truths of `ranking.py`.

    python benchmarks/ranking_length.py [--root FOLDER] [--sets NAME ..] [--steps 560 ..] [--minutes 60]
    [--jobs 2]

The default `rank`, without its reasons, on 10,000 images of every set of `ranking.py` whose truths are kept
in `results/ranking-truth.csv`, with pilots of 280 and of 560 steps. The truth is the accuracy of the C4
network after its longest training. `results/ranking-length.csv` keeps the gain of every pilot, a run goes on
where the last one stopped, and `results/ranking-length.md` is the table.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd
from ranking_sets import MADE, ORDER, half, load
from scipy.stats import spearmanr

from synergy.experiments.findings import summarise
from synergy.ranking import RankSettings
from synergy.ranking.candidates import candidates
from synergy.ranking.data import ranked_images
from synergy.ranking.store import Runs
from synergy.ranking.work import Work

RESULTS = Path(__file__).parent / "results"

SHOWN = 10_000
"""Training images that `rank` sees of a set, as in `ranking.py`."""

SEEDS = 4
"""The seeds of `rank` by default."""

LENGTHS = (280, 560)
"""Steps of a pilot, at least; 560 is the default."""


def pilots(name: str, steps: int, root: Path | None, jobs: int) -> pd.DataFrame:
    """The gain of every pilot of a set over the mean of the random encoders, with the group of its task."""
    found = load(name, root)
    rows = np.random.default_rng(0x5403).permutation(len(found.train))[:SHOWN]
    epochs = max(1, round(RankSettings().epochs * steps / RankSettings().steps))
    settings = RankSettings(steps=steps, epochs=epochs)
    data = ranked_images(found.train[rows], found.train_labels[rows], settings, seed=0)
    tasks = candidates((), data.shape, combinations=1, augmentations=("none",))
    work = Work(
        data,
        settings,
        tasks,
        first=0,
        seeds=SEEDS,
        explain=False,
        runs=Runs(data, settings, "cpu", jobs),
    )
    work.race()
    groups, random = work.groups(), work.random().mean()
    return pd.DataFrame(
        [
            {"images": name, "steps": steps, "task": task, "group": groups[task], "seed": seed, "gain": gain}
            for task in work.by_name
            for seed, gain in enumerate(work.scores(task).mean(axis=1) - random)
        ]
    )


def truths() -> pd.DataFrame:
    """The accuracy of the C4 network after its longest training, by set and task."""
    kept = pd.read_csv(RESULTS / "ranking-truth.csv", dtype={"source": str})
    kept = kept[kept["encoder"] == "c4"].sort_values("steps")
    return kept.groupby(["images", "task"], sort=False)["accuracy"].last()


def compared(found: pd.DataFrame) -> pd.DataFrame:
    """One row per set: rank correlation and points lost by the first choice, at each length."""
    worth = truths()
    rows = []
    for name, part in found.groupby("images", sort=False):
        row: dict[str, object] = {"images": name, "half": half(str(name))}
        for steps, own in part.groupby("steps"):
            tasks = own.groupby("task").agg(group=("group", "first"), gain=("gain", "mean"))
            true = np.array([worth[name, task] for task in tasks.index])
            score = tasks["gain"] - 10.0 * tasks["group"]  # by group, then by gain, as in `rank`
            row[f"{steps} rho"] = float(spearmanr(score, true).statistic)
            row[f"{steps} lost"] = 100 * float(true.max() - true[int(np.argmax(score))])
        rows.append(row)
    return pd.DataFrame(rows)


def report(found: pd.DataFrame) -> str:
    """The tables."""
    rows = compared(found)
    lines = [
        "# The length of a pilot",
        "",
        f"The default `rank` on {SHOWN:,} images of each set, four seeds, pilots of two lengths, against",
        "the C4 network after training of ten times the steps of a smaller pilot (`ranking.md`). That longer",
        "pilots help was seen on MNIST, and nothing else was chosen. A Student's interval over sets; both",
        "lengths are compared on the sets that both have.",
        "",
        "Made by `python benchmarks/ranking_length.py` on 2 CPU cores, shared.",
        f"Python {platform.python_version()}.",
        "",
        f"| mean over sets | sets | {' | '.join(f'Spearman, {s} steps' for s in LENGTHS)} | "
        f"{' | '.join(f'points lost, {s} steps' for s in LENGTHS)} |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    both = rows.dropna()
    for name, part in (
        ("judging", both[both["half"] == "judging"]),
        ("CIFAR-10 and MNIST", both[both["half"] == "choosing"]),
        ("all", both),
    ):
        if len(part) > 1:
            spread = [summarise(part[f"{s} rho"].tolist(), bounds=(-1.0, 1.0)) for s in LENGTHS]
            shown = [f"{s.mean:.2f} ({s.low:.2f} to {s.high:.2f})" for s in spread]
            lost = [f"{part[f'{s} lost'].mean():.1f}" for s in LENGTHS]
            lines.append(f"| {name} | {len(part)} | {' | '.join([*shown, *lost])} |")
    columns = [f"{s} {kind}" for kind in ("rho", "lost") for s in LENGTHS]
    heads = [f"{kind}, {s} steps" for kind in ("Spearman", "points lost") for s in LENGTHS]
    lines += ["", f"| set | half | {' | '.join(heads)} |", "| --- | --- | --- | --- | --- | --- |"]
    for _, row in rows.iterrows():
        shown = ["" if pd.isna(row[c]) else f"{row[c]:.2f}" for c in columns]
        lines.append(f"| {row['images']} | {row['half']} | {' | '.join(shown)} |")
    missing = [name for name in ORDER if name not in set(rows["images"])]
    return "\n".join([*lines, "", f"Not run: {'; '.join(missing) or 'none'}.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description="How long should the pilots of a ranking be?")
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--sets", nargs="*", default=None)
    parser.add_argument("--steps", nargs="*", type=int, choices=LENGTHS, default=LENGTHS)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    path = RESULTS / "ranking-length.csv"
    start = time.monotonic()
    known = {name for name, _ in truths().index}
    names = options.sets or [name for name in ORDER if (options.root or name in MADE) and name in known]
    for name, steps in ((name, steps) for name in names for steps in options.steps):
        kept = pd.read_csv(path) if path.exists() else pd.DataFrame({"images": [], "steps": []})
        if ((kept["images"] == name) & (kept["steps"] == steps)).any():
            continue
        if time.monotonic() - start > 60 * options.minutes:
            break
        found = pd.concat([kept, pilots(name, steps, options.root, options.jobs)], ignore_index=True)
        found.to_csv(path, index=False, float_format="%.6g")
        print(f"{time.monotonic() - start:6.0f} s  {name}, {steps} steps", flush=True)
    (RESULTS / "ranking-length.md").write_text(report(pd.read_csv(path)))


if __name__ == "__main__":
    main()
