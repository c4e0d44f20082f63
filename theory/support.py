"""Exact distributions as lists of states: enumeration that stays small when the joint table would not.

A `Support` holds the states of positive probability of some finite variables, one row each, and builds
up a causal model step by step: independent variables, functions of them, channels. The entropy of any
set of variables is found by adding up the rows that agree on it.

Example:
    >>> world = Support.independent({"A": [0.5, 0.5], "C": [0.5, 0.5]})
    >>> world = world.function("X", 2, lambda A, C: A ^ C)
    >>> round(world.value("I(A;C|X)"), 6)
    0.693147
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from theory.checks import distribution
from theory.errors import TooLargeError, shown
from theory.expressions import Expression, Term
from theory.joints import Joint, surprisals
from theory.names import variable_names
from theory.parser import parse_expression

__all__ = ["MAX_CELLS", "Support"]

MAX_ROWS = 2**24
"""The largest number of states that is enumerated."""

MAX_CELLS = 2**26
"""The largest number of cells of a dense joint table."""

Integers = npt.NDArray[np.int64]


class Support:
    """The states of positive probability of finite variables.

    Args:
        cardinalities: The number of states of each variable, in the order of the columns.
        states: The states, integers of shape (rows, variables).
        probabilities: Their probabilities, of shape (rows,).

    Raises:
        ValueError: If the states have no row for each probability and no column for each variable.
    """

    def __init__(
        self,
        cardinalities: Mapping[str, int],
        states: Integers,
        probabilities: npt.NDArray[np.float64],
    ) -> None:
        if states.shape != (len(probabilities), len(cardinalities)):
            raise ValueError(
                f"states must be of shape {(len(probabilities), len(cardinalities))}, one column for each of "
                f"{', '.join(cardinalities)}, got {states.shape}"
            )
        self.cardinalities = dict(cardinalities)
        self.states = states
        self.probabilities = probabilities
        self._entropies: dict[frozenset[str], float] = {frozenset(): 0.0}

    @classmethod
    def independent(cls, priors: Mapping[str, Sequence[float] | npt.NDArray[np.float64]]) -> Support:
        """Independent variables with the given distributions.

        Args:
            priors: The distribution of each variable.

        Raises:
            ValueError: If one is not a distribution.
            TypeError: If they are no mapping.
        """
        if not isinstance(priors, Mapping):
            raise TypeError(f"priors must be a mapping from variables to distributions, got {shown(priors)}")
        support = cls({}, np.zeros((1, 0), dtype=np.int64), np.ones(1))
        for name, prior in priors.items():
            p = np.asarray(distribution(name, np.asarray(prior)))
            support = support.channel(name, (), p)
        return support

    @classmethod
    def from_joint(cls, joint: Joint) -> Support:
        """The states of positive probability of a joint."""
        table = joint.probabilities.astype(np.float64)
        states = np.argwhere(table > 0)
        return cls(joint.cardinalities, states, table[tuple(states.T)])

    @property
    def names(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.cardinalities)

    def __len__(self) -> int:
        return len(self.probabilities)

    def column(self, name: str) -> Integers:
        """The state of one variable in each row, of shape (rows,).

        Raises:
            ValueError: If the variable is unknown.
        """
        if name not in self.cardinalities:
            raise ValueError(f"unknown variable {name!r}: there are {', '.join(self.names)}")
        return self.states[:, self.names.index(name)]

    def _require_new(self, name: str) -> None:
        if name in self.cardinalities:
            raise ValueError(f"variable names must differ, there is {name!r} already: rename one")

    def function(self, name: str, cardinality: int, rule: Callable[..., Integers]) -> Support:
        """One more variable, a function of others.

        Args:
            name: The new variable.
            cardinality: Its number of states.
            rule: A vectorised function; its arguments are named as the variables that it needs.

        Raises:
            ValueError: As for `with_column`.
        """
        needed = inspect.signature(rule).parameters
        return self.with_column(name, cardinality, rule(**{v: self.column(v) for v in needed}))

    def with_column(self, name: str, cardinality: int, values: Integers) -> Support:
        """One more variable, given by its state in each row.

        Args:
            name: Its name.
            cardinality: Its number of states.
            values: Its states 0, 1, .., of shape (rows,).

        Raises:
            ValueError: If there is such a variable already, or the values are not one state in each row.
            TypeError: If the values are no integers.
        """
        self._require_new(name)
        values = np.asarray(values)
        if values.shape != (len(self),):
            raise ValueError(f"values of {name} must be of shape ({len(self)},), got {values.shape}")
        if values.dtype.kind not in "iub":
            raise TypeError(f"values of {name} must be integers, got {values.dtype}")
        if len(self) and not 0 <= values.min() <= values.max() < cardinality:
            raise ValueError(
                f"values of {name} must be states 0..{cardinality - 1}, got {values.min()}..{values.max()}"
            )
        return Support(
            {**self.cardinalities, name: cardinality},
            np.column_stack([self.states, values]),
            self.probabilities,
        )

    def channel(self, name: str, sources: str | Sequence[str], kernel: npt.NDArray[np.float64]) -> Support:
        """One more variable, drawn through a channel.

        Args:
            name: The new variable.
            sources: The variables that it depends on, as names or one text with commas.
            kernel: p(name | sources), of shape (*cardinalities of the sources, cardinality).

        Raises:
            TooLargeError: If there would be more than `MAX_ROWS` states.
            ValueError: If there is such a variable already, or the kernel is of another shape.
        """
        self._require_new(name)
        sources = variable_names("sources", sources)
        for source in sources:
            self.column(source)
        expected = tuple(self.cardinalities[source] for source in sources)
        kernel = np.asarray(kernel)
        if kernel.shape[:-1] != expected or not kernel.ndim:
            raise ValueError(
                f"kernel p({name}|{','.join(sources)}) needs shape {expected} + (k,), got {kernel.shape}"
            )
        total = len(self) * kernel.shape[-1]
        if total > MAX_ROWS:
            raise TooLargeError(
                f"the enumeration would have {total:,} states, more than {MAX_ROWS:,}: take fewer states "
                f"(a smaller group, fewer classes, no noise) or estimate from samples"
            )
        rows = kernel[tuple(self.column(v) for v in sources)] if sources else kernel[None]
        rows = np.broadcast_to(rows, (len(self), kernel.shape[-1]))
        row, state = np.nonzero(rows)
        return Support(
            {**self.cardinalities, name: kernel.shape[-1]},
            np.column_stack([self.states[row], state]),
            self.probabilities[row] * rows[row, state],
        )

    def select(self, names: str | Sequence[str]) -> Support:
        """The distribution of some of the variables, in the order asked for."""
        names = variable_names("names", names)
        columns = [self.column(v) for v in names]
        codes = self.codes(names)
        _, first, group = np.unique(codes, return_index=True, return_inverse=True)
        return Support(
            {v: self.cardinalities[v] for v in names},
            np.column_stack(columns)[first],
            np.bincount(group, weights=self.probabilities).astype(np.float64),
        )

    def rename(self, names: Mapping[str, str]) -> Support:
        """The same distribution with variables renamed.

        Args:
            names: The new name of each variable that gets one.

        Raises:
            ValueError: If a variable is unknown, or two would have the same name.
            TypeError: If it is no mapping.
        """
        if not isinstance(names, Mapping):
            raise TypeError(f"names must be a mapping from old to new names, got {shown(names)}")
        for name in names:
            self.column(name)
        renamed = {names.get(v, v): k for v, k in self.cardinalities.items()}
        if len(renamed) < len(self.cardinalities):
            raise ValueError(
                f"variable names must differ, got {tuple(names.get(v, v) for v in self.cardinalities)}"
            )
        return Support(renamed, self.states, self.probabilities)

    def product(self, other: Support) -> Support:
        """The independent product of two distributions over different variables.

        Raises:
            TooLargeError: If there would be more than `MAX_ROWS` states.
            ValueError: If they share a variable.
        """
        for name in other.names:
            self._require_new(name)
        rows = len(self) * len(other)
        if rows > MAX_ROWS:
            raise TooLargeError(
                f"the product would have {len(self):,} x {len(other):,} states, more than {MAX_ROWS:,}"
            )
        left, right = np.repeat(np.arange(len(self)), len(other)), np.tile(np.arange(len(other)), len(self))
        return Support(
            {**self.cardinalities, **other.cardinalities},
            np.column_stack([self.states[left], other.states[right]]),
            self.probabilities[left] * other.probabilities[right],
        )

    def codes(self, variables: str | Collection[str]) -> Integers:
        """One number per row, equal for rows that agree on the variables; shape (rows,)."""
        variables = variable_names("variables", variables)
        codes = np.zeros(len(self), dtype=np.int64)
        span = 1
        for variable in variables:
            size = self.cardinalities.get(variable, 0)
            if span * size >= 2**62:
                codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
                span = len(self)
            codes = codes * size + self.column(variable)
            span *= size
        return codes

    def entropy(self, variables: str | Collection[str]) -> float:
        """Joint entropy H(variables) = - sum p log p in nats.

        Raises:
            ValueError: If a variable is unknown.
            TypeError: If they are no names.
        """
        key = frozenset(variable_names("variables", variables))
        if key not in self._entropies:
            group = np.unique(self.codes(sorted(key)), return_inverse=True)[1]
            p: npt.NDArray[np.float64] = np.bincount(group, weights=self.probabilities).astype(np.float64)
            self._entropies[key] = float(surprisals(p).sum())
        return self._entropies[key]

    def value(self, expression: str | Term | Expression) -> float:
        """The value of a term or linear expression, in nats.

        Raises:
            ParseError: If the text is not an expression.
            ValueError: If it names an unknown variable.
        """
        form = parse_expression(expression)
        for variable in form.variables:
            self.column(variable)
        return float(sum(float(c) * self.entropy(subset) for subset, c in form.entropies().items()))

    @cached_property
    def _joint(self) -> Joint:
        shape = tuple(self.cardinalities.values())
        cells = math.prod(shape)
        if cells > MAX_CELLS:
            raise TooLargeError(
                f"the joint table of {', '.join(self.names)} would have {cells:,} cells "
                f"({8 * cells / 2**30:.1f} GiB), more than {MAX_CELLS:,}; ask for fewer variables, as in "
                f"joint(['A', 'C', 'X'])"
            )
        table = np.zeros(shape)
        np.add.at(table, tuple(self.states.T), self.probabilities)
        return Joint(self.names, table / table.sum())

    def joint(self, names: str | Sequence[str] | None = None) -> Joint:
        """The dense joint of all variables or of some.

        Args:
            names: The variables of the joint, in this order; None for all.

        Raises:
            TooLargeError: If it would have more than `MAX_CELLS` cells.
        """
        return self._joint if names is None else self.select(names)._joint

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {k}" for name, k in self.cardinalities.items())
        return f"Support({len(self)} states of {sizes})"
