"""Arguments of the front that every estimator shares."""

import numpy as np
import pytest

from synergy import estimate

DATA = {"A": np.arange(40) % 2, "C": np.arange(40) % 3}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        pytest.param({"seed": "x"}, TypeError, "seed must be an integer, got 'x'", id="text as seed"),
        pytest.param({"seed": 1.5}, TypeError, "seed must be an integer, got 1.5", id="fraction as seed"),
        pytest.param({"seed": -1}, ValueError, "seed must be", id="negative seed"),
        pytest.param(
            {"confidence": "x"}, TypeError, "confidence must be a number, got 'x'", id="text as confidence"
        ),
        pytest.param({"clip": "no"}, TypeError, "clip must be True or False, got 'no'", id="text as clip"),
        pytest.param(
            {"estimator": "ksg1", "k": 2.5}, TypeError, "k must be an integer, got 2.5", id="fraction as k"
        ),
        pytest.param(
            {"estimator": "ksg1", "k": True}, TypeError, "k must be an integer, got True", id="boolean as k"
        ),
        pytest.param({"confidence": 1.0}, ValueError, "strictly between 0 and 1, got 1.0", id="certainty"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        estimate(DATA, "I(A;C)", **options)


def test_one_row_is_refused():
    with pytest.raises(ValueError, match="at least 2 rows, got 1"):
        estimate({"A": np.array([0]), "C": np.array([1])}, "I(A;C)")


NUMBERS = np.random.default_rng(0).standard_normal((200, 2)) @ np.array([[1.0, 0.7], [0.0, 0.7]])


@pytest.mark.parametrize("factor", [1e300, 1e-300])
@pytest.mark.parametrize("estimator", ["auto", "ksg1", "gaussian", "frenzel-pompe"])
def test_units_beyond_the_range_of_squares_change_nothing(estimator, factor):
    x, y = NUMBERS.T
    plain = estimate({"X": x, "Y": y}, "I(X;Y)", estimator=estimator)
    scaled = estimate({"X": x * factor, "Y": y}, "I(X;Y)", estimator=estimator)
    assert scaled.value == pytest.approx(plain.value, abs=1e-6)


def test_a_large_offset_is_not_lost_in_single_precision():
    """float32 has steps of 64 at 1e9, as in times in seconds: unshifted, the information would be 0."""
    rng = np.random.default_rng(0)
    a = rng.integers(2, size=400)
    x = 3.0 * a[:, None] + rng.standard_normal((400, 4))
    found = estimate({"A": a, "X": x + 1e9}, "I(A;X)", estimator="classifier")
    plain = estimate({"A": a, "X": x}, "I(A;X)", estimator="classifier")
    assert plain.value > 0.5
    assert abs(found.value - plain.value) < 2 * plain.standard_error


@pytest.mark.parametrize("estimator", ["auto", "ksg1"])
def test_a_function_of_the_other_slot_is_noted_as_out_of_reach(estimator):
    """I(X;2X+1) is infinite, and no number of neighbours can show it."""
    x = NUMBERS[:, 0]
    found = estimate({"X": x, "Y": 2 * x + 1}, "I(X;Y)", estimator=estimator)
    assert any("infinite if one slot is a function of the other" in note for note in found.warnings)
    plain = estimate({"X": x, "Y": NUMBERS[:, 1]}, "I(X;Y)", estimator=estimator)
    assert not any("infinite" in note for note in plain.warnings)


def test_units_that_hide_a_column_are_noted_where_columns_are_not_scaled():
    x, y = NUMBERS.T
    found = estimate({"X": x * 1e300, "Y": y}, "I(X;Y)", estimator="ksg1", scale=None)
    assert any("every subsample gives the same value" in note for note in found.warnings)
