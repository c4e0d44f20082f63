"""How long `prove` takes on random statements, and how many of them it leaves unknown.

    python benchmarks/prover_limits.py [--count 400] [--seconds 2] [--csv FILE]

Statements over four to seven variables on no diagram and on several, with and without premises, existential
ones, those that need copies, and perturbed inequalities that are true but not of Shannon type: those are the
ones that neither a proof nor a distribution ends early. Times are of the wall clock and of the processor.
"""

from __future__ import annotations

import argparse
import csv
import inspect
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from theory import ContradictionError, TooLargeError, prove

DIAGRAMS = {
    "none": None,
    "essl": "essl",
    "two-views": "two-views",
    "head": "head",
    "chain": "A->B->C->D->E->F",
    "triangle": "U->A, U->B, V->B, V->C, W->A, W->C",
    "gates": "A=>D, B=>D, B=>E, C=>E, D->F, E->F",
}
NAMES = "ABCDEFG"
TERMS = ("I(A;B|C)", "I(A;C|B)", "I(B;C|A)", "I(A;B|D)", "I(A;D|B)", "I(B;D|A)", "I(C;D)")
SIX = (
    (5, 3, 1, 2, 0, 0, 2),
    (4, 2, 1, 3, 1, 0, 2),
    (4, 4, 1, 2, 1, 1, 2),
    (3, 3, 3, 2, 0, 0, 2),
    (3, 4, 2, 3, 1, 0, 2),
)
ZHANG_YEUNG = "I(A;B) + I(A;C,D) + 3 I(C;D|A) + I(C;D|B) >= 2 I(C;D)"
MAKARYCHEV = "I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D) + I(A;B|E) + I(A;E|B) + I(B;E|A)"


def term(rng: random.Random, names: list[str]) -> str:
    picked = rng.sample(names, min(len(names), rng.randint(2, 4)))
    cut = sorted(rng.sample(range(1, len(picked) + 1), 2)) if len(picked) > 2 else [1, len(picked)]
    left, right, given = picked[: cut[0]], picked[cut[0] : cut[1]], picked[cut[1] :]
    condition = f"|{','.join(given)}" if given else ""
    if rng.random() < 0.25:
        return f"H({','.join(left)}|{','.join(right)})"
    return f"I({','.join(left)};{','.join(right)}{condition})"


def side(rng: random.Random, names: list[str], most: int) -> str:
    return " + ".join(
        f"{rng.choice(['', '', '2 ', '3 '])}{term(rng, names)}" for _ in range(rng.randint(1, most))
    )


def random_statement(rng: random.Random) -> tuple[str, dict[str, Any]]:
    diagram = rng.choice(list(DIAGRAMS))
    text = DIAGRAMS[diagram]
    if text is None:
        names = list(NAMES[: rng.randint(4, 7)])
    else:
        from theory.diagrams import read_diagram

        names = list(read_diagram(text).variables)
        names = rng.sample(names, min(len(names), rng.randint(4, 6)))
    options: dict[str, Any] = {"diagram": text} if text else {}
    given = []
    for _ in range(rng.choice([0, 0, 1, 2])):
        operator = rng.choice(["==", "==", "<=", ">"])
        right = "0" if operator in ("==", ">") else term(rng, names)
        given.append(f"{term(rng, names)} {operator} {right}")
    if given:
        options["given"] = tuple(given)
    operator = rng.choice(["<=", "<=", "<=", "==", "<"])
    statement = f"{side(rng, names, 2)} {operator} {side(rng, names, 5)}"
    if rng.random() < 0.15:
        options["exists"] = True
    if rng.random() < 0.25:
        options["non_shannon"] = True
    return statement, options


