"""Two views of one glyph, each turned and noisy on its own, with the exact posterior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from synthetic.generator import Answer, AnswerKind
from synthetic.images.glyphs import drawing, oracle
from synthetic.images.glyphs.world import GlyphWorld
from synthetic.sample import Sample
from theory import Expression, Joint, Term, parse_expression

__all__ = ["GlyphViews"]


@dataclass(frozen=True, repr=False)
class GlyphViews(GlyphWorld):
    """Two views X1 and X2 of the glyph R: each has its own transformation, patch and noise.

    The raw image R shows the glyph of class C with the styles S in the pose V, as in `Glyphs`. Each view is

        X_i = occlude_i(T_{A_i}(augment_i(R(C, S, V)))) + noise * N_i,    N_i standard normal in each pixel,

    where A1 and A2 are uniform and independent. So the views are independent given R. What they share is the
    orbit of R under the transformations.

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
        noise: The standard deviation of the pixel noise of each view, at least 0.
        occlusion: The probability that a gray patch, one of nine in a grid, hides a part of a view.
        occlusion_size: The side of the patch as a share of the side of the image.
        augmentation: What is done to R before A_i acts: `none`, `crop`, `crop+flip` or `simclr`.

    A prior is a number (always that value), a list of equally likely values, a mapping with `values` and
    `weights`, or a `Choice`, `Uniform` or `Triangular`.

    Raises:
        ValueError: As `Glyphs`.

    Example:
        >>> views = GlyphViews(("F", "6", "9"), size=16, hue=[0.0, 0.5])
        >>> views
        GlyphViews(F, 6, 9; rotation; 16 x 16 x 3)
        >>> round(float(views.exact("I(X1;X2)")), 6), round(float(views.exact("I(C;X1)")), 6)
        (1.329661, 0.636514)
        >>> views.sample(5, seed=0)["X2"].shape
        (5, 3, 16, 16)
    """

    family: ClassVar[str] = "glyph-views"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("enumeration", "Monte Carlo")
    main_terms: ClassVar[tuple[str, ...]] = (
        "I(X1;X2)",
        "I(X1;C)",
        "I(X1;X2|C)",
        "I(C;X1,X2)",
        "I(A1;X1)",
        "I(A1,A2;X1,X2)",
    )
    views: ClassVar[tuple[str, ...]] = ("1", "2")

    def tensors(
        self, n: int, *, seed: int, device: torch.device | str | None = None
    ) -> dict[str, torch.Tensor]:
        """Draw n rows as torch tensors; as `Glyphs.tensors`, with A1, A2, X1 and X2.

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

    def joint(self, names: Sequence[str] | None = None) -> Joint:
        """The exact joint of all variables or of some, without noise; the states of X1 and X2 are the images.

        Raises:
            NoExactAnswerError: If a view is continuous (noise), a latent is, or the table would not fit.
        """
        return oracle.joint(self, names)

    def exact(
        self, expression: str | Term | Expression, *, tolerance: float = 0.002, seed: int = 0
    ) -> Answer:
        """The value of any information quantity of the variables, in nats.

        Without noise it is found by enumeration. With noise the entropies with X1, those with X2 and those
        with both are averaged by Monte Carlo, each with draws of its own and the exact posterior: the pair of
        views is one image of twice the width.

        Args:
            expression: A term or linear expression.
            tolerance: The standard error that is asked for, in nats.
            seed: Fixes the Monte Carlo draws.

        Raises:
            NoExactAnswerError: If a latent is continuous, the augmentation is random, or it costs too much.
            ValueError: If the expression names an unknown variable.
        """
        return oracle.exact(self, [parse_expression(expression)], tolerance=tolerance, seed=seed)[0]
