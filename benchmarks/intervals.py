"""Measured coverage of the nominal 95 % intervals.

    python benchmarks/intervals.py --replicates 1000 [--cells discrete gaussian ..] [--jobs 2] [--minutes 30]

Each cell is a world with a known truth, a number of rows and an estimator. Replicate r of a cell has the
seed r; the sums over the replicates done so far are kept in `results/coverage.csv`, and a run continues
where the last one stopped. `results/coverage.md` is the table. The 95 % band of a coverage that is measured
on r replicates is printed beside it; a cell is marked where that band lies outside 93 to 97 %. The cells
named sparse have fewer rows than the estimators are for, those named edge have no gap or states without a
row; both are sections of their own.
"""

from __future__ import annotations

import argparse
import csv
import math
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import scipy
import sklearn
from joblib import Parallel, delayed
from scipy.integrate import quad
from scipy.stats import beta

from synergy.estimators.discrete import plug_in
from synergy.estimators.gaussian import gaussian
from synergy.estimators.neighbours import copula_knn, knn, mixed
from synergy.statistics.result import Estimate
from synthetic import ModularShift, Orbits
from theory import Joint

RESULTS = Path(__file__).parent / "results"


@dataclass
class Tally:
    """Sums over the replicates of a cell."""

    cell: str
    truth: float
    replicates: int = 0
    above: int = 0
    below: int = 0
    total: float = 0.0
    squares: float = 0.0
    errors: float = 0.0
    noted: int = 0


@dataclass(frozen=True)
class Cell:
    """A world, its truth and an estimator."""

    name: str
    truth: float
    run: Callable[[int], Estimate]


def joint_cell(name: str, joint: Joint, expression: str, n: int) -> Cell:
    def run(seed: int) -> Estimate:
        rows = joint.sample(n, seed=seed)
        columns = {v: rows[v].to_numpy() for v in joint.names}
        return plug_in(expression, columns, cardinalities=joint.cardinalities, scores=False)

    return Cell(f"{name} | {expression} | n={n} | digamma", joint.value(expression), run)


def noisy_copy(states: int, keep: float) -> Joint:
    table = keep * np.eye(states) / states + (1 - keep) / states**2
    return Joint(("X", "Y"), table)


def random_table(states: int, strength: float) -> Joint:
    rng = np.random.default_rng(states)
    margins = rng.dirichlet(np.full(states, 5.0), size=2)
    table = np.outer(*margins) * np.exp(strength * rng.standard_normal((states, states)))
    return Joint(("X", "Y"), table / table.sum())


def rare_states(states: int) -> Joint:
    """Margins that fall like 1/rank^1.5, half of the second column a copy of the first."""
    margin = np.arange(1, states + 1.0) ** -1.5
    margin /= margin.sum()
    return Joint(("X", "Y"), (np.diag(margin) + np.outer(margin, margin)) / 2)


def sparse_cells() -> list[Cell]:
    """Fewer rows than the estimators are for, where the note matters rather than the coverage."""
    found = []
    for states in (4, 10, 50):
        worlds = {
            "copy 0.0": noisy_copy(states, 0.0),
            "copy 0.5": noisy_copy(states, 0.5),
            "rare": rare_states(states),
        }
        for world, joint in worlds.items():
            for per_cell in (0.5, 1, 2, 3):
                n = round(per_cell * states**2)
                found.append(joint_cell(f"sparse {states}x{states}, {world}", joint, "I(X;Y)", n))
    for per_cell in (0.5, 1, 2, 3, 5):
        joint = ModularShift(n=8, noise=0.1).joint()
        found.append(
            joint_cell("sparse modular shift n=8, noise 0.1", joint, "I(A;C|X)", round(per_cell * 512))
        )
    return found


def fair_coins(noise: float) -> Joint:
    """A and C fair coins, Z a copy of A that is replaced by another coin with probability `noise`."""
    table = np.full((2, 2, 2), noise / 8)
    for a in range(2):
        table[a, :, a] += (1 - noise) / 4
    return Joint(("A", "C", "Z"), table)


def edge_cells() -> list[Cell]:
    """Where the delta method fails: a gap of 0, or states so rare that a data set may hold none."""
    found = []
    gap = "I(A;Z|C) - I(A;Z)"
    for n in (80, 240, 1_000):
        for noise in (1.0, 0.5, 0.2):
            found.append(joint_cell(f"edge: coins, copy noise {noise}", fair_coins(noise), gap, n))
        curved = np.random.default_rng(2).dirichlet(np.full(8, 3.0)).reshape(2, 2, 2)
        found.append(joint_cell("edge: eight uneven states", Joint(("A", "C", "Z"), curved), gap, n))
    for n in (80, 1_000):
        for failures in (0.5, 1, 2):
            copy = noisy_copy(2, 1 - 2 * failures / n)
            found.append(joint_cell(f"edge: a copy that fails {failures} times in n", copy, "I(X;Y)", n))
            rare = Joint(("X",), [1 - failures / n, failures / n])
            found.append(joint_cell(f"edge: a state seen {failures} times in n", rare, "H(X)", n))
    return found


