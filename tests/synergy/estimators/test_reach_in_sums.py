"""Sums and strata keep the reach of their parts, and numbers with a floor or a cap are not labels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import multivariate_normal, norm

from synergy import estimate
from synergy.estimators import auto as choices
from synergy.estimators.discrete import plug_in
from synergy.estimators.sums import combine, reach_of, reach_of_strata, reach_of_terms, summed
from synergy.statistics.intervals import normal_interval
from synergy.statistics.result import Estimate
from synthetic import Sample
from theory import parse_expression


def part(value=0.5, error=0.1, down=0.0, up=0.0, confidence=0.95):
    low, high = normal_interval(value, error, confidence)
    return Estimate("I(X;Y)", value, error, (low - down, high + up), confidence, "ksg1 k=5", 100)


def combined(text, parts):
    """What `combine` makes of parts in the order of the terms."""
    queue = iter(parts)

    def run(sample, expression, *, confidence, seed):
        del sample, expression, confidence, seed
        return next(queue)

    sample = Sample.infer({"X": [0.0, 1.0], "Y": [1.0, 2.0], "Z": [0.0, 3.0]})
    return combine(sample, parse_expression(text), run)


def holds(found, truth):
    return found.interval[0] <= truth <= found.interval[1]


# The arithmetic.


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_reach_is_what_lies_beyond_sampling_error(confidence):
    assert reach_of(part(down=0.2, up=0.3, confidence=confidence)) == pytest.approx((0.2, 0.3))
    assert reach_of(part(down=-0.05, up=-0.05)) == (0.0, 0.0), "a shorter interval has no reach"


@pytest.mark.parametrize(("text", "times"), [("2 I(X;Y)", 2.0), ("1/2 I(X;Y)", 0.5)])
def test_a_multiple_has_the_interval_times_the_multiple(text, times):
    one = part(down=0.02, up=0.4)
    found = combined(text, [one])
    assert found.interval == pytest.approx((times * one.interval[0], times * one.interval[1]))


def test_a_negative_coefficient_turns_the_reach_around():
    one = part(down=0.02, up=0.4)
    found = combined("-1 I(X;Y)", [one])
    assert found.interval == pytest.approx((-one.interval[1], -one.interval[0]))


def test_a_difference_holds_all_differences_of_the_intervals():
    a, b = part(1.0, 0.1, up=0.3), part(0.2, 0.05, down=0.1, up=0.2)
    low, high = combined("I(X;Y) - I(X;Z)", [a, b]).interval
    assert (low, high) == pytest.approx((a.interval[0] - b.interval[1], a.interval[1] - b.interval[0]))


def test_paired_scores_keep_their_error_and_the_reaches():
    """The scores are equal, so that the difference has no sampling error; the bias of 0.3 may remain."""
    scores = np.array([0.0, 1.0])
    a, b = (replace(part(error=0.5, up=up), scores=scores) for up in (0.3, 0.0))
    found = combined("I(X;Y) - I(X;Z)", [a, b])
    assert found.standard_error == 0.0
    assert found.interval == pytest.approx((0.0, 0.3))


def test_without_reach_nothing_changes():
    parts = [part(1.0, 0.1), part(0.2, 0.05)]
    found = combined("I(X;Y) - I(X;Z)", parts)
    assert found.interval == normal_interval(found.value, found.standard_error)
    assert reach_of_strata([(0.5, each) for each in parts]) == (0.0, 0.0)
    assert reach_of_terms([(0.5, parts[0]), (-2.0, parts[1])]) == (0.0, 0.0)


@pytest.mark.parametrize("count", [1, 4, 25])
def test_in_strata_a_shared_bias_is_kept_and_noise_averages_out(count):
    share = 1 / count
    biased = [(share, part(up=0.3))] * count
    noisy = [(share, part(down=0.3, up=0.3))] * count
    mixed = [(share / 2, part(up=0.3)), (share / 2, part(down=0.3))] * count
    assert reach_of_strata(biased) == pytest.approx((0.0, 0.3))
    assert reach_of_strata(noisy) == pytest.approx((0.3 / math.sqrt(count),) * 2)
    assert reach_of_strata(mixed) == pytest.approx((0.0, 0.0))


def test_words_are_said_once_and_estimators_are_named_once():
    one = part().with_words(notes=["scaled"], warnings=["few rows"])
    other = part().with_words(notes=["scaled", "corrected"], warnings=["few rows"])
    found = combined("I(X;Y) + I(X;Z)", [one, other])
    assert found.notes[:2] == ("scaled", "corrected")
    assert found.warnings == ("few rows",)
    assert found.estimator == "ksg1 k=5"
    parts = [(1.0, one)]
    plain = summed("I(X;Y)", parts, 0.1, (0.0, 0.0), samples=3, confidence=0.95, notes=["a", "a"])
    assert plain.notes == ("a",)


# The bias of neighbours, in sums.


def cauchy(rng, n):
    """X and N Cauchy: h(X + 0.1 N) - h(0.1 N) = log 11; 300 rows show 0.3 less."""
    x, noise = rng.standard_cauchy((2, n))
    return {"X": x, "Y": x + 0.1 * noise}


def given_coin(rng):
    return {**cauchy(rng, 600), "D": rng.integers(2, size=600)}


def with_another(rng):
    return {**cauchy(rng, 300), "U": rng.standard_normal(300), "V": rng.standard_normal(300)}


@pytest.mark.parametrize(
    ("drawn", "term", "truth"),
    [
        (given_coin, "I(X;Y|D)", math.log(11)),
        (with_another, "I(X;Y) - I(U;V)", math.log(11)),
        (with_another, "I(U;V) - I(X;Y)", -math.log(11)),
        (with_another, "2 I(X;Y)", 2 * math.log(11)),
    ],
    ids=["given a coin", "a difference", "its negative", "twice"],
)
def test_the_reach_for_bias_is_kept(drawn, term, truth):
    """D and (U, V) are independent of (X, Y). Sampling error alone misses 14 to 20 of 20."""
    misses, alone = 0, 0
    for seed in range(8):
        found = estimate(drawn(np.random.default_rng(seed)), term, seed=seed)
        misses += not holds(found, truth)
        low, high = normal_interval(found.value, found.standard_error)
        alone += not low <= truth <= high
    # binomial(8, 0.05) exceeds 2 with probability 6e-3, binomial(8, 0.7) is below 3 with probability 1e-2
    assert misses <= 2
    assert alone >= 3, "there is something to reach"


def test_co_information_keeps_the_reach():
    """W is independent of (X, Y): I(X;Y;W) = I(X;Y) - I(X;Y|W) = 0, and each term has its reach."""
    rng = np.random.default_rng(0)
    data = {**cauchy(rng, 300), "W": rng.standard_normal(300)}
    found = estimate(data, "I(X;Y;W)")
    terms = [estimate(data, term) for term in ("I(X;Y)", "I(X;Y|W)")]
    expected = terms[0].interval[0] - terms[1].interval[1], terms[0].interval[1] - terms[1].interval[0]
    assert found.interval == pytest.approx(expected)


def test_strata_say_what_their_parts_say_once():
    found = estimate(given_coin(np.random.default_rng(1)), "I(X;Y|D)")
    assert sum("the interval reaches" in note for note in found.notes) == 1
    assert sum("a bias of" in note for note in found.notes) == 1
    assert "within the 2 states of D" in found.notes[0]


def test_strata_of_functions_are_warned_of_once():
    """The information of Y = sin 9 X is infinite, in every stratum."""
    rng = np.random.default_rng(2)
    x, d = rng.random(400), rng.integers(3, size=400)
    found = estimate({"X": x, "Y": np.sin(9 * x), "D": d}, "I(X;Y|D)")
    assert sum("can show" in warning for warning in found.warnings) == 1


def test_strata_of_gaussian_rows_keep_the_gain_of_their_rows():
    """Ten strata of independent rows: not wider than one estimate of all rows, but for a fifth."""
    apart, whole, hits = 0.0, 0.0, 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((2, 1500))
        data = {"X": x, "Y": y, "D": np.arange(1500) % 10}
        found = estimate(data, "I(X;Y|D)", seed=seed)
        hits += holds(found, 0.0)
        apart += np.ptp(found.interval)
        whole += np.ptp(estimate(data, "I(X;Y)", seed=seed).interval)
    assert apart < 1.2 * whole
    assert hits >= 3


def test_sums_of_labels_are_estimated_from_one_table_as_before():
    rng = np.random.default_rng(3)
    a, b, c = rng.integers(3, size=(3, 300))
    codes = {"A": a, "B": (a + (rng.random(300) < 0.4)) % 3, "C": c, "D": b}
    for term in ("I(A;B) - I(A;C)", "2 I(A;B)", "I(A;B;C)", "I(A;B|C)"):
        one, other = estimate(codes, term), plug_in(term, codes)
        assert (one.value, one.interval) == (other.value, other.interval)


# Numbers with a floor or a cap.


def entropy(*p):
    return -float(xlogy(p, p).sum())


def censored_information(rho, floor):
    """I of two standard normals, both raised to the floor: the atom, the two edges and the plane."""
    spread = math.sqrt(1 - rho**2)
    grid = np.linspace(floor, 9, 1001)
    at, both = norm.cdf(floor), multivariate_normal.cdf([floor, floor], cov=[[1, rho], [rho, 1]])
    below = norm.cdf((floor - rho * grid) / spread)
    edges = 2 * np.trapezoid(norm.pdf(grid) * xlogy(below, below / at), grid)
    x, y = grid[:, None], grid[None]
    joint = norm.pdf(x) * norm.pdf(y, rho * x, spread)
    plane = joint * (norm.logpdf(y, rho * x, spread) - norm.logpdf(y))
    return float(both * math.log(both / at**2) + edges + np.trapezoid(np.trapezoid(plane, grid), grid))


def censored(rng, n):
    x, noise = rng.standard_normal((2, n))
    return {"X": np.maximum(x, 1.0), "Y": np.maximum(0.9 * x + math.sqrt(0.19) * noise, 1.0)}


def gated(rng, n, share=0.15, decimals=12):
    """One gate opens both columns, which are else independent: the entropy of the gate."""
    gate = rng.random(n) < share
    return {name: (gate * np.exp(rng.standard_normal(n))).round(decimals) for name in "XY"}


def rounded_gates(rng, n):
    return gated(rng, n, decimals=2)


CENSORED = censored_information(0.9, 1.0)


def test_the_quadrature_of_censored_normals():
    assert pytest.approx(0.2365, abs=5e-4) == CENSORED
    assert censored_information(0.0, 1.0) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("drawn", "truth", "n"),
    [
        (censored, CENSORED, 300),
        (censored, CENSORED, 1000),
        (gated, entropy(0.15, 0.85), 300),
        (rounded_gates, entropy(0.15, 0.85), 1000),
    ],
)
def test_numbers_with_a_floor_are_numbers(drawn, truth, n):
    """Taken as labels, the censored pair has 0.50 and 0.58 nats, and the gates three times their entropy."""
    misses, values = 0, []
    for seed in range(8):
        found = estimate(drawn(np.random.default_rng(seed), n), "I(X;Y)", seed=seed)
        assert found.estimator.startswith("mesner-shalizi")
        misses += not holds(found, truth)
        values.append(found.value)
    # binomial(8, 0.07) exceeds 2 with probability 2e-2
    assert misses <= 2
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert abs(np.mean(values) - truth) < 3.5 * error + 0.02


@pytest.mark.parametrize(("lower", "upper"), [(0.5, 0.5), (0.3, 0.7), (0.05, 0.25)])
def test_a_label_beside_a_number_with_a_floor(lower, upper):
    """A coin sets how often the gate is open: I(A;X) = I(A;gate). Ross's neighbours gave -2 nats for it."""
    mean = (lower + upper) / 2
    truth = entropy(mean, 1 - mean) - (entropy(lower, 1 - lower) + entropy(upper, 1 - upper)) / 2
    values = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        a = rng.integers(2, size=600)
        x = (rng.random(600) < np.where(a, upper, lower)) * rng.exponential(size=600)
        found = estimate({"A": a, "X": x}, "I(A;X)", seed=seed)
        assert found.estimator.startswith("mesner-shalizi")
        values.append(found.value)
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert abs(np.mean(values) - truth) < 3.5 * error + 0.01


