"""From whatever an encoder returns to features of shape (n, d): one rule, and errors that say what came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch

__all__ = ["FEATURE_NAMES", "Pool", "chosen_output", "feature_rows"]

Pool = Literal["mean", "max", "first", "flatten"] | Callable[[torch.Tensor], torch.Tensor]
"""How maps and sequences become one vector an image; `first` takes the first place, as of a class token."""

_POOLS = get_args(get_args(Pool)[0])
"""The pools that have names."""

FEATURE_NAMES = (
    "pooler_output",
    "features",
    "representation",
    "embedding",
    "embeddings",
    "image_embeds",
    "x_norm_clstoken",
    "last_hidden_state",
    "logits",
)
"""Names of a representation among several outputs, the most telling first."""


def chosen_output(output: object, choice: str | int | None, batch: int) -> torch.Tensor:
    """The one tensor of an encoder's output that is its representation.

    A tensor or an array is itself. Of a mapping or an object with attributes it is the only tensor, or that
    of the first name in `FEATURE_NAMES`; of a tuple the first tensor, as of models that return
    (output, others); of a list of several it must be chosen.

    Args:
        output: What the encoder returned.
        choice: A key, an attribute or a place; None for the rule.
        batch: The number of images.

    Raises:
        ValueError: If there is no such output, or none can be chosen.
        TypeError: If it holds no tensor.
    """
    if choice is not None:
        output = _named(output, choice)
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, np.ndarray):
        if output.dtype == object or output.dtype.kind in "USMm":
            raise TypeError(f"the encoder must return numbers, got an array of {output.dtype}")
        return torch.from_numpy(np.ascontiguousarray(output))
    parts = _parts(output)
    tensors = {name: v for name, v in parts.items() if isinstance(v, torch.Tensor | np.ndarray)}
    if not tensors:
        got = type(output).__name__
        raise TypeError(
            f"the encoder must return a tensor or an array of features, got {got}: wrap it in a function "
            "that does, such as lambda images: net(images).features"
        )
    if len(tensors) == 1 or (isinstance(output, tuple) and not hasattr(output, "_fields")):
        return chosen_output(next(iter(tensors.values())), None, batch)
    for name in FEATURE_NAMES:
        if name in tensors:
            return chosen_output(tensors[name], None, batch)
    listed = ", ".join(f"{name} of shape {tuple(v.shape)}" for name, v in tensors.items())
    raise ValueError(f"the encoder returns {len(tensors)} tensors: choose one with output=, of {listed}")


def _parts(output: object) -> dict[Any, Any]:
    """The named or numbered parts of an output."""
    if isinstance(output, Mapping):
        return dict(output)
    if isinstance(output, tuple | list):
        names = getattr(output, "_fields", range(len(output)))
        return dict(zip(names, output, strict=True))
    return dict(vars(output)) if hasattr(output, "__dict__") else {}


def _named(output: object, choice: str | int) -> object:
    parts = _parts(output)
    if choice in parts:
        return parts[choice]
    if isinstance(choice, int) and isinstance(output, tuple | list) and -len(output) <= choice < len(output):
        return output[choice]
    if isinstance(choice, str) and hasattr(output, choice) and not isinstance(output, torch.Tensor):
        return getattr(output, choice)
    got = ", ".join(map(str, parts)) if parts else f"one {type(output).__name__}"
    raise ValueError(f"output {choice!r} is not among what the encoder returns: {got}")


def feature_rows(found: torch.Tensor, batch: int, pool: Pool) -> torch.Tensor:
    """Features of shape (n, d).

    Numbers of shape (n,) are one feature. Maps (n, channels, height, width) are pooled over their last two
    axes, sequences (n, places, d) over their places.

    Args:
        found: The representation of a batch.
        batch: The number of images n.
        pool: How maps and sequences are pooled.

    Raises:
        TypeError: If they are no floats.
        ValueError: If the first axis is not the batch, or there are no features.
    """
    if found.layout != torch.strided:
        raise TypeError(f"the encoder must return dense features, got a tensor of layout {found.layout}")
    if not found.is_floating_point():
        raise TypeError(
            f"the encoder must return features in floats, got {found.dtype}: predicted labels are no "
            "representation, return what they are predicted from"
        )
    if found.ndim <= 1 and batch == 1 and found.numel():
        found = found.reshape(1, -1)  # of squeeze() on a last batch of one image
    if found.ndim == 0 or len(found) != batch:
        raise ValueError(
            f"the encoder must return one row of features for each of the {batch} images of a batch, first "
            f"axis {batch}, got shape {tuple(found.shape)}"
        )
    flat = found[:, None] if found.ndim == 1 else _pooled(found, pool)
    if not flat.shape[1]:
        raise ValueError(f"the encoder must return at least one feature, got shape {tuple(found.shape)}")
    return flat


def _pooled(found: torch.Tensor, pool: Pool) -> torch.Tensor:
    if callable(pool):
        flat = pool(found)
        if not isinstance(flat, torch.Tensor) or flat.ndim != 2 or len(flat) != len(found):
            got = tuple(flat.shape) if isinstance(flat, torch.Tensor) else type(flat).__name__
            raise ValueError(f"pool must give shape ({len(found)}, d) of {tuple(found.shape)}, got {got}")
        return flat
    if pool not in _POOLS:
        raise ValueError(f"pool must be one of {', '.join(_POOLS)} or a function, got {pool!r}")
    if found.ndim == 2:
        return found
    if pool == "flatten":
        return found.flatten(1)
    places = found if found.ndim == 3 else found.flatten(2).transpose(1, 2)  # (n, places, d)
    if not places.shape[1]:
        raise ValueError(f"the encoder must return at least one place, got shape {tuple(found.shape)}")
    if pool == "first":
        return places[:, 0]
    if pool == "max":
        return places.amax(dim=1)
    return (places if places.element_size() >= 4 else places.float()).mean(dim=1)
