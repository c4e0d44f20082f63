"""The forest plot: nothing lies on anything else, however many rows there are."""

from __future__ import annotations

from itertools import combinations, product

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from synergy.verification import figure as module
from synergy.verification.settings import Settings
from synergy.verification.summary import Report

WORLDS = ("symbolic", "exact", "sample", "learned")


@pytest.mark.parametrize("rows", [1, 40, 150])
def test_texts_do_not_overlap(rows: int, monkeypatch: pytest.MonkeyPatch):
    frame = pd.DataFrame(
        {"claim": "E1", "case": f"case {row}", "world": world, "judgement": "verified"}
        for row, world in product(range(rows), WORLDS)
    ).assign(measured=0.1, low=0.0, high=0.2)
    monkeypatch.setattr(Report, "to_pandas", lambda report: frame)
    drawn = module.forest(Report((), (), Settings()))
    FigureCanvasAgg(drawn).draw()
    texts = [drawn.get_suptitle(), *(axis.get_title() for axis in drawn.axes)]
    assert texts[1:] == list(WORLDS)
    parts = [drawn._suptitle, *drawn.legends]
    parts += [part for axis in drawn.axes for part in (axis.title, axis.xaxis.label, axis.patch)]
    boxes = [part.get_window_extent() for part in parts]
    touching = [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    assert not touching
    inside = drawn.bbox
    assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)
    assert all(inside.y0 <= box.y0 and box.y1 <= inside.y1 for box in boxes)


@pytest.mark.parametrize(("cases", "rows"), [(3, 60), (4, 20)])
def test_too_many_cases_share_the_row_of_their_claim(cases: int, rows: int, monkeypatch: pytest.MonkeyPatch):
    frame = pd.DataFrame(
        {"claim": f"E{claim}", "case": f"case {case}", "world": "exact", "judgement": "verified"}
        for claim, case in product(range(20), range(cases))
    ).assign(measured=0.1, low=0.0, high=0.2)
    monkeypatch.setattr(Report, "to_pandas", lambda report: frame)
    (axis,) = module.forest(Report((), (), Settings())).axes
    assert [label.get_text() for label in axis.get_yticklabels()][:1] == [
        "E0  case 0" if rows == 60 else "E0"
    ]
    heights = axis.collections[0].get_offsets()[:, 1]
    assert len(axis.get_yticks()) == rows
    assert len(set(heights.round(6))) == len(frame)  # no point lies on another
    assert set(heights.round().astype(int)) == set(range(rows))
