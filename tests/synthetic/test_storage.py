import json
import pickle
import shutil
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from joblib import parallel_config
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from torch.utils.data import DataLoader

from synthetic import (
    BusyError,
    ClassCircle,
    DamagedFileError,
    Erasure,
    LinearGaussian,
    ModularShift,
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

SHIFT = ModularShift(n=4, noise=0.1)


@pytest.fixture
def folder(tmp_path):
    return write_dataset(SHIFT, samples=103, seed=5, out=tmp_path / "data", shards=4)


def partial_of(out):
    """The scratch folder of a data set."""
    [found] = out.parent.glob(f".{out.name}.*.partial")
    return found


def same(left, right):
    return left.names == right.names and all(np.array_equal(left[v], right[v]) for v in left.names)


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


def test_several_calls_share_the_shards(tmp_path, folder):
    options = {"samples": 103, "seed": 5, "out": tmp_path / "shared", "shards": 4}
    for only in ([3], [1, 1], [0]):
        assert write_dataset(SHIFT, **options, only=only) == partial_of(tmp_path / "shared")
    assert not (tmp_path / "shared").exists()
    assert write_dataset(SHIFT, **options, only=[2]) == tmp_path / "shared"
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "shared" / path.name).read_bytes()


class Interrupted(ModularShift):
    """A generator that is interrupted at its third shard."""

    calls: ClassVar[list] = []

    def shard(self, k, n, *, seed):
        self.calls.append(k)
        if len(self.calls) == 3:
            raise KeyboardInterrupt
        return super().shard(k, n, seed=seed)


def test_an_interrupted_run_leaves_nothing_and_resumes(tmp_path, folder):
    Interrupted.calls.clear()
    out = tmp_path / "again"
    with pytest.raises(KeyboardInterrupt):
        write_dataset(Interrupted(n=4, noise=0.1), samples=103, seed=5, out=out, shards=4)
    assert not out.exists()
    with pytest.raises(FileNotFoundError, match="unfinished, generate it again"):
        read_dataset(out)
    kept = {p.name: p.stat().st_mtime_ns for p in partial_of(tmp_path / "again").glob("*.safetensors")}
    assert len(kept) == 2
    told = []
    write_dataset(
        Interrupted(n=4, noise=0.1),
        samples=103,
        seed=5,
        out=out,
        shards=4,
        progress=lambda a, b: told.append((a, b)),
    )
    assert Interrupted.calls == [0, 1, 2, 2, 3]
    assert told == [(52, 103), (78, 103), (103, 103)]
    assert not list(tmp_path.glob(".again.*"))
    assert {name: (out / name).stat().st_mtime_ns for name in kept} == kept
    assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in folder.iterdir())
    for path in folder.glob("*.safetensors"):
        assert path.read_bytes() == (out / path.name).read_bytes()


SHARD = "shard-00001-of-00004.safetensors"


def damage(path, tmp_path):
    path.write_bytes(path.read_bytes()[:-40])


def flip_bit(path, tmp_path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def take_another(path, tmp_path):
    shutil.copy(path.with_name("shard-00000-of-00004.safetensors"), path)


def take_from_another_plan(path, tmp_path):
    write_dataset(ModularShift(n=3), samples=103, seed=5, out=tmp_path / "other", shards=4)
    shutil.copy(tmp_path / "other" / SHARD, path)


def take_from_other_code(path, tmp_path):
    """The shard and its receipt as a changed generator would have left them."""
    receipt = path.with_suffix(".json")
    content = json.loads(receipt.read_text())
    other = write_dataset(Loaded(n=4, noise=0.1), samples=103, seed=5, out=tmp_path / "other", shards=4)
    shutil.copy(other / SHARD, path)
    shard = json.loads((other / "dataset.json").read_text())["shards"][1]
    receipt.write_text(json.dumps({**content, **shard, "made": {**content["made"], "code": "0" * 12}}))


def lose_the_receipt(path, tmp_path):
    path.with_suffix(".json").unlink()


class Loaded(ModularShift):
    """The same family by name and parameters, with other rows: code that was changed."""

    def shard(self, k, n, *, seed):
        return super().shard(k, n, seed=seed + 1)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (damage, "checksum differs"),
        (flip_bit, "checksum differs"),
        (take_another, "checksum differs"),
        (take_from_another_plan, "checksum differs"),
        (take_from_other_code, "other code"),
        (lose_the_receipt, "no receipt"),
    ],
    ids=["truncated", "flipped bit", "other shard", "other plan", "other code", "no receipt"],
)
def test_resuming_redraws_what_is_not_whole(tmp_path, folder, harm, reason):
    options = {"samples": 103, "seed": 5, "out": tmp_path / "again", "shards": 4}
    partial = write_dataset(SHIFT, **options, only=[0, 1, 2])
    (partial / f".{SHARD}.17-abcd.tmp").write_bytes(b"left over by a writer that was killed")
    harm(partial / SHARD, tmp_path)
    told = []
    again = write_dataset(SHIFT, **options, tell=told.append)
    assert len(told) == 2
    assert told[0].startswith("shard 1 is made anew: ")
    assert reason in told[0]
    assert told[1].startswith("2 of 4 shards are whole")
    assert sorted(p.name for p in again.iterdir()) == sorted(p.name for p in folder.iterdir())
    for path in folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_what_was_not_made_here_is_never_deleted(tmp_path):
    options = {"samples": 10, "seed": 0, "out": tmp_path / "data", "shards": 2}
    partial = write_dataset(SHIFT, **options, only=[0])
    (partial / "thesis.txt").write_text("the only copy")
    with pytest.raises(FileExistsError, match=r"holds thesis\.txt, not made here"):
        write_dataset(SHIFT, **options)
    assert (partial / "thesis.txt").read_text() == "the only copy"
    assert not (tmp_path / "data").exists()
    (partial / "scratch.json").unlink()
    with pytest.raises(FileExistsError, match="was not made here: move it away"):
        write_dataset(SHIFT, **options)
    assert (partial / "thesis.txt").read_text() == "the only copy"


