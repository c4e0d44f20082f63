"""Exact joints: a named finite distribution that knows every information quantity of its variables.

Probabilities are float64, or `fractions.Fraction` objects for witnesses that are checked exactly.
Quantities are in nats.

Example:
    >>> xor = Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: a ^ c})
    >>> round(xor.value("I(A;C|X)"), 6), round(xor.value("I(A;C)"), 6)
    (0.693147, 0.0)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import xlogy

from theory.expressions import Expression, Term
from theory.parser import parse_expression

__all__ = ["Joint"]

_SUM_TOLERANCE = 1e-9


class Joint:
    """A joint distribution of named finite variables.

    Args:
        names: The variables, one for each axis.
        probabilities: Array of shape (k_1, .., k_n), non-negative, summing to one. An object array of
            Fractions is kept exact; everything else becomes float64.

    Raises:
        ValueError: If a name repeats, the number of axes differs from the number of names, or the
            probabilities are negative, not finite, or do not sum to one.
    """

    def __init__(self, names: Sequence[str], probabilities: npt.ArrayLike) -> None:
        table = np.asarray(probabilities)
        if table.dtype != object:
            table = np.asarray(probabilities, dtype=np.float64)
        names = tuple(names)
        if len(set(names)) != len(names):
            raise ValueError(f"variable names must differ, got {names}")
        if table.ndim != len(names):
            raise ValueError(
                f"probabilities of shape {table.shape} have {table.ndim} axes for {len(names)} "
                f"variables {names}"
            )
        if table.dtype == object:
            if any(p < 0 for p in table.flat):
                raise ValueError(f"probabilities must not be negative, got {min(table.flat)}")
            if sum(table.flat) != 1:
                raise ValueError(f"probabilities must sum to 1, got {sum(table.flat)}")
        else:
            if not np.isfinite(table).all():
                raise ValueError("probabilities must be finite, got NaN or infinity")
            if table.size and table.min() < 0:
                raise ValueError(f"probabilities must not be negative, got {table.min()}")
            if abs(table.sum() - 1) > _SUM_TOLERANCE:
                raise ValueError(f"probabilities must sum to 1, got {table.sum()}")
        table = table.copy()
        table.flags.writeable = False
        self.names = names
        self.probabilities = table
        self._entropies: dict[frozenset[str], float] = {frozenset(): 0.0}

    @classmethod
    def from_function(
        cls,
        names: Sequence[str],
        cardinalities: Sequence[int],
        functions: Mapping[str, Callable[..., int]],
    ) -> Joint:
        """Independent uniform variables and functions of them.

        Args:
            names: The independent uniform variables.
            cardinalities: Their numbers of states.
            functions: For each further variable a function of all the independent ones, with values
                0, 1, ..
        """
        states = list(product(*(range(k) for k in cardinalities)))
        values = {name: [int(f(*state)) for state in states] for name, f in functions.items()}
        shape = (*cardinalities, *(max(v) + 1 for v in values.values()))
        table = np.zeros(shape)
        for index, state in enumerate(states):
            table[(*state, *(v[index] for v in values.values()))] += 1 / len(states)
        return cls((*names, *functions), table)

    @property
    def cardinalities(self) -> dict[str, int]:
        """The number of states of each variable."""
        return dict(zip(self.names, self.probabilities.shape, strict=True))

    def axes(self, variables: Iterable[str]) -> tuple[int, ...]:
        """The axis of each variable; a ValueError names one that is unknown."""
        found = []
        for variable in variables:
            if variable not in self.names:
                raise ValueError(f"unknown variable {variable!r}: the joint has {', '.join(self.names)}")
            found.append(self.names.index(variable))
        return tuple(found)

    def entropy(self, variables: Collection[str]) -> float:
        """Joint entropy H(variables) = - sum p log p in nats."""
        key = frozenset(variables)
        if key not in self._entropies:
            keep = set(self.axes(key))
            dropped = tuple(axis for axis in range(len(self.names)) if axis not in keep)
            p = self.probabilities.sum(axis=dropped).astype(np.float64)
            self._entropies[key] = -float(xlogy(p, p).sum())
        return self._entropies[key]

    def value(self, expression: str | Term | Expression) -> float:
        """The value of a term or linear expression, in nats.

        Raises:
            ParseError: If the text is not an expression.
            ValueError: If it names an unknown variable.
        """
        form = parse_expression(expression)
        self.axes(form.variables)
        return float(sum(float(c) * self.entropy(subset) for subset, c in form.entropies().items()))

    def marginal(self, variables: Sequence[str]) -> Joint:
        """The distribution of some of the variables, in the order asked for."""
        keep = self.axes(variables)
        dropped = tuple(axis for axis in range(len(self.names)) if axis not in keep)
        rest = [axis for axis in range(len(self.names)) if axis in keep]
        table = self.probabilities.sum(axis=dropped)
        return Joint(tuple(variables), np.transpose(table, [rest.index(axis) for axis in keep]))

    def condition(self, **states: int) -> Joint:
        """The distribution of the other variables given the states of some.

        Raises:
            ValueError: If a state does not exist or has probability zero.
        """
        index: list[Any] = [slice(None)] * len(self.names)
        for variable, axis in zip(states, self.axes(states), strict=True):
            if not 0 <= states[variable] < self.probabilities.shape[axis]:
                raise ValueError(
                    f"{variable} has states 0..{self.probabilities.shape[axis] - 1}, got {states[variable]}"
                )
            index[axis] = states[variable]
        slice_ = self.probabilities[tuple(index)]
        mass = slice_.sum()
        if not mass:
            raise ValueError(f"the condition {states} has probability 0")
        return Joint(tuple(v for v in self.names if v not in states), slice_ / mass)

    def channel(self, source: str | Sequence[str], target: str, kernel: npt.ArrayLike) -> Joint:
        """The joint with one more variable, drawn from `source` through a channel.

        Args:
            source: The input variable or variables of the channel.
            target: The name of the output.
            kernel: p(target | source), of shape (*cardinalities of source, cardinality of target).

        Raises:
            ValueError: If the shape does not fit or a row is not a distribution.
        """
        sources = (source,) if isinstance(source, str) else tuple(source)
        axes = self.axes(sources)
        table = np.asarray(kernel)
        expected = tuple(self.probabilities.shape[axis] for axis in axes)
        if table.shape[:-1] != expected:
            raise ValueError(
                f"kernel p({target}|{','.join(sources)}) needs shape {expected} + (k,), got {table.shape}"
            )
        if not np.allclose(table.sum(axis=-1).astype(float), 1, atol=_SUM_TOLERANCE) or (table < 0).any():
            raise ValueError(f"each row of the kernel of {target} must be a distribution")
        order = np.argsort(axes)
        table = np.transpose(table, [*order, len(axes)])
        shape = [k if axis in axes else 1 for axis, k in enumerate(self.probabilities.shape)]
        return Joint(
            (*self.names, target), self.probabilities[..., None] * table.reshape(*shape, table.shape[-1])
        )

    def sample(self, n: int, *, seed: int) -> pd.DataFrame:
        """Draw n independent rows as a table of state numbers."""
        flat = self.probabilities.astype(np.float64).ravel()
        drawn = np.random.default_rng(seed).choice(flat.size, size=n, p=flat / flat.sum())
        columns = np.unravel_index(drawn, self.probabilities.shape)
        return pd.DataFrame(dict(zip(self.names, columns, strict=True)))

    def to_frame(self) -> pd.DataFrame:
        """The states of positive probability, one row each, with a column `probability`."""
        states = [index for index in np.ndindex(*self.probabilities.shape) if self.probabilities[index]]
        frame = pd.DataFrame(states, columns=list(self.names))
        frame["probability"] = [self.probabilities[index] for index in states]
        return frame

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {k}" for name, k in self.cardinalities.items())
        return f"Joint({sizes})"
