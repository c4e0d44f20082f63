"""Cases: a generator together with what plays the representation Z on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from synergy.verification.controls import Confounded
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
from theory import Diagram
from theory.claims import World

__all__ = ["CASES", "LEFT_OUT", "Case", "thumbnail"]


@dataclass(frozen=True)
class Case:
    """A generator, with what plays the representation Z in the worlds that train nothing.

    Which claims it is judged on follows from its variables, its diagram and its distribution, see
    `fitting.why_not`.

    Args:
        name: The label in tables; what `--generator` selects is the whole of it or the part before the
            colon.
        generator: Draws the samples and knows what can be known.
        about: One phrase: what is particular here.
        represent: Makes Z from the input X; None where the generator draws Z itself, or has none, in
            which case Z is read as X (the identity is a representation too).
        not_in: Worlds that it is not judged in though it could be, each with the reason.
        not_for: Claims by their identifier that it is not judged on though they fit, each with the reason.
        core: Whether the quick run judges it.
    """

    name: str
    generator: Generator
    about: str
    represent: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]] | None = None
    not_in: Mapping[World, str] = field(default_factory=dict, hash=False)
    not_for: Mapping[str, str] = field(default_factory=dict, hash=False)
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

    def names(self, world: World) -> frozenset[str]:
        """The variables that a claim can name in a world."""
        drawn = {v.name: v for v in self.generator.variables}
        made = {"Z"} if "X" in drawn else set()
        if world == "learned" and self.represent is not None and drawn["X"].kind == "image":
            made |= {"U", "W"}
        return frozenset(drawn) | made

    def diagram(self, world: World) -> Diagram:
        """The causal diagram with what is made from the input: Z, and U and W in the learned world."""
        own = self.generator.diagram
        made = sorted(self.names(world) - set(own.variables))
        return Diagram(
            [*own.edges, *(("X", name) for name in made)],
            variables=own.variables,
            deterministic=[*own.deterministic, *made],
            name=self.name,
        )

    def why_not_in(self, world: World) -> str | None:
        """Why the case is not judged in a world; None where it is."""
        if world in self.not_in:
            return self.not_in[world]
        if world in ("symbolic", "exact"):
            what = "closed form" if world == "symbolic" else "exact value"
            return None if world in self.known else f"{self.generator.family} has no {what}"
        if world == "learned":
            kinds = {v.name: v.kind for v in self.generator.variables}
            if not {"A", "C", "X"} <= set(kinds):
                return "there is no transformation A of an input X to train on"
            if kinds["A"] != "discrete" or kinds["C"] != "discrete":
                return "A or C is continuous, so there is no label to train on or to predict"
        return None if world != "proof" else "a proof is of all models"

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


_SMALL: Mapping[World, str] = {
    "learned": "one-hot integers and small inputs are judged on the modular shift, orbits, quotient and "
    "product; the time goes to training seeds on images instead"
}
"""Why small families train no networks."""

_DRAWN: Mapping[World, str] = {"learned": "its own Z is drawn at random; nothing is to be learned from it"}
"""Why models drawn at random train none."""

_HEADED: Mapping[World, str] = {
    "learned": "its encoder H and head Z are given; the experiment `projection-head` trains such networks"
}
"""Why families with an encoder of their own train none."""

_NOT_TO_ROUNDING: Mapping[World, str] = {
    "exact": "its exact values have a quadrature or Monte Carlo error, and the exact world judges to "
    "rounding error; in the learned world they are the truth about the input"
}
"""Why exact values with an error are not judged in the exact world."""

_VIEWS: Mapping[World, str] = {
    "sample": "what two images share is not estimated, and no Z is drawn; the two views in integers are "
    "judged there instead"
}
"""Why two views as images are judged exactly alone."""

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
    ),
    Case(
        "orbits",
        Orbits(noise=0.1),
        "classes in three orbits of the four-fold rotations; Z is X",
        core=False,
    ),
    Case(
        "quotient",
        Quotient(),
        "a fine transformation B and its coarse label A; Z is X",
        core=False,
    ),
    Case(
        "product",
        Product(),
        "two independent transformations A and B of one input; Z is X",
        core=False,
    ),
    Case(
        "erasure",
        Erasure(ModularShift(n=4, noise=0.1), erasure=0.3),
        "a modular shift whose input is blank in three of ten rows; Z is X",
        not_in=_SMALL,
        core=False,
    ),
    Case(
        "watermark",
        Watermark(ModularShift(n=4, noise=0.1), strength=0.3),
        "a modular shift whose input shows A in three of ten rows; Z is X",
        not_in=_SMALL,
        core=False,
    ),
    Case(
        "random-model",
        RandomModel(states=3, concentration=0.1, model_seed=1),
        "probabilities drawn at random, and mostly near 0 or 1, on the E-SSL diagram with its own Z",
        not_in=_DRAWN,
        core=False,
    ),
    Case(
        "linear-gaussian",
        LinearGaussian(),
        "scalar Gaussian class, style and transformation; Z is X",
        core=False,
    ),
    Case(
        "class-circle",
        ClassCircle(),
        "a point in the plane: the class gives its angle, A turns it, the style is its radius; Z is X",
        not_in={**_NOT_TO_ROUNDING, **_SMALL},
        core=False,
    ),
    Case(
        "glyphs",
        Glyphs("mixed", size=16, noise=0.15),
        "glyphs of known symmetry under four-fold rotation, with pixel noise; Z = a 2x2 thumbnail",
        thumbnail,
        not_in=_NOT_TO_ROUNDING,
        core=False,
    ),
    Case(
        "confounded-shift",
        Confounded(),
        "negative control: the class chooses the transformation",
    ),
    Case(
        "two-views",
        TwoViews(classes=3, noise=0.1),
        "two noisy views with a common style; Z1 and Z2 keep class and common style",
    ),
    Case(
        "two-views: class shown",
        TwoViews(classes=3, first="class", second="input"),
        "two views without noise that show the class; Z1 keeps the class, Z2 all",
    ),
    Case(
        "two-views: class masked",
        TwoViews(classes=3, shared=3, private=1, first="style", second="mixture"),
        "Z1 is the common style, Z2 the class plus the style: each alone tells nothing of the class",
    ),
    Case(
        "two-views: nothing shared but the class",
        TwoViews(classes=3, shared=1, noise=0.1),
        "two noisy views that are independent given the class",
    ),
    Case(
        "glyph-views",
        GlyphViews("mixed", size=16),
        "two views of a glyph of known symmetry, each turned on its own; the colour is a common style",
        not_in=_VIEWS,
        core=False,
    ),
    Case(
        "glyph-views: nothing shared but the class",
        GlyphViews("free", size=16, hue=0.0),
        "two views of a glyph that tell the class and share nothing else",
        not_in=_VIEWS,
        core=False,
    ),
    Case(
        "shared-signal",
        SharedSignal(noise=0.1, smaller="own"),
        "a noisy input and a noisy signal share half of what they show; Z is X, M what the signal misses",
    ),
    Case(
        "shared-signal: task shared",
        SharedSignal(representation="shared"),
        "input and signal both show the task; Z and M keep what they share",
    ),
    Case(
        "shared-signal: task missed",
        SharedSignal(task="own", representation="shared"),
        "the signal does not show the task; Z and M keep what it shows",
    ),
    Case(
        "shared-signal: task of the signal",
        SharedSignal(task="other"),
        "the signal shows the task and the input does not; Z is X, M what both show",
    ),
    Case(
        "task-and-nuisance",
        TaskAndNuisance(classes=3, nuisances=2, noise=0.1),
        "a noisy input of task and nuisance; Z keeps the task",
    ),
    Case(
        "task-and-nuisance: all kept",
        TaskAndNuisance(classes=3, nuisances=2, representation="input"),
        "Z is the input: sufficient, and not invariant",
    ),
    Case(
        "task-and-nuisance: mixed",
        TaskAndNuisance(classes=3, nuisances=3, noise=0.1, representation="mixture"),
        "Z is the sum of task and nuisance: the one explains the other",
    ),
    Case(
        "headed-shift",
        HeadedShift(),
        "the encoder shows class and transformation, the head their sum: it is invariant and has the synergy",
        not_in=_HEADED,
    ),
    Case(
        "headed-shift: noisy",
        HeadedShift(n=12, classes=3, shifts=4, noise=0.1, encoder=6, head=3),
        "a noisy shift; the head forgets half of what the encoder keeps",
        not_in=_HEADED,
    ),
    Case(
        "random-model: head",
        RandomModel("head", concentration=0.1, model_seed=1),
        "probabilities drawn at random, and mostly near 0 or 1, on the diagram of the projection head",
        not_in=_DRAWN,
    ),
)
"""What `synergy verify` judges on."""

LEFT_OUT: Mapping[str, str] = {
    "cifar10": "its images must be fetched first; `synergy rank` takes them once they are there",
    "digits, symbolic and exact": "the distribution of real images is not known",
} | {f"{case.name}, {world}": reason for case in CASES for world, reason in case.not_in.items()}
"""What is not judged in the full run, and why."""
