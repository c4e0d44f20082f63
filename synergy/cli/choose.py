"""`synergy rank`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from synergy.cli.app import JSON, app, emit

_LABELS = ("C", "label", "labels", "class", "y", "target")


def _images_and_labels(data: str) -> tuple[Any, Any]:
    """The images and classes of `digits`, of a generated folder or of a file.

    Raises:
        ValueError: If the data has no images or no labels, or several that could be meant.
    """
    if data == "digits":
        from sklearn.datasets import load_digits

        bunch = load_digits()
        return bunch.images / 16, bunch.target
    from synthetic import read_data

    sample = read_data(Path(data))
    images = [name for name, v in sample.variables.items() if v.kind == "image"]
    discrete = [name for name, v in sample.variables.items() if v.kind == "discrete"]
    labels = [name for name in _LABELS if name in discrete] or (discrete if len(discrete) == 1 else [])
    if len(images) != 1:
        raise ValueError(f"{data!r} must hold one column of images, got {images or 'none'} in {sample.names}")
    if not labels:
        raise ValueError(f"{data!r} must hold a column of labels named one of {_LABELS}, got {sample.names}")
    return sample[images[0]], sample[labels[0]]


@app.command("rank")
def rank_command(
    data: Annotated[
        str, typer.Argument(help="digits, a generated folder, or a file with images and labels.")
    ],
    transformation: Annotated[
        list[str] | None, typer.Option("--transformation", help="A name; none for all that fit.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A folder for ranking.csv and ranking.json.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    as_json: JSON = False,
) -> None:
    """Rank pretext transformations by the class information that solving them forces."""
    from synergy.ranking import QUANTITIES, rank

    images, labels = _images_and_labels(data)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("ranking", total=None)

        def progress(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)

        ranking = rank(
            images, labels, transformations=tuple(transformation or ()), seed=seed, progress=progress
        )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        ranking.table.to_csv(out / "ranking.csv", index=False)
        (out / "ranking.json").write_text(json.dumps({**ranking.to_dict(), "seed": seed}, indent=2) + "\n")
    if as_json:
        emit(ranking.to_dict())
        return
    table = Table(title=f"{ranking.images} images of {ranking.classes} classes, usable information in nats")
    table.add_column("transformation")
    table.add_column("states", justify="right")
    for name in QUANTITIES:
        table.add_column(name, justify="right")
    for row in ranking.table.to_dict("records"):
        cells = [f"{row[name]:.3f} ± {row[f'{name} ±']:.3f}" for name in QUANTITIES]
        table.add_row(str(row["transformation"]), str(row["states"]), *cells)
    Console(width=None if console.is_terminal else 120).print(table)
