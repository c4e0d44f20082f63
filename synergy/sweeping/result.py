"""What a sweep found."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synergy.sweeping.plain import from_text
from synergy.sweeping.store import Record, Store

__all__ = ["Failure", "Sweep"]


@dataclass(frozen=True)
class Failure:
    """A cell whose run failed.

    Args:
        parameters: What the function was called with.
        seed: The seed.
        error: The type of the error.
        message: Its text.
        traceback: Where it came from.
    """

    parameters: Mapping[str, Any]
    seed: int
    error: str
    message: str
    traceback: str

    def __str__(self) -> str:
        given = {**self.parameters, "seed": self.seed}
        called = ", ".join(f"{name}={value!r}" for name, value in given.items())
        return f"{called}: {self.error}: {self.message}"


@dataclass(frozen=True)
class Sweep:
    """The cells of a sweep, in the order of the grid and its seeds, read when they are asked for.

    Args:
        function: The name of what was run.
        names: The parameters, as the grid has them.
        keys: The keys of the cells.
        store: Where they are.
    """

    function: str
    names: tuple[str, ...]
    keys: tuple[str, ...]
    store: Store

    @property
    def folder(self) -> Path | None:
        """Where the cells are; None for memory."""
        return self.store.folder

    def __len__(self) -> int:
        return len(self.keys)

    def _records(self) -> Iterator[Record]:
        wanted = dict.fromkeys(self.keys)
        found: dict[str, Record] = {r["key"]: r for r in self.store.records() if r["key"] in wanted}
        return (found[key] for key in self.keys if key in found)

    def _parameters(self, record: Record) -> dict[str, Any]:
        held = from_text(record["parameters"])
        return {name: held[name] for name in self.names}

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The cells that failed, in the order of the grid."""
        place = {key: i for i, key in enumerate(self.keys)}
        found: dict[int, Record] = {}
        for record in self.store.records():  # one part at a time: most cells do not fail
            if (i := place.get(record["key"])) is None:
                continue
            if record["error"] is None:
                found.pop(i, None)
            else:
                found[i] = record
        return tuple(
            Failure(self._parameters(r), r["seed"], r["error"], r["message"], r["traceback"])
            for _, r in sorted(found.items())
        )

    @property
    def exit_status(self) -> int:
        """0 where every cell has a value, else 1."""
        return int(bool(self.failed))

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the function, and for each cell its parameters, seed, seconds, and value or error."""
        return {
            "function": self.function,
            "cells": [_told(record, self._parameters(record)) for record in self._records()],
        }

    def to_json(self) -> str:
        """The same as JSON; arrays as lists, and null for NaN and infinities, which JSON does not have."""
        return json.dumps(_finite(self.to_dict()), indent=2, allow_nan=False)

    def to_pandas(self) -> pd.DataFrame:
        """One row for each cell: parameters, seed, what the function gave, seconds and error.

        A dict, dataclass or Estimate gives a column for each entry, `outer.inner` for nested ones; anything
        else is the column `value`. An entry that is named as a parameter gets `result.` before its name.
        """
        rows = []
        for record in self._records():
            parameters = self._parameters(record)
            row = {**parameters, "seed": record["seed"]}
            if record["error"] is None:
                taken = (*parameters, "seed", "seconds", "error")
                for name, value in _flat(from_text(record["value"])).items():
                    row[f"result.{name}" if name in taken else name] = value
            error = None if record["error"] is None else f"{record['error']}: {record['message']}"
            rows.append({**row, "seconds": record["seconds"], "error": error})
        frame = pd.DataFrame(rows)
        last = ["seconds", "error"]
        return frame[[name for name in frame.columns if name not in last] + last]

    def __str__(self) -> str:
        failed = self.failed
        told = f"{len(self)} cells of {self.function}, {len(failed)} failed"
        return "\n".join(
            [told, *(f"  {failure}" for failure in failed[:3]), *(["  .."] if len(failed) > 3 else [])]
        )

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html(index=False))


def _told(record: Record, parameters: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "parameters": dict(parameters),
        "seed": record["seed"],
        "seconds": record["seconds"],
    }
    if record["error"] is None:
        return {**told, "value": from_text(record["value"])}
    return {**told, **{name: record[name] for name in ("error", "message", "traceback")}}


def _flat(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {"value": value}
    found: dict[str, object] = {}
    for name, entry in value.items():
        if isinstance(entry, dict) and entry:
            found |= {f"{name}.{inner}": deep for inner, deep in _flat(entry).items()}
        else:
            found[name] = entry
    return found


def _finite(value: object) -> object:
    if isinstance(value, np.ndarray):
        return _finite(value.tolist())
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
