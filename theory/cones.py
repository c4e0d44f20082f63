"""The cone of the polymatroids on a diagram and under given statements, and linear programs over it.

A polymatroid assigns a number to each set of variables and satisfies Shannon's inequalities; those that also
satisfy the facts form a cone. `expression >= 0` has a Shannon proof exactly when the expression is nowhere
negative on it, and a minimum below 0 is attained on a ray that shows why there is none. The programs run in
floating point; what rests on them is proved in exact rationals afterwards, by `theory.prove`.

Variables of the diagram that nobody names and that change nothing are left out first: noise (a root with one
child) is set constant, a link in a chain (one parent, one child) is set equal to its parent. Every
polymatroid on the smaller diagram extends in this way to the whole, so that no proof is lost or won.

Example:
    >>> from theory import ESSL
    >>> cone = Cone(("A", "C", "X", "Z"), ESSL)
    >>> str(cone.facts.diagram)
    'C->X, A->X, X->Z'
    >>> cone.minimum("I(A;X) - I(A;Z)")
    0.0
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import networkx as nx
import numpy as np
import numpy.typing as npt

from theory.diagrams import Diagram
from theory.errors import TooLargeError
from theory.expressions import Expression, Statement, Term
from theory.parser import parse_expression
from theory.prover.budget import solve
from theory.prover.lattice import Combination, Vector
from theory.prover.proof.facts import Facts
from theory.prover.proof.lookup import primitive
from theory.prover.proof.search import Search
from theory.prover.proof.space import Space

__all__ = ["Cone", "Floats", "Reduction", "reduced_diagram"]

Floats = npt.NDArray[np.float64]

ZERO = 1e-7
"""Values on rays with H(all variables) = 1 that are smaller count as 0: those of extreme rays are fractions
with small denominators, and HiGHS keeps its constraints within 1e-7."""

_DENOMINATORS = (60, 5040)
"""The largest denominators with which the values of a ray are made rational, tried in this order."""

_MOST_COLUMNS = 260
"""The most joint entropies that a program over all ancestors may have; above it the ancestors that nobody
names only imply independences among the others."""

_REMEMBERED = 1000
"""Points of the cone that are kept, to see without a program that a quantity does not vanish."""

_SIGNED = 2
"""Terms with more sides (co-information) may be negative."""

_MOST_VARIABLES = 10
"""The most variables, unnamed ancestors included, for which the joint entropies are counted at all."""


@dataclass(frozen=True)
class Reduction:
    """A diagram without the variables that change nothing.

    Args:
        diagram: What is left.
        stand_in: For each variable that was left out the one that it may equal, or None for a constant.
    """

    diagram: Diagram
    stand_in: Mapping[str, str | None]

    def original(self, names: Iterable[str]) -> frozenset[str]:
        """The variables that stand for some of the whole diagram's."""
        found: set[str] = set()
        for name in names:
            other: str | None = name
            while other is not None and other in self.stand_in:
                other = self.stand_in[other]
            if other is not None:
                found.add(other)
        return frozenset(found)


def reduced_diagram(diagram: Diagram, named: Iterable[str]) -> Reduction:
    """The part of a diagram that matters for statements about some variables.

    Args:
        diagram: The diagram.
        named: The variables that must stay.

    Example:
        >>> from theory import ESSL
        >>> str(reduced_diagram(ESSL, ("A", "C", "Z")).diagram)
        'C->X, A->X, X->Z'
    """
    kept = set(named)
    graph: nx.DiGraph[str] = nx.DiGraph(diagram.graph)
    for name in tuple(kept):
        kept |= nx.ancestors(diagram.graph, name)
    graph.remove_nodes_from([v for v in diagram.variables if v not in kept])
    named = set(named)
    functions = {v for v in diagram.deterministic if v in graph}
    stand_in: dict[str, str | None] = {}
    while True:
        for v in (v for v in diagram.variables if v in graph and v not in named):
            parents, children = list(graph.predecessors(v)), list(graph.successors(v))
            if len(children) != 1 or len(parents) > 1 or (children[0] in functions and v not in functions):
                continue
            graph.remove_node(v)
            functions.discard(v)
            stand_in[v] = parents[0] if parents else None
            if parents:
                graph.add_edge(parents[0], children[0])
            break
        else:
            break
    order = [v for v in diagram.variables if v in graph]
    edges = [(a, b) for b in order for a in order if graph.has_edge(a, b)]
    return Reduction(Diagram(edges, variables=order, deterministic=functions, name=diagram.name), stand_in)


