"""The closed form of a glyph world without noise, from the orbits of its glyphs.

Where the styles neither move a glyph nor break its symmetry, the group of the transformation permutes the
upright glyphs whatever the style, and the style can be read off the image. So the world is the orbit family
(`theory.predictions.OrbitForm`) beside an independent S:

    H(L, X) = H_orbit(L, X) + H(S)  and  H(L, S) = H_orbit(L) + H(S)  for L among A, C, O, V.

For rotations and flips the group acts on the distance tables of the glyphs, which know nothing of pixels;
for other exact groups on the images in one style.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import sympy
import torch

from synthetic.generator import NoExactAnswerError
from synthetic.images.glyphs.priors import Choice
from synthetic.images.glyphs.tables import distance_tables
from synthetic.transformations import HorizontalFlip, Rotation, Transformation, VerticalFlip
from theory.predictions import OrbitForm
from theory.predictions.closed_form import ClosedForm, as_prior, entropy_of_states

if TYPE_CHECKING:
    from synthetic.images.glyphs.world import GlyphWorld

__all__ = ["GlyphForm", "closed_form"]

_TABLE = 32
"""Half the side of the distance tables on which the orbits are found."""

_MAX_POINTS = 10_000
"""The most points of all orbits together."""


class GlyphForm(ClosedForm):
    """The orbit family with an independent style that shows in X.

    Args:
        orbits: The closed form of the glyphs alone.
        styles: The distribution of each style factor.
    """

    def __init__(self, orbits: OrbitForm, styles: list[tuple[float, ...]]) -> None:
        self.orbits = orbits
        self.variables = (*orbits.variables, "S")
        parts = [entropy_of_states(list(as_prior(p, len(p), "style"))) for p in styles]
        self.style_entropy: sympy.Expr = sympy.Add(*parts)

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        rest = variables - {"S"}
        own = self.orbits.entropy(rest) if rest else sympy.Integer(0)
        return own + (self.style_entropy if variables & {"S", "X"} else 0)

    def forced_information(self) -> sympy.Expr:
        """J = I(C;T) with T = p(A|X), in nats."""
        return self.orbits.forced_information()


def closed_form(world: GlyphWorld) -> GlyphForm:
    """The closed form of a glyph world.

    Raises:
        NoExactAnswerError: If it has none; the message says why.
    """
    world.require_exact()
    action = world.action
    if action.group is None:
        raise _refusal(f"no exact group acts by {action.name} ({action.statement})")
    if world.noise or world.occlusion:
        raise _refusal("there is noise or occlusion; `exact` has the value")
    if world.styles["position"] != Choice(((0.0, 0.0),)):
        raise _refusal("position moves the glyphs off the centre; `exact` has the value")
    pose = world.pose_prior
    if not isinstance(pose, Choice):
        raise _refusal("the pose is continuous")
    angles = [float(v) for v in pose.values if not isinstance(v, tuple)]
    turning = pose.states > 1
    if turning and not (isinstance(action, Rotation) and all(v % 1 == 0 for v in angles)):
        raise _refusal("the pose varies, and not by quarter-turns of the group of A")
    if turning and len({v % 4 for v in angles}) < len(angles):
        raise _refusal(f"two poses are the same quarter-turn, {angles}")
    upright = 0.0 if turning else angles[0]
    if isinstance(action, (Rotation, HorizontalFlip, VerticalFlip)):
        tables = distance_tables(world.classes, (upright,), _TABLE).astype(np.float32)
        points = torch.from_numpy(tables)
    else:
        states = world.states
        points = states.raw_images[states.numbers[:, 0, 0]]
    table, prototypes = _orbit_table(action, points)
    weights = None
    if turning:
        weights = [0.0] * 4
        for angle, weight in zip(angles, pose.probabilities, strict=True):
            weights[int(angle) % 4] += weight
    _require_visible_styles(world, table, prototypes, weights)
    orbits = OrbitForm(table.tolist(), prototypes.tolist(), prior=world.prior, pose=weights)
    choices = [p for k, p in world.styles.items() if k in world.varying and isinstance(p, Choice)]
    return GlyphForm(orbits, [p.probabilities for p in choices])


def _refusal(reason: str) -> NoExactAnswerError:
    return NoExactAnswerError(f"glyphs have no closed form here: {reason}")


def _orbit_table(
    action: Transformation, points: torch.Tensor
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The action on the orbits of some images: `table[g, x]` = g.x, and the point of each image."""
    order = action.cardinality or 0
    numbers: dict[bytes, int] = {}
    images: list[torch.Tensor] = []

    def number(image: torch.Tensor) -> int:
        key = image.numpy().tobytes()
        if key not in numbers:
            numbers[key] = len(images)
            images.append(image)
        return numbers[key]

    prototypes = np.array([number(image.contiguous()) for image in points])
    rows: list[list[int]] = []
    while len(rows) < len(images):
        copies = images[len(rows)].expand(order, *points.shape[1:])
        moved = action.transform(copies, torch.arange(order))
        rows.append([number(image.contiguous()) for image in moved])
        if len(images) > _MAX_POINTS:
            raise _refusal(f"the orbits have more than {_MAX_POINTS:,} points")
    return np.array(rows).T, prototypes


def _require_visible_styles(
    world: GlyphWorld,
    table: npt.NDArray[np.int64],
    prototypes: npt.NDArray[np.int64],
    pose: list[float] | None,
) -> None:
    """Raise if the raw images are not as many as upright glyphs in their poses times styles."""
    shown = {
        int(table[g, x])
        for x, p in zip(prototypes, world.class_prior, strict=True)
        for g in range(len(table))
        if p > 0 and (g == 0 if pose is None else pose[g] > 0)
    }
    choices = [p for k, p in world.styles.items() if k in world.varying and isinstance(p, Choice)]
    styles = int(np.prod([np.count_nonzero(p.probabilities) for p in choices])) if choices else 1
    raw = world.states.raw_count
    if raw != len(shown) * styles:
        raise _refusal(
            f"{len(shown)} glyphs in {styles} styles make {raw} different images, so the style cannot be "
            "read off or breaks a symmetry; `exact` has the value"
        )