def test_a_label_beside_a_number_without_ties_keeps_ross():
    rng = np.random.default_rng(4)
    a = rng.integers(2, size=300)
    assert estimate({"A": a, "X": a + rng.standard_normal(300)}, "I(A;X)").estimator.startswith("ross")


LABELS = {
    "two": lambda v: (v > 0) * 1.0,
    "three": lambda v: np.digitize(v, [-0.5, 1.0]) * 1.0,
    "two, one rare": lambda v: (v > 1.8) * 1.0,
    "five, four rare": lambda v: np.digitize(v, [1.5, 1.9, 2.2, 2.5]) * 1.0,
    "dosages": lambda v: np.digitize(v, [0.0, 1.3]) / 2,
    "halves": lambda v: np.clip(2 * v, -3, 3).round() / 2,
    "small counts": lambda v: np.floor(np.exp(v / 2)),
}


@pytest.mark.parametrize("made", LABELS.values(), ids=LABELS.keys())
def test_floats_of_few_values_stay_labels(made):
    rng = np.random.default_rng(5)
    x, noise = rng.standard_normal((2, 1000))
    columns = {"X": made(x), "Y": made(0.6 * x + 0.8 * noise)}
    found = estimate(columns, "I(X;Y)")
    assert found.estimator == "discrete (digamma)"
    codes = {name: np.unique(column, return_inverse=True)[1] for name, column in columns.items()}
    assert found.interval == plug_in("I(X;Y)", codes).interval


