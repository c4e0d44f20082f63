"""Accuracy of `estimate(.., estimator="auto")` beside the peers, on families with a known answer.

    python benchmarks/accuracy.py                   # everything, resumable
    python benchmarks/accuracy.py --sizes 1000      # some sizes
    python benchmarks/accuracy.py --report          # only write the tables again

Each peer runs in an environment of its own, made below `--work` on first use; draws and answers are kept
there too, so that an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
import venv
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from accuracy_cases import Case, cases

RESULTS = Path(__file__).parent / "results"
REPLICATES = {1000: 10, 5000: 2, 20_000: 2}
REQUIREMENTS = {
    "sklearn": None,
    "infomeasure": ["infomeasure==0.6.3"],
    "npeet-plus": ["npeet-plus==0.2.0"],
    "tigramite": ["tigramite==5.2.10.1", "numba"],
    "benchmark-mi": ["benchmark-mi==0.1.3", "numpy<2", "jax<0.4.34", "jaxlib<0.4.34"],
}


def stem(case: Case, n: int, replicate: int) -> str:
    return f"{case.name.replace(' ', '_').replace(':', '').replace(',', '')}-{n}-{replicate}"


def draw(case: Case, n: int, replicate: int):
    rng = np.random.default_rng([zlib.crc32(case.name.encode()), n, replicate])
    return case.draw(n, rng)


LARGE = ("Gaussian 1-d", "Gaussian 1-d given 1-d", "Gaussian 5-d given 5-d", "zero-inflated Poisson 0.15")


def chosen(n: int, every: bool = False) -> list[Case]:
    """Beyond n = 5,000 the slowest families are left out unless asked for."""
    return [case for case in cases() if n <= 5000 or every or case.name in LARGE]


def make_files(folder: Path, sizes: list[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for n in sizes:
        for case in chosen(n):
            for replicate in range(REPLICATES[n]):
                path = folder / f"{stem(case, n, replicate)}.npz"
                if not path.exists():
                    x, y, z = draw(case, n, replicate)
                    np.savez(path, x=x, y=y, integer=case.integer, **({} if z is None else {"z": z}))


def run_ours(sizes: list[int], out: Path) -> None:
    from synergy.estimators import estimate

    done = {row[0] for row in csv.reader(out.open())} if out.exists() else set()
    with out.open("a", newline="") as stream:
        writer = csv.writer(stream)
        for n in sizes:
            for case in chosen(n):
                for replicate in range(REPLICATES[n]):
                    name = stem(case, n, replicate)
                    if name in done:
                        continue
                    x, y, z = draw(case, n, replicate)
                    data = {"X": x, "Y": y[:, 0].astype(int) if case.integer else y}
                    if z is not None:
                        data["Z"] = z
                    start = time.perf_counter()
                    found = estimate(data, "I(X;Y)" if z is None else "I(X;Y|Z)")
                    seconds = time.perf_counter() - start
                    writer.writerow(
                        [
                            name,
                            f"{found.value:.8g}",
                            f"{seconds:.4g}",
                            f"{found.standard_error:.4g}",
                            found.estimator,
                        ]
                    )
                    stream.flush()


def run_peer(peer: str, folder: Path, work: Path, out: Path, seconds: float) -> str:
    """Run a peer for at most `seconds`; what it has answered by then is kept."""
    python = Path(sys.executable)
    if REQUIREMENTS[peer]:
        home = work / "environments" / peer
        python = home / "bin" / "python"
        if not python.exists():
            venv.create(home, with_pip=True)
            done = subprocess.run(
                [python, "-m", "pip", "install", "--quiet", *REQUIREMENTS[peer]],
                capture_output=True,
                text=True,
            )
            if done.returncode:
                return f"does not install: {done.stderr.strip().splitlines()[-1][:100]}"
    script = Path(__file__).parent / "accuracy_peers.py"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
    try:
        done = subprocess.run([python, script, peer, folder, out], env=environment, timeout=seconds)
    except subprocess.TimeoutExpired:
        return "stopped by the time limit"
    return "done" if done.returncode == 0 else f"failed with status {done.returncode}"


def read(out: Path) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in csv.reader(out.open())} if out.exists() else {}


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def summarise(work: Path) -> list[dict[str, object]]:
    rows = []
    ours = read(work / "ours.csv")
    peers = {peer: read(work / f"{peer}.csv") for peer in REQUIREMENTS}
    for case in cases():
        for n in REPLICATES:
            names = [stem(case, n, r) for r in range(REPLICATES[n])]
            names = [name for name in names if name in ours]
            if not names:
                continue
            row: dict[str, object] = {"family": case.name, "n": n, "truth": case.truth, "draws": len(names)}
            for who, answers in {"auto": ours, **peers}.items():
                values = np.array([number(answers[m][0]) if m in answers else np.nan for m in names])
                good = values[np.isfinite(values)]
                row[who] = (
                    float(np.sqrt(np.mean((good - case.truth) ** 2))) if len(good) == len(names) else None
                )
                row[f"{who} bias"] = float(good.mean() - case.truth) if len(good) == len(names) else None
                times = [number(answers[m][1]) for m in names if m in answers]
                row[f"{who} seconds"] = float(np.median(times)) if times else None
            errors = [number(ours[m][2]) for m in names]
            row["auto SE"] = float(np.mean(errors))
            row["estimator"] = ours[names[0]][3]
            best = min((row[p] for p in REQUIREMENTS if row[p] is not None), default=None)
            row["best peer"] = best
            # the standard error of a root mean square over `draws` values is about SE / sqrt(2 draws)
            slack = 2 * row["auto SE"] / np.sqrt(2 * len(names))
            row["verdict"] = (
                "alone"
                if best is None
                else "better"
                if row["auto"] < best - slack
                else "as good"
                if row["auto"] <= best + slack
                else "WORSE"
            )
            rows.append(row)
    return rows


def show(value: object) -> str:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def write_report(work: Path, states: dict[str, str]) -> None:
    rows = summarise(work)
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "accuracy.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
        )
    lines = [
        "# Accuracy on families with a known answer",
        "",
        "Root mean square error in nats over the draws (and bias in brackets for ours). Every estimator",
        "sees the same rows, k = 5. `auto SE` is the mean standard error that our estimate reports for a",
        "draw. A verdict allows twice the standard error of the root mean square. Empty: the peer has no",
        "such estimate, failed, or was not run (benchmark-mi beyond n = 5,000). Beyond n = 5,000 only the",
        "families shown were run. tigramite is run with knn=5 and transform='standardize', infomeasure",
        "without tie noise where it conditions, scikit-learn and npeet-plus with their estimators for a",
        "discrete column where there is one.",
        "",
        "Made by `python benchmarks/accuracy.py` on 2 CPU cores, 24 GiB, no GPU, shared with other work",
        f"(the seconds in the CSV are rough). Python {sys.version.split()[0]}, numpy {np.__version__}.",
        "",
        *(
            f"- {peer} ({', '.join(REQUIREMENTS[peer] or ['as installed here'])}): {state}"
            for peer, state in states.items()
        ),
        "",
        "| family | n | truth | draws | auto (bias) | auto SE | " + " | ".join(REQUIREMENTS) + " | verdict |",
        "| --- " * (7 + len(REQUIREMENTS)) + "|",
    ]
    for row in rows:
        peers = " | ".join(show(row[p]) for p in REQUIREMENTS)
        mine = f"{row['auto']:.4f} ({row['auto bias']:+.4f}) | {row['auto SE']:.4f}"
        lines.append(
            f"| {row['family']} | {row['n']} | {row['truth']:.4f} | {row['draws']} | {mine} | {peers} | "
            f"{row['verdict']} |"
        )
    counts = {v: sum(row["verdict"] == v for row in rows) for v in ("better", "as good", "WORSE", "alone")}
    lines += ["", "Cells: " + ", ".join(f"{v} {c}" for v, c in counts.items()) + ".", ""]
    (RESULTS / "accuracy.md").write_text("\n".join(lines))
    print("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=list(REPLICATES))
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "essl-synergy-accuracy")
    parser.add_argument("--only", choices=["ours", *REQUIREMENTS], nargs="+")
    parser.add_argument("--limit", type=float, default=3600, help="seconds for each peer")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    folder = options.work / "draws"
    states = {}
    if not options.report:
        make_files(folder, options.sizes)
        if options.only is None or "ours" in options.only:
            run_ours(options.sizes, options.work / "ours.csv")
    for peer in REQUIREMENTS:
        state = options.work / f"{peer}.state"
        if not options.report and (options.only is None or peer in options.only):
            out = options.work / f"{peer}.csv"
            state.write_text(run_peer(peer, folder, options.work, out, options.limit))
        drawn = {path.stem for path in folder.glob("*.npz")}
        answers = read(options.work / f"{peer}.csv")
        told = [name for name, row in answers.items() if name in drawn and np.isfinite(number(row[0]))]
        status = state.read_text() if state.exists() and "install" in state.read_text() else ""
        states[peer] = status or f"answered {len(told)} of {len(drawn)} draws"
    if options.only is None or options.report:
        write_report(options.work, states)


if __name__ == "__main__":
    main()
