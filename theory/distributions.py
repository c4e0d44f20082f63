"""Distributions on a diagram and under given statements that show what is possible."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from theory.diagrams import Diagram
from theory.expressions import Expression, Relation, Statement
from theory.joints import Joint
from theory.prover.counterexample.exact import WeightedStates
from theory.prover.counterexample.layout import Goal
from theory.prover.counterexample.refute import DEPTHS, Ray, find_distribution
from theory.prover.proof.facts import Facts
from theory.prover.results import Refutation, Witness

__all__ = ["Distributions"]

_RAY_VARIABLES = 10
"""The most variables for which a polymatroid is tried as a linear code."""


class Distributions:
    """The search for exact distributions over the variables of one problem.

    Args:
        named: The variables that statements may name.
        diagram: The causal diagram, or None.
        given: Statements that every distribution satisfies.
        seed: Fixes the random part of the search.
    """

    def __init__(
        self, named: Sequence[str], diagram: Diagram | None, given: tuple[Statement, ...], *, seed: int = 0
    ) -> None:
        self.facts = Facts(named, diagram, given)
        self.seed = seed

    def _find(
        self, required: Sequence[Relation], broken: Sequence[Relation], rays: Sequence[Ray], depth: int
    ) -> tuple[Joint, str] | None:
        facts = self.facts
        goal = Goal((*facts.relations, *required), tuple(broken))
        small = len(facts.variables) <= _RAY_VARIABLES
        return find_distribution(
            goal,
            facts.variables,
            len(facts.named),
            facts.diagram,
            rays=rays if small else (),
            seed=self.seed,
            depth=depth,
        )

    def satisfying(
        self, statement: Statement, *, rays: Sequence[Ray] = (), depths: Sequence[int] = DEPTHS[:2]
    ) -> Witness | None:
        """A distribution that satisfies a statement, or None if none was found.

        Args:
            statement: What it must satisfy.
            rays: Polymatroids to try as linear codes.
            depths: How hard to search, from `theory.prover.counterexample.refute.DEPTHS`.
        """
        start = perf_counter()
        for depth in depths:
            found = self._find(statement.relations, (), rays, depth)
            if found is not None:
                joint, description = found
                values = _sides(statement.relations, joint)
                return Witness(statement, perf_counter() - start, joint, values, description)
        return None

    def breaking(
        self,
        statement: Statement,
        under: Statement,
        *,
        rays: Sequence[Ray] = (),
        depths: Sequence[int] = DEPTHS[:2],
    ) -> Refutation | None:
        """A distribution that satisfies one statement and breaks another, or None if none was found."""
        start = perf_counter()
        for depth in depths:
            found = self._find(under.relations, statement.relations, rays, depth)
            if found is not None:
                joint, description = found
                values = _sides(statement.relations, joint)
                return Refutation(statement, perf_counter() - start, joint, values, description)
        return None


def _sides(relations: Sequence[Relation], joint: Joint) -> tuple[tuple[str, float, float], ...]:
    support = WeightedStates.of(joint)

    def value(side: Expression) -> float:
        return joint.value(side) if support.sign(side.entropies()) else 0.0

    return tuple((str(r), value(r.left), value(r.right)) for r in relations)
