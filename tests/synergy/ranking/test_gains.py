"""Intervals of gains, groups, and who is dropped: coverage by simulation, and laws."""

import numpy as np
import pytest
from scipy.stats import binom

from synergy.ranking.gains import PRIOR_SEEDS, Seeds, compared, gain, tiers
from synergy.ranking.halving import FEWEST, dropped, looks

RANDOM_SEEDS = 8


def drawn(rng, truths, *, seeds, images, between=0.015, image=0.5):
    """Rightness with a seed effect, an image effect and noise, by task, as if it were a number."""
    found = {}
    shared = rng.normal(0, image, size=(1, images))
    for name, truth in truths.items():
        effect = rng.normal(0, between * np.exp(rng.normal(0, 0.4)), size=(seeds, 1))
        found[name] = truth + effect + shared + rng.normal(0, image, size=(seeds, images))
    return found


def untrained(rng, *, images, between=0.015, image=0.5):
    """That of random encoders, whose truth is 0."""
    return drawn(rng, {"": 0.0}, seeds=RANDOM_SEEDS, images=images, between=between, image=image)[""]


@pytest.mark.parametrize("between", [0.0, 0.03])
@pytest.mark.parametrize("seeds", [2, 4])
def test_intervals_cover(seeds, between):
    """At least at the nominal rate, over tasks whose variances between seeds differ.

    The random encoder varies by itself: not at all, or more than any task.
    """
    rng = np.random.default_rng(seeds)
    truths = dict(zip("abcdef", np.linspace(-0.05, 0.05, 6), strict=True))
    hits = np.zeros((200, len(truths)))
    for row in hits:
        scores = drawn(rng, truths, seeds=seeds, images=800)
        random = untrained(rng, images=800, between=between)
        pool = Seeds.of(scores)
        for place, (name, truth) in enumerate(truths.items()):
            low, high = gain(scores[name], random, pool, name).interval
            row[place] = low <= truth <= high
    # The tasks of a draw share the random encoder: the rate's standard error is over draws.
    assert hits.mean() > 0.95 - 3 * hits.mean(axis=1).std(ddof=1) / np.sqrt(len(hits))


