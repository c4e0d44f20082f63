r"""The price of avoiding the class: train as usual, with the class told, and with the class eliminated.

The curve F(b) = max I(A;Z) over representations with I(C;Z) <= b (J5 of the theory) is exact: the glyphs
are seen without noise, so that only whether a glyph is symmetric matters. With S that bit, I(C;Z) >= I(S;Z),
with equality where Z depends on the posterior of A alone; so F of the two-state reduction is F of the images.
Free glyphs and half-turn pairs have J = 0, so F(0) = F(inf): no price, although the pairs' synergy is log 2.
Half-symmetric sets have J = log 2 and pay log(4)/2 - (log 4 - H(5/8,1/8,1/8,1/8)).

There are 480 different images of free glyphs, 240 of pairs and 300 of half-symmetric sets. A deterministic
network gives each a value of its own, so Z never forgets a class that the image shows: the adversary removes
what a smooth classifier reads, and a table of the values reads the rest. So a network is judged by the noisy
channel Z + tau N, each feature of Z with mean 0 and variance 1 over the images. It is a representation too,
F(b) bounds it, and its informations are exact (`blurred`). For real images there are probes alone.

A network that is told the class is trained for I(A;Z|C), at most I(A;X|C) = I(A;X) + I(A;C|X): what it gains
over the usual one is the synergy I(A;C|X).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from synergy.experiments.class_information.avoidance import (
    BEST_READ,
    CLASS_READ,
    NOISE_ERROR,
    SETS,
    STRONGEST,
    SYNERGY,
    TAUS,
    blurred_name,
    conclude,
    exact_price,
)
from synergy.experiments.class_information.blurred import TERMS, blurred_information, standardised
from synergy.experiments.class_information.figure import draw
from synergy.experiments.outcome import Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import CLASSES, SHARED
from synergy.experiments.worlds import (
    fit,
    glyph_world,
    head_log_probabilities,
    image_sets,
    shared_by_seeds,
)
from synergy.learning import Eliminate, ImageSet, PredictLabel, PredictTransformation, Trained
from synergy.learning.measure import measure_representation
from synergy.learning.pretext import LabelTask
from synergy.learning.pretext.adversary import Elimination
from synergy.learning.probes import probe
from synthetic import Glyphs
from synthetic.images.glyphs import GLYPH_SETS

__all__ = ["CLASS_INFORMATION", "exact_price"]

AUGMENTATIONS = ("none", "crop+flip", "simclr")
"""The base augmentations, on images whose latents are not known."""

_SWEEP = (0.3, 0.6)
"""Further weights of the elimination, where the price is high."""

_GLYPH_FEATURES = 4
"""The width of the representation of glyphs: elimination needs a narrow one."""

_IMAGE_FEATURES = 8
"""The width of the representation of other images."""

_INDEPENDENCE = 10.0
"""The weight of the elimination on other images, where a critic is outrun: with base augmentations one at
chance left 0.77 nats of the class to a fresh probe, and a first form of the criterion 0.22."""

_FEWEST = 40
"""Images of one's own, at least: 16 of them are judged, by four folds."""

_LONGER = 2.0
"""Training takes so many times the usual steps: elimination needs time."""

_DRAWS = 40_000
"""Their standard error is near 0.001 nats, a twentieth of the tolerance of any scale that has a name."""

_TOLERANCE = 0.02
"""Up to this tolerance so many are made; for a coarser one as many as leave the same share of it."""


@dataclass(frozen=True)
class _Condition:
    images: str
    treatment: str
    weight: float
    augmentation: str = "none"

    @property
    def world(self) -> str:
        """The images with their base augmentation."""
        return self.images if self.augmentation == "none" else f"{self.images}, {self.augmentation}"


def _conditions(scale: Scale) -> list[_Condition]:
    glyphs = list(SETS) if scale.draws_glyphs else []
    found = []
    for name in glyphs:
        weights = (*_SWEEP, STRONGEST) if name == "half-symmetric" and scale.every else (STRONGEST,)
        found += [_Condition(name, "as usual", 0.0)]
        found += [_Condition(name, "told", 0.0)] if scale.every else []
        found += [_Condition(name, "eliminated", w) for w in weights]
    if scale.data != "glyphs":
        images = scale.data_name or "digits"
        for augmentation in AUGMENTATIONS if scale.every else AUGMENTATIONS[:1]:
            for treatment, weight in (("as usual", 0.0), ("told", 0.0), ("eliminated", STRONGEST)):
                found.append(_Condition(images, treatment, weight, augmentation))
    return found


