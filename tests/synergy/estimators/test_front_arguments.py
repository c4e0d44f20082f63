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
        pytest.param({"confidence": 1.0}, ValueError, "strictly between 0 and 1, got 1.0", id="certainty"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        estimate(DATA, "I(A;C)", **options)


def test_one_row_is_refused():
    with pytest.raises(ValueError, match="at least 2 rows, got 1"):
        estimate({"A": np.array([0]), "C": np.array([1])}, "I(A;C)")
