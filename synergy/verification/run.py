"""Judging claims in worlds on cases, or on the caller's own rows, to a table of verdicts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial as applied
from pathlib import Path
from typing import get_args

from synergy.estimators.intake import Data
from synergy.verification import worlds as judges
from synergy.verification.bench import Bench, Target
from synergy.verification.cases import CASES, Case
from synergy.verification.controls import CONTROL
from synergy.verification.deciding import decided, told_by_tests
from synergy.verification.fitting import general, readable, why_not
from synergy.verification.given import OWN_ROWS, Given, read_given
from synergy.verification.implied import DataTest, tested
from synergy.verification.measure import shannon
from synergy.verification.own import diagram_option, is_own, own_cases, read_claim
from synergy.verification.partial import Partial
from synergy.verification.settings import Call, Settings
from synergy.verification.summary import DataChecks, Report
from synergy.verification.verdict import Verdict, World
from synthetic.parallel import map_unordered
from theory import CLAIMS, Claim, Diagram, find_claim, of_chapter, parse_statement

__all__ = ["DEFAULT_CLAIMS", "Progress", "Report", "verify"]

DEFAULT_CLAIMS = ("E1", "E2", "E3", "L1", "L2", "D1", "D2", "D3", "D4", "G1", "G2")
"""The core of the theory, which the quick run judges."""

Progress = Callable[[int, int, str], None]
"""Called with the number of jobs done, their total, and what has just been done."""


_OF_DATA: tuple[World, ...] = ("proof", "exact", "sample")
"""The worlds that the caller's rows can be judged beside."""


def verify(
    claims: str | Claim | Sequence[str | Claim] = (),
    *,
    data: Data | None = None,
    diagram: str | Diagram | None = None,
    given: str | Sequence[str] = (),
    groups: str | None = None,
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
    """Judge claims in worlds on cases, or on rows of the caller's own.

    A statement is asked of every model on the diagram and of every case, and of the rows where there are
    some. One with `>` or `<` is asked of the rows too; of the diagram it is asked whether some model
    satisfies it. A gap smaller than the margin counts as none: `settings.table_margin` for frequencies, and
    `settings.network_margin` for what is fitted. The note of a verdict says where the margin decided.

    Args:
        claims: One or more claims, their identifiers in the registry, or statements on the E-SSL diagram,
            such as `"I(A;Z|S) >= I(A;Z)"`; none for the negative control and the whole registry, or with
            `settings.core` the default ones, with `chapter` those of the chapter, and with `data` all that
            can be read in its columns.
        data: Rows to judge the claims on, as `estimate` takes them: a Sample, a DataFrame, arrays by name, or
            a path. The sample world is then these rows, and what diagram and premises say of them is tested.
        diagram: A diagram to judge the claims on in place of their own, or its text; `"none"` for none.
        given: Premises beside those of the claims.
        groups: The column of `data` whose equal values mark dependent rows.
        worlds: The worlds to judge in; none for all five, with `data` for proof and sample, and exact for
            claims that are not registered.
        generators: Families, or full names of cases, to judge on; none for all that fit.
        chapter: A chapter of the registry, see `theory.CHAPTERS`, whose claims are judged; it goes
            with no claims.
        cases: The cases to choose from; those that fit a claim are judged, see `judged_on`.
        settings: How much work to do; None for the full settings, with the better classifiers for `data`.
        jobs: How many processes work at once; on a cluster, see `synthetic.parallel.cluster`, all workers do.
        progress: Told of every job that is done.
        partial: A folder in which finished jobs are kept, so that the same call goes on where an
            interrupted one stopped; None to keep nothing.
        tell: Called with a line when a worker died, or a cluster has none yet.

    Raises:
        ValueError: If a claim, world, generator or chapter is unknown (the message says which exist), jobs
            is not positive, there is no such device, both claims and a chapter or both data and generators
            are named, or the data does not fit the claims.
        ContradictionError: If the premises contradict each other or the diagram; it is a ValueError.
        TypeError: If the data or the diagram is of an unknown kind.
    """
    if settings is None:
        settings = Settings() if data is None else Settings(quality="default")
    if settings.device not in ("auto", "cpu"):
        from synergy.device import choose_device

        choose_device(settings.device)
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs!r}")
    claims = [claims] if isinstance(claims, (str, Claim)) else list(claims)
    premises = (given,) if isinstance(given, str) else tuple(given)
    _check_data(data, groups, generators, cases)
    for world in worlds:
        if world not in get_args(World):
            raise ValueError(f"unknown world {world!r}: expected some of {', '.join(get_args(World))}")
        if data is not None and world not in _OF_DATA:
            raise ValueError(f"with data the worlds are {', '.join(_OF_DATA)}, got {world!r}")
    named = _chosen(claims, chapter, core=settings.core, data=data is not None)
    chosen = [read_claim(claim, diagram, premises) for claim in named]
    picked, own_rows = _pick(cases, generators), None
    if data is not None:
        asked = sorted({v for text in premises for v in parse_statement(text).variables})
        own_rows = read_given(data, chosen, groups=groups, settings=settings, premises=asked)
        if not claims and chapter is None:
            chosen = [claim for claim in chosen if _unread(claim, own_rows) is None]
        picked = []
    elif settings.core and not generators:
        picked = [case for case in picked if case.core]
    if data is None and cases is CASES and not generators and "sample" in (worlds or ("sample",)):
        picked += own_cases([claim for claim in chosen if is_own(claim)])
    wanted: tuple[World, ...] = tuple(worlds or (get_args(World) if data is None else _OF_DATA))
    if own_rows is not None and not worlds:
        tasks = list(_tasks(chosen, ("proof", "sample"), picked, settings, own_rows))
        unregistered = [claim for claim in chosen if is_own(claim)]
        tasks += _tasks(unregistered, ("exact",), picked, settings, None)
    else:
        tasks = list(_tasks(chosen, wanted, picked, settings, own_rows, alone=bool(generators)))
    tasks.sort(key=lambda task: task.weight, reverse=True)
    verdicts = _finished(tasks, jobs, progress, Partial(partial), tell)
    if generators or cases is not CASES:
        verdicts += _refused(chosen, wanted, picked)
    order = {c.id: i for i, c in enumerate(chosen)}
    world_order = {w: i for i, w in enumerate(get_args(World))}
    case_order = {case.name: i for i, case in enumerate(picked)}
    verdicts.sort(key=lambda v: (order[v.claim], world_order[v.world], case_order.get(v.case, -1)))
    own = cases is CASES or picked == [case for case in CASES if _selected(case, generators)]
    call = Call(
        tuple(c if isinstance(c, str) else c.id for c in claims),
        tuple(worlds),
        tuple(generators),
        all(isinstance(c, str) or CLAIMS.get(c.id) == c for c in claims)
        and own
        and (data is None or isinstance(data, str | Path)),
        chapter,
        None if data is None else str(data) if isinstance(data, str | Path) else "..",
        diagram_option(diagram) if isinstance(diagram, Diagram) else diagram,
        premises,
        groups,
    )
    found = tuple(decided(verdicts, settings))
    if own_rows is None:
        return Report(found, tuple(chosen), settings, call)
    if progress is not None:
        progress(len(tasks), len(tasks), "testing what the diagram and the premises say of the rows")
    checks = DataChecks.of(own_rows, tested(chosen, own_rows) if "sample" in wanted else ())
    told = tuple(
        told_by_tests(_with_rejections(verdict, chosen, checks.tests), chosen, checks.tests)
        for verdict in found
    )
    return Report(told, tuple(chosen), settings, call, checks)


