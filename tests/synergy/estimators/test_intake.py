from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save_file

from synergy import estimate, independence_test
from synergy.estimators.intake import as_sample, check_expression, slots_of, split_columns
from synergy.ranking import rank
from synergy.verification import Settings, verify
from synthetic import ModularShift, Sample, Variable, read_data
from theory import parse_term, prove


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
    with pytest.raises(TypeError, match=r"groups must be the name of one column, or None, got \['C'\]"):
        as_sample(base, ["A"], groups=["C"])


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


REFUSED = {
    "masked numbers": (
        lambda: {"X": np.ma.masked_greater(np.arange(5.0), 2)},
        ValueError,
        "'X' is masked in 2 of 5 rows, the first is row 3",
    ),
    "masked labels": (
        lambda: {"X": np.ma.masked_equal([0, 1, 1], 0)},
        ValueError,
        "'X' is masked in 1 of 3 rows, the first is row 0",
    ),
    "series of other rows": (
        lambda: {"W": pd.Series([0, 1, 2]), "X": pd.Series([0, 1, 2], index=[2, 1, 0])},
        ValueError,
        "rows of 'W' and 'X' have different labels",
    ),
    "a sparse tensor": (
        lambda: {"X": torch.ones(3).to_sparse()},
        TypeError,
        "'X' must be a dense tensor",
    ),
    "a span beyond float64": (
        lambda: {"X": np.array([-1.5e308, 1.5e308, 0.0])},
        ValueError,
        "'X' goes from -1.5e.308 to 1.5e.308, which overflows",
    ),
    "no column": (lambda: pd.DataFrame(), ValueError, "the data has no columns"),
    "times": (
        lambda: pd.DataFrame({"X": pd.to_timedelta([1, 2, 3], unit="s")}),
        ValueError,
        "'X' must hold integers, booleans, strings or floats",
    ),
    "numbers as objects": (
        lambda: {"X": np.array([1, "b", 2.0], dtype=object)},
        ValueError,
        "'X' mixes or holds types",
    ),
}


@pytest.mark.parametrize(("data", "error", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_be_a_silent_number_is_refused(data, error, message):
    found = data()
    with pytest.raises(error, match=message):
        as_sample(found, list(found) or ["X"])


def test_series_of_the_same_rows_and_masks_that_hide_nothing_are_taken():
    rows = [4, 2, 7]
    sample = as_sample(
        {
            "W": pd.Series([0, 1, 2], index=rows),
            "X": pd.Series([0.5, 1.5, 2.5], index=rows),
            "Y": np.ma.masked_array([1.0, 2.0, 3.0], mask=False),
            "Z": torch.tensor([1.0, 2.0, 3.0], requires_grad=True).bfloat16(),
        },
        ["W", "X", "Y", "Z"],
    )
    assert [v.kind for v in sample.variables.values()] == ["discrete", *["continuous"] * 3]
    np.testing.assert_array_equal(sample["Z"].ravel(), [1.0, 2.0, 3.0])


def test_terms_pass_through_unchanged():
    assert str(check_expression(parse_term("I(A;C|X)"))) == "I(A;C|X)"


TERMS = ("I(A;C)", "I(A;Z|C)", "I(Z;Y)")


@pytest.fixture(scope="module")
def columns():
    rng = np.random.default_rng(0)
    a, c = rng.integers(3, size=120), rng.integers(2, size=120)
    z = rng.normal(size=(120, 2)) + a[:, None]
    return {"A": a, "C": c, "Y": z[:, 0] + rng.normal(size=120), "Z": z}


@pytest.fixture(scope="module")
def known(columns):
    return {term: estimate(columns, term) for term in TERMS}


@pytest.fixture(scope="module")
def frame(columns):
    z = columns["Z"]
    parts = {name: column for name, column in columns.items() if name != "Z"}
    return pd.DataFrame({**parts, "Z_0": z[:, 0], "Z_1": z[:, 1]})


@pytest.fixture(scope="module")
def with_lists(columns):
    return pd.DataFrame({**columns, "Z": list(columns["Z"])})


def same(found, known):
    return (found.value, found.interval) == (known.value, known.interval)


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz", "safetensors", "lists"])
def test_files_and_memory_give_the_same_estimates(tmp_path, kind, columns, frame, with_lists, known):
    path = tmp_path / f"t.{'parquet' if kind == 'lists' else kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "npz":
        np.savez(path, **columns)
    elif kind == "safetensors":
        save_file(columns, path)
    else:
        (frame if kind == "parquet" else with_lists).to_parquet(path)
    data = read_data(path)
    for term in TERMS:
        assert same(estimate(path, term), known[term])
        assert same(estimate(data, term), known[term])
    assert same(estimate(str(path), "I(A;C)"), known["I(A;C)"])
    told = independence_test(columns, "A _||_ C", seed=1)
    assert independence_test(path, "A _||_ C", seed=1).p_value == told.p_value


@pytest.mark.parametrize("term", TERMS)
def test_frames_and_columns_give_the_same_estimates(term, frame, with_lists, known):
    assert same(estimate(frame, term), known[term])
    assert same(estimate(with_lists, term), known[term])


def test_what_is_no_data_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere\.csv"):
        estimate(tmp_path / "nowhere.csv", "I(A;C)")
    with pytest.raises(TypeError, match="or a path, got list"):
        estimate([1, 2], "I(A;C)")


SEEDS = {
    "negative": (-1, ValueError, "seed must be at least 0, got -1"),
    "fractional": (0.5, TypeError, "seed must be an integer, got 0.5"),
    "text": ("0", TypeError, "seed must be an integer, got '0'"),
}


@pytest.mark.parametrize(("seed", "error", "message"), SEEDS.values(), ids=SEEDS)
def test_seeds_are_refused_in_our_words_at_every_front(seed, error, message):
    data = {"A": [0, 1] * 10, "C": [0, 1] * 10}
    calls = (
        lambda: estimate(data, "I(A;C)", seed=seed),
        lambda: independence_test(data, "A _||_ C", seed=seed),
        lambda: verify(["E1"], settings=Settings(seed=seed)),
        lambda: rank(np.zeros((4, 8, 8)), [0, 1] * 2, seed=seed),
        lambda: prove("H(A) >= 0", seed=seed),
        lambda: ModularShift().sample(3, seed=seed),
    )
    for call in calls:
        with pytest.raises(error, match=message):
            call()


COUNTS = {
    "permutations": lambda n: independence_test({"A": [0, 1], "C": [0, 1]}, "A _||_ C", permutations=n),
    "folds": lambda n: estimate(
        {"A": [0, 1] * 9, "C": [0, 1] * 9}, "I(A;C)", estimator="classifier", folds=n
    ),
    "seeds": lambda n: rank(np.zeros((4, 8, 8)), [0, 1] * 2, seeds=n),
    "table_rows": lambda n: Settings(table_rows=n),
    "n": lambda n: ModularShift().sample(n, seed=0),
    "samples": lambda n: ModularShift().as_dataset(seed=0, samples=n),
    "max_columns": lambda n: prove("H(A) >= 0", max_columns=n),
}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("number", [2.5, "3", None, True], ids=["fraction", "text", "nothing", "truth"])
def test_counts_are_integers_at_every_front(name, number):
    if name == "samples" and number is None:
        assert COUNTS[name](number).batches.samples is None  # no end
        return
    with pytest.raises(TypeError, match=f"{name} must be an integer, got"):
        COUNTS[name](number)
