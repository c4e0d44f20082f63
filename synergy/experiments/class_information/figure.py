"""The figure of class-information: what networks hold of the transformation and of the class."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synergy.experiments.class_information.avoidance import (
    JUDGED,
    SETS,
    STRONGEST,
    SYNERGY,
    curve,
    judged_name,
)
from synergy.plots import COLOURS, plot_style, subplots

__all__ = ["draw"]

_END = 2.15
"""Past log 8, the entropy of the class of a glyph."""

_MARKERS = "os^"
"""The marker of each set of images."""

_DASHES = (0, (4, 3))
"""The dashes of lines that show a limit."""

_COLOUR = {"as usual": COLOURS[0], "eliminated": COLOURS[1], "told": COLOURS[2]}
"""The colour of each treatment."""


def _look(treatment: str, weight: float) -> dict[str, Any]:
    """Told networks hollow; the adversary's weight as size and shade."""
    colour = _COLOUR[treatment]
    share = weight / STRONGEST if treatment == "eliminated" else 1.0
    face = "none" if treatment == "told" else colour
    return {"s": 6 + 34 * share, "alpha": 0.25 + 0.6 * share, "facecolors": face, "edgecolors": colour}


def _kinds(runs: pd.DataFrame) -> list[tuple[str, float]]:
    """The treatments and weights that there are."""
    return sorted(set(zip(runs["treatment"].tolist(), runs["weight"].tolist(), strict=True)))


def _scatter(axis: Axes, runs: pd.DataFrame, world: str, marker: str) -> None:
    """The runs of a world; a network that is told the class at I(A;Z|C), what it is trained for."""
    here = runs[runs["images"] == world]
    for treatment, weight in _kinds(here):
        part = here[(here["treatment"] == treatment) & (here["weight"] == weight)]
        vertical = judged_name(world, "I(A;Z|C)" if treatment == "told" else "I(A;Z)")
        look = _look(treatment, weight)
        axis.scatter(part[judged_name(world, "I(C;Z)")], part[vertical], marker=marker, zorder=3, **look)


def _truth(axis: Axes, runs: pd.DataFrame, name: str, end: float) -> None:
    exact = curve(name)
    axis.plot([*exact["b"], end], [*exact["F"], exact["F"].iloc[-1]], color="0.3")
    part = runs[runs["images"] == name]
    if (part["treatment"] == "told").any():
        ceiling = exact["F"].iloc[-1] + part[SYNERGY].iloc[0]
        axis.axhline(ceiling, color=_COLOUR["told"], linestyle=_DASHES, linewidth=1)


def _handles(runs: pd.DataFrame) -> list[Any]:
    """One entry for each line and each treatment that there is."""
    glyphs = runs[runs["images"].isin(SETS)]
    found: list[Any] = [Line2D([], [], color="0.3", label="exact F(b)")] if len(glyphs) else []
    holder = Figure().add_subplot()
    for treatment, weight in _kinds(runs):
        label = {
            "as usual": "trained as usual, at I(A;Z)",
            "eliminated": f"class eliminated, weight {weight:g}, at I(A;Z)",
            "told": "class told, at I(A;Z|C)",
        }[treatment]
        found.append(holder.scatter([], [], label=label, **_look(treatment, weight)))
    if (glyphs["treatment"] == "told").any():
        label = "exact I(A;X|C) = I(A;X) + synergy, the most that I(A;Z|C) can be"
        found.append(Line2D([], [], label=label, color=_COLOUR["told"], linestyle=_DASHES, linewidth=1))
    return found


def draw(runs: pd.DataFrame) -> Figure:
    """One panel for each set of glyphs, over its exact F(b), and one for the real images."""
    glyphs = [name for name in SETS if name in set(runs["images"])]
    others = [name for name in runs["images"].unique() if name not in SETS]
    panels = [*glyphs, *others[:1]]
    reached = [runs.loc[runs["images"] == k, judged_name(k, "I(C;Z)")].max() for k in [*glyphs, *others]]
    end = max(_END, 1.05 * float(max(reached)))
    with plot_style():
        figure, axes = subplots(len(panels), width=3.1, height=4.0)
        for axis, name in zip(axes, panels, strict=True):
            exact = name in SETS
            if exact:
                _truth(axis, runs, name, end)
            for world, marker in zip([name] if exact else others, _MARKERS, strict=False):
                _scatter(axis, runs, world, marker)
                if not exact:
                    ending = world.split(", ")[-1]
                    label = ending if ending != name else "no augmentation"
                    axis.scatter([], [], color="0.4", marker=marker, label=label)
            z, how = (f"Z+{JUDGED:g}N", "exact") if exact else ("Z", "by probes")
            axis.set(title=name, xlim=(-0.08, end), ylim=(-0.05, 1.5), xlabel=f"I(C;{z}) in nats, {how}")
            if axis is axes[0] or not exact:
                axis.set_ylabel(f"I(A;{z}) or I(A;{z}|C) in nats, {how}")
            if not exact:
                axis.legend(fontsize=8, loc="lower left")
        figure.legend(handles=_handles(runs), loc="outside lower center", ncols=3, fontsize=8)
    return figure