def test_a_folder_that_other_code_made_is_refused(tmp_path, folder):
    path = folder / "dataset.json"
    content = json.loads(path.read_text())
    content["versions"]["code"] = "0" * 12
    path.write_text(json.dumps(content))
    before = {p: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(FileExistsError, match=r"made by other code or versions \(code 000000000000\)"):
        write_dataset(SHIFT, samples=103, seed=5, out=folder, shards=4)
    assert {p: p.read_bytes() for p in folder.iterdir()} == before
    assert len(read_dataset(folder)) == 103  # reading does not depend on who wrote


def test_a_second_writer_is_told_and_loses_nothing(tmp_path):
    class Meanwhile(ModularShift):
        """While it draws its first shard, another call wants the same place."""

        def shard(self, k, n, *, seed):
            if k == 0:
                for other in (5, 6):
                    with pytest.raises(BusyError, match="another process is writing the data set"):
                        write_dataset(SHIFT, samples=20, seed=other, out=tmp_path / "data", shards=2)
            return super().shard(k, n, seed=seed)

    out = write_dataset(Meanwhile(n=4, noise=0.1), samples=20, seed=5, out=tmp_path / "data", shards=2)
    assert len(read_dataset(out)) == 20
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_two_calls_that_share_the_work_may_both_finish(tmp_path):
    options = {"samples": 20, "seed": 5, "out": tmp_path / "data", "shards": 2}
    write_dataset(SHIFT, **options, only=[0])
    assert write_dataset(SHIFT, **options, only=[1]) == write_dataset(SHIFT, **options, only=[0])
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_too_many_shards_are_refused_before_anything_is_made(tmp_path):
    with pytest.raises(ValueError, match="shards must be between 1 and 100000, got 1000000000"):
        write_dataset(SHIFT, samples=10**12, seed=0, out=tmp_path / "data", shards=10**9)
    assert not list(tmp_path.iterdir())


def test_the_same_dataset_is_left_alone_and_another_is_not_overwritten(tmp_path, folder):
    before = {p: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert write_dataset(SHIFT, samples=103, seed=5, out=folder, shards=4) == folder
    assert {p: p.stat().st_mtime_ns for p in folder.iterdir()} == before
    for change in ({"seed": 6}, {"samples": 104}, {"shards": 3}):
        with pytest.raises(FileExistsError, match="already holds another data set"):
            write_dataset(SHIFT, **{"samples": 103, "seed": 5, "shards": 4, **change}, out=folder)
    other = tmp_path / "notes"
    other.mkdir()
    (other / "mine.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="is not a data set"):
        write_dataset(SHIFT, samples=1, seed=0, out=other)
    assert (other / "mine.txt").read_text() == "keep"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert len(read_dataset(write_dataset(SHIFT, samples=1, seed=0, out=empty))) == 1


def test_a_damaged_shard_is_not_taken_for_the_same_dataset(folder):
    path = folder / "shard-00002-of-00004.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"shard-00002.* is missing or damaged"):
        write_dataset(SHIFT, samples=103, seed=5, out=folder, shards=4)


NAME = "shard-00002-of-00004.safetensors"


def flip(path, folder):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def truncate(path, folder):
    path.write_bytes(path.read_bytes()[:-1])


def swap(path, folder):
    shutil.copy(folder / "shard-00001-of-00004.safetensors", path)


def foreign(path, folder):
    other = write_dataset(ModularShift(n=4), samples=103, seed=5, out=folder.parent / "other", shards=4)
    shutil.copy(other / NAME, path)


def unrelated(path, folder):
    save_file({"X": np.zeros(4000)}, path)


def text(path, folder):
    path.write_text("hello, " * 500)


def header(path, folder):
    path.write_bytes(path.read_bytes()[:8] + b"{" * (path.stat().st_size - 8))


def growth(path, folder):
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (flip, "is damaged: its checksum differs"),
        (truncate, "is truncated"),
        (swap, "is a foreign shard: it is shard 1 of"),
        (foreign, "is a foreign shard: it is shard 2 of"),
        (unrelated, "is a foreign shard"),
        (text, "is truncated, damaged or not a safetensors file: .*header"),
        (header, "is truncated, damaged or not a safetensors file: .*JSON"),
        (growth, "is truncated, damaged or not a safetensors file: .*not fully covered"),
        (lambda path, folder: path.unlink(), "is missing"),
    ],
    ids=[
        "flipped bit",
        "truncated",
        "other shard",
        "other data set",
        "unrelated",
        "text",
        "header",
        "longer",
        "missing",
    ],
)
def test_corruption_is_detected_and_the_shard_named(folder, harm, message):
    harm(folder / NAME, folder)
    for attempt in (
        lambda: read_dataset(folder),
        lambda: list(iter_shards(folder)),
        lambda: read_data(folder),
    ):
        with pytest.raises(DamagedFileError, match=f"{NAME} {message}"):
            attempt()
    assert len(open_dataset(folder).shard(1)) == 26


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(seed=6), "digest does not fit"),
        (lambda c: c["parameters"].update(noise=0.2), "digest does not fit"),
        (lambda c: c.update(format="other/9"), "format 'other/9'"),
        (lambda c: c.pop("variables"), "KeyError"),
        (lambda c: c["shards"].pop(), "digest does not fit"),
        (lambda c: c["shards"][0].update(rows=1), "do not add up"),
        (lambda c: c["shards"][0].update(file="../secret"), "is called '../secret'"),
        (lambda c: c["variables"][0].update(kind="discrete", cardinality=None), "cardinality"),
        (lambda c: c["variables"][0].update(cardinality=5), "columns are not those of dataset.json"),
    ],
    ids=["seed", "noise", "format", "no variables", "fewer shards", "rows", "path", "kind", "cardinality"],
)
def test_a_manifest_that_was_changed_is_refused(folder, change, message):
    path = folder / "dataset.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DamagedFileError, match=message):
        read_dataset(folder)


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


