"""The regressions behind the covariance measure: residuals, jumps, directions, and what they cannot learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from synergy.independence import independence_test
from synergy.independence.gcm import Residual, covariance_test
from synergy.independence.jumps import find_jumps, stairs
from synergy.independence.metric import average_gradients, directions, relevance_widths
from synergy.independence.smoother import Smoother
from synergy.independence.waves import follows_one_condition, strongest_wave


def test_leave_one_out_residuals_agree_with_leaving_one_out():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(30, 2))
    y = z[:, 0] + rng.normal(size=30)
    smoother = Smoother(z, relevance=False)
    basis, ridge = smoother.bases[2], 1e-3
    features = basis.u * basis.singular

    def left_out(i: int) -> float:
        keep = np.arange(30) != i
        gram = features[keep].T @ features[keep] + ridge * 30 * np.eye(features.shape[1])
        return float(y[i] - features[i] @ np.linalg.solve(gram, features[keep].T @ y[keep]))

    shrink = basis.singular**2 / (basis.singular**2 + ridge * 30)
    fast = (y - basis.u @ (shrink * (basis.u.T @ y))) / (1 - (basis.u**2) @ shrink)
    np.testing.assert_allclose(fast, [left_out(i) for i in range(30)], atol=1e-8)


def trend_of(z: np.ndarray) -> np.ndarray:
    return np.linalg.qr(np.hstack([np.ones((len(z), 1)), z]))[0]


def test_jumps_are_found_where_they_are_and_nowhere_else():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 3))
    noise = 0.1 * rng.normal(size=500)
    jumps = find_jumps(z, np.sign(z[:, 0] - 0.5) + np.sign(z[:, 1]) * z[:, 2] + noise, trend_of(z))
    assert sorted(j for j, _ in jumps) == [0, 1]
    places = dict(jumps)
    # no row lies between the step and its threshold; the slope's sign is lost in noise where z3 is near 0
    assert not ((z[:, 0] - 0.5) * (z[:, 0] - places[0]) < 0).any()
    between = z[:, 1] * (z[:, 1] - places[1]) < 0
    assert np.abs(z[between, 2]).max(initial=0) < 0.3
    assert find_jumps(z, z.sum(1) + noise, trend_of(z)) == []


def test_the_first_jump_is_the_best_of_all_least_squares_fits():
    rng = np.random.default_rng(1)
    z = np.round(rng.normal(size=(60, 2)), 1)
    y = np.where(z[:, 1] > 0.2, 2 * z[:, 0], 0.0) + 0.05 * rng.normal(size=60)
    trend = trend_of(z)
    terms = np.hstack([np.ones((60, 1)), z])
    errors = {}
    for j in range(2):
        values = np.unique(z[:, j])
        for t in (values[1:] + values[:-1]) / 2:
            below = z[:, j] <= t
            if 5 <= below.sum() <= 55:
                design = np.hstack([trend, np.where(below[:, None], terms, 0)])
                rest = y - design @ np.linalg.lstsq(design, y)[0]
                errors[j, t] = rest @ rest
    assert find_jumps(z, y, trend)[0] == pytest.approx(min(errors, key=errors.get))


def test_jumps_depend_neither_on_the_unit_of_the_column_nor_on_an_indicator():
    rng = np.random.default_rng(0)
    z = np.column_stack([rng.normal(size=300), rng.integers(2, size=300)])
    y = np.sign(z[:, 0]) + 5 * z[:, 1] * z[:, 0] + 0.1 * rng.normal(size=300)
    jumps = find_jumps(z, y, trend_of(z))
    assert {j for j, _ in jumps} == {0}
    assert find_jumps(z, 1e6 * y, trend_of(z)) == jumps


@pytest.mark.parametrize("n", [8, 20, 40])
def test_few_rows_and_a_column_without_noise_are_no_trouble_for_the_search(n):
    z = np.linspace(-1, 1, n)[:, None]
    for y in (np.sign(z[:, 0] - 0.01), z[:, 0], np.zeros(n)):
        assert all(j == 0 and -1 < t < 1 for j, t in find_jumps(z, y, trend_of(z)))


def test_stairs_count_the_thresholds_passed():
    z = np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])
    (first, second) = stairs(z, [(0, 2.5), (1, 6.5), (0, 0.5)]).T
    for column, counts in ((first, np.array([0, 1, 1, 2])), (second, np.array([0, 0, 0, 1]))):
        np.testing.assert_allclose(column, (counts - counts.mean()) / counts.std())


def test_only_a_column_that_jumps_gets_kernels_that_jump():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 2))
    noise = 0.1 * rng.normal(size=300)
    smoother = Smoother(z)
    smooth = len(smoother.bases_for(np.sin(z).sum(1) + noise)) - len(smoother.bases)
    assert len(smoother.bases_for(np.sign(z).sum(1) + noise)) == len(smoother.bases) + 2 * smooth


def test_the_noise_of_a_ridge_regression_has_the_variance_of_the_noise():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 2))
    smoother = Smoother(z, relevance=False)
    fit = smoother.fit(np.sin(2 * z[:, 0]) + 0.3 * rng.normal(size=60), smoother.bases)
    matrix = fit.remove(np.eye(60))
    np.testing.assert_allclose(np.diag(matrix), 1 - fit.leverage, atol=1e-12)
    np.testing.assert_allclose(fit.noise, fit.residuals / np.linalg.norm(matrix, axis=1), rtol=1e-9)
    assert np.linalg.norm(matrix, axis=1).mean() < np.sqrt(1 - fit.leverage).mean()


def test_relevance_widths_tell_conditions_apart():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(150, 2))
    widths = relevance_widths(z, np.sin(3 * z[:, 0]) + 0.1 * rng.normal(size=150))
    assert widths[0] < 1 < widths[1]


def test_one_pair_of_residuals_is_a_z_test():
    rng = np.random.default_rng(0)
    r, s = rng.normal(size=(2, 400))
    left, right = ([Residual.known(v)] for v in (r, s))
    found = covariance_test(left, right, weights=np.ones((400, 1)), resamples=9999, seed=0)
    z = (r * s).sum() / np.sqrt(np.square(r * s).sum())
    assert found.statistic == pytest.approx(abs(z))
    assert abs(found.p_value - 2 * norm.sf(abs(z))) < 0.03
    assert found.allowed == found.p_value


def tanh_of_ten(n: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([seed, 10])
    z = rng.normal(size=(n, 10))
    signal = np.tanh(z.sum(1))
    return {"X": signal + 0.1 * rng.normal(size=n), "Y": signal + 0.1 * rng.normal(size=n), "Z": z}


def test_a_function_of_one_direction_of_ten_columns_is_not_dependence():
    """X and Y share tanh of a sum, each with noise of its own: X _||_ Y | Z."""
    rejected = sum(
        independence_test(tanh_of_ten(300, seed), "X _||_ Y | Z", permutations=59).rejects()
        for seed in range(6)
    )
    # binomial(6, 0.05) exceeds 2 with probability 2e-3
    assert rejected <= 2


def test_and_noise_in_common_is_seen_beside_it_without_a_warning():
    data = tanh_of_ten(300, 0)
    data["Y"] = data["Y"] + data["X"] - np.tanh(data["Z"].sum(1))
    found = independence_test(data, "X _||_ Y | Z", permutations=99)
    assert found.p_value == 0.01
    assert found.warnings == ()


def test_what_the_regressions_cannot_learn_is_warned_of():
    """The largest of ten columns: little of it besides a linear function is learnt of 150 rows."""
    silent, warned = 0, 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=(150, 10))
        x, y = z.max(1) + 0.2 * rng.normal(size=(2, 150))
        found = independence_test({"X": x, "Y": y, "Z": z}, "X _||_ Y | Z", permutations=99)
        silent += found.rejects() and not found.warnings
        warned += bool(found.warnings)
    # binomial(6, 0.05) exceeds 2 with probability 2e-3
    assert silent <= 2
    assert warned >= 2


def test_the_direction_of_a_sine_is_found():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 5))
    weights = np.array([1.0, -1.0, 0.5, 0.0, 0.0])
    y = np.sin(z @ weights) + 0.1 * rng.normal(size=200)
    found = directions(z, y, np.array([[0.5, -0.5, 0.5, 0.5, 0.0]]))[0]
    cosine = found @ weights / np.linalg.norm(found) / np.linalg.norm(weights)
    assert abs(cosine) > 0.99


def test_gradients_point_where_the_column_varies():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 4))
    turned = np.linalg.eigh(average_gradients(z, z[:, 1] ** 2 + z[:, 2], np.full(4, 1.0)))[1][:, -2:]
    # the leading plane holds both axes: their projections onto it have length 1
    np.testing.assert_allclose(np.linalg.norm(turned[[1, 2]], axis=1), 1, atol=0.05)


@pytest.mark.parametrize("d", [1, 3, 5])
def test_a_wave_is_found_where_there_is_one_and_not_in_noise(d):
    rng = np.random.default_rng(d)
    z, noise = rng.normal(size=(300, d)), rng.normal(size=300)
    frequency = rng.choice([-3.0, 3.0], size=d)
    found = strongest_wave(z, np.sin(z @ frequency) + 0.3 * noise, rng)
    assert found is not None
    # a wave and its mirror image are one; n E(z^2 cos^2) / noise^2 = n / (2 noise^2) is Fisher's information
    # of a frequency, whose standard error is 0.3 sqrt(2 / n) = 0.024
    np.testing.assert_allclose(found * np.sign(found @ frequency), frequency, atol=5 * 0.3 * (2 / 300) ** 0.5)
    assert strongest_wave(z, noise - noise.mean(), rng) is None


def test_a_wave_of_five_conditions_is_learnt():
    """Without it a regression leaves all of the variance; the noise is 2 % of it."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 5))
    y = np.sin(2 * z.sum(1)) + 0.1 * rng.normal(size=300)
    smoother = Smoother(z)
    shared, learnt = (smoother.fit(y, bases) for bases in (smoother.bases, smoother.bases_for(y)))
    assert shared.error > 0.8 * y.var()
    assert learnt.error < 0.1 * y.var()


