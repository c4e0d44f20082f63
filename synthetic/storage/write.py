"""Making a data set: shard by shard, atomically, resuming where an earlier run stopped.

While a data set is made it lives in a hidden folder beside its place; the folder gets its name when
everything is there. A run that was interrupted is taken up again: shards that are whole are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from synthetic.generator import Generator
from synthetic.storage.files import DamagedFileError, read_tensors, sha256_of, write_atomically, write_tensors
from synthetic.storage.manifest import (
    MANIFEST,
    Manifest,
    Plan,
    Shard,
    describe_sample,
    described,
    known_answers,
)
from synthetic.storage.scratch import Scratch, Tell, made_with, writing
from synthetic.variables import Variable
from theory.checks import integer

__all__ = ["Progress", "write_dataset"]

MOST_SHARDS = 100_000
"""The largest number of files of a data set: five digits number them."""

Progress = Callable[[int, int], None]
"""Called with the rows that are done and the rows in all."""


def write_dataset(
    generator: Generator,
    *,
    samples: int,
    seed: int,
    out: str | Path,
    shards: int = 1,
    progress: Progress | None = None,
    tell: Tell | None = None,
    jobs: int = 1,
    only: Sequence[int] | None = None,
) -> Path:
    """Draw a data set and write it to a folder.

    Shard k depends on the seed and k alone. The folder appears when it is complete; an interrupted run
    leaves a hidden folder beside it, from which the next one goes on with the shards that are whole and that
    the same code made. A folder that already holds this very data set, made by the same code, is left as it
    is.

    Args:
        generator: Where the rows come from.
        samples: The number of rows.
        seed: Fixes every bit.
        out: The folder to make.
        shards: The number of files; memory is bounded by the largest shard.
        progress: Called after each shard with the rows done and the rows in all.
        tell: Called with a line on what is taken up, what is made anew and why.
        jobs: The number of processes that draw shards; on a cluster, see `synthetic.parallel.cluster`, its
            workers do, and `out` must be on a file system that they share.
        only: The shards to make in this call, so that several machines can share the work; None for all.
            The call that finds all shards there finishes the data set.

    Returns:
        The folder, or the hidden folder beside it while shards are still missing.

    Raises:
        ValueError: If a number is not positive, there are more shards than rows, or more than `MOST_SHARDS`.
        FileExistsError: If `out` exists and is something else, or was made by other code.
        BusyError: If another process is writing there.
    """
    plan = Plan(
        generator.family,
        json.loads(json.dumps(generator.settings)),
        integer("seed", seed, 0),
        integer("samples", samples, 1),
        integer("shards", shards, 1, MOST_SHARDS),
    )
    if plan.shards > plan.samples:
        raise ValueError(f"shards must be at most samples={plan.samples}, got {plan.shards}")
    integer("jobs", jobs, 1)
    wanted = range(plan.shards) if only is None else [integer("only", k, 0, plan.shards - 1) for k in only]
    work = _Work(Scratch(Path(out), plan, made_with(generator)), generator, progress, tell or _say_nothing)
    work.scratch.folder.parent.mkdir(parents=True, exist_ok=True)
    if only is None:
        with writing(work.scratch.folder):
            return work.finished() or work.finish(work.draw(wanted, jobs))
    done = work.finished()
    if done is not None:
        return done
    found = work.draw(wanted, jobs)
    if len(found) < plan.shards:
        return work.scratch.path
    with writing(work.scratch.folder, wait=True):
        return work.finished() or work.finish(found)


def _say_nothing(line: str) -> None:
    del line


@dataclass(frozen=True)
class _Work:
    """One call of `write_dataset`."""

    scratch: Scratch
    generator: Generator
    progress: Progress | None
    tell: Tell

    def finished(self) -> Path | None:
        """The folder if it already holds the data set."""
        folder, plan = self.scratch.folder, self.scratch.plan
        if not folder.exists() or _is_empty(folder):
            return None
        _require_same(folder, plan, self.scratch.made)
        self.tell(f"{folder} is there already, whole and made by this code: left as it is")
        self.report(plan.samples)
        return folder

    def report(self, rows: int) -> None:
        """Tell the progress."""
        if self.progress is not None:
            self.progress(rows, self.scratch.plan.samples)

    def draw(self, wanted: Iterable[int], jobs: int) -> dict[int, Shard]:
        """The shards that are there after making those that are wanted and missing."""
        plan = self.scratch.plan
        new = self.scratch.open()
        found: dict[int, Shard] = {}
        try:
            for k in range(plan.shards):
                kept = self.scratch.kept(k)
                if isinstance(kept, Shard):
                    found[k] = kept
                elif kept is not None:
                    self.tell(f"shard {k} is made anew: {kept}")
            if found:
                self.tell(f"{len(found)} of {plan.shards} shards are whole and made by this code: taken up")
            done = sum(shard.rows for shard in found.values())
            if done:
                self.report(done)
            missing = [k for k in dict.fromkeys(wanted) if k not in found]
            for k, shard in self._drawn(missing, jobs):
                found[k] = shard
                done += shard.rows
                self.report(done)
        except BaseException:
            if new and not any(self.scratch.shard(k).exists() for k in range(plan.shards)):
                self.scratch.clear()
                self.scratch.path.rmdir()
            raise
        return found

    def _drawn(self, missing: list[int], jobs: int) -> Iterator[tuple[int, Shard]]:
        """The missing shards as they come, drawn here, by processes, or by the workers of a cluster."""
        from synthetic.parallel import active_client, map_unordered

        remote = active_client() is not None
        if not remote and (jobs == 1 or len(missing) < 2):
            for k in missing:
                yield k, write_shard(k, self.generator, self.scratch)
            return
        scratch = replace(self.scratch, folder=self.scratch.folder.absolute())
        written = map_unordered(
            write_shard, missing, jobs=jobs, shared=(self.generator, scratch), tell=self.tell
        )
        for index, shard in written:
            k = missing[index]
            if remote and not self.scratch.shard(k).is_file():
                raise FileNotFoundError(
                    f"a worker of the cluster wrote {scratch.shard(k)} on a disk of its own: out must be on "
                    "a file system that all workers share"
                )
            yield k, shard

    def finish(self, found: Mapping[int, Shard]) -> Path:
        """Write the manifest and give the folder its name."""
        scratch, folder = self.scratch, self.scratch.folder
        whole = tuple(found[k] for k in range(scratch.plan.shards))
        variables, groups = _described(scratch.shard(0))
        manifest = Manifest(
            scratch.plan, variables, whole, groups, known_answers(self.generator), scratch.made
        )
        write_atomically(scratch.path / MANIFEST, manifest.to_json().encode())
        scratch.clear()
        if folder.exists() and not _is_empty(folder):
            _require_same(folder, scratch.plan, scratch.made)
        elif folder.exists():
            folder.rmdir()
        os.replace(scratch.path, folder)
        return folder


def write_shard(k: int, generator: Generator, scratch: Scratch) -> Shard:
    """Draw shard k and write it, and then its receipt, into the scratch folder."""
    plan = scratch.plan
    sample = generator.shard(k, plan.rows(k), seed=plan.seed)
    path = scratch.shard(k)
    metadata = {**describe_sample(sample), "plan": plan.digest, "shard": str(k)}
    digest = write_tensors(path, sample.columns, metadata)
    shard = Shard(path.name, len(sample), path.stat().st_size, digest)
    scratch.keep(k, shard)
    return shard


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _require_same(folder: Path, plan: Plan, made: Mapping[str, str]) -> None:
    try:
        existing = Manifest.read(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise FileExistsError(
            f"out={str(folder)!r} exists and is not a data set: choose another folder"
        ) from None
    if existing.plan != plan:
        raise FileExistsError(
            f"out={str(folder)!r} already holds another data set ({existing.plan.family}, "
            f"seed {existing.plan.seed}, {existing.plan.samples} rows in {existing.plan.shards} shards): "
            f"choose another folder"
        )
    other = [
        f"{name} {existing.versions.get(name, 'unknown')}"
        for name in made
        if existing.versions.get(name) != made[name]
    ]
    if other:
        raise FileExistsError(
            f"out={str(folder)!r} already holds this data set, made by other code or versions "
            f"({', '.join(other)}): choose another folder, or delete that one to make it anew"
        )
    for shard in existing.shards:
        path = folder / shard.file
        if not path.is_file() or sha256_of(path) != shard.sha256:
            raise DamagedFileError(f"{path} is missing or damaged: delete {folder} and generate it again")


def _described(path: Path) -> tuple[tuple[Variable, ...], str | None]:
    return described(path, read_tensors(path)[1])
