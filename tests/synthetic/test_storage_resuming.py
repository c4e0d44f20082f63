"""Writing that is interrupted, shared or repeated: what is taken up, made anew or refused."""

import json
import shutil
from typing import ClassVar

import pytest
from stored import SHIFT, partial_of

from synthetic import (
    BusyError,
    DamagedFileError,
    ModularShift,
    read_dataset,
    write_dataset,
)


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
