"""`synergy exact`, `synergy generate` and `synergy estimate`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from synergy.cli.app import JSON, SEED, app, emit, settings_of
from synergy.cli.progress import CLUSTER, shown

SET = Annotated[
    list[str] | None,
    typer.Option("--set", help="A parameter of the generator, as name=value; may be repeated."),
]
"""The option `--set`."""
UNIT = Annotated[Literal["nats", "bits"], typer.Option("--unit", help="The unit of what is printed.")]
"""The option `--unit`."""


@app.command("exact")
def exact_command(
    generator: Annotated[str, typer.Argument(help="A family, see `synergy list generators`.")],
    term: Annotated[str, typer.Argument(help='Such as "I(A;C|X)".')],
    parameters: SET = None,
    unit: UNIT = "nats",
    as_json: JSON = False,
) -> None:
    """The closed form and the exact value of an information term in a generator."""
    from synthetic import NoExactAnswerError, make_generator
    from theory import parse_expression

    expression = parse_expression(term)
    world = make_generator(generator, settings_of(parameters or ()))
    factor = 1 / math.log(2) if unit == "bits" else 1.0
    try:
        form = world.predict(expression)
        symbolic, predicted = str(form), world.predicted(expression) * factor
    except NoExactAnswerError:
        symbolic, predicted = None, None
    answer = world.exact(expression)
    value, error = answer.value * factor, answer.standard_error * factor
    if as_json:
        emit(
            {
                "generator": generator,
                "parameters": world.settings,
                "term": str(expression),
                "symbolic": symbolic,
                "predicted": predicted,
                "exact": value,
                "standard_error": error,
                "unit": unit,
                "method": answer.method,
            }
        )
        return
    typer.echo(f"{expression} in {world!r}")
    typer.echo(f"  symbolic   {symbolic if symbolic is not None else 'no closed form'}")
    if predicted is not None:
        typer.echo(f"  predicted  {predicted:.12g} {unit}")
    spread = f" ± {error:.2g}" if error else ""
    typer.echo(f"  exact      {value:.12g}{spread} {unit} ({answer.method})")


@app.command("generate")
def generate_command(
    generator: Annotated[str, typer.Argument(help="A family, see `synergy list generators`.")],
    samples: Annotated[int, typer.Option("--samples", help="Rows to draw.")],
    seed: SEED,
    out: Annotated[Path, typer.Option("--out", help="The folder to make.")],
    parameters: SET = None,
    shards: Annotated[int, typer.Option("--shards", help="Files to spread the rows over.")] = 1,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that draw shards at once.")] = 1,
    address: CLUSTER = None,
    images: Annotated[
        Path | None,
        typer.Option(
            "--images",
            help="Also write the images and their class for other tools: a new folder of class folders, or a "
            ".parquet or .npz file.",
        ),
    ] = None,
    clip: Annotated[
        bool, typer.Option("--clip", help="Clip the pixels of --images to [0, 1], as image files need.")
    ] = False,
) -> None:
    """Write a dataset with all latents: a folder of safetensors shards and its description."""
    from synthetic import export_images, make_generator, write_dataset
    from synthetic.parallel import cluster

    world = make_generator(generator, settings_of(parameters or ()))
    with cluster(address), shown("rows") as progress:
        path = write_dataset(
            world,
            samples=samples,
            seed=seed,
            out=out,
            shards=shards,
            progress=lambda done, total: progress(done, total, ""),
            tell=lambda line: typer.echo(line, err=True),
            jobs=jobs,
        )
    if images is not None:
        typer.echo(f"images for other tools: {export_images(path, images, clip=clip)}")
    typer.echo(f"{samples} samples of {generator} in {shards} shard{'s' if shards > 1 else ''}: {path}")


@app.command("estimate")
def estimate_command(
    data: Annotated[Path, typer.Argument(help="A generated folder, or .parquet, .csv, .npz, .safetensors.")],
    term: Annotated[str, typer.Argument(help='Such as "I(A;C|X)".')],
    estimator: Annotated[str, typer.Option("--estimator", help="auto, or a name from the list.")] = "auto",
    confidence: Annotated[
        float, typer.Option("--confidence", help="How often the interval covers the value, in (0, 1).")
    ] = 0.95,
    seed: SEED = 0,
    unit: UNIT = "nats",
    groups: Annotated[
        str | None,
        typer.Option(
            "--groups", help="The column whose equal values mark dependent rows; the data's own if none."
        ),
    ] = None,
    blocks: Annotated[
        int | None,
        typer.Option(
            "--blocks",
            help="For rows that follow one another: every so many rows are one group, several times as many "
            "as rows remember. Not with groups.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", help="auto, cpu or cuda, for estimators that train or search there."),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Processes that count shards, for discrete columns.")
    ] = 1,
    address: CLUSTER = None,
    as_json: JSON = False,
) -> None:
    """Estimate an information term from data, with a confidence interval."""
    from synergy.estimators import ESTIMATORS, estimate
    from synthetic.parallel import cluster

    options: dict[str, Any] = {}
    if device is not None:
        if estimator in ESTIMATORS and "device" not in ESTIMATORS[estimator].options:
            able = ", ".join(name for name, entry in ESTIMATORS.items() if "device" in entry.options)
            raise ValueError(f"--device is for the estimators {able}; {estimator} takes none, got {device!r}")
        from synergy.device import choose_device

        choose_device(device)
        options["device"] = device
    with cluster(address):
        found = estimate(
            data,
            term,
            estimator=estimator,
            confidence=confidence,
            seed=seed,
            unit=unit,
            groups=groups,
            blocks=blocks,
            jobs=jobs,
            **options,
        )
    if as_json:
        emit(found.to_dict())
        return
    typer.echo(str(found))
    for note in found.notes:
        typer.echo(f"  note: {note}")
