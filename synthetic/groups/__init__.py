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

from synthetic.groups.action import Action
from synthetic.groups.group import FiniteGroup, direct_product
from synthetic.groups.named import (
    cyclic,
    dihedral,
    group_from_dict,
    group_to_dict,
    parse_group,
    symmetric,
    symmetric_action_table,
    trivial,
)

__all__ = [
    "Action",
    "FiniteGroup",
    "cyclic",
    "dihedral",
    "direct_product",
    "group_from_dict",
    "group_to_dict",
    "parse_group",
    "symmetric",
    "symmetric_action_table",
    "trivial",
]
