r"""Joints that satisfy a claim's premises by construction, so that no example is thrown away.

The models are drawn in causal order, and each given fact shapes the table of one variable as it is drawn:

* `H(U|W) == 0`, U not a function of W by the diagram: some variable w of W carries a copy of each u of U,
  that is w becomes the pair (w, u). This stays on the diagram where u is a parent of w or a function of
  w's parents.
* `I(A;X|T) == 0`, T a function of X: T becomes a function of X at least as fine as the posterior p(A|X), the
  coarsest statistic with that property.
* `I(A;Z|R) == 0`, Z a child of X alone, A and R the parents of X: X becomes a pair whose first half is drawn
  from R alone, and Z is drawn from the first half.
* Independences that d-separation gives, and functions that the diagram marks, need nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from synthetic.strategies.tables import ExactJoint, FractionTable, channels, raw_causes, table_of_cause
from synthetic.strategies.worlds import joint_of
from theory import CLAIMS, Claim, Diagram, Joint, Statement, Term
from theory.diagrams import some_diagram
from theory.errors import shown
from theory.parser import parse_statements

__all__ = ["UnsupportedPremiseError", "premises"]


class UnsupportedPremiseError(ValueError):
    """A premise that cannot be satisfied by construction; the message names it and the way out."""


@dataclass
class _Shaping:
    """How the tables are shaped, variable by variable."""

    copies: dict[str, list[str]] = field(default_factory=dict)
    sufficient: dict[str, str] = field(default_factory=dict)
    split: dict[str, str] = field(default_factory=dict)
    blind: dict[str, str] = field(default_factory=dict)
    before: list[tuple[str, str]] = field(default_factory=list)


def premises(
    claim: Claim | Diagram | str,
    *,
    given: str | Statement | Sequence[str | Statement] = (),
    max_states: int = 2,
    max_weight: int = 3,
    variables: Iterable[str] | None = None,
) -> st.SearchStrategy[Joint]:
    """Joints on a claim's diagram that satisfy what the claim assumes.

    Shrinks towards small alphabets, functions and simple fractions. Variables that nothing mentions may be
    constant.

    Args:
        claim: A claim or its id, or a diagram or its text.
        given: With a diagram, the facts that hold; one statement or several, or their texts.
        max_states: The most states that a variable is drawn with; copies of others multiply it.
        max_weight: The largest integer weight of a row.
        variables: The variables of the joints; None for those that the claim or the facts mention, or for
            all of a diagram without facts.

    Raises:
        UnsupportedPremiseError: If a fact is none of the kinds above and the claim brings no models of its
            own.
        ValueError: If a variable is not in the diagram, or a text is neither a claim nor a diagram.

    Example:
        >>> from hypothesis import given, settings
        >>> from theory import find_claim
        >>> @settings(max_examples=20, derandomize=True, database=None)
        ... @given(premises(find_claim("L2")))
        ... def lossless_means_no_synergy(joint):
        ...     assert joint.value("H(A|X)") < 1e-12
        ...     assert joint.value("I(A;C|X)") < 1e-12
        >>> lossless_means_no_synergy()
    """
    if isinstance(claim, str):
        claim = _of_text(claim)
    if isinstance(claim, Claim):
        diagram, facts = claim.diagram, claim.given
        mentioned = {*claim.statement.variables, *(v for fact in facts for v in fact.variables)}
    else:
        diagram, facts = some_diagram(claim), parse_statements(given)
        mentioned = {v for fact in facts for v in fact.variables} or set(diagram.variables)
    diagram.require(*mentioned)
    kept = tuple(v for v in diagram.variables if v in mentioned) if variables is None else tuple(variables)
    diagram.require(*kept)
    try:
        plan = _planned(diagram, facts)
    except UnsupportedPremiseError:
        if isinstance(claim, Claim) and claim.draw is not None:
            draw_one = claim.draw
            return st.integers(0, 2**32 - 1).map(lambda seed: draw_one(seed).marginal(kept))
        raise
    return _joints(diagram, plan, kept, max_states, max_weight)


def _of_text(text: str) -> Claim | Diagram:
    """The claim with this id, or the diagram that is written so."""
    if text in CLAIMS:
        return CLAIMS[text]
    if "(" in text or "_||_" in text:
        raise ValueError(
            f"premises needs a claim or a diagram, got the statement {shown(text)}: pass it as given=, with "
            "a diagram"
        )
    return some_diagram(text)


def _planned(diagram: Diagram, facts: Iterable[Statement]) -> _Shaping:
    plan = _Shaping()
    for fact in facts:
        for relation in fact:
            sides = sorted([relation.left, relation.right], key=lambda side: len(side.summands))
            terms = sides[1].terms
            simple = relation.operator == "==" and not sides[0].summands and len(terms) == 1
            if not (simple and _shape(diagram, terms[0], plan)):
                raise UnsupportedPremiseError(
                    f"the premise {relation} cannot be satisfied by construction on {diagram}: draw from "
                    f"joints_on(..) and use hypothesis.assume, or give the claim a `draw` of its own"
                )
    return plan


def _shape(diagram: Diagram, term: Term, plan: _Shaping) -> bool:
    """Plan for the term to be zero; False if no rule fits."""
    if len(term.groups) == 1:
        return all(_copied(diagram, u, term.given, plan) for u in term.groups[0] if u not in term.given)
    if len(term.groups) != 2:
        return False
    left, right = (tuple(v for v in group if v not in term.given) for group in term.groups)
    if set(left) & set(right):
        return False
    if not left or not right or diagram.d_separated(left, right, set(term.given)):
        return True
    for a, b in ((left, right), (right, left)):
        if len(a) == len(b) == len(term.given) == 1 and _statistic(diagram, a[0], b[0], term.given[0], plan):
            return True
        if len(a) == len(b) == 1 and _cut(diagram, a[0], b[0], set(term.given), plan):
            return True
    return False


def _copied(diagram: Diagram, u: str, given: tuple[str, ...], plan: _Shaping) -> bool:
    if u in diagram.deterministic and set(diagram.parents(u)) <= set(given):
        return True
    for w in given:
        parents = diagram.parents(w)
        function = u in diagram.deterministic and set(diagram.parents(u)) <= set(parents)
        if w not in diagram.deterministic and (u in parents or function):
            plan.copies.setdefault(w, []).append(u)
            plan.before.append((u, w))
            return True
    return False


def _statistic(diagram: Diagram, a: str, x: str, t: str, plan: _Shaping) -> bool:
    if diagram.parents(t) != (x,) or t in plan.sufficient:
        return False
    if t in nx.ancestors(diagram.graph, a):
        return False
    plan.sufficient[t] = a
    plan.before.append((a, t))
    return True


def _cut(diagram: Diagram, a: str, z: str, given: set[str], plan: _Shaping) -> bool:
    parents = diagram.parents(z)
    if len(parents) != 1 or z in diagram.deterministic:
        return False
    x = parents[0]
    causes = set(diagram.parents(x))
    if a not in causes or causes - {a} != given or x in diagram.deterministic or x in plan.split:
        return False
    plan.split[x], plan.blind[z] = a, x
    return True


@st.composite
def _joints(
    draw: st.DrawFn, diagram: Diagram, plan: _Shaping, kept: tuple[str, ...], max_states: int, max_weight: int
) -> ExactJoint:
    graph: nx.DiGraph[str] = nx.DiGraph(diagram.graph)
    graph.add_edges_from(plan.before)
    order = tuple(nx.lexicographical_topological_sort(graph, key=diagram.variables.index))
    tables: dict[str, FractionTable] = {}
    halves: dict[str, int] = {}
    for v in order:
        parents = diagram.parents(v)
        inputs = [tables[p].shape[-1] for p in parents]
        size = draw(st.integers(2 if v in kept else 1, max_states))
        functional = v in diagram.deterministic
        if v in plan.sufficient:
            table = _at_least_posterior(diagram, tables, plan.sufficient[v], parents[0], draw, size)
        elif v in plan.split:
            table = _halved(draw, inputs, parents.index(plan.split[v]), size, max_weight)
            halves[v] = table.shape[-1] // size
        elif v in plan.blind:
            rest = halves[plan.blind[v]]
            table = np.repeat(draw(channels(inputs[0] // rest, size, max_weight=max_weight)), rest, axis=0)
        elif inputs:
            table = draw(channels(inputs, size, max_weight=max_weight, deterministic=functional))
        else:
            table = table_of_cause(draw(raw_causes(size, max_weight)), range(size))
        for u in plan.copies.get(v, ()):
            table = _with_copy(diagram, tables, v, u, table)
        tables[v] = table
    return joint_of(diagram, tables, kept)


def _with_copy(
    diagram: Diagram, tables: dict[str, FractionTable], w: str, u: str, table: FractionTable
) -> FractionTable:
    """The table of the pair (w, u), numbered w * (states of u) + u."""
    parents, states = diagram.parents(w), tables[u].shape[-1]
    result = np.full((*table.shape[:-1], table.shape[-1] * states), Fraction(0), dtype=object)
    for index in np.ndindex(*table.shape[:-1]):
        if u in parents:
            value = index[parents.index(u)]
        else:
            row = tables[u][tuple(index[parents.index(p)] for p in diagram.parents(u))]
            value = next(k for k, p in enumerate(row) if p)
        result[index][value::states] = table[index]
    return result


def _halved(draw: st.DrawFn, inputs: list[int], hidden: int, size: int, max_weight: int) -> FractionTable:
    """A table of pairs: the first half is drawn from all parents but the hidden one, the second from all."""
    shown = [k for i, k in enumerate(inputs) if i != hidden]
    first = draw(channels(shown or [1], size, max_weight=max_weight))
    second = draw(channels(inputs, size, max_weight=max_weight))
    result = np.full((*inputs, size * size), Fraction(0), dtype=object)
    for index in np.ndindex(*inputs):
        row = first[tuple(k for i, k in enumerate(index) if i != hidden) or (0,)]
        result[index] = [p * q for p in row for q in second[index]]
    return result


def _at_least_posterior(
    diagram: Diagram, tables: dict[str, FractionTable], a: str, x: str, draw: st.DrawFn, size: int
) -> FractionTable:
    """A function of x at least as fine as p(a | x): the posterior's number, and an arbitrary label."""
    known = dict(tables)
    part = Diagram(
        [(p, c) for p, c in diagram.edges if p in known and c in known],
        variables=[v for v in diagram.variables if v in known],
    )
    joint = joint_of(part, known, (x, a)).probabilities
    numbers: dict[tuple[Fraction, ...], int] = {}
    states = tables[x].shape[-1]
    posterior = []
    for row in joint:
        mass = sum(row)
        key = tuple(p / mass for p in row) if mass else ()
        posterior.append(numbers.setdefault(key, len(numbers)))
    labels = draw(st.lists(st.integers(0, size - 1), min_size=states, max_size=states))
    result = np.full((states, len(numbers) * size), Fraction(0), dtype=object)
    for k, (number, label) in enumerate(zip(posterior, labels, strict=True)):
        result[k, number * size + label] = Fraction(1)
    return result
