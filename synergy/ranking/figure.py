"""The figure of a ranking: what each task is worth, and what its entropy is made of."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synergy.plots import COLOURS, plot_style, subplots

if TYPE_CHECKING:
    from synergy.ranking.result import Ranking

__all__ = ["draw_ranking"]

_WORTH = {"more": COLOURS[0], "undecided": "0.45", "less": COLOURS[1]}
"""The colour of a gain by what its interval says."""

_LINE = 26
"""Characters in a line of a task's name."""

_LONGEST = 78
"""Characters of a name that are shown; the page and the tables have the whole."""

_PARTS = (
    ("I(A;U)", "told by simple statistics, I(A;U)", COLOURS[4]),
    ("I(A;X|U)", "told by shape, I(A;X|U)", COLOURS[2]),
    ("H(A|X)", "left to guess, H(A|X), at most", "0.82"),
)
"""The parts of H(A), in this order, with their colours."""


def draw_ranking(ranking: Ranking) -> Figure:
    """Gains with their intervals, and the entropy of A in three parts, where it is known.

    Args:
        ranking: What `rank` found.
    """
    from matplotlib import pyplot

    labels = [_wrapped(task.name) for task in ranking.tasks]
    lines = max(label.count("\n") for label in labels) + 1
    explained = any(task.quantities for task in ranking.tasks)
    height = 1.6 + (0.18 + 0.18 * lines) * len(labels)
    panels, width = (2, 5.4) if explained else (1, 6.4)
    figure, axes = subplots(panels, width=width, height=height, share_y=True)
    with plot_style():
        _draw_gains(axes[0], ranking, labels)
        if explained:
            _draw_parts(axes[1], ranking)
        shown = [pair for axis in axes for pair in zip(*axis.get_legend_handles_labels(), strict=True)]
        if shown:
            handles, names = zip(*shown, strict=True)
            figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    pyplot.close(figure)  # the caller holds it
    return figure


def _wrapped(name: str) -> str:
    """A name in lines that leave room for the panels; a very long one loses its middle."""
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST // 2]}..{name[2 - _LONGEST // 2 :]}"
    return textwrap.fill(name, _LINE)


def _draw_gains(axis: Axes, ranking: Ranking, labels: list[str]) -> None:
    tasks = ranking.tasks
    for place, task in enumerate(tasks):
        low, high = (100 * end for end in task.gain.interval)
        axis.plot([low, high], [place, place], color=_WORTH[task.worth], linewidth=2.2)
        axis.plot(100 * task.gain.value, place, "o", color=_WORTH[task.worth], markersize=6)
    axis.axvline(0, color="0.2", linewidth=1)
    for reference, style in zip(ranking.references[1:], ("--", ":"), strict=False):
        if reference.gain is not None:
            axis.axvline(
                100 * reference.gain.value, color="0.35", linestyle=style, linewidth=1.2, label=reference.name
            )
    axis.set_yticks(range(len(tasks)), labels, parse_math=False)
    axis.set_ylim(len(tasks) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    for number in range(1, len(tasks)):
        if tasks[number].group != tasks[number - 1].group:
            axis.axhline(number - 0.5, color="0.8", linewidth=0.8)
    axis.set(
        xlabel=f"gain over no training, points of accuracy ({100 * ranking.settings.confidence:.0f} %)",
        title="What a task is worth",
    )


def _draw_parts(axis: Axes, ranking: Ranking) -> None:
    for place, task in enumerate(ranking.tasks):
        start = 0.0
        for name, _, colour in _PARTS:
            quantity = task.quantities.get(name)
            if quantity is None:
                continue
            width = max(0.0, quantity.value)
            axis.barh(place, width, left=start, color=colour, height=0.62)
            start += width
    for _, label, colour in _PARTS:
        axis.barh(0, 0, color=colour, label=label)
    axis.grid(visible=False, axis="y")
    axis.set(xlabel="nats", title="What the transformation's entropy is made of")
