"""Files and memory behave alike: the same columns, the same refusals, and nothing that nobody asked for."""

import copy
import datetime
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthetic import (
    DamagedFileError,
    ModularShift,
    Sample,
    Table,
    Variable,
    read_data,
    read_table,
    save_sample,
    write_dataset,
)

FLOATS = pa.float64()
ROWS = 12


def same(one, other):
    return one.names == other.names and all(
        one[v].dtype == other[v].dtype and np.array_equal(one[v], other[v]) for v in one.names
    )


@st.composite
def samples(draw):
    """Samples of labels, scalars and vectors, whose labels use every number up to the largest."""
    n = draw(st.integers(1, 6))
    numbers = st.floats(-1e300, 1e300, allow_nan=False)
    columns, variables = {}, {}
    for name in draw(st.lists(st.sampled_from(["A", "C", "Y", "Z", "long name"]), min_size=1, unique=True)):
        width = draw(st.integers(-1, 3))
        if width < 0:
            values = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
            columns[name] = np.unique(values, return_inverse=True)[1].astype(np.int64)
            variables[name] = Variable(name, "discrete", int(columns[name].max()) + 1)
        else:
            shape = (n,) if width == 0 else (n, width)
            flat = draw(st.lists(numbers, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
            columns[name] = np.array(flat, dtype=np.float64).reshape(shape)
            variables[name] = Variable(name, "continuous")
    return Sample(columns, variables)


def write(sample, path, kind):
    frame = sample.to_pandas()
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    elif kind == "lists":
        pd.DataFrame({name: list(column) for name, column in sample.columns.items()}).to_parquet(path)
    elif kind == "npz":
        np.savez(path, **sample.columns)
    elif kind == "tensors":
        safetensors.numpy.save_file(dict(sample.columns), path)
    else:
        save_sample(sample, path)
    return path


KINDS = {
    "csv": "t.csv",
    "parquet": "t.parquet",
    "lists": "l.parquet",
    "npz": "t.npz",
    "tensors": "t.safetensors",
    "own parquet": "o.parquet",
    "own safetensors": "o.safetensors",
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sample=samples())
def test_a_sample_comes_back_from_every_file_as_it_was(tmp_path, kind, sample):
    path = write(sample, tmp_path / KINDS[kind], kind)
    for back in (
        read_data(path, columns=sample.names),
        read_data(path).select(sample.names),
        Table.of(sample.to_pandas()).select(sample.names),
    ):
        assert same(back, sample)
        assert dict(back.variables) == dict(sample.variables)


def unusable(n=ROWS):
    """Columns that cannot be variables, whatever is wrong with them."""
    return {
        "when": pd.date_range("2024", periods=n),
        "score": [None, *[0.5] * (n - 1)],
        "note": ["", None, *["x"] * (n - 2)],
        "list": [[0.5] * (i % 3) for i in range(n)],
        "kind": pd.Categorical([None, *["a", "b"] * n][:n]),
        "price": [Decimal("0.1")] * n,
        "blob": [b"\xff"] * n,
        "nothing": [None] * n,
        "struct": [{"a": 1}] * n,
    }


def test_columns_that_nobody_names_do_no_harm_and_are_refused_when_they_are_named(tmp_path):
    a = np.arange(ROWS) % 2
    frame = pd.DataFrame({"A": a, **unusable()})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.drop(columns=["blob", "struct"]).to_csv(tmp_path / "t.csv", index=False)
    np.savez(tmp_path / "t.npz", A=a, note=np.array([None, 1]), scale=np.float64(3), other=np.ones(3))
    safetensors.torch.save_file(
        {"A": torch.tensor(a), "scale": torch.tensor(1.0), "other": torch.ones(3, dtype=torch.complex64)},
        tmp_path / "t.safetensors",
    )
    for path in sorted(tmp_path.iterdir()):
        table = read_data(path)
        assert isinstance(table, Table)
        assert table["A"].tolist() == a.tolist()
        assert "A" in repr(table)
        assert table.usable()["A"].tolist() == a.tolist() if path.suffix in (".csv", ".parquet") else True
        bad = set(table.names) - {"A"} - ({"when", "price", "list"} if path.suffix == ".csv" else set())
        for name in sorted(bad):
            if path.suffix == ".npz" and name == "other":
                continue  # fine by itself
            with pytest.raises(ValueError, match=name) as caught:
                table.select([name])
            assert path.name in str(caught.value)


def test_a_table_counts_its_rows_and_travels_as_the_sample_of_its_usable_columns(tmp_path):
    pd.DataFrame({"A": [0, 1, 1], "when": pd.date_range("2024", periods=3)}).to_parquet(
        tmp_path / "t.parquet"
    )
    table = read_data(tmp_path / "t.parquet")
    assert len(table) == 3
    assert repr(table) == "Table(3 rows: A, when)"
    for back in (pickle.loads(pickle.dumps(table)), copy.deepcopy(table)):
        assert same(back, Sample.infer({"A": [0, 1, 1]}))
    assert "A: other, discrete" in table._repr_html_()
    with pytest.raises(ValueError, match="unknown variable 'B': the data has A, when"):
        table.select(["B"])
    with pytest.raises(ValueError, match="'when' must hold"):
        table.to_pandas()
    with pytest.raises(ValueError, match="same length, got"):
        len(Table.of({"a": [0, 1], "b": [0, 1, 1]}))


def lists(values, width=None):
    return pa.array(values, type=pa.list_(FLOATS) if width is None else pa.list_(FLOATS, width))


PARQUET = {
    "no vector of fixed width": (
        lists([[1.0, 2.0], None, [3.0, 4.0]], 2),
        "1 missing values, the first in row 1",
    ),
    "no vector": (lists([[1.0, 2.0], None, [3.0, 4.0]]), "1 missing values, the first in row 1"),
    "nothing in a vector": (
        lists([[1.0, 2.0], [None, 1.0], [3.0, None]], 2),
        "2 missing values, the first in row 1",
    ),
    "nothing in a list": (lists([[1.0, 2.0], [None, 1.0]]), "1 missing values, the first in row 1"),
    "no list within": (pa.array([[[1.0]], [None]]), "1 missing values, the first in row 1"),
    "ragged": (lists([[1.0], [1.0, 2.0]]), "row 1 has 2 entries, row 0 has 1"),
    "NaN": (pa.array([1.0, np.nan]), "has NaN: 1 of 2 rows"),
    "NaN in a vector": (lists([[1.0, np.nan]], 2), "has NaN: 1 of 1 rows"),
    "no integer": (pa.array([1, None]), "1 missing values, the first in row 1"),
    "no truth": (pa.array([True, None]), "1 missing values, the first in row 1"),
    "no text": (pa.array(["a", None]), "1 missing values, the first in row 1"),
    "no category": (pa.array(["a", None]).dictionary_encode(), "1 missing values, the first in row 1"),
    "nulls": (pa.nulls(2), "2 missing values, the first in row 0"),
    "integers in lists": (pa.array([[1], [2]]), "vectors and images hold floats"),
    "text in lists": (pa.array([["a"], ["b"]]), "must hold rows of numbers"),
    "empty lists": (lists([[], []]), "at least one entry in each row"),
    "decimals": (pa.array([Decimal("0.5")]), "not data: Decimal"),
    "structs": (pa.array([{"a": 1}]), "not data: dict"),
    "dates": (pa.array([datetime.date(2024, 1, 1)]), "must hold integers"),
    "no rows": (pa.array([], type=FLOATS), "at least one row"),
}


@pytest.mark.parametrize(("column", "message"), PARQUET.values(), ids=PARQUET)
def test_bad_columns_of_parquet_are_refused_when_they_are_named(tmp_path, column, message):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"Z": column, "A": pa.array(range(len(column)), pa.int64())}), path)
    with pytest.raises(ValueError, match=f"'Z' .*{message}") as caught:
        read_data(path, columns=["Z"])
    assert "t.parquet" in str(caught.value)
    if len(column):
        assert read_data(path)["A"].tolist() == list(range(len(column)))


