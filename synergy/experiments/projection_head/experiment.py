r"""Projection head: what each layer from the encoder to the loss knows of transformation and class.

The chapter of heads in the registry speaks of an encoder output H and a head output Z. Three networks of the
same shape, a small encoder and a head of two layers: SimCLR, which is to ignore a rotation, a network that
predicts it, and one that is not trained. The layers are the encoder's output, the head's hidden layer and
what the loss sees: the direction of the head's output for SimCLR, logits for the prediction.

All is usable information by cross-fitted classifiers on images that no network saw. It can violate data
processing (Xu et al. 2020, arXiv:2002.10689), so that H1 is a finding here and not a certainty. The synergy
comes twice, from predicting the class and from predicting the transformation, so that H4 can fail as well.

Glyphs have pixel noise of 0.05. A first quick run, of one seed, with the 0.3 of the other experiments left
SimCLR and the untrained network with less than 0.02 nats of anything, so that nothing could be dropped.

Controls: the untrained network tells what a head does before it learns; with its features dealt to other
images at random nothing may be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional

from synergy.device import seeded_generators
from synergy.experiments.findings import Comparison, Finding
from synergy.experiments.limits import Information, Limits, apart
from synergy.experiments.outcome import Conclusion, Experiment
from synergy.experiments.runs import Row, Runner
from synergy.experiments.scale import Scale
from synergy.experiments.show import (
    CLASSES,
    SHARED,
    entropies,
    legend_below,
    means,
    points,
    shared_images,
    worded,
)
from synergy.experiments.worlds import fit, image_sets, raw_glyphs, shared_by_seeds
from synergy.learning import ImageSet, Invariance, PredictTransformation, Pretext, Trained, Untrained, as_task
from synergy.learning.measure import measure_representation
from synergy.plots import plot_style, subplots
from synthetic import Sample, Variable

__all__ = ["LAYERS", "PROJECTION_HEAD", "DeepHead", "column", "layer_outputs"]

Layer = Literal["encoder", "hidden", "output"]
"""A layer that is measured."""

LAYERS: tuple[Layer, ...] = ("encoder", "hidden", "output")
"""The layers that are measured, in the order of the network."""

ENDS: tuple[Layer, Layer] = ("encoder", "output")
"""The layers before and after the head."""

SIMCLR = "SimCLR"
"""The network that is trained by contrast."""

ROTATION = "rotation"
"""The network that predicts the rotation."""

UNTRAINED = "untrained"
"""The control with its initial weights."""

DEALT = "features dealt at random"
"""The control whose features belong to other images."""

NETWORKS = (SIMCLR, ROTATION, UNTRAINED, DEALT)
"""The networks, in the order of the table."""

QUANTITIES = {"I(A;.)": Information("A"), "I(C;.)": Information("C"), "I(A;C|.)": Information("A", "C")}
"""What is measured at each layer, the dot standing for its features."""

_BY_TRANSFORMATION = "I(A;C|.) by A"
"""The synergy from predicting the transformation; the other one predicts the class."""
_TASK = as_task("rotation")
"""The pretext task."""

_GLYPHS = "mixed"
"""The set of glyphs."""

_NOISE = 0.05
"""The standard deviation of the pixel noise."""

_MARGIN = 0.1
"""How far usable information by small classifiers may miss, in nats: what `verify` allows networks too."""
_FEWEST = 40
"""Images of one's own, at least: 16 of them are judged."""

_LIKE = "Z"
"""The column that holds the features while a layer is measured."""


class DeepHead(PredictTransformation):
    """Predict the transformation through a head of two layers, the same as SimCLR's but for its outputs."""

    def head(self, features: int, states: Mapping[str, int]) -> nn.Module:
        """Features to features to one logit for each state."""
        outputs = sum(self.sizes(states))
        return nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, outputs))


