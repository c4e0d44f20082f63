"""The application and what its commands share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

__all__ = ["JSON", "app", "emit", "settings_of"]

app = typer.Typer(
    name="synergy",
    help="Prove, predict, compute, estimate and measure information-theoretic claims about "
    "self-supervised learning.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def emit(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON value on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


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
