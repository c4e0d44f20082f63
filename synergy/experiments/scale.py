"""How large an experiment is, and on which images it runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import prod
from typing import Any, Literal, TypeGuard, get_args

import numpy as np
import torch
from torch import nn

from synergy.device import seeded_generators
from synergy.estimators.classifier.rare import ROWS_OF_CLASS
from synergy.learning import ImageSet
from synergy.learning.encoders import ENCODERS
from synthetic.digests import digest_of
from synthetic.images.arrays import ImageDataset
from synthetic.images.cifar10 import Cifar10, CifarPart, places
from theory.checks import integer, number

__all__ = ["DataName", "EncoderLike", "Scale", "as_scale", "encoder_name"]

ScaleName = Literal["quick", "full", "large"]
"""The scales that have names."""

DataName = Literal["digits", "glyphs", "cluttered-glyphs", "cifar10"]
"""The data sets that have names."""

EncoderLike = str | Callable[[], nn.Module]
"""A name in `ENCODERS`, or a function that makes an untrained module."""

_JUDGED_SHARE = 0.4
"""The share of images without a split of their own that is judged."""

_QUALITIES = ("quick", "default", "best")
"""How much work the classifiers may do."""

_PROCESS = 600 * 2**20
"""The bytes of a process that trains a small network, without its images: the libraries take most of it."""

_COPIES = 4
"""How often the images that are judged on lie in memory at the worst moment, transformed and represented."""

_PHOTOGRAPHS = 60_000
"""The images of CIFAR-10."""

_PRECISIONS = ("float32", "bfloat16", "float16")
"""The numbers that training may compute with."""


@dataclass(frozen=True)
class Scale:
    """How large an experiment is.

    Args:
        seeds: How many training seeds, at least 1.
        steps: Training steps; an experiment may ask for a multiple.
        batch: Inputs per step.
        judged: Inputs that representations are judged on, where there are as many.
        features: The dimension of a representation.
        encoder: The encoder, where the experiment does not ask for some of its own: class-information reads
            its three sets of glyphs with an `mlp`.
        encoders: The two that model-equivariance compares, the gain being that of the second: names in
            `ENCODERS`, or functions without arguments that make an untrained module.
        labelled: Labelled images of each class that linear probes of the class are fitted on, and judged on
            all others; None for a few on cluttered glyphs, and for cross-validation on all images elsewhere.
            The hue of glyphs is read from all of them.
        pixels: The side of glyphs.
        tolerance: The standard error asked of Monte Carlo truths, in nats.
        quality: How much work the classifier estimator does.
        every: Whether to run all conditions, or those alone that the predictions are about.
        precision: `float32`, or mixed precision.
        compile: Whether to compile the encoder.
        data: `digits`, `glyphs`, `cluttered-glyphs`, `cifar10`, an `ImageSet`, two of them (to train on and
            to judge on) or a torch Dataset of pairs (image, label), which is read once; None for what the
            experiment was made for.
        root: The folder of CIFAR-10.
        jobs: Processes at once.
        device: Where networks run: encoders, and classifiers that judge them unless `quality` is `quick`.
        held: The photographs to train on and to judge on, read once for all processes; see `holding`.

    Raises:
        TypeError: If `data` is something else.
        ValueError: If a number is not positive, a name unknown, or `root` and `data` do not fit together.
    """

    seeds: int = 5
    steps: int = 1200
    batch: int = 128
    judged: int = 4000
    features: int = 64
    encoder: str = "cnn"
    encoders: tuple[EncoderLike, EncoderLike] = ("cnn", "c4")
    labelled: int | None = None
    pixels: int = 16
    tolerance: float = 0.005
    quality: Literal["quick", "default", "best"] = "quick"
    every: bool = True
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    compile: bool = False
    data: DataName | ImageSet | tuple[ImageSet, ImageSet] | ImageDataset | None = None
    root: str | None = None
    jobs: int = 1
    device: str = "cpu"
    held: tuple[ImageSet, ImageSet] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("seeds", "steps", "batch", "judged", "features", "pixels", "jobs"):
            integer(name, getattr(self, name), 1)
        if self.labelled is not None:
            integer("labelled", self.labelled, 2)
        number("tolerance", self.tolerance, low=0, strict=True)
        object.__setattr__(self, "encoders", _checked_pair(self.encoders))
        for name, known in (
            ("quality", _QUALITIES),
            ("precision", _PRECISIONS),
            ("encoder", tuple(ENCODERS)),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if _is_pair(self.data):
            _check_pair(*self.data)
        elif self.data is not None and not isinstance(self.data, str | ImageSet):
            if not (hasattr(self.data, "__len__") and hasattr(self.data, "__getitem__")):
                raise TypeError(
                    "data must be a name, an ImageSet or a torch Dataset of pairs (image, label), got "
                    f"{type(self.data).__name__}"
                )
            object.__setattr__(self, "data", ImageSet.from_dataset(self.data))
        if isinstance(self.data, str) and self.data not in get_args(DataName):
            raise ValueError(f"data must be one of {', '.join(get_args(DataName))}, got {self.data!r}")
        if self.data == "cifar10" and self.root is None:
            raise ValueError("data='cifar10' needs root, the folder with its binary version; got none")
        if self.root is not None and self.data != "cifar10":
            raise ValueError(f"root is the folder of data='cifar10', got it with data={self.data_name!r}")

    def check_images(self, fewest: int | None = None, *, square: bool = False) -> None:
        """Look at the images, so that a wrong folder or too few are told before anything runs.

        Args:
            fewest: Images of one's own that are needed; None to count none.
            square: Whether images of one's own must be square.

        Raises:
            FileNotFoundError: If the folder or a file in it is missing.
            ValueError: If a file is not what it should be, there are too few images to train and judge on,
                or they are not square.
        """
        height, width = self._own[0].shape[-2:] if self._own else (0, 0)
        if square and height != width:
            raise ValueError(
                f"this experiment turns images, which must be square for it, got {height} x {width} pixels: "
                f"`--size {min(height, width)}` makes image files square"
            )
        if fewest is not None and isinstance(self.data, ImageSet):
            _check_enough(self.data, fewest, round(ROWS_OF_CLASS / _JUDGED_SHARE))
        elif fewest is not None and _is_pair(self.data):
            _check_enough(self.data[0], round(fewest * (1 - _JUDGED_SHARE)), 1)
            _check_enough(self.data[1], round(fewest * _JUDGED_SHARE), ROWS_OF_CLASS)
        if self.data == "cifar10":
            for split in get_args(CifarPart):
                Cifar10(str(self.root), split=split)

    @property
    def _own(self) -> tuple[ImageSet, ...]:
        """The images of one's own: one set, or one to train on and one to judge on."""
        if isinstance(self.data, ImageSet):
            return (self.data,)
        return self.data if _is_pair(self.data) else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of images of one's own: that fewer are judged than the scale asks for."""
        if not self._own:
            return ()
        judged = self._own[-1].size if len(self._own) > 1 else round(_JUDGED_SHARE * self._own[0].size)
        if judged >= self.judged:
            return ()
        return (
            f"Of {self.data_name} {judged:,} are judged, where the scale asks for {self.judged:,}: "
            "intervals are the wider for it.",
        )

    def holding(self) -> Scale:
        """The same scale with its photographs in memory, so that processes share them; itself without any."""
        if self.data != "cifar10" or self.held is not None:
            return self
        return replace(self, held=self._photographs)

    @cached_property
    def _photographs(self) -> tuple[ImageSet, ImageSet]:
        train, test = (ImageSet.from_generator(Cifar10(str(self.root), split=s)) for s in get_args(CifarPart))
        return train, test

    @property
    def memory(self) -> tuple[float, float]:
        """About how many bytes a process needs for itself, and how many all share."""
        pixels = 3 * 32 * 32 if self.data in ("cifar10", None) else 3 * self.pixels**2
        images, shared = 3 * self.judged, 0
        if isinstance(self.data, ImageSet):
            pixels, images, shared = prod(self.data.shape), 2 * self.data.size, self.data.images.nbytes
        elif _is_pair(self.data):
            pixels, images = prod(self.data[0].shape), sum(part.size for part in self.data)
            shared = sum(part.images.nbytes for part in self.data)
        elif self.data == "cifar10":
            shared = _PHOTOGRAPHS * pixels * 4
        working = _COPIES * 4 * pixels * min(images, 3 * self.judged + self.batch)
        return _PROCESS + 4.0 * pixels * images + working, float(shared)

    @classmethod
    def quick(cls, **changes: Any) -> Scale:
        """At most three minutes on two cores; three seeds show a spread, hardly more."""
        small = cls(seeds=3, steps=300, judged=1500, features=32, tolerance=0.02, every=False)
        return replace(small, **changes)

    @classmethod
    def full(cls, **changes: Any) -> Scale:
        """Five seeds, at most forty minutes on two cores."""
        return replace(cls(), **changes)

    @classmethod
    def large(cls, **changes: Any) -> Scale:
        """For a GPU: 32 x 32 pixels in three colours, ResNet-18, mixed precision, a compiled encoder."""
        big = cls(
            steps=20_000,
            batch=256,
            judged=10_000,
            features=512,
            encoder="resnet18",
            encoders=("resnet18", "c4-resnet18"),
            pixels=32,
            precision="bfloat16",
            compile=True,
            data="glyphs",
            device="cuda",
        )
        return replace(big, **changes)

    @classmethod
    def named(cls, name: str, **changes: Any) -> Scale:
        """The scale of that name, one of `ScaleName`.

        Raises:
            ValueError: If there is none.
        """
        if name not in get_args(ScaleName):
            raise ValueError(f"scale must be one of {', '.join(get_args(ScaleName))}, got {name!r}")
        made: Scale = getattr(cls, name)(**changes)
        return made

    @property
    def data_name(self) -> str | None:
        """The name of the images; None for the experiment's own."""
        if isinstance(self.data, ImageSet):
            return f"{self.data.size} images"
        if _is_pair(self.data):
            return f"{self.data[0].size} + {self.data[1].size} images"
        return self.data if isinstance(self.data, str) else None

    @property
    def judging_device(self) -> str | None:
        """Where the classifiers that judge are trained; those of quality `quick` run on the CPU alone."""
        return None if self.quality == "quick" else self.device

    @property
    def draws_glyphs(self) -> bool:
        """Whether an experiment that was made for glyphs runs on them."""
        return self.data in (None, "glyphs")

    def to_dict(self) -> dict[str, Any]:
        """The settings by name; an `ImageSet` by its size."""
        found = {f.name: getattr(self, f.name) for f in fields(self) if f.compare}
        return {**found, "data": self.data_name, "encoders": [encoder_name(e) for e in self.encoders]}

    @cached_property
    def identity(self) -> str:
        """A digest of everything that a run's numbers depend on; two scales with the same one share runs."""
        settings = {k: v for k, v in self.to_dict().items() if k not in ("seeds", "jobs", "root")}
        if isinstance(self.data, ImageSet):
            settings["data"] = self.data.digest
        elif _is_pair(self.data):
            settings["data"] = [part.digest for part in self.data]
        own = [encoder for encoder in self.encoders if not isinstance(encoder, str)]
        if own:  # two functions may have one name, and two modules may print alike
            with seeded_generators(0, torch.device("cpu")):
                settings["own encoders"] = [digest_of(encoder, encoder()) for encoder in own]
        if self.root is not None:
            paths = [path for folder in places(self.root) for path in sorted(folder.glob("*.bin"))]
            files = [(path.relative_to(self.root), path.stat()) for path in paths]
            settings["root"] = [(str(name), of.st_size, of.st_mtime_ns) for name, of in files]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def encoder_name(encoder: EncoderLike) -> str:
    """What an encoder is called: its name in `ENCODERS`, or MODULE:FUNCTION.

    Example:
        >>> encoder_name("c4")
        'c4'
    """
    if isinstance(encoder, str):
        return encoder
    named = [str(getattr(encoder, key, "")) for key in ("__module__", "__qualname__")]
    return ":".join(named) if all(named) else type(encoder).__qualname__


