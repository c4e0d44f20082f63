"""Every parser and every reader under random damage: is anything said but the documented, in one line?

    python benchmarks/fuzz.py [--count 100000] [--seed 0] [--only NAME] [--out benchmarks/results]

The targets, their valid inputs and the changes that are made to them are those of `tests/fuzz`. Each target
runs in a process of its own: what it does to its memory is its peak, and an input that ends the process is
counted and named. An input counts as slow after a second.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

FUZZ = Path(__file__).parents[1] / "tests" / "fuzz"
SLOW = 1.0
"""Seconds of the processor after which an input is slow."""

SETTINGS = "settings of generators"


def attack_of(name: str, folder: Path) -> Callable[[random.Random], str]:
    """What attacks a target once; its answer."""
    import attacks

    if name == SETTINGS:
        families = attacks.settings_of_every_family()

        def settings(rng: random.Random) -> str:
            family, _ = rng.choice(families)
            names = [parameter for other, parameter in families if other == family]
            values = (*attacks.SETTINGS, *attacks.GROUPS[:4])
            chosen = {p: rng.choice(values) for p in rng.sample(names, rng.randint(1, len(names)))}
            return attacks.answer(lambda: attacks.made(family, chosen))

        return settings
    if name in attacks.TEXTS:
        target = attacks.TEXTS[name]

        def text(rng: random.Random) -> str:
            mutant = attacks.text_mutant(rng, target.valid)
            if name == "certificates" and rng.random() < 0.5:
                mutant = json.dumps(attacks.replaced(rng, json.loads(target.valid[0])))
            return attacks.answer(lambda: target.read(mutant))

        return text
    reader = attacks.file_targets(folder / "valid")[name]
    return lambda rng: reader.attack(folder / "inputs", attacks.mutant(rng, reader.valid))


def child(name: str, first: int, count: int, seed: int) -> None:
    """Attack so many times from a number on; one line of JSON at the end, the number before each input."""
    sys.path.insert(0, str(FUZZ))
    from attacks import WrongAnswerError

    answers: Counter[str] = Counter()
    wrong: dict[str, int] = {}
    slow, worst = 0, (0.0, -1)
    with tempfile.TemporaryDirectory() as place:
        attack = attack_of(name, Path(place))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(first, first + count):
            print(number, file=sys.stderr, flush=True)
            start = time.process_time()
            try:
                answers[attack(random.Random(f"{seed} {name} {number}"))] += 1
            except WrongAnswerError as error:
                answers["wrong"] += 1
                wrong.setdefault(str(error)[:160], number)
            took = time.process_time() - start
            slow += took > SLOW
            worst = max(worst, (took, number))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = {
        "answers": answers,
        "wrong": wrong,
        "slow": slow,
        "worst": worst,
        "memory": (after - before) / 1024,
    }
    print(json.dumps(told))


def run(name: str, count: int, seed: int) -> dict[str, Any]:
    """Attack in other processes; one that dies is followed by another from the next number on."""
    total: dict[str, Any] = {
        "answers": Counter(),
        "wrong": {},
        "slow": 0,
        "worst": [0.0, -1],
        "memory": 0.0,
        "died": [],
    }
    first = 0
    while first < count:
        script = f"import fuzz; fuzz.child({name!r}, {first}, {count - first}, {seed})"
        with tempfile.TemporaryFile("w+") as numbers:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", script],
                stdout=subprocess.PIPE,
                stderr=numbers,
                text=True,
                cwd=Path(__file__).parent,
                check=False,
            )
            numbers.seek(0)
            reached = [int(line) for line in numbers if line.strip().isdigit()]
        if done.returncode == 0:
            found = json.loads(done.stdout)
            total["answers"] += Counter(found["answers"])
            total["wrong"] |= found["wrong"]
            total["slow"] += found["slow"]
            total["worst"] = max(total["worst"], found["worst"])
            total["memory"] = max(total["memory"], found["memory"])
            return total
        if not reached:
            raise RuntimeError(f"{name} did not start")
        total["died"].append(reached[-1])
        total["answers"]["ended the process"] += 1
        first = reached[-1] + 1
    return total


COLUMNS = ["target", "inputs", "accepted", "refused", "wrong", "ended", "slow", "worst", "memory"]
"""The columns of the table."""


def page(rows: dict[str, dict[str, Any]], count: int, seed: int) -> str:
    """The results as Markdown."""
    lines = []
    for name, row in rows.items():
        answers = row["answers"]
        refused = sum(answers.values()) - answers["accepted"] - answers["wrong"] - len(row["died"])
        inputs = sum(answers.values())
        counts = (inputs, answers["accepted"], refused, answers["wrong"], len(row["died"]), row["slow"])
        shown = " | ".join(f"{n:,}" for n in counts)
        lines.append(f"| {name} | {shown} | {row['worst'][0]:.2f} | {row['memory']:.0f} |")
    notes = [
        f"- {name}: {text} (number {n})" for name, row in rows.items() for text, n in row["wrong"].items()
    ]
    notes += [f"- {name}: the process ended at number {n}" for name, row in rows.items() for n in row["died"]]
    head = f"""# Random damage

Made by `python benchmarks/fuzz.py --count {count} --seed {seed}`: so many inputs for each parser and
reader, made from valid ones by bytes flipped, cut, doubled, overwritten, spliced and truncated. Wrong is any
answer but acceptance or one ValueError or TypeError of one line; ended is an input that ended the process.
Slow took more than a second; times are of the processor, in seconds, and memory is by how much the peak grew,
in MiB.

| {" | ".join(COLUMNS)} |
| --- |{" ---: |" * (len(COLUMNS) - 1)}
"""
    return head + "\n".join([*lines, "", *notes]).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    sys.path.insert(0, str(FUZZ))
    import attacks

    with tempfile.TemporaryDirectory() as place:
        files = list(attacks.file_targets(Path(place)))
    names = arguments.only or [*attacks.TEXTS, SETTINGS, *files]
    rows: dict[str, dict[str, Any]] = {}
    for name in names:
        rows[name] = run(name, arguments.count, arguments.seed)
        print(name, {**rows[name], "answers": dict(rows[name]["answers"])}, file=sys.stderr, flush=True)
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "fuzz.md").write_text(page(rows, arguments.count, arguments.seed))


if __name__ == "__main__":
    main()
