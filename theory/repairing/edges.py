"""Diagrams with one edge less.

An edge more never helps: every distribution on a diagram is also on the diagram with one more edge, so that
what is false on the first is false on the second.
"""

from __future__ import annotations

from collections.abc import Iterator

from theory.diagrams import Diagram

__all__ = ["shorter_diagrams"]


def shorter_diagrams(diagram: Diagram) -> Iterator[tuple[tuple[str, str], Diagram]]:
    """Each edge of a diagram, and the diagram without it.

    The last edge into a deterministic variable stays: without it the variable would be a function of nothing.

    Example:
        >>> from theory import Diagram
        >>> [str(shorter) for _, shorter in shorter_diagrams(Diagram.parse("A->X, C->X"))]
        ['C->X, A', 'A->X, C']
    """
    edges = list(diagram.graph.edges)
    for edge in edges:
        if edge[1] in diagram.deterministic and len(diagram.parents(edge[1])) == 1:
            continue
        yield (
            edge,
            Diagram(
                [other for other in edges if other != edge],
                variables=diagram.variables,
                deterministic=diagram.deterministic,
                name=f"{diagram.name} without {edge[0]}->{edge[1]}",
            ),
        )
