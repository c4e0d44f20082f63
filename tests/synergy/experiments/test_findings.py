"""Findings: intervals over seeds against independent formulas, and verdicts that follow from them."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import permutation_test, spearmanr, t, ttest_1samp

from synergy.experiments import Finding
from synergy.experiments.findings import joint_confidence, summarise
from synergy.experiments.limits import ACCURACY, CORRELATION, GAIN, Information
from synergy.experiments.show import foremost, means, points, worded
from synergy.experiments.transformations.experiment import QUANTITIES, TRUTHS, _correlations, chance


def test_the_interval_is_that_of_the_t_test():
    values = np.random.default_rng(0).normal(0.3, 1.0, size=7)
    found = summarise(values.tolist(), confidence=0.9)
    reference = ttest_1samp(values, 0.0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), rel=1e-12)
    assert found.mean == pytest.approx(values.mean(), rel=1e-12)


def test_intervals_cover_the_mean_of_the_seeds():
    rng = np.random.default_rng(1)
    found = [summarise(rng.standard_normal(5).tolist()) for _ in range(2000)]
    missed = np.mean([not s.low <= 0 <= s.high for s in found])
    assert abs(missed - 0.05) <= 4 * np.sqrt(0.05 * 0.95 / 2000)


def test_intervals_cover_where_every_seed_splits_the_same_images():
    """The mean of a test half, over random splits: numbers that share images, whose truth is 0.

    The correction is known to be conservative where nothing is learned; without it far too many miss.
    """
    rng = np.random.default_rng(3)
    corrected, naive = [], []
    for _ in range(1000):
        images = rng.standard_normal(100)
        values = [float(rng.permutation(images)[:40].mean()) for _ in range(5)]
        corrected.append(summarise(values, shared=40 / 60))
        naive.append(summarise(values))
    missed = np.mean([not s.low <= 0 <= s.high for s in corrected])
    assert missed <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 1000)
    assert np.mean([not s.low <= 0 <= s.high for s in naive]) > 0.2
    assert corrected[0].mean == naive[0].mean


def test_one_run_has_no_interval_to_trust():
    assert summarise([0.5]).low == -np.inf
    assert Finding("a gain", (0.5,), ">").verdict() == "undecided"
    with pytest.raises(ValueError, match="at least one value, got none"):
        summarise([])


SPREAD = 0.01 * np.array([-1.0, 0.0, 1.0])
HALF = t.ppf(0.975, 2) * SPREAD.std(ddof=1) / np.sqrt(3)


@pytest.mark.parametrize(
    ("relation", "centre", "margin", "verdict"),
    [
        pytest.param(">", HALF + 1e-9, 0.0, "agrees", id="above"),
        pytest.param(">", HALF - 1e-9, 0.0, "undecided", id="touching"),
        pytest.param(">", -HALF - 1e-9, 0.0, "disagrees", id="below"),
        pytest.param("<", -HALF - 1e-9, 0.0, "agrees", id="less"),
        pytest.param("<", HALF + 1e-9, 0.0, "disagrees", id="not less"),
        pytest.param(">=", HALF - 0.05, 0.05, "agrees", id="within the margin"),
        pytest.param(">=", -HALF - 0.05 - 1e-9, 0.05, "disagrees", id="beyond the margin"),
        pytest.param(">=", -0.05, 0.05, "undecided", id="at the margin"),
        pytest.param("==", 0.0, HALF + 1e-9, "agrees", id="equal"),
        pytest.param("==", 0.0, HALF - 1e-9, "undecided", id="too wide"),
        pytest.param("==", 1.0, 0.05, "disagrees", id="far above"),
        pytest.param("==", -1.0, 0.05, "disagrees", id="far below"),
        pytest.param(None, 1.0, 0.0, "no prediction", id="free"),
    ],
)
def test_a_verdict_follows_from_the_interval(relation, centre, margin, verdict):
    finding = Finding("something", tuple(centre + SPREAD), relation, margin)
    assert finding.verdict() == verdict
    assert finding.to_dict()["verdict"] == verdict


def test_intervals_stay_within_what_a_number_can_be():
    values = (0.8, 0.95, 1.0)
    free, cut = summarise(values), summarise(values, bounds=(-1, 1))
    assert free.high > 1
    assert (cut.low, cut.high, cut.mean) == (free.low, 1, free.mean)
    inside = summarise((0.1, 0.2, 0.15), bounds=(-1, 1))
    assert (inside.low, inside.high) == (summarise((0.1, 0.2, 0.15)).low, summarise((0.1, 0.2, 0.15)).high)


def test_accuracies_in_tables_figures_and_findings_stay_within_what_they_can_be():
    values = (0.02, 0.4, 0.1)
    assert summarise(values).low < 0
    runs = pd.DataFrame({"encoder": "c4", "seed": range(3), "class accuracy": values, "I(A;Z)": values})
    table = means(runs, "encoder", {"class accuracy": ACCURACY, "I(A;Z)": Information("A")}).iloc[0]
    assert table["class accuracy low"] == 0
    assert table["I(A;Z) low"] == summarise(values).low  # an estimate of 0 may be negative
    axis = Figure().subplots()
    points(axis, ["c4"], runs, "encoder", "class accuracy", kind=ACCURACY)
    (bar,) = axis.containers
    ends = [y for segments in bar.lines[2][0].get_segments() for _, y in segments]
    assert min(ends) == pytest.approx(0)
    less = Finding("class accuracy of c4 less that of cnn", (-0.9, 0.9, 0.8), bounds=GAIN).spread()
    assert (less.low, less.high) == (-1, 1)


@pytest.mark.parametrize("relation", [">", "<", ">=", "=="])
def test_words_change_no_verdict(relation):
    values = (0.01, -0.2, 0.22, -0.05, 0.07)
    told = (
        "accuracy of c4 less that of cnn",
        "accuracy of c4 minus that of cnn",
        "drop in accuracy",
        "rank correlation",
        "moved by a shift",
        "I(A;Z)",
    )
    for bounds in (None, GAIN, ACCURACY):
        found = [Finding(about, values, relation, bounds=bounds) for about in told]
        assert len({(f.verdict(), f.over_seeds(), f.could_have_seen(), f.limits) for f in found}) == 1


@pytest.mark.parametrize("relation", [">", "<", ">=", "=="])
def test_a_number_that_no_seed_changes_is_evidence_of_nothing(relation):
    finding = Finding("a constant", (0.25, 0.25, 0.25), relation, margin=0.5)
    assert finding.verdict() == "fixed by construction"
    assert finding.to_dict()["interval"] is None
    assert str(finding.spread()) == "+0.250 (the same for every seed)"
    by_chance = Finding("a rank correlation", (1.0, 1.0, 1.0), relation, bounds=(-1, 1), discrete=True)
    assert by_chance.verdict() == "undecided"
    assert finding.smallest_effect() is by_chance.smallest_effect() is None


def test_the_smallest_effect_is_seen_with_the_power_that_it_names():
    """Seeds whose mean lies at the effect that their own spread asks for, found by simulation."""
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((20_000, 5))
    error = noise.std(axis=1, ddof=1) / np.sqrt(5)
    effect = Finding("a gain", tuple(noise[0])).smallest_effect()
    assert effect == pytest.approx((t.ppf(0.975, 4) + t.ppf(0.8, 4)) * error[0], rel=1e-12)
    # By the t law of (mean - effect) / error: seen where the interval leaves 0 out on the right side.
    shifted = noise.mean(axis=1) + (t.ppf(0.975, 4) + t.ppf(0.8, 4)) * error
    seen = np.mean(shifted - t.ppf(0.975, 4) * error > 0)
    assert seen == pytest.approx(0.8, abs=4 * np.sqrt(0.8 * 0.2 / 20_000))


def test_a_wrong_prediction_is_caught_about_always():
    rng = np.random.default_rng(2)
    verdicts = [Finding("g", tuple(rng.normal(-1, 0.2, size=5)), ">").verdict() for _ in range(200)]
    assert verdicts.count("disagrees") > 190


def test_the_order_of_truths_that_differ_by_sampling_errors_counts_for_nothing():
    """Three tasks whose synergy is 0 up to noise: once in the order of the gain, once against it."""
    gain = np.array([0.5, 0.4, 0.3, 0.2, 0.0])
    found = []
    for noise in (np.array([3e-6, 2e-6, 1e-6]), np.array([1e-6, 2e-6, 3e-6])):
        synergy = np.array([*noise, 0.0105, 0.28])
        frame = pd.DataFrame({name: synergy for name in QUANTITIES} | {"gain": gain, "seed": 0})
        frame["transformation"] = list("abcde")
        found.append(_correlations(frame))
    for name in TRUTHS:
        assert found[0][name] == found[1][name]
        assert found[0][name][0] == pytest.approx(spearmanr([0, 0, 0, 1, 2], gain).statistic)
    assert found[0]["pretext loss"] != found[1]["pretext loss"]  # a loss is measured: its order counts


def test_chance_is_the_exact_permutation_test():
    rng = np.random.default_rng(5)
    truth, gain = np.round(rng.random(6), 1), rng.random(6)
    found = permutation_test(
        (truth,), lambda x: spearmanr(x, gain).statistic, permutation_type="pairings", n_resamples=np.inf
    )
    both = np.abs(found.null_distribution) >= abs(found.statistic) - 1e-9
    assert chance(pd.Series(truth), pd.Series(gain)) == pytest.approx(both.mean())
    assert chance(pd.Series(np.zeros(5)), pd.Series(gain[:5])) == 1.0


def test_a_quantity_that_ties_all_tasks_ranks_none():
    frame = pd.DataFrame({name: np.zeros(4) for name in QUANTITIES} | {"gain": np.arange(4.0), "seed": 0})
    frame["transformation"] = list("abcd")
    assert set(_correlations(frame).values()) == {(0.0,)}


def test_a_number_beyond_what_is_possible_keeps_its_mean_in_the_interval():
    """An estimate of no information is often a little below 0."""
    low = summarise((-0.003, -0.002, 0.0005), bounds=(0.0, 1.0))
    free = summarise((-0.003, -0.002, 0.0005))
    assert low.low == low.mean == free.mean
    assert low.high == free.high
    high = summarise((1.0, 1.1, 1.2), bounds=(0.0, 1.0))
    assert high.low < high.mean == high.high


def test_an_effect_that_a_number_cannot_have_is_not_said_to_be_seen():
    about = "rank correlation of J with the gain"
    wild, calm = (0.2, 0.9), (0.50, 0.51)
    assert Finding(about, wild, bounds=CORRELATION).smallest_effect() is None
    assert Finding(about, wild, bounds=CORRELATION).could_have_seen() == "no effect"
    free = Finding(about, wild, bounds=(-9, 9)).smallest_effect()
    assert free == pytest.approx((t.ppf(0.975, 1) + t.ppf(0.8, 1)) * 0.35, rel=1e-12)
    assert 0 < Finding(about, calm, bounds=CORRELATION).smallest_effect() < 1
    assert Finding(about, (0.2,), bounds=CORRELATION).could_have_seen() == ""


def test_a_ratio_is_not_told_with_two_seeds():
    two, three = Finding("this over that", (0.5, 2.0)), Finding("this over that", (0.5, 2.0, 1.0))
    assert two.over_seeds().endswith("not told with two seeds")
    assert two.could_have_seen() == "not told"
    assert two.to_dict()["interval"] is not None
    assert "not told" not in three.over_seeds() + three.could_have_seen()
    bounded = Finding("accuracy of this", (0.5, 0.6), bounds=ACCURACY)
    assert "not told" not in bounded.over_seeds() + bounded.could_have_seen()


def test_what_differs_by_rounding_alone_is_fixed_where_that_is_known():
    values = (-1.8e-6, 4.0e-6)
    assert Finding("a step", values, rounding=1e-5).verdict() == "fixed by construction"
    assert Finding("a step", values, rounding=1e-5).over_seeds() == "+0.000 (the same for every seed)"
    assert Finding("a step", values, rounding=1e-5).could_have_seen() == ""
    assert Finding("a step", values).verdict() == "no prediction"
    assert Finding("a step", (0.0, 0.001), rounding=1e-5).verdict() == "no prediction"


def test_which_quantity_is_first_is_told_no_more_surely_than_it_is():
    ahead = {"J": [0.90, 0.92, 0.91, 0.90], "H": [0.1, 0.12, 0.1, 0.09], "L": [0.0, 0.01, 0.0, 0.02]}
    assert foremost(ahead, "digits") == "J on digits (+0.91, clearly ahead)"
    two = {name: values[:2] for name, values in ahead.items()} | {"H": [0.1, 0.7]}
    assert foremost(two, "digits") == "J on digits (+0.91, not clearly ahead)"
    one = {name: values[:1] for name, values in ahead.items()}
    assert foremost(one, "digits") == "J on digits (+0.90, which one seed cannot tell)"
    same = ahead | {"J": [0.9] * 4, "H": [0.1] * 4}
    assert "first in each of 4 seeds, yet not clearly ahead" in foremost(same, "digits")
    crossing = ahead | {"H": [0.95, 0.5, 0.5, 0.5]}
    assert foremost(crossing, "digits").endswith("(+0.91, not clearly ahead)")


@pytest.mark.parametrize("count", [1, 6])
def test_words_say_what_the_verdicts_beside_them_say(count):
    """2.8 standard errors of five seeds are told from 0 alone (t = 2.78), and not among six."""
    unit = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    values = tuple(2.8 * unit.std(ddof=1) / math.sqrt(5) + unit)
    findings = [Finding(f"number {i}", values, ">") for i in range(count)]
    findings.append(Finding("of which nothing is predicted", values))
    verdict = findings[0].verdict(joint_confidence(findings))
    assert verdict == ("agrees" if count == 1 else "undecided")
    said = worded(values, beside=findings)
    assert said == ("more" if verdict == "agrees" else "neither clearly more nor less")
    assert worded(tuple(-v for v in values), beside=findings[:1]) == "less"
