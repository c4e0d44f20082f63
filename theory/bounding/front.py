"""`bounds`: the tightest linear Shannon bounds of a term by others, and what measured values allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from math import inf
from time import perf_counter

import numpy as np

from theory.bounding.projection import project
from theory.bounding.results import Bound, Bounds, Violation
from theory.bounding.rows import BoundRow, solved
from theory.checks import number
from theory.cones import ZERO, Cone
from theory.diagrams import Diagram, read_diagram
from theory.distributions import Distributions
from theory.errors import shown
from theory.expressions import Expression, Operator, Relation, Statement, Term
from theory.parser import parse_statements, parse_term
from theory.prover import Proof, Witness, prove
from theory.prover.budget import Budget, SpentError, limited, spend

__all__ = ["bounds"]

_MOST_TERMS = 4
"""The most terms that a bound may name."""

_NEVER_NEGATIVE = 2
"""Terms with more sides (co-information) may be negative."""

_ROUNDING = 1e-9
"""A violation counts when it exceeds this share of the largest number, for each unit of weight."""

_SMALLEST = 1e-12
"""And when it exceeds this, which is what entropies of ordinary tables are computed within."""

_PROOF = 1e-3
"""Seconds that a proof takes at least."""

_Values = Mapping[str, float] | Mapping[Term, float]
"""Terms, or their texts, with their values."""


def bounds(
    term: str | Term,
    *,
    by: str | Term | Sequence[str | Term] = (),
    diagram: Diagram | str | None = None,
    given: str | Statement | Sequence[str | Statement] = (),
    at: _Values | None = None,
    seconds: float = 10.0,
    progress: Callable[[str], None] | None = None,
) -> Bounds:
    """The tightest linear upper and lower bounds of a term by others that Shannon's inequalities imply.

    The values of the terms on all polymatroids on the diagram form a cone; its facets are the bounds, all of
    them, each with a certificate that `theory.check` accepts and a distribution that attains it, or the word
    that none was found. A polymatroid need not be the entropy of a distribution, so that from four variables
    on there may be sharper bounds that are not of Shannon type.

    Args:
        term: What to bound, such as `"H(C|Z)"`.
        by: Up to four terms to bound it by.
        diagram: A causal diagram (or its text, or `"essl"`).
        given: Statements that are taken as true.
        at: Values of terms, in nats (or any one unit); those that `by` lacks are added to it.
        seconds: The work that may be done, in seconds of a usual core; infinity for no limit. Work is
            counted, so that the answer is the same on every machine that is not slower.
        progress: Called with what is being done.

    Returns:
        `Bounds`, with the interval of the term where `at` is given, or with the inequality that the values
        violate. What was found when the work that was allowed was done holds as well; the answer says that
        it is not complete.

    Raises:
        ParseError: If a term or statement cannot be read.
        TypeError: If a value is not a number.
        ValueError: If there are more than four terms, one is the target or comes twice, a value is negative,
            infinite or NaN, a variable is unknown, or `seconds` is not positive.
        TooLargeError: If the variables are too many for the linear programs.

    Example:
        >>> from theory import bounds
        >>> found = bounds("H(C|Z)", by=["H(A|Z)", "H(C|Z,A)"])
        >>> print(*found.upper, *found.lower, sep=", ")
        H(C|Z) <= H(A|Z) + H(C|Z,A), H(C|Z) >= H(C|Z,A)
        >>> bounds("I(A;C|Z)", diagram="essl", at={"I(A;Z)": 0.5, "H(A)": 1.5}).interval
        (0.0, 1.0)
    """
    start = perf_counter()
    if seconds != inf:
        number("seconds", seconds, low=0, strict=True)
    target = parse_term(term)
    values = _read_values(at)
    others = _read_terms(target, by, values)
    graph = read_diagram(diagram)
    with limited(seconds) as budget:
        task = _Bounding(target, others, graph, parse_statements(given), progress, budget)
        rows = task.proved()
        interval, violated = task.interval(values) if values else (None, None)
        upper, lower, among = task.facets(rows)
    return Bounds(
        term=target,
        by=others,
        upper=upper,
        lower=lower,
        among=among,
        at=tuple(values.items()),
        interval=interval,
        violated=violated,
        complete=not task.missing,
        notes=tuple(dict.fromkeys((*task.missing, *task.notes))),
        seconds=perf_counter() - start,
    )


def _read_values(at: object) -> dict[Term, float]:
    if at is None:
        return {}
    if not isinstance(at, Mapping):
        raise TypeError(f'at must be a mapping such as {{"I(A;Z)": 1.1}}, got {at!r}')
    found: dict[Term, float] = {}
    for name, value in at.items():
        term = parse_term(name)
        found[term] = number(f"the value of {term} in at", value, low=_least(term))
    return found


def _least(term: Term) -> float:
    """The least value that a term of its kind can have."""
    return 0.0 if len(term.groups) <= _NEVER_NEGATIVE else -inf


def _read_terms(
    target: Term, by: str | Term | Sequence[str | Term], values: Mapping[Term, float]
) -> tuple[Term, ...]:
    """The terms of `by` and those of `at` that it lacks."""
    if not isinstance(by, Iterable | Term):
        raise TypeError(f"by must be a term or several, got {shown(by)}")
    listed = [parse_term(t) for t in ((by,) if isinstance(by, str | Term) else by)]
    for which, terms in (("by", listed), ("at", list(values))):
        seen: list[Mapping[frozenset[str], Fraction]] = []
        for one in terms:
            if one.entropies() == target.entropies():
                raise ValueError(f"{which} must not hold the term that is bounded, got {one} for {target}")
            if one.entropies() in seen:
                raise ValueError(f"{which} must hold each term once, got {one} again")
            seen.append(one.entropies())
    known = [one.entropies() for one in listed]
    found = (*listed, *(one for one in values if one.entropies() not in known))
    if len(found) > _MOST_TERMS:
        raise ValueError(
            f"a term is bounded by up to {_MOST_TERMS} others, got {len(found)}: {', '.join(map(str, found))}"
        )
    return found


class _Bounding:
    """One call of `bounds`."""

    def __init__(
        self,
        target: Term,
        others: tuple[Term, ...],
        diagram: Diagram | None,
        given: tuple[Statement, ...],
        progress: Callable[[str], None] | None,
        budget: Budget,
    ) -> None:
        self.target, self.others = target, others
        self.diagram, self.given = diagram, given
        self.progress = progress or (lambda what: None)
        self.budget = budget
        self.names = tuple(dict.fromkeys(v for one in (target, *others) for v in one.variables))
        self.distributions = Distributions(self.names, diagram, given)
        self.missing: list[str] = []
        self.notes: list[str] = []
        self._rows: dict[tuple[Term, ...], list[BoundRow]] = {}

    @cached_property
    def cone(self) -> Cone:
        """The polymatroids that the bounds hold on."""
        return Cone(self.names, self.diagram, self.given)

    def rows(self, terms: tuple[Term, ...]) -> list[BoundRow]:
        """All facets and equations, those with the target solved for it."""
        if terms not in self._rows:
            self._rows[terms] = self._found(terms)
        return self._rows[terms]

    def _found(self, terms: tuple[Term, ...]) -> list[BoundRow]:
        cut = f"not complete: not all bounds were found {self.budget}"
        try:
            found = project(self.cone, terms, self.progress)
        except SpentError:
            self.missing.append(cut)
            return []
        if not found.exact:
            self.missing.append(
                "a ray was rounded: a bound may be missing that differs from one of these by little"
            )
        if not found.complete:
            self.missing.append(cut)
        return solved(found.equations, found.facets)

    def proved(self) -> list[tuple[BoundRow, Statement, Proof]]:
        """All facets and equations with their proofs, those with few terms first."""
        rows = self.rows((self.target, *self.others))
        found = []
        for row in sorted(rows, key=lambda row: (sum(map(bool, row.right)), row.right)):
            self.progress("proving bounds")
            statement = self.statement(row, self.others)
            proof = self.proof(statement)
            if proof is not None:
                found.append((row, statement, proof))
        return found

    def facets(
        self, rows: Sequence[tuple[BoundRow, Statement, Proof]]
    ) -> tuple[tuple[Bound, ...], tuple[Bound, ...], tuple[Bound, ...]]:
        """The upper bounds, the lower bounds, and what holds among the other terms, with their models."""
        upper, lower, among = [], [], []
        for row, statement, proof in rows:
            self.progress("looking for distributions that attain bounds")
            bound = Bound(statement, proof, self.attained(statement))
            if not row.left:
                among.append(bound)
            else:
                upper += [bound] if row.operator in ("<=", "==") else []
                lower += [bound] if row.operator in (">=", "==") else []
        return tuple(upper), tuple(lower), tuple(among)

    def statement(self, row: BoundRow, others: Sequence[Term]) -> Statement:
        """A row in words: the target against the others, or their positive part against the negative."""
        weighted = [(c, one) for c, one in zip(row.right, others, strict=True) if c]
        weighted.sort(key=lambda pair: pair[0] < 0)
        if row.left:
            return _relation(
                Expression(((Fraction(1), self.target),)), row.operator, Expression(tuple(weighted))
            )
        return _relation(
            Expression(tuple((c, one) for c, one in weighted if c > 0)),
            row.operator,
            Expression(tuple((-c, one) for c, one in weighted if c < 0)),
        )

    def proof(self, statement: Statement) -> Proof | None:
        """Its proof; None, with a note, where only floating point says that it is true, or work is done."""
        try:
            spend(_PROOF)
            found = prove(
                statement,
                diagram=self.diagram,
                given=self.given,
                counterexample=False,
                seconds=self.budget.seconds,
            )
        except SpentError:
            self.missing.append(f"not complete: not all bounds were proved {self.budget}")
            return None
        if isinstance(found, Proof):
            return found
        self.missing.append(f"{statement} seems to hold and was not proved {self.budget}")
        return None

    def attained(self, statement: Statement) -> Witness | None:
        """A distribution that makes both sides equal; None where none was found, or work is done."""
        try:
            return self._attained(statement)
        except SpentError:
            self.notes.append(f"not all distributions that attain bounds were looked for {self.budget}")
            return None

    def _attained(self, statement: Statement) -> Witness | None:
        """A distribution that makes both sides equal, with as many of the terms positive as can be."""
        (relation,) = statement
        equal = Relation(relation.left, "==", relation.right)
        zero = self.cone.vector(relation.gap)[None]
        terms = statement.terms if relation.right.summands else (self.target, *self.others)
        positive = [one for one in terms if self.cone.ray(-self.cone.vector(one), zero)[0] < -ZERO]
        total = sum((self.cone.vector(one) for one in positive), np.zeros(len(self.cone.columns)))
        ray = self.cone.exact(self.cone.ray(-total, zero)[1])
        for chosen in dict.fromkeys((tuple(positive), *((one,) for one in positive))):
            signs = [_relation(Expression(((Fraction(1), one),)), ">", Expression()) for one in chosen]
            wanted = Statement((equal, *(relation for sign in signs for relation in sign)))
            found = self.distributions.satisfying(wanted, rays=[] if ray is None else [ray])
            if found is not None:
                return found
        return None

    def interval(self, values: Mapping[Term, float]) -> tuple[tuple[float, float] | None, Violation | None]:
        """The interval of the target where the other terms have these values, or what they violate."""
        known = tuple(values)
        numbers = list(values.values())
        rows = self.rows((self.target, *known))
        below = [row for row in rows if row.left and row.operator in (">=", "==")]
        above = [row for row in rows if row.left and row.operator in ("<=", "==")]
        tests = [row for row in rows if not row.left]
        for low in below:
            for high in above:
                tests.append(
                    BoundRow(0, tuple(b - a for a, b in zip(low.right, high.right, strict=True)), ">=")
                )
        worst: tuple[float, BoundRow] | None = None
        largest = max(map(abs, numbers))
        for row in tests:
            value = row.value(numbers)
            excess = abs(value) if row.operator == "==" else -value
            allowed = _SMALLEST + _ROUNDING * row.weight * largest
            if excess > allowed and (worst is None or excess / allowed > worst[0]):
                worst = excess / allowed, row
        if worst is not None:
            return None, self.violation(worst[1], known, numbers)
        low_end = max((row.value(numbers) for row in below), default=_least(self.target))
        high_end = min((row.value(numbers) for row in above), default=inf)
        return (min(low_end, high_end), max(low_end, high_end)), None

    def violation(self, row: BoundRow, known: Sequence[Term], numbers: Sequence[float]) -> Violation | None:
        """An inequality between the values alone, proved, with the values of its sides."""
        statement = self.statement(row, known)
        proof = self.proof(statement)
        if proof is None:
            return None
        right = sum(float(-c) * x for c, x in zip(row.right, numbers, strict=True) if c < 0)
        left = sum(float(c) * x for c, x in zip(row.right, numbers, strict=True) if c > 0)
        return Violation(statement, proof, left, right)


def _relation(left: Expression, operator: Operator, right: Expression) -> Statement:
    return Statement((Relation(left, operator, right),))
