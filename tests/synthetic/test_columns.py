"""Columns of any library come in with their numbers unchanged, or are refused by name."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from synthetic import Sample, Table
from synthetic.columns import as_array

NAN = float("nan")
LISTS = pd.ArrowDtype(pa.list_(pa.float64()))

MISSING = {
    "NaN among strings": ["x", NAN, "y"],
    "None among strings": ["x", None, "y"],
    "NA among strings": ["x", pd.NA, "y"],
    "NaT among integers": [1, pd.NaT, 2],
    "None among integers": [1, None, 2],
    "None among floats": [1.5, None, 2.5],
    "None among booleans": [True, None, False],
    "a masked value in a list": [1, np.ma.masked, 2],
    "a decimal that is none": [Decimal(1), Decimal("nan"), Decimal(2)],
    "an object array": np.array([1, None, 2], dtype=object),
    "no list": [[1.0], None, [2.0]],
    "nothing in a list": [[1.0, 2.0], [1.0, None], [2.0, 0.5]],
    "a text array with None": np.array(["a", None, "b"], dtype=np.dtypes.StringDType(na_object=None)),
    "nullable integers": pd.array([1, None, 2], dtype="Int64"),
    "nullable floats": pd.array([1.5, None, 2], dtype="Float64"),
    "nullable booleans": pd.array([True, None, False], dtype="boolean"),
    "nullable text": pd.array(["a", None, "b"], dtype="string"),
    "integers of Arrow": pd.array([1, None, 2], dtype="int64[pyarrow]"),
    "lists of Arrow": pd.array([[1.0], None, [2.0]], dtype=LISTS),
    "categories": pd.Categorical(["a", None, "b"]),
    "a Series of floats": pd.Series([0.5, NAN, 1.5]),
    "a Series of objects": pd.Series(["a", NAN, "b"], dtype=object),
    "a table as a vector": pd.DataFrame({"a": [1.0, None, 2.0], "b": [3.0, 4.0, 5.0]}),
    "an Arrow array": pa.array(["a", None, "b"]),
}


@pytest.mark.parametrize("column", MISSING.values(), ids=MISSING)
def test_missing_values_are_refused_by_row_and_never_become_a_state(column):
    with pytest.raises(ValueError, match=r"column 'A' has (NaN: )?1 missing values, the first in row 1"):
        Sample.infer({"A": column})


MASKED = {
    "numbers": (np.ma.array([1, 2, 3], mask=[0, 1, 0]), "'A' is masked in 1 of 3 rows, the first is row 1"),
    "a vector": (np.ma.array(np.ones((3, 2)), mask=[[0, 0], [0, 1], [1, 1]]), "'A' is masked in 2 of 3 rows"),
    "a row of a list": (
        [np.ma.array([1.0, 2.0], mask=[0, 1]), np.ones(2)],
        "'A' must have no masked entries",
    ),
}


@pytest.mark.parametrize(("column", "message"), MASKED.values(), ids=MASKED)
def test_masked_entries_are_refused(column, message):
    with pytest.raises(ValueError, match=message):
        Sample.infer({"A": column})


MIXED = {
    "True is not 1": [True, 2, 0],
    "True is not 1.0": [True, 0.5],
    "True in a vector": [[True, 0.5], [0.0, 1.0]],
    "text and numbers": [1, "1"],
    "complex": [1j, 2.0],
    "decimals": [Decimal("0.5"), Decimal(1)],
    "fractions": [Fraction(1, 2), Fraction(1)],
    "dates": [datetime.date(2024, 1, 1)] * 2,
    "times of numpy": [np.datetime64("2024-01-01")] * 2,
    "bytes": [b"a", b"b"],
    "sets": [{1}, {2}],
    "times with a zone": pd.date_range("2024", periods=2, tz="UTC"),
    "intervals": pd.interval_range(0, 2),
}


@pytest.mark.parametrize("column", MIXED.values(), ids=MIXED)
def test_mixed_types_and_what_is_no_data_are_refused(column):
    with pytest.raises(ValueError, match=r"column 'A' mixes or holds types that are not data"):
        Sample.infer({"A": column})


NO_VECTORS = {
    "ragged": ([[1.0], [1.0, 2.0]], r"row 1 has shape \(2,\), row 0 has \(1,\)"),
    "a number among lists": ([[1.0], 2.0], "row 1 is the value 2.0, row 0 is a list"),
    "ragged within": ([[[0.0, 1.0], [1.0]]] * 2, "must be a rectangular array"),
    "empty lists": ([[], []], r"at least one entry in each row, got shape \(2, 0\)"),
    "text": ([["a"], ["b"]], "must hold rows of numbers"),
    "integers": ([[1, 2], [3, 4]], "vectors and images hold floats"),
    "NaN within": ([[1.0, NAN], [1.0, 2.0]], "has NaN: 1 of 2 rows are not finite, the first is row 0"),
    "a number": (3, "at least one row, got a single int"),
    "text for a column": ("abc", "at least one row, got a single str"),
}


@pytest.mark.parametrize(("column", "message"), NO_VECTORS.values(), ids=NO_VECTORS)
def test_lists_that_are_no_vectors_are_refused(column, message):
    with pytest.raises(ValueError, match=f"column 'A' .*{message}"):
        Sample.infer({"A": column})


VECTORS = {
    "lists": [[0.5, 1.0], [2.0, 3.5]],
    "tuples": [(0.5, 1.0), (2.0, 3.5)],
    "integers and floats": [[0.5, 1], [2, 3.5]],
    "arrays": [np.array([0.5, 1.0]), np.array([2.0, 3.5])],
    "tensors": [torch.tensor([0.5, 1.0]), torch.tensor([2.0, 3.5])],
    "a Series of lists": pd.Series([[0.5, 1.0], [2.0, 3.5]]),
    "lists of Arrow": pd.array([[0.5, 1.0], [2.0, 3.5]], dtype=LISTS),
    "a table": pd.DataFrame({"a": [0.5, 2.0], "b": [1.0, 3.5]}),
    "bfloat16": torch.tensor([[0.5, 1.0], [2.0, 3.5]]).bfloat16(),
    "float8": torch.tensor([[0.5, 1.0], [2.0, 3.5]]).to(torch.float8_e4m3fn),
    "a mask that hides nothing": np.ma.array([[0.5, 1.0], [2.0, 3.5]], mask=False),
    "the other order of bytes": np.array([[0.5, 1.0], [2.0, 3.5]], dtype=">f8"),
}


@pytest.mark.parametrize("column", VECTORS.values(), ids=VECTORS)
def test_lists_of_floats_are_vectors(column):
    sample = Sample.infer({"Z": column})
    assert sample.variables["Z"].kind == "continuous"
    assert sample["Z"].tolist() == [[0.5, 1.0], [2.0, 3.5]]


@pytest.mark.parametrize(
    "values",
    [
        [2**63, -1, 2**63 + 1, -1],
        [2**64 - 1, 0, 2**64 - 2, 0],
        [2**70, -(2**70), 2**70 + 1, -(2**70)],
        [2**53 + 1, 2**53, 2**53 + 2, 2**53],
        [np.uint64(2**63), np.int64(-1), np.uint64(2**63 + 1), np.int64(-1)],
    ],
    ids=["both sides of int64", "uint64", "beyond uint64", "beyond float64", "numpy's own"],
)
def test_integers_of_any_size_stay_different(values):
    sample = Sample.infer({"A": values})
    low = min(values)
    assert sample["A"].tolist() == [sorted(set(map(int, values))).index(int(v)) for v in values]
    assert sample.metadata["levels"]["A"] == sorted(set(map(int, values)))
    assert sample["A"][1] == sample["A"][3] == [*sorted(set(map(int, values)))].index(int(low))


def test_integers_among_fractions_are_kept_exactly_or_refused():
    assert Sample.infer({"Z": [0, 2**60, 0.5]})["Z"].tolist() == [0.0, 2.0**60, 0.5]
    for column in ([0.5, 2**53 + 1], [[0.5, 2**53 + 1]] * 2):
        with pytest.raises(ValueError, match="'Z' of numbers has the integer 9007199254740993"):
            Sample.infer({"Z": column})


def test_types_of_floats_stay_and_whole_floats_are_no_labels():
    for kind in (np.float16, np.float32, np.float64):
        assert as_array("Z", np.ones(3, kind)).dtype == kind
        assert as_array("Z", [kind(0.5), kind(1)]).dtype == kind
    assert Sample.infer({"Z": [0.0, 1.0]}).variables["Z"].kind == "continuous"
    assert Sample.infer({"Z": ["1", "2"]}).variables["Z"].kind == "discrete"


def test_bytes_are_images_whose_channels_are_found():
    bytes_ = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    for column in (bytes_, np.moveaxis(bytes_, 3, 1)):
        found = Sample.infer({"X": column})
        assert found.variables["X"].kind == "image"
        np.testing.assert_array_equal(
            found["X"], np.moveaxis(bytes_, 3, 1).astype(np.float32) / np.float32(255)
        )


PARTS = {
    "a gap": (
        ["Z_0", "Z_2"],
        "unknown variable 'Z': the data has Z_0, Z_2; for the vector 'Z', Z_1 is missing",
    ),
    "from one": (["Z_1", "Z_2"], "for the vector 'Z', Z_0 is missing"),
    "a number twice": (["Z_0", "Z_00", "Z_1"], "for the vector 'Z', Z_0 comes twice"),
    "none": (["Y_0", "z_0"], "unknown variable 'Z': the data has Y_0, z_0"),
}


@pytest.mark.parametrize(("names", "message"), PARTS.values(), ids=PARTS)
def test_parts_that_are_no_vector(names, message):
    columns = {name: [0.5, 1.5] for name in names}
    for data in (Table.of(columns), Table.of(pd.DataFrame(columns)), Sample.infer(columns)):
        with pytest.raises(ValueError, match=message):
            data.select(["Z"])


def test_parts_form_a_vector_in_the_order_of_their_numbers_whatever_that_of_the_columns():
    columns = {f"Z_{k}": [k + 0.5, k - 0.5] for k in (10, 2, 0, 1, 3, 4, 5, 6, 7, 8, 9)}
    for data in (Table.of(columns), Sample.infer(columns)):
        assert data["Z"][0].tolist() == [k + 0.5 for k in range(11)]
    alone = Table.of({"Z_0": [0.5, 1.5]})
    assert alone["Z"].shape == (2, 1)
    assert alone["Z_0"].shape == (2,)
    both = Table.of({"Z": ["a", "b"], "Z_0": [0.5, 1.5]})
    assert both.select(["Z"]).variables["Z"].kind == "discrete"


def test_parts_with_levels_are_taken_by_their_values():
    sample = Sample.infer({"Z_0": [7, 70_000, 7], "Z_1": [0.5, 1.5, 2.5]})
    assert sample["Z_0"].tolist() == [0, 1, 0]
    assert sample["Z"].tolist() == [[7, 0.5], [70_000, 1.5], [7, 2.5]]


BAD_PARTS = {
    "text": ([0.5, 1.5], ["a", "b"], "'Z_1', a part of the vector 'Z', must be numeric"),
    "vectors": ([0.5, 1.5], [[0.5], [1.5]], "'Z_1', a part of the vector 'Z', must be numeric"),
    "missing": ([0.5, 1.5], [1.0, None], "'Z_1' has 1 missing values"),
    "large integers": ([0.5, 1.5], [2**53 + 1, 0], "'Z_1' of numbers has the integer"),
    "other lengths": ([0.5, 1.5], [0.5], "same length"),
}


@pytest.mark.parametrize(("first", "second", "message"), BAD_PARTS.values(), ids=BAD_PARTS)
def test_bad_parts_are_named(first, second, message):
    with pytest.raises(ValueError, match=message):
        Table.of({"Z_0": first, "Z_1": second}).select(["Z"])


def test_a_name_twice_is_refused_when_it_is_named():
    frame = pd.DataFrame([[0, 1, 2], [1, 0, 2]], columns=["A", "A", "C"])
    assert Table.of(frame).select(["C"]).names == ("C",)
    with pytest.raises(ValueError, match="column names must differ, got 'A' twice"):
        Table.of(frame).select(["A"])
    with pytest.raises(ValueError, match="column names must differ, got '1' twice"):
        Table.of({1: [0, 1], "1": [1, 0]}).select(["1"])
