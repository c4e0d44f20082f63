"""Predicting the class by guessing the transformation first, on worlds whose posterior is known."""

import numpy as np
import pytest

from synergy.estimators.classifier import NestedCrossFit, TableClassifier
from synergy.estimators.classifier.linear import LinearClassifier
from synergy.estimators.classifier.together import PooledClassifier
from synergy.experiments.designs.guessed import losses_of_guessing
from synergy.experiments.designs.ladders import LADDERS, _guesses, _one_after_the_other
from synthetic import Sample, Variable


def turned_signs(n=800, *, states=4, spread=0.3, seed=0):
    """Z shows A, and C up to a sign that A decides: no linear rule reads C, each does that is told A."""
    rng = np.random.default_rng(seed)
    a, c = rng.integers(states, size=n), rng.integers(2, size=n)
    place = np.eye(states)[a] * 4 + spread * rng.standard_normal((n, states))
    sign = (2 * c - 1) * np.where(a % 2, 1, -1) + spread * rng.standard_normal(n)
    z = np.column_stack([place, sign]).astype(np.float32)
    variables = {
        "A": Variable("A", "discrete", states, "transformation"),
        "C": Variable("C", "discrete", 2, "class"),
        "N": Variable("N", "discrete", 2, "other"),
        "Z": Variable("Z", "continuous"),
    }
    return Sample({"A": a, "C": c, "N": rng.integers(2, size=n), "Z": z}, variables)


@pytest.fixture(scope="module")
def linear():
    return NestedCrossFit(turned_signs(), folds=4, seed=0, model=LinearClassifier())


def test_a_linear_rule_that_guesses_the_sign_first_reads_the_class(linear):
    direct = linear.losses("C", "Z")
    told = linear.losses("C", ["A", "Z"])
    guessed = losses_of_guessing(linear, "C", [["A"]], "Z")
    assert direct.mean() > 0.6  # log 2, nothing
    assert told.mean() < 0.1
    assert guessed.mean() < told.mean() + 0.05  # Z shows A, so there is no synergy to gain
    assert guessed.shape == direct.shape


def test_guessing_what_says_nothing_costs_and_gains_nothing(linear):
    direct = linear.losses("C", "Z")
    assert abs(losses_of_guessing(linear, "C", [["N"]], "Z").mean() - direct.mean()) < 0.02
    assert abs(losses_of_guessing(linear, "C", [], "Z").mean() - direct.mean()) < 0.02


def test_a_real_synergy_is_not_guessed_away():
    """Where Z does not show A, no guess replaces being told it."""
    rows = turned_signs()
    hidden = rows.with_column(rows.variables["Z"], rows["Z"][:, -1:])
    fit = NestedCrossFit(hidden, folds=4, seed=0, model=LinearClassifier())
    gain = losses_of_guessing(fit, "C", [["A"]], "Z") - fit.losses("C", ["A", "Z"])
    assert gain.mean() == pytest.approx(np.log(2), abs=0.1)


def test_the_quick_portfolio_guesses_too():
    fit = NestedCrossFit(turned_signs(400), folds=4, seed=0, quality="quick")
    guessed = losses_of_guessing(fit, "C", [["A"], ["A", "N"]], "Z").mean()
    assert guessed < fit.losses("C", "Z").mean() + 0.02


def test_labels_are_guessed_together_while_their_joint_states_are_few():
    several, turns = (LADDERS[name].rungs[-1] for name in ("multivariate", "fine-grained"))
    assert _guesses(several, ["L1", "L2", "L3"]) == [["L1"], ["L1", "L2"]]
    assert _guesses(turns, ["L1", "L2", "L3"]) == [["L1"], ["L1", "L2"], ["L1", "L2", "L3"]]


def test_one_label_after_the_other_is_the_chain_rule():
    """On exact tables the terms add up to the whole."""
    rows = turned_signs(4000)
    joint = rows.with_column(Variable("L2", "discrete", 2, "transformation"), rows["A"] % 2)
    joint = joint.with_column(Variable("L1", "discrete", 2, "transformation"), rows["A"] // 2)
    sign = (rows["C"] + rows["A"] + rows["N"] * (rows["A"] // 2)) % 2
    joint = joint.with_column(Variable("Z", "discrete", 2, "representation"), sign)
    fit = NestedCrossFit(joint, folds=4, seed=0, model=TableClassifier())
    terms = _one_after_the_other(["L1", "L2"])
    assert terms == {"I(L1;C|Z)": "L1", "I(L2;C|L1,Z)": "L2"}
    parts = [fit.losses("L1", "Z") - fit.losses("L1", ["C", "Z"])]
    parts += [fit.losses("L2", ["L1", "Z"]) - fit.losses("L2", ["L1", "C", "Z"])]
    whole = fit.losses("C", "Z") - fit.losses("C", ["L1", "L2", "Z"])
    assert whole.mean() > 0.3
    assert sum(part.mean() for part in parts) == pytest.approx(whole.mean(), abs=0.01)


def test_pooled_classifiers_are_about_as_good_as_the_best_and_need_one():
    rows = turned_signs()
    losses = {
        name: NestedCrossFit(rows, folds=4, seed=0, model=model).losses("A", "Z").mean()
        for name, model in {
            "linear": LinearClassifier(),
            "pooled": PooledClassifier((LinearClassifier(penalties=(1e-6,)), LinearClassifier())),
        }.items()
    }
    assert losses["pooled"] < losses["linear"] + 0.02
    with pytest.raises(ValueError, match="models must hold at least one classifier, got none"):
        PooledClassifier(())
