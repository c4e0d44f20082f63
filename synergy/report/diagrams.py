"""A causal diagram as an inline SVG that follows the colours of its page."""

from __future__ import annotations

import math
from collections.abc import Collection
from html import escape

from markupsafe import Markup

from theory import Diagram

__all__ = ["diagram_svg", "places"]

_STEP_X, _STEP_Y, _RADIUS, _PAD = 92.0, 58.0, 18.0, 24.0
"""In pixels: from column to column and row to row, a circle's radius, the margin."""


def places(diagram: Diagram) -> dict[str, tuple[float, float]]:
    """A position for each variable, causes to the left of their effects.

    The column is the length of the longest path from a root; a root stands just left of its first
    effect. Within a column the order is that of the mean height of the neighbours to the left.
    """
    column: dict[str, int] = {}
    for v in diagram.order:
        column[v] = max((column[p] + 1 for p in diagram.parents(v)), default=0)
    for v in diagram.order:
        children = list(diagram.graph.successors(v))
        if children and not diagram.parents(v):
            column[v] = min(column[c] for c in children) - 1
    columns: dict[int, list[str]] = {}
    for v in diagram.variables:
        columns.setdefault(column[v], []).append(v)
    height = {v: float(i - (len(group) - 1) / 2) for group in columns.values() for i, v in enumerate(group)}
    for _ in range(4):
        for group in columns.values():
            neighbours = {
                v: [height[n] for n in (*diagram.graph.predecessors(v), *diagram.graph.successors(v))]
                for v in group
            }
            means = {v: sum(h) / len(h) if h else height[v] for v, h in neighbours.items()}
            for i, v in enumerate(sorted(group, key=lambda v: (means[v], diagram.variables.index(v)))):
                height[v] = i - (len(group) - 1) / 2
    top = min(height.values(), default=0.0)
    return {v: (column[v] * _STEP_X, (height[v] - top) * _STEP_Y) for v in diagram.variables}


def diagram_svg(diagram: Diagram, marked: Collection[str] = ()) -> Markup:
    """Draw a diagram; the marked variables are filled, deterministic ones have a double outline."""
    where = places(diagram)
    width = max(x for x, _ in where.values()) + 2 * _PAD
    height = max(y for _, y in where.values()) + 2 * _PAD
    parts = []
    for source, target in diagram.edges:
        parts.append(_arrow(where[source], where[target]))
    for v, (x, y) in where.items():
        kind = "node marked" if v in marked else "node"
        cx, cy = x + _PAD, y + _PAD
        parts.append(f'<circle class="{kind}" cx="{cx:.1f}" cy="{cy:.1f}" r="{_RADIUS}"/>')
        if v in diagram.deterministic:
            parts.append(f'<circle class="ring" cx="{cx:.1f}" cy="{cy:.1f}" r="{_RADIUS - 3.5}"/>')
        parts.append(f'<text class="name" x="{cx:.1f}" y="{cy + 5:.1f}">{escape(v)}</text>')
    edges = "; ".join(f"{a} to {b}" for a, b in diagram.edges) or "no edges"
    return Markup(  # nosec B704 # numbers, and names that were escaped
        f'<svg class="diagram" role="img" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="min-width:min(13rem,{width:.0f}px);max-width:{width:.0f}px" '
        f'aria-label="{escape(f"causal diagram: {edges}")}">' + "".join(parts) + "</svg>"
    )


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    length = math.hypot(x2 - x1, y2 - y1)
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    ax, ay = x1 + _PAD + ux * _RADIUS, y1 + _PAD + uy * _RADIUS
    bx, by = x2 + _PAD - ux * (_RADIUS + 1.5), y2 + _PAD - uy * (_RADIUS + 1.5)
    left = bx - 8 * ux + 4 * uy, by - 8 * uy - 4 * ux
    right = bx - 8 * ux - 4 * uy, by - 8 * uy + 4 * ux
    return (
        f'<line class="edge" x1="{ax:.1f}" y1="{ay:.1f}" x2="{bx - 5 * ux:.1f}" y2="{by - 5 * uy:.1f}"/>'
        f'<polygon class="head" points="{bx:.1f},{by:.1f} {left[0]:.1f},{left[1]:.1f} '
        f'{right[0]:.1f},{right[1]:.1f}"/>'
    )
