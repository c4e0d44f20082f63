"""The one training loop: any pretext task, deterministic under its seed, resumable to the bit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress
from torch import nn

from synergy.device import choose_device, deterministic
from synergy.learning.batches import Source
from synergy.learning.options import Training
from synergy.learning.pretext import Pretext
from synergy.learning.run import Run
from synergy.learning.stream import Stream
from synergy.learning.trained import Trained

__all__ = ["train"]

LossListener = Callable[[float], None]
"""Called with the pretext loss after each epoch."""


def train(
    pretext: Pretext,
    source: Source,
    *,
    seed: int,
    encoder: str | nn.Module | Callable[[], nn.Module] = "cnn",
    features: int = 64,
    options: Training | None = None,
    held_out: Source | None = None,
    checkpoint: str | Path | None = None,
    progress: LossListener | bool | None = None,
) -> Trained:
    """Train an encoder on a pretext task.

    Step t draws its transformations from a stream that depends on (seed, epoch, t) alone, its rate is a
    function of t alone, and what an encoder draws from torch's own generators, as dropout does, depends on
    (seed, epoch) alone, so that a run which is resumed from its last checkpoint ends with the same bits as
    one that was never interrupted.

    Args:
        pretext: The task.
        source: An `ImageSet` or a `Stream`.
        seed: Fixes initial weights, order and draws.
        encoder: A name in `ENCODERS`, a function that makes an untrained module, or a module, such as a
            pretrained one, of which a copy is trained further in single precision. What a module of your own
            returns becomes features as in `represent`; `FeatureEncoder` chooses a layer or an output.
        features: The dimension of the representation of a named encoder.
        options: The settings; None for the defaults.
        held_out: Inputs that the task is also evaluated on after each epoch: every row counts the same, but
            for contrastive tasks, whose loss depends on the size of the batch, the last incomplete batch is
            left out.
        checkpoint: A folder to write checkpoints to, and to resume from if it has one of the same run. An
            encoder that a function makes is told from another by its layers as torch prints them.
        progress: None for a bar on a terminal and nothing elsewhere, False for nothing, or a function
            that is called after each epoch with the fraction done.

    Raises:
        TypeError: If the task, the data, the encoder or the options are something else.
        ValueError: If the encoder is unknown, the task does not fit the data, the batch exceeds it or is too
            small for the task, the held-out data have more states or are a stream of the same raw images,
            the device is absent, early stopping has no held-out data, or the checkpoint is a file or of
            another run.
        FloatingPointError: If the loss becomes infinite or NaN.
    """
    _check_kinds(pretext, source, encoder, options, held_out)
    settings = Training() if options is None else options
    device = choose_device(settings.device)
    _check(pretext, source, settings, held_out, device)
    folder = None if checkpoint is None else _folder(checkpoint)
    run = Run(pretext, source, settings, device, encoder, features, seed, held_out)
    if folder is not None:
        run.restore(folder)
    with deterministic(device), _reporting(progress) as report:
        while pretext.trains and not run.finished:
            run.epoch()
            if folder is not None and (run.finished or run.done % settings.checkpoint_every == 0):
                run.checkpoint().save(folder)
            report(run.done / settings.epochs)
    return run.result()


def _check_kinds(pretext: object, source: object, encoder: object, options: object, held_out: object) -> None:
    if not isinstance(pretext, Pretext):
        raise TypeError(f"pretext must be a task such as PredictTransformation('rotation'), got {pretext!r}")
    for name, given in (("source", source), ("held_out", held_out)):
        if not (hasattr(given, "batches") or (name == "held_out" and given is None)):
            raise TypeError(
                f"{name} must be an ImageSet or a Stream, got {type(given).__name__}: make one with "
                "ImageSet.from_arrays, .from_dataset or .from_generator, or Stream(generator, size)"
            )
    if not isinstance(encoder, str) and not callable(encoder):
        raise TypeError(
            "encoder must be a name in ENCODERS, a torch module to train further, or a function that makes "
            f"one, got {type(encoder).__name__}"
        )
    if not (options is None or isinstance(options, Training)):
        raise TypeError(f"options must be Training(...) or None, got {options!r}")


def _check(
    pretext: Pretext, source: Source, settings: Training, held_out: Source | None, device: torch.device
) -> None:
    pretext.check(source.shape, source.states)
    if held_out is not None:
        if held_out.shape != source.shape:
            raise ValueError(f"held_out must have inputs of shape {source.shape}, got {held_out.shape}")
        pretext.check(held_out.shape, held_out.states)
        _check_held_out(pretext, source, held_out)
    if settings.patience is not None and held_out is None:
        raise ValueError(f"early stopping with patience={settings.patience} needs held_out data, got none")
    if pretext.trains and settings.batch_size > source.size:
        raise ValueError(
            f"batch_size must be between 1 and the number of rows {source.size}, got {settings.batch_size}"
        )
    if pretext.trains and settings.batch_size < pretext.fewest:
        raise ValueError(
            f"batch_size must be at least {pretext.fewest} for {pretext.name}, got {settings.batch_size}"
        )
    if settings.precision == "float16" and device.type != "cuda":
        raise ValueError(f"precision 'float16' needs CUDA, got device {device}: use 'bfloat16' or 'float32'")


def _check_held_out(pretext: Pretext, source: Source, held_out: Source) -> None:
    for name in pretext.labels:
        if held_out.states[name] > source.states[name]:
            raise ValueError(
                f"held_out has {held_out.states[name]} states of {name!r}, more than the training data's "
                f"{source.states[name]}: pass the same number of states to both"
            )
    if pretext.trains and held_out.size < pretext.fewest:
        raise ValueError(
            f"held_out must have at least {pretext.fewest} rows for {pretext.name}, got {held_out.size}"
        )
    if isinstance(source, Stream) and isinstance(held_out, Stream):
        shown, judged = source.raw_digests, held_out.raw_digests
        both = shown & judged
        if both and len(both) == min(len(shown), len(judged)):
            raise ValueError(
                f"held_out draws {len(both)} raw images that the training stream draws too: split them with "
                "ImageSet.from_generator(..).split(..)"
            )


def _folder(checkpoint: str | Path) -> Path:
    folder = Path(checkpoint)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ValueError(f"checkpoint must be a folder or a new one, got {folder}: {there} is a file")
    return folder


@contextmanager
def _reporting(progress: LossListener | bool | None) -> Iterator[LossListener]:
    if callable(progress):
        yield progress
        return
    if progress is False or not sys.stderr.isatty():
        yield lambda fraction: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        job = bar.add_task("training", total=1.0)
        yield lambda fraction: bar.update(job, completed=fraction)
