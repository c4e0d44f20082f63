"""Glyphs: images drawn from known latents, with the exact posterior over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import sympy
import torch

from synthetic.generator import Answer, AnswerKind
from synthetic.images.glyphs import drawing, oracle, prediction
from synthetic.images.glyphs.world import STYLES, GlyphWorld
from synthetic.sample import Sample
from theory import Expression, Joint, Term, parse_expression

__all__ = ["STYLES", "Glyphs"]


@dataclass(frozen=True, repr=False)
class Glyphs(GlyphWorld):
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

    def sample(self, n: int, *, seed: int, device: torch.device | str | None = None) -> Sample:
        """Draw n independent rows; see `tensors`.

        Raises:
            ValueError: If n is not positive or the seed is negative.
        """
        return drawing.sample(self, n, seed=seed, device=device)

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

    @property
    def symbols(self) -> Mapping[sympy.Symbol, object]:
        """None: the prediction is a number, in exact logarithms."""
        return {}

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

        Without noise it is found by enumeration. With noise X is continuous, but the posterior over all
        latents given X is exact. Its entropies are averaged over X by Monte Carlo. A pilot run tells how many
        draws a standard error of `tolerance` needs.

        Args:
            expression: A term or linear expression.
            tolerance: The standard error that is asked for, in nats.
            seed: Fixes the Monte Carlo draws.

        Raises:
            NoExactAnswerError: If a latent is continuous, the augmentation is random, or it costs too much.
            ValueError: If the expression names an unknown variable.
        """
        return self.exact_each([expression], tolerance=tolerance, seed=seed)[0]

    def exact_each(
        self, expressions: Sequence[str | Term | Expression], *, tolerance: float = 0.002, seed: int = 0
    ) -> list[Answer]:
        """What `exact` says of several quantities, in the time of the dearest: they share their draws."""
        parsed = [parse_expression(expression) for expression in expressions]
        return oracle.exact(self, parsed, tolerance=tolerance, seed=seed)

    def forced_information(
        self, variable: str = "C", *, resolution: float = 1e-3, draws: int = 40_000, seed: int = 0
    ) -> Answer:
        """The information J = I(variable; T) that every optimal solver of the pretext task must hold.

        T = p(A|X) is the posterior of the transformation. Without noise J is found by enumeration. With noise
        T is exact, but I(C;T) needs p(C|T), which is read from the nearest T among other draws. The answer is
        then a lower bound in expectation, with its standard error, and more `draws` make it tighter.

        J is not continuous in the noise: with the slightest noise T tells the class by differences of 1e-30,
        say, which no solver could learn. So T is rounded to `resolution` first. As the noise goes to 0, J of
        the rounded T goes to J without noise.

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
                image is not one that the generator makes.
        """
        return oracle.posterior(self, images, target)