def gaussian_cell(d: int, information: float, n: int, estimator: Callable[..., Estimate], name: str) -> Cell:
    rho = math.sqrt(1 - math.exp(-2 * information / d))

    def run(seed: int) -> Estimate:
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((n, d))
        y = rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))
        options = {"seed": seed, "workers": 1} if "knn" in name else {}
        return estimator(x, y, **options)

    return Cell(f"gaussian d={d}, {information} nats | I(X;Y) | n={n} | {name}", information, run)


def two_bumps(shift: float) -> float:
    def integrand(v: float) -> float:
        p = [math.exp(-((v - shift * a) ** 2) / 2) / math.sqrt(2 * math.pi) for a in (0, 1)]
        return sum(q / 2 * math.log(2 * q / sum(p)) for q in p if q > 0)

    return float(quad(integrand, -10, 10 + shift, limit=200)[0])


def mixed_cell(shift: float, n: int, method: str) -> Cell:
    def run(seed: int) -> Estimate:
        rng = np.random.default_rng(seed)
        a = rng.integers(2, size=n)
        y = shift * a + rng.standard_normal(n)
        return mixed(a, y, discrete_x=[True], method=method, seed=seed, workers=1)

    return Cell(f"mixed, two bumps {shift} apart | I(A;Y) | n={n} | {method}", two_bumps(shift), run)


def cells() -> list[Cell]:
    found = []
    for states in (4, 10, 50):
        for per_cell in (5, 20):
            n = per_cell * states**2
            for keep in (0.0, 0.1, 0.5):
                found.append(
                    joint_cell(
                        f"discrete {states}x{states}, copy {keep}", noisy_copy(states, keep), "I(X;Y)", n
                    )
                )
            found.append(
                joint_cell(f"discrete {states}x{states}, log-normal", random_table(states, 1.0), "I(X;Y)", n)
            )
    for noise in (0.0, 0.1, 0.5, 1.0):
        joint = ModularShift(n=4, noise=noise).joint()
        for expression in ("I(A;C|X)", "I(A;X)", "I(A;X|C) - I(A;X)"):
            for n in (320, 10_000):
                found.append(joint_cell(f"modular shift, noise {noise}", joint, expression, n))
    for noise in (0.0, 0.3):
        orbits = Orbits(noise=noise)
        for expression in ("I(A;C|X)", "I(A;X)"):
            for n in (500, 5_000):
                found.append(joint_cell(f"orbits, noise {noise}", orbits.joint(), expression, n))
    for d in (1, 2):
        for information in (0.0, 0.5, 2.0):
            for n in (200, 1_000):
                found.append(gaussian_cell(d, information, n, gaussian, "gaussian"))
            found.append(gaussian_cell(d, information, 500, copula_knn, "copula_knn"))
            found.append(gaussian_cell(d, information, 500, knn, "knn (ksg1)"))
    for shift in (0.0, 1.5, 4.0):
        for method in ("mesner-shalizi", "ross"):
            found.append(mixed_cell(shift, 500, method))
    return found + edge_cells() + sparse_cells()


def chunk(cell: Cell, start: int, stop: int) -> Tally:
    tally = Tally(cell.name, cell.truth)
    for seed in range(start, stop):
        estimate = cell.run(seed)
        low, high = estimate.interval
        tally.replicates += 1
        tally.above += low > cell.truth + 1e-12
        tally.below += high < cell.truth - 1e-12
        tally.total += estimate.value
        tally.squares += (estimate.value - cell.truth) ** 2
        tally.errors += estimate.standard_error
        tally.noted += any("sampling error only" in note for note in (*estimate.notes, *estimate.warnings))
    return tally


def chunk_by_name(name: str, start: int, stop: int) -> Tally:
    return chunk(next(c for c in cells() if c.name == name), start, stop)


def merged(first: Tally, second: Tally) -> Tally:
    a, b = asdict(first), asdict(second)
    return Tally(first.cell, first.truth, **{k: a[k] + b[k] for k in a if k not in ("cell", "truth")})


def load(path: Path) -> dict[str, Tally]:
    if not path.exists():
        return {}
    kinds = {"cell": str, "truth": float, "total": float, "squares": float, "errors": float}
    with path.open(newline="") as file:
        rows = [{k: kinds.get(k, int)(v) for k, v in row.items()} for row in csv.DictReader(file)]
    return {row["cell"]: Tally(**row) for row in rows}


