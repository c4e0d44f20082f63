r"""The price of avoiding the class: train as usual, with the class told, and with the class eliminated.

The curve F(b) = max I(A;Z) over representations with I(C;Z) <= b (J5 of the theory) is exact: the glyphs
are seen without noise, so that only whether a glyph is symmetric matters. With S that bit, I(C;Z) >= I(S;Z),
with equality where Z depends on the posterior of A alone; so F of the two-state reduction is F of the images.
Free glyphs and half-turn pairs have J = 0, so F(0) = F(inf): no price, although the pairs' synergy is log 2.
Half-symmetric sets have J = log 2 and pay log(4)/2 - (log 4 - H(5/8,1/8,1/8,1/8)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.findings import Finding, Relation
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import means, paired
from synergy.experiments.worlds import fit, glyph_world, head_log_probabilities, image_sets
from synergy.learning import Eliminate, ImageSet, PredictLabel, PredictTransformation
from synergy.learning.measure import measure_representation
from synergy.learning.pretext import LabelTask
from synergy.plots import COLOURS, plot_style, subplots
from synthetic import Glyphs
from theory import Joint
from theory.forced import price_of_avoidance

__all__ = ["CLASS_INFORMATION", "exact_price"]

SETS = ("free", "half-turn-pairs", "half-symmetric")
AUGMENTATIONS = ("none", "crop+flip", "simclr")
STRONGEST = 1.0
_SWEEP = (0.3, 0.6)
_MARGIN = 0.05
_GLYPH_FEATURES = 4
_IMAGE_FEATURES = 8
_LONGER = 2.0
_QUANTITIES = ("I(A;Z)", "I(A;Z|C)", "I(C;Z)", "accuracy of A")


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


def exact_price(glyphs: str) -> pd.DataFrame:
    """F(b) of a glyph set without noise, columns b and F in nats, from its two-state or one-state reduction.

    Example:
        >>> round(float(exact_price("half-symmetric")["F"].iloc[0]), 3)
        0.313
    """
    if glyphs == "half-symmetric":
        joint = Joint.from_function(("A", "C"), (4, 2), {"X": lambda a, c: 4 if c else a})
        price = price_of_avoidance(joint, [float(b) for b in np.linspace(0, np.log(2), 9)])
        return pd.DataFrame({"b": price.budgets, "F": price.lower})
    flat = np.log(4) if glyphs == "free" else np.log(2)
    return pd.DataFrame({"b": [0.0, np.log(2)], "F": [flat, flat]})


_curve = cache(exact_price)


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


def _train(job: tuple[_Condition, int], scale: Scale) -> Row:
    condition, seed = job
    told = "C" if condition.treatment == "told" else None
    task: LabelTask
    source: ImageSet | Glyphs
    if condition.images in SETS:
        world = glyph_world(condition.images, "rotation", noise=0.0, pixels=scale.pixels)
        task = PredictLabel("A", told=told)
        source, judged = world, world.sample(scale.judged, seed=3000 + seed)
        encoder, features = "mlp", _GLYPH_FEATURES
    else:
        source, held = image_sets(scale, seed=seed, default="digits")
        task = PredictTransformation("rotation", told=told, augment=condition.augmentation)
        judged = held.transformed("rotation", copies=max(1, scale.judged // held.size), seed=3000 + seed)
        encoder, features = scale.encoder, _IMAGE_FEATURES
    pretext = Eliminate(task, "C", weight=condition.weight) if condition.weight else task
    fitted = fit(pretext, source, seed=seed, scale=scale, encoder=encoder, features=features, longer=_LONGER)
    found = measure_representation(
        fitted.represented(judged),
        terms=[name for name in _QUANTITIES if name.startswith("I")],
        quality=scale.quality,
        folds=4,
        seed=seed,
    )
    row: Row = {
        "images": condition.world,
        "treatment": condition.treatment,
        "weight": condition.weight,
        "seed": seed,
        **{name: found[name].value for name in _QUANTITIES if name.startswith("I")},
    }
    if told is None:
        log_p = head_log_probabilities(fitted, judged)
        row["accuracy of A"] = float((log_p.argmax(axis=1) == judged["A"]).mean())
    return row


def _measure(runner: Runner) -> pd.DataFrame:
    jobs = [(c, seed) for seed in range(runner.scale.seeds) for c in _conditions(runner.scale)]
    return runner.spread(
        _train, jobs, label=lambda j: f"{j[0].world}, {j[0].treatment} {j[0].weight:g}, seed {j[1]}"
    )


def _parts(runs: pd.DataFrame, images: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs as usual, and those with the strongest adversary."""
    part = runs[runs["images"] == images]
    strongest = part["weight"] == STRONGEST
    return part[part["treatment"] == "as usual"], part[strongest & (part["treatment"] == "eliminated")]


def _below_the_curve(runs: pd.DataFrame, images: str) -> tuple[float, ...]:
    """F(I(C;Z)) less I(A;Z) of each run: what the best representation would hold more of A."""
    curve = _curve(images)
    best = np.interp(runs["I(C;Z)"], curve["b"], curve["F"])
    return tuple((best - runs["I(A;Z)"]).tolist())


