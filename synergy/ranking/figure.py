"""The figure of a ranking: what each task is worth, and what its entropy is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synergy.plots import COLOURS, plot_style, subplots

if TYPE_CHECKING:
    from synergy.ranking.result import Ranking

__all__ = ["draw_ranking"]

_WORTH = {"more": COLOURS[0], "undecided": "0.45", "less": COLOURS[1]}
"""The colour of a gain by what its interval says."""

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
    tasks = ranking.tasks
    explained = any(task.quantities for task in tasks)
    height = 1.3 + 0.36 * len(tasks)
    from matplotlib import pyplot

    figure, axes = subplots(2 if explained else 1, width=5.4, height=height, share_y=True)
    places = np.arange(len(tasks))
    with plot_style():
        left = axes[0]
        for place, task in zip(places, tasks, strict=True):
            low, high = (100 * end for end in task.gain.interval)
            left.plot([low, high], [place, place], color=_WORTH[task.worth], linewidth=2.2)
            left.plot(100 * task.gain.value, place, "o", color=_WORTH[task.worth], markersize=6)
        left.axvline(0, color="0.2", linewidth=1)
        for reference, style in zip(ranking.references[1:], ("--", ":"), strict=False):
            if reference.gain is not None:
                left.axvline(
                    100 * reference.gain.value,
                    color="0.35",
                    linestyle=style,
                    linewidth=1.2,
                    label=reference.name,
                )
        left.set_yticks(places, [task.name for task in tasks])
        left.set_ylim(len(tasks) - 0.5, -0.5)
        left.grid(visible=False, axis="y")
        for number in range(1, len(tasks)):
            if tasks[number].group != tasks[number - 1].group:
                left.axhline(number - 0.5, color="0.8", linewidth=0.8)
        left.set(
            xlabel=f"gain over no training, points of accuracy ({100 * ranking.settings.confidence:.0f} %)",
            title="What a task is worth",
        )
        if len(left.get_legend_handles_labels()[1]):
            _legend(left)
        if explained:
            right = axes[1]
            for place, task in zip(places, tasks, strict=True):
                start = 0.0
                for name, _, colour in _PARTS:
                    quantity = task.quantities.get(name)
                    if quantity is None:
                        continue
                    width = max(0.0, quantity.value)
                    right.barh(place, width, left=start, color=colour, height=0.62)
                    start += width
            for _, label, colour in _PARTS:
                right.barh(0, 0, color=colour, label=label)
            right.grid(visible=False, axis="y")
            right.set(xlabel="nats", title="What the transformation's entropy is made of")
            _legend(right)
    pyplot.close(figure)  # the caller holds it
    return figure


def _legend(axis: Axes) -> None:
    """A legend below the panel, where it covers nothing."""
    axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False)
