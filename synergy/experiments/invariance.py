"""Invariance or equivariance: what each keeps of the class and of the colour."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from synergy.experiments.base import Experiment, Outcome, Progress, Row, Scale, spread, summarise
from synergy.experiments.worlds import fit, probe_accuracy, raw_glyphs
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
from synthetic import Sample

__all__ = ["INVARIANCE_OR_EQUIVARIANCE"]

_GLYPHS = "mixed"
_HUES = as_task({"name": "hue-shift", "steps": 3})
LATENTS = ("C", "hue")


def _pretexts() -> dict[str, Pretext]:
    return {
        "random": Untrained(),
        "invariant": Invariance(_HUES),
        "equivariant": PredictTransformation(_HUES),
        "both (CARE)": Equivariance(_HUES),
    }


def _images(n: int, seed: int) -> Sample:
    return raw_glyphs(_GLYPHS, n, seed=seed, noise=0.15)


def _train(job: tuple[str, int, Scale]) -> Row:
    name, seed, scale = job
    source = ImageSet.from_sample(_images(scale.inputs, 100 + seed))
    fitted = fit(_pretexts()[name], source, seed=seed, scale=scale)
    judged = _images(scale.judged, 200 + seed)
    row: Row = {"pretext": name, "seed": seed}
    for latent in LATENTS:
        row[f"{latent} accuracy"] = probe_accuracy(fitted, judged, latent, seed=seed)
    return row


def _run(scale: Scale, progress: Progress | None) -> Outcome:
    jobs = [(name, seed, scale) for seed in range(scale.seeds) for name in _pretexts()]
    runs = spread(_train, jobs, scale=scale, progress=progress, label=lambda j: f"{j[0]}, seed {j[1]}")
    table = _table(runs)
    hue = dict(zip(table["pretext"], table["hue accuracy"], strict=True))
    loses = bool(hue["invariant"] < hue["equivariant"])
    listed = "; ".join(
        f"{r['pretext']}: class {r['C accuracy']:.3f}, hue {r['hue accuracy']:.3f}"
        for r in table.to_dict("records")
    )
    return Outcome(
        "invariance-or-equivariance",
        table,
        runs,
        _figure(runs),
        "V1 and P4: a representation trained to ignore hue shifts need not keep the hue, one trained to "
        "predict them must, so the invariant one serves the class and the equivariant one the colour.",
        f"accuracy of linear probes: {listed}.",
        loses,
        scale,
    )


def _table(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, part in runs.groupby("pretext", sort=False):
        row: Row = {"pretext": name}
        for latent in LATENTS:
            found = summarise(part[f"{latent} accuracy"].tolist())
            key = f"{latent} accuracy"
            row.update({key: found.mean, f"{key} low": found.low, f"{key} high": found.high})
        rows.append(row)
    return pd.DataFrame(rows)


def _figure(runs: pd.DataFrame) -> Figure:
    names = list(dict.fromkeys(runs["pretext"]))
    with plot_style():
        figure, axes = subplots(2, width=3.6, height=3.2)
        for axis, latent in zip(axes, LATENTS, strict=True):
            axis.scatter([names.index(n) for n in runs["pretext"]], runs[f"{latent} accuracy"], s=26)
            axis.set_xticks(range(len(names)), names, fontsize=8)
            axis.set_ylabel(f"accuracy of a linear probe of {latent}")
    return figure


INVARIANCE_OR_EQUIVARIANCE = Experiment(
    "invariance-or-equivariance",
    "Invariance or equivariance",
    "What do invariant and equivariant representations keep of the class and of the colour?",
    _run,
)