def _findings(runs: pd.DataFrame) -> list[Finding]:
    found = []
    for images in runs["images"].unique():
        usual, eliminated = _parts(runs, images)
        about = f"{images}: I(A;Z) as usual less that with the class eliminated, in nats"
        relation: Relation | None = ">" if images == "half-symmetric" else "==" if images in SETS else None
        margin = _MARGIN if relation == "==" else 0.0
        found.append(Finding(about, paired(usual, eliminated, "I(A;Z)"), relation, margin))
        if images == "half-symmetric":
            below = _below_the_curve(eliminated, images)
            found.append(Finding(f"{images}: F(I(C;Z)) less I(A;Z), in nats", below, ">=", _MARGIN))
            found.append(
                Finding(
                    f"{images}: accuracy of A as usual less that with the class eliminated",
                    paired(usual, eliminated, "accuracy of A"),
                    "==",
                    _MARGIN,
                )
            )
    return found


def _shortfalls(runs: pd.DataFrame) -> str:
    """What the adversary did not reach: the curve of the best representation, or a loss of the class."""
    said = []
    kept = []
    for images in runs["images"].unique():
        usual, eliminated = _parts(runs, images)
        if images == "half-symmetric":
            below = np.mean(_below_the_curve(eliminated, images))
            said.append(f" On half-symmetric glyphs that is {below:.3f} nats below F(b), the best there is.")
        left = eliminated["I(C;Z)"].mean() / usual["I(C;Z)"].mean()
        if images not in SETS and left > 0.5:
            kept.append(f"{left:.0%} on {images}")
    if kept:
        said.append(
            f" The adversary left most of the class on real images ({'; '.join(kept)}), so what "
            "I(A;Z) loses there is not the price of eliminating it."
        )
    return "".join(said)


def _conclude(runs: pd.DataFrame) -> Conclusion:
    told = []
    for images in runs["images"].unique():
        usual, eliminated = _parts(runs, images)
        told.append(
            f"{images}: {usual['I(A;Z)'].mean():.3f} as usual at I(C;Z) = {usual['I(C;Z)'].mean():.3f}, "
            f"{eliminated['I(A;Z)'].mean():.3f} at {eliminated['I(C;Z)'].mean():.3f}"
        )
    table = means(runs, ["images", "treatment", "weight"], _QUANTITIES[:3])
    accuracy = runs.groupby(["images", "treatment", "weight"], sort=False)["accuracy of A"].mean()
    table["accuracy of A"] = accuracy.to_numpy()
    return Conclusion(
        table,
        tuple(_findings(runs)),
        "Eliminating the class costs nothing for free glyphs (synergy 0, J 0) and for half-turn pairs "
        "(synergy log 2, J 0), and up to 0.380 nats of I(A;Z) for the half-symmetric set (J log 2), by the "
        "curve F(b); the price shows in the loss, not in the accuracy. Of real images nobody knows J.",
        f"I(A;Z) in nats, without an adversary and with the strongest one: {'; '.join(told)}."
        f"{_shortfalls(runs)}",
    )


def _draw(runs: pd.DataFrame) -> Figure:
    glyphs = [name for name in SETS if name in set(runs["images"])]
    others = [name for name in runs["images"].unique() if name not in SETS]
    panels = [*glyphs, *others[:1]]
    with plot_style():
        figure, axes = subplots(len(panels), width=3.1, height=3.4)
        for axis, name in zip(axes, panels, strict=True):
            if name in SETS:
                curve = _curve(name)
                end = max(2.1, float(runs["I(C;Z)"].max()))
                axis.plot(
                    [*curve["b"], end], [*curve["F"], curve["F"].iloc[-1]], color="0.3", label="exact F(b)"
                )
            for world, marker in zip([name] if name in SETS else others, "os^", strict=False):
                for k, treatment in enumerate(("as usual", "eliminated", "told")):
                    part = runs[(runs["images"] == world) & (runs["treatment"] == treatment)]
                    axis.scatter(
                        part["I(C;Z)"],
                        part["I(A;Z)"],
                        s=24,
                        alpha=0.8,
                        color=COLOURS[k],
                        marker=marker,
                        label=treatment if axis is axes[0] else None,
                    )
                if name not in SETS:
                    ending = world.split(", ")[-1]
                    label = ending if ending != name else "no augmentation"
                    axis.scatter([], [], color="0.4", marker=marker, label=label)
            axis.set(title=name, xlabel="I(C;Z) in nats", ylim=(-0.05, 1.5))
            if axis is axes[0] or name not in SETS:
                axis.legend(fontsize=8, loc="lower left")
        axes[0].set_ylabel("I(A;Z) in nats")
    return figure


CLASS_INFORMATION = Experiment(
    "class-information",
    "The price of avoiding the class",
    "What does a network lose that may not know the class?",
    _measure,
    _conclude,
    _draw,
)