def _draws(tolerance: float) -> int:
    return round(_DRAWS * min(1.0, (_TOLERANCE / tolerance) ** 2))


def _exactly(fitted: Trained, world: Glyphs, draws: int, seed: int) -> Row:
    """What a network tells of all images of a world, with each noise, from their own probabilities."""
    joint = world.joint(("X", "A", "C")).probabilities
    z = standardised(fitted.represent(world.states.images), joint.sum(axis=(1, 2)))
    row: Row = {SYNERGY: world.exact(SYNERGY).value, BEST_READ: joint.sum(axis=1).max(axis=1).sum()}
    errors = []
    for tau in TAUS:
        found = blurred_information(z, joint, tau=tau, draws=draws, seed=seed)
        row.update({blurred_name(name, tau): answer.value for name, answer in found.items()})
        errors += [answer.standard_error for answer in found.values()]
    return {**row, NOISE_ERROR: max(errors)}


def _train(job: tuple[_Condition, int], scale: Scale) -> Row:
    condition, seed = job
    told = "C" if condition.treatment == "told" else None
    task: LabelTask
    source: ImageSet | Glyphs
    if condition.images in SETS:
        source = glyph_world(condition.images, "rotation", noise=0.0, pixels=scale.pixels)
        task, judged = PredictLabel("A", told=told), source.sample(scale.judged, seed=3000 + seed)
        encoder, features, shared = "mlp", _GLYPH_FEATURES, 0.0
        classes = len(GLYPH_SETS[condition.images])
    else:
        source, held = image_sets(scale, seed=seed, default="digits")
        task = PredictTransformation("rotation", told=told, augment=condition.augmentation)
        judged = held.transformed("rotation", copies=max(1, scale.judged // held.size), seed=3000 + seed)
        encoder, features, classes = scale.encoder, _IMAGE_FEATURES, held.states["C"]
        shared = shared_by_seeds(scale, default="digits")
    # As usual: an adversary of no weight, so that the two arms differ in nothing else.
    weight = condition.weight * (1.0 if condition.images in SETS else _INDEPENDENCE)
    method: Elimination = "alternating" if condition.images in SETS else "independence"
    pretext = task if told else Eliminate(task, "C", weight=weight, method=method)
    fitted = fit(pretext, source, seed=seed, scale=scale, encoder=encoder, features=features, longer=_LONGER)
    seen = fitted.represented(judged)
    found = measure_representation(
        seen, terms=TERMS, quality=scale.quality, folds=4, seed=seed, device=scale.judging_device
    )
    row: Row = {
        "images": condition.world,
        "treatment": condition.treatment,
        "weight": condition.weight,
        "seed": seed,
        SHARED: shared,
        CLASSES: classes,
        **{name: found[name].value for name in TERMS},
        CLASS_READ: probe(seen, "C", method="knn", seed=seed).score,
        **dict.fromkeys(("accuracy of A", SYNERGY, BEST_READ, NOISE_ERROR), float("nan")),
    }
    if told is None:
        log_p = head_log_probabilities(fitted, judged)
        row["accuracy of A"] = float((log_p.argmax(axis=1) == judged["A"]).mean())
    if isinstance(source, Glyphs):
        row |= _exactly(fitted, source, _draws(scale.tolerance), seed)
    return row


def _measure(runner: Runner) -> pd.DataFrame:
    jobs = [(c, seed) for seed in range(runner.scale.seeds) for c in _conditions(runner.scale)]
    return runner.spread(
        _train, jobs, label=lambda j: f"{j[0].world}, {j[0].treatment} {j[0].weight:g}, seed {j[1]}"
    )


CLASS_INFORMATION = Experiment(
    "class-information",
    "The price of avoiding the class",
    "What does a network lose that may not know the class?",
    _measure,
    conclude,
    draw,
    fewest=_FEWEST,
    probes=False,
    square=True,
)
"""The experiment on the price of avoiding the class."""
