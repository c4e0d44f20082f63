"""The time of one estimate, ours beside the peers, interleaved, each task in one run.

    python benchmarks/estimators_speed.py [--peers FOLDER] [--repeats 5] [--tasks ..]

Each peer lives in a virtual environment of its own, `FOLDER/peer-NAME`, made on first use (the folder for
temporary files by default). Every library is started once and loads the same arrays; then the tasks are
taken in turn, and in each repeat every library is asked for one estimate, so that a disturbance of the
machine meets all of them. Medians; the ratio is the fastest peer's median over ours. A peer that does not
install, or a task that it does not have, is named in the table. One trial beforehand is not counted. CPU
seconds, of all threads, stand beside the elapsed ones: they depend less on what else the machine does.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
TRUTH = 0.5
K = 5

PEERS = {
    "npeet-plus": ["npeet-plus==0.2.0"],
    "tigramite": ["tigramite==5.2.10.1", "numba", "joblib"],
    "infomeasure": ["infomeasure==0.6.3"],
    "pgmpy": ["pgmpy==1.1.2"],
}

TASKS = {
    "discrete codes": "plug-in I(X;Y|Z), 10 states each, n = 1e6, integer codes",
    "discrete labels": "the same, any integers as labels",
    "mi-1": "KSG I(X;Y), 1-d, n = 20,000",
    "cmi-1": "I(X;Y|Z), 1-d each, n = 20,000",
    "mi-5": "KSG I(X;Y), 5-d, n = 20,000",
    "cmi-5": "I(X;Y|Z), 5-d each, n = 20,000",
}

TARGETS = {
    "discrete codes": 0.006,
    "discrete labels": 0.017,
    "mi-1": 0.025,
    "cmi-1": 0.060,
    "mi-5": 0.7,
    "cmi-5": 1.7,
}
"""Elapsed seconds on two cores that nothing else uses."""

QUIET = 0.5
"""Up to this load before the run the machine counts as idle."""

SLOW = 8.0
"""Beyond this many seconds for one estimate a library is not asked again."""


def draw(folder: Path, n: int) -> None:
    """The arrays of all tasks, the same for all libraries."""
    import numpy as np

    rng = np.random.default_rng(0)
    codes = rng.integers(10, size=(3, 1_000_000))
    codes[1] = np.where(rng.random(1_000_000) < 0.3, (codes[0] + codes[2]) % 10, codes[1])
    arrays = {"codes": codes, "labels": codes * 7919 - 30_000}
    for d in (1, 5):
        rho = math.sqrt(1 - math.exp(-2 * TRUTH / d))
        x, noise, z = rng.standard_normal((3, n, d))
        y = rho * x + math.sqrt(1 - rho**2) * noise
        arrays |= {f"x{d}": x, f"y{d}": y, f"cx{d}": x + z, f"cy{d}": y + z, f"z{d}": z}
    np.savez(folder / "arrays.npz", **arrays)


Tasks = dict[str, Callable[[], float]]


def ours(a: dict) -> Tasks:
    from synergy.estimators.discrete import encode, plug_in
    from synergy.estimators.neighbours import knn

    codes = dict(zip("XYZ", a["codes"], strict=True))
    labels = dict(zip("XYZ", a["labels"], strict=True))
    ten = dict.fromkeys("XYZ", 10)

    def labelled() -> float:
        coded = {name: encode(column) for name, column in labels.items()}
        columns, states = ({name: pair[i] for name, pair in coded.items()} for i in (0, 1))
        return plug_in("I(X;Y|Z)", columns, cardinalities=states, scores=False).value

    found: Tasks = {
        "discrete codes": lambda: plug_in("I(X;Y|Z)", codes, cardinalities=ten, scores=False).value,
        "discrete labels": labelled,
    }
    for d in (1, 5):
        found[f"mi-{d}"] = lambda d=d: knn(a[f"x{d}"], a[f"y{d}"], interval=False).value
        found[f"cmi-{d}"] = lambda d=d: knn(a[f"cx{d}"], a[f"cy{d}"], a[f"z{d}"], interval=False).value
    return found


def ours_corrected(a: dict) -> Tasks:
    from synergy.estimators.discrete import plug_in
    from synergy.estimators.neighbours import copula_knn

    codes = dict(zip("XYZ", a["codes"], strict=True))
    ten = dict.fromkeys("XYZ", 10)
    found: Tasks = {"discrete codes": lambda: plug_in("I(X;Y|Z)", codes, cardinalities=ten).value}
    for d in (1, 5):
        found[f"mi-{d}"] = lambda d=d: copula_knn(a[f"x{d}"], a[f"y{d}"], interval=False).value
        found[f"cmi-{d}"] = lambda d=d: copula_knn(a[f"cx{d}"], a[f"cy{d}"], a[f"z{d}"], interval=False).value
    return found


def npeet_plus(a: dict) -> Tasks:
    from npeet_plus import cmi, mi

    found: Tasks = {}
    for d in (1, 5):
        found[f"mi-{d}"] = lambda d=d: mi(a[f"x{d}"], a[f"y{d}"], k=K, base=math.e)
        found[f"cmi-{d}"] = lambda d=d: cmi(a[f"cx{d}"], a[f"cy{d}"], a[f"z{d}"], k=K, base=math.e)
    return found


def tigramite(a: dict) -> Tasks:
    import numpy as np
    from tigramite.independence_tests.cmiknn import CMIknn
    from tigramite.independence_tests.cmisymb import CMIsymb

    test = CMIknn(knn=K, transform="standardize", significance="fixed_thres")

    def value(*slots: object) -> float:
        array = np.vstack([np.asarray(s).T for s in slots])
        xyz = np.concatenate([np.full(np.shape(s)[1], i) for i, s in enumerate(slots)])
        return float(test.get_dependence_measure(array, xyz))

    symbolic = CMIsymb(significance="fixed_thres")
    found: Tasks = {
        name: lambda key=key: float(symbolic.get_dependence_measure(a[key], np.arange(3)))
        for name, key in (("discrete codes", "codes"), ("discrete labels", "labels"))
    }
    for d in (1, 5):
        found[f"mi-{d}"] = lambda d=d: value(a[f"x{d}"], a[f"y{d}"])
        found[f"cmi-{d}"] = lambda d=d: value(a[f"cx{d}"], a[f"cy{d}"], a[f"z{d}"])
    return found


def infomeasure(a: dict) -> Tasks:
    import infomeasure as im

    ksg = {"approach": "ksg", "k": K, "noise_level": 0}
    found: Tasks = {}
    for name, key in (("discrete codes", "codes"), ("discrete labels", "labels")):
        found[name] = lambda key=key: im.conditional_mutual_information(
            a[key][0], a[key][1], cond=a[key][2], approach="discrete"
        )
    for d in (1, 5):
        found[f"mi-{d}"] = lambda d=d: im.mutual_information(a[f"x{d}"], a[f"y{d}"], **ksg)
        found[f"cmi-{d}"] = lambda d=d: im.conditional_mutual_information(
            a[f"cx{d}"], a[f"cy{d}"], cond=a[f"z{d}"], **ksg
        )
    return found


def pgmpy(a: dict) -> Tasks:
    import pandas as pd
    from pgmpy.estimators.CITests import g_sq

    def value(frame: pd.DataFrame) -> float:
        return g_sq("X", "Y", ["Z"], frame, boolean=False)[0] / (2 * len(frame))

    frames = {key: pd.DataFrame(dict(zip("XYZ", a[key], strict=True))) for key in ("codes", "labels")}
    return {
        "discrete codes": lambda: value(frames["codes"]),
        "discrete labels": lambda: value(frames["labels"]),
    }


LIBRARIES: dict[str, Callable[[dict], Tasks]] = {
    "ours": ours,
    "ours, corrected": ours_corrected,
    "npeet-plus": npeet_plus,
    "tigramite": tigramite,
    "infomeasure": infomeasure,
    "pgmpy": pgmpy,
}


def serve(library: str, folder: Path) -> None:
    """Answer the task names on standard input with seconds and values, one JSON line each."""
    import warnings

    import numpy as np

    warnings.simplefilter("ignore")
    answers = sys.stdout
    sys.stdout = sys.stderr
    with np.load(folder / "arrays.npz") as file:
        tasks = LIBRARIES[library]({name: file[name] for name in file.files})
    for line in sys.stdin:
        task, answer = line.strip(), None
        if task in tasks:
            start, used = time.perf_counter(), time.process_time()
            try:
                value = float(tasks[task]())
                seconds, used = time.perf_counter() - start, time.process_time() - used
                answer = {"seconds": seconds, "cpu": used, "value": value}
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def environment(peers: Path, name: str) -> Path | None:
    """The peer's Python, installed if need be; None if it does not install."""
    home = peers / f"peer-{name}"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        done = subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS[name]], check=False)
        if done.returncode:
            return None
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description="Time of one estimate beside the peers.")
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--busy", action="store_true", help="say that the machine had other work")
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder, options.rows)
        busy = options.busy or os.getloadavg()[0] > QUIET
        found = earlier() | measure(options, folder)
    write(found, options.repeats, options.rows, busy)


