"""The search for distributions: counterexamples to a statement, and witnesses of existential ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from math import prod
from typing import NamedTuple

from theory.diagrams import Diagram
from theory.joints import Joint
from theory.prover.budget import spend
from theory.prover.counterexample.codes import Code, realise_ray, search_codes
from theory.prover.counterexample.effort import EFFORTS, Effort
from theory.prover.counterexample.exact import Proposal, WeightedStates, holds, off_diagram
from theory.prover.counterexample.gates import Gates, search_gates
from theory.prover.counterexample.layout import Goal, Layout
from theory.prover.counterexample.numerical import numerical_candidates

__all__ = ["Example", "Ray", "find_distribution", "verified"]

Ray = Mapping[frozenset[str], Fraction]
"""H of every set of variables on a polymatroid."""


@dataclass(frozen=True)
class _Limits:
    """The limits of the searches.

    Args:
        ray_fields: The sizes of fields over which a polymatroid is realised.
        ray_codes: How many random codes are tried for each polymatroid and field.
        symbols: The largest number of symbols of all variables together in a code that is not binary.
        gate_variables: The largest number of variables for gates and the numerical search.
        copies: The largest number of copies in a product.
        product_states: The largest number of states of a product.
        cells: The largest table of a joint that is shown with all variables.
        axes: The largest number of variables of such a table.
    """

    ray_fields: tuple[int, ...] = (2, 3, 5)
    ray_codes: int = 512
    symbols: int = 24
    gate_variables: int = 10
    copies: int = 12
    product_states: int = 4096
    cells: int = 1 << 16
    axes: int = 32


_LIMITS = _Limits()
"""Those that are used."""


_CHECKED = 1e-6
"""Seconds of an exact check for each state and each entropy."""


class Example(NamedTuple):
    """A distribution that meets a goal, as an exact joint, and what it is in one line."""

    joint: Joint
    description: str


def verified(distribution: WeightedStates, goal: Goal, diagram: Diagram | None) -> bool:
    """Whether a distribution is on the diagram and meets the goal, in exact arithmetic."""
    sets = sum(len(relation.gap.entropies()) for relation in goal.relations)
    spend(_CHECKED * len(distribution.states) * (sets + len(distribution.names)))
    if diagram is not None and off_diagram(distribution, diagram) is not None:
        return False
    if not all(holds(distribution, relation) for relation in goal.required):
        return False
    return not goal.broken or not all(holds(distribution, relation) for relation in goal.broken)


def _proposals(
    goal: Goal, layout: Layout, rays: Sequence[Ray], seed: int, effort: Effort
) -> Iterator[Proposal]:
    n = len(layout.names)
    for ray in rays:
        for field in _LIMITS.ray_fields:
            yield from _of(realise_ray(goal, layout, ray, field=field, size=_LIMITS.ray_codes, seed=seed))
    for codes in effort.codes:
        if codes.field == 2 or n * codes.dimension <= _LIMITS.symbols:
            yield from _of(search_codes(goal, layout, codes, seed=seed))
    if n > _LIMITS.gate_variables:
        return
    for gates in effort.gates:
        yield from _of(search_gates(goal, layout, gates, seed=seed))
    if effort.restarts:
        yield from numerical_candidates(goal, layout, restarts=effort.restarts, seed=seed)


def _of(result: Code | Gates | None) -> Iterator[Proposal]:
    """The proposal that a code or gates make; none where there are too many states to list."""
    distribution = None if result is None else result.distribution()
    if result is not None and distribution is not None:
        yield Proposal(distribution, result.describe())


def _products(
    goal: Goal, layout: Layout, rays: Sequence[Ray], seed: int, diagram: Diagram | None
) -> Iterator[Proposal]:
    """Copies of a distribution that breaks the goal where `>` is read as `>=`, beside one that is strict.

    Entropies of independent products add up, so that enough copies of the first outweigh the second.
    """
    weak = tuple(
        replace(r, operator=">=" if r.operator == ">" else "<=") if r.strict else r for r in goal.required
    )
    parts: list[Proposal] = []
    for part in (Goal(weak, goal.broken), Goal(goal.required, ())):
        for effort in EFFORTS:
            proposals = _proposals(part, layout, rays if part.broken else (), seed, effort)
            first = next((p for p in proposals if verified(p.distribution, part, diagram)), None)
            if first is not None:
                parts.append(first)
                break
        else:
            return
    breaking, strict = parts
    total = strict.distribution
    for copies in range(1, _LIMITS.copies + 1):
        if len(total.states) * len(breaking.distribution.states) > _LIMITS.product_states:
            return
        total = total.product(breaking.distribution)
        description = f"independent product of {copies} x ({breaking.description}) and ({strict.description})"
        yield Proposal(total, description)


def find_distribution(
    goal: Goal,
    variables: Sequence[str],
    named: int,
    diagram: Diagram | None,
    *,
    rays: Sequence[Ray] = (),
    seed: int,
    effort: Effort,
) -> Example | None:
    """An exact distribution on the diagram that meets the goal, or None if the search finds none.

    Args:
        goal: What it must satisfy and break.
        variables: An ancestral set of the diagram, or all variables where there is none.
        named: So many of them, the first ones, must be in the joint. The others are left out where the table
            of all would be too large.
        diagram: The causal diagram, or None.
        rays: Polymatroids that break the statement, to be realised first.
        seed: Fixes the random part.
        effort: How much is searched.
    """
    layout = Layout.of(variables, diagram)
    proposals = _proposals(goal, layout, rays, seed, effort)
    if effort.products and goal.broken and any(r.strict for r in goal.required):
        proposals = chain(proposals, _products(goal, layout, rays, seed, diagram))
    for distribution, description in proposals:
        if verified(distribution, goal, diagram):
            small = prod(distribution.shape(variables)) <= _LIMITS.cells
            if small and len(variables) <= _LIMITS.axes:
                return Example(distribution.joint(variables), description)
            shortened = f"{description} (table of the variables named)"
            return Example(distribution.joint(variables[:named]), shortened)
    return None
