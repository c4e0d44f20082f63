"""What a proof may take as given: the diagram's independences, functions, and the user's statements.

`Facts` gathers them once. Given statements of the form H(..|..) == 0 and I(..;..|..) == 0 are recognised,
whichever way they are written, because those can eliminate joint entropies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from theory.diagrams import Diagram
from theory.expressions import Relation, Statement
from theory.prover.lattice import Frame, Vector
from theory.prover.shapes import as_function, as_independence

__all__ = ["Facts", "Function", "Given", "Independence"]


@dataclass(frozen=True)
class Function:
    """`target` is a function of `source` (both masks); from given relation number `given`, or the diagram."""

    source: int
    target: int
    given: int | None


@dataclass(frozen=True)
class Independence:
    """I(left; right | condition) == 0, by given relation number `given`."""

    left: int
    right: int
    condition: int
    given: int


@dataclass(frozen=True)
class Given:
    """A given relation as a vector that is `== 0`, `>= 0` or `> 0` (`operator`)."""

    vector: Vector
    operator: str
    index: int


def _ancestors(diagram: Diagram, names: Iterable[str]) -> set[str]:
    import networkx as nx

    found = set(names)
    for name in tuple(found):
        found |= nx.ancestors(diagram.graph, name)
    return found


class Facts:
    """The facts of one problem over a frame of variables.

    Args:
        statement_variables: What the statement to be judged names.
        diagram: The causal diagram, or None.
        given: The given statements.

    Raises:
        ValueError: If a variable is not in the diagram.
    """

    def __init__(
        self, statement_variables: Iterable[str], diagram: Diagram | None, given: tuple[Statement, ...]
    ) -> None:
        self.diagram = diagram
        self.relations: tuple[Relation, ...] = tuple(r for statement in given for r in statement)
        named = dict.fromkeys(statement_variables)
        named.update(dict.fromkeys(v for r in self.relations for v in r.variables))
        self.named = tuple(named)
        if diagram is not None:
            diagram.require(*self.named)
            needed = _ancestors(diagram, self.named)
            self.variables = (*self.named, *(v for v in diagram.variables if v in needed - set(named)))
        else:
            self.variables = self.named

    def functions(self, frame: Frame) -> list[Function]:
        """Functional dependencies over the frame, those of the diagram and the given ones."""
        known = set(frame.names)
        found: list[Function] = []
        if self.diagram is not None:
            for name in self.diagram.deterministic:
                parents = self.diagram.parents(name)
                if known.issuperset((name, *parents)):
                    found.append(Function(frame.mask(parents), frame.mask([name]), None))
        for index, relation in enumerate(self.relations):
            if known.issuperset(relation.variables):
                vector = frame.vector(relation.gap)
                shape = as_function(vector)
                largest = max(vector, key=int.bit_count, default=0)
                if shape and (relation.operator == "==" or self._bounded_above(relation, vector, largest)):
                    found.append(Function(shape[0], shape[1], index))
        return found

    def _bounded_above(self, relation: Relation, vector: Vector, largest: int) -> bool:
        return relation.operator in (">=", "<=") and vector[largest] < 0

    def independences(self, frame: Frame) -> list[Independence]:
        """The given conditional independences over the frame."""
        known = set(frame.names)
        found: list[Independence] = []
        for index, relation in enumerate(self.relations):
            if not known.issuperset(relation.variables):
                continue
            vector = frame.vector(relation.gap)
            shape = as_independence(vector)
            if shape is None:
                continue
            whole = shape[0] | shape[1] | shape[2]
            if relation.operator == "==" or (relation.operator in (">=", "<=") and vector[whole] > 0):
                found.append(Independence(*shape, index))
        return found

    def others(self, frame: Frame) -> list[Given]:
        """Every given relation over the frame as a vector, those above included."""
        known = set(frame.names)
        found: list[Given] = []
        for index, relation in enumerate(self.relations):
            if known.issuperset(relation.variables):
                operator = {"<=": ">=", "<": ">"}.get(relation.operator, relation.operator)
                found.append(Given(frame.vector(relation.gap), operator, index))
        return found