def earlier() -> dict[tuple[str, str], dict]:
    """What the stored table has, so that some tasks can be timed again."""
    path = RESULTS / "estimators_speed.csv"
    if not path.exists():
        return {}
    found = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            numbers = {key: float(row[key]) for key in ("seconds", "cpu", "value") if row.get(key)}
            found[row["task"], row["library"]] = numbers or {"error": row["error"]}
    return found


def measure(options: argparse.Namespace, folder: Path) -> dict[tuple[str, str], dict]:
    """Median seconds and values of each (task, library)."""
    pipes, found = {}, {}
    for library in LIBRARIES:
        python = Path(sys.executable) if library.startswith("ours") else environment(options.peers, library)
        if python is None:
            found |= {(task, library): {"error": "does not install"} for task in options.tasks}
            continue
        command = [str(python), __file__, "--serve", library, "--folder", str(folder)]
        pipes[library] = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(library: str, task: str) -> dict | None:
        pipe = pipes[library]
        pipe.stdin.write(task + "\n")
        pipe.stdin.flush()
        line = pipe.stdout.readline()
        return json.loads(line) if line else {"error": "the process died"}

    for task in options.tasks:
        first = {library: ask(library, task) for library in pipes}
        timed: dict[str, list[dict]] = {library: [] for library in pipes}
        for _ in range(options.repeats):
            for library, answer in first.items():
                recent = timed[library][-1] if timed[library] else answer
                if (
                    answer is not None
                    and "value" in answer
                    and (not timed[library] or recent["seconds"] < SLOW)
                ):
                    timed[library].append(ask(library, task))
        for library, answer in first.items():
            if answer is not None:
                found[task, library] = answer
                for key in ("seconds", "cpu") if timed[library] else ():
                    found[task, library][key] = statistics.median(t[key] for t in timed[library])
                print(task, library, found[task, library], flush=True)
    for pipe in pipes.values():
        pipe.stdin.close()
        pipe.wait()
    return found


