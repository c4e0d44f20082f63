"""Causal diagrams, and what they say: d-separation, and the variables that others determine."""

from theory.diagrams.diagram import ESSL, Diagram
from theory.diagrams.named import (
    DIAGRAMS,
    GIVEN_CLASS,
    HEAD,
    INVARIANT,
    NUISANCE,
    SIGNAL,
    TWO_VIEWS,
    diagram_text,
    read_diagram,
    some_diagram,
)
from theory.diagrams.separation import closure, separated

__all__ = [
    "DIAGRAMS",
    "ESSL",
    "GIVEN_CLASS",
    "HEAD",
    "INVARIANT",
    "NUISANCE",
    "SIGNAL",
    "TWO_VIEWS",
    "Diagram",
    "closure",
    "diagram_text",
    "read_diagram",
    "separated",
    "some_diagram",
]
