from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synergy.estimators.intake import as_sample, check_expression, slots_of, split_columns
from synthetic import ModularShift, Sample, Variable
from theory import parse_term


def test_kinds_follow_the_types():
    n = 6
    data = {
        "i": np.arange(n),
        "b": np.arange(n) % 2 == 0,
        "s": np.array(list("abcabc")),
        "f": np.linspace(0, 1, n),
        "v": np.random.default_rng(0).normal(size=(n, 3)),
        "im": np.random.default_rng(0).random((n, 1, 4, 4)),
        "flat": np.random.default_rng(0).random((n, 4, 4)),
        "bytes": np.random.default_rng(0).integers(256, size=(n, 4, 4)).astype(np.uint8),
        "t": torch.linspace(0, 1, n),
    }
    sample = as_sample(data, list(data))
    kinds = {name: v.kind for name, v in sample.variables.items()}
    assert {k for k, v in kinds.items() if v == "discrete"} == {"i", "b", "s"}
    assert {k for k, v in kinds.items() if v == "image"} == {"im", "flat", "bytes"}
    assert sample["bytes"].shape == (n, 1, 4, 4)
    assert float(sample["bytes"].max()) <= 1
    assert split_columns(sample, list(data))[1] == ["f", "v", "t"]


def test_a_vector_comes_back_from_a_table():
    z = np.random.default_rng(0).normal(size=(50, 12))
    sample = Sample({"Z": z}, {"Z": Variable("Z", "continuous")})
    again = as_sample(sample.to_pandas(), ["Z"])
    np.testing.assert_array_equal(again["Z"], z)


def test_a_vector_with_a_gap_is_unknown():
    table = pd.DataFrame({"Z_0": [0.0, 1.0], "Z_2": [0.0, 1.0]})
    with pytest.raises(ValueError, match="unknown variable 'Z': the data has Z_0, Z_2"):
        as_sample(table, ["Z"])


def test_a_bad_part_of_a_vector_is_named():
    table = pd.DataFrame({"Z_0": [0.0, 1.0], "Z_1": [np.nan, 1.0]})
    with pytest.raises(ValueError, match="column 'Z_1' has NaN"):
        as_sample(table, ["Z"])


def test_groups_travel_with_a_sample():
    base = ModularShift(n=4).sample(40, seed=0)
    grouped = Sample(
        {**base.columns, "G": np.arange(40) // 2}, {**base.variables, "G": Variable("G", "discrete", 20)}, "G"
    )
    assert as_sample(grouped, ["A"]).groups == "G"
    assert set(as_sample(grouped, ["A"])) == {"A", "G"}
    assert as_sample(base, ["A"], groups="C").groups == "C"


def test_constant_components_are_left_out_and_said():
    z = np.column_stack([np.arange(5.0), np.ones(5), np.arange(5.0) ** 2])
    sample = as_sample({"Z": z, "Y": np.arange(5.0), "W": np.full(5, 3.0)}, ["Z", "Y", "W"])
    slots = slots_of(sample, parse_term("I(Z;Y|W)"), estimator="ksg")
    assert slots.x.shape == (5, 2)
    assert slots.z is None
    assert slots.notes == (
        "1 of 3 components of Z are constant and were left out",
        "W is constant and was left out",
    )


SLOTS = {
    "an image": ("I(X;Y)", "ksg cannot take the image column 'X'"),
    "constants only": ("I(W;Y)", "every column of the slot W of .* is constant"),
    "an entropy": ("H(Y)", "two slots, got"),
    "three slots": ("I(W;Y;Z)", "two slots, got"),
}


@pytest.mark.parametrize(("term", "message"), SLOTS.values(), ids=SLOTS.keys())
def test_slots_that_distances_cannot_take(term, message):
    rng = np.random.default_rng(0)
    data = {
        "X": rng.random((9, 1, 2, 2)),
        "Y": rng.random(9),
        "W": np.ones(9),
        "Z": rng.random(9),
    }
    with pytest.raises(ValueError, match=message):
        slots_of(as_sample(data, list(data)), parse_term(term), estimator="ksg")


def test_a_ragged_list_is_named():
    with pytest.raises(ValueError, match="column 'Z' must be a rectangular array"):
        as_sample({"Z": [[1.0], [1.0, 2.0]]}, ["Z"])


def test_terms_pass_through_unchanged():
    assert str(check_expression(parse_term("I(A;C|X)"))) == "I(A;C|X)"
