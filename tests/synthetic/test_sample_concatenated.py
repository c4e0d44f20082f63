"""Rows of several samples, and columns that neither torch nor Arrow takes as they are."""

import math
import re

import numpy as np
import pandas as pd
import pytest
import torch

from synthetic import ModularShift, Sample, Table, Variable, read_data, save_sample


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["x", "y", "y"], ["y", "z", "z"]),
        (["x", "y"], ["z"]),
        ([-5, 70_000, -5], [9_000, -5, 70_000]),
        ([True, False], [False, False]),
    ],
    ids=["overlapping", "disjoint", "integers", "truth"],
)
def test_labels_are_numbered_as_one_table_numbers_them(first, second):
    for make in (Sample.infer, lambda c: Table.of(pd.DataFrame(c))):
        both = Sample.concatenate([make({"A": first}), make({"A": second})])
        whole = Sample.infer({"A": [*first, *second]})
        assert both["A"].tolist() == whole["A"].tolist()
        assert dict(both.variables) == dict(whole.variables)
        assert dict(both.metadata) == dict(whole.metadata)


def test_what_one_label_fixes_it_fixes_after_concatenation():
    parts = [
        Sample.infer({"A": ["x", "y"] * 50, "B": [0, 1] * 50}),
        Sample.infer({"A": ["y", "z"] * 50, "B": [1, 0] * 50}),
    ]
    both = Sample.concatenate(parts)
    table = np.zeros((3, 2))
    np.add.at(table, (both["A"], both["B"]), 1 / len(both))
    known = table[table > 0]
    assert -(known * np.log(known / table.sum(axis=1).repeat((table > 0).sum(axis=1)))).sum() == 0
    assert math.isclose(table.sum(axis=0)[0], 0.5)


def test_categories_keep_their_order():
    part = Sample.infer(pd.DataFrame({"A": pd.Categorical(["low", "high"], categories=["low", "high"])}))
    both = Sample.concatenate([part, Sample.infer({"A": ["low", "mid"]})])
    assert both.metadata["levels"]["A"] == ["low", "high", "mid"]
    assert both["A"].tolist() == [0, 1, 0, 2]


def test_groups_of_equal_labels_are_one_group():
    def part(groups):
        return Sample.infer({"X": [0.5, 1.5], "G": groups}, groups="G")

    both = Sample.concatenate([part(["p", "q"]), part(["q", "r"])])
    assert (both.groups, both["G"].tolist()) == ("G", [0, 1, 1, 2])


def test_metadata_stays_where_all_samples_share_it():
    shift = ModularShift(n=3)
    both = Sample.concatenate([shift.sample(5, seed=0), shift.sample(5, seed=1)])
    assert set(both.metadata) == {"generator", "parameters"}
    assert Sample.concatenate([shift.sample(5, seed=0)] * 2).metadata["seed"] == 0


def infer(**columns):
    return Sample.infer(columns)


STALE = Sample(
    {"A": np.array([0, 2])}, {"A": Variable("A", "discrete", 3)}, metadata={"levels": {"A": ["u"]}}
)

APART = {
    "levels and none": (infer(A=["x", "y"]), infer(A=[0, 1]), "levels in one sample (['x', 'y']) and none"),
    "levels of two kinds": (infer(A=[True, False]), infer(A=[-1, -2]), "and those of another kind"),
    "other states": (infer(A=[0, 1]), infer(A=[0, 1, 2]), "must have the same variables"),
    "other names": (infer(A=[0, 1]), infer(B=[0, 1]), "must have the same variables, got ("),
    "other widths": (infer(Z=np.eye(2)), infer(Z=np.eye(3)), "'Z' must have one shape, got ("),
    "too few levels": (STALE, infer(A=["v", "w"]), "'A' has 3 states, but metadata['levels'] names 1"),
}


@pytest.mark.parametrize(("one", "other", "message"), APART.values(), ids=APART)
def test_samples_that_do_not_belong_together_are_refused(one, other, message):
    for parts in ([one, other], [other, one]):
        with pytest.raises(ValueError, match=re.escape(message)):
            Sample.concatenate(parts)


def test_a_replaced_column_drops_the_levels_of_the_old_one():
    sample = infer(A=["x", "y"], B=["u", "v"])
    new = sample.with_column(Variable("A", "discrete", 9), np.array([7, 8]))
    assert new.metadata["levels"] == {"B": ["u", "v"]}
    same = sample.with_column(sample.variables["A"], np.array([1, 1]))
    assert same.metadata["levels"]["A"] == ["x", "y"]


def test_rows_of_a_table_keep_its_levels():
    assert Table.of(pd.DataFrame({"A": ["x", "y"]})).rows([1]).metadata["levels"] == {"A": ["x", "y"]}


@pytest.mark.parametrize("index", [np.array([5]), np.array([True]), np.array([1.0])])
def test_rows_that_do_not_exist_are_named(index):
    with pytest.raises(IndexError, match=r"rows needs an index of 2 rows, got array"):
        infer(A=[0, 1]).rows(index)


def test_groups_are_one_name():
    with pytest.raises(
        TypeError, match=re.escape("groups must be the name of one column or None, got ['A']")
    ):
        Sample.infer({"A": [0, 1]}, groups=["A"])


ODD = {
    "big-endian": np.array([0.5, 1.5, 2.5], dtype=">f8"),
    "big-endian integers": np.array([0, 1, 1], dtype=">i4"),
    "long double": np.array([0.5, 1.5, 2.5], dtype=np.longdouble),
    "reversed": np.array([2.5, 1.5, 0.5])[::-1],
    "reversed vectors": np.arange(6.0).reshape(3, 2)[:, ::-1],
}


@pytest.mark.parametrize("column", ODD.values(), ids=ODD)
@pytest.mark.parametrize("suffix", [".parquet", ".safetensors"])
def test_every_layout_becomes_tensors_and_files(tmp_path, column, suffix):
    sample = infer(X=column)
    assert sample.tensors(dtype=torch.float64)["X"].tolist() == column.tolist()
    found = read_data(save_sample(sample, tmp_path / f"t{suffix}"))
    assert found["X"].tolist() == column.tolist()


def test_usual_columns_are_shared_and_not_copied():
    column = np.arange(3.0)
    sample = infer(X=column)
    assert np.shares_memory(sample["X"], column)
    assert np.shares_memory(sample.tensors(dtype=torch.float64)["X"].numpy(), column)


def test_a_long_double_beyond_float64_is_refused():
    if np.finfo(np.longdouble).max == np.finfo(np.float64).max:
        pytest.skip("long double is float64 on this machine")
    with pytest.raises(ValueError, match="NaN or infinities"):
        infer(X=np.array([1, 2], dtype=np.longdouble) * np.longdouble(10) ** 1000)


def test_lazy_negatives_of_torch_are_resolved():
    values = torch.tensor([0.5, 1.5], dtype=torch.float64)
    lazy = torch.imag((values * 1j).conj())
    assert lazy.is_neg()
    assert infer(X=lazy)["X"].tolist() == [-0.5, -1.5]
