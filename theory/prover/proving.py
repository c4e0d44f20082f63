"""`prove`: from a statement to a proof, a counterexample, or an honest unknown."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from theory.checks import integer
from theory.diagrams import ESSL, Diagram
from theory.errors import TooLargeError
from theory.expressions import Expression, Relation, Statement
from theory.joints import Joint
from theory.parser import parse_statement
from theory.prover.counterexample.exact import WeightedStates
from theory.prover.counterexample.layout import Goal
from theory.prover.counterexample.polymatroid import violating
from theory.prover.counterexample.refute import DEPTHS, Ray, find_distribution
from theory.prover.lattice import Frame
from theory.prover.proof.certificate import Certificate, Part, Step
from theory.prover.proof.checker import CONTRADICTION, check
from theory.prover.proof.facts import Facts
from theory.prover.proof.non_shannon import instances
from theory.prover.proof.search import Found, Search
from theory.prover.proof.space import MOST_VARIABLES, Space
from theory.prover.results import (
    ContradictionError,
    Impossible,
    Proof,
    Refutation,
    Unknown,
    Witness,
)

__all__ = ["prove"]

_SHOWN = 16
_RAY_VARIABLES = 10
_ZHANG_YEUNG = 4


class _Problem:
    """One statement with its facts, and the spaces in which proofs are sought, smallest first."""

    def __init__(
        self,
        statement: Statement,
        diagram: Diagram | None,
        given: tuple[Statement, ...],
        *,
        non_shannon: bool,
        max_columns: int,
    ) -> None:
        self.statement = statement
        self.diagram = diagram
        self.given = given
        self.non_shannon = non_shannon
        self.max_columns = max_columns
        self.facts = Facts(statement.variables, diagram, given)
        self.sizes = tuple(dict.fromkeys((len(self.facts.named), len(self.facts.variables))))
        self._searches: dict[int, Search] = {}
        self._rays: dict[Relation, list[Ray]] = {}

    def search(self, size: int) -> Search:
        """The search over the first `size` variables."""
        if size not in self._searches:
            space = Space(self.facts, size)
            extra = instances(space.frame) if self.non_shannon else []
            self._searches[size] = Search(space, extra, max_columns=self.max_columns)
        return self._searches[size]

    def represent(
        self, gap: Expression, sizes: Sequence[int], *, strict: bool = False
    ) -> tuple[Found, Search] | None:
        """A proof that `gap >= 0` (or `> 0`) over the first so many variables, smallest numbers first."""
        for size in sizes:
            search = self.search(size)
            found = search.prove(search.space.frame.vector(gap), strict=strict)
            if found is not None:
                return found, search
        return None

    def part(self, relation: str, claim: Expression, found: Found, search: Search) -> Part:
        """The steps of a representation in words."""
        frame = search.space.frame
        steps: list[Step] = []
        for (kind, *name), weight in found.facts.items():
            steps.append(
                Step("function" if kind == "function" else "independence", weight, _quantity(frame, *name))
            )
        for index, weight in found.given.items():
            steps.append(Step("given", weight, str(self.facts.relations[index].gap), index))
        for position, weight in found.instances.items():
            steps.append(Step("zhang-yeung", weight, str(search.instances[position])))
        for name_, weight in found.inequalities.items():
            steps.append(Step("shannon", weight, _quantity(frame, *name_)))
        return Part(relation, str(claim), tuple(steps))

    def parts(self, relation: Relation, sizes: Sequence[int]) -> list[Part] | None:
        """The parts that prove a relation, or None."""
        gap = relation.gap
        text = str(relation)
        found = self.represent(gap, sizes, strict=relation.operator in (">", "<"))
        if found is None:
            return None
        parts = [self.part(text, gap, *found)]
        if relation.operator == "==" and self._is_inequality(found[0]):
            opposite = self.represent(-gap, sizes)
            if opposite is None:
                return None
            parts.append(self.part(text, -gap, *opposite))
        return parts

    def _is_inequality(self, found: Found) -> bool:
        return bool(found.inequalities or found.instances) or any(
            self.facts.relations[index].operator != "==" for index in found.given
        )

    def require_size(self) -> None:
        """Raise a TooLargeError if the statement alone names more variables than any search can hold."""
        if self.sizes[0] > MOST_VARIABLES:
            Space(self.facts, self.sizes[0])

    def contradiction(self) -> Certificate | None:
        """A certificate that the given statements contradict each other, or None.

        Among all ancestors they are only compared where the program is not too large.
        """
        if all(relation.operator not in (">", "<") for relation in self.facts.relations):
            return None
        for size in self.sizes:
            try:
                found = self.represent(Expression(), [size], strict=True)
            except TooLargeError:
                return None
            if found is not None:
                return self.certificate(CONTRADICTION, [self.part(CONTRADICTION, Expression(), *found)])
        return None

    def certificate(self, statement: str, parts: Sequence[Part]) -> Certificate:
        """The parts as a certificate that the checker has accepted."""
        certificate = Certificate(
            statement,
            None if self.diagram is None else str(self.diagram),
            tuple(str(given) for given in self.given),
            tuple(parts),
        )
        outcome = check(certificate)
        if not outcome:
            raise RuntimeError(f"the prover made a certificate that the checker rejects: {outcome}")
        return certificate

    def distribution(self, goal: Goal, seed: int, depth: int) -> tuple[Joint, str] | None:
        """An exact distribution on the diagram that meets the goal, or None."""
        facts = self.facts
        rays = [ray for relation in goal.broken for ray in self.rays(relation)] if depth == DEPTHS[1] else []
        return find_distribution(
            goal, facts.variables, len(facts.named), self.diagram, rays=rays, seed=seed, depth=depth
        )

    def rays(self, relation: Relation) -> list[Ray]:
        """Polymatroids under the facts that break a relation, remembered."""
        if relation not in self._rays:
            self._rays[relation] = []
            gaps = [relation.gap, -relation.gap] if relation.operator == "==" else [relation.gap]
            for gap in gaps if len(self.facts.variables) <= _RAY_VARIABLES else ():
                try:
                    search = self.search(self.sizes[-1])
                    frame = search.space.frame
                    point = violating(search, frame.vector(gap))
                except TooLargeError:
                    continue
                if point is not None:
                    ray = {frozenset(frame.names_of(mask)): value for mask, value in point.items()}
                    self._rays[relation].append(ray)
        return self._rays[relation]

    def beyond_shannon(self, relations: Sequence[Relation]) -> bool:
        """Whether Zhang and Yeung's inequality proves all the relations."""
        if self.non_shannon or len(self.facts.variables) < _ZHANG_YEUNG:
            return False
        stronger = _Problem(
            Statement(tuple(relations)),
            self.diagram,
            self.given,
            non_shannon=True,
            max_columns=self.max_columns,
        )
        try:
            return all(stronger.parts(relation, self.sizes) is not None for relation in relations)
        except TooLargeError:
            return False

    def why_not(self, relation: Relation) -> str:
        """What is known of a relation that was neither proved nor refuted."""
        if relation.operator in (">", "<"):
            return f"{relation} does not follow, and no distribution that breaks it was found"
        laws = (
            "Shannon's and Zhang and Yeung's inequalities" if self.non_shannon else "Shannon's inequalities"
        )
        for ray in self.rays(relation):
            order = sorted(ray, key=lambda names: (len(names), sorted(names)))
            values = [f"H({','.join(sorted(names))})={ray[names]}" for names in order[:_SHOWN]]
            shown = ", ".join(values) + (", .." if len(order) > _SHOWN else "")
            return (
                f"{relation} does not follow from {laws} and the facts, as a polymatroid breaks it "
                f"({shown}), and no distribution that breaks it was found"
            )
        return f"{relation} was not proved, and no distribution that breaks it was found"


