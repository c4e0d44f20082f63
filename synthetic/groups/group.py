"""A finite group as its multiplication table: subgroups, cosets, quotients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt

from synthetic.groups.action import Action
from theory.errors import TooLargeError, shown

__all__ = ["FiniteGroup", "direct_product", "require_order"]

MOST_JOINS = 50_000
"""The most pairs of subgroups that are joined in the search for all: some seconds."""

MOST_ELEMENTS = 4096
"""The largest order of a group whose multiplication table is made."""

Integers = npt.NDArray[np.int64]


class FiniteGroup:
    """A finite group, given by its multiplication table.

    Args:
        table: The products, `table[g, h] = gh`, integers of shape (order, order).
        name: Its name; the named groups have the text that `parse_group` reads.
        labels: A label for each element, for tables and plots; None for the numbers.

    Raises:
        ValueError: If the table is not square, leaves 0 .. order - 1, has no identity, lacks an inverse
            or is not associative, or there is not one label for each element.
    """

    def __init__(
        self, table: npt.ArrayLike, *, name: str = "group", labels: Sequence[str] | None = None
    ) -> None:
        try:
            cayley = np.array(table)
        except ValueError:
            raise ValueError(f"a multiplication table must be square, got {shown(table)}") from None
        if cayley.ndim != 2 or cayley.shape[0] != cayley.shape[1] or not cayley.size:
            raise ValueError(f"a multiplication table must be square and not empty, got shape {cayley.shape}")
        if not np.issubdtype(cayley.dtype, np.integer):
            raise ValueError(f"a multiplication table needs integers, got {cayley.dtype}")
        order = len(cayley)
        if cayley.min() < 0 or cayley.max() >= order:
            raise ValueError(
                f"products must stay in 0..{order - 1} (closure), got {cayley.min()}..{cayley.max()}"
            )
        cayley = cayley.astype(np.int64)
        elements = np.arange(order)
        units = [
            e for e in range(order) if (cayley[e] == elements).all() and (cayley[:, e] == elements).all()
        ]
        if not units:
            raise ValueError("a group needs an identity element, and the multiplication table has none")
        self.name = name
        self.labels = tuple(map(str, range(order))) if labels is None else tuple(labels)
        if len(self.labels) != order:
            raise ValueError(f"labels must name each of the {order} elements, got {len(self.labels)}")
        self.identity: int = units[0]
        is_inverse = cayley == self.identity
        if not is_inverse.any(axis=1).all():
            lonely = int(np.flatnonzero(~is_inverse.any(axis=1))[0])
            raise ValueError(f"every element needs an inverse, and {lonely} has none")
        self.inverses: Integers = is_inverse.argmax(axis=1)
        self.table: Integers = cayley
        for g in self.generators:
            if not np.array_equal(cayley[cayley[:, g]], cayley[:, cayley[g]]):
                raise ValueError(f"the multiplication table is not associative: (xg)y != x(gy) for g={g}")
        if not np.array_equal(cayley[self.inverses, elements], np.full(order, self.identity)):
            raise ValueError("left and right inverses differ, so the table is not a group")
        self.table.flags.writeable = False
        self.inverses.flags.writeable = False

    @property
    def order(self) -> int:
        """The number of elements."""
        return len(self.table)

    def __len__(self) -> int:
        return self.order

    @property
    def elements(self) -> Integers:
        """The elements 0 .. order - 1, of shape (order,)."""
        return np.arange(self.order)

    def multiply(self, g: npt.ArrayLike, h: npt.ArrayLike) -> Integers:
        """The product gh, elementwise with broadcasting.

        Raises:
            ValueError: If an element is not in the group.
        """
        return np.asarray(self.table[self._elements(g), self._elements(h)])

    def inverse(self, g: npt.ArrayLike) -> Integers:
        """The inverse of g, elementwise.

        Raises:
            ValueError: If an element is not in the group.
        """
        return np.asarray(self.inverses[self._elements(g)])

    def conjugate(self, subgroup: Iterable[int], g: int) -> tuple[int, ...]:
        """The subgroup g K g^-1, sorted."""
        members = self.require_subgroup(subgroup)
        return tuple(sorted(int(x) for x in self.multiply(self.multiply(g, members), self.inverse(g))))

    def _elements(self, g: npt.ArrayLike) -> Integers:
        index = np.asarray(g)
        if not np.issubdtype(index.dtype, np.integer):
            raise ValueError(f"elements of {self.name} are integers 0..{self.order - 1}, got {index.dtype}")
        if index.size and (index.min() < 0 or index.max() >= self.order):
            raise ValueError(
                f"elements of {self.name} are 0..{self.order - 1}, got {index.min()}..{index.max()}"
            )
        return index

    @cached_property
    def generators(self) -> tuple[int, ...]:
        """A small generating set, found greedily: each element that earlier ones do not generate."""
        chosen: list[int] = []
        reached = {self.identity}
        for g in range(self.order):
            if g not in reached:
                chosen.append(g)
                reached = set(self._closure(chosen))
        return tuple(chosen)

    def _closure(self, generators: Iterable[int]) -> tuple[int, ...]:
        reached = np.zeros(self.order, dtype=bool)
        reached[self.identity] = True
        steps = np.array(sorted(set(generators)), dtype=np.int64)
        frontier = np.array([self.identity])
        while frontier.size and steps.size:
            new = np.unique(self.table[np.ix_(frontier, steps)])
            frontier = new[~reached[new]]
            reached[frontier] = True
        return tuple(int(g) for g in np.flatnonzero(reached))

    def generate(self, generators: Iterable[int]) -> tuple[int, ...]:
        """The subgroup that some elements generate, sorted.

        Raises:
            ValueError: If an element is not in the group.
        """
        steps = np.array(list(generators), dtype=np.int64)
        return self._closure(int(g) for g in self._elements(steps))

    def is_subgroup(self, elements: Iterable[int]) -> bool:
        """Whether a set of elements contains the identity and is closed under products."""
        members = sorted(set(elements))
        if self.identity not in members or members[0] < 0 or members[-1] >= self.order:
            return False
        return bool(np.isin(self.table[np.ix_(members, members)], members).all())

    def require_subgroup(self, elements: Iterable[int], *, argument: str = "subgroup") -> tuple[int, ...]:
        """The elements sorted, if they form a subgroup.

        Raises:
            ValueError: If they do not; the message says why.
        """
        members = tuple(sorted({int(g) for g in self._elements(np.array(list(elements), dtype=np.int64))}))
        if self.identity not in members:
            raise ValueError(
                f"{argument} must be a subgroup of {self.name}: {list(members)} lacks the identity "
                f"{self.identity}"
            )
        products = self.table[np.ix_(members, members)]
        outside = np.argwhere(~np.isin(products, members))
        if len(outside):
            g, h = members[outside[0][0]], members[outside[0][1]]
            raise ValueError(
                f"{argument} must be a subgroup of {self.name}: {list(members)} contains {g} and {h} "
                f"but not their product {self.table[g, h]}"
            )
        return members

    @cached_property
    def subgroups(self) -> tuple[tuple[int, ...], ...]:
        """All subgroups, smallest first.

        Raises:
            TooLargeError: If there are so many that finding them would take more than some seconds, as in
                products of many small groups.
        """
        cyclic_ones = self._cyclic_subgroups()
        known = set(cyclic_ones)
        frontier = set(cyclic_ones)
        joins = 0
        while frontier:
            joins += len(frontier) * len(cyclic_ones)
            if joins > MOST_JOINS:
                raise TooLargeError(
                    f"{self.name} has more than {len(known):,} subgroups, and looking for more would take "
                    f"over {MOST_JOINS:,} products of them: name those that you need with generate(..)"
                )
            joined = {
                self._closure([*k, *z]) for k in frontier for z in cyclic_ones if not set(z) <= set(k)
            } - known
            known |= joined
            frontier = joined
        return tuple(sorted(known, key=lambda k: (len(k), k)))

    def _cyclic_subgroups(self) -> set[tuple[int, ...]]:
        """The subgroups that one element generates, by its powers, all elements at once."""
        members = np.zeros((self.order, self.order), dtype=bool)
        power = self.elements
        while not members[self.elements, power].all():
            members[self.elements, power] = True
            power = self.table[power, self.elements]
        return {tuple(np.flatnonzero(row).tolist()) for row in np.unique(members, axis=0)}

    def left_cosets(self, subgroup: Iterable[int]) -> Integers:
        """The coset number of each element: g and h agree where gK = hK; shape (order,).

        Cosets are numbered by their smallest element, so that K itself is number 0 when the identity is 0.
        """
        members = list(self.require_subgroup(subgroup))
        smallest = self.table[:, members].min(axis=1)
        return np.unique(smallest, return_inverse=True)[1].astype(np.int64)

    def right_cosets(self, subgroup: Iterable[int]) -> Integers:
        """The coset number of each element: g and h agree where Kg = Kh; shape (order,)."""
        members = list(self.require_subgroup(subgroup))
        smallest = self.table[members].min(axis=0)
        return np.unique(smallest, return_inverse=True)[1].astype(np.int64)

    def index(self, subgroup: Iterable[int]) -> int:
        """The number of cosets, [G : K]."""
        return self.order // len(self.require_subgroup(subgroup))

    def is_normal(self, subgroup: Iterable[int]) -> bool:
        """Whether gK = Kg for every g."""
        members = self.require_subgroup(subgroup)
        return bool(np.array_equal(self.left_cosets(members), self.right_cosets(members)))

    def quotient(self, subgroup: Iterable[int]) -> tuple[FiniteGroup, Integers]:
        """The quotient by a normal subgroup, and the projection of each element onto it.

        Raises:
            ValueError: If the subgroup is not normal.
        """
        members = self.require_subgroup(subgroup)
        if not self.is_normal(members):
            raise ValueError(
                f"the quotient of {self.name} needs a normal subgroup, and {list(members)} is not normal"
            )
        projection = self.left_cosets(members)
        representatives = np.unique(projection, return_index=True)[1]
        table = projection[self.table[np.ix_(representatives, representatives)]]
        return FiniteGroup(table, name=f"{self.name} / {list(members)}"), projection

    @cached_property
    def is_abelian(self) -> bool:
        """Whether gh = hg for all elements."""
        return bool(np.array_equal(self.table, self.table.T))

    @cached_property
    def element_orders(self) -> Integers:
        """The smallest k >= 1 with g^k the identity, for each element; shape (order,)."""
        orders = np.ones(self.order, dtype=np.int64)
        power = self.elements
        while (unfinished := power != self.identity).any():
            orders += unfinished
            power = np.where(unfinished, self.table[power, self.elements], power)
        return orders

    def regular_action(self) -> Action:
        """The group acting on itself by left multiplication."""
        return Action(self, self.table)

    def coset_action(self, subgroup: Iterable[int]) -> Action:
        """The group acting on the left cosets of a subgroup, the transitive action with that stabiliser.

        Point 0 is the coset K itself when the identity is element 0.
        """
        coset_of = self.left_cosets(subgroup)
        representatives = np.unique(coset_of, return_index=True)[1]
        return Action(self, coset_of[self.table[:, representatives]])

    def trivial_action(self, points: int = 1) -> Action:
        """Every element leaves every point where it is."""
        return Action(self, np.tile(np.arange(points), (self.order, 1)))

    def __mul__(self, other: FiniteGroup) -> FiniteGroup:
        return direct_product(self, other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FiniteGroup):
            return NotImplemented
        return np.array_equal(self.table, other.table)

    def __hash__(self) -> int:
        return hash((self.order, self.table.tobytes()))

    def __repr__(self) -> str:
        return f"FiniteGroup({self.name}, order {self.order})"


def direct_product(*groups: FiniteGroup) -> FiniteGroup:
    """The direct product; the element (g, h) of G x H is number g |H| + h.

    Args:
        *groups: The factors, at least one, in the order of the pairs.

    Raises:
        ValueError: If no group is given, or the order exceeds 4096.
    """
    if not groups:
        raise ValueError("a direct product needs at least one group, got none")

    def pair(left: FiniteGroup, right: FiniteGroup) -> FiniteGroup:
        name = f"{left.name} x {right.name}"
        require_order(name, None, left.order * right.order)
        table = left.table[:, None, :, None] * right.order + right.table[None, :, None, :]
        order = left.order * right.order
        labels = [f"{a}.{b}" for a in left.labels for b in right.labels]
        return FiniteGroup(table.reshape(order, order), name=name, labels=labels)

    return reduce(pair, groups)


def require_order(name: str, n: int | None, order: int) -> None:
    """Refuse a group of more than `MOST_ELEMENTS` elements, or of none.

    Raises:
        ValueError: If the order is out of bounds.
    """
    if order < 1 or order > MOST_ELEMENTS:
        what = f"{name}(n) needs n of at least 1 and" if n is not None else f"{name} needs"
        raise ValueError(
            f"{what} an order of at most {MOST_ELEMENTS}, got {shown(order if n is None else n)}"
        )
