"""What an estimator returns."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Estimate", "Unit"]

Unit = Literal["nats", "bits"]


@dataclass(frozen=True)
class Estimate:
    """An estimated information quantity, in nats unless `unit` says otherwise.

    Args:
        term: The quantity, as text.
        value: The estimate; it may be negative, nothing is clipped.
        standard_error: Its standard error (sampling error only, where `notes` say so).
        interval: The confidence interval (low, high).
        confidence: The nominal coverage of the interval.
        estimator: Which estimator made it.
        samples: The number of rows it saw.
        unit: `nats` or `bits`.
        notes: What was done: what was chosen and why, what was corrected or left out, usable versus Shannon
            information.
        scores: Where the estimator has them, one influence value per row, of shape (samples,), whose
            mean is the value up to bias correction; they make differences of estimates on the same
            rows paired. Not printed and not compared.
        local: Where the estimator has them, the pointwise information of each row, of shape (samples,),
            in the estimate's unit (NaN for a row left out); their mean is the value before bias
            correction. They say where the information is, but not how uncertain the value is.
        warnings: What to beware of: why the interval may miss the truth more often than its confidence says.
            Empty where the interval can be believed.
    """

    term: str
    value: float
    standard_error: float
    interval: tuple[float, float]
    confidence: float
    estimator: str
    samples: int
    unit: Unit = "nats"
    notes: tuple[str, ...] = ()
    scores: npt.NDArray[np.float64] | None = field(default=None, repr=False, compare=False)
    local: npt.NDArray[np.float64] | None = field(default=None, repr=False, compare=False)
    warnings: tuple[str, ...] = ()

    def to(self, unit: Unit) -> Estimate:
        """The same estimate in another unit."""
        if unit == self.unit:
            return self
        factor = 1 / math.log(2) if unit == "bits" else math.log(2)
        return replace(
            self,
            value=self.value * factor,
            standard_error=self.standard_error * factor,
            interval=(self.interval[0] * factor, self.interval[1] * factor),
            unit=unit,
            scores=None if self.scores is None else self.scores * factor,
            local=None if self.local is None else self.local * factor,
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields of `synergy estimate --json`."""
        return {
            "term": self.term,
            "value": self.value,
            "standard_error": self.standard_error,
            "interval": list(self.interval),
            "confidence": self.confidence,
            "estimator": self.estimator,
            "samples": self.samples,
            "unit": self.unit,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def with_words(self, *, notes: Iterable[str] = (), warnings: Iterable[str] = ()) -> Estimate:
        """The same estimate with notes before its own and warnings after its own, each said once.

        Example:
            >>> found = Estimate("H(A)", 0.5, 0.1, (0.3, 0.7), 0.95, "digamma", 9)
            >>> found.with_words(warnings=["few rows"]).warnings
            ('few rows',)
        """
        return replace(
            self,
            notes=tuple(dict.fromkeys((*notes, *self.notes))),
            warnings=tuple(dict.fromkeys((*self.warnings, *warnings))),
        )

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.term} = {self.value:.4f} {self.unit} "
            f"[{low:.4f}, {high:.4f}] at {self.confidence:.0%} ({self.estimator}, n={self.samples})"
            + "".join(f"\n  warning: {warning}" for warning in self.warnings)
        )

    def _repr_html_(self) -> str:
        low, high = self.interval
        warnings = "".join(f"<li><b>warning:</b> {escape(warning)}</li>" for warning in self.warnings)
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            f"<div><b>{escape(self.term)} = {self.value:.4f} {self.unit}</b> "
            f"[{low:.4f}, {high:.4f}] at {self.confidence:.0%}<br>"
            f"<small>{escape(self.estimator)}, {self.samples:,} rows, standard error "
            f"{self.standard_error:.2g}</small><ul>{warnings}{notes}</ul></div>"
        )
