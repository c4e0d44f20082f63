"""Intervals of gains, groups, and who is dropped: coverage by simulation, and laws."""

import numpy as np
import pytest
from scipy.stats import binom

from synergy.ranking.gains import compared, gain, seed_variance, tiers
from synergy.ranking.halving import FEWEST, dropped, looks


def drawn(rng, truths, *, seeds, images, between=0.015, image=0.5):
    """Differences of rightness with a seed effect, an image effect and noise, by task."""
    found = {}
    for name, truth in truths.items():
        effect = rng.normal(0, between * np.exp(rng.normal(0, 0.4)), size=(seeds, 1))
        shared = rng.normal(0, image, size=(1, images))
        found[name] = truth + effect + shared + rng.normal(0, image, size=(seeds, images))
    return found


@pytest.mark.parametrize("seeds", [2, 4])
def test_intervals_cover(seeds):
    """At least at the nominal rate, over tasks whose variances between seeds differ."""
    rng = np.random.default_rng(seeds)
    truths = dict(zip("abcdef", np.linspace(-0.05, 0.05, 6), strict=True))
    hits, total = 0, 0
    for _ in range(200):
        scores = drawn(rng, truths, seeds=seeds, images=800)
        pooled = seed_variance(list(scores.values()))
        for name, truth in truths.items():
            low, high = gain(scores[name], pooled=pooled).interval
            hits += low <= truth <= high
            total += 1
    assert binom.cdf(hits, total, 0.95) > 1e-3


def test_the_interval_holds_whenever_a_task_was_dropped():
    """Stopping after a bad first look does not spoil coverage when the looks share the error."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(400):
        scores = drawn(rng, {"a": 0.0}, seeds=4, images=400)["a"]
        pooled = 0.015**2
        stopped = scores[:2] if scores[:2].mean() < 0 else scores
        low, high = gain(stopped, pooled=pooled, looks=2).interval
        hits += low <= 0 <= high
    assert binom.cdf(hits, 400, 0.95) > 1e-3


def test_more_looks_are_wider_and_intervals_stay_in_range():
    scores = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], size=(3, 50))
    once, twice = (gain(scores, pooled=0.01, looks=n) for n in (1, 2))
    assert twice.smallest > once.smallest
    wide = gain(np.ones((2, 3)), pooled=4.0)
    assert wide.interval[1] == 1.0
    assert gain(np.zeros((2, 5)), pooled=0.0).p_value() == 1.0
    with pytest.raises(ValueError, match="at least one seed"):
        gain(np.zeros((0, 5)), pooled=0.0)


def test_groups_put_the_alike_together_and_the_different_apart():
    rng = np.random.default_rng(3)
    scores = drawn(rng, {"good": 0.3, "as good": 0.3, "bad": 0.0}, seeds=4, images=4000)
    pooled = seed_variance(list(scores.values()))
    found = tiers(scores, pooled=pooled)
    assert found["good"] == found["as good"] == 1
    assert found["bad"] == 2
    same = scores["good"]
    assert compared(same, same, pooled=pooled).value == 0


def test_equal_tasks_are_rarely_told_apart():
    rng = np.random.default_rng(11)
    apart = 0
    for _ in range(200):
        scores = drawn(rng, dict.fromkeys("abcd", 0.0), seeds=3, images=300)
        apart += max(tiers(scores, pooled=seed_variance(list(scores.values()))).values()) > 1
    assert binom.sf(apart - 1, 200, 0.05) > 1e-3


def test_only_clear_losers_of_the_lower_half_are_dropped():
    rng = np.random.default_rng(1)
    truths = {"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.19, "e": 0.19, "f": -0.4}
    scores = drawn(rng, truths, seeds=2, images=3000)
    assert dropped(scores, pooled=seed_variance(list(scores.values()))) == ["f"]
    few = {name: scores[name] for name in ("a", "b", "f")}
    assert len(few) == FEWEST
    assert dropped(few, pooled=1e-4) == []


@pytest.mark.parametrize("tasks", [1, 4, 20])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_looks_rise_to_all_seeds(seeds, tasks):
    found = looks(seeds, tasks)
    assert found[-1] == seeds
    assert list(found) == sorted(set(found))


def test_what_was_dropped_is_not_grouped_with_the_best():
    rng = np.random.default_rng(0)
    scores = {name: rng.integers(-1, 2, size=(2, 40)).astype(float) for name in "abc"}
    pooled = seed_variance(list(scores.values()))
    assert set(tiers(scores, pooled=pooled).values()) == {1}
    best = max(scores, key=lambda name: scores[name].mean())
    lost = next(name for name in scores if name != best)
    found = tiers(scores, pooled=pooled, dropped=[lost])
    assert found[lost] == 2
    assert all(found[name] == 1 for name in scores if name != lost)
