"""Damaged and foreign files: named, refused in one line, and never unpickled."""

import json
import pickle
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file
from stored import mixed

from synthetic import (
    DamagedFileError,
    ModularShift,
    iter_shards,
    open_dataset,
    read_data,
    read_dataset,
    read_table,
    write_dataset,
)
from synthetic.storage import files, save_sample

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
        path.unlink(missing_ok=True)  # some file systems wait for the disk where a file is emptied
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedFileError, match=r"cut\.safetensors is truncated"):
            files.read_tensors(path)
    rng = np.random.default_rng(0)
    read, refused = 0, []
    for _ in range(2000):
        changed = bytearray(whole)
        changed[rng.integers(8 + int.from_bytes(whole[:8], "little"))] = rng.integers(256)
        path.unlink()
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
