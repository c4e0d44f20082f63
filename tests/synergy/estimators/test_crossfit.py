"""Cross-fitting: what it gives away, what it counts, what its models may see, and how it weighs them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from synergy.estimators.classifier import (
    ConvolutionClassifier,
    CrossFit,
    KernelClassifier,
    NestedCrossFit,
    NetworkClassifier,
    SklearnClassifier,
    TableClassifier,
    TorchClassifier,
    classifier,
    conditional_entropy_scores,
)
from synergy.estimators.classifier.crossfit import calibrated, portfolio, super_learned
from synergy.estimators.classifier.design import encode_target, make_design
from synergy.estimators.classifier.linear import LinearClassifier
from synergy.statistics.folds import Split, make_splits
from synergy.statistics.paired import paired_estimate
from synthetic import ModularShift, Sample, Variable


def coins(n: int, count: int) -> Sample:
    """A is F0, and so many fair coins F0, F1, .. ."""
    columns = np.random.default_rng(0).integers(2, size=(count, n))
    table = {f"F{i}": column for i, column in enumerate(columns)} | {"A": columns[0]}
    return Sample(table, {name: Variable(name, "discrete", 2) for name in table})


@pytest.mark.parametrize("count", [1, 3, 62, 64, 200])
def test_joint_states_are_those_that_occur(count):
    sample = coins(300, count)
    names = [f"F{i}" for i in range(count)]
    states, codes = np.unique(np.stack([sample[name] for name in names]), axis=1, return_inverse=True)
    found, size = encode_target(sample, names)
    np.testing.assert_array_equal(found, codes.reshape(-1))
    assert size == states.shape[1]
    design = make_design(sample, names)
    np.testing.assert_array_equal(design.codes, codes.reshape(-1))
    assert design.cells == size


def test_a_variable_of_more_states_than_an_integer_counts_with_another():
    rng = np.random.default_rng(0)
    few, many = rng.integers(3, size=50), rng.integers(5, size=50) * (2**61 // 5)
    sample = Sample(
        {"A": few, "B": many}, {"A": Variable("A", "discrete", 3), "B": Variable("B", "discrete", 2**61)}
    )
    codes, size = encode_target(sample, ["A", "B"])
    expected = np.unique(np.stack([few, many]), axis=1, return_inverse=True)[1].reshape(-1)
    np.testing.assert_array_equal(codes, expected)
    assert size == codes.max() + 1


def test_many_binary_columns_are_conditions():
    sample = coins(300, 64)
    names = ",".join(f"F{i}" for i in range(64))
    found = classifier(sample, f"I(A;{names})", model=LogisticRegression(), folds=3)
    assert found.value > 4 * found.standard_error


def test_a_declared_alphabet_that_hardly_occurs_costs_nothing():
    """Twenty rows of a million labels: one row of the matrix holds them, not one row for each label."""
    labels = np.arange(20) % 2
    sample = Sample({"B": labels}, {"B": Variable("B", "discrete", 1_000_000)})
    design = make_design(sample, ["B"])
    assert design.matrix.shape == (20, 1_000_000)
    np.testing.assert_array_equal(design.matrix.argmax(axis=1), labels)
    np.testing.assert_array_equal(design.matrix.sum(axis=1), 1)
    assert portfolio(design, 20, 2, "default", "cpu") == (TableClassifier(),)


@pytest.mark.parametrize("nested", [False, True])
def test_what_is_remembered_cannot_be_changed(nested):
    sample = ModularShift(n=4).sample(400, seed=0)
    noise = np.random.default_rng(0).standard_normal((400, 1))
    sample = sample.with_column(Variable("Z", "continuous"), noise)
    fit = (NestedCrossFit if nested else CrossFit)(sample, quality="quick", folds=2)
    for given in ((), ("C", "X"), ("C", "Z")):
        with pytest.raises(ValueError, match="read-only"):
            fit.losses("A", given)[0] = 0
        with pytest.raises(ValueError, match="read-only"):
            fit.log_probabilities("A", given)[0] = 0


def test_scores_are_the_callers_own():
    sample = ModularShift(n=4).sample(400, seed=0)
    fit = CrossFit(sample, quality="quick", folds=2)
    before = classifier(sample, "I(A;C)", fit=fit)
    scores = conditional_entropy_scores(sample, "A", fit=fit)
    found = paired_estimate(scores, term="H(A)", estimator="x")
    kept = found.scores.copy()
    scores -= scores.mean()
    assert classifier(sample, "I(A;C)", fit=fit).value == before.value
    np.testing.assert_array_equal(found.scores, kept)


class Seeded(GaussianNB):
    """A classifier that tells how it was seeded."""

    seen: ClassVar[list[int]] = []

    def __init__(self, random_state=None):
        super().__init__()
        self.random_state = random_state

    def fit(self, x, y):
        self.seen.append(self.random_state)
        return super().fit(x, y)


def numbers(n: int = 200) -> Sample:
    rng = np.random.default_rng(0)
    a = rng.integers(2, size=n)
    z = rng.standard_normal((n, 2)) + a[:, None]
    return Sample({"A": a, "Z": z}, {"A": Variable("A", "discrete", 2), "Z": Variable("Z", "continuous")})


@pytest.mark.parametrize("seed", [2**32 - 1, 2**32, 2**70])
def test_scikit_learn_takes_every_seed(seed):
    found = classifier(numbers(), "I(A;Z)", model=RandomForestClassifier(5), seed=seed, folds=3)
    again = classifier(numbers(), "I(A;Z)", model=RandomForestClassifier(5), seed=seed, folds=3)
    assert found.value == again.value


def test_folds_of_neighbouring_seeds_share_no_random_state():
    Seeded.seen.clear()
    for seed in range(4):
        CrossFit(numbers(), model=Seeded(), seed=seed, folds=3).losses("A", "Z")
    assert len(set(Seeded.seen)) == len(Seeded.seen) == 12


def test_a_super_learner_weighs_on_the_other_folds():
    rng = np.random.default_rng(0)
    y, splits = rng.integers(3, size=90), make_splits(90, 3, seed=0)
    members = [log_softmax(rng.standard_normal((90, 3)) + np.eye(3)[y] * size, axis=1) for size in (0, 1, 2)]
    asked = [log_softmax(rng.standard_normal((90, 4, 3)), axis=2) for _ in members]
    found = super_learned(members, y, 3, splits)
    several = super_learned(members, y, 3, splits, asked=asked)
    for split in splits:
        others = np.array([row for row in range(90) if row not in set(split.test.tolist())])
        rows = Split(others[:0], others, split.test)
        plain = calibrated([(m[others], m[split.test]) for m in members], y, rows, 3)
        np.testing.assert_array_equal(found[split.test], plain)
        for j in range(4):
            held = [(m[others], a[split.test, j]) for m, a in zip(members, asked, strict=True)]
            np.testing.assert_allclose(several[split.test, j], calibrated(held, y, rows, 3), rtol=1e-12)


def test_the_weights_of_a_fold_see_nothing_of_it():
    rng = np.random.default_rng(0)
    y, splits = rng.integers(2, size=60), make_splits(60, 3, seed=0)
    members = [log_softmax(rng.standard_normal((60, 2)), axis=1) for _ in range(2)]
    changed = y.copy()
    changed[splits[0].test] = 1 - y[splits[0].test]
    one, two = (super_learned(members, labels, 2, splits) for labels in (y, changed))
    np.testing.assert_array_equal(one[splits[0].test], two[splits[0].test])
    assert not np.array_equal(one, two)


@pytest.mark.parametrize(("kind", "models"), [(CrossFit, 1), (NestedCrossFit, 2)])
def test_every_model_is_announced(kind, models):
    """Nested losses of A from Z and C are those of classifiers that see C and of some that do not."""
    sample, said = numbers(), []
    sample = sample.with_column(Variable("C", "discrete", 2), np.arange(200) % 2)
    fit = kind(sample, model=GaussianNB(), folds=2, progress=said.append)
    fit.losses("A", ["C", "Z"])
    assert len(said) == models
    assert all("2 classes from" in words and "model 1 of 1" in words for words in said)
    fit.losses("A", ["C", "Z"])
    assert len(said) == models, "what is remembered is not fitted again"


MODULE = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(18, 2))
"""Of one image of 3 by 6 pixels."""

ALONE = {
    "convolution": ConvolutionClassifier(width=4, passes=60, epochs=(1, 1)),
    "kernel": KernelClassifier(landmarks=20, widths=(1.0,), ridges=(1.0,)),
    "linear": LinearClassifier(penalties=(0.1,)),
    "module": TorchClassifier(MODULE, epochs=1),
    "network": NetworkClassifier(hidden=8, members=2, epochs=(1, 1)),
    "scikit-learn": SklearnClassifier(GaussianNB()),
}


@pytest.mark.parametrize("model", ALONE.values(), ids=ALONE.keys())
@pytest.mark.parametrize("kind", ["image", "continuous"])
def test_no_row_changes_what_is_said_of_another_in_its_fold(model, kind):
    """A row that a fold tests is fitted on by the other: in its own it must not even set the scale."""
    if isinstance(model, ConvolutionClassifier) and kind == "continuous":
        pytest.skip("takes images only")
    rng = np.random.default_rng(0)
    a = rng.integers(2, size=60)
    shape = (60, 1, 3, 6) if kind == "image" else (60, 18)
    x = (rng.random(shape) + a.reshape(-1, *[1] * (len(shape) - 1))).astype(np.float32)
    sample = Sample({"A": a, "X": x}, {"A": Variable("A", "discrete", 2), "X": Variable("X", kind)})
    design, splits = make_design(sample, ["X"]), make_splits(60, 2, seed=0)
    far = design.matrix.copy()
    far[splits[0].test[0]] *= 1e3
    one, two = (
        model.fit_predict(replace(design, matrix=matrix), a, 2, splits, seed=0)[0][1]
        for matrix in (design.matrix, far)
    )
    # what comes before depends on the other row by rounding in single precision at most
    np.testing.assert_allclose(one[1:], two[1:], atol=1e-5)
    assert math.isclose(float(np.exp(two[1]).sum()), 1, abs_tol=1e-9)
