"""The search for distributions: counterexamples to a statement, and witnesses of existential ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from theory.diagrams import Diagram
from theory.joints import Joint
from theory.prover.codes import search_codes
from theory.prover.exact import Support, holds, off_diagram
from theory.prover.gates import search_gates
from theory.prover.layout import Goal, Layout
from theory.prover.numerical import numerical_candidates

__all__ = ["find_distribution", "verified"]

_CODES_FIRST = ((2, 1, 512), (2, 2, 512), (3, 1, 512))
_GATES_FIRST = ((8, 512, 6),)
_CODES_LATER = ((2, 2, 8192), (3, 1, 8192), (5, 1, 8192), (2, 3, 4096))
_GATES_LATER = ((16, 2048, 24),)
_RESTARTS = 24
_MOST_VARIABLES = 10


def verified(joint: Joint, goal: Goal, diagram: Diagram | None) -> bool:
    """Whether an exact joint is on the diagram and meets the goal, in exact arithmetic."""
    support = Support(joint)
    if diagram is not None and off_diagram(support, diagram) is not None:
        return False
    if not all(holds(support, relation) for relation in goal.required):
        return False
    return not goal.broken or not all(holds(support, relation) for relation in goal.broken)


def _proposals(
    goal: Goal, layout: Layout, variables: Sequence[str], seed: int
) -> Iterator[tuple[Joint, str]]:
    for codes, gates in ((_CODES_FIRST, _GATES_FIRST), (_CODES_LATER, _GATES_LATER)):
        for field, dimension, size in codes:
            code = search_codes(goal, layout, field=field, dimension=dimension, size=size, seed=seed)
            joint = None if code is None else code.joint(variables)
            if code is not None and joint is not None:
                yield joint, code.describe()
        for outcomes, size, rounds in gates:
            found = search_gates(goal, layout, outcomes=outcomes, size=size, rounds=rounds, seed=seed)
            joint = None if found is None else found.joint(variables)
            if found is not None and joint is not None:
                yield joint, found.describe()
    if len(layout.names) <= _MOST_VARIABLES:
        yield from numerical_candidates(goal, layout, variables, restarts=_RESTARTS, seed=seed)


def find_distribution(
    goal: Goal, variables: Sequence[str], diagram: Diagram | None, *, seed: int
) -> tuple[Joint, str] | None:
    """An exact distribution on the diagram that meets the goal, with a one-line description.

    Args:
        goal: What it must satisfy and break.
        variables: An ancestral set of the diagram, or all variables where there is none.
        diagram: The causal diagram, or None.
        seed: Fixes the random part.
    """
    layout = Layout.of(variables, diagram)
    for joint, description in _proposals(goal, layout, variables, seed):
        if verified(joint, goal, diagram):
            return joint, description
    return None
