"""The chapter of many views: a signal S that supervises itself, and a task T that it stands in for.

The ideas are those of the works named with each claim; the forms and their numbering are ours.
"""

from __future__ import annotations

from theory.claims.composed import Composed
from theory.claims.evidence import World
from theory.claims.registry import Claim
from theory.diagrams import SIGNAL, Diagram
from theory.joints import Joint

__all__ = ["MULTI_VIEW"]

SMALLER = Diagram.parse(f"{SIGNAL}, Z->M", name="signal diagram with a smaller representation")
"""M is made from the representation Z."""

BESIDE = Diagram.parse(f"{SIGNAL}, X->M", name="signal diagram with a representation M")
"""M is made from the input X."""

_CHAPTER = "multi-view"
"""The chapter that these claims stand in."""
_TSAI = "after Tsai et al. (2021), arXiv:2006.05576"
"""A source."""
_FEDERICI = "after Federici et al. (2020), arXiv:2002.07017"
"""A source."""
_WANG = "after Wang et al. (2022), arXiv:2203.07004"
"""A source."""
_OURS = "this project"
"""The source of what is stated here for the first time."""
_KNOWN: tuple[World, ...] = ("proof", "symbolic", "exact", "sample")
"""Worlds without training."""

_SUFFICIENT = "W->S, W->P, P->Q, V->Q, P->E, Q->E, W->T, V->T"
"""U = (W, V) and X = (P, Q): the signal is made from W, and Q tells nothing of it beyond P. T needs both."""

_REDUNDANT = "S->T, S->P, P->Q, V->Q, P->E, Q->E"
"""U = (S, V): the task depends on the signal alone."""


def _task_beside_the_signal() -> Joint:
    seen = {"X": lambda u: u & 1, "S": lambda u: u >> 1, "T": lambda u: u & 1, "Z": lambda u: 0}
    return Joint.from_function(("U",), (4,), seen)


def _signal_beyond_the_input() -> Joint:
    seen = {"X": lambda u: u & 1, "S": lambda u: u, "T": lambda u: u >> 1, "M": lambda u: u & 1}
    return Joint.from_function(("U",), (4,), seen)


MULTI_VIEW = (
    Claim(
        "W1",
        "Sufficient for the signal, nearly so for the task",
        "I(Z;T) >= I(X;T) - I(X;T|S)",
        "true",
        SIGNAL,
        ("I(X;S|Z) == 0",),
        prose="A representation that keeps all that the input tells of the signal loses no more of the task "
        "than the signal fails to show of it.",
        reference=_TSAI,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed(_SUFFICIENT, {"X": "P,Q", "S": "S", "T": "T", "Z": "P,E"}),
    ),
    Claim(
        "W1f",
        "Sufficient for the signal, sufficient for the task",
        "I(Z;T) >= I(X;T)",
        "false",
        SIGNAL,
        ("I(X;S|Z) == 0",),
        prose="Without the assumption that the signal shows what the input tells of the task, a sufficient "
        "representation can lose the task altogether.",
        reference=_TSAI,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        witness=_task_beside_the_signal,
    ),
    Claim(
        "W2",
        "Superfluous and shared",
        "I(X;Z) == I(X;Z|S) + I(Z;S)",
        "true",
        SIGNAL,
        prose="What a representation keeps of the input is what it shares with the signal, plus what is "
        "superfluous for it.",
        reference=_FEDERICI,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "W3",
        "Redundant views, sufficient representations",
        "I(X;T|Z) == 0",
        "true",
        SIGNAL,
        ("I(X;S|Z) == 0", "I(X;T|S) == 0"),
        prose="Where the input tells nothing of the task beyond the signal, what is sufficient for the "
        "signal is sufficient for the task.",
        reference=_FEDERICI,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed(_REDUNDANT, {"X": "P,Q", "S": "S", "T": "T", "Z": "P,E"}),
    ),
    Claim(
        "W4",
        "The signal bounds the task",
        "I(Z;T) <= I(Z;S) and I(Z;T) <= I(S;T)",
        "true",
        SIGNAL,
        ("I(X;T|S) == 0",),
        prose="Where the input tells nothing of the task beyond the signal, a representation knows no more "
        "of the task than of the signal, nor than the signal does.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed(_REDUNDANT, {"X": "P,Q", "S": "S", "T": "T", "Z": "P,E"}),
    ),
    Claim(
        "W5",
        "Smaller representations know less",
        "I(M;T) <= I(Z;T) and I(Z;T) - I(M;T) == I(Z;T|M)",
        "true",
        SMALLER,
        prose="A representation that is made from another knows no more of the task, and loses exactly what "
        "the other tells of the task beyond it.",
        reference=_WANG,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "W6",
        "The most that minimality costs",
        "I(X;T) - I(M;T) <= I(X;T|S)",
        "true",
        BESIDE,
        ("I(X;S|M) == 0",),
        prose="A sufficient representation, however small, loses no more of the task than the input tells of "
        "it beyond the signal.",
        reference=_WANG,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed(_SUFFICIENT, {"X": "P,Q", "S": "S", "T": "T", "M": "P,E"}),
    ),
    Claim(
        "W6b",
        "Nothing superfluous, nothing beyond the signal",
        "I(M;T|S) == 0",
        "true",
        BESIDE,
        ("I(X;M|S) == 0",),
        prose="A representation that keeps nothing superfluous knows nothing of the task that the signal "
        "does not show.",
        reference=_WANG,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed("S=>P, S->Q, V->Q, P->E, S->T, V->T", {"X": "P,Q", "S": "S", "T": "T", "M": "E"}),
    ),
    Claim(
        "W7f",
        "Minimal and sufficient, as good as the signal",
        "I(M;T) == I(S;T)",
        "false",
        BESIDE,
        ("I(X;S|M) == 0", "I(X;M|S) == 0"),
        prose="The minimal sufficient representation of the input can miss what the signal tells of the task "
        "and the input does not.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed("S=>P, P->Q, V->Q, P->E, S->T, V->T", {"X": "P,Q", "S": "S", "T": "T", "M": "P,E"}),
        witness=_signal_beyond_the_input,
    ),
)
"""Claims about two views of one image."""
