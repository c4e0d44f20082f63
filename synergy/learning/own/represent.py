"""The representations of one's own encoder on one's own images, as a sample that everything else takes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import Progress

from synergy.learning.data import ImageSet
from synergy.learning.own.intake import ImageSource, image_source
from synergy.learning.own.modules import Encoder
from synergy.learning.own.normalise import Normalise
from synergy.learning.own.outputs import Pool
from synergy.learning.own.reading import Ask, Reading, read_features
from synergy.learning.seeds import Purpose
from synergy.learning.seeds import generator as random_stream
from synergy.learning.tasks import Task, as_task
from synergy.learning.trained import Trained
from synthetic import Sample, Variable
from synthetic.images.arrays import ChannelOrder
from synthetic.inference import infer_columns
from synthetic.transformations import FunctionTransformation, PixelPermutation
from synthetic.variables import Role
from theory.checks import integer

__all__ = ["Listener", "check_pixels", "reporting", "represent"]

Listener = Callable[[int, int | None], None]
"""Called after each batch with the batches that are done and their number in all, if it is known."""

_OWN = ("R", "Z", "X")
"""Columns that `represent` makes, which labels cannot be called."""


def represent(
    encoder: Encoder | Trained,
    images: Any,  # noqa: ANN401 - of any library
    transformation: object = None,
    *,
    labels: Any = None,  # noqa: ANN401 - arrays, or names
    layer: str | torch.nn.Module | None = None,
    output: str | int | None = None,
    pool: Pool = "mean",
    normalise: Normalise | None = None,
    copies: int = 1,
    batch_size: int = 256,
    device: str | torch.device | None = None,
    seed: int = 0,
    channels: ChannelOrder = "auto",
    keep_images: bool = False,
    progress: Listener | bool | None = None,
) -> Sample:
    """Represent images by any encoder, transformed or as they are.

    The encoder is any callable that maps a batch of images (n, channels, height, width) to features: a torch
    module as it comes, a compiled one, a function of one. Modules are in evaluation mode and without
    gradients meanwhile, also those that a function names; afterwards everything is as it was, also when it
    fails. Images are cast to the type of its weights.

    What it returns becomes features of shape (n, d) by one rule. Maps and sequences are pooled. Of a mapping
    or an object it is the only tensor, or the first of `pooler_output`, `features`, `representation`,
    `embedding`, .., `last_hidden_state`, `logits`; of a tuple the first; of a list of several it must be
    chosen with `output`.

    Args:
        encoder: A torch module, a function of a batch of images, or a `Trained`.
        images: An `ImageSet`, `LabelledImages` or a generator of real images, an array or tensor, the path of
            images that `read_images` takes, a map-style Dataset of single images, a DataLoader or an iterable
            of batches, or a Sample with images. They are floats, unsigned bytes (divided by 255) or pictures.
        transformation: What is applied and called A: a name, a Transformation, a pair (f, states) of a
            function of images and labels and its number of states, a list of these, or a `Task`; None for
            images as they are. It needs pixels in [0, 1], unless it only moves them or is a function of your
            own.
        labels: With an array the class of each image, or a mapping of columns such as
            {"C": classes, "A": angles}: a label A of your own takes the place of a transformation. With a
            Dataset or DataLoader the names of what follows the image, such as ("C", "A"), or a mapping from
            column to key. None for the usual names.
        layer: The layer of a module whose output is taken, or its dotted path, such as "layer3.1".
        output: The key, attribute or place of the representation in what the encoder returns.
        pool: How maps (n, channels, height, width) and sequences (n, places, d) become (n, ..): "mean",
            "max", "first" (a class token), "flatten", or a function.
        normalise: (mean, deviation) of the pixels, numbers or one for each channel, or "imagenet"; applied
            after the transformation.
        copies: How often each image is shown, each time transformed anew.
        batch_size: Images that the encoder sees at once, where they do not come in batches.
        device: None for where the encoder's weights are; else it is moved there and back.
        seed: Fixes the labels of the transformation and what the encoder draws.
        channels: Where the channels of images of three dimensions are.
        keep_images: Whether the sample has the images that the encoder saw as X, before `normalise`.
        progress: None for a bar on a terminal and nothing elsewhere, False for nothing, or a function that is
            called after each batch.

    Returns:
        A sample with the labels, A (with B, A1, .. as in `ImageSet.transformed`), R, the number of the raw
        image, which is the sample's groups, and Z of shape (n, d).

    Raises:
        FileNotFoundError: If a path is none.
        TypeError: If the encoder is no callable, images are none of these, or features are no floats.
        ValueError: If the encoder fails, has no such layer, or returns NaN, other shapes for other batches or
            something without an axis of images, labels do not fit, or the transformation does not.
        MemoryError: If a batch does not fit the device.

    Example:
        >>> from synthetic import Digits
        >>> flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8))
        >>> sample = represent(flat, Digits(classes=(0, 1)), "rotation", seed=1)
        >>> sample.names, sample["Z"].shape
        (('C', 'R', 'A', 'Z'), (360, 8))
    """
    integer("batch_size", batch_size, 1)
    integer("copies", copies, 1)
    integer("seed", seed, 0)
    reading = Reading(encoder, layer, output, pool, normalise, device, seed)
    task = None if transformation is None else as_task(transformation)
    if isinstance(images, Sample):
        if task is None:
            return _of_sample(reading, images, batch_size, keep_images, progress)
        images = ImageSet.from_sample(images, image=_image_of(images))
    source = image_source(images, labels, batch_size=batch_size, channels=channels)
    shown = _Shown(task, copies, seed, keep_images)
    with read_features(reading) as ask, reporting(progress, source.steps) as report:
        for done, batch in enumerate(source.batches, start=1):
            shown.add(ask, batch.images, batch.labels)
            report(done)
    return shown.sample(source, reading.name)


class _Shown:
    """What has been represented so far.

    Args:
        task: What is applied.
        copies: How often each image is shown.
        seed: Fixes the labels.
        keep: Whether the images are kept.
    """

    def __init__(self, task: Task | None, copies: int, seed: int, keep: bool) -> None:
        self.task, self.copies, self.seed, self.keep = task, copies, seed, keep
        self.draws = [random_stream(seed, Purpose.LABELS, *([k] if k else [])) for k in range(copies)]
        self.labels: dict[str, list[Any]] = {}
        self.codes: list[list[torch.Tensor]] = [[] for _ in range(copies)]
        self.features: list[list[npt.NDArray[Any]]] = [[] for _ in range(copies)]
        self.images: list[list[npt.NDArray[Any]]] = [[] for _ in range(copies)]
        self.shape: tuple[int, ...] | None = None
        self.size = 0

    def add(self, ask: Ask, images: torch.Tensor, labels: Mapping[str, Any]) -> None:
        """Represent a batch, once for each copy."""
        if self.shape is None:
            self._check(images, labels)
            self.shape = tuple(images.shape[1:])
            self.labels = {name: [] for name in labels}
        if tuple(images.shape[1:]) != self.shape:
            raise ValueError(
                f"all images must have one shape, got {self.shape} and, from image {self.size}, "
                f"{tuple(images.shape[1:])}"
            )
        for name, column in labels.items():
            self.labels[name] += list(column)
        for copy, draw in enumerate(self.draws):
            seen = images
            if self.task is not None:
                check_pixels(self.task, images)
                codes = self.task.draw(len(images), draw)
                seen = self.task.apply(images, codes)
                self.codes[copy].append(codes)
            self.features[copy].append(ask(seen))
            if self.keep:
                self.images[copy].append(seen.numpy().astype(np.float32))
        self.size += len(images)

    def _check(self, images: torch.Tensor, labels: Mapping[str, Any]) -> None:
        taken = [name for name in _OWN if name in labels]
        if taken:
            raise ValueError(
                f"labels cannot be called {', '.join(_OWN)}, which are made here, got {taken[0]!r}"
            )
        if self.task is None:
            return
        made = self.task.columns(torch.zeros(1, dtype=torch.int64))
        both = [name for name in made if name in labels]
        if both:
            raise ValueError(
                f"labels have a column {both[0]!r} and transformation={self.task.name!r} makes one too: "
                "leave out one"
            )
        self.task.check(tuple(images.shape[1:]))

    def sample(self, source: ImageSource, encoder: str) -> Sample:
        """All rows: the copies one after the other."""
        columns, variables, levels = _described(self.labels, source)
        columns = {name: np.tile(column, self.copies) for name, column in columns.items()}
        raw = torch.arange(self.size)
        if source.groups is not None:
            raw = torch.unique(source.groups, return_inverse=True)[1]
        added = {"R": (raw.repeat(self.copies), int(raw.max()) + 1)}
        if self.task is not None:
            added.update(self.task.columns(torch.cat([code for copy in self.codes for code in copy])))
        for name, (column, states) in added.items():
            columns[name] = column.numpy()
            variables[name] = Variable(name, "discrete", states, "raw" if name == "R" else "transformation")
        if self.keep and self.shape is not None:
            columns["X"] = np.concatenate([part for copy in self.images for part in copy])
            variables["X"] = Variable("X", "image" if len(self.shape) == 3 else "continuous", None, "input")
        columns["Z"] = np.concatenate([part for copy in self.features for part in copy])
        variables["Z"] = Variable("Z", "continuous", None, "representation")
        metadata: dict[str, Any] = {"encoder": encoder, "seed": self.seed}
        if self.task is not None:
            metadata["task"] = self.task.name
        if levels:
            metadata["levels"] = levels
        return Sample(columns, variables, groups="R", metadata=metadata)


def _described(
    labels: Mapping[str, list[Any]], source: ImageSource
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Variable], dict[str, Any]]:
    """The labels as columns: their kinds as in tables, their numbers of states as the source says them."""
    if not labels:
        return {}, {}, {}
    columns, found, levels = infer_columns(labels)
    variables = {}
    for name, variable in found.items():
        role: Role = {"C": "class", "A": "transformation"}.get(name, "style")  # type: ignore[assignment]  # Roles
        states = variable.cardinality
        if name == "C" and variable.kind != "discrete":
            raise ValueError("labels 'C' must be integers or names, got floats: number the classes")
        if name in source.states:
            columns[name] = np.asarray(labels[name], dtype=np.int64)
            states = source.states[name]
            levels.pop(name, None)
        if name in source.levels:
            levels[name] = list(source.levels[name])
        variables[name] = Variable(name, variable.kind, states, role)
    return columns, variables, levels


def check_pixels(task: Task, images: torch.Tensor) -> None:
    """Refuse pixels outside [0, 1] where a transformation computes with them.

    Raises:
        ValueError: If they are.
    """
    if all(isinstance(part, PixelPermutation | FunctionTransformation) for part in task.parts):
        return
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 1:
        raise ValueError(
            f"{task.name} needs pixels in [0, 1], got {low:.3g} to {high:.3g}: give images that are not "
            "normalised yet, and normalise=(mean, deviation)"
        )


def _image_of(sample: Sample) -> str:
    names = [v.name for v in sample.variables.values() if v.kind == "image"]
    if len(names) != 1:
        raise ValueError(f"a sample must have one column of images, got {', '.join(names) or 'none'}")
    return names[0]


def _of_sample(
    reading: Reading, sample: Sample, batch_size: int, keep: bool, progress: Listener | bool | None
) -> Sample:
    """A sample whose images are represented as they are, and whose other columns stay."""
    name = _image_of(sample)
    features = []
    steps = -(-len(sample) // batch_size)
    with read_features(reading) as ask, reporting(progress, steps) as report:
        for step in range(steps):
            part = np.ascontiguousarray(sample[name][step * batch_size : (step + 1) * batch_size], np.float32)
            features.append(ask(torch.from_numpy(part)))
            report(step + 1)
    found = sample.with_column(Variable("Z", "continuous", None, "representation"), np.concatenate(features))
    return found if keep else found.select([other for other in found.names if other != name])


@contextmanager
def reporting(progress: Listener | bool | None, steps: int | None) -> Iterator[Callable[[int], None]]:
    """A function that is told how many batches are done, and shows them as it was asked to."""
    if callable(progress):
        yield lambda done: progress(done, steps)
        return
    if progress is False or not sys.stderr.isatty():
        yield lambda done: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        job = bar.add_task("representing", total=steps)
        yield lambda done: bar.update(job, completed=done)
