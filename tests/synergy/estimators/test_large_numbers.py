"""Integers and tables of states that no int64 or float64 holds."""

from __future__ import annotations

import numpy as np
import pytest

from synergy import estimate, independence_test
from synergy.estimators.discrete import DiscreteCounts, plug_in
from synergy.estimators.intake import floats_of


@pytest.mark.parametrize("bits", [61, 62, 63])
@pytest.mark.parametrize("expression", ["I(X;Y)", "H(X,Y)", "I(X;Y|Z)", "H(X,Y,Z)"])
def test_huge_codes_are_counted_as_small_ones(bits, expression):
    rng = np.random.default_rng(0)
    small = {name: rng.integers(0, 16, 2000) for name in "XYZ"}
    huge = {name: 2**bits - 1 - (15 - column) for name, column in small.items()}
    few, many = plug_in(expression, small), plug_in(expression, huge)
    assert many.value == pytest.approx(few.value, abs=1e-12)
    assert many.interval == pytest.approx(few.interval, abs=1e-6)
    np.testing.assert_allclose(many.scores, few.scores, atol=1e-12)


def test_huge_codes_are_counted_batch_by_batch():
    rng = np.random.default_rng(1)
    columns = rng.integers(0, 3, (3, 200)) * 2**60
    counts = DiscreteCounts(["A", "B", "C"])
    for part in np.split(columns, 4, axis=1):
        counts.add(dict(zip("ABC", part, strict=True)))
    states, seen = np.unique(columns.T, axis=0, return_counts=True)
    np.testing.assert_array_equal(counts.cells().states, states)
    np.testing.assert_array_equal(counts.cells().counts, seen)


def test_codes_that_would_be_negative_are_refused():
    huge = np.array([0, 2**64 - 1], dtype=np.uint64)
    with pytest.raises(ValueError, match=r"column 'X' must stay in 0\.\."):
        plug_in("H(X)", {"X": huge})


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param([-(2**63), -(2**60), 0, 2**63 - 1], id="int64, wider than int64"),
        pytest.param([0, 1, 2**64 - 1], id="uint64"),
        pytest.param([-1, 2**63, 2**63 + 4096], id="neither"),
        pytest.param([-(10**400), 0, 10**400], id="wider than float64"),
        pytest.param([-3, 0, 2**53], id="held by float64"),
    ],
)
def test_integers_keep_their_order_as_floats(levels):
    found = floats_of(levels)
    assert (np.diff(found) > 0).all()
    assert np.isfinite(found).all()


def test_integers_of_any_width_are_numbers_in_their_order():
    """Less the smallest they left int64: the least came last."""
    rng = np.random.default_rng(0)
    wide = np.array([-(2**63), 2**63 - 1, *rng.integers(-(2**62), 2**62, 198)])
    data = {"Y": wide.astype(float) / 2**62 + 0.3 * rng.standard_normal(200)}
    found = estimate({"X": wide, **data}, "I(X;Y)")
    floats = estimate({"X": wide.astype(float), **data}, "I(X;Y)")
    assert found.value == pytest.approx(floats.value, abs=0.02)
    assert "read as numbers, not as labels" in found.notes[0]


def test_integers_beyond_64_bits_are_numbers_too():
    rng = np.random.default_rng(0)
    unsigned = [-1, *(2**63 + int(i) for i in rng.integers(0, 2**62, 199))]
    y = np.argsort(np.argsort(unsigned)) / 100 + 0.3 * rng.standard_normal(200)
    found = estimate({"X": unsigned, "Y": y}, "I(X;Y)")
    assert "read as numbers, not as labels" in found.notes[0]
    assert found.value > 0.3


def test_many_rounded_columns_have_no_table_and_are_estimated():
    """Of ten columns of 80 values each the joint has more states than 2^62, and a row to each at most."""
    rng = np.random.default_rng(2)
    data = {name: np.round(rng.standard_normal(1000), 1) for name in "ABCDEFGHIJKL"}
    found = estimate(data, "I(A,B,C,D,E,F;G,H,I,J,K,L)", clip=True)
    assert "discrete estimator" not in found.notes[0]


def test_both_readings_of_integers_are_told():
    """Integers of 40 values and 25 rows to each: labels to an estimate, numbers to a test."""
    rng = np.random.default_rng(3)
    data = {"N": rng.permutation(np.repeat(np.arange(40), 25)), "Y": rng.standard_normal(1000)}
    told = "N: integers of more than 12 values, read as numbers, not as labels"
    assert told in independence_test(data, "N _||_ Y", permutations=19).notes
    assert not any("read as numbers" in note for note in estimate(data, "I(N;Y)").notes)
    few = {**data, "N": data["N"] % 12}
    assert not any("read as numbers" in n for n in independence_test(few, "N _||_ Y", permutations=19).notes)
    tabled = independence_test({"N": data["N"], "M": few["N"]}, "N _||_ M", method="g", permutations=19)
    assert not any("read as numbers" in note for note in tabled.notes)
