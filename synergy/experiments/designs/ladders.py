"""Ladders of finer and of more transformations: their tasks, their worlds, and what is measured of each.

The rungs of a ladder are labels of the same transformed images, each a function of the next finer one: only
so do F1 and M1 speak of them. `fine-grained` always turns images by eighths of the circle and asks for the
half, the quarter or the eighth of the circle that the angle lies in. These are not the 2-, 4- and 8-fold
rotation tasks of Wang et al. (2024), which turn by multiples of 180, 90 and 45 degrees: images that were
turned by other angles are another input, F1 does not order their synergies, and they are conditions of
their own. `multivariate` rotates, flips and blurs and asks for one, two or three of the labels.

With labels L = (L1, .., Lk), the label A of the finest rung says the same as all of L, and

    I(A;Z|C) - I(A;Z)  =  sum_i L(Li|L1..L(i-1),Z) - L(Li|L1..L(i-1),C,Z)     predicts the transformations,
    I(A;C|Z)           =  L(C|Z) - L(C|L,Z)                                    predicts the class,

A being drawn apart from C, so that H(A|C) = H(A). E1, which M1 applies to several transformations, says that
the two are equal. L(C|Z) may guess the labels first (`guessed`), by predictions of them from Z; apart from
these the sides share none.

Both were otherwise in earlier runs, where E1 missed on digits: 0.039 against 0.135 nats. Both routes were
off, seen on one encoder and 1,438 rows. Predicting 32 joint labels at once no classifier found use for the
class (0.005 nats; one label after the other 0.065, with the same classifiers). And a classifier of C that is
told the labels gains what the other misses for not knowing how the image was turned: 0.141 nats, and 0.110
where it may guess. So the gap is about half of what it was, and not gone.

On drawn glyphs the synergy at the input is exact. They are read through few features, so that classifiers
can find most of what a representation holds, and `multivariate` takes two transformations there: with the
blur as a third there are 32 joint labels, and in a trial on 1500 rows, with a third of the pixel noise, the
left side was 0.055 and the right one 0.046 to 0.083 nats, an error as large as what it should judge.

The steps of a ladder on one Z are no evidence. Classifiers that must use every label pay for each one in
rows per state: with them a step of M1 came out as -0.045 nats [-0.062, -0.028], where it cannot be negative.
So `NestedCrossFit` pools them with classifiers that miss some labels, and the pool of a rung holds that of
every coarser one: its step is negative only by what the pooling costs. Rows hold the synergy of the finest
rung, with and without a fair coin as one more label, by pooled and by plain classifiers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import entr

from synergy.estimators.classifier import CrossFit, NestedCrossFit, classifier
from synergy.experiments.designs.guessed import losses_of_guessing
from synergy.experiments.runs import Row
from synergy.experiments.scale import DataName, Scale
from synergy.experiments.show import CLASSES, SHARED
from synergy.experiments.worlds import (
    few_labels,
    fit,
    glyph_world,
    image_sets,
    pixel_accuracy,
    probe_accuracy,
    raw_glyphs,
    shared_by_seeds,
    untransformed,
)
from synergy.learning import PredictLabel, PredictTransformation, Task, Untrained, as_task
from synthetic import Glyphs, Sample, Variable
from synthetic.transformations import Exactness, Transformation

__all__ = [
    "DATA",
    "DRAWN",
    "LADDERS",
    "NOISE",
    "PIXELS",
    "SIDES",
    "UNGUESSED",
    "UNTRAINED",
    "TaskTransformation",
    "exact_synergy",
    "glyphs_under",
    "measure_rungs",
]

DRAWN = "drawn glyphs"
"""Glyphs drawn with known latents: the images whose synergy at the input is exact."""

DATA: DataName = "cluttered-glyphs"
"""The images beside them, where a scale names none: hard enough that accuracies can differ."""

UNTRAINED = "untrained encoder"
"""The condition of an encoder with its initial weights."""

PIXELS = "raw pixels"
"""The condition without an encoder."""

NOISE = "noise"
"""The step in which the label is a fair coin."""

UNGUESSED = "I(A;C|Z), no guess"
"""The column of the synergy by predicting the class, where L(C|Z) may not guess the labels first."""

SIDES = ("I(A;Z)", "I(A;C|Z)", "I(A;Z|C) - I(A;Z)")
"""The columns of the two sides of E1, and of what they are made of."""

_GLYPHS = "mixed"
"""The set of glyphs."""

_FOLDS = 4
"""The folds of the classifiers."""

_MOST_GUESSED = 16
"""Labels of more joint states are not guessed: each is tried in turn."""

_DRAWN_FEATURES = 8
"""The width of the representation of drawn glyphs."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rung:
    """A task of a ladder, and the labels of this and the coarser rungs as functions of the task's own.

    Args:
        name: What it is called.
        task: What is predicted.
        labels: For each rung up to this one, its label by the label of the task; several transformations
            have a label each, so that all labels up to a rung say what that rung says.
    """

    name: str
    task: Task
    labels: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Ladder:
    """Tasks on one world, from the coarsest to the finest.

    Args:
        rungs: The coarsest first.
        drawn: How many of them drawn glyphs are asked for.
        apart: Tasks on other inputs, which the theory does not compare with the rungs.
    """

    rungs: tuple[Rung, ...]
    drawn: int
    apart: tuple[Rung, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The rungs by name."""
        return tuple(rung.name for rung in self.rungs)

    def finest(self, images: str) -> Rung:
        """The last rung of some images."""
        return self.rungs[self.drawn - 1] if images == DRAWN else self.rungs[-1]

    def rung(self, name: str) -> Rung:
        """The task of that name, the finest one for the representations that no task was trained for."""
        return next((rung for rung in (*self.rungs, *self.apart) if rung.name == name), self.rungs[-1])


def _turns(steps: int) -> dict[str, object]:
    return {"name": "continuous-rotation", "steps": steps}


def _rotations() -> Ladder:
    sizes = {"half of the circle": 2, "quarter of the circle": 4, "eighth of the circle": 8}
    rungs = []
    for k, (name, states) in enumerate(sizes.items(), start=1):
        task = as_task(_turns(8), coarse=tuple(a * states // 8 for a in range(8)))
        coarser = list(sizes.values())[:k]
        labels = tuple(tuple(a * size // states for a in range(states)) for size in coarser)
        rungs.append(Rung(name, task, labels))
    apart = [
        Rung(f"turned by {360 // steps} degrees", as_task(_turns(steps)), (tuple(range(steps)),))
        for steps in (2, 4)
    ]
    return Ladder(tuple(rungs), len(rungs), tuple(apart))


def _several() -> Ladder:
    parts = ("rotation", "horizontal-flip", "blur")
    rungs = []
    for k in range(1, len(parts) + 1):
        task = as_task("+".join(parts[:k]))
        split = task.split(torch.arange(task.applied))
        labels = tuple(tuple(int(a) for a in part) for part in split)
        rungs.append(Rung(", ".join(parts[:k]), task, labels))
    return Ladder(tuple(rungs), 2)


LADDERS = {"fine-grained": _rotations(), "multivariate": _several()}
"""The ladder of each experiment."""


@dataclass(frozen=True)
class TaskTransformation(Transformation):
    """All that a task applies, as one transformation whose label is the joint one.

    Args:
        task: What is applied.
    """

    name: ClassVar[str] = "task"
    exactness: ClassVar[Exactness] = "approximate"
    statement: ClassVar[str] = "transformations one after the other; no group is claimed"
    task: Task

    @property
    def cardinality(self) -> int:
        """The number of joint labels."""
        return self.task.applied

    @property
    def parameters(self) -> dict[str, Any]:
        """The task by name."""
        return {"task": self.task.name}

    def check(self, shape: tuple[int, ...]) -> None:
        """As the task does."""
        self.task.check(shape)

    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One transformation after the other."""
        return self.task.apply(images, labels)


def glyphs_under(rung: Rung, *, pixels: int = 16) -> Glyphs:
    """Glyphs that a rung's transformations act on before the pixel noise comes; A is the joint label."""
    world = glyph_world(_GLYPHS, "rotation", pixels=pixels)
    return replace(world, transformation=TaskTransformation(rung.task))


def exact_synergy(world: Glyphs, images: npt.NDArray[np.floating], label: Integers) -> float:
    """I(label(A);C|X) by the exact posterior, averaged over images of the world, in nats.

    Args:
        world: The world that the images were drawn from.
        images: Shape (n, channels, height, width).
        label: The label for each state of A, shape (states,).
    """
    posterior = world.posterior(images, ["A", "C"])  # (n, states of A, classes)
    table = np.einsum("nac,al->nlc", posterior, np.eye(int(label.max()) + 1)[label])
    joint = entr(table).sum(axis=(1, 2))
    return float((entr(table.sum(axis=2)).sum(axis=1) + entr(table.sum(axis=1)).sum(axis=1) - joint).mean())


@dataclass(frozen=True)
class _RungResult:
    """Rows of a condition whose representation is Z and whose label is A, and what else is known of them."""

    rows: Sample
    accuracy: float
    shared: float
    exact: dict[str, float]


def measure_rungs(job: tuple[str, str, str, int], scale: Scale) -> Row:
    """The row of one condition and seed.

    Columns: `images`, `condition`, `seed`, `states`, how much the seeds share images, I(A;Z), the synergy by
    either prediction (`UNGUESSED` without guesses), and the class accuracy of a linear probe. Where Z was
    trained for the finest task also `one Z: R`, the synergy of each rung R, with `one Z: noise` for a fair
    coin beside the labels of the finest rung; `plain: ..`, the last two by classifiers that cannot ignore a
    label; and on drawn glyphs `exact: R`, the synergy of each rung at the input. Of an untrained encoder and
    of raw pixels there is the accuracy alone.

    Args:
        job: The ladder, the images (`DRAWN`, or a name for those of the scale), the condition (a rung,
            `UNTRAINED` or `PIXELS`) and the seed.
        scale: How large.
    """
    ladder, images, condition, seed = job
    rungs = LADDERS[ladder]
    rung = rungs.rung(condition)
    shown = _drawn(rungs, rung, seed, scale) if images == DRAWN else _held(rung, condition, seed, scale)
    row: Row = {
        "images": images,
        "condition": condition,
        "seed": seed,
        "states": rung.task.states,
        SHARED: shown.shared,
        CLASSES: shown.rows.variables["C"].cardinality,
        **dict.fromkeys(SIDES, float("nan")),
        "class accuracy": shown.accuracy,
        **{f"exact: {name}": value for name, value in shown.exact.items()},
    }
    if condition in (UNTRAINED, PIXELS):
        return row
    labelled = _labelled(shown.rows, rung, seed=seed)
    where = scale.judging_device
    fit = NestedCrossFit(labelled, folds=_FOLDS, seed=seed, quality=scale.quality, device=where)
    names = [f"L{k}" for k in range(1, len(rung.labels) + 1)]
    synergies = [f"I({','.join(names[: k + 1])};C|Z)" for k in range(len(names))]
    row["I(A;Z)"] = classifier(labelled, "I(A;Z)", fit=fit).value
    by_labels = _one_after_the_other(names)
    row["I(A;Z|C) - I(A;Z)"] = classifier(labelled, " + ".join(by_labels), predict=by_labels, fit=fit).value
    guessing = losses_of_guessing(fit, "C", _guesses(rung, names), "Z")
    missed = float((fit.losses("C", "Z") - guessing).mean())
    row[UNGUESSED] = classifier(labelled, synergies[-1], predict="C", fit=fit).value
    row["I(A;C|Z)"] = row[UNGUESSED] - missed
    if condition == rungs.finest(images).name:
        plain = CrossFit(labelled, folds=_FOLDS, seed=seed, quality=scale.quality, device=where)
        last = {condition: synergies[-1], NOISE: f"I({','.join([*names, 'N'])};C|Z)"}
        pooled = {**dict(zip(rungs.names, synergies, strict=False)), **last}
        for how, by, asked in (("one Z", fit, pooled), ("plain", plain, last)):
            for name, term in asked.items():
                value = classifier(labelled, term, predict="C", fit=by).value
                row[f"{how}: {name}"] = value - (missed if how == "one Z" else 0.0)
    return row


def _guesses(rung: Rung, names: list[str]) -> list[list[str]]:
    """The sets of labels that may be guessed together: the first ones, while they have few joint states."""
    joint = [len(set(zip(*rung.labels[: k + 1], strict=True))) for k in range(len(names))]
    return [names[: k + 1] for k, states in enumerate(joint) if states <= _MOST_GUESSED]


def _one_after_the_other(names: list[str]) -> dict[str, str]:
    """The terms of the chain rule of I(L1..Lk;C|Z), each with the label that is predicted.

    Example:
        >>> _one_after_the_other(["L1", "L2"])
        {'I(L1;C|Z)': 'L1', 'I(L2;C|L1,Z)': 'L2'}
    """
    return {f"I({name};C|{','.join([*names[:k], 'Z'])})": name for k, name in enumerate(names)}


def _judged_rows(scale: Scale) -> int:
    """Half as many as elsewhere: a classifier is fitted for every subset of up to four labels."""
    return max(1, scale.judged // 2)


def _held(rung: Rung, condition: str, seed: int, scale: Scale) -> _RungResult:
    """Raw images that a condition transforms itself."""
    train, judged = image_sets(scale, seed=seed, default=DATA)
    raw, few = untransformed(judged), few_labels(scale, default=DATA)
    copies = max(1, _judged_rows(scale) // judged.size)
    shared = shared_by_seeds(scale, default=DATA)
    if condition == PIXELS:
        return _RungResult(raw, pixel_accuracy(raw, seed=seed, labelled=few), shared, {})
    pretext = Untrained() if condition == UNTRAINED else PredictTransformation(rung.task)
    fitted = fit(pretext, train, seed=seed, scale=scale)
    accuracy = probe_accuracy(fitted, raw, seed=seed, labelled=few)
    if condition == UNTRAINED:
        return _RungResult(raw, accuracy, shared, {})
    some = judged.some(min(judged.size, _judged_rows(scale)), seed=seed)
    sample = some.transformed(rung.task, copies=copies, seed=6000 + seed)
    return _RungResult(fitted.represented(sample), accuracy, shared, {})


def _drawn(ladder: Ladder, rung: Rung, seed: int, scale: Scale) -> _RungResult:
    """Glyphs drawn from a world whose transformations a rung names."""
    world = glyphs_under(rung, pixels=scale.pixels)
    sample = world.sample(_judged_rows(scale), seed=7000 + seed)
    fitted = fit(PredictLabel("A"), world, seed=seed, scale=scale, features=_DRAWN_FEATURES)
    raw = raw_glyphs(_GLYPHS, scale.judged, seed=8000 + seed, pixels=scale.pixels)
    joint = np.zeros(rung.task.applied, dtype=np.int64)
    exact = {}
    for name, label in zip(ladder.names, rung.labels, strict=False):
        joint = joint * (max(label) + 1) + np.array(label)
        _, codes = np.unique(joint, return_inverse=True)
        exact[name] = exact_synergy(world, sample["X"], codes.astype(np.int64))
    return _RungResult(fitted.represented(sample), probe_accuracy(fitted, raw, seed=seed), 0.0, exact)


def _labelled(rows: Sample, rung: Rung, *, seed: int) -> Sample:
    """Rows with the labels of a rung and of the coarser ones as columns L1, L2, .. and a fair coin as N."""
    for k, label in enumerate(rung.labels, start=1):
        variable = Variable(f"L{k}", "discrete", max(label) + 1, "transformation")
        rows = rows.with_column(variable, np.array(label)[rows["A"]])
    bits = np.random.default_rng([seed, 0xB175]).integers(2, size=len(rows))
    return rows.with_column(Variable("N", "discrete", 2, "other"), bits)
