"""False positives and power of independence tests, ours beside the peers', on the same data sets.

    python benchmarks/independence.py --replicates 300 --peer-replicates 50 [--minutes 30]

Rows are drawn with X and Y independent given Z (level) and with some noise in common (power). Each peer runs
in an environment of its own under `--work`, which is made where it is missing; one that does not install is
named in the table as such. A run continues where the last one stopped.
"""

from __future__ import annotations

import argparse
import csv
import math
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
from scipy.stats import beta

RESULTS = Path(__file__).parent / "results"
PEERS = Path(__file__).parent / "independence_peers.py"
LEVEL = 0.05
SILENT = 0.07
"""The most rejections in silence that a family should have at that level."""
FIELDS = ("family", "effect", "rows", "method", "replicates", "rejected", "silent", "warned", "seconds")
"""`silent`: rejected without a warning; `warned`: with a warning, rejected or not."""

Signal = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, "np.ndarray | float"]]


def same(signal: np.ndarray, noise: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray | float]:
    return signal, signal, noise


FAMILIES: dict[str, Signal] = {
    "mild: z1 and 0.5 z1 + z2, noise 1": lambda z: (z[:, 0], 0.5 * z[:, 0] + z[:, 1], 1.0),
    "linear: sum(z), noise 0.1": lambda z: same(z.sum(1), 0.1),
    "smooth: 1.5 sum(sin z), noise 0.1": lambda z: same(1.5 * np.sin(z).sum(1), 0.1),
    "interaction: sin 2 z1 + z2 z3, noise 0.2": lambda z: same(np.sin(2 * z[:, 0]) + z[:, 1] * z[:, 2], 0.2),
    "kink: |z|, noise 0.1": lambda z: same(np.linalg.norm(z, axis=1), 0.1),
    "spread: sum(z), noise 0.3 exp(z1 / 2)": lambda z: same(z.sum(1), 0.3 * np.exp(z[:, 0] / 2)),
    "maximum: max(z1, z2) + z3^2 / 2, noise 0.15": lambda z: same(
        np.maximum(z[:, 0], z[:, 1]) + z[:, 2] ** 2 / 2, 0.15
    ),
    "bump: 2 exp(-z1^2 - z2^2) + tanh 2 z3, noise 0.15": lambda z: same(
        2 * np.exp(-(z[:, 0] ** 2) - z[:, 1] ** 2) + np.tanh(2 * z[:, 2]), 0.15
    ),
    "saddle: z1 z2 / (1 + z3^2) + |z3|, noise 0.1": lambda z: same(
        z[:, 0] * z[:, 1] / (1 + z[:, 2] ** 2) + np.abs(z[:, 2]), 0.1
    ),
    "wave: cos(z1 + 2 z2 - z3), noise 0.15": lambda z: same(np.cos(z[:, 0] + 2 * z[:, 1] - z[:, 2]), 0.15),
    "rough: sin 4 z1 cos 3 z2 + z3, noise 0.1": lambda z: same(
        np.sin(4 * z[:, 0]) * np.cos(3 * z[:, 1]) + z[:, 2], 0.1
    ),
    "step: sign z1 + sign(z2) z3, noise 0.1": lambda z: same(
        np.sign(z[:, 0]) + np.sign(z[:, 1]) * z[:, 2], 0.1
    ),
    "checkerboard: sign(z1 z2) + z3, noise 0.1": lambda z: same(np.sign(z[:, 0] * z[:, 1]) + z[:, 2], 0.1),
    "staircase: floor 2 z1 + floor 2 z2, noise 0.1": lambda z: same(np.floor(2 * z[:, :2]).sum(1), 0.1),
    "staircase of the sum: floor 2 (z1 + z2 + z3), noise 0.1": lambda z: same(np.floor(2 * z.sum(1)), 0.1),
    "rounded product: floor 3 z1 z2, noise 0.1": lambda z: same(np.floor(3 * z[:, 0] * z[:, 1]), 0.1),
    "rounded norm: floor of 3 norm(z), noise 0.1": lambda z: same(
        np.floor(3 * np.linalg.norm(z, axis=1)), 0.1
    ),
    "fresh, rounded exponential: floor 2 exp(sum(z) / 2), noise 0.1": lambda z: same(
        np.floor(2 * np.exp(z.sum(1) / 2)), 0.1
    ),
    "fresh, regimes: sin 3 z2 where z1 > 0.5, else z3, noise 0.1": lambda z: same(
        np.where(z[:, 0] > 0.5, np.sin(3 * z[:, 1]), z[:, 2]), 0.1
    ),
    "fresh, slanted step: sign(z1 + z2) + z3, noise 0.1": lambda z: same(
        np.sign(z[:, 0] + z[:, 1]) + z[:, 2], 0.1
    ),
    "fresh, heavy: sinh 1.5 z1 + z2 |z2|, noise 0.2": lambda z: same(
        np.sinh(1.5 * z[:, 0]) + z[:, 1] * np.abs(z[:, 1]), 0.2
    ),
}
"""X's and Y's functions of a Z of three columns, and the scale of their noise.

The fresh ones were written after the first version of the test was fixed; it was developed on the others.
"""

