"""The look of every figure: one style, colours that the colour-blind can tell apart, PNG and SVG.

The colours are those of Okabe and Ito (2008); curves of theory are lines, estimates are points with their
confidence intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import seaborn as sns
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synergy.statistics.result import Estimate

__all__ = ["COLOURS", "plot_estimates", "plot_style", "save_figure", "subplots"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Blue, vermilion, green, purple, orange, sky, black."""

_RC = {
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.dpi": 90,
    "font.size": 10,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "synergy",
}
"""The settings of matplotlib that every figure is drawn with."""


@contextmanager
def plot_style() -> Iterator[None]:
    """Figures made inside the block have the project's style; settings outside it stay as they are."""
    with sns.axes_style("whitegrid"), mpl.rc_context(_RC):
        yield


def subplots(
    columns: int = 1, *, width: float = 4.6, height: float = 3.3, share_y: bool = False
) -> tuple[Figure, list[Axes]]:
    """A row of panels in the project's style.

    Args:
        columns: The number of panels.
        width: The width of each, in inches.
        height: Their height.
        share_y: Whether they share the vertical axis.

    Raises:
        ValueError: If there is not at least one panel.
    """
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    from matplotlib import pyplot

    with plot_style():
        figure, axes = pyplot.subplots(
            1, columns, figsize=(width * columns, height), sharey=share_y, squeeze=False, layout="constrained"
        )
    return figure, list(axes[0])


def plot_estimates(
    axis: Axes,
    x: npt.ArrayLike,
    estimates: Sequence[Estimate],
    *,
    label: str | None = None,
    colour: str | None = None,
) -> None:
    """Points with their confidence intervals.

    Args:
        axis: Where to draw.
        x: The position of each estimate.
        estimates: All in one unit.
        label: For the legend.
        colour: A colour; None for the next one.

    Raises:
        ValueError: If there is not one estimate for each position, or their units differ.
    """
    places = np.atleast_1d(np.asarray(x, dtype=np.float64))
    if len(places) != len(estimates):
        raise ValueError(f"expected one estimate for each of {len(places)} positions, got {len(estimates)}")
    if len({e.unit for e in estimates}) > 1:
        raise ValueError(f"estimates must share a unit, got {sorted({e.unit for e in estimates})}")
    values = np.array([e.value for e in estimates])
    ends = np.array([e.interval for e in estimates])
    axis.errorbar(
        places,
        values,
        yerr=[values - ends[:, 0], ends[:, 1] - values],
        fmt="o",
        markersize=4.5,
        linewidth=1.3,
        capsize=2.5,
        label=label,
        color=colour,
    )


def save_figure(figure: Figure, folder: str | Path, name: str) -> list[Path]:
    """Write a figure as NAME.png (150 dots per inch) and NAME.svg; returns both paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    with mpl.rc_context(_RC):
        figure.savefig(paths[0], dpi=150, bbox_inches="tight")
        figure.savefig(paths[1], bbox_inches="tight", metadata={"Date": None})
    return paths