def test_the_interval_holds_whenever_a_task_was_dropped():
    """Stopping after a bad first look does not spoil coverage when the looks share the error."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(400):
        scores = drawn(rng, dict.fromkeys("abc", 0.0), seeds=4, images=400)
        random = untrained(rng, images=400)
        stopped = scores["a"][:2] if scores["a"][:2].mean() < random.mean() else scores["a"]
        low, high = gain(stopped, random, Seeds.of(scores | {"a": stopped}), "a", looks=2).interval
        hits += low <= 0 <= high
    assert binom.cdf(hits, 400, 0.95) > 1e-3


def test_more_looks_are_wider_and_intervals_stay_in_range():
    rng = np.random.default_rng(0)
    scores = {name: rng.choice([0.0, 1.0], size=(3, 50)) for name in "ab"}
    random = rng.choice([0.0, 1.0], size=(3, 50))
    once, twice = (gain(scores["a"], random, Seeds.of(scores), "a", looks=n) for n in (1, 2))
    assert twice.smallest > once.smallest
    varied = {"a": np.array([[1.0, 1, 1], [0, 0, 1]])}
    assert gain(varied["a"], np.zeros((2, 3)), Seeds.of(varied), "a").interval[1] == 1.0
    alike = {"a": np.zeros((2, 5))}
    assert gain(alike["a"], np.zeros((2, 5)), Seeds.of(alike), "a").p_value() == 1.0
    with pytest.raises(ValueError, match="two random encoders"):
        gain(alike["a"], np.zeros((1, 5)), Seeds.of(alike), "a")
    with pytest.raises(ValueError, match="two images"):
        gain(np.zeros((2, 1)), np.zeros((2, 1)), Seeds.of({"a": np.zeros((2, 1))}), "a")


def test_a_variance_is_shrunk_towards_the_others_no_more_than_they_know():
    """Weighted by degrees of freedom: one of two seeds, up to four of the others."""
    step = np.array([[0.0, 0.0], [0.2, 0.2]])  # a variance of 0.02 between the seeds
    scores = {"a": step, "b": 2 * step, "c": 2 * step}
    assert Seeds.of({"a": step}).shrunk(step, "a") == pytest.approx((0.02, 1.0))
    assert Seeds.of({"a": step, "b": 2 * step}).shrunk(step, "a") == pytest.approx(((0.08 + 0.02) / 2, 2.0))
    assert Seeds.of(scores).shrunk(step, "a") == pytest.approx(((2 * 0.08 + 0.02) / 3, 3.0))
    many = scores | {name: 2 * step for name in "defgh"}
    assert Seeds.of(many).shrunk(step, "a") == pytest.approx(((4 * 0.08 + 0.02) / 5, PRIOR_SEEDS + 1))
    with pytest.raises(ValueError, match="one seed of a"):
        Seeds.of({"a": step[:1]}).shrunk(step[:1], "a")


def test_what_no_seed_changes_has_no_variance_between_seeds():
    rng = np.random.default_rng(1)
    scores = drawn(rng, {"a": 0.0, "b": 0.0}, seeds=4, images=500, between=0.3)
    fixed = rng.normal(size=(1, 500))
    random = untrained(rng, images=500, between=0.0)
    error = gain(fixed, random, Seeds.of(scores), None).standard_error
    assert error**2 == pytest.approx(
        random.mean(axis=1).var(ddof=1) / RANDOM_SEEDS + (fixed[0] - random.mean(axis=0)).var(ddof=1) / 500
    )
    assert gain(fixed, random, Seeds.of(scores), "pixels").standard_error > 2 * error


def test_groups_put_the_alike_together_and_the_different_apart():
    rng = np.random.default_rng(3)
    scores = drawn(rng, {"good": 0.3, "as good": 0.3, "bad": 0.0}, seeds=4, images=4000)
    found = tiers(scores, Seeds.of(scores))
    assert found["good"] == found["as good"] == 1
    assert found["bad"] == 2
    scores["same"] = scores["good"]
    assert compared(scores, "good", "same", Seeds.of(scores)).value == 0


def test_equal_tasks_are_rarely_told_apart():
    rng = np.random.default_rng(11)
    apart = 0
    for _ in range(200):
        scores = drawn(rng, dict.fromkeys("abcd", 0.0), seeds=3, images=300)
        apart += max(tiers(scores, Seeds.of(scores)).values()) > 1
    assert binom.sf(apart - 1, 200, 0.05) > 1e-3


def test_only_clear_losers_of_the_lower_half_are_dropped():
    rng = np.random.default_rng(1)
    truths = {"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.19, "e": 0.19, "f": -0.4}
    scores = drawn(rng, truths, seeds=2, images=3000)
    assert dropped(scores, Seeds.of(scores)) == ["f"]
    few = {name: scores[name] for name in ("a", "b", "f")}
    assert len(few) == FEWEST
    assert dropped(few, Seeds.of(few)) == []


@pytest.mark.parametrize("tasks", [1, 4, 20])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_looks_rise_to_all_seeds(seeds, tasks):
    found = looks(seeds, tasks)
    assert found[-1] == seeds
    assert list(found) == sorted(set(found))


def test_what_was_dropped_is_not_grouped_with_the_best():
    rng = np.random.default_rng(0)
    scores = {name: rng.integers(0, 2, size=(2, 40)).astype(float) for name in "abc"}
    assert set(tiers(scores, Seeds.of(scores)).values()) == {1}
    best = max(scores, key=lambda name: scores[name].mean())
    lost = next(name for name in scores if name != best)
    found = tiers(scores, Seeds.of(scores), dropped=[lost])
    assert found[lost] == 2
    assert all(found[name] == 1 for name in scores if name != lost)
