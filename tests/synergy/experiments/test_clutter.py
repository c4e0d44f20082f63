"""Cluttered glyphs and few labels: what the images hold, and that they are harder than plain ones."""

import numpy as np
import pytest

from synergy.experiments import Scale, experiment
from synergy.experiments.clutter import LABELLED, cluttered_glyphs
from synergy.experiments.worlds import (
    few_labels,
    image_sets,
    labelled_accuracy,
    pixel_accuracy,
    shared_by_seeds,
    untransformed,
)
from synergy.learning import ImageSet
from synthetic import Sample, Variable


def test_the_same_seed_gives_the_same_images_and_another_others():
    first, again, other = (cluttered_glyphs(50, seed=seed) for seed in (3, 3, 4))
    assert first.digest == again.digest
    assert first.digest != other.digest
    assert first.images.min() >= 0
    assert first.images.max() <= 1
    assert len(first) == 50


def test_every_class_is_about_as_frequent():
    n = 1600
    counts = np.bincount(cluttered_glyphs(n, seed=0).labels["C"].numpy(), minlength=8)
    assert (np.abs(counts - n / 8) <= 4.5 * np.sqrt(n / 8 * 7 / 8)).all()


def test_most_images_have_something_at_the_border_beside_the_glyph():
    images = cluttered_glyphs(300, seed=1, noise=0.0).images.numpy()
    inner = images[:, :, 3:-3, 3:-3]
    dark = np.median(images.max(axis=1), axis=(1, 2)) < 0.05  # a black ground, which half of them have
    brightest = np.stack([images[:, :, :3], images[:, :, -3:]]).max(axis=(0, 2, 3, 4))
    assert 100 < dark.sum() < 200
    assert (brightest[dark] > 0.3).mean() > 0.5
    assert (inner.max(axis=(1, 2, 3)) > 0.5).mean() > 0.95


def test_raw_pixels_are_not_at_the_ceiling_and_few_labels_are_harder():
    train, judged = image_sets(Scale(data="cluttered-glyphs", judged=500), seed=0, default="digits")
    assert (len(train), len(judged), train.shape) == (1000, 500, (3, 16, 16))
    raw = untransformed(judged)
    whole, few = (pixel_accuracy(raw, seed=0, labelled=labelled) for labelled in (None, 10))
    assert 1 / 8 < few < whole + 0.05 < 0.8
    assert shared_by_seeds(Scale(), default="cluttered-glyphs") == 0


def test_few_labels_are_the_default_of_cluttered_glyphs_alone():
    assert few_labels(Scale(), default="cluttered-glyphs") == LABELLED
    assert few_labels(Scale(data="cluttered-glyphs"), default="digits") == LABELLED
    assert few_labels(Scale(judged=160), default="cluttered-glyphs") == 5
    assert few_labels(Scale(judged=1), default="cluttered-glyphs") == 2
    assert few_labels(Scale(), default="digits") is None
    assert few_labels(Scale(data="digits"), default="cluttered-glyphs") is None
    assert few_labels(Scale(labelled=5), default="digits") == 5
    with pytest.raises(ValueError, match="labelled must be at least 2, got 1"):
        Scale(labelled=1)


def readable(n=400, classes=4, spread=0.3):
    """Rows whose Z shows C well."""
    rng = np.random.default_rng(0)
    c = np.arange(n) % classes
    z = np.eye(classes)[c] + spread * rng.standard_normal((n, classes))
    variables = {"C": Variable("C", "discrete", classes, "class"), "Z": Variable("Z", "continuous")}
    return Sample({"C": c, "Z": z.astype(np.float32)}, variables)


def test_the_accuracy_with_few_labels():
    rows = readable()
    many = labelled_accuracy(rows, "C", seed=0, labelled=None)
    few = labelled_accuracy(rows, "C", seed=0, labelled=4)
    assert 0.5 < few <= many + 0.02
    shuffled = rows.with_column(rows.variables["C"], np.random.default_rng(1).permutation(rows["C"]))
    guess = labelled_accuracy(shuffled, "C", seed=0, labelled=10)
    assert abs(guess - 0.25) < 4.5 * np.sqrt(0.25 * 0.75 / 360)
    assert labelled_accuracy(rows, "C", seed=0, labelled=4) == few
    with pytest.raises(ValueError, match="less than the 100 judged images of the rarest state of C, got 100"):
        labelled_accuracy(rows, "C", seed=0, labelled=100)


@pytest.mark.parametrize("name", ["fine-grained", "multivariate", "model-equivariance"])
def test_the_experiments_that_compare_accuracies_default_to_clutter(name):
    asked = []

    class Listed:
        scale = Scale(seeds=1, every=False)

        def spread(self, function, jobs, *, label):
            asked.extend(jobs)

    experiment(name).measure(Listed())
    assert asked
    if name != "model-equivariance":
        assert "cluttered-glyphs" in {job[1] for job in asked}


def test_more_labels_than_images_are_refused_in_an_experiment():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    own = ImageSet.from_arrays(rng.random((60, 1, 8, 8), dtype=np.float32), {"C": labels})
    with pytest.raises(ValueError, match="labelled must be less than the"):
        experiment("model-equivariance").run(
            Scale(seeds=1, steps=1, judged=24, features=4, batch=8, data=own, labelled=40)
        )


@pytest.mark.parametrize("name", ["class-information", "projection-head"])
def test_labels_for_probes_are_refused_where_there_is_no_probe(name):
    with pytest.raises(ValueError, match=f"labelled is for linear probes .* {name} has none"):
        experiment(name).run(Scale.quick(labelled=10))