# Constants.


@pytest.mark.parametrize("columns", [["D"], ["F"], ["D", "F"]])
def test_a_constant_condition_is_left_out(columns):
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((2, 80))
    data = {"X": x, "Y": y, "D": np.zeros(80, dtype=int), "F": np.ones(80)}
    plain = estimate(data, "I(X;Y)")
    found = estimate(data, f"I(X;Y|{','.join(columns)})")
    assert (found.value, found.interval) == (plain.value, plain.interval)
    assert found.term == f"I(X;Y|{','.join(columns)})"
    assert all(f"{name} is constant and was left out" in found.notes for name in columns)


def test_a_condition_that_varies_is_not_left_out():
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((2, 80))
    found = estimate({"X": x, "Y": y, "D": np.arange(80) % 2}, "I(X;Y|D)")
    assert not any("left out" in note for note in found.notes)


def test_a_slot_that_is_constant_within_a_stratum_says_nothing_there():
    """X = 0 in half of the rows, and Y = X + N in the others: log 2 / 4."""
    rng = np.random.default_rng(8)
    x, noise = rng.standard_normal((2, 800))
    d = np.arange(800) % 2
    found = estimate({"X": d * x, "Y": d * x + noise, "D": d}, "I(X;Y|D)")
    assert holds(found, math.log(2) / 4)
    assert any("constant in a state" in note for note in found.notes)


