"""What the tables and figures of the experiments share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synergy.experiments.findings import Finding, joint_confidence, limits_of, summarise
from synergy.plots import COLOURS

__all__ = ["SHARED", "legend_below", "means", "paired", "points", "shared_images", "worded"]

SHARED = "shared"
"""The column of runs that says how much their seeds share images, see `summarise`; without it, not at all."""


def shared_images(runs: pd.DataFrame) -> float:
    """How much the seeds of some runs share their images."""
    return float(runs[SHARED].max()) if SHARED in runs else 0.0


def means(
    runs: pd.DataFrame, by: str | list[str], quantities: Sequence[str], *, keep: Sequence[str] = ()
) -> pd.DataFrame:
    """One row per condition: the mean of each quantity over seeds with its 95 % interval, NaN without one.

    Args:
        runs: One row per condition and seed.
        by: The columns that name a condition.
        quantities: What is averaged.
        keep: Columns that are the same for all seeds of a condition.
    """
    names = [by] if isinstance(by, str) else by
    rows = []
    for key, part in runs.groupby(names, sort=False):
        row = dict(zip(names, key, strict=True))
        row.update({name: part[name].iloc[0] for name in keep})
        for quantity in quantities:
            values = part[quantity].tolist()
            found = summarise(values, shared=shared_images(part), bounds=limits_of(quantity))
            known = np.isfinite(found.low)
            row |= {
                quantity: found.mean,
                f"{quantity} low": found.low if known else np.nan,
                f"{quantity} high": found.high if known else np.nan,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def paired(first: pd.DataFrame, second: pd.DataFrame, quantity: str) -> tuple[float, ...]:
    """The difference of a quantity between two conditions, seed by seed."""
    left, right = first.set_index("seed")[quantity], second.set_index("seed")[quantity]
    return tuple(float(v) for v in (left - right).sort_index())


def worded(
    values: Sequence[float],
    words: tuple[str, str, str] = ("more", "less", "neither clearly more nor less"),
    *,
    shared: float = 0.0,
    beside: Sequence[Finding] = (),
) -> str:
    """The first word where the interval over seeds lies above 0, the second below, else the third.

    Args:
        values: One number per seed.
        words: What to say.
        shared: See `summarise`.
        beside: The findings beside which the words stand: the interval is as wide as theirs.

    Example:
        >>> worded([0.1, 0.2, 0.15]), worded([-0.1, 0.2, 0.0])
        ('more', 'neither clearly more nor less')
    """
    found = summarise(values, confidence=joint_confidence(beside), shared=shared)
    return words[0] if found.low > 0 else words[1] if found.high < 0 else words[2]


def points(
    axis: Axes,
    names: Sequence[str],
    runs: pd.DataFrame,
    by: str,
    quantity: str,
    *,
    colour: int = 0,
    shift: float = 0.0,
    marker: str = "o",
    label: str | None = None,
) -> None:
    """Runs as small points at the place of their condition, the mean with its 95 % interval beside them."""
    for place, name in enumerate(names):
        part = runs[runs[by] == name]
        values = part[quantity].to_numpy(dtype=np.float64)
        if not len(values):
            continue
        found = summarise(values.tolist(), shared=shared_images(part), bounds=limits_of(quantity))
        x = place + shift
        axis.scatter([x - 0.06] * len(values), values, s=12, alpha=0.5, color=COLOURS[colour], linewidths=0)
        error = None if not np.isfinite(found.low) else [[found.mean - found.low], [found.high - found.mean]]
        axis.errorbar(
            [x + 0.06],
            [found.mean],
            yerr=error,
            fmt=marker,
            markersize=5,
            capsize=2.5,
            color=COLOURS[colour],
            label=label if place == 0 else None,
        )
    axis.set_xticks(range(len(names)), names)


def legend_below(figure: Figure, axes: Iterable[Axes], *, ncols: int) -> None:
    """One legend for all panels, below them, where it covers nothing."""
    pairs = [pair for axis in axes for pair in zip(*axis.get_legend_handles_labels(), strict=True)]
    handles = {label: handle for handle, label in pairs}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=ncols, fontsize=8)
