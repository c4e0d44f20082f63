"""The page of measurements: for each benchmark a figure of ratios to the best peer, and its tables folded."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"

WIDTH = 7.4
"""Inches, as wide as the text of the page, so that the letters keep their size."""
LABELLED = 45
"""Up to so many ratios each has a line of its own; beyond, each table has one."""
FOLDED = 8
"""Tables with more rows than this are folded."""

_NUMBER = re.compile(r"[+-]?\d[\d,]*\.?\d*(?:e[+-]?\d+)?")
_TIMES = re.compile(r"([\d.]+) times ours")


@dataclass(frozen=True)
class Table:
    """A Markdown table: the heading above it, its columns, and its rows of texts."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(text: str) -> list[Table]:
    """The tables of a Markdown text."""
    found, heading = [], ""
    for block in re.split(r"\n(?=#)|\n\n", text):
        title = re.match(r"#+ (.*)", block)
        heading = title[1] if title else heading
        lines = [line for line in block.splitlines() if line.startswith("|")]
        if len(lines) > 2:
            cells = [tuple(c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]) for line in lines]
            found.append(Table(heading, cells[0], tuple(cells[2:])))
    return found


def ratios(table: Table) -> dict[str, float]:
    """The best peer over ours by row, above 1 where ours is ahead; empty where there are no peers."""
    place = {name: i for i, name in enumerate(table.columns)}
    peers = [i for name, i in place.items() if name.endswith("/ ours")]
    found: dict[str, float] = {}
    if peers and any(row[0].startswith("ours") for row in table.rows):
        for i in peers:
            values = [_value(row[i]) for row in table.rows if not row[0].startswith("ours")]
            known = [value for value in values if value]
            if known:
                found[f"{table.heading}: {table.columns[i].removesuffix(' / ours')}"] = min(known)
        return found
    for row in table.rows:
        if peers:
            values = [_value(row[i]) for i in peers]
        elif "ratio" in place and "way" in place:
            values = [] if row[place["way"]].startswith("PIL") else [_value(row[place["ratio"]])]
        elif "ratio" in place and "psitip" in place:
            values = [_value(row[place["ratio"]])]
        elif "ours is faster by" in place:
            values = [_value(row[place["ours is faster by"]])]
        elif "fastest peer" in place:
            times = _TIMES.search(row[place["fastest peer"]])
            values = [float(times[1])] if times else []
        elif {"auto (bias)", "best peer"} <= set(place):
            own = _value(row[place["auto (bias)"]])
            other = _value(row[place[row[place["best peer"]]]]) if row[place["best peer"]] in place else None
            values = [other / own] if other and own else []
        elif {"before", "after"} <= set(place):
            before, after = _value(row[place["before"]]), _value(row[place["after"]])
            values = [before / after] if before and after else []
        else:
            return {}
        known = [value for value in values if value]
        if known:
            found[_label(table, row)] = min(known)
    return found


def _label(table: Table, row: tuple[str, ...]) -> str:
    """What a row is of: its first columns, up to the first that measures something."""
    words = {"images", "precision", "augmentation", "task", "way", "family", "n", "cores", "feed"}
    parts = [cell for name, cell in zip(table.columns, row, strict=True) if name in words] or [row[0]]
    return ", ".join(parts).replace("\\|", "|").strip("`")


def _value(cell: str) -> float | None:
    found = _NUMBER.match(cell.strip())
    return float(found[0].replace(",", "")) if found else None


def figure(name: str) -> bytes | None:
    """The ratios of one benchmark as an SVG; None where it has no peer."""
    by_table = [(t.heading, ratios(t)) for t in tables((RESULTS / f"{name}.md").read_text(encoding="utf-8"))]
    by_table = [(heading, found) for heading, found in by_table if found]
    if not by_table:
        return None
    lines: dict[str, list[float]] = {}
    if sum(len(found) for _, found in by_table) <= LABELLED:
        for _, found in by_table:
            for label, value in found.items():
                lines.setdefault(label, []).append(value)
    else:
        for heading, found in by_table:
            for label, value in found.items():
                group = heading if len(by_table) > 1 else label.rpartition(", ")[0] or label
                lines.setdefault(group, []).append(value)
    with mpl.rc_context({"svg.hashsalt": name, "font.size": 9, "svg.fonttype": "none"}):
        drawn = Figure(figsize=(WIDTH, 0.8 + 0.21 * len(lines)), layout="constrained")
        axis = drawn.subplots()
        for line, values in enumerate(lines.values()):
            ahead = ["#0072B2" if value >= 1 else "#D55E00" for value in values]
            axis.scatter(values, [line] * len(values), c=ahead, s=18, alpha=0.75, linewidths=0)
        axis.axvline(1, color="0.4", linewidth=1)
        axis.set(xscale="log", xlabel="best peer over ours: right of the line ours is ahead")
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.set_yticks(
            range(len(lines)), [label if len(label) < 60 else f"{label[:58]} .." for label in lines]
        )
        axis.set_ylim(len(lines) - 0.4, -0.6)
        axis.grid(axis="both", linewidth=0.4, color="0.85")
        axis.set_axisbelow(True)
        out = io.BytesIO()
        drawn.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


@cache
def pictures() -> dict[str, bytes]:
    """The figure of each benchmark that has peers."""
    drawn = {path.stem: figure(path.stem) for path in sorted(RESULTS.glob("*.md"))}
    return {f"measured/{name}.svg": picture for name, picture in drawn.items() if picture is not None}


def measured() -> str:
    """The results of the benchmarks: a figure each where there are peers, the text, and the tables folded."""
    parts = [
        "# Measured\n",
        "Results of the programs in `benchmarks/`, each run beside its peers. A dot is one task: the time, "
        "or the error, of the best peer over ours. Long tables open on a click.\n",
    ]
    shown = pictures()
    for path in sorted(RESULTS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
        text = re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)
        text = folded(re.sub(r"^(#+ )", r"#\1", text, flags=re.M))
        head, _, rest = text.partition("\n")
        uri = f"measured/{path.stem}.svg"
        parts += [
            head,
            "",
            f"![{head.lstrip('# ')}: the best peer over ours]({uri})\n" if uri in shown else "",
            rest,
        ]
    return "\n".join(parts)


def folded(text: str) -> str:
    """The text with each table of many rows behind a line that opens it."""

    def fold(match: re.Match[str]) -> str:
        lines = match[0].rstrip("\n").split("\n")
        if len(lines) - 2 <= FOLDED:
            return match[0]
        return "\n".join(
            [f'??? note "The table, {len(lines) - 2} rows"', "", *(f"    {line}" for line in lines), ""]
        )

    return re.sub(r"(?:^\|.*\n?)+", fold, text, flags=re.M)
