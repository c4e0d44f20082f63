"""`synergy rank` and `synergy experiment`."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from synergy.cli.app import JSON, SEED, app, emit, results_folder
from synergy.cli.images import SIZE, images_of


@app.command("rank")
def rank_command(
    data: Annotated[
        str,
        typer.Argument(
            help="digits, a folder of class folders, a file with images and labels, a generated folder."
        ),
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
    size: SIZE = 0,
    seed: SEED = 0,
    as_json: JSON = False,
) -> None:
    """Rank pretext transformations by the class information that solving them forces."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Table

    from synergy.ranking.rank import QUANTITIES, rank

    given = images_of(data, size=size)
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
            given.images,
            given.labels,
            transformations=tuple(transformation or ()),
            seed=seed,
            progress=progress,
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


def _named_or_read(data: str, size: int) -> Any:  # noqa: ANN401 - a name, or images
    """The name of images that experiments know, or the images that lie at a path."""
    from typing import get_args

    from synergy.experiments.scale import DataName
    from synergy.learning import ImageSet

    if not data or data in get_args(DataName):
        return data
    if not Path(data).exists():
        raise ValueError(f"--data must be one of {', '.join(get_args(DataName))}, or a path, got {data!r}")
    given = images_of(data, size=size)
    return ImageSet.from_arrays(given.generator("horizontal-flip").raw, {"C": given.labels})


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
        str,
        typer.Option(
            "--data",
            help="digits, glyphs, cifar10, or your own images as in rank; by default its own.",
        ),
    ] = "",
    size: SIZE = 0,
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
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Table

    from synergy.experiments import Scale, compact, experiment, write_outcome
    from synergy.learning import choose_device

    chosen = experiment(name)
    short = "full" if full else "quick"
    if scale and full is not None and scale != short:
        raise ValueError(f"--{short} and --scale {scale} ask for different scales: give one of them")
    where = choose_device(device or Scale.named(scale or short).device)  # type: ignore[arg-type]  # checked there
    options: dict[str, Any] = {"seeds": seeds, "data": _named_or_read(data, size), "device": device}
    options = {key: value for key, value in options.items() if value not in ("", 0)}
    if root is not None:
        options["root"] = str(root)
    chosen_scale = Scale.named(scale or short, **options)  # type: ignore[arg-type]  # checked there
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

        outcome = chosen.run(
            replace(chosen_scale, jobs=processes), progress, journal=out / name / "journal.jsonl"
        )
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
