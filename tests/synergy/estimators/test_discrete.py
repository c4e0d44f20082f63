"""The discrete estimators: closed forms, slow references, a second library, coverage, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma, gammaln, polygamma
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import mutual_info_score

from synergy.estimators.discrete import DiscreteCounts, encode, entropy, plug_in, plug_in_from_counts
from synergy.estimators.discrete.digamma import small_count_terms
from synergy.estimators.discrete.sparsity import residual_bias
from synthetic import ModularShift
from theory import ESSL, Joint, Model

CORRECTIONS = ("digamma", "none", "miller-madow", "grassberger", "chao-shen", "nsb", "shrinkage")


def noisy_copy(states: int, keep: float) -> Joint:
    """X uniform, Y = X with probability `keep` and uniform otherwise."""
    table = keep * np.eye(states) / states + (1 - keep) / states**2
    return Joint(("X", "Y"), table)


def counted(joint: Joint, table: np.ndarray) -> DiscreteCounts:
    """Counts in the given proportions, added as rows."""
    states = np.stack(np.unravel_index(np.repeat(np.arange(table.size), table.ravel()), table.shape))
    return DiscreteCounts(joint.names, joint.cardinalities).add(dict(zip(joint.names, states, strict=True)))


def misses(joint: Joint, expression: str, n: int, replicates: int, seed: int) -> tuple[int, int]:
    """How many intervals lie wholly above, and wholly below, the truth."""
    rng = np.random.default_rng(seed)
    truth = joint.value(expression)
    above = below = 0
    for _ in range(replicates):
        table = rng.multinomial(n, joint.probabilities.ravel()).reshape(joint.probabilities.shape)
        low, high = plug_in_from_counts(expression, counted(joint, table)).interval
        above += truth < low
        below += truth > high
    return above, below


def test_plug_in_agrees_with_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.integers(5, size=2000), rng.integers(7, size=2000)
    y = np.where(rng.random(2000) < 0.3, x, y)
    estimate = plug_in("I(X;Y)", {"X": x, "Y": y}, correction="none")
    assert estimate.value == pytest.approx(mutual_info_score(x, y), abs=1e-12)
    counts = np.bincount(x)
    assert entropy(counts, "none") == pytest.approx(scipy_entropy(counts / counts.sum()), abs=1e-12)


def test_conditional_plug_in_agrees_with_a_sum_over_slices():
    rng = np.random.default_rng(1)
    z, w = rng.integers(3, size=900), rng.integers(2, size=900)
    x, y = rng.integers(4, size=900), rng.integers(3, size=900)
    x = np.where(rng.random(900) < 0.5, (y + z) % 4, x)
    slices = sum(
        ((z == i) & (w == j)).mean() * mutual_info_score(x[(z == i) & (w == j)], y[(z == i) & (w == j)])
        for i in range(3)
        for j in range(2)
    )
    columns = {"X": x, "Y": y, "Z": z, "W": w}
    assert plug_in("I(X;Y|Z,W)", columns, correction="none").value == pytest.approx(slices, abs=1e-12)


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_identities_hold_exactly_and_paired(correction):
    sample = ModularShift(n=3, noise=0.4).sample(500, seed=3)
    left = plug_in("I(A;X|C) - I(A;X)", sample.columns, correction=correction)
    right = plug_in("I(A;C|X) - I(A;C)", sample.columns, correction=correction)
    assert left.value == pytest.approx(right.value, abs=1e-12)
    assert left.interval == pytest.approx(right.interval, abs=1e-9)
    nothing = plug_in("I(A;X|C) + I(A;C) - I(A;C,X)", sample.columns, correction=correction)
    assert (nothing.value, nothing.interval) == (0.0, (0.0, 0.0))
    assert "cancel" in nothing.notes[0]


def test_scores_average_to_the_plug_in_and_give_its_normal_standard_error():
    sample = ModularShift(n=4, noise=0.3).sample(20_000, seed=1)
    estimate = plug_in("I(A;C|X)", sample.columns, correction="none")
    assert estimate.scores.shape == (20_000,)
    assert estimate.scores.mean() == pytest.approx(estimate.value, abs=1e-12)
    assert estimate.scores.std() / math.sqrt(20_000) == pytest.approx(estimate.standard_error, rel=0.01)


# Slow readable references of the corrections, straight from the papers.


def grassberger_reference(counts):
    """G(n) by its recursion: G(1) = -gamma - log 2, G(2) = 2 - gamma - log 2, G(2k+1) = G(2k),
    G(2k+2) = G(2k) + 2/(2k+1) (Grassberger 2003, equations 31 and 32)."""
    total = sum(counts)
    g = {1: -np.euler_gamma - math.log(2), 2: 2 - np.euler_gamma - math.log(2)}
    for n in range(3, max(counts) + 1):
        g[n] = g[n - 1] if n % 2 else g[n - 2] + 2 / (n - 1)
    return math.log(total) - sum(n * g[n] for n in counts if n) / total


def chao_shen_reference(counts):
    total = sum(counts)
    coverage = 1 - sum(1 for n in counts if n == 1) / total
    value = 0.0
    for n in counts:
        if n:
            p = coverage * n / total
            value -= p * math.log(p) / (1 - (1 - p) ** total)
    return value


def nsb_reference(counts):
    """The integral over the prior mean entropy xi itself, by adaptive quadrature."""
    k, total = len(counts), sum(counts)

    def posterior(log_beta):
        beta = math.exp(log_beta)
        evidence = gammaln(k * beta) - gammaln(total + k * beta)
        evidence += sum(gammaln(n + beta) - gammaln(beta) for n in counts)
        jacobian = beta * (k * polygamma(1, k * beta + 1) - polygamma(1, beta + 1))
        mean = digamma(total + k * beta + 1)
        mean -= sum((n + beta) * digamma(n + beta + 1) for n in counts) / (total + k * beta)
        return math.exp(evidence + 30) * jacobian, mean

    scale = quad(lambda u: posterior(u)[0], -20, 14, limit=500)[0]
    return quad(lambda u: math.prod(posterior(u)), -20, 14, limit=500)[0] / scale


def shrinkage_reference(counts):
    k, total = len(counts), sum(counts)
    p = [n / total for n in counts]
    weight = (1 - sum(q * q for q in p)) / ((total - 1) * sum((1 / k - q) ** 2 for q in p))
    weight = min(weight, 1)
    shrunk = [weight / k + (1 - weight) * q for q in p]
    return -sum(q * math.log(q) for q in shrunk if q)


@pytest.mark.parametrize("counts", [(4, 2, 2, 0), (7, 1, 1, 3, 0, 0, 12), (30, 1)], ids=str)
@pytest.mark.parametrize(
    ("correction", "reference", "tolerance"),
    [
        ("grassberger", grassberger_reference, 1e-12),
        ("chao-shen", chao_shen_reference, 1e-12),
        ("nsb", nsb_reference, 1e-6),
        ("shrinkage", shrinkage_reference, 1e-12),
        ("miller-madow", lambda c: entropy(c, "none") + (np.count_nonzero(c) - 1) / (2 * sum(c)), 1e-12),
    ],
    ids=["grassberger", "chao-shen", "nsb", "shrinkage", "miller-madow"],
)
def test_corrections_agree_with_their_references(counts, correction, reference, tolerance):
    assert entropy(counts, correction) == pytest.approx(reference(list(counts)), abs=tolerance)


def test_the_corrections_remove_bias_where_the_plug_in_has_it():
    joint = noisy_copy(10, 0.5)
    truth, n, replicates = joint.value("I(X;Y)"), 300, 80
    rng = np.random.default_rng(5)
    tables = rng.multinomial(n, joint.probabilities.ravel(), size=replicates).reshape(-1, 10, 10)
    mean, error = {}, {}
    for correction in CORRECTIONS:
        values = [
            plug_in_from_counts("I(X;Y)", counted(joint, table), correction=correction).value
            for table in tables
        ]
        mean[correction], error[correction] = np.mean(values) - truth, np.std(values) / math.sqrt(replicates)
    assert mean["none"] > 0.09
    assert abs(mean["miller-madow"]) < 0.5 * mean["none"]
    for correction in ("digamma", "grassberger"):
        assert abs(mean[correction]) < 0.01 + 3 * error[correction]
    for correction in ("chao-shen", "nsb", "shrinkage"):
        assert abs(mean[correction]) < 0.75 * mean["none"]


# Coverage. The tolerance on a nominal tail of 5 % over r replicates is 3 sqrt(.05 .95 / r) beyond the
# 3 to 7 % that the benchmark's table allows.


@pytest.mark.parametrize(
    ("joint", "expression", "n"),
    [
        (ModularShift(n=4, noise=0.1).joint(), "I(A;C|X)", 10_000),
        (ModularShift(n=4, noise=0.3).joint(), "I(A;X|C) - I(A;X)", 2_000),
        (noisy_copy(4, 0.0), "I(X;Y)", 400),
        (noisy_copy(4, 0.1), "I(X;Y)", 400),
        (noisy_copy(4, 0.7), "I(X;Y)", 400),
        (noisy_copy(10, 0.0), "I(X;Y)", 500),
        (noisy_copy(10, 0.2), "I(X;Y)", 500),
        (noisy_copy(10, 0.5), "I(X;Y)", 2_000),
    ],
    ids=["synergy", "difference", "4-null", "4-near", "4-far", "10-null", "10-near", "10-far"],
)
def test_intervals_cover(joint, expression, n):
    replicates = 400
    above, below = misses(joint, expression, n, replicates, seed=11)
    spread = 3 * math.sqrt(0.05 * 0.95 / replicates)
    assert 0.03 - spread <= (above + below) / replicates <= 0.07 + spread


SPARSE = {
    "modular shift, half a row per cell": (ModularShift(n=8, noise=0.1).joint(), "I(A;C|X)", 256, True),
    "modular shift, two rows per cell": (ModularShift(n=8, noise=0.1).joint(), "I(A;C|X)", 1024, True),
    "half a row per cell": (noisy_copy(10, 0.5), "I(X;Y)", 50, True),
    "five rows per cell": (noisy_copy(10, 0.5), "I(X;Y)", 500, False),
    "five rows per cell, independent": (noisy_copy(10, 0.0), "I(X;Y)", 500, False),
    "six times as many rows as possible cells": (
        ModularShift(n=4, noise=0.0).joint(),
        "I(A;C|X)",
        384,
        False,
    ),
}


@pytest.mark.parametrize(("joint", "expression", "n", "noted"), SPARSE.values(), ids=SPARSE.keys())
def test_tables_are_noted_as_sparse_where_a_bias_is_left(joint, expression, n, noted):
    rng = np.random.default_rng(17)
    tables = rng.multinomial(n, joint.probabilities.ravel(), size=40).reshape(-1, *joint.probabilities.shape)
    found = [plug_in_from_counts(expression, counted(joint, table)) for table in tables]
    share = np.mean([any("sampling error only" in note for note in (*e.notes, *e.warnings)) for e in found])
    assert share >= 0.9 if noted else share <= 0.1


def test_sparse_intervals_reach_for_the_bias_that_is_left():
    """Five rows per possible cell, seven in eight of them rare; without the reach a tenth misses above."""
    joint, n, replicates = ModularShift(n=8, noise=0.1).joint(), 2560, 300
    above, below = misses(joint, "I(A;C|X)", n, replicates, seed=23)
    spread = 3 * math.sqrt(0.05 * 0.95 / replicates)
    assert 0.03 - spread <= (above + below) / replicates <= 0.07 + spread


def residual(rate: float) -> float:
    """What the digamma entropy misses of a cell with this Poisson rate, by summation."""
    n = np.arange(1.0, 200.0)
    probability = np.exp(n * math.log(rate) - rate - gammaln(n + 1))
    return float(probability @ (n * digamma(n) + small_count_terms(n)[0]) - rate * math.log(rate))


@pytest.mark.parametrize("rates", [(0.5,), (1.0, 20.0), (1.0, 5.0), (5.0,)], ids=str)
def test_the_bias_that_is_left_is_read_from_all_counts(rates):
    """Over tables of 400 cells, a share at each rate; a single count knows nothing of its rate."""
    rng = np.random.default_rng(3)
    lam = np.repeat(rates, 400 // len(rates))
    truth = sum(residual(rate) for rate in lam)
    found = []
    for _ in range(40):
        counts = rng.poisson(lam).astype(float)
        found.append(residual_bias(counts[counts > 0], 400)[0])
    # a fifth of the standard deviation that the sum over 400 cells has at independence
    assert abs(np.mean(found) - truth) < 0.2 * math.sqrt(400 / 2)


def test_of_very_rare_cells_part_of_the_bias_is_taken_for_impossible_cells():
    """Below half a row per cell some of the empty ones look impossible, and those add no bias."""
    rng = np.random.default_rng(4)
    for rate in (0.2, 0.3):
        counts = rng.poisson(rate, size=(40, 400)).astype(float)
        found = np.mean([residual_bias(row[row > 0], 400)[0] for row in counts])
        assert 0.5 < found / (400 * residual(rate)) < 1


def test_a_normal_interval_would_fail_at_independence():
    """The negative control: value +- 1.96 sd(scores)/sqrt(n) misses far more often than 5 %."""
    joint = noisy_copy(10, 0.0)
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(100):
        x, y = rng.integers(10, size=(2, 500))
        estimate = plug_in("I(X;Y)", {"X": x, "Y": y}, correction="none")
        half = 1.96 * estimate.scores.std() / math.sqrt(500)
        missed += abs(estimate.value - joint.value("I(X;Y)")) > half
    assert missed > 90


def test_groups_widen_the_interval_as_if_only_the_groups_were_seen():
    """Each row repeated four times: the clustered answer is that of the distinct rows."""
    sample = ModularShift(n=4, noise=0.3).sample(1_500, seed=4)
    once = plug_in("I(A;C|X)", sample.columns, correction="miller-madow")
    repeated = {name: np.repeat(column, 4) for name, column in sample.columns.items()}
    groups = np.repeat(np.arange(1_500), 4)
    clustered = plug_in("I(A;C|X)", repeated, correction="miller-madow", groups=groups)
    naive = plug_in("I(A;C|X)", repeated, correction="miller-madow")
    assert clustered.value == pytest.approx(once.value, abs=2e-3)
    assert clustered.standard_error == pytest.approx(once.standard_error, rel=0.03)
    assert naive.standard_error < 0.6 * once.standard_error
    assert abs(naive.value - once.value) > 5 * abs(clustered.value - once.value)


def test_singleton_groups_change_nothing():
    sample = ModularShift(n=3, noise=0.3).sample(800, seed=6)
    plain = plug_in("I(A;C|X)", sample.columns)
    clustered = plug_in("I(A;C|X)", sample.columns, groups=np.arange(800)[::-1])
    assert clustered.value == pytest.approx(plain.value, rel=2e-3)
    assert clustered.standard_error == pytest.approx(plain.standard_error, rel=5e-3)


@pytest.mark.parametrize("known", [True, False], ids=["dense", "sparse"])
def test_streaming_gives_the_same_as_one_batch(known):
    sample = ModularShift(n=5, noise=0.2).sample(3_000, seed=7)
    cardinalities = {"A": 5, "C": 5, "X": 5} if known else None
    counts = DiscreteCounts(("A", "C", "X"), cardinalities)
    for start in range(0, 3_000, 700):
        counts.add({name: column[start : start + 700] for name, column in sample.columns.items()})
    whole = plug_in("I(A;C|X)", sample.columns)
    streamed = plug_in_from_counts("I(A;C|X)", counts)
    assert counts.rows == 3_000
    assert streamed.value == pytest.approx(whole.value, abs=1e-12)
    assert streamed.interval == pytest.approx(whole.interval, abs=1e-9)


def test_tables_too_large_to_be_dense_are_counted_sparsely():
    rng = np.random.default_rng(8)
    columns = {f"V{i}": rng.integers(1000, size=4_000) for i in range(9)}
    columns["V8"] = columns["V0"]
    names = ",".join(f"V{i}" for i in range(1, 8))
    estimate = plug_in(f"I(V0;V8|{names})", columns, correction="none")
    assert estimate.value == pytest.approx(0.0, abs=1e-12)
    assert "undersampled" in " ".join((*estimate.notes, *estimate.warnings))
    assert plug_in("I(V0;V8)", columns, correction="none").value == pytest.approx(
        mutual_info_score(columns["V0"], columns["V8"]), abs=1e-9
    )


def test_everything_is_exact_on_a_random_model_in_the_limit():
    """Counts in exact proportion to a distribution give its exact quantities, to 1/n."""
    joint = Model.random(ESSL, 2, seed=3).joint(("A", "C", "Z"))
    n = 10**8
    counts = DiscreteCounts(joint.names, joint.cardinalities)
    counts._dense = np.rint(n * joint.probabilities).astype(np.int64).ravel()
    for expression in ("I(A;C|Z)", "H(A|Z)", "I(A;Z|C) - I(A;Z)", "1/2 I(A;C;Z) - 2 H(C)"):
        estimate = plug_in_from_counts(expression, counts)
        assert estimate.value == pytest.approx(joint.value(expression), abs=1e-6)


def test_encode_keeps_integers_and_numbers_labels():
    assert encode(np.array([5, 7, 5]))[0].tolist() == [0, 2, 0]
    assert encode(np.array([10**9, -5, 10**9]))[1] == 2
    wide = np.random.default_rng(0).integers(-3, 3, size=40_000) * 5000
    codes, count = encode(wide)
    assert count == 6
    assert np.array_equal(codes, np.unique(wide, return_inverse=True)[1])
    assert encode([True, False])[1] == 2
    for array in (wide, wide % 7 == 0, np.array(list("abca")), np.arange(40_000) * 3):
        narrow, states = encode(array, narrow=True)
        assert (narrow.dtype, states) == (np.min_scalar_type(states - 1), encode(array)[1])
        assert np.array_equal(narrow, encode(array)[0])


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("narrow", [False, True])
def test_the_ends_of_each_integer_type_stay_different_labels(kind, narrow):
    """In int16 3000 - (-30000) is -32536: as an index from the end of 60001, the place of -2535."""
    ends = np.iinfo(kind)
    low, high = (-30_000, 30_000) if kind == "i2" else (ends.min, ends.max)
    values = np.array([low, high, high // 2, low // 2 + 1], dtype=kind)
    values = np.r_[values, np.array([3_000, -2_535], dtype="i2")] if kind == "i2" else values
    column = np.random.default_rng(0).permutation(np.repeat(values, 10_000))
    codes, states = encode(column, narrow=narrow)
    pairs = np.unique(np.stack([codes.astype(np.int64), column.view(kind.replace("u", "i"))]), axis=1)
    distinct = np.unique(column).size
    assert pairs.shape[1] == distinct == np.unique(codes).size <= states
    assert encode(["b", "a", "b"])[0].tolist() == [0, 1, 0]


GOOD = {"X": np.array([0, 1, 1, 0]), "Y": np.array([1, 0, 1, 0])}

BAD = {
    "unknown-variable": (("I(X;Q)", GOOD), {}, "unknown variable 'Q'"),
    "unknown-correction": (("I(X;Y)", GOOD), {"correction": "magic"}, "correction must be one of"),
    "confidence-one": (("I(X;Y)", GOOD), {"confidence": 1.0}, "confidence must lie strictly"),
    "floats": (("I(X;Y)", {**GOOD, "Y": np.zeros(4)}), {}, "must hold integer codes, got float64"),
    "nan": (("I(X;Y)", {**GOOD, "Y": np.full(4, np.nan)}), {}, "must hold integer codes"),
    "lengths": (("I(X;Y)", {**GOOD, "Y": np.array([1, 0])}), {}, "must have the same length"),
    "empty": (("I(X;Y)", {"X": np.empty(0, int), "Y": np.empty(0, int)}), {}, "must be non-empty"),
    "two-dimensional": (("I(X;Y)", {**GOOD, "Y": np.zeros((4, 2), int)}), {}, "must be non-empty of shape"),
    "negative": (("I(X;Y)", {**GOOD, "Y": np.array([0, -1, 0, 1])}), {}, r"must stay in 0\.\.1, got -1\.\.1"),
    "too-large": (("I(X;Y)", GOOD), {"cardinalities": {"X": 1}}, r"must stay in 0\.\.0, got 0\.\.1"),
    "groups-length": (("I(X;Y)", GOOD), {"groups": np.zeros(3, int)}, r"groups must have shape \(4,\)"),
    "one-group": (("I(X;Y)", GOOD), {"groups": np.zeros(4, int)}, "at least 2 groups"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_bad_input_is_named(case):
    arguments, options, message = case
    with pytest.raises(ValueError, match=message):
        plug_in(*arguments, **options)


BAD_COUNTS = {
    "negative": (([3, -1],), {}, "whole numbers, not negative"),
    "fraction": (([3, 0.5],), {}, "whole numbers"),
    "nan": (([3, math.nan],), {}, "whole numbers"),
    "empty": (([0, 0],), {}, "must not all be zero"),
    "states": (([3, 1],), {"states": 1}, "fewer than the 2 states"),
}


@pytest.mark.parametrize("case", BAD_COUNTS.values(), ids=BAD_COUNTS.keys())
def test_bad_counts_are_named(case):
    arguments, options, message = case
    with pytest.raises(ValueError, match=message):
        entropy(*arguments, **options)


def test_other_bad_input_is_named():
    with pytest.raises(ValueError, match="names must be different"):
        DiscreteCounts(["X", "X"])
    with pytest.raises(ValueError, match="cardinality of 'X' must be at least 1"):
        DiscreteCounts(["X"], {"X": 0})
    with pytest.raises(ValueError, match="no rows were added"):
        plug_in_from_counts("H(X)", DiscreteCounts(["X"], {"X": 2}))
    with pytest.raises(ValueError, match="no dense table"):
        DiscreteCounts(["X"]).table()
    with pytest.raises(ValueError, match="missing labels in 1 of 2 rows"):
        encode(np.array(["a", None], dtype=object))
    with pytest.raises(ValueError, match="non-empty column"):
        encode([])
