"""What a verification found, as a whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from synergy.verification.own import is_own
from synergy.verification.settings import Call, Settings
from synergy.verification.verdict import (
    JUDGEMENTS,
    Judgement,
    Standing,
    Verdict,
    World,
    standing,
    to_pandas,
)
from theory import CLAIMS, ESSL, Claim

if TYPE_CHECKING:
    import pandas as pd

    from synergy.verification.given import Given
    from synergy.verification.implied import DataTest

__all__ = ["DataChecks", "Report"]

_SHOWN = ("claim", "world", "case", "judgement", "predicted", "measured", "low", "high")
"""The columns of the table in a notebook."""


@dataclass(frozen=True)
class DataChecks:
    """What was understood of the caller's rows, and whether they agree with diagram and premises.

    Args:
        rows: The number of rows.
        columns: What each column is.
        groups: The column of groups.
        notes: What was understood.
        tests: What diagram and premises say of the rows, tested.
    """

    rows: int
    columns: dict[str, str]
    groups: str | None
    notes: tuple[str, ...]
    tests: tuple[DataTest, ...]

    @classmethod
    def of(cls, given: Given, tests: Sequence[DataTest]) -> DataChecks:
        """The checks of rows."""
        kinds = {
            v.name: _counted(v.cardinality or 1, "label")
            if v.kind == "discrete"
            else f"{v.kind}, {_width(given, v.name)}"
            for v in given.sample.variables.values()
        }
        return cls(len(given.sample), kinds, given.sample.groups, given.notes, tuple(tests))

    @property
    def rejected(self) -> tuple[str, ...]:
        """What the rows reject."""
        return tuple(test.statement for test in self.tests if test.outcome == "rejected")

    def summary(self) -> str:
        """One line."""
        if not self.tests:
            return "the diagram and the premises say nothing of these columns that can be tested"
        tested = sum(test.p_value is not None for test in self.tests)
        if self.rejected:
            told = f"the rows reject {len(self.rejected)} of {tested}"
            return f"{told} ({', '.join(self.rejected)}): proofs that rest on it do not apply to them"
        untested = len(self.tests) - tested
        more = f"; {untested} could not be tested" if untested else ""
        what = f"what the diagram and the premises say of these columns ({_counted(tested, 'test')})"
        return f"the rows do not contradict {what}{more}"

    def to_dict(self) -> dict[str, Any]:
        """The checks as plain data."""
        return {
            "rows": self.rows,
            "columns": dict(self.columns),
            "groups": self.groups,
            "notes": list(self.notes),
            "summary": self.summary(),
            "tests": [test.to_dict() for test in self.tests],
        }


def _width(given: Given, name: str) -> str:
    shape = given.sample[name].shape[1:]
    return " x ".join(map(str, shape)) or "one number"


@dataclass(frozen=True)
class Report:
    """The verdicts of one verification.

    Args:
        verdicts: One for each claim, world and case that fit.
        claims: The claims that were judged.
        settings: How.
        call: What was asked for; None where the report was put together by hand.
        data: What was understood of the caller's own rows; None where there are none.
    """

    verdicts: tuple[Verdict, ...]
    claims: tuple[Claim, ...]
    settings: Settings
    call: Call | None = None
    data: DataChecks | None = None

    def seconds(self) -> dict[str, float]:
        """How long each job took, longest first, summed over its verdicts."""
        total: dict[str, float] = {}
        for v in self.verdicts:
            name = f"{v.world}: {v.case}"
            total[name] = total.get(name, 0.0) + v.seconds
        return dict(sorted(total.items(), key=lambda item: -item[1]))

    def standings(self) -> dict[tuple[str, World], Standing]:
        """For each claim and world whether the verdicts are what the registry expects.

        An existential claim that was satisfied anywhere is established everywhere. A statement of the
        caller's that holds in the caller's own rows need not be a theorem: there the rows decide. One with
        `>` or `<` is asked of these rows too, and that some model satisfies it is no answer to that.
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
                    known = satisfied or self._rows_decide(claim)
                    known = known and not (world == "sample" and self._asked_of_rows(claim))
                    found[claim.id, world] = "as expected" if known else usual
        return found

    @property
    def only_here(self) -> tuple[str, ...]:
        """Statements, or claims on other diagrams, that hold in these rows though not on every model."""
        if self.data is None:
            return ()
        return tuple(
            claim.id
            for claim in self.claims
            if self._rows_decide(claim)
            and (
                self._found(claim.id, "refuted")
                or (claim.expectation == "true" and self._found(claim.id, "violated", "exact"))
            )
        )

    def _asked_of_rows(self, claim: Claim) -> bool:
        """Whether nobody but the caller expects the claim to hold, and it is asked of the caller's rows."""
        stated = claim.expectation == "true" or claim.id not in CLAIMS
        judged = any(v.claim == claim.id and v.world == "sample" for v in self.verdicts)
        return self.data is not None and stated and judged and is_own(claim)

    def _rows_decide(self, claim: Claim) -> bool:
        """Whether it holds there."""
        return self._asked_of_rows(claim) and self._found(claim.id, "verified", "sample")

    def _found(self, claim: str, judgement: Judgement, world: World | None = None) -> bool:
        """Whether a claim has a judgement, in any world or in one."""
        return any(
            v.claim == claim and v.judgement == judgement and world in (None, v.world) for v in self.verdicts
        )

    @property
    def not_contradicted(self) -> tuple[str, ...]:
        """Claims that are expected false and met no example of it in some world that could have shown one."""
        found = self.standings().items()
        return tuple(dict.fromkeys(claim for (claim, _), s in found if s == "not contradicted here"))

    @property
    def undecided(self) -> tuple[str, ...]:
        """The claims that no verdict decided: none was judged, could not fail, or did not apply.

        A claim that is expected false is decided where it is contradicted. With rows of the caller's own they
        decide, or an inequality that no rows can break, which is proved.
        """
        return tuple(claim.id for claim in self.claims if not self._is_decided(claim))

    def _is_decided(self, claim: Claim) -> bool:
        against = self._found(claim.id, "refuted") or self._found(claim.id, "violated")
        if claim.expectation == "false":
            return against
        decided = against or self._found(claim.id, "proved") or self._found(claim.id, "verified")
        if self.data is None or not any(v.world == "sample" and v.claim == claim.id for v in self.verdicts):
            return decided
        fixed = self._found(claim.id, "by construction", "sample") and self._found(claim.id, "proved")
        here = self._found(claim.id, "verified", "sample") or self._found(claim.id, "violated", "sample")
        return here or fixed or against

    @property
    def exit_status(self) -> int:
        """0 when every claim came out as expected, 1 if any did not, 3 if something stayed open."""
        found = set(self.standings().values())
        return 1 if "unexpected" in found else 3 if "inconclusive" in found or self.undecided else 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, or asked, without being named."""
        stated = [claim for claim in self.claims if is_own(claim) and claim.id not in CLAIMS]
        strict = [claim.id for claim in stated if claim.expectation == "exists"]
        found = []
        if stated and self.call is not None and self.call.diagram is None:
            told = f"{', '.join(c.id for c in stated)} {'is' if len(stated) == 1 else 'are'} judged on"
            edges = ", ".join(f"{a}->{b}" for a, b in ESSL.edges)
            found.append(
                f"no diagram was named: {told} the {ESSL.name}, {edges}; the diagram 'none' assumes nothing"
            )
        if strict:
            rows = (
                "the rows are asked whether it holds there, and the diagram"
                if self.data
                else "the diagram is asked"
            )
            found.append(f"{', '.join(strict)}: {rows} whether some model on it satisfies it")
        return tuple(found)

    @property
    def own_outcomes(self) -> tuple[str, ...]:
        """How statements, or claims on other diagrams, came out: nobody said what to expect of them."""
        found: dict[str, list[str]] = {}
        for claim in filter(is_own, self.claims):
            for word in self._words_for(claim):
                found.setdefault(word, []).append(claim.id)
        return tuple(f"{word}: {', '.join(ids)}" for word, ids in found.items())

    def _words_for(self, claim: Claim) -> list[str]:
        """How a claim that nobody expects anything of came out."""
        words = []
        of_rows = [v.judgement for v in self.verdicts if v.claim == claim.id and v.world == "sample"]
        if self.data is not None and of_rows:
            words.append(f"{of_rows[0]} in these rows")
            if (
                claim.expectation == "true"
                and not self._rows_decide(claim)
                and self._found(claim.id, "refuted")
            ):
                words.append("refuted on the diagram")
        if claim.expectation == "exists":
            elsewhere = {
                v.judgement
                for v in self.verdicts
                if v.claim == claim.id and not (self.data is not None and v.world == "sample")
            }
            if elsewhere & {"proved", "verified"}:
                words.append("possible on the diagram")
            elif "refuted" in elsewhere:
                words.append("impossible on the diagram")
            elif elsewhere:
                words.append("not found possible on the diagram")
        elif not words:
            standings = {s for (id, _), s in self.standings().items() if id == claim.id}
            if "unexpected" in standings:
                words.append("violated")
            elif "inconclusive" not in standings and self._is_decided(claim):
                words.append("verified")
        return words

    def summary(self) -> str:
        """One line."""
        counts = {name: sum(v.judgement == name for v in self.verdicts) for name in JUDGEMENTS}
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        claims, verdicts = _counted(len(self.claims), "claim"), _counted(len(self.verdicts), "verdict")
        more = ""
        if self.not_contradicted:
            more += f"; not contradicted here: {', '.join(self.not_contradicted)}"
        if self.only_here:
            more += f"; holds in these rows though not on every model: {', '.join(self.only_here)}"
        if self.data is not None:
            more += f"; {self.data.summary()}"
        return f"{claims}, {verdicts}{f' ({told})' if told else ''}: {self._outcome()}{more}"

    def _outcome(self) -> str:
        """How the registered claims came out, then what stayed open, then the others."""
        standings = self.standings()
        registered = {claim.id for claim in self.claims if not is_own(claim)}
        told = {c.id for c in self.claims if is_own(c) and self._words_for(c)}
        asked = [c.id for c in self.claims if c.id in told and self._asked_of_rows(c)]
        wrong = sum(s == "unexpected" for (claim, _), s in standings.items() if claim in registered)
        still_open = self._open(
            sum(s == "inconclusive" for (claim, _), s in standings.items() if claim not in told),
            [id for id in self.undecided if id not in asked or self._found(id, "by construction", "sample")],
        )
        parts = [f"{wrong} UNEXPECTED"] if wrong else []
        if still_open and not wrong:
            parts.append(still_open)
        if registered and not parts:
            others = len(registered) < len(self.claims)
            parts.append(f"every {'registered ' if others else ''}claim came out as expected")
        return "; ".join([*parts, *self.own_outcomes]) or "nothing was judged"

    def _open(self, inconclusive: int, undecided: Sequence[str]) -> str:
        """What stayed open."""
        parts = [f"{inconclusive} inconclusive"] if inconclusive else []
        if undecided:
            parts.append(f"nothing decides {', '.join(undecided)} in these worlds")
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
