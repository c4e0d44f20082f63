from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from synergy.estimators import estimate
from synergy.estimators.variational import variational
from synergy.estimators.variational.networks import Critic, MixtureDensity
from synergy.estimators.variational.objectives import OBJECTIVES, evaluate, train_loss
from synthetic import Sample, Variable

BOUNDS = ["barber-agakov", "nwj", "infonce", "smile", "donsker-varadhan"]
TRUTH = -0.5 * math.log(1 - 0.8**2)


@pytest.fixture(scope="module")
def pair() -> Sample:
    rng = np.random.default_rng(0)
    x = rng.normal(size=1000)
    y = 0.8 * x + 0.6 * rng.normal(size=1000)
    z = rng.normal(size=1000)
    columns = {"X": x, "Y": y, "Z": z, "P": x + z, "Q": y + z, "A": (x > 0).astype(int)}
    kinds = {n: Variable(n, "continuous") for n in "XYZPQ"} | {"A": Variable("A", "discrete", 2)}
    return Sample(columns, kinds)


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_gaussian_pair(pair, bound):
    found = variational(pair, "I(X;Y)", bound=bound, folds=2, steps=250, hidden=64)
    # a held-out bound falls short by what 500 rows cannot teach the network
    assert TRUTH - 0.12 < found.value < TRUTH + 4 * found.standard_error
    assert found.scores.shape == (1000,)
    assert found.scores.mean() == pytest.approx(found.value)


@pytest.mark.parametrize("bound", ["barber-agakov", "infonce"])
def test_conditional_terms_by_the_chain_rule(pair, bound):
    found = variational(pair, "I(P;Q|Z)", bound=bound, folds=2, steps=300, hidden=64)
    assert abs(found.value - TRUTH) < 4 * found.standard_error + 0.12
    assert any("I(X;Y,Z) - I(X;Z)" in n or "difference" in n for n in found.notes)


def test_a_discrete_slot_is_predicted_by_barber_agakov(pair):
    # I(A;X) = log 2 for the sign of X
    found = variational(pair, "I(X;A)", bound="barber-agakov", folds=2, steps=300, hidden=64)
    assert math.log(2) - 0.08 < found.value < math.log(2) + 4 * found.standard_error


def test_independence_gives_no_information(pair):
    found = variational(pair, "I(X;Z)", bound="nwj", folds=2, steps=200, hidden=32)
    assert found.value < 4 * found.standard_error
    assert found.value > -0.05


def test_the_ceiling_is_reported_when_it_binds(pair):
    few = pair.rows(slice(0, 300))
    copy = few.with_column(Variable("Y", "continuous"), few["X"] + 1e-3)
    found = estimate(copy, "I(X;Y)", estimator="infonce", batch=16, folds=2, steps=1000, hidden=32)
    assert found.value <= math.log(16) + 1e-9
    assert any("ceiling log(16) = 2.773 binds" in note for note in found.notes)
    free = variational(pair, "I(X;Y)", bound="infonce", folds=2, steps=20, hidden=16)
    assert not any("binds" in note for note in free.notes)


def test_images_pass_through_the_critic(pair):
    images = np.tile(0.5 + 0.1 * pair["Y"][:, None, None, None], (1, 1, 2, 2)).clip(0, 1)
    sample = pair.with_column(Variable("Y", "image"), images)
    found = variational(sample, "I(X;Y)", bound="infonce", folds=2, steps=300, hidden=64)
    assert found.value > 0.3
    with pytest.raises(ValueError, match="barber-agakov models the density of one slot"):
        variational(sample.with_column(Variable("X", "image"), images), "I(X;Y)", bound="barber-agakov")


