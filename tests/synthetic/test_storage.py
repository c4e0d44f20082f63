import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from joblib import parallel_config
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from stored import SHIFT, mixed, same
from torch.utils.data import DataLoader

from synthetic import (
    ClassCircle,
    DamagedFileError,
    Erasure,
    LinearGaussian,
    Sample,
    Variable,
    export_parquet,
    iter_shards,
    open_dataset,
    read_data,
    read_dataset,
    read_table,
    write_dataset,
)
from synthetic.storage import files, read, save_sample, write
from synthetic.storage.scratch import Scratch, made_with


@pytest.mark.parametrize("shards", [1, 4])
def test_a_dataset_reads_back_as_its_shards(tmp_path, shards):
    out = write_dataset(SHIFT, samples=103, seed=5, out=tmp_path / "data", shards=shards)
    sample = read_dataset(out)
    sizes = [103] if shards == 1 else [26, 26, 26, 25]
    expected = Sample.concatenate([SHIFT.shard(k, size, seed=5) for k, size in enumerate(sizes)])
    assert same(sample, expected)
    assert dict(sample.variables) == dict(expected.variables)
    assert sample.metadata["seed"] == 5
    assert open_dataset(out).generator == SHIFT


def test_one_shard_is_mapped_and_not_copied(tmp_path):
    sample = read_dataset(write_dataset(SHIFT, samples=10, seed=0, out=tmp_path / "data"))
    assert not sample["X"].flags.owndata
    assert not sample["X"].flags.writeable


def test_the_manifest_says_what_the_data_are(folder):
    content = json.loads((folder / "dataset.json").read_text())
    assert content["family"] == "modular-shift"
    assert content["parameters"]["noise"] == 0.1
    assert (content["seed"], content["samples"], len(content["shards"])) == (5, 103, 4)
    assert content["variables"][0] == {"name": "C", "kind": "discrete", "cardinality": 4, "role": "class"}
    assert content["exact"]["I(A;C|X)"]["value"] == SHIFT.exact("I(A;C|X)").value
    assert content["versions"]["numpy"] == np.__version__
    for shard in content["shards"]:
        assert files.sha256_of(folder / shard["file"]) == shard["sha256"]


@pytest.mark.parametrize(
    "generator",
    [LinearGaussian(), ClassCircle(turns=None), Erasure(SHIFT, erasure=0.5)],
    ids=["gaussian", "circle", "erasure"],
)
def test_generators_are_built_again_from_the_manifest(tmp_path, generator):
    out = write_dataset(generator, samples=7, seed=1, out=tmp_path / "data", shards=2)
    stored = open_dataset(out)
    assert stored.generator == generator
    assert same(stored.generator.shard(1, 3, seed=1), stored.shard(1))


def test_shard_files_are_identical_in_any_order_and_process(tmp_path):
    one = write_dataset(SHIFT, samples=50, seed=2, out=tmp_path / "one", shards=5)
    with parallel_config(backend="threading"):
        two = write_dataset(SHIFT, samples=50, seed=2, out=tmp_path / "two", shards=5, jobs=2)
    plan = open_dataset(one).manifest.plan
    scratch = Scratch(tmp_path / "backwards", plan, made_with(SHIFT))
    scratch.open()
    for k in reversed(range(5)):
        write.write_shard(k, SHIFT, scratch)
    for path in one.glob("*.safetensors"):
        assert path.read_bytes() == (two / path.name).read_bytes() == (scratch.path / path.name).read_bytes()
    assert (one / "dataset.json").read_bytes() == (two / "dataset.json").read_bytes()


