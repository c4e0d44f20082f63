"""The runs of one ranking, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from synergy.ranking.candidates import Candidate
from synergy.ranking.cost import Cost, predicted_cost
from synergy.ranking.data import RankedImages
from synergy.ranking.gains import Gain, Scores, gain, seed_variance, tiers
from synergy.ranking.halving import dropped, looks
from synergy.ranking.pilots import Job, Kind, judged_inputs
from synergy.ranking.quantities import Quantities, Quantity, joined, measured
from synergy.ranking.result import Ranked, Ranking, Reference
from synergy.ranking.settings import RankSettings
from synergy.ranking.shortcuts import SHORTCUTS
from synergy.ranking.store import Runs
from synergy.ranking.words import only_with_the_class, paragraph
from theory.source import source_digest

__all__ = ["Work"]

_MOST_EXPLAINED = 12
"""With more tasks than this, only those that were not dropped are explained."""

_FINAL_SEEDS = 2
"""Seeds of a final: longer trainings vary less."""

_FEW_LABELS = 1000
"""With fewer judged images a note says what the intervals can tell."""


class Work:
    """The runs of one ranking, and what is made of them."""

    def __init__(
        self,
        data: RankedImages,
        settings: RankSettings,
        tasks: list[Candidate],
        *,
        first: int,
        seeds: int,
        explain: bool,
        runs: Runs,
    ) -> None:
        self.data, self.settings, self.tasks, self.runs = data, settings, tasks, runs
        self.by_name = {c.name: c for c in sorted(tasks, key=lambda c: c.name)}  # sums do not depend on order
        self.seeds = [first + s for s in range(seeds)]
        self.looks = looks(seeds, len(tasks))
        self.explain = explain
        self.lost: dict[str, int] = {}
        self.stretch = dict.fromkeys(self.by_name, 1)
        self.idle: list[str] = []
        self.finalists: list[str] = []
        self.pilot_variance = 0.0

    def references(self) -> list[Job]:
        """The runs of what the tasks are compared with."""
        few = len(self.data.labelled) < 2 or len(np.unique(self.data.labels[self.data.labelled])) < 2
        supervised = [] if few else [Job("supervised", None, s) for s in self.seeds[:2]]
        return [
            *(Job("random", None, s) for s in self.seeds),
            *supervised,
            Job("pixels", None, self.seeds[0]),
        ]

    def pilots(self, names: Sequence[str], done: int) -> list[Job]:
        """The pilots of some tasks with the first seeds."""
        return [self.pilot(name, s) for s in self.seeds[:done] for name in names]

    def pilot(self, name: str, seed: int) -> Job:
        """The pilot of a task with one seed."""
        return Job("pilot", self.by_name[name], seed, self.times(name))

    def times(self, name: str) -> int:
        """How many times longer than a pilot a task is trained."""
        return self.stretch[name] * (self.settings.final if name in self.finalists else 1)

    def finals(self, names: Sequence[str]) -> list[Job]:
        """The runs of a final of some tasks; none where there is to be none."""
        times = self.settings.final
        if times == 1:
            return []
        return [
            Job("pilot", self.by_name[name], s, self.stretch[name] * times)
            for s in self.seeds[:_FINAL_SEEDS]
            for name in names
        ]

    def reasons(self, names: Sequence[str]) -> list[Job]:
        """The runs that explain some tasks."""
        jobs = []
        for name in dict.fromkeys(self.by_name[name].task.name for name in names):
            plain = Candidate(next(c.task for c in self.tasks if c.task.name == name))
            jobs.append(Job("shortcuts", plain, self.seeds[0]))
            if len(self.data.labelled) >= self.settings.batch:
                for kind in ("told", "untold"):
                    jobs += self.longer(kind, plain)
        return jobs

    def longer(self, kind: Kind, plain: Candidate) -> list[Job]:
        """The networks that read A best, told the class or not; as much longer as the pilots of the task."""
        stretch = max(
            self.stretch[name] for name, c in self.by_name.items() if c.task.name == plain.task.name
        )
        return [Job(kind, plain, s, stretch) for s in self.seeds[: self.settings.pairs]]

    def cost(self) -> Cost:
        """What the runs that are left will cost at most."""
        names = list(self.by_name)
        pilots = [*self.references(), *self.pilots(names, len(self.seeds))]
        reasons = self.reasons(names) if self.explain else []
        first = [*self.references(), *self.pilots(names, self.looks[0])]
        few = reasons if len(names) <= _MOST_EXPLAINED else []
        finals = self.finals(names) if len(names) > 1 else []
        every = {*pilots, *reasons, *finals}
        left, last = self.runs.waiting([*pilots, *reasons]), self.runs.waiting(finals)
        kinds = [job.kind for job in left]
        return predicted_cost(
            self.tasks,
            self.data,
            self.settings,
            counts=(
                len(every),
                len({*first, *few}),
                len(every) - len(left) - len(last),
            ),
            finals=len(last),
            pilots=kinds.count("pilot") + kinds.count("supervised"),
            pilots_of_a_task=len(self.seeds),
            longer=kinds.count("told") + kinds.count("untold"),
            explained=kinds.count("shortcuts"),
            device=self.runs.device,
            processes=self.runs.processes,
        )

    def scores(self, name: str) -> Scores:
        """Rightness of a task less that of the random encoder, by seed and judged image."""
        found = [job for s in self.seeds if (job := self.pilot(name, s)) in self.runs]
        right = np.stack([self.runs[job]["right"] for job in found])
        return right.astype(np.float64) - self.random()[: len(found)]

    def random(self) -> Scores:
        """Rightness of the random encoder, by seed and judged image."""
        return np.stack([self.runs[Job("random", None, s)]["right"] for s in self.seeds]).astype(np.float64)

    def begin(self) -> None:
        """Settle how long the pilots of each task are, by its first seed.

        A pilot that tells nothing of A is made anew with twice the steps. A task that is not begun with the
        most steps either is tried with few: its representation is no better for more of them.
        """
        waiting = list(self.by_name)
        while waiting:
            jobs = [self.pilot(name, self.seeds[0]) for name in waiting]
            self.runs.do([*self.references(), *jobs], more=len(self.by_name) * (len(self.seeds) - 1))
            waiting = [n for n in waiting if not self.runs[self.pilot(n, self.seeds[0])]["begun"]]
            done = [n for n in waiting if 2 * self.stretch[n] > self.settings.stretch]
            self.stretch |= dict.fromkeys(done, 1)
            self.idle += done
            waiting = [n for n in waiting if n not in done]
            self.stretch |= {n: 2 * self.stretch[n] for n in waiting}

    def race(self) -> None:
        """Run the pilots, dropping clear losers between the looks."""
        self.begin()
        left = list(self.by_name)
        for number, done in enumerate(self.looks):
            jobs = self.pilots(left, done)
            last = number == len(self.looks) - 1
            more = len(left) * (self.looks[-1] - done) if not last else 0
            reasons = len(self.reasons(left)) if self.explain else 0
            self.runs.do(jobs, more=more + reasons)
            if not last:
                scores = {name: self.scores(name) for name in left}
                losers = dropped(scores, pooled=seed_variance(list(scores.values())))
                self.lost.update(dict.fromkeys(losers, done))
                left = [name for name in left if name not in losers]

    def play_final(self) -> None:
        """Train those tasks longer that pilots do not tell from the best, if there are any but the best.

        From then on their longer trainings stand for them.
        """
        self.pilot_variance = seed_variance([self.scores(name) for name in self.by_name])
        groups = self.groups()
        best = [name for name, group in groups.items() if group == 1]
        if len(best) < 2 or self.settings.final == 1:
            return
        reasons = len(self.reasons(list(self.by_name))) if self.explain else 0
        self.runs.do(self.finals(best), more=reasons)
        self.finalists = best

    def fields(self) -> list[tuple[dict[str, Scores], float]]:
        """Those that were trained alike, the final first: their scores and their variance between seeds."""
        final = {name: self.scores(name) for name in self.by_name if name in self.finalists}
        rest = {name: self.scores(name) for name in self.by_name if name not in self.finalists}
        fields = (final, seed_variance(list(final.values()))), (rest, self.pilot_variance)
        return [(scores, pooled) for scores, pooled in fields if scores]

    def groups(self) -> dict[str, int]:
        """Groups of tasks that cannot be told apart, each of tasks that were trained alike."""
        found: dict[str, int] = {}
        for scores, pooled in self.fields():
            own = tiers(
                scores,
                pooled=pooled,
                confidence=self.settings.confidence,
                dropped=() if self.finalists else self.lost,
            )
            before = max(found.values(), default=0)
            found |= {name: before + number for name, number in own.items()}
        return found

    def gains(self) -> dict[str, Gain]:
        """The gain of each task; longer trainings vary less, with a variance between seeds of their own."""
        return {
            name: gain(
                scores,
                pooled=pooled,
                confidence=self.settings.confidence,
                looks=len(self.looks) + bool(self.finalists),
            )
            for field, pooled in self.fields()
            for name, scores in field.items()
        }

    def quantities(self) -> dict[str, Quantities]:
        """What the theory asks of each task that is explained."""
        names = [n for n in self.by_name if len(self.by_name) <= _MOST_EXPLAINED or n not in self.lost]
        self.runs.do(self.reasons(names))
        return {name: self._explained(self.by_name[name]) for name in names}

    def _explained(self, candidate: Candidate) -> Quantities:
        plain = Candidate(next(c.task for c in self.tasks if c.task == candidate.task))
        _, labels = judged_inputs(Job("pilot", plain), self.data)

        def log_p(jobs: list[Job], name: str = "log_p") -> tuple[npt.NDArray[np.float64], ...]:
            return tuple(self.runs[job][name].astype(np.float64) for job in jobs if job in self.runs)

        pilots = log_p([self.pilot(candidate.name, s) for s in self.seeds])
        untold, told = (log_p(self.longer(kind, plain)) for kind in ("untold", "told"))
        simple = Job("shortcuts", plain, self.seeds[0])
        named = {name: list(log_p([simple], f"log_p of {name}")[0]) for name in SHORTCUTS}
        return measured(
            candidate,
            self.data,
            labels,
            (pilots, untold, told),
            {"": list(log_p([simple])[0]), **named},
            folds=self.settings.folds,
            resolution=self.settings.resolution,
        )

    def ranking(self, seed: int) -> Ranking:
        """Run everything, and order the tasks."""
        self.race()
        self.play_final()
        found = self.quantities() if self.explain else {}
        gains, groups = self.gains(), self.groups()
        values = joined(found)
        size = min(self.settings.images, len(self.data.trained))
        ranked = []
        for name, candidate in self.by_name.items():
            jobs = [self.pilot(name, s) for s in self.seeds]
            pilots = [self.runs[job] for job in jobs if job in self.runs]
            quantities = values.get(name, {})
            shortcuts = found[name].shortcuts if name in found else {}
            ranked.append(
                Ranked(
                    transformation=candidate.task.name,
                    augmentation=candidate.augment,
                    states=candidate.task.states,
                    gain=gains[name],
                    accuracy=float(np.mean([pilot["right"].mean() for pilot in pilots])),
                    group=groups[name],
                    dropped=self.lost.get(name),
                    steps=self.settings.step_count(size, longer=self.times(name)),
                    pretext={
                        key: float(np.mean([float(pilot[key]) for pilot in pilots]))
                        for key in ("loss", "accuracy")
                    },
                    quantities=quantities,
                    shortcuts=shortcuts,
                    told=paragraph(
                        name,
                        gains[name],
                        entropy=float(np.log(candidate.task.states)),
                        quantities=quantities,
                        shortcuts=shortcuts,
                        dropped=self.lost.get(name),
                        stretch=self.stretch[name],
                        begun=name not in self.idle,
                    ),
                )
            )
        last = self.finalists or list(self.by_name)
        ranked.sort(key=lambda task: (task.name not in last, -task.gain.value, task.name))
        return Ranking(
            tasks=tuple(ranked),
            references=self._compared(),
            images=len(self.data.labels),
            classes=len(self.data.names),
            judged=len(self.data.judged),
            trained=size,
            seconds=float(sum(float(self.runs[job]["seconds"]) for job in self._used())),
            digest=self.data.digest,
            source=source_digest(),
            settings=self.settings,
            seed=seed,
            notes=(*self.data.notes, *self._begun(values), *self._notes(gains, found)),
        )

    def _used(self) -> list[Job]:
        """Every run that the answer rests on, in one order."""
        names = list(self.by_name)
        pilots = self.pilots(names, len(self.seeds))
        pilots += [
            Job("pilot", self.by_name[n], s, self.stretch[n]) for s in self.seeds for n in self.finalists
        ]
        wanted = [*self.references(), *pilots, *self.reasons(names)]
        return [job for job in wanted if job in self.runs]

    def _compared(self) -> tuple[Reference, ...]:
        random = self.random()
        found = [Reference("random encoder", float(random.mean()), None)]
        named = {"supervised": "supervised encoder", "pixels": "raw pixels"}
        for kind, name in named.items():
            jobs = [job for job in self.references() if job.kind == kind]
            if not jobs:
                continue
            right = np.stack([self.runs[job]["right"] for job in jobs]).astype(np.float64)
            against = random[: len(right)] if kind == "supervised" else random.mean(axis=0)[None]
            difference = gain(
                right - against, pooled=self.pilot_variance, confidence=self.settings.confidence
            )
            found.append(Reference(name, float(right.mean()), difference))
        return tuple(found)

    def _begun(self, values: Mapping[str, Mapping[str, Quantity | None]]) -> list[str]:
        """Notes on tasks that were trained longer than others, and on those that were not learnt."""
        late = [f"{name} ({times} times)" for name, times in self.stretch.items() if times > 1]
        hidden = [name for name in self.idle if only_with_the_class(values.get(name, {}))]
        idle = [name for name in self.idle if name not in hidden]
        notes = []
        if self.finalists:
            notes.append(
                f"trained {self.settings.final} times longer than the others, since pilots did not tell them "
                f"apart, and first for that reason: {', '.join(self.finalists)}"
            )
        if late:
            notes.append(
                f"trained longer than the others, which they needed to begin to learn: {', '.join(late)}"
            )
        if hidden:
            notes.append(
                f"the pilots did not begin to learn {', '.join(hidden)}, and the class would have told: the "
                "images alone seem not to tell, so more steps may not help"
            )
        if idle:
            most = self.settings.stretch
            tried = f", with {most} times the steps neither" if most > 1 else ""
            notes.append(
                f"the pilots did not begin to learn {', '.join(idle)}{tried}: their gains say nothing "
                "of a training that does; try more steps (`RankSettings(steps=..)`)"
            )
        return notes

    def _notes(self, gains: dict[str, Gain], found: dict[str, Quantities]) -> list[str]:
        """What a reader must know."""
        widest = max(g.smallest for g in gains.values())
        judged = len(self.data.judged)
        notes = []
        if judged < _FEW_LABELS:
            notes.append(
                f"judged on {judged} labelled images: a gain below {100 * widest:.1f} points of accuracy is "
                "not told from none; four times as many labels would about halve that"
            )
        if "supervised" not in {job.kind for job in self.references()}:
            notes.append("no supervised encoder: the images that are trained on have no labels")
        if found and not any(q.values["I(A;C|X)"] for q in found.values()):
            notes.append(
                f"no synergy I(A;C|X): it needs {self.settings.batch} labelled images among those trained on"
            )
        if found:
            notes.append(
                "H(A|X) is an upper bound: the held-out loss of the best portfolio of networks and simple "
                "models that was trained here, so I(A;X) is a lower bound"
            )
        return notes
