"""Does the final of `rank` help? Its order with and without, against the truths of `ranking.py`.

    python benchmarks/ranking_final.py [--root FOLDER] [--sets NAME ..] [--minutes 60] [--jobs 2]

The default `rank`, without its reasons, on 10,000 images of every set of `ranking.py` whose truths are kept
in `results/ranking-truth.csv`. Without the final the order is that of the pilots, with it that of the longer
trainings of those which pilots did not tell from the best. The truth is the accuracy of the C4 network after
its longest training. `results/ranking-final.csv` keeps the orders, a run goes on where the last one stopped,
and `results/ranking-final.md` is the table.
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


def orders(name: str, root: Path | None, jobs: int) -> pd.DataFrame:
    """Both orders of the tasks of a set: higher scores first."""
    found = load(name, root)
    rows = np.random.default_rng(0x5403).permutation(len(found.train))[:SHOWN]
    settings = RankSettings()
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
    short = {task: float(work.scores(task).mean()) for task in work.by_name}
    work.play_final()
    last = {task: float(work.scores(task).mean()) for task in work.by_name}
    return pd.DataFrame(
        [
            {
                "images": name,
                "task": task,
                "pilots": short[task],
                "final": last[task],
                "finalist": task in work.finalists,
                "judged on": len(data.judged),
            }
            for task in work.by_name
        ]
    )


def truths() -> pd.DataFrame:
    """The accuracy of the C4 network after its longest training, by set and task."""
    kept = pd.read_csv(RESULTS / "ranking-truth.csv", dtype={"source": str})
    kept = kept[kept["encoder"] == "c4"].sort_values("steps")
    return kept.groupby(["images", "task"], sort=False)["accuracy"].last()


def compared(found: pd.DataFrame) -> pd.DataFrame:
    """One row per set: rank correlation and points lost by the first choice, without and with the final."""
    worth = truths()
    rows = []
    for name, part in found.groupby("images", sort=False):
        true = np.array([worth[name, task] for task in part["task"]])
        row: dict[str, object] = {
            "images": name,
            "half": half(str(name)),
            "finalists": part["finalist"].sum(),
        }
        # The finalists stand first, as in `rank`, by what they gained there.
        ordered = part["final"] + 2.0 * part["finalist"]
        for kind, score in (("pilots", part["pilots"]), ("final", ordered)):
            row[f"{kind} rho"] = float(spearmanr(score, true).statistic)
            row[f"{kind} lost"] = 100 * float(true.max() - true[int(np.argmax(score))])
        rows.append(row)
    return pd.DataFrame(rows)


def report(found: pd.DataFrame) -> str:
    rows = compared(found)
    lines = [
        "# The final of a ranking",
        "",
        f"The default `rank` on {SHOWN:,} images of each set, four seeds, against the C4 network after",
        "training of ten times the steps of a smaller pilot (`ranking.md`). Without the final the order is",
        "that of the pilots; with it, what pilots do not tell from the best is trained three times longer,",
        "and stands first. That a final helps was seen on MNIST, and nothing else was chosen.",
        "",
        "Made by `python benchmarks/ranking_final.py` on 2 CPU cores, shared.",
        f"Python {platform.python_version()}.",
        "",
        "| mean over sets | sets | Spearman, pilots | with a final | points lost, pilots | with a final |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, part in (
        ("judging", rows[rows["half"] == "judging"]),
        ("choosing", rows[rows["half"] == "choosing"]),
    ):
        if len(part) > 1:
            spread = [
                summarise(part[f"{kind} rho"].tolist(), bounds=(-1.0, 1.0)) for kind in ("pilots", "final")
            ]
            shown = [f"{s.mean:.2f} ({s.low:.2f} to {s.high:.2f})" for s in spread]
            lost = [f"{part[f'{kind} lost'].mean():.1f}" for kind in ("pilots", "final")]
            lines.append(f"| {name} | {len(part)} | {' | '.join([*shown, *lost])} |")
    lines += [
        "",
        "| set | half | finalists | Spearman, pilots | with a final | points lost, pilots | with a final |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {r['images']} | {r['half']} | {r['finalists']} | {r['pilots rho']:.2f} | {r['final rho']:.2f} | "
        f"{r['pilots lost']:.1f} | {r['final lost']:.1f} |"
        for _, r in rows.iterrows()
    ]
    missing = [name for name in ORDER if name not in set(rows["images"])]
    return "\n".join([*lines, "", f"Not run: {'; '.join(missing) or 'none'}.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description="Does the final of a ranking help?")
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--sets", nargs="*", default=None)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    path = RESULTS / "ranking-final.csv"
    end = time.monotonic() + 60 * options.minutes
    known = {name for name, _ in truths().index}
    names = options.sets or [name for name in ORDER if (options.root or name in MADE) and name in known]
    for name in names:
        found = pd.read_csv(path) if path.exists() else pd.DataFrame({"images": []})
        if name in set(found["images"]):
            continue
        if time.monotonic() > end:
            break
        found = pd.concat([found, orders(name, options.root, options.jobs)], ignore_index=True)
        found.to_csv(path, index=False, float_format="%.6g")
        print(f"{time.monotonic() - end + 60 * options.minutes:6.0f} s  {name}", flush=True)
    (RESULTS / "ranking-final.md").write_text(report(pd.read_csv(path)))


if __name__ == "__main__":
    main()
