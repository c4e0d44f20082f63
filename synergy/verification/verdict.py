"""Verdicts: one claim judged in one world on one case, with its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from theory.claims import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "JUDGEMENTS",
    "POSSIBLE",
    "Judgement",
    "Standing",
    "Verdict",
    "World",
    "plain",
    "said",
    "standing",
    "to_pandas",
]


Judgement = Literal[
    "proved",
    "refuted",
    "unknown",
    "verified",
    "violated",
    "inconclusive",
    "by construction",
    "not applicable",
]

JUDGEMENTS: tuple[Judgement, ...] = (
    "proved",
    "refuted",
    "verified",
    "violated",
    "by construction",
    "inconclusive",
    "unknown",
    "not applicable",
)
"""The judgements in the order in which people are told of them."""

Standing = Literal["as expected", "unexpected", "inconclusive", "not contradicted here"]
"""How a claim came out in a world; the last is of one that is expected false and met no example of that."""


@dataclass(frozen=True)
class Verdict:
    """What one world says of one claim on one case; all numbers in nats.

    Args:
        claim: The claim's identifier.
        world: Where it was judged.
        case: The generator and its setting; `any model` in the proof world.
        statement: The relation whose numbers are shown (the tightest one of a conjunction).
        judgement: The outcome.
        predicted: The gap that theory predicts, where it does.
        measured: The gap that was found: `>= 0`, `> 0` or `== 0` is what the claim says.
        standard_error: The standard error of the gap, 0 for exact values.
        low: The lower end of its 95 % interval.
        high: The upper end.
        margin: The margin within which a gap counts as none.
        p_verify: The unadjusted p-value that speaks for `verified`; None where nothing was tested.
        p_violate: The unadjusted p-value that speaks for `violated`.
        samples: The number of rows behind the numbers.
        seconds: How long it took.
        note: How it was measured and what to know about it.
        evidence: The proof, the distribution or whatever else stands behind it.
        warnings: What the estimators say to beware of.
        fitted: Whether something was fitted to measure the gap: the margin then stands for what that costs.
    """

    claim: str
    world: World
    case: str
    statement: str
    judgement: Judgement
    predicted: float | None = None
    measured: float | None = None
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    p_verify: float | None = None
    p_violate: float | None = None
    samples: int | None = None
    seconds: float = 0.0
    note: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    warnings: tuple[str, ...] = ()
    fitted: bool = False

    def __str__(self) -> str:
        number = "" if self.measured is None else f", gap {plain(self.measured):.4g} nats"
        return f"{self.claim} in the {self.world} world on {self.case}: {self.judgement}{number}"


def plain(value: float, smallest: float = 5e-13) -> float:
    """A number as it is shown: 0 in place of rounding errors and of -0."""
    return 0.0 if abs(value) < smallest else value


POSSIBLE: Mapping[Judgement, str] = {"proved": "proved (possible)", "refuted": "refuted (impossible)"}
"""What a proof says of a claim that some model need satisfy."""


def said(verdict: Verdict, expectation: str) -> str:
    """The judgement in words: where a model that satisfies a claim is asked for it is possible, or not."""
    of_some = expectation == "exists" and verdict.world == "proof"
    return POSSIBLE.get(verdict.judgement, verdict.judgement) if of_some else verdict.judgement


_AGAINST = ("refuted", "violated")
"""Judgements against a claim."""
_FOR = ("proved", "verified")
"""Judgements for a claim."""
_OPEN = ("unknown", "inconclusive")
"""Judgements that leave it open."""


def standing(expectation: str, judgements: Sequence[Judgement]) -> Standing:
    """Whether the judgements of one claim in one world are what the registry expects.

    A claim that is expected to be true may never be contradicted, and one that is expected to be false may
    never be proved. That it holds in some samples is no surprise: then it is not contradicted here. An
    existential one must be satisfied at least once. What cannot be contradicted or does not apply decides
    nothing here; `Report.undecided` names the claims that nothing decided in any world.
    """
    found = set(judgements)
    if expectation == "true":
        if found & set(_AGAINST):
            return "unexpected"
        return "inconclusive" if found & set(_OPEN) else "as expected"
    wanted = _AGAINST if expectation == "false" else _FOR
    if found & set(wanted):
        return "as expected"
    if expectation == "false" and "proved" in found:
        return "unexpected"
    decisive = found & (set(_AGAINST) | set(_FOR))
    if found & set(_OPEN):
        return "inconclusive"
    if expectation == "false":
        return "not contradicted here" if decisive else "as expected"
    return "unexpected" if decisive else "as expected"


def to_pandas(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row per verdict, without the evidence objects."""
    import pandas as pd

    rows = []
    for verdict in verdicts:
        row = {k: v for k, v in asdict(verdict).items() if k != "evidence"}
        row["warnings"] = "; ".join(verdict.warnings)
        rows.append(row)
    return pd.DataFrame(rows, columns=[f.name for f in fields(Verdict) if f.name != "evidence"])
