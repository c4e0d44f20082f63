"""Runs: what is kept in the journal, and what is run again."""

import json
from pathlib import Path

import pytest

from synergy.experiments import Scale
from synergy.experiments.runs import Runner


def _square(job: tuple[str, int], scale: Scale) -> dict[str, float]:
    folder, number = job
    with (Path(folder) / "calls").open("a") as file:
        file.write(f"{number}\n")
    if number == 13:
        raise RuntimeError("thirteen")
    return {"number": number, "square": number**2 / scale.steps}


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().split()


def spread(folder: Path, numbers: range | list[int], **changes) -> list[float]:
    told = []
    runner = Runner(
        Scale(**{"steps": 2, **changes}),
        lambda done, total, what: told.append((done, total, what)),
        folder / "journal.jsonl",
    )
    rows = runner.spread(_square, [(str(folder), n) for n in numbers], label=lambda job: str(job[1]))
    return rows["square"].tolist()


def test_rows_come_in_the_order_of_the_jobs(tmp_path):
    assert spread(tmp_path, [3, 1, 2]) == [4.5, 0.5, 2.0]


def test_what_is_done_is_not_done_again(tmp_path):
    with pytest.raises(RuntimeError, match="thirteen"):
        spread(tmp_path, [1, 2, 13, 4])
    assert calls(tmp_path) == ["1", "2", "13"]
    assert spread(tmp_path, [1, 2, 3, 4]) == [0.5, 2.0, 4.5, 8.0]
    assert calls(tmp_path) == ["1", "2", "13", "3", "4"]


def test_another_scale_is_another_run(tmp_path):
    spread(tmp_path, [1, 2])
    assert spread(tmp_path, [1, 2], steps=4) == [0.25, 1.0]
    assert spread(tmp_path, [1, 2], seeds=9, jobs=2) == [0.5, 2.0]
    assert len(calls(tmp_path)) == 4


def test_other_code_is_another_run(tmp_path, monkeypatch):
    spread(tmp_path, [1])
    monkeypatch.setattr("synergy.experiments.runs.source_digest", lambda *parts: "edited")
    assert spread(tmp_path, [1]) == [0.5]
    assert calls(tmp_path) == ["1", "1"]


def test_a_line_that_was_cut_off_is_run_again(tmp_path):
    spread(tmp_path, [1, 2])
    journal = tmp_path / "journal.jsonl"
    journal.write_text(journal.read_text()[:-10])
    assert spread(tmp_path, [1, 2]) == [0.5, 2.0]
    assert calls(tmp_path) == ["1", "2", "2"]
    assert json.loads(journal.read_text().splitlines()[0])["row"] == {"number": 1, "square": 0.5}
