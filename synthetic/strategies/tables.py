"""Distributions and channels in exact fractions, and joints whose `repr` makes them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from theory import Joint
from theory.checks import integer

__all__ = [
    "ExactJoint",
    "FractionTable",
    "channels",
    "distributions",
    "from_states",
    "kept_states",
    "raw_causes",
    "raw_rows",
    "table_of",
    "table_of_cause",
]

FractionTable = npt.NDArray[np.object_]
"""An array of Fractions."""


class ExactJoint(Joint):
    """A joint in exact fractions whose `repr` is the call of `from_states` that makes it again."""

    def compact(self, min_states: int = 2) -> ExactJoint:
        """The same joint with the states that have probability zero left out, the others numbered 0, 1, .."""
        used = [sorted({state[i] for state in self.states}) for i in range(len(self.names))]
        states = {
            tuple(u.index(k) for u, k in zip(used, state, strict=True)): p for state, p in self.states.items()
        }
        return from_states(self.names, states, [max(min_states, len(u)) for u in used])

    @property
    def states(self) -> dict[tuple[int, ...], Fraction]:
        """The states of positive probability."""
        values: list[Fraction] = self.probabilities.ravel().tolist()
        return {index: p for index, p in zip(np.ndindex(*self.probabilities.shape), values, strict=True) if p}

    def __repr__(self) -> str:
        states = ", ".join(f"{state}: '{p}'" for state, p in self.states.items())
        return f"from_states({' '.join(self.names)!r}, {{{states}}})"


def from_states(
    names: str | Sequence[str],
    states: Mapping[tuple[int, ...], Fraction | str | int],
    cardinalities: Sequence[int] | None = None,
) -> ExactJoint:
    """A joint from its states of positive probability.

    Args:
        names: The variables, as a list or separated by spaces.
        states: The probability of each state, exact: fractions, or their texts such as `"1/4"`.
        cardinalities: The number of states of each variable; None for as many as appear.

    Raises:
        ValueError: If a state has another length than the names, or the probabilities do not sum to one.

    Example:
        >>> gate = from_states("A X", {(0, 0): "1/2", (1, 1): "1/2"})
        >>> round(gate.value("I(A;X)"), 6)
        0.693147
    """
    variables = tuple(names.split()) if isinstance(names, str) else tuple(names)
    if not states:
        raise ValueError("states must have at least one state, got none")
    for state in states:
        if len(state) != len(variables):
            raise ValueError(f"each state needs a value for {' '.join(variables)}, got {state}")
    shape = cardinalities or tuple(max(s[i] for s in states) + 1 for i in range(len(variables)))
    table = np.full(shape, Fraction(0), dtype=object)
    for state, p in states.items():
        table[state] = Fraction(p)
    return ExactJoint(variables, table)


def normalised(weights: Sequence[int]) -> tuple[Fraction, ...]:
    """The distribution with some integer weights; the point mass on state 0 where all are zero."""
    total = sum(weights)
    if not total:
        return (Fraction(1), *[Fraction(0)] * (len(weights) - 1))
    return tuple(Fraction(w, total) for w in weights)


def distributions(
    size: int, *, max_weight: int = 4, min_weight: int = 0
) -> st.SearchStrategy[tuple[Fraction, ...]]:
    """Distributions on `size` states: small integer weights, divided by their sum.

    Shrinks towards equal weights where `min_weight` is positive, else towards the point mass on state 0;
    small weights make simple fractions.

    Raises:
        ValueError: If the size is not positive, or the weights leave no choice.
    """
    integer("size", size, 1)
    integer("min_weight", min_weight, 0)
    integer("max_weight", max_weight, max(1, min_weight))
    return _distributions(size, min_weight, max_weight)


@lru_cache(maxsize=256)
def _distributions(size: int, low: int, high: int) -> st.SearchStrategy[tuple[Fraction, ...]]:
    return st.lists(st.integers(low, high), min_size=size, max_size=size).map(normalised)


@lru_cache(maxsize=256)
def raw_causes(size: int, max_weight: int) -> st.SearchStrategy[list[int]]:
    """Weights of a variable without parents, mostly on all states; shrink towards equal weights."""

    def weights(low: int) -> st.SearchStrategy[list[int]]:
        return st.lists(st.integers(low, max_weight), min_size=size, max_size=size)

    return st.one_of(weights(1), weights(1), weights(0))


@lru_cache(maxsize=64)
def kept_states(least: int, most: int) -> st.SearchStrategy[list[int]]:
    """Which of the states 0 .. most - 1 an alphabet keeps, at least so many; shrinks by leaving one out.

    A state is kept with probability 3/4; where too few are, the first ones join them.
    """

    def filled(drawn: list[int]) -> list[int]:
        missing = [k for k, keep in enumerate(drawn) if not keep]
        kept = [k for k, keep in enumerate(drawn) if keep]
        return sorted(kept + missing[: max(0, least - len(kept))])

    return st.lists(st.integers(0, 3), min_size=most, max_size=most).map(filled)


def table_of_cause(weights: Sequence[int], kept: Sequence[int]) -> FractionTable:
    """The distribution on the kept states."""
    table: FractionTable = np.empty(len(kept), dtype=object)
    table[:] = normalised([weights[k] for k in kept])
    return table


def channels(
    inputs: int | Sequence[int], outputs: int, *, max_weight: int = 4, deterministic: bool = False
) -> st.SearchStrategy[FractionTable]:
    """Channels p(output | inputs), of shape (*inputs, outputs), each row a distribution in fractions.

    Half of the channels are functions. Shrinks towards functions, and those towards the constant 0.

    Args:
        inputs: The number of states of the input, or of each of several.
        outputs: The number of states of the output.
        max_weight: The largest integer weight of a row.
        deterministic: Whether every channel is a function.

    Raises:
        ValueError: If a number of states is not positive.
    """
    shape = (inputs,) if isinstance(inputs, int) else tuple(inputs)
    for k in shape:
        integer("inputs", k, 1)
    integer("outputs", outputs, 1)
    integer("max_weight", max_weight, 1)
    raw = raw_rows(prod(shape), outputs, max_weight, deterministic)
    states = [range(k) for k in shape]
    return raw.map(lambda drawn: table_of(drawn, shape, states, range(outputs)))


@dataclass(frozen=True)
class RawRows:
    """The integers that a table is made of, for the largest alphabets.

    Args:
        functional: Whether each row is one state, or has a weight for each state.
        values: The states, or the weights row by row.
        outputs: The number of states that the weights are for.
    """

    functional: bool
    values: list[int]
    outputs: int


@lru_cache(maxsize=1024)
def raw_rows(rows: int, outputs: int, max_weight: int, deterministic: bool) -> st.SearchStrategy[RawRows]:
    """The integers of a table with so many rows; shrinks towards functions, and those to the constant 0."""
    states = st.lists(st.integers(0, outputs - 1), min_size=rows, max_size=rows)
    functions = states.map(lambda values: RawRows(True, values, outputs))
    if deterministic:
        return functions
    size = rows * outputs
    weights = st.lists(st.integers(0, max_weight), min_size=size, max_size=size)
    return st.one_of(functions, weights.map(lambda values: RawRows(False, values, outputs)))


def table_of(
    raw: RawRows, largest: Sequence[int], inputs: Sequence[Sequence[int]], outputs: Sequence[int]
) -> FractionTable:
    """The table for the states that are kept, out of the integers drawn for the largest alphabets.

    Because the integers do not depend on the alphabets, an example keeps its meaning while its alphabets
    shrink.

    Args:
        raw: The integers.
        largest: The number of states of each input that they were drawn for.
        inputs: The states of each input that are kept.
        outputs: The states of the output that are kept; a function whose value is left out takes the first.
    """
    table: FractionTable = np.full((*map(len, inputs), len(outputs)), Fraction(0), dtype=object)
    for index in np.ndindex(*table.shape[:-1]):
        row = 0
        for place, kept, size in zip(index, inputs, largest, strict=True):
            row = row * size + kept[place]
        if raw.functional:
            value = raw.values[row]
            table[(*index, outputs.index(value) if value in outputs else 0)] = Fraction(1)
        else:
            start = row * raw.outputs
            table[index] = normalised([raw.values[start + k] for k in outputs])
    return table
