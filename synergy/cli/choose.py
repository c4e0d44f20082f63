"""`synergy rank` and `synergy experiment`."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from synergy.cli.app import JSON, SEED, app, emit, results_folder

_LABELS = ("C", "label", "labels", "class", "y", "target")


def _images_and_labels(data: str) -> tuple[Any, Any]:
    """The images and classes of `digits`, of a generated folder, of CIFAR-10's test images or of a file.

    Raises:
        ValueError: If the data has no images or no labels, or several that could be meant.
    """
    if data == "digits":
        from sklearn.datasets import load_digits

        bunch = load_digits()
        return bunch.images / 16, bunch.target
    from synthetic import Cifar10, read_data
    from synthetic.images.cifar10 import is_cifar10

    if is_cifar10(data):
        cifar = Cifar10(data, split="test")
        return cifar.raw, cifar.targets
    sample = read_data(Path(data))
    images = [name for name in sample if sample[name].ndim >= 3]
    discrete = [name for name, v in sample.variables.items() if v.kind == "discrete"]
    labels = [name for name in _LABELS if name in discrete] or (discrete if len(discrete) == 1 else [])
    if len(images) != 1:
        raise ValueError(
            f"{data!r} must hold one column of images, of shape (n, height, width) or (n, channels, height, "
            f"width), got {images or 'none'} in {sample.names}"
        )
    if not labels:
        raise ValueError(f"{data!r} must hold a column of labels named one of {_LABELS}, got {sample.names}")
    return sample[images[0]], sample[labels[0]]


@app.command("rank")
def rank_command(
    data: Annotated[
        str, typer.Argument(help="digits, a generated folder, CIFAR-10, or a file with images and labels.")
    ],
    transformation: Annotated[
        list[str] | None,
        typer.Option(
            "--transformation",
            help="A name, see `synergy list transformations`; may be repeated. None: all that fit.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A folder for ranking.csv and ranking.json.")
    ] = None,
    seed: SEED = 0,
    as_json: JSON = False,
) -> None:
    """Rank pretext transformations by the class information that solving them forces."""
    from synergy.ranking.rank import QUANTITIES, rank

    images, labels = _images_and_labels(data)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with (
        results_folder(out),
        Progress(
            *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
        ) as bar,
    ):
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


@app.command("experiment")
def experiment_command(
    name: Annotated[str, typer.Argument(help="Its name, see `synergy list experiments`.")],
    full: Annotated[
        bool | None,
        typer.Option("--full/--quick", help="Five seeds in half an hour, or three in two minutes."),
    ] = None,
    scale: Annotated[
        str, typer.Option("--scale", help="quick, full or large (32 x 32 x 3, ResNet-18, for a GPU).")
    ] = "",
    data: Annotated[
        str, typer.Option("--data", help="digits, glyphs or cifar10; by default the experiment's own.")
    ] = "",
    root: Annotated[
        Path | None, typer.Option("--root", help="The folder with the binary version of CIFAR-10.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=0, help="Training seeds; 0 for the scale's own.")] = 0,
    out: Annotated[Path, typer.Option("--out", help="The folder for the results.")] = Path("results"),
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Processes at once; 0 for one per core.")] = 0,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda; by default the scale's own.")] = "",
    as_json: JSON = False,
) -> None:
    """Run a controlled experiment on what networks learn, with the theory's prediction beside it.

    Finished runs are kept in OUT/NAME/journal.jsonl: a run that was interrupted goes on when it is started
    again, and one with more seeds adds to those that are there.
    """
    from synergy.experiments import Scale, compact, experiment, write_outcome
    from synergy.learning import choose_device

    chosen = experiment(name)
    short = "full" if full else "quick"
    if scale and full is not None and scale != short:
        raise ValueError(f"--{short} and --scale {scale} ask for different scales: give one of them")
    options: dict[str, Any] = {"seeds": seeds, "data": data, "device": device}
    options = {key: value for key, value in options.items() if value}
    if root is not None:
        options["root"] = str(root)
    size = Scale.named(scale or short, **options)  # type: ignore[arg-type]  # checked there
    where = choose_device(size.device)
    processes = jobs or (1 if where.type == "cuda" else os.cpu_count() or 1)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with (
        results_folder(out),
        Progress(
            *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
        ) as bar,
    ):
        task = bar.add_task(name, total=None)

        def progress(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)

        outcome = chosen.run(replace(size, jobs=processes), progress, journal=out / name / "journal.jsonl")
    written = write_outcome(outcome, out)
    if as_json:
        emit({**outcome.to_dict(), "files": [str(path) for path in written]})
        return
    typer.echo(f"{chosen.question} {outcome.told}")
    for title, frame in (
        (chosen.title, compact(outcome.table)),
        ("What the theory says of it", outcome.findings),
        ("Details", compact(outcome.conclusion.details)),
    ):
        if not len(frame):
            continue
        shown = Table(title=title)
        for column in frame.columns:
            shown.add_column(str(column), overflow="fold")
        for row in frame.to_dict("records"):
            shown.add_row(*(str(v) for v in row.values()))
        Console(width=None if console.is_terminal else 160).print(shown)
    typer.echo(f"Predicted: {outcome.conclusion.predicted}")
    typer.echo(f"written to {out / name}/")