HIDDEN = np.random.default_rng(777).normal(size=(10, 5))
"""The weights of five hidden units."""

SHAPES: dict[str, Signal] = {
    "linear: sum(z) / sqrt(d), noise 0.1": lambda z: same(z.sum(1) / math.sqrt(z.shape[1]), 0.1),
    "tanh of the sum, noise 0.1": lambda z: same(np.tanh(z.sum(1)), 0.1),
    "sum of sin 2 z / sqrt(d), noise 0.2": lambda z: same(np.sin(2 * z).sum(1) / math.sqrt(z.shape[1]), 0.2),
    "largest of z, noise 0.2": lambda z: same(z.max(1), 0.2),
    "five hidden units, noise 0.2": lambda z: same(
        np.tanh(2 * z @ HIDDEN[: z.shape[1]] / math.sqrt(z.shape[1])).sum(1) / 2, 0.2
    ),
    "sign of the sum, noise 0.2": lambda z: same(np.sign(z.sum(1)), 0.2),
    "tanh of the sum, noise 1": lambda z: same(np.tanh(z.sum(1)), 1.0),
}
COLUMNS = {f"{d} columns, {shape}": (d, signal) for d in (1, 3, 5, 10) for shape, signal in SHAPES.items()}
COLUMNS["5 columns, sine of the sum, noise 0.1"] = (5, lambda z: same(np.sin(z.sum(1)), 0.1))
COLUMNS |= {
    "8 columns, cosine of the sum, noise 0.1": (8, lambda z: same(np.cos(z.sum(1)), 0.1)),
    "10 columns, sine of the sum, noise 0.1": (10, lambda z: same(np.sin(z.sum(1)), 0.1)),
    "15 columns, sine of the sum, noise 0.2": (15, lambda z: same(np.sin(z.sum(1)), 0.2)),
    "10 columns, sign of z1 z2 z3, noise 0.2": (10, lambda z: same(np.sign(z[:, :3].prod(1)), 0.2)),
    "10 columns, sine of their norm, noise 0.1": (10, lambda z: same(np.sin(np.square(z).sum(1)), 0.1)),
    **{f"{d} columns, no part in it": (d, lambda z: same(0 * z[:, 0], 1.0)) for d in (1, 3, 5, 10)},
}
"""Families by the number of columns of Z, and the function."""
ALL = {**{name: (3, signal) for name, signal in FAMILIES.items()}, **COLUMNS}

METHODS = {
    "gcm": "ours (default)",
    "gcm before": "ours, before",
    "tigramite CMIknn": "tigramite CMIknn",
    "tigramite ParCorr": "tigramite ParCorr",
    "tigramite GPDC": "tigramite GPDC",
    "infomeasure": "infomeasure",
    "npeet-plus": "npeet-plus",
}
RUN = [method for method in METHODS if method != "gcm before"]
"""What a run can measure: the first version of the test is no longer here."""
ENVIRONMENTS = {
    "tigramite": ("tigramite", "scikit-learn", "dcor"),
    "infomeasure": ("infomeasure",),
    "npeet-plus": ("npeet-plus",),
}


