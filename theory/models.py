"""Models: a causal diagram with a conditional table for every variable.

Marginals come from variable elimination (Zhang and Poole 1994). Only the variables that are asked for and
their ancestors matter; the ancestors are summed out one at a time, the cheapest next. So a model may have
far more variables than its joint could hold.

Example:
    >>> names = [f"X{i}" for i in range(1, 31)]
    >>> chain = Model.random(Diagram.parse("->".join(names)), 2, seed=0)
    >>> chain.value("I(X1;X2)") > 0.01, abs(chain.value("I(X1;X30)")) < 1e-9
    (True, True)
    >>> chain.joint()
    Traceback (most recent call last):
        ...
    ValueError: the joint of 30 variables needs a table of 1073741824 cells (8.0 GiB), more than ...
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from theory.checks import distributions, integer, number
from theory.diagrams import Diagram, some_diagram
from theory.errors import TooLargeError, shown
from theory.expressions import Expression, Term
from theory.joints import Joint, frozen
from theory.names import variable_names
from theory.parser import parse_expression

__all__ = ["Model"]

_MAX_CELLS = 2**27
"""The largest table that is made, 1 GiB of doubles."""

_MAX_AXES = 32
"""The largest number of axes that every version of numpy allows."""

_MAX_DENOMINATOR = 2**62
"""The largest common denominator; int64 holds it and a few states more."""

_MOST_CONCENTRATED = 1e100
"""From 1e32 on a Dirichlet is uniform to the last digit; beyond this its sums would overflow."""

_Factor = tuple[tuple[str, ...], npt.NDArray[Any]]
"""Variables, and a table with one axis for each."""


class Model:
    """A distribution on a diagram, given by one conditional table for each variable.

    Args:
        diagram: The causal diagram, or its text, such as `"A->X"` or `"essl"`.
        tables: For each variable p(variable | parents), an array of shape
            (*cardinalities of `diagram.parents(variable)`, cardinality of the variable). Either all are
            object arrays of Fractions or none is, and the joints are of the same kind. The model keeps
            copies of its own, which cannot be changed.

    Raises:
        ValueError: If a table is missing or unknown, its shape does not fit its parents, a row is
            not a distribution (within 1e-9 for floats; nothing is normalised), an entry is masked, or some
            tables are of Fractions and others of floats.
        TypeError: If entries are text, complex or objects that are no Fractions, or tables are no mapping.
    """

    def __init__(self, diagram: Diagram | str, tables: Mapping[str, npt.ArrayLike]) -> None:
        diagram = some_diagram(diagram)
        if not isinstance(tables, Mapping):
            raise TypeError(f"tables must be a mapping from variables to tables, got {shown(tables)}")
        if set(tables) != set(diagram.variables):
            raise ValueError(f"a model needs one table for each of {diagram.variables}, got {tuple(tables)}")
        self.diagram = diagram
        self.tables = {v: frozen(f"entries of the table of {v}", tables[v]) for v in diagram.variables}
        exact = {v for v, table in self.tables.items() if table.dtype == object}
        if exact and exact != set(self.tables):
            mixed = sorted(set(self.tables) - exact)
            raise ValueError(f"all tables must be of Fractions if one is, those of {mixed} are not")
        for v, table in self.tables.items():
            expected = tuple(self.cardinality(parent) for parent in diagram.parents(v))
            if table.shape[:-1] != expected:
                raise ValueError(
                    f"the table of {v} needs shape {expected} + (k,) for parents {diagram.parents(v)}, "
                    f"got {table.shape}"
                )
            distributions(f"the table of {v}", table)

    @classmethod
    def random(
        cls,
        diagram: Diagram | str,
        cardinalities: Mapping[str, int] | int = 2,
        *,
        seed: int,
        concentration: float = 1.0,
    ) -> Model:
        """Conditional tables drawn from a symmetric Dirichlet; deterministic nodes get random functions.

        Args:
            diagram: The causal diagram, or its text.
            cardinalities: The number of states of each variable, or one number for all.
            seed: Fixes the draw.
            concentration: The Dirichlet parameter; small values give nearly deterministic tables, huge ones
                uniform ones.

        Raises:
            ValueError: If a cardinality is missing or not positive, the concentration is not positive or the
                seed is negative.
            TypeError: If one of them is no number, or no integer where it counts.
        """
        if not number("concentration", concentration) > 0:
            raise ValueError(f"concentration must be positive, got {concentration}")
        concentration = min(float(concentration), _MOST_CONCENTRATED)
        rng = np.random.default_rng(integer("seed", seed, 0))
        diagram = some_diagram(diagram)
        sizes = _sizes(diagram, cardinalities)
        tables: dict[str, npt.NDArray[np.float64]] = {}
        for v in diagram.order:
            shape = tuple(sizes[parent] for parent in diagram.parents(v))
            if v in diagram.deterministic:
                tables[v] = np.eye(sizes[v])[rng.integers(sizes[v], size=shape)]
            else:
                tables[v] = rng.dirichlet(np.full(sizes[v], concentration), size=shape)
        return cls(diagram, tables)

    @classmethod
    def random_exact(
        cls,
        diagram: Diagram | str,
        cardinalities: Mapping[str, int] | int = 2,
        *,
        seed: int,
        denominator: int = 12,
    ) -> Model:
        """Conditional tables of Fractions k/denominator, every composition of it equally likely.

        Args:
            diagram: The causal diagram, or its text.
            cardinalities: The number of states of each variable, or one number for all.
            seed: Fixes the draw.
            denominator: The common denominator of each row.

        Raises:
            ValueError: If a cardinality is missing or not positive, the denominator is not positive or above
                2^62, or the seed is negative.
            TypeError: If one of them is no integer.
        """
        if integer("denominator", denominator, 1) > _MAX_DENOMINATOR:
            raise ValueError(f"denominator must be at most {_MAX_DENOMINATOR}, got {shown(denominator)}")
        rng = np.random.default_rng(integer("seed", seed, 0))
        diagram = some_diagram(diagram)
        sizes = _sizes(diagram, cardinalities)
        tables: dict[str, npt.NDArray[Any]] = {}
        for v in diagram.order:
            shape = (*(sizes[parent] for parent in diagram.parents(v)), sizes[v])
            table = np.empty(shape, dtype=object)
            for row in np.ndindex(shape[:-1]):
                if v in diagram.deterministic:
                    counts = np.eye(sizes[v], dtype=int)[rng.integers(sizes[v])] * denominator
                else:
                    bars = np.sort(rng.choice(denominator + sizes[v] - 1, sizes[v] - 1, replace=False))
                    counts = np.diff(bars, prepend=-1, append=denominator + sizes[v] - 1) - 1
                table[row] = [Fraction(int(k), denominator) for k in counts]
            tables[v] = table
        return cls(diagram, tables)

    def cardinality(self, variable: str) -> int:
        """The number of states of a variable.

        Raises:
            ValueError: If it is not in the diagram.
        """
        self.diagram.require(variable)
        return int(self.tables[variable].shape[-1])

    def joint(self, variables: str | Sequence[str] | None = None, *, max_cells: int = _MAX_CELLS) -> Joint:
        """The joint of all variables, or of some, by variable elimination.

        Args:
            variables: Those that are wanted, in this order, as names or one text with commas; None for all.
            max_cells: The largest table that may be built on the way.

        Raises:
            ValueError: If a variable is unknown or named twice, or a table would be larger; its size is
                found before anything is computed.
        """
        kept = self.diagram.variables if variables is None else variable_names("variables", variables)
        self.diagram.require(*kept)
        if len(set(kept)) != len(kept):
            raise ValueError(f"variable names must differ, got {kept}")
        size = self._cells(kept)
        if size > max_cells or len(kept) > _MAX_AXES:
            raise ValueError(f"the joint of {len(kept)} variables needs {self._too_large(size, max_cells)}")
        factors = [
            ((*self.diagram.parents(v), v), self.tables[v])
            for v in self.diagram.variables
            if v in self._ancestors(kept)
        ]
        for v in self._elimination(factors, kept, max_cells):
            touching = [f for f in factors if v in f[0]]
            scope, table = self._product(touching)
            summed = (tuple(u for u in scope if u != v), np.add.reduce(table, axis=scope.index(v)))
            factors = [*(f for f in factors if v not in f[0]), summed]
        scope, table = self._product([*factors, (kept, np.ones((1,) * len(kept), dtype=int))])
        table = np.transpose(table, [scope.index(v) for v in kept])
        return Joint(kept, table if table.dtype == object else table / table.sum())

    def value(self, expression: str | Term | Expression, *, max_cells: int = _MAX_CELLS) -> float:
        """The value of a term or linear expression, in nats, one marginal for each entropy it needs.

        The entropy of a set that contains the parents of its members is the sum of their conditional
        entropies, so that it needs no table larger than one variable with its parents.

        Args:
            expression: Such as `"I(A;C|X)"` or `"H(A) - H(A|X)"`.
            max_cells: The largest table that may be made.

        Raises:
            ParseError: If the text is not an expression.
            ValueError: If a variable is unknown or a marginal would be too large.
        """
        form = parse_expression(expression)
        self.diagram.require(*form.variables)
        if self._cells(form.variables) <= min(max_cells, 2**16) and len(form.variables) <= _MAX_AXES:
            return self.joint(form.variables, max_cells=max_cells).value(form)
        return sum(float(c) * self._entropy(s, max_cells) for s, c in form.entropies().items())

    def _entropy(self, subset: frozenset[str], max_cells: int) -> float:
        families = {v: frozenset(self.diagram.parents(v)) for v in subset}
        if all(parents <= subset for parents in families.values()):
            total = 0.0
            for v, parents in sorted(families.items()):
                joint = self.joint((*sorted(parents), v), max_cells=max_cells)
                total += joint.entropy((*parents, v)) - joint.entropy(parents)
            return total
        return self.joint(sorted(subset), max_cells=max_cells).entropy(subset)

    def _ancestors(self, variables: Iterable[str]) -> set[str]:
        result: set[str] = set()
        waiting = list(variables)
        while waiting:
            v = waiting.pop()
            if v not in result:
                result.add(v)
                waiting.extend(self.diagram.parents(v))
        return result

    def _cells(self, variables: Iterable[str]) -> int:
        return prod(self.cardinality(v) for v in variables)

    def _too_large(self, cells: int, max_cells: int) -> str:
        return (
            f"a table of {cells} cells ({8 * cells / 2**30:.1f} GiB), more than max_cells={max_cells} "
            f"or {_MAX_AXES} axes: ask for fewer variables"
        )

    def _elimination(self, factors: list[_Factor], kept: tuple[str, ...], max_cells: int) -> list[str]:
        """The hidden variables in the order in which they are summed out, each the cheapest next."""
        scopes = [frozenset(scope) for scope, _ in factors]
        hidden = set().union(*scopes) - set(kept) if scopes else set()
        order = []
        while hidden:
            merged = {v: frozenset[str]().union(*(s for s in scopes if v in s)) for v in sorted(hidden)}
            v = min(merged, key=lambda u: (self._cells(merged[u]), u))
            if self._cells(merged[v]) > max_cells or len(merged[v]) > _MAX_AXES:
                raise ValueError(
                    f"summing out {v} for the marginal of {', '.join(kept)} needs "
                    f"{self._too_large(self._cells(merged[v]), max_cells)}"
                )
            order.append(v)
            hidden.remove(v)
            scopes = [*(s for s in scopes if v not in s), merged[v] - {v}]
        return order

    def _product(self, factors: Sequence[_Factor]) -> _Factor:
        """The product of tables, with one axis for each variable of any of them."""
        scope = tuple(dict.fromkeys(v for names, _ in factors for v in names))
        place = {v: i for i, v in enumerate(scope)}
        result: npt.NDArray[Any] | None = None
        for names, table in sorted(factors, key=lambda f: f[1].size):
            order = sorted(range(len(names)), key=lambda i: place[names[i]])
            shape = [1] * len(scope)
            for i in order:
                shape[place[names[i]]] = table.shape[i]
            aligned = np.transpose(table, order).reshape(shape)
            result = aligned if result is None else result * aligned
        return scope, np.asarray(result)


def _sizes(diagram: Diagram, cardinalities: Mapping[str, int] | int) -> dict[str, int]:
    if not isinstance(cardinalities, Mapping):
        sizes = dict.fromkeys(diagram.variables, cardinalities)
    else:
        missing = [v for v in diagram.variables if v not in cardinalities]
        if missing:
            raise ValueError(f"cardinalities must name every variable, {', '.join(missing)} missing")
        sizes = {v: cardinalities[v] for v in diagram.variables}
    sizes = {v: integer(f"the cardinality of {v}", size, 1) for v, size in sizes.items()}
    for v in diagram.variables:
        cells = prod([sizes[v], *(sizes[parent] for parent in diagram.parents(v))])
        if cells > _MAX_CELLS:
            raise TooLargeError(
                f"the table of {v} given its parents would have {shown(cells)} cells, more than "
                f"{_MAX_CELLS:,}: take fewer states or a diagram with fewer parents"
            )
    return sizes
