"""Bounds: the tightest linear inequalities between a term and others, and what measured values allow.

`projection` finds all facets of the cone of polymatroids in the few dimensions of the terms, with `duals` in
exact integers; `rows` solves them for the target; `front` is `bounds` itself.
"""

from theory.bounding.front import bounds
from theory.bounding.results import Bound, Bounds, Violation

__all__ = ["Bound", "Bounds", "Violation", "bounds"]
