"""The groups that have names, and products of them."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic.groups.group import FiniteGroup, direct_product, require_order
from theory.errors import shown

__all__ = [
    "cyclic",
    "dihedral",
    "group_from_dict",
    "group_to_dict",
    "parse_group",
    "symmetric",
    "symmetric_action_table",
    "trivial",
]

Integers = npt.NDArray[np.int64]

_MAX_SYMMETRIC = 5
"""The largest n of a symmetric group: for 6 the table would have half a million products."""

_FACTOR = re.compile(r"(?P<kind>[a-z]+)\s*(?:\(\s*(?P<n>\d+)\s*\))?\Z")
"""One factor of a product of groups, such as `cyclic(4)` or `trivial`."""


def trivial() -> FiniteGroup:
    """The group of one element."""
    return FiniteGroup([[0]], name="trivial", labels=["e"])


def cyclic(n: int) -> FiniteGroup:
    """The integers modulo n under addition: element k is the k-th power of the generator 1.

    Raises:
        ValueError: If n is not between 1 and 4096.
    """
    require_order("cyclic", n, n)
    k = np.arange(n)
    return FiniteGroup((k[:, None] + k) % n, name=f"cyclic({n})", labels=[f"r{i}" for i in range(n)])


def dihedral(n: int) -> FiniteGroup:
    """The symmetries of the regular n-gon, of order 2n: element k + n f is r^k s^f, and s r = r^-1 s.

    Raises:
        ValueError: If 2n is not between 2 and 4096.
    """
    require_order("dihedral", n, 2 * n)
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


def parse_group(text: str) -> FiniteGroup:
    """Read a group from its name, such as `cyclic(4)` or `cyclic(4) x dihedral(3)`.

    Raises:
        ValueError: If the text is not the name of a group.
    """
    return _parsed(text.strip())


@lru_cache(maxsize=2)
def _parsed(text: str) -> FiniteGroup:
    """The group of a name, remembered: settings ask again for the group that was just made."""
    makers: dict[str, Any] = {"cyclic": cyclic, "dihedral": dihedral, "symmetric": symmetric}
    factors = []
    for piece in re.split(r"\s+x\s+", text):
        match = _FACTOR.match(piece)
        kind, n = (match["kind"], match["n"]) if match else ("", None)
        if kind == "trivial" and n is None:
            factors.append(trivial())
        elif kind in makers and n is not None:
            factors.append(makers[kind](int(n)))
        else:
            raise ValueError(
                f"cannot read the group {shown(text)}: expected cyclic(n), dihedral(n), symmetric(n), "
                f"trivial or a product such as 'cyclic(4) x cyclic(2)', got {shown(piece)}"
            )
    return direct_product(*factors)


def group_to_dict(group: FiniteGroup) -> str | dict[str, Any]:
    """The group's name where `parse_group` reads it back, else its table; see `group_from_dict`."""
    try:
        readable = parse_group(group.name) == group
    except ValueError:
        readable = False
    return group.name if readable else {"name": group.name, "table": group.table.tolist()}


def group_from_dict(value: str | dict[str, Any]) -> FiniteGroup:
    """The group that `group_to_dict` wrote.

    Raises:
        ValueError: If it is neither a name nor a table.
    """
    if isinstance(value, str):
        return parse_group(value)
    if not isinstance(value, dict) or "table" not in value:
        raise ValueError(f"a group is a name or an object with a table, got {shown(value)}")
    return FiniteGroup(value["table"], name=str(value.get("name", "group")))
