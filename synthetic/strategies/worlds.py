"""Joints over given names, diagrams, and models on a diagram."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import prod

import numpy as np
from hypothesis import strategies as st

from synthetic.strategies.tables import (
    ExactJoint,
    FractionTable,
    from_states,
    kept_states,
    raw_causes,
    raw_rows,
    table_of,
    table_of_cause,
)
from theory import Diagram, Model
from theory.checks import integer
from theory.diagrams import some_diagram
from theory.names import variable_names

__all__ = ["ExactModel", "diagrams", "joint_of", "joints", "joints_on", "models"]

_MAX_CELLS = 2**16
"""The largest table of a joint that is drawn."""


class ExactModel(Model):
    """A model in exact fractions, with an exact joint and a `repr` that shows its tables."""

    def joint(self, variables: Sequence[str] | None = None, **_: object) -> ExactJoint:
        """The exact joint of all variables, or of some."""
        names = self.diagram.variables if variables is None else tuple(variables)
        self.diagram.require(*names)
        return joint_of(self.diagram, self.tables, names)

    def __repr__(self) -> str:
        def row(p: FractionTable) -> str:
            return "[" + " ".join(map(str, p)) + "]"

        tables = []
        for v in self.diagram.order:
            parents = self.diagram.parents(v)
            given = f"|{','.join(parents)}" if parents else ""
            rows = " ".join(row(self.tables[v][index]) for index in np.ndindex(*self.tables[v].shape[:-1]))
            tables.append(f"p({v}{given}) = {rows}")
        return f"ExactModel({'; '.join(tables)})"


def joint_of(diagram: Diagram, tables: Mapping[str, FractionTable], names: Sequence[str]) -> ExactJoint:
    """The exact joint of some variables, found state by state in causal order.

    A variable is summed out as soon as no later table needs it.
    """
    order = diagram.order
    last = {
        v: max([i, *(order.index(c) for c in order if v in diagram.parents(c))]) for i, v in enumerate(order)
    }
    live: tuple[str, ...] = ()
    states: dict[tuple[int, ...], Fraction] = {(): Fraction(1)}
    for i, v in enumerate(order):
        places = [live.index(p) for p in diagram.parents(v)]
        grown = (*live, v)
        kept = [k for k, u in enumerate(grown) if u in names or last[u] > i]
        following: dict[tuple[int, ...], Fraction] = {}
        for state, p in states.items():
            row = tables[v][tuple(state[k] for k in places)]
            for value, q in enumerate(row):
                if q:
                    whole = (*state, value)
                    key = tuple(whole[k] for k in kept)
                    following[key] = following.get(key, Fraction(0)) + p * q
        live, states = tuple(grown[k] for k in kept), following
    position = [live.index(v) for v in names]
    arranged = {tuple(state[k] for k in position): p for state, p in states.items()}
    return from_states(names, arranged, [tables[v].shape[-1] for v in names])


def joints(
    *names: str, min_states: int = 2, max_states: int = 3, max_weight: int = 4
) -> st.SearchStrategy[ExactJoint]:
    """Joint distributions over some names, in exact fractions.

    Half of them have a few states of positive probability, half may have all. Shrinks towards few states,
    small alphabets, and equal weights, hence simple fractions.

    Args:
        *names: The variables.
        min_states: The fewest states of a variable.
        max_states: The most states of a variable.
        max_weight: The largest integer weight of a state.

    Raises:
        ValueError: If there is no name, a number is not positive, or a table may exceed 65,536 cells.
    """
    if not names:
        raise ValueError("joints needs at least one name, got none")
    integer("min_states", min_states, 1)
    integer("max_states", max_states, min_states)
    integer("max_weight", max_weight, 1)
    cells = max_states ** len(names)
    if cells > _MAX_CELLS:
        raise ValueError(
            f"joints of {len(names)} variables with {max_states} states have {cells:,} cells, more than "
            f"{_MAX_CELLS:,}: name fewer variables or take a smaller max_states"
        )
    state = st.tuples(*[st.integers(0, max_states - 1)] * len(names))
    sparse = st.lists(st.tuples(state, st.integers(1, max_weight)), min_size=1, max_size=max(4, cells // 2))
    dense = st.lists(st.integers(0, max_weight), min_size=min(cells, 4), max_size=cells).map(
        lambda weights: list(zip(np.ndindex(*[max_states] * len(names)), weights, strict=False))
    )
    return _joints(names, st.one_of(sparse, dense), min_states)


@st.composite
def _joints(
    draw: st.DrawFn,
    names: tuple[str, ...],
    weighted: st.SearchStrategy[list[tuple[tuple[int, ...], int]]],
    min_states: int,
) -> ExactJoint:
    weights: dict[tuple[int, ...], int] = {}
    for state, w in draw(weighted):
        weights[state] = weights.get(state, 0) + w
    total = sum(weights.values())
    if not total:
        weights, total = {(0,) * len(names): 1}, 1
    return from_states(names, {state: Fraction(w, total) for state, w in weights.items() if w}).compact(
        min_states
    )


@st.composite
def diagrams(
    draw: st.DrawFn, *names: str, max_parents: int | None = None, deterministic: bool = False
) -> Diagram:
    """Causal diagrams over some names, every edge from an earlier name to a later one.

    Shrinks towards no edges and no deterministic nodes.

    Args:
        draw: Supplied by Hypothesis.
        *names: The variables, causes first.
        max_parents: The most parents of a variable; None for no limit.
        deterministic: Whether variables may be functions of their parents.
    """
    if not names:
        raise ValueError("diagrams needs at least one name, got none")
    edges: list[tuple[str, str]] = []
    for a, b in combinations(names, 2):
        room = max_parents is None or sum(child == b for _, child in edges) < max_parents
        if room and draw(st.booleans()):
            edges.append((a, b))
    children = [v for v in names if any(child == v for _, child in edges)]
    functions = [v for v in children if deterministic and draw(st.booleans())]
    return Diagram(edges, variables=names, deterministic=functions)


@st.composite
def models(
    draw: st.DrawFn,
    diagram: Diagram | str,
    *,
    min_states: int = 2,
    max_states: int = 3,
    max_weight: int = 4,
    states: Mapping[str, int] | None = None,
    hidden: str | Collection[str] = (),
) -> ExactModel:
    """Models on a diagram: a table for every variable given its parents, in exact fractions.

    Shrinks towards small alphabets and constant functions; deterministic nodes always get functions. An
    alphabet shrinks state by state: whichever state is left out, the others keep their rows.

    Args:
        draw: Supplied by Hypothesis.
        diagram: The causal diagram, or its text.
        min_states: The fewest states of a variable.
        max_states: The most states of a variable.
        max_weight: The largest integer weight of a row.
        states: The number of states of some variables, in place of a drawn one.
        hidden: Variables that have at most two states and may be constant.
    """
    diagram, hidden = some_diagram(diagram), variable_names("hidden", hidden)
    fixed = dict(states or {})
    diagram.require(*fixed, *hidden)
    integer("min_states", min_states, 1)
    integer("max_states", max_states, min_states)
    largest, kept = {}, {}
    for v in diagram.variables:
        low, high = (1, min(2, max_states)) if v in hidden else (min_states, max_states)
        largest[v] = fixed.get(v, high)
        kept[v] = list(range(fixed[v])) if v in fixed else draw(kept_states(low, high))
    tables = {}
    for v in diagram.order:
        parents = diagram.parents(v)
        if parents:
            most = [largest[p] for p in parents]
            raw = draw(raw_rows(prod(most), largest[v], max_weight, v in diagram.deterministic))
            tables[v] = table_of(raw, most, [kept[p] for p in parents], kept[v])
        else:
            tables[v] = table_of_cause(draw(raw_causes(largest[v], max_weight)), kept[v])
    return ExactModel(diagram, tables)


def joints_on(
    diagram: Diagram | str, *names: str, max_states: int = 3, max_weight: int = 4
) -> st.SearchStrategy[ExactJoint]:
    """Joints of some variables, or of all, that factorise on a diagram.

    Variables that are not named have at most two states and may be constant; states of probability zero are
    left out. Shrinks as `models` does.

    Args:
        diagram: The causal diagram, or its text, such as `"X->Y"` or `"essl"`.
        *names: The variables of the joints; none for all of the diagram.
        max_states: The most states of a variable.
        max_weight: The largest integer weight of a row.

    Raises:
        ValueError: If a name is not in the diagram.
    """
    diagram = some_diagram(diagram)
    kept = names or diagram.variables
    diagram.require(*kept)
    hidden = tuple(v for v in diagram.variables if v not in kept)
    return _joints_of(models(diagram, max_states=max_states, max_weight=max_weight, hidden=hidden), kept)


@st.composite
def _joints_of(draw: st.DrawFn, drawn: st.SearchStrategy[ExactModel], kept: tuple[str, ...]) -> ExactJoint:
    return draw(drawn).joint(kept).compact()
