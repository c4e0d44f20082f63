"""The search for distributions: counterexamples to a statement, and witnesses of existential ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from math import prod

from theory.diagrams import Diagram
from theory.joints import Joint
from theory.prover.counterexample.codes import realise_ray, search_codes
from theory.prover.counterexample.exact import WeightedStates, holds, off_diagram
from theory.prover.counterexample.gates import search_gates
from theory.prover.counterexample.layout import Goal, Layout
from theory.prover.counterexample.numerical import numerical_candidates

__all__ = ["DEPTHS", "Ray", "find_distribution", "verified"]

Ray = Mapping[frozenset[str], Fraction]
"""H of every set of variables on a polymatroid."""

DEPTHS = (0, 1, 2)

_CODES = (
    ((2, 1, 256, 1), (2, 2, 2048, 6)),
    ((2, 1, 0, 1), (3, 1, 512, 1)),
    ((2, 2, 4096, 8), (3, 1, 4096, 2), (5, 1, 4096, 1), (2, 3, 4096, 6), (3, 2, 2048, 1)),
)
_GATES = ((), ((4, 2048, 6), (8, 1024, 6)), ((16, 2048, 24),))
_FIELDS = (2, 3, 5)
_RAY_CODES = 512
_RESTARTS = 24
_MOST_VARIABLES = 10
_SYMBOLS = 24
_CELLS = 1 << 16
_AXES = 32
_COPIES = 12
_STATES = 4096


def verified(support: WeightedStates, goal: Goal, diagram: Diagram | None) -> bool:
    """Whether a distribution is on the diagram and meets the goal, in exact arithmetic."""
    if diagram is not None and off_diagram(support, diagram) is not None:
        return False
    if not all(holds(support, relation) for relation in goal.required):
        return False
    return not goal.broken or not all(holds(support, relation) for relation in goal.broken)


def _proposals(
    goal: Goal, layout: Layout, rays: Sequence[Ray], seed: int, depth: int
) -> Iterator[tuple[WeightedStates, str]]:
    n = len(layout.names)
    for ray in rays:
        for field in _FIELDS:
            code = realise_ray(goal, layout, ray, field=field, size=_RAY_CODES, seed=seed)
            support = None if code is None else code.support()
            if code is not None and support is not None:
                yield support, code.describe()
    for field, dimension, size, rounds in _CODES[depth]:
        if field > 2 and n * dimension > _SYMBOLS:
            continue
        code = search_codes(
            goal, layout, field=field, dimension=dimension, size=size, rounds=rounds, seed=seed
        )
        support = None if code is None else code.support()
        if code is not None and support is not None:
            yield support, code.describe()
    if n > _MOST_VARIABLES:
        return
    for outcomes, size, rounds in _GATES[depth]:
        found = search_gates(goal, layout, outcomes=outcomes, size=size, rounds=rounds, seed=seed)
        if found is not None:
            yield found.support(), found.describe()
    if depth == DEPTHS[-1]:
        yield from numerical_candidates(goal, layout, restarts=_RESTARTS, seed=seed)


def _products(
    goal: Goal, layout: Layout, rays: Sequence[Ray], seed: int, diagram: Diagram | None
) -> Iterator[tuple[WeightedStates, str]]:
    """Copies of a distribution that breaks the goal where `>` is read as `>=`, beside one that is strict.

    Entropies of independent products add up, so that enough copies of the first outweigh the second.
    """
    weak = tuple(
        replace(r, operator=">=" if r.operator == ">" else "<=") if r.operator in (">", "<") else r
        for r in goal.required
    )
    found: list[tuple[WeightedStates, str]] = []
    for part in (Goal(weak, goal.broken), Goal(goal.required, ())):
        for depth in DEPTHS:
            proposals = _proposals(part, layout, rays if part.broken else (), seed, depth)
            first = next((f for f in proposals if verified(f[0], part, diagram)), None)
            if first is not None:
                found.append(first)
                break
        else:
            return
    (breaking, one), (strict, other) = found
    total = strict
    for copies in range(1, _COPIES + 1):
        if len(total.states) * len(breaking.states) > _STATES:
            return
        total = total.product(breaking)
        yield total, f"independent product of {copies} x ({one}) and ({other})"


def find_distribution(
    goal: Goal,
    variables: Sequence[str],
    named: int,
    diagram: Diagram | None,
    *,
    rays: Sequence[Ray] = (),
    seed: int,
    depth: int,
) -> tuple[Joint, str] | None:
    """An exact distribution on the diagram that meets the goal, with a one-line description.

    Args:
        goal: What it must satisfy and break.
        variables: An ancestral set of the diagram, or all variables where there is none.
        named: How many of them, from the first, must be in the joint; the others are left out where the
            table of all would be too large.
        diagram: The causal diagram, or None.
        rays: Polymatroids that break the statement, to be realised first.
        seed: Fixes the random part.
        depth: Which of the `DEPTHS`: binary codes for milliseconds, other codes and gates for some
            hundredths of a second, or larger ones and a numerical search for seconds.
    """
    layout = Layout.of(variables, diagram)
    proposals = _proposals(goal, layout, rays, seed, depth)
    if depth == DEPTHS[-1] and goal.broken and any(r.operator in (">", "<") for r in goal.required):
        proposals = chain(proposals, _products(goal, layout, rays, seed, diagram))
    for support, description in proposals:
        if verified(support, goal, diagram):
            fits = prod(support.shape(variables)) <= _CELLS and len(variables) <= _AXES
            if fits:
                return support.joint(variables), description
            return support.joint(variables[:named]), f"{description} (table of the variables named)"
    return None
