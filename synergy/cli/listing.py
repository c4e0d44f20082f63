"""`synergy list`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from synergy.cli.app import JSON, app, emit

if TYPE_CHECKING:
    from theory import Claim

Row = dict[str, Any]


def _stated(claim: Claim) -> str:
    """The whole claim in one line: what is given, its statement and its law."""
    given = f"given {', '.join(map(str, claim.given))}: " if claim.given else ""
    law = f"; {claim.law}" if claim.law else ""
    return f"{given}{claim.statement}{law}"


def _claims() -> list[Row]:
    from theory import CLAIMS

    return [
        {
            "id": claim.id,
            "chapter": claim.chapter,
            "title": claim.title,
            "claim": _stated(claim),
            "statement": str(claim.statement),
            "given": [str(fact) for fact in claim.given],
            "expectation": claim.expectation,
            "worlds": list(claim.worlds),
            "diagram": str(claim.diagram),
            "prose": claim.prose,
            "reference": claim.reference,
        }
        for claim in CLAIMS.values()
    ]


def _generators() -> list[Row]:
    from synthetic import GENERATORS, READERS, describe

    rows = []
    for family in (*GENERATORS, *READERS):
        row = describe(family)
        defaults = {p["name"]: p["default"] for p in row["parameters"]}
        rows.append({**row, "defaults": defaults})
    return rows


def _estimators() -> list[Row]:
    from synergy.estimators import ESTIMATORS

    return [
        {"name": name, "columns": e.columns, "description": e.description, "reference": e.reference}
        for name, e in ESTIMATORS.items()
    ]


def _transformations() -> list[Row]:
    from synthetic.transformations import TRANSFORMATIONS

    rows = []
    for name, kind in TRANSFORMATIONS.items():
        action = kind()
        rows.append(
            {"name": name, "states": action.cardinality, "description": (kind.__doc__ or "").splitlines()[0]}
        )
    return rows


def _experiments() -> list[Row]:
    from synergy.experiments import EXPERIMENTS

    return [{"name": e.name, "title": e.title, "question": e.question} for e in EXPERIMENTS.values()]


def _diagrams() -> list[Row]:
    from theory import DIAGRAMS

    return [
        {"name": name, "title": diagram.name, "edges": str(diagram), "variables": list(diagram.variables)}
        for name, diagram in DIAGRAMS.items()
    ]


_LISTS: dict[str, Callable[[], list[Row]]] = {
    "claims": _claims,
    "diagrams": _diagrams,
    "generators": _generators,
    "estimators": _estimators,
    "transformations": _transformations,
    "experiments": _experiments,
}
"""What makes the rows of each list."""
_SHOWN = {
    "claims": ("id", "chapter", "title", "claim", "expectation"),
    "diagrams": ("name", "title", "edges"),
    "generators": ("family", "summary", "defaults", "answers"),
    "estimators": ("name", "columns", "description"),
    "transformations": ("name", "states", "description"),
    "experiments": ("name", "question"),
}
"""The columns that a terminal shows; JSON has all."""


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}={v}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_cell, value))
    return "continuous" if value is None else str(value)


@app.command("list")
def list_command(
    what: Annotated[
        Literal["claims", "diagrams", "generators", "estimators", "transformations", "experiments"],
        typer.Argument(help="What to list."),
    ],
    as_json: JSON = False,
) -> None:
    """List the claims, diagrams, generators, estimators, transformations or experiments."""
    rows = _LISTS[what]()
    if as_json:
        emit({what: rows})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for column in _SHOWN[what]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in _SHOWN[what]))
    Console().print(table)
