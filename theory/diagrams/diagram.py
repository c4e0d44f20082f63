"""Causal diagrams over named variables, and the independences that they imply.

A diagram is a directed acyclic graph. A distribution is *on* the diagram when every variable is
independent of its non-descendants given its parents, and when every node marked deterministic is a
function of its parents. d-separation (Pearl 1988; computed by networkx) reads off the independences
that all such distributions share.

In text, `A->X` is an edge, `A=>X` an edge into a deterministic node, and chains such as `X1->X2->X3`,
`A->X<-C` and `A=>X<=C` are allowed; `-->`, `<--` and the arrows `→ ⟶ ⇒ ⟹ ← ⟵ ⇐ ⟸` are read too. Commas,
semicolons and new lines separate; a line may begin or end with an arrow. A name alone is a variable without
edges. It stands behind the edges, or is cut off by a semicolon: `A, B->X` is refused, for it could be meant
as two causes of X.

Example:
    >>> ESSL.d_separated({"A"}, {"C"})
    True
    >>> ESSL.d_separated({"A"}, {"C"}, given={"X"})  # X is a collider: explaining away
    False
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from theory.errors import shown
from theory.names import variable_names

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["ESSL", "Diagram"]

_NAME = re.compile(r"[^\W\d]\w*'*\Z")
"""A letter, then letters, digits or underscores, then primes."""

_SHOWN = 20
"""So many variables of a cycle are named."""

_ARROW = re.compile(r"(<-{1,2}>|-{1,2}>|<-{1,2}|=>|<=|[→⟶⇒⟹←⟵⇐⟸↔⟷])")
"""An edge, an edge into a deterministic variable, and what is written for them."""

_ARROWS = {
    **dict.fromkeys(("-->", "→", "⟶"), "->"),
    **dict.fromkeys(("<--", "←", "⟵"), "<-"),
    **dict.fromkeys(("⇒", "⟹"), "=>"),
    **dict.fromkeys(("⇐", "⟸"), "<="),
    **dict.fromkeys(("<-->", "↔", "⟷"), "<->"),
}
"""The standard spelling of arrows that have several."""

_SPACED_ARROW = re.compile(rf"\s*{_ARROW.pattern}\s*")
"""An arrow and the spaces and line ends beside it."""

_HINTS = {
    re.compile(r"[HI]\s*\("): "statements go into given=",
    re.compile(r"[|⊥⫫⟂]"): "independences go into given=",
    re.compile(r"[()\[\]{}]"): "write one edge for each, as in A->C, B->C",
    re.compile(r"\s(and|&)\s"): "write a comma between edges",
    re.compile(r"(?<![\w'])[\"']"): "write names without quotes",
    re.compile(r"\w\s*(-|--|~|–|—|-o-)\s*\w"): "an edge has a direction, -> or <-, and a name no hyphen",
}
"""What to write in place of what a diagram has not, by what gives it away."""

_SEPARATOR = re.compile(r"[;\n\r]")
"""What separates groups of edges; within a group commas separate."""


class Diagram:
    """A causal diagram: a directed acyclic graph over named variables.

    Args:
        edges: Pairs (parent, child); `Diagram.parse` reads text such as `"C->R, A->X"`.
        variables: Further variables without edges, or all of them to fix their order, as names or as one text
            with commas.
        deterministic: Variables that are functions of their parents, written as `variables` are.
        name: Its name in tables and messages.

    Attributes:
        variables: The variables, in the order they were given.
        edges: The pairs (parent, child), by the order of the parents.

    Raises:
        ValueError: If a name is malformed, the edges form a cycle, or a deterministic variable is
            unknown or has no parent.
        TypeError: If the edges are no pairs.
    """

    def __init__(
        self,
        edges: Iterable[tuple[str, str]] = (),
        *,
        variables: Iterable[str] = (),
        deterministic: Iterable[str] = (),
        name: str = "diagram",
    ) -> None:
        children: dict[str, dict[str, None]] = {v: {} for v in _named(variables)}
        for parent, child in _pairs(edges):
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
        self.deterministic = tuple(dict.fromkeys(_named(deterministic)))
        self.name = name
        for node in self.deterministic:
            if node not in children:
                raise ValueError(f"deterministic variable {node!r} is not in the diagram {sorted(children)}")
            if not self.parents(node):
                raise ValueError(f"deterministic variable {node!r} needs at least one parent")

    @classmethod
    def parse(cls, text: str, *, name: str = "diagram") -> Diagram:
        """Read a diagram from text such as `"C->R, A->X<-R"`; `=>` marks a deterministic child.

        Args:
            text: Names and arrows, separated by commas, semicolons or new lines.
            name: Its name in tables and messages.

        Raises:
            ValueError: If the text is no such list, or a name without an edge stands before an edge with only
                commas between them.
            TypeError: If it is no text.

        Example:
            >>> print(Diagram.parse("A->X<-C; B"))
            A->X, C->X, B
        """
        if not isinstance(text, str):
            raise TypeError(f"a diagram is read from text such as 'C->R, A->X', got {shown(text)}")
        edges: list[tuple[str, str]] = []
        variables: list[str] = []
        arrows: dict[str, set[str]] = {}
        for group in _SEPARATOR.split(_SPACED_ARROW.sub(r"\1", text)):
            pieces = [part.strip() for part in group.split(",") if part.strip()]
            _require_no_lone_cause(text, pieces)
            for piece in pieces:
                nodes, kinds = _read_chain(text, piece)
                variables.extend(nodes)
                for left, arrow, right in zip(nodes, kinds, nodes[1:], strict=False):
                    parent, child = (right, left) if arrow.startswith("<") else (left, right)
                    edges.append((parent, child))
                    arrows.setdefault(child, set()).add("=>" if "=" in arrow else "->")
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

    def d_separated(
        self, left: str | Collection[str], right: str | Collection[str], given: str | Collection[str] = ()
    ) -> bool:
        """Whether every path between `left` and `right` is blocked by `given`.

        Args:
            left: Names of variables, or one text with commas between them.
            right: Likewise.
            given: Likewise.

        Raises:
            ValueError: If a variable is unknown or the three sets overlap.
            TypeError: If one is no collection of names.

        Example:
            >>> Diagram.parse("A->X<-C").d_separated("A", "C", given="X")
            False
        """
        import networkx as nx

        named = {"left": left, "right": right, "given": given}
        sets = [set(variable_names(role, names)) for role, names in named.items()]
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


def _named(variables: object) -> tuple[str, ...]:
    """Variables as they were given; a text has commas between them."""
    return (
        variable_names("variables", variables) if isinstance(variables, str) else tuple(cast(Any, variables))
    )


def _pairs(edges: object) -> list[tuple[str, str]]:
    """Edges as they were given, each a pair that is no text."""
    if isinstance(edges, str):
        raise TypeError(f"edges must be pairs (parent, child), got text: use Diagram.parse({shown(edges)})")
    found = list(cast(Iterable[Any], edges))
    for pair in found:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise TypeError(f"edges must be pairs (parent, child), got {shown(pair)}")
    return found


def _require_no_lone_cause(text: str, pieces: Sequence[str]) -> None:
    """Refuse `A, B->X`, which could be meant as A->X, B->X."""
    for lone, following in pairwise(pieces):
        if not _ARROW.search(lone) and _ARROW.search(following):
            first, arrow, second = (part.strip() for part in _ARROW.split(following)[:3])
            child = first if _ARROWS.get(arrow, arrow).startswith("<") else second
            raise ValueError(
                f"cannot read the diagram {shown(text)}: {shown(lone)} before {shown(following)} could be a "
                f"cause or a variable without edges; write {shown(f'{lone}->{child}, {following}')} for a "
                f"cause, or put {shown(lone)} last, or behind ';'"
            )


def _read_chain(text: str, piece: str) -> tuple[list[str], list[str]]:
    """The names and the arrows of `A->B<-C`."""
    tokens = [token.strip() for token in _ARROW.split(piece)]
    nodes, kinds = tokens[0::2], [_ARROWS.get(kind, kind) for kind in tokens[1::2]]
    if "<->" in kinds:
        raise ValueError(
            f"cannot read the diagram {shown(text)}: {shown(piece)} has a common cause that is not named; "
            "write it, as in U->A, U->B"
        )
    for node in nodes:
        if not _NAME.match(node):
            name = f"; a name is a letter, then letters, digits or underscores, not {shown(node)}"
            raise ValueError(
                f'cannot read the diagram {shown(text)}: expected edges such as "A->B, B->C", or a name, got '
                f"{shown(piece)}{what_to_write(text) or (name if node else '')}"
            )
    return nodes, kinds


def what_to_write(text: str) -> str:
    """What an unreadable diagram is told, after a semicolon; empty where nothing gives it away.

    Example:
        >>> what_to_write("A - B"), what_to_write("A->B")
        ('; an edge has a direction, -> or <-, and a name no hyphen', '')
    """
    return next((f"; {hint}" for pattern, hint in _HINTS.items() if pattern.search(text)), "")


ESSL = Diagram(
    [("C", "R"), ("S", "R"), ("V", "R"), ("R", "X"), ("A", "X"), ("X", "Z")],
    variables=["C", "S", "V", "R", "A", "X", "Z"],
    name="E-SSL diagram",
)
"""Equivariant self-supervised learning (Wang et al. 2024, arXiv:2411.06508): class C, style S and pose V
cause the raw input R; R and the transformation A cause the input X; the representation Z is made from X."""
