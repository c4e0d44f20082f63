"""What numbers cannot leave, and images that experiments refuse, take in part, or take with a note."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from synergy.experiments import EXPERIMENTS, Scale, experiment
from synergy.experiments.limits import apart, limits_of
from synergy.experiments.show import CLASSES, entropies, means
from synergy.experiments.transformations.experiment import SEVEN, _seven, _told_missing, _train
from synergy.learning import ImageSet

KNOWN = {"A": math.log(4), "C": math.log(10)}
RECTANGULAR = ("transformations", "invariance-or-equivariance", "shape")


def images(n, height=8, width=8, channels=3):
    return ImageSet(torch.rand(n, channels, height, width), {"C": torch.arange(n) % 2}, {"C": 2})


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("class accuracy", (0, 1)),
        ("class accuracy: rotation less raw pixels", (-1, 1)),
        ("gain", (-1, 1)),
        ("rank correlation of J with the gain, mean over the sets", (-1, 1)),
        ("rank correlation of J less that of H(A|X)", (-2, 2)),
        ("I(A;.) encoder", (0, math.log(4))),
        ("I(C;Z+0.2N)", (0, math.log(10))),
        ("I(A;C|Z), unmarked", (0, math.log(4))),
        ("I(A;Z|C) with the class told less I(A;Z) as usual", (-math.log(4), math.log(4))),
        ("H(A|Z)", (0, math.log(4))),
        ("I(V;Z)", (0, math.inf)),
        ("moved by a shift", (0, math.inf)),
        ("H(A|Z)/(1-g)", None),
        ("I(A;Z|C) - I(A;Z)", None),
        ("I(A;C|Z) at g = 1 over that at g = 0", None),
        ("the gap of the accuracy, in nats", None),
        ("", None),
    ],
)
def test_a_name_says_what_a_number_cannot_leave(name, limits):
    assert limits_of(name, KNOWN) == (None if limits is None else pytest.approx(limits))


def test_without_entropies_nothing_is_known_of_a_term():
    assert limits_of("I(A;Z)") is None
    assert apart((0.0, 2.0)) == (-2.0, 2.0)


def test_entropies_are_those_of_the_runs():
    runs = pd.DataFrame({CLASSES: [8, 8]})
    assert entropies(runs, A=4) == pytest.approx({"A": math.log(4), "C": math.log(8)})
    assert entropies(pd.DataFrame({"seed": [0]}), A=4) == pytest.approx({"A": math.log(4)})


def test_tables_end_where_each_condition_ends():
    wild = [0.1, 0.6, 1.3]
    runs = pd.DataFrame({"task": ["a", "b"] * 3, "states": [2, 4] * 3, "I(A;X)": np.repeat(wild, 2)})
    table = means(runs, "task", ["I(A;X)"], known=lambda part: entropies(part, A=part["states"].max()))
    assert table["I(A;X) high"].tolist() == pytest.approx([math.log(2), math.log(4)])
    assert table["I(A;X) low"].tolist() == [0, 0]
    assert (means(runs, "task", ["I(A;X)"])["I(A;X) high"] > math.log(4)).all()  # where nothing is known


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
