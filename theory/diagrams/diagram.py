"""Causal diagrams over named variables, and the independences that they imply.

A diagram is a directed acyclic graph. A distribution is *on* the diagram when every variable is
independent of its non-descendants given its parents, and when every node marked deterministic is a
function of its parents. d-separation (Pearl 1988; computed by networkx) reads off the independences
that all such distributions share.

In text, `A->X` is an edge, `A=>X` an edge into a deterministic node, chains such as `X1->X2->X3` are
allowed and a name alone is a variable without edges.

Example:
    >>> ESSL.d_separated({"A"}, {"C"})
    True
    >>> ESSL.d_separated({"A"}, {"C"}, given={"X"})  # X is a collider: explaining away
    False
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from theory.errors import shown

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["ESSL", "Diagram"]

_NAME = re.compile(r"[^\W\d]\w*'*\Z")
"""A letter, then letters, digits or underscores, then primes."""

_SHOWN = 20
"""So many variables of a cycle are named."""

_ARROW = re.compile(r"(->|=>)")
"""An edge, or an edge into a deterministic variable."""


class Diagram:
    """A causal diagram: a directed acyclic graph over named variables.

    Args:
        edges: Pairs (parent, child).
        variables: Further variables without edges, or all of them to fix their order.
        deterministic: Variables that are functions of their parents.
        name: Its name in tables and messages.

    Attributes:
        variables: The variables, in the order they were given.
        edges: The pairs (parent, child), by the order of the parents.

    Raises:
        ValueError: If a name is malformed, the edges form a cycle, or a deterministic variable is
            unknown or has no parent.
    """

    def __init__(
        self,
        edges: Iterable[tuple[str, str]] = (),
        *,
        variables: Iterable[str] = (),
        deterministic: Iterable[str] = (),
        name: str = "diagram",
    ) -> None:
        children: dict[str, dict[str, None]] = {node: {} for node in variables}
        for parent, child in edges:
            children.setdefault(parent, {})[child] = None
            children.setdefault(child, {})
        for node in children:
            if not isinstance(node, str) or not _NAME.match(node):
                raise ValueError(
                    f"a variable name must be a letter followed by letters or digits, got {node!r}"
                )
        self.variables = tuple(children)
        self.edges = tuple((parent, child) for parent, below in children.items() for child in below)
        self._parents = {v: tuple(cause for cause in children if v in children[cause]) for v in children}
        try:
            TopologicalSorter(self._parents).prepare()
        except CycleError as error:
            cycle = " -> ".join(error.args[1][:-1][:_SHOWN])
            raise ValueError(f"a diagram must have no cycle, got {cycle} -> ..") from None
        self.deterministic = tuple(dict.fromkeys(deterministic))
        self.name = name
        for node in self.deterministic:
            if node not in children:
                raise ValueError(f"deterministic variable {node!r} is not in the diagram {sorted(children)}")
            if not self.parents(node):
                raise ValueError(f"deterministic variable {node!r} needs at least one parent")

    @classmethod
    def parse(cls, text: str, *, name: str = "diagram") -> Diagram:
        """Read a diagram from text such as `"C->R, A->X, R->X"`; `=>` marks a deterministic child.

        Raises:
            ValueError: If the text is not a comma-separated list of names and arrows.
        """
        edges: list[tuple[str, str]] = []
        variables: list[str] = []
        arrows: dict[str, set[str]] = {}
        for piece in filter(None, (part.strip() for part in text.split(","))):
            tokens = [token.strip() for token in _ARROW.split(piece)]
            nodes, kinds = tokens[0::2], tokens[1::2]
            for node in nodes:
                if not _NAME.match(node):
                    raise ValueError(
                        f"cannot read the diagram {shown(text)}: expected edges such as "
                        f'"A->B, B->C", or a name, got {shown(piece)}'
                    )
            variables.extend(nodes)
            for parent, arrow, child in zip(nodes, kinds, nodes[1:], strict=False):
                edges.append((parent, child))
                arrows.setdefault(child, set()).add(arrow)
        for child, kinds_seen in arrows.items():
            if len(kinds_seen) > 1:
                raise ValueError(f"all arrows into {shown(child)} must be '=>' if one is, got {shown(text)}")
        deterministic = [child for child, kinds_seen in arrows.items() if kinds_seen == {"=>"}]
        if not variables:
            raise ValueError(f'cannot read the diagram {shown(text)}: expected text such as "C->R, A->X"')
        return cls(edges, variables=variables, deterministic=deterministic, name=name)

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """The diagram as a graph of networkx, which cannot be changed."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.variables)
        graph.add_edges_from(self.edges)
        frozen: nx.DiGraph[str] = nx.freeze(graph)
        return frozen

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The variables in a topological order, parents first."""
        import networkx as nx

        return tuple(nx.lexicographical_topological_sort(self.graph, key=self.variables.index))

    def parents(self, variable: str) -> tuple[str, ...]:
        """The direct causes of a variable, in the order they were given."""
        return self._parents.get(variable, ())

    def d_separated(self, left: Collection[str], right: Collection[str], given: Collection[str] = ()) -> bool:
        """Whether every path between `left` and `right` is blocked by `given`.

        Raises:
            ValueError: If a variable is unknown or the three sets overlap.
        """
        import networkx as nx

        sets = [set(left), set(right), set(given)]
        self.require(*sets[0], *sets[1], *sets[2])
        if sum(map(len, sets)) != len(set().union(*sets)):
            raise ValueError(f"d-separation needs disjoint sets, got {left!r}, {right!r} given {given!r}")
        return bool(nx.is_d_separator(self.graph, *sets))

    def require(self, *variables: str) -> None:
        """Raise a ValueError that names the first variable that is not in the diagram."""
        for variable in variables:
            if variable not in self.variables:
                raise ValueError(
                    f"unknown variable {variable!r}: the {self.name} has {', '.join(self.variables)}"
                )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Diagram):
            return NotImplemented
        return (
            set(self.variables) == set(other.variables)
            and set(self.edges) == set(other.edges)
            and set(self.deterministic) == set(other.deterministic)
        )

    def __hash__(self) -> int:
        return hash((frozenset(self.variables), frozenset(self.edges), frozenset(self.deterministic)))

    def __str__(self) -> str:
        def arrow(child: str) -> str:
            return "=>" if child in self.deterministic else "->"

        linked = {v for edge in self.edges for v in edge}
        alone = [v for v in self.variables if v not in linked]
        return ", ".join([*(f"{a}{arrow(b)}{b}" for a, b in self.edges), *alone])

    def __repr__(self) -> str:
        return f"Diagram({str(self)!r}, name={self.name!r})"


ESSL = Diagram(
    [("C", "R"), ("S", "R"), ("V", "R"), ("R", "X"), ("A", "X"), ("X", "Z")],
    variables=["C", "S", "V", "R", "A", "X", "Z"],
    name="E-SSL diagram",
)
"""Equivariant self-supervised learning (Wang et al. 2024, arXiv:2411.06508): class C, style S and pose V
cause the raw input R; R and the transformation A cause the input X; the representation Z is made from X."""