def _checked_pair(encoders: object) -> tuple[EncoderLike, EncoderLike]:
    """Two encoders that have different names.

    Raises:
        TypeError: If there are not two, or one is neither a name nor a function.
        ValueError: If a name is unknown, or both are the same.
    """
    if isinstance(encoders, str) or not isinstance(encoders, tuple | list) or len(encoders) != 2:
        raise TypeError(f"encoders must be a pair such as ('cnn', 'c4'), got {encoders!r}")
    for encoder in encoders:
        if isinstance(encoder, nn.Module) or not (isinstance(encoder, str) or callable(encoder)):
            raise TypeError(
                "encoders must be names, or functions that make an untrained module, got "
                f"{type(encoder).__name__}"
            )
        if isinstance(encoder, str) and encoder not in ENCODERS:
            raise ValueError(f"encoders must be among {', '.join(ENCODERS)}, or functions, got {encoder!r}")
    first, second = encoders
    if encoder_name(first) == encoder_name(second):
        raise ValueError(f"encoders must be two that differ, got {encoder_name(first)!r} twice")
    return first, second


def _is_pair(data: object) -> TypeGuard[tuple[ImageSet, ImageSet]]:
    """Whether it is images to train on and images to judge on."""
    return isinstance(data, tuple) and len(data) == 2 and all(isinstance(part, ImageSet) for part in data)


