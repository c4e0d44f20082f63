"""The chapter of heads: encoder output H, projection head output Z, and what the head throws away.

The forms and their numbering are ours. `synergy experiment projection-head` judges them on networks.
"""

from __future__ import annotations

from theory.claims.composed import Composed
from theory.claims.evidence import World
from theory.claims.registry import Claim
from theory.diagrams import HEAD
from theory.joints import Joint

__all__ = ["HEADS"]

_CHAPTER = "heads"
"""The chapter that these claims stand in."""
_OURS = "this project"
"""The source of what is stated here for the first time."""
_KNOWN: tuple[World, ...] = ("proof", "symbolic", "exact", "sample")
"""Worlds without training."""


def _head_drops_the_transformation() -> Joint:
    made = {"X": lambda a, c: 2 * a + c, "H": lambda a, c: 2 * a + c, "Z": lambda a, c: c}
    return Joint.from_function(("A", "C"), (2, 2), made)


def _head_mixes() -> Joint:
    made = {"X": lambda a, c: 2 * a + c, "H": lambda a, c: 2 * a + c, "Z": lambda a, c: a ^ c}
    return Joint.from_function(("A", "C"), (2, 2), made)


HEADS = (
    Claim(
        "H1",
        "What a head throws away",
        "I(C;Z) <= I(C;H) and I(A;Z) <= I(A;H) and I(C;H) - I(C;Z) == I(C;H|Z)",
        "true",
        HEAD,
        prose="A projection head knows no more of class and transformation than the encoder before it, and "
        "what it loses of the class is what the encoder tells beyond it.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "H2f",
        "An invariant head makes an invariant encoder",
        "I(A;H) == 0",
        "false",
        HEAD,
        ("I(A;Z) == 0",),
        prose="The loss sees the head alone: the encoder before an invariant head can keep the "
        "transformation.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        witness=_head_drops_the_transformation,
        draw=Composed(
            "C->R, S->R, V->R, R->P, A->Q",
            {"C": "C", "S": "S", "V": "V", "R": "R", "A": "A", "X": "P,Q", "H": "P,Q", "Z": "P"},
        ),
    ),
    Claim(
        "H3f",
        "Synergy does not grow through a head",
        "I(A;C|Z) <= I(A;C|H)",
        "false",
        HEAD,
        prose="A head can create synergy: where the encoder shows class and transformation, a head that "
        "shows only their combination has more of it.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        witness=_head_mixes,
    ),
    Claim(
        "H4",
        "Class uncertainty after a head",
        "H(C|Z) <= H(C|Z,A) + I(A;C|Z)",
        "true",
        HEAD,
        prose="The class uncertainty that a head leaves is at most what knowing the transformation would "
        "leave, plus the synergy at the head.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
)
"""Claims about projection heads."""
