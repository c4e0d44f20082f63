"""The answer of a ranking, as tables, plain data, and words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from synergy.ranking.gains import Gain
from synergy.ranking.quantities import QUANTITIES, Quantity
from synergy.ranking.settings import RankSettings

__all__ = ["Ranked", "Ranking", "Reference"]


@dataclass(frozen=True)
class Ranked:
    """One task in the order.

    Args:
        transformation: The name of the task.
        augmentation: The base augmentation before it.
        states: The number of states of A.
        gain: The gain in probe accuracy over the random encoder.
        accuracy: The mean accuracy of the probe.
        group: The group of tasks that cannot be told apart, from 1, the best.
        dropped: After how many of its seeds it was dropped as a clear loser; None where it was not.
        steps: Of each of its pilots.
        pretext: The mean `loss` and `accuracy` of the pretext task at the end of the pilots.
        quantities: What the theory asks, by name; None where it was not measured; empty where not asked.
        shortcuts: I(A;U) of each named statistic alone.
        told: A paragraph.
    """

    transformation: str
    augmentation: str
    states: int
    gain: Gain
    accuracy: float
    group: int
    dropped: int | None
    steps: int
    pretext: Mapping[str, float]
    quantities: Mapping[str, Quantity | None] = field(default_factory=dict)
    shortcuts: Mapping[str, Quantity] = field(default_factory=dict)
    told: str = ""

    @property
    def name(self) -> str:
        """The task, with its augmentation where there is one."""
        none = self.augmentation == "none"
        return self.transformation if none else f"{self.transformation} after {self.augmentation}"

    @property
    def worth(self) -> str:
        """`more`, `less` or `undecided`: what the interval says of the task beside no training."""
        low, high = self.gain.interval
        return "more" if low > 0 else "less" if high < 0 else "undecided"

    def to_dict(self) -> dict[str, Any]:
        """One entry of `ranking`."""
        quantities = {name: self.quantities.get(name) for name in QUANTITIES} if self.quantities else {}
        return {
            "transformation": self.transformation,
            "augmentation": self.augmentation,
            "states": self.states,
            "gain": self.gain.value,
            "interval": list(self.gain.interval),
            "standard_error": self.gain.standard_error,
            "seeds": self.gain.seeds,
            "accuracy": self.accuracy,
            "group": self.group,
            "worth": self.worth,
            "dropped": self.dropped,
            "steps": self.steps,
            "pretext_loss": self.pretext["loss"],
            "pretext_accuracy": self.pretext["accuracy"],
            **{name: None if q is None else q.value for name, q in quantities.items()},
            **{f"{name} ±": None if q is None else q.error for name, q in quantities.items()},
            "shortcuts": {name: q.to_dict() for name, q in self.shortcuts.items()},
            "told": self.told,
        }


@dataclass(frozen=True)
class Reference:
    """What the tasks are compared with.

    Args:
        name: `random encoder`, `supervised encoder` or `raw pixels`.
        accuracy: The mean accuracy of the probe.
        gain: Over the random encoder; None for the random encoder itself.
    """

    name: str
    accuracy: float
    gain: Gain | None

    def to_dict(self) -> dict[str, Any]:
        """One entry of `references`."""
        return {
            "name": self.name,
            "accuracy": self.accuracy,
            "gain": None if self.gain is None else self.gain.value,
            "interval": None if self.gain is None else list(self.gain.interval),
        }


@dataclass(frozen=True)
class Ranking:
    """Pretext tasks by what a short pretraining on them is worth, best first.

    Args:
        tasks: The tasks, in order.
        references: What they are compared with.
        images: The number of images.
        classes: The number of classes.
        judged: The labelled images that the probe was judged on.
        trained: The images that each pilot was trained on.
        seconds: Of a processor core, spent on the runs.
        digest: Of the images.
        source: Of the code.
        settings: How large the runs were.
        seed: What fixed every random choice.
        notes: What a reader must know.
    """

    tasks: tuple[Ranked, ...]
    references: tuple[Reference, ...]
    images: int
    classes: int
    judged: int
    trained: int
    seconds: float
    digest: str
    source: str
    settings: RankSettings
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Ranked:
        """The first task."""
        return self.tasks[0]

    @property
    def worth_less(self) -> tuple[str, ...]:
        """Tasks that are worth less than no training."""
        return tuple(task.name for task in self.tasks if task.worth == "less")

    @property
    def table(self) -> pd.DataFrame:
        """One row per task: what `to_dict` has, with the ends of the interval as `low` and `high`."""
        rows = []
        for number, task in enumerate(self.tasks, start=1):
            row = {"rank": number, **task.to_dict()}
            low, high = row.pop("interval")
            del row["shortcuts"]
            rows.append({**row, "low": low, "high": high})
        return pd.DataFrame(rows)

    def to_pandas(self) -> pd.DataFrame:
        """The same as `table`."""
        return self.table

    def to_dict(self) -> dict[str, Any]:
        """What `synergy rank --json` prints."""
        return {
            "images": self.images,
            "classes": self.classes,
            "judged": self.judged,
            "trained": self.trained,
            "unit": "nats",
            "gain": "difference in accuracy of a linear probe to the same network without training",
            "confidence": self.settings.confidence,
            "smallest_gain": max(task.gain.smallest for task in self.tasks),
            "ranking": [task.to_dict() for task in self.tasks],
            "references": [reference.to_dict() for reference in self.references],
            "worth_less_than_no_training": list(self.worth_less),
            "notes": list(self.notes),
            "seconds": self.seconds,
            "digest": self.digest,
            "source": self.source,
            "seed": self.seed,
            "settings": self.settings.to_dict(),
        }

    def to_json(self) -> str:
        """The same as text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def _repr_html_(self) -> str:
        shown = ["transformation", "gain", "low", "high", "group", *QUANTITIES]
        table = self.table
        return str(table[[c for c in shown if c in table]].to_html(index=False, float_format="{:.3f}".format))
