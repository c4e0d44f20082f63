"""`synergy list`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
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


def _judged_on(claim: Claim, stored: dict[str, dict[str, list[str]]]) -> dict[str, list[str]]:
    """For each world the cases that a claim is judged on: as stored for ours, found for others."""
    if claim.id in stored:
        return stored[claim.id]
    from synergy.verification import judged_on

    return judged_on(claim).to_dict()


_WITHOUT_CASE = ("any model", "random models", "witness", "its own check")
"""What a claim is judged on in some worlds without a case."""


def _families(judged_on: dict[str, list[str]]) -> str:
    """The families that a claim is judged on, each with its number of cases where it has several."""
    names = dict.fromkeys(name for found in judged_on.values() for name in found if name not in _WITHOUT_CASE)
    counts = Counter(name.partition(":")[0] for name in names)
    return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in counts.items())


def _claims() -> list[Row]:
    from synergy.verification.listed import read_listed
    from theory import CLAIMS

    return _claim_rows(CLAIMS.values(), read_listed())


def _claim_rows(claims: Iterable[Claim], stored: dict[str, dict[str, list[str]]]) -> list[Row]:
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
            "judged_in": list(judged := _judged_on(claim, stored)),
            "judged_on": judged,
            "diagram": str(claim.diagram),
            "prose": claim.prose,
            "reference": claim.reference,
        }
        for claim in claims
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


_WIDE = 160
"""Characters in a line, where there is no terminal."""

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
    "claims": ("id", "chapter", "title", "claim", "expectation", "judged_in", "judged_on"),
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
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        cells = {
            name: _families(row[name]) if name == "judged_on" else _cell(row[name]) for name in _SHOWN[what]
        }
        table.add_row(*cells.values())
    width = None if Console().is_terminal else _WIDE
    Console(width=width, markup=False, highlight=False).print(table)
