"""The five worlds: each judges one claim on one case and returns a verdict with its numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from synergy.estimators.classifier import NestedCrossFit
from synergy.statistics.decision import Gap, apart, combine, p_values
from synergy.verification.bench import Bench, Target
from synergy.verification.downstream import downstream
from synergy.verification.fitting import readable
from synergy.verification.measure import Known, Measurement, measure, shannon
from synergy.verification.settings import Settings
from synergy.verification.verdict import Judgement, Verdict, World, plain
from synthetic import NoExactAnswerError, Sample
from theory import Claim, Evidence, Refutation, Relation, judge, parse_statement, prove
from theory.claims import slack

__all__ = ["by_check", "estimated", "exact", "learned", "proof", "sample", "symbolic", "timed"]

_PROOF_SECONDS = 60.0
"""The work of a proof, in seconds of a usual core: more than any claim takes on any machine."""


def proof(claim: Claim, settings: Settings) -> Verdict:
    """Prove or refute the claim from its diagram."""
    start = time.perf_counter()
    outcome = prove(
        claim.statement,
        diagram=claim.diagram,
        given=claim.given,
        exists=claim.expectation == "exists",
        seconds=_PROOF_SECONDS,
        seed=settings.seed,
    )
    judgement: Judgement = outcome.verdict
    return Verdict(
        claim.id,
        "proof",
        "any model",
        str(claim.statement),
        judgement,
        seconds=time.perf_counter() - start,
        note=_proof_note(outcome, of_some=claim.expectation == "exists", verdict=outcome.verdict),
        evidence=outcome.to_dict(),
    )


_OF_SOME = {
    "proved": "possible on the diagram: some model satisfies it",
    "refuted": "impossible on the diagram: no model satisfies it",
    "unknown": "whether it is possible on the diagram was not found",
}
"""What each verdict of a proof says of a claim that some model need satisfy."""


def _proof_note(outcome: object, *, of_some: bool, verdict: str) -> str:
    description = getattr(outcome, "description", "") or getattr(outcome, "reason", "")
    told = str(description) if description else "certificate checked in exact rationals"
    return f"{_OF_SOME[verdict]}; {told}" if of_some else told


def by_check(claim: Claim, world: World, settings: Settings, *, refute: bool = False) -> Verdict:
    """Judge the claim by its own check, or else on random models of its diagram or on its witness.

    Args:
        claim: The claim.
        world: The world.
        settings: How much work to do.
        refute: Whether to look for a distribution that breaks it with the prover, where no model does.
    """
    start = time.perf_counter()
    own = world in claim.checks
    where = "its own check" if own else "random models" if claim.witness is None else "witness"
    try:
        evidence = judge(claim, world, seed=settings.seed, models=settings.models)
    except ValueError as error:
        return Verdict(claim.id, world, where, str(claim.statement), "not applicable", note=str(error))
    if refute and not own and claim.expectation == "true" and evidence.holds:
        evidence, where = _with_counterexample(claim, evidence, where, settings)
    judgement: Judgement
    if claim.expectation == "true" and not own and evidence.holds and _all_shannon(claim):
        judgement = "by construction"
    elif claim.expectation == "false":
        judgement = "violated" if evidence.holds else "verified"
    else:
        judgement = "verified" if evidence.holds else "violated"
    return Verdict(
        claim.id,
        world,
        where,
        claim.law or str(claim.statement) if own else str(claim.statement),
        judgement,
        measured=evidence.margin,
        standard_error=0.0,
        low=evidence.margin,
        high=evidence.margin,
        margin=evidence.tolerance,
        samples=evidence.cases,
        seconds=time.perf_counter() - start,
        note=evidence.summary,
    )


def _with_counterexample(
    claim: Claim, evidence: Evidence, where: str, settings: Settings
) -> tuple[Evidence, str]:
    """What the prover's distribution shows, where it refutes the claim; else the evidence as it is."""
    found = prove(claim.statement, diagram=claim.diagram, given=claim.given, seed=settings.seed)
    if not isinstance(found, Refutation):
        return evidence, where
    margin = min(side.left - side.right for side in found.sides)
    margin = min(slack(found.joint, claim.statement), margin) if not _missing(claim, found) else -abs(margin)
    summary = f"{evidence.summary}; the prover's distribution breaks it: {found.description}"
    return replace(evidence, holds=False, margin=margin, summary=summary), "counterexample"


def _missing(claim: Claim, found: Refutation) -> set[str]:
    """The variables of the claim that are constant in the distribution, and so left out of it."""
    return set(claim.statement.variables) - set(found.joint.names)


def _all_shannon(claim: Claim) -> bool:
    return all(shannon(relation, claim.given) for relation in claim.statement)


