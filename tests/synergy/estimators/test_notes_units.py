"""Numbers in notes and warnings have the unit of the estimate or name their own."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from synergy.estimators import estimate

NUMBER = r"-?\d+\.\d+"


@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_what_was_clipped_is_told_in_the_unit_asked_for(unit):
    rng = np.random.default_rng(0)
    data = {"X": rng.integers(0, 2, 30), "Y": rng.integers(0, 2, 30)}
    raw = estimate(data, "I(X;Y)", unit=unit)
    clipped = estimate(data, "I(X;Y)", unit=unit, clip=True)
    assert raw.interval[0] < 0 == clipped.interval[0]
    (note,) = (note for note in clipped.notes if "clipped" in note)
    told = [float(number) for number in re.findall(NUMBER, note)]
    assert told == pytest.approx([raw.value, *raw.interval], abs=1e-6)
    assert note.count(unit) == 2


def test_the_numbers_of_neighbours_are_in_nats():
    """Of a mixture of signs, which neighbours see ever less of: a bias, a reach and a correction are told."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((400, 2))
    signs = rng.choice([-1.0, 1.0], 400)
    data = [
        {"X": x[:, 0], "Y": signs * x[:, 0] + 0.1 * rng.standard_normal(400)},
        {"X": x, "Y": x + rng.standard_normal((400, 2))},
        {"X": x * (t := np.sqrt(3 / rng.chisquare(3, 400)))[:, None], "Y": t * rng.standard_normal(400)},
        {"X": x[:, 0], "Y": np.round(4 * x[:, 0] + rng.standard_normal(400))},
    ]
    told = []
    for columns in data:
        found = estimate(columns, "I(X;Y)", estimator="copula-knn" if len(told) < 9 else "auto", unit="bits")
        told += [words for words in (*found.notes, *found.warnings) if re.search(NUMBER, words)]
    assert sum("was measured on" in words for words in told) >= 2
    assert any("reaches" in words for words in told)
    for words in told:
        assert "nats" in words, words


def test_a_bias_that_is_left_in_sparse_counts_is_in_nats():
    rng = np.random.default_rng(0)
    data = {"X": rng.integers(0, 40, 300), "Y": rng.integers(0, 40, 300)}
    found = estimate(data, "I(X;Y)", unit="bits")
    (words,) = (words for words in (*found.notes, *found.warnings) if "a bias of about" in words)
    assert words.count("nats") == 2
    assert not math.isnan(found.value)
