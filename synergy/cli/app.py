"""The application and what its commands share."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from theory.diagrams import DIAGRAMS

__all__ = ["DIAGRAM", "JSON", "SEED", "app", "emit", "in_options", "results_folder", "settings_of"]

app = typer.Typer(
    name="synergy",
    help="Prove, predict, compute, estimate and measure information-theoretic claims about "
    "self-supervised learning.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
"""The command that all others belong to."""

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
"""The option `--json`."""
DIAGRAM = Annotated[
    str,
    typer.Option(
        "--diagram",
        help=f'none, {", ".join(DIAGRAMS)}, or edges such as "C->R, A->X"; edges may follow a name.',
    ),
]
"""The option `--diagram`."""
SEED = Annotated[int, typer.Option("--seed", min=0, help="Fixes every random choice.")]
"""The option `--seed`."""


def _show_version(asked: bool) -> None:
    if asked:
        from synergy.version import __version__

        typer.echo(f"synergy {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    show: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    del show


def emit(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON value on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def in_options(text: str) -> str:
    """Advice that names arguments of functions, in the words of the command line."""
    return text.replace("non_shannon=True", "--non-shannon").replace("(seconds=", "(--seconds ")


@contextmanager
def results_folder(out: Path | None) -> Iterator[None]:
    """Make the folder for the results before the work starts; if it fails, leave no empty one behind.

    Raises:
        ValueError: If it is a file or cannot be made or written to.
    """
    if out is None:
        yield
        return
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out must be a folder, got the file {str(out)!r}")
    new = [place for place in (out, *out.parents) if not place.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ValueError(f"cannot write to the folder {str(out)!r}: {error.strerror}") from error
    try:
        yield
    except BaseException:
        for place in new:
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()
        raise


def settings_of(pairs: Sequence[str]) -> dict[str, str]:
    """Read `name=value` pairs.

    Raises:
        ValueError: If a pair has no `=`, or a name comes twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ValueError(f"--set expects name=value, got {pair!r}")
        if name in found:
            raise ValueError(f"--set names {name!r} twice")
        found[name] = value
    return found
