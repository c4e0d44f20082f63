"""The scratch folder of a data set that is being made: what is whole there, who made it, and who is writing.

Each finished shard has a receipt beside it: its checksum, taken as it was written, and the digest of the code
and of the library versions that made it. A shard without a receipt, with other bits or from other code is
drawn anew. Nothing is deleted that was not made here: a folder of that name without our mark, or with other
files in it, is refused.
"""

from __future__ import annotations

import inspect
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from synthetic.generator import Generator
from synthetic.storage.files import sha256_of, write_atomically
from synthetic.storage.manifest import MANIFEST, Plan, Shard, shard_name, versions
from theory.source import source_digest

__all__ = ["BusyError", "Scratch", "Tell", "made_with", "writing"]

Tell = Callable[[str], None]
"""Called with one line about what is taken up, made anew or left as it is."""

_MARK = "scratch.json"  # says whose folder it is
_TEMPORARY = re.compile(
    r"\.(shard-.*|dataset\.json|scratch\.json)\.tmp\Z"
)  # what `write_atomically` leaves if killed
_PATIENCE = 60.0  # seconds that the last of several calls waits for another one that finishes the data set


class BusyError(OSError):
    """Another process is writing there."""


def made_with(generator: Generator) -> dict[str, str]:
    """The code and the versions that the bits of a generator's data set depend on.

    The code is a digest of the storeys `theory` and `synthetic` and of the files that define the generator
    and those that it wraps.
    """
    parts = []
    for kind in dict.fromkeys(_kinds(generator)):
        try:
            inspect.getfile(kind)
        except (TypeError, OSError):  # defined in a notebook or at a prompt: there is no file
            continue
        parts.append(kind)
    return {**versions(), "code": source_digest(*parts, storeys=("theory", "synthetic"))}


def _kinds(generator: Generator) -> Iterator[type]:
    yield type(generator)
    for value in generator.parameters.values():
        if isinstance(value, Generator):
            yield from _kinds(value)


@contextmanager
def writing(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a data set's place; the file of the lock is removed at the end.

    Args:
        folder: Where the data set will be.
        wait: Wait a minute for the other one instead of refusing at once.

    Raises:
        BusyError: If another process holds it.
    """
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        lock.acquire(timeout=_PATIENCE if wait else 0)
    except Timeout:
        raise BusyError(
            f"another process is writing the data set {str(folder)!r}: wait for it, or choose another folder"
        ) from None
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


@dataclass(frozen=True)
class Scratch:
    """The hidden folder beside a data set's place, one for each plan.

    Args:
        folder: Where the data set will be.
        plan: What fixes its bits.
        made: The code and versions that make it now, from `made_with`.
    """

    folder: Path
    plan: Plan
    made: dict[str, str]

    @property
    def path(self) -> Path:
        """The hidden folder; its name depends on the plan, so that two data sets never share one."""
        return self.folder.with_name(f".{self.folder.name}.{self.plan.digest[:8]}.partial")

    def open(self) -> bool:
        """Make the folder if it is not there; whether it is new.

        Raises:
            FileExistsError: If there is one that was not made here.
        """
        mark = self.path / _MARK
        content = json.dumps({"plan": self.plan.digest}).encode()
        if self.path.exists() and any(self.path.iterdir()):
            if not mark.is_file() or mark.read_bytes() != content:
                raise FileExistsError(
                    f"{str(self.path)!r} has the name of a scratch folder and was not made here: move it away"
                )
            return False
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(mark, content)
        return True

    def shard(self, k: int) -> Path:
        """The file of shard k."""
        return self.path / shard_name(k, self.plan.shards)

    def receipt(self, k: int) -> Path:
        """The file that says what shard k is."""
        return self.shard(k).with_suffix(".json")

    def keep(self, k: int, shard: Shard) -> None:
        """Write the receipt of a shard that was just written."""
        content = {**asdict(shard), "plan": self.plan.digest, "made": self.made}
        write_atomically(self.receipt(k), json.dumps(content).encode())

    def kept(self, k: int) -> Shard | str | None:
        """Shard k if it is whole and of this code; else why it is made anew, or None if it is not there."""
        path = self.shard(k)
        if not path.is_file():
            return None
        try:
            content = json.loads(self.receipt(k).read_bytes())
            shard = Shard(**{name: content[name] for name in ("file", "rows", "bytes", "sha256")})
            plan, made = content["plan"], content["made"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return "it has no receipt"
        if plan != self.plan.digest or shard.file != path.name or shard.rows != self.plan.rows(k):
            return "it belongs to another data set"
        if made != self.made:
            return "other code or other library versions made it"
        if path.stat().st_size != shard.bytes or sha256_of(path) != shard.sha256:
            return "its checksum differs"
        return shard

    def clear(self) -> None:
        """Remove everything of ours but the shards and the manifest.

        Raises:
            FileExistsError: If there is something that was not made here.
        """
        shards = {shard_name(k, self.plan.shards) for k in range(self.plan.shards)}
        ours = {_MARK, *(Path(name).with_suffix(".json").name for name in shards)}
        present = {entry.name for entry in os.scandir(self.path)}
        remove = {name for name in present if name in ours or _TEMPORARY.match(name)}
        strange = sorted(present - remove - shards - {MANIFEST})
        if strange:
            raise FileExistsError(
                f"{str(self.path)!r} holds {', '.join(strange[:3])}, not made here: move it away, run again"
            )
        for name in remove:
            (self.path / name).unlink(missing_ok=True)
