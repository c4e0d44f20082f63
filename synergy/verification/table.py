"""The table of verdicts: on the terminal, and as files with everything needed to make it again."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from rich.table import Table
from rich.text import Text

from synergy.verification.cases import LEFT_OUT
from synergy.verification.figure import forest
from synergy.verification.verdict import Verdict, World, plain, said

if TYPE_CHECKING:
    from synergy.verification.summary import Report

__all__ = ["provenance", "render", "render_tests", "write"]

_STYLES = {
    "proved": "green",
    "verified": "green",
    "refuted": "magenta",
    "violated": "magenta",
    "by construction": "dim",
    "not applicable": "dim",
    "inconclusive": "yellow",
    "unknown": "yellow",
}
"""The colour of each judgement on a terminal."""
_PACKAGES = ("essl-synergy", "numpy", "scipy", "torch", "scikit-learn", "sympy", "pandas")
"""The packages whose versions a report names."""


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{plain(value):.4g}"


def _measured(verdict: Verdict) -> str:
    if verdict.measured is None:
        return "–"
    if verdict.low is None or verdict.high is None or not verdict.high > verdict.low:
        return _number(verdict.measured)
    value, low, high = (plain(x, 5e-5) for x in (verdict.measured, verdict.low, verdict.high))
    return f"{value:.4f} [{low:.4f}, {high:.4f}]"


def render(report: Report) -> Table:
    """The table for a terminal: claim, world, generator, predicted and measured gap, verdict.

    Rows without a number that only say why a claim does not apply are left out and counted.
    """
    table = Table(title="Claims in five worlds: the gap is left minus right, in nats", title_style="bold")
    for name in ("claim", "world", "generator" if report.data is None else "rows"):
        table.add_column(name, no_wrap=True)
    for name in ("predicted gap", "measured gap [95 %]"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    previous, expected = "", {claim.id: claim.expectation for claim in report.claims}
    shown = [
        v for v in report.verdicts if v.judgement != "not applicable" or v.note.startswith("the premise")
    ]
    if len(shown) < len(report.verdicts):
        hidden = len(report.verdicts) - len(shown)
        table.caption = f"not shown: {hidden} rows in the files that say why a claim does not apply"
    for verdict in shown:
        if previous and verdict.claim != previous:
            table.add_section()
        first = verdict.claim != previous
        previous = verdict.claim
        table.add_row(
            Text(verdict.claim if first else "", style="bold"),
            verdict.world,
            verdict.case,
            _number(verdict.predicted),
            _measured(verdict),
            Text(said(verdict, expected.get(verdict.claim, "true")), style=_STYLES[verdict.judgement]),
        )
    return table


_TEST_STYLES = {"rejected": "magenta", "not rejected": "green", "not testable": "dim"}
"""The style of each outcome of a test of the caller's rows."""


def render_tests(report: Report) -> Table | None:
    """What diagram and premises say about the caller's rows, tested; None where there is nothing."""
    if report.data is None or not report.data.tests:
        return None
    table = Table(title="What the diagram and the premises say about these rows", title_style="bold")
    for name in ("statement", "said by", "p (Holm)", "the rows"):
        table.add_column(name, no_wrap=True)
    for test in report.data.tests:
        p = "–" if test.adjusted is None else f"{test.adjusted:.2g}"
        table.add_row(test.statement, test.source, p, Text(test.outcome, style=_TEST_STYLES[test.outcome]))
    return table


def provenance(report: Report) -> dict[str, Any]:
    """Seed, settings, versions and machine, the claims as judged, and how each came out."""
    return {
        "summary": report.summary(),
        "exit_status": report.exit_status,
        "not_contradicted_here": list(report.not_contradicted),
        "notes": list(report.notes),
        "data": None if report.data is None else report.data.to_dict(),
        "settings": report.settings.to_dict(),
        "versions": {package: version(package) for package in _PACKAGES}
        | {"python": platform.python_version()},
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        "seconds": {name: round(spent, 2) for name, spent in report.seconds().items()},
        "left_out": dict(LEFT_OUT),
        "claims": [
            {
                "id": claim.id,
                "title": claim.title,
                "statement": str(claim.statement),
                "given": [str(fact) for fact in claim.given],
                "expectation": claim.expectation,
                "diagram": str(claim.diagram),
                "standing": {
                    world: report.standings()[claim.id, world]
                    for world in get_args(World)
                    if (claim.id, world) in report.standings()
                },
            }
            for claim in report.claims
        ],
    }


def write(report: Report, out: Path) -> list[Path]:
    """Write the table, its provenance, the proofs and one figure into a folder.

    Every file is written under another name first and then renamed, so that an interrupted run leaves
    no half of a file.

    Returns:
        The files written: verdicts.parquet, verdicts.csv, verdicts.json, proofs.json, verdicts.png and
        verdicts.svg.
    """
    out.mkdir(parents=True, exist_ok=True)
    frame = report.to_pandas()
    proofs = {v.claim: dict(v.evidence) for v in report.verdicts if v.world == "proof"}
    figure = forest(report)
    writers: dict[str, Callable[[Path], Any]] = {
        "verdicts.parquet": lambda path: frame.to_parquet(path, index=False),
        "verdicts.csv": lambda path: frame.to_csv(path, index=False),
        "verdicts.json": lambda path: path.write_text(json.dumps(provenance(report), indent=2) + "\n"),
        "proofs.json": lambda path: path.write_text(json.dumps(proofs, indent=2) + "\n"),
        "verdicts.png": lambda path: figure.savefig(path, format="png", dpi=150),
        "verdicts.svg": lambda path: figure.savefig(path, format="svg"),
    }
    written = []
    for name, save in writers.items():
        part = out / f".{name}.part"
        save(part)
        written.append(part.replace(out / name))
    return written
