"""The search for distributions: counterexamples to a statement, and witnesses of existential ones."""

from __future__ import annotations

from collections.abc import Sequence

from theory.diagrams import Diagram
from theory.joints import Joint
from theory.prover.codes import Goal, search_codes
from theory.prover.exact import Support, holds, off_diagram

__all__ = ["Goal", "find_distribution", "verified"]

_CODES = ((2, 1), (3, 1), (2, 2))


def verified(joint: Joint, goal: Goal, diagram: Diagram | None) -> bool:
    """Whether an exact joint is on the diagram and meets the goal, in exact arithmetic."""
    support = Support(joint)
    if diagram is not None and off_diagram(support, diagram) is not None:
        return False
    if not all(holds(support, relation) for relation in goal.required):
        return False
    return not goal.broken or not all(holds(support, relation) for relation in goal.broken)


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
    if diagram is None:
        names = tuple(variables)
        parents: list[tuple[int, ...]] = [tuple(range(i)) for i in range(len(names))]
        noisy = [True] * len(names)
    else:
        names = tuple(v for v in diagram.order if v in set(variables))
        parents = [tuple(names.index(p) for p in diagram.parents(v)) for v in names]
        noisy = [v not in diagram.deterministic for v in names]
    for field, dimension in _CODES:
        code = search_codes(goal, names, parents, noisy, field=field, dimension=dimension, seed=seed)
        if code is not None:
            joint = code.joint(variables)
            if verified(joint, goal, diagram):
                return joint, code.describe()
    return None