def test_a_floor_is_known_no_better_than_the_labels_it_makes():
    """Two independent columns, 10 % of each above its floor: some rows, or none, are above both."""
    misses, narrower = 0, 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        gates = rng.random((2, 300)) < 0.1
        x, y = gates * rng.exponential(size=(2, 300))
        found = estimate({"X": x, "Y": y}, "I(X;Y)", seed=seed)
        codes = {"X": gates[0].astype(int), "Y": gates[1].astype(int)}
        narrower += np.ptp(found.interval) < np.ptp(plug_in("I(X;Y)", codes).interval) - 1e-12
        misses += not holds(found, 0.0)
    # binomial(10, 0.07) exceeds 3 with probability 4e-3
    assert misses <= 3
    assert not narrower


def test_a_floor_of_one_column_alone_changes_no_interval():
    """X has no floor, so that there are no labels to compare: the estimate is that by name."""
    rng = np.random.default_rng(9)
    x, noise = rng.standard_normal((2, 300))
    data = {"X": x, "Y": np.maximum(x + noise, 1.0)}
    assert estimate(data, "I(X;Y)").interval == estimate(data, "I(X;Y)", estimator="copula-knn").interval


def test_each_stratum_has_a_seed_of_its_own(monkeypatch):
    """The squares of their errors add, so what is drawn for one must not be drawn for another."""
    seeds = []

    def recorded(rows, term, *, seed, **options):
        seeds.append(seed)
        return Estimate(str(term), 0.1, 0.01, (0.08, 0.12), options["confidence"], "copula-knn", len(rows))

    monkeypatch.setattr(choices, "run_copula_knn", recorded)
    rng = np.random.default_rng(0)
    data = {"X": rng.standard_normal(600), "Y": rng.standard_normal(600), "D": np.arange(600) % 5}
    for seed in (0, 0, 1):
        estimate(data, "I(X;Y|D)", seed=seed)
    assert len(set(seeds[:5])) == 5
    assert seeds[:5] == seeds[5:10], "fixed by the seed"
    assert not set(seeds[:5]) & set(seeds[10:])
