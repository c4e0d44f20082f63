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

FASTER = (
    *("images", "precision", "augmentation", "ours", "the authors'", "ours is faster by", "bound"),
    *("than theirs in float32", "step alone", "input share"),
)
COLUMNS = (
    *("images", "precision", "augmentation", "cores", "feed", "images/s", "range", "input share"),
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
            "# A pretext step end to end, small CNN",
            "",
            f"Machine: {arguments.machine}; device {device.type}; Python {platform.python_version()}, "
            f"torch {torch.__version__}, torchvision {peers.VERSION} for the authors' feed, numba "
            f"{numba.__version__} for ours. {arguments.seconds:g} s a turn after {arguments.warm} steps to "
            f"warm up, medians of {arguments.repeats} repeats in one run. {arguments.note}".strip(),
            "",
            "Asked for: more images per second than the authors' way in every setting of their scripts, and "
            "less than 15 % of a step in the input pipeline. The bound is what a ratio would be if ours fed "
            "for nothing: theirs over the step alone. Both ways take the same step; the authors' scripts "
            "train in float32, so in mixed precision a column has ours over theirs in float32 too, and "
            "encoders.md what that loses. The step alone is in wall time per image.",
            "",
            "`none`, `mirrors` and `mirrors, colour`: both do the same to an image before it is turned, as "
            "their script for Tables 2 and 4 does (none, sup and simclr) in batches of 128 with 2 workers. "
            "`our .., their ..`: what the experiments do under such names, which is more: resized crops, and "
            "with simclr a blur. `none, of PIL images`: their scripts for Figure 1, which turn images before "
            "they are tensors, in batches of 512 with 4 workers. The images are as large as digits, as the "
            "glyphs of the experiments and as CIFAR-10's.",
            "",
            f"## One training: {single}",
            "",
            "Images per second beside the authors' way, transforms of one image at a time in workers. "
            "Input share: the wall time that ours waits for inputs.",
            "",
            *table(FASTER, faster(turns[turns["cores"] == single], HELPED)),
            "",
            "## One training a core",
            "",
            "Images per second of all trainings, as the experiments run their seeds; no core is left for "
            "workers. Ours is best this way; so is theirs.",
            "",
            *table(FASTER, faster(turns[turns["cores"] != single], UNHELPED)),
            "",
            "## The share of the input pipeline, by pretext task",
            "",
            "Processor time of drawing and transforming a batch over that of the whole step, and the latter "
            "per image, float32, one thread, medians.",
            "",
            *table(
                ("encoder", "task", *shares["images"].unique()),
                by_task(shares),
            ),
            "",
            "## Every turn",
            "",
            "Input share: the wall time spent waiting for inputs.",
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


def faster(turns: pd.DataFrame, rival: str) -> Iterator[Sequence[str]]:
    """Ours beside a way of theirs, for each augmentation; the step, and the share of our inputs."""
    medians = turns.groupby(["images", "precision", "augment", "feed"])["speed"].median()
    for names, whole in turns.groupby(["images", "precision", "augment"], sort=False):
        size, precision, augment = names
        best = medians[names]
        theirs = best[rival]
        scripts = medians.get((size, "float32", augment, rival))
        speeds = f"{best[OURS]:,.0f}", f"{theirs:,.0f}"
        ratios = f"{best[OURS] / theirs:.2f}", f"{best[ALONE] / theirs:.2f}"
        above = "" if precision == "float32" or scripts is None else f"{best[OURS] / scripts:.2f}"
        yield (
            *names,
            *speeds,
            *ratios,
            above,
            f"{1e6 / best[ALONE]:.1f} µs",
            f"{whole.loc[whole['feed'] == OURS, 'share'].median():.1%}",
        )


def by_task(shares: pd.DataFrame) -> Iterator[Sequence[str]]:
    """The shares of each task, a column for each size."""
    sizes = shares["images"].unique()
    largest = shares.loc[shares["images"] == sizes[-1], ["encoder", "task"]]
    for encoder, task in largest.itertuples(index=False):
        found = shares[(shares["encoder"] == encoder) & (shares["task"] == task)].set_index("images")
        cells = [
            f"{found.at[size, 'share']:.1%} of {found.at[size, 'cpu']:,.0f} µs" if size in found.index else ""
            for size in sizes
        ]
        yield (encoder, task, *cells)


def every(turns: pd.DataFrame) -> Iterator[Sequence[str]]:
    """Each feed for each augmentation and each way to use the cores."""
    for names, part in turns.groupby(["images", "precision", "augment", "cores"], sort=False):
        speed = part.pivot(index="repeat", columns="feed", values="speed")
        cpu = part.pivot(index="repeat", columns="feed", values="cpu")
        for name in part["feed"].unique():
            yield (
                *names,
                name,
                f"{speed[name].median():,.0f}",
                f"{speed[name].min():,.0f} to {speed[name].max():,.0f}",
                f"{part.loc[part['feed'] == name, 'share'].median():.1%}",
                f"{cpu[name].median():,.0f} µs",
                f"{(speed[OURS] / speed[name]).median():.2f}",
                f"{(cpu[name] / cpu[OURS]).median():.2f}",
                f"{(cpu[name] / cpu[ALONE]).median():.2f}",
            )
