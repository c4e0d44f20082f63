"""Cases: a generator together with what plays the representation Z on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synergy.verification.controls import CONTROL, Confounded
from synthetic import (
    ClassCircle,
    Digits,
    Erasure,
    Generator,
    Glyphs,
    GlyphViews,
    HeadedShift,
    LinearGaussian,
    ModularShift,
    Orbits,
    Product,
    Quotient,
    RandomModel,
    ReducedShift,
    Sample,
    SharedSignal,
    TaskAndNuisance,
    TwoViews,
    Variable,
    Watermark,
)
from theory import CHAPTERS, Claim
from theory.claims import World

_ON_OTHER_DIAGRAMS = frozenset(CHAPTERS) - {"paper"}
"""Chapters whose letters mean other things than those of the E-SSL diagram: their claims name their cases."""

__all__ = ["CASES", "LEFT_OUT", "Case", "thumbnail"]


@dataclass(frozen=True)
class Case:
    """A generator, with what plays the representation Z in the worlds that train nothing.

    Args:
        name: The label in tables; what `--generator` selects is the whole of it or the part before the
            colon.
        generator: Draws the samples and knows what can be known.
        about: One phrase: what is particular here.
        represent: Makes Z from the input X; None where the generator draws Z itself, or has none, in
            which case Z is read as X (the identity is a representation too).
        only: The claims that the case was built for; None for all.
        worlds: The worlds that it is judged in; None for all that know or can measure it.
        core: Whether the quick run judges it.
    """

    name: str
    generator: Generator
    about: str
    represent: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]] | None = None
    only: tuple[str, ...] | None = None
    worlds: tuple[World, ...] | None = None
    core: bool = True

    @property
    def known(self) -> tuple[World, ...]:
        """The worlds in which the generator itself knows the answer."""
        answers = set(self.generator.answers)
        known: list[World] = []
        if "symbolic" in answers:
            known.append("symbolic")
        if answers - {"symbolic", "Monte Carlo"}:
            known.append("exact")
        return tuple(known)

    def judged_in(self, world: World) -> bool:
        """Whether the case is judged in a world."""
        if self.worlds is not None:
            return world in self.worlds
        return world in self.known or world in ("sample", "learned")

    def fits(self, claim: Claim) -> bool:
        """Whether the claim is judged on this case."""
        if self.only is not None:
            return claim.id in self.only
        return claim != CONTROL and claim.chapter not in _ON_OTHER_DIAGRAMS

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw n rows, with a column Z where `represent` makes one."""
        sample = self.generator.sample(n, seed=seed)
        if self.represent is None:
            return sample
        variable = Variable("Z", "continuous", None, "representation")
        return sample.with_column(variable, self.represent(sample["X"]))


