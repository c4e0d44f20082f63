"""The decision rules: what is verified, what is violated, and the family-wise error."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from synergy.estimators import estimate
from synergy.statistics.decision import Gap, apart, combine, decide, holm, p_values, rows_needed
from synergy.verification.deciding import decided
from synergy.verification.settings import Settings
from synergy.verification.verdict import Verdict
from theory import parse_statement

OPERATORS = ("==", ">=", "<=", ">", "<")


def gap(operator, value, error, samples=1000, **options):
    return Gap(parse_statement(f"H(A) {operator} H(B)").relations[0], value, error, samples, **options)


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
        pytest.param(">", 0.06, 0.05, "verified", id="strict needs no margin"),
        pytest.param(">", 0.04, 0.2, "verified", id="above 0 by less than the margin"),
        pytest.param("<", 0.04, 0.2, "verified", id="and so the other way round"),
        pytest.param(">", 0.022, 0.2, "inconclusive", id="an interval above 0 is never violated"),
        pytest.param(">", 0.018, 0.2, "violated", id="no evidence, and not more than the margin"),
        pytest.param(">", 0.018, 0.02, "inconclusive", id="no evidence, and perhaps more than the margin"),
    ],
)
def test_verdicts(operator, value, margin, expected):
    assert decide(*p_values(gap(operator, value, 0.01), margin), alpha=0.01) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, "verified"), (0.11, "inconclusive"), (0.05, "inconclusive"), (0.0, "violated")],
)
def test_where_something_is_fitted_a_strict_claim_needs_more_than_the_margin(value, expected):
    assert decide(*p_values(gap(">", value, 0.01, fitted=True), 0.1), alpha=0.01) == expected


def test_each_side_has_the_error_of_its_end():
    """An interval of -0.05 .. 0 tells of a gap above 0 nothing, and of one below all that it spans."""
    one_sided = gap("==", 0.0, 0.0, ends=(-0.05, 0.0))
    assert one_sided.interval == (-0.05, 0.0)
    assert one_sided.errors == (pytest.approx(0.05 / norm.isf(0.025)), 0.0)
    assert p_values(one_sided, 0.05)[0] == pytest.approx(0.025)
    assert p_values(replace(one_sided, ends=None), 0.05)[0] == 0.0


@pytest.mark.parametrize("operator", OPERATORS)
def test_apart_is_what_the_interval_says(operator):
    """Its p-value is 0.05 where the interval just leaves out 0 on the side on which the claim fails."""
    error = 1 / norm.isf(0.025)
    below, above = (apart(gap(operator, value, error)) for value in (-1.0, 1.0))
    assert below == pytest.approx(1.0 if operator in (">", "<") else 0.05)
    assert above == pytest.approx(0.05 if operator == "==" else 1.0)


@given(
    st.sampled_from(OPERATORS),
    st.floats(-2, 2),
    st.floats(1e-6, 1),
    st.floats(0, 0.5),
)
def test_at_most_one_hypothesis_is_rejected(operator, value, error, margin):
    verify, violate = p_values(gap(operator, value, error, fitted=True), margin)
    assert 0 <= verify <= 1
    assert 0 <= violate <= 1
    assert verify + violate >= 0.05


@pytest.mark.parametrize("operator", ["==", ">=", ">"])
def test_error_rate_on_the_boundary(operator):
    """With the true gap on the boundary of a hypothesis, its test rejects in 5 % of draws.

    Of a strict claim that is where something was fitted; else see the test of independent columns.
    """
    margin, error, draws = 0.1, 0.01, 4000
    rng = np.random.default_rng(0)
    boundary = {"==": margin, ">=": -margin, ">": margin}[operator]
    rejected = sum(
        p_values(gap(operator, boundary + error * z, error, fitted=True), margin)[0] <= 0.05
        for z in rng.standard_normal(draws)
    )
    assert abs(rejected / draws - 0.05) < 4 * math.sqrt(0.05 * 0.95 / draws)


@pytest.mark.parametrize(("states", "rows"), [(2, 300), (4, 1000)])
def test_independent_columns_are_told_from_0_as_often_as_the_level_says(states, rows):
    """I(A;B) > 0 is verified, and I(A;B) == 0 told from 0, in 5 % of tables of independent columns."""
    rng, draws, found = np.random.default_rng(0), 400, []
    for _ in range(draws):
        table = {"A": rng.integers(states, size=rows), "B": rng.integers(states, size=rows)}
        told = estimate(table, "I(A;B)")
        options = {"samples": rows, "ends": told.interval}
        above = gap(">", told.value, told.standard_error, **options)
        found.append((p_values(above, 0.01)[0], apart(gap("==", told.value, told.standard_error, **options))))
    for level in (0.05, 0.01):
        wrong = (np.array(found) <= level).mean(axis=0)
        assert (wrong <= level + 4 * math.sqrt(level * (1 - level) / draws)).all()


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


@pytest.mark.parametrize("tested", [1, 5])
def test_the_rows_of_the_note_decide_beside_all_other_tests(tested):
    """At these rows a gap that comes out 1.28 standard errors too low, as one in ten does, is decided."""
    value, error, margin, settings = -0.01, 0.03, 0.05, Settings()
    verify, violate = p_values(gap(">=", value, error, samples=100), margin)
    row = Verdict("E1", "sample", "rows", "I(A;C) >= 0", "inconclusive", measured=value, margin=margin)
    row = replace(row, standard_error=error, samples=100, p_verify=verify, p_violate=violate)
    found = list(decided([row] * tested, settings))
    assert {verdict.judgement for verdict in found} == {"inconclusive"}
    rows = int(re.findall(r"about ([\d,]+) rows would decide", found[0].note)[0].replace(",", ""))
    shrunk = error * math.sqrt(100 / rows)
    unlucky, other = p_values(gap(">=", value - norm.isf(0.1) * shrunk, shrunk), margin)
    assert holm([unlucky, other, *[0.5] * (2 * tested - 2)])[0] <= settings.alpha


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
