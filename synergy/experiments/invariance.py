r"""Invariance or equivariance: what each keeps of the class and of the colour.

A shifts the three hues round, a permutation of the colour channels. The raw glyphs are red in eight cases
of ten, so the shift can be read up to the doubt about the raw hue, I(A;X) = log 3 - H(hue), and who reads it
must know the hue that is seen, but not the class. Where the raw hue is uniform it hides the shift (theory,
intrinsic pose): I(A;X) = 0, and the same task teaches nothing. That is the negative control. All are judged
on images whose hue is uniform.
"""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.findings import Finding
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import means, paired, points
from synergy.experiments.worlds import (
    fit,
    head_log_probabilities,
    probe_accuracy,
    raw_glyphs,
    untransformed,
)
from synergy.learning import (
    Equivariance,
    ImageSet,
    Invariance,
    PredictTransformation,
    Pretext,
    Untrained,
    as_task,
)
from synergy.plots import plot_style, subplots

__all__ = ["INVARIANCE_OR_EQUIVARIANCE"]

_GLYPHS = "mixed"
_TASK = as_task({"name": "hue-shift", "steps": 3})
_HUES = (0.0, 1 / 3, 2 / 3)
_MOSTLY_RED = (0.8, 0.1, 0.1)
_UNIFORM = (1 / 3, 1 / 3, 1 / 3)
_NOISE = 0.15
_MARGIN = 0.05
_TRAINED_ON = 8000
HIDDEN = "equivariant, shift hidden"
LATENTS = ("C", "hue")


def _pretexts() -> dict[str, Pretext]:
    return {
        "random": Untrained(),
        "invariant": Invariance(_TASK),
        "equivariant": PredictTransformation(_TASK),
        "both (CARE)": Equivariance(_TASK),
        HIDDEN: PredictTransformation(_TASK),
    }


def _images(n: int, weights: tuple[float, ...], seed: int, scale: Scale) -> ImageSet:
    hue = {"values": list(_HUES), "weights": list(weights)}
    return ImageSet.from_sample(raw_glyphs(_GLYPHS, n, seed=seed, noise=_NOISE, hue=hue, pixels=scale.pixels))


def readable(weights: tuple[float, ...]) -> float:
    """I(A;X) = log 3 - H(hue) in nats, the noise of the pixels left aside.

    Example:
        >>> round(readable((0.8, 0.1, 0.1)), 4)
        0.4596
    """
    return math.log(len(weights)) + sum(w * math.log(w) for w in weights)


def _train(job: tuple[str, int], scale: Scale) -> Row:
    name, seed = job
    weights = _UNIFORM if name == HIDDEN else _MOSTLY_RED
    trained_on = min(_TRAINED_ON, scale.steps * scale.batch)
    source = _images(trained_on, weights, 100 + seed, scale)
    fitted = fit(_pretexts()[name], source, seed=seed, scale=scale)
    judged = untransformed(_images(scale.judged, _UNIFORM, 200 + seed, scale))
    row: Row = {"pretext": name, "seed": seed}
    for latent in LATENTS:
        row[f"{latent} accuracy"] = probe_accuracy(fitted, judged, latent, seed=seed)
    if "equivariant" in name:
        shifted = _images(scale.judged, weights, 300 + seed, scale).transformed(_TASK, seed=400 + seed)
        log_p = head_log_probabilities(fitted, shifted)
        row["I(A;Z)"] = float(math.log(3) + log_p[range(len(shifted)), shifted["A"]].mean())
    return row


def _measure(runner: Runner) -> pd.DataFrame:
    if not runner.scale.draws_glyphs:
        raise ValueError(
            "invariance-or-equivariance needs images whose hue is known: data must be glyphs, "
            f"got {runner.scale.data_name}"
        )
    jobs = [(name, seed) for seed in range(runner.scale.seeds) for name in _pretexts()]
    return runner.spread(_train, jobs, label=lambda j: f"{j[0]}, seed {j[1]}")


def _conclude(runs: pd.DataFrame) -> Conclusion:
    by = {name: runs[runs["pretext"] == name] for name in runs["pretext"].unique()}
    table = means(runs, "pretext", [f"{latent} accuracy" for latent in LATENTS])
    table["I(A;Z)"] = runs.groupby("pretext", sort=False)["I(A;Z)"].mean().to_numpy()
    findings = (
        Finding(
            "accuracy of the hue, equivariant less invariant",
            paired(by["equivariant"], by["invariant"], "hue accuracy"),
            ">",
        ),
        Finding(
            "accuracy of the class, invariant less equivariant",
            paired(by["invariant"], by["equivariant"], "C accuracy"),
            ">",
        ),
        Finding(
            "I(A;Z) where the raw hue hides the shift, in nats",
            tuple(by[HIDDEN].sort_values("seed")["I(A;Z)"].tolist()),
            "==",
            _MARGIN,
        ),
        Finding(
            "log 3 - H(hue) less I(A;Z) where eight in ten raw glyphs are red, in nats",
            tuple((readable(_MOSTLY_RED) - by["equivariant"].sort_values("seed")["I(A;Z)"]).tolist()),
            "==",
            _MARGIN,
        ),
    )
    told = "; ".join(
        f"{r['pretext']}: class {r['C accuracy']:.3f}, hue {r['hue accuracy']:.3f}"
        for r in table.to_dict("records")
    )
    class_accuracy = table.set_index("pretext")["C accuracy"]
    if class_accuracy.idxmax() == "random":
        told += ". No trained encoder keeps as much of the class as the random one does"
    return Conclusion(
        table,
        findings,
        "V1 and P4: a representation trained to ignore hue shifts need not keep the hue, one trained to "
        "predict them must, so the invariant one serves the class and the equivariant one the colour. Where "
        "the raw hue is uniform on the shifts (intrinsic pose), no shift can be predicted.",
        f"accuracy of linear probes: {told}.",
    )


def _draw(runs: pd.DataFrame) -> Figure:
    names = list(dict.fromkeys(runs["pretext"]))
    with plot_style():
        figure, axes = subplots(2, width=4.6, height=3.4)
        for k, (axis, latent) in enumerate(zip(axes, LATENTS, strict=True)):
            points(axis, names, runs, "pretext", f"{latent} accuracy", colour=k)
            axis.set_xticks(range(len(names)), [n.replace(" ", "\n") for n in names], fontsize=8)
            axis.set_ylabel(f"accuracy of a linear probe of {'the class' if latent == 'C' else 'the hue'}")
        axes[1].axhline(1 / 3, color="0.5", linestyle=":", linewidth=1)
    return figure


INVARIANCE_OR_EQUIVARIANCE = Experiment(
    "invariance-or-equivariance",
    "Invariance or equivariance",
    "What do invariant and equivariant representations keep of the class and of the colour?",
    _measure,
    _conclude,
    _draw,
)