def symbolic(claim: Claim, bench: Bench) -> Verdict:
    """Judge the claim by the generator's closed forms, which enumeration must confirm."""
    generator = bench.case.generator

    def gap_of(relation: Relation) -> Measurement:
        value, worst = 0.0, 0.0
        for coefficient, term in relation.gap.summands:
            predicted, enumerated = generator.predicted(term), float(generator.exact(term))
            worst = max(worst, abs(predicted - enumerated))
            value += float(coefficient) * predicted
            if worst > bench.settings.exact_tolerance:
                raise _DisagreementError(
                    f"{term} is {predicted:.9g} by the closed form, {enumerated:.9g} exactly"
                )
        gap = Gap(relation, value, 0.0, 0)
        return Measurement(gap, False, f"closed form of each term, at most {worst:.0e} from enumeration")

    return _known(claim, bench, "symbolic", gap_of)


def exact(claim: Claim, bench: Bench) -> Verdict:
    """Judge the claim by enumeration of the generator's joint distribution."""
    generator = bench.case.generator

    def gap_of(relation: Relation) -> Measurement:
        answer = generator.exact(relation.gap)
        gap = Gap(relation, answer.value, answer.standard_error, 0)
        return Measurement(gap, shannon(relation, claim.given), answer.method)

    return _known(claim, bench, "exact", gap_of)


class _DisagreementError(Exception):
    """A closed form that enumeration contradicts."""


def _known(claim: Claim, bench: Bench, world: World, gap_of: Callable[[Relation], Measurement]) -> Verdict:
    start = time.perf_counter()
    tolerance = bench.settings.exact_tolerance
    base = Verdict(claim.id, world, bench.case.name, str(claim.statement), "not applicable", margin=tolerance)
    names = [v.name for v in bench.case.generator.variables]
    try:
        relations = readable(claim.statement, names)
        premises = [gap_of(p) for fact in claim.given for p in readable(fact, names)]
        found = [gap_of(relation) for relation in relations]
    except (ValueError, NoExactAnswerError) as error:
        return replace(base, note=str(error))
    except _DisagreementError as error:
        return replace(base, judgement="violated", note=str(error), seconds=time.perf_counter() - start)
    for premise in premises:
        if _slack(premise.gap) < -tolerance:
            note = f"the premise {premise.gap.relation} does not hold: gap {premise.gap.value:.4g}"
            return replace(base, note=note, seconds=time.perf_counter() - start)
    tightest = min(found, key=lambda m: _slack(m.gap))
    strict = [m.gap for m in found if m.gap.operator in (">", "<")]
    holds = _slack(tightest.gap) >= -tolerance and all(g.value > tolerance for g in strict)
    judgement: Judgement = "verified" if holds else "violated"
    if holds and all(m.by_construction for m in found):
        judgement = "by construction"
    value = tightest.gap.value
    return replace(
        base,
        statement=str(tightest.gap.relation),
        judgement=judgement,
        predicted=_predicted(bench, tightest.gap.relation),
        measured=value,
        standard_error=tightest.gap.standard_error,
        low=value,
        high=value,
        seconds=time.perf_counter() - start,
        note=tightest.note,
    )


def sample(claim: Claim, bench: Bench) -> Verdict:
    """Judge the claim by estimators that see only samples."""
    start = time.perf_counter()
    rows = bench.sample
    verdict = estimated(claim, "sample", bench.case.name, rows, lambda: bench.fit, bench.settings)
    if verdict.measured is not None:
        predicted = _predicted(bench, parse_statement(verdict.statement).relations[0])
        verdict = replace(verdict, predicted=predicted)
    return replace(verdict, seconds=time.perf_counter() - start)


def learned(claim: Claim, bench: Bench) -> Verdict:
    """Judge the claim on the representations of networks trained to predict the transformation.

    A claim that is expected to be false is judged on the theory's own counterexample instead, networks
    trained to predict a mixture of transformation and class. Every network is judged alone: the claim is
    verified where it is verified on all of them, and violated where it is violated on any.
    """
    start = time.perf_counter()
    target: Target = "mixture" if claim.expectation == "false" else "pretext"
    rows, fit = bench.learned
    verdict = estimated(
        claim,
        "learned",
        bench.case.name,
        rows,
        lambda: fit,
        bench.settings,
        at="Z",
        known=bench.known,
        columns=[{"Z": run["Z" if target == "pretext" else "M"], "W": run["W"]} for run in bench.runs],
    )
    losses = [bench.trained(target, run).curve["loss"].iloc[-1] for run in range(len(bench.runs))]
    told = {"pretext": "the features of a network that predicts A", "mixture": "a network's guess of A + C"}
    training = f"Z is {told[target]}, final training loss {', '.join(f'{loss:.3f}' for loss in losses)}"
    if "W" in claim.statement.variables:
        training = "U is the case's own Z, W the class that a trained network guesses"
    verdict = replace(verdict, note=f"{verdict.note}; {training}" if verdict.note else training)
    if claim.bounds_error and verdict.measured is not None:
        found = downstream(rows, fit, [run["Z"] for run in bench.runs])
        verdict = replace(verdict, note=f"{verdict.note}; {found}", evidence=found.to_dict())
    return replace(verdict, seconds=time.perf_counter() - start)


