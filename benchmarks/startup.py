"""How long commands and imports take to start, in processor seconds.

    python benchmarks/startup.py [--out benchmarks/results] [--repeats 5]

Each row runs in processes of its own; the number is the median of their user time, which does not count the
waiting for the disk. A run to warm the file cache comes first. The import of numpy, scipy.optimize and
networkx is measured in the same run, because `import theory` is judged against it. `BEFORE` are the same rows
on the same machine before libraries were loaded where they are used.
"""

from __future__ import annotations

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

REFERENCE = "import numpy, scipy.optimize, networkx"

BEFORE = {
    "synergy --help": 1.58,
    "synergy --version": 1.55,
    "synergy list claims": 1.62,
    "synergy prove": 1.63,
    "synergy exact": 4.56,
    "synergy estimate": 4.63,
    REFERENCE: 0.54,
    "import theory": 1.27,
    "from theory import prove": 1.30,
    "import synthetic": 4.03,
    "from synthetic import ModularShift": 4.07,
    "from synergy import estimate": 4.46,
}
"""Processor seconds on the machine of the kept results at commit 8b66f37, by this file."""

GOALS = {
    "synergy --help": 0.5,
    "synergy --version": 0.5,
    "synergy list claims": 0.5,
    "synergy prove": 1.0,
    "synergy exact": 1.0,
    "import synthetic": 1.0,
    "synergy estimate": 2.0,
}
"""What each may take; `import theory` and the prover 1.2 times the reference."""


def rows(folder: Path) -> dict[str, Sequence[str]]:
    """What is started: a name, and the arguments of the interpreter."""
    table = folder / "table.csv"
    drawn = np.random.default_rng(0).integers(4, size=(10_000, 3))
    np.savetxt(table, drawn, fmt="%d", delimiter=",", header="A,C,X", comments="")

    def command(*arguments: str) -> Sequence[str]:
        return ("-c", "from synergy.cli import main; main()", *arguments)

    def code(text: str) -> Sequence[str]:
        return ("-c", text)

    return {
        "synergy --help": command("--help"),
        "synergy --version": command("--version"),
        "synergy list claims": command("list", "claims"),
        "synergy prove": command("prove", "I(A;Z|C) >= I(A;Z)", "--diagram", "essl"),
        "synergy exact": command("exact", "modular-shift", "I(A;C|X)"),
        "synergy estimate": command("estimate", str(table), "I(A;C|X)"),
        REFERENCE: code(REFERENCE),
        "import theory": code("import theory"),
        "from theory import prove": code("from theory import prove"),
        "import synthetic": code("import synthetic"),
        "from synthetic import ModularShift": code("from synthetic import ModularShift"),
        "from synergy import estimate": code("from synergy import estimate"),
    }


def processor_seconds(arguments: Sequence[str]) -> float:
    """The user time of one interpreter with these arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(f"{arguments} ended with status {done.returncode}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--machine", default="2 CPU cores, 24 GiB of memory, no GPU")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started = rows(Path(folder))
        seconds: dict[str, list[float]] = {name: [] for name in started}
        for turn in range(options.repeats + 1):
            for name, arguments in started.items():
                spent = processor_seconds(arguments)
                if turn:
                    seconds[name].append(spent)
    after = {name: median(values) for name, values in seconds.items()}
    goals = {**GOALS, **dict.fromkeys(("import theory", "from theory import prove"), 1.2 * after[REFERENCE])}
    lines = [
        "# Start-up\n",
        f"Processor seconds (user time), medians of {options.repeats}; {options.machine}. "
        f"Python {platform.python_version()}, "
        + ", ".join(f"{p} {version(p)}" for p in ("numpy", "scipy", "networkx", "sympy", "pandas", "torch"))
        + ".\n",
        "| started | before | after | at most |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{name}` | {_cell(BEFORE.get(name))} | {value:.2f} | {_cell(goals.get(name))} |"
            for name, value in after.items()
        ),
        "",
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "startup.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
