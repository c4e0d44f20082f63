"""Rows that are not independent, and functions of the condition that no regression learnt."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from synergy.estimators.past import follows
from synergy.independence import independence_test
from synergy.independence.gcm import Residual
from synergy.independence.hidden import shared_rest

Rows = dict[str, np.ndarray]


def walk(rng: np.random.Generator, n: int, keep: float = 0.9) -> np.ndarray:
    """A stationary autoregression."""
    x = rng.normal(size=n)
    for t in range(1, n):
        x[t] = keep * x[t - 1] + np.sqrt(1 - keep**2) * x[t]
    return x


def chain(rng: np.random.Generator, n: int, states: int = 3) -> np.ndarray:
    """A state is kept nine times in ten."""
    fresh = rng.random(n) < 0.1
    fresh[0] = True
    return rng.integers(states, size=n)[np.maximum.accumulate(np.where(fresh, np.arange(n), 0))]


def walks(rng: np.random.Generator) -> Rows:
    return {"X": walk(rng, 300), "Y": walk(rng, 300), "Z": rng.normal(size=300)}


def chains(rng: np.random.Generator) -> Rows:
    return {"X": chain(rng, 300), "Y": chain(rng, 300), "Z": rng.integers(2, size=300)}


def both(rng: np.random.Generator) -> Rows:
    return {"X": chain(rng, 300), "Y": walk(rng, 300), "Z": chain(rng, 300, 2)}


DEPENDENT = {
    "two walks": (walks, "X _||_ Y", "auto"),
    "two walks given noise": (walks, "X _||_ Y | Z", "auto"),
    "two walks among neighbours": (walks, "X _||_ Y | Z", "local-permutation"),
    "two chains": (chains, "X _||_ Y", "auto"),
    "two chains within states": (chains, "X _||_ Y | Z", "auto"),
    "two chains, regressed": (chains, "X _||_ Y | Z", "gcm"),
    "a chain and a walk": (both, "X _||_ Y", "auto"),
    "a chain and a walk within states": (both, "X _||_ Y | Z", "auto"),
}


@pytest.mark.parametrize(("draw", "statement", "method"), DEPENDENT.values(), ids=DEPENDENT.keys())
def test_rows_that_follow_one_another_are_warned_of(draw, statement, method):
    data = draw(np.random.default_rng(0))
    found = independence_test(data, statement, method=method, permutations=19)
    assert any("the rows are not independent: X and Y" in warning for warning in found.warnings)
    for way_out in ({"blocks": 30}, {"groups": "G"}):
        told = independence_test(data | {"G": np.arange(300) // 30}, statement, permutations=19, **way_out)
        assert not any("not independent" in warning for warning in told.warnings)
        assert told.method == "gcm"


def test_blocks_hold_the_level_where_rows_alone_do_not():
    """The variance of a mean of products of two walks is (1 + r^2) / (1 - r^2) = 9.5 times that of rows."""
    rejected = {"rows": 0, "blocks": 0}
    for seed in range(20):
        data = walks(np.random.default_rng(seed))
        rejected["rows"] += independence_test(data, "X _||_ Y", permutations=59).rejects()
        rejected["blocks"] += independence_test(data, "X _||_ Y", permutations=59, blocks=25).rejects()
    # P(|normal| > 1.96 / sqrt(9.5)) = 0.52; binomial(20, 0.1) exceeds 6 with probability 2e-3
    assert rejected["rows"] >= 6
    assert rejected["blocks"] <= 6


def one_side(rng: np.random.Generator) -> Rows:
    return {"X": walk(rng, 300), "Y": rng.normal(size=300), "Z": walk(rng, 300)}


def through_z(rng: np.random.Generator) -> Rows:
    z = walk(rng, 300)
    return {"X": z + rng.normal(size=300), "Y": np.sin(z) + rng.normal(size=300), "Z": z}


def through_states(rng: np.random.Generator) -> Rows:
    z = chain(rng, 300)
    return {
        "X": (z + rng.integers(2, size=300)) % 3,
        "Y": z + rng.normal(size=300),
        "Z": z,
    }


def independent_rows(rng: np.random.Generator) -> Rows:
    x = rng.normal(size=300)
    return {"X": x, "Y": x + rng.normal(size=300), "Z": rng.integers(2, size=300)}


def in_order(rng: np.random.Generator) -> Rows:
    data = independent_rows(rng)
    order = np.argsort(data["X"])
    return {name: column[order] for name, column in data.items()}


CONTROLS = {
    "one walk": (one_side, "X _||_ Y"),
    "one walk given a walk": (one_side, "X _||_ Y | Z"),
    "two noisy functions of a walk": (through_z, "X _||_ Y | Z"),
    "two noisy functions of a chain": (through_states, "X _||_ Y | Z"),
    "dependent sides": (independent_rows, "X _||_ Y | Z"),
    "a sorted table": (in_order, "X _||_ Y"),
}


@pytest.mark.parametrize(("draw", "statement"), CONTROLS.values(), ids=CONTROLS.keys())
def test_rows_that_are_independent_given_the_condition_are_not(draw, statement):
    for seed in range(3):
        found = independence_test(draw(np.random.default_rng(seed)), statement, permutations=19)
        assert not any("not independent" in warning for warning in found.warnings)


def test_the_p_value_of_random_order_is_uniform():
    """Of labels and of numbers, in one stratum and in ten of fifteen rows."""
    for strata in (np.zeros(150, dtype=int), np.arange(150) % 10):
        for kind in ("labels", "numbers"):
            found = []
            for seed in range(200):
                rng = np.random.default_rng(seed)
                column = rng.integers(4, size=150) if kind == "labels" else rng.normal(size=150)
                found.append(follows(column, strata))
            assert kstest(found, "uniform").pvalue > 1e-3, (kind, strata.max())


def test_rows_entered_twice_are_warned_of():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 100))
    rows = rng.permutation(np.repeat(np.arange(100), 3))
    data = {"X": x[rows], "Y": y[rows]}
    found = independence_test(data, "X _||_ Y", permutations=19)
    assert any("200 of 300 rows repeat another row" in warning for warning in found.warnings)
    assert not independence_test({"X": x, "Y": y}, "X _||_ Y", permutations=19).warnings
    assert not independence_test(data | {"G": rows}, "X _||_ Y", permutations=19, groups="G").warnings


def test_blocks_and_groups_exclude_each_other():
    data = walks(np.random.default_rng(0)) | {"G": np.arange(300) // 30}
    with pytest.raises(ValueError, match="blocks=10 and groups='G' exclude each other"):
        independence_test(data, "X _||_ Y", blocks=10, groups="G")
    with pytest.raises(ValueError, match="blocks=100 makes 3 blocks of 300 rows"):
        independence_test(data, "X _||_ Y", blocks=100)


ROUGH = {
    "sine": (10, lambda z: np.sin(z.sum(1))),
    "sine of 15": (15, lambda z: np.sin(z.sum(1))),
    "signs": (5, lambda z: np.sign(z.prod(1))),
    "radius": (10, lambda z: np.sin(np.square(z).sum(1))),
    "three signs": (4, lambda z: np.sign(z[:, :3].prod(1))),
    "fast sine": (5, lambda z: np.sin(2 * z.sum(1))),
    "steps": (3, lambda z: np.floor(2 * z[:, :2]).sum(1)),
    "three sines": (3, lambda z: 2 * np.sin(3 * z).prod(1)),
}
"""The number of columns of a condition, and a function of it that regressions do not find or find in part."""


@pytest.mark.parametrize("shape", ROUGH)
def test_a_function_that_regressions_do_not_find_is_not_dependence_in_silence(shape):
    """X and Y share a function of Z and have noise of their own: X _||_ Y | Z."""
    d, function = ROUGH[shape]
    silent = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=(300, d))
        x, y = function(z) + 0.2 * rng.normal(size=(2, 300))
        found = independence_test({"X": x, "Y": y, "Z": z}, "X _||_ Y | Z", permutations=59)
        silent += found.rejects() and not found.warnings
    # binomial(5, 0.05) exceeds 2 with probability 1e-3
    assert silent <= 2


@pytest.mark.parametrize("d", [3, 5])
def test_dependence_beside_a_smooth_function_is_seen_without_a_warning(d):
    """The control: the noise of X is in Y, and both follow a function that is learnt, whatever it leaves."""
    warned = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        z, (e, f) = rng.normal(size=(300, d)), 0.7 * rng.normal(size=(2, 300))
        smooth = np.sin(z).sum(1)
        data = {"X": smooth + e, "Y": smooth + f + 0.8 * e, "Z": z}
        found = independence_test(data, "X _||_ Y | Z", permutations=59)
        assert found.rejects()
        warned += bool(found.warnings)
    # binomial(5, 0.1) exceeds 2 with probability 9e-3
    assert warned <= 2


@pytest.mark.parametrize("d", [1, 5])
def test_dependence_beside_a_condition_that_says_nothing_is_seen_without_a_warning(d):
    """The control: X and Y have noise in common, and Z has no part in either."""
    warned = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, noise = rng.normal(size=(2, 300))
        data = {"X": x, "Y": 0.5 * x + noise, "Z": rng.normal(size=(300, d))}
        found = independence_test(data, "X _||_ Y | Z", permutations=59)
        assert found.rejects()
        warned += bool(found.warnings)
    # binomial(5, 0.1) exceeds 2 with probability 9e-3
    assert warned <= 2


def shared(u: np.ndarray, v: np.ndarray, z: np.ndarray, seed: int, **options):
    return shared_rest(Residual.known(u), Residual.known(v), z, seed=seed, **options)


def test_only_what_both_sides_share_across_rows_counts():
    """One side alone with a rest of Z does a product of residuals no harm, nor does noise of varying size."""
    counts = {"shared": 0, "one side": 0, "same row": 0, "spread": 0}
    for seed in range(100):
        rng = np.random.default_rng(seed)
        z, e, f = rng.normal(size=(3, 150))
        rest, spread = np.sin(3 * z), np.exp(z / 2)
        counts["shared"] += shared(rest + e, rest + f, z[:, None], seed).p_value <= 0.05
        counts["one side"] += shared(rest + e, f, z[:, None], seed).p_value <= 0.05
        counts["same row"] += shared(e, e + f, z[:, None], seed).p_value <= 0.05
        counts["spread"] += shared(spread * e, spread * (e + f), z[:, None], seed).p_value <= 0.05
    assert counts["shared"] >= 95
    # binomial(100, 0.05) exceeds 13 with probability below 1e-3
    for control in ("one side", "same row", "spread"):
        assert counts[control] <= 13, control


def test_rows_of_a_group_are_no_pairs():
    """Copies of a row are near in Z and alike in both sides: only pairs of different groups count."""
    rejected = {"groups": 0, "rows": 0}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        z, e, f = rng.normal(size=(3, 40))
        codes = np.repeat(np.arange(40), 15)
        u, v = e[codes], (e + f)[codes]
        rejected["groups"] += shared(u, v, z[codes][:, None], seed, clusters=codes).p_value <= 0.05
        rejected["rows"] += shared(u, v, z[codes][:, None], seed).p_value <= 0.05
    # binomial(20, 0.05) exceeds 5 with probability below 4e-4
    assert rejected["groups"] <= 5
    assert rejected["rows"] >= 10


def test_many_columns_hide_what_few_show():
    """The sum of squared kernels falls like 5^(-d/2): E exp(-|z - z'|^2) of normal columns."""
    rng = np.random.default_rng(0)
    e, f = rng.normal(size=(2, 300))
    seen = [shared(e, e + f, rng.normal(size=(300, d)), 0).visible for d in (2, 6, 12)]
    assert seen[0] > 4 > seen[2]
    assert seen[0] > seen[1] > seen[2]