def thumbnail(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Average the pixels of each quadrant.

    Args:
        images: Shape (n, channels, height, width), height and width even.

    Returns:
        Shape (n, 4 * channels).
    """
    n, channels, height, width = images.shape
    quadrants = images.reshape(n, channels, 2, height // 2, 2, width // 2).mean(axis=(3, 5))
    return np.ascontiguousarray(quadrants.reshape(n, 4 * channels))


CASES = (
    Case(
        "modular-shift",
        ReducedShift(n=6, classes=2, noise=0.1, modulus=3),
        "six states, two classes, noise 0.1; Z = X mod 3",
    ),
    Case(
        "modular-shift: lossless",
        ReducedShift(n=6, classes=2, shifts=2, modulus=2),
        "X shows both A and C; Z = X mod 2 is A xor C",
    ),
    Case(
        "digits",
        Digits(transformation="rotation"),
        "scikit-learn's digits under four-fold rotation; Z = a 2x2 thumbnail",
        thumbnail,
    ),
    Case(
        "digits: inversion",
        Digits(transformation="inversion"),
        "the digits with colours inverted or not: a lossless transformation",
        only=("E1", "E2", "L1", "L2"),
    ),
    Case(
        "orbits",
        Orbits(noise=0.1),
        "classes in three orbits of the four-fold rotations; Z is X",
        only=("E1", "E2", "E3", "L1", "R2", "G1", "G2"),
        core=False,
    ),
    Case(
        "quotient",
        Quotient(),
        "a fine transformation B and its coarse label A; Z is X",
        only=("E2", "F1"),
        core=False,
    ),
    Case(
        "product",
        Product(),
        "two independent transformations A and B of one input; Z is X",
        only=("E2", "M1"),
        core=False,
    ),
    Case(
        "erasure",
        Erasure(ModularShift(n=4, noise=0.1), erasure=0.3),
        "a modular shift whose input is blank in three of ten rows; Z is X",
        only=("E1", "E2", "E3", "L1", "G1", "G2"),
        worlds=("symbolic", "exact", "sample"),
        core=False,
    ),
    Case(
        "watermark",
        Watermark(ModularShift(n=4, noise=0.1), strength=0.3),
        "a modular shift whose input shows A in three of ten rows; Z is X",
        only=("E1", "E2", "E3", "L1", "G1", "G2"),
        worlds=("symbolic", "exact", "sample"),
        core=False,
    ),
    Case(
        "random-model",
        RandomModel(states=3, concentration=0.1, model_seed=1),
        "probabilities drawn at random, and mostly near 0 or 1, on the E-SSL diagram with its own Z",
        only=("E1", "E2", "E3", "D1", "D2", "D3", "P3", "P4", "G1", "G2"),
        worlds=("exact", "sample"),
        core=False,
    ),
    Case(
        "linear-gaussian",
        LinearGaussian(),
        "scalar Gaussian class, style and transformation; Z is X",
        only=("E1", "E2", "E3", "P4"),
        worlds=("symbolic", "exact", "sample"),
        core=False,
    ),
    Case(
        "class-circle",
        ClassCircle(),
        "a point in the plane: the class gives its angle, A turns it, the style is its radius; Z is X",
        only=("E1", "E2", "E3", "L1", "P3", "P4", "G1", "G2"),
        worlds=("sample",),
        core=False,
    ),
    Case(
        "glyphs",
        Glyphs("mixed", size=16, noise=0.15),
        "glyphs of known symmetry under four-fold rotation, with pixel noise; Z = a 2x2 thumbnail",
        thumbnail,
        only=("E1", "E2", "E3", "L1", "D1", "D2", "D3", "D4", "P1", "G1", "G2"),
        worlds=("sample", "learned"),
        core=False,
    ),
    Case(
        "confounded-shift",
        Confounded(),
        "negative control: the class chooses the transformation",
        only=(CONTROL.id,),
    ),
    Case(
        "two-views",
        TwoViews(classes=3, noise=0.1),
        "two noisy views with a common style; Z1 and Z2 keep class and common style",
        only=("K1", "K2", "K3f", "K4", "K5", "K6", "K7", "K8", "K9", "N1", "N2f"),
    ),
    Case(
        "two-views: class shown",
        TwoViews(classes=3, first="class", second="input"),
        "two views without noise that show the class; Z1 keeps the class, Z2 all",
        only=("K1", "K2", "K3f", "K4", "K6", "K7", "K8", "K9", "N1"),
    ),
    Case(
        "two-views: class masked",
        TwoViews(classes=3, shared=3, private=1, first="style", second="mixture"),
        "Z1 is the common style, Z2 the class plus the style: each alone tells nothing of the class",
        only=("K1", "K6", "K7", "N1", "N2f"),
    ),
    Case(
        "two-views: nothing shared but the class",
        TwoViews(classes=3, shared=1, noise=0.1),
        "two noisy views that are independent given the class",
        only=("K1", "K3", "N2"),
    ),
    Case(
        "glyph-views",
        GlyphViews("mixed", size=16),
        "two views of a glyph of known symmetry, each turned on its own; the colour is a common style",
        only=("K3f", "K8"),
        worlds=("exact",),
        core=False,
    ),
    Case(
        "glyph-views: nothing shared but the class",
        GlyphViews("free", size=16, hue=0.0),
        "two views of a glyph that tell the class and share nothing else",
        only=("K3", "K8", "K9"),
        worlds=("exact",),
        core=False,
    ),
    Case(
        "shared-signal",
        SharedSignal(noise=0.1, smaller="own"),
        "a noisy input and a noisy signal share half of what they show; Z is X, M what the signal misses",
        only=("W1", "W2", "W4", "W5", "W6"),
    ),
    Case(
        "shared-signal: task shared",
        SharedSignal(representation="shared"),
        "input and signal both show the task; Z and M keep what they share",
        only=("W1", "W2", "W3", "W4", "W5", "W6", "W6b"),
    ),
    Case(
        "shared-signal: task missed",
        SharedSignal(task="own", representation="shared"),
        "the signal does not show the task; Z and M keep what it shows",
        only=("W1", "W1f", "W2", "W3", "W5", "W6", "W6b"),
    ),
    Case(
        "shared-signal: task of the signal",
        SharedSignal(task="other"),
        "the signal shows the task and the input does not; Z is X, M what both show",
        only=("W2", "W5", "W6", "W7f"),
    ),
    Case(
        "task-and-nuisance",
        TaskAndNuisance(classes=3, nuisances=2, noise=0.1),
        "a noisy input of task and nuisance; Z keeps the task",
        only=("B1", "B2f", "B3"),
    ),
    Case(
        "task-and-nuisance: all kept",
        TaskAndNuisance(classes=3, nuisances=2, representation="input"),
        "Z is the input: sufficient, and not invariant",
        only=("B1", "B2f", "B3"),
    ),
    Case(
        "task-and-nuisance: mixed",
        TaskAndNuisance(classes=3, nuisances=3, noise=0.1, representation="mixture"),
        "Z is the sum of task and nuisance: the one explains the other",
        only=("B1", "B3"),
    ),
    Case(
        "headed-shift",
        HeadedShift(),
        "the encoder shows class and transformation, the head their sum: it is invariant and has the synergy",
        only=("H1", "H2f", "H3f", "H4"),
    ),
    Case(
        "headed-shift: noisy",
        HeadedShift(n=12, classes=3, shifts=4, noise=0.1, encoder=6, head=3),
        "a noisy shift; the head forgets half of what the encoder keeps",
        only=("H1", "H3f", "H4"),
    ),
    Case(
        "random-model: head",
        RandomModel("head", concentration=0.1, model_seed=1),
        "probabilities drawn at random, and mostly near 0 or 1, on the diagram of the projection head",
        only=("H1", "H4"),
        worlds=("exact", "sample"),
    ),
)
"""What `synergy verify` judges on."""

LEFT_OUT: Mapping[str, str] = {
    "cifar10": "its images must be fetched first; `synergy rank` takes them once they are there",
    "linear-gaussian, learned": "A and C are continuous, so there is no label to train on or to predict",
    "erasure, watermark and class-circle, learned": "one-hot integers and small inputs are judged on "
    "the modular shift, orbits, quotient and product; the time goes to training seeds on images instead",
    "class-circle and glyphs, exact": "their exact values have a quadrature or Monte Carlo error, and the "
    "exact world judges to rounding error; in the learned world they are the truth about the input",
    "glyph-views, sample and learned": "what two images share is not estimated, and no Z is drawn; the two "
    "views in integers are judged there instead",
    "digits, symbolic and exact": "the distribution of real images is not known",
}
"""What is not judged in the full run, and why."""