def timed(judge_it: Callable[[], Verdict]) -> Verdict:
    """A verdict with the time that it took."""
    start = time.perf_counter()
    return replace(judge_it(), seconds=time.perf_counter() - start)


def estimated(
    claim: Claim,
    world: World,
    where: str,
    rows: Sample,
    fit: Callable[[], NestedCrossFit],
    settings: Settings,
    *,
    at: str | None = None,
    columns: Sequence[Mapping[str, str]] = ({},),
    known: Known | None = None,
) -> Verdict:
    """Judge the claim on rows, not yet decided: Holm's procedure needs the whole table.

    Args:
        claim: The claim.
        world: The world that the rows are of.
        where: What to call them in the table.
        rows: The data.
        fit: Gives the cross-fitted losses on the rows, where they are needed.
        settings: How strict to be.
        at: The variable that the claim is about; X is read as it where no relation names it.
        columns: For each representation the columns that play variables.
        known: Gives exact values of terms of the input.
    """
    base = Verdict(claim.id, world, where, str(claim.statement), "not applicable")

    def measured(relation: Relation, column: Mapping[str, str]) -> Measurement:
        return measure(relation, rows, fit, seed=settings.seed, given=claim.given, column=column, known=known)

    try:
        relations = _about(readable(claim.statement, rows.names), at)
        facts = [p for fact in claim.given for p in _about(readable(fact, rows.names), at)]
        premises = [measured(p, column) for column in columns for p in facts]
        found = [[measured(r, column) for r in relations] for column in columns]
    except ValueError as error:
        return replace(base, note=str(error))
    every = [m for each in found for m in each]
    margin = settings.table_margin if all(m.plug_in for m in every) else settings.network_margin
    base = replace(base, margin=margin, samples=len(rows))
    for premise in premises:
        supported, contradicted = p_values(premise.gap, margin)
        if supported > settings.alpha:
            low, high = premise.gap.interval
            state = "does not hold" if contradicted <= settings.alpha else "is not established"
            value, low, high = (plain(x, 5e-4) for x in (premise.gap.value, low, high))
            note = f"the premise {premise.gap.relation} {state}: gap {value:.3f} [{low:.3f}, {high:.3f}]"
            return replace(base, note=f"{note}, with a margin of {margin:g} nats")
    pairs = [combine([p_values(m.gap, margin) for m in each]) for each in found]
    verify, violate = combine(pairs)
    index = min(
        range(len(relations)),
        key=lambda i: (
            all(each[i].by_construction for each in found),
            min(p_values(each[i].gap, margin)[1] for each in found),
            min(apart(each[i].gap) for each in found),
        ),
    )
    tightest = _over_runs([each[index].gap for each in found])
    note = found[0][index].note
    if len(found) > 1:
        gaps = ", ".join(f"{each[index].gap.value:.3f}" for each in found)
        note += f"; {len(found)} training seeds, each judged alone: {gaps}"
    small = [m.smallest for m in every if m.smallest is not None and m.smallest[1] <= margin]
    if small:
        term, value = min(small, key=lambda pair: pair[1])
        note += f"; no evidence that {term} is in it: as small as {value:.3f}, it is within the margin"
    low, high = tightest.interval
    fixed = all(m.by_construction for m in every)
    return replace(
        base,
        statement=str(tightest.relation),
        judgement="by construction" if fixed else "inconclusive",
        measured=tightest.value,
        standard_error=tightest.standard_error,
        low=low,
        high=high,
        p_verify=None if fixed else verify,
        p_violate=None if fixed else violate,
        note=note,
        warnings=tuple(dict.fromkeys(w for m in (*premises, *every) for w in m.warnings)),
        fitted=tightest.fitted,
    )


def _about(relations: Sequence[Relation], at: str | None) -> Sequence[Relation]:
    """The relations that name a variable, where some do; else the claim is of any input, read as it."""
    if at is None:
        return relations
    named = [r for r in relations if at in r.variables]
    return named or [r.replace({"X": at}) for r in relations]


def _over_runs(gaps: Sequence[Gap]) -> Gap:
    """The mean over training seeds, with the error of the rows, which they share, and of their spread."""
    if len(gaps) == 1:
        return gaps[0]
    values = np.array([gap.value for gap in gaps])
    rows = math.sqrt(sum((sum(gap.errors) / 2) ** 2 for gap in gaps) / len(gaps))
    spread = float(values.std(ddof=1)) / math.sqrt(len(gaps))
    error = math.hypot(rows, spread)
    return replace(gaps[0], value=float(values.mean()), standard_error=error, ends=None)


def _predicted(bench: Bench, relation: Relation) -> float | None:
    """The gap that the generator's closed form predicts, where it has one."""
    try:
        return bench.case.generator.predicted(relation.gap)
    except ValueError:
        return None


def _slack(gap: Gap) -> float:
    return -abs(gap.value) if gap.operator == "==" else gap.value
