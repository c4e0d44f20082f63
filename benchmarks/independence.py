"""False positives and power of independence tests, ours beside the peers'.

    python benchmarks/independence.py --replicates 200

Rows are drawn with X and Y independent given Z (level) and with some noise in common (power). tigramite's
CMIknn runs in the environment that `benchmarks/accuracy.py` made; ours is run with its default and with
local permutation, the method that tigramite uses.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"
LEVEL = 0.05
PEERS = ("tigramite", "local-permutation")
FIELDS = ("family", "effect", "rows", "method", "replicates", "rejected", "seconds")


def draw(family: str, effect: float, n: int, seed: int):
    """Columns x (n,), y (n,), z (n, 3); `effect` of X's own noise enters Y."""
    rng = np.random.default_rng([seed, n])
    z = rng.normal(size=(n, 3))
    e, f = rng.normal(size=(2, n))
    signal, scale = {
        "mild: z1 and 0.5 z1 + z2, noise 1": (z[:, 0], 1.0),
        "linear: sum(z), noise 0.1": (z.sum(1), 0.1),
        "smooth: 1.5 sum(sin z), noise 0.1": (1.5 * np.sin(z).sum(1), 0.1),
        "interaction: sin 2 z1 + z2 z3, noise 0.2": (np.sin(2 * z[:, 0]) + z[:, 1] * z[:, 2], 0.2),
        "kink: |z|, noise 0.1": (np.linalg.norm(z, axis=1), 0.1),
        "spread: sum(z), noise 0.3 exp(z1 / 2)": (z.sum(1), 0.3 * np.exp(z[:, 0] / 2)),
    }[family]
    other = 0.5 * z[:, 0] + z[:, 1] if family.startswith("mild") else signal
    return signal + scale * e, other + scale * (f + effect * e), z


FAMILIES = (
    "mild: z1 and 0.5 z1 + z2, noise 1",
    "linear: sum(z), noise 0.1",
    "smooth: 1.5 sum(sin z), noise 0.1",
    "interaction: sin 2 z1 + z2 z3, noise 0.2",
    "kink: |z|, noise 0.1",
    "spread: sum(z), noise 0.3 exp(z1 / 2)",
)

PEER = """
import sys, numpy as np
from tigramite.independence_tests.cmiknn import CMIknn
with np.load(sys.argv[1]) as data:
    array = data["rows"]
out = []
for i, rows in enumerate(array):
    test = CMIknn(knn=5, transform="standardize", sig_samples=99, workers=1, seed=i)
    value = test.get_dependence_measure(rows.T, np.array([0, 1, 2, 2, 2]))
    out.append(test.get_shuffle_significance(rows.T, np.array([0, 1, 2, 2, 2]), value))
np.savetxt(sys.argv[2], np.array(out))
"""


def rates(method: str, family: str, effect: float, n: int, replicates: int, python: Path | None) -> float:
    """The share of data sets in which independence is rejected."""
    draws = [draw(family, effect, n, seed) for seed in range(replicates)]
    if method == "tigramite":
        with tempfile.TemporaryDirectory() as folder:
            rows, out = Path(folder) / "rows.npz", Path(folder) / "p.txt"
            np.savez(rows, rows=np.array([np.column_stack(d) for d in draws]))
            subprocess.run([python, "-c", PEER, rows, out], check=True, capture_output=True)
            return float((np.atleast_1d(np.loadtxt(out)) <= LEVEL).mean())
    from synergy.independence import independence_test

    p = [
        independence_test(
            {"X": x, "Y": y, "Z": z}, "X _||_ Y | Z", method=method, permutations=99, seed=seed
        ).p_value
        for seed, (x, y, z) in enumerate(draws)
    ]
    return float((np.array(p) <= LEVEL).mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--peer-replicates", type=int, default=50)
    parser.add_argument("--families", type=int, nargs="+", help="run these only, by number from 0")
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "essl-synergy-accuracy")
    options = parser.parse_args()
    python = options.work / "environments" / "tigramite" / "bin" / "python"
    options.work.mkdir(parents=True, exist_ok=True)
    path = options.work / "independence.csv"
    for method, effect in (("gcm", 0.0), ("gcm", 0.5), *product(PEERS, (0.0, 0.5))):
        for index, family in enumerate(FAMILIES):
            if options.families and index not in options.families:
                continue
            if (method != "gcm" and index > 1) or (method == "tigramite" and not python.exists()):
                continue
            key = (family, str(effect), str(options.rows), method)
            if any(tuple(row[:4]) == key for row in read(path)):
                continue
            count = options.replicates if (method, effect) == ("gcm", 0.0) else options.peer_replicates
            start = time.perf_counter()
            share = rates(method, family, effect, options.rows, count, python)
            seconds = (time.perf_counter() - start) / count
            with path.open("a", newline="") as stream:
                csv.writer(stream).writerow([*key, count, f"{share:.4f}", f"{seconds:.3f}"])
            print(key, count, share, flush=True)
    write_report([dict(zip(FIELDS, row, strict=True)) for row in read(path)])


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(path.open())) if path.exists() else []


def write_report(rows: list[dict[str, str]]) -> None:
    with (RESULTS / "independence.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=FIELDS)
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda r: (FAMILIES.index(r["family"]), r["effect"], r["method"])))
    methods = {
        "gcm": "ours (default)",
        "local-permutation": "ours, local permutation",
        "tigramite": "tigramite",
    }
    lines = [
        "# Tests of X _||_ Y | Z with a 3-dimensional Z",
        "",
        "Share of data sets in which independence is rejected at 5 %: with effect 0 false positives, with",
        "effect 0.5 (half of X's own noise enters Y) power. In brackets the binomial standard error. X and Y",
        "carry the same function of Z unless the family says otherwise. Ours: `independence_test`, whose",
        "default is the generalised covariance measure; tigramite 5.2.10.1: CMIknn, knn=5, standardised, 99",
        "shuffles, on fewer data sets and families because it is slow.",
        "",
        "Made by `python benchmarks/independence.py` on 2 CPU cores, 24 GiB, no GPU, shared with other work.",
        f"Python {sys.version.split()[0]}, numpy {np.__version__}.",
        "",
        "| Z enters as | effect | n | " + " | ".join(methods.values()) + " |",
        "| --- | --- | --- |" + " --- |" * len(methods),
    ]
    for family in FAMILIES:
        for effect in ("0.0", "0.5"):
            mine = [r for r in rows if r["family"] == family and r["effect"] == effect]
            for n in sorted({r["rows"] for r in mine}, key=int):
                cells = []
                for method in methods:
                    found = [r for r in mine if r["method"] == method and r["rows"] == n]
                    if not found:
                        cells.append("")
                        continue
                    share, count = float(found[0]["rejected"]), int(found[0]["replicates"])
                    error = (max(share * (1 - share), LEVEL * (1 - LEVEL)) / count) ** 0.5
                    cells.append(f"{share:.1%} ({error:.1%}, {count} sets)")
                shown = family.replace("|z|", "norm of z")
                lines.append(f"| {shown} | {effect} | {n} | " + " | ".join(cells) + " |")
    (RESULTS / "independence.md").write_text("\n".join([*lines, ""]))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
