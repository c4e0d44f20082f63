"""`synergy repair` and `synergy bounds`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from synergy.cli.app import DIAGRAM, JSON, app, emit, in_options
from theory.diagrams import read_diagram

_VIOLATED = 1
"""The exit status of a false statement."""

GIVEN = Annotated[list[str] | None, typer.Option("--given", help="A statement to assume; may be repeated.")]
"""The option `--given`."""


@contextmanager
def _progress_line() -> Iterator[Callable[[str], None] | None]:
    """One changing line on a terminal that says what is being done; nothing in a pipe."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with console.status("starting") as line:
        yield line.update


@app.command("repair")
def repair_command(
    statement: Annotated[str, typer.Argument(help='Such as "I(A;C|Z) <= I(A;C|X)".')],
    given: GIVEN = None,
    diagram: DIAGRAM = "none",
    within: Annotated[
        list[str] | None,
        typer.Option("--within", help="A further variable that premises may name; may be repeated."),
    ] = None,
    at_most: Annotated[int, typer.Option("--at-most", help="Premises in a set, 1 or 2.")] = 2,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", help="Processor time; 2 by default for up to four variables, else 20."),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Find what would make a false statement true, and what is true instead."""
    from theory import repair

    with _progress_line() as progress:
        found = repair(
            statement,
            diagram=read_diagram(diagram),
            given=tuple(given or ()),
            within=tuple(within or ()),
            at_most=at_most,
            seconds=seconds,
            progress=progress,
        )
    if as_json:
        emit({**found.to_dict(), "notes": [in_options(note) for note in found.notes]})
    else:
        typer.echo(in_options(str(found)))


@app.command("bounds")
def bounds_command(
    term: Annotated[str, typer.Argument(help='Such as "H(C|Z)".')],
    by: Annotated[
        list[str] | None, typer.Option("--by", help="A term to bound it by; may be repeated.")
    ] = None,
    given: GIVEN = None,
    diagram: DIAGRAM = "none",
    at: Annotated[
        list[str] | None,
        typer.Option("--at", help='A value, such as "I(A;Z)=1.1"; may be repeated.'),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", help="The work that may be done, in seconds of a usual core.")
    ] = 10.0,
    as_json: JSON = False,
) -> None:
    """Find the tightest linear bounds of a term by others, and what measured values allow."""
    from theory import bounds

    with _progress_line() as progress:
        found = bounds(
            term,
            by=tuple(by or ()),
            diagram=read_diagram(diagram),
            given=tuple(given or ()),
            at=_values(at or ()) or None,
            seconds=seconds,
            progress=progress,
        )
    if as_json:
        emit({**found.to_dict(), "notes": [in_options(note) for note in found.notes]})
    else:
        typer.echo(in_options(str(found)))
    if found.violated is not None:
        raise typer.Exit(_VIOLATED)


def _values(pairs: list[str] | tuple[()]) -> dict[str, float]:
    """Read `TERM=number` pairs.

    Raises:
        ValueError: If one has no `=` or no number behind it, or a term comes twice.
    """
    found: dict[str, float] = {}
    for pair in pairs:
        name, _, text = pair.rpartition("=")
        try:
            value = float(text)
        except ValueError:
            name = ""
        if not name.strip():
            raise ValueError(f'--at expects TERM=number such as "I(A;Z)=1.1", got {pair!r}')
        if name in found:
            raise ValueError(f"--at names {name!r} twice")
        found[name] = value
    return found
