"""Drawing a sample: latents from streams of their own, then pixels in chunks."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from synthetic.images.glyphs.priors import Choice
from synthetic.images.glyphs.random import DeviceStreams
from synthetic.images.glyphs.renderer import TURNS, Latents
from synthetic.images.glyphs.threads import run_chunks
from synthetic.sample import Sample
from synthetic.transformations.augment import augmentation
from theory.checks import integer

if TYPE_CHECKING:
    from synthetic.images.glyphs.world import GlyphWorld

__all__ = ["PLACES", "finish", "latents", "patches", "sample", "tensors"]

PLACES = 9
"""The places of the occluding patch, three by three."""

_OCCLUDER = 0.5
"""The gray level of the occluding patch."""


def tensors(
    world: GlyphWorld, n: int, *, seed: int, device: torch.device | str | None
) -> dict[str, torch.Tensor]:
    """See `Glyphs.tensors`."""
    integer("n", n, 1)
    place = torch.device("cpu" if device is None else device)
    streams = DeviceStreams(seed, place)
    columns, values = latents(world, n, streams)
    for view in world.views:
        columns[f"X{view}"] = _images(world, columns, values, streams, view)
    return {v.name: columns[v.name] for v in world.variables}


def sample(world: GlyphWorld, n: int, *, seed: int, device: torch.device | str | None) -> Sample:
    """See `Glyphs.sample`."""
    columns = {k: v.cpu().numpy() for k, v in tensors(world, n, seed=seed, device=device).items()}
    return Sample(
        columns,
        {v.name: v for v in world.variables},
        metadata={"generator": world.family, "parameters": world.settings, "seed": int(seed)},
    )


def _images(
    world: GlyphWorld,
    columns: dict[str, torch.Tensor],
    values: Latents,
    streams: DeviceStreams,
    view: str,
) -> torch.Tensor:
    """The images of one view, of shape (n, channels, size, size)."""
    n, place, labels = len(values), streams.device, columns[f"A{view}"]
    renderer = world.renderer(place)
    images = torch.empty(n, world.channels, world.size, world.size, device=place)
    chunk = max(1, (2**19 if place.type == "cpu" else 2**26) // world.size**2)
    augment = augmentation(world.augmentation)
    turns = None
    if augment.name == "none" and world.action.name in TURNS:
        turns = _turns(world.action.name, place)[labels]

    def fill(k: int) -> None:
        rows = slice(k * chunk, min((k + 1) * chunk, n))
        target = images[rows]
        turn = None if turns is None else turns[rows]
        made = renderer.draw(values.rows(rows), turn=turn, out=target)
        if augment.name != "none":
            numbers = streams.uniform(f"augmentation{view} {k}", len(made), augment.numbers)
            made = augment.apply(made, numbers)
        hidden = columns[f"occlusion{view}"][rows] if world.occlusion else None
        made = finish(world, made, labels[rows] if turns is None else None, hidden)
        if world.noise:
            made = streams.normal(f"noise{view} {k}", *made.shape).mul_(world.noise).add_(made)
        if made is not target:
            target.copy_(made)

    chunks = range(-(-n // chunk))
    if place.type == "cpu":
        run_chunks(fill, len(chunks))
    else:
        for k in chunks:
            fill(k)
    return images


def latents(world: GlyphWorld, n: int, streams: DeviceStreams) -> tuple[dict[str, torch.Tensor], Latents]:
    """The columns but the images, and the values that the renderer needs."""
    columns = {
        "C": Choice(tuple(range(len(world.classes))), world.prior_weights).draw(streams.uniform("C", n))
    }
    values: dict[str, torch.Tensor] = {}
    numbers = torch.zeros(n, dtype=torch.int64, device=streams.device)
    for name, prior in world.styles.items():
        wide = name == "position" and prior.states is None
        drawn = prior.draw(streams.uniform(name, n, 2) if wide else streams.uniform(name, n))
        values[name] = prior.at(drawn) if isinstance(prior, Choice) else drawn
        if name in world.varying:
            columns[name] = drawn
            numbers = numbers * (prior.states or 1) + (drawn if isinstance(prior, Choice) else 0)
    if any(world.styles[k].states is None for k in world.varying):
        parts = [values[k].reshape(n, -1) for k in world.varying]
        columns["S"] = torch.cat(parts, dim=1)
    else:
        columns["S"] = numbers
    columns["V"] = world.pose_prior.draw(streams.uniform("V", n))
    if world.has_raw:
        columns["R"] = world.states.raw_number(columns["C"], columns["S"], columns["V"])
    states = world.action.cardinality
    for a in world.names("A"):
        turn = streams.uniform(a, n)
        columns[a] = turn * (2 * math.pi) if states is None else (turn * states).long().clamp_(max=states - 1)
    for hidden in world.names("occlusion") if world.occlusion else ():
        places = Choice(tuple(range(PLACES + 1)), tuple(world.occluder_prior))
        columns[hidden] = places.draw(streams.uniform(hidden, n))
    return columns, Latents(glyph=columns["C"], pose=columns["V"], **values)


def patches(world: GlyphWorld, device: torch.device) -> torch.Tensor:
    """Where the patch hides the image, booleans of shape (10, size, size); the first hides nothing."""
    side = min(world.size, max(1, round(world.occlusion_size * world.size)))
    return _masks(world.size, side, device)


@lru_cache(maxsize=16)
def _masks(size: int, side: int, device: torch.device) -> torch.Tensor:
    starts = np.round(np.linspace(0, size - side, math.isqrt(PLACES))).astype(int)
    masks = np.zeros((PLACES + 1, size, size), dtype=bool)
    for k, (y, x) in enumerate((y, x) for y in starts for x in starts):
        masks[k + 1, y : y + side, x : x + side] = True
    return torch.from_numpy(masks).to(device)


@lru_cache(maxsize=16)
def _turns(action: str, device: torch.device) -> torch.Tensor:
    """The turn of each label on the device, shape (labels, 3)."""
    return torch.tensor(TURNS[action], device=device)


def finish(
    world: GlyphWorld, images: torch.Tensor, labels: torch.Tensor | None, hidden: torch.Tensor | None
) -> torch.Tensor:
    """Transform images by the labels, if any, and hide what the patches hide: all but the noise."""
    if labels is not None:
        images = world.action.transform(images, labels)
    if hidden is None:
        return images
    return torch.where(patches(world, images.device)[hidden][:, None], _OCCLUDER, images)
