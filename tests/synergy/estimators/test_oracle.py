from __future__ import annotations

import math

import numpy as np
import pytest

from synergy.estimators import estimate
from synergy.estimators.oracle import oracle
from synthetic import Digits, Glyphs, ModularShift, Sample, Variable
from synthetic.images import Uniform


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


@pytest.mark.parametrize(
    "term", ["H(A|X)", "I(C;X)", "I(A;C|X)", "I(A;X|C)", "H(A|X,C)", "I(A;C|X) - I(A;X)"]
)
def test_images_by_the_posterior_of_their_generator(term):
    world = Glyphs(size=16, noise=2.0)
    found = estimate(world.sample(400, seed=0), term, estimator="oracle", generator=world)
    exact = world.exact(term, tolerance=0.01)
    assert abs(found.value - exact.value) < 4 * math.hypot(found.standard_error, exact.standard_error)
    assert 0 < found.standard_error < 0.1


def test_both_routes_to_the_synergy_of_images_agree_row_by_row():
    world = Glyphs(glyphs=("6", "9", "2"), size=16, noise=2.0)
    sample = world.sample(100, seed=1)
    by_a, by_c = (oracle(sample, "I(A;C|X)", generator=world, predict=name) for name in "AC")
    np.testing.assert_allclose(by_a.scores, by_c.scores, atol=1e-10)


def test_images_without_noise_give_the_closed_form():
    world = Glyphs(glyphs=("6", "9", "2"))
    found = oracle(world.sample(300, seed=0), "I(A;C|X)", generator=world)
    truth = float(world.predict("I(A;C|X)"))
    assert truth > 0
    assert abs(found.value - truth) < 4 * found.standard_error + 1e-9


def test_the_oracle_of_another_world_of_images_misses():
    world, other = (Glyphs(size=16, noise=noise) for noise in (2.0, 4.0))
    found = oracle(world.sample(400, seed=0), "H(A|X)", generator=other)
    exact = world.exact("H(A|X)", tolerance=0.01)
    assert abs(found.value - exact.value) > 4 * math.hypot(found.standard_error, exact.standard_error)


def test_images_that_have_no_posterior_are_refused():
    sample = Digits().sample(20, seed=0)
    with pytest.raises(ValueError, match="digits has no posterior given X"):
        oracle(sample, "H(A|X)", generator=Digits())
    world = Glyphs(noise=0.4, hue=Uniform(0.0, 1.0))
    with pytest.raises(ValueError, match="no exact answer while hue is continuous"):
        oracle(world.sample(20, seed=0), "H(A|X)", generator=world)


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
