"""The convolutional classifier: what it sees, what it is told beside the image, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synergy.estimators import estimate
from synergy.estimators.classifier import ConvolutionClassifier, CrossFit, NetworkClassifier
from synergy.estimators.classifier.crossfit import portfolio
from synergy.estimators.classifier.design import make_design
from synergy.statistics.folds import make_splits
from synthetic import Sample, Variable

SMALL = ConvolutionClassifier(width=8, passes=6_000, epochs=(4, 20))


def bars(n: int, seed: int, *, side: int = 12) -> Sample:
    """A bar of 5 pixels somewhere in the noise, A says which way it lies; B is a fair coin, C = A xor B."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(2, size=(2, n))
    images = 0.3 * rng.standard_normal((n, 1, side, side)).astype(np.float32)
    for image, lies in zip(images, a, strict=True):
        row, column = rng.integers(side - 4, size=2) + 2
        if lies:
            image[0, row, column - 2 : column + 3] += 1
        else:
            image[0, row - 2 : row + 3, column] += 1
    columns = {"A": a, "B": b, "C": a ^ b, "X": images}
    kinds = {name: Variable(name, "discrete", 2) for name in "ABC"}
    return Sample(columns, {**kinds, "X": Variable("X", "image")})


@pytest.fixture(scope="module")
def rows() -> Sample:
    return bars(700, 0)


def test_it_sees_shapes_wherever_they_are(rows):
    seen = CrossFit(rows, model=SMALL, folds=2).losses("A", "X")
    flat = CrossFit(rows, model=NetworkClassifier(members=1, passes=6_000), folds=2).losses("A", "X")
    gap = flat - seen
    assert gap.mean() > 4 * gap.std() / math.sqrt(len(gap))
    assert seen.mean() < 0.5 * math.log(2)


def test_it_combines_the_image_with_what_it_is_told(rows):
    fit = CrossFit(rows, model=SMALL, folds=2)
    alone, told = fit.losses("C", "X"), fit.losses("C", ["X", "B"])
    assert abs(alone.mean() - math.log(2)) < 0.02, "C says nothing about the bar without B"
    assert told.mean() < 0.5 * math.log(2)


def test_the_held_log_probabilities_are_normalised_and_repeat_with_the_seed(rows):
    design, splits = make_design(rows, ["X", "B"]), make_splits(len(rows), 2, seed=0)
    quick = ConvolutionClassifier(width=4, passes=700, epochs=(1, 1))
    first, second = (quick.fit_predict(design, rows["A"], 2, splits, seed=3) for _ in range(2))
    for one, two, split in zip(first, second, splits, strict=True):
        assert one[0].shape == (len(split.tune), 2)
        assert one[1].shape == (len(split.test), 2)
        np.testing.assert_allclose(np.exp(one[1]).sum(axis=1), 1, atol=1e-12)
        np.testing.assert_array_equal(one[1], two[1])


@pytest.mark.parametrize("side", [2, 5, 16, 24])
def test_images_of_every_side_are_taken(side):
    rng = np.random.default_rng(side)
    sample = Sample(
        {"A": rng.integers(3, size=60), "X": rng.random((60, 3, side, side + 1)).astype(np.float32)},
        {"A": Variable("A", "discrete", 3), "X": Variable("X", "image")},
    )
    quick = ConvolutionClassifier(width=4, passes=60, epochs=(1, 1))
    held = quick.fit_predict(make_design(sample, ["X"]), sample["A"], 3, make_splits(60, 2, seed=0), seed=0)
    assert all(np.isfinite(part).all() for pair in held for part in pair)


def test_conditions_without_an_image_are_refused(rows):
    with pytest.raises(ValueError, match="takes one image among its conditions, got 0"):
        CrossFit(rows, model=SMALL, folds=2).losses("A", "B")


@pytest.mark.parametrize(("quality", "expected"), [("quick", False), ("default", True), ("best", True)])
def test_the_default_classifiers_of_an_image_have_it(rows, quality, expected):
    for given, wanted in (("X", expected), ("B", False)):
        chosen = portfolio(make_design(rows, [given]), len(rows), 2, quality, "cpu")
        assert any(isinstance(model, ConvolutionClassifier) for model in chosen) is wanted


def test_the_notes_say_what_read_the_image():
    small = bars(60, 1)
    found = estimate(small, "I(A;X)", folds=2, estimator="classifier")
    assert any(note.startswith("X was read by a kernel classifier") for note in found.notes)
    quick = estimate(small, "I(A;X)", folds=2, estimator="classifier", quality="quick")
    assert not any("was read by" in note for note in quick.notes)
