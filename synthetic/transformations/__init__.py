"""Transformations of images in batches on the device, with the groups that act exactly.

Each `Transformation` says how many states A has, which group its labels are (where composing is exact to
the bit) or why there is none. The paper's seven are rotation, horizontal and vertical flip, inversion,
grayscale, jigsaw and blur (Wang et al. 2024, arXiv:2411.06508); rotation by any angle and hue shift are
continuous. A function of your own is one too: `FunctionTransformation(f, states=4)`, or the pair `(f, 4)`.

Example:
    >>> import torch
    >>> flip = transformation("horizontal-flip")
    >>> flip.apply(torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([1])).flatten().tolist()
    [1.0, 0.0]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral
from typing import Any, TypeGuard

from synthetic.transformations.base import Exactness, PixelPermutation, Transformation, on_grid
from synthetic.transformations.colour import Grayscale, HueShift, Inversion
from synthetic.transformations.geometric import HorizontalFlip, Jigsaw, Rotation, VerticalFlip
from synthetic.transformations.own import FunctionTransformation, ImageFunction
from synthetic.transformations.smooth import Blur, ContinuousRotation
from theory.errors import shown

__all__ = [
    "TRANSFORMATIONS",
    "Blur",
    "ContinuousRotation",
    "Exactness",
    "FunctionTransformation",
    "Grayscale",
    "HorizontalFlip",
    "HueShift",
    "ImageFunction",
    "Inversion",
    "Jigsaw",
    "PixelPermutation",
    "Rotation",
    "Transformation",
    "VerticalFlip",
    "is_function_with_states",
    "on_grid",
    "transformation",
]

TRANSFORMATIONS: dict[str, type[Transformation]] = {
    t.name: t
    for t in (
        Rotation,
        HorizontalFlip,
        VerticalFlip,
        Inversion,
        Grayscale,
        Jigsaw,
        Blur,
        ContinuousRotation,
        HueShift,
    )
}
"""The transformations by their name on the command line."""


def transformation(
    spec: str | Mapping[str, object] | Transformation | tuple[ImageFunction, int],
) -> Transformation:
    """The transformation that a name, a description or a transformation itself stands for.

    Args:
        spec: A name in `TRANSFORMATIONS`, a mapping `{"name": .., parameter: ..}`, a Transformation, or a
            pair of a function of (images, labels) and its number of states.

    Raises:
        ValueError: If the name or a parameter is unknown.
        TypeError: If `spec` is something else.
    """
    if isinstance(spec, Transformation):
        return spec
    if isinstance(spec, str):
        spec = {"name": spec}
    if is_function_with_states(spec):
        function, states = spec
        return FunctionTransformation(function, states)
    if not isinstance(spec, Mapping):
        hint = ": give a function with its number of states, as (f, 4)" if callable(spec) else ""
        raise TypeError(f"transformation must be a name, a mapping or a Transformation, got {spec!r}{hint}")
    name = spec.get("name")
    if not isinstance(name, str) or name not in TRANSFORMATIONS:
        raise ValueError(
            f"unknown transformation {shown(name)}: expected one of {', '.join(TRANSFORMATIONS)}"
        )
    options: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in spec.items() if k != "name"
    }
    kind = TRANSFORMATIONS[name]
    known = [field.name for field in fields(kind)]
    unknown = set(options) - set(known)
    if unknown:
        raise ValueError(
            f"{name} has no parameter {sorted(unknown)[0]!r}: it has {', '.join(known) or 'none'}"
        )
    return kind(**options)


def is_function_with_states(spec: object) -> TypeGuard[tuple[ImageFunction, int]]:
    """Whether it is a pair of a function and its number of states."""
    return (
        isinstance(spec, tuple)
        and len(spec) == 2
        and callable(spec[0])
        and isinstance(spec[1], Integral)
        and not isinstance(spec[1], bool)
    )
