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

_CODES_FIRST = ((2, 1, 256, 1), (2, 2, 2048, 6), (2, 1, 0, 1), (3, 1, 512, 1))
_GATES_FIRST = ((4, 2048, 6), (8, 1024, 6))
_CODES_LATER = ((2, 2, 4096, 8), (3, 1, 4096, 2), (5, 1, 4096, 1), (2, 3, 4096, 6), (3, 2, 2048, 1))
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
    goal: Goal, layout: Layout, variables: Sequence[str], seed: int, deep: bool
) -> Iterator[tuple[Joint, str]]:
    for field, dimension, size, rounds in _CODES_LATER if deep else _CODES_FIRST:
        code = search_codes(
            goal, layout, field=field, dimension=dimension, size=size, rounds=rounds, seed=seed
        )
        joint = None if code is None else code.joint(variables)
        if code is not None and joint is not None:
            yield joint, code.describe()
    for outcomes, size, rounds in _GATES_LATER if deep else _GATES_FIRST:
        found = search_gates(goal, layout, outcomes=outcomes, size=size, rounds=rounds, seed=seed)
        joint = None if found is None else found.joint(variables)
        if found is not None and joint is not None:
            yield joint, found.describe()
    if deep and len(layout.names) <= _MOST_VARIABLES:
        yield from numerical_candidates(goal, layout, variables, restarts=_RESTARTS, seed=seed)


def find_distribution(
    goal: Goal, variables: Sequence[str], diagram: Diagram | None, *, seed: int, deep: bool
) -> tuple[Joint, str] | None:
    """An exact distribution on the diagram that meets the goal, with a one-line description.

    Args:
        goal: What it must satisfy and break.
        variables: An ancestral set of the diagram, or all variables where there is none.
        diagram: The causal diagram, or None.
        seed: Fixes the random part.
        deep: Whether to search for seconds, numerically at last, rather than for some hundredths.
    """
    layout = Layout.of(variables, diagram)
    for joint, description in _proposals(goal, layout, variables, seed, deep):
        if verified(joint, goal, diagram):
            return joint, description
    return None
