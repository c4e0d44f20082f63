"""`dataset.json`: what a data set is, so that it can be understood, checked and made again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from synthetic.generator import Answer, Generator, NoExactAnswerError
from synthetic.sample import Sample
from synthetic.storage.files import DamagedFileError, reading, variable_from_dict, variable_to_dict
from synthetic.variables import Variable
from theory import parse_expression
from theory.checks import integer, number
from theory.errors import shown

__all__ = ["MANIFEST", "Manifest", "Plan", "Shard", "shard_name"]

FORMAT = "essl-dataset/1"
"""The name and version of the format; another one is refused."""
MANIFEST = "dataset.json"
"""The file that makes a folder a dataset."""


@dataclass(frozen=True)
class Shard:
    """One file of a data set.

    Args:
        file: Its name in the folder.
        rows: The number of its rows.
        bytes: Its size.
        sha256: Its checksum.
    """

    file: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Plan:
    """What fixes every bit of a data set.

    Args:
        family: The generator's family.
        parameters: Its parameters, as JSON holds them.
        seed: The seed.
        samples: The number of rows.
        shards: The number of files.
    """

    family: str
    parameters: dict[str, Any]
    seed: int
    samples: int
    shards: int

    @property
    def digest(self) -> str:
        """A short name of the plan, written into each shard."""
        content = json.dumps([FORMAT, vars(self)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:32]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of rows of each shard."""
        return shard_sizes(self.samples, self.shards)

    def rows(self, k: int) -> int:
        """The number of rows of shard k: as equal as can be, the first ones larger by one."""
        size, rest = divmod(self.samples, self.shards)
        return size + (k < rest)


@dataclass(frozen=True)
class Manifest:
    """The content of `dataset.json`.

    Args:
        plan: Family, parameters, seed and sizes.
        variables: What each column is.
        groups: The column that marks dependent rows, if any.
        exact: The exact value of the main terms, as far as they are known.
        shards: The files.
        versions: The versions that made them.
    """

    plan: Plan
    variables: tuple[Variable, ...]
    shards: tuple[Shard, ...]
    groups: str | None = None
    exact: dict[str, Answer] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text of `dataset.json`."""
        content = {
            "format": FORMAT,
            **vars(self.plan) | {"shards": None},
            "digest": self.plan.digest,
            "groups": self.groups,
            "variables": [variable_to_dict(v) for v in self.variables],
            "exact": {
                term: {
                    "value": answer.value,
                    "standard_error": answer.standard_error,
                    "method": answer.method,
                    "unit": "nats",
                }
                for term, answer in self.exact.items()
            },
            "versions": self.versions,
            "shards": [vars(shard) for shard in self.shards],
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the `dataset.json` of a folder.

        Raises:
            FileNotFoundError: If the folder has none.
            DamagedFileError: If it cannot be understood or does not agree with itself.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise FileNotFoundError(f"{folder} is not a data set: it has no {MANIFEST}")
        with reading(f"{path} is damaged"):
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise DamagedFileError(
                    f"{path} has the format {shown(content['format'])}, expected {FORMAT!r}"
                )
            shards = tuple(Shard(**entry) for entry in content["shards"])
            for k, shard in enumerate(shards):
                integer(f"rows of shard {k}", shard.rows, 1)
                integer(f"bytes of shard {k}", shard.bytes, 1)
            plan = Plan(
                str(content["family"]),
                dict(content["parameters"]),
                integer("seed", content["seed"], 0),
                integer("samples", content["samples"], 1),
                len(shards),
            )
            exact = {
                term: Answer(term, number("value", a["value"]), a["standard_error"], a["method"])
                for term, a in content["exact"].items()
            }
            variables = tuple(variable_from_dict(entry) for entry in content["variables"])
            groups = content["groups"]
            if groups is not None and groups not in [v.name for v in variables]:
                raise DamagedFileError(f"{path} is damaged: its groups {shown(groups)} are no column")
            found = cls(plan, variables, shards, groups, exact, dict(content["versions"]))
            digest = plan.digest
        if digest != content.get("digest"):
            raise DamagedFileError(f"{path} was changed: its digest does not fit its parameters")
        if tuple(shard.rows for shard in shards) != plan.sizes:
            raise DamagedFileError(f"{path} is damaged: its shards do not add up to {plan.samples} rows")
        for k, shard in enumerate(shards):
            if shard.file != shard_name(k, len(shards)):
                raise DamagedFileError(f"{path} is damaged: shard {k} is called {shown(shard.file)}")
        return found


def shard_sizes(samples: int, shards: int) -> tuple[int, ...]:
    """Rows of each shard: as equal as can be, the first ones larger by one."""
    size, rest = divmod(samples, shards)
    return tuple(size + (k < rest) for k in range(shards))


def shard_name(k: int, shards: int) -> str:
    """The file name of shard k."""
    return f"shard-{k:05d}-of-{shards:05d}.safetensors"


def known_answers(generator: Generator) -> dict[str, Answer]:
    """The main terms that the generator knows."""
    answers = {}
    names = {v.name for v in generator.variables}
    for term in generator.main_terms:
        if not set(parse_expression(term).variables) <= names:
            continue
        try:
            answers[term] = generator.exact(term)
        except NoExactAnswerError:
            continue
    return answers


def describe_sample(sample: Sample) -> dict[str, str]:
    """The metadata by which a file's columns are understood."""
    return {
        "format": FORMAT,
        "variables": json.dumps([variable_to_dict(v) for v in sample.variables.values()]),
        "groups": json.dumps(sample.groups),
        "metadata": json.dumps(dict(sample.metadata), default=str),
    }


def described(path: Path, metadata: Mapping[str, str]) -> tuple[tuple[Variable, ...], str | None]:
    """The variables and the groups column that `describe_sample` wrote.

    Raises:
        DamagedFileError: If the metadata cannot be understood; `path` names the file.
    """
    with reading(f"{path} is damaged: its variables cannot be read"):
        variables = tuple(variable_from_dict(entry) for entry in json.loads(metadata["variables"]))
        groups = json.loads(metadata.get("groups", "null"))
    return variables, groups


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that the bits depend on."""
    found = {"python": platform.python_version()}
    for package in ("essl-synergy", "numpy", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
