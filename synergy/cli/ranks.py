"""`synergy rank`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synergy.cli.app import JSON, SEED, app, emit, results_folder
from synergy.cli.images import SIZE, images_of
from synergy.cli.progress import CLUSTER, say, shown

if TYPE_CHECKING:
    from synergy.ranking import Ranking

_PROCESS = 900.0 * 2**20
"""The bytes of a process that runs pilots: its libraries, and some copies of the images it trains on."""

_WIDE = 150
"""Characters of a line that holds all quantities."""

_FIRST = ("H(A|X)", "I(A;U)", "I(A;X|U)")
"""The quantities that are shown on narrow terminals."""


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
            help="A name, see `synergy list transformations`, or several joined by +; may be repeated. "
            "None: all that fit.",
        ),
    ] = None,
    combinations: Annotated[
        int, typer.Option("--combinations", min=1, max=3, help="Try up to so many transformations together.")
    ] = 1,
    augmentation: Annotated[
        list[str] | None,
        typer.Option(
            "--augmentation",
            help="Also after this base augmentation: none, crop, crop+flip, simclr; may be repeated.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=2, help="Trainings of each task.")] = 4,
    explain: Annotated[
        bool,
        typer.Option("--explain/--no-explain", help="Whether to measure what the theory asks of each task."),
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="A folder for ranking.html, .json, .csv and the figure; finished runs are kept there, and "
            "the same command goes on from them.",
        ),
    ] = None,
    size: SIZE = 0,
    seed: SEED = 0,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Processes at once; 0 for one per core.")] = 0,
    address: CLUSTER = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    as_json: JSON = False,
) -> None:
    """Rank pretext tasks by what a short pretraining on them is worth, and say why."""
    from joblib import cpu_count

    from synergy.device import choose_device
    from synergy.ranking import rank, write_ranking
    from synthetic.parallel import cluster, fitting_jobs

    given = images_of(data, size=size)
    processes = jobs or (1 if choose_device(device).type == "cuda" else cpu_count())
    if address is None:
        processes, fewer = fitting_jobs(processes, each=_PROCESS, shared=4.0 * given.images.size)
        if fewer:
            say(fewer)
    with results_folder(out), cluster(address), shown("rank") as progress:
        ranking = rank(
            given,
            transformations=tuple(transformation or ()),
            combinations=combinations,
            augmentations=tuple(dict.fromkeys(["none", *(augmentation or ())])),
            seeds=seeds,
            seed=seed,
            explain=explain,
            out=out,
            jobs=processes,
            device=device,
            progress=progress,
            announce=lambda cost: say(str(cost)),
            tell=say,
        )
    written = [] if out is None else write_ranking(ranking, out)
    if as_json:
        emit(ranking.to_dict())
        return
    _show(ranking)
    if written:
        typer.echo(f"written to {out}: {', '.join(path.name for path in written)}")


def _show(ranking: Ranking) -> None:
    from rich.console import Console
    from rich.table import Table

    from synergy.ranking import headline

    console = Console()
    wide = console if console.is_terminal else Console(width=_WIDE)
    columns = [
        ("H(A|X)", "H(A|X)"),
        ("I(A;C|X)", "synergy"),
        ("J", "J"),
        ("I(A;U)", "shortcut"),
        ("I(A;X|U)", "shape"),
        ("I(A;R|X)", "pose"),
    ]
    if wide.width < _WIDE:  # the paragraphs below have the others
        columns = [column for column in columns if column[0] in _FIRST]
    present = [
        (key, name) for key, name in columns if any(task.quantities.get(key) for task in ranking.tasks)
    ]
    unit = "; in nats: " + ", ".join(name for _, name in present) if present else ""
    table = Table(
        title=f"Gain in points of accuracy over no training, judged on {ranking.judged:,} images of "
        f"{ranking.classes} classes{unit}"
    )
    table.add_column("group", justify="right")
    table.add_column("transformation", no_wrap=True)
    table.add_column("gain", justify="right", no_wrap=True)
    table.add_column("worth")
    for _, name in present:
        table.add_column(name, justify="right", no_wrap=True)
    for number, task in enumerate(ranking.tasks):
        cells = []
        for key, _ in present:
            q = task.quantities.get(key)
            cells.append("" if q is None else f"{q.value:.3f}±{q.error:.3f}")
        last = number + 1 == len(ranking.tasks) or ranking.tasks[number + 1].group != task.group
        table.add_row(
            str(task.group),
            task.name,
            _points(task.gain.value, task.gain.interval),
            task.worth,
            *cells,
            end_section=last,
        )
    for reference in ranking.references:
        points = "0" if reference.gain is None else _points(reference.gain.value, reference.gain.interval)
        table.add_row("", reference.name, points, f"{reference.accuracy:.3f}")
    wide.print(table)
    typer.echo(headline(ranking))
    for task in ranking.tasks:
        typer.echo(f"- {task.told}")
    for note in ranking.notes:
        typer.echo(f"note: {note}")


def _points(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{100 * value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
