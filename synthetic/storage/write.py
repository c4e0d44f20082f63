"""Making a data set: shard by shard, atomically, resuming where an earlier run stopped.

While a data set is made it lives in a hidden folder beside its place; the folder gets its name when
everything is there. A run that was interrupted is taken up again: shards that are whole are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
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
    shard_name,
    versions,
)
from synthetic.variables import Variable
from theory.checks import integer

__all__ = ["Progress", "write_dataset"]

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
    jobs: int = 1,
    only: Sequence[int] | None = None,
) -> Path:
    """Draw a data set and write it to a folder.

    Shard k depends on the seed and k alone. The folder appears when it is complete; an interrupted run
    leaves a hidden folder beside it, from which the next one goes on. A folder that already holds this
    very data set is left as it is.

    Args:
        generator: Where the rows come from.
        samples: The number of rows.
        seed: Fixes every bit.
        out: The folder to make.
        shards: The number of files; memory is bounded by the largest shard.
        progress: Called after each shard with the rows done and the rows in all.
        jobs: The number of processes that draw shards, through joblib.
        only: The shards to make in this call, so that several machines can share the work; None for all.
            The call that finds all shards there finishes the data set.

    Returns:
        The folder, or the hidden folder beside it while shards are still missing.

    Raises:
        ValueError: If a number is not positive, or there are more shards than rows.
        FileExistsError: If `out` exists and is something else.
    """
    plan = Plan(
        generator.family,
        json.loads(json.dumps(generator.settings)),
        integer("seed", seed, 0),
        integer("samples", samples, 1),
        integer("shards", shards, 1),
    )
    if plan.shards > plan.samples:
        raise ValueError(f"shards must be at most samples={plan.samples}, got {plan.shards}")
    integer("jobs", jobs, 1)
    wanted = range(plan.shards) if only is None else [integer("only", k, 0, plan.shards - 1) for k in only]
    folder = Path(out)
    if folder.exists() and not _is_empty(folder):
        _require_same(folder, plan)
        if progress is not None:
            progress(plan.samples, plan.samples)
        return folder
    partial = folder.with_name(f".{folder.name}.partial")
    new = not partial.exists()
    partial.mkdir(parents=True, exist_ok=True)
    try:
        return _made(generator, plan, partial, folder, wanted, jobs, progress)
    except BaseException:
        if new and not any(partial.iterdir()):
            partial.rmdir()
        raise


def _made(
    generator: Generator,
    plan: Plan,
    partial: Path,
    folder: Path,
    wanted: Iterable[int],
    jobs: int,
    progress: Progress | None,
) -> Path:
    """Make the missing shards in the partial folder and, when all are there, give it its name."""
    found = {k: _whole(partial / shard_name(k, plan.shards), plan, k) for k in range(plan.shards)}
    done = sum(plan.sizes[k] for k, shard in found.items() if shard is not None)
    if progress is not None and done:
        progress(done, plan.samples)
    missing = [k for k in dict.fromkeys(wanted) if found[k] is None]
    for k, shard in _drawn(generator, plan, partial, missing, jobs):
        found[k] = shard
        done += shard.rows
        if progress is not None:
            progress(done, plan.samples)
    whole = tuple(shard for shard in found.values() if shard is not None)
    if len(whole) < plan.shards:
        return partial
    variables, groups = _described(partial / whole[0].file)
    manifest = Manifest(plan, variables, whole, groups, known_answers(generator), versions())
    write_atomically(partial / MANIFEST, manifest.to_json().encode())
    expected = {MANIFEST, *(shard.file for shard in whole)}
    for leftover in partial.iterdir():
        if leftover.name not in expected:
            leftover.unlink()
    if folder.exists():
        folder.rmdir()
    os.replace(partial, folder)
    return folder


def _drawn(
    generator: Generator, plan: Plan, partial: Path, missing: list[int], jobs: int
) -> Iterable[tuple[int, Shard]]:
    if jobs == 1 or len(missing) < 2:
        return ((k, write_shard(generator, plan, partial, k)) for k in missing)
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=jobs, return_as="generator")
    shards: Iterable[Shard] = parallel(delayed(write_shard)(generator, plan, partial, k) for k in missing)
    return zip(missing, shards, strict=True)


def write_shard(generator: Generator, plan: Plan, folder: Path, k: int) -> Shard:
    """Draw shard k and write it into a folder."""
    sample = generator.shard(k, plan.sizes[k], seed=plan.seed)
    path = folder / shard_name(k, plan.shards)
    metadata = {**describe_sample(sample), "plan": plan.digest, "shard": str(k)}
    digest = write_tensors(path, sample.columns, metadata)
    return Shard(path.name, len(sample), path.stat().st_size, digest)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _require_same(folder: Path, plan: Plan) -> None:
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
    for shard in existing.shards:
        path = folder / shard.file
        if not path.is_file() or sha256_of(path) != shard.sha256:
            raise DamagedFileError(f"{path} is missing or damaged: delete {folder} and generate it again")


def _whole(path: Path, plan: Plan, k: int) -> Shard | None:
    """The shard if an earlier run finished it: files are renamed into place only when they are complete."""
    if not path.is_file():
        return None
    try:
        columns, metadata = read_tensors(path)
    except DamagedFileError:
        return None
    if metadata.get("plan") != plan.digest or metadata.get("shard") != str(k):
        return None
    if not columns or {len(c) for c in columns.values()} != {plan.sizes[k]}:
        return None
    return Shard(path.name, plan.sizes[k], path.stat().st_size, sha256_of(path))


def _described(path: Path) -> tuple[tuple[Variable, ...], str | None]:
    return described(path, read_tensors(path)[1])
