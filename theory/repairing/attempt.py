"""One repair at work: its stages, and what they have found when time or patience ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from time import process_time

import numpy as np

from theory.cones import ZERO, Cone, Floats
from theory.diagrams import Diagram
from theory.distributions import Distributions
from theory.errors import TooLargeError
from theory.expressions import Expression, Operator, Relation, Statement, Term
from theory.prover import ContradictionError, Proof, Refutation, Witness, prove
from theory.repairing.corrected import corrected_relation, least_weights, sparsest, weighted
from theory.repairing.edges import shorter_diagrams
from theory.repairing.premises import Premise, premises, words
from theory.repairing.results import Assumption, Correction, EdgeChange
from theory.repairing.weakest import Chosen, Search

__all__ = ["Attempt"]

_STRICT: dict[Operator, Operator] = {"<=": "<", ">=": ">", "<": "<", ">": ">"}
"""The strict form of each comparison that has one."""

_ONE = Fraction(1)
"""The weight of a term that stands alone."""

_SEARCH = 0.5
"""The share of the time at whose end the search for assumptions must be done."""

_CORRECTED = 0.7
"""The same for the corrected inequalities."""

_EDGES = 0.8
"""The same for the edges."""

_EVIDENCE = 1.0
"""The same for the distributions that show what was found."""


class _OutOfTimeError(Exception):
    pass


class Attempt:
    """The repair of one statement.

    Args:
        statement: The statement.
        diagram: The causal diagram, or None.
        given: What holds anyway.
        names: The variables of the premises.
        at_most: How many premises a set may have.
        seconds: The processor time that it may take.
        allowed: The processor time that the caller allows for all, as it is told.
        progress: Called with what is being done.
    """

    def __init__(
        self,
        statement: Statement,
        diagram: Diagram | None,
        given: tuple[Statement, ...],
        names: tuple[str, ...],
        *,
        at_most: int,
        seconds: float,
        allowed: float,
        progress: Callable[[str], None] | None,
    ) -> None:
        self.statement, self.diagram, self.given = statement, diagram, given
        self.names, self.at_most = names, at_most
        self.progress = progress
        self.start = process_time()
        self.seconds, self.allowed = seconds, allowed
        self.deadline = self.start + seconds
        self.cone = Cone(names, diagram, given)
        self.distributions = Distributions(names, diagram, given)
        self.gaps = [
            (relation, sign, gap)
            for relation in dict.fromkeys(statement)
            for sign, gap in self._signed(relation)
            if self.cone.ray(gap)[0] < -ZERO
        ]
        self.strict = [self.cone.vector(r.gap) for r in self._strict_given()]
        self.positive = [self.cone.vector(r.gap) for r in statement if r.operator in (">", "<")]
        self.is_subtle = not self.gaps and not self.positive
        self.search = self._new_search([gap for _, _, gap in self.gaps])
        self.assumptions: dict[Chosen, Assumption] = {}
        self.special: dict[Chosen, Assumption] = {}
        self.restated: dict[Chosen, Assumption] = {}
        self.corrected: list[Correction] = []
        self.edges: list[EdgeChange] = []
        self.notes: list[str] = []
        self._points: dict[Statement, Floats] = {}

    def _signed(self, relation: Relation) -> Iterator[tuple[int, Floats]]:
        gap = self.cone.vector(relation.gap)
        yield 1, gap
        if relation.operator == "==":
            yield -1, -gap

    def _new_search(self, gaps: Sequence[Floats]) -> Search:
        return Search(
            self.cone,
            gaps,
            premises(self.names),
            self._tick,
            strict=self.strict,
            positive=self.positive if len(gaps) == len(self.gaps) else (),
            confirm=self._confirmed if self.is_subtle else None,
            necessary=self._necessary,
        )

    def _tick(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what)
        if process_time() > self.deadline:
            raise _OutOfTimeError(what)

    @cached_property
    def _where_true(self) -> Cone:
        """The polymatroids on which the statement holds."""
        return Cone(self.names, self.diagram, (*self.given, self.statement))

    @cached_property
    def _says_zero(self) -> bool:
        """Whether the statement itself says that all its quantities vanish."""
        return all(self._where_true.vanishes(term) for term in self.statement.terms)

    def _necessary(self, premise: Premise) -> bool:
        return self._where_true.vanishes(premise.term)

    def _confirmed(self, some: Sequence[Premise]) -> bool:
        return self._proof(self.statement, [p.statement for p in some]) is not None

    def _proof(
        self,
        statement: Statement,
        more: Sequence[Statement] = (),
        diagram: Diagram | None = None,
    ) -> Proof | None:
        """A proof under what is given and more, or None."""
        graph = self.diagram if diagram is None else diagram
        try:
            found = prove(statement, diagram=graph, given=(*self.given, *more), counterexample=False)
        except (ContradictionError, TooLargeError):
            return None
        return found if isinstance(found, Proof) else None

    @property
    def complete(self) -> bool:
        """Whether nothing was cut short."""
        return not any(note.startswith("not complete") for note in self.notes)

    def run(self) -> None:
        """All stages; an interruption or the end of the time leaves what was found so far."""
        stages = (
            ("assumptions", _SEARCH, self._assume),
            ("corrected inequalities", _CORRECTED, self._correct),
            ("edges", _EDGES, self._cut),
            ("distributions that show them", _EVIDENCE, self._show),
        )
        for what, share, stage in stages:
            self.deadline = self.start + share * self.seconds
            try:
                stage()
            except _OutOfTimeError:
                self.notes.append(
                    f"not complete: the {what} took longer than {self.allowed:g} s allow "
                    f"(seconds={2 * self.allowed:g} allows more)"
                )
            except KeyboardInterrupt:
                self.notes.append(f"not complete: interrupted at the {what}")
                self.deadline = float("inf")
                self._record()
                return

    def _assume(self) -> None:
        if self.positive and not self.strict:
            self.notes.append(
                "a strict relation does not follow from premises that something vanishes: "
                "state it with >= or <=, or give a premise with >"
            )
            return
        try:
            self.search.run(self.at_most)
        finally:
            self._record()
        for i in self._telling():
            found = self._assumption((i,))
            weaker = [f for f in self.assumptions if self.search.implies((i,), f)]
            if found is not None and weaker:
                shortest = min(weaker, key=len)
                self.special[(i,)] = replace(found, special_case_of=self.assumptions[shortest].given)

    def _telling(self) -> list[int]:
        """Premises that work alone and are stronger than an assumption, but tell more.

        These are the weakest dependencies, and the weakest independences among variables of which no subset
        has an independence in the answer.
        """
        search = self.search
        working = [i for i in search.working if (i,) not in self.assumptions]
        functions = [i for i in working if search.premises[i].is_function and search.premises[i].term.given]
        chosen = search.weakest(functions)
        told = [
            self._variables(i)
            for known, found in self.assumptions.items()
            for i in known
            if not found.trivial
        ]
        groups: dict[frozenset[str], list[int]] = {}
        for i in working:
            if not search.premises[i].is_function and not self._leaves_nothing((i,)):
                groups.setdefault(self._variables(i), []).append(i)
        for names, members in sorted(groups.items(), key=lambda item: len(item[0])):
            if not any(smaller <= names for smaller in told):
                chosen += search.weakest(members)
                told.append(names)
        return chosen

    def _leaves_nothing(self, chosen: Chosen) -> bool:
        """Whether premises are trivial."""
        zero = self.search.vectors[list(chosen)]
        return self._is_trivial(zero, sum(self.cone.vanishes(t, zero) for t in self.statement.terms))

    def _variables(self, number: int) -> frozenset[str]:
        return frozenset(self.search.premises[number].term.variables)

    def _record(self) -> None:
        """Prove the statement under every set that was found."""
        for store, sets in (
            (self.assumptions, self.search.found),
            (self.restated, self.search.restated[:1]),
        ):
            for chosen in sets:
                found = self._assumption(chosen) if chosen not in store else None
                if found is not None:
                    store[chosen] = found
        for chosen in [c for c in self.assumptions if c not in self.search.found]:
            del self.assumptions[chosen]

    def _assumption(self, chosen: Chosen) -> Assumption | None:
        some = [self.search.premises[i] for i in chosen]
        given = tuple(p.statement for p in some)
        proof = self._proof(self.statement, given)
        if proof is None:
            return None
        zero = self.search.vectors[list(chosen)]
        vanishing = [term for term in self.statement.terms if self.cone.vanishes(term, zero)]
        return Assumption(
            given,
            tuple(words(p, self.diagram) for p in some),
            proof,
            tuple(map(str, vanishing)),
            trivial=self._is_trivial(zero, len(vanishing)),
        )

    def _is_trivial(self, zero: Floats, vanishing: int) -> bool:
        """Whether all quantities vanish; where the statement says that, whether a variable is constant."""
        if not self._says_zero:
            return vanishing == len(self.statement.terms)
        return any(self.cone.vanishes(Term(((v,),)), zero) for v in self.statement.variables)

    def _correct(self) -> None:
        for relation, sign, gap in self.gaps:
            if len(self.gaps) == 1:
                search = self.search
            else:
                search = self._new_search([gap])
                search.run(self.at_most)
            sets: list[Chosen] = [(i,) for i in search.working]
            sets += [chosen for chosen in search.found if len(chosen) > 1]
            self._correct_one(relation, sign, gap, search, sets)

    def _correct_one(
        self, relation: Relation, sign: int, gap: Floats, search: Search, sets: Sequence[Chosen]
    ) -> None:
        smaller = relation.left if (relation.operator in ("<=", "<")) == (sign > 0) else relation.right
        if relation.operator == "==":
            smaller = relation.left if sign < 0 else relation.right
        small = self.cone.vector(smaller)
        own = [self.cone.vector(term) for term in smaller.terms]
        sums: list[tuple[Expression, Floats, Floats, bool]] = []
        for chosen in sets:
            self._tick("weighing corrections")
            quantities = search.vectors[list(chosen)]
            found = least_weights(self.cone, gap, quantities)
            if found is not None:
                weights, point = found
                added = weighted([search.premises[i].term for i in chosen], weights)
                total = np.array([float(w) for w in weights]) @ quantities
                repeats = any((row == term).all() for row in quantities for term in own)
                if not repeats:
                    empty = self.cone.ray(total - small)[0] >= -ZERO
                    sums.append((added, total, point, empty))
        sums = sorted((entry for entry in sums if not entry[3]), key=_plainness) or sums
        for i in sparsest(self.cone, [total for _, total, _, _ in sums]):
            added, _, point, _ = sums[i]
            self._tick("proving corrections")
            right = corrected_relation(relation, added, downwards=sign < 0)
            proof = self._proof(Statement((right,)))
            if proof is not None:
                correction = Correction(Statement((right,)), added, Statement((relation,)), proof)
                self._points[correction.statement] = point
                self.corrected.append(correction)

    def _cut(self) -> None:
        if self.diagram is None:
            return
        for edge, diagram in shorter_diagrams(self.diagram):
            self._tick("trying edges")
            cone = Cone(self.names, diagram, self.given)
            if any(cone.ray(-cone.vector(r.gap))[0] >= -ZERO for r in self._strict_given()):
                continue
            if all(cone.ray(sign * cone.vector(r.gap))[0] >= -ZERO for r, sign, _ in self.gaps):
                proof = self._proof(self.statement, diagram=diagram)
                if proof is not None:
                    terms = [t for t in self.statement.terms if cone.vanishes(t)]
                    self.edges.append(EdgeChange(edge, "removed", diagram, proof, tuple(map(str, terms))))

    def _strict_given(self) -> list[Relation]:
        return [r for r in self.cone.facts.relations if r.operator in (">", "<")]

    def _show(self) -> None:
        for i, correction in enumerate(self.corrected):
            self._tick("looking for models")
            self.corrected[i] = replace(correction, tight=self._tight(correction))
        for store in (self.assumptions, self.special, self.restated):
            for chosen, assumption in store.items():
                self._tick("looking for models")
                store[chosen] = self._shown(chosen, assumption)

    def _tight(self, correction: Correction) -> Witness | None:
        """A distribution where the corrected relation is an equality, and not an empty one."""
        (relation,) = correction.statement
        (broken,) = correction.repairs
        ray = self.cone.exact(self._points[correction.statement])
        rays = [] if ray is None else [ray]
        equal = replace(relation, operator="==")
        opposite: Relation = Relation(broken.left, "<" if relation.operator == ">=" else ">", broken.right)
        positive = Relation(correction.added, ">", Expression())
        for other in (opposite, positive):
            found = self.distributions.satisfying(Statement((equal, other)), rays=rays)
            if found is not None:
                return found
        return None

    def _shown(self, chosen: Chosen, assumption: Assumption) -> Assumption:
        """The assumption with a distribution that shows it not to be vacuous, and its converse."""
        premise_relations = [relation for statement in assumption.given for relation in statement]
        zero = self.search.vectors[list(chosen)]
        wanted: list[tuple[Relation, Floats]] = []
        for relation, _, gap in self.gaps:
            operator = _STRICT.get(relation.operator)
            if operator is not None:
                wanted.append((replace(relation, operator=operator), gap))
        for term in self.statement.terms:
            if str(term) not in assumption.vanishing:
                positive = Relation(Expression(((_ONE, term),)), ">", Expression())
                wanted.append((positive, self.cone.vector(term)))
        moving = tuple(Relation(Expression(((_ONE, Term(((v,),))),)), ">", Expression()) for v in self.names)
        example = None
        for relation, objective in wanted:
            value, point = self.cone.ray(-objective, zero)
            if value < -ZERO and example is None:
                ray = self.cone.exact(point)
                example = self.distributions.satisfying(
                    Statement((*premise_relations, relation)), rays=[] if ray is None else [ray]
                )
        if example is None and not assumption.trivial and self._says_zero:
            example = self.distributions.satisfying(Statement((*premise_relations, *moving)))
        return replace(assumption, example=example, converse=self._converse(premise_relations))

    def _converse(self, premise_relations: Sequence[Relation]) -> Refutation | Proof | None:
        """A distribution that needs only the statement, or the proof that it implies the premises."""
        claim = Statement(tuple(premise_relations))
        if all(self._where_true.vanishes(r.left.terms[0]) for r in premise_relations):
            return self._proof(claim, (self.statement,))
        return self.distributions.breaking(claim, self.statement)


def _plainness(entry: tuple[Expression, Floats, Floats, bool]) -> tuple[int, bool, int]:
    """Few terms first, then weights of 1, then few variables."""
    added = entry[0]
    return len(added.summands), any(w != 1 for w, _ in added.summands), len(added.variables)
