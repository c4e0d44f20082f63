"""Experiments and their outcomes."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from synergy.device import choose_device
from synergy.experiments.findings import Finding, FindingVerdict, joint_confidence
from synergy.experiments.runs import Progress, Runner
from synergy.experiments.scale import Scale, as_scale
from synergy.ranking.files import write_together
from synthetic.storage.files import DamagedFileError
from theory.source import source_digest

__all__ = ["Conclusion", "Experiment", "ExperimentOutcome", "compact", "write_outcome"]

_RUNS, _OUTCOME = "runs.parquet", "outcome.json"
"""The files of the runs, and of what they say."""

_DIGEST = "runs"
"""Where `outcome.json` keeps the digest of its runs; outcomes that were kept before have none."""


@dataclass(frozen=True)
class Conclusion:
    """The conclusion from the runs of an experiment.

    Args:
        table: One row per condition: `Q`, `Q low` and `Q high` for a quantity Q with its 95 % interval.
        findings: The numbers that the theory speaks of.
        predicted: The prediction of the theory, in one or two sentences.
        seen: The answer to the question, in one plain sentence; the numbers are in the tables.
        details: A further table, of numbers that are in neither the table nor the findings.
    """

    table: pd.DataFrame
    findings: tuple[Finding, ...]
    predicted: str
    seen: str
    details: pd.DataFrame | None = None


@dataclass(frozen=True)
class ExperimentOutcome:
    """The outcome of an experiment.

    Args:
        name: The experiment.
        conclusion: The table, the findings and the paragraph.
        runs: One row per condition and seed.
        draw: Draws the figure of the runs.
        scale: How large it was.
        source: The digest of the code that made the runs; None where it was not kept.
        notes: What is to be known of the images, a sentence each.
    """

    name: str
    conclusion: Conclusion
    runs: pd.DataFrame
    draw: Callable[[pd.DataFrame], Figure]
    scale: Scale
    source: str | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def figure(self) -> Figure:
        """The figure, drawn when it is first asked for."""
        from matplotlib import pyplot

        drawn = self.draw(self.runs)
        pyplot.close(drawn)  # the outcome holds it; pyplot would hold every one until it is told
        return drawn

    @property
    def table(self) -> pd.DataFrame:
        """One row per condition, with means and intervals over seeds."""
        return self.conclusion.table

    @property
    def confidence(self) -> float:
        """The confidence of each finding's interval, so that all hold together with 95 % (Bonferroni)."""
        return joint_confidence(self.conclusion.findings)

    @property
    def agrees(self) -> bool | None:
        """True where every prediction agrees, False where one disagrees, None where some are undecided."""
        verdicts = set(self._judged) - {"fixed by construction"}
        if "disagrees" in verdicts:
            return False
        return True if verdicts == {"agrees"} else None

    @property
    def _judged(self) -> list[FindingVerdict]:
        """The verdicts of what is predicted."""
        findings = self.conclusion.findings
        return [f.verdict(self.confidence) for f in findings if f.relation is not None and f.void is None]

    @property
    def told(self) -> str:
        """The answer in a sentence, how many predictions agree, and the notes."""
        judged = self._judged
        if not judged:
            return " ".join([self.conclusion.seen, *self.notes])
        words = {
            "agrees": ("agrees", "agree"),
            "disagrees": ("disagrees", "disagree"),
            "undecided": ("is undecided", "are undecided"),
            "fixed by construction": ("is fixed by construction", "are fixed by construction"),
        }
        counts = ", ".join(
            f"{judged.count(kind)} {forms[judged.count(kind) > 1]}"
            for kind, forms in words.items()
            if kind in judged
        )
        return " ".join([self.conclusion.seen, f"Of the predictions {counts}.", *self.notes])

    @property
    def findings(self) -> pd.DataFrame:
        """One row per finding, for reading: the number over seeds, what it should be, the verdict.

        `could have seen` is the smallest effect that the seeds could tell from 0, see
        `Finding.smallest_effect`: "no effect" where it would have to be larger than the number can be.
        """
        rows = [
            {
                "finding": f.about,
                "over seeds": f.over_seeds(self.confidence),
                "predicted": "" if f.relation is None else _predicted(f),
                "could have seen": f.could_have_seen(self.confidence),
                "verdict": f.verdict(self.confidence),
            }
            for f in self.conclusion.findings
        ]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """What `synergy experiment --json` prints."""
        details = self.conclusion.details
        return {
            "experiment": self.name,
            "predicted": self.conclusion.predicted,
            "seen": self.conclusion.seen,
            "agrees": self.agrees,
            "findings": [f.to_dict(self.confidence) for f in self.conclusion.findings],
            "scale": self.scale.to_dict(),
            "source": self.source,
            "notes": list(self.notes),
            "table": json.loads(self.table.to_json(orient="records")),
            "details": json.loads("[]" if details is None else details.to_json(orient="records")),
        }

    def _repr_html_(self) -> str:
        frames = (self.findings, compact(self.table), compact(self.conclusion.details))
        tables = (frame.to_html(index=False) for frame in frames if len(frame))
        predicted = f"<p>Predicted: {escape(self.conclusion.predicted)}</p>"
        return f"<p>{escape(self.told)}</p>{''.join(tables)}{predicted}"


def _predicted(finding: Finding) -> str:
    margin = f" within {finding.margin:g}" if finding.margin else ""
    return f"{finding.relation} 0{margin}"


