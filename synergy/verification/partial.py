"""What an interrupted verification has done, kept until the whole is written."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from synergy.verification.verdict import Verdict
from theory.source import source_digest

__all__ = ["Partial"]


class Partial:
    """Finished tasks as JSON files, named by a hash of everything that decides their verdicts.

    A run with the same claims, cases, settings and code finds them; any other run does not.

    Args:
        folder: Where to keep them; None to keep nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    @staticmethod
    def key(*parts: Any) -> str:
        """The name of a task."""
        text = "\n".join([source_digest(), *map(repr, parts)])
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def load(self, key: str) -> list[Verdict] | None:
        """The verdicts of a finished task, or None; a damaged file counts as none."""
        if self.folder is None or not (self.folder / f"{key}.json").exists():
            return None
        known = {f.name for f in fields(Verdict)}
        try:
            rows = json.loads((self.folder / f"{key}.json").read_text())
            return [_verdict({k: v for k, v in row.items() if k in known}) for row in rows]
        except (ValueError, TypeError):
            return None

    def save(self, key: str, verdicts: Sequence[Verdict]) -> None:
        """Keep the verdicts of a finished task; the file appears whole or not at all."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = [{**asdict(v), "evidence": dict(v.evidence)} for v in verdicts]
        part = self.folder / f"{key}.part"
        part.write_text(json.dumps(rows))
        part.replace(self.folder / f"{key}.json")

    def clear(self) -> None:
        """Forget everything, once the results are written."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _verdict(row: dict[str, Any]) -> Verdict:
    """A verdict from its fields as JSON holds them."""
    return Verdict(**{**row, "warnings": tuple(row.get("warnings", ()))})
