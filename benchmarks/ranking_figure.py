"""The figure of `results/ranking.md`: how each predictor orders the tasks, a dot for each set."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.findings import summarise
from synergy.plots import COLOURS, plot_style

HALVES = {"judging": "sets that nothing was chosen on", "choosing": "CIFAR-10 and MNIST"}
"""The halves of the sets and what to call them."""


def draw(rows: pd.DataFrame, path: Path) -> None:
    """Draw the rank correlations of `ranking.csv`, the encoders of a set averaged."""
    each = rows.groupby(["predictor", "images", "half"])["spearman"].mean().reset_index()
    order = each.groupby("predictor")["spearman"].mean().sort_values().index
    with plot_style():
        figure = Figure(figsize=(8.4, 1.4 + 0.27 * len(order)), layout="constrained")
        axis = figure.subplots()
        for place, name in enumerate(order):
            part = each[each["predictor"] == name]
            for colour, chosen in zip(COLOURS, HALVES, strict=False):
                values = part[part["half"] == chosen]["spearman"]
                axis.scatter(
                    values, [place - 0.12] * len(values), s=12, color=colour, alpha=0.5, linewidths=0
                )
            mean = summarise(part["spearman"].tolist(), bounds=(-1.0, 1.0))
            ends = [[mean.mean - mean.low], [mean.high - mean.mean]] if mean.low > -2 else None
            axis.errorbar([mean.mean], [place + 0.12], xerr=ends, fmt="o", ms=4, capsize=2, color="0.2")
        for colour, name in zip(COLOURS, HALVES.values(), strict=False):
            axis.scatter([], [], color=colour, label=name)
        axis.errorbar([], [], xerr=[], fmt="o", ms=4, color="0.2", label="mean of all, 95 % over sets")
        axis.axvline(0, color="0.5", linewidth=0.8)
        axis.set_yticks(range(len(order)), order)
        axis.set(xlim=(-1.03, 1.03), xlabel="rank correlation of the order of the tasks with the truth")
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        figure.savefig(path, dpi=110)
