"""`prove`: from a statement to a proof, a counterexample, or an honest unknown."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from theory.diagrams import Diagram
from theory.expressions import Expression, Relation, Statement
from theory.parser import parse_statement
from theory.prover.certificate import Certificate, Part, Step
from theory.prover.checker import CONTRADICTION, check
from theory.prover.facts import Facts
from theory.prover.lattice import Frame
from theory.prover.refute import Goal, find_distribution
from theory.prover.results import ContradictionError, Impossible, Proof, Refutation, Unknown, Witness
from theory.prover.search import Found, Search
from theory.prover.space import Space

__all__ = ["prove"]


class _Problem:
    """One statement with its facts, and the spaces in which proofs are sought, smallest first."""

    def __init__(
        self, statement: Statement, diagram: Diagram | None, given: tuple[Statement, ...], non_shannon: bool
    ) -> None:
        self.statement = statement
        self.diagram = diagram
        self.given = given
        self.facts = Facts(statement.variables, diagram, given)
        sizes = dict.fromkeys((len(self.facts.named), len(self.facts.variables)))
        self.sizes = tuple(sizes)
        self._searches: dict[int, Search] = {}

    def search(self, size: int) -> Search:
        if size not in self._searches:
            self._searches[size] = Search(Space(self.facts, size))
        return self._searches[size]

    def represent(self, gap: Expression, *, strict: bool = False) -> tuple[Found, Search] | None:
        for size in self.sizes:
            search = self.search(size)
            found = search.prove(search.space.frame.vector(gap), strict=strict)
            if found is not None:
                return found, search
        return None

    def part(self, relation: str, claim: Expression, found: Found, search: Search) -> Part:
        frame = search.space.frame
        steps: list[Step] = []
        for (kind, *name), weight in found.facts.items():
            steps.append(
                Step("function" if kind == "function" else "independence", weight, _quantity(frame, *name))
            )
        for index, weight in found.given.items():
            steps.append(Step("given", weight, str(self.facts.relations[index].gap), index))
        for name_, weight in found.inequalities.items():
            steps.append(Step("shannon", weight, _quantity(frame, *name_)))
        return Part(relation, str(claim), tuple(steps))

    def parts(self, relation: Relation) -> list[Part] | None:
        """The parts that prove a relation, or None."""
        gap = relation.gap
        text = str(relation)
        found = self.represent(gap, strict=relation.operator in (">", "<"))
        if found is None:
            return None
        parts = [self.part(text, gap, *found)]
        if relation.operator == "==" and self._has_inequalities(found[0]):
            opposite = self.represent(-gap)
            if opposite is None:
                return None
            parts.append(self.part(text, -gap, *opposite))
        return parts

    def _has_inequalities(self, found: Found) -> bool:
        return bool(found.inequalities) or any(
            self.facts.relations[index].operator != "==" for index in found.given
        )

    def contradiction(self) -> Certificate | None:
        """A certificate that the given statements contradict each other, or None."""
        if all(relation.operator not in (">", "<") for relation in self.facts.relations):
            return None
        found = self.represent(Expression(), strict=True)
        if found is None:
            return None
        part = self.part(CONTRADICTION, Expression(), *found)
        return self.certificate(CONTRADICTION, [part])

    def certificate(self, statement: str, parts: Sequence[Part]) -> Certificate:
        return Certificate(
            statement,
            None if self.diagram is None else str(self.diagram),
            tuple(str(given) for given in self.given),
            tuple(parts),
        )


def _quantity(frame: Frame, left: int, right: int, condition: int) -> str:
    return str(frame.term(left, right, condition))


def _verified(certificate: Certificate) -> Certificate:
    outcome = check(certificate)
    if not outcome:
        raise RuntimeError(f"the prover made a certificate that the checker rejects: {outcome}")
    return certificate


def prove(
    statement: str | Statement,
    *,
    diagram: Diagram | str | None = None,
    given: str | Statement | Sequence[str | Statement] = (),
    exists: bool = False,
    non_shannon: bool = False,
    counterexample: bool = True,
    seed: int = 0,
) -> Proof | Refutation | Unknown | Witness | Impossible:
    """Prove or refute a statement about entropies.

    Args:
        statement: One or several relations between linear expressions in H(..) and I(..;..|..).
        diagram: A causal diagram (or its text, such as `"C->R, A->X"`), whose independences and
            deterministic variables may be used.
        given: Statements that are taken as true.
        exists: Ask whether some distribution satisfies the statement, rather than all.
        non_shannon: Also use instances of Zhang and Yeung's inequality.
        counterexample: Search for a counterexample where no proof is found.
        seed: Fixes the random part of that search.

    Returns:
        A `Proof` with a certificate that `theory.check` accepts, a `Refutation` with an exact
        distribution, or an `Unknown` with the reason. With `exists`, a `Witness` (verdict "proved"), an
        `Impossible` (verdict "refuted") or an `Unknown`.

    Raises:
        ParseError: If a statement cannot be read.
        ValueError: If a variable is not in the diagram.
        ContradictionError: If the given statements contradict each other or the diagram.

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
    claim = parse_statement(statement)
    graph = Diagram.parse(diagram) if isinstance(diagram, str) else diagram
    listed = (given,) if isinstance(given, str | Statement) else tuple(given)
    premises = tuple(parse_statement(text) for text in listed)
    problem = _Problem(claim, graph, premises, non_shannon)
    contradiction = problem.contradiction()
    if contradiction is not None:
        raise ContradictionError(
            f"the given statements contradict each other or the diagram, so anything would follow: "
            f"{'; '.join(map(str, premises))}",
            _verified(contradiction),
        )
    if exists:
        return _exists(claim, problem, counterexample, seed, start)
    parts: list[Part] = []
    missing: list[Relation] = []
    for relation in claim:
        found = problem.parts(relation)
        if found is None:
            missing.append(relation)
        else:
            parts.extend(found)
    if not missing:
        certificate = _verified(problem.certificate(str(claim), parts))
        return Proof(claim, perf_counter() - start, certificate)
    if counterexample:
        goal = Goal(problem.facts.relations, tuple(missing))
        model = find_distribution(goal, problem.facts.variables, graph, seed=seed)
        if model is not None:
            joint, description = model
            values = tuple((str(r), joint.value(r.left), joint.value(r.right)) for r in missing)
            return Refutation(claim, perf_counter() - start, joint, values, description)
    return Unknown(
        claim,
        perf_counter() - start,
        f"Shannon's inequalities do not imply {missing[0]} here, and no counterexample was found",
    )


def _exists(
    claim: Statement, problem: _Problem, counterexample: bool, seed: int, start: float
) -> Witness | Impossible | Unknown:
    inner = _Problem(claim, problem.diagram, (*problem.given, claim), False)
    contradiction = inner.contradiction()
    if contradiction is not None:
        return Impossible(claim, perf_counter() - start, _verified(contradiction))
    if counterexample:
        goal = Goal((*problem.facts.relations, *claim.relations), ())
        model = find_distribution(goal, problem.facts.variables, problem.diagram, seed=seed)
        if model is not None:
            joint, description = model
            values = tuple((str(r), joint.value(r.left), joint.value(r.right)) for r in claim)
            return Witness(claim, perf_counter() - start, joint, values, description)
    return Unknown(claim, perf_counter() - start, "no distribution was found that satisfies it")
