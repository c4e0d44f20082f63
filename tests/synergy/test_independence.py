from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, kstest

from synergy.independence import IndependenceResult, independence_test
from synergy.independence.gcm import Residual, covariance_test, differenced
from synergy.independence.permutations import g_test, local_permutation_test, random_feature_test
from synthetic import ModularShift, Sample, Variable

# binomial(10, 0.05) exceeds 3 with probability 1e-3
REPLICATES, MOST = 10, 3


def strong(n: int, seed: int, *, effect: float = 0.0) -> dict[str, np.ndarray]:
    """X and Y are both sum(Z) and a little noise of their own, or with some noise in common."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 3))
    e, f = rng.normal(size=(2, n))
    return {"X": z.sum(1) + 0.1 * e, "Y": z.sum(1) + 0.1 * (f + effect * e), "Z": z}


def test_the_covariance_measure_holds_its_level_under_strong_dependence_on_z():
    rejected = sum(
        independence_test(strong(200, seed), "X _||_ Y | Z", permutations=59).rejects()
        for seed in range(REPLICATES)
    )
    assert rejected <= MOST


def rough(shape: str, n: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([seed, 5])
    z = rng.normal(size=(n, 3))
    e, f = rng.normal(size=(2, n))
    common, noise = {
        "interaction": (np.sin(2 * z[:, 0]) + z[:, 1] * z[:, 2], 0.2),
        "maximum": (np.maximum(z[:, 0], z[:, 1]) + z[:, 2] ** 2 / 2, 0.15),
        "step": (np.sign(z[:, 0]) + np.sign(z[:, 1]) * z[:, 2], 0.1),
    }[shape]
    return {"X": common + noise * e, "Y": common + noise * f, "Z": z}


@pytest.mark.parametrize("shape", ["interaction", "maximum", "step"])
def test_the_level_holds_where_a_function_of_z_is_hard_to_learn(shape):
    rejected = sum(
        independence_test(rough(shape, 300, seed), "X _||_ Y | Z", permutations=59).rejects()
        for seed in range(REPLICATES)
    )
    assert rejected <= MOST


def test_without_its_jumps_a_step_is_taken_for_dependence(monkeypatch):
    """The negative control: what keeps the level above is the search for jumps, not the rest of the test."""
    monkeypatch.setattr("synergy.independence.smoother.find_jumps", lambda *_: [])
    rejected = sum(
        independence_test(rough("step", 300, seed), "X _||_ Y | Z", permutations=59).rejects()
        for seed in range(8)
    )
    assert rejected > MOST


def test_a_step_hides_no_dependence():
    data = rough("step", 300, 0)
    own = data["X"] - np.sign(data["Z"][:, 0]) - np.sign(data["Z"][:, 1]) * data["Z"][:, 2]
    data["Y"] = data["Y"] + 0.7 * own
    assert independence_test(data, "X _||_ Y | Z", permutations=99).p_value == 0.01


def test_rows_that_a_regression_used_up_are_not_counted_as_evidence():
    """M takes half of the degrees of freedom; products of residuals taken as noise count them all."""
    n, rejected = 200, {"known": 0, "removed": 0}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        basis = np.linalg.qr(rng.normal(size=(n, n // 2)))[0]

        def remove(v: np.ndarray, basis: np.ndarray = basis) -> np.ndarray:
            return v - basis @ (basis.T @ v)

        r, s = remove(rng.normal(size=(n, 2))).T
        leverage = np.square(basis).sum(axis=1)
        left = {
            "known": Residual.known(r),
            "removed": Residual(r, r / np.sqrt(1 - leverage), remove),
        }
        for name, residual in left.items():
            p = covariance_test(
                [residual], [Residual.known(s)], weights=np.ones((n, 1)), resamples=199, seed=seed
            ).p_value
            rejected[name] += p <= 0.05
    # binomial(300, 0.05) exceeds 28 with probability below 1e-3; sqrt(2) sd are exceeded in 17 %
    assert rejected["removed"] <= 28
    assert rejected["known"] > 28


def test_differences_keep_the_noise_and_lose_what_neighbours_share():
    rng = np.random.default_rng(0)
    z = rng.uniform(size=(2000, 1))
    noise = 0.1 * rng.normal(size=2000)
    values = np.sin(9 * z[:, 0]) + noise
    (left,) = differenced([Residual.known(values)], z, k=4)
    # the mean of 4 other rows adds a quarter of the variance
    assert left.values.var() == pytest.approx(0.01 * 1.25, rel=0.15)
    for i in range(20):
        apart = np.abs(z[:, 0] - z[i, 0])
        others = np.argsort(apart)[1:5]
        assert left.values[i] == pytest.approx(values[i] - values[others].mean(), abs=1e-12)


def test_and_has_power_there():
    rejected = sum(
        independence_test(strong(200, seed, effect=0.7), "X _||_ Y | Z", permutations=99).rejects()
        for seed in range(6)
    )
    assert rejected >= 5


@pytest.mark.parametrize("shape", ["square", "spread", "sign"])
def test_dependence_without_covariance_is_seen(shape):
    rng = np.random.default_rng(0)
    z, e, f = rng.normal(size=(3, 800))
    noise = {"square": f + 0.7 * e**2, "spread": f * np.exp(0.6 * e), "sign": f + 0.7 * e * np.sign(z)}[shape]
    data = {"X": z + e, "Y": z + noise, "Z": z}
    assert independence_test(data, "X _||_ Y | Z", permutations=199).p_value < 0.02


def test_spread_that_depends_on_z_is_not_dependence():
    rejected = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        z, e, f = rng.normal(size=(3, 200))
        data = {"X": z + np.exp(z / 2) * e, "Y": z + np.exp(z / 2) * f, "Z": z}
        rejected += independence_test(data, "X _||_ Y | Z", permutations=99).rejects()
    assert rejected <= 4


def test_the_g_statistic_agrees_with_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.integers(3, size=500), rng.integers(4, size=500)
    observed, _ = g_test(x, y, np.zeros(500, dtype=int), resamples=19, seed=0)
    table = np.histogram2d(x, y, bins=[3, 4])[0]
    assert observed == pytest.approx(chi2_contingency(table, lambda_="log-likelihood").statistic)


def test_g_permutations_agree_with_all_permutations_of_a_small_sample():
    x, y = np.array([0, 0, 0, 1, 1, 1, 0]), np.array([0, 0, 0, 1, 1, 0, 0])

    def g(moved: np.ndarray) -> float:
        table = np.histogram2d(moved, y, bins=2)[0]
        expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            return 2 * float(np.nansum(table * np.log(table / expected)))

    every = np.array([g(x[list(order)]) for order in permutations(range(7))])
    exact = (every >= g(x) - 1e-9).mean()
    _, p = g_test(x, y, np.zeros(7, dtype=int), resamples=4999, seed=0)
    assert abs(p - exact) < 4 * np.sqrt(exact * (1 - exact) / 4999) + 1 / 5000


def test_the_g_test_is_exact_in_sparse_strata():
    rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        z = rng.integers(30, size=150)
        x, y = (z + rng.integers(2, size=150)) % 3, (z + rng.integers(2, size=150)) % 3
        rejected += g_test(x, y, z, resamples=99, seed=seed)[1] <= 0.05
    # binomial(200, 0.05) exceeds 20 with probability below 1e-3
    assert rejected <= 20


def test_explaining_away_is_found():
    sample = ModularShift(n=4, noise=0.2).sample(600, seed=0)
    assert not independence_test(sample, "A _||_ C").rejects()
    found = independence_test(sample, "A _||_ C | X", permutations=199)
    assert found.p_value == 1 / 200
    assert found.method == "g"


def test_the_unconditional_test_sees_a_circle_and_holds_its_level():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 300)
    circle = {
        "X": np.cos(angle) + 0.1 * rng.normal(size=300),
        "Y": np.sin(angle) + 0.1 * rng.normal(size=300),
    }
    assert independence_test(circle, "X _||_ Y", permutations=99).p_value == 0.01
    rejected = sum(
        random_feature_test(*np.random.default_rng(s).normal(size=(2, 80, 1)), resamples=39, seed=s)[1]
        <= 0.05
        for s in range(100)
    )
    # binomial(100, 0.05) exceeds 13 with probability below 1e-3
    assert rejected <= 13


def test_local_permutation_holds_where_rows_are_dense_in_z():
    free, tied = 0, 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        z, e, f = rng.normal(size=(3, 200))
        for common in (0, 1):
            found = independence_test(
                {"X": z + e, "Y": z + f + common * e, "Z": z},
                "X _||_ Y | Z",
                method="local-permutation",
                permutations=19,
            )
            assert any("sparse in Z" in warning for warning in found.warnings)
            free, tied = free + (found.rejects() and not common), tied + (found.rejects() and common)
    # binomial(12, 0.05) exceeds 3 with probability 2e-3
    assert free <= 3
    assert tied == 12


def test_local_permutation_fails_under_strong_dependence_as_the_note_says():
    """The negative control: the test that peers use rejects here, the default does not (above)."""
    rejected = sum(
        local_permutation_test(
            *(v.reshape(200, -1) for v in strong(200, seed).values()), k=5, near=5, resamples=19, seed=seed
        )[1]
        <= 0.05
        for seed in range(10)
    )
    assert rejected >= 4


def test_repeated_rows_are_counted_once_with_groups():
    rejected = {"clustered": 0, "naive": 0}
    for seed in range(30):
        x, y = (np.repeat(v, 8) for v in np.random.default_rng(seed).normal(size=(2, 60)))
        data = {"X": x, "Y": y, "G": np.repeat(np.arange(60), 8)}
        variables = {n: Variable(n, "continuous") for n in "XY"} | {"G": Variable("G", "discrete", 60)}
        for kind, groups in (("clustered", "G"), ("naive", None)):
            sample = Sample(data, variables, groups)
            rejected[kind] += independence_test(sample, "X _||_ Y", method="gcm", permutations=99).rejects()
    # binomial(30, 0.05) exceeds 6 with probability below 1e-3
    assert rejected["clustered"] <= 6
    assert rejected["naive"] >= 12


def test_an_image_can_be_conditioned_on():
    sample = ModularShift(n=4, noise=0.1).sample(600, seed=0)
    images = np.zeros((600, 1, 4, 4), dtype=np.float32)
    images[np.arange(600), 0, sample["X"]] = 1
    drawn = sample.with_column(Variable("X", "image"), images)
    assert independence_test(drawn, "A _||_ C | X", permutations=99).p_value == 0.01
    rng = np.random.default_rng(0)
    unrelated = drawn.with_column(Variable("B", "discrete", 3), rng.integers(3, size=600))
    assert not independence_test(unrelated, "A _||_ B | X", permutations=99).rejects()


def test_results_are_reproducible_and_print():
    data = strong(100, 0)
    first, again = (independence_test(data, "X _||_ Y | Z", permutations=39, seed=3) for _ in range(2))
    assert first == again
    assert str(first).startswith("X _||_ Y | Z: p = ")
    assert first.to_dict()["p_value"] == first.p_value


def test_statement_term_and_relation_are_one():
    sample = ModularShift(n=3).sample(60, seed=0)
    texts = ["A _||_ C | X", "I(A;C|X)", "I(A;C|X) == 0"]
    assert len({independence_test(sample, t, permutations=39) for t in texts}) == 1


DATA = {"A": np.arange(40) % 2, "C": np.arange(40) % 3, "Z": np.linspace(0, 1, 40), "W": np.ones(40)}
BAD = {
    "an inequality": ("I(A;C) >= 0", {}, "an independence such as"),
    "an entropy": ("H(A) == 0", {}, "an independence such as"),
    "an entropy beside": ("A _||_ C and H(A) == 0", {}, "an independence such as"),
    "commas read in two ways": ("A _||_ C, Z, W _||_ B", {}, "join them by 'and'"),
    "no comma": ("A _||_ C _||_ Z", {}, "join them by 'and'"),
    "unknown variable": ("A _||_ Q", {}, "unknown variable 'Q'"),
    "repeated variable": ("A _||_ C | A", {}, "'A' is repeated"),
    "unknown method": ("A _||_ C", {"method": "chi2"}, "method must be one of"),
    "too few permutations": ("A _||_ C", {"permutations": 5}, "permutations must be at least 19, got 5"),
    "floats in the G test": ("A _||_ Z", {"method": "g"}, "takes discrete columns, got Z"),
    "a condition without strata": (
        "A _||_ C | Z",
        {"method": "permutation"},
        "takes no condition that is not discrete, got Z",
    ),
    "permuting within groups": ("A _||_ C", {"method": "g", "groups": "Z"}, "dependent within 'Z'"),
}


@pytest.mark.parametrize(("statement", "options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_arguments_are_named(statement, options, message):
    with pytest.raises(ValueError, match=message):
        independence_test(DATA, statement, **options)


def test_levels_are_probabilities():
    result = IndependenceResult("A _||_ C", 0.2, 1.0, "g", 99, 10)
    with pytest.raises(ValueError, match="level must lie strictly between 0 and 1, got 5"):
        result.rejects(5)


ROWS = np.random.default_rng(0).normal(size=300)
FIXED = {
    "a multiple": (ROWS, 0.8 * ROWS, 0.5 * ROWS),
    "one side only": (ROWS, ROWS + np.random.default_rng(1).normal(size=300), 0.5 * ROWS),
    "a power": (ROWS**3, ROWS + np.random.default_rng(1).normal(size=300), ROWS),
    "a sine": (np.sin(ROWS), np.cos(ROWS), ROWS),
    "a sign": ((ROWS > 0).astype(int), (ROWS > 0.3).astype(int), ROWS),
    "a part of a vector": (ROWS, 2 * ROWS, np.column_stack([ROWS[::-1], ROWS])),
    "a state": ((ROWS > 0).astype(int), (ROWS > 1).astype(int), np.digitize(ROWS, [-1, 0, 1])),
    "a number of strata": (np.round(ROWS), ROWS, np.digitize(ROWS, np.arange(-3, 3) + 0.5)),
}


@pytest.mark.parametrize(("a", "c", "x"), FIXED.values(), ids=FIXED.keys())
def test_what_the_condition_fixes_is_not_tested(a, c, x):
    """I(A;C|X) <= H(A|X) = 0 for A a function of X, whatever C is."""
    found = independence_test({"A": a, "C": c, "X": x}, "A _||_ C | X", permutations=39)
    assert found.p_value is None
    assert not found.rejects()
    assert "fixes" in found.warnings[0]
    assert "no p-value" in str(found)
    assert found.to_dict()["p_value"] is None


def test_a_little_noise_is_enough_to_test():
    """The negative control: noise of a thousandth, in common, is dependence and is found."""
    noise = 1e-3 * np.random.default_rng(1).normal(size=300)
    data = {"A": ROWS + noise, "C": 0.8 * ROWS + noise, "X": ROWS}
    assert independence_test(data, "A _||_ C | X", permutations=99).p_value == 0.01


def test_a_part_of_a_side_that_the_condition_fixes_is_left_out():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=300)
    data = {"A": np.column_stack([ROWS, noise]), "C": noise + 0.5 * rng.normal(size=300) + ROWS, "X": ROWS}
    found = independence_test(data, "A _||_ C | X", permutations=99)
    assert found.p_value == 0.01
    assert any("fixes a part of A" in note for note in found.notes)


NOTHING = {
    "a constant side": ({"A": ROWS, "C": np.ones(300)}, "A _||_ C", "C is constant"),
    "two constants": ({"A": np.ones(9), "C": np.zeros(9)}, "A _||_ C", "is constant"),
    "no two rows alike": (
        {"A": ROWS > 0, "C": ROWS, "X": [f"row {i}" for i in range(300)]},
        "A _||_ C | X",
        "no two rows share",
    ),
    "three rows": ({"A": [1.0, 2.0, 3.5], "C": [0.1, 0.5, 0.2]}, "A _||_ C", "3 rows are too few"),
    "few rows for a regression": (
        {"A": ROWS[:9], "C": ROWS[9:18], "X": ROWS[18:27]},
        "A _||_ C | X",
        "9 rows",
    ),
    "one side constant in every stratum": (
        {"A": [0, 1, 0, 0] * 5, "C": [0, 0, 0, 1] * 5, "X": [0, 0, 1, 1] * 5},
        "A _||_ C | X",
        "one of the two sides is constant",
    ),
}


@pytest.mark.parametrize(("data", "statement", "reason"), NOTHING.values(), ids=NOTHING.keys())
def test_a_test_that_can_test_nothing_says_so(data, statement, reason):
    found = independence_test(data, statement, permutations=39)
    assert (found.p_value, found.statistic) == (None, None)
    assert reason in found.warnings[0]


@pytest.mark.parametrize("constant", [1.0, 1, "one"])
def test_a_constant_condition_is_none(constant):
    data = {"A": ROWS, "C": ROWS + np.random.default_rng(1).normal(size=300)}
    found = independence_test(data | {"X": np.full(300, constant)}, "A _||_ C | X", permutations=99)
    assert found.p_value == independence_test(data, "A _||_ C", permutations=99).p_value == 0.01
    assert "X is constant and was left out" in found.notes


def test_counts_are_numbers():
    """Poisson counts of about 300 take some 70 values; given Z, their mean, they are independent."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=400)
    x, y = rng.poisson(np.exp(5.7 + 0.1 * z), size=(2, 400))
    free = independence_test({"X": x, "Y": y, "Z": z}, "X _||_ Y | Z", permutations=99)
    tied = independence_test({"X": x, "Y": x + rng.poisson(9, 400), "Z": z}, "X _||_ Y | Z", permutations=99)
    assert free.p_value > 0.01
    assert tied.p_value == 0.01
    # the values and not their ranks: levels that are far apart stay so
    assert (
        independence_test({"X": 1000 * x, "Y": y, "Z": z}, "X _||_ Y | Z", permutations=99).p_value
        == free.p_value
    )