def _quantity(frame: Frame, left: int, right: int, condition: int) -> str:
    return str(frame.term(left, right, condition))


def _values(relations: Sequence[Relation], joint: Joint) -> tuple[tuple[str, float, float], ...]:
    support = WeightedStates.of(joint)

    def value(side: Expression) -> float:
        return joint.value(side) if support.sign(side.entropies()) else 0.0

    return tuple((str(r), value(r.left), value(r.right)) for r in relations)


def _statements(given: str | Statement | Sequence[str | Statement]) -> tuple[Statement, ...]:
    listed = (given,) if isinstance(given, str | Statement) else tuple(given)
    return tuple(parse_statement(text) for text in listed)


def _diagram(diagram: Diagram | str | None) -> Diagram | None:
    if diagram is None or isinstance(diagram, Diagram):
        return diagram
    if isinstance(diagram, str):
        return ESSL if diagram == "essl" else Diagram.parse(diagram)
    raise TypeError(f"diagram must be a Diagram, text such as 'A->X' or None, got {diagram!r}")


def prove(
    statement: str | Statement,
    *,
    diagram: Diagram | str | None = None,
    given: str | Statement | Sequence[str | Statement] = (),
    exists: bool = False,
    non_shannon: bool = False,
    counterexample: bool = True,
    max_columns: int = 1100,
    seed: int = 0,
) -> Proof | Refutation | Unknown | Witness | Impossible:
    """Prove or refute a statement about entropies.

    A proof writes the gap of each relation as a non-negative combination of Shannon's inequalities plus
    multiples of facts, in exact rationals; the search is complete for such proofs. A refutation is a
    distribution with rational probabilities, on the diagram and under the given statements, whose
    violation is established exactly.

    Args:
        statement: One or several relations between linear expressions in H(..) and I(..;..|..).
        diagram: A causal diagram (or its text, such as `"C->R, A->X"`, or `"essl"`), whose independences and
            deterministic variables may be used.
        given: Statements that are taken as true.
        exists: Ask whether some distribution satisfies the statement, rather than all.
        non_shannon: Also use instances of Zhang and Yeung's inequality.
        counterexample: Search for a distribution where no proof is found.
        max_columns: The largest linear program to solve, in joint entropies that the facts leave.
        seed: Fixes the random part of the search for a distribution.

    Returns:
        A `Proof` with a certificate that `theory.check` accepts, a `Refutation` with an exact
        distribution, or an `Unknown` with the reason. With `exists`, a `Witness` (verdict "proved"), an
        `Impossible` (verdict "refuted") or an `Unknown`.

    Raises:
        ParseError: If a statement cannot be read.
        TypeError: If an argument is of the wrong type.
        ValueError: If a variable is not in the diagram, or a number is negative.
        ContradictionError: If the given statements contradict each other or the diagram.
        TooLargeError: If the problem would not fit; the message has the estimate.

    Example:
        >>> from theory import ESSL, prove
        >>> print(prove("I(A;Z) <= I(A;X)", diagram=ESSL))
        proved: I(A;Z) <= I(A;X)
        1. I(A;Z|X) == 0: A and Z are d-separated given X.
        2. I(A;X|Z) >= 0: conditional mutual information is never negative.
        3. Chain rule: I(A;X) - I(A;Z) = -I(A;Z|X) + I(A;X|Z) >= 0.
        >>> prove("I(A;C|Z) <= I(A;C|X)", diagram=ESSL).verdict
        'refuted'
    """
    start = perf_counter()
    integer("seed", seed, 0)
    integer("max_columns", max_columns, 0)
    claim = parse_statement(statement)
    graph = _diagram(diagram)
    premises = _statements(given)
    problem = _Problem(claim, graph, premises, non_shannon=non_shannon, max_columns=max_columns)
    problem.require_size()
    contradiction = problem.contradiction()
    if contradiction is not None:
        raise ContradictionError(
            f"the given statements contradict each other or the diagram, so anything would follow: "
            f"{'; '.join(map(str, premises))}",
            contradiction,
        )
    if exists:
        return _exists(claim, problem, counterexample, seed, start)
    proved: dict[Relation, list[Part]] = {}
    too_large: TooLargeError | None = None
    for depth in DEPTHS:
        for relation in claim:
            try:
                if relation not in proved and depth < len(problem.sizes):
                    found = problem.parts(relation, problem.sizes[depth : depth + 1])
                    proved |= {} if found is None else {relation: found}
            except TooLargeError as error:
                too_large = error
        missing = [relation for relation in claim if relation not in proved]
        if not missing:
            parts = [part for relation in dict.fromkeys(claim) for part in proved[relation]]
            certificate = problem.certificate(str(claim), parts)
            return Proof(claim, perf_counter() - start, certificate)
        goal = Goal(problem.facts.relations, tuple(missing))
        model = problem.distribution(goal, seed, depth) if counterexample else None
        if model is not None:
            joint, description = model
            return Refutation(claim, perf_counter() - start, joint, _values(missing, joint), description)
        if depth == DEPTHS[1] and too_large is None and problem.beyond_shannon(missing):
            reason = (
                f"true but not of Shannon type: {' and '.join(map(str, missing))} follows with Zhang and "
                f"Yeung's inequality (non_shannon=True)"
            )
            return Unknown(claim, perf_counter() - start, reason)
    if too_large is not None:
        raise too_large
    reason = problem.why_not(missing[0])
    return Unknown(claim, perf_counter() - start, reason)


def _exists(
    claim: Statement, problem: _Problem, counterexample: bool, seed: int, start: float
) -> Witness | Impossible | Unknown:
    inner = _Problem(
        claim,
        problem.diagram,
        (*problem.given, claim),
        non_shannon=problem.non_shannon,
        max_columns=problem.max_columns,
    )
    goal = Goal((*problem.facts.relations, *claim.relations), ())
    for depth in DEPTHS:
        model = problem.distribution(goal, seed, depth) if counterexample else None
        if model is not None:
            joint, description = model
            values = _values(claim.relations, joint)
            return Witness(claim, perf_counter() - start, joint, values, description)
        contradiction = inner.contradiction() if depth == DEPTHS[0] else None
        if contradiction is not None:
            return Impossible(claim, perf_counter() - start, contradiction)
    return Unknown(claim, perf_counter() - start, "no distribution was found that satisfies it")
