"""The runs of one ranking, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from synergy.ranking.alike import show_the_same
from synergy.ranking.candidates import Candidate
from synergy.ranking.cost import Cost, predicted_cost
from synergy.ranking.data import RankedImages
from synergy.ranking.gains import Gain, Scores, Seeds, gain, tiers
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

_RANDOM_ENCODERS = 16
"""Every gain is one over the random encoder, whose seeds may differ by points and cost no training."""

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
        self.untrained = [Job("random", None, first + s) for s in range(max(seeds, _RANDOM_ENCODERS))]
        self.looks = looks(seeds, len(tasks))
        self.explain = explain
        self.lost: dict[str, int] = {}
        self.stretch = dict.fromkeys(self.by_name, 1)
        self.idle: list[str] = []
        self.alike = [name for name, c in self.by_name.items() if show_the_same(c, data)]

    def references(self) -> list[Job]:
        """The runs of what the tasks are compared with."""
        supervised = [] if self._unlike < 2 else [Job("supervised", None, s) for s in self.seeds[:2]]
        return [
            *self.untrained,
            *supervised,
            Job("pixels", None, self.seeds[0]),
        ]

    @property
    def _unlike(self) -> int:
        """The number of classes that the labelled images to train on have."""
        return len(np.unique(self.data.labels[self.data.labelled]))

    def pilots(self, names: Sequence[str], done: int) -> list[Job]:
        """The pilots of some tasks with the first seeds."""
        return [self.pilot(name, s) for s in self.seeds[:done] for name in names]

    def pilot(self, name: str, seed: int) -> Job:
        """The pilot of a task with one seed."""
        return Job("pilot", self.by_name[name], seed, self.stretch[name])

    def reasons(self, names: Sequence[str]) -> list[Job]:
        """The runs that explain some tasks."""
        jobs = []
        for task in dict.fromkeys(self.by_name[name].task for name in names):
            plain = Candidate(task)
            jobs.append(Job("shortcuts", plain, self.seeds[0]))
            if len(self.data.labelled) >= self.settings.batch and self._unlike > 1:
                for kind in ("told", "untold"):
                    jobs += self.longer(kind, plain)
        return jobs

    def longer(self, kind: Kind, plain: Candidate) -> list[Job]:
        """The networks told the class, or shuffled ones; as many times longer as the task's pilots."""
        stretch = max(
            self.stretch[name] for name, c in self.by_name.items() if c.task.name == plain.task.name
        )
        return [Job(kind, plain, s, stretch) for s in self.seeds[: self.settings.pairs]]

    def cost(self) -> Cost:
        """What the runs that are left will cost if no task is dropped."""
        names = list(self.by_name)
        pilots = [*self.references(), *self.pilots(names, len(self.seeds))]
        reasons = self.reasons(names) if self.explain else []
        first = [*self.references(), *self.pilots(names, self.looks[0])]
        few = reasons if len(names) <= _MOST_EXPLAINED else []
        every = {*pilots, *reasons}
        left = self.runs.waiting([*pilots, *reasons])
        kinds = [job.kind for job in left]
        return predicted_cost(
            self.tasks,
            self.data,
            self.settings,
            counts=(len(every), len({*first, *few}), len(every) - len(left)),
            pilots=kinds.count("pilot") + kinds.count("supervised"),
            pilots_of_a_task=len(self.seeds),
            longer=kinds.count("told") + kinds.count("untold"),
            explained=kinds.count("shortcuts"),
            device=self.runs.device,
            processes=self.runs.processes,
        )

    def scores(self, name: str) -> Scores:
        """Rightness of a task, by seed and judged image."""
        found = [job for s in self.seeds if (job := self.pilot(name, s)) in self.runs]
        return np.stack([self.runs[job]["right"] for job in found]).astype(np.float64)

    def random(self) -> Scores:
        """Rightness of the random encoder, by seed and judged image."""
        return np.stack([self.runs[job]["right"] for job in self.untrained]).astype(np.float64)

    def between_seeds(self) -> Seeds:
        """How the tasks vary between seeds."""
        return Seeds.of({name: self.scores(name) for name in self.by_name})

    def begin(self) -> None:
        """Settle how long the pilots of each task are, by its first seed.

        A pilot that tells nothing of A is made anew with twice the steps, unless there is nothing to tell. A
        task that is not begun with the most steps either is tried with few: its representation is no better
        for more of them.
        """
        waiting = list(self.by_name)
        while waiting:
            jobs = [self.pilot(name, self.seeds[0]) for name in waiting]
            self.runs.do([*self.references(), *jobs], more=len(self.by_name) * (len(self.seeds) - 1))
            waiting = [n for n in waiting if not self.runs[self.pilot(n, self.seeds[0])]["begun"]]
            most = {n: 1 if n in self.alike else self.settings.stretch for n in waiting}
            done = [n for n in waiting if 2 * self.stretch[n] > most[n]]
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
                losers = dropped(scores, self.between_seeds())
                self.lost.update(dict.fromkeys(losers, done))
                left = [name for name in left if name not in losers]

    def groups(self) -> dict[str, int]:
        """Groups of tasks that cannot be told apart."""
        scores = {name: self.scores(name) for name in self.by_name}
        return tiers(
            scores, self.between_seeds(), confidence=self.settings.confidence, dropped=tuple(self.lost)
        )

    def gains(self) -> dict[str, Gain]:
        """The gain of each task."""
        random, seeds, looks = self.random(), self.between_seeds(), len(self.looks)
        confidence = self.settings.confidence
        return {
            name: gain(self.scores(name), random, seeds, name, confidence=confidence, looks=looks)
            for name in self.by_name
        }

    def quantities(self) -> dict[str, Quantities]:
        """What the theory asks of each task that is explained."""
        names = [n for n in self.by_name if len(self.by_name) <= _MOST_EXPLAINED or n not in self.lost]
        self.runs.do(self.reasons(names))
        return {name: self._explained(self.by_name[name]) for name in names}

    def _explained(self, candidate: Candidate) -> Quantities:
        plain = Candidate(candidate.task)
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
        found = self.quantities() if self.explain else {}
        gains, groups, values = self.gains(), self.groups(), joined(found)
        ranked = [
            self._ranked(
                name,
                gains[name],
                groups[name],
                values.get(name, {}),
                found[name].shortcuts if name in found else {},
            )
            for name in self.by_name
        ]
        ranked.sort(key=lambda task: (task.group, -task.gain.value, task.name))
        return Ranking(
            tasks=tuple(ranked),
            references=self._compared(),
            images=len(self.data.labels),
            classes=len(self.data.names),
            judged=len(self.data.judged),
            trained=self._size,
            seconds=float(sum(float(self.runs[job]["seconds"]) for job in self._used())),
            digest=self.data.digest,
            source=source_digest(),
            settings=self.settings,
            seed=seed,
            notes=(*self.data.notes, *self._begun(values), *self._notes(gains, found)),
        )

    @property
    def _size(self) -> int:
        """The images that each pilot is trained on."""
        return min(self.settings.images, len(self.data.trained))

    def _ranked(
        self,
        name: str,
        gained: Gain,
        group: int,
        quantities: Mapping[str, Quantity | None],
        shortcuts: Mapping[str, Quantity],
    ) -> Ranked:
        """A task with what its runs say of it."""
        candidate, stretch, lost = self.by_name[name], self.stretch[name], self.lost.get(name)
        jobs = [self.pilot(name, s) for s in self.seeds]
        pilots = [self.runs[job] for job in jobs if job in self.runs]
        told = paragraph(
            name,
            gained,
            entropy=candidate.entropy,
            quantities=quantities,
            shortcuts=shortcuts,
            dropped=lost,
            stretch=stretch,
            begun=name not in self.idle,
            alike=name in self.alike,
        )
        return Ranked(
            transformation=candidate.task.name,
            augmentation=candidate.augment,
            states=candidate.task.states,
            gain=gained,
            accuracy=float(np.mean([pilot["right"].mean() for pilot in pilots])),
            group=group,
            dropped=lost,
            steps=self.settings.step_count(self._size, longer=stretch),
            pretext={
                key: float(np.mean([float(pilot[key]) for pilot in pilots])) for key in ("loss", "accuracy")
            },
            quantities=quantities,
            shortcuts=shortcuts,
            told=told,
        )

    def _used(self) -> list[Job]:
        """Every run that the answer rests on, in one order."""
        names = list(self.by_name)
        wanted = [*self.references(), *self.pilots(names, len(self.seeds)), *self.reasons(names)]
        return [job for job in wanted if job in self.runs]

    def _compared(self) -> tuple[Reference, ...]:
        random, seeds = self.random(), self.between_seeds()
        found = [Reference("random encoder", float(random.mean()), None)]
        named = {"supervised": "supervised encoder", "pixels": "raw pixels"}
        for kind, name in named.items():
            jobs = [job for job in self.references() if job.kind == kind]
            if not jobs:
                continue
            right = np.stack([self.runs[job]["right"] for job in jobs]).astype(np.float64)
            difference = gain(
                right,
                random,
                seeds,
                kind if kind == "supervised" else None,
                confidence=self.settings.confidence,
            )
            found.append(Reference(name, float(right.mean()), difference))
        return tuple(found)

    def _begun(self, values: Mapping[str, Mapping[str, Quantity | None]]) -> list[str]:
        """Notes on the steps of the pilots, on tasks that needed more, and on those that were not learnt."""
        settings, steps = self.settings, self.settings.step_count(self._size)
        bound = settings.bound_by(self._size)
        late = [f"{name} ({times} times)" for name, times in self.stretch.items() if times > 1]
        open_ended = [name for name in self.idle if name not in self.alike]
        hidden = [name for name in open_ended if only_with_the_class(values.get(name, {}))]
        idle = [name for name in open_ended if name not in hidden]
        notes = []
        if bound == "most_epochs" and steps < settings.steps:
            notes.append(
                f"a pilot takes {steps:,} steps, fewer than the {settings.steps:,} of `steps`: its "
                f"{self._size:,} images are passed {settings.most_epochs} times at most (`most_epochs`)"
            )
        if self.alike:
            notes.append(
                f"all states of {', '.join(self.alike)} show the same image, so there is nothing to learn: a "
                "gain is that of a training on nothing, and no longer one helps"
            )
        if late:
            notes.append(
                f"given more steps than others, which they needed to begin to learn: {', '.join(late)}"
            )
        if hidden:
            notes.append(
                f"the pilots did not begin to learn {', '.join(hidden)}, and the class would have told: the "
                "images alone seem not to tell, so more steps may not help"
            )
        if idle:
            most = 1 << (settings.stretch.bit_length() - 1)
            tried = f" in {steps:,} steps" + (f", nor in {most} times as many" if most > 1 else "")
            notes.append(
                f"the pilots did not begin to learn {', '.join(idle)}{tried}: their gains say nothing of a "
                f"training that does; try more steps, which `{bound}` limits here, now "
                f"{getattr(settings, bound)} (`RankSettings({bound}=..)`, --set {bound}=..)"
            )
        return notes

    def _notes(self, gains: dict[str, Gain], found: dict[str, Quantities]) -> list[str]:
        """What a reader must know."""
        reach = [g.smallest for g in gains.values()]
        judged = len(self.data.judged)
        notes = []
        if not max(reach):
            notes.append("every training and the random encoder classify each image alike: nothing is told")
        elif judged < _FEW_LABELS:
            least, most = (f"{100 * r:.1f}" for r in (min(reach), max(reach)))
            size = most if least == most else f"{least} to {most}"
            notes.append(
                f"judged on {judged} labelled images: the intervals of the gains reach {size} points of "
                "accuracy to either side, and smaller gains are not told from none; more labels or seeds "
                "would narrow them"
            )
        if "supervised" not in {job.kind for job in self.references()}:
            have = "have no labels" if not self._unlike else "and have a label are of one class"
            notes.append(f"no supervised encoder: the images that are trained on {have}")
        if found and not any(q.values["I(A;C|X)"] for q in found.values()):
            notes.append(
                f"no synergy I(A;C|X): it needs {self.settings.batch} labelled images, of two classes at "
                "least, among those trained on"
            )
        if found:
            notes.append(
                "H(A|X) is an upper bound: the held-out loss of the best portfolio of networks and simple "
                "models that was trained here, so I(A;X) is a lower bound"
            )
        return notes
