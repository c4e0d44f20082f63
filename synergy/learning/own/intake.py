"""Images and their labels, batch by batch, from whatever holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from synergy.learning.data import ImageSet, to_inputs
from synergy.learning.own.items import Names, batched_labels, item_labels, single_image
from synthetic import Generator, LabelledImages, read_images
from synthetic.images.arrays import ChannelOrder, channel_axis, label_of, usual_order
from synthetic.images.real import RealImageGenerator

__all__ = ["ImageBatch", "ImageSource", "image_source"]


@dataclass(frozen=True)
class ImageBatch:
    """Some images with their labels.

    Args:
        images: Floats of shape (n, ..).
        labels: One entry an image, by column.
    """

    images: torch.Tensor
    labels: Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class ImageSource:
    """Images that can be gone through once.

    Args:
        batches: The batches, in order.
        steps: The number of batches; None where it is not known before the end.
        states: The number of states of labels that say it.
        levels: What the numbers of a label stand for, where the source says it.
        groups: The raw image that each shows, of shape (n,); None where each is its own.
    """

    batches: Iterable[ImageBatch]
    steps: int | None
    states: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    groups: torch.Tensor | None = None


def image_source(
    images: Any,  # noqa: ANN401 - of any library
    labels: Any = None,  # noqa: ANN401 - arrays, or names of what comes with the images
    *,
    batch_size: int,
    channels: ChannelOrder = "auto",
) -> ImageSource:
    """The batches of images from an ImageSet, arrays, a path, a Dataset, a DataLoader or a stream of batches.

    Args:
        images: What holds them, see `represent`.
        labels: For arrays and datasets of images alone: the class of each, or a mapping of columns. For
            items that bring labels: their names in order, such as ("C", "A"), or a mapping from a column to
            its key in the item. () for none at all.
        batch_size: Images in a batch, where they are not in batches already.
        channels: Where the channels of images of three dimensions are.

    Raises:
        FileNotFoundError: If a path is none.
        TypeError: If images are none of these.
        ValueError: If there are none, or labels do not fit.
    """
    if isinstance(images, str | Path):
        images = read_images(images)
    if isinstance(images, LabelledImages):
        images = images.generator("horizontal-flip")
    if isinstance(images, RealImageGenerator):
        _no_labels(labels, images)
        names = images.class_names
        made = ImageSet(images.raw, {"C": torch.from_numpy(images.targets)}, {"C": len(names)})
        found = image_source(made, batch_size=batch_size)
        return ImageSource(found.batches, found.steps, found.states, {"C": names})
    if isinstance(images, Generator):
        raise TypeError(
            f"images must be drawn before: pass {images.family}.sample(n, seed=..), got a generator"
        )
    if isinstance(images, ImageSet):
        _no_labels(labels, images)
        groups = None if images.groups is None else images.groups.cpu()
        whole = {name: column.tolist() for name, column in images.labels.items()}
        batches = _cut(images.images, whole, batch_size)
        return ImageSource(batches, _steps(len(images), batch_size), images.states, groups=groups)
    if isinstance(images, torch.Tensor | np.ndarray):
        inputs = _inputs(images, channels)
        given = _columns(labels, len(inputs))
        return ImageSource(_cut(inputs, given, batch_size), _steps(len(inputs), batch_size))
    if isinstance(images, DataLoader | IterableDataset) or not hasattr(images, "__getitem__"):
        return _streamed(images, labels, batch_size, channels)
    if not hasattr(images, "__len__"):
        raise TypeError(_expected(images))
    if not len(images):
        raise ValueError("images must not be empty, got a dataset of length 0")
    return _indexed(images, labels, batch_size, channels)


def _expected(images: object) -> str:
    return (
        "images must be an array, an ImageSet, LabelledImages, a path, a torch Dataset, a DataLoader or an "
        f"iterable of batches, got {type(images).__name__}"
    )


def _no_labels(labels: object, images: object) -> None:
    if labels is not None and not (isinstance(labels, tuple) and not labels):
        raise ValueError(f"labels must be left out: {type(images).__name__} has its own")


def _inputs(images: Any, channels: ChannelOrder) -> torch.Tensor:  # noqa: ANN401 - an array of any kind
    """A batch of images as floats, (n, channels, height, width), or vectors (n, d)."""
    order = usual_order(images) if isinstance(images, torch.Tensor) else "auto"
    if images.ndim < 2 or not len(images) or 0 in images.shape:
        raise ValueError(f"images must have shape (n, ..) with n > 0, got {tuple(images.shape)}")
    inputs = to_inputs(images).cpu()
    if inputs.ndim == 3:
        return inputs[:, None]
    if inputs.ndim == 4 and channel_axis(tuple(inputs.shape), channels, order) == "last":
        inputs = inputs.permute(0, 3, 1, 2)
    if not bool(torch.isfinite(inputs).all()):
        raise ValueError("images must be finite, got NaN or infinities")
    return inputs.contiguous()


def _columns(labels: Any, n: int) -> dict[str, Sequence[Any]]:  # noqa: ANN401 - arrays of any library
    """Labels that are arrays, by column; an array alone is the class."""
    if labels is None or (isinstance(labels, tuple) and not labels):
        return {}
    given = dict(labels) if isinstance(labels, Mapping) else {"C": labels}
    found: dict[str, Sequence[Any]] = {}
    for name, column in given.items():
        if isinstance(column, str) or not hasattr(column, "__len__"):
            raise TypeError(f"labels {name!r} must be an array of one entry an image, got {column!r}")
        if len(column) != n:
            raise ValueError(
                f"labels {name!r} must have one entry for each of the {n} images, got {len(column)}"
            )
        found[str(name)] = batched_labels(str(name), column, n)
    return found


def _cut(images: torch.Tensor, labels: Mapping[str, Sequence[Any]], size: int) -> Iterator[ImageBatch]:
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        yield ImageBatch(images[part].cpu(), {name: column[part] for name, column in labels.items()})


def _are_names(labels: object) -> bool:
    """Whether labels name what comes with the images, rather than being arrays."""
    if isinstance(labels, Mapping):
        return all(isinstance(key, str) for key in labels.values())
    return (
        labels is None
        or isinstance(labels, str)
        or (isinstance(labels, tuple) and all(isinstance(name, str) for name in labels))
    )


def _names(labels: Any) -> Names:  # noqa: ANN401 - checked here
    return (labels,) if isinstance(labels, str) else labels


def _indexed(dataset: Any, labels: Any, batch_size: int, channels: ChannelOrder) -> ImageSource:  # noqa: ANN401  (of any library)
    """A map-style dataset: one item after the other."""
    n = len(dataset)
    apart = None if _are_names(labels) else _columns(labels, n)

    def batches() -> Iterator[ImageBatch]:
        yield from _stacked((dataset[i] for i in range(n)), labels, apart, batch_size, channels)

    return ImageSource(batches(), _steps(n, batch_size))


def _streamed(stream: Any, labels: Any, batch_size: int, channels: ChannelOrder) -> ImageSource:  # noqa: ANN401  (of any library)
    """A DataLoader or an iterable of batches, or a torch IterableDataset of single images."""
    if not hasattr(stream, "__iter__"):
        raise TypeError(_expected(stream))
    if not _are_names(labels):
        raise ValueError(
            "labels must come with the images of a stream, whose order is its own: pass their names, such as "
            "labels=('C', 'A'), or a dataset"
        )
    if isinstance(stream, IterableDataset):
        return ImageSource(_stacked(stream, labels, None, batch_size, channels), None)
    return ImageSource(_batches_of(stream, labels, channels), _batches_in(stream))


def _steps(n: int, batch_size: int) -> int:
    return -(-n // batch_size)


def _batches_in(stream: object) -> int | None:
    try:
        return len(stream)  # type: ignore[arg-type]  # a stream without a length raises the TypeError
    except TypeError:
        return None


def _stacked(
    items: Iterable[Any],
    labels: Any,  # noqa: ANN401 - names
    apart: Mapping[str, Sequence[Any]] | None,
    batch_size: int,
    channels: ChannelOrder,
) -> Iterator[ImageBatch]:
    """Batches of single items."""
    images: list[Any] = []
    found: dict[str, list[Any]] = {}
    first: np.ndarray[Any, Any] | None = None
    order: ChannelOrder = "auto"
    done = 0

    def batch() -> ImageBatch:
        stacked = np.stack(images)
        usual = channel_axis(stacked.shape, channels, order) if stacked.ndim == 4 else channels
        columns: dict[str, Sequence[Any]] = dict(found)
        if apart is not None:
            columns = {name: column[done - len(images) : done] for name, column in apart.items()}
        return ImageBatch(_inputs(stacked, usual), columns)

    for index, item in enumerate(items):
        image, given = item_labels(item, _names(labels) if apart is None else (), index)
        pixels = single_image(image, index)
        if first is None:
            first, order = pixels, usual_order(image)
            found = {name: [] for name in given}
        if pixels.shape != first.shape or pixels.dtype != first.dtype:
            raise ValueError(
                f"all images must have the same shape and type, got {first.shape} {first.dtype} first and "
                f"{pixels.shape} {pixels.dtype} for image {index}: resize or convert them"
            )
        if set(given) != set(found):
            raise ValueError(
                f"every image must come with the same labels, got {sorted(found)} first and {sorted(given)} "
                f"for image {index}"
            )
        images.append(pixels)
        for name, value in given.items():
            found[name].append(label_of(value, index))
        done = index + 1
        if len(images) == batch_size:
            yield batch()
            images, found = [], {name: [] for name in found}
    if images:
        yield batch()
    if not done:
        raise ValueError("images must not be empty, got none")


def _batches_of(stream: Iterable[Any], labels: Any, channels: ChannelOrder) -> Iterator[ImageBatch]:  # noqa: ANN401  (of any library)
    """Batches that come as batches."""
    known: set[str] | None = None
    for number, item in enumerate(stream):
        images, given = item_labels(item, _names(labels), number, what="batch")
        if isinstance(images, list | tuple) and images:
            images = np.stack([single_image(image, i) for i, image in enumerate(images)])
        if not isinstance(images, torch.Tensor | np.ndarray) or images.ndim < 2:
            got = tuple(images.shape) if hasattr(images, "shape") else type(images).__name__
            raise TypeError(
                f"batch {number} must hold images of shape (n, ..), got {got}: a stream gives batches, as a "
                "DataLoader does"
            )
        inputs = _inputs(images, channels)
        if known is not None and set(given) != known:
            raise ValueError(
                f"every batch must come with the same labels, got {sorted(known)} first and "
                f"{sorted(given)} in batch {number}"
            )
        known = set(given)
        yield ImageBatch(inputs, {k: batched_labels(k, v, len(inputs)) for k, v in given.items()})
    if known is None:
        raise ValueError("images must not be empty, got a stream without batches")
