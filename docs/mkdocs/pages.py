"""The generated pages: claims with proofs, generators with pictures, the command line, the public names."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path

import pandas as pd
import typer

from synergy.cli.app import app
from synergy.report.diagrams import diagram_svg
from synergy.report.evidence import argument, distribution, statement_lines
from synthetic import GENERATORS, READERS, contact_sheet, describe, make_generator
from theory import CLAIMS, Claim, Proof, Refutation, Unknown, prove

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"

PICTURES = ROOT / "docs" / "images"

_HOME = {
    "glyphs": "glyphs",
    "glyph-library": "glyphs",
    "simclr": "glyphs",
    "transformations": "glyphs",
    "digits": "digits",
}
"""The family that each picture under docs/images shows."""


def claims() -> str:
    """Every claim of the registry with its statement, diagram and proof or counterexample."""
    parts = [
        "# Claims and proofs\n",
        "Every claim in the registry, with its proof or its counterexample, made by the prover when this "
        "page was built. The ideas behind most of them are those of Wang, Hu, Gupta, Ye, Wang and Jegelka "
        "(2024, arXiv:2411.06508), and of the works named in the chapters of the field; the formal versions "
        "and their numbering are ours.\n",
        "A proof lists inequalities and independences that add up to the claim: conditional entropies and "
        "mutual informations are never negative, and what the diagram separates is independent. A separate "
        "program checks the sum in exact rationals.\n",
        "| claim | chapter | says | statement | expected |\n| --- | --- | --- | --- | --- |",
    ]
    parts += [
        f"| [{c.id}](#{c.id.lower()}) | {c.chapter} | {c.title} | {_in_a_cell(c)} | {c.expectation} |"
        for c in CLAIMS.values()
    ]
    parts.append("")
    parts += [_claim(claim) for claim in CLAIMS.values()]
    return "\n".join(parts)


def _in_a_cell(claim: Claim) -> str:
    """The statement as mathematics, in one cell of a table."""
    return "<br>".join(str(line) for line in statement_lines(claim.statement)).replace("|", "&#124;")


def _claim(claim: Claim) -> str:
    lines = "".join(f"<div>{line}</div>" for line in statement_lines(claim.statement))
    given = "".join(f"<span>{line}</span> " for fact in claim.given for line in statement_lines(fact))
    text = [
        f"## {claim.title} {{: #{claim.id.lower()} }}\n",
        f"**{claim.id}** · chapter: {claim.chapter} · expected: {claim.expectation} · "
        f"worlds: {', '.join(claim.worlds)}\n",
        f'<div class="statement">{lines}{f"<div>given {given}</div>" if given else ""}</div>\n',
        f"{claim.prose} *{claim.reference}.*\n",
    ]
    if claim.law:
        text.append(f"Beyond the statement: {escape(claim.law)}.\n")
    text.append(f'<figure class="diagram">{diagram_svg(claim.diagram, claim.statement.variables)}</figure>\n')
    if "proof" in claim.worlds:
        text.append(outcome(claim))
    return "\n".join(text)


def claims_text() -> str:
    """The same in plain Markdown, for docs/claims.md: what a reader of the repository sees."""
    parts = [
        "# Claims and proofs\n",
        "Every claim in the registry, with its proof or its counterexample as the prover prints it. "
        "The ideas behind most are those of Wang, Hu, Gupta, Ye, Wang and Jegelka (2024, arXiv:2411.06508); "
        "the formal versions and their numbering are ours. `make claims` writes this page from the code; "
        "the built documentation shows it with mathematics and diagrams.\n",
        "| claim | chapter | says | statement | expected |\n| --- | --- | --- | --- | --- |",
    ]
    parts += [
        f"| {c.id} | {c.chapter} | {c.title} | `{_cell(c.statement)}` | {c.expectation} |"
        for c in CLAIMS.values()
    ]
    for claim in CLAIMS.values():
        stated = [str(claim.statement), *(f"given {fact}" for fact in claim.given)]
        parts += [f"\n## {claim.id}: {claim.title}\n", "```text", *stated, "```\n"]
        parts.append(
            f"{claim.prose} *{claim.reference}.* Expected: {claim.expectation}. "
            f"Worlds: {', '.join(claim.worlds)}. Diagram: `{claim.diagram}`."
        )
        if claim.law:
            parts.append(f"\nBeyond the statement: {claim.law}.")
        if "proof" in claim.worlds:
            parts += ["\n```text", _shortened(str(_proved(claim))), "```"]
    return "\n".join(parts) + "\n"


def _shortened(text: str, *, lines: int = 40) -> str:
    found = text.rstrip().splitlines()
    left = len(found) - lines
    return "\n".join(found if left <= 0 else [*found[:lines], f".. {left} more lines"])


@cache
def _proved(claim: Claim) -> Proof | Refutation | Unknown:
    return prove(
        claim.statement, diagram=claim.diagram, given=claim.given, exists=claim.expectation == "exists"
    )


@cache
def outcome(claim: Claim) -> str:
    """What the prover finds of a claim: the steps of its proof, or a distribution as a table."""
    found = _proved(claim)
    evidence = found.to_dict()
    html = [f'<p class="verdict">{found.verdict}</p>']
    for part in argument(evidence):
        steps = "".join(f"<li>{line.math} <small>{line.reason}</small></li>" for line in part.lines)
        html.append(f"<ol>{steps}<li>{part.identity} <small>by the chain rule</small></li></ol>")
    table = distribution(evidence)
    if table is not None:
        head = "".join(f"<th>{escape(name)}</th>" for name in (*table.names, "probability"))
        body = "".join("<tr>" + "".join(f"<td>{v}</td>" for v in row) + "</tr>" for row in table.rows)
        sides = "".join(f"<li>{math}: {left} against {right} nats</li>" for math, left, right in table.sides)
        html.append(
            f"<p><small>{escape(table.description)}</small></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{sides}</ul>"
        )
    return f'<div class="outcome">{"".join(html)}</div>\n'


def generators() -> str:
    """Every family: what it is, its parameters, diagram and answers, and pictures where it draws images."""
    parts = [
        "# Generators\n",
        "Each family draws samples and knows the answers: *symbolic* is a closed form, *enumeration* a sum "
        "over all states, *quadrature* and *Monte Carlo* come with their standard error.\n",
        "```python\nfrom synthetic import make_generator\n\n"
        'shift = make_generator("modular-shift", {"n": "6", "noise": "1/10"})\n'
        'assert abs(float(shift.exact("I(A;C|X)")) - shift.predicted("I(A;C|X)")) < 1e-12\n```\n',
    ]
    for family, kind in {**GENERATORS, **READERS}.items():
        known = describe(family)
        rows = [
            f"| `{p['name']}` | {p['type']} | {_default(p)} | {_cell(p['meaning'])} |"
            for p in known["parameters"]
        ]
        drawn = ", ".join(f"`{v['name']}` ({_kind(v)})" for v in known["variables"])
        parts += [
            f"## {family}\n",
            f"{known['summary']}\n",
            f"Answers: {', '.join(known['answers']) or 'what its design implies'}. Variables: {drawn}.\n",
            f'<figure class="diagram">{diagram_svg(kind.specimen().diagram)}</figure>\n',
            "| parameter | type | default | meaning |\n| --- | --- | --- | --- |",
            *rows,
            "",
        ]
        parts += _pictures(family)
    return "\n".join(parts)


def _kind(variable: dict[str, object]) -> str:
    states = variable["cardinality"]
    return f"{states} states" if states else str(variable["kind"])


def _default(parameter: Mapping[str, object]) -> str:
    if parameter["required"]:
        return "required"
    text = str(parameter["default"])
    return f"`{_cell(text)}`" if len(text) <= 60 else "see the reference"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def images() -> dict[str, bytes]:
    """One contact sheet made now from each family of images, so that the page shows what the code draws."""
    families = ("glyphs", "digits")
    sheets = {f: contact_sheet(make_generator(f).sample(16, seed=0), rows=2) for f in families}
    return {f"sheets/{family}.png": sheet.png for family, sheet in sheets.items()}


def _pictures(family: str) -> list[str]:
    uris = [f"sheets/{family}.png"] if family in ("glyphs", "digits") else []
    uris += [
        f"images/{path.name}" for path in sorted(PICTURES.glob("*.png")) if _HOME.get(path.stem) == family
    ]
    return [f"![{Path(uri).stem.replace('-', ' ')} of the family {family}]({uri})\n" for uri in uris]


def command_line() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(app)
    parts = [
        "# Command line\n",
        "Exit status: 0 proved, holds, done; 1 refuted or violated; 2 bad input, with one line on standard "
        "error; 3 unknown or inconclusive. `--json` prints one JSON object on standard output and nothing "
        "else there.\n",
    ]
    for name, command in sorted(root.commands.items()):  # type: ignore[attr-defined]
        parts += [f"## synergy {name}\n", f"{' '.join((command.help or '').split())}\n"]
        parts += ["| argument or option | meaning | default |", "| --- | --- | --- |"]
        for parameter in command.params:
            option = parameter.param_type_name == "option"
            label = ", ".join(parameter.opts) if option else str(parameter.name).upper()
            default = "required" if parameter.required else parameter.default
            shown = "" if default in (None, False, (), "") or callable(default) else f"`{default}`"
            parts.append(f"| `{label}` | {_cell(getattr(parameter, 'help', '') or '')} | {shown} |")
        parts.append("")
    return "\n".join(parts)


def coverage() -> str:
    """The coverage of nominal 95 % intervals by estimator; a sentence where it has not been measured."""
    path = RESULTS / "coverage.csv"
    if not path.exists():
        return "Not measured yet."
    cells = pd.read_csv(path)
    cells["estimator"] = cells["cell"].str.split(" | ", regex=False).str[-1]
    cells["coverage"] = 100 * (1 - (cells["above"] + cells["below"]) / cells["replicates"])
    cells["noted"] = 100 * cells["noted"] / cells["replicates"]
    cells.loc[cells["cell"].str.startswith("sparse"), "estimator"] += ", too few rows"
    cells.loc[cells["cell"].str.startswith("edge"), "estimator"] += ", gaps of 0 and rare states"
    rows = [
        "| estimator | cells (world, term, rows) | replicates | lowest coverage, % | median | highest | "
        "lowest where under half are noted |"
    ]
    rows.append("| --- " * 7 + "|")
    for name, own in cells.groupby("estimator", sort=False):
        low, middle, high = own["coverage"].quantile([0, 0.5, 1])
        relied = own.loc[own["noted"] < 50, "coverage"]
        least = f"{relied.min():.1f}" if len(relied) else "all are noted"
        rows.append(
            f"| {name} | {len(own)} | {own['replicates'].min()} | {low:.1f} | {middle:.1f} | {high:.1f} | "
            f"{least} |"
        )
    return "\n".join(rows)


def interface(package: str) -> str:
    """The public names of a package, from its `__all__`, with their docstrings."""
    module = importlib.import_module(package)
    parts = [f"# {package}\n", f"{_first(module.__doc__)}\n"]
    for name in module.__all__:
        value = getattr(module, name)
        home = getattr(value, "__module__", None)
        if isinstance(home, str) and home.split(".")[0] == package and hasattr(value, "__qualname__"):
            parts.append(f"::: {home}.{value.__qualname__}\n")
        else:
            parts += [f"## {name}\n", f"`{package}.{name}`: {_value(value)}\n"]
    return "\n".join(parts)


def _first(doc: str | None) -> str:
    return (doc or "").strip().split("\n\n")[0].replace("\n", " ")


def _value(value: object) -> str:
    text = " ".join(str(value).split())
    return escape(text if len(text) < 200 else text[:200] + " ..").replace("|", "\\|")


if __name__ == "__main__":
    (ROOT / "docs" / "claims.md").write_text(claims_text(), encoding="utf-8")
