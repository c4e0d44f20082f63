r"""The price of avoiding the class: train as usual, with the class told, and with the class eliminated.

The curve F(b) = max I(A;Z) over representations with I(C;Z) <= b (J5 of the theory) is exact: the glyphs
are seen without noise, so that only whether a glyph is symmetric matters, and F of the two-state reduction
is F of the images. Free glyphs and half-turn pairs have J = 0, so F(0) = F(inf): no price, although the
pairs' synergy is log 2. Half-symmetric sets have J = log 2 and pay log(4)/2 - (log 4 - H(5/8,1/8,1/8,1/8)).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.base import Experiment, Outcome, Progress, Row, Scale, spread, summarise
from synergy.experiments.worlds import fit, glyph_world
from synergy.learning import Eliminate, PredictLabel, Pretext, Stream
from synergy.learning.measure import measure_representation
from synergy.plots import plot_style, subplots
from theory import Joint
from theory.forced import price_of_avoidance

__all__ = ["CLASS_INFORMATION"]

SETS = ("free", "half-turn-pairs", "half-symmetric")
WEIGHTS = (0.0, 0.3, 1.0, 3.0)
_FEATURES = 8


def _curve(glyphs: str) -> pd.DataFrame:
    """F(b) of a glyph set without noise, from its two-state or one-state reduction."""
    if glyphs == "half-symmetric":
        joint = Joint.from_function(("A", "C"), (4, 2), {"X": lambda a, c: 4 if c else a})
        price = price_of_avoidance(joint, [float(b) for b in np.linspace(0, np.log(2), 9)])
        return pd.DataFrame({"b": price.budgets, "F": price.lower})
    flat = np.log(4) if glyphs == "free" else np.log(2)
    return pd.DataFrame({"b": [0.0, np.log(2)], "F": [flat, flat]})


def _pretext(treatment: str, weight: float) -> Pretext:
    if treatment == "told":
        return PredictLabel("A", told="C")
    return Eliminate(PredictLabel("A"), "C", weight=weight) if weight else PredictLabel("A")


def _train(job: tuple[str, str, float, int, Scale]) -> Row:
    glyphs, treatment, weight, seed, scale = job
    world = glyph_world(glyphs, "rotation", noise=0.0)
    narrow = Scale(**{**scale.__dict__, "features": _FEATURES})
    fitted = fit(_pretext(treatment, weight), Stream(world, scale.inputs), seed=seed, scale=narrow)
    judged = fitted.trained.represented(world.sample(scale.judged, seed=3000 + seed))
    found = measure_representation(
        judged, terms=["I(A;Z)", "I(A;Z|C)", "I(C;Z)"], quality=scale.quality, folds=4, seed=seed
    )
    return {
        "glyphs": glyphs,
        "treatment": treatment,
        "weight": weight,
        "seed": seed,
        "I(A;Z)": found["I(A;Z)"].value,
        "I(A;Z|C)": found["I(A;Z|C)"].value,
        "I(C;Z)": found["I(C;Z)"].value,
    }


def _run(scale: Scale, progress: Progress | None) -> Outcome:
    treatments = [("eliminated" if w else "as usual", w) for w in WEIGHTS] + [("told", 0.0)]
    jobs = [(g, t, w, s, scale) for s in range(scale.seeds) for g in SETS for t, w in treatments]
    runs = spread(
        _train, jobs, scale=scale, progress=progress, label=lambda j: f"{j[0]}, {j[1]} {j[2]:g}, seed {j[3]}"
    )
    table = _table(runs)
    price = {g: _price(runs, g) for g in SETS}
    listed = "; ".join(
        f"{g}: {p['usual']:.3f} as usual, {p['eliminated']:.3f} at I(C;Z) = {p['left']:.3f}"
        for g, p in price.items()
    )
    free = max(price[g]["usual"] - price[g]["eliminated"] for g in ("free", "half-turn-pairs"))
    paid = price["half-symmetric"]["usual"] - price["half-symmetric"]["eliminated"]
    return Outcome(
        "class-information",
        table,
        runs,
        _figure(runs),
        "Eliminating the class costs nothing for free glyphs (synergy 0, J 0) and for half-turn pairs "
        "(synergy log 2, J 0), and up to 0.380 nats of I(A;Z) for the half-symmetric set (J log 2).",
        f"I(A;Z) in nats with the strongest adversary: {listed}.",
        bool(paid > free),
        scale,
    )


def _price(runs: pd.DataFrame, glyphs: str) -> dict[str, float]:
    part = runs[runs["glyphs"] == glyphs]
    strongest = part[(part["treatment"] == "eliminated") & (part["weight"] == max(WEIGHTS))]
    usual = part[part["treatment"] == "as usual"]
    return {
        "usual": float(usual["I(A;Z)"].mean()),
        "eliminated": float(strongest["I(A;Z)"].mean()),
        "left": float(strongest["I(C;Z)"].mean()),
    }


def _table(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (glyphs, treatment, weight), part in runs.groupby(["glyphs", "treatment", "weight"], sort=False):
        row: Row = {"glyphs": glyphs, "treatment": treatment, "weight": weight}
        for term in ("I(A;Z)", "I(A;Z|C)", "I(C;Z)"):
            found = summarise(part[term].tolist())
            row.update({term: found.mean, f"{term} low": found.low, f"{term} high": found.high})
        rows.append(row)
    return pd.DataFrame(rows)


def _figure(runs: pd.DataFrame) -> Figure:
    with plot_style():
        figure, axes = subplots(len(SETS), width=3.4, height=3.2, share_y=True)
        for axis, glyphs in zip(axes, SETS, strict=True):
            curve = _curve(glyphs)
            axis.plot(curve["b"], curve["F"], color="0.3", label="exact F(b)")
            for treatment, part in runs[runs["glyphs"] == glyphs].groupby("treatment", sort=False):
                axis.scatter(part["I(C;Z)"], part["I(A;Z)"], s=24, label=str(treatment))
            axis.set(title=glyphs, xlabel="I(C;Z) in nats")
        axes[0].set_ylabel("I(A;Z) in nats")
        axes[0].legend(fontsize=8)
    return figure


CLASS_INFORMATION = Experiment(
    "class-information",
    "The price of avoiding the class",
    "What does a network lose that may not know the class?",
    _run,
)
