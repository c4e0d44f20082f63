"""The figure of a ranking: nothing covers anything, whatever tasks are called and however many there are."""

import warnings

import pytest

from synergy.ranking import RankSettings
from synergy.ranking.figure import draw_ranking
from synergy.ranking.gains import Gain
from synergy.ranking.quantities import Quantity
from synergy.ranking.result import Ranked, Ranking, Reference

LONG = "a_function_of_my_own_that_turns_the_lower_half_of_every_image_and_is_called_by_all_that_it_does_to_it"
PARTS = {"H(A|X)": Quantity(0.3, 0.01), "I(A;U)": Quantity(0.2, 0.01), "I(A;X|U)": Quantity(0.5, 0.01)}


def made(names, parts):
    def gain(value):
        return Gain(value, 0.01, (value - 0.02, value + 0.02), 4, 10.0)

    tasks = [
        Ranked(name, "none", 4, gain(-0.03 * i), 0.5, 1 + i, None, 9, {"loss": 0.1, "accuracy": 0.5}, parts)
        for i, name in enumerate(names)
    ]
    others = {"random encoder": None, "supervised encoder": gain(0.2), "raw pixels": gain(-0.05)}
    references = [Reference(name, 0.5, value) for name, value in others.items()]
    return Ranking(tuple(tasks), tuple(references), 100, 3, 50, 50, 1.0, "d", "s", RankSettings(), 0)


@pytest.mark.parametrize("parts", [{}, PARTS], ids=["gains", "parts"])
@pytest.mark.parametrize(
    "names",
    [
        ["rotation"],
        ["rotation", "blur", "jigsaw"],
        [LONG, "a $ and a $", "blur"],
        [f"t{i}" for i in range(24)],
    ],
    ids=["one", "three", "long", "many"],
)
def test_nothing_covers_anything(names, parts):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw_ranking(made(names, parts))
        figure.draw_without_rendering()
    (legend,) = figure.legends
    boxes = [legend.get_window_extent(), *(axis.get_tightbbox() for axis in figure.axes)]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
    for axis in figure.axes:
        assert axis.get_window_extent().width > 0.25 * figure.bbox.width
    shown = [label.get_text().replace("\n", "") for label in figure.axes[0].get_yticklabels()]
    assert [text[:20] for text in shown] == [name[:20] for name in names]