def near_truth(rng: random.Random) -> tuple[str, dict[str, Any]]:
    """An inequality that is true but not of Shannon type, perhaps weakened, perhaps with five variables."""
    kind = rng.randrange(4)
    options: dict[str, Any] = {"non_shannon": rng.random() < 0.6}
    if kind == 0:
        text = ZHANG_YEUNG
    elif kind == 1:
        text = MAKARYCHEV
    else:
        weights = list(rng.choice(SIX))
        weights[rng.randrange(7)] += rng.choice([-1, 0, 1])
        text = "2 I(A;B) <= " + " + ".join(f"{w} {t}" for w, t in zip(weights, TERMS, strict=True) if w > 0)
    if rng.random() < 0.4:
        text += f" + {term(rng, list('ABCDE'))}" if "<=" in text else ""
    if rng.random() < 0.2:
        options["given"] = (f"{term(rng, list('ABCD'))} == 0",)
    return text, options


def widened(rng: random.Random) -> tuple[str, dict[str, Any]]:
    """The same among more variables: blocks for letters, a common condition, several relations, a diagram."""
    text, options = near_truth(rng)
    options["non_shannon"] = rng.random() < 0.7
    way = rng.randrange(5)
    if way == 0:
        text = text.replace("D", "D,F") if rng.random() < 0.5 else text.replace("B", "B,G")
    elif way == 1:
        other, _ = near_truth(rng)
        text = f"{text} and {other}"
    elif way == 2:
        options["given"] = tuple(
            f"{term(rng, list('ABCDEF'))} == {term(rng, list('ABCDEF'))}" for _ in range(2)
        )
    elif way == 3:
        options["given"] = (
            f"{term(rng, list('ABCDE'))} > 0",
            f"{term(rng, list('ABCDE'))} <= {term(rng, list('ABCDE'))}",
        )
    else:
        extra = rng.randint(2, 5)
        options["given"] = tuple(f"I(A;Y{i}|B) <= I(C;Y{i}|D)" for i in range(extra))
    return text, options


def large(rng: random.Random) -> tuple[str, dict[str, Any]]:
    """Eight to twelve variables: large linear programs."""
    n = rng.randint(7, 10)
    names = [f"X{i}" for i in range(n)]
    options: dict[str, Any] = {}
    if rng.random() < 0.5:
        options["diagram"] = ", ".join(f"{rng.choice(names[:i])}->{names[i]}" for i in range(1, n))
    return f"{side(rng, names, 3)} <= {side(rng, names, 6)}", options


KINDS = {"random": random_statement, "near": near_truth, "widened": widened, "large": large}
SHARES = {"random": 0.45, "near": 0.2, "widened": 0.2, "large": 0.15}


def corpus(count: int) -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    for i in range(count):
        rng = random.Random(i)
        kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
        found.append((kind, *KINDS[kind](rng)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    limit = {"seconds": arguments.seconds} if "seconds" in inspect.signature(prove).parameters else {}
    prove("I(A;B) >= 0")
    prove("I(A;B) <= I(A;B|C)")
    rows = []
    for kind, statement, options in corpus(arguments.count):
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            verdict = prove(statement, **options, **limit).verdict
        except (ContradictionError, TooLargeError) as error:
            verdict = type(error).__name__
        rows.append(
            (kind, verdict, time.perf_counter() - wall, time.process_time() - cpu, statement, str(options))
        )
        print(*rows[-1][:4], statement, options, file=sys.stderr, flush=True)
    if arguments.csv:
        with arguments.csv.open("w", newline="") as file:
            csv.writer(file).writerows([("kind", "verdict", "wall", "cpu", "statement", "options"), *rows])
    for column, name in ((2, "wall"), (3, "cpu")):
        for kind in (*KINDS, "all"):
            times = sorted(row[column] for row in rows if kind in (row[0], "all"))
            if times:
                shown = [
                    f"{times[min(len(times) - 1, int(q * len(times)))]:.2f}" for q in (0.5, 0.9, 0.99, 1)
                ]
                over = sum(t > 2 for t in times)
                print(f"| {name} | {kind} | {len(times)} | {' | '.join(shown)} | {over} |")
    print(Counter((row[0], row[1]) for row in rows))


if __name__ == "__main__":
    main()
