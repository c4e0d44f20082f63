"""Classifiers that may ignore conditions: what an irrelevant fine label must not cost."""

import numpy as np
import pytest

from synergy.estimators.classifier import CrossFit, KernelClassifier, NestedCrossFit
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
