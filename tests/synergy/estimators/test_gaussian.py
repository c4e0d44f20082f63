"""The Gaussian estimators: closed forms, exact unbiasedness, coverage, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import wishart

from synergy.estimators.gaussian import gaussian, gaussian_value, log_determinant_bias


def pair(n, d, information, seed):
    rng = np.random.default_rng(seed)
    rho = math.sqrt(1 - math.exp(-2 * information / d))
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def test_the_log_determinant_bias_agrees_with_simulated_wishart_matrices():
    draws = wishart(df=11, scale=np.eye(4) / 11).rvs(size=20_000, random_state=0)
    logs = np.linalg.slogdet(draws)[1]
    assert logs.mean() == pytest.approx(log_determinant_bias(4, 12), abs=4 * logs.std() / math.sqrt(20_000))


@pytest.mark.parametrize("information", [0.0, 0.5, 2.0])
def test_unbiased_with_few_rows_where_the_plain_formula_is_not(information):
    ours, plain = [], []
    for seed in range(400):
        x, y = pair(15, 3, information, seed)
        ours.append(gaussian(x, y).value)
        corrected = [log_determinant_bias(d, 15) for d in (3, 3, 6)]
        plain.append(ours[-1] + (corrected[0] + corrected[1] - corrected[2]) / 2)
    error = np.std(ours) / 20
    assert abs(np.mean(ours) - information) < 4 * error
    assert np.mean(plain) - information > 0.3


def test_conditional_information_agrees_with_partial_correlation():
    rng = np.random.default_rng(1)
    z = rng.standard_normal((3000, 2))
    x = z @ [1.0, 0.5] + rng.standard_normal(3000)
    y = z @ [-0.7, 1.0] + 0.5 * x + rng.standard_normal(3000)
    design = np.column_stack([np.ones(3000), z])
    rest = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y)]
    partial = np.corrcoef(*rest)[0, 1]
    bias = [log_determinant_bias(d, 3000) for d in (3, 3, 4, 2)]
    expected = -0.5 * math.log(1 - partial**2) - (bias[0] + bias[1] - bias[2] - bias[3]) / 2
    assert gaussian(x, y, z).value == pytest.approx(expected, abs=1e-10)


def test_the_answer_does_not_depend_on_units():
    x, y = pair(200, 2, 0.5, seed=2)
    assert gaussian(1e3 * x + 5, y * [1e-3, 7.0]).value == pytest.approx(gaussian(x, y).value, abs=1e-10)


def test_the_copula_sees_through_monotone_changes_where_the_plain_one_does_not():
    x, y = pair(5000, 1, 0.5, seed=3)
    bent = np.exp(2 * x), y**3
    assert gaussian(*bent, copula=True).value == pytest.approx(gaussian(x, y, copula=True).value, abs=1e-12)
    assert gaussian(*bent, copula=True).value == pytest.approx(0.5, abs=0.05)
    assert gaussian(*bent).value < 0.3


def test_scores_average_to_the_value_and_pair_differences():
    x, y = pair(2000, 1, 0.5, seed=4)
    found = gaussian(x, y)
    assert found.scores.mean() == pytest.approx(found.value, abs=1e-10)
    assert found.scores.std() / math.sqrt(2000) == pytest.approx(found.standard_error, rel=0.02)


@pytest.mark.parametrize("copula", [False, True], ids=["gaussian", "copula"])
@pytest.mark.parametrize("information", [0.0, 0.5])
def test_intervals_cover(information, copula):
    """At nominal 95 %: 3 binomial standard deviations beyond 93 to 97 %."""
    hits, replicates = 0, 150 if copula else 400
    for seed in range(replicates):
        low, high = gaussian(*pair(150, 1, information, 1000 + seed), copula=copula, seed=seed).interval
        hits += low <= information <= high
    spread = 3 * math.sqrt(0.05 * 0.95 / replicates)
    assert 0.93 - spread < hits / replicates <= 0.97 + spread


def test_a_nonlinear_dependence_is_missed_and_the_notes_warn():
    x = np.random.default_rng(5).standard_normal(2000)
    found = gaussian(x, np.abs(x) + 0.1 * np.random.default_rng(6).standard_normal(2000))
    assert abs(found.value) < 0.02
    assert "exact only for a Gaussian distribution" in found.notes[0]


def test_groups_widen_the_interval():
    x, y = pair(400, 1, 0.5, seed=7)
    repeated = np.repeat(x, 4, axis=0), np.repeat(y, 4, axis=0)
    once = gaussian(x, y)
    clustered = gaussian(*repeated, groups=np.repeat(np.arange(400), 4))
    assert clustered.standard_error == pytest.approx(once.standard_error, rel=0.05)
    assert gaussian(*repeated).standard_error < 0.6 * once.standard_error


X, Y = pair(40, 1, 0.5, seed=8)

BAD = {
    "nan": ((np.where(X > 1, np.nan, X), Y), {}, "x contains NaN or infinities"),
    "constant": ((X, np.ones(40)), {}, "column 0 of y is constant"),
    "lengths": ((X, Y[:30]), {}, "same length"),
    "dependent": ((X, X), {}, "linearly dependent"),
    "rows": (
        (np.random.default_rng(0).standard_normal((8, 5)), np.arange(8.0)),
        {},
        "6 columns need at least 9",
    ),
    "wide": ((np.random.default_rng(0).standard_normal((10, 9)), np.arange(10.0)), {}, "10 columns need"),
    "confidence": ((X, Y), {"confidence": 0}, "confidence must lie strictly"),
    "groups": ((X, Y), {"groups": np.zeros(7, int)}, r"groups must have shape \(40,\)"),
    "one-group": ((X, Y), {"groups": np.zeros(40, int)}, "at least 2 independent rows or groups"),
    "image": ((np.zeros((40, 1, 2, 2)), Y), {}, "x must have shape"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_bad_input_is_named(case):
    arguments, options, message = case
    with pytest.raises(ValueError, match=message):
        gaussian(*arguments, **options)


def test_value_of_side_by_side_columns():
    x, y = pair(300, 2, 0.5, seed=9)
    assert gaussian_value(np.hstack([x, y]), (2, 2, 0)) == pytest.approx(gaussian(x, y).value, abs=1e-10)
