from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm

from synergy.estimators import estimate
from synergy.estimators.variational import training, variational
from synergy.estimators.variational.columns import make_columns
from synergy.estimators.variational.networks import Critic, MixtureDensity
from synergy.estimators.variational.objectives import OBJECTIVES, evaluate, train_loss
from synthetic import Sample, Variable

BOUNDS = ["barber-agakov", "nwj", "infonce", "smile", "donsker-varadhan"]
RHO = 0.8
TRUTH = -0.5 * math.log(1 - RHO**2)
BINS = 9
"""What a table of so many bins of equal probability tells is asked of every network."""


def binned(rho: float) -> float:
    """I(bin(X);bin(Y)) of a Gaussian pair, at most I(X;Y) by data processing."""
    edges = np.clip(norm.ppf(np.arange(BINS + 1) / BINS), -9, 9)
    corners = np.stack(np.meshgrid(edges, edges, indexing="ij"), axis=-1)
    below = multivariate_normal(cov=[[1, rho], [rho, 1]]).cdf(corners)
    p = np.maximum(np.diff(np.diff(below, axis=0), axis=1), 1e-300)
    return float((p * np.log(p * BINS**2)).sum())


def gap(found, sample):
    """The estimate less the mean of log p(y|x)/p(y) on the same rows, and the standard error of that."""
    x, y = sample["X"], sample["Y"]
    exact = TRUTH - 0.5 * ((y - RHO * x) ** 2 / (1 - RHO**2) - y**2)
    apart = found.scores - exact
    return apart.mean(), apart.std(ddof=1) / math.sqrt(len(apart))


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
    # a held-out bound falls short by what 500 rows cannot teach the network, but not of a table's
    apart, error = gap(found, pair)
    assert binned(RHO) - TRUTH - 4 * error < apart < 4 * error
    assert found.scores.shape == (1000,)
    assert found.scores.mean() == pytest.approx(found.value)


@pytest.mark.parametrize("bound", ["barber-agakov", "infonce"])
def test_conditional_terms_by_the_chain_rule(pair, bound):
    found = variational(pair, "I(P;Q|Z)", bound=bound, folds=2, steps=300, hidden=64)
    # I(P;Q,Z) - I(P;Z), with the correlations of P and its best prediction; either may be as low as a table's
    both, alone = (math.sqrt(1 - math.exp(-2 * nats)) for nats in (TRUTH + math.log(2) / 2, math.log(2) / 2))
    low, high = binned(both) - math.log(2) / 2, TRUTH + math.log(2) / 2 - binned(alone)
    assert low - 4 * found.standard_error < found.value < high + 4 * found.standard_error
    assert any("I(X;Y,Z) - I(X;Z)" in n or "difference" in n for n in found.notes)


def test_a_discrete_slot_is_predicted_by_barber_agakov(pair):
    # I(A;X) = log 2 for the sign of X, and I(A;bin(X)) is less by log 2 in the bin that holds zero
    found = variational(pair, "I(X;A)", bound="barber-agakov", folds=2, steps=300, hidden=64)
    low = (1 - 1 / BINS) * math.log(2)
    assert low - 4 * found.standard_error < found.value < math.log(2) + 4 * found.standard_error


def test_independence_gives_no_information(pair):
    found = variational(pair, "I(X;Z)", bound="nwj", folds=2, steps=200, hidden=32)
    assert abs(found.value) < 4 * found.standard_error


def test_the_ceiling_is_reported_when_it_binds(pair):
    few = pair.rows(slice(0, 300))
    copy = few.with_column(Variable("Y", "continuous"), few["X"] + 1e-3)
    found = estimate(copy, "I(X;Y)", estimator="infonce", batch=16, folds=2, steps=2000, hidden=32)
    assert found.value <= math.log(16) + 1e-9
    assert any("ceiling log(16) = 2.773 binds" in note for note in found.notes)
    free = variational(pair, "I(X;Y)", bound="infonce", folds=2, steps=20, hidden=16)
    assert not any("binds" in note for note in free.notes)


def test_images_pass_through_the_critic(pair):
    images = np.tile(0.5 + 0.1 * pair["Y"][:, None, None, None], (1, 1, 2, 2)).clip(0, 1)
    sample = pair.with_column(Variable("Y", "image"), images)
    found = variational(sample, "I(X;Y)", bound="infonce", folds=2, steps=300, hidden=64)
    apart, error = gap(found, pair)
    assert binned(RHO) - TRUTH - 4 * error < apart < 4 * error
    with pytest.raises(ValueError, match="barber-agakov models the density of one slot"):
        variational(sample.with_column(Variable("X", "image"), images), "I(X;Y)", bound="barber-agakov")


def test_same_seed_same_bits(pair):
    few = pair.rows(slice(0, 200))
    first, again = (variational(few, "I(X;Y)", folds=2, steps=10, hidden=8, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.scores, again.scores)


@pytest.mark.parametrize("bound", ["infonce", "donsker-varadhan"])
def test_the_order_of_the_rows_changes_nothing_but_the_folds(pair, bound, monkeypatch):
    """Rows that are scored together are draws of each other: neighbours in a sorted sample are not."""
    monkeypatch.setattr(training, "_EVALUATED", 64)
    options = {"bound": bound, "folds": 2, "steps": 250, "hidden": 64, "batch": 64}
    as_drawn = variational(pair, "I(X;Y)", **options)
    ordered = variational(pair.rows(np.argsort(pair["X"])), "I(X;Y)", **options)
    assert abs(ordered.value - as_drawn.value) < 4 * math.hypot(
        ordered.standard_error, as_drawn.standard_error
    )


@pytest.mark.parametrize("kind", ["continuous", "image"])
def test_columns_are_scaled_by_the_rows_that_are_fitted_on(pair, kind):
    few = pair.rows(slice(0, 60)).with_column(
        Variable("Y", kind), np.random.default_rng(0).random((60, 1, 2, 2))
    )
    far = few["Y"].copy()
    far[50] = 1e3
    other = few.with_column(Variable("Y", kind), far)
    one, two = (
        make_columns(sample, ("X",), ("Y",), (), fit=np.arange(50), joint_target=False).y
        for sample in (few, other)
    )
    keep = np.arange(60) != 50
    assert torch.equal(one[keep], two[keep])
    assert not torch.equal(one[50], two[50])


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_optimal_critic_gives_the_information(objective):
    """With T = log p(y|x)/p(y) every bound is the information itself, up to sampling."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=2000)
    y = 0.8 * x + 0.6 * rng.normal(size=2000)
    density = -0.5 * ((y[None, :] - 0.8 * x[:, None]) / 0.6) ** 2 - math.log(0.6) + 0.5 * y[None, :] ** 2
    found = evaluate(torch.tensor(density + (1.0 if objective == "donsker-varadhan" else 0.0)), objective)
    error = float(found.std()) / math.sqrt(2000)
    # 256 candidates cost InfoNCE Var(e^T) / 512, E e^2T = 1 / (1 - rho^2); SMILE takes up to e^-5 for less
    costs = {"infonce": (1 / (1 - RHO**2) - 1) / 512, "smile": math.exp(-5)}
    assert abs(float(found.mean()) - TRUTH) < 4 * error + costs.get(objective, 0)


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