def _check_data(
    data: Data | None, groups: str | None, generators: Sequence[str], cases: Sequence[Case]
) -> None:
    """Refuse what goes only with data, and what does not.

    Raises:
        ValueError: If there is such an argument.
    """
    if data is None and groups is not None:
        raise ValueError(f"groups marks dependent rows of data, and there is no data: got {groups!r}")
    if data is not None and (generators or cases is not CASES):
        told = ", ".join(generators) or "cases"
        raise ValueError(f"name data or generators, not both: got data and {told}")


def _chosen(
    claims: Sequence[str | Claim], chapter: str | None, *, core: bool, data: bool
) -> Sequence[str | Claim]:
    """The claims that were named, or those of a chapter, or the core or all of the registry."""
    if chapter is not None:
        if claims:
            told = ", ".join(c if isinstance(c, str) else c.id for c in claims)
            raise ValueError(f"name claims or a chapter, not both: got {told} and the chapter {chapter!r}")
        return list(of_chapter(chapter))
    if claims:
        return claims
    if data:
        return [claim for claim in CLAIMS.values() if "sample" in claim.worlds]
    return [*(map(find_claim, DEFAULT_CLAIMS) if core else CLAIMS.values()), CONTROL]


def _unread(claim: Claim, rows: Given) -> str | None:
    """Why a claim cannot be read in the caller's columns; None where it can."""
    there = [name for name in rows.sample.names if name != rows.sample.groups]
    try:
        for statement in (claim.statement, *claim.given):
            readable(statement, rows.sample.names)
    except ValueError:
        named = ", ".join(
            dict.fromkeys([*claim.statement.variables, *(v for f in claim.given for v in f.variables)])
        )
        return f"it names {named}, and the data has the columns {', '.join(there)} of its diagram"
    return None


