"""The prover beside psitip, in one run.

    python benchmarks/prover.py [--out benchmarks/results] [--rounds 3] [--peer PYTHON] [--skip-peers]

psitip gets an environment of its own, made in a temporary folder (or `--peer` names the interpreter of one);
its solver is ortools' GLOP, the fastest that it has, in floating point. Ours parses the text, searches,
makes the weights exact and runs the exact checker; psitip builds the statement from its objects and solves.
Both are warm: every statement is judged once before it is timed. Rounds take turns, so that other work on the
machine slows both alike. `ours` is what `theory.prove` takes; times are medians. Beside wall-clock time there
is processor time, which other work on the machine disturbs less.
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
from dataclasses import dataclass, field
from functools import reduce
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

MACHINE = "2 CPU cores, 24 GiB of memory, no GPU, shared with other work"
PSITIP = "1.1.7"
NEEDS = ("numpy", "scipy", "matplotlib", "networkx", "ortools", "pulp", "pyomo", "pycddlib-standalone")
ESSL = "C->R, S->R, V->R, R->X, A->X, X->Z"


@dataclass(frozen=True)
class Task:
    """A statement as ours reads it, with the answer that theory gives.

    Args:
        text: The statement.
        expected: `proved`, `refuted` or `unknown` (true but not of Shannon type).
        options: Further arguments of `prove`.
        slow: Whether to time it once a round rather than several times.
        peer: Whether the peer is asked too.
    """

    text: str
    expected: str = "proved"
    options: dict[str, Any] = field(default_factory=dict)
    slow: bool = False
    peer: bool = True


def on_essl(text: str, expected: str = "proved", peer: bool = True, **options: Any) -> Task:
    return Task(text, expected, {"diagram": ESSL, **options}, peer=peer)


def chain(n: int) -> str:
    return "->".join(f"X{i}" for i in range(1, n + 1))


def han(n: int) -> str:
    names = [f"X{i}" for i in range(1, n + 1)]
    left = " + ".join(f"H({','.join(x for x in names if x != y)})" for y in names)
    return f"{left} >= {n - 1} H({','.join(names)})"


def all_named(n: int) -> str:
    """The data processing inequality, naming every variable so that none can be left out."""
    middle = ",".join(f"X{i}" for i in range(3, n))
    return f"I(X1;X{n}) + H({middle}) <= I(X1;X2) + H({middle})"


TASKS: dict[str, Task] = {
    "E1": on_essl("I(A;Z|C) == I(A;Z) + I(A;C|Z)"),
    "E2": on_essl("I(A;Z|C) >= I(A;Z)"),
    "E3": on_essl("I(C;Z|A) == I(C;Z) + I(A;C|Z)"),
    "E4": on_essl("I(A;C) == 0 and I(A;C|X) > 0", exists=True, peer=False),
    "U1": on_essl("H(A|Z) == 0 and H(A) > 0 and I(C;X) > 0 and I(C;Z) == 0", exists=True, peer=False),
    "D1": on_essl("I(A;Z) <= I(A;X)"),
    "D2": on_essl("I(A;Z|C) <= I(A;X|C)"),
    "D3": on_essl("I(A;Z) + I(A;C|Z) <= I(A;X) + I(A;C|X)"),
    "D4": on_essl("I(A;C|Z) <= I(A;C|X)", "refuted"),
    "L1": on_essl("I(A;C|Z) <= H(A|Z) and I(A;C|Z) <= H(C|Z)"),
    "L2": on_essl("I(A;C|X) == 0", given="H(A|X) == 0"),
    "R1": Task("I(A;C|X1,X2) == 0", options={"diagram": "C->X1, A->X2"}),
    "R2": on_essl("I(A;C|X) <= I(A;R|X) == I(A;X|R) - I(A;X)"),
    "P1": Task("I(A;U,W) - I(A;U) == I(A;W|U) <= H(A|U)"),
    "P3": on_essl("I(A;C|X,S) <= H(A|X,S)"),
    "P3 (false)": on_essl("I(A;C|X) <= I(A;C|X,S)", "refuted"),
    "P4": on_essl("I(A;C,S|Z) == I(A;C|Z) + I(A;S|Z,C)"),
    "F1": Task("I(B;C|Z) >= I(A;C|Z)", options={"given": "H(A|B) == 0"}),
    "M1": Task("I(A,B;C|Z) == I(A;C|Z) + I(B;C|Z,A) >= I(A;C|Z)"),
    "M2": Task("I(A,B;C|Z) >= I(A;C|Z) + I(B;C|Z)", "refuted"),
    "V1": on_essl("I(A;Z) == 0 and I(A;C|Z) == 0", given="I(A;Z|R) == 0"),
    "G1": Task("H(C|Z) <= H(C|Z,A) + H(A|Z)"),
    "G2": Task("I(C;Z) >= I(C;Z|A) - H(A|Z)"),
    "chain of 6": Task("I(X1;X6) <= I(X1;X2)", options={"diagram": chain(6)}),
    "chain of 8": Task("I(X1;X8) <= I(X1;X2)", options={"diagram": chain(8)}),
    "chain of 10": Task("I(X1;X10) <= I(X1;X2)", options={"diagram": chain(10)}, slow=True),
    "chain of 12": Task("I(X1;X12) <= I(X1;X2)", options={"diagram": chain(12)}, slow=True),
    "chain of 16": Task("I(X1;X16) <= I(X1;X2)", options={"diagram": chain(16)}, slow=True, peer=False),
    "chain of 12, all named": Task(all_named(12), options={"diagram": chain(12)}, slow=True, peer=False),
    "chain of 16, all named": Task(all_named(16), options={"diagram": chain(16)}, slow=True, peer=False),
    "chain of 12, false": Task(
        "I(X1;X12) >= 1/2 I(X1;X11)", "refuted", {"diagram": chain(12)}, slow=True, peer=False
    ),
    "chain of 16, false": Task(
        "I(X1;X16) >= 1/2 I(X1;X15)", "refuted", {"diagram": chain(16)}, slow=True, peer=False
    ),
    "Han on 6": Task(han(6)),
    "Han on 8": Task(han(8), slow=True),
    "Han on 9": Task(han(9), slow=True),
    "Han on 10": Task(han(10), slow=True),
    "Zhang-Yeung": Task(
        "I(A;B) + I(A;C,D) + 3 I(C;D|A) + I(C;D|B) >= 2 I(C;D)", options={"non_shannon": True}
    ),
    "Zhang-Yeung, plain": Task(
        "I(A;B) + I(A;C,D) + 3 I(C;D|A) + I(C;D|B) >= 2 I(C;D)", "unknown", peer=False
    ),
    "Ingleton": Task("I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D)", "refuted"),
    "false by 1e-8": on_essl("I(A;Z|C) >= (1 + 1e-8) I(A;Z)", "refuted"),
    "false by 1e-8, entropies": Task("H(X,Y) >= (1 + 1e-8) H(X)", "refuted"),
}


def timed(action: Callable[[], object], slow: bool) -> tuple[float, float]:
    """Median wall-clock and processor seconds."""
    action()
    wall, processor = [], []
    for _ in range(3 if slow else 15):
        start, used = time.perf_counter(), time.process_time()
        action()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return median(wall), median(processor)


def ours() -> dict[str, tuple[float, float, str]]:
    from theory import prove

    found = {}
    for name, task in TASKS.items():
        verdict = prove(task.text, **task.options).verdict
        found[name] = (*timed(lambda task=task: prove(task.text, **task.options), task.slow), verdict)
    return found


def peer_worker(out: Path) -> None:
    """Runs inside psitip's own environment: seconds and answers as JSON."""
    import psitip
    from psitip import H, I, PsiOpts, indep, markov, rv

    PsiOpts.setting(solver="ortools.GLOP")
    a, b, c, d, r, s, u, v, w, x, y, z = (rv(n) for n in "ABCDRSUVWXYZ")
    x1, x2 = rv("X1"), rv("X2")

    def diagram() -> Any:
        """The local Markov property of the E-SSL diagram."""
        before = c + s + v
        return (
            indep(c, s, v, a) & indep(a, before + r) & markov(before, r + a, x) & markov(before + r + a, x, z)
        )

    def joined(some: list[Any]) -> Any:
        return reduce(lambda p, q: p + q, some)

    def line(n: int) -> Callable[[], Any]:
        def build() -> Any:
            some = [rv(f"X{i}") for i in range(n)]
            return markov(*some) >> (I(some[0] & some[-1]) <= I(some[0] & some[1]))

        return build

    def han_of(n: int) -> Callable[[], Any]:
        def build() -> Any:
            some = [rv(f"X{i}") for i in range(n)]
            left = sum(H(joined(some[:i] + some[i + 1 :])) for i in range(n))
            return left >= (n - 1) * H(joined(some))

        return build

    def zhang_yeung() -> bool:
        with psitip.copylem().assumed():
            right = I(a & b) + I(a & c + d) + 3 * I(c & d | a) + I(c & d | b)
            return bool(2 * I(c & d) <= right)

    claims: dict[str, Callable[[], Any]] = {
        "E1": lambda: diagram() >> (I(a & z | c) == I(a & z) + I(a & c | z)),
        "E2": lambda: diagram() >> (I(a & z | c) >= I(a & z)),
        "E3": lambda: diagram() >> (I(c & z | a) == I(c & z) + I(a & c | z)),
        "D1": lambda: diagram() >> (I(a & z) <= I(a & x)),
        "D2": lambda: diagram() >> (I(a & z | c) <= I(a & x | c)),
        "D3": lambda: diagram() >> (I(a & z) + I(a & c | z) <= I(a & x) + I(a & c | x)),
        "D4": lambda: diagram() >> (I(a & c | z) <= I(a & c | x)),
        "L1": lambda: (I(a & c | z) <= H(a | z)) & (I(a & c | z) <= H(c | z)),
        "L2": lambda: (H(a | x) == 0) >> (I(a & c | x) == 0),
        "R1": lambda: indep(c + x1, a + x2) >> (I(a & c | x1 + x2) == 0),
        "R2": lambda: (
            diagram() >> ((I(a & c | x) <= I(a & r | x)) & (I(a & r | x) == I(a & x | r) - I(a & x)))
        ),
        "P1": lambda: (I(a & u + w) - I(a & u) == I(a & w | u)) & (I(a & w | u) <= H(a | u)),
        "P3": lambda: I(a & c | x + s) <= H(a | x + s),
        "P3 (false)": lambda: diagram() >> (I(a & c | x) <= I(a & c | x + s)),
        "P4": lambda: I(a & c + s | z) == I(a & c | z) + I(a & s | z + c),
        "F1": lambda: (H(a | b) == 0) >> (I(b & c | z) >= I(a & c | z)),
        "M1": lambda: (
            (I(a + b & c | z) == I(a & c | z) + I(b & c | z + a)) & (I(a + b & c | z) >= I(a & c | z))
        ),
        "M2": lambda: I(a + b & c | z) >= I(a & c | z) + I(b & c | z),
        "V1": lambda: (diagram() & (I(a & z | r) == 0)) >> ((I(a & z) == 0) & (I(a & c | z) == 0)),
        "G1": lambda: H(c | z) <= H(c | z + a) + H(a | z),
        "G2": lambda: I(c & z) >= I(c & z | a) - H(a | z),
        **{f"chain of {n}": line(n) for n in (6, 8, 10, 12)},
        **{f"Han on {n}": han_of(n) for n in (6, 8, 9, 10)},
        "Zhang-Yeung": zhang_yeung,
        "Ingleton": lambda: I(a & b) <= I(a & b | c) + I(a & b | d) + I(c & d),
        "false by 1e-8": lambda: diagram() >> (I(a & z | c) >= (1 + 1e-8) * I(a & z)),
        "false by 1e-8, entropies": lambda: H(x + y) >= (1 + 1e-8) * H(x),
    }
    found: dict[str, tuple[float, float, str]] = {}
    for name, build in claims.items():
        try:
            answer = str(bool(build()))
            found[name] = (*timed(lambda build=build: bool(build()), TASKS[name].slow), answer)
        except Exception as error:
            found[name] = (float("nan"), float("nan"), f"{type(error).__name__}: {error}")
    out.write_text(json.dumps(found))