def test_rows_of_vectors_never_move_whatever_row_is_missing(tmp_path):
    rows = [[float(i), -float(i)] for i in range(50)]
    whole = pa.table({"Z": lists(rows, 2), "W": lists(rows)})
    pq.write_table(whole, tmp_path / "whole.parquet", row_group_size=7)
    found = read_data(tmp_path / "whole.parquet", columns=["Z", "W"])
    assert found["Z"].tolist() == found["W"].tolist() == rows
    for gone in (0, 7, 49):
        part = [None if i == gone else row for i, row in enumerate(rows)]
        pq.write_table(
            pa.table({"Z": lists(part, 2), "W": lists(rows)}), tmp_path / "t.parquet", row_group_size=7
        )
        with pytest.raises(ValueError, match=f"'Z' has 1 missing values, the first in row {gone}:"):
            read_data(tmp_path / "t.parquet").select(["W", "Z"])


CSV_REFUSED = {
    "a field more": ("A,C\n1,1,7\n0,0,7\n", "Expected 2 columns, got 3"),
    "a field more in one row": ("A,C\n1,1\n0,0,7\n", "Expected 2 columns, got 3"),
    "an empty field more": ("A,C\n1,1,\n0,0,\n", "Expected 2 columns, got 3"),
    "a field fewer": ("A,C\n1,1\n0\n", "Expected 2 columns, got 1"),
    "a header that repeats": ("A,C,A\n1,1,7\n", "its header has the name 'A' 2 times"),
    "a header that repeats another": ("A,C,C\n1,1,7\n", "its header has the name 'C' 2 times"),
    "a quote that does not end": ('A,C\n"1,1\n0,0\n', "is not a CSV table"),
    "another encoding": ("A\n\xe9\n", "is not a CSV table"),
    "semicolons": ("A;C\n1;2\n", "separated by semicolons, expected commas"),
    "semicolons and decimal commas": ("A;C\n1;2,5\n3;4,5\n", "separated by semicolons, expected commas"),
    "tabs": ("A\tC\n1\t2\n", "separated by tabs, expected commas"),
    "one column whose name has a semicolon": ("I(A;C)\n1\n2\n", "the data has I[(]A;C[)]"),
    "NA": ("A\nx\nNA\n", "1 missing values, the first in row 1"),
    "an empty cell": ("A,C\n1,2\n,3\n", "1 missing values, the first in row 1"),
    "a blank cell": ("A,C\n1,2\n  ,3\n", "1 missing values, the first in row 1"),
    "an empty line of one column": ("A\n1\n\n3\n", "1 missing values, the first in row 1"),
    "a mark among integers": ("A\n1\n?\n", "1 missing values, the first in row 1, which is '[?]'"),
    "a word among fractions": ("A\n0.5\nunknown\n", "mixes numbers and text: row 1 is 'unknown'"),
    "True among integers": ("A\n1\nTrue\n", "mixes numbers and text: row 1 is 'True'"),
    "commas for points": ('A,C\n"1,5",1\n"2",2\n', "numbers with commas, such as '1,5'"),
    "lists": ('A,C\n"[0.5, 1]",1\n"[1, 2]",2\n', "holds lists as text"),
    "lists of numpy": ("A\n[0.5 1.]\n[1. 2.]\n", "holds lists as text"),
    "infinity": ("A\n0.5\ninf\n", "has infinite values"),
    "too large": ("A\n0.5\n1e400\n", "has infinite values"),
    "an integer no float holds": ("A\n0.5\n9007199254740993\n", "has the integer 9007199254740993"),
    "no rows": ("A,C\n", "at least one row"),
}


