"""The price of avoiding the class: F(b) on small worlds, bounded from both sides, as a table and a plot.

    python benchmarks/price.py [--out benchmarks/results] [--tolerance 1e-3]

For each world the certified bounds on F(b) = max I(A;Z) subject to I(C;Z) <= b, beside the closed-form ends:
F(J) = I(A;X), and F(0) where it has one.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from theory import Joint
from theory.forced import Price, price_of_avoidance

WORLDS = {
    "half symmetric, four rotations": (
        Joint.from_function(("A", "C"), (4, 2), {"X": lambda a, c: 4 if c else a}),
        float(np.log(4) + sum(p * np.log(p) for p in (5 / 8, 1 / 8, 1 / 8, 1 / 8))),
    ),
    "half symmetric, two rotations": (
        Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: 2 if c else a}),
        float(np.log(2) + sum(p * np.log(p) for p in (3 / 4, 1 / 4))),
    ),
    "two free glyphs": (
        Joint.from_function(("A", "C"), (4, 2), {"X": lambda a, c: 4 * c + a}),
        float(np.log(4)),
    ),
    "a pair of half-turns, as 6 and 9": (
        Joint.from_function(("A", "C"), (4, 2), {"X": lambda a, c: (a + 2 * c) % 4}),
        float(np.log(2)),
    ),
}


def report(curves: dict[str, Price], seconds: dict[str, float], tolerance: float) -> str:
    lines = [
        "# The price of avoiding the class",
        "",
        f"F(b) in nats, bounded within {tolerance:g}; F(0) is exact. 2 CPU cores, no GPU.",
        "",
        "| world | J | I(A;X) | F(0) | F(0), closed form | price | largest gap | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, curve in curves.items():
        numbers = (curve.forced, curve.ceiling, curve.free, WORLDS[name][1], curve.price)
        cells = [f"{abs(x) if abs(x) < 1e-12 else x:.6f}" for x in numbers]
        lines.append(f"| {name} | {' | '.join(cells)} | {curve.gap:.1e} | {seconds[name]:.2f} |")
    return "\n".join([*lines, ""])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    options = parser.parse_args()
    curves, seconds, frames = {}, {}, []
    figure, axes = plt.subplots(figsize=(6.4, 4.2))
    for name, (joint, _) in WORLDS.items():
        start = time.perf_counter()
        budgets = np.linspace(0, np.log(2), 15)
        curve = price_of_avoidance(joint, budgets.tolist(), tolerance=options.tolerance)
        seconds[name], curves[name] = time.perf_counter() - start, curve
        frames.append(curve.to_pandas().assign(world=name))
        (line,) = axes.plot(curve.budgets, curve.lower, label=name)
        axes.fill_between(curve.budgets, curve.lower, curve.upper, color=line.get_color(), alpha=0.3)
        axes.plot(max(curve.forced, 0.0), curve.ceiling, "o", color=line.get_color())
    axes.set(xlabel="class information allowed, b (nats)", ylabel="F(b) = best I(A;Z) (nats)")
    axes.set_title("What a solver of the pretext task loses by avoiding the class (dots: b = J)", fontsize=9)
    axes.legend(fontsize=8, loc="center", bbox_to_anchor=(0.5, 0.72))
    figure.tight_layout()
    options.out.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out / "price.png", dpi=120)
    pd.concat(frames).to_csv(options.out / "price.csv", index=False, float_format="%.6f")
    text = report(curves, seconds, options.tolerance)
    (options.out / "price.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
