"""Causal diagrams, and what they say: d-separation, and the variables that others determine."""

from theory.diagrams.diagram import ESSL, Diagram
from theory.diagrams.separation import closure, separated

__all__ = ["ESSL", "Diagram", "closure", "separated"]
