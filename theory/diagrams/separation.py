"""What follows from a diagram: variables that others determine, and independences."""

from __future__ import annotations

from theory.diagrams.diagram import Diagram

__all__ = ["closure", "separated"]


def closure(diagram: Diagram, names: set[str]) -> set[str]:
    """The variables that are functions of `names` by the diagram's deterministic nodes."""
    closed = set(names)
    while True:
        new = {v for v in diagram.deterministic if v not in closed and closed.issuperset(diagram.parents(v))}
        if not new:
            return closed
        closed |= new


def separated(diagram: Diagram, left: set[str], right: set[str], given: set[str]) -> bool:
    """Whether the diagram makes `left` and `right` independent given `given`.

    A condition fixes its functions too, so they join it (Geiger, Verma and Pearl 1990). A variable that is
    fixed is independent of all others.
    """
    fixed = closure(diagram, given)
    left, right = left - fixed, right - fixed
    if not left or not right:
        return True
    return not left & right and diagram.d_separated(left, right, fixed)
