"""Reading data sets: memory-mapped, verified, shard by shard where the whole would not fit."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthetic.generator import Generator
from synthetic.inference import check_names
from synthetic.parallel.memory import available_memory, gib
from synthetic.sample import Sample
from synthetic.storage.files import DamagedFileError, read_tensors, reading, sha256_of
from synthetic.storage.manifest import Manifest, described
from synthetic.storage.tables import scan_table
from theory.checks import integer

if TYPE_CHECKING:
    from synthetic.storage.stream import ShardStream

__all__ = ["StoredDataset", "iter_shards", "open_dataset", "read_data", "read_dataset"]

_SHARE = 0.8
"""The share of the free memory that one reading may take."""


@dataclass(frozen=True)
class StoredDataset:
    """A data set on disk, of which nothing but `dataset.json` has been read yet.

    Args:
        folder: Where it is.
        manifest: What `dataset.json` says.
    """

    folder: Path
    manifest: Manifest

    def __len__(self) -> int:
        return self.manifest.plan.samples

    @property
    def shards(self) -> int:
        """The number of files."""
        return len(self.manifest.shards)

    @property
    def generator(self) -> Generator:
        """The generator that made it, built again from its parameters."""
        from synthetic.registry import load_generator

        plan = self.manifest.plan
        return load_generator({"family": plan.family, "parameters": plan.parameters})

    def shard(self, k: int, *, verify: bool = True) -> Sample:
        """The rows of shard k, memory-mapped.

        Args:
            k: Its number.
            verify: Whether to compare the checksum, which reads the file once.

        Raises:
            DamagedFileError: If the file is missing, truncated, damaged or of another data set.
        """
        integer("k", k, 0, self.shards - 1)
        entry = self.manifest.shards[k]
        path = self.folder / entry.file
        if not path.is_file():
            raise DamagedFileError(f"{path} is missing")
        size = path.stat().st_size
        if size < entry.bytes:
            raise DamagedFileError(f"{path} is truncated: it has {size:,} of {entry.bytes:,} bytes")
        tensors, metadata = read_tensors(path)
        digest = self.manifest.plan.digest
        if metadata.get("plan") != digest or metadata.get("shard") != str(k):
            raise DamagedFileError(
                f"{path} is a foreign shard: it is shard {metadata.get('shard')} of the data set "
                f"{metadata.get('plan')}, expected shard {k} of {digest}"
            )
        if size != entry.bytes or (verify and sha256_of(path) != entry.sha256):
            raise DamagedFileError(f"{path} is damaged: its checksum differs from the one in dataset.json")
        variables, groups = described(path, metadata)
        if groups != self.manifest.groups:
            raise DamagedFileError(f"{path} is damaged: its groups are not those of dataset.json")
        if variables != self.manifest.variables or set(tensors) != {v.name for v in variables}:
            raise DamagedFileError(f"{path} is damaged: its columns are not those of dataset.json")
        plan = self.manifest.plan
        source = {"generator": plan.family, "parameters": plan.parameters, "seed": plan.seed, "shard": k}
        with reading(f"{path} is damaged"):
            columns = {v.name: tensors[v.name] for v in variables}
            sample = Sample(columns, {v.name: v for v in variables}, groups, source)
        if len(sample) != entry.rows:
            raise DamagedFileError(f"{path} is damaged: it has {len(sample):,} of {entry.rows:,} rows")
        return sample

    def __iter__(self) -> Iterator[Sample]:
        return (self.shard(k) for k in range(self.shards))

    def read(self, *, verify: bool = True, columns: Sequence[str] | None = None) -> Sample:
        """All rows: memory-mapped where there is one shard, else copied together.

        Args:
            verify: Whether to compare checksums.
            columns: The variables wanted, with the column of groups if there is one; None for all.

        Raises:
            MemoryError: If several shards together would not fit into memory.
            DamagedFileError: If a shard is missing, truncated, damaged or foreign.
        """
        plan = self.manifest.plan
        source = {"generator": plan.family, "parameters": plan.parameters, "seed": plan.seed}
        if self.shards == 1:
            only = _chosen(self.shard(0, verify=verify), columns)
            return Sample(only.columns, only.variables, only.groups, source)
        first = _chosen(self.shard(0, verify=verify), columns)
        need, left = _size(first) * plan.samples, _memory()
        if left is not None and need > _SHARE * left:
            raise MemoryError(
                f"{self.folder} needs {gib(need)} for {', '.join(first.names)} and {gib(left)} are "
                "available: name fewer columns, go through it with iter_shards(..), or take some of its "
                "shards; estimates of discrete columns without groups need no more than their counts"
            )
        whole = {name: np.empty((plan.samples, *c.shape[1:]), c.dtype) for name, c in first.columns.items()}
        start = 0
        for k in range(self.shards):
            part = first if k == 0 else _chosen(self.shard(k, verify=verify), columns)
            for name, column in part.columns.items():
                whole[name][start : start + len(part)] = column
            start += len(part)
        return Sample(whole, first.variables, first.groups, source)

    def as_dataset(self) -> ShardStream:
        """A torch IterableDataset of the rows; several DataLoader workers share the shards."""
        from synthetic.storage.stream import ShardStream

        return ShardStream(self)

    def __repr__(self) -> str:
        plan = self.manifest.plan
        return (
            f"StoredDataset({plan.family}, {plan.samples:,} rows in {plan.shards} shards, seed {plan.seed}, "
            f"{str(self.folder)!r})"
        )


def open_dataset(path: str | Path) -> StoredDataset:
    """Open a data set's folder without reading its rows.

    Args:
        path: The folder that `write_dataset` made.

    Raises:
        FileNotFoundError: If there is no data set.
        DamagedFileError: If its `dataset.json` is damaged.
    """
    folder = Path(path)
    if not folder.exists():
        unfinished = any(folder.parent.glob(f".{glob.escape(folder.name)}.*.partial"))
        hint = ": it is unfinished, generate it again to go on" if unfinished else ""
        raise FileNotFoundError(f"no data set {str(folder)!r}{hint}")
    return StoredDataset(folder, Manifest.read(folder))


def read_dataset(path: str | Path, *, verify: bool = True) -> Sample:
    """Read a data set's folder.

    Args:
        path: The folder that `write_dataset` made.
        verify: Whether to compare checksums.

    Raises:
        FileNotFoundError: If there is no data set.
        MemoryError: If it would not fit; `iter_shards` goes through it in pieces.
        DamagedFileError: If a shard is missing, truncated, damaged or of another data set.
    """
    return open_dataset(path).read(verify=verify)


def iter_shards(path: str | Path, *, columns: Sequence[str] | None = None) -> Iterator[Sample]:
    """The shards of a data set, one after the other, each verified; memory is bounded by the largest.

    Args:
        path: The folder that `write_dataset` made.
        columns: The variables wanted; None for all.

    Raises:
        FileNotFoundError: If there is no data set.
        ValueError: If a column is unknown.
        DamagedFileError: If a shard is missing, truncated, damaged or of another data set.
    """
    stored = open_dataset(path)
    names = tuple(v.name for v in stored.manifest.variables)
    for name in columns or ():
        if name not in names:
            raise ValueError(f"unknown column {name!r}: the data set has {', '.join(names)}")
    return (shard if columns is None else shard.select(columns) for shard in stored)


def read_data(path: str | Path, *, columns: Sequence[str] | None = None) -> Sample:
    """Read a data set's folder, or a `.parquet`, `.csv`, `.npz` or `.safetensors` file.

    A file of another origin is a `Table`: its columns are read and checked when they are named, so that
    dates, lists or missing values elsewhere do no harm; the file has to stay until then. A name without a
    column is the vector of the columns `name_0, name_1, ..`.

    Args:
        path: The folder or file.
        columns: The variables wanted, which alone are read, with the column of groups where the file names
            one; None for all.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is damaged, repeats a name or is of an unknown kind, or a column that is named is
            unknown or cannot be a variable.
    """
    if not Path(path).is_dir():
        return scan_table(path, columns=columns)
    if columns is None:
        return read_dataset(path)
    return open_dataset(path).read(columns=columns)


def _chosen(shard: Sample, columns: Sequence[str] | None) -> Sample:
    if columns is None:
        return shard
    return shard.select(
        list(dict.fromkeys([*check_names(columns), *([] if shard.groups is None else [shard.groups])]))
    )


def _size(sample: Sample) -> float:
    """The bytes of a row."""
    return sum(column.nbytes for column in sample.columns.values()) / len(sample)


def _memory() -> int | None:
    return available_memory()
