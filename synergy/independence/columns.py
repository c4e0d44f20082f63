"""The columns of a sample as matrices of numbers on comparable scales.

A discrete column is a label or a number. Names are labels whatever their number of states, and have no order.
Integers of few values are labels too, because every kind of dependence shows in their table; integers of many
values, such as counts, are numbers. (`estimate` reads integers otherwise: there they are labels unless they
have fewer than two rows to a value.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier.design import encode_target, make_design
from synergy.estimators.columns import by_quartiles, kurtosis, scaled, tamed
from synergy.estimators.intake import floats_of, split_columns
from synthetic import Sample

__all__ = [
    "MOST_LABELS",
    "Kinds",
    "components",
    "conditions",
    "indicators",
    "kinds_of",
    "matrix_of",
    "numbers",
    "varying",
    "vectors",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MOST_LABELS = 12
"""Integers of more different values than this are numbers; labels of more states are summarised."""
_CODES = 8
"""How many random functions of a label stand for its rarer states."""
_HEAVY = 20.0
"""Columns whose mean fourth power, standardised, exceeds this have heavy tails (a normal one has 3)."""
_MOST_COMPONENTS = 8
"""The largest number of principal components of an image."""
_FLAT = 1e-9
"""Principal components below this share of the largest variance are left out."""


@dataclass(frozen=True)
class Kinds:
    """How the variables of a slot enter a test.

    Args:
        labels: States without an order.
        numbers: Continuous columns, and integers of many values.
        images: Images.
    """

    labels: tuple[str, ...]
    numbers: tuple[str, ...]
    images: tuple[str, ...]


def kinds_of(sample: Sample, names: tuple[str, ...]) -> Kinds:
    """Which of the variables are labels, numbers and images."""
    discrete, continuous, images = split_columns(sample, names)
    counts = [name for name in discrete if _is_number(sample, name)]
    labels = tuple(name for name in discrete if name not in counts)
    return Kinds(labels, tuple(n for n in names if n in counts or n in continuous), tuple(images))


def _levels(sample: Sample, name: str) -> list[Any] | None:
    found = sample.metadata.get("levels", {})
    return found.get(name) if isinstance(found, dict) else None


def _is_number(sample: Sample, name: str) -> bool:
    levels = _levels(sample, name)
    named = levels is not None and any(isinstance(level, str) for level in levels)
    return not named and len(np.unique(sample[name])) > MOST_LABELS


def numbers(sample: Sample, name: str) -> Floats:
    """A column as floats of shape (n, d); integers by their values, huge ones less the smallest."""
    column, levels = sample[name], _levels(sample, name)
    if sample.variables[name].kind == "discrete" and levels is not None:
        column = floats_of(levels)[column]
    return np.asarray(column, dtype=np.float64).reshape(len(sample), -1)


def varying(sample: Sample, names: tuple[str, ...], notes: list[str]) -> tuple[str, ...]:
    """The variables that vary; what is constant is noted."""
    kept = []
    for name in names:
        column = sample[name].reshape(len(sample), -1)
        varies = (column != column[:1]).any(axis=0)
        if varies.any():
            kept.append(name)
        if not varies.any():
            notes.append(f"{name} is constant and was left out")
        elif sample.variables[name].kind == "continuous" and not varies.all():
            notes.append(
                f"{int((~varies).sum())} of {len(varies)} components of {name} are constant, left out"
            )
    return tuple(kept)


def components(sample: Sample, given: tuple[str, ...]) -> Floats:
    """The leading principal components of the conditions, at most 8, each of variance 1.

    Numbers are standardised first, so that their units play no part beside the pixels of an image.
    """
    design = make_design(sample, given)
    matrix = design.matrix.astype(np.float64)
    for block in design.blocks:
        if block.kind == "continuous":
            part = tamed(numbers(sample, block.name))
            spread = part.std(axis=0)
            matrix[:, block.columns] = (part - part.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    centred = matrix - matrix.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    leading = np.argsort(values)[::-1][:_MOST_COMPONENTS]
    kept = leading[values[leading] > _FLAT * max(float(values.max()), 1e-300)]
    return np.asarray(centred @ vectors[:, kept] / np.sqrt(values[kept]))


def indicators(sample: Sample, names: tuple[str, ...]) -> Floats:
    """One column for each joint state but the last, shape (n, states - 1).

    Of more than 12 states the 12 most frequent have a column each, and all together have 8 columns of random
    numbers, one number for each state: the same whatever the states are called.
    """
    codes, states = encode_target(sample, names)
    if states <= MOST_LABELS:
        return np.eye(states)[codes][:, : max(1, states - 1)]
    first = np.unique(codes, return_index=True)[1]
    counts = np.bincount(codes, minlength=states)
    frequent = np.lexsort((first, -counts))[:MOST_LABELS]
    drawn = np.empty((states, _CODES))
    drawn[np.argsort(first)] = np.random.default_rng(0xC0DE).standard_normal((states, _CODES))
    return np.hstack([(codes[:, None] == frequent).astype(np.float64), drawn[codes]])


def all_indicators(sample: Sample, name: str) -> Floats:
    """One column for each state but the last."""
    codes, states = encode_target(sample, (name,))
    return np.eye(states)[codes][:, : max(1, states - 1)]


def vectors(sample: Sample, names: tuple[str, ...]) -> Floats:
    """Standardised columns that vary; heavy tails are drawn in by asinh, which keeps independence.

    Units play no part: a column times a power of two gives the same digits.
    """
    matrix = np.hstack([numbers(sample, name) for name in names])
    matrix = tamed(matrix[:, matrix.min(axis=0) < matrix.max(axis=0)])
    drawn_in = np.arcsinh(by_quartiles(matrix))
    heavy = kurtosis(matrix) > _HEAVY
    return np.asarray(np.where(heavy, drawn_in / drawn_in.std(axis=0), scaled(matrix, "standardise")))


def matrix_of(sample: Sample, names: tuple[str, ...]) -> Floats:
    """Indicators of each label and the standardised numbers, side by side.

    Raises:
        ValueError: If a column is an image.
    """
    kinds = kinds_of(sample, names)
    if kinds.images:
        raise ValueError(f"distances cannot take the image {kinds.images[0]!r}")
    parts = [indicators(sample, (name,)) for name in kinds.labels]
    if kinds.numbers:
        parts.append(vectors(sample, kinds.numbers))
    return np.hstack(parts)


def conditions(sample: Sample, given: tuple[str, ...]) -> Floats:
    """The standardised numbers first, then indicators of the labels: of all their states."""
    kinds = kinds_of(sample, given)
    parts = [vectors(sample, kinds.numbers)] if kinds.numbers else []
    parts += [all_indicators(sample, name) for name in kinds.labels]
    return np.hstack(parts)