def test_names_have_no_order():
    rng = np.random.default_rng(0)
    states = rng.integers(40, size=300)
    y = (states % 2) + rng.normal(size=300)
    names = np.array([f"c{i:02d}" for i in range(40)])
    one, other = (
        independence_test({"X": called[states], "Y": y, "Z": ROWS}, "X _||_ Y | Z", permutations=99)
        for called in (names, names[rng.permutation(40)])
    )
    assert one.p_value == other.p_value


def test_p_values_are_uniform_within_thirty_states():
    """Permutations within strata are exact; a uniform number within each step makes p continuous."""
    means = np.random.default_rng(5).normal(size=30)
    found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        z = rng.integers(30, size=90)
        x, y = means[z] + 0.3 * rng.normal(size=(2, 90))
        _, p = random_feature_test(x[:, None], y[:, None], z, resamples=39, seed=seed)
        found.append(p - rng.uniform() / 40)
    assert kstest(found, "uniform").pvalue > 1e-3


def test_strata_of_opposite_signs_are_seen():
    """The covariances of two strata cancel in their sum, and the sum of their squares does not."""
    rng = np.random.default_rng(0)
    z = rng.integers(2, size=300)
    x = rng.normal(size=300)
    y = x * (2 * z - 1) + rng.normal(size=300)
    assert independence_test({"X": x, "Y": y, "Z": z}, "X _||_ Y | Z", permutations=99).p_value == 0.01


def test_several_independences_are_one_hypothesis():
    """The least of two p-values is below p with probability at most 2 p, whatever their dependence."""
    rng = np.random.default_rng(0)
    data = {name: rng.normal(size=200) for name in "ABC"}
    data["D"] = data["C"] + rng.normal(size=200)
    found = independence_test(data, "A _||_ B, C _||_ D", permutations=99)
    assert [part.statement for part in found.parts] == ["A _||_ B", "C _||_ D"]
    assert found.p_value == 2 * found.parts[1].p_value == 0.02
    assert found == independence_test(data, "A _||_ B and C _||_ D", permutations=99)
    data["W"] = np.ones(200)
    partly = independence_test(data, "A _||_ W, A _||_ B", permutations=99)
    assert partly.p_value == found.parts[0].p_value
    assert "A _||_ W: nothing was tested" in partly.warnings[0]


def test_warnings_are_in_every_output():
    found = IndependenceResult("A _||_ C", 0.01, 1.0, "gcm", 99, 10, ("a note",), ("x < y",))
    assert found.to_dict()["warnings"] == ["x < y"]
    assert "x < y" in repr(found)
    assert str(found).endswith("warning: x < y")
    assert "<b>warning:</b> x &lt; y" in found._repr_html_()
