"""The diagrams that have a name, and how a text is read as a diagram.

A text is a name (`two-views`), edges (`C->X<-A`), a name with further edges behind it
(`signal, Z->M`), or `none`.

Example:
    >>> print(read_diagram("given-class"))
    C->X1, C->X2, X1->Z1, X2->Z2
    >>> print(read_diagram("nuisance, Z->M"))
    Y->X, X->Z, Z->M, N->X
    >>> read_diagram("two-view")
    Traceback (most recent call last):
        ...
    ValueError: unknown diagram 'two-view' (did you mean two-views?): expected edges such as ...
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType

from theory.diagrams.diagram import ESSL, Diagram, what_to_write
from theory.errors import shown

__all__ = [
    "DIAGRAMS",
    "GIVEN_CLASS",
    "HEAD",
    "INVARIANT",
    "NO_DIAGRAM",
    "NUISANCE",
    "SIGNAL",
    "TWO_VIEWS",
    "diagram_text",
    "read_diagram",
    "some_diagram",
]

_SEPARATOR = re.compile(r"[,;\n\r]")
"""What stands between a name and further edges."""

_ARROW = re.compile(r"[<>→⟶⇒⟹←⟵⇐⟸↔⟷]")
"""What tells edges from a name."""

NO_DIAGRAM = "none"
"""The text that stands for no diagram at all."""

TWO_VIEWS = Diagram.parse("C->R, R->X1, R->X2, X1->Z1, X2->Z2", name="two-views diagram")
"""Two views X1 and X2 of one raw input R of class C, and their representations."""

GIVEN_CLASS = Diagram.parse("C->X1, C->X2, X1->Z1, X2->Z2", name="given-class diagram")
"""Two views that share nothing but their class."""

SIGNAL = Diagram.parse("U->X, U->S, U->T, X->Z", name="signal diagram")
"""An input X, a self-supervised signal S (such as another view) and a task T with a common cause U."""

NUISANCE = Diagram.parse("Y->X, N->X, X->Z", name="nuisance diagram")
"""The task Y and a nuisance N make the input X."""

INVARIANT = Diagram.parse("X=>M, M->Y, X->Z", name="invariant diagram")
"""M is a maximal invariant of the input X, and the task Y depends on it alone."""

HEAD = Diagram.parse("C->R, S->R, V->R, R->X, A->X, X->H, H->Z", name="head diagram")
"""Equivariant self-supervised learning with a projection head: encoder output H, head output Z."""

DIAGRAMS: Mapping[str, Diagram] = MappingProxyType(
    {
        "essl": ESSL,
        "two-views": TWO_VIEWS,
        "given-class": GIVEN_CLASS,
        "signal": SIGNAL,
        "nuisance": NUISANCE,
        "invariant": INVARIANT,
        "head": HEAD,
    }
)
"""The diagrams by name."""


def read_diagram(text: Diagram | str | None) -> Diagram | None:
    """The diagram that a text stands for; None for `none`.

    A name may be in capitals, and further edges may follow it. A word without an arrow is a name, unless
    it is a variable that begins with a capital letter.

    Args:
        text: A name in `DIAGRAMS`, `none`, or edges; a Diagram and None pass through.

    Raises:
        TypeError: If it is none of these.
        ValueError: If it is an unknown name or cannot be read; the message has the names.
    """
    if text is None or isinstance(text, Diagram):
        return text
    if not isinstance(text, str):
        raise TypeError(f"diagram must be a Diagram, text such as 'A->X' or 'essl', or None, got {text!r}")
    first, *more = _SEPARATOR.split(text, maxsplit=1)
    first, rest = first.strip(), "".join(more).strip()
    for piece in (part.strip() for part in _SEPARATOR.split(rest)):
        if piece.lower() in DIAGRAMS:
            raise ValueError(
                f"{shown(text)} names the diagram {piece!r} where edges belong: a name comes first, and once"
            )
    known = DIAGRAMS.get(first.lower())
    if known is not None:
        return known if not more else Diagram.parse(f"{known}, {rest}", name=f"{known.name}, {rest}")
    if text.strip().lower() == NO_DIAGRAM:
        return None
    names = ", ".join(DIAGRAMS)
    close = difflib.get_close_matches(first.lower(), DIAGRAMS, n=1)
    if not _ARROW.search(first) and (close or not first[:1].isupper()):
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise ValueError(
            f'unknown diagram {shown(text)}{hint}: expected edges such as "C->R, A->X", {NO_DIAGRAM}, or one '
            f"of {names}{what_to_write(text)}"
        )
    return Diagram.parse(text)


def some_diagram(text: Diagram | str) -> Diagram:
    """A diagram, or the one that a text stands for, where there must be one.

    Raises:
        TypeError: If it is neither.
        ValueError: If it is `none`, or cannot be read.

    Example:
        >>> some_diagram("none")
        Traceback (most recent call last):
            ...
        ValueError: a diagram is needed here, such as 'A->X' or 'essl', got 'none'
    """
    if text is None:
        raise TypeError("a diagram is needed here, such as 'A->X' or 'essl', got None")
    found = read_diagram(text)
    if found is None:
        raise ValueError(f"a diagram is needed here, such as 'A->X' or 'essl', got {text!r}")
    return found


def diagram_text(diagram: Diagram | str) -> str:
    """The shortest text that `read_diagram` reads as this diagram: its name, or its edges.

    Example:
        >>> diagram_text(Diagram.parse("Y->X, N->X, X->Z"))
        'nuisance'
        >>> diagram_text(Diagram.parse("A->X"))
        'A->X'
    """
    found = some_diagram(diagram)
    return next((name for name, known in DIAGRAMS.items() if known == found), str(found))
