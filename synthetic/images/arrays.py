"""Your own images behind the interface of the generators: arrays, or a torch Dataset."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt
import torch

from synthetic.columns import as_array, check_whole
from synthetic.images.real import RealImageGenerator
from synthetic.parallel.tensors import SharedTensors
from synthetic.transformations import Transformation, on_grid
from synthetic.transformations import transformation as resolve
from theory.checks import integer

__all__ = [
    "ChannelOrder",
    "ImageDataset",
    "RealImages",
    "channel_axis",
    "from_arrays",
    "from_dataset",
    "label_of",
    "pixels_of",
    "read_pairs",
    "to_pixels",
    "usual_order",
]

ChannelOrder = Literal["auto", "first", "last"]
"""Where the channel axis is: `first` (n, channels, height, width), `last` (n, height, width, channels)."""


class ImageDataset(Protocol):
    """A map-style torch Dataset of pairs (image, label), as `from_dataset` reads it."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...  # noqa: ANN401  (as torch's datasets give it)


@dataclass(frozen=True, eq=False)
class RealImages(SharedTensors, RealImageGenerator):
    """Images and their classes from elsewhere, with a known transformation applied to them.

    Made by `from_arrays` and `from_dataset`; the variables and the sampling are those of every real-image
    generator.

    Args:
        images: Floats in [0, 1] of shape (N, channels, height, width); kept as multiples of 2^-24.
        labels: The class of each image, integers of shape (N,), numbered 0 .. k - 1 in their order.
        transformation: A name in `TRANSFORMATIONS`, a mapping with its parameters, or a Transformation.
        names: The name of each class that has an image, in order; None for the label.

    Raises:
        ValueError: If shapes do not fit, pixels leave [0, 1], there is only one class, or the transformation
            cannot be applied to images of this shape.
    """

    family: ClassVar[str] = "real-images"
    images: torch.Tensor = field(repr=False)
    labels: npt.NDArray[np.int64] = field(repr=False)
    transformation: str | Mapping[str, object] | Transformation = "rotation"
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        images, labels = to_pixels(self.images).cpu(), np.asarray(self.labels)
        if images.ndim != 4 or not images.numel():
            raise ValueError(
                f"images must have shape (n, channels, height, width) with n > 0, got {tuple(images.shape)}"
            )
        if not bool((finite := torch.isfinite(images).flatten(1).all(dim=1)).all()):
            raise ValueError(
                f"images contain NaN or infinities, the first in image {int(finite.int().argmin())}"
            )
        low, high = float(images.min()), float(images.max())
        if low < 0 or high > 1:
            fix = ": divide by 255, or give unsigned bytes" if low >= 0 and high <= 255 else ""
            raise ValueError(f"images must have pixels in [0, 1], got {low:g}..{high:g}{fix}")
        if labels.shape != (len(images),):
            raise ValueError(
                f"labels must have shape ({len(images)},), one for each image, got {labels.shape}"
            )
        if not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(f"labels must be integers, got {labels.dtype}")
        states, numbers = np.unique(labels, return_inverse=True)
        if len(states) < 2:
            raise ValueError("labels must name at least two classes, got one")
        if self.names is not None and len(self.names) != len(states):
            raise ValueError(f"names must name each of the {len(states)} classes, got {len(self.names)}")
        object.__setattr__(self, "names", tuple(map(str, states if self.names is None else self.names)))
        action = resolve(self.transformation)
        action.check(tuple(images.shape[1:]))
        object.__setattr__(self, "images", on_grid(images))
        object.__setattr__(self, "labels", numbers.astype(np.int64))
        object.__setattr__(self, "transformation", action)

    @property
    def action(self) -> Transformation:
        """The transformation that A chooses from."""
        return resolve(self.transformation)

    @property
    def raw(self) -> torch.Tensor:
        """The raw images, of shape (N, channels, height, width)."""
        return self.images

    @property
    def targets(self) -> npt.NDArray[np.int64]:
        """The class of each raw image, of shape (N,)."""
        return self.labels

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class."""
        return self.names or ()

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the images and labels."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images.numpy()).tobytes())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters as JSON can hold them: the shape and checksum stand for the images."""
        return {
            **super().parameters,
            "shape": list(self.images.shape),
            "names": list(self.class_names),
            "sha256": self.checksum,
        }

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.images.shape[1:]))
        return (
            f"RealImages({len(self.images)} images of {shape}, {len(self.class_names)} classes, "
            f"transformation={self.action.name!r})"
        )


