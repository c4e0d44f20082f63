from __future__ import annotations

import math

import numpy as np
import pytest

from synergy.estimators import estimate
from synergy.estimators.oracle import oracle
from synthetic import Glyphs, ModularShift, Sample, Variable


@pytest.fixture(scope="module")
def shift() -> ModularShift:
    return ModularShift(n=4, noise=0.1)


@pytest.mark.parametrize("term", ["I(A;C|X)", "I(A;X)", "H(A|X,C)", "I(A;X|C) - 1/2 H(A|X)"])
def test_the_oracle_covers_the_exact_value(shift, term):
    found = oracle(shift.sample(4000, seed=0), term, generator=shift)
    assert abs(found.value - float(shift.exact(term))) < 4 * found.standard_error + 1e-12
    assert found.scores.mean() == pytest.approx(found.value)


def test_the_oracle_covers_as_often_as_it_says(shift):
    truth = float(shift.exact("I(A;C|X)"))
    covered = 0
    for seed in range(200):
        low, high = oracle(shift.sample(300, seed=seed), "I(A;C|X)", generator=shift).interval
        covered += low < truth < high
    # binomial(200, 0.95) stays within 178 .. 199 with probability 0.998
    assert 178 <= covered <= 199


def test_a_posterior_in_place_of_a_joint(shift):
    sample = shift.sample(2000, seed=1)
    joint = shift.joint()

    def log_posterior(rows: Sample, target: tuple[str, ...], given: tuple[str, ...]) -> np.ndarray:
        both = np.array([joint.marginal([*given, *target]).probabilities], dtype=float)[0]
        mass = both.sum(axis=-1, keepdims=True)
        return np.log((both / mass)[tuple(rows[v] for v in (*given, *target))])

    by_posterior = oracle(sample, "I(A;C|X)", log_posterior=log_posterior, predict="C")
    by_joint = oracle(sample, "I(A;C|X)", generator=shift)
    np.testing.assert_allclose(by_posterior.scores, by_joint.scores, atol=1e-12)


def test_images_by_the_posterior_of_their_generator():
    world = Glyphs(noise=0.4)
    sample = world.sample(300, seed=0)
    for term in ("H(A|X)", "I(C;X)"):
        found = oracle(sample, term, generator=world, predict=term[2])
        exact = world.exact(term, tolerance=0.01)
        assert abs(found.value - exact.value) < 4 * math.hypot(found.standard_error, exact.standard_error)
    with pytest.raises(ValueError, match="posterior of one latent given X, not of A given C,X"):
        oracle(sample, "I(A;C|X)", generator=world)


def test_by_name_through_the_front(shift):
    found = estimate(shift.sample(500, seed=2), "I(A;C|X)", estimator="oracle", generator=shift, unit="bits")
    assert found.value == pytest.approx(float(shift.exact("I(A;C|X)")) / math.log(2), abs=0.2)
    assert found.unit == "bits"


def test_rows_that_another_generator_drew_are_refused(shift):
    rows = ModularShift(n=4, noise=0.5).sample(500, seed=0)
    with pytest.raises(ValueError, match="of 500 rows have probability 0 under the generator"):
        oracle(rows, "I(A;C|X)", generator=ModularShift(n=4, noise=0.0))


def test_bad_arguments_are_named(shift):
    sample = shift.sample(50, seed=0)
    with pytest.raises(ValueError, match=r"pass generator=\.\. .* or log_posterior=\.\."):
        oracle(sample, "I(A;C|X)")
    with pytest.raises(ValueError, match=r"log_posterior must give shape \(50,\), got \(3,\)"):
        oracle(sample, "H(A|X)", log_posterior=lambda *_: np.zeros(3))
    with pytest.raises(ValueError, match="unknown variable 'Q'"):
        oracle(sample, "I(A;Q)", generator=shift)
    more = sample.with_column(Variable("Q", "discrete", 2), np.arange(50) % 2)
    with pytest.raises(ValueError, match="unknown variable 'Q': modular-shift does not describe it"):
        oracle(more, "I(A;Q)", generator=shift)
