"""The figure of a verification: every measured gap with its interval, coloured by verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
import seaborn as sns
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from synergy.verification.summary import Report

__all__ = ["forest"]

_PALETTE = {
    "verified": "#0072B2",
    "violated": "#D55E00",
    "by construction": "#999999",
    "inconclusive": "#E69F00",
}
"""The colour of each judgement."""
_MARKERS = {"verified": "o", "violated": "X", "by construction": "D", "inconclusive": "s"}
"""The mark of each judgement."""

_MOST_ROWS = 60
"""With more claims and cases than this a claim has one row, in which its cases lie below each other."""

_SPREAD = 0.7
"""The share of such a row that they take."""

_ROW, _ROW_OF_SEVERAL = 0.21, 0.36
"""The height of a row, in inches, and of one that several cases share."""


def forest(report: Report) -> Figure:
    """A forest plot: one row per claim and case, or per claim where that were too many, a panel per world.

    Colour and marker both tell the verdict, so that the figure reads without colour.
    """
    frame = report.to_pandas()
    frame = frame[frame["judgement"].isin(list(_PALETTE)) & frame["measured"].notna()]
    frame["row"] = frame["claim"] + "  " + frame["case"]
    height = _ROW
    if frame["row"].nunique() > _MOST_ROWS:
        frame["row"], height = frame["claim"], _ROW_OF_SEVERAL
    rows = list(dict.fromkeys(frame["row"]))
    panels = [w for w in ("symbolic", "exact", "sample", "learned") if (frame["world"] == w).any()]
    with sns.axes_style("whitegrid"), mpl.rc_context({"svg.hashsalt": "synergy", "font.size": 9}):
        size = 3.2 + 2.6 * max(1, len(panels)), 1.6 + height * max(1, len(rows))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(1, max(1, len(panels)), sharex=True, sharey=True, squeeze=False)[0]
        for axis, world in zip(axes, panels, strict=False):
            part = frame[frame["world"] == world]
            heights = _heights(part["row"], rows)
            axis.axvline(0, color="0.3", linewidth=1)
            for y, low, high, judgement in zip(
                heights, part["low"], part["high"], part["judgement"], strict=True
            ):
                axis.plot([low, high], [y, y], color=_PALETTE[judgement], linewidth=1.5, zorder=2)
            sns.scatterplot(
                x=part["measured"].to_numpy(),
                y=heights,
                hue=part["judgement"].to_numpy(),
                style=part["judgement"].to_numpy(),
                palette=_PALETTE,
                markers=_MARKERS,
                s=42,
                zorder=3,
                legend=False,
                ax=axis,
            )
            axis.set(title=world, xlabel="gap in nats", ylabel="")
            axis.set_yticks(range(len(rows)), rows)
            axis.set_ylim(len(rows) - 0.5, -0.5)
        handles = [
            mpl.lines.Line2D([], [], color=colour, marker=_MARKERS[name], linestyle="", label=name)
            for name, colour in _PALETTE.items()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
        figure.suptitle("What each claim's gap comes to (bars: 95 % intervals; >= 0 or == 0 is claimed)")
    return figure


def _heights(shown: Iterable[str], rows: Sequence[str]) -> list[float]:
    """The height of each point: that of its row, around which the points of one row are spread."""
    names = list(shown)
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        place = (seen[name] + 0.5) / names.count(name) - 0.5
        seen[name] += 1
        found.append(rows.index(name) + _SPREAD * place)
    return found
