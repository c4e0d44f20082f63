"""Runs: what is kept in the journal, and what is run again."""

import json
from pathlib import Path

import pytest
import torch

from synergy.experiments import Scale
from synergy.experiments.runs import Runner
from synergy.learning import ImageSet


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


@pytest.mark.parametrize("cut", [1, 2, 3, 10, 60, 88])
def test_a_journal_that_was_cut_off_anywhere_is_taken_up_again_and_again(tmp_path, cut: int):
    spread(tmp_path, [1, 2])
    journal = tmp_path / "journal.jsonl"
    journal.write_text(journal.read_text()[:-cut])
    for _ in range(2):
        assert spread(tmp_path, [1, 2, 3]) == [0.5, 2.0, 4.5]
    again = [] if cut == 1 else ["2"]  # without its newline alone a line is whole
    assert calls(tmp_path) == ["1", "2", *again, "3"]


def test_other_images_or_labels_are_another_run(tmp_path):
    images = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    classes = torch.tensor([0, 1, 0, 1, 0, 1])
    sets = [
        ImageSet(images, {"C": classes}, {"C": 2}),
        ImageSet(images, {"C": classes.flip(0)}, {"C": 2}),
        ImageSet(images.flip(0), {"C": classes}, {"C": 2}),
        ImageSet(images, {"C": classes}, {"C": 3}),
        ImageSet(images, {"C": classes}, {"C": 2}, groups=torch.tensor([0, 0, 1, 1, 2, 2])),
    ]
    for data in sets:
        spread(tmp_path, [1], data=data)
    assert len(calls(tmp_path)) == len(sets)
    spread(tmp_path, [1], data=ImageSet(images.clone(), {"C": classes.clone()}, {"C": 2}))
    assert len(calls(tmp_path)) == len(sets)


def test_other_photographs_are_another_run(tmp_path):
    for name, content in (("a", b"1"), ("b", b"22")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "data_batch_1.bin").write_bytes(content)
    spread(tmp_path, [1], data="cifar10", root=str(tmp_path / "a"))
    spread(tmp_path, [1], data="cifar10", root=str(tmp_path / "a"))
    assert calls(tmp_path) == ["1"]
    spread(tmp_path, [1], data="cifar10", root=str(tmp_path / "b"))
    assert calls(tmp_path) == ["1", "1"]