@pytest.mark.parametrize(("text", "message"), CSV_REFUSED.values(), ids=CSV_REFUSED)
def test_csv_tables_that_do_not_fit_their_header_or_miss_values_are_refused(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode("latin1"))
    with pytest.raises(ValueError, match=message) as caught:
        read_data(path, columns=["A"])
    assert "t.csv" in str(caught.value)


CSV_READ = {
    "a mark before the text": ("\ufeffA,C\n1,2\n3,4\n", [1, 3]),
    "an index without a name": (",A\n0,1\n1,3\n", [1, 3]),
    "lines of Windows and an empty one": ("A,C\r\n1,2\r\n\r\n3,4\r\n", [1, 3]),
    "quotes with line breaks": ('A,C\n"x\ny",2\n"z,w",3\n', ["x\ny", "z,w"]),
    "leading zeros are names": ("A\n007\n7\n", ["007", "7"]),
    "both sides of int64": ("A\n9223372036854775808\n-1\n", [2**63, -1]),
    "beyond uint64": ("A\n99999999999999999999\n1\n", [99999999999999999999, 1]),
    "beyond float64": ("A\n9007199254740993\n9007199254740992\n", [2**53 + 1, 2**53]),
    "truth": ("A\nTrue\nfalse\n", [True, False]),
    "signs": ("A\n+\n-\n", ["+", "-"]),
    "names with numbers": ("A\n1\n10a\n", ["1", "10a"]),
    "numbers with blanks": ("A, C\n 1,2\n3 ,4\n", [1, 3]),
    "floats": ("A\n1e3\n0.1\n", [1000.0, 0.1]),
}