def test_no_manifest_or_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no data set"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"has no dataset\.json"):
        read_dataset(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(DamagedFileError, match="JSONDecodeError"):
        read_dataset(tmp_path)


def test_iter_shards_gives_the_rows_in_order_and_some_columns(folder):
    whole = read_dataset(folder)
    assert same(Sample.concatenate(list(iter_shards(folder))), whole)
    assert [s.names for s in iter_shards(folder, columns=["X"])] == [("X",)] * 4
    with pytest.raises(ValueError, match="unknown column 'Q'"):
        iter_shards(folder, columns=["Q"])


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than cores
@pytest.mark.parametrize("workers", [0, 2])
def test_stored_rows_reach_torch_once_for_any_number_of_workers(tmp_path, workers):
    out = write_dataset(LinearGaussian(), samples=90, seed=0, out=tmp_path / "data", shards=3)
    loader = DataLoader(open_dataset(out).as_dataset(), batch_size=10, num_workers=workers)
    seen = torch.cat([batch["X"] for batch in loader])
    assert np.array_equal(np.sort(seen.numpy()), np.sort(read_dataset(out)["X"].astype(np.float32)))


def test_a_dataset_larger_than_memory_is_refused_whole_and_read_in_shards(folder, monkeypatch):
    monkeypatch.setattr(read, "_memory", lambda: 2000)
    with pytest.raises(MemoryError, match=r"for .*X.* and 0 MiB are available: .*iter_shards"):
        read_dataset(folder)
    assert sum(len(shard) for shard in iter_shards(folder)) == 103


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples must be at least 1"),
        ({"shards": 0}, "shards must be between 1 and 100000"),
        ({"shards": 11}, "shards must be at most samples=10"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"jobs": 0}, "jobs must be at least 1"),
        ({"only": [1]}, "only must be between 0 and 0"),
        ({"samples": 1.5}, "samples must be an integer"),
    ],
    ids=[
        "no samples",
        "no shards",
        "more shards than rows",
        "negative seed",
        "no jobs",
        "no such shard",
        "half a sample",
    ],
)
def test_bad_options_write_nothing(tmp_path, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        write_dataset(SHIFT, **{"samples": 10, "seed": 0, **options}, out=tmp_path / "data")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".safetensors", ".parquet"])
def test_samples_save_and_load(tmp_path, suffix):
    path = save_sample(mixed(), tmp_path / f"sample{suffix}")
    back = read_data(path)
    assert same(back, mixed())
    assert dict(back.variables) == dict(mixed().variables)
    assert back.groups == "C"
    assert back.metadata["seed"] == 4
    assert back["Y"].dtype == np.float32
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_our_reader_and_writer_meet_the_library(tmp_path):
    columns = {
        "f64": np.random.default_rng(0).normal(size=(3, 4)),
        "f16": np.arange(3, dtype=np.float16),
        "u8": np.arange(5, dtype=np.uint8),
        "flag": np.array([True, False]),
        "none": np.zeros((0, 3), np.float32),
    }
    save_file(columns, tmp_path / "x.safetensors", {"k": "v"})
    files.write_tensors(tmp_path / "y.safetensors", columns, {"k": "v", "ä": "ü"})
    with safe_open(tmp_path / "y.safetensors", "numpy") as opened:
        assert opened.metadata() == {"k": "v", "ä": "ü"}
    ours, metadata = files.read_tensors(tmp_path / "x.safetensors")
    assert metadata == {"k": "v"}
    for tensors in (ours, load_file(tmp_path / "y.safetensors"), load_file(tmp_path / "x.safetensors")):
        assert set(tensors) == set(columns)
        for name, column in columns.items():
            assert tensors[name].dtype == column.dtype
            assert np.array_equal(tensors[name], column)
    with pytest.raises(TypeError, match="complex128"):
        files.write_tensors(tmp_path / "z.safetensors", {"z": np.ones(2) * 1j}, {})


def test_images_survive_safetensors_and_are_refused_by_parquet(tmp_path):
    image = Sample(
        {"I": np.random.default_rng(0).random((4, 1, 5, 5), dtype=np.float32)}, {"I": Variable("I", "image")}
    )
    assert same(read_data(save_sample(image, tmp_path / "i.safetensors")), image)
    with pytest.raises(ValueError, match="holds no images"):
        save_sample(image, tmp_path / "i.parquet")
    assert not list(tmp_path.glob("*.parquet"))
    with pytest.raises(ValueError, match=r"expected \.safetensors or \.parquet"):
        save_sample(image, tmp_path / "i.png")


def test_export_to_parquet_keeps_rows_and_variables(tmp_path, folder):
    path = export_parquet(folder, tmp_path / "table.parquet")
    assert same(read_table(path), read_dataset(folder))
    assert pq.ParquetFile(path).num_row_groups == 4
    assert list(pd.read_parquet(path)) == ["C", "A", "X"]
    with pytest.raises(ValueError, match=r"expected a \.parquet"):
        export_parquet(folder, tmp_path / "table.csv")


def test_foreign_tables_are_inferred(tmp_path):
    frame = pd.DataFrame(
        {"label": ["b", "a", "b"], "code": [7, 900, 7], "flag": [True, False, True], "x": [0.5, 1, 2]}
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        sample = read_table(tmp_path / name)
        assert [sample.variables[v].kind for v in sample.names] == ["discrete"] * 3 + ["continuous"]
        assert sample["label"].tolist() == [1, 0, 1]
        assert sample["code"].tolist() == [0, 1, 0]
        assert sample.metadata["levels"]["label"] == ["a", "b"]
    np.savez(tmp_path / "t.npz", a=np.array([0, 1, 1]), v=np.zeros((3, 2)))
    arrays = read_table(tmp_path / "t.npz")
    assert [v.kind for v in arrays.variables.values()] == ["discrete", "continuous"]
    save_file({"a": np.array([0, 1]), "i": np.zeros((2, 3, 4, 4), np.float32)}, tmp_path / "t.safetensors")
    assert read_table(tmp_path / "t.safetensors").variables["i"].kind == "image"