def test_same_seed_same_bits(pair):
    few = pair.rows(slice(0, 200))
    first, again = (variational(few, "I(X;Y)", folds=2, steps=10, hidden=8, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.scores, again.scores)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_optimal_critic_gives_the_information(objective):
    """With T = log p(y|x)/p(y) every bound is the information itself, up to sampling."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=2000)
    y = 0.8 * x + 0.6 * rng.normal(size=2000)
    density = -0.5 * ((y[None, :] - 0.8 * x[:, None]) / 0.6) ** 2 - math.log(0.6) + 0.5 * y[None, :] ** 2
    found = evaluate(torch.tensor(density + (1.0 if objective == "donsker-varadhan" else 0.0)), objective)
    error = float(found.std()) / math.sqrt(2000)
    # InfoNCE of 256 candidates and SMILE's clipping at e^5 each cost less than 0.02 here
    assert abs(float(found.mean()) - TRUTH) < 4 * error + 0.02


@pytest.mark.parametrize("objective", ["nwj", "donsker-varadhan"])
def test_influence_scores_agree_with_the_jackknife(objective):
    scores = torch.tensor(np.random.default_rng(2).normal(size=(60, 60)) * 0.5)
    spread = float(evaluate(scores, objective).std(unbiased=True)) / math.sqrt(60)
    left_out = []
    for i in range(60):
        keep = torch.arange(60) != i
        left_out.append(float(evaluate(scores[keep][:, keep], objective).mean()))
    jackknife = math.sqrt(59 / 60 * np.square(np.array(left_out) - np.mean(left_out)).sum())
    assert spread == pytest.approx(jackknife, rel=0.15)


def test_losses_agree_with_slow_readable_references():
    t = np.random.default_rng(3).normal(size=(7, 7))
    joint = [t[i, i] for i in range(7)]
    others = [math.exp(t[i, j]) for i in range(7) for j in range(7) if i != j]
    nwj = 1 + sum(joint) / 7 - sum(others) / 42
    dv = sum(joint) / 7 - math.log(sum(others) / 42)
    nce = sum(t[i, i] - math.log(sum(math.exp(t[i, j]) for j in range(7)) / 7) for i in range(7)) / 7
    tensor = torch.tensor(t)
    for objective, value in (("nwj", nwj), ("donsker-varadhan", dv), ("infonce", nce)):
        assert -float(train_loss(tensor, objective)) == pytest.approx(value)
        assert float(evaluate(tensor, objective).mean()) == pytest.approx(value)


def test_the_mixture_density_integrates_to_one():
    torch.manual_seed(0)
    density = MixtureDensity(2, 1, 0, hidden=8, components=3)
    axis = torch.linspace(-12, 12, 241)
    grid = torch.cartesian_prod(axis, axis)
    w = torch.full((len(grid), 1), 0.3)
    total = density.log_density(grid, w, w[:, :0], see_y=True).detach().exp().sum() * 0.1**2
    assert float(total) == pytest.approx(1, abs=1e-3)


def test_the_trunk_cannot_see_what_is_masked():
    torch.manual_seed(0)
    critic = Critic(1, 2, 1, hidden=8, embed=4)
    x, z = torch.randn(5, 1), torch.randn(5, 1)
    first, other = (critic(x, torch.randn(5, 2), z, see_y=False) for _ in range(2))
    assert torch.equal(first, other)
    assert not torch.equal(*(critic(x, torch.randn(5, 2), z, see_y=True) for _ in range(2)))


BAD = {
    "unknown bound": ("I(X;Y)", {"bound": "mine"}, "bound must be one of"),
    "an entropy": ("H(X)", {}, "of two slots at a time"),
    "a combination": ("I(X;Y) - I(X;Z)", {}, "of two slots at a time"),
    "no steps": ("I(X;Y)", {"steps": 0}, "steps must be at least 1, got 0"),
    "a batch of one": ("I(X;Y)", {"batch": 1}, "batch must be at least 2, got 1"),
    "one fold": ("I(X;Y)", {"folds": 1}, "folds must be at least 2, got 1"),
}


@pytest.mark.parametrize(("term", "options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_arguments_are_named(pair, term, options, message):
    with pytest.raises(ValueError, match=message):
        variational(pair, term, **options)
