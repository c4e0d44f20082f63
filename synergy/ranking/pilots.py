"""The runs of a ranking: pilots, what they are compared with, and networks that read A as best they can."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.decomposition import PCA

from synergy.learning import (
    ImageSet,
    PredictLabel,
    PredictTransformation,
    Pretext,
    Trained,
    Training,
    Untrained,
    probe,
    train,
)
from synergy.learning.seeds import Purpose, generator
from synergy.ranking.candidates import Candidate
from synergy.ranking.data import RankedImages
from synergy.ranking.settings import RankSettings
from synergy.ranking.shortcuts import SHORTCUTS, predicted, statistics
from synthetic import Sample, Variable

__all__ = ["MADE", "Arrays", "Job", "Kind", "begun", "run_job"]

Arrays = dict[str, npt.NDArray[Any]]
Kind = Literal["pilot", "random", "supervised", "pixels", "told", "untold", "shortcuts"]
"""What a run is.

`pilot`: a short pretraining; `random`, `supervised`, `pixels`: what it is compared with; `told` and `untold`:
networks that stop early where they predict A best, told the class or told shuffled classes; `shortcuts`:
simple statistics.
"""

_COMPONENTS = 256
"""Raw pixels are probed by so many principal components, at most: a probe of all costs a minute."""

_VALIDATED = 0.1
"""The share of the training images that settles when the networks of `told` and `untold` stop."""

_COPIES = 2
"""How often each training image is transformed to fit the simple models."""

_LEARNED = 0.02
"""Nats: a pilot that tells less of A than this has not begun to learn its task."""

_JUDGED_DRAW = 2**20
"""The seed of the labels A of the judged images: the same for every run, so that they are paired."""


@dataclass(frozen=True)
class Job:
    """One run.

    Args:
        kind: What it is.
        candidate: The task; None for those that have none.
        seed: Of its weights, order and draws.
        stretch: It is trained so many times longer than others of its kind.
    """

    kind: Kind
    candidate: Candidate | None = None
    seed: int = 0
    stretch: int = 1

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, got {self.kind!r}")

    @property
    def name(self) -> str:
        """What to call it in a line of progress."""
        what = "" if self.candidate is None else f"{self.candidate.name}, "
        longer = "" if self.stretch == 1 else f", {self.stretch} times longer"
        return f"{what}{self.kind}, seed {self.seed}{longer}"


def run_job(job: Job, data: RankedImages, settings: RankSettings, device: str) -> Arrays:
    """Run one job.

    Returns:
        By name: `right`, whether the probe classifies each judged image rightly, shape (m,); `log_p`, what
        the run says of A on each judged image, transformed, shape (m, states) or (predictors, m, states);
        `loss` and `accuracy` of the pretext task in the last epoch; `begun`, see `begun`; `seconds`.
    """
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    found = _RUNS[job.kind](job, data, settings, device)
    return {**found, "seconds": np.array(clock() - start)}


def judged_inputs(job: Job, data: RankedImages) -> tuple[torch.Tensor, npt.NDArray[np.int64]]:
    """The judged images, each transformed once, and A."""
    return transformed(job, data, data.judged, seed=_JUDGED_DRAW)


def transformed(
    job: Job, data: RankedImages, rows: npt.NDArray[np.int64], *, seed: int
) -> tuple[torch.Tensor, npt.NDArray[np.int64]]:
    """Some images, each transformed once, and A."""
    if job.candidate is None:
        raise ValueError(f"a run of kind {job.kind!r} transforms nothing")
    task = job.candidate.task
    codes = task.draw(len(rows), generator(seed, Purpose.LABELS))
    images = torch.from_numpy(data.pixels[rows])
    return job.candidate.shown(images, codes, seed=seed), task.predicted(codes).numpy()


def _right(representation: npt.NDArray[np.float32], data: RankedImages, folds: int) -> npt.NDArray[np.bool_]:
    """Whether a cross-validated linear probe gets the class of each judged image right, shape (m,)."""
    sample = Sample(
        {"C": data.labels[data.judged], "Z": representation},
        {
            "C": Variable("C", "discrete", len(data.names), "class"),
            "Z": Variable("Z", "continuous", None, "representation"),
        },
    )
    return np.asarray(probe(sample, "C", folds=folds, seed=0).scores > 0.5)


def _trained(
    pretext: Pretext,
    source: ImageSet,
    job: Job,
    settings: RankSettings,
    device: str,
    *,
    longer: float = 1.0,
    patience: int | None = None,
    held_out: ImageSet | None = None,
) -> Trained:
    epochs, batch = settings.passes(source.size, longer=longer)
    return train(
        pretext,
        source,
        seed=job.seed,
        encoder=settings.encoder,
        features=settings.features,
        options=Training(epochs=epochs, batch_size=batch, patience=patience, device=device),
        held_out=held_out,
        progress=False,
    )


def _pilot(job: Job, data: RankedImages, settings: RankSettings, device: str) -> Arrays:
    if job.candidate is None:
        raise ValueError("a pilot needs a candidate")
    rows = data.drawn(settings.images, seed=job.seed)
    fitted = _trained(job.candidate.pretext, data.rows(rows), job, settings, device, longer=job.stretch)
    inputs, labels = judged_inputs(job, data)
    last = fitted.curve.iloc[-1]
    log_p = _head_log_p(fitted, inputs)
    return {
        "right": _right(fitted.represent(data.pixels[data.judged]), data, settings.folds),
        "log_p": log_p,
        "loss": np.array(float(last["loss"])),
        "accuracy": np.array(float(last["accuracy"])),
        "begun": np.array(begun(log_p, labels, job.candidate.entropy)),
    }


def begun(log_p: npt.NDArray[np.floating], labels: npt.NDArray[np.int64], entropy: float) -> bool:
    """Whether a network tells anything of A on images that it was not trained on.

    It does where some tempering of its posterior, p^t normalised, has a loss there that is `_LEARNED` below
    that of guessing, H(A): a network that is overconfident tells something too.

    Args:
        log_p: What it says of A, shape (m, states).
        labels: A, shape (m,).
        entropy: H(A), in nats.
    """
    scores = log_p.astype(np.float64)

    def loss(temper: float) -> float:
        tempered = log_softmax(temper * scores, axis=1)
        return -float(tempered[np.arange(len(labels)), labels].mean())

    found = minimize_scalar(loss, bounds=(0.0, 2.0), method="bounded")  # convex in t
    return bool(found.fun < entropy - _LEARNED)


@torch.no_grad()
def _head_log_p(fitted: Trained, inputs: torch.Tensor) -> npt.NDArray[np.float32]:
    z = torch.from_numpy(fitted.represent(inputs)).to(fitted.device)
    return np.asarray(fitted.head(z).float().log_softmax(dim=1).cpu().numpy(), dtype=np.float32)


def _random(job: Job, data: RankedImages, settings: RankSettings, device: str) -> Arrays:
    rows = data.rows(data.drawn(settings.images, seed=job.seed)[:2])
    fitted = _trained(Untrained(), rows, job, settings, device)
    return {"right": _right(fitted.represent(data.pixels[data.judged]), data, settings.folds)}


def _supervised(job: Job, data: RankedImages, settings: RankSettings, device: str) -> Arrays:
    rows = data.rows(data.drawn(settings.images, seed=job.seed, labelled=True))
    fitted = _trained(PredictLabel("C"), rows, job, settings, device)
    return {"right": _right(fitted.represent(data.pixels[data.judged]), data, settings.folds)}


def _pixels(job: Job, data: RankedImages, settings: RankSettings, device: str) -> Arrays:
    rows = data.pixels[data.drawn(settings.images, seed=job.seed)]
    flat = rows.reshape(len(rows), -1)
    size = min(_COMPONENTS, *flat.shape)
    found = PCA(
        size, svd_solver="randomized" if size < min(flat.shape) // 2 else "full", random_state=job.seed
    )
    with np.errstate(invalid="ignore"):  # the share of no variance, of constant images, is not asked for
        found.fit(flat)
    judged = data.pixels[data.judged]
    reduced = found.transform(judged.reshape(len(judged), -1)).astype(np.float32)
    return {"right": _right(reduced, data, settings.folds)}


def _longer(job: Job, data: RankedImages, settings: RankSettings, device: str) -> Arrays:
    """A network that predicts A with the class told, or with classes told that were shuffled.

    The two differ in nothing but what the classes say, so that their difference is not what a further network
    adds to a portfolio.
    """
    if job.candidate is None:
        raise ValueError("a network that predicts A needs a candidate")
    rows = data.drawn(settings.images, seed=job.seed, labelled=True)
    rng = np.random.default_rng([job.seed, 0x70D])
    validated = rng.permutation(len(rows)) < max(2, round(_VALIDATED * len(rows)))  # before what one draws
    classes, judged = data.labels[rows], data.labels[data.judged]
    if job.kind == "untold":
        classes, judged = rng.permutation(classes), rng.permutation(judged)

    def part(chosen: npt.NDArray[np.bool_]) -> ImageSet:
        labels = {"C": classes[chosen]}
        return ImageSet.from_arrays(data.pixels[rows[chosen]], labels, states={"C": len(data.names)})

    fitted = _trained(
        PredictTransformation(job.candidate.task, told="C"),
        part(~validated),
        job,
        settings,
        device,
        longer=settings.longer * job.stretch,
        patience=settings.patience * job.stretch,
        held_out=part(validated),
    )
    inputs, _ = judged_inputs(job, data)
    with torch.no_grad():
        z = torch.from_numpy(fitted.represent(inputs)).to(fitted.device)
        logits = fitted.head(z, torch.from_numpy(judged).to(fitted.device)).float()
    return {"log_p": logits.log_softmax(dim=1).cpu().numpy()}


def _shortcuts(job: Job, data: RankedImages, settings: RankSettings, device: str) -> Arrays:
    """What A can be told by from all statistics, and from each alone."""
    if job.candidate is None:
        raise ValueError("shortcuts are those of a candidate")
    states = job.candidate.task.states
    rows = data.drawn(settings.images, seed=job.seed)
    inputs, labels = transformed(job, data, np.tile(rows, _COPIES), seed=job.seed)
    judged, _ = judged_inputs(job, data)
    by_name = {name: (statistics(inputs, [name]), statistics(judged, [name])) for name in SHORTCUTS}
    whole = tuple(np.hstack([pair[side] for pair in by_name.values()]) for side in (0, 1))
    found = {"log_p": np.stack(predicted((whole[0], labels), whole[1], states, seed=job.seed))}
    for name, (u, shown) in by_name.items():
        each = predicted((u, labels), shown, states, seed=job.seed, thorough=False)
        found[f"log_p of {name}"] = np.stack(each)
    return {name: values.astype(np.float32) for name, values in found.items()}


_RUNS = {
    "pilot": _pilot,
    "random": _random,
    "supervised": _supervised,
    "pixels": _pixels,
    "told": _longer,
    "untold": _longer,
    "shortcuts": _shortcuts,
}
"""What makes a run of each kind."""

MADE: dict[Kind, frozenset[str]] = {
    "pilot": frozenset(("right", "log_p", "loss", "accuracy", "begun", "seconds")),
    "random": frozenset(("right", "seconds")),
    "supervised": frozenset(("right", "seconds")),
    "pixels": frozenset(("right", "seconds")),
    "told": frozenset(("log_p", "seconds")),
    "untold": frozenset(("log_p", "seconds")),
    "shortcuts": frozenset(("log_p", *(f"log_p of {name}" for name in SHORTCUTS), "seconds")),
}
"""The names of what a run of each kind makes."""
