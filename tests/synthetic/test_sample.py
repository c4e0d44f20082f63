import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from synthetic import ModularShift, Sample, Variable

C = Variable("C", "discrete", 3, "class")
X = Variable("X", "continuous", None, "input")
IMAGE = Variable("I", "image", None, "input")


def small(n=6):
    rng = np.random.default_rng(0)
    return Sample(
        {
            "C": np.arange(n) % 3,
            "X": rng.normal(size=(n, 2)),
            "I": rng.random((n, 3, 4, 4), dtype=np.float32),
        },
        {"C": C, "X": X, "I": IMAGE},
        groups="C",
        metadata={"seed": 0},
    )


def test_rows_select_and_with_column_keep_what_they_should():
    sample = small()
    assert len(sample.rows(slice(0, 2))) == 2
    assert sample.rows(sample["C"] == 1)["C"].tolist() == [1, 1]
    assert sample.select(["X"]).groups is None
    assert sample.select(["X", "C"]).names == ("X", "C")
    assert sample.select(["C"]).groups == "C"
    replaced = sample.with_column(Variable("C", "discrete", 9), sample["C"] + 6)
    assert replaced["C"].max() == 8
    assert replaced.variables["C"].cardinality == 9


def test_concatenate_joins_rows_and_refuses_other_variables():
    sample = small()
    both = Sample.concatenate([sample, sample.rows(slice(0, 2))])
    assert len(both) == 8
    assert np.array_equal(both["X"][6:], sample["X"][:2])
    with pytest.raises(ValueError, match="same variables"):
        Sample.concatenate([sample, sample.select(["C"])])
    with pytest.raises(ValueError, match="at least one sample"):
        Sample.concatenate([])


def test_to_pandas_names_the_coordinates():
    frame = small().select(["C", "X"]).to_pandas()
    assert list(frame) == ["C", "X_0", "X_1"]
    assert len(frame) == 6


def test_tensors_have_the_types_asked_for():
    tensors = small().tensors()
    assert tensors["C"].dtype == torch.int64
    assert tensors["X"].dtype == torch.float32
    assert small().tensors(dtype=torch.float64)["X"].dtype == torch.float64
    assert np.array_equal(tensors["I"].numpy(), small()["I"])


def test_tensors_of_read_only_columns_are_copies():
    sample = small()
    sample["C"].flags.writeable = False
    tensor = sample.tensors()["C"]
    tensor[0] = 2
    assert sample["C"][0] == 0


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than cores
@pytest.mark.parametrize("workers", [0, 2])
def test_as_dataset_serves_each_row_once(workers):
    sample = ModularShift(n=7).sample(101, seed=0)
    loader = DataLoader(sample.as_dataset(), batch_size=16, num_workers=workers)
    seen = torch.cat([batch["X"] for batch in loader])
    assert seen.tolist() == sample["X"].tolist()
    with pytest.raises(IndexError, match="row 101 does not exist"):
        sample.as_dataset()[101]


def test_samples_travel_to_other_processes():
    sample = small()
    for back in (pickle.loads(pickle.dumps(sample)), copy.deepcopy(sample)):
        assert all(np.array_equal(back[v], sample[v]) for v in sample.names)
        assert dict(back.variables) == dict(sample.variables)
        assert (back.groups, dict(back.metadata)) == ("C", {"seed": 0})
        with pytest.raises(TypeError, match="mappingproxy"):
            back.columns["C"] = np.zeros(6)


def test_html_shows_the_head_and_the_images():
    text = small()._repr_html_()
    assert "6 rows" in text
    assert "<table" in text
    assert "data:image/png;base64," in text
    nasty = Sample({"<b>": np.zeros(2, dtype=int)}, {"<b>": Variable("<b>", "discrete", 1)})
    assert "<b>" not in nasty._repr_html_()
    gray = small().select(["I"])
    assert "png" in Sample({"I": gray["I"][:, :1]}, {"I": IMAGE})._repr_html_()


@pytest.mark.parametrize(
    "column",
    [
        np.array([9_000, -4, 9_000, 17] * 2_000),
        np.array([-128, 127, 0], dtype=np.int8),
        np.array([2**64 - 1, 2**64 - 5, 2**64 - 1, 0], dtype=np.uint64),
        np.array([2**64 - 1, 2**64 - 5] * 10, dtype=np.uint64),
        np.array([-(2**63), 2**63 - 1, -(2**63)]),
        np.array(["b", "", "Z", "b", "\u00e4", "nan"]),
        np.array(["b", "a", "b"], dtype=object),
    ],
    ids=["wide", "int8", "uint64", "high uint64", "int64", "text", "objects"],
)
def test_infer_numbers_labels_in_their_order(column):
    sample = Sample.infer({"a": column})
    states, codes = np.unique(column, return_inverse=True)
    assert np.array_equal(sample["a"], codes)
    assert sample.variables["a"].cardinality == len(states)