@dataclass(frozen=True)
class Experiment:
    """A controlled experiment with a prediction.

    Args:
        name: The name on the command line.
        title: A few words.
        question: What it asks, in one sentence.
        measure: Makes the runs, one row per condition and seed.
        conclude: What the runs say.
        draw: The figure of the runs.
        fewest: The images of one's own that it needs at least; None where it takes none.
        probes: Whether it fits linear probes, which `Scale.labelled` is for.
        square: Whether it turns images by quarters, so that they must be square.
    """

    name: str
    title: str
    question: str
    measure: Callable[[Runner], pd.DataFrame]
    conclude: Callable[[pd.DataFrame], Conclusion]
    draw: Callable[[pd.DataFrame], Figure]
    fewest: int | None = None
    probes: bool = True
    square: bool = False

    def run(
        self,
        scale: Scale,
        progress: Progress | None = None,
        *,
        journal: Path | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> ExperimentOutcome:
        """Run it at a scale.

        Args:
            scale: How large.
            progress: Told of every run that is done.
            journal: Where to keep finished runs, to take up after an interruption.
            tell: Called with a line where images are few, a worker died, or a cluster has none yet.

        Raises:
            ValueError: If there is no such device, the images are not what they should be, or labels are
                counted for probes and there are none.
        """
        choose_device(scale.device)
        if scale.labelled is not None and not self.probes:
            raise ValueError(
                f"labelled is for linear probes of the class, which {self.name} has none of; "
                f"got {scale.labelled}"
            )
        scale.check_images(self.fewest, square=self.square)
        notes = scale.notes
        if tell is not None:
            for note in notes:
                tell(note)
        runs = self.measure(Runner(scale, progress, journal, tell))
        return self.outcome(runs, scale, source=source_digest(self.measure), notes=notes)

    def outcome(
        self, runs: pd.DataFrame, scale: Scale, *, source: str | None = None, notes: Sequence[str] = ()
    ) -> ExperimentOutcome:
        """What runs made at a scale, by code of that digest, say."""
        return ExperimentOutcome(self.name, self.conclude(runs), runs, self.draw, scale, source, tuple(notes))

    def read(self, folder: str | Path) -> ExperimentOutcome:
        """The outcome that `write_outcome` left in a folder, its table and figure made again from its runs.

        Raises:
            FileNotFoundError: If there is none.
            DamagedFileError: If the runs are not those that the outcome is of.
        """
        kept = Path(folder) / self.name
        for name in (_RUNS, _OUTCOME):
            if not (kept / name).exists():
                raise FileNotFoundError(f"no outcome of {self.name} in {folder}: {kept / name} is missing")
        told = json.loads((kept / _OUTCOME).read_text(encoding="utf-8"))
        table = (kept / _RUNS).read_bytes()
        if _DIGEST in told and told[_DIGEST] != _digest(table):
            raise DamagedFileError(
                f"{kept / _OUTCOME} tells of other runs than {kept / _RUNS} holds, as after an interruption: "
                "run the experiment again, which takes its finished runs from the journal"
            )
        return self.outcome(
            pd.read_parquet(io.BytesIO(table)),
            as_scale(told["scale"]),
            source=told.get("source"),
            notes=told.get("notes", ()),
        )


def write_outcome(outcome: ExperimentOutcome, out: Path) -> list[Path]:
    """Write runs, table, figure and paragraph into a folder named after the experiment.

    Each file is there whole or not at all, and the paragraph names its runs by a digest, so that `read`
    refuses the files of two outcomes.

    Raises:
        ValueError: If a number of the paragraph is not finite; the files that were there are left as they
            were.
    """
    runs = outcome.runs.to_parquet(index=False)
    told = {**outcome.to_dict(), _DIGEST: _digest(runs)}
    contents = {
        "table.csv": outcome.table.to_csv(index=False).encode(),
        _RUNS: runs,
        _OUTCOME: f"{json.dumps(told, indent=2, allow_nan=False)}\n".encode(),
    }
    return write_together(out / outcome.name, contents, {"figure": outcome.figure})


def _digest(runs: bytes) -> str:
    """16 hexadecimal digits of the file of the runs."""
    return hashlib.sha256(runs).hexdigest()[:16]


def compact(table: pd.DataFrame | None, *, digits: int = 3) -> pd.DataFrame:
    """The table as text for reading, each quantity with its interval in one column; empty for None.

    Example:
        >>> rows = pd.DataFrame({"task": ["flip"], "gain": [0.25], "gain low": [0.2], "gain high": [0.3]})
        >>> compact(rows).to_dict("records")
        [{'task': 'flip', 'gain': '0.250 [0.200, 0.300]'}]
        >>> compact(pd.DataFrame({"J": [-1e-9]})).to_dict("records")  # no zero below zero
        [{'J': '0.000'}]
    """

    def text(value: object) -> str:
        if isinstance(value, float):
            return "" if pd.isna(value) else f"{value:z.{digits}f}"
        return str(value)

    shown: dict[str, list[str]] = {}
    table = pd.DataFrame() if table is None else table
    for name in table.columns:
        if any(
            f"{name.removesuffix(end)} high" in table.columns
            for end in (" low", " high")
            if name.endswith(end)
        ):
            continue
        column = [text(v) for v in table[name].tolist()]
        if f"{name} low" in table.columns:
            ends = zip(table[f"{name} low"].tolist(), table[f"{name} high"].tolist(), strict=True)
            column = [
                f"{value} [{text(low)}, {text(high)}]" if math.isfinite(low) and value else value
                for value, (low, high) in zip(column, ends, strict=True)
            ]
        shown[name] = column
    return pd.DataFrame(shown)
