"""The experiments: that they run from end to end, that their parts are right, and what they refuse."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from torch.utils.data import TensorDataset

from synergy.cli import run
from synergy.experiments import EXPERIMENTS, Experiment, Finding, Scale, compact, experiment, write_outcome
from synergy.experiments.class_information.experiment import exact_price
from synergy.experiments.designs.ladders import LADDERS
from synergy.experiments.outcome import Conclusion
from synergy.experiments.scale import as_scale
from synergy.experiments.shortcut.watermarks import mark, prepared
from synergy.experiments.worlds import image_sets, untransformed
from synergy.learning import ImageSet
from synthetic.storage.files import DamagedFileError
from theory.source import source_digest

KEPT = Path(__file__).parents[3] / "notebooks" / "experiments"
TINY = Scale(seeds=2, steps=4, judged=300, features=8, tolerance=0.2)
SMALLEST = replace(TINY, steps=2, judged=120)


@pytest.fixture(scope="module")
def outcome():
    return experiment("invariance-or-equivariance").run(SMALLEST)


def test_an_outcome_is_written_and_read(outcome, tmp_path):
    written = {path.name for path in write_outcome(outcome, tmp_path)}
    assert written == {"table.csv", "runs.parquet", "outcome.json", "figure.png", "figure.svg"}
    again = experiment(outcome.name).read(tmp_path)
    pd.testing.assert_frame_equal(again.runs, outcome.runs, check_exact=True)
    pd.testing.assert_frame_equal(again.table, outcome.table, check_exact=True)
    assert again.told == outcome.told
    assert again.scale == outcome.scale
    told = json.loads((tmp_path / outcome.name / "outcome.json").read_text())
    assert told["findings"][0]["seeds"] == 2
    with pytest.raises(FileNotFoundError, match="no outcome of shortcut"):
        experiment("shortcut").read(tmp_path)


def _small(values, *, source, seeds=3):
    """An outcome of a few numbers."""
    small = Experiment(
        "small",
        "Small",
        "How large?",
        lambda runner: pytest.fail("nothing is to be run"),
        lambda runs: Conclusion(runs, (Finding("a number", tuple(runs["v"])),), "Nothing.", "See the table."),
        lambda runs: Figure(),
    )
    return small, small.outcome(pd.DataFrame({"v": values}), Scale(seeds=seeds), source=source)


def _files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("moves", range(5))
def test_an_interruption_leaves_no_mixture_of_two_outcomes(moves, tmp_path, monkeypatch):
    """Two figures, the table and the runs are moved to their places before the paragraph."""
    small, old = _small([1.0, 2.0, 4.0], source="old")
    new = _small([10.0, 20.0, 40.0, 50.0], source="new", seeds=4)[1]
    write_outcome(old, tmp_path)
    before = _files(tmp_path / "small")
    plain, done = Path.replace, []

    def interrupted(self, target):
        if Path(target).parent.name == "small":
            if len(done) == moves:
                raise KeyboardInterrupt
            done.append(target)
        return plain(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_outcome(new, tmp_path)
    assert set(_files(tmp_path / "small")) == set(before)  # nothing unfinished is left
    if not moves:
        assert _files(tmp_path / "small") == before
    if moves == 4:
        with pytest.raises(DamagedFileError, match="tells of other runs"):
            small.read(tmp_path)
    else:
        found = small.read(tmp_path)
        assert (found.runs["v"].tolist(), found.source, found.scale.seeds) == ([1.0, 2.0, 4.0], "old", 3)
    write_outcome(new, tmp_path)
    assert small.read(tmp_path).source == "new"


def test_an_outcome_that_cannot_be_written_leaves_the_old_one(tmp_path):
    write_outcome(_small([1.0, 2.0, 4.0], source="old")[1], tmp_path)
    before = _files(tmp_path / "small")
    wild = _small([1.0, 2.0, 4.0], source="new")[1]
    wild = replace(wild, conclusion=replace(wild.conclusion, findings=(Finding("a", (0.0, 1e308, -1e308)),)))
    with pytest.raises(ValueError, match="not JSON compliant"), np.errstate(over="ignore"):
        write_outcome(wild, tmp_path)
    assert _files(tmp_path / "small") == before


def test_runs_of_another_outcome_are_refused_and_an_outcome_without_a_digest_is_read(tmp_path):
    small, old = _small([1.0, 2.0, 4.0], source="old")
    write_outcome(old, tmp_path)
    kept = tmp_path / "small"
    pd.DataFrame({"v": [9.0, 9.5, 9.9]}).to_parquet(kept / "runs.parquet", index=False)
    with pytest.raises(DamagedFileError, match=r"outcome\.json tells of other runs than .*runs\.parquet"):
        small.read(tmp_path)
    told = json.loads((kept / "outcome.json").read_text())
    assert set(told) == {*old.to_dict(), "runs"}
    del told["runs"]  # as outcomes were kept before
    (kept / "outcome.json").write_text(json.dumps(told))
    assert small.read(tmp_path).runs["v"].tolist() == [9.0, 9.5, 9.9]


def test_the_answer_comes_first_and_counts_the_verdicts(outcome):
    assert outcome.told.startswith(outcome.conclusion.seen)
    verdicts = [f.verdict(outcome.confidence) for f in outcome.conclusion.findings]
    assert (outcome.agrees is False) == ("disagrees" in verdicts)
    assert outcome.findings["verdict"].tolist() == verdicts
    assert outcome.findings["finding"].tolist() == [f.about for f in outcome.conclusion.findings]
    assert "Of the predictions " in outcome.told
    for kind in ("agree", "undecided"):
        count = sum(v in (kind, f"{kind}s") for v in verdicts)
        assert bool(count) == (re.search(rf" {count} (is |are )?{kind}", outcome.told) is not None)
    html = outcome._repr_html_()
    assert html.index(outcome.conclusion.seen[:20]) < html.index("<table") < html.index("Predicted: ")


def test_the_same_seed_gives_the_same_outcome(outcome):
    again = experiment("invariance-or-equivariance").run(SMALLEST)
    assert again.runs.equals(outcome.runs)


@pytest.mark.parametrize("name", ["model-equivariance", "fine-grained", "multivariate"])
def test_an_experiment_runs_on_images_of_ones_own(name):
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    images = np.clip(rng.random((300, 1, 8, 8)) * 0.2 + 0.4 * labels[:, None, None, None], 0, 1)
    own = ImageSet.from_arrays(images.astype(np.float32), {"C": labels})
    seeds = 1 if name in LADDERS else 2
    found = experiment(name).run(Scale(seeds=seeds, steps=2, judged=240, features=4, batch=32, data=own))
    assert found.scale.to_dict()["data"] == "300 images"
    assert len(found.runs) == seeds * found.runs.groupby("seed").size().iloc[0]
    assert np.isfinite(found.table["class accuracy"]).all()
    assert found.figure.axes
    measured = found.table.filter(like="I(A;C|Z)").dropna(how="all")
    assert np.isfinite(measured.filter(regex=r"\)$")).all(axis=None)
    if name in LADDERS:  # of the untrained encoder and of pixels there is the accuracy alone
        assert len(measured) == len(LADDERS[name].rungs) + len(LADDERS[name].apart)


def test_cifar10_takes_the_place_of_the_digits(tmp_path):
    rng = np.random.default_rng(0)
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    for name in names:
        rows = rng.integers(256, size=(24, 3073), dtype=np.uint8)
        rows[:, 0] = np.arange(24) % 10
        rows.tofile(tmp_path / name)
    scale = Scale(data="cifar10", root=str(tmp_path), judged=20)
    train, judged = image_sets(scale, seed=0, default="digits")
    assert (len(train), len(judged), train.shape) == (120, 20, (3, 32, 32))
    raw = untransformed(judged)
    assert raw["X"].shape == (20, 3, 32, 32)
    assert set(raw["C"]) <= set(range(10))
    held = scale.holding()
    assert held == scale
    assert held.identity == scale.identity
    assert held.to_dict() == scale.to_dict()
    for one, other in zip(image_sets(held, seed=0, default="digits"), (train, judged), strict=True):
        assert one.digest == other.digest
    each, together = scale.memory
    assert together == 60_000 * 3072 * 4
    assert each > 4 * 3072 * 20


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_a_watermark_shows_the_transformation_as_often_as_it_says(strength):
    held = image_sets(Scale(), seed=0, default="digits")[1]
    sample = held.transformed("rotation", copies=2, seed=1)
    marked = mark(sample, strength, seed=2)
    shown = marked["X"][:, 0, -1, -1] == 1
    assert abs(shown.mean() - strength) <= 4 * np.sqrt(0.25 / len(sample))
    read = marked["X"][shown, 0, 0, :8:2].argmax(axis=1)
    assert (read == sample["A"][shown]).all()
    assert np.array_equal(marked["X"][:, :, 1:-1, 1:-1], sample["X"])


def test_a_pruned_watermark_is_shown_and_says_nothing():
    held = image_sets(Scale(), seed=0, default="digits")[1]
    sample = held.transformed("rotation", copies=4, seed=1)
    pruned = prepared(sample, 1.0, pruned=True, seed=2)
    assert (pruned["X"][:, 0, -1, -1] == 1).all()
    read = pruned["X"][:, 0, 0, :8:2].argmax(axis=1)
    right = (read == sample["A"]).mean()
    assert abs(right - 0.25) <= 4 * np.sqrt(0.25 * 0.75 / len(sample))


def test_the_exact_price_has_its_closed_form():
    p = np.array([5 / 8, 1 / 8, 1 / 8, 1 / 8])
    curve = exact_price("half-symmetric")
    assert curve["F"].iloc[0] == pytest.approx(np.log(4) + (p * np.log(p)).sum(), abs=1e-7)
    assert curve["F"].iloc[-1] == pytest.approx(np.log(4) / 2, abs=1e-3)
    assert curve["F"].is_monotonic_increasing
    for glyphs, ceiling in (("free", np.log(4)), ("half-turn-pairs", np.log(2))):
        assert exact_price(glyphs)["F"].tolist() == [ceiling, ceiling]


def test_no_raw_image_is_both_trained_on_and_judged_on():
    train, judged = image_sets(Scale(), seed=3, default="digits")
    rows = {bytes(image.numpy().tobytes()) for image in train.images}
    assert len(train) + len(judged) == 1797
    shared = sum(bytes(image.numpy().tobytes()) in rows for image in judged.images)
    assert shared == 0


def test_tables_are_compact():
    table = pd.DataFrame({"a": ["x"], "q": [0.5], "q low": [0.25], "q high": [0.75], "r": [float("nan")]})
    assert compact(table).to_dict("list") == {"a": ["x"], "q": ["0.500 [0.250, 0.750]"], "r": [""]}
    single = pd.DataFrame({"q": [0.5], "q low": [-np.inf], "q high": [np.inf]})
    assert compact(single).to_dict("list") == {"q": ["0.500"]}


def test_the_large_scale_trains_a_resnet_on_a_gpu():
    large = Scale.large()
    assert (large.encoder, large.pixels, large.precision, large.device) == (
        "resnet18",
        32,
        "bfloat16",
        "cuda",
    )
    assert Scale.named("large", seeds=2).seeds == 2
    assert as_scale(large.to_dict()) == large


def test_names():
    assert set(EXPERIMENTS) == {
        "transformations",
        "class-information",
        "model-equivariance",
        "fine-grained",
        "multivariate",
        "shortcut",
        "invariance-or-equivariance",
        "projection-head",
        "shape",
    }
    with pytest.raises(ValueError, match="unknown experiment 'alchemy': there are transformations"):
        experiment("alchemy")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"seeds": 0}, "seeds must be at least 1, got 0", id="seeds"),
        pytest.param({"tolerance": -1.0}, "tolerance must be above 0", id="tolerance"),
        pytest.param({"quality": "bad"}, "quality must be one of quick, default, best", id="quality"),
        pytest.param({"precision": "int4"}, "precision must be one of float32", id="precision"),
        pytest.param({"encoder": "vit"}, "encoder must be one of mlp, cnn", id="encoder"),
        pytest.param(
            {"data": "cifar100"}, "data must be one of digits, glyphs, cluttered-glyphs, cifar10", id="data"
        ),
        pytest.param({"data": "cifar10"}, "needs root", id="root missing"),
        pytest.param({"root": "x"}, "root is the folder of data='cifar10'", id="root alone"),
    ],
)
def test_bad_scales(changes, message):
    with pytest.raises(ValueError, match=message):
        Scale(**changes)
    with pytest.raises(ValueError, match="scale must be one of quick, full, large, got 'huge'"):
        Scale.named("huge")


def test_a_torch_dataset_is_read_and_anything_else_refused():
    images = torch.rand(90, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    scale = Scale(data=TensorDataset(images, torch.arange(90) % 2))
    train, judged = image_sets(scale, seed=0, default="digits")
    assert (train.shape, len(train) + len(judged), dict(train.states)) == ((1, 8, 8), 90, {"C": 2})
    assert not scale.draws_glyphs
    with pytest.raises(TypeError, match="an ImageSet or a torch Dataset of pairs"):
        Scale(data=3.5)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_answer_is_a_sentence_or_two_and_the_numbers_are_in_tables(name):
    outcome = experiment(name).read(KEPT)
    assert len(outcome.conclusion.seen) < 330
    assert len(re.findall(r"\d\.\d+", outcome.conclusion.seen)) <= 4


def test_where_an_adversary_may_have_left_the_class_that_is_told():
    said = experiment("class-information").read(KEPT).conclusion.seen
    assert said.endswith(
        "On digits, crop+flip; digits, simclr it is undecided whether the adversary took most of the class."
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_runs_resumes_and_is_read_again(name, tmp_path):
    """From the runs to the files and back, on networks that have hardly learned."""
    told = []
    chosen, scale = experiment(name), SMALLEST
    if name in ("class-information", "transformations"):  # twenty conditions and more
        scale = replace(scale, seeds=1)
    if (
        name in LADDERS or name == "shape"
    ):  # sixteen sets of labels, or seven tasks, each with models of its own
        scale = replace(scale, seeds=1, every=False)
    journal = tmp_path / "journal.jsonl"
    first = chosen.run(scale, lambda done, total, what: told.append(what), journal=journal)
    assert len(told) >= len(first.runs)
    again = chosen.run(scale, lambda done, total, what: told.append("again"), journal=journal)
    assert "again" not in told
    pd.testing.assert_frame_equal(again.runs, first.runs, check_exact=True, check_dtype=False)
    write_outcome(first, tmp_path)
    kept = chosen.read(tmp_path)
    pd.testing.assert_frame_equal(kept.table, first.table, check_exact=True)
    assert kept.told == first.told
    assert kept.source == first.source == source_digest(chosen.measure)
    judged = [f for f in first.conclusion.findings if f.relation is not None]
    assert {len(f.values) for f in judged} == {scale.seeds}
    assert set(first.runs["seed"]) == set(range(scale.seeds))


def test_the_command_runs_an_experiment(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(Scale, "quick", classmethod(lambda cls, **changes: replace(SMALLEST, **changes)))
    small = ["--seeds", "1", "--jobs", "1", "--out", str(tmp_path), "--json"]
    assert run(["experiment", "model-equivariance", "--quick", *small]) in (0, 1, 3)
    told = json.loads(capsys.readouterr().out)
    assert told["experiment"] == "model-equivariance"
    assert told["scale"]["steps"] == SMALLEST.steps
    assert {Path(f).name for f in told["files"]} >= {"table.csv", "runs.parquet", "figure.png"}
    assert all(f["interval"] is None for f in told["findings"])  # one seed has no interval


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["alchemy"], "unknown experiment 'alchemy'", id="name"),
        pytest.param(["shortcut", "--device", "cuda"], "no CUDA device", id="device"),
        pytest.param(["shortcut", "--scale", "large"], "no CUDA device", id="large without a GPU"),
        pytest.param(["shortcut", "--full", "--scale", "quick"], "give one of them", id="two scales"),
        pytest.param(["shortcut", "--scale", "huge"], "scale must be one of quick, full, large", id="scale"),
        pytest.param(["shortcut", "--data", "cifar10"], "needs root", id="no root"),
        pytest.param(
            ["shortcut", "--data", "cifar10", "--root", "/nowhere", "--jobs", "1", "--out", "{out}"],
            "/nowhere",
            id="no folder",
        ),
    ],
)
def test_bad_input(capsys, tmp_path, arguments, message):
    assert run(["experiment", *(a.format(out=tmp_path) for a in arguments)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
