r"""Finite groups as multiplication tables: subgroups, cosets, quotients, actions, orbits, stabilisers.

A group of order m has the elements 0 .. m - 1, and everything about it is read from its Cayley table
`table[g, h] = gh`, an integer array of shape (m, m). Actions are left actions: `(gh).x = g.(h.x)`.

The names that `parse_group` reads are `cyclic(n)`, `dihedral(n)`, `symmetric(n)` with n at most 5,
`trivial`, and direct products such as `cyclic(4) x cyclic(2)`.

Example:
    >>> square = dihedral(4)
    >>> square.order, square.is_abelian
    (8, False)
    >>> turns = square.generate([1])
    >>> quotient, coset_of = square.quotient(turns)
    >>> quotient.order, coset_of.tolist()
    (2, [0, 0, 0, 0, 1, 1, 1, 1])
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Action",
    "FiniteGroup",
    "cyclic",
    "dihedral",
    "direct_product",
    "parse_group",
    "symmetric",
    "trivial",
]

Integers = npt.NDArray[np.int64]

_MAX_ORDER = 4096
_MAX_SYMMETRIC = 5
_FACTOR = re.compile(r"(?P<kind>[a-z]+)\s*(?:\(\s*(?P<n>\d+)\s*\))?\Z")


class FiniteGroup:
    """A finite group, given by its multiplication table.

    Args:
        table: The products, `table[g, h] = gh`, integers of shape (order, order).
        name: What to call it; the named groups have the text that `parse_group` reads.
        labels: A label for each element, for tables and plots; None for the numbers.

    Raises:
        ValueError: If the table is not square, leaves 0 .. order - 1, has no identity, lacks an inverse
            or is not associative, or there is not one label for each element.
    """

    def __init__(
        self, table: npt.ArrayLike, *, name: str = "group", labels: Sequence[str] | None = None
    ) -> None:
        cayley = np.array(table)
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
        found = cayley == self.identity
        if not found.any(axis=1).all():
            lonely = int(np.flatnonzero(~found.any(axis=1))[0])
            raise ValueError(f"every element needs an inverse, and {lonely} has none")
        self.inverses: Integers = found.argmax(axis=1)
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
        """All subgroups, smallest first; meant for groups of order up to a few hundred."""
        cyclic_ones = {self._closure([g]) for g in range(self.order)}
        found = set(cyclic_ones)
        frontier = set(cyclic_ones)
        while frontier:
            joined = {
                self._closure([*k, *z]) for k in frontier for z in cyclic_ones if not set(z) <= set(k)
            } - found
            found |= joined
            frontier = joined
        return tuple(sorted(found, key=lambda k: (len(k), k)))

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

    def to_json(self) -> str | dict[str, Any]:
        """The group's name where `parse_group` reads it back, else its table; see `from_json`."""
        try:
            named = parse_group(self.name) == self
        except ValueError:
            named = False
        return self.name if named else {"name": self.name, "table": self.table.tolist()}

    @classmethod
    def from_json(cls, value: str | dict[str, Any]) -> FiniteGroup:
        """The group that `to_json` wrote.

        Raises:
            ValueError: If it is neither a name nor a table.
        """
        if isinstance(value, str):
            return parse_group(value)
        if not isinstance(value, dict) or "table" not in value:
            raise ValueError(f"a group is a name or an object with a table, got {value!r}")
        return cls(value["table"], name=str(value.get("name", "group")))

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


class Action:
    """A left action of a finite group on the points 0 .. k - 1.

    Args:
        group: The group.
        table: The images, `table[g, x] = g.x`, integers of shape (order, k).

    Raises:
        ValueError: If the shape does not fit, an image is not a point, or a law fails: the identity must
            leave every point, and (gh).x must be g.(h.x).

    Example:
        >>> action = cyclic(4).coset_action([0, 2])
        >>> action.orbits, action.stabiliser(0)
        (((0, 1),), (0, 2))
    """

    def __init__(self, group: FiniteGroup, table: npt.ArrayLike) -> None:
        images = np.array(table)
        if images.ndim != 2 or len(images) != group.order or not images.size:
            raise ValueError(
                f"an action of {group!r} needs shape ({group.order}, points), got {images.shape}"
            )
        if not np.issubdtype(images.dtype, np.integer):
            raise ValueError(f"an action needs integer points, got {images.dtype}")
        points = images.shape[1]
        if images.min() < 0 or images.max() >= points:
            raise ValueError(f"images must stay in 0..{points - 1}, got {images.min()}..{images.max()}")
        if not np.array_equal(images[group.identity], np.arange(points)):
            raise ValueError("the identity must leave every point where it is")
        for g in group.generators:
            if not np.array_equal(images[group.table[:, g]], images[:, images[g]]):
                raise ValueError(f"the action breaks (hg).x = h.(g.x) for g={g}")
        self.group = group
        self.table: Integers = images.astype(np.int64)
        self.table.flags.writeable = False

    @property
    def points(self) -> int:
        """The number of points acted on."""
        return int(self.table.shape[1])

    def apply(self, g: npt.ArrayLike, x: npt.ArrayLike) -> Integers:
        """The image g.x, elementwise with broadcasting.

        Raises:
            ValueError: If an element or a point does not exist.
        """
        point = np.asarray(x)
        if not np.issubdtype(point.dtype, np.integer):
            raise ValueError(f"points are integers 0..{self.points - 1}, got {point.dtype}")
        if point.size and (point.min() < 0 or point.max() >= self.points):
            raise ValueError(f"points are 0..{self.points - 1}, got {point.min()}..{point.max()}")
        return np.asarray(self.table[self.group._elements(g), point])

    def stabiliser(self, x: int) -> tuple[int, ...]:
        """The elements that leave a point where it is, sorted."""
        return tuple(int(g) for g in np.flatnonzero(self.apply(self.group.elements, x) == x))

    def orbit(self, x: int) -> tuple[int, ...]:
        """The images of a point, sorted."""
        return tuple(int(y) for y in np.unique(self.apply(self.group.elements, x)))

    @cached_property
    def orbits(self) -> tuple[tuple[int, ...], ...]:
        """The orbits, ordered by their smallest point."""
        return tuple(sorted({self.orbit(x) for x in range(self.points)}))

    @cached_property
    def orbit_of(self) -> Integers:
        """The number of the orbit of each point; shape (points,)."""
        return np.unique(self.table.min(axis=0), return_inverse=True)[1].astype(np.int64)

    def __repr__(self) -> str:
        return f"Action({self.group.name} on {self.points} points, {len(self.orbits)} orbits)"