def _with_rejections(verdict: Verdict, claims: Sequence[Claim], tests: Sequence[DataTest]) -> Verdict:
    """A proof with a warning, where the rows reject something that it may rest on."""
    rejected = ", ".join(test.statement for test in tests if test.outcome == "rejected")
    claim = next(claim for claim in claims if claim.id == verdict.claim)
    if verdict.world != "proof" or verdict.judgement != "proved" or not rejected:
        return verdict
    if all(shannon(relation) for relation in claim.statement):
        return verdict
    warning = f"the rows reject {rejected}: the proof does not apply to them"
    return replace(verdict, warnings=(*verdict.warnings, warning), note=f"{verdict.note}; {warning}")


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
    """Everything that shares one bench: some claims and worlds on one case, on own rows, or on neither."""

    pairs: tuple[tuple[Claim, World], ...]
    case: Case | None
    settings: Settings
    own: Given | None = None

    @property
    def worlds(self) -> tuple[World, ...]:
        """The worlds, each once."""
        return tuple(dict.fromkeys(world for _, world in self.pairs))

    @property
    def key(self) -> str:
        """A name for everything that decides the verdicts."""
        claims = [(str(c), str(c.diagram), world) for c, world in self.pairs]
        case = None if self.case is None else (self.case.name, self.case.about, self.case.generator)
        own = None if self.own is None else _digest(self.own)
        return Partial.key(claims, case, own, self.settings)

    @property
    def weight(self) -> float:
        """Roughly how long it takes, so that the longest start first."""
        count = float(len(self.pairs))
        if self.own is not None:
            return count * 40.0
        if self.case is None:
            return count
        if "learned" not in self.worlds and "sample" not in self.worlds:
            return 0.0
        kinds = {v.kind for v in self.case.generator.variables}
        if "learned" in self.worlds:
            return count * (40.0 if "image" in kinds else 10.0)
        return count * (20.0 if kinds - {"discrete"} else 0.1)

    def __str__(self) -> str:
        where = OWN_ROWS if self.own is not None else self.case.name if self.case else "any model"
        return f"{' and '.join(self.worlds)}: {where}"


def _digest(own: Given) -> str:
    """A name for the caller's rows."""
    found = hashlib.sha256(repr(own.sample.groups).encode())
    for name, column in own.sample.columns.items():
        found.update(f"{name} {column.dtype} {column.shape}".encode())
        found.update(column.tobytes())
    return found.hexdigest()


_TOGETHER: tuple[tuple[World, ...], ...] = (("learned",), ("sample",), ("symbolic", "exact"))
"""The worlds of a case that are judged in one task; the slowest first."""


def _tasks(
    claims: Sequence[Claim],
    wanted: Sequence[World],
    cases: Iterable[Case],
    settings: Settings,
    own: Given | None,
    *,
    alone: bool = False,
) -> Iterator[_Task]:
    """The tasks: claims in worlds on the cases that fit, on own rows, and on no case unless `alone`."""
    for case in cases:
        for together in _TOGETHER:
            kept = [world for world in together if world in wanted]
            pairs = tuple((c, w) for c in claims for w in kept if why_not(c, case, w) is None)
            if pairs:
                yield _Task(pairs, case, settings)
    if own is not None and "sample" in wanted:
        yield _Task(tuple((c, "sample") for c in claims), None, settings, own)
    if not alone:
        pairs = tuple((c, w) for c in claims for w in wanted if general(c, w) is not None)
        for some in (pairs[k : k + _PAIRS] for k in range(0, len(pairs), _PAIRS)):
            yield _Task(some, None, settings)


_PAIRS = 64
"""Claims and worlds without a case that are judged in one task."""


def _refused(claims: Sequence[Claim], wanted: Sequence[World], cases: Sequence[Case]) -> list[Verdict]:
    """For cases that were named the claims that do not fit them, each with the reason."""
    found = []
    for claim in claims:
        for case in cases:
            for world in wanted:
                if world == "proof" or world not in claim.worlds or case.why_not_in(world) is not None:
                    continue
                reason = why_not(claim, case, world)
                if reason is not None:
                    found.append(
                        Verdict(
                            claim.id, world, case.name, str(claim.statement), "not applicable", note=reason
                        )
                    )
    return found


def _general(claim: Claim, world: World, settings: Settings) -> Verdict:
    """What can be said of a claim without a case: its proof, its own checks, random models."""
    if world == "proof":
        return judges.proof(claim, settings)
    return judges.by_check(claim, world, settings, refute=is_own(claim))


def _on_rows(claim: Claim, own: Given) -> Verdict:
    """The sample world on the caller's rows."""
    reason = _unread(claim, own)
    if reason is not None:
        return Verdict(claim.id, "sample", OWN_ROWS, str(claim.statement), "not applicable", note=reason)
    return judges.timed(
        applied(
            judges.estimated, claim, "sample", OWN_ROWS, own.rows_for(claim), lambda: own.fit, own.settings
        )
    )


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
    if task.own is not None:
        return [_on_rows(claim, task.own) for claim, _ in task.pairs]
    if task.case is None:
        return [_general(claim, world, task.settings) for claim, world in task.pairs]
    targets: set[Target] = {"pretext"}
    if any(claim.expectation == "false" for claim, _ in task.pairs):
        targets.add("mixture")
    if any("W" in claim.statement.variables for claim, _ in task.pairs):
        targets.add("class")
    bench = Bench(task.case, task.settings, targets)
    return [_JUDGES[world](claim, bench) for claim, world in task.pairs]