def installed(folder: Path) -> Path | str:
    """The interpreter of an environment that has psitip, or why there is none."""
    home = folder / "environment"
    try:
        venv.create(home, with_pip=True)
        python = home / "bin" / "python"
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        for extra in (["--no-deps", f"psitip=={PSITIP}"], list(NEEDS)):
            subprocess.run([*pip, *extra], check=True, capture_output=True, timeout=900)
    except (subprocess.SubprocessError, OSError) as error:
        return f"psitip {PSITIP} did not install: {type(error).__name__}"
    return python


def asked(python: Path, folder: Path) -> dict[str, tuple[float, float, str]]:
    """Seconds and answers of psitip, from its own environment."""
    out = folder / "psitip.json"
    subprocess.run(
        [str(python), __file__, "--worker", str(out)], check=True, capture_output=True, timeout=1200
    )
    return {name: tuple(values) for name, values in json.loads(out.read_text()).items()}  # type: ignore[misc]


def show(seconds: float | None) -> str:
    if seconds is None or seconds != seconds:
        return "-"
    return f"{seconds * 1e3:.3g} ms"


def report(
    rounds: list[dict[str, Any]], peers: list[dict[str, Any]], notes: list[str], machine: str
) -> tuple[str, str]:
    """The table as Markdown and as CSV."""
    packages = ", ".join(f"{p} {version(p)}" for p in ("numpy", "scipy", "networkx"))
    columns = (
        "statement",
        "expected",
        "ours",
        "ours, processor",
        "our verdict",
        "psitip",
        "psitip, processor",
        "psitip says",
        "ratio",
        "ratio, processor",
    )
    lines = [
        "# The prover beside psitip",
        "",
        f"Medians of {len(rounds)} rounds, in turns, warm; {machine}.",
        f"Python {platform.python_version()}, {packages}; psitip {PSITIP} with GLOP.",
        "",
        "Ours includes parsing, the exact certificate and its check; psitip answers in floating point. Its",
        "False means that no proof was found; ours refutes with a distribution. The ratios are psitip's time",
        "over ours.",
        "",
        f"| {' | '.join(columns)} |",
        "| --- " * len(columns) + "|",
    ]
    rows = [",".join(f'"{column}"' for column in columns)]
    for name, task in TASKS.items():
        mine = [median(r[name][i] for r in rounds) for i in (0, 1)]
        asked_too = bool(peers) and name in peers[-1]
        theirs = [median(r[name][i] for r in peers) for i in (0, 1)] if asked_too else []
        says = str(peers[-1][name][2]) if asked_too else "-"
        ratios = [f"{b / a:.2g}" for a, b in zip(mine, theirs, strict=False)] or ["-", "-"]
        times = [show(t) for t in (*mine, *(theirs or (None, None)))]
        verdict = str(rounds[-1][name][2])
        cells = [name, task.expected, *times[:2], verdict, *times[2:], says, *ratios]
        lines.append("| " + " | ".join(cells) + " |")
        exact = [f"{t:.6f}" for t in (*mine, *theirs)] + [""] * (2 - len(theirs))
        fields = [name, task.expected, *exact[:2], verdict, *exact[2:], says, *ratios]
        rows.append(",".join(f'"{cell}"' if "," in cell else cell for cell in fields))
    lines += ["", *(f"- {note}" for note in notes), ""]
    return "\n".join(lines), "\n".join(rows) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--machine", default=MACHINE)
    parser.add_argument("--peer", type=Path, help="an interpreter that has psitip")
    parser.add_argument("--skip-peers", action="store_true", help="install nothing")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        peer_worker(options.worker)
        return 0
    rounds: list[dict[str, Any]] = []
    peers: list[dict[str, Any]] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        python: Path | str = options.peer or (
            "psitip was not asked" if options.skip_peers else installed(folder)
        )
        if isinstance(python, str):
            notes.append(python)
        for _ in range(options.rounds):
            rounds.append(ours())
            if isinstance(python, Path):
                peers.append(asked(python, folder))
    wrong = [n for n, task in TASKS.items() if rounds[-1][n][2] != task.expected]
    notes.append(f"our verdicts that differ from the expected ones: {', '.join(wrong) or 'none'}")
    if peers:
        lies = [n for n, found in peers[-1].items() if found[2] == "True" and TASKS[n].expected == "refuted"]
        missed = [
            n for n, found in peers[-1].items() if found[2] == "False" and TASKS[n].expected == "proved"
        ]
        notes.append(f"false statements that psitip certifies: {', '.join(lies) or 'none'}")
        notes.append(f"true statements that psitip does not prove: {', '.join(missed) or 'none'}")
    markdown, csv = report(rounds, peers, notes, options.machine)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "prover.md").write_text(markdown)
    (options.out / "prover.csv").write_text(csv)
    print(markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