def trivial() -> FiniteGroup:
    """The group of one element."""
    return FiniteGroup([[0]], name="trivial", labels=["e"])


def cyclic(n: int) -> FiniteGroup:
    """The integers modulo n under addition: element k is the k-th power of the generator 1.

    Raises:
        ValueError: If n is not between 1 and 4096.
    """
    _require_order("cyclic", n, n)
    k = np.arange(n)
    return FiniteGroup((k[:, None] + k) % n, name=f"cyclic({n})", labels=[f"r{i}" for i in range(n)])


def dihedral(n: int) -> FiniteGroup:
    """The symmetries of the regular n-gon, of order 2n: element k + n f is r^k s^f, and s r = r^-1 s.

    Raises:
        ValueError: If 2n is not between 2 and 4096.
    """
    _require_order("dihedral", n, 2 * n)
    k, f = np.tile(np.arange(n), 2), np.repeat([0, 1], n)
    turn = (k[:, None] + np.where(f, -1, 1)[:, None] * k) % n
    labels = [f"r{i}" for i in range(n)] + [f"r{i}s" for i in range(n)]
    return FiniteGroup(turn + n * (f[:, None] ^ f), name=f"dihedral({n})", labels=labels)


def symmetric(n: int) -> FiniteGroup:
    """All permutations of n points in lexicographic order, (gh)(i) = g(h(i)); n at most 5.

    Raises:
        ValueError: If n is not between 1 and 5.
    """
    if not 1 <= n <= _MAX_SYMMETRIC:
        raise ValueError(f"symmetric(n) needs n between 1 and {_MAX_SYMMETRIC}, got {n}")
    images = symmetric_action_table(n)
    place = n ** np.arange(n - 1, -1, -1)
    codes = images @ place  # (order,), increasing
    products = images[:, images] @ place  # (order, order): g applied after h
    labels = ["".join(map(str, row)) for row in images]
    return FiniteGroup(np.searchsorted(codes, products), name=f"symmetric({n})", labels=labels)


def symmetric_action_table(n: int) -> Integers:
    """The natural action of `symmetric(n)` on 0 .. n - 1, of shape (n!, n)."""
    return np.array(list(permutations(range(n))), dtype=np.int64)


def direct_product(*groups: FiniteGroup) -> FiniteGroup:
    """The direct product; the element (g, h) of G x H is number g |H| + h.

    Raises:
        ValueError: If no group is given, or the order exceeds 4096.
    """
    if not groups:
        raise ValueError("a direct product needs at least one group, got none")

    def pair(left: FiniteGroup, right: FiniteGroup) -> FiniteGroup:
        name = f"{left.name} x {right.name}"
        _require_order(name, None, left.order * right.order)
        table = left.table[:, None, :, None] * right.order + right.table[None, :, None, :]
        order = left.order * right.order
        labels = [f"{a}.{b}" for a in left.labels for b in right.labels]
        return FiniteGroup(table.reshape(order, order), name=name, labels=labels)

    return reduce(pair, groups)


def parse_group(text: str) -> FiniteGroup:
    """Read a group from its name, such as `cyclic(4)` or `cyclic(4) x dihedral(3)`.

    Raises:
        ValueError: If the text is not the name of a group.
    """
    makers: dict[str, Any] = {"cyclic": cyclic, "dihedral": dihedral, "symmetric": symmetric}
    factors = []
    for piece in re.split(r"\s+x\s+", text.strip()):
        match = _FACTOR.match(piece)
        kind, n = (match["kind"], match["n"]) if match else ("", None)
        if kind == "trivial" and n is None:
            factors.append(trivial())
        elif kind in makers and n is not None:
            factors.append(makers[kind](int(n)))
        else:
            raise ValueError(
                f"cannot read the group {text!r}: expected cyclic(n), dihedral(n), symmetric(n), trivial or "
                f"a product such as 'cyclic(4) x cyclic(2)', got {piece!r}"
            )
    return direct_product(*factors)


def _require_order(name: str, n: int | None, order: int) -> None:
    if order < 1 or order > _MAX_ORDER:
        what = f"{name}(n) needs n of at least 1 and" if n is not None else f"{name} needs"
        raise ValueError(f"{what} an order of at most {_MAX_ORDER}, got {order if n is None else n}")
