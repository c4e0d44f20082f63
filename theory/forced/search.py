r"""Searching all small deterministic worlds for those where synergy and forced information disagree.

**Theorem J3.** Neither synergy > 0 implies J > 0, nor J > 0 implies synergy > 0.

*Proof.* `disagreements` finds both by going through every X = f(A, C) with A and C uniform on small
alphabets, in exact rationals. With two states each the first is X = A xor C, where T is constant; the second
shows C always and A only for one class, where A and C cannot explain each other away. qed
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from theory.forced.statistic import forced_information
from theory.joints import Joint

__all__ = ["Disagreement", "deterministic_worlds", "disagreements"]

_MAX_WORLDS = 1_000_000
"""The most functions that are gone through, minutes of work."""

_ZERO = 1e-12
"""An information up to this counts as zero, in nats: it is a rounding error."""


@dataclass(frozen=True)
class Disagreement:
    """A world where one of synergy and forced class information is zero and the other is not.

    Args:
        joint: The distribution of A, C and X, in Fractions.
        synergy: I(A;C|X) in nats.
        forced: J = I(C;T) in nats.
        tried: How many worlds were tried up to this one.
    """

    joint: Joint
    synergy: float
    forced: float
    tried: int


def deterministic_worlds(transformations: int, classes: int) -> Iterator[Joint]:
    """Every X = f(A, C) with A and C uniform, once up to renaming X, in Fractions.

    Raises:
        ValueError: If an alphabet is empty or there would be more than a million functions.
    """
    if transformations < 1 or classes < 1:
        raise ValueError(
            f"alphabets must not be empty, got {transformations} transformations, {classes} classes"
        )
    cells = transformations * classes
    partitions = _bell(cells)
    if partitions > _MAX_WORLDS:
        raise ValueError(
            f"{transformations} transformations and {classes} classes have {partitions} functions, more than "
            f"{_MAX_WORLDS}: use smaller alphabets"
        )
    for labels in _partitions(cells):
        table = np.full((transformations, classes, max(labels) + 1), Fraction(0), dtype=object)
        for (a, c), x in zip(product(range(transformations), range(classes)), labels, strict=True):
            table[a, c, x] = Fraction(1, cells)
        yield Joint(("A", "C", "X"), table)


def disagreements(transformations: int = 2, classes: int = 2) -> tuple[Disagreement, Disagreement]:
    """The first world with synergy and no forced information, and the first with the reverse.

    Raises:
        ValueError: If the alphabets are too large, or too small to hold both.
    """
    first: dict[bool, Disagreement] = {}
    for tried, joint in enumerate(deterministic_worlds(transformations, classes), start=1):
        synergy, forced = joint.value("I(A;C|X)"), forced_information(joint)
        if (synergy > _ZERO) != (forced > _ZERO):
            first.setdefault(synergy > _ZERO, Disagreement(joint, synergy, forced, tried))
        if len(first) == 2:
            return first[True], first[False]
    raise ValueError(
        f"{transformations} transformations and {classes} classes do not disagree in both ways: "
        "use larger alphabets"
    )


def _partitions(cells: int) -> Iterator[tuple[int, ...]]:
    """Labels of the cells in which each new label is the next number."""

    def grow(prefix: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(prefix) == cells:
            yield prefix
            return
        for label in range(max(prefix, default=-1) + 2):
            yield from grow((*prefix, label))

    return grow(())


def _bell(cells: int) -> int:
    row = [1]
    for _ in range(cells - 1):
        following = [row[-1]]
        for value in row:
            following.append(following[-1] + value)
        row = following
    return row[-1]
