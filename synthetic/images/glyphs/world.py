"""The parameters, the latents and the diagram of a world of glyphs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from synthetic.generator import Generator, NoExactAnswerError
from synthetic.images.glyphs import drawing
from synthetic.images.glyphs.priors import Choice, Prior, as_prior
from synthetic.images.glyphs.renderer import Renderer
from synthetic.images.glyphs.shapes import Glyph, as_glyph
from synthetic.images.glyphs.states import States, enumerate_states, fits
from synthetic.images.glyphs.tables import distinct_glyphs
from synthetic.images.real import describe
from synthetic.transformations import Transformation
from synthetic.transformations import transformation as resolve
from synthetic.transformations.augment import AugmentationName, augmentation
from synthetic.variables import Variable
from theory import Diagram
from theory.checks import distribution, integer, number, probability
from theory.support import Support

__all__ = ["STYLES", "GlyphWorld"]

PriorLike = Prior | float | Sequence[object] | Mapping[str, object]
"""All that `as_prior` takes for a prior."""

STYLES: dict[str, tuple[float, float]] = {
    "hue": (0.0, 1.0),
    "background": (0.0, 0.6),
    "stroke": (0.05, 0.4),
    "scale": (0.3, 1.0),
    "position": (-0.35, 0.35),
    "texture": (0.0, 1.0),
}
"""The style factors and the range of each."""


@dataclass(frozen=True, repr=False)
class GlyphWorld(Generator):
    """The parameters of `Glyphs`, checked, and all that follows from them without drawing an image.

    Attributes:
        views: What is put behind A, occlusion and X for each view of R; one view needs no number.
    """

    views: ClassVar[tuple[str, ...]] = ("",)
    glyphs: str | Sequence[str | Glyph | Mapping[str, object]] = "mixed"
    prior: Sequence[float] | None = None
    transformation: str | Mapping[str, object] | Transformation = "rotation"
    size: int = 32
    channels: int = 3
    hue: PriorLike | None = None
    background: PriorLike = 0.0
    stroke: PriorLike = 0.25
    scale: PriorLike = 0.75
    position: PriorLike = (0.0, 0.0)
    texture: PriorLike = 0.0
    pose: PriorLike = 0.0
    noise: float = 0.0
    occlusion: float = 0.0
    occlusion_size: float = 0.3
    augmentation: AugmentationName = "none"

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "glyphs", distinct_glyphs(self.glyphs))
        if self.prior is not None:
            put(self, "prior", distribution("prior", list(self.prior), len(self.classes)))
        integer("size", self.size, 16, 64)
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3, got {self.channels!r}")
        if self.hue is None:
            put(self, "hue", Choice((0.0, 1 / 3, 2 / 3)) if self.channels == 3 else Choice((0.0,)))
        for name, (low, high) in STYLES.items():
            spec = as_prior(name, getattr(self, name), low=low, high=high, pairs=name == "position")
            put(self, name, spec)
        if self.channels == 1 and self.styles["hue"].states != 1:
            raise ValueError("hue must be a single value where channels=1: gray images have no hue")
        put(self, "pose", as_prior("pose", self.pose, low=-4.0, high=4.0))
        put(self, "noise", number("noise", self.noise, low=0.0))
        put(self, "occlusion", probability("occlusion", self.occlusion))
        put(self, "occlusion_size", number("occlusion_size", self.occlusion_size, low=0.0, strict=True))
        if self.occlusion_size > 1:
            raise ValueError(f"occlusion_size must be at most 1, got {self.occlusion_size}")
        augmentation(self.augmentation)
        action = resolve(self.transformation)
        action.check((self.channels, self.size, self.size))
        put(self, "transformation", action)

    @classmethod
    def names(cls, letter: str) -> tuple[str, ...]:
        """The name of a variable in each view: X, or X1 and X2."""
        return tuple(letter + view for view in cls.views)

    @cached_property
    def classes(self) -> tuple[Glyph, ...]:
        """The glyph of each class."""
        return tuple(as_glyph(g) for g in self.glyphs)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class, by its number."""
        return tuple(g.name for g in self.classes)

    @cached_property
    def action(self) -> Transformation:
        """The transformation that A chooses from."""
        return resolve(self.transformation)

    @cached_property
    def styles(self) -> dict[str, Prior]:
        """The prior of each style factor."""
        return {k: as_prior(k, getattr(self, k), low=-9, high=9, pairs=k == "position") for k in STYLES}

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """The style factors with more than one value."""
        return tuple(k for k, prior in self.styles.items() if prior.states != 1)

    @cached_property
    def pose_prior(self) -> Prior:
        """The prior of V."""
        return as_prior("pose", self.pose, low=-4, high=4)

    @property
    def class_prior(self) -> npt.NDArray[np.float64]:
        """The probability of each class."""
        classes = len(self.classes)
        return np.full(classes, 1 / classes) if self.prior is None else np.array(self.prior)

    @property
    def continuous_latents(self) -> tuple[str, ...]:
        """The latents with a continuous prior, among the styles, V and A."""
        result = [k for k, prior in self.styles.items() if prior.states is None]
        result += ["V"] if self.pose_prior.states is None else []
        return (*result, *(self.names("A") if self.action.cardinality is None else []))

    @property
    def raw_states(self) -> int | None:
        """The number of combinations of class, styles and pose; None where one of them is continuous."""
        sizes = [self.styles[k].states for k in self.varying] + [self.pose_prior.states]
        return None if None in sizes else len(self.classes) * math.prod(s or 1 for s in sizes)

    @cached_property
    def has_raw(self) -> bool:
        """Whether R is a variable: the raw images are finitely many, and few enough to enumerate."""
        count = self.raw_states
        return count is not None and fits(count, self.channels, self.size)

    @property
    def occluder_prior(self) -> npt.NDArray[np.float64]:
        """The probability of no patch, then of each of the nine places."""
        return np.array([1 - self.occlusion, *[self.occlusion / drawing.PLACES] * drawing.PLACES])

    @property
    def diagram(self) -> Diagram:
        """The E-SSL diagram, with the style factors above S; without R where a latent is continuous."""
        causes = ["C", "S", "V"]
        edges = [(k, "S") for k in self.varying]
        if self.has_raw:
            edges += [(k, "R") for k in causes]
            causes = ["R"]
        for view in self.views:
            hidden = [f"occlusion{view}"] if self.occlusion else []
            edges += [(k, f"X{view}") for k in (*causes, f"A{view}", *hidden)]
        certain = ["S"] if self.varying else []
        certain += ["R"] if self.has_raw else []
        certain += self.names("X") if self.noise == 0 and self.augmentation == "none" else []
        return Diagram(
            edges,
            variables=[v.name for v in self.variables],
            deterministic=certain,
            name="diagram of the glyphs",
        )

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, S, the style factors that vary, V, R, and for each view A, the occlusion if any, and X."""

        def variable(name: str, states: int | None, role: Any) -> Variable:  # noqa: ANN401  (a role)
            return Variable(name, "continuous" if states is None else "discrete", states, role)

        styles = {k: self.styles[k].states for k in self.varying}
        joint = None if None in styles.values() else math.prod(s or 1 for s in styles.values())
        result = [variable("C", len(self.classes), "class"), variable("S", joint, "style")]
        result += [variable(k, states, "style") for k, states in styles.items()]
        result.append(variable("V", self.pose_prior.states, "pose"))
        if self.has_raw:
            result.append(variable("R", self.states.raw_count, "raw"))
        result += [variable(name, self.action.cardinality, "transformation") for name in self.names("A")]
        if self.occlusion:
            result += [variable(name, drawing.PLACES + 1, "other") for name in self.names("occlusion")]
        return (*result, *(Variable(name, "image", None, "input") for name in self.names("X")))

    def renderer(self, device: torch.device | str = "cpu") -> Renderer:
        """The renderer of the raw images on a device; made once for each device."""
        place = torch.device(device)
        if place not in self._renderers:
            pose = self.pose_prior
            angles = (
                [float(v) for v in pose.values if not isinstance(v, tuple)]
                if isinstance(pose, Choice)
                else None
            )
            self._renderers[place] = Renderer(
                self.classes,
                None if angles is None else tuple(angles),
                size=self.size,
                channels=self.channels,
                plain=self.styles["texture"].bounds == (0.0, 0.0),
                device=place,
            )
        return self._renderers[place]

    @cached_property
    def _renderers(self) -> dict[torch.device, Renderer]:
        return {}

    @property
    def prior_weights(self) -> tuple[float, ...] | None:
        """The class probabilities as a tuple; None for equal ones."""
        return None if self.prior is None else tuple(self.prior)

    @cached_property
    def states(self) -> States:
        """All latent states and the images that they make, for discrete latents.

        Raises:
            NoExactAnswerError: If a latent other than A is continuous, or there are too many states.
        """
        return enumerate_states(self)

    def latent_support(self) -> Support:
        """The joint distribution of the discrete latents that nothing else causes."""
        priors: dict[str, npt.NDArray[np.float64]] = {"C": self.class_prior}
        for name in self.varying:
            prior = self.styles[name]
            if isinstance(prior, Choice):
                priors[name] = np.array(prior.probabilities)
        if isinstance(self.pose_prior, Choice):
            priors["V"] = np.array(self.pose_prior.probabilities)
        return Support.independent(priors)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name, as JSON can hold them."""
        result: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        result["glyphs"] = [g.to_dict() for g in self.classes]
        result["prior"] = None if self.prior is None else list(self.prior)
        result["transformation"] = describe(self.action)
        for name, prior in (*self.styles.items(), ("pose", self.pose_prior)):
            result[name] = prior.to_dict()
        return result

    def __repr__(self) -> str:
        names = ", ".join(self.class_names)
        shape = f"{self.size} x {self.size} x {self.channels}"
        return f"{type(self).__name__}({names}; {self.action.name}; {shape})"

    def require_exact(self) -> None:
        """Raise a NoExactAnswerError if the posterior over the latents is not known."""
        if self.continuous_latents:
            verb = "is" if len(self.continuous_latents) == 1 else "are"
            raise NoExactAnswerError(
                f"glyphs have no exact answer while {', '.join(self.continuous_latents)} {verb} continuous: "
                "give finitely many values"
            )
        if self.augmentation != "none":
            raise NoExactAnswerError(
                f"glyphs have no exact answer with augmentation={self.augmentation!r}, which is random and "
                "hidden: use augmentation='none'"
            )
