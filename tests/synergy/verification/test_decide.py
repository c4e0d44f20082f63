"""The decision rules: what is verified, what is violated, and the family-wise error."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synergy.statistics.decision import Gap, combine, decide, holm, p_values, rows_needed
from theory import parse_statement

OPERATORS = ("==", ">=", "<=", ">", "<")


def gap(operator, value, error, samples=1000):
    return Gap(parse_statement(f"H(A) {operator} H(B)").relations[0], value, error, samples)


@pytest.mark.parametrize(
    ("operator", "value", "margin", "expected"),
    [
        pytest.param(">=", 0.5, 0.05, "verified", id="clearly above"),
        pytest.param(">=", 0.0, 0.05, "verified", id="equality within the margin"),
        pytest.param(">=", -0.05, 0.05, "inconclusive", id="on the margin"),
        pytest.param(">=", -0.5, 0.05, "violated", id="clearly below"),
        pytest.param("<=", -0.5, 0.05, "violated", id="the gap is already oriented"),
        pytest.param("==", 0.0, 0.05, "verified", id="equal"),
        pytest.param("==", 0.04, 0.05, "inconclusive", id="near the upper margin"),
        pytest.param("==", 0.5, 0.05, "violated", id="too large"),
        pytest.param("==", -0.5, 0.05, "violated", id="too small"),
        pytest.param(">", 0.5, 0.05, "verified", id="strictly above"),
        pytest.param(">", 0.0, 0.05, "violated", id="zero is not above zero"),
        pytest.param(">", 0.06, 0.05, "inconclusive", id="strict needs more than the margin"),
    ],
)
def test_verdicts(operator, value, margin, expected):
    assert decide(*p_values(gap(operator, value, 0.01), margin), alpha=0.01) == expected


@given(
    st.sampled_from(OPERATORS),
    st.floats(-2, 2),
    st.floats(1e-6, 1),
    st.floats(0, 0.5),
)
def test_at_most_one_hypothesis_is_rejected(operator, value, error, margin):
    verify, violate = p_values(gap(operator, value, error), margin)
    assert 0 <= verify <= 1
    assert 0 <= violate <= 1
    assert verify + violate >= 0.05


@pytest.mark.parametrize("operator", ["==", ">=", ">"])
def test_error_rate_on_the_boundary(operator):
    """With the true gap on the boundary of a hypothesis, its test rejects in 5 % of draws."""
    margin, error, draws = 0.1, 0.01, 4000
    rng = np.random.default_rng(0)
    boundary = {"==": margin, ">=": -margin, ">": margin}[operator]
    rejected = sum(
        p_values(gap(operator, boundary + error * z, error), margin)[0] <= 0.05
        for z in rng.standard_normal(draws)
    )
    assert abs(rejected / draws - 0.05) < 4 * math.sqrt(0.05 * 0.95 / draws)


def test_an_exact_number_is_decided_without_error():
    assert p_values(gap(">=", -1e-3, 0.0), 0.0) == (1.0, 0.0)
    assert p_values(gap(">=", 1e-3, 0.0), 0.0)[0] == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_monotone_and_bounded_by_bonferroni(p):
    adjusted = holm(p)
    assert all(a <= b <= min(1, len(p) * a) + 1e-12 for a, b in zip(p, adjusted, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def test_holm_controls_the_family_wise_error():
    rng = np.random.default_rng(1)
    families, size = 2000, 10
    wrong = sum(min(holm(list(rng.random(size)))) <= 0.05 for _ in range(families))
    assert wrong / families < 0.05 + 4 * math.sqrt(0.05 * 0.95 / families)


def test_a_conjunction_needs_every_part():
    assert combine([(0.01, 0.9), (0.2, 0.7)]) == (0.2, 1.0)
    assert combine([(0.9, 0.001), (0.01, 0.9)]) == (0.9, 0.002)
    with pytest.raises(ValueError, match="at least one part"):
        combine([])


def test_rows_needed_would_decide():
    """At the predicted number of rows the expected statistic reaches the critical value plus the power's."""
    open_gap = gap(">=", -0.04, 0.02, samples=100)
    rows = rows_needed(open_gap, 0.05, alpha=0.05)
    assert rows is not None
    shrunk = gap(">=", -0.04, 0.02 * math.sqrt(100 / rows), samples=rows)
    assert p_values(shrunk, 0.05)[0] < 0.05
    assert p_values(gap(">=", -0.04, 0.02 * math.sqrt(400 / rows)), 0.05)[0] > p_values(shrunk, 0.05)[0]
    assert rows_needed(gap(">=", -0.05, 0.02), 0.05, alpha=0.05) is None


@pytest.mark.parametrize(
    ("bad", "margin", "message"),
    [
        pytest.param(gap(">=", 0.0, 0.1), -0.1, "margin must not be negative", id="negative margin"),
        pytest.param(gap(">=", math.nan, 0.1), 0.1, "finite value", id="NaN value"),
        pytest.param(gap(">=", 0.0, math.nan), 0.1, "finite value", id="NaN error"),
        pytest.param(gap(">=", 0.0, -1.0), 0.1, "finite value", id="negative error"),
    ],
)
def test_bad_arguments(bad, margin, message):
    with pytest.raises(ValueError, match=message):
        p_values(bad, margin)
