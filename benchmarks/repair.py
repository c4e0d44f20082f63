"""How long `repair`, `bounds` and proofs with copies take.

    python benchmarks/repair.py [--out benchmarks/results] [--rounds 3]

Each task runs once to warm up, then `rounds` times; times are medians. Processor time is what the limits of
`repair` count (2 s for up to four variables, 20 s for six); other work on the machine disturbs it less.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from theory import CLAIMS, ESSL, Bounds, Proof, Refutation, Repair, Unknown, bounds, prove, repair

MACHINE = "CPU only, 2 cores shared with other work"
TERMS = ("I(A;B|C)", "I(A;C|B)", "I(B;C|A)", "I(A;B|D)", "I(A;D|B)", "I(B;D|A)", "I(C;D)")
SIX = (
    (5, 3, 1, 2, 0, 0, 2),
    (4, 2, 1, 3, 1, 0, 2),
    (4, 4, 1, 2, 1, 1, 2),
    (3, 3, 3, 2, 0, 0, 2),
    (3, 4, 2, 3, 1, 0, 2),
    (3, 2, 2, 2, 1, 1, 2),
)
"""Dougherty, Freiling and Zeger (2006): 2 I(A;B) <= sum of coefficient times TERMS."""

Answer = Repair | Bounds | Proof | Refutation | Unknown | object


@dataclass(frozen=True)
class Task:
    """One call, the processor time that it may take, and what of its answer to show."""

    name: str
    call: Callable[[], Answer]
    limit: float


def six(weights: tuple[int, ...]) -> str:
    return "2 I(A;B) <= " + " + ".join(f"{w} {t}" for w, t in zip(weights, TERMS, strict=True) if w)


def tasks() -> list[Task]:
    four, large, copies = 2.0, 20.0, 10.0
    d4 = "I(A;C|Z) <= I(A;C|X)"
    makarychev = "I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D) + I(A;B|E) + I(A;E|B) + I(B;E|A)"
    found = [
        Task(
            f"repair {claim.id}",
            partial(repair, claim.statement, diagram=claim.diagram, given=claim.given),
            four,
        )
        for claim in CLAIMS.values()
        if claim.expectation == "false"
    ]
    found += [
        Task("repair D4 without a diagram", lambda: repair(d4), four),
        Task(
            "repair D4, premises within R and S", lambda: repair(d4, diagram=ESSL, within=("R", "S")), large
        ),
        Task(
            "repair of six variables on the E-SSL diagram",
            lambda: repair("I(A,S;C|Z) <= I(A;C|X) + I(A;R|Z)", diagram=ESSL),
            large,
        ),
        Task(
            "repair of six variables without a diagram",
            lambda: repair("I(A,B;C|Z) <= I(A;C|X) + I(A;D)"),
            large,
        ),
        Task("bounds of G1", lambda: bounds("H(C|Z)", by=["H(A|Z)", "H(C|Z,A)"]), large),
        Task(
            "bounds by four terms on the E-SSL diagram",
            lambda: bounds("I(A;C|Z)", by=["I(A;C|X)", "I(A;X|Z)", "H(A|Z)", "I(C;X)"], diagram=ESSL),
            large,
        ),
        Task("a proof with a copy: Makarychev et al.", lambda: prove(makarychev, non_shannon=True), copies),
    ]
    found += [
        Task(
            f"a proof with two copies: number {i} of Dougherty et al.",
            partial(prove, six(weights), non_shannon=True),
            copies,
        )
        for i, weights in enumerate(SIX, start=1)
    ]
    return found


def told(answer: Answer) -> str:
    """What came out, in a few words."""
    if isinstance(answer, Repair):
        state = "" if answer.complete else ", not complete"
        return f"assumptions: {len(answer.assumptions)}, corrections: {len(answer.corrected)}{state}"
    if isinstance(answer, Bounds):
        return f"upper: {len(answer.upper)}, lower: {len(answer.lower)}"
    if isinstance(answer, Proof):
        copies = len(answer.certificate.parts[0].copies)
        return f"proved with {copies} {'copy' if copies == 1 else 'copies'}"
    return getattr(answer, "verdict", str(answer))


def measured(task: Task, rounds: int) -> str:
    """One row of the table."""
    answer = task.call()
    walls, processors = [], []
    for _ in range(rounds):
        wall, processor = perf_counter(), process_time()
        task.call()
        walls.append(perf_counter() - wall)
        processors.append(process_time() - processor)
    within = "yes" if median(processors) <= task.limit else "NO"
    return (
        f"| {task.name} | {told(answer)} | {median(walls):.2f} s | {median(processors):.2f} s | "
        f"{task.limit:g} s | {within} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows = [measured(task, options.rounds) for task in tasks()]
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "networkx"))
    text = [
        "# Repair, bounds and proofs with copies",
        "",
        f"Medians of {options.rounds} round{'' if options.rounds == 1 else 's'}, warm; {MACHINE}.",
        f"Python {platform.python_version()}, {libraries}.",
        "",
        "| task | answer | time | processor time | limit | within it |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "repair.md").write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
