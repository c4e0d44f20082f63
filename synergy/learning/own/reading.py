"""Asking an encoder for the features of images, whatever kind of callable it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synergy.device import choose_device
from synergy.learning.own.modules import (
    Encoder,
    LayerError,
    dtype_of,
    evaluated,
    home_of,
    hooked,
    layer_path,
    modules_of,
    place,
    placed,
)
from synergy.learning.own.normalise import Normalise, mean_and_deviation, normalised
from synergy.learning.own.outputs import Pool, chosen_output, feature_rows
from synergy.learning.seeds import Purpose, seeded
from synergy.learning.trained import Trained

__all__ = ["Ask", "Reading", "read_features"]

_SAME = 1e-3
"""Features of the same images that differ by less, in deviations, do so by rounding."""

_SINGLE = 4
"""The bytes of a number in single precision."""

Features = npt.NDArray[np.floating[Any]]
Ask = Callable[[torch.Tensor], Features]
"""Takes images (n, ..) in floats, and gives their features (n, d)."""


@dataclass(frozen=True)
class Reading:
    """How an encoder is asked.

    Args:
        encoder: A torch module, a function of a batch of images, or a `Trained`.
        layer: A layer whose output is taken in place of the encoder's, or its dotted path, which is kept;
            where it runs several times the last counts.
        output: A key, an attribute or a place in what it returns; None for the rule of `chosen_output`.
        pool: How maps and sequences become one vector an image.
        normalise: The mean and deviation that pixels are brought to just before the encoder, or "imagenet".
        device: Where to run: None for where the encoder's weights are, else as in `choose_device`; a module
            is moved there and back.
        seed: Fixes what an encoder draws from torch's own generators.

    Raises:
        TypeError: If the encoder is no callable, or a layer is neither a path nor a module, or is asked of
            something else than a module.
        ValueError: If the layer does not exist, or normalise is no mean and deviation.
    """

    encoder: Encoder | Trained
    layer: str | nn.Module | None = None
    output: str | int | None = None
    pool: Pool = "mean"
    normalise: Normalise | None = None
    device: str | torch.device | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        given: object = self.encoder
        if not isinstance(given, Trained) and (not callable(given) or isinstance(given, type)):
            raise TypeError(_no_encoder(given))
        if self.layer is not None:
            if not isinstance(self.run, nn.Module):
                got = type(self.run).__name__
                raise TypeError(f"layer needs an encoder that is a torch module, got a {got}")
            object.__setattr__(self, "layer", layer_path(self.run, self.layer))
        if self.normalise is not None:
            mean_and_deviation(self.normalise)

    @property
    def run(self) -> Encoder:
        """The callable itself."""
        return self.encoder.encoder if isinstance(self.encoder, Trained) else self.encoder

    @property
    def name(self) -> str:
        """The encoder's name in metadata."""
        own = getattr(self.run, "__qualname__", type(self.run).__name__)
        return own if self.layer is None else f"{own}, layer {self.layer}"


@contextmanager
def read_features(reading: Reading) -> Iterator[Ask]:
    """A function that gives the features of images, while the encoder is in evaluation mode and in place.

    Afterwards its modes, its device and torch's random numbers are as they were, and hooks are gone, also
    when it fails. The features of all batches must be of one shape and finite. The first batch is shown
    twice, and a warning says so where its features differ.
    """
    modules = modules_of(reading.run)
    home = home_of(modules)
    device = home if reading.device is None else place(choose_device(str(reading.device)))
    with (
        placed(modules, device),
        evaluated(modules),
        seeded(reading.seed, Purpose.REPRESENT, device=device),
        _running(reading) as run,
    ):
        yield _Asked(reading, run, device, dtype_of(modules))


def _no_encoder(given: object) -> str:
    hint = ": build_encoder makes one of a name in ENCODERS" if isinstance(given, str) else ""
    got = repr(given) if isinstance(given, str | type) else type(given).__name__
    return f"encoder must be a torch module or a function of a batch of images, got {got}{hint}"


class _Asked:
    """The batches of one encoder, held to one shape."""

    def __init__(self, reading: Reading, run: Encoder, device: torch.device, dtype: torch.dtype) -> None:
        self.reading, self.run, self.device, self.dtype = reading, run, device, dtype
        self.rows = 0
        self.width: int | None = None

    def __call__(self, images: torch.Tensor) -> Features:
        features = self._features(images)
        where = f"images {self.rows} to {self.rows + len(images) - 1}"
        if self.width is not None and features.shape[1] != self.width:
            raise ValueError(
                f"the encoder must return the same number of features for every batch, got {self.width} "
                f"before and {features.shape[1]} for {where}"
            )
        if self.width is None:
            self._compare(features, self._features(images))
        self.width = features.shape[1]
        bad = ~np.isfinite(features).all(axis=1)
        if bad.any():
            kinds = "NaN" if np.isnan(features[bad]).any() else "infinities"
            half = f"; it computes in {self.dtype}" if self.dtype.itemsize < _SINGLE else ""
            raise ValueError(
                f"the encoder must return finite features, got {kinds} for {int(bad.sum())} of {len(images)} "
                f"images, the first is image {self.rows + int(bad.argmax())}{half}"
            )
        self.rows += len(images)
        return features

    def _compare(self, features: Features, again: Features) -> None:
        """Warn if the same images have other features when they are shown again."""
        if features.shape != again.shape or not np.isfinite(features).all():
            return
        spread = float(np.abs(features - again).mean() / (features.std() or 1.0))
        if spread > _SAME:
            warnings.warn(
                f"the encoder gives different features for the same images (by {spread:.2g} of their "
                "deviation): it draws random numbers, or changes as it runs; if modules in training mode are "
                "hidden in it, call eval() on them",
                UserWarning,
                stacklevel=5,
            )

    def _features(self, images: torch.Tensor) -> Features:
        batch = images.to(device=self.device)
        if self.reading.normalise is not None:
            batch = normalised(batch, self.reading.normalise)
        batch = batch.to(self.dtype)
        output = _called(self.run, batch)
        found = chosen_output(output, self.reading.output, len(batch))
        flat = feature_rows(found.detach(), len(batch), self.reading.pool)
        kept = torch.float64 if flat.dtype == torch.float64 else torch.float32
        features: Features = flat.to(
            device="cpu", dtype=kept, copy=True
        ).numpy()  # its memory may be used again
        return features


def _called(run: Encoder, batch: torch.Tensor) -> object:
    """What the encoder returns, its errors told with the batch that they came of."""
    try:
        return run(batch)
    except torch.OutOfMemoryError as error:
        raise MemoryError(
            f"the encoder ran out of memory at {len(batch)} images: lower batch_size"
        ) from error
    except LayerError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        shape = tuple(batch.shape)
        gray = batch.ndim == 4 and batch.shape[1] == 1
        hint = "; for gray images in an encoder of three channels, repeat them: x.expand(-1, 3, -1, -1)"
        raise ValueError(
            f"the encoder failed on a batch of shape {shape}, {batch.dtype}: {type(error).__name__}: {said}"
            f"{hint if gray and 'channel' in said else ''}"
        ) from error


@contextmanager
def _running(reading: Reading) -> Iterator[Encoder]:
    """What is called: the encoder, or a function that gives the output of its layer."""
    if not isinstance(reading.layer, str) or not isinstance(reading.run, nn.Module):
        yield reading.run
        return
    with hooked(reading.run, reading.layer) as run:
        yield run
