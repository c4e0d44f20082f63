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
import numpy.typing as npt
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent))
from accuracy_cases import Case, cases

Floats = npt.NDArray[np.float64]

RESULTS = Path(__file__).parent / "results"
FEW = 5
REPLICATES = {1000: 20, 5000: 6, 20_000: 6}
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


MORE = {("Gaussian 2-d given 2-d", 5000): 30}
"""Cells that six draws called worse, drawn again."""
SLOW = ("Gaussian 5-d", "Gaussian 5-d given 5-d", "Gaussian 10-d", "Gaussian 10-d given 10-d")


def chosen(families: list[str] | None = None) -> list[Case]:
    """The families, or those that are named."""
    return [case for case in cases() if families is None or case.name in families]


def replicates(case: Case, n: int) -> int:
    """How many draws of a family; beyond n = 5,000 two of a slow one."""
    return 2 if n > 5000 and case.name in SLOW else MORE.get((case.name, n), REPLICATES[n])


def make_files(folder: Path, sizes: list[int], families: list[str] | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for n in sizes:
        for case in chosen(families):
            for replicate in range(replicates(case, n)):
                path = folder / f"{stem(case, n, replicate)}.npz"
                if not path.exists():
                    x, y, z = draw(case, n, replicate)
                    np.savez(path, x=x, y=y, integer=case.integer, **({} if z is None else {"z": z}))


def run_ours(sizes: list[int], families: list[str] | None, out: Path) -> None:
    from synergy.estimators import estimate

    done = {row[0] for row in csv.reader(out.open())} if out.exists() else set()
    with out.open("a", newline="") as stream:
        writer = csv.writer(stream)
        for n in sizes:
            for case in chosen(families):
                for replicate in range(replicates(case, n)):
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


def run_peer(peer: str, work: Path, cells: list[str], seconds: float) -> str:
    """Run a peer on the draws of some cells for at most `seconds`; what it has answered by then is kept."""
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
        done = subprocess.run(
            [python, script, peer, work / "draws", work / f"{peer}.csv", *cells],
            env=environment,
            timeout=seconds,
        )
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


def compare(auto: Floats, peer: Floats, truth: float) -> dict[str, float] | None:
    """The paired differences |auto - truth| - |peer - truth| over the draws that both answered."""
    both = np.isfinite(auto) & np.isfinite(peer)
    count = int(both.sum())
    if count < 2:
        return None
    differences = np.abs(auto[both] - truth) - np.abs(peer[both] - truth)
    return {
        "draws": count,
        "rmse": float(np.sqrt(np.mean((peer[both] - truth) ** 2))),
        "difference": float(differences.mean()),
        "error": float(differences.std(ddof=1) / np.sqrt(count)),
        "limit": float(stats.t.ppf(0.975, count - 1)),
    }


def verdict(found: dict[str, float]) -> str:
    """Whether the mean difference lies beyond its 95 % t interval around 0."""
    reach = found["limit"] * found["error"]
    if found["difference"] > reach:
        return "WORSE"
    return "better" if found["difference"] < -reach else "as good"


def summarise(work: Path) -> list[dict[str, object]]:
    rows = []
    ours = read(work / "ours.csv")
    peers = {peer: read(work / f"{peer}.csv") for peer in REQUIREMENTS}
    for case in cases():
        for n in REPLICATES:
            names = [stem(case, n, r) for r in range(replicates(case, n))]
            names = [name for name in names if name in ours]
            if len(names) < 2:
                continue
            auto = np.array([number(ours[m][0]) for m in names])
            row: dict[str, object] = {"family": case.name, "n": n, "truth": case.truth, "draws": len(names)}
            row["estimator"] = ours[names[0]][3]
            row["auto"] = float(np.sqrt(np.mean((auto - case.truth) ** 2)))
            row["auto bias"] = float(auto.mean() - case.truth)
            row["auto SE"] = float(np.mean([number(ours[m][2]) for m in names]))
            row["auto seconds"] = float(np.median([number(ours[m][1]) for m in names]))
            compared = {}
            for peer, answers in peers.items():
                values = np.array([number(answers[m][0]) if m in answers else np.nan for m in names])
                found = compare(auto, values, case.truth)
                row[peer] = found and found["rmse"]
                row[f"{peer} draws"] = found and found["draws"]
                times = [number(answers[m][1]) for m in names if m in answers]
                row[f"{peer} seconds"] = float(np.median(times)) if times else None
                if found:
                    compared[peer] = found
            most = max((found["draws"] for found in compared.values()), default=0)
            often = [peer for peer, found in compared.items() if found["draws"] >= min(most, FEW)]
            best = max(often, key=lambda peer: compared[peer]["difference"], default=None)
            row["best peer"] = best
            row["difference"] = compared[best]["difference"] if best else None
            row["its error"] = compared[best]["error"] if best else None
            row["paired draws"] = compared[best]["draws"] if best else None
            row["verdict"] = verdict(compared[best]) if best else "alone"
            rows.append(row)
    return rows


def redrawn(work: Path) -> list[str]:
    """What the first and the further draws say apart, of the cells that were drawn again."""
    ours, lines = read(work / "ours.csv"), []
    for (family, n), count in MORE.items():
        case = next(case for case in cases() if case.name == family)
        for peer in REQUIREMENTS:
            answers, found = read(work / f"{peer}.csv"), []
            for drawn in (range(REPLICATES[n]), range(REPLICATES[n], count)):
                names = [stem(case, n, r) for r in drawn]
                auto, theirs = (
                    np.array([number(table[m][0]) if m in table else np.nan for m in names])
                    for table in (ours, answers)
                )
                found.append(compare(auto, theirs, case.truth))
            if all(found):
                first, further = (f"{f['difference']:+.4f} ± {f['error']:.4f} ({f['draws']})" for f in found)
                lines.append(
                    f"{family}, n = {n}, against {peer}: first draws {first}, further ones {further}."
                )
    return lines


def show(row: dict[str, object], peer: str) -> str:
    """A peer's root mean square error, with its draws in brackets where it answered fewer."""
    value, count = row[peer], row[f"{peer} draws"]
    return "" if value is None else f"{value:.4f}" + ("" if count == row["draws"] else f" ({count})")


def write_report(work: Path, states: dict[str, str]) -> None:
    rows = summarise(work)
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "accuracy.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
        )
    counts = {v: sum(row["verdict"] == v for row in rows) for v in ("better", "as good", "WORSE", "alone")}
    lines = [
        "# Accuracy on families with a known answer",
        "",
        "Root mean square error in nats over the draws (and bias in brackets for ours). Every estimator",
        "sees the same rows, k = 5. `auto SE` is the mean standard error that our estimate reports for a",
        "draw. A peer that took longer than five seconds for a draw was asked for two draws (the number",
        "that it answered is in brackets). Empty: the peer has no such estimate, failed, or was not run.",
        "tigramite is run with knn=5 and transform='standardize', infomeasure without tie noise where it",
        "conditions, scikit-learn and npeet-plus with their estimators for a discrete column where there",
        "is one. infomeasure was run at n = 1,000 and partly beyond: where it has an answer it is",
        "npeet-plus's, up to ties. In ten dimensions at n = 20,000 it was not waited for: a draw of 5,000",
        "rows took 44 to 79 s, and the time grows as the square of n.",
        "",
        "**The verdict** is on the paired differences |auto - truth| - |peer - truth| over the draws that",
        "both answered, against the peer with the largest mean difference (the best one; one that answered",
        f"fewer than {FEW} draws counts only where none answered more): `WORSE` or",
        "`better` where the mean lies outside its 95 % t interval around 0, else `as good`. Were `auto`",
        f"exactly as good as every peer everywhere, 2.5 % of {len(rows)} cells, {0.025 * len(rows):.1f},",
        "would be called worse by chance, and more since the best of several peers is picked afterwards.",
        "",
        "A cell that its first draws called worse was drawn again. " + " ".join(redrawn(work)),
        "",
        f"**Cells: {', '.join(f'{v} {c}' for v, c in counts.items())}.**",
        "",
        "Made by `python benchmarks/accuracy.py` on 2 CPU cores, 24 GiB, no GPU, shared with other work",
        f"(the seconds in the CSV are rough). Python {sys.version.split()[0]}, numpy {np.__version__}.",
        "",
        *(
            f"- {peer} ({', '.join(REQUIREMENTS[peer] or ['as installed here'])}): {state}"
            for peer, state in states.items()
        ),
        "",
        "| family | n | truth | draws | auto (bias) | auto SE | "
        + " | ".join(REQUIREMENTS)
        + " | best peer | difference of abs. error | verdict |",
        "| --- " * (9 + len(REQUIREMENTS)) + "|",
    ]
    for row in rows:
        peers = " | ".join(show(row, peer) for peer in REQUIREMENTS)
        mine = f"{row['auto']:.4f} ({row['auto bias']:+.4f}) | {row['auto SE']:.4f}"
        gap = f"{row['difference']:+.4f} ± {row['its error']:.4f}" if row["best peer"] else ""
        lines.append(
            f"| {row['family']} | {row['n']} | {row['truth']:.4f} | {row['draws']} | {mine} | {peers} | "
            f"{row['best peer'] or ''} | {gap} | {row['verdict']} |"
        )
    (RESULTS / "accuracy.md").write_text("\n".join([*lines, ""]))
    print("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=list(REPLICATES))
    parser.add_argument("--families", nargs="+", help="only these families, as the table names them")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "essl-synergy-accuracy")
    parser.add_argument("--only", choices=["ours", *REQUIREMENTS], nargs="+")
    parser.add_argument("--limit", type=float, default=3600, help="seconds for each peer")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    folder = options.work / "draws"
    states = {}
    if not options.report:
        make_files(folder, options.sizes, options.families)
        if options.only is None or "ours" in options.only:
            run_ours(options.sizes, options.families, options.work / "ours.csv")
    cells = [stem(case, n, 0).removesuffix("-0") for n in options.sizes for case in chosen(options.families)]
    for peer in REQUIREMENTS:
        state = options.work / f"{peer}.state"
        if not options.report and (options.only is None or peer in options.only):
            state.write_text(run_peer(peer, options.work, cells, options.limit))
        drawn = {path.stem for path in folder.glob("*.npz")}
        answers = read(options.work / f"{peer}.csv")
        told = [name for name, row in answers.items() if name in drawn and np.isfinite(number(row[0]))]
        status = state.read_text() if state.exists() and "install" in state.read_text() else ""
        states[peer] = status or f"answered {len(told)} of {len(drawn)} draws"
    if options.only is None or options.report:
        write_report(options.work, states)


if __name__ == "__main__":
    main()
