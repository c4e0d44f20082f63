"""Entropies in float64 beside 50 digits: large tables, tiny probabilities, nearly deterministic channels.

    python benchmarks/precision.py [--cells 10000000] [--seed 0] [--out benchmarks/results]

The truth is the entropy of the very floats that the table holds. Large tables repeat a palette of two hundred
values, so that their marginals are exact sums of integers (counts times mantissas) and only their logarithms
are rounded, by mpmath to 50 digits. The bound is the one that `theory.Joint` states.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import numpy.typing as npt

from theory import Joint, parse_expression

DIGITS = 50
UNIT = 2.0**-53
"""The rounding error of float64."""

PALETTE = 200
"""The number of different probabilities of a table."""

NAMES = ("A", "B", "C")
TERMS = ("H(A,B,C)", "H(A)", "H(B,C)", "I(A;B)", "I(A;B|C)", "I(A;C|B)", "I(A;B;C)", "H(A|B,C)")


@dataclass(frozen=True)
class Table:
    """A table of probabilities.

    Args:
        palette: Its different values.
        index: Which value each cell has, of shape (states of A, B, C).
    """

    palette: npt.NDArray[np.float64]
    index: npt.NDArray[np.int64]

    @property
    def joint(self) -> Joint:
        """The table as a joint."""
        return Joint(NAMES, self.palette[self.index])


def scaled(palette: npt.NDArray[np.float64], index: npt.NDArray[np.int64]) -> Table:
    """The palette in a scale in which the table sums to one, up to rounding."""
    counts = np.bincount(index.ravel(), minlength=len(palette))
    return Table(palette / float(counts @ palette), index)


def shape_of(cells: int) -> tuple[int, int, int]:
    """Three sides whose product is about so many cells."""
    side = max(2, round((cells / 10) ** 0.5))
    return side, max(2, cells // (10 * side)), 10


def tables(cells: int, rng: np.random.Generator) -> Iterator[tuple[str, Table]]:
    """The kinds of tables."""
    shape = shape_of(cells)
    index = rng.integers(PALETTE, size=shape)
    yield "uniform numbers", scaled(rng.random(PALETTE), index)
    yield "from 1 to 1e-300", scaled(10.0 ** -rng.uniform(0, 300, PALETTE), index)
    yield "from 1 to 1e-16", scaled(10.0 ** -rng.uniform(0, 16, PALETTE), index)
    for error in (1e-3, 1e-9, 1e-15, 1e-300):
        near = np.where(rng.random(PALETTE) < 1 / 2, error, error / 3)
        palette = np.concatenate([near, [1.0]])
        channel = rng.integers(PALETTE, size=shape)
        a = np.arange(shape[0])
        channel[a, a % shape[1], a % shape[2]] = PALETTE
        yield f"a channel that errs by {error:g}", scaled(palette, channel)
    lonely = rng.integers(PALETTE, size=shape)
    lonely[0, 0, 0] = PALETTE
    yield "one state but for 1e-12", scaled(np.append(np.full(PALETTE, 1e-12 / cells), 1.0), lonely)


def truth(table: Table, kept: tuple[int, ...]) -> mpmath.mpf:
    """H of the variables on some axes, to 50 digits."""
    values = [Fraction(float(p)) for p in table.palette]
    common = max(v.denominator for v in values)
    integers = np.array([int(v * common) for v in values], dtype=object)
    if len(kept) == len(NAMES):
        counts = np.bincount(table.index.ravel(), minlength=len(values))
        pairs = [(int(n), m) for n, m in zip(counts, integers, strict=True) if n]
    else:
        order = (*kept, *(axis for axis in range(len(NAMES)) if axis not in kept))
        rows = int(np.prod([table.index.shape[axis] for axis in kept]))
        flat = np.transpose(table.index, order).reshape(rows, -1)
        pairs = []
        for row in flat:
            counts = np.bincount(row, minlength=len(values))
            used = np.flatnonzero(counts)
            pairs.append((1, int((counts[used].astype(object) * integers[used]).sum())))
    scale = mpmath.mpf(common)
    total = mpmath.mpf(0)
    for times, m in pairs:
        if m:
            p = mpmath.mpf(m) / scale
            total -= times * p * mpmath.log(p)
    return total


def bound(table: Table, expression: str) -> float:
    """The bound of `theory.Joint` on the rounding error of a term."""
    joint = table.joint
    total = 0.0
    for subset, c in parse_expression(expression).entropies().items():
        summed = sum(k for name, k in joint.cardinalities.items() if name not in subset)
        entropy = joint.entropy(subset)
        cells = np.prod([joint.cardinalities[name] for name in subset])
        total += abs(float(c)) * ((1 + entropy) * summed + (20 + np.log2(cells)) * entropy)
    return UNIT * total + 1e-300


@dataclass(frozen=True)
class Row:
    """One kind of table: its largest errors over the terms."""

    kind: str
    cells: int
    error: float
    share: float
    worst: str


def measured(kind: str, table: Table) -> Row:
    """The errors of all terms."""
    known: dict[frozenset[str], mpmath.mpf] = {}
    errors = []
    joint = table.joint
    for term in TERMS:
        exact = mpmath.mpf(0)
        for subset, c in parse_expression(term).entropies().items():
            if subset not in known:
                known[subset] = truth(table, tuple(i for i, name in enumerate(NAMES) if name in subset))
            exact += mpmath.mpf(c.numerator) / c.denominator * known[subset]
        error = abs(float(mpmath.mpf(joint.value(term)) - exact))
        errors.append((error / bound(table, term), error, term))
    worst = max(errors, key=lambda entry: entry[1])
    return Row(kind, table.index.size, worst[1], max(errors)[0], worst[2])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    mpmath.mp.dps = DIGITS
    start = time.process_time()
    rows = []
    for cells in sorted({1_000, 100_000, arguments.cells}):
        for kind, table in tables(cells, np.random.default_rng(arguments.seed)):
            rows.append(measured(kind, table))
            print(rows[-1], flush=True)
    seconds = time.process_time() - start
    bar = "\\|"
    lines = [
        f"| {row.kind} | {row.cells:,} | {row.error:.1e} | {row.worst.replace('|', bar)} | {row.share:.1e} |"
        for row in rows
    ]
    text = f"""# Rounding errors of entropies

Made by `python benchmarks/precision.py --cells {arguments.cells}` in {seconds:.0f} s of one core. The
largest error in nats over {len(TERMS)} terms, against 50 digits, and the largest share of the stated bound
that an error reaches.

| table | cells | largest error | of | share of the bound |
| --- | ---: | ---: | --- | ---: |
"""
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "precision.md").write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
