"""Classifiers that may ignore conditions: what an irrelevant fine label must not cost."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from synergy import estimate
from synergy.estimators.classifier import (
    CrossFit,
    KernelClassifier,
    NestedCrossFit,
    SklearnClassifier,
    decompose,
)
from synthetic import Sample, Variable

ROWS, STATES = 1200, 30


@pytest.fixture(scope="module")
def rows():
    """C is read from Z where A is known (Z = +-C by the sign of A); B is irrelevant and fine."""
    rng = np.random.default_rng(0)
    a, b, c = rng.integers(2, size=ROWS), rng.integers(STATES, size=ROWS), rng.integers(2, size=ROWS)
    z = (2.0 * c - 1) * (2 * a - 1) + 0.7 * rng.standard_normal(ROWS)
    kinds = {"A": (a, 2), "B": (b, STATES), "C": (c, 2)}
    variables = {name: Variable(name, "discrete", k) for name, (_, k) in kinds.items()}
    columns = {name: column for name, (column, _) in kinds.items()}
    z_variable = Variable("Z", "continuous")
    return Sample({**columns, "Z": z[:, None].astype(np.float32)}, {**variables, "Z": z_variable})


def gain(fit):
    """I(A;C|Z) with and without the irrelevant B beside A, and the error of their difference."""
    with_a, with_both = fit.losses("C", ["A", "Z"]), fit.losses("C", ["A", "B", "Z"])
    gap = with_a - with_both
    return gap.mean(), gap.std(ddof=1) / np.sqrt(ROWS)


ONE_RIDGE = KernelClassifier(landmarks=500, widths=(3.0,), ridges=(30.0,))
"""A classifier that cannot adapt to how much there is to learn."""


@pytest.mark.parametrize("model", ["auto", ONE_RIDGE], ids=["chosen ridge", "one ridge"])
def test_an_irrelevant_condition_costs_little_beside_a_relevant_one(rows, model):
    """Ten weights on 1,200 rows cost about 0.004 nats."""
    gap, error = gain(NestedCrossFit(rows, quality="quick", folds=4, seed=0, model=model))
    assert gap > -0.01 - 4 * error


def test_without_the_nesting_it_costs_a_lot(rows):
    gap, error = gain(CrossFit(rows, folds=4, seed=0, model=ONE_RIDGE))
    assert gap < -0.02 - 2 * error


def test_the_relevant_condition_is_used(rows):
    fit = NestedCrossFit(rows, quality="quick", folds=4, seed=0)
    assert (fit.losses("C", "Z") - fit.losses("C", ["A", "B", "Z"])).mean() > 0.3


def shifted(n=300):
    """A shift of two labels seen in two noisy numbers."""
    rng = np.random.default_rng(0)
    a, c = rng.integers(2, size=(2, n))
    return {"A": a, "C": c, "Z": np.eye(2)[(a + c) % 2] + rng.standard_normal((n, 2))}


def test_each_term_predicts_what_it_is_told_to():
    gap, quick = "I(A;Z|C) - I(A;Z) - I(A;C|Z)", {"estimator": "classifier", "quality": "quick", "folds": 2}
    sample = Sample.infer(shifted())
    parts = decompose(gap, sample, predict={"I(A;C|Z)": "C"})
    targets = {(tuple(sorted(p.target)), tuple(sorted(p.given))): int(p.coefficient) for p in parts}
    assert targets[("C",), ("Z",)] == -1
    assert targets[("A",), ("C", "Z")] == -1
    one_route = estimate(sample, gap, **quick)  # by the losses of A alone Z drops out: H(A|C) - H(A)
    assert one_route.value == pytest.approx(-estimate(sample, "I(A;C)", predict="A", **quick).value, abs=1e-9)
    assert estimate(sample, gap, predict={"I(A;C|Z)": "C"}, **quick).value != one_route.value


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        ({"I(A;C|X)": "C"}, r"predict names the term I\(A;C\|X\), which is none of"),
        ({"I(A;C|Z)": "Z"}, r"predict='Z' must name \(part of\) a slot of I\(A;C\|Z\), none has it"),
        ({"I(A;Z)": "Z"}, "must be discrete to be predicted"),
    ],
)
def test_terms_that_are_not_there_are_refused(predict, message):
    with pytest.raises(ValueError, match=message):
        decompose("I(A;C|Z) + I(A;Z)", Sample.infer(shifted()), predict=predict)


@pytest.mark.parametrize("nested", [False, True])
def test_the_order_of_the_columns_changes_nothing(nested):
    table = shifted()
    options = {"estimator": "classifier", "quality": "quick", "folds": 2, "nested": nested}
    first = estimate(table, "I(A;C|Z)", **options)
    assert estimate(dict(reversed(table.items())), "I(A;C|Z)", **options).value == first.value


class Unsure(ClassifierMixin, BaseEstimator):
    """A classifier of one's own that divides 0 by 0."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x):
        return np.full((len(x), len(self.classes_)), np.nan)


def test_a_classifier_that_answers_with_no_number_is_refused():
    rows = Sample(
        {"A": np.arange(60) % 2, "Z": np.arange(60.0)[:, None]},
        {"A": Variable("A", "discrete", 2, "transformation"), "Z": Variable("Z", "continuous")},
    )
    fit = NestedCrossFit(rows, folds=3, seed=0, model=SklearnClassifier(Unsure()))
    with pytest.raises(ValueError, match="Unsure predicts numbers that are not finite"):
        fit.losses("A", "Z")