def _pretexts() -> dict[str, Pretext]:
    return {SIMCLR: Invariance(_TASK), ROTATION: DeepHead(_TASK), UNTRAINED: Untrained()}


def column(quantity: str, layer: Layer) -> str:
    """The column of the runs that holds a quantity at a layer."""
    return f"{quantity} {layer}"


@torch.no_grad()
def layer_outputs(
    fitted: Trained, head: nn.Sequential, images: npt.NDArray[np.float32], *, direction: bool
) -> dict[Layer, npt.NDArray[np.float32]]:
    """What each layer says of the images, each of shape (n, width).

    Args:
        fitted: The encoder.
        head: A linear layer, a nonlinearity, a linear layer.
        images: Shape (n, channels, height, width).
        direction: Whether the loss sees the direction of the output alone.
    """
    encoder = torch.from_numpy(fitted.represent(images))
    hidden = head[1](head[0](encoder.to(fitted.device)))
    output = head[2](hidden)
    if direction:
        output = functional.normalize(output, dim=1)
    return {"encoder": encoder.numpy(), "hidden": hidden.cpu().numpy(), "output": output.cpu().numpy()}


def _head(name: str, fitted: Trained, scale: Scale, seed: int) -> nn.Sequential:
    """The trained head; for the untrained network one like SimCLR's, as it is made."""
    head = fitted.head
    if name == UNTRAINED:
        with seeded_generators(seed, torch.device("cpu")):
            head = Invariance(_TASK).head(scale.features, {}).to(fitted.device)
        head.eval()  # as trained heads come
    if not isinstance(head, nn.Sequential):
        raise TypeError(f"{name} must have a head of layers, got {type(head).__name__}")
    return head


def _images(scale: Scale, seed: int) -> tuple[ImageSet, ImageSet]:
    """Raw images to train on and others to judge on."""
    if not scale.draws_glyphs:
        return image_sets(scale, seed=seed, default="glyphs")

    def drawn(n: int, stream: int) -> ImageSet:
        return ImageSet.from_sample(
            raw_glyphs(_GLYPHS, n, seed=stream + seed, noise=_NOISE, pixels=scale.pixels)
        )

    return drawn(2 * scale.judged, 10_000), drawn(scale.judged, 20_000)


def _train(job: tuple[str, int], scale: Scale) -> Row:
    name, seed = job
    train, held = _images(scale, seed)
    judged = held.transformed(_TASK, seed=500 + seed)
    kind = UNTRAINED if name == DEALT else name
    fitted = fit(_pretexts()[kind], train, seed=seed, scale=scale)
    head = _head(kind, fitted, scale, seed)
    found = layer_outputs(fitted, head, judged["X"], direction=kind != ROTATION)
    if name == DEALT:
        order = np.random.default_rng([seed, 7]).permutation(len(judged))
        found = {layer: features[order] for layer, features in found.items()}
    row: Row = {
        "network": name,
        "seed": seed,
        SHARED: shared_by_seeds(scale, default="glyphs"),
        CLASSES: held.states["C"],
    }
    for layer, features in found.items():
        row |= _measured(judged, features, layer, scale, seed)
    return row


def _measured(
    judged: Sample, features: npt.NDArray[np.float32], layer: Layer, scale: Scale, seed: int
) -> Row:
    sample = judged.with_column(Variable(_LIKE, "continuous", None, "representation"), features)
    terms = [quantity.replace(".", _LIKE) for quantity in QUANTITIES]
    found = measure_representation(
        sample, terms=terms, quality=scale.quality, folds=3, seed=seed, device=scale.judging_device
    ).estimates
    information, of_class, synergy = terms
    return {
        column("I(A;.)", layer): found[information, "A"].value,
        column("I(C;.)", layer): found[of_class, "C"].value,
        column("I(A;C|.)", layer): found[synergy, "C"].value,
        column(_BY_TRANSFORMATION, layer): found[synergy, "A"].value,
    }


