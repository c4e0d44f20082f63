"""Judging claims in worlds on cases, to a table of verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from synergy.statistics.decision import Gap, decide, holm, rows_needed
from synergy.verification import worlds as judges
from synergy.verification.bench import Bench, Target
from synergy.verification.cases import CASES, Case
from synergy.verification.controls import CONTROL
from synergy.verification.partial import Partial
from synergy.verification.settings import Call, Settings
from synergy.verification.summary import Report
from synergy.verification.verdict import Verdict, World
from synthetic.parallel import map_unordered
from theory import CLAIMS, Claim, find_claim, of_chapter, parse_statement

__all__ = ["DEFAULT_CLAIMS", "Progress", "Report", "verify"]

DEFAULT_CLAIMS = ("E1", "E2", "E3", "L1", "L2", "D1", "D2", "D3", "D4", "G1", "G2")
"""The core of the theory, which the quick run judges."""

Progress = Callable[[int, int, str], None]
"""Called with the number of jobs done, their total, and what has just been done."""


def verify(
    claims: str | Claim | Sequence[str | Claim] = (),
    *,
    worlds: Sequence[World] = (),
    generators: Sequence[str] = (),
    chapter: str | None = None,
    cases: Sequence[Case] = CASES,
    settings: Settings | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    partial: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> Report:
    """Judge claims in worlds on cases.

    Args:
        claims: One or more claims, their identifiers in the registry, or statements on the E-SSL diagram,
            such as `"I(A;Z|S) >= I(A;Z)"`; none for the negative control and the whole registry, or with
            `settings.core` the default ones, or with `chapter` those of the chapter.
        worlds: The worlds to judge in; none for all five.
        generators: Families, or full names of cases, to judge on; none for all.
        chapter: A chapter of the registry, see `theory.CHAPTERS`, whose claims are judged; it goes
            with no claims.
        cases: The cases to choose from.
        settings: How much work to do; None for the full settings.
        jobs: How many processes work at once; on a cluster, see `synthetic.parallel.cluster`, all workers do.
        progress: Told of every job that is done.
        partial: A folder in which finished jobs are kept, so that the same call goes on where an
            interrupted one stopped; None to keep nothing.
        tell: Called with a line when a worker died, or a cluster has none yet.

    Raises:
        ValueError: If a claim, world, generator or chapter is unknown (the message says which exist), jobs
            is not positive, or both claims and a chapter are named.
    """
    settings = settings or Settings()
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs!r}")
    if isinstance(claims, (str, Claim)):
        claims = [claims]
    chosen = _chosen(claims, chapter, core=settings.core)
    for world in worlds:
        if world not in get_args(World):
            raise ValueError(f"unknown world {world!r}: expected some of {', '.join(get_args(World))}")
    wanted = tuple(worlds or get_args(World))
    picked = _pick(cases, generators)
    own = cases is CASES or picked == [case for case in CASES if _selected(case, generators)]
    if settings.core and not generators:
        picked = [case for case in picked if case.core]
    tasks = list(_tasks(chosen, wanted, picked, settings, general=not generators))
    tasks.sort(key=lambda task: task.weight, reverse=True)
    verdicts = _finished(tasks, jobs, progress, Partial(partial), tell)
    order = {c.id: i for i, c in enumerate(chosen)}
    world_order = {w: i for i, w in enumerate(get_args(World))}
    case_order = {case.name: i for i, case in enumerate(cases)}
    verdicts.sort(key=lambda v: (order[v.claim], world_order[v.world], case_order.get(v.case, len(cases))))
    call = Call(
        tuple(c if isinstance(c, str) else c.id for c in claims),
        tuple(worlds),
        tuple(generators),
        all(isinstance(c, str) or CLAIMS.get(c.id) == c for c in claims) and own,
        chapter,
    )
    return Report(tuple(_decided(verdicts, settings)), tuple(chosen), settings, call)


def _chosen(claims: Sequence[str | Claim], chapter: str | None, *, core: bool) -> list[Claim]:
    """The claims that were named, or those of a chapter, or the core or all of the registry."""
    if chapter is not None:
        if claims:
            told = ", ".join(c if isinstance(c, str) else c.id for c in claims)
            raise ValueError(f"name claims or a chapter, not both: got {told} and the chapter {chapter!r}")
        return list(of_chapter(chapter))
    if claims:
        return [c if isinstance(c, Claim) else _named(c) for c in claims]
    return [*(map(find_claim, DEFAULT_CLAIMS) if core else CLAIMS.values()), CONTROL]


def _named(text: str) -> Claim:
    """The claim of an identifier, or the claim that a statement makes of the E-SSL diagram."""
    if "(" not in text and "_||_" not in text:
        return find_claim(text)
    return Claim(
        text,
        "Your statement",
        text,
        "exists" if any(r.operator in (">", "<") for r in parse_statement(text)) else "true",
        prose="A statement that was given in place of a claim.",
        reference="the caller",
        worlds=get_args(World),
    )


def _finished(
    tasks: Sequence[_Task],
    jobs: int,
    progress: Progress | None,
    kept: Partial,
    tell: Callable[[str], None] | None,
) -> list[Verdict]:
    """The verdicts of all tasks, those that were kept first."""
    verdicts: list[Verdict] = []
    waiting = []
    for task in tasks:
        known = kept.load(task.key)
        if known is None:
            waiting.append(task)
        else:
            verdicts.extend(known)
    done = len(tasks) - len(waiting)
    if done and progress is not None:
        progress(done, len(tasks), f"{done} resumed")
    for index, found in map_unordered(_run, range(len(waiting)), jobs=jobs, shared=(waiting,), tell=tell):
        task = waiting[index]
        kept.save(task.key, found)
        verdicts.extend(found)
        done += 1
        if progress is not None:
            progress(done, len(tasks), f"{task} ({sum(v.seconds for v in found):.0f} s)")
    return verdicts


def _pick(cases: Sequence[Case], generators: Sequence[str]) -> list[Case]:
    if not generators:
        return list(cases)
    known = {name for case in cases for name in (case.name, case.name.partition(":")[0])}
    for generator in generators:
        if generator not in known:
            raise ValueError(
                f"no case for generator {generator!r}: expected one of {', '.join(sorted(known))}"
            )
    return [case for case in cases if _selected(case, generators)]


def _selected(case: Case, generators: Sequence[str]) -> bool:
    return not generators or bool({case.name, case.name.partition(":")[0]} & set(generators))


@dataclass(frozen=True)
class _Task:
    """Everything that shares one bench: the claims of some worlds on one case, or on no case."""

    claims: tuple[Claim, ...]
    worlds: tuple[World, ...]
    case: Case | None
    settings: Settings

    @property
    def key(self) -> str:
        """A name for everything that decides the verdicts."""
        claims = [(str(c), str(c.diagram), c.worlds) for c in self.claims]
        case = None if self.case is None else (self.case.name, self.case.about, self.case.generator)
        return Partial.key(claims, self.worlds, case, self.settings)

    @property
    def weight(self) -> float:
        """Roughly how long it takes, so that the longest start first."""
        if self.case is None:
            return float(len(self.claims))
        if "learned" not in self.worlds and "sample" not in self.worlds:
            return 0.0
        kinds = {v.kind for v in self.case.generator.variables}
        if "learned" in self.worlds:
            return len(self.claims) * (40.0 if "image" in kinds else 10.0)
        return len(self.claims) * (20.0 if kinds - {"discrete"} else 0.1)

    def __str__(self) -> str:
        return f"{' and '.join(self.worlds)}: {self.case.name if self.case else 'any model'}"


_TOGETHER: tuple[tuple[World, ...], ...] = (("learned",), ("sample",), ("symbolic", "exact"))
"""The worlds of a case that are judged in one task; the slowest first."""


def _tasks(
    claims: Sequence[Claim],
    wanted: Sequence[World],
    cases: Iterable[Case],
    settings: Settings,
    *,
    general: bool,
) -> Iterator[_Task]:
    def some(kinds: Iterable[World], case: Case | None) -> Iterator[_Task]:
        kept = tuple(w for w in kinds if w in wanted)
        fitting = tuple(c for c in claims if (case is None or case.fits(c)) and set(kept) & set(c.worlds))
        if kept and fitting:
            yield _Task(fitting, kept, case, settings)

    for case in cases:
        for together in _TOGETHER:
            yield from some([world for world in together if case.judged_in(world)], case)
    if general:
        yield from some(("proof", "symbolic", "exact"), None)


def _general(claim: Claim, world: World, settings: Settings) -> list[Verdict]:
    """What can be said of a claim without a case: its proof, its own checks, random models."""
    if world == "proof":
        return [judges.proof(claim, settings)]
    if world == "exact" or world in claim.checks:
        return [judges.by_check(claim, world, settings)]
    return []


_JUDGES: dict[World, Callable[[Claim, Bench], Verdict]] = {
    "symbolic": judges.symbolic,
    "exact": judges.exact,
    "sample": judges.sample,
    "learned": judges.learned,
}
"""What judges a claim in each world but that of proofs."""


def _run(index: int, tasks: Sequence[_Task]) -> list[Verdict]:
    return _judged(tasks[index])


def _judged(task: _Task) -> list[Verdict]:
    targets: set[Target] = {"pretext"}
    if any(claim.expectation == "false" for claim in task.claims):
        targets.add("mixture")
    if any("W" in claim.statement.variables for claim in task.claims):
        targets.add("class")
    bench = None if task.case is None else Bench(task.case, task.settings, targets)
    verdicts = []
    for claim in task.claims:
        for world in task.worlds:
            if world in claim.worlds:
                if bench is None:
                    verdicts.extend(_general(claim, world, task.settings))
                else:
                    verdicts.append(_JUDGES[world](claim, bench))
    return verdicts


def _decided(verdicts: Sequence[Verdict], settings: Settings) -> Iterator[Verdict]:
    """Holm's procedure over both tests of every tested row, then the verdicts."""
    tested = [i for i, v in enumerate(verdicts) if v.p_verify is not None and v.p_violate is not None]
    adjusted = holm(
        [verdicts[i].p_verify or 0.0 for i in tested] + [verdicts[i].p_violate or 0.0 for i in tested]
    )
    for i, verdict in enumerate(verdicts):
        if i not in tested:
            yield verdict
            continue
        k = tested.index(i)
        outcome = decide(adjusted[k], adjusted[len(tested) + k], settings.alpha)
        note = verdict.note
        if outcome == "inconclusive":
            rows = rows_needed(_as_gap(verdict), verdict.margin or 0.0, alpha=settings.alpha / len(tested))
            note += f"; about {rows} rows would decide" if rows else "; on the boundary of the margin"
        yield replace(verdict, judgement=outcome, note=note)


def _as_gap(verdict: Verdict) -> Gap:
    return Gap(
        parse_statement(verdict.statement).relations[0],
        verdict.measured or 0.0,
        verdict.standard_error or 0.0,
        verdict.samples or 0,
    )
