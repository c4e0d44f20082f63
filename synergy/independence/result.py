"""What an independence test returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

__all__ = ["IndependenceResult", "combined"]


@dataclass(frozen=True)
class IndependenceResult:
    """The outcome of a test of `X _||_ Y | Z`, or of several at once.

    Args:
        statement: What was tested, as text.
        p_value: (1 + number of resampled statistics at least as large) / (1 + number of resamples); None
            where nothing could be tested, and `warnings` say why.
        statistic: The observed statistic; None where there is no p-value.
        method: How it was tested.
        resamples: The number of permutations or multiplier draws.
        samples: The number of rows.
        notes: What was done: what was chosen and why, what was left out, what the test cannot see.
        warnings: What to beware of: why a true independence may be rejected more often than the level says,
            or why there is no p-value. Empty where the p-value can be believed.
        parts: The tests of the single independences, where there were several.
    """

    statement: str
    p_value: float | None
    statistic: float | None
    method: str
    resamples: int
    samples: int
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    parts: tuple[IndependenceResult, ...] = ()

    def rejects(self, level: float = 0.05) -> bool:
        """Whether independence is rejected at this level; never where there is no p-value.

        Raises:
            ValueError: If the level is not strictly between 0 and 1.

        Example:
            >>> IndependenceResult("A _||_ C", None, None, "g", 99, 10).rejects()
            False
        """
        if not 0 < level < 1:
            raise ValueError(f"level must lie strictly between 0 and 1, got {level}")
        return self.p_value is not None and self.p_value <= level

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON; `p_value` and `statistic` are null where nothing could be tested."""
        return {
            "statement": self.statement,
            "p_value": self.p_value,
            "statistic": self.statistic,
            "method": self.method,
            "resamples": self.resamples,
            "samples": self.samples,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "parts": [part.to_dict() for part in self.parts],
        }

    def _outcome(self) -> str:
        return "no p-value" if self.p_value is None else f"p = {self.p_value:.4g}"

    def __str__(self) -> str:
        return f"{self.statement}: {self._outcome()} ({self.method}, n={self.samples})" + "".join(
            f"\n  warning: {warning}" for warning in self.warnings
        )

    def _repr_html_(self) -> str:
        warnings = "".join(f"<li><b>warning:</b> {escape(warning)}</li>" for warning in self.warnings)
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            f"<div><b>{escape(self.statement)}: {self._outcome()}</b><br>"
            f"<small>{escape(self.method)}, {self.samples:,} rows</small><ul>{warnings}{notes}</ul></div>"
        )


def combined(parts: Sequence[IndependenceResult]) -> IndependenceResult:
    """The test that several independences hold together.

    The p-value is m times the least of the m that there are, at most 1 (Bonferroni): the tests share rows,
    and this bound holds whatever the dependence among them.

    Example:
        >>> one = IndependenceResult("A _||_ B", 0.02, 9.0, "g", 99, 50)
        >>> two = IndependenceResult("C _||_ D", 0.4, 1.0, "g", 99, 50)
        >>> combined([one, two]).p_value
        0.04
    """
    if len(parts) == 1:
        return parts[0]
    tested = [(part.p_value, part) for part in parts if part.p_value is not None]
    p_value, statistic = None, None
    if tested:
        least, part = min(tested, key=lambda pair: pair[0])
        p_value, statistic = min(1.0, len(tested) * least), part.statistic

    def said(words: str) -> tuple[str, ...]:
        found = [f"{part.statement}: {word}" for part in parts for word in getattr(part, words)]
        return tuple(dict.fromkeys(found))

    note = f"p is {len(tested)} times the least of {len(tested)} p-values, at most 1 (Bonferroni)"
    return IndependenceResult(
        " and ".join(part.statement for part in parts),
        p_value,
        statistic,
        ", ".join(dict.fromkeys(part.method for part in parts)),
        max(part.resamples for part in parts),
        parts[0].samples,
        (note, *said("notes")),
        said("warnings"),
        tuple(parts),
    )
