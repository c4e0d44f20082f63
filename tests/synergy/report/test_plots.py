"""Figures: the style stays inside its block, estimates are drawn where they are, files are the same again."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from synergy.estimators import Estimate
from synergy.plots import COLOURS, plot_estimates, plot_style, save_figure, subplots


def estimate(value, low, high, unit="nats"):
    return Estimate("I(A;C)", value, 0.1, (low, high), 0.95, "plug-in", 10, unit)


@pytest.fixture
def axis():
    return Figure().subplots()


def test_points_and_intervals_are_where_they_belong(axis):
    plot_estimates(axis, [1, 2], [estimate(0.2, 0.1, 0.4), estimate(0.5, 0.45, 0.7)])
    (container,) = axis.containers
    points, _, (bars,) = container
    assert np.allclose(points.get_xydata(), [[1, 0.2], [2, 0.5]])
    assert np.allclose([s[:, 1] for s in bars.get_segments()], [[0.1, 0.4], [0.45, 0.7]])


def test_the_style_ends_with_its_block():
    before = dict(mpl.rcParams)
    with plot_style():
        assert not mpl.rcParams["axes.spines.top"]
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"][0] == COLOURS[0]
    assert dict(mpl.rcParams) == before


def test_figures_are_saved_twice_and_svg_has_the_same_bytes_again(tmp_path):
    figure, axes = subplots(2, share_y=True)
    try:
        axes[0].plot([0, 1], [1, 0])
        png, svg = save_figure(figure, tmp_path / "new", "lines")
        assert png.read_bytes().startswith(b"\x89PNG")
        again = save_figure(figure, tmp_path, "lines")[1]
        assert svg.read_bytes() == again.read_bytes()
    finally:
        from matplotlib import pyplot

        pyplot.close(figure)


@pytest.mark.parametrize(
    ("places", "found", "message"),
    [
        ([1], [], "one estimate for each of 1 positions, got 0"),
        ([1, 2], [estimate(0, 0, 0), estimate(0, 0, 0, "bits")], "must share a unit"),
    ],
    ids=["too few", "two units"],
)
def test_bad_estimates_are_refused(axis, places, found, message):
    with pytest.raises(ValueError, match=message):
        plot_estimates(axis, places, found)


def test_a_figure_has_a_panel():
    with pytest.raises(ValueError, match="columns must be at least 1, got 0"):
        subplots(0)
