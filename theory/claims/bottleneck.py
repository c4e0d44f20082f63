"""The chapter of bottlenecks: what a representation may forget, and what forgetting buys.

The ideas are those of the works named with each claim; the forms and their numbering are ours.
"""

from __future__ import annotations

from theory.claims.composed import Composed
from theory.claims.evidence import World
from theory.claims.registry import Claim
from theory.diagrams import INVARIANT, NUISANCE, Diagram
from theory.joints import Joint

__all__ = ["BOTTLENECK"]

OTHER_FEATURE = Diagram.parse("B->R, C->R, R->X, A->X, X->Z", name="diagram with another feature B")
"""The raw input has a feature B beside its class, and the transformation A acts on it."""

_CHAPTER = "bottleneck"
"""The chapter that these claims stand in."""
_ACHILLE = "after Achille and Soatto (2018), arXiv:1706.01350"
"""A source."""
_DUBOIS = "after Dubois et al. (2021), arXiv:2106.10800"
"""A source."""
_OURS = "this project"
"""The source of what is stated here for the first time."""
_KNOWN: tuple[World, ...] = ("proof", "symbolic", "exact", "sample")
"""Worlds without training."""
_PROVED: tuple[World, ...] = ("proof", "exact")
"""Worlds of claims without a generator."""


def _nuisance_kept() -> Joint:
    both = {"X": lambda y, n: 2 * y + n, "Z": lambda y, n: 2 * y + n}
    return Joint.from_function(("Y", "N"), (2, 2), both)


def _other_feature_kept() -> Joint:
    made = {"X": lambda a, b: 2 * a + b, "Z": lambda a, b: b}
    return Joint.from_function(("A", "B"), (2, 2), made)


BOTTLENECK = (
    Claim(
        "B1",
        "Minimal is invariant",
        "I(Z;N) <= I(Z;X) - I(X;Y)",
        "true",
        NUISANCE,
        ("I(X;Y|Z) == 0",),
        prose="A sufficient representation knows no more of a nuisance than it keeps of the input beyond "
        "what the task needs: squeezing it makes it invariant.",
        reference=_ACHILLE,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed(
            "Y->P, N1->P, P->Q, N2->Q, P->E, Q->E", {"Y": "Y", "N": "N1,N2", "X": "P,Q", "Z": "P,E"}
        ),
    ),
    Claim(
        "B2f",
        "Sufficient is invariant",
        "I(Z;N) == 0",
        "false",
        NUISANCE,
        ("I(X;Y|Z) == 0",),
        prose="Sufficiency alone is not invariance: the input itself is sufficient and shows the nuisance.",
        reference=_ACHILLE,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        witness=_nuisance_kept,
    ),
    Claim(
        "B3",
        "The task explains the nuisance",
        "I(Z;N) <= I(Z;N|Y)",
        "true",
        NUISANCE,
        prose="Explaining away between task and nuisance: who knows the task reads the nuisance better.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "Q1",
        "The maximal invariant is enough, and the least",
        "I(X;Y|Z) == 0 and I(X;Z) >= H(M)",
        "true",
        INVARIANT,
        ("H(M|Z) == 0",),
        prose="A representation that shows the maximal invariant serves every task that depends on it alone, "
        "and must keep at least the entropy of the invariant.",
        reference=_DUBOIS,
        chapter=_CHAPTER,
        worlds=_PROVED,
        draw=Composed("X=>M, M->Y, X->E", {"X": "X", "M": "M", "Y": "Y", "Z": "M,E"}),
    ),
    Claim(
        "N3f",
        "Invariance removes other features",
        "I(B;Z) == 0",
        "false",
        OTHER_FEATURE,
        ("I(A;Z) == 0",),
        prose="Invariance to a transformation does not by itself remove a feature that the transformation "
        "leaves alone.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_PROVED,
        witness=_other_feature_kept,
        draw=Composed(
            "B->R, C->R, R->P, A->Q", {"B": "B", "C": "C", "R": "R", "A": "A", "X": "P,Q", "Z": "P"}
        ),
    ),
)
"""Claims about minimal and invariant representations."""
