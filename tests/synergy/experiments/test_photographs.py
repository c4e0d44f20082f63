"""invariance-or-equivariance on images whose hue nobody knows."""

import numpy as np
import pandas as pd
import pytest
import torch

from synergy.experiments import Scale, experiment
from synergy.experiments.invariance import conditions as con
from synergy.experiments.invariance import photographs as photo
from synergy.experiments.show import SHARED
from synergy.learning import ImageSet

NAMES = (con.PIXELS, con.RANDOM, con.INVARIANT, con.EQUIVARIANT, con.CARE, photo.POSE_HIDDEN, con.SOFT)


def own_images(n=60, shape=(3, 8, 8)):
    """Images that are brighter on top, and redder in one class."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    images = 0.2 * rng.random((n, *shape))
    images[:, :, : shape[1] // 2] += 0.5
    images[:, 0] += 0.3 * labels[:, None, None]
    return ImageSet.from_arrays(images.clip(0, 1).astype(np.float32), {"C": labels})


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 8, 6)])
def test_it_runs_on_images_of_ones_own(shape):
    scale = Scale(seeds=2, steps=2, judged=24, features=4, batch=8, data=own_images(shape=shape))
    found = experiment("invariance-or-equivariance").run(scale)
    assert tuple(found.table["pretext"]) == NAMES
    assert np.isfinite(found.table[["C accuracy", "A accuracy", photo.MOVED]]).all(axis=None)
    states = 4 if shape[1] == shape[2] else 2
    assert set(found.runs["chance of A"]) == {1 / states}
    heads = found.runs["pretext"].isin([con.EQUIVARIANT, photo.POSE_HIDDEN])
    assert np.isfinite(found.runs.loc[heads, "I(A;Z)"]).all()
    assert found.runs.loc[~heads, "I(A;Z)"].isna().all()
    assert np.allclose(found.runs[SHARED], 0.4 / 0.6)
    assert len(found.figure.axes) == 2


def test_a_random_pose_of_its_own_hides_what_is_done_to_an_image():
    """Every pose is as frequent under every label, where without it the label is the pose."""
    images = own_images(200)
    task = photo.pose_task(images.shape)

    def top(shown):
        """Whether the bright half is on top."""
        x = shown["X"].mean(axis=1)
        return x[:, :4].mean(axis=(1, 2)) - x[:, 4:].mean(axis=(1, 2)) > 0.25

    upright = images.transformed(task, copies=4, seed=0)
    assert (top(upright) == (upright["A"] == 0)).all()
    hidden = photo._turned_at_random(images, task, 1).transformed(task, copies=4, seed=0)
    for a in range(task.states):
        share = top(hidden)[hidden["A"] == a].mean()
        assert abs(share - 0.25) < 4.5 * np.sqrt(0.25 * 0.75 / 200 * 4)
    assert set(hidden["C"]) == {0, 1}


def runs_of(name="", column="", value=0.0):
    """Runs as the theory would have them, with one column of one condition changed."""
    rows = []
    for seed in range(5):
        for pretext in NAMES:
            row = {"pretext": pretext, "seed": seed, SHARED: 0.0, "transformation": "rotation"}
            row |= {"chance of C": 0.5, "chance of A": 0.25, photo.MOVED: 0.5, "C accuracy": 0.5}
            row["A accuracy"] = {con.INVARIANT: 0.25, con.EQUIVARIANT: 0.9}.get(pretext, 0.5)
            row["I(A;Z)"] = {con.EQUIVARIANT: 1.0, photo.POSE_HIDDEN: 0.0}.get(pretext, np.nan)
            if pretext == name:
                row[column] = value
            for measured in ("C accuracy", "A accuracy", "I(A;Z)"):
                row[measured] += 1e-3 * seed * (NAMES.index(pretext) + 1)
            rows.append(row)
    return pd.DataFrame(rows)


def verdicts(runs):
    return {f.about: f.verdict(0.99) for f in photo.conclude_photographs(runs).findings}


def test_what_follows_the_theory_agrees_and_of_the_class_nothing_is_predicted():
    found = verdicts(runs_of())
    assert set(found.values()) == {"agrees", "no prediction"}
    assert all(v == "no prediction" for about, v in found.items() if "of the class" in about)


@pytest.mark.parametrize(
    ("name", "column", "value", "about"),
    [
        (con.EQUIVARIANT, "A accuracy", 0.1, "accuracy of the rotation, equivariant less random"),
        (con.EQUIVARIANT, "A accuracy", 0.1, "accuracy of the rotation, equivariant less invariant"),
        (con.INVARIANT, "A accuracy", 0.8, "accuracy of the rotation, invariant less chance"),
        (photo.POSE_HIDDEN, "I(A;Z)", 0.5, "I(A;Z) where the raw images are turned at random"),
    ],
)
def test_each_prediction_can_fail(name, column, value, about):
    found = [v for told, v in verdicts(runs_of(name, column, value)).items() if told.startswith(about)]
    assert found == ["disagrees"]


def test_the_two_kinds_of_runs_are_told_apart():
    whole = experiment("invariance-or-equivariance").outcome(runs_of(), Scale())
    assert "rotation" in whole.conclusion.seen
    assert "hue" not in whole.conclusion.seen
    assert [axis.get_ylabel() for axis in whole.figure.axes] == [
        "accuracy of a linear probe of the class",
        "accuracy of a linear probe of the rotation",
    ]


def test_too_few_images_are_refused():
    few = ImageSet(torch.zeros(10, 3, 16, 16), {"C": torch.arange(10) % 2}, {"C": 2})
    with pytest.raises(ValueError, match="an experiment needs at least 40 images"):
        experiment("invariance-or-equivariance").run(Scale(data=few))