@pytest.mark.parametrize(("text", "values"), CSV_READ.values(), ids=CSV_READ)
def test_csv_entries_are_what_the_text_says(tmp_path, text, values):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    assert same(read_data(path, columns=["A"]), Sample.infer({"A": values}))
    assert same(read_data(path).select(["A"]), Sample.infer({"A": values}))


@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e8m0fnu]
)
def test_narrow_floats_are_widened_exactly(tmp_path, dtype):
    powers = torch.tensor([[0.5, 1.0], [2.0, 4.0], [0.25, 8.0]])
    columns = {"Z": powers.to(dtype), "A": torch.tensor([0, 1, 0]), "logit_scale": torch.tensor(4.6)}
    safetensors.torch.save_file(columns, tmp_path / "t.safetensors")
    for found in (read_data(tmp_path / "t.safetensors"), read_table(tmp_path / "t.safetensors")):
        assert found["Z"].dtype == np.float32
        assert found["Z"].tolist() == powers.tolist()
        assert found["A"].tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="'logit_scale' must have at least one row"):
        read_data(tmp_path / "t.safetensors", columns=["logit_scale"])


def test_every_bfloat16_is_read_as_torch_reads_it(tmp_path):
    bits = torch.arange(2**15, dtype=torch.int16)
    values = torch.cat([v := bits.view(torch.bfloat16), -v])
    values = values[torch.isfinite(values) & (values.abs() < 1e38)]
    safetensors.torch.save_file({"Z": values}, tmp_path / "t.safetensors")
    np.testing.assert_array_equal(read_data(tmp_path / "t.safetensors")["Z"], values.float().numpy())


def test_types_that_no_float_holds_are_named(tmp_path):
    header = b'{"Z":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}'
    (tmp_path / "t.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(
        DamagedFileError, match=r"t\.safetensors holds 'Z' as F4, which is not read: expected F64"
    ):
        read_data(tmp_path / "t.safetensors", columns=["Z"])
    safetensors.torch.save_file({"Z": torch.tensor([1.0, np.nan]).bfloat16()}, tmp_path / "t.safetensors")
    with pytest.raises(ValueError, match=r"t\.safetensors': column 'Z' has NaN: 1 of 2 rows"):
        read_data(tmp_path / "t.safetensors", columns=["Z"])