def test_infer_reads_kinds_from_types():
    frame = pd.DataFrame(
        {
            "small": [0, 2, 1, 2],
            "far": [10, 70_000, 10, -3],
            "flag": [True, False, True, True],
            "text": ["b", "a", "b", "c"],
            "category": pd.Categorical(["u", "v", "u", "u"], categories=["v", "u", "w"]),
            "value": [0.5, 1.5, 2.5, 3.5],
        }
    )
    sample = Sample.infer(frame)
    kinds = {name: (v.kind, v.cardinality) for name, v in sample.variables.items()}
    assert kinds == {
        "small": ("discrete", 3),
        "far": ("discrete", 3),
        "flag": ("discrete", 2),
        "text": ("discrete", 3),
        "category": ("discrete", 3),
        "value": ("continuous", None),
    }
    assert sample["small"].tolist() == [0, 2, 1, 2]
    assert sample["far"].tolist() == [1, 2, 1, 0]
    assert sample["text"].tolist() == [1, 0, 1, 2]
    assert sample["category"].tolist() == [1, 0, 1, 1]
    assert sample.metadata["levels"]["far"] == [-3, 10, 70_000]
    assert sample.metadata["levels"]["text"] == ["a", "b", "c"]
    arrays = Sample.infer({"v": np.zeros((4, 2)), "i": np.zeros((4, 1, 2, 2), np.float32)})
    assert [v.kind for v in arrays.variables.values()] == ["continuous", "image"]


BAD = {
    "undescribed": (lambda: Sample({"C": [0]}, {}), "must agree"),
    "no column": (lambda: Sample({}, {}), "at least one column"),
    "other length": (lambda: Sample({"C": [0], "X": [0.0, 1.0]}, {"C": C, "X": X}), "same length"),
    "scalar": (lambda: Sample({"X": np.float64(1)}, {"X": X}), "one entry per row"),
    "other name": (lambda: Sample({"D": [0]}, {"D": C}), "described as 'C'"),
    "empty": (lambda: Sample({"X": np.zeros(0)}, {"X": X}), "'X' is empty"),
    "NaN": (lambda: Sample({"X": [np.nan]}, {"X": X}), "NaN or infinities"),
    "floats for states": (lambda: Sample({"C": [0.0]}, {"C": C}), "needs integers"),
    "state out of range": (lambda: Sample({"C": [3]}, {"C": C}), r"stay in 0\.\.2"),
    "integers for numbers": (lambda: Sample({"X": [1]}, {"X": X}), "needs floats"),
    "flat image": (lambda: Sample({"I": np.zeros((2, 4, 4))}, {"I": IMAGE}), "channels, height, width"),
    "groups unknown": (lambda: Sample({"C": [0]}, {"C": C}, groups="G"), "unknown column 'G'"),
    "no cardinality": (lambda: Variable("C", "discrete"), "cardinality of at least 1"),
    "cardinality of floats": (lambda: Variable("X", "continuous", 3), "no cardinality"),
    "no rows chosen": (lambda: small().rows(small()["C"] > 5), "at least one row"),
    "one row by number": (lambda: small().rows(3), "at least one row"),
    "nothing selected": (lambda: small().select([]), "at least one variable"),
    "column of another length": (
        lambda: small().with_column(C, np.zeros(5, dtype=int)),
        "must have 6 rows, got 5",
    ),
    "column that is no state": (lambda: small().with_column(C, np.full(6, 3)), r"stay in 0\.\.2"),
    "infinity far down": (
        lambda: Sample({"X": np.r_[np.zeros(2**21), np.inf]}, {"X": X}),
        "NaN or infinities",
    ),
    "unknown column": (lambda: small()["Q"], "unknown variable 'Q'"),
    "missing values": (
        lambda: Sample.infer(pd.DataFrame({"a": [1.0, None]})),
        "1 missing values, the first in row 1",
    ),
    "missing text": (lambda: Sample.infer(pd.DataFrame({"a": ["x", None]})), "missing values"),
    "mixed types": (lambda: Sample.infer({"a": np.array(["x", 1], dtype=object)}), "str"),
    "objects": (lambda: Sample.infer({"a": np.array([{}, {}], dtype=object)}), "not data: dict"),
    "complex": (lambda: Sample.infer({"a": np.ones(2) * 1j}), "complex128"),
    "vector of integers": (
        lambda: Sample.infer({"a": np.ones((2, 2), dtype=int)}),
        "vectors and images hold floats",
    ),
    "no columns": (lambda: Sample.infer({}), "at least one column"),
    "no rows": (lambda: Sample.infer({"a": []}), "at least one row"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_samples_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
