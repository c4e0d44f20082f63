"""Strips: a gap with its interval on an axis, one small inline SVG for each verdict of a claim.

All strips of a claim share one axis. The marker's shape tells the verdict as well as its colour does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from synergy.verification.verdict import Verdict, plain

__all__ = ["Axis", "axis_svg", "strip_svg"]

WIDTH, HEIGHT, _MIDDLE, _INSET = 300.0, 22.0, 11.0, 10.0
"""In pixels: the size of a strip, the height of its line, and the margin at both ends."""


@dataclass(frozen=True)
class Axis:
    """The scale of a claim's strips, in nats.

    Args:
        low: The left end.
        high: The right end.
        ticks: Round values in between.
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def around(cls, verdicts: Sequence[Verdict]) -> Axis | None:
        """An axis that holds 0 and every number of the verdicts; None if there is none."""
        shown = [v for v in verdicts if v.measured is not None]
        if not shown:
            return None
        values = [0.0]
        for v in shown:
            values += [x for x in (v.low, v.high, v.measured, v.predicted) if x is not None]
        low, high = min(values), max(values)
        margin = max((v.margin or 0.0 for v in shown), default=0.0)
        low, high = min(low, -margin), max(high, margin)
        if high - low < 1e-6:
            low, high = -0.1, 0.1
        step = _round_step((high - low) / 4)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return cls(low, high, tuple(round(k * step, 10) for k in range(first, last + 1)))

    def x(self, value: float) -> float:
        """The horizontal position of a value."""
        return _INSET + (value - self.low) / (self.high - self.low) * (WIDTH - 2 * _INSET)


def _round_step(size: float) -> float:
    power = 10.0 ** math.floor(math.log10(size))
    return float(next(k * power for k in (1, 2, 5, 10) if k * power >= size * (1 - 1e-9)))


def strip_svg(verdict: Verdict, axis: Axis) -> Markup:
    """The gap of one verdict; empty if it has no number."""
    if verdict.measured is None:
        return Markup("")
    at = axis.x(verdict.measured)
    parts = [f'<line class="zero" x1="{axis.x(0):.1f}" x2="{axis.x(0):.1f}" y1="0" y2="{HEIGHT}"/>']
    if verdict.margin and axis.x(verdict.margin) - axis.x(-verdict.margin) > 1:
        left, right = axis.x(-verdict.margin), axis.x(verdict.margin)
        parts.insert(
            0, f'<rect class="margin" x="{left:.1f}" y="0" width="{right - left:.1f}" height="{HEIGHT}"/>'
        )
    if verdict.predicted is not None:
        p = axis.x(verdict.predicted)
        parts.append(f'<path class="predicted" d="M{p:.1f} 1v5M{p:.1f} 16v5"/>')
    kind = verdict.judgement.replace(" ", "-")
    if verdict.low is not None and verdict.high is not None and verdict.high > verdict.low:
        low, high = axis.x(verdict.low), axis.x(verdict.high)
        parts.append(
            f'<line class="bar {kind}" x1="{low:.1f}" x2="{high:.1f}" y1="{_MIDDLE}" y2="{_MIDDLE}"/>'
        )
    parts.append(_marker(kind, at))
    label = f"gap {plain(verdict.measured):.4g} nats, {verdict.judgement}"
    return Markup(  # nosec B704 # numbers, and a judgement
        f'<svg class="strip" role="img" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" aria-label="{label}">'
        + "".join(parts)
        + "</svg>"
    )


def _marker(kind: str, x: float) -> str:
    y = _MIDDLE
    if kind in ("violated", "refuted"):
        d = f"M{x - 4.5:.1f} {y - 4.5}l9 9M{x + 4.5:.1f} {y - 4.5}l-9 9"
        return f'<path class="mark cross {kind}" d="{d}"/>'
    if kind == "by-construction":
        return f'<path class="mark {kind}" d="M{x:.1f} {y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>'
    if kind in ("inconclusive", "unknown"):
        return f'<rect class="mark {kind}" x="{x - 4.5:.1f}" y="{y - 4.5}" width="9" height="9"/>'
    return f'<circle class="mark {kind}" cx="{x:.1f}" cy="{y}" r="4.5"/>'


def axis_svg(axis: Axis) -> Markup:
    """The axis with its ticks, in nats."""
    parts = [f'<line class="axis" x1="{_INSET}" x2="{WIDTH - _INSET}" y1="1" y2="1"/>']
    for tick in axis.ticks:
        x = axis.x(tick)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="1" y2="5"/>')
        text = f"{tick:g}".replace("-", "−")
        parts.append(f'<text class="tick" x="{x:.1f}" y="16">{text}</text>')
    return Markup(  # nosec B704 # numbers, and a judgement
        f'<svg class="strip" role="img" viewBox="0 0 {WIDTH:.0f} 20" aria-label="axis, gap in nats">'
        + "".join(parts)
        + "</svg>"
    )