def test_parquet_tables_that_repeat_a_name_are_refused(tmp_path):
    columns = [pa.array([0, 1]), pa.array([1, 0]), pa.array([1, 1])]
    pq.write_table(pa.Table.from_arrays(columns, names=["A", "B", "B"]), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"t\.parquet': it has 2 columns 'B'"):
        read_data(tmp_path / "t.parquet", columns=["A"])


def test_names_with_points_are_no_paths(tmp_path):
    table = pa.table({"a.b": [1, 2], "a": [{"b": 3}, {"b": 4}]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert read_data(tmp_path / "t.parquet")["a.b"].tolist() == [1, 2]


def test_tensors_of_arrow_and_lists_of_lists_are_images(tmp_path):
    images = np.random.default_rng(0).random((3, 4, 5))
    tensor = pa.FixedShapeTensorArray.from_numpy_ndarray(images)
    pq.write_table(pa.table({"X": tensor, "Y": pa.array(images.tolist())}), tmp_path / "t.parquet")
    found = read_data(tmp_path / "t.parquet", columns=["X", "Y"])
    assert {v.kind for v in found.variables.values()} == {"image"}
    assert np.array_equal(found["X"], images[:, None])
    assert np.array_equal(found["Y"], images[:, None])


@pytest.mark.parametrize("suffix", [".parquet", ".safetensors", ""])
def test_some_columns_of_what_we_wrote_bring_their_groups(tmp_path, suffix):
    base = ModularShift(n=4).sample(20, seed=0)
    group = np.arange(20) // 2
    sample = Sample(
        {**base.columns, "G": group, "Z": np.outer(group, [0.5, 1.5])},
        {**base.variables, "G": Variable("G", "discrete", 10), "Z": Variable("Z", "continuous")},
        groups="G",
    )
    if suffix:
        path = save_sample(sample, tmp_path / f"t{suffix}")
        found = read_data(path, columns=["Z", "A"])
        assert (found.names, found.groups) == (("Z", "A", "G"), "G")
        assert dict(found.variables) == {v: sample.variables[v] for v in found.names}
    else:
        path = write_dataset(ModularShift(n=4), samples=20, seed=0, out=tmp_path / "d", shards=3)
        found = read_data(path, columns=["A"])
        assert found.names == ("A",)
        assert np.array_equal(found["A"], read_data(path)["A"])
    with pytest.raises(ValueError, match="unknown variable 'Q'"):
        read_data(path, columns=["Q"])


COLLISIONS = {
    "a scalar that is a part": ({"Z": (3, 2), "Z_0": (3,)}, "Z_0"),
    "a scalar that would be a part": ({"Z": (3, 2), "Z_2": (3,)}, "Z_2"),
    "a padded part": ({"Z": (3, 2), "Z_02": (3,)}, "Z_02"),
    "a vector called as a part": ({"Z": (3, 2), "Z_1": (3, 2)}, "Z_1"),
    "a vector called as a part, before": ({"Z_1": (3, 2), "Z": (3, 2)}, "Z_1"),
}


@pytest.mark.parametrize(("shapes", "name"), COLLISIONS.values(), ids=COLLISIONS)
def test_tables_in_which_names_would_collide_are_refused(shapes, name):
    variables = {v: Variable(v, "continuous") for v in shapes}
    sample = Sample({v: np.ones(shape) for v, shape in shapes.items()}, variables)
    with pytest.raises(ValueError, match=f"'{name}'"):
        sample.to_pandas()


def test_tables_whose_names_only_look_alike_are_made():
    shapes = {"Z": (3, 2), "Z_x": (3,), "Z_1_0": (3,), "Y": (3,), "Y_0": (3,)}
    sample = Sample(
        {v: np.random.default_rng(0).random(shape) for v, shape in shapes.items()},
        {v: Variable(v, "continuous") for v in shapes},
    )
    assert same(Table.of(sample.to_pandas()).select(sample.names), sample)