def against_target(found: dict[tuple[str, str], dict], task: str) -> list[str]:
    """Our median beside the target and the fastest peer, in milliseconds: a row of the first table."""
    mine = found.get((task, "ours"), {}).get("seconds")
    if mine is None:
        return []
    rivals = {
        name: cell["seconds"]
        for (t, name), cell in found.items()
        if t == task and not name.startswith("ours") and "value" in cell
    }
    fastest = min(rivals, key=rivals.__getitem__, default=None)
    peer = (
        f"{fastest} {1e3 * rivals[fastest]:.1f} ms, {rivals[fastest] / mine:.1f} times ours"
        if fastest
        else ""
    )
    label = TASKS[task].replace("|Z)", "\\|Z)")
    met = "yes" if mine <= TARGETS[task] else f"no, {mine / TARGETS[task]:.1f} times the target"
    used = 1e3 * found[task, "ours"]["cpu"]
    target = f"{1e3 * TARGETS[task]:.0f} ms"
    return [f"| {label} | {target} | {1e3 * mine:.1f} ms | {used:.1f} ms | {met} | {peer} |"]


def write(found: dict[tuple[str, str], dict], repeats: int, rows: int, busy: bool) -> None:
    import numpy
    import scipy
    import sklearn

    versions = f"numpy {numpy.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"
    state = "shared with other work while this ran: read the ratios" if busy else "nothing else ran"
    lines = [
        "# The time of one estimate",
        "",
        f"`python benchmarks/estimators_speed.py`: medians of {repeats} repeats in which all libraries take",
        f"turns, each task in one run. Python {platform.python_version()}, {versions}; peers",
        ", ".join(packages[0] for packages in PEERS.values()) + ".",
        f"2 CPU cores, 24 GiB, no GPU; {state}.",
        "The ratios are the fastest peer's median over ours, of elapsed and of CPU seconds (all threads).",
        f"k = {K}, Gaussian columns, n = {rows:,}, truth {TRUTH} nats. `ours, corrected` is `copula_knn`",
        "(the Gaussian bias removed) and, for codes, the plug-in with one score per row.",
        "",
        "| task | target | ours | ours, CPU time | met | fastest peer |",
        "| --- " * 6 + "|",
        *(line for task in TASKS for line in against_target(found, task)),
        "",
        "All of them:",
        "",
        "| task | library | seconds | CPU seconds | value | ratio | CPU ratio |",
        "| --- " * 7 + "|",
    ]
    for task in TASKS:
        rivals = [f for (t, name), f in found.items() if t == task and "ours" not in name and "value" in f]
        for library in LIBRARIES:
            cell = found.get((task, library))
            label = f"| {TASKS[task]} | {library} | ".replace("|Z)", "\\|Z)")
            if cell is None:
                continue
            if "value" not in cell:
                lines.append(f"{label}{cell['error'][:60]} | | | | |")
                continue
            ratios = [
                f"{min(r[key] for r in rivals) / cell[key]:.1f}" if rivals and "ours" in library else ""
                for key in ("seconds", "cpu")
            ]
            numbers = f"{cell['seconds']:.4f} | {cell['cpu']:.4f} | {cell['value']:.4f}"
            lines.append(f"{label}{numbers} | {ratios[0]} | {ratios[1]} |")
    (RESULTS / "estimators_speed.md").write_text("\n".join(lines) + "\n")
    with (RESULTS / "estimators_speed.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        keys = ["seconds", "cpu", "value", "error"]
        writer.writerow(["task", "library", *keys])
        for (task, library), cell in found.items():
            writer.writerow([task, library, *(cell.get(key) for key in keys)])


if __name__ == "__main__":
    main()
