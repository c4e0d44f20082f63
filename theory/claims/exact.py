"""Judging a claim by enumeration: on random models of its diagram, or on its witness.

Every number here is a sum of p log p over at most a few thousand states in float64, whose rounding error
stays below a few times 1e-13; `TOLERANCE` is a thousand times that, and a million times smaller than the
synergies that are at stake.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from theory.checks import integer
from theory.claims.compositions import compositions, constructible
from theory.claims.evidence import Evidence, World, in_nats
from theory.claims.registry import Claim, find_claim
from theory.diagrams import Diagram, some_diagram
from theory.errors import shown
from theory.expressions import Relation, Statement
from theory.joints import Joint
from theory.models import Model
from theory.parser import parse_statement

__all__ = ["TOLERANCE", "draw_joint", "holds", "is_on", "judge", "random_joint", "slack"]

TOLERANCE = 1e-10
"""In nats: sums of a few thousand terms of float64 stay below it, false claims fail by far more."""

_REDRAWN = 40
"""How often a model is drawn again until premises hold that cannot be built in, such as inequalities."""


def slack(joint: Joint, statement: str | Statement) -> float:
    """How far the statement is from failing on the joint, in nats; negative where it fails.

    For `left >= right` this is left - right, for an equality minus the absolute difference, for a
    conjunction the smallest of its parts. A strict inequality counts like a weak one.
    """

    def gap(relation: Relation) -> float:
        difference = joint.value(relation.gap)
        return -abs(difference) if relation.operator == "==" else difference

    return min(map(gap, parse_statement(statement)))


def holds(joint: Joint, statement: str | Statement, *, tolerance: float = TOLERANCE) -> bool:
    """Whether the statement holds on the joint; a strict inequality must hold by more than the tolerance."""
    statement = parse_statement(statement)
    strict = [r for r in statement if r.operator in (">", "<")]
    return slack(joint, statement) >= -tolerance and all(joint.value(r.gap) > tolerance for r in strict)


def random_joint(
    diagram: Diagram | str, variables: tuple[str, ...], seed: int, *, sizes: tuple[int, ...] = (2, 3)
) -> Joint:
    """The joint of some variables in a random model on a diagram.

    The sizes of the alphabets and the concentration of the tables are drawn too, so that nearly
    deterministic mechanisms, where inequalities are tight, are common.
    """
    diagram = some_diagram(diagram)
    rng = np.random.default_rng(seed)
    cardinalities = {v: int(rng.choice(sizes)) for v in diagram.variables}
    concentration = float(rng.choice((0.05, 0.3, 1.0)))
    model = Model.random(diagram, cardinalities, seed=seed, concentration=concentration)
    return model.joint(variables)


def judge(claim: Claim | str, world: World = "exact", *, seed: int = 0, models: int = 50) -> Evidence:
    """Judge a claim by its own check, or else by enumeration of models on its diagram.

    Args:
        claim: The claim, or its id.
        world: `"exact"`, or any other in which the claim brings a check of its own.
        seed: Fixes the random models.
        models: How many of them, where the claim has no check of its own.

    Raises:
        ValueError: If the claim has no check in this world, `models` is not positive or the seed is negative.
        TypeError: If it is neither a claim nor a text.
    """
    claim = find_claim(claim) if isinstance(claim, str) else claim
    if not isinstance(claim, Claim):
        raise TypeError(f"judge needs a claim or its id, got {shown(claim)}")
    integer("seed", seed, 0)
    integer("models", models, 1)
    if world in claim.checks:
        return claim.checks[world](seed)
    if world != "exact" or world not in claim.worlds:
        known = ", ".join(dict.fromkeys((*claim.checks, *({"exact"} & set(claim.worlds))))) or "none"
        raise ValueError(f"claim {claim.id} has no check in the world {world!r}: it has {known}")
    if claim.expectation == "true":
        return _on_models(claim, seed, models)
    if claim.witness is not None:
        return _on_witness(claim, claim.witness())
    return _searched(claim, seed, models)


def draw_joint(claim: Claim, seed: int) -> Joint:
    """A random joint of what a claim names, on its diagram, that satisfies its premises.

    Raises:
        ValueError: If the premises cannot be satisfied by construction, or the claim's `draw` breaks them.
    """
    if claim.draw is not None:
        joint = claim.draw(seed)
        for fact in claim.given:
            if not holds(joint, fact):
                raise ValueError(f"the models of claim {claim.id} must satisfy {fact}, seed {seed} does not")
        return joint
    if not claim.given:
        return random_joint(claim.diagram, claim.statement.variables, seed)
    facts = (v for fact in claim.given for v in fact.variables)
    names = tuple(dict.fromkeys((*claim.statement.variables, *facts)))
    draw = compositions(claim.diagram, claim.given, names)
    for again in range(_REDRAWN):
        joint = draw(seed + again * 2**32)
        if all(holds(joint, fact) for fact in claim.given):
            return joint
    told = ", ".join(str(fact) for fact in claim.given if constructible(fact) is None)
    raise ValueError(
        f"no model that satisfies {told or 'what is given'} was found among {_REDRAWN} random ones: it "
        "cannot be satisfied by construction; give the claim a `draw` of its own"
    )


def _on_models(claim: Claim, seed: int, models: int) -> Evidence:
    seeds = np.random.SeedSequence(seed).generate_state(models)
    joints = [draw_joint(claim, int(s)) for s in seeds]
    margins = [slack(joint, claim.statement) for joint in joints]
    violated = sum(not holds(joint, claim.statement) for joint in joints)
    return Evidence(
        "exact",
        not violated,
        min(margins),
        TOLERANCE,
        models,
        f"{violated} of {models} random models violate it, smallest slack {in_nats(min(margins))}",
    )


def is_on(joint: Joint, diagram: Diagram | str) -> bool:
    """Whether the joint has every independence, and every function, that the diagram says."""
    diagram = some_diagram(diagram)
    names = joint.names
    for v in diagram.deterministic:
        parents = diagram.parents(v)
        if {v, *parents} <= set(names) and joint.entropy((v, *parents)) - joint.entropy(parents) > TOLERANCE:
            return False
    for left, right in combinations(names, 2):
        others = [v for v in names if v not in (left, right)]
        for size in range(len(others) + 1):
            for given in combinations(others, size):
                if diagram.d_separated({left}, {right}, given):
                    bar = f"|{','.join(given)}" if given else ""
                    if abs(joint.value(f"I({left};{right}{bar})")) > TOLERANCE:
                        return False
    return True


def _on_witness(claim: Claim, joint: Joint) -> Evidence:
    facts = is_on(joint, claim.diagram) and all(holds(joint, fact) for fact in claim.given)
    margin = slack(joint, claim.statement)
    satisfied = holds(joint, claim.statement)
    found = facts and (satisfied if claim.expectation == "exists" else not satisfied)
    verb = "satisfies" if satisfied else "violates"
    summary = f"{joint!r} {verb} it, smallest slack {in_nats(margin)}"
    if not facts:
        summary += "; but it is not on the diagram, or breaks a given fact"
    return Evidence("exact", found, margin, TOLERANCE, 1, summary)


def _searched(claim: Claim, seed: int, models: int) -> Evidence:
    seeds = np.random.SeedSequence(seed).generate_state(models)
    wanted = claim.expectation == "exists"
    verb = "satisfies" if wanted else "violates"
    margins = []
    for tried, s in enumerate(seeds, start=1):
        joint = draw_joint(claim, int(s))
        margins.append(slack(joint, claim.statement))
        if holds(joint, claim.statement) == wanted:
            summary = f"random model {tried} {verb} it, smallest slack {in_nats(margins[-1])}"
            return Evidence("exact", True, margins[-1], TOLERANCE, tried, summary)
    best = max(margins) if wanted else min(margins)
    summary = f"none of {models} random models {verb} it, closest slack {in_nats(best)}"
    return Evidence("exact", False, best, TOLERANCE, models, summary)
