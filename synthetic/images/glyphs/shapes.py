"""Glyphs as strokes in the square [-1, 1] x [-1, 1], x to the right and y down.

A glyph is a set of polylines. The library has glyphs with every symmetry under quarter-turns: free ones
(the four turns differ), two-fold and four-fold symmetric ones, and families that are turns or mirror
images of one another.

Example:
    >>> GLYPHS["9"] == GLYPHS["6"].turned(2, name="9")
    True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from theory.checks import number

__all__ = ["GLYPHS", "GLYPH_SETS", "Glyph", "as_glyph"]

Point = tuple[float, float]
"""The coordinates (x, y)."""

Polyline = tuple[Point, ...]
"""Points joined by straight lines."""

REACH = 0.9
"""Strokes stay in the square from -REACH to REACH, so that thick ones fit into the frame."""


@dataclass(frozen=True)
class Glyph:
    """A drawing of polylines.

    Args:
        name: Its name.
        strokes: Polylines of points (x, y) between -0.9 and 0.9; a single point draws a dot.

    Raises:
        ValueError: If there is no stroke, one is empty, or a point is outside the square.
    """

    name: str
    strokes: tuple[Polyline, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"name of a glyph must be a text that is not empty, got {self.name!r}")
        strokes = tuple(tuple((number("x", x), number("y", y)) for x, y in line) for line in self.strokes)
        if not strokes or any(not line for line in strokes):
            raise ValueError(f"glyph {self.name!r} needs strokes of at least one point each, got {strokes}")
        outside = [p for line in strokes for p in line if max(abs(p[0]), abs(p[1])) > REACH + 1e-9]
        if outside:
            raise ValueError(f"glyph {self.name!r} must stay between -{REACH} and {REACH}, got {outside[0]}")
        object.__setattr__(self, "strokes", strokes)

    def turned(self, quarters: int, *, name: str) -> Glyph:
        """The glyph turned counter-clockwise by quarter-turns."""
        strokes = self.strokes
        for _ in range(quarters % 4):
            strokes = tuple(tuple((y, 0.0 - x) for x, y in line) for line in strokes)
        return Glyph(name, strokes)

    def mirrored(self, *, name: str) -> Glyph:
        """The glyph mirrored left to right."""
        return Glyph(name, tuple(tuple((0.0 - x, y) for x, y in line) for line in self.strokes))

    def distance(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The distance of points to the nearest stroke, float64 of the shape of x and y."""
        nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf)
        for line in self.strokes:
            ends = line[1:] or line
            for (x0, y0), (x1, y1) in zip(line, ends, strict=False):
                dx, dy = x1 - x0, y1 - y0
                length = dx * dx + dy * dy
                t = np.clip(((x - x0) * dx + (y - y0) * dy) / length, 0, 1) if length else 0.0
                gap = np.hypot(x - (x0 + t * dx), y - (y0 + t * dy))
                nearest = np.minimum(nearest, gap)
        return nearest

    def to_dict(self) -> dict[str, Any] | str:
        """The glyph as JSON can hold it: its name where the library has it."""
        if GLYPHS.get(self.name) == self:
            return self.name
        return {"name": self.name, "strokes": [[list(p) for p in line] for line in self.strokes]}


def as_glyph(spec: object) -> Glyph:
    """A glyph from its name in the library, a mapping with `name` and `strokes`, or itself.

    Raises:
        ValueError: If the name is unknown or the strokes are malformed.
        TypeError: If it is none of these.
    """
    if isinstance(spec, Glyph):
        return spec
    if isinstance(spec, str):
        if spec not in GLYPHS:
            raise ValueError(f"unknown glyph {spec!r}: expected one of {', '.join(GLYPHS)}")
        return GLYPHS[spec]
    if isinstance(spec, Mapping) and set(spec) == {"name", "strokes"}:
        lines: Sequence[Any] = spec["strokes"]
        return Glyph(spec["name"], tuple(tuple((p[0], p[1]) for p in line) for line in lines))
    raise TypeError(f"a glyph must be a name, a Glyph or a mapping with name and strokes, got {spec!r}")


def _line(*points: Point) -> Polyline:
    return points


