"""Principle III in numbers: what simple statistics U of the input leave to be learned of the transformation.

U is a function of the input, such as the means of its channels, and W any other feature of it. The forms
are ours.
"""

from __future__ import annotations

from theory.claims.evidence import World
from theory.claims.registry import Claim
from theory.diagrams import Diagram
from theory.joints import Joint

__all__ = ["PRUNING"]

STATISTICS = Diagram.parse("C->R, S->R, V->R, R->X, A->X, X=>U, X->W", name="simple statistics diagram")
"""U is a function of the input X, and W another feature of it."""

_CHAPTER = "paper"
"""The chapter that these claims stand in."""
_OURS = "this project"
"""Their source."""
_PROVED: tuple[World, ...] = ("proof", "exact")
"""Worlds of claims without a generator."""


def _statistics_show_the_input() -> Joint:
    made = {"X": lambda a, c: a ^ c, "U": lambda a, c: a ^ c}
    return Joint.from_function(("A", "C"), (2, 2), made)


def _statistics_mix() -> Joint:
    made = {"X": lambda a, c: 2 * a + c, "U": lambda a, c: a ^ c}
    return Joint.from_function(("A", "C"), (2, 2), made)


PRUNING = (
    Claim(
        "S1",
        "What simple statistics leave to learn",
        "I(A;X|U) == I(A;X) - I(A;U)",
        "true",
        STATISTICS,
        prose="Once the simple statistics of an input are known, what is left to learn of the transformation "
        "is the difference of what the input and what they tell of it.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_PROVED,
        ours=True,
    ),
    Claim(
        "S2",
        "What any other feature can still earn",
        "I(A;W|U) <= I(A;X|U)",
        "true",
        STATISTICS,
        prose="No feature earns more than the simple statistics leave: a task that they solve pays for "
        "nothing else.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_PROVED,
        ours=True,
    ),
    Claim(
        "S3",
        "The synergy is not what is left to learn",
        "I(A;C|X) <= I(A;X|U)",
        "false",
        STATISTICS,
        prose="The synergy is another thing than what simple statistics leave: it can be large where they "
        "leave nothing.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_PROVED,
        ours=True,
        witness=_statistics_show_the_input,
    ),
    Claim(
        "S3b",
        "Simple statistics can have more synergy than the input",
        "I(A;C|U) <= I(A;C|X)",
        "false",
        STATISTICS,
        prose="Statistics that mix class and transformation have synergy where the whole input shows both.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_PROVED,
        ours=True,
        witness=_statistics_mix,
    ),
)
"""Claims about simple statistics of the input, Principle III in numbers."""
