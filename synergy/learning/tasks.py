"""Tasks: which transformations are applied to an image, and what about them is predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from synergy.device import full_precision
from synthetic.transformations import Transformation, is_function_with_states, transformation

__all__ = ["Task", "as_task"]


@dataclass(frozen=True)
class Task:
    """Transformations applied one after the other, and the label that is predicted.

    B numbers the joint choice, the last transformation fastest; A = coarse[B], or A = B. Where A is a
    function of B, predicting B is the fine-grained task and predicting A the coarse one, on the same
    images (F1 of the theory).

    Args:
        parts: The transformations, first applied first.
        coarse: A for each B; None for A = B.

    Raises:
        ValueError: If there is no transformation, one is continuous, or `coarse` has the wrong length or
            does not use the labels 0, 1, ..
    """

    parts: tuple[Transformation, ...]
    coarse: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("a task needs at least one transformation, got none")
        for part in self.parts:
            if part.cardinality is None:
                raise ValueError(
                    f"{part.name} has a continuous label, which cannot be predicted as a class: give it "
                    f"steps, such as {{'name': {part.name!r}, 'steps': 8}}"
                )
        if self.coarse is not None:
            if len(self.coarse) != self.applied:
                raise ValueError(f"coarse must have {self.applied} labels, got {len(self.coarse)}")
            if sorted(set(self.coarse)) != list(range(max(self.coarse) + 1)):
                raise ValueError(f"coarse must use every label from 0 up, got {sorted(set(self.coarse))}")

    @property
    def name(self) -> str:
        """The names of the transformations."""
        joined = "+".join(part.name for part in self.parts)
        return joined if self.coarse is None else f"{joined}/{self.states}"

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """The number of states of each transformation."""
        return tuple(part.cardinality or 1 for part in self.parts)

    @property
    def applied(self) -> int:
        """The number of states of B."""
        return math.prod(self.cardinalities)

    @property
    def states(self) -> int:
        """The number of states of A."""
        return self.applied if self.coarse is None else max(self.coarse) + 1

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise a ValueError if inputs of this shape cannot be transformed."""
        if len(shape) != 3:
            raise ValueError(
                f"{self.name} needs images (channels, height, width), got inputs of shape {shape}"
            )
        for part in self.parts:
            part.check(shape)

    def draw(self, n: int, rng: torch.Generator) -> torch.Tensor:
        """N independent uniform values of B on the generator's device."""
        return torch.randint(self.applied, (n,), generator=rng, device=rng.device)

    def split(self, codes: torch.Tensor) -> list[torch.Tensor]:
        """The label of each transformation."""
        if len(self.parts) == 1:
            return [codes]
        labels = []
        for size in reversed(self.cardinalities):
            labels.append(codes % size)
            codes = codes // size
        return labels[::-1]

    def apply(self, images: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Transform each image by its own value of B, in full precision also where training is mixed.

        Rounded to bfloat16, the transformed images would tell their label by the rounding.

        Args:
            images: Shape (n, channels, height, width).
            codes: Values of B, shape (n,).
        """
        with full_precision(images.device):
            for part, labels in zip(self.parts, self.split(codes), strict=True):
                images = part.transform(images, labels)
        return images

    def predicted(self, codes: torch.Tensor) -> torch.Tensor:
        """A for each value of B."""
        return codes if self.coarse is None else _on_device(self.coarse, codes.device)[codes]

    def columns(self, codes: torch.Tensor) -> Mapping[str, tuple[torch.Tensor, int]]:
        """The variables A, B and A1, A2, .. with their numbers of states, as far as they differ."""
        found = {"A": (self.predicted(codes), self.states)}
        if self.coarse is not None:
            found["B"] = (codes, self.applied)
        if len(self.parts) > 1:
            split = zip(self.split(codes), self.cardinalities, strict=True)
            found.update({f"A{i}": (labels, size) for i, (labels, size) in enumerate(split, start=1)})
        return found


@lru_cache(maxsize=64)
def _on_device(coarse: tuple[int, ...], device: torch.device) -> torch.Tensor:
    """A for each B, which goes to the device once and not in every step."""
    return torch.tensor(coarse, device=device)


def as_task(spec: object, *, coarse: Sequence[int] | None = None) -> Task:
    """The task that a name, a transformation, a list of them or a task itself stands for.

    Args:
        spec: A name in `TRANSFORMATIONS`, several joined by `+`, a mapping with parameters, a
            Transformation, a pair of a function of (images, labels) and its number of states, a list of
            these, or a Task.
        coarse: What to predict for each joint label; None for the label itself.

    Raises:
        ValueError: If a name or a parameter is unknown.
        TypeError: If it is something else.

    Example:
        >>> as_task("rotation+horizontal-flip").states
        8
        >>> as_task("rotation", coarse=[0, 1, 0, 1]).name
        'rotation/2'
    """
    labels = None if coarse is None else tuple(int(a) for a in coarse)
    if isinstance(spec, Task):
        return spec if labels is None else Task(spec.parts, labels)
    if isinstance(spec, str):
        return Task(tuple(transformation(name.strip()) for name in spec.split("+")), labels)
    if isinstance(spec, (Transformation, Mapping)) or is_function_with_states(spec):
        return Task((transformation(spec),), labels)
    if isinstance(spec, Sequence):
        return Task(tuple(transformation(part) for part in spec), labels)
    hint = ": give a function with its number of states, as (f, 4)" if callable(spec) else ""
    raise TypeError(f"task must be a name, a Transformation, a list of them or a Task, got {spec!r}{hint}")
