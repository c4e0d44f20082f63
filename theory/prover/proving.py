"""`prove`: from a statement to a proof, a counterexample, or an honest unknown."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from math import inf
from time import perf_counter

from theory.checks import integer, number
from theory.diagrams import Diagram, read_diagram
from theory.errors import TooLargeError
from theory.expressions import Expression, Relation, Statement
from theory.parser import parse_statement, parse_statements
from theory.prover.budget import Budget, SpentError, limited
from theory.prover.counterexample.effort import EFFORTS, LOW, MEDIUM, Effort
from theory.prover.counterexample.layout import Goal
from theory.prover.counterexample.polymatroid import violating
from theory.prover.counterexample.refute import Example, Ray, find_distribution
from theory.prover.proof.certificate import Certificate, Part, Step
from theory.prover.proof.checker import CONTRADICTION, check
from theory.prover.proof.copies import by_copies
from theory.prover.proof.facts import Facts
from theory.prover.proof.non_shannon import instances
from theory.prover.proof.search import Decomposition, Search
from theory.prover.proof.space import MOST_VARIABLES, Space
from theory.prover.results import (
    ContradictionError,
    Impossible,
    Proof,
    Refutation,
    Unknown,
    Witness,
    sides_of,
)

__all__ = ["prove"]

_ENTROPIES_SHOWN = 16
"""An explanation writes out so many entropies of a polymatroid."""

_RAY_VARIABLES = 10
"""Up to so many variables a polymatroid is looked for that breaks the statement."""

_ZHANG_YEUNG_VARIABLES = 4
"""Zhang and Yeung's inequality is about four variables: fewer have no instance."""