def draw(family: str, effect: float, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns x (n,), y (n,), z (n, d); `effect` of X's own noise enters Y."""
    rng = np.random.default_rng([seed, n])
    columns, signal = ALL[family]
    z = rng.normal(size=(n, columns))
    e, f = rng.normal(size=(2, n))
    left, right, scale = signal(z)
    return left + scale * e, right + scale * (f + effect * e), z


def environment(method: str, work: Path) -> Path | None:
    """The Python of the peer's environment, made where it is missing; None where it does not install."""
    name = method.split()[0]
    home = work / "environments" / f"independence-{name}"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", *ENVIRONMENTS[name]], check=False)
        if done.returncode:
            print(f"{name} does not install here", flush=True)
            return None
    return python


def tested(
    method: str, family: str, effect: float, n: int, sets: range, work: Path
) -> tuple[np.ndarray, np.ndarray] | None:
    """The p-values of the data sets, and whether each came with a warning."""
    draws = [draw(family, effect, n, seed) for seed in sets]
    if method == "gcm":
        from synergy.independence import independence_test

        results = [
            independence_test({"X": x, "Y": y, "Z": z}, "X _||_ Y | Z", permutations=99, seed=seed)
            for seed, (x, y, z) in zip(sets, draws, strict=True)
        ]
        found = [1.0 if result.p_value is None else result.p_value for result in results]
        return np.array(found), np.array([bool(result.warnings) for result in results])
    python = environment(method, work)
    if python is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        rows, out = Path(folder) / "rows.npz", Path(folder) / "p.txt"
        np.savez(rows, rows=np.array([np.column_stack(d) for d in draws]))
        subprocess.run([python, PEERS, method, rows, out], check=True, capture_output=True)
        return np.atleast_1d(np.loadtxt(out)), np.zeros(len(draws), dtype=bool)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=300, help="data sets of ours, for level")
    parser.add_argument("--power-replicates", type=int, default=100, help="data sets of ours, for power")
    parser.add_argument("--peer-replicates", type=int, default=50, help="the first of them, for the peers")
    parser.add_argument("--chunk", type=int, default=10)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--families", type=int, nargs="+", default=list(range(len(ALL))))
    parser.add_argument("--methods", nargs="+", choices=RUN, default=RUN)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after this time")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "essl-synergy-accuracy")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    tallies = load(RESULTS / "independence.csv")
    end = time.monotonic() + 60 * options.minutes
    families = list(ALL)
    wanted = [
        (families[i], effect, method)
        for i, effect, method in product(options.families, (0.0, 0.5), options.methods)
    ]
    ours = {0.0: options.replicates, 0.5: options.power_replicates}
    while time.monotonic() < end:
        left = [
            (done, family, effect, method)
            for family, effect, method in wanted
            if (done := tallies.get((family, effect, options.rows, method), (0,))[0])
            < (ours[effect] if method == "gcm" else options.peer_replicates)
        ]
        if not left:
            break
        for done, family, effect, method in [case for case in left if case[0] == min(left)[0]]:
            if time.monotonic() > end:
                break
            start = time.perf_counter()
            sets = range(done, done + options.chunk)
            found = tested(method, family, effect, options.rows, sets, options.work)
            if found is None:
                wanted = [case for case in wanted if case[2] != method]
                continue
            key = (family, effect, options.rows, method)
            count, rejected, silent, warned, seconds = tallies.get(key, (0, 0, 0, 0, 0.0))
            below = found[0] <= LEVEL
            tallies[key] = (
                count + len(sets),
                rejected + int(below.sum()),
                silent + int((below & ~found[1]).sum()),
                warned + int(found[1].sum()),
                seconds + time.perf_counter() - start,
            )
            save(RESULTS / "independence.csv", tallies)
    (RESULTS / "independence.md").write_text(report(tallies))


Tally = tuple[int, int, int, int, float]
"""Data sets, rejected, rejected without a warning, warned, seconds."""
Tallies = dict[tuple[str, float, int, str], Tally]


def load(path: Path) -> Tallies:
    if not path.exists():
        return {}
    with path.open(newline="") as stream:
        return {
            (r["family"], float(r["effect"]), int(r["rows"]), r["method"]): (
                int(r["replicates"]),
                int(r["rejected"]),
                int(r["silent"]),
                int(r["warned"]),
                float(r["seconds"]),
            )
            for r in csv.DictReader(stream)
        }


