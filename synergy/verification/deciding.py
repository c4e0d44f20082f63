"""From tested verdicts to decided ones, and what their notes say of the margin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from synergy.statistics.decision import Gap, Outcome, apart, decide, holm, p_values, rows_needed
from synergy.verification.given import OWN_ROWS
from synergy.verification.implied import DataTest
from synergy.verification.settings import Settings
from synergy.verification.verdict import Verdict
from theory import Claim, Relation, parse_statement

__all__ = ["decided", "told_by_tests"]


def decided(verdicts: Sequence[Verdict], settings: Settings) -> Iterator[Verdict]:
    """Holm's procedure over both tests of every tested row, then the verdicts.

    On the caller's rows what frequencies tell apart from 0 is not verified, though it is within the margin: a
    second run of Holm's procedure over these rows says what that is. It takes verdicts back and gives none,
    so the error rate of the table stays as it is.
    """
    tested = [i for i, v in enumerate(verdicts) if v.p_verify is not None and v.p_violate is not None]
    adjusted = holm(
        [verdicts[i].p_verify or 0.0 for i in tested] + [verdicts[i].p_violate or 0.0 for i in tested]
    )
    level = settings.alpha / max(len(adjusted), 1)  # of the first step, the hardest
    exact = [i for i in tested if verdicts[i].case == OWN_ROWS and not verdicts[i].fitted]
    told_apart = dict(zip(exact, holm([apart(_as_gap(verdicts[i])) for i in exact]), strict=True))
    for i, verdict in enumerate(verdicts):
        if i not in tested:
            yield verdict
            continue
        k, gap, margin = tested.index(i), _as_gap(verdict), verdict.margin or 0.0
        outcome = decide(adjusted[k], adjusted[len(tested) + k], settings.alpha)
        differs = outcome == "verified" and told_apart.get(i, 1.0) <= settings.alpha
        outcome = "inconclusive" if differs else outcome
        words = _of_margin(gap, margin, outcome, differs=differs, level=level)
        note = f"{verdict.note}; {words}" if verdict.note else words
        yield replace(verdict, judgement=outcome, note=note)


def _as_gap(verdict: Verdict) -> Gap:
    """The gap of the relation that is shown."""
    low, high = verdict.low, verdict.high
    return Gap(
        parse_statement(verdict.statement).relations[0],
        verdict.measured or 0.0,
        verdict.standard_error or 0.0,
        verdict.samples or 0,
        None if low is None or high is None else (low, high),
        verdict.fitted,
    )


def _of_margin(gap: Gap, margin: float, outcome: Outcome, *, differs: bool, level: float) -> str:
    """What decided: the margin, or that it could not; the gap is the one that is shown."""
    margin_told = f"the margin of {margin:g} nats" + (", which fitting may cost" if gap.fitted else "")
    low, high = gap.interval
    if outcome == "inconclusive":
        if differs:
            where = "differs from" if gap.operator == "==" else "is below"
            return f"the gap {where} 0, by less than {margin_told}"
        if gap.is_strict and low > 0 and p_values(replace(gap, ends=(0.0, high)), margin)[1] <= level:
            return f"the gap is above 0, by less than {margin_told}"
        rows = rows_needed(gap, margin, alpha=level)
        needed = f"about {_rounded(rows):,} rows would decide" if rows else "on the boundary of the margin"
        if gap.is_strict and gap.fitted and low > 0:
            return f"the interval is above 0, and not above {margin_told}; {needed}"
        return needed
    if gap.is_strict:
        if outcome == "violated":
            return f"no evidence that the gap is above 0; it is not more than {margin_told}"
        return f"the gap is above 0 by more than {margin_told}" if gap.fitted else "the gap is above 0"
    if outcome == "violated":
        where = "differs from" if gap.operator == "==" else "is below"
        return f"the gap {where} 0 by more than {margin_told}"
    if gap.operator == "==":
        out = ", though its interval leaves out 0" if low > 0 or high < 0 else ""
        return f"the gap is within {margin_told}{out}"
    return "the gap is not below 0" if low >= 0 else f"the gap is not below 0 by more than {margin_told}"


def _rounded(rows: int) -> int:
    """Up to two digits: more are not known."""
    step: int = 10 ** max(len(str(rows)) - 2, 0)
    return math.ceil(rows / step) * step


def told_by_tests(verdict: Verdict, claims: Sequence[Claim], tests: Sequence[DataTest]) -> Verdict:
    """A verdict on the caller's rows, taken back where a test of the same sentence says the opposite.

    Such a test has no margin: it can reject `A _||_ C` where I(A;C) is known to be within the margin.
    """
    if verdict.world != "sample" or verdict.judgement not in ("verified", "violated"):
        return verdict
    relations: Sequence[Relation] = parse_statement(verdict.statement).relations
    if verdict.judgement == "verified":
        relations = next(claim for claim in claims if claim.id == verdict.claim).statement.relations
    for test in tests:
        if test.outcome == "rejected" and any(_denies(test, r, verdict) for r in relations):
            warning = (
                f"the rows reject {test.statement} (p = {test.adjusted:.2g}): the test finds the opposite"
            )
            return replace(
                verdict,
                judgement="inconclusive",
                warnings=(*verdict.warnings, warning),
                note=f"{verdict.note}; {warning}",
            )
    return verdict


def _denies(test: DataTest, relation: Relation, verdict: Verdict) -> bool:
    """Whether a rejected test says the opposite of a verdict on a relation: its information is not 0."""
    said = relation.gap.entropies()
    for tested in parse_statement(test.statement).relations:
        form = tested.gap.entropies()
        negative = {names: -c for names, c in form.items()}
        if verdict.judgement == "violated":
            if relation.operator in (">", "<") and said == form:
                return True
        elif said == negative or (relation.operator == "==" and said == form):
            return True
    return False