_CONDITIONAL = (
    "some inequalities that hold under premises follow from no inequality without premises (Kaced and "
    "Romashchenko 2013), and those are not searched for"
)
"""IEEE Transactions on Information Theory 59(11): what a proof under premises may be out of reach of."""


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

    def decompose(
        self, gap: Expression, sizes: Sequence[int], *, strict: bool = False
    ) -> tuple[Decomposition, Search] | None:
        """A proof that `gap >= 0` (or `> 0`) over the first so many variables, smallest numbers first."""
        for size in sizes:
            search = self.search(size)
            result = search.prove(search.space.frame.vector(gap), strict=strict)
            if result is not None:
                return result, search
        return None

    def part(self, relation: str, claim: Expression, decomposition: Decomposition, search: Search) -> Part:
        """The steps of a decomposition in words."""
        term = search.space.frame.term
        steps: list[Step] = []
        for fact, weight in decomposition.facts.items():
            steps.append(Step(fact.kind, weight, str(term(*fact.quantity))))
        for index, weight in decomposition.given.items():
            steps.append(Step("given", weight, str(self.facts.relations[index].gap), index))
        for position, weight in decomposition.instances.items():
            steps.append(Step("zhang-yeung", weight, str(search.instances[position])))
        for quantity, weight in decomposition.inequalities.items():
            steps.append(Step("shannon", weight, str(term(*quantity))))
        return Part(relation, str(claim), tuple(steps))

    def parts(self, relation: Relation, sizes: Sequence[int]) -> list[Part] | None:
        """The parts that prove a relation, or None."""
        gap = relation.gap
        text = str(relation)
        result = self.decompose(gap, sizes, strict=relation.strict)
        if result is None:
            return None
        parts = [self.part(text, gap, *result)]
        if relation.operator == "==" and self._is_inequality(result[0]):
            opposite = self.decompose(-gap, sizes)
            if opposite is None:
                return None
            parts.append(self.part(text, -gap, *opposite))
        return parts

    def parts_by_copies(self, relation: Relation) -> list[Part] | None:
        """The parts that prove a relation with copies of variables, or None."""
        if relation.strict:
            return None
        gaps = (relation.gap, -relation.gap) if relation.operator == "==" else (relation.gap,)
        taken = () if self.diagram is None else self.diagram.variables
        parts = []
        for gap in gaps:
            plain = self.decompose(gap, self.sizes[:1])
            if plain is not None:
                parts.append(self.part(str(relation), gap, *plain))
                continue
            search = self.search(self.sizes[0])
            found = by_copies(search, search.space.frame.vector(gap), taken)
            if found is None:
                return None
            rest = self.part(str(relation), gap, found.found, search)
            parts.append(replace(rest, steps=(*rest.steps, *found.steps), copies=found.copies))
        return parts

    def _is_inequality(self, decomposition: Decomposition) -> bool:
        return bool(decomposition.inequalities or decomposition.instances) or any(
            self.facts.relations[index].operator != "==" for index in decomposition.given
        )

    def require_size(self) -> None:
        """Raise a TooLargeError if the statement alone names more variables than any search can hold."""
        if self.sizes[0] > MOST_VARIABLES:
            Space(self.facts, self.sizes[0])

    def contradiction(self) -> Certificate | None:
        """A certificate that the given statements contradict each other, or None.

        Among all ancestors they are only compared where the program is not too large.
        """
        if not any(relation.strict for relation in self.facts.relations):
            return None
        for size in self.sizes:
            try:
                result = self.decompose(Expression(), [size], strict=True)
            except TooLargeError:
                return None
            if result is not None:
                return self.certificate(CONTRADICTION, [self.part(CONTRADICTION, Expression(), *result)])
        return None

    def require_consistent(self) -> None:
        """Raise a ContradictionError if anything would follow from the given statements."""
        contradiction = self.contradiction()
        if contradiction is not None:
            raise ContradictionError(
                f"the given statements contradict each other or the diagram, so anything would follow: "
                f"{'; '.join(map(str, self.given))}",
                contradiction,
            )

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

    def distribution(self, goal: Goal, seed: int, effort: Effort) -> Example | None:
        """An exact distribution on the diagram that meets the goal, or None."""
        facts = self.facts
        rays = [ray for relation in goal.broken for ray in self.rays(relation)] if effort.rays else []
        return find_distribution(
            goal, facts.variables, len(facts.named), self.diagram, rays=rays, seed=seed, effort=effort
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
        if self.non_shannon or len(self.facts.variables) < _ZHANG_YEUNG_VARIABLES:
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

    def why_not(self, relation: Relation, within: str = "") -> str:
        """Why a relation was neither proved nor refuted; `within` says what work was done."""
        ending = f" {within}" if within else ""
        if relation.strict:
            return f"{relation} does not follow, and no distribution that breaks it was found{ending}"
        with suppress(SpentError):
            self.rays(relation)
        laws = "Shannon's inequalities"
        found = f"no distribution that breaks it was found{ending}"
        if self.non_shannon:
            laws = "Shannon's and Zhang and Yeung's inequalities"
            neither = "neither a proof with copies of variables nor a distribution that breaks it"
            found = f"{neither} was found{ending}"
        if self.facts.relations and len(self.facts.variables) >= _ZHANG_YEUNG_VARIABLES:
            found = f"{found}; {_CONDITIONAL}"
        for ray in self._rays.get(relation, []):
            order = sorted(ray, key=lambda names: (len(names), sorted(names)))
            values = [f"H({','.join(sorted(names))})={ray[names]}" for names in order[:_ENTROPIES_SHOWN]]
            shown = ", ".join(values) + (", .." if len(order) > _ENTROPIES_SHOWN else "")
            return (
                f"{relation} does not follow from {laws} and the facts, as a polymatroid breaks it "
                f"({shown}), and {found}"
            )
        return f"{relation} was not proved, and {found}"


def prove(
    statement: str | Statement,
    *,
    diagram: Diagram | str | None = None,
    given: str | Statement | Sequence[str | Statement] = (),
    exists: bool = False,
    non_shannon: bool = False,
    counterexample: bool = True,
    max_columns: int = 1100,
    seconds: float = 2.0,
    seed: int = 0,
) -> Proof | Refutation | Unknown | Witness | Impossible:
    """Prove or refute a statement about entropies.

    A proof writes the gap of each relation as a non-negative combination of Shannon's inequalities plus
    multiples of facts, in exact rationals; the search is complete for such proofs. A refutation is a
    distribution with rational probabilities, on the diagram and under the given statements, whose
    violation is established exactly.

    Args:
        statement: One or several relations between linear expressions in H(..) and I(..;..|..).
        diagram: A causal diagram (or its text, such as `"C->R, A->X"`, or its name, such as `"essl"`), whose
            independences and deterministic variables may be used.
        given: Statements that are taken as true.
        exists: Ask whether some distribution satisfies the statement, rather than all.
        non_shannon: Also use instances of Zhang and Yeung's inequality, and the copy lemma with one or two
            copies of four or five variables; variables that the statement treats as one count as one, and
            those that all its terms are given do not count.
        counterexample: Search for a distribution where no proof is found.
        max_columns: The largest linear program to solve, in joint entropies that the facts leave.
        seconds: The work that may be done, in seconds of a usual core; infinity for no limit. Work is
            counted, so that the answer is the same on every machine that is not slower.
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
    if seconds != inf:
        number("seconds", seconds, low=0, strict=True)
    claim = parse_statement(statement)
    graph = read_diagram(diagram)
    premises = parse_statements(given)
    problem = _Problem(claim, graph, premises, non_shannon=non_shannon, max_columns=max_columns)
    problem.require_size()
    judged = _exists if exists else _for_all
    with limited(seconds) as budget:
        try:
            problem.require_consistent()
        except SpentError:
            reason = f"whether the given statements agree was not found out {budget}"
            return Unknown(claim, perf_counter() - start, reason)
        found = judged(claim, problem, counterexample, seed, start, budget)
    return found if graph is not None else _told_of_names(found, problem.facts.named)


def _told_of_names(
    found: Proof | Refutation | Unknown | Witness | Impossible, names: Sequence[str]
) -> Proof | Refutation | Unknown | Witness | Impossible:
    """The result, which says so where a name such as `AB` beside A and B may be meant as both of them.

    What is proved for a variable of its own holds for both of them too.
    """
    for name in names:
        parts = _run_together(name, frozenset(names) - {name})
        if parts:
            note = f"{name} is a variable of its own: {' and '.join(parts)} together are {','.join(parts)}"
            if isinstance(found, Refutation | Witness):
                return replace(found, description=f"{found.description} ({note})")
            if isinstance(found, Unknown):
                return replace(found, reason=f"{found.reason} ({note})")
    return found


def _run_together(name: str, parts: frozenset[str]) -> tuple[str, ...]:
    """The parts that a name consists of, each once; none where there are no such.

    Example:
        >>> _run_together("XYZ", frozenset(("X", "Z", "Y"))), _run_together("XX", frozenset("X"))
        (('X', 'Y', 'Z'), ())
    """
    ends: dict[int, tuple[str, ...]] = {
        len(name): ()
    }  # the parts of each end of the name, by where it starts
    for start in reversed(range(len(name))):
        for part in sorted(parts):
            if name.startswith(part, start) and start + len(part) in ends:
                ends[start] = (part, *ends[start + len(part)])
    found = ends.get(0, ())
    return found if len(set(found)) == len(found) else ()


def _for_all(
    claim: Statement, problem: _Problem, counterexample: bool, seed: int, start: float, budget: Budget
) -> Proof | Refutation | Unknown:
    """Proofs and counterexamples in turn, the quick ones first."""
    judging = _Judging(claim, problem, counterexample, seed, start)
    try:
        found = judging.all()
    except SpentError:
        reason = problem.why_not(judging.missing()[0], str(budget))
        return Unknown(claim, perf_counter() - start, reason)
    if found is not None:
        return found
    if judging.too_large is not None:
        raise judging.too_large
    return Unknown(claim, perf_counter() - start, problem.why_not(judging.missing()[0]))


class _Judging:
    """One statement about all distributions, while it is judged."""

    def __init__(
        self, claim: Statement, problem: _Problem, counterexample: bool, seed: int, start: float
    ) -> None:
        self.claim, self.problem, self.start = claim, problem, start
        self.counterexample, self.seed = counterexample, seed
        self.proved: dict[Relation, list[Part]] = {}
        self.too_large: TooLargeError | None = None

    def missing(self) -> list[Relation]:
        """The relations that are not proved yet."""
        return [relation for relation in self.claim if relation not in self.proved]

    def all(self) -> Proof | Refutation | Unknown | None:
        """The stages one after the other; None where none decides.

        Raises:
            SpentError: If the work that was allowed is done.
        """
        for stage, effort in enumerate(EFFORTS):
            self._prove(self.problem.sizes[stage : stage + 1])
            missing = self.missing()
            if not missing:
                return self._proof()
            goal = Goal(self.problem.facts.relations, tuple(missing))
            wanted = self.counterexample
            example = self.problem.distribution(goal, self.seed, effort) if wanted else None
            if example is not None:
                sides = sides_of(missing, example.joint)
                took = perf_counter() - self.start
                return Refutation(self.claim, took, example.joint, sides, example.description)
            found = self._beyond(missing) if effort is MEDIUM and self.too_large is None else None
            if found is not None:
                return found
        return None

    def _prove(self, sizes: Sequence[int]) -> None:
        for relation in self.missing() if sizes else ():
            try:
                parts = self.problem.parts(relation, sizes)
            except TooLargeError as error:
                self.too_large = error
                continue
            if parts is not None:
                self.proved[relation] = parts

    def _proof(self) -> Proof:
        every = [part for relation in dict.fromkeys(self.claim) for part in self.proved[relation]]
        return Proof(
            self.claim, perf_counter() - self.start, self.problem.certificate(str(self.claim), every)
        )

    def _beyond(self, missing: Sequence[Relation]) -> Proof | Unknown | None:
        """What copies prove, or whether Zhang and Yeung's inequality would."""
        if self.problem.non_shannon:
            with_copies = {relation: self.problem.parts_by_copies(relation) for relation in missing}
            if all(with_copies.values()):
                self.proved |= {relation: parts for relation, parts in with_copies.items() if parts}
                return self._proof()
        if self.problem.beyond_shannon(missing):
            reason = (
                f"true but not of Shannon type: {' and '.join(map(str, missing))} follows with Zhang and "
                f"Yeung's inequality (non_shannon=True)"
            )
            return Unknown(self.claim, perf_counter() - self.start, reason)
        return None


def _exists(
    claim: Statement, problem: _Problem, counterexample: bool, seed: int, start: float, budget: Budget
) -> Witness | Impossible | Unknown:
    """Witnesses, the quick ones first, and a proof that there is none."""
    assumed = _Problem(
        claim,
        problem.diagram,
        (*problem.given, claim),
        non_shannon=problem.non_shannon,
        max_columns=problem.max_columns,
    )
    goal = Goal((*problem.facts.relations, *claim.relations), ())
    reason = "no distribution was found that satisfies it"
    try:
        for effort in EFFORTS:
            example = problem.distribution(goal, seed, effort) if counterexample else None
            if example is not None:
                sides = sides_of(claim.relations, example.joint)
                return Witness(claim, perf_counter() - start, example.joint, sides, example.description)
            contradiction = assumed.contradiction() if effort is LOW else None
            if contradiction is not None:
                return Impossible(claim, perf_counter() - start, contradiction)
    except SpentError:
        reason += f" {budget}"
    return Unknown(claim, perf_counter() - start, reason)
