"""`synergy sweep`: a function of one's own over a grid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from synergy.cli.app import JSON, app, emit
from synergy.cli.functions import named_function
from synergy.cli.progress import CLUSTER, say, shown

_SHOWN = 20
"""The failed cells that are printed; all of them are in the store."""


@app.command("sweep")
def sweep_command(
    function: Annotated[str, typer.Argument(help="MODULE:FUNCTION, as for `python -m`; it takes a seed.")],
    grid: Annotated[
        list[str],
        typer.Option(
            "--grid",
            help="A parameter and its values: n=2,3,4 or, as JSON, sizes=[[1,2],[3,4]]; may be repeated.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder to keep the cells in.")],
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Seeds of each cell, from 0.")] = 1,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Processes at once; 0 for one per core.")] = 0,
    address: CLUSTER = None,
    as_json: JSON = False,
) -> None:
    """Run a function over all combinations of parameters, each with every seed, and keep what it gives.

    The same command goes on where it was stopped. Exit status 1 if a cell failed.
    """
    from joblib import cpu_count

    from synergy.sweeping import sweep
    from synthetic.parallel import cluster

    called = named_function(function)
    values = dict(_values(pair) for pair in grid)
    if len(values) < len(grid):
        raise ValueError(f"--grid names a parameter twice: {', '.join(grid)}")
    with cluster(address), shown("sweep") as progress:
        found = sweep(
            called, values, seeds=seeds, out=out, jobs=jobs or cpu_count(), progress=progress, tell=say
        )
    failed = found.failed
    if as_json:
        emit(json.loads(found.to_json()))
    else:
        typer.echo(f"{len(found)} cells of {found.function}, {len(failed)} failed, in {out}")
    for failure in failed[:_SHOWN]:
        say(str(failure))
    raise typer.Exit(int(bool(failed)))


def _values(pair: str) -> tuple[str, list[Any]]:
    """A parameter and its values: a JSON list, or values between commas, each JSON or else text.

    Example:
        >>> _values("n=2,0.5,true,blue"), _values("sizes=[[1,2],[3]]")
        (('n', [2, 0.5, True, 'blue']), ('sizes', [[1, 2], [3]]))

    Raises:
        ValueError: If it is not name=values.
    """
    name, equals, text = pair.partition("=")
    if not equals or not name or not text:
        raise ValueError(f"--grid expects name=value,value,.., got {pair!r}")
    if text.startswith("["):
        try:
            return name, list(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"--grid {name} is no JSON list: {error}, got {text!r}") from None
    return name, [_value(part) for part in text.split(",")]


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