STAIRCASES = {
    "of two columns": lambda z: np.floor(2 * z[:, 0]) + np.floor(2 * z[:, 1]),
    "of a sum": lambda z: np.floor(2 * z.sum(1)),
    "with fine steps": lambda z: np.floor(4 * z.sum(1)),
    "of a product": lambda z: np.floor(3 * z[:, 0] * z[:, 1]),
    "of a norm": lambda z: np.floor(3 * np.linalg.norm(z, axis=1)),
}
"""Rounded functions of a condition: smooth ones and a wave of them."""


@pytest.mark.parametrize("steps", STAIRCASES.values(), ids=STAIRCASES)
def test_a_staircase_is_not_taken_for_dependence_in_silence(steps):
    """X and Y share a rounded function of Z, each with noise of its own: X _||_ Y | Z."""
    silent = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=(300, 3))
        x, y = steps(z) + 0.1 * rng.normal(size=(2, 300))
        found = independence_test({"X": x, "Y": y, "Z": z}, "X _||_ Y | Z", permutations=59)
        silent += found.rejects() and not found.warnings
    # binomial(4, 0.1), which leaves room for twice the level, exceeds 2 with probability 4e-3
    assert silent <= 2


@pytest.mark.parametrize("smooth", [lambda z: z.sum(1), lambda z: z[:, 0] * z[:, 1]], ids=["sum", "product"])
def test_noise_in_common_beside_smooth_functions_is_no_wave(smooth):
    """The same functions, not rounded, and noise that X and Y share: found, and not doubted."""
    believed = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=(300, 3))
        noise, shared = 0.1 * rng.normal(size=(2, 300))
        found = independence_test(
            {"X": smooth(z) + shared, "Y": smooth(z) + shared + noise, "Z": z},
            "X _||_ Y | Z",
            permutations=59,
        )
        believed += found.rejects() and not found.warnings
    # were one in ten doubted, binomial(4, 0.9) would be below 2 with probability 4e-3
    assert believed >= 2


def test_waves_of_noise_are_as_rare_as_is_said():
    """The largest of m ordinates with the law Exp(1) exceeds log(1000 m) with probability 1e-3."""
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(200):
        z, y = rng.normal(size=(200, 2)), rng.normal(size=200)
        found += follows_one_condition(z, y - y.mean())
    # binomial(200, 1e-3) exceeds 3 with probability 6e-5
    assert found <= 3


def test_what_a_smoother_learns_depends_on_the_column_alone():
    """Asked twice, or after another column, it has the same functions."""
    rng = np.random.default_rng(4)
    z = rng.standard_normal((500, 2))
    x, y = np.sin(2 * z[:, 0]) + rng.standard_normal((2, 500))
    smoother = Smoother(z)
    first, other, again = (smoother.bases_for(column) for column in (y, x, y))
    fresh = Smoother(z).bases_for(y)
    assert len(other) >= len(smoother.bases)
    for bases in (again, fresh):
        assert len(bases) == len(first)
        for one, two in zip(first, bases, strict=True):
            np.testing.assert_array_equal(one.u, two.u)
            np.testing.assert_array_equal(one.singular, two.singular)
