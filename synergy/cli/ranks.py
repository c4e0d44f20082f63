"""`synergy rank`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from synergy.cli.app import JSON, SEED, app, emit, results_folder, settings_of
from synergy.cli.images import SIZE, images_of
from synergy.cli.progress import CLUSTER, say, shown

if TYPE_CHECKING:
    from synergy.ranking import Ranking, RankSettings

_PROCESS = 900.0 * 2**20
"""The bytes of a process that runs pilots: its libraries, and some copies of the images it trains on."""

_WIDE = 160
"""Characters of a line that holds all quantities."""

_OPTIONS = {
    "channels='first' or 'last'": "--channels first or last",
    "settings.": "--set ",
    "size resizes": "--size resizes",
}
"""What errors call arguments of `rank` and of what reads images, and the options."""

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
            help="A name, see `synergy list transformations`, several joined by +, or one with parameters "
            "such as {'name': 'continuous-rotation', 'steps': 8}; may be repeated. None: all that fit.",
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
    channels: Annotated[
        Literal["auto", "first", "last"],
        typer.Option("--channels", help="Where arrays of images have their channel axis."),
    ] = "auto",
    sized: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting of the pilots, such as steps=1000 or most_epochs=200, see `RankSettings`; may be "
            "repeated.",
        ),
    ] = None,
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

    settings = _settings(sized or ())
    tasks = tuple(_transformation(text) for text in transformation or ())
    with _in_options():
        given = images_of(data, size=size)
    processes = jobs or (1 if choose_device(device).type == "cuda" else cpu_count())
    if address is None:
        processes, fewer = fitting_jobs(processes, each=_PROCESS, shared=4.0 * given.images.size)
        if fewer:
            say(fewer)
    with _in_options(), results_folder(out), cluster(address), shown("rank") as progress:
        ranking = rank(
            given,
            transformations=tasks,
            combinations=combinations,
            augmentations=tuple(dict.fromkeys(["none", *(augmentation or ())])),
            channels=channels,
            seeds=seeds,
            seed=seed,
            explain=explain,
            settings=settings,
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


@contextmanager
def _in_options() -> Iterator[None]:
    """Errors that name arguments of `rank`, in the words of the command line."""
    try:
        yield
    except ValueError as error:
        said = str(error)
        for name, option in _OPTIONS.items():
            said = said.replace(name, option)
        raise ValueError(said) from error


def _settings(pairs: Sequence[str]) -> RankSettings | None:
    """The settings that `name=value` pairs change; None where there are none.

    Raises:
        ValueError: If a name is unknown or a value does not fit.
    """
    from synergy.ranking import RankSettings

    if not pairs:
        return None
    usual = RankSettings().to_dict()
    values: dict[str, Any] = {}
    for name, text in settings_of(pairs).items():
        if name not in usual:
            near = get_close_matches(name, usual, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ValueError(f"--set has no {name!r}{hint}: expected one of {', '.join(usual)}")
        kind = type(usual[name])
        try:
            values[name] = kind(text)
        except ValueError:
            what = {int: "an integer", float: "a number"}[kind]
            raise ValueError(f"--set {name} must be {what}, got {text!r}") from None
    return RankSettings(**values)


def _transformation(text: str) -> object:
    """A name, or a mapping with parameters as Python writes it.

    Raises:
        ValueError: If it begins as a mapping and is none.
    """
    if not text.lstrip().startswith("{"):
        return text
    try:
        found: object = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(
            "--transformation with parameters must be such as {'name': 'continuous-rotation', 'steps': 8}, "
            f"got {text!r}"
        )
    return found


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
    table.add_column("transformation", overflow="fold", min_width=14)
    table.add_column("gain", justify="right", no_wrap=True)
    table.add_column("worth", no_wrap=True)
    table.add_column("accuracy", justify="right", no_wrap=True)
    for _, name in present:
        table.add_column(name, justify="right", no_wrap=True)
    for number, task in enumerate(ranking.tasks):
        cells = []
        for key, _ in present:
            q = task.quantities.get(key)
            cells.append("" if q is None else f"{q.value:z.3f}±{q.error:.3f}")
        last = number + 1 == len(ranking.tasks) or ranking.tasks[number + 1].group != task.group
        table.add_row(
            str(task.group),
            task.name,
            _points(task.gain.value, task.gain.interval),
            task.worth,
            f"{task.accuracy:.3f}",
            *cells,
            end_section=last,
        )
    for reference in ranking.references:
        points = "0" if reference.gain is None else _points(reference.gain.value, reference.gain.interval)
        table.add_row("", reference.name, points, "", f"{reference.accuracy:.3f}")
    wide.print(table)
    typer.echo(headline(ranking))
    for task in ranking.tasks:
        typer.echo(f"- {task.told}")
    for note in ranking.notes:
        typer.echo(f"note: {note}")


def _points(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{100 * value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
