"""What numbers cannot leave, and images that experiments refuse, take in part, or take with a note."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from synergy.experiments import EXPERIMENTS, Scale, experiment
from synergy.experiments.limits import (
    ACCURACY,
    ANYTHING,
    CORRELATION,
    GAIN,
    SQUARES,
    Information,
    apart,
    limits_of,
)
from synergy.experiments.show import CLASSES, entropies, means
from synergy.experiments.transformations.experiment import SEVEN, _seven, _told_missing, _train
from synergy.learning import ImageSet

KEPT = Path(__file__).parents[3] / "notebooks" / "experiments"
KNOWN = {"A": math.log(4), "C": math.log(10)}
RECTANGULAR = ("transformations", "invariance-or-equivariance", "shape")


def images(n, height=8, width=8, channels=3):
    return ImageSet(torch.rand(n, channels, height, width), {"C": torch.arange(n) % 2}, {"C": 2})


@pytest.mark.parametrize(
    ("quantity", "limits"),
    [
        pytest.param(ACCURACY, (0, 1), id="accuracy"),
        pytest.param(GAIN, (-1, 1), id="gain"),
        pytest.param(apart(CORRELATION), (-2, 2), id="difference of correlations"),
        pytest.param(Information("A"), (0, math.log(4)), id="about A"),
        pytest.param(Information("C", "A"), (0, math.log(4)), id="synergy"),
        pytest.param(Information("V"), (0, math.inf), id="about what is not known"),
        pytest.param(SQUARES, (0, math.inf), id="squares"),
        pytest.param(ANYTHING, (-math.inf, math.inf), id="ratio"),
        pytest.param(None, None, id="not said"),
    ],
)
def test_what_a_number_is_says_what_it_cannot_leave(quantity, limits):
    assert limits_of(quantity, KNOWN) == (None if limits is None else pytest.approx(limits))


def test_without_entropies_nothing_is_known_of_an_information():
    assert limits_of(Information("A")) is None
    assert apart(Information("A").within(KNOWN)) == pytest.approx((-math.log(4), math.log(4)))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_finding_says_what_it_cannot_leave(name):
    findings = experiment(name).read(KEPT).conclusion.findings
    assert [f.about for f in findings if f.bounds is None] == []
    for finding in findings:
        least, most = finding.bounds
        assert least <= np.mean(finding.values) <= most or "I(" in finding.about  # an estimate may err
        if "accuracy" in finding.about.split(", in nats")[0].split():
            assert most - least == (1 if "chance" in finding.about else 2)


def test_entropies_are_those_of_the_runs():
    runs = pd.DataFrame({CLASSES: [8, 8]})
    assert entropies(runs, A=4) == pytest.approx({"A": math.log(4), "C": math.log(8)})
    assert entropies(pd.DataFrame({"seed": [0]}), A=4) == pytest.approx({"A": math.log(4)})


def test_tables_end_where_each_condition_ends():
    wild = [0.1, 0.6, 1.3]
    runs = pd.DataFrame({"task": ["a", "b"] * 3, "states": [2, 4] * 3, "I(A;X)": np.repeat(wild, 2)})
    table = means(
        runs,
        "task",
        {"I(A;X)": Information("A")},
        known=lambda part: entropies(part, A=part["states"].max()),
    )
    assert table["I(A;X) high"].tolist() == pytest.approx([math.log(2), math.log(4)])
    assert table["I(A;X) low"].tolist() == [0, 0]
    free = means(runs, "task", {"I(A;X)": Information("A")})  # where nothing is known
    assert (free["I(A;X) high"] > math.log(4)).all()
    assert free.equals(means(runs, "task", ["I(A;X)"]))


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name not in RECTANGULAR])
def test_images_that_cannot_be_turned_are_refused_before_anything_runs(name):
    def measured(runner):
        raise AssertionError("something ran")

    chosen = replace(experiment(name), measure=measured)
    for data in (images(120, 32, 48), (images(120, 32, 48), images(120, 32, 48))):
        with pytest.raises(ValueError, match=r"must be square .*, got 32 x 48 pixels: `--size 32` makes"):
            chosen.run(Scale(data=data))
    with pytest.raises(AssertionError, match="something ran"):
        chosen.run(Scale(data=images(120, 32, 32)))


def test_tasks_that_do_not_fit_are_left_out_and_that_is_told():
    assert "rotation" not in _seven(Scale(data=images(120, 8, 12)))
    assert set(_seven(Scale(data=images(120, 8, 12)))) >= {"vertical-flip", "inversion", "grayscale"}
    assert _seven(Scale(data=images(120))) == _seven(Scale()) == SEVEN
    small = Scale(data=images(120, 8, 12), steps=2, judged=40, features=4)
    assert _train(("120 images", "random", 0), small)["accuracy"] >= 0
    left = _told_missing(pd.DataFrame({"transformation": [name for name in SEVEN if name != "rotation"]}))
    assert left == " Left out, since they do not fit these images: rotation."
    assert _told_missing(pd.DataFrame({"transformation": [*SEVEN, "random"]})) == ""


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_refuses_images_that_are_too_few(name):
    with pytest.raises(ValueError, match=r"an experiment needs at least \d+ images"):
        experiment(name).run(Scale(data=images(20)))


def test_images_that_are_few_are_used_and_that_is_told():
    note = "Of 150 images 60 are judged, where the scale asks for 1,500: intervals are the wider for it."
    few = Scale.quick(data=images(150))
    assert few.notes == (note,)
    assert Scale.quick(data=(images(900), images(60))).notes[0].startswith("Of 900 + 60 images 60 are judged")
    assert Scale.quick(data=images(150), judged=60).notes == Scale.quick().notes == ()
    kept = experiment("shape")
    runs = pd.DataFrame({"images": "150 images", "seed": [0, 0], "transformation": ["blur", "random"]})
    runs[["accuracy", "gain", "I(A;X|U)", "I(A;X|U) with a thumbnail", "I(A;X)", "log states", "pilot"]] = 0.5
    said = []
    outcome = replace(kept, measure=lambda runner: runs).run(few, tell=said.append)
    assert said == [note]
    assert outcome.told.endswith(note)
    assert outcome.to_dict()["notes"] == [note]
    assert kept.outcome(runs, few).notes == ()
