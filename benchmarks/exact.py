"""Exact joints beside dit and plain numpy, in one run.

    python benchmarks/exact.py [--out benchmarks/results] [--repeats 15] [--skip-peers]

The joint has 8 variables of 3 states (6,561 probabilities, drawn from a Dirichlet distribution with a fixed
seed). dit is installed in an environment of its own, made in a temporary folder; it reads the same table, is
asked in the fastest way that it has (`dit.shannon.entropy`), and its answers are compared with ours. The
machine is described by `--machine`.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from itertools import chain, combinations
from pathlib import Path
from statistics import median

import numpy as np

PEERS = {"dit": "2.3"}
NAMES = "ABCDEFGH"
STATES = 3
MACHINE = "2 CPU cores, 24 GiB of memory, no GPU, shared with other work"
Measured = tuple[dict[str, float], dict[str, float]]
"""Seconds by task, and answers in nats."""

TASKS = {
    "build": "build the distribution",
    "entropies": "all 256 joint entropies",
    "term": "one I(A;C|F), fresh distribution",
    "new text": "one I(A;C|F), fresh distribution, text not seen before",
    "chain": "I(X1;X30) in a chain of 30 binary variables",
}


def table() -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.ones(STATES ** len(NAMES))).reshape((STATES,) * len(NAMES))


def timed(action: Callable[[object], object], prepare: Callable[[], object], repeats: int) -> float:
    """Median seconds of one action on a freshly prepared object."""
    seconds = []
    for _ in range(repeats):
        fresh = prepare()
        start = time.perf_counter()
        action(fresh)
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def subsets(n: int) -> list[tuple[int, ...]]:
    return list(chain.from_iterable(combinations(range(n), k) for k in range(n + 1)))


def ours(p: np.ndarray, repeats: int) -> Measured:
    from theory import Diagram, Joint, Model
    from theory import joints as module

    names = [f"X{i}" for i in range(1, 31)]
    line = Model.random(Diagram.parse("->".join(names)), 2, seed=0)

    def fresh() -> Joint:
        return Joint(tuple(NAMES), p)

    def forgetful() -> Joint:
        module._plan.cache_clear()
        return fresh()

    fresh().value("I(A;C|F)")
    times = {
        "build": timed(lambda _: fresh(), lambda: None, repeats),
        "entropies": timed(lambda j: j.entropies(), fresh, repeats),
        "term": timed(lambda j: j.value("I(A;C|F)"), fresh, 10 * repeats),
        "new text": timed(lambda j: j.value("I(A;C|F)"), forgetful, 10 * repeats),
        "chain": timed(lambda _: line.value("I(X1;X30)"), lambda: None, repeats),
    }
    joint = fresh()
    keys = {"".join(NAMES[i] for i in s): frozenset(NAMES[i] for i in s) for s in subsets(len(NAMES))}
    lattice = joint.entropies()
    answers = {key: lattice[s] for key, s in keys.items()}
    return times, {**answers, "I(A;C|F)": joint.value("I(A;C|F)")}


def plain_numpy(p: np.ndarray, repeats: int) -> Measured:
    """A lattice that drops one axis at a time, and four sums for one term."""

    def entropy(q: np.ndarray) -> float:
        positive = q[q > 0]
        return -float((positive * np.log(positive)).sum())

    def lattice(q: np.ndarray) -> dict[str, float]:
        found: dict[str, float] = {}

        def visit(part: np.ndarray, names: str, last: int) -> None:
            found[names] = entropy(part)
            for axis in range(last, len(names)):
                visit(part.sum(axis=axis), names[:axis] + names[axis + 1 :], axis)

        visit(q, NAMES, 0)
        return found

    def term(q: np.ndarray) -> float:
        acf = q.sum(axis=(1, 3, 4, 6, 7))
        af, cf, f = acf.sum(axis=1), acf.sum(axis=0), acf.sum(axis=(0, 1))
        return entropy(af) + entropy(cf) - entropy(acf) - entropy(f)

    times = {
        "entropies": timed(lattice, lambda: p, repeats),
        "term": timed(term, lambda: p, 10 * repeats),
    }
    return times, {**lattice(p), "I(A;C|F)": term(p)}


def dit_worker(folder: Path, repeats: int) -> None:
    """Runs inside dit's own environment: times and answers as JSON."""
    import dit

    p = np.load(folder / "table.npy")

    def fresh() -> object:
        return dit.Distribution.from_ndarray(p)

    def lattice(d: object) -> dict[str, float]:
        every = {"".join(NAMES[i] for i in s): list(s) for s in subsets(len(NAMES))}
        return {k: float(dit.shannon.entropy(d, s)) if s else 0.0 for k, s in every.items()}

    def term(d: object) -> float:
        af, cf, acf, f = (dit.shannon.entropy(d, s) for s in ([0, 5], [2, 5], [0, 2, 5], [5]))
        return float(af + cf - acf - f)

    times = {
        "build": timed(lambda _: fresh(), lambda: None, repeats),
        "entropies": timed(lattice, fresh, max(3, repeats // 3)),
        "term": timed(term, fresh, repeats),
    }
    d = fresh()
    nats = float(np.log(2))
    answers = {k: v * nats for k, v in lattice(d).items()}
    answers["I(A;C|F)"] = term(d) * nats
    (folder / "dit.json").write_text(json.dumps([times, answers]))


def installed(name: str, folder: Path) -> Path | str:
    """The interpreter of an environment that has the peer, or why there is none."""
    home = folder / f"environment-{name}"
    try:
        venv.create(home, with_pip=True)
        python = home / "bin" / "python"
        install = [str(python), "-m", "pip", "install", "--quiet", f"{name}=={PEERS[name]}"]
        subprocess.run(install, check=True, capture_output=True, timeout=600)
    except (subprocess.SubprocessError, OSError) as error:
        return f"{name} {PEERS[name]} did not install: {type(error).__name__}"
    return python


def peer(name: str, python: Path, folder: Path, repeats: int) -> Measured:
    """Times and answers of a peer, from its own environment."""
    worker = [str(python), __file__, "--worker", str(folder), "--repeats", str(repeats)]
    subprocess.run(worker, check=True, capture_output=True, timeout=600)
    times, answers = json.loads((folder / f"{name}.json").read_text())
    return times, answers


def show(seconds: float | None) -> str:
    if seconds is None:
        return "none"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


def report(results: dict[str, dict[str, float]], notes: list[str], machine: str) -> tuple[str, str]:
    """The table as Markdown and as CSV."""
    packages = ", ".join(f"{p} {version(p)}" for p in ("numpy", "scipy", "sympy"))
    lines = [
        "# Exact joints: 8 variables of 3 states",
        "",
        f"Medians of the rounds, in turns; {machine}. Python {platform.python_version()}, {packages}.",
        "Ratios are a peer's time over ours, in the same run.",
        "",
        "| task | "
        + " | ".join(results)
        + " | "
        + " | ".join(f"{r} / ours" for r in list(results)[1:])
        + " |",
        "| --- " * (2 * len(results)) + "|",
    ]
    rows = ["task,who,seconds,ratio"]
    for task, text in TASKS.items():
        base = results["ours"][task]
        cells = [show(times.get(task)) for times in results.values()]
        ratios = []
        for who, times in results.items():
            if task in times:
                rows.append(f"{task},{who},{times[task]:.9f},{times[task] / base:.3f}")
            if who != "ours":
                ratios.append(f"{times[task] / base:.3g}" if task in times else "-")
        lines.append("| " + text.replace("|", "\\|") + " | " + " | ".join(cells + ratios) + " |")
    lines += ["", *(f"- {note}" for note in notes), ""]
    return "\n".join(lines), "\n".join(rows) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--machine", default=MACHINE)
    parser.add_argument("--skip-peers", action="store_true", help="install nothing")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        dit_worker(options.worker, options.repeats)
        return 0
    p = table()
    rounds: dict[str, list[dict[str, float]]] = {}
    answers: dict[str, dict[str, float]] = {}
    notes: list[str] = []
    runs: dict[str, Callable[[], Measured]] = {
        "ours": lambda: ours(p, options.repeats),
        "plain numpy": lambda: plain_numpy(p, options.repeats),
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        np.save(place / "table.npy", p)
        for name in () if options.skip_peers else PEERS:
            python = installed(name, place)
            if isinstance(python, str):
                notes.append(python)
            else:
                runs[f"{name} {PEERS[name]}"] = partial(peer, name, python, place, options.repeats)
        for _ in range(options.rounds):  # in turns, so that other work on the machine slows all alike
            for who, run in runs.items():
                times, answers[who] = run()
                rounds.setdefault(who, []).append(times)
    results = {who: {t: median(r[t] for r in found) for t in found[0]} for who, found in rounds.items()}
    for who, values in answers.items():
        worst = max(abs(values[key] - truth) for key, truth in answers["ours"].items())
        if who != "ours":
            notes.append(f"{who} and we differ by at most {worst:.1e} nats in all 256 entropies and the term")
    markdown, csv = report(results, notes, options.machine)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "exact.md").write_text(markdown)
    (options.out / "exact.csv").write_text(csv)
    print(markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
