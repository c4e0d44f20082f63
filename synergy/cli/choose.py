"""`synergy experiment`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synergy.cli.app import JSON, app, emit, results_folder
from synergy.cli.functions import named_function
from synergy.cli.images import SIZE, images_of
from synergy.cli.progress import CLUSTER, say, shown

if TYPE_CHECKING:
    from synergy.experiments.scale import EncoderLike
    from synergy.learning import ImageSet


def _named_or_read(data: str, size: int) -> str | ImageSet | tuple[ImageSet, ...]:
    """The name of images that experiments know, or the images that lie at a path."""
    from typing import get_args

    from synergy.experiments.scale import DataName
    from synergy.learning import ImageSet

    if not data or data in get_args(DataName):
        return data
    if not Path(data).exists():
        raise ValueError(f"--data must be one of {', '.join(get_args(DataName))}, or a path, got {data!r}")
    given = images_of(data, size=size)
    states = {"C": len(given.names)}
    sets = [
        ImageSet.from_arrays(part.generator("horizontal-flip").raw, {"C": part.labels}, states=states)
        for part in (given.split() if given.trained is not None else (given,))
    ]
    return sets[0] if len(sets) == 1 else tuple(sets)


def _pair_of(encoders: str) -> tuple[EncoderLike, ...]:
    """The encoders between commas: names, or MODULE:FUNCTION."""
    found: list[EncoderLike] = []
    for text in encoders.split(","):
        name = text.strip()
        found.append(named_function(name) if ":" in name else name)
    if len(found) != 2:
        raise ValueError(f"--encoders must be two between a comma, such as cnn,c4, got {encoders!r}")
    return tuple(found)


@app.command("experiment")
def experiment_command(
    name: Annotated[str, typer.Argument(help="Its name, see `synergy list experiments`.")],
    full: Annotated[
        bool | None,
        typer.Option("--full/--quick", help="Five seeds in up to forty minutes, or three in up to three."),
    ] = None,
    scale: Annotated[
        str, typer.Option("--scale", help="quick, full or large (32 x 32 x 3, ResNet-18, for a GPU).")
    ] = "",
    data: Annotated[
        str,
        typer.Option(
            "--data",
            help="digits, glyphs, cluttered-glyphs, cifar10, or your own images as in rank; by default the "
            "experiment's own.",
        ),
    ] = "",
    size: SIZE = 0,
    root: Annotated[
        Path | None, typer.Option("--root", help="The folder with the binary version of CIFAR-10.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=0, help="Training seeds; 0 for the scale's own.")] = 0,
    encoders: Annotated[
        str,
        typer.Option(
            "--encoders",
            help="The two that model-equivariance compares: names such as resnet18,c4-resnet18, or "
            "MODULE:FUNCTION that makes a module.",
        ),
    ] = "",
    labelled: Annotated[
        int,
        typer.Option(
            "--labelled", min=0, help="Labelled images of each class for probes; 0 for the experiment's own."
        ),
    ] = 0,
    out: Annotated[Path, typer.Option("--out", help="The folder for the results.")] = Path("results"),
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Processes at once; 0 for one per core.")] = 0,
    address: CLUSTER = None,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda; by default the scale's own.")] = "",
    as_json: JSON = False,
) -> None:
    """Run a controlled experiment on what networks learn, with the theory's prediction beside it.

    Finished runs are kept in OUT/NAME/journal.jsonl: a run that was interrupted goes on when it is started
    again, and one with more seeds adds to those that are there.
    """
    from joblib import cpu_count
    from rich.console import Console
    from rich.table import Table

    from synergy.experiments import Scale, compact, experiment, write_outcome
    from synergy.learning import choose_device
    from synthetic.parallel import cluster, fitting_jobs

    chosen = experiment(name)
    if encoders and name != "model-equivariance":
        raise ValueError(f"--encoders is for model-equivariance, which compares two; got it with {name}")
    short = "full" if full else "quick"
    if scale and full is not None and scale != short:
        raise ValueError(f"--{short} and --scale {scale} ask for different scales: give one of them")
    choose_device(device or Scale.named(scale or short).device)  # before images are read
    own: dict[str, Any] = {"encoders": _pair_of(encoders)} if encoders else {}
    own |= {"labelled": labelled} if labelled else {}
    Scale(**own)
    options: dict[str, Any] = {"seeds": seeds, "data": _named_or_read(data, size), "device": device, **own}
    options = {key: value for key, value in options.items() if value not in ("", 0)}
    if root is not None:
        options["root"] = str(root)
    chosen_scale = Scale.named(scale or short, **options)
    where = choose_device(chosen_scale.device)
    processes = jobs or (1 if where.type == "cuda" else cpu_count())
    if address is None:
        each, together = chosen_scale.memory
        processes, fewer = fitting_jobs(processes, each=each, shared=together)
        if fewer:
            say(fewer)
    with results_folder(out), cluster(address), shown(name) as progress:
        outcome = chosen.run(
            replace(chosen_scale, jobs=processes),
            progress,
            journal=out / name / "journal.jsonl",
            tell=say,
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
        printed = Table(title=title)
        for column in frame.columns:
            printed.add_column(str(column), overflow="fold")
        for row in frame.to_dict("records"):
            printed.add_row(*(str(v) for v in row.values()))
        Console(width=None if Console().is_terminal else 160).print(printed)
    typer.echo(f"Predicted: {outcome.conclusion.predicted}")
    typer.echo(f"written to {out / name}/")
