"""What follows from a diagram: variables that others determine, and independences."""

from __future__ import annotations

from collections.abc import Collection

from theory.diagrams.diagram import Diagram
from theory.diagrams.named import some_diagram
from theory.names import variable_names

__all__ = ["closure", "separated"]


def closure(diagram: Diagram | str, names: str | Collection[str]) -> set[str]:
    """The variables that are functions of `names` by the diagram's deterministic nodes.

    Args:
        diagram: The causal diagram, or its text.
        names: Names of variables, or one text with commas between them.
    """
    diagram, closed = some_diagram(diagram), set(variable_names("names", names))
    while True:
        new = {v for v in diagram.deterministic if v not in closed and closed.issuperset(diagram.parents(v))}
        if not new:
            return closed
        closed |= new


def separated(
    diagram: Diagram | str,
    left: str | Collection[str],
    right: str | Collection[str],
    given: str | Collection[str],
) -> bool:
    """Whether the diagram makes `left` and `right` independent given `given`.

    A condition fixes its functions too, so they join it (Geiger, Verma and Pearl 1990). A variable that is
    fixed is independent of all others.

    Args:
        diagram: The causal diagram, or its text.
        left: Names of variables, or one text with commas between them.
        right: Likewise.
        given: Likewise.
    """
    diagram, fixed = some_diagram(diagram), closure(diagram, given)
    first = set(variable_names("left", left)) - fixed
    second = set(variable_names("right", right)) - fixed
    if not first or not second:
        return True
    return not first & second and diagram.d_separated(first, second, fixed)
