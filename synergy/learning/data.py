"""Images in memory with their labels, to train on and to judge on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from synergy.learning.batches import Batch, step_streams
from synergy.learning.seeds import Purpose
from synergy.learning.seeds import generator as random_stream
from synergy.learning.tasks import Task, as_task
from synthetic import Generator, Sample, Variable
from synthetic.images.arrays import ImageDataset, read_pairs, to_pixels
from synthetic.parallel.tensors import SharedTensors
from synthetic.transformations import on_grid
from synthetic.variables import Role
from theory.checks import integer

__all__ = ["ImageSet", "to_inputs"]


@dataclass(frozen=True)
class ImageSet(SharedTensors):
    """Inputs kept in memory with their labels.

    They are raw images, for pretext tasks that transform them, or inputs that were transformed already,
    with the labels that say how.

    Args:
        images: Floats of shape (n, ..), kept as float32 where they are, on the CPU or a device: (n, channels,
            height, width) for images, (n, height, width) for gray ones without an axis of channels, which
            only `mlp` takes, (n, d) for vectors.
        labels: Integers of shape (n,) by variable, such as C and the styles; kept on the CPU.
        states: The number of states of each label.
        groups: One integer per row, of shape (n,), the raw image that it shows; None where every row is
            its own.
        pixels: The range that the pixels of images must stay in; None for images with unbounded noise, and
            for inputs of three or more dimensions that are no images.

    Raises:
        TypeError: If inputs are not floats or labels not integers.
        ValueError: If shapes do not fit, pixels leave their range, a value is not finite or labels are out of
            range.

    Example:
        >>> import torch
        >>> images = ImageSet(torch.zeros(3, 1, 8, 8), {"C": torch.tensor([0, 1, 1])}, {"C": 2})
        >>> len(images), images.shape
        (3, (1, 8, 8))
    """

    images: torch.Tensor
    labels: Mapping[str, torch.Tensor] = field(default_factory=dict)
    states: Mapping[str, int] = field(default_factory=dict)
    groups: torch.Tensor | None = None
    pixels: tuple[float, float] | None = (0.0, 1.0)

    def __post_init__(self) -> None:
        if not isinstance(self.images, torch.Tensor) or not self.images.is_floating_point():
            got = self.images.dtype if isinstance(self.images, torch.Tensor) else type(self.images).__name__
            raise TypeError(f"images must be a tensor of floats, got {got}")
        n = len(self.images)
        if self.images.ndim < 2 or not n:
            raise ValueError(f"images must have shape (n, ..) with n > 0, got {tuple(self.images.shape)}")
        object.__setattr__(self, "images", self.images.detach().float().contiguous())
        if not bool(torch.isfinite(self.images).all()):
            raise ValueError("images must be finite, got NaN or infinities")
        if self.images.ndim > 2 and self.pixels is not None:
            low, high = float(self.images.min()), float(self.images.max())
            if low < self.pixels[0] or high > self.pixels[1]:
                wanted = f"[{self.pixels[0]:g}, {self.pixels[1]:g}]"
                raise ValueError(
                    f"images must have pixels in {wanted}, got {low:g}..{high:g}; "
                    "pixels=None is for inputs of any range"
                )
        if set(self.labels) != set(self.states):
            raise ValueError(
                f"labels {sorted(self.labels)} and their numbers of states {sorted(self.states)} must agree"
            )
        for name, column in self.labels.items():
            _check_labels(name, column, self.states[name], n)
        if self.groups is not None and self.groups.shape != (n,):
            raise ValueError(f"groups must have shape ({n},), got {tuple(self.groups.shape)}")
        columns = {name: column.long().cpu() for name, column in self.labels.items()}
        object.__setattr__(self, "labels", MappingProxyType(columns))
        if self.groups is not None:
            object.__setattr__(self, "groups", self.groups.cpu())
        object.__setattr__(self, "states", MappingProxyType(dict(self.states)))

    @classmethod
    def from_arrays(
        cls,
        images: npt.NDArray[Any] | torch.Tensor,
        labels: Mapping[str, npt.NDArray[np.integer] | torch.Tensor] | None = None,
        *,
        states: Mapping[str, int] | None = None,
        pixels: tuple[float, float] | None = (0.0, 1.0),
    ) -> ImageSet:
        """Inputs and labels as arrays; a missing number of states is the largest label plus one.

        Unsigned bytes are divided by 255.
        """
        if labels is not None and not isinstance(labels, Mapping):
            raise TypeError(f"labels must be a mapping such as {{'C': classes}}, got {type(labels).__name__}")
        given = {
            name: np.asarray(column.cpu() if isinstance(column, torch.Tensor) else column)
            for name, column in (labels or {}).items()
        }
        for name, column in given.items():
            if column.shape != (len(images),) or not len(images):
                raise ValueError(
                    f"labels {name!r} must have shape ({len(images)},), the length of the inputs and more "
                    f"than 0, got {column.shape}"
                )
            if not np.issubdtype(column.dtype, np.integer):
                raise TypeError(f"labels {name!r} must be integers, got {column.dtype}")
        if unknown := set(states or {}) - set(given):
            raise ValueError(f"states names labels that are not there: {', '.join(sorted(unknown))}")
        counts = {name: (states or {}).get(name, int(column.max()) + 1) for name, column in given.items()}
        read = images if isinstance(images, torch.Tensor) else np.asarray(images)
        if isinstance(read, np.ndarray) and np.issubdtype(read.dtype, np.integer) and read.dtype != np.uint8:
            read = read.astype(np.float32)
        columns = {name: torch.tensor(column.astype(np.int64)) for name, column in given.items()}
        return cls(to_inputs(read), columns, counts, pixels=pixels)

    @classmethod
    def from_sample(cls, sample: Sample, *, image: str = "X") -> ImageSet:
        """The inputs of a sample with all of its other discrete columns as labels."""
        names = [
            v.name for v in sample.variables.values() if v.kind == "discrete" and v.name != sample.groups
        ]
        return cls(
            torch.tensor(sample[image].astype(np.float32)),
            {name: torch.tensor(sample[name].astype(np.int64)) for name in names},
            {name: sample.variables[name].cardinality or 1 for name in names},
            None if sample.groups is None else torch.tensor(sample[sample.groups].astype(np.int64)),
            pixels=None,
        )

    @classmethod
    def from_generator(cls, source: Generator, *, n: int | None = None, seed: int = 0) -> ImageSet:
        """The raw images of a generator that has some (`digits`), else n rows of its sample.

        Raises:
            ValueError: If the generator has no raw images and `n` is not given, or `n` is not positive or
                more than its raw images.
        """
        raw, targets = getattr(source, "raw", None), getattr(source, "targets", None)
        if isinstance(raw, torch.Tensor) and targets is not None:
            if n is not None and integer("n", n, 1) > len(raw):
                raise ValueError(f"n must be at most {len(raw)}, the raw images of {source.family}, got {n}")
            count = next(v.cardinality or 1 for v in source.variables if v.name == "C")
            whole = cls(raw, {"C": torch.tensor(np.asarray(targets))}, {"C": count})
            return whole if n is None else whole.some(n, seed=seed)
        if n is None:
            raise ValueError(f"{source.family} draws images without end: pass n, the number of rows")
        return cls.from_sample(source.sample(n, seed=seed))

    @classmethod
    def from_dataset(
        cls, dataset: ImageDataset, *, states: int | None = None, limit: int | None = None
    ) -> ImageSet:
        """The images and classes of any map-style torch Dataset of pairs (image, label).

        The images are read once and kept. An image is a tensor (channels, height, width), an array (height,
        width) or (height, width, channels), or a PIL image, in unsigned bytes or floats in [0, 1].

        Args:
            dataset: Has a length and gives (image, label) for each index; labels are integers.
            states: The number of classes; None for the largest label plus one.
            limit: Read only this many images; None for all.

        Raises:
            TypeError: If an item is not such a pair or a label not an integer.
            ValueError: If there are no images, they differ in shape, pixels leave [0, 1], or a label leaves
                0 .. states - 1.

        Example:
            >>> import torch
            >>> from torch.utils.data import TensorDataset
            >>> pairs = TensorDataset(torch.rand(6, 3, 32, 32), torch.tensor([0, 1, 2, 0, 1, 2]))
            >>> images = ImageSet.from_dataset(pairs)
            >>> images.shape, dict(images.states)
            ((3, 32, 32), {'C': 3})
        """
        images, labels = read_pairs(dataset, limit=limit)
        for index, label in enumerate(labels):
            if isinstance(label, bool) or not isinstance(label, (int, np.integer)):
                raise TypeError(f"label {index} of the dataset must be an integer, got {label!r}")
        classes = torch.tensor(labels, dtype=torch.int64)
        if states is None and int(classes.min()) < 0:
            raise ValueError(f"labels of the dataset must not be negative, got {int(classes.min())}")
        pixels = to_pixels(images)
        raw = cls(pixels, {"C": classes}, {"C": int(classes.max()) + 1 if states is None else states})
        return replace(raw, images=on_grid(pixels))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        return tuple(self.images.shape[1:])

    @property
    def size(self) -> int:
        """The number of inputs."""
        return len(self.images)

    def __len__(self) -> int:
        return self.size

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that differ from those of any other set, labels and groups included."""
        digest = hashlib.sha256(repr((self.shape, sorted(self.states.items()), self.pixels)).encode())
        columns = [self.images, *(self.labels[name] for name in sorted(self.labels))]
        for column in (*columns, *(() if self.groups is None else (self.groups,))):
            digest.update(np.ascontiguousarray(column.cpu().numpy()).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def _on_device(self) -> dict[torch.device, tuple[torch.Tensor, dict[str, torch.Tensor]]]:
        return {}

    def _placed(self, device: torch.device) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        if device not in self._on_device:
            labels = {name: column.to(device) for name, column in self.labels.items()}
            self._on_device[device] = self.images.to(device), labels
        return self._on_device[device]

    def batches(
        self, epoch: int, batch_size: int, *, seed: int, device: torch.device, held_out: bool = False
    ) -> Iterator[Batch]:
        """Batches in random order, the last incomplete one left out; held out: all, in order."""
        images, labels = self._placed(device)
        n = self.size
        if held_out:
            chunks = torch.split(torch.arange(n, device=device), batch_size)
        else:
            order = torch.randperm(n, generator=random_stream(seed, Purpose.ORDER, epoch))
            chunks = torch.split(order[: n - n % batch_size].to(device), batch_size)
        streams = step_streams(epoch, len(chunks), seed=seed, device=device, held_out=held_out)
        for index, rng in zip(chunks, streams, strict=True):
            yield Batch(images, {k: v[index] for k, v in labels.items()}, rng, index)

    def some(self, n: int, *, seed: int) -> ImageSet:
        """The first n rows of a random order."""
        order = torch.randperm(self.size, generator=random_stream(seed, Purpose.SUBSET))
        return self.rows(order[:n])

    def rows(self, index: torch.Tensor) -> ImageSet:
        """The chosen rows.

        Args:
            index: Integers of shape (m,), or which rows to keep, booleans of shape (n,).
        """
        index = index.cpu()
        return ImageSet(
            self.images[index.to(self.images.device)],
            {name: column[index] for name, column in self.labels.items()},
            self.states,
            None if self.groups is None else self.groups[index],
            self.pixels,
        )

    def split(self, share: float, *, seed: int) -> tuple[ImageSet, ImageSet]:
        """A random share of the raw images, and the others; no raw image is in both.

        Raises:
            ValueError: If one of the two would be empty.
        """
        groups = torch.arange(self.size) if self.groups is None else self.groups
        names, index = torch.unique(groups, return_inverse=True)
        cut = round(share * len(names)) if 0 < share < 1 else 0
        if not 0 < cut < len(names):
            raise ValueError(f"share must leave images on both sides, got {share} of {len(names)} raw images")
        chosen = torch.zeros(len(names), dtype=torch.bool)
        chosen[torch.randperm(len(names), generator=random_stream(seed, Purpose.SPLIT))[:cut]] = True
        first = chosen[index]
        return self.rows(first.nonzero()[:, 0]), self.rows((~first).nonzero()[:, 0])

    def transformed(self, task: str | Task | object, *, copies: int = 1, seed: int) -> Sample:
        """A sample in which each raw image is shown `copies` times, each time transformed afresh.

        Columns: the labels of the set (C and styles), R the raw image (the sample's groups), A what is
        predicted, B what was applied where A is coarser, A1, A2, .. where there are several
        transformations, and X.

        Args:
            task: A transformation's name, a Transformation, a list of them, or a `Task`.
            copies: Rows per raw image.
            seed: Fixes the draw.

        Raises:
            ValueError: If the task is unknown or does not fit the images.
        """
        drawn = as_task(task)
        drawn.check(self.shape)
        integer("copies", copies, 1)
        rows = torch.arange(self.size).repeat(copies)
        codes = drawn.draw(len(rows), random_stream(seed, Purpose.LABELS))
        place = self.images.device
        images = torch.cat(
            [
                drawn.apply(self.images[part.to(place)], code.to(place)).cpu()
                for part, code in zip(torch.split(rows, 4096), torch.split(codes, 4096), strict=True)
            ]
        )
        columns = {name: column[rows].numpy() for name, column in self.labels.items()}
        roles: dict[str, Role] = {name: "class" if name == "C" else "style" for name in columns}
        variables = {name: Variable(name, "discrete", self.states[name], roles[name]) for name in columns}
        raw = rows if self.groups is None else torch.unique(self.groups, return_inverse=True)[1][rows]
        added: dict[str, tuple[torch.Tensor, int]] = {"R": (raw, int(raw.max()) + 1)}
        added.update(drawn.columns(codes))
        for name, (column, states) in added.items():
            role: Role = "raw" if name == "R" else "transformation"
            columns[name] = column.numpy()
            variables[name] = Variable(name, "discrete", states, role)
        columns["X"] = images.numpy()
        variables["X"] = Variable("X", "image", None, "input")
        return Sample(columns, variables, groups="R", metadata={"task": drawn.name, "seed": seed})


def to_inputs(values: npt.ArrayLike | torch.Tensor) -> torch.Tensor:
    """Inputs as float32: unsigned bytes divided by 255, as wherever images are read, booleans 0 and 1.

    Raises:
        TypeError: If they are neither of these nor floats.
    """
    read = values if isinstance(values, torch.Tensor) else np.asarray(values)
    pixels = to_pixels(read)
    shades = read.dtype == (torch.uint8 if isinstance(read, torch.Tensor) else np.uint8)
    return on_grid(pixels) if shades else pixels.float()


def _check_labels(name: str, column: torch.Tensor, states: int, n: int) -> None:
    if column.is_floating_point() or column.dtype == torch.bool:
        raise TypeError(f"labels {name!r} must be integers, got {column.dtype}")
    if column.shape != (n,):
        raise ValueError(
            f"labels {name!r} must have shape ({n},), the length of the inputs, got {tuple(column.shape)}"
        )
    low, high = int(column.min()), int(column.max())
    if low < 0 or high >= states:
        raise ValueError(f"labels {name!r} must stay in 0..{states - 1}, got {low}..{high}")