def _arc(x: float, y: float, radius: float, start: float, end: float, width: float = 1.0) -> Polyline:
    """An arc from `start` to `end`, in quarter-turns clockwise from the right; 8 pieces a quarter."""
    angles = np.linspace(start, end, round(8 * abs(end - start)) + 1) * np.pi / 2
    return tuple((float(x + width * radius * np.cos(a)), float(y + radius * np.sin(a))) for a in angles)


def _mirror_x(*lines: Polyline) -> tuple[Polyline, ...]:
    return (*lines, *(tuple((-x, y) for x, y in line) for line in lines))


def _half_turn(*lines: Polyline) -> tuple[Polyline, ...]:
    return (*lines, *(tuple((-x, -y) for x, y in line) for line in lines))


def _four_turns(*lines: Polyline) -> tuple[Polyline, ...]:
    turned = list(lines)
    for _ in range(3):
        lines = tuple(tuple((y, -x) for x, y in line) for line in lines)
        turned += lines
    return tuple(turned)


_FREE = {
    "F": (_line((-0.5, 0.8), (-0.5, -0.8), (0.55, -0.8)), _line((-0.5, -0.05), (0.3, -0.05))),
    "G": (_arc(0, 0, 0.75, -0.6, -3.4), _line((0.62, 0.45), (0.62, 0.08), (0.15, 0.08))),
    "J": (_line((0.4, -0.8), (0.4, 0.35)), _arc(-0.05, 0.35, 0.45, 0, 2)),
    "K": (_line((-0.5, -0.8), (-0.5, 0.8)), _line((0.55, -0.8), (-0.5, 0.05), (0.6, 0.8))),
    "L": (_line((-0.45, -0.8), (-0.45, 0.8), (0.55, 0.8)),),
    "P": (
        _line((-0.45, 0.8), (-0.45, -0.8), (0.1, -0.8)),
        _arc(0.1, -0.4, 0.4, -1, 1),
        _line((0.1, 0), (-0.45, 0)),
    ),
    "R": (
        _line((-0.45, 0.8), (-0.45, -0.8), (0.1, -0.8)),
        _arc(0.1, -0.4, 0.4, -1, 1),
        _line((-0.45, 0), (0.1, 0), (0.55, 0.8)),
    ),
    "T": (_line((-0.65, -0.75), (0.65, -0.75)), _line((0, -0.75), (0, 0.8))),
    "Y": (_line((-0.6, -0.8), (0, -0.05), (0.6, -0.8)), _line((0, -0.05), (0, 0.8))),
    "1": (_line((-0.35, -0.5), (0.1, -0.8), (0.1, 0.8)),),
    "2": (_arc(0, -0.35, 0.45, -2, 0.35), _line((0.38, -0.11), (-0.55, 0.8), (0.55, 0.8))),
    "3": (_arc(-0.05, -0.4, 0.4, -1.6, 1), _arc(-0.05, 0.4, 0.45, -1, 1.6)),
    "4": (_line((0.3, 0.8), (0.3, -0.8), (-0.6, 0.3), (0.7, 0.3)),),
    "5": (_line((0.5, -0.8), (-0.4, -0.8), (-0.45, -0.1)), _arc(-0.05, 0.3, 0.5, -1.7, 1.5)),
    "7": (_line((-0.55, -0.8), (0.55, -0.8), (-0.15, 0.8)),),
    "6": (_arc(0, 0.35, 0.45, 0, 4), _line((-0.45, 0.35), (-0.35, -0.3), (0.2, -0.8))),
    "b": (_line((-0.4, -0.85), (-0.4, 0.8)), _arc(0, 0.35, 0.42, 0, 4)),
    "arrow-up": (_line((0, 0.8), (0, -0.8)), _line((-0.5, -0.25), (0, -0.8), (0.5, -0.25))),
    "u": (_line((-0.5, -0.6), (-0.5, 0.1)), _arc(0, 0.1, 0.5, 2, 0), _line((0.5, -0.6), (0.5, 0.65))),
    "hook": (_line((-0.7, -0.7), (0.6, -0.7), (0.6, 0.2), (-0.1, 0.2)),),
    "key": (
        _arc(-0.35, -0.35, 0.4, 0, 4),
        _line((-0.07, -0.07), (0.75, 0.75)),
        _line((0.75, 0.25), (0.5, 0.5)),
    ),
    "flag": (_line((-0.5, 0.85), (-0.5, -0.8), (0.6, -0.45), (-0.5, -0.1)),),
}
"""Glyphs whose four quarter-turns all differ."""

