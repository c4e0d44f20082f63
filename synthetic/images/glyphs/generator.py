"""Glyphs: images drawn from known latents, with the exact posterior over all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sympy
import torch

from synthetic.checks import distribution, integer, number, probability
from synthetic.generator import Answer, AnswerKind, Generator, NoExactAnswerError
from synthetic.images.glyphs import drawing, oracle, prediction
from synthetic.images.glyphs.priors import Choice, Prior, as_prior
from synthetic.images.glyphs.renderer import Renderer
from synthetic.images.glyphs.shapes import GLYPH_SETS, Glyph, as_glyph
from synthetic.images.glyphs.states import States, enumerate_states, fits
from synthetic.images.glyphs.tables import distance_tables
from synthetic.images.real import describe
from synthetic.sample import Sample, Variable
from synthetic.support import Support
from synthetic.transformations import Transformation
from synthetic.transformations import transformation as resolve
from synthetic.transformations.augment import AugmentationName, augmentation
from theory import Diagram, Expression, Joint, Term, parse_expression

__all__ = ["STYLES", "Glyphs"]

PriorLike = Prior | float | Sequence[object] | Mapping[str, object]

STYLES: dict[str, tuple[float, float]] = {
    "hue": (0.0, 1.0),
    "background": (0.0, 0.6),
    "stroke": (0.05, 0.4),
    "scale": (0.3, 1.0),
    "position": (-0.35, 0.35),
    "texture": (0.0, 1.0),
}
"""The style factors and the range of each."""


@dataclass(frozen=True)
class Glyphs(Generator):
    """Images of glyphs: class, styles, pose and transformation are known, and so is their posterior.

    The raw image R shows the glyph of class C with the styles S in the pose V. The transformation A, always
    uniform, makes X of it; then a gray patch may hide a part and Gaussian noise is added:

        X = occlude(T_A(augment(R(C, S, V)))) + noise * N,    N standard normal in each pixel.

    Each style that varies is a variable of its own beside S, the tuple of all of them. R is the number of
    the raw image among the different ones; it is left out where a latent is continuous or the combinations
    are too many to draw. Pixels of R and X lie in [0, 1]; the noise is added unclipped.

    Args:
        glyphs: The classes: names in `GLYPHS`, `Glyph`s or mappings with `name` and `strokes`; or the name
            of a set in `GLYPH_SETS`.
        prior: The class probabilities; None for equal ones.
        transformation: A name in `TRANSFORMATIONS`, a mapping with its parameters, or a Transformation.
        size: The side of the images, 16 to 64 pixels.
        channels: 1 or 3.
        hue: Prior of the glyph's colour, in turns of the colour circle; None for three equally likely hues
            (a single one where there is one channel).
        background: Prior of the gray level behind the glyph, 0 to 0.6.
        stroke: Prior of the pen's width in glyph units, 0.05 to 0.4.
        scale: Prior of the glyph's size as a share of the frame, 0.3 to 1.
        position: Prior of the offset (x, y) of the glyph's centre as a share of the side, -0.35 to 0.35.
        texture: Prior of the depth of the rings drawn on the strokes, 0 to 1.
        pose: Prior of the intrinsic pose V: the angle in quarter-turns, counter-clockwise.
        noise: The standard deviation of the pixel noise, at least 0.
        occlusion: The probability that a gray patch, one of nine in a grid, hides a part of X.
        occlusion_size: The side of the patch as a share of the side of the image.
        augmentation: What is done to R before A acts: `none`, `crop`, `crop+flip` or `simclr`.

    A prior is a number (always that value), a list of equally likely values, a mapping with `values` and
    `weights`, or a `Choice`, `Uniform` or `Triangular`.

    Raises:
        ValueError: If there is only one class, two classes are drawn alike, a name is unknown, a value is
            out of its range, or the transformation cannot be applied to such images.

    Example:
        >>> world = Glyphs(("6", "9"), size=16, hue=[0.0, 0.5])
        >>> world
        Glyphs(6, 9; rotation; 16 x 16 x 3)
        >>> print(world.predict("I(A;C|X)"), round(float(world.exact("I(A;C|X)")), 6))
        log(2) 0.693147
        >>> world.sample(5, seed=0)["X"].shape
        (5, 3, 16, 16)
    """

    family: ClassVar[str] = "glyphs"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("symbolic", "enumeration", "Monte Carlo")

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
        put(self, "glyphs", _classes(self.glyphs))
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
        found = [k for k, prior in self.styles.items() if prior.states is None]
        found += ["V"] if self.pose_prior.states is None else []
        return (*found, *(["A"] if self.action.cardinality is None else []))

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
        hidden = ["occlusion"] if self.occlusion else []
        causes = ["C", "S", "V"]
        edges = [(k, "S") for k in self.varying]
        if self.has_raw:
            edges += [(k, "R") for k in causes]
            causes = ["R"]
        edges += [(k, "X") for k in (*causes, "A", *hidden)]
        certain = ["S"] if self.varying else []
        certain += ["R"] if self.has_raw else []
        certain += ["X"] if self.noise == 0 and self.augmentation == "none" else []
        return Diagram(
            edges,
            variables=[v.name for v in self.variables],
            deterministic=certain,
            name="diagram of the glyphs",
        )

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C, S, the style factors that vary, V, R, A, the occlusion if there is any, and X."""

        def variable(name: str, states: int | None, role: Any) -> Variable:  # noqa: ANN401
            return Variable(name, "continuous" if states is None else "discrete", states, role)

        styles = {k: self.styles[k].states for k in self.varying}
        joint = None if None in styles.values() else math.prod(s or 1 for s in styles.values())
        found = [variable("C", len(self.classes), "class"), variable("S", joint, "style")]
        found += [variable(k, states, "style") for k, states in styles.items()]
        found.append(variable("V", self.pose_prior.states, "pose"))
        if self.has_raw:
            found.append(variable("R", self.states.raw_count, "raw"))
        found.append(variable("A", self.action.cardinality, "transformation"))
        if self.occlusion:
            found.append(variable("occlusion", drawing.PLACES + 1, "other"))
        return (*found, Variable("X", "image", None, "input"))

    def renderer(self, device: torch.device | str = "cpu") -> Renderer:
        """What draws the raw images on a device; made once for each."""
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

    def tensors(
        self, n: int, *, seed: int, device: torch.device | str | None = None
    ) -> dict[str, torch.Tensor]:
        """Draw n rows as torch tensors, latents and pixels alike on the device.

        Args:
            n: The number of rows.
            seed: Fixes the draw: the same seed gives the same bits on the same device, and a larger draw
                begins with the smaller.
            device: Where to draw; None for the CPU.

        Returns:
            One tensor for each variable: int64 or float32 of shape (n,), S float32 of shape (n, d) where a
            style is continuous, position of shape (n, 2), X float32 of shape (n, channels, size, size).

        Raises:
            ValueError: If n is not positive or the seed is negative.
        """
        return drawing.tensors(self, n, seed=seed, device=device)

    @property
    def prior_weights(self) -> tuple[float, ...] | None:
        """The class probabilities as a tuple; None for equal ones."""
        return None if self.prior is None else tuple(self.prior)

    def sample(self, n: int, *, seed: int, device: torch.device | str | None = None) -> Sample:
        """Draw n independent rows; see `tensors`.

        Raises:
            ValueError: If n is not positive or the seed is negative.
        """
        columns = {k: v.cpu().numpy() for k, v in self.tensors(n, seed=seed, device=device).items()}
        return Sample(
            columns,
            {v.name: v for v in self.variables},
            metadata={"generator": self.family, "parameters": self.settings, "seed": int(seed)},
        )

    @cached_property
    def states(self) -> States:
        """All latent states and the images that they make, for discrete latents.

        Raises:
            NoExactAnswerError: If a latent other than A is continuous, or there are too many states.
        """
        return enumerate_states(self)

    @cached_property
    def _form(self) -> prediction.GlyphForm:
        return prediction.closed_form(self)

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form without noise, from the orbits of the glyphs: I(A;C|X) = H(C|O) and its relatives.

        Variables are A, C, S, O, X and, where V is a quarter-turn and A a rotation, V.

        Raises:
            NoExactAnswerError: If there is no closed form: noise, occlusion, augmentation, a transformation
                that is no exact group action, or styles that move or break the orbits.
            ValueError: If it names another variable.
        """
        return self._form.predict(expression)

    def predict_forced(self) -> sympy.Expr:
        """The closed form of the forced class information J = H(pattern(O)), where `predict` has one."""
        return self._form.forced_information()

    def joint(self, names: Sequence[str] | None = None) -> Joint:
        """The exact joint of all variables or of some, without noise; the states of X are the images.

        Raises:
            NoExactAnswerError: If X is continuous (noise), a latent is, or the table would not fit.
        """
        return oracle.joint(self, names)

    def exact(
        self, expression: str | Term | Expression, *, tolerance: float = 0.002, seed: int = 0
    ) -> Answer:
        """The value of any information quantity of the variables, in nats.

        Without noise it is found by enumeration. With noise X is continuous, and the posterior over all
        latents given X is exact: its entropies are averaged over X by Monte Carlo, over as many draws as a
        pilot run says that a standard error of `tolerance` needs.

        Args:
            expression: A term or linear expression.
            tolerance: The standard error that is asked for, in nats.
            seed: Fixes the Monte Carlo draws.

        Raises:
            NoExactAnswerError: If a latent is continuous, the augmentation is random, or it costs too much.
            ValueError: If the expression names an unknown variable.
        """
        return oracle.exact(self, parse_expression(expression), tolerance=tolerance, seed=seed)

    def forced_information(
        self, variable: str = "C", *, resolution: float = 1e-3, draws: int = 40_000, seed: int = 0
    ) -> Answer:
        """The information J = I(variable; T) that every optimal solver of the pretext task must hold.

        T = p(A|X) is the posterior of the transformation. Without noise J is found by enumeration. With
        noise T is exact but I(C;T) needs p(C|T), which is read from the nearest T among other draws: the
        answer is then a lower bound in expectation, with its standard error, that tightens with `draws`.

        J is not continuous in the noise: with the slightest noise, differences of T far below anything that
        a solver could show (1e-30, say) tell the class. They are ignored below `resolution`; what is found
        is J of the rounded T, and the limit of small noise is J without noise.

        Args:
            variable: A discrete latent, C for the class.
            resolution: The step to which T is rounded, with noise; 0 for none.
            draws: The number of draws of X, with noise.
            seed: Fixes the draws.

        Raises:
            NoExactAnswerError: As `exact`.
            ValueError: If the variable is unknown.
        """
        return oracle.forced_information(self, variable, resolution=resolution, draws=draws, seed=seed)

    def posterior(
        self, images: npt.ArrayLike | torch.Tensor, target: str | Sequence[str] = "A"
    ) -> npt.NDArray[np.float64]:
        """p(target | X = image) for each image, by Bayes' rule over all latent states.

        Args:
            images: Shape (n, channels, size, size).
            target: A discrete latent, or several for their joint posterior.

        Returns:
            Shape (n, cardinality of target), with one axis for each latent where there are several.

        Raises:
            NoExactAnswerError: As `exact`, or the table would not fit.
            ValueError: If a shape does not fit, a variable is unknown or repeated, or, without noise, an
                image is none that the generator makes.
        """
        return oracle.posterior(self, images, target)

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
        found: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        found["glyphs"] = [g.to_json() for g in self.classes]
        found["prior"] = None if self.prior is None else list(self.prior)
        found["transformation"] = describe(self.action)
        for name, prior in (*self.styles.items(), ("pose", self.pose_prior)):
            found[name] = prior.to_json()
        return found

    def __repr__(self) -> str:
        names = ", ".join(self.class_names)
        return f"Glyphs({names}; {self.action.name}; {self.size} x {self.size} x {self.channels})"

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


def _classes(spec: object) -> tuple[Glyph, ...]:
    if isinstance(spec, str):
        if spec not in GLYPH_SETS:
            raise ValueError(
                f"unknown glyph set {spec!r}: expected one of {', '.join(GLYPH_SETS)}, or a list of glyphs"
            )
        spec = GLYPH_SETS[spec]
    if not isinstance(spec, Sequence):
        raise TypeError(f"glyphs must be a list of glyphs or the name of a set, got {spec!r}")
    found = tuple(as_glyph(g) for g in spec)
    if len(found) < 2:
        raise ValueError(f"glyphs must name at least two classes, got {len(found)}")
    names = [g.name for g in found]
    if len(set(names)) != len(names):
        raise ValueError(f"glyphs must differ, got {names}")
    seen: dict[bytes, str] = {}
    for name, table in zip(names, distance_tables(found, (0.0,), 16), strict=True):
        other = seen.setdefault(table.tobytes(), name)
        if other != name:
            raise ValueError(f"glyphs must look different, got {other!r} and {name!r} with the same strokes")
    return found
