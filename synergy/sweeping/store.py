"""The folder of a sweep: `sweep.json` says whose it is, parts hold the cells, a lock keeps others out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from synthetic import BusyError, DamagedFileError
from synthetic.storage.files import write_atomically

__all__ = ["Record", "Store"]

Record = Mapping[str, Any]
"""A cell that was run: the columns of `SCHEMA` by name."""

FORMAT = "synergy-sweep/1"
"""The version of the layout."""

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("parameters", pa.string()),
        ("seed", pa.int64()),
        ("value", pa.string()),
        ("error", pa.string()),
        ("message", pa.string()),
        ("traceback", pa.string()),
        ("seconds", pa.float64()),
    ]
)
"""The columns of a part: parameters and value are JSON; a cell that failed has an error in place of a
value."""

_MANIFEST = "sweep.json"
"""The file that makes a folder the store of a sweep."""

_PATIENCE = 5.0
"""Seconds that cells may wait for company before they are written: a part for each quick cell would be
many."""

_ROWS = 5_000
"""The most cells of a part."""


class Store:
    """Cells on disk, or in memory where there is no folder.

    Args:
        folder: Where they are; None for memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._waiting: list[Record] = []
        self._memory: list[Record] = []
        self._written = time.monotonic()
        self._next = 0

    @contextmanager
    def writing(self, made: Mapping[str, str]) -> Iterator[None]:
        """Hold the folder; what waits is written at the end, also when something fails.

        Args:
            made: What the results depend on, from `identity_of`.

        Raises:
            BusyError: If another sweep writes there.
            FileExistsError: If the folder holds something else, or cells of other code.
        """
        if self.folder is None:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise BusyError(
                f"another sweep is writing to {str(self.folder)!r}: wait for it, or choose another folder"
            ) from None
        try:
            self._take(self.folder, made)
            yield
        finally:
            try:
                self.flush()
            finally:
                lock.release()

    def _take(self, folder: Path, made: Mapping[str, str]) -> None:
        """Claim an empty folder; refuse one that holds something else."""
        manifest = folder / _MANIFEST
        content = {"format": FORMAT, "made": dict(made)}
        if not manifest.exists():
            strange = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
            if strange:
                raise FileExistsError(
                    f"out={str(self.folder)!r} holds {', '.join(strange[:3])} and is no store of a sweep: "
                    "choose another folder"
                )
            write_atomically(manifest, f"{json.dumps(content, indent=2)}\n".encode())
            return
        before = self.manifest().get("made", {})
        other = [
            f"{name} {before.get(name)} then and {made.get(name)} now"
            for name in dict.fromkeys((*before, *made))
            if before.get(name) != made.get(name)
        ]
        if other:
            raise FileExistsError(
                f"out={str(self.folder)!r} holds cells that other code made ({'; '.join(other)}): choose "
                "another folder, or delete that one to run them anew"
            )
        self._next = 1 + max((int(path.stem.partition("-")[2]) for path in self.parts()), default=-1)

    def manifest(self) -> dict[str, Any]:
        """The content of `sweep.json`.

        Raises:
            FileNotFoundError: If the folder is no store.
            DamagedFileError: If it cannot be understood.
        """
        path = (self.folder or Path()) / _MANIFEST
        if not path.is_file():
            raise FileNotFoundError(f"{self.folder} is no store of a sweep: it has no {_MANIFEST}")
        try:
            content = json.loads(path.read_text())
            if content["format"] != FORMAT or not isinstance(content["made"], dict):
                raise ValueError(f"it has the format {content['format']!r}")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedFileError(f"{path} is damaged: {error}") from None
        return dict(content)

    def parts(self) -> list[Path]:
        """The files with cells, the oldest first."""
        return sorted((self.folder or Path()).glob("part-*.parquet"))

    def add(self, record: Record) -> None:
        """Keep a cell; it is on disk some seconds later, or when the store is left."""
        if self.folder is None:
            self._memory.append(record)
            return
        self._waiting.append(record)
        if len(self._waiting) >= _ROWS or time.monotonic() - self._written > _PATIENCE:
            self.flush()

    def flush(self) -> None:
        """Write what waits as one part, whole or not at all."""
        if not self._waiting or self.folder is None:
            return
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist([dict(r) for r in self._waiting], schema=SCHEMA), sink)
        write_atomically(self.folder / f"part-{self._next:06d}.parquet", memoryview(sink.getvalue()))
        self._next += 1
        self._waiting.clear()
        self._written = time.monotonic()

    def records(self, *columns: str) -> Iterator[Record]:
        """All cells, part by part, later ones after those that they replace.

        Args:
            *columns: Some of `SCHEMA`; none for all.

        Raises:
            DamagedFileError: If a part cannot be read.
        """
        if self.folder is None:
            yield from self._memory
            return
        for path in self.parts():
            try:
                table = pq.read_table(path, columns=list(columns) or None)
            except (OSError, pa.ArrowException) as error:
                told = str(error).splitlines()[0]
                raise DamagedFileError(
                    f"{path} is damaged: {told}; delete it, and its cells are run again"
                ) from None
            yield from table.to_pylist()

    def done(self) -> set[str]:
        """The keys of the cells that have a value."""
        found: set[str] = set()
        for record in self.records("key", "error"):
            (found.discard if record["error"] is not None else found.add)(record["key"])
        return found
