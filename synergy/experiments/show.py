"""What the tables and figures of the experiments share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synergy.experiments.findings import Finding, joint_confidence, summarise
from synergy.experiments.limits import Quantity, limits_of
from synergy.plots import COLOURS

__all__ = [
    "CLASSES",
    "SHARED",
    "entropies",
    "foremost",
    "legend_below",
    "means",
    "paired",
    "points",
    "shared_images",
    "worded",
]

CLASSES = "classes"
"""The column of runs that says how many classes their images have; runs that were kept before have none."""

Entropies = Callable[[pd.DataFrame], Mapping[str, float]]
"""The most that can be known of each variable in some runs, in nats."""

SHARED = "shared"
"""The column of runs that says how much their seeds share images, see `summarise`; without it, not at all."""


def shared_images(runs: pd.DataFrame) -> float:
    """How much the seeds of some runs share their images."""
    return float(runs[SHARED].max()) if SHARED in runs else 0.0


def entropies(runs: pd.DataFrame, **states: float) -> dict[str, float]:
    """The most that can be known of the class C and of other variables in some runs, in nats.

    Args:
        runs: Those on one set of images.
        states: How many states each other variable has.

    Example:
        >>> entropies(pd.DataFrame({CLASSES: [1]}), A=1)
        {'A': 0.0, 'C': 0.0}
    """
    counts = {**states, "C": float(runs[CLASSES].max())} if CLASSES in runs else states
    return {name: float(np.log(count)) for name, count in counts.items() if count >= 1}


def means(
    runs: pd.DataFrame,
    by: str | list[str],
    quantities: Mapping[str, Quantity | None] | Sequence[str],
    *,
    keep: Sequence[str] = (),
    known: Entropies | None = None,
) -> pd.DataFrame:
    """One row per condition: the mean of each quantity over seeds with its 95 % interval, NaN without one.

    Args:
        runs: One row per condition and seed.
        by: The columns that name a condition.
        quantities: The columns that are averaged, each with what it is: intervals end where that ends. A
            mere list of columns says nothing of them.
        keep: Columns that are the same for all seeds of a condition.
        known: The most that can be known of each variable in the runs of a condition: informations are
            not more.
    """
    names = [by] if isinstance(by, str) else by
    kinds = quantities if isinstance(quantities, Mapping) else dict.fromkeys(quantities)
    rows = []
    for key, part in runs.groupby(names, sort=False):
        row = dict(zip(names, key, strict=True))
        row.update({name: part[name].iloc[0] for name in keep})
        most = None if known is None else known(part)
        for quantity, kind in kinds.items():
            values = part[quantity].tolist()
            found = summarise(values, shared=shared_images(part), bounds=limits_of(kind, most))
            finite = np.isfinite(found.low)
            row |= {
                quantity: found.mean,
                f"{quantity} low": found.low if finite else np.nan,
                f"{quantity} high": found.high if finite else np.nan,
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


def foremost(
    values: Mapping[str, Sequence[float]],
    where: str,
    *,
    shared: float = 0.0,
    beside: Sequence[Finding] = (),
) -> str:
    """Which of some quantities has the highest mean over seeds, and whether it is surely ahead.

    Args:
        values: One number per seed of each quantity.
        where: On which images.
        shared: See `summarise`.
        beside: See `worded`.

    Example:
        >>> foremost({"J": [0.9, 0.8, 0.85], "H": [0.1, 0.2, 0.1]}, "digits")
        'J on digits (+0.85, clearly ahead)'
        >>> foremost({"J": [0.9], "H": [0.1]}, "digits")
        'J on digits (+0.90, which one seed cannot tell)'
    """
    first = max(values, key=lambda name: float(np.mean(values[name])))
    mine = np.asarray(values[first], dtype=np.float64)
    leads = [mine - np.asarray(other) for name, other in values.items() if name != first]
    sure = ("ahead", "behind", "open")
    if len(mine) == 1:
        how = "which one seed cannot tell"
    elif all(worded(lead.tolist(), sure, shared=shared, beside=beside) == "ahead" for lead in leads):
        how = "clearly ahead"
    elif len(mine) > 2 and all((lead > 0).all() for lead in leads):
        how = f"first in each of {len(mine)} seeds, yet not clearly ahead"
    else:
        how = "not clearly ahead"
    return f"{first} on {where} ({mine.mean():+z.2f}, {how})"


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
    kind: Quantity | None = None,
    known: Entropies | None = None,
) -> None:
    """Runs as small points at the place of their condition, the mean with its 95 % interval beside them.

    The interval ends where the `kind` of the quantity and `known` say, as in `means`.
    """
    for place, name in enumerate(names):
        part = runs[runs[by] == name]
        values = part[quantity].to_numpy(dtype=np.float64)
        if not len(values):
            continue
        bounds = limits_of(kind, None if known is None else known(part))
        found = summarise(values.tolist(), shared=shared_images(part), bounds=bounds)
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