class Cone:
    """The polymatroids over some variables, on a diagram and under given statements.

    Args:
        named: The variables that expressions may name.
        diagram: The causal diagram, or None.
        given: Statements that hold; a strict one counts as its closure.

    Raises:
        TooLargeError: If the programs would not fit.
        ValueError: If a variable is not in the diagram.
    """

    def __init__(
        self, named: Sequence[str], diagram: Diagram | None, given: tuple[Statement, ...] = ()
    ) -> None:
        whole = Facts(named, diagram, given)
        self.reduction = None if diagram is None else reduced_diagram(diagram, whole.named)
        self.facts = Facts(named, None if self.reduction is None else self.reduction.diagram, given)
        self.all_variables = whole.variables
        size = len(self.facts.variables)
        space = Space(self.facts, size if size <= _MOST_VARIABLES else len(self.facts.named))
        search = Search(space, max_columns=_MOST_COLUMNS)
        if space.inside > len(self.facts.named) and (search.is_large or space.columns > _MOST_COLUMNS):
            space = Space(self.facts, len(self.facts.named))
            search = Search(space, max_columns=_MOST_COLUMNS)
        if search.is_large:
            raise TooLargeError(
                f"the polymatroids over {space.inside} variables need {space.columns} joint entropies and "
                f"{len(search.distinct)} inequalities at once, which is too many: name fewer variables"
            )
        self.space = space
        self.columns = [mask for mask in range(1, 1 << space.inside) if space.irreducible(mask)]
        self._place = {mask: i for i, mask in enumerate(self.columns)}
        above = [v for v, g in zip(search.reduced_given, search.given, strict=True) if g.operator != "=="]
        equal = [v for v, g in zip(search.reduced_given, search.given, strict=True) if g.operator == "=="]
        _, elementals = search.rows
        self._above: list[Combination] = [*elementals, *(primitive(v)[0] for v in above if v)]
        self._equal: list[Combination] = [primitive(v)[0] for v in equal if v]
        self.rows = self._dense(self._above)
        self.equal = self._dense(self._equal)
        self._points: list[Floats] = []
        self.total = self._dense([space.canonical((1 << space.inside) - 1)])[0]

    def _dense(self, vectors: Sequence[Combination]) -> Floats:
        table = np.zeros((len(vectors), len(self.columns)))
        for i, vector in enumerate(vectors):
            for mask, c in vector.items():
                table[i, self._place[mask]] = float(c)
        return table

    def reduced(self, expression: str | Term | Expression) -> Vector:
        """An expression on the joint entropies that the facts leave."""
        return self.space.reduced(self.space.frame.vector(parse_expression(expression)))

    def vector(self, expression: str | Term | Expression) -> Floats:
        """The same as an array, one number for each of `columns`."""
        row: Floats = self._dense([self.reduced(expression)])[0]
        return row

    def ray(self, objective: Floats, zero: Floats | None = None) -> tuple[float, Floats]:
        """The least value of an objective on the cone where H(all variables) <= 1, and where it is attained.

        Args:
            objective: An array of shape (columns,).
            zero: Quantities that must vanish, of shape (quantities, columns).

        Returns:
            The minimum, never positive, and the values on `columns`.

        Raises:
            SpentError: If the work that was allowed does not suffice.
        """
        if not self.columns:
            return 0.0, objective
        fixed = self.equal if zero is None else np.concatenate([self.equal, zero])
        answer = solve(
            objective,
            A_ub=np.concatenate([-self.rows, self.total[None]]),
            b_ub=np.concatenate([np.zeros(len(self.rows)), [1.0]]),
            A_eq=fixed if len(fixed) else None,
            b_eq=np.zeros(len(fixed)) if len(fixed) else None,
            bounds=(0, None),
        )
        if answer.status != 0:
            raise RuntimeError(f"a linear program with the solution 0 was not solved: {answer.message}")
        point = np.asarray(answer.x, dtype=np.float64)
        if len(self._points) < _REMEMBERED and point.any():
            self._points.append(point)
        return float(min(answer.fun, 0.0)), point

    def vanishes(self, term: Term, zero: Floats | None = None) -> bool:
        """Whether a term is 0 on the whole cone, or where some quantities vanish."""
        vector = self.vector(term)
        if self._shown_by_a_point(vector, zero):
            return False
        signs = (-1.0,) if len(term.groups) <= _SIGNED else (-1.0, 1.0)
        return all(self.ray(sign * vector, zero)[0] >= -ZERO for sign in signs)

    def _shown_by_a_point(self, vector: Floats, zero: Floats | None) -> bool:
        """Whether a point met before has the quantities zero and this one not."""
        if not self._points:
            return False
        points = np.array(self._points)
        if zero is not None:
            points = points[(np.abs(points @ zero.T) <= ZERO).all(axis=1)]
        return bool((np.abs(points @ vector) > 10 * ZERO).any())

    def minimum(self, expression: str | Term | Expression) -> float:
        """The least value of an expression where H(all variables) <= 1; 0 if it is nowhere negative."""
        value = self.ray(self.vector(expression))[0]
        return value if value < -ZERO else 0.0

    def exact(self, point: Floats) -> dict[frozenset[str], Fraction] | None:
        """The ray through a point in integers, for every set of all variables of the diagram, or None.

        It is None where the rounded values are not exactly on the cone.
        """
        largest = float(np.abs(point).max(initial=0.0))
        if largest <= ZERO:
            return None
        small = float(point[point > ZERO * 10].min())
        for denominator in _DENOMINATORS:
            values = [Fraction(float(x) / small).limit_denominator(denominator) for x in point]
            scale = lcm(*(v.denominator for v in values))
            ray = {mask: int(v * scale) for mask, v in zip(self.columns, values, strict=True)}
            if all(_value(row, ray) >= 0 for row in self._above) and not any(
                _value(row, ray) for row in self._equal
            ):
                return self._everywhere(ray)
        return None

    def _everywhere(self, ray: Mapping[int, int]) -> dict[frozenset[str], Fraction]:
        frame, found = self.space.frame, {}
        names = self.all_variables if self.space.inside == len(self.facts.variables) else frame.names
        for number in range(1, 1 << len(names)):
            chosen = frozenset(name for i, name in enumerate(names) if number >> i & 1)
            own = chosen if self.reduction is None else self.reduction.original(chosen)
            found[chosen] = _value(self.space.canonical(frame.mask(own)), ray)
        return found


def _value(row: Combination, ray: Mapping[int, int]) -> Fraction:
    return sum((Fraction(c) * ray[mask] for mask, c in row.items()), Fraction(0))
