"""What a diagram and premises say about a table, and whether the rows agree.

The independences that a diagram implies among the columns are tested by those of an ordered Markov list:
each column, in causal order, is independent of the earlier ones given the smallest set of them that separates
it from the others (Verma and Pearl 1990). Where the diagram hides variables, pairs that it separates and the
list does not are added. Premises that say that an information is 0 are tested too, and rows are looked for
that break functions, `H(Y|X) == 0`. Holm's procedure bounds the chance of any wrong rejection among them.

Example:
    >>> from theory.diagrams import ESSL
    >>> implied(ESSL, ("A", "C", "S", "X", "Z"))
    ['S _||_ C', 'A _||_ C,S', 'Z _||_ C,S,A | X']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import networkx as nx
import numpy as np
import numpy.typing as npt

from synergy.estimators import estimate
from synergy.independence import independence_test
from synergy.independence.statements import independences
from synergy.statistics.decision import holm
from synergy.verification.given import Given
from synthetic import Sample
from theory import Claim, Diagram, Relation
from theory.diagrams import closure

__all__ = ["DataTest", "implied", "tested"]

_RESAMPLES = 499
"""Resamples of a test, where there are few tests."""
_ROUNDING = 1e-5
"""Numbers that differ by this share of their spread count as equal where a function is looked for."""

Rejection = Literal["rejected", "not rejected", "not testable"]


@dataclass(frozen=True)
class DataTest:
    """One thing that a diagram or a premise says about the rows.

    Args:
        statement: What it says.
        source: Who says it.
        outcome: Whether the rows reject it.
        p_value: Of the test; None where nothing could be tested.
        adjusted: The p-value by Holm's procedure over all tests.
        note: How it was tested, or why not.
    """

    statement: str
    source: Literal["diagram", "premise"]
    outcome: Rejection
    p_value: float | None
    adjusted: float | None
    note: str

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)

    def __str__(self) -> str:
        p = "" if self.adjusted is None else f", p = {self.adjusted:.2g}"
        return f"{self.statement} (by the {self.source}): {self.outcome}{p}"


def implied(diagram: Diagram, observed: Sequence[str]) -> list[str]:
    """The independences that a diagram implies among some of its variables, as few as say them.

    Args:
        diagram: The causal diagram.
        observed: The variables that there are columns of; others are hidden.
    """
    order = [v for v in diagram.order if v in observed]
    found: list[str] = []
    kept: list[tuple[str, str]] = []
    for place, v in enumerate(order):
        before = order[:place]
        boundary = [u for u in before if not diagram.d_separated({v}, {u}, set(before) - {u})]
        others = [u for u in before if u not in boundary]
        if others and diagram.d_separated({v}, others, boundary):
            found.append(_text(v, others, boundary))
        kept += [(u, v) for u in (boundary if others else before)]
    said = Diagram(kept, variables=order)
    for place, v in enumerate(order):
        for u in order[:place]:
            between = nx.find_minimal_d_separator(diagram.graph, {u}, {v}, restricted=set(order) - {u, v})
            if between is not None and not said.d_separated({u}, {v}, between):
                found.append(_text(v, [u], sorted(between, key=order.index)))
    return found


def _text(v: str, others: Sequence[str], given: Sequence[str]) -> str:
    return f"{v} _||_ {','.join(others)}" + (f" | {','.join(given)}" if given else "")


def tested(claims: Sequence[Claim], given: Given) -> tuple[DataTest, ...]:
    """Test what the diagrams and premises of claims say about the caller's rows.

    Args:
        claims: The claims.
        given: The rows.
    """
    names = [name for name in given.sample.names if name != given.sample.groups]
    asked: dict[str, Literal["diagram", "premise"]] = {}
    functions: dict[tuple[str, tuple[str, ...]], Literal["diagram", "premise"]] = {}
    for diagram in dict.fromkeys(claim.diagram for claim in claims):
        for text in implied(diagram, [v for v in names if v in diagram.variables]):
            asked.setdefault(text, "diagram")
        for v in diagram.deterministic:
            if {v, *diagram.parents(v)} <= set(names):
                functions.setdefault((v, diagram.parents(v)), "diagram")
    for fact in dict.fromkeys(fact for claim in claims for fact in claim.given):
        for relation in fact:
            if set(relation.variables) <= set(names):
                _add_premise(relation, claims, asked, functions)
    count = len(asked) + len(functions)
    resamples = max(_RESAMPLES, int(np.ceil(2 * count / given.settings.alpha)))
    results = [_independence(text, source, given, resamples) for text, source in asked.items()]
    results += [_function(v, parents, source, given.sample) for (v, parents), source in functions.items()]
    adjusted = iter(holm([r.p_value for r in results if r.p_value is not None]))
    return tuple(_decided(r, adjusted, given.settings.alpha) for r in results)


def _add_premise(
    relation: Relation,
    claims: Sequence[Claim],
    asked: dict[str, Literal["diagram", "premise"]],
    functions: dict[tuple[str, tuple[str, ...]], Literal["diagram", "premise"]],
) -> None:
    """Add what a premise says, if it says that one information or conditional entropy is 0."""
    sides = sorted((relation.left, relation.right), key=lambda side: len(side.summands))
    if relation.operator != "==" or sides[0].summands or len(sides[1].summands) != 1:
        return
    term = sides[1].terms[0]
    if len(term.groups) == 2:
        text = _text(",".join(term.groups[0]), term.groups[1], term.given)
        asked.setdefault(text, "premise")
    elif len(term.groups) == 1:
        for v in term.groups[0]:
            if not any(v in closure(claim.diagram, set(term.given)) for claim in claims):
                functions.setdefault((v, term.given), "premise")


def _independence(text: str, source: Literal["diagram", "premise"], given: Given, resamples: int) -> DataTest:
    sample = given.sample if _all_discrete(text, given.sample) else given.some
    try:
        found = independence_test(sample, text, permutations=resamples, seed=given.settings.seed)
    except ValueError as error:
        return DataTest(text, source, "not testable", None, None, str(error))
    size = _size(text, sample)
    words = "; ".join((f"{found.method}, {found.samples:,} rows", *size, *found.warnings))
    outcome: Rejection = "not testable" if found.p_value is None else "not rejected"
    return DataTest(text, source, outcome, found.p_value, None, words)


def _size(text: str, sample: Sample) -> tuple[str, ...]:
    """How large the dependence is, where frequencies tell: with many rows the smallest one is rejected."""
    if not _all_discrete(text, sample):
        return ()
    (term,) = independences(text)
    return (f"{term} is about {estimate(sample, term).value:.2g} nats",)


def _all_discrete(text: str, sample: Sample) -> bool:
    names = text.replace("_||_", ",").replace("|", ",").split(",")
    return all(sample.variables[name.strip()].kind == "discrete" for name in names)


def _function(
    v: str, parents: tuple[str, ...], source: Literal["diagram", "premise"], sample: Sample
) -> DataTest:
    """Whether equal parents always come with an equal value: one pair of rows that do not is enough."""
    bar = f"|{','.join(parents)}" if parents else ""
    statement = f"H({v}{bar}) == 0"
    keys = np.hstack([_flat(sample, name) for name in parents]) if parents else np.zeros((len(sample), 1))
    state = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    order = np.argsort(state, kind="stable")
    first = np.searchsorted(state[order], np.arange(int(state.max()) + 1))
    values = _flat(sample, v)
    spread = np.ptp(values, axis=0)
    apart = np.abs(values - values[order][first][state]) > _ROUNDING * spread
    wrong = int(apart.any(axis=1).sum())
    if wrong:
        told = f"{wrong:,} of {len(sample):,} rows have another {v} than a row with the same "
        return DataTest(statement, source, "not rejected", 0.0, None, told + (", ".join(parents) or "state"))
    if len(first) == len(state):
        return DataTest(statement, source, "not testable", None, None, "no two rows can be compared")
    return DataTest(statement, source, "not rejected", 1.0, None, "no row breaks it")


def _flat(sample: Sample, name: str) -> npt.NDArray[np.float64]:
    return np.asarray(sample[name], dtype=np.float64).reshape(len(sample), -1)


def _decided(result: DataTest, adjusted: Iterator[float], alpha: float) -> DataTest:
    if result.p_value is None:
        return result
    p = float(next(adjusted))
    return replace(result, adjusted=p, outcome="rejected" if p <= alpha else "not rejected")