def from_arrays(
    images: npt.ArrayLike | torch.Tensor,
    labels: npt.ArrayLike | torch.Tensor | Sequence[str],
    *,
    transformation: str | Mapping[str, object] | Transformation = "rotation",
    channels: ChannelOrder = "auto",
) -> RealImages:
    """A generator from your own images.

    Args:
        images: Shape (n, height, width), (n, channels, height, width) or (n, height, width, channels);
            unsigned bytes are divided by 255, booleans are 0 and 1, floats must lie in [0, 1].
        labels: The class of each image, shape (n,): integers or strings, renumbered in sorted order.
        transformation: A name in `TRANSFORMATIONS`, a mapping with its parameters, or a Transformation.
        channels: Where the channel axis of a four-dimensional array is; `auto` takes the one of length 1
            or 3.

    Raises:
        TypeError: If the images are neither unsigned bytes, booleans nor floats.
        ValueError: If a shape does not fit, the channel axis is ambiguous, pixels leave [0, 1], or
            there are fewer than two classes.

    Example:
        >>> import numpy as np
        >>> images = np.zeros((4, 8, 8, 3), dtype=np.uint8)
        >>> from_arrays(images, ["cat", "dog", "dog", "cat"], transformation="jigsaw")
        RealImages(4 images of 3 x 8 x 8, 2 classes, transformation='jigsaw')
    """
    _check_order(channels)
    pixels = to_pixels(images)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    elif pixels.ndim == 4:
        if channel_axis(tuple(pixels.shape), channels) == "last":
            pixels = pixels.permute(0, 3, 1, 2)
    else:
        raise ValueError(f"images must have 3 or 4 dimensions, got shape {tuple(pixels.shape)}")
    if not pixels.numel():
        raise ValueError(f"images must have shape (n, ..) with n > 0, got {tuple(pixels.shape)}")
    if np.ndim(labels) != 1 or (classes := as_array("labels", labels)).dtype.kind == "f":
        raise ValueError(f"labels must be integers or strings of shape (n,), got shape {np.shape(labels)}")
    names, numbers = np.unique(classes, return_inverse=True)
    return RealImages(
        pixels.cpu(),
        numbers.astype(np.int64),
        transformation=transformation,
        names=tuple(str(name) for name in names),
    )


def to_pixels(images: npt.ArrayLike | torch.Tensor) -> torch.Tensor:
    """Unsigned bytes divided by 255, booleans as 0 and 1, floats in single or double precision.

    Raises:
        TypeError: If the images are none of these.
    """
    check_whole("images", images)
    if isinstance(images, torch.Tensor):
        pixels = images.detach()
    else:
        array = np.asarray(images)
        if array.dtype.kind == "f":  # torch takes neither long doubles nor a foreign order of bytes
            pixels = torch.from_numpy(array.astype(np.float64 if array.itemsize > 4 else np.float32))
        elif array.dtype in (np.uint8, np.bool_):
            pixels = torch.from_numpy(np.array(array))
        else:
            raise TypeError(f"images must be unsigned bytes, booleans or floats, got {array.dtype}")
    if pixels.dtype == torch.uint8:
        return pixels.double() / 255
    if pixels.dtype == torch.bool:
        return pixels.double()
    if not pixels.is_floating_point():
        raise TypeError(f"images must be unsigned bytes, booleans or floats, got {pixels.dtype}")
    return pixels if pixels.dtype == torch.float64 else pixels.float()


def channel_axis(
    shape: tuple[int, ...], channels: ChannelOrder, usual: ChannelOrder = "auto"
) -> Literal["first", "last"]:
    """Where the channels of images of a shape are.

    Args:
        shape: That of all images, of four dimensions.
        channels: What is known; `auto` takes the axis of length 1 or 3.
        usual: What holds where `auto` cannot tell.

    Raises:
        ValueError: If `channels` is no such word, or nothing tells the axis.
    """
    _check_order(channels)
    if channels != "auto":
        return channels
    first, last = shape[1] in (1, 3), shape[3] in (1, 3)
    if first != last:
        return "first" if first else "last"
    if usual == "auto":
        raise ValueError(
            f"cannot tell the channel axis of images of shape {shape}: pass channels='first' or 'last'"
        )
    return usual


def _check_order(channels: ChannelOrder) -> None:
    if channels not in get_args(ChannelOrder):
        raise ValueError(f"channels must be 'auto', 'first' or 'last', got {channels!r}")


