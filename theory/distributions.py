"""Distributions on a diagram and under given statements that show what is possible."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from theory.diagrams import Diagram
from theory.expressions import Relation, Statement
from theory.joints import Joint
from theory.prover.counterexample.effort import LOW, MEDIUM, Effort
from theory.prover.counterexample.exact import WeightedStates, holds
from theory.prover.counterexample.layout import Goal
from theory.prover.counterexample.refute import Ray, find_distribution
from theory.prover.proof.facts import Facts
from theory.prover.results import Refutation, Witness, sides_of

__all__ = ["Distributions"]

_RAY_VARIABLES = 10
"""The most variables for which a polymatroid is tried as a linear code."""

QUICK = (LOW, MEDIUM)
"""Efforts that take hundredths of a second."""


_REMEMBERED = 24
"""Distributions that are kept, and tried before a new one is sought."""


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
        self._found: list[tuple[WeightedStates, Joint, str]] = []

    def _find(
        self, required: Sequence[Relation], broken: Sequence[Relation], rays: Sequence[Ray], effort: Effort
    ) -> tuple[Joint, str] | None:
        facts = self.facts
        goal = Goal((*facts.relations, *required), tuple(broken))
        known = {v for relation in goal.relations for v in relation.variables}
        for support, joint, description in self._found:
            fits = known <= set(joint.names) and all(holds(support, relation) for relation in required)
            if fits and not (broken and all(holds(support, relation) for relation in broken)):
                return joint, description
        small = len(facts.variables) <= _RAY_VARIABLES
        found = find_distribution(
            goal,
            facts.variables,
            len(facts.named),
            facts.diagram,
            rays=rays if small else (),
            seed=self.seed,
            effort=effort,
        )
        if found is not None and len(self._found) < _REMEMBERED:
            self._found.append((WeightedStates.of(found[0]), *found))
        return found

    def satisfying(
        self, statement: Statement, *, rays: Sequence[Ray] = (), efforts: Sequence[Effort] = QUICK
    ) -> Witness | None:
        """A distribution that satisfies a statement, or None if none was found.

        Args:
            statement: What it must satisfy.
            rays: Polymatroids to try as linear codes.
            efforts: How hard to search, one after the other.
        """
        start = perf_counter()
        for effort in efforts:
            found = self._find(statement.relations, (), rays, effort)
            if found is not None:
                joint, description = found
                values = sides_of(statement.relations, joint)
                return Witness(statement, perf_counter() - start, joint, values, description)
        return None

    def breaking(
        self,
        statement: Statement,
        under: Statement,
        *,
        rays: Sequence[Ray] = (),
        efforts: Sequence[Effort] = QUICK,
    ) -> Refutation | None:
        """A distribution that satisfies one statement and breaks another, or None if none was found."""
        start = perf_counter()
        for effort in efforts:
            found = self._find(under.relations, statement.relations, rays, effort)
            if found is not None:
                joint, description = found
                values = sides_of(statement.relations, joint)
                return Refutation(statement, perf_counter() - start, joint, values, description)
        return None