def save(path: Path, tallies: Tallies) -> None:
    families, methods = list(ALL), list(METHODS)
    order = sorted(tallies, key=lambda k: (families.index(k[0]), k[1], k[2], methods.index(k[3])))
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(FIELDS)
        for key in order:
            *counts, seconds = tallies[key]
            writer.writerow([*key, *counts, f"{seconds:.3f}"])


def report(tallies: Tallies) -> str:
    lines = [
        "# Tests of X _||_ Y | Z",
        "",
        *summary(tallies),
        "",
        "Share of data sets in which independence is rejected at 5 %, and in brackets its 95 % band",
        "(Clopper-Pearson) and the number of data sets: with effect 0 false positives, with effect 0.5 (half",
        "of X's own noise enters Y) power, which says something only where false positives are few. X and",
        "Y carry the same function of Z unless the family says otherwise. *Silent*: rejected without a",
        "warning. *Warned*: with a warning, rejected or not. Ours: `independence_test`, by default the",
        "generalised covariance measure; *before*: its first version, with kernels of one width or a width",
        "for each of at most eight conditions, no warnings. That version was developed on the families of",
        "three columns but the fresh ones, the present one on those by number of columns as well.",
        "",
        "The peers get the first of the same data sets: tigramite 5.2.10.1 (CMIknn with knn=5, standardised;",
        "ParCorr, linear; GPDC, Gaussian processes and distance correlation, analytic), infomeasure 0.6.3",
        "(KSG with k=5), npeet-plus 0.2.0 (k=5); 99 shuffles each. The last two shuffle one variable over",
        "all rows, which breaks its dependence on Z as well.",
        "",
        "Made by `python benchmarks/independence.py` on 2 CPU cores, 24 GiB, no GPU, shared with other work.",
        f"Python {sys.version.split()[0]}, numpy {np.__version__}.",
        "",
        "| Z enters as | effect | n | ours, silent | ours, warned | " + " | ".join(METHODS.values()) + " |",
        "| --- | --- | --- | --- | --- |" + " --- |" * len(METHODS),
    ]
    for family, effect in product(ALL, (0.0, 0.5)):
        for n in sorted({key[2] for key in tallies if key[:2] == (family, effect)}):
            row = [tallies.get((family, effect, n, method)) for method in METHODS]
            shown = family.replace("kink: |z|", "kink: norm of z").replace("|", "\\|")
            cells = [cell(row[0], 2), cell(row[0], 3), *map(cell, row)]
            lines.append(f"| {shown} | {effect} | {n} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def summary(tallies: Tallies) -> list[str]:
    """What the default does where X and Y are independent given Z, over all families."""
    own = {key: t for key, t in tallies.items() if key[1] == 0 and key[3] == "gcm"}
    if not own:
        return []
    sets, silent = sum(t[0] for t in own.values()), sum(t[2] for t in own.values())
    beyond = [
        f"{family} at {n} ({t[2]} of {t[0]})"
        for (family, _, n, _), t in own.items()
        if t[2] and beta.ppf(0.01, t[2], t[0] - t[2] + 1) > SILENT
    ]
    return [
        f"Independent given Z, in {len(own)} families with {min(t[0] for t in own.values())} to",
        f"{max(t[0] for t in own.values())} data sets each: {silent / sets:.1%} of {sets:,} are rejected in",
        f"silence. More than {SILENT:.0%} beyond doubt (99 %, one-sided): {'; '.join(beyond) or 'none'}.",
    ]


def cell(tally: Tally | None, which: int = 1) -> str:
    """The share of data sets that a tally counts in one of its fields."""
    if tally is None:
        return ""
    count, found = tally[0], int(tally[which])
    low = float(beta.ppf(0.025, found, count - found + 1)) if found else 0.0
    high = float(beta.ppf(0.975, found + 1, count - found)) if found < count else 1.0
    return f"{found / count:.1%} ({low:.0%} to {high:.0%} of {count})"


if __name__ == "__main__":
    main()
