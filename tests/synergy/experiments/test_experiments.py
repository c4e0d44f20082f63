"""The experiments: that they run from end to end, and that their parts are right."""

import json

import numpy as np
import pytest

from synergy.cli import run
from synergy.experiments import EXPERIMENTS, Scale, experiment, write_outcome
from synergy.experiments.base import summarise
from synergy.experiments.shortcut import mark
from synergy.experiments.worlds import digit_sets

TINY = Scale(seeds=1, inputs=256, judged=300, epochs=1, features=8, tolerance=0.2)


@pytest.fixture(scope="module")
def outcome():
    return experiment("invariance-or-equivariance").run(TINY, None)


def test_an_experiment_has_a_table_a_figure_and_a_paragraph(outcome, tmp_path):
    written = {path.name for path in write_outcome(outcome, tmp_path)}
    assert written == {"table.csv", "runs.parquet", "outcome.json", "figure.png", "figure.svg"}
    told = json.loads((tmp_path / outcome.name / "outcome.json").read_text())
    assert told["scale"]["seeds"] == 1
    assert "Predicted" in outcome.told
    assert len(outcome.runs) == 4


def test_accuracies_are_shares(outcome):
    columns = [c for c in outcome.runs.columns if c.endswith("accuracy")]
    assert len(columns) == 2
    assert outcome.runs[columns].to_numpy().min() > 0
    assert outcome.runs[columns].to_numpy().max() <= 1


def test_the_same_seed_gives_the_same_outcome(outcome):
    again = experiment("invariance-or-equivariance").run(TINY, None)
    assert again.runs.equals(outcome.runs)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_a_watermark_shows_the_transformation_as_often_as_it_says(strength):
    sample = digit_sets(0)[1].transformed("rotation", copies=2, seed=1)
    marked = mark(sample, strength, seed=2)
    shown = marked["X"][:, 0, -1, -1] == 1
    assert abs(shown.mean() - strength) <= 4 * np.sqrt(0.25 / len(sample))
    read = marked["X"][shown, 0, 0, :8:2].argmax(axis=1)
    assert (read == sample["A"][shown]).all()
    assert np.array_equal(marked["X"][:, :, 2:-2, 2:-2], sample["X"])


def test_one_run_has_no_interval_to_trust():
    assert summarise([0.5]).low == -np.inf
    found = summarise(list(np.random.default_rng(0).standard_normal(400)))
    assert found.high - found.low == pytest.approx(2 * 1.966 / np.sqrt(400), rel=0.1)


def test_names():
    assert {"transformations", "class-information", "model-equivariance", "shortcut"} <= set(EXPERIMENTS)
    with pytest.raises(ValueError, match="unknown experiment 'alchemy': there are transformations"):
        experiment("alchemy")
    with pytest.raises(ValueError, match="seeds must be at least 1"):
        Scale(seeds=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["alchemy"], "unknown experiment 'alchemy'", id="name"),
        pytest.param(["shortcut", "--device", "cuda"], "no CUDA device", id="device"),
    ],
)
def test_bad_input(capsys, arguments, message):
    assert run(["experiment", *arguments]) == 2
    assert message in capsys.readouterr().err
