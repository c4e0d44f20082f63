"""The facts that a proof may use: independences, functions, and the given statements.

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
    """The variables of `target` are functions of those of `source`.

    Args:
        source: A mask.
        target: A mask.
        given: The position of the given relation that says so; None where the diagram does.
    """

    source: int
    target: int
    given: int | None


@dataclass(frozen=True)
class Independence:
    """I(left; right | condition) == 0, where the three are masks.

    Args:
        left: The first side.
        right: The second side.
        condition: What stands behind the bar.
        given: The position of the given relation that says so.
    """

    left: int
    right: int
    condition: int
    given: int


@dataclass(frozen=True)
class Given:
    """A given relation as a vector that is `== 0`, `>= 0` or `> 0`.

    Args:
        vector: The gap of the relation.
        operator: `==`, `>=` or `>`.
        index: The position of the relation among all given ones.
    """

    vector: Vector
    operator: str
    index: int


def _ancestors(diagram: Diagram, names: Iterable[str]) -> set[str]:
    import networkx as nx

    result = set(names)
    for name in tuple(result):
        result |= nx.ancestors(diagram.graph, name)
    return result


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
        result: list[Function] = []
        if self.diagram is not None:
            for name in self.diagram.deterministic:
                parents = self.diagram.parents(name)
                if known.issuperset((name, *parents)):
                    result.append(Function(frame.mask(parents), frame.mask([name]), None))
        for index, relation in enumerate(self.relations):
            if known.issuperset(relation.variables):
                vector = frame.vector(relation.gap)
                entropy = as_function(vector)
                largest = max(vector, key=int.bit_count, default=0)
                if entropy and (relation.operator == "==" or self._bounded_above(relation, vector, largest)):
                    result.append(Function(entropy.condition, entropy.left, index))
        return result

    def _bounded_above(self, relation: Relation, vector: Vector, largest: int) -> bool:
        return relation.operator in (">=", "<=") and vector[largest] < 0

    def independences(self, frame: Frame) -> list[Independence]:
        """The given conditional independences over the frame."""
        known = set(frame.names)
        result: list[Independence] = []
        for index, relation in enumerate(self.relations):
            if not known.issuperset(relation.variables):
                continue
            vector = frame.vector(relation.gap)
            quantity = as_independence(vector)
            if quantity is None or quantity.left & quantity.right:  # I(A,B;A,C) == 0 says more
                continue
            whole = quantity.left | quantity.right | quantity.condition
            if relation.operator == "==" or (relation.operator in (">=", "<=") and vector[whole] > 0):
                result.append(Independence(*quantity, index))
        return result

    def others(self, frame: Frame) -> list[Given]:
        """Every given relation over the frame as a vector, functions and independences included."""
        known = set(frame.names)
        return [
            Given(frame.vector(relation.gap), relation.gap_operator, index)
            for index, relation in enumerate(self.relations)
            if known.issuperset(relation.variables)
        ]
