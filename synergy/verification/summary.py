"""What a verification found, as a whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from synergy.verification.settings import Call, Settings
from synergy.verification.verdict import JUDGEMENTS, Standing, Verdict, World, standing, to_pandas
from theory import Claim

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Report"]

_SHOWN = ("claim", "world", "case", "judgement", "predicted", "measured", "low", "high")
"""The columns of the table in a notebook."""


@dataclass(frozen=True)
class Report:
    """The verdicts of one verification.

    Args:
        verdicts: One for each claim, world and case that fit.
        claims: The claims that were judged.
        settings: How.
        call: What was asked for; None where the report was put together by hand.
    """

    verdicts: tuple[Verdict, ...]
    claims: tuple[Claim, ...]
    settings: Settings
    call: Call | None = None

    def seconds(self) -> dict[str, float]:
        """How long each job took, longest first, summed over its verdicts."""
        total: dict[str, float] = {}
        for v in self.verdicts:
            name = f"{v.world}: {v.case}"
            total[name] = total.get(name, 0.0) + v.seconds
        return dict(sorted(total.items(), key=lambda item: -item[1]))

    def standings(self) -> dict[tuple[str, World], Standing]:
        """For each claim and world whether the verdicts are what the registry expects.

        An existential claim that was satisfied anywhere is established everywhere.
        """
        found: dict[tuple[str, World], Standing] = {}
        for claim in self.claims:
            own = [v for v in self.verdicts if v.claim == claim.id]
            satisfied = claim.expectation == "exists" and any(
                v.judgement in ("proved", "verified") for v in own
            )
            for world in get_args(World):
                judgements = [v.judgement for v in own if v.world == world]
                if judgements:
                    usual = standing(claim.expectation, judgements)
                    found[claim.id, world] = "as expected" if satisfied else usual
        return found

    @property
    def undecided(self) -> tuple[str, ...]:
        """The claims that no verdict decided: none was judged, could not fail, or did not apply."""
        decisive = ("proved", "refuted", "verified", "violated")
        decided = {v.claim for v in self.verdicts if v.judgement in decisive}
        return tuple(claim.id for claim in self.claims if claim.id not in decided)

    @property
    def exit_status(self) -> int:
        """0 when every claim came out as expected, 1 if any did not, 3 if something stayed open."""
        found = set(self.standings().values())
        return 1 if "unexpected" in found else 3 if "inconclusive" in found or self.undecided else 0

    def summary(self) -> str:
        """One line."""
        standings = list(self.standings().values())
        counts = {name: sum(v.judgement == name for v in self.verdicts) for name in JUDGEMENTS}
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        verdict = {
            0: "every claim came out as expected",
            1: f"{standings.count('unexpected')} UNEXPECTED",
            3: self._open(standings.count("inconclusive")),
        }[self.exit_status]
        claims, verdicts = _counted(len(self.claims), "claim"), _counted(len(self.verdicts), "verdict")
        return f"{claims}, {verdicts}{f' ({told})' if told else ''}: {verdict}"

    def _open(self, inconclusive: int) -> str:
        """What stayed open."""
        parts = [f"{inconclusive} inconclusive"] if inconclusive else []
        if self.undecided:
            parts.append(f"nothing decides {', '.join(self.undecided)} in these worlds")
        return ", ".join(parts)

    def to_pandas(self) -> pd.DataFrame:
        """One row per verdict, without the evidence objects."""
        return to_pandas(self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data: provenance, the claims and how each came out, and the verdicts."""
        from synergy.verification.table import provenance

        return {**provenance(self), "verdicts": json.loads(self.to_pandas().to_json(orient="records"))}

    def save(self, folder: str | Path) -> list[Path]:
        """Write the verdicts, their provenance, the proofs, the figure and the page into a folder.

        Args:
            folder: The folder; it is made if it is not there.

        Returns:
            The files: verdicts.parquet, verdicts.csv, verdicts.json, proofs.json, verdicts.png,
            verdicts.svg and report.html.

        Raises:
            ValueError: If the folder is a file.
        """
        from synergy.report.build import write_report
        from synergy.verification.table import write

        page = write_report(self, Path(folder))
        return [*write(self, Path(folder)), page]

    def __str__(self) -> str:
        return "\n".join([*map(str, self.verdicts), self.summary()])

    def _repr_html_(self) -> str:
        table = self.to_pandas()[list(_SHOWN)].to_html(index=False, na_rep="", float_format="{:.4g}".format)
        return f"<p>{escape(self.summary())}</p>\n{table}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
