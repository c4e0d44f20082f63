"""All latent states of a glyph world and the images that they make, for discrete latents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from synthetic.generator import NoExactAnswerError
from synthetic.images.glyphs.drawing import finish
from synthetic.images.glyphs.priors import Choice
from synthetic.images.glyphs.renderer import Latents
from theory.errors import TooLargeError
from theory.support import Support

if TYPE_CHECKING:
    from synthetic.images.glyphs.world import GlyphWorld

__all__ = ["States", "enumerate_states", "fits"]

MAX_RAW_BYTES = 2**28
"""The largest size of the raw images of all classes, styles and poses together."""

MAX_BYTES = 2**30
"""The largest size of all images together."""

ALIKE = 1e-5
"""Images of transformations that are only approximate count as equal if no pixel differs by more."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class States:
    """The raw states of a glyph world: C, the styles and V, with the number R of the image they make.

    Args:
        world: The generator.
        raw_support: The distribution of C, the styles that vary, V, S and R.
        raw_images: The different raw images, of shape (raw_count, channels, size, size).
        numbers: R for each C, S and V, shape (classes, styles, poses).
    """

    world: GlyphWorld
    raw_support: Support
    raw_images: torch.Tensor
    numbers: torch.Tensor

    @property
    def raw_count(self) -> int:
        """The number of different raw images."""
        return len(self.raw_images)

    def raw_number(self, c: torch.Tensor, s: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """R for latents drawn on any device, of shape (n,)."""
        if c.device not in self._numbers_on:
            self._numbers_on[c.device] = self.numbers.to(c.device)
        return self._numbers_on[c.device][c, s, v]

    @cached_property
    def _numbers_on(self) -> dict[torch.device, torch.Tensor]:
        return {}

    @cached_property
    def _made(self) -> tuple[torch.Tensor, Integers]:
        """The different images X without noise, and X for each R, A and occlusion."""
        world = self.world
        world.require_exact()
        labels = world.action.cardinality or 0
        places = len(world.occluder_prior) if world.occlusion else 1
        total = self.raw_count * labels * places
        size = total * self.raw_images[0].numel() * 4
        if size > MAX_BYTES:
            raise NoExactAnswerError(
                f"the enumeration would hold {total:,} images of {world.size} x {world.size} x "
                f"{world.channels} ({size / 2**30:.1f} GiB), more than {MAX_BYTES / 2**30:.0f} GiB: "
                "take fewer styles, poses or classes, or smaller images"
            )
        images = torch.empty(self.raw_count, labels, places, *self.raw_images.shape[1:])
        for a in range(labels):
            label = torch.full((self.raw_count,), a)
            for o in range(places):
                hidden = torch.full((self.raw_count,), o) if world.occlusion else None
                images[:, a, o] = finish(world, self.raw_images, label, hidden)
        flat = images.reshape(total, *self.raw_images.shape[1:])
        numbers, first = same_images(flat, 0.0 if world.action.exactness == "exact" else ALIKE)
        return flat[torch.from_numpy(first)], numbers.reshape(self.raw_count, labels, places)

    @property
    def images(self) -> torch.Tensor:
        """The different images X without noise, of shape (count, channels, size, size)."""
        return self._made[0]

    @cached_property
    def support(self) -> Support:
        """The distribution of all variables, X being the number of the image without noise.

        Raises:
            NoExactAnswerError: If there are too many states or images.
        """
        world, made = self.world, self._made[1]
        labels = world.action.cardinality or 0
        support = self.raw_support
        try:
            for a in world.names("A"):
                support = support.channel(a, (), np.full(labels, 1 / labels))
            for hidden in world.names("occlusion") if world.occlusion else ():
                support = support.channel(hidden, (), world.occluder_prior)
        except TooLargeError as error:
            raise NoExactAnswerError(f"glyphs: {error}") from None
        raw = support.column("R")
        for view in world.views:
            place = support.column(f"occlusion{view}") if world.occlusion else 0
            number = made[raw, support.column(f"A{view}"), place]
            support = support.with_column(f"X{view}", len(self.images), number)
        return support

    def templates(self, names: Sequence[str]) -> tuple[Integers, Support]:
        """The images that some views show without noise, taken together as one template.

        Args:
            names: The views: X, or X1 and X2.

        Returns:
            The number of the image in each view, for each different template, shape (count, views); and the
            distribution of all variables with the number of the template as X.
        """
        support = self.support
        if tuple(names) == ("X",):
            return np.arange(len(self.images))[:, None], support
        shown = np.column_stack([support.column(name) for name in names])
        different, number = np.unique(shown, axis=0, return_inverse=True)
        return different, support.with_column("X", len(different), number.reshape(-1))


def fits(count: int, channels: int, size: int) -> bool:
    """Whether so many raw images are few enough to enumerate."""
    return 4 * count * channels * size**2 <= MAX_RAW_BYTES


def enumerate_states(world: GlyphWorld) -> States:
    """Draw the raw image of each class, style and pose and number the different ones.

    Raises:
        NoExactAnswerError: If a style or the pose is continuous, or there are too many states.
    """
    continuous = [k for k in world.continuous_latents if k not in world.names("A")]
    if continuous:
        raise NoExactAnswerError(
            f"glyphs cannot be enumerated while {', '.join(continuous)} "
            f"{'is' if len(continuous) == 1 else 'are'} continuous"
        )
    priors = {k: p for k, p in world.styles.items() if isinstance(p, Choice)}
    sizes = {k: priors[k].states for k in world.varying}
    poses = world.pose_prior.states or 1
    count = world.raw_states or 0
    if not fits(count, world.channels, world.size):
        raise NoExactAnswerError(
            f"the enumeration would draw {count:,} raw images of {world.size} x {world.size} x "
            f"{world.channels}, more than {MAX_RAW_BYTES / 2**20:.0f} MiB: take fewer values of "
            f"{', '.join(world.varying) or 'the pose'}, or smaller images"
        )
    support = world.latent_support()

    def style(**columns: Integers) -> Integers:
        number = np.zeros(len(support), dtype=np.int64)
        for name in world.varying:
            number = number * sizes[name] + columns[name]
        return number

    states = style(**{k: support.column(k) for k in world.varying})
    styles = int(np.prod(list(sizes.values()))) if sizes else 1
    columns = {k: torch.from_numpy(np.ascontiguousarray(support.column(k))) for k in support.names}
    nothing = torch.zeros(len(support), dtype=torch.int64)
    values = {k: prior.at(columns.get(k, nothing)) for k, prior in priors.items()}
    latents = Latents(glyph=columns["C"], pose=columns["V"], **values)
    renderer = world.renderer()
    raw = torch.cat([renderer.draw(latents.rows(slice(k, k + 1024))) for k in range(0, len(support), 1024)])
    numbers, first = same_images(raw, 0.0)
    table = torch.zeros(len(world.classes), styles, poses, dtype=torch.int64)
    table[columns["C"], torch.from_numpy(states), columns["V"]] = torch.from_numpy(numbers)
    order = ("C", "S", *world.varying, "V", "R")
    full = Support(
        {**support.cardinalities, "S": styles, "R": len(first)},
        np.column_stack([support.states, states, numbers]),
        support.probabilities,
    ).select(order)
    return States(world, full, raw[torch.from_numpy(first)], table)


def same_images(images: torch.Tensor, tolerance: float) -> tuple[Integers, Integers]:
    """Number images so that equal ones share a number.

    Args:
        images: Shape (n, ..).
        tolerance: 0 for equality to the bit; otherwise images are equal if no pixel differs by more from
            that of the first image with the number.

    Returns:
        The number of each image, shape (n,), and the first image with each number, shape (count,).
    """
    flat = (images.reshape(len(images), -1) + 0.0).numpy()
    numbers = np.zeros(len(flat), dtype=np.int64)
    first: list[int] = []
    if tolerance == 0:
        seen: dict[bytes, int] = {}
        for i, row in enumerate(flat):
            key = hashlib.blake2b(row.tobytes(), digest_size=16).digest()
            if key not in seen:
                seen[key] = len(first)
                first.append(i)
            numbers[i] = seen[key]
        return numbers, np.array(first, dtype=np.int64)
    direction = np.random.default_rng(0).choice([-1.0, 1.0], size=flat.shape[1])
    shadow = flat.astype(np.float64) @ direction
    reach = tolerance * flat.shape[1]
    order = np.argsort(shadow, kind="stable")
    recent: list[int] = []
    for i in order:
        recent = [k for k in recent if shadow[first[k]] >= shadow[i] - reach]
        for k in recent:
            if np.abs(flat[first[k]] - flat[i]).max() <= tolerance:
                numbers[i] = k
                break
        else:
            numbers[i] = len(first)
            recent.append(len(first))
            first.append(int(i))
    return numbers, np.array(first, dtype=np.int64)
