"""How often the default is wrong in silence, on families that nobody here tuned it on.

    python benchmarks/silence.py [--sets 200] [--jobs 2] [--minutes 60] [--families Cauchy fixed ..]
    [--seconds 0.2]

Every cell is a family with a known truth and a number of rows; data set r of a cell has the seed (r, n). For
each `estimate(data, term)` it is kept whether the interval holds the truth and whether there is a warning.
The families are halved by the first byte of the SHA-256 of their names: the method was chosen on one half,
the other half judges it. Where an estimate takes longer than --seconds a cell gets fewer sets, as many as
take the time of --sets at that limit, but four at least. `results/silence.csv` keeps the sums, a run
continues where the last one stopped, and `results/silence.md` is the table.
"""

from __future__ import annotations

import argparse
import csv
import math
import platform
import time
import zlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import beta
from silence_continuous import continuous
from silence_family import Family
from silence_labels import labelled
from silence_tasks import tasks

from synergy import estimate

RESULTS = Path(__file__).parent / "results"

COVERS = 0.93
"""A cell whose coverage is at least this covers; a warning there is a false alarm."""

SILENT = 0.07
"""The most silent misses that a cell may have."""

LEAST_SETS = 4


@dataclass
class Tally:
    """Sums over the data sets of a cell."""

    family: str
    rows: int
    truth: float
    sets: int = 0
    covered: int = 0
    silent: int = 0
    warned: int = 0
    refused: int = 0
    total: float = 0.0
    squares: float = 0.0
    width: float = 0.0
    seconds: float = 0.0

    @property
    def answered(self) -> int:
        """The sets that were not refused."""
        return self.sets - self.refused

    @property
    def coverage(self) -> float:
        """The share of answers whose interval holds the truth."""
        return self.covered / self.answered if self.answered else math.nan

    @property
    def fails(self) -> bool:
        """Whether silent misses are more than 7 %, by the 99 % bound of Clopper and Pearson."""
        if not self.silent:
            return False
        return float(beta.ppf(0.01, self.silent, self.answered - self.silent + 1)) > SILENT


def families() -> list[Family]:
    """All families."""
    return [*tasks(), *continuous(), *labelled()]


def run(name: str, rows: int, first: int, stop: int) -> Tally:
    """Some data sets of one cell."""
    family = next(f for f in families() if f.name == name)
    found = Tally(name, rows, float(family.truth()))
    slack = 1e-9 * max(1.0, abs(found.truth))
    for seed in range(first, stop):
        data = family.draw(np.random.default_rng([seed, rows, zlib.crc32(name.encode())]), rows)
        start = time.perf_counter()
        found.sets += 1
        try:
            answer = estimate(data, family.term, groups=family.groups, seed=seed)
        except ValueError:
            found.refused += 1
            found.seconds += time.perf_counter() - start
            continue
        found.seconds += time.perf_counter() - start
        low, high = answer.interval
        holds = low - slack <= found.truth <= high + slack
        found.covered += holds
        found.warned += bool(answer.warnings)
        found.silent += not holds and not answer.warnings
        found.total += answer.value
        found.squares += (answer.value - found.truth) ** 2
        found.width += high - low
    return found


def added(old: Tally | None, new: Tally) -> Tally:
    if old is None:
        return new
    kept = ("family", "rows", "truth")
    return Tally(
        new.family,
        new.rows,
        new.truth,
        **{k: v + getattr(new, k) for k, v in asdict(old).items() if k not in kept},
    )


def load(path: Path) -> dict[tuple[str, int], Tally]:
    if not path.exists():
        return {}
    kinds = {f.name: {"str": str, "int": int, "float": float}[str(f.type)] for f in fields(Tally)}
    with path.open(newline="") as file:
        found = [Tally(**{k: kinds[k](v) for k, v in row.items()}) for row in csv.DictReader(file)]
    return {(tally.family, tally.rows): tally for tally in found}


def save(path: Path, tallies: dict[tuple[str, int], Tally]) -> None:
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Tally)])
        writer.writeheader()
        writer.writerows(asdict(tally) for tally in tallies.values())
    temporary.replace(path)


def wanted(tally: Tally | None, sets: int, seconds: float) -> int:
    """How many sets a cell should have, given what one takes."""
    if tally is None or not tally.sets:
        return LEAST_SETS
    each = tally.seconds / tally.sets
    return sets if each <= seconds else max(LEAST_SETS, int(sets * seconds / each))


