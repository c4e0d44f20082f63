"""A function of one's own as a transformation, and the check of a claim that it is a group action."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from synthetic.digests import digest_of
from synthetic.groups import FiniteGroup
from synthetic.transformations.base import Transformation, on_grid
from theory.checks import integer

__all__ = ["FunctionTransformation", "ImageFunction", "find_group"]

ImageFunction = Callable[[torch.Tensor, torch.Tensor], Any]
"""Takes images (n, channels, height, width) and labels (n,), and gives images of the same shape."""

_CHECKED_IMAGES = 2
"""Random images that the laws of a group are checked on; different maps agree on none of them by chance."""

_MOST_STATES = 256
"""The laws are checked on all pairs of labels, so a claim with more states is refused."""

_MOST_PIXELS = 2**33
"""The pixels of all pairs of labels that a check may compute, which takes about a minute."""


@dataclass(frozen=True, repr=False)
class FunctionTransformation(Transformation):
    """A transformation that is a plain function of images and labels.

    Args:
        function: Takes images, floats of shape (n, channels, height, width), and labels, integers of shape
            (n,), on one device, and gives the transformed images, a tensor or an array of the same shape. It
            treats each image by its own label.
        states: The number of states of A: labels are 0 .. states - 1.
        called: Its name in tables; None for that of the function.
        exact: Claims that a group acts to the bit: label 0 is the identity, every label is undone by another,
            and two after each other are a third. `check` tries it on a batch of random images.

    Raises:
        TypeError: If the function is none, or states is not an integer.
        ValueError: If there are fewer than two states, or more than 256 of an exact one.

    Example:
        >>> import torch
        >>> def roll(images, labels):
        ...     return torch.stack([image.roll(int(a), -1) for image, a in zip(images, labels)])
        >>> action = FunctionTransformation(roll, states=8, exact=True)
        >>> action.check((1, 4, 8))
        >>> action.group.is_abelian, action.group.element_orders.tolist()
        (True, [1, 8, 4, 8, 2, 8, 4, 8])
    """

    function: ImageFunction
    states: int
    called: str | None = None
    exact: bool = False
    _groups: dict[tuple[int, ...], FiniteGroup] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if not callable(self.function) or isinstance(self.function, type):
            raise TypeError(
                f"function must take images and labels and give images, got {type(self.function).__name__}"
            )
        integer("states", self.states, 2, _MOST_STATES if self.exact else None)
        own = getattr(self.function, "__name__", type(self.function).__name__)
        name = self.called or (own if own.isidentifier() else "own")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "exactness", "exact" if self.exact else "not claimed")
        said = "a group acts exactly, as was checked" if self.exact else "whether a group acts is not claimed"
        object.__setattr__(self, "statement", f"a function of one's own: {said}")

    def __repr__(self) -> str:
        """The same in every process, and another one where the function's code is another."""
        code = getattr(self.function, "__code__", type(self.function))
        return f"FunctionTransformation({self.name!r}, states={self.states}, code={digest_of(code)[:8]})"

    @property
    def cardinality(self) -> int:
        """The number of states."""
        return self.states

    @property
    def group(self) -> FiniteGroup | None:
        """The group that the labels are, once `check` has found it; None where none is claimed."""
        return next(iter(self._groups.values()), None)

    @property
    def parameters(self) -> dict[str, Any]:
        """The number of states and the claim: a function has no text."""
        return {"states": self.states, "exact": self.exact}

    def check(self, shape: tuple[int, ...]) -> None:
        """Try the function on random images of this shape, and the laws of a group where `exact` claims them.

        Raises:
            ValueError: If it fails, gives something else than such images, or breaks a law; the message says
                which.
        """
        super().check(shape)
        if shape in self._groups:
            return
        if self.exact:
            self._groups[shape] = find_group(self, shape)
            return
        labels = torch.arange(min(self.states, 8))
        self.transform(_random_images(len(labels), shape), labels)

    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """What the function makes of a copy of the images.

        Raises:
            ValueError: If it fails, or gives something else than finite images of the same shape.
        """
        shape = tuple(images.shape)
        try:
            given = self.function(images.clone(), labels)
        except Exception as error:
            said = " ".join(str(error).split())
            raise ValueError(
                f"transformation {self.name!r} failed on images of shape {shape} with labels of shape "
                f"{tuple(labels.shape)}: {type(error).__name__}: {said}"
            ) from error
        found = torch.from_numpy(np.ascontiguousarray(given)) if isinstance(given, np.ndarray) else given
        if not isinstance(found, torch.Tensor) or not found.is_floating_point():
            got = found.dtype if isinstance(found, torch.Tensor) else type(found).__name__
            raise ValueError(f"transformation {self.name!r} must give images of floats, got {got}")
        if tuple(found.shape) != shape:
            raise ValueError(
                f"transformation {self.name!r} must give images of the shape {shape} that it got, "
                f"got {tuple(found.shape)}"
            )
        if not bool(torch.isfinite(found).all()):
            raise ValueError(f"transformation {self.name!r} made NaN or infinities of finite images")
        return found.to(device=images.device, dtype=images.dtype)


