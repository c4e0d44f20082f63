"""The tables of `training.py`."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

import numba
import pandas as pd
import torch
import training_peers as peers

RESULTS = Path(__file__).parent / "results"
ALONE, OURS, HELPED, UNHELPED = "step alone", "ours", "authors', workers", "authors', no worker"

FASTER = ("precision", "augmentation", "ours", "the authors'", "ours is faster by", "bound")
COLUMNS = (
    *("precision", "augmentation", "cores", "feed", "images/s", "range", "input share"),
    *("processor time per image", "wall: ours is faster by", "processor: ours needs less by"),
    "bound on the latter",
)


def report(
    turns: pd.DataFrame, shares: pd.DataFrame, arguments: argparse.Namespace, device: torch.device
) -> None:
    """Write and print what was measured."""
    RESULTS.mkdir(exist_ok=True)
    suffix = "" if device.type == "cpu" else f"-{device.type}"
    turns.to_csv(RESULTS / f"training{suffix}.csv", index=False)
    shares.to_csv(RESULTS / f"training-shares{suffix}.csv", index=False)
    single = turns["cores"].unique()[0]
    text = "\n".join(
        [
            "# A pretext step end to end, 32x32x3, small CNN",
            "",
            f"Machine: {arguments.machine}; device {device.type}; Python {platform.python_version()}, "
            f"torch {torch.__version__}, torchvision {peers.VERSION} for the authors' feed, numba "
            f"{numba.__version__} for ours. Batch {arguments.batch}, {arguments.seconds:g} s a turn after "
            f"{arguments.warm} steps to warm up, medians of {arguments.repeats} repeats in one run of the "
            f"benchmark; the authors' feed has {arguments.workers} workers or none. {arguments.note}".strip(),
            "",
            "Asked for: 5 times the images per second of the authors' way, and less than 15 % of a step in "
            "the input pipeline. The bound is what a ratio would be if ours fed for nothing: theirs over the "
            "step alone; where it is below 5, no way of feeding reaches 5 with this network.",
            "",
            "`none`, `mirrors` and `mirrors, colour`: both do the same to an image before it is turned "
            "(theirs calls them none, sup and simclr). `our .., their ..`: what the experiments do under "
            "such names, which is more: resized crops, and with simclr a blur.",
            "",
            f"## One training: {single}",
            "",
            "Images per second beside the authors' way, transforms of one image at a time in workers. "
            "Input share: the wall time that ours waits for inputs; the threads share the step, but hardly "
            "the inputs.",
            "",
            *table(
                (*FASTER, "input share"),
                faster(turns[turns["cores"] == single], (HELPED,), shares=True),
            ),
            "",
            "## The best of each",
            "",
            "Images per second in the better way to use the cores, theirs with workers or without: both are "
            "best with one training a core, as the experiments run their seeds, and theirs without workers.",
            "",
            *table(
                FASTER,
                faster(turns, (HELPED, UNHELPED)),
            ),
            "",
            "## The share of the input pipeline, by pretext task",
            "",
            "Processor time of drawing and transforming a batch over that of the whole step, float32, one "
            "thread, medians.",
            "",
            *table(
                ("encoder", "task", "input share", "processor time of a step per image"),
                ((r.encoder, r.task, f"{r.share:.1%}", f"{r.cpu:,.0f} µs") for r in shares.itertuples()),
            ),
            "",
            "## Every turn",
            "",
            "Input share: the wall time spent waiting for inputs. A lowest speed far below the others is the "
            "first turn of all, while the processes of the runs side by side start.",
            "",
            *table(
                COLUMNS,
                every(turns),
            ),
            "",
        ]
    )
    (RESULTS / f"training{suffix}.md").write_text(text)
    print(text)


def table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def faster(turns: pd.DataFrame, rivals: Sequence[str], *, shares: bool = False) -> Iterator[Sequence[str]]:
    """Ours beside the best of some rivals, for each augmentation; with the share of our inputs, if asked."""
    for (precision, augment), whole in turns.groupby(["precision", "augment"], sort=False):
        best = whole.groupby(["cores", "feed"])["speed"].median().unstack().max()
        theirs = best[[name for name in rivals if name in best]].max()
        ratio, bound = best[OURS] / theirs, best[ALONE] / theirs
        cells = precision, augment, f"{best[OURS]:,.0f}", f"{theirs:,.0f}", f"{ratio:.2f}", f"{bound:.2f}"
        waited = whole.loc[whole["feed"] == OURS, "share"].median()
        yield (*cells, f"{waited:.1%}") if shares else cells


def every(turns: pd.DataFrame) -> Iterator[Sequence[str]]:
    """Each feed for each augmentation and each way to use the cores."""
    for (precision, augment, cores), part in turns.groupby(["precision", "augment", "cores"], sort=False):
        speed = part.pivot(index="repeat", columns="feed", values="speed")
        cpu = part.pivot(index="repeat", columns="feed", values="cpu")
        for name in part["feed"].unique():
            yield (
                precision,
                augment,
                cores,
                name,
                f"{speed[name].median():,.0f}",
                f"{speed[name].min():,.0f} to {speed[name].max():,.0f}",
                f"{part.loc[part['feed'] == name, 'share'].median():.1%}",
                f"{cpu[name].median():,.0f} µs",
                f"{(speed[OURS] / speed[name]).median():.2f}",
                f"{(cpu[name] / cpu[OURS]).median():.2f}",
                f"{(cpu[name] / cpu[ALONE]).median():.2f}",
            )