_TWO_FOLD = {
    "S": _half_turn((*_arc(0, -0.4, 0.4, -0.3, -3), (0.0, 0.0))),
    "Z": (_line((-0.6, -0.7), (0.6, -0.7), (-0.6, 0.7), (0.6, 0.7)),),
    "H": (_line((-0.5, -0.8), (-0.5, 0.8)), _line((0.5, -0.8), (0.5, 0.8)), _line((-0.5, 0), (0.5, 0))),
    "I": (_line((-0.4, -0.8), (0.4, -0.8)), _line((0, -0.8), (0, 0.8)), _line((-0.4, 0.8), (0.4, 0.8))),
    "8": (_arc(0, -0.4, 0.4, 0, 4), _arc(0, 0.4, 0.4, 0, 4)),
    "bar": (_line((0, -0.85), (0, 0.85)),),
    "slash": (_line((-0.6, 0.75), (0.6, -0.75)),),
    "ellipse": (_arc(0, 0, 0.8, 0, 4, width=0.5),),
    "equals": (_line((-0.65, -0.3), (0.65, -0.3)), _line((-0.65, 0.3), (0.65, 0.3))),
    "percent": _half_turn(_arc(-0.45, -0.45, 0.25, 0, 4), _line((0, 0), (0.55, -0.75))),
}
"""Glyphs that a half-turn leaves as they are, and a quarter-turn does not."""

_FOUR_FOLD = {
    "plus": _four_turns(_line((0, 0), (0.8, 0))),
    "cross": _four_turns(_line((0, 0), (0.7, 0.7))),
    "ring": _four_turns(_arc(0, 0, 0.7, 0, 1)),
    "square": _four_turns(_line((-0.65, 0.65), (0.65, 0.65))),
    "diamond": _four_turns(_line((0.85, 0), (0, 0.85))),
    "target": _four_turns(_arc(0, 0, 0.75, 0, 1), _arc(0, 0, 0.28, 0, 1)),
    "dots": _four_turns(_arc(0.5, 0.5, 0.08, 0, 4)),
    "star": _four_turns(_line((0, 0), (0.85, 0)), _line((0, 0), (0.6, 0.6))),
    "saw": _four_turns(_arc(0, 0, 0.5, 0, 1), _line((0.5, 0), (0.8, -0.35))),
    "clover": _four_turns(_arc(0.45, 0, 0.3, 0, 4)),
}
"""Glyphs that a quarter-turn leaves as they are."""


def _library() -> dict[str, Glyph]:
    made = {name: Glyph(name, strokes) for name, strokes in {**_FREE, **_TWO_FOLD, **_FOUR_FOLD}.items()}
    turns = {"9": ("6", 2), "q": ("b", 2), "n": ("u", 2)}
    turns |= {"arrow-left": ("arrow-up", 1), "arrow-down": ("arrow-up", 2), "arrow-right": ("arrow-up", 3)}
    made |= {name: made[base].turned(quarters, name=name) for name, (base, quarters) in turns.items()}
    made["d"] = made["b"].mirrored(name="d")
    made["p"] = made["d"].turned(2, name="p")
    return made


GLYPHS: dict[str, Glyph] = _library()
"""The glyphs by name."""

GLYPH_SETS: dict[str, tuple[str, ...]] = {
    "free": ("F", "G", "J", "K", "L", "P", "R", "4"),
    "two-fold": ("S", "Z", "H", "I", "8", "slash", "ellipse", "percent"),
    "four-fold": ("plus", "cross", "ring", "square", "diamond", "target", "dots", "saw"),
    "half-symmetric": ("F", "G", "J", "K", "plus", "cross", "ring", "saw"),
    "half-turn-pairs": ("6", "9", "b", "q", "d", "p", "u", "n"),
    "arrows": ("arrow-up", "arrow-left", "arrow-down", "arrow-right"),
    "mixed": ("F", "6", "9", "S", "plus"),
}
"""Sets of classes by name: all free under quarter-turns (synergy 0), all symmetric under half-turns, all
under quarter-turns, half free and half fully symmetric, four half-turn pairs (synergy log 2), one orbit of
four (synergy log 4), and one of each kind."""