def report(tallies: dict[tuple[str, int], Tally]) -> str:
    of_half = {f.name: f.half for f in families()}
    count = len({family for family, _ in tallies})
    lines = [
        "# Wrong in silence",
        "",
        f"`estimate(data, term)` on {count} of {len(of_half)} families, nominal 95 % intervals. A "
        f"silent miss is an",
        "interval that misses the truth without a warning, a false alarm a warning in a cell whose "
        "coverage is at",
        "least 93 %; a refusal is an error that says why. A cell fails where silent misses are more "
        "than 7 % beyond",
        "doubt (the one-sided 99 % bound of Clopper and Pearson). The method was chosen on one half "
        "of the families;",
        "the other half judges it.",
        "",
        "`python benchmarks/silence.py` makes this table and continues where it stopped. "
        f"Python {platform.python_version()}, numpy {np.__version__}; 2 CPU cores, shared.",
    ]
    lines += ["", "Both halves: " + summary(list(tallies.values()))[0]]
    for half, title in (("judge", "The half that judges"), ("choose", "The half that was chosen on")):
        own = [t for (name, _), t in tallies.items() if of_half.get(name) == half]
        if own:
            lines += ["", f"## {title}", "", *summary(own), "", *table(own)]
    return "\n".join(lines) + "\n"


def summary(own: list[Tally]) -> list[str]:
    answered = [t for t in own if t.answered]
    covering = [t for t in answered if t.coverage >= COVERS]
    alarms = sum(t.warned / t.answered for t in covering) / max(len(covering), 1)
    failing = [t for t in answered if t.fails]
    sets = sum(t.answered for t in answered)
    return [
        f"{len(own)} cells, {sum(t.sets for t in own):,} data sets; {len(failing)} cells fail; silent misses "
        f"{sum(t.silent for t in answered) / max(sets, 1):.1%} of all estimates; {len(covering)} "
        f"cells cover, with "
        f"false alarms on {alarms:.1%} of theirs.",
        "",
        "Failing: " + ("; ".join(f"{t.family} at {t.rows}" for t in failing) or "none") + ".",
    ]


def table(own: list[Tally]) -> list[str]:
    lines = [
        "| family | rows | truth | sets | coverage % | silent % | warned % | refused | bias | rmse "
        "| width | s | |",
        "| --- " * 13 + "|",
    ]
    for t in own:
        name, n = t.family.replace("|", "\\|"), t.answered
        if not n:
            lines.append(
                f"| {name} | {t.rows} | {t.truth:.4f} | {t.sets} |  |  |  | {t.refused} |  |  |  |  |  |"
            )
            continue
        lines.append(
            f"| {name} | {t.rows} | {t.truth:.4f} | {t.sets} | {100 * t.coverage:.0f} | "
            f"{100 * t.silent / n:.0f} | "
            f"{100 * t.warned / n:.0f} | {t.refused} | {t.total / n - t.truth:+.3f} | "
            f"{math.sqrt(t.squares / n):.3f} | {t.width / n:.3f} | {t.seconds / t.sets:.2f} | "
            f"{'FAILS' if t.fails else ''} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="How often the default is wrong in silence.")
    parser.add_argument("--sets", type=int, default=200, help="data sets in each cell")
    parser.add_argument("--seconds", type=float, default=0.2, help="slower cells get fewer sets")
    parser.add_argument(
        "--families", nargs="*", default=[""], help="only those whose name holds one of these"
    )
    parser.add_argument("--rows", type=int, nargs="*", default=[], help="only cells of these sizes")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after this time")
    options = parser.parse_args()
    path = RESULTS / "silence.csv"
    cells = [
        (f.name, rows)
        for f in families()
        if any(part in f.name for part in options.families)
        for rows in f.sizes
        if not options.rows or rows in options.rows
    ]
    if not cells:
        parser.error(f"--families {' '.join(options.families)} with --rows {options.rows} leaves no cell")
    tallies = load(path)
    end = time.monotonic() + 60 * options.minutes
    with Parallel(options.jobs, return_as="generator_unordered", batch_size=1) as parallel:
        while time.monotonic() < end:
            work = []
            for name, rows in cells:
                tally = tallies.get((name, rows))
                done, goal = (tally.sets if tally else 0), wanted(tally, options.sets, options.seconds)
                if done < goal:
                    step = max(LEAST_SETS, min(20, goal - done))
                    work.append((done, name, rows, done, min(done + step, max(goal, LEAST_SETS))))
            if not work:
                break
            work.sort(key=lambda part: part[0])
            batch = [part for _, *part in work[: 8 * options.jobs]]
            for new in parallel(delayed(run)(*part) for part in batch):
                key = (new.family, new.rows)
                tallies[key] = added(tallies.get(key), new)
            save(path, {key: tallies[key] for key in sorted(tallies)})
            (RESULTS / "silence.md").write_text(report(tallies))
            print(f"{sum(t.sets for t in tallies.values()):,} sets in {len(tallies)} cells", flush=True)
    (RESULTS / "silence.md").write_text(report(tallies))


if __name__ == "__main__":
    main()