def _measure(runner: Runner) -> pd.DataFrame:
    jobs = [(name, seed) for seed in range(runner.scale.seeds) for name in NETWORKS]
    return runner.spread(_train, jobs, label=lambda j: f"{j[0]}, seed {j[1]}")


def _known(runs: pd.DataFrame) -> dict[str, float]:
    """The most that can be known of the rotation and of the class."""
    return entropies(runs, A=_TASK.states)


class _Heads:
    """The runs by network and layer, and findings about them, in nats."""

    def __init__(self, runs: pd.DataFrame) -> None:
        self.runs, self.shared, most = runs, shared_images(runs), _known(runs)
        self.within = {name: kind.within(most) for name, kind in QUANTITIES.items()}
        self.apart = {name: apart(limits) for name, limits in self.within.items()}

    def values(self, name: str, quantity: str, layer: Layer) -> npt.NDArray[np.float64]:
        """A quantity of a network at a layer, one number per seed."""
        part = self.runs[self.runs["network"] == name].sort_values("seed")
        return part[column(quantity, layer)].to_numpy(dtype=np.float64)

    def dropped(self, name: str, quantity: str) -> npt.NDArray[np.float64]:
        """What the encoder's output has more of a quantity than the head's, one number per seed."""
        return self.values(name, quantity, "encoder") - self.values(name, quantity, "output")

    def finding(
        self,
        about: str,
        numbers: npt.NDArray[np.float64],
        limits: Limits,
        relation: Comparison | None = None,
        margin: float = 0.0,
    ) -> Finding:
        """A finding within some limits."""
        return Finding(f"{about}, in nats", tuple(numbers.tolist()), relation, margin, self.shared, limits)

    def laws(self) -> list[Finding]:
        """H1 and H4: what the theory says of any head."""
        found = [
            self.finding(
                f"H1, {name}: {quantity}, encoder less output",
                self.dropped(name, quantity),
                self.apart[quantity],
                ">=",
                _MARGIN,
            )
            for name in (SIMCLR, ROTATION, UNTRAINED)
            for quantity in ("I(A;.)", "I(C;.)")
        ]
        return found + [
            self.finding(
                f"H4, {name}: synergy at the output, by predicting A less by predicting C",
                self.values(name, _BY_TRANSFORMATION, "output") - self.values(name, "I(A;C|.)", "output"),
                self.apart["I(A;C|.)"],
                "==",
                _MARGIN,
            )
            for name in (SIMCLR, ROTATION)
        ]

    def hypotheses(self) -> list[Finding]:
        """What networks are expected to do, and no theorem."""
        of_a, of_c = self.apart["I(A;.)"], self.apart["I(C;.)"]
        at_encoder = self.values(SIMCLR, "I(A;.)", "encoder")
        beyond_idle = self.dropped(SIMCLR, "I(A;.)") - self.dropped(UNTRAINED, "I(A;.)")
        return [
            self.finding("SimCLR: I(A;.) at the encoder", at_encoder, self.within["I(A;.)"], ">"),
            self.finding(
                "SimCLR: I(A;.) that the trained head drops less what an untrained head drops",
                beyond_idle,
                apart(of_a),
                ">",
            ),
            self.finding("rotation: I(C;.) that the head drops", self.dropped(ROTATION, "I(C;.)"), of_c, ">"),
            self.finding(
                "rotation: I(A;.) that the head drops", self.dropped(ROTATION, "I(A;.)"), of_a, "==", _MARGIN
            ),
        ]

    def controls(self) -> list[Finding]:
        """With features of other images nothing may be found."""
        return [
            self.finding(
                f"control, {DEALT}: {quantity} at the {layer}",
                self.values(DEALT, quantity, layer),
                self.within[quantity],
                "==",
                _MARGIN,
            )
            for quantity in ("I(A;.)", "I(C;.)")
            for layer in ENDS
        ]

    def unpredicted(self) -> list[Finding]:
        """Of what the theory says only that it can happen."""
        at_output = self.values(SIMCLR, "I(A;.)", "output")
        return [
            self.finding("SimCLR: I(A;.) at the output", at_output, self.within["I(A;.)"]),
            *(
                self.finding(
                    f"H3f, {name}: synergy, output less encoder",
                    -self.dropped(name, "I(A;C|.)"),
                    self.apart["I(A;C|.)"],
                )
                for name in (SIMCLR, ROTATION, UNTRAINED)
            ),
        ]

    def findings(self) -> tuple[Finding, ...]:
        """All of them."""
        return (*self.laws(), *self.hypotheses(), *self.controls(), *self.unpredicted())