def find_group(action: Transformation, shape: tuple[int, ...]) -> FiniteGroup:
    """The group that a transformation's labels are, by what they do to random images.

    Every pair of labels is applied one after the other and the result looked up, to the bit, among the
    results of single labels. So the multiplication table is read off, and `FiniteGroup` checks its laws.

    Args:
        action: With finitely many states.
        shape: The images' (channels, height, width).

    Raises:
        ValueError: If it is no exact action; the message names the law that fails.
    """
    states = integer("states", action.cardinality, 1)
    work = states**2 * _CHECKED_IMAGES * math.prod(shape)
    if work > _MOST_PIXELS:
        raise ValueError(
            f"checking {states} states of {action.name!r} on images of shape {shape} computes {work:.2g} "
            f"pixels, more than {_MOST_PIXELS:.2g}: check it on smaller images, or leave out exact=True"
        )
    images = _random_images(_CHECKED_IMAGES, shape)
    labels = torch.arange(states).repeat_interleave(len(images))

    def broken(law: str) -> ValueError:
        return ValueError(
            f"transformation {action.name!r} is no exact group action on images of shape {shape}: {law}; "
            "leave out exact=True"
        )

    def after(first: torch.Tensor) -> list[torch.Tensor]:
        """What each label makes of a few images."""
        return list(torch.split(action.transform(first.repeat(states, 1, 1, 1), labels), len(images)))

    single = after(images)
    if any(not torch.equal(a, b) for a, b in zip(single, after(images), strict=True)):
        raise broken("it makes different images of the same ones when it is called twice")
    for g in (0, states - 1):
        alone = action.transform(images, torch.full((len(images),), g))
        if not torch.equal(alone, single[g]):
            raise broken(f"label {g} does something else beside images with other labels than alone")
    units = [g for g in range(states) if torch.equal(single[g], images)]
    if 0 not in units:
        there = f"label {units[0]} does" if units else "no label does"
        raise broken(f"the identity must be label 0 and leave images as they are, and {there}")
    place: dict[bytes, int] = {}
    for g, result in enumerate(single):
        h = place.setdefault(_bits(result), g)
        if h != g:
            raise broken(f"labels {h} and {g} do the same, so labels and maps are not one to one")
    table = np.empty((states, states), np.int64)
    for h, moved in enumerate(single):
        for g, twice in enumerate(after(moved)):
            if (found := place.get(_bits(twice))) is None:
                miss = min(float((twice - other).abs().max()) for other in single)
                raise broken(
                    f"label {g} after label {h} must be a label too (closure), and the nearest one differs "
                    f"by {miss:.2g}"
                )
            table[g, h] = found
    lossy = [g for g in range(states) if 0 not in table[:, g]]
    if lossy:
        raise broken(f"label {lossy[0]} has no inverse: no label undoes it")
    try:
        return FiniteGroup(table, name=action.name)
    except ValueError as error:
        raise broken(str(error)) from error


def _random_images(n: int, shape: tuple[int, ...]) -> torch.Tensor:
    return on_grid(torch.rand((n, *shape), generator=torch.Generator().manual_seed(0)))


def _bits(images: torch.Tensor) -> bytes:
    return (images + 0.0).numpy().tobytes()  # adding 0 makes -0 and 0 one