def save(path: Path, tallies: dict[str, Tally], order: list[str]) -> None:
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(asdict(Tally("", 0.0))))
        writer.writeheader()
        writer.writerows(asdict(tallies[name]) for name in order if name in tallies)
    temporary.replace(path)


def report(tallies: dict[str, Tally], order: list[str]) -> str:
    done = [tallies[name] for name in order if name in tallies]
    sparse = [t for t in done if t.cell.startswith("sparse")]
    edges = [t for t in done if t.cell.startswith("edge")]
    done = [t for t in done if t not in sparse and t not in edges]
    outside = [t for t in done if mark(t)]
    versions = f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"
    lines = [
        "# Coverage of nominal 95 % intervals",
        "",
        "`python benchmarks/intervals.py --replicates 1000` makes this table and continues where it stopped.",
        f"Python {platform.python_version()}, {versions}; 2 CPU cores, 24 GiB, no GPU.",
        "",
        "Coverage with its own 95 % band (Clopper-Pearson) over the replicates; `above` and `below` are the",
        "shares of intervals wholly above and below the truth; `noted` is the share of estimates that",
        "say that their interval is of sampling error only. A star marks a band outside 93 to 97 %.",
        "",
        f"{len(done) - len(outside)} of {len(done)} cells are compatible with 93 to 97 %.",
        "",
        *table(done),
        "",
        "## Near the edges",
        "",
        "A gap of 0, where the first-order variance vanishes, or states so rare that the data may have none.",
        "What no row says is bounded by the rule of three; intervals that cover too often are its price.",
        "",
        *table(edges),
        "",
        "## Beyond the range",
        "",
        "With fewer than about five rows for each possible cell, or cells so rare that they hold none, no",
        "correction removes the bias. What is left of it is estimated from the spread of all counts; the",
        "interval reaches that much further, and from a third of a standard error on the estimate is noted.",
        "",
        *table(sparse),
    ]
    return "\n".join(lines) + "\n"


def table(tallies: list[Tally]) -> list[str]:
    lines = [
        "| world | term | rows | estimator | truth | replicates | coverage % | band % | | above % | "
        "below % | bias | sd | mean s.e. | noted % |",
        "| --- " * 15 + "|",
    ]
    for t in tallies:
        r = t.replicates
        low, high = band(t)
        bias = t.total / r - t.truth
        deviation = math.sqrt(max(t.squares / r - bias**2, 0.0))
        world = t.cell.replace("|X)", "\\|X)").replace("|C)", "\\|C)")
        lines.append(
            f"| {world} | {t.truth:.4f} | {r} | {100 * (1 - (t.above + t.below) / r):.1f} | "
            f"{100 * low:.1f} to {100 * high:.1f} | {mark(t)} | {100 * t.above / r:.1f} | "
            f"{100 * t.below / r:.1f} | "
            f"{bias:+.5f} | {deviation:.5f} | {t.errors / r:.5f} | {100 * t.noted / r:.0f} |"
        )
    return lines


def band(t: Tally) -> tuple[float, float]:
    hits = t.replicates - t.above - t.below
    low = float(beta.ppf(0.025, hits, t.replicates - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, t.replicates - hits)) if hits < t.replicates else 1.0
    return low, high


def mark(t: Tally) -> str:
    low, high = band(t)
    return "*" if high < 0.93 or low > 0.97 else ""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measured coverage of the intervals.")
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument(
        "--cells", nargs="*", default=[""], help="only cells whose name contains one of these"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop after this time; a later run continues"
    )
    parser.add_argument("--chunk", type=int, default=25)
    options = parser.parse_args()
    path = RESULTS / "coverage.csv"
    order = [c.name for c in cells()]
    wanted = [name for name in order if any(part in name for part in options.cells)]
    if not wanted:
        parser.error(f"--cells {' '.join(options.cells)} matches none of the {len(order)} cells")
    tallies = load(path)
    end = time.monotonic() + 60 * options.minutes
    with Parallel(options.jobs) as parallel:
        while time.monotonic() < end:
            done = {name: tallies[name].replicates if name in tallies else 0 for name in wanted}
            least = min(done.values())
            if least >= options.replicates:
                break
            batch = [name for name in wanted if done[name] == least]
            tasks = [(name, least, min(least + options.chunk, options.replicates)) for name in batch]
            for tally in parallel(delayed(chunk_by_name)(*task) for task in tasks):
                tallies[tally.cell] = merged(tallies[tally.cell], tally) if tally.cell in tallies else tally
            save(path, tallies, order)
            (RESULTS / "coverage.md").write_text(report(tallies, order))
            print(f"{least + options.chunk} replicates in each of {len(wanted)} cells", flush=True)
    (RESULTS / "coverage.md").write_text(report(tallies, order))


if __name__ == "__main__":
    main()