def mixed():
    rng = np.random.default_rng(0)
    return Sample(
        {"C": np.arange(9) % 3, "X": rng.normal(size=(9, 2)), "Y": rng.normal(size=9).astype(np.float32)},
        {
            "C": Variable("C", "discrete", 5, "class"),
            "X": Variable("X", "continuous", None, "input"),
            "Y": Variable("Y", "continuous"),
        },
        groups="C",
        metadata={"seed": 4},
    )


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


class Bomb:
    def __reduce__(self):
        return (open, ("exploded", "w"))


def test_reading_never_unpickles(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("bomb.npz", a=np.array([Bomb()], dtype=object))
    (tmp_path / "plain.npz").write_bytes(pickle.dumps(Bomb()))
    (tmp_path / "bomb.safetensors").write_bytes(pickle.dumps(Bomb()))
    (tmp_path / "bomb.parquet").write_bytes(pickle.dumps(Bomb()))
    for name in ("bomb.npz", "plain.npz", "bomb.safetensors", "bomb.parquet"):
        with pytest.raises(DamagedFileError, match=name):
            read_table(name)
    assert not (tmp_path / "exploded").exists()


TABLES = {
    "missing file": ("nowhere.csv", None, FileNotFoundError, "no file"),
    "unknown suffix": ("t.xls", b"x", ValueError, "expected a folder or one of"),
    "empty csv": ("t.csv", b"", ValueError, "not a CSV"),
    "csv with holes": (
        "t.csv",
        b"a,b\n1,2\n,3\n",
        ValueError,
        "'a' has 1 missing values, the first in row 1",
    ),
    "ragged csv": ("t.csv", b"a,b\n1,2\n1,2,3\n", ValueError, "not a CSV"),
    "csv without rows": ("t.csv", b"a,b\n", ValueError, "at least one row"),
    "infinite csv": ("t.csv", b"a\n1.5\ninf\n", ValueError, "infinite values: 1 of 2 rows"),
    "other lengths": ("t.safetensors", {"a": np.zeros(2), "b": np.zeros(3)}, ValueError, "same length"),
    "truncated": ("t.safetensors", b"\x10", ValueError, "truncated"),
    "negative offsets": (
        "t.safetensors",
        b'{"a":{"dtype":"F64","shape":[1],"data_offsets":[-8,0]}}',
        DamagedFileError,
        "invalid value",
    ),
    "wrong length": (
        "t.safetensors",
        b'{"a":{"dtype":"F64","shape":[9],"data_offsets":[0,8]}}' + bytes(8),
        DamagedFileError,
        "invalid shape",
    ),
    "beyond the end": (
        "t.safetensors",
        b'{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}',
        DamagedFileError,
        "not fully covered",
    ),
    "a gap": (
        "t.safetensors",
        b'{"a":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}' + bytes(16),
        DamagedFileError,
        "invalid offset",
    ),
    "more than the file": (
        "t.safetensors",
        b'{"a":{"dtype":"F64","shape":[9000000000000000000, 9000000000000000000],"data_offsets":[0,8]}}'
        + bytes(8),
        DamagedFileError,
        "overflow",
    ),
    "nothing of too many": (
        "t.safetensors",
        b'{"a":{"dtype":"F64","shape":[0, 4611686018427387904],"data_offsets":[0,0]}}',
        DamagedFileError,
        r"'a' of shape \(0, 4611686018427387904\)",
    ),
    "too many axes": (
        "t.safetensors",
        b'{"a":{"dtype":"F64","shape":[%s],"data_offsets":[0,8]}}' % b",".join([b"1"] * 70) + bytes(8),
        DamagedFileError,
        "'a' of shape",
    ),
    "unknown type": (
        "t.safetensors",
        b'{"a":{"dtype":"X9","shape":[1],"data_offsets":[0,8]}}' + bytes(8),
        DamagedFileError,
        "unknown variant `X9`",
    ),
    "type of two lines": (
        "t.safetensors",
        b'{"a":{"dtype":"X\\n9","shape":[1],"data_offsets":[0,8]}}' + bytes(8),
        DamagedFileError,
        "unknown variant `X 9`",
    ),
    "other type": (
        "t.safetensors",
        b'{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}' + bytes(8),
        DamagedFileError,
        "holds 'a' as C64, which is not read: expected F64",
    ),
    "huge header": (
        "t.safetensors",
        (2**62).to_bytes(8, "little") + b" " * 90,
        DamagedFileError,
        "header too large",
    ),
    "header a list": (
        "t.safetensors",
        b"[]",
        DamagedFileError,
        "invalid type: sequence",
    ),
}


@pytest.mark.parametrize(("name", "content", "kind", "message"), TABLES.values(), ids=TABLES)
def test_bad_files_are_named(tmp_path, name, content, kind, message):
    path = tmp_path / name
    if isinstance(content, dict):
        save_file(content, path)
    elif content is not None and content[:1] in (b"{", b"["):
        header = content.rstrip(b"\0")
        path.write_bytes(len(header).to_bytes(8, "little") + content)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(kind, match=message) as caught:
        read_table(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value).rstrip()


def plain_file(folder):
    path = folder / "whole.safetensors"
    files.write_tensors(path, {"a": np.arange(3.0), "b": np.zeros((0, 2)), "c": np.ones(5, bool)}, {"k": "v"})
    return path.read_bytes()


def test_any_cut_and_any_change_of_a_header_is_read_or_refused(tmp_path):
    whole = plain_file(tmp_path)
    path = tmp_path / "cut.safetensors"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedFileError, match=r"cut\.safetensors is truncated"):
            files.read_tensors(path)
    rng = np.random.default_rng(0)
    read, refused = 0, []
    for _ in range(2000):
        changed = bytearray(whole)
        changed[rng.integers(8 + int.from_bytes(whole[:8], "little"))] = rng.integers(256)
        path.write_bytes(changed)
        try:
            tensors, _ = files.read_tensors(path)
        except DamagedFileError as error:
            refused.append(str(error))
        else:
            read += 1
            assert sum(t.nbytes for t in tensors.values()) <= len(whole)
    assert read > 0
    assert refused
    assert not any("\n" in message for message in refused)


def test_described_files_that_contradict_themselves(tmp_path):
    path = save_sample(mixed(), tmp_path / "s.safetensors")
    columns, metadata = files.read_tensors(path)
    for change, message in (
        ({"variables": "[]"}, "not those it describes"),
        ({"variables": "{"}, "variables cannot be read"),
        (
            {"variables": metadata["variables"].replace('"cardinality": 5', '"cardinality": 2')},
            r"stay in 0\.\.1",
        ),
    ):
        files.write_tensors(tmp_path / "t.safetensors", columns, {**metadata, **change})
        with pytest.raises(DamagedFileError, match=message):
            read_table(tmp_path / "t.safetensors")