def from_dataset(
    dataset: ImageDataset,
    *,
    transformation: str | Mapping[str, object] | Transformation = "rotation",
    limit: int | None = None,
    channels: ChannelOrder = "auto",
) -> RealImages:
    """A generator from any map-style torch Dataset of pairs (image, label), such as a CIFAR-10.

    The images are read once and kept in memory. An image may be a tensor, an array or a PIL image, of two
    dimensions or of three with the channels first or last, found as in `from_arrays`. Where that cannot be
    told, a tensor has them first and a PIL image last, and an array is refused.

    Args:
        dataset: Has a length and gives (image, label) for each index.
        transformation: A name in `TRANSFORMATIONS`, a mapping with its parameters, or a Transformation.
        limit: Read only this many images; None for all.
        channels: Where the channel axis of an image of three dimensions is; `auto` takes the one of length 1
            or 3.

    Raises:
        TypeError: If the dataset has no length or no index, or an item is not such a pair.
        ValueError: If the images differ in shape, the channel axis is ambiguous, pixels leave [0, 1], or
            there are fewer than two classes.
    """
    images, labels = read_pairs(dataset, limit=limit, channels=channels)
    return from_arrays(images, labels, transformation=transformation, channels="first")


def read_pairs(
    dataset: ImageDataset, *, limit: int | None = None, channels: ChannelOrder = "auto"
) -> tuple[npt.NDArray[Any], list[Any]]:
    """The images of a map-style Dataset, of shape (n, channels, height, width), and their labels.

    Args:
        dataset: Has a length and gives (image, label) for each index.
        limit: Read only this many images; None for all.
        channels: Where the channel axis of an image of three dimensions is, as in `from_dataset`.

    Raises:
        TypeError: If the dataset has no length or no index, an item is not such a pair, or a label is more
            than one value.
        ValueError: If it is empty, the images differ in shape, or their channel axis is ambiguous.
    """
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise TypeError(
            "dataset must have a length and an index, as a map-style torch Dataset has, "
            f"got {type(dataset).__name__}"
        )
    if limit is not None:
        integer("limit", limit, 1)
    images: list[npt.NDArray[Any]] = []
    labels: list[Any] = []
    usual: ChannelOrder = "auto"
    for index in range(len(dataset) if limit is None else min(limit, len(dataset))):
        item = dataset[index]
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise TypeError(
                f"item {index} of the dataset must be a pair (image, label), got {type(item).__name__}"
            )
        image = pixels_of(item[0], index)
        if images and (image.shape != images[0].shape or image.dtype != images[0].dtype):
            raise ValueError(
                f"all images must have the same shape and type, got {images[0].shape} {images[0].dtype} "
                f"and, at {index}, {image.shape} {image.dtype}"
            )
        if not images:
            usual = usual_order(item[0])
        images.append(image)
        labels.append(label_of(item[1], index))
    if not images:
        raise ValueError("dataset must not be empty, got no images")
    pixels = np.stack(images)
    if pixels.ndim == 3:
        return pixels[:, None], labels
    last = channel_axis(pixels.shape, channels, usual) == "last"
    return (np.moveaxis(pixels, 3, 1) if last else pixels), labels


def label_of(label: object, index: int) -> object:
    """One label of a dataset as a plain value.

    Raises:
        TypeError: If it is more than one value.
    """
    if not isinstance(label, (torch.Tensor, np.ndarray, np.generic)):
        return label
    if math.prod(label.shape) != 1:
        raise TypeError(
            f"label {index} of the dataset must be one class, got a label of shape {tuple(label.shape)}: "
            "for a one-hot label give the place of its 1 (argmax)"
        )
    return label.item()


def pixels_of(image: object, index: int) -> npt.NDArray[Any]:
    """One image of a dataset as an array of two or three dimensions.

    Raises:
        TypeError: If it has other dimensions.
        ValueError: If entries are masked.
    """
    check_whole(f"image {index} of the dataset", image)
    if isinstance(image, torch.Tensor):
        pixels = image.detach().cpu()
        array = (pixels.float() if pixels.dtype == torch.bfloat16 else pixels).numpy()
    else:
        array = np.asarray(image)
    if array.ndim not in (2, 3):
        raise TypeError(f"image {index} of the dataset must have 2 or 3 dimensions, got shape {array.shape}")
    return array


def usual_order(image: object) -> ChannelOrder:
    """Where the channels of images of this library are by convention."""
    if isinstance(image, torch.Tensor):
        return "first"
    return "auto" if isinstance(image, np.ndarray) else "last"
