"""Repair: what would make a false statement true, and what is true instead.

`premises` lists simple premises and says them in the field's words; `weakest` finds the weakest sets under
which a statement is proved; `corrected` finds what must be added to an inequality; `edges` takes edges away;
`attempt` puts them together within a time, and `front` is `repair` itself. Linear programs over a cone of
polymatroids (`theory.cones`) propose; `theory.prove` proves, with certificates.
"""

from theory.repairing.front import repair
from theory.repairing.results import Assumption, Correction, EdgeChange, NothingToRepairError, Repair

__all__ = ["Assumption", "Correction", "EdgeChange", "NothingToRepairError", "Repair", "repair"]