def _by_layer(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with one row per network, seed and layer."""
    parts = []
    for layer in LAYERS:
        part = runs[[name for name in ("network", "seed", SHARED, CLASSES) if name in runs]].copy()
        part["layer"] = layer
        for quantity in QUANTITIES:
            part[quantity] = runs[column(quantity, layer)]
        parts.append(part)
    found = pd.concat(parts)
    order = {name: place for place, name in enumerate(NETWORKS)}
    return found.sort_values("network", key=lambda names: names.map(order), kind="stable")


def _conclude(runs: pd.DataFrame) -> Conclusion:
    table = means(_by_layer(runs), ["network", "layer"], QUANTITIES, known=_known)
    rotation = runs[runs["network"] == ROTATION].sort_values("seed")

    def read(quantity: str, latent: str) -> str:
        """More cannot be known after the head than before it: a probe that reads more had missed it."""
        before, after = (rotation[column(quantity, layer)] for layer in ENDS)
        dropped = before - after
        return worded(
            tuple(dropped),
            (
                f"more of the {latent} is read than after it",
                f"the probe misses {-dropped.mean():.3f} nats of the {latent} that the output shows",
                f"neither clearly more nor less of the {latent} is read than after it",
            ),
            shared=shared_images(runs),
            beside=findings,
        )

    findings = _Heads(runs).findings()
    return Conclusion(
        table,
        findings,
        "H1: a head knows no more of transformation and class than the encoder before it. Classifiers can "
        "miss what is there, so where a number falls below 0 the one at the encoder missed it. H2f and H3f: "
        "an invariant head does not make an invariant encoder, and a head can create synergy; both say what "
        "can happen and not what training does. That SimCLR's head drops the transformation more than a "
        "head that is not trained, and that the head of a network that predicts it drops the class and "
        "keeps the transformation, are hypotheses about networks. H4: the class uncertainty that a head "
        "leaves is what knowing the transformation would leave, plus the synergy.",
        f"Before the head that predicts the rotation, {read('I(C;.)', 'class')}, and "
        f"{read('I(A;.)', 'rotation')}.",
    )


def _draw(runs: pd.DataFrame) -> Figure:
    layered = _by_layer(runs)
    with plot_style():
        figure, axes = subplots(len(QUANTITIES), width=3.6, height=3.3)
        for axis, (quantity, kind) in zip(axes, QUANTITIES.items(), strict=True):
            for k, network in enumerate(NETWORKS):
                part = layered[layered["network"] == network]
                points(
                    axis,
                    LAYERS,
                    part,
                    "layer",
                    quantity,
                    colour=k,
                    shift=0.18 * (k - 1.5),
                    label=network,
                    kind=kind,
                    known=_known,
                )
            axis.axhline(0, color="0.3", linestyle=":", linewidth=1)
            axis.set_ylabel(f"{quantity} in nats")
        legend_below(figure, axes, ncols=4)
    return figure


PROJECTION_HEAD = Experiment(
    "projection-head",
    "Projection head",
    "What do encoder and projection head know of the transformation and of the class?",
    _measure,
    _conclude,
    _draw,
    fewest=_FEWEST,
    probes=False,
    square=True,
)
"""The experiment."""