def _check_pair(train: ImageSet, judged: ImageSet) -> None:
    if train.shape != judged.shape or dict(train.states) != dict(judged.states):
        raise ValueError(
            "data must have images of one shape and the same labels to train and to judge on, got "
            f"{train.shape} {dict(train.states)} and {judged.shape} {dict(judged.states)}"
        )


def _check_enough(images: ImageSet, fewest: int, of_class: int) -> None:
    """Refuse images of which too few are judged: a class must have another to be told from."""
    counts = np.sort(np.bincount(images.labels["C"].numpy())) if "C" in images.labels else np.zeros(2, int)
    second = int(counts[-2]) if len(counts) > 1 else 0
    if images.size < fewest or ("C" in images.labels and second < of_class):
        raise ValueError(
            f"an experiment needs at least {fewest} images, and {of_class} of each of two classes, to train "
            f"and judge on: got {images.size} images, and {second} of the second largest class"
        )


def as_scale(settings: dict[str, Any]) -> Scale:
    """The scale that `to_dict` described, with the experiment's own images where they had no name."""
    known = {f.name for f in fields(Scale)}
    named = settings.get("data") in get_args(DataName)
    kept = {k: v for k, v in settings.items() if k in known and (named or k not in ("data", "root"))}
    if not set(kept.get("encoders", ())) <= set(ENCODERS):  # functions of someone's own
        del kept["encoders"]
    return replace(Scale(), **kept)
