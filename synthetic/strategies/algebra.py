"""Groups, subgroups, actions, and orbit worlds."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
from hypothesis import strategies as st

from synthetic.families.orbits import Orbits
from synthetic.groups import Action, FiniteGroup, cyclic, dihedral, direct_product, symmetric, trivial
from synthetic.strategies.tables import distributions
from theory.checks import integer

__all__ = ["actions", "groups", "orbit_worlds", "subgroups"]


def groups(*, max_order: int = 12) -> st.SearchStrategy[FiniteGroup]:
    """Cyclic, dihedral and symmetric groups and products of two cyclic ones, up to an order.

    Shrinks towards small orders, and among equal orders towards cyclic groups.

    Raises:
        ValueError: If the order is not positive.
    """
    integer("max_order", max_order, 1)
    return _groups(max_order)


@lru_cache(maxsize=32)
def _groups(max_order: int) -> st.SearchStrategy[FiniteGroup]:
    every = [trivial(), *(cyclic(n) for n in range(2, max_order + 1))]
    every += [dihedral(n) for n in range(2, max_order // 2 + 1)]
    every += [symmetric(n) for n, order in ((3, 6), (4, 24), (5, 120)) if order <= max_order]
    every += [
        direct_product(cyclic(a), cyclic(b))
        for a in range(2, max_order + 1)
        for b in range(a, max_order // a + 1)
    ]
    return st.sampled_from(sorted(every, key=lambda group: (group.order, not group.is_abelian)))


def subgroups(group: FiniteGroup, *, normal: bool = False) -> st.SearchStrategy[tuple[int, ...]]:
    """The subgroups of a group, or its normal ones; shrinks towards small ones."""
    return st.sampled_from([k for k in group.subgroups if not normal or group.is_normal(k)])


@st.composite
def actions(draw: st.DrawFn, group: FiniteGroup | None = None, *, max_orbits: int = 3) -> Action:
    """Actions of a group on a few orbits, each the cosets of some subgroup.

    Every action of the group with that many orbits is one of these up to a renaming of points. Shrinks
    towards small groups and few orbits.
    """
    integer("max_orbits", max_orbits, 1)
    chosen = draw(groups()) if group is None else group
    tables, points = [], 0
    for subgroup in draw(st.lists(subgroups(chosen), min_size=1, max_size=max_orbits)):
        table = chosen.coset_action(subgroup).table
        tables.append(table + points)
        points += table.shape[1]
    return Action(chosen, np.hstack(tables))


@st.composite
def orbit_worlds(draw: st.DrawFn, *, max_order: int = 8, max_classes: int = 4, noise: bool = True) -> Orbits:
    """Orbit worlds with any group, stabilisers, classes, class prior and noise.

    Shrinks towards small groups, one class, and no noise.
    """
    group = draw(groups(max_order=max_order))
    stabilisers = draw(st.lists(subgroups(group), min_size=1, max_size=3))
    place = st.tuples(st.integers(0, len(stabilisers) - 1), st.integers(0, group.order - 1))
    classes = draw(st.lists(place, min_size=1, max_size=max_classes))
    prior = draw(st.none() | distributions(len(classes)).map(lambda p: tuple(map(float, p))))
    level = draw(st.integers(0, 8)) if noise else 0
    return Orbits(group, tuple(stabilisers), tuple(classes), prior=prior, noise=float(Fraction(level, 8)))
