"""The one training loop: any pretext task, deterministic under its seed, resumable to the bit."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.progress import Progress
from torch import nn

from synergy.learning.batches import Batch, Source
from synergy.learning.checkpoints import Checkpoint, flatten_optimiser, restore_optimiser
from synergy.learning.data import ImageSet
from synergy.learning.device import choose_device
from synergy.learning.device import generator as random_stream
from synergy.learning.encoders import build_encoder
from synergy.learning.options import Training
from synergy.learning.pretext import Pretext
from synergy.learning.stream import Stream
from synergy.learning.trained import Trained

__all__ = ["train"]

Report = Callable[[float], None]

_WEIGHTS = 9


def train(
    pretext: Pretext,
    source: Source,
    *,
    seed: int,
    encoder: str | Callable[[], nn.Module] = "cnn",
    features: int = 64,
    options: Training | None = None,
    held_out: Source | None = None,
    checkpoint: str | Path | None = None,
    progress: Report | bool | None = None,
) -> Trained:
    """Train an encoder on a pretext task.

    Step t draws its transformations from a stream that depends on (seed, epoch, t) alone, and its rate
    is a function of t alone, so that a run which is resumed from its last checkpoint ends with the same
    bits as one that was never interrupted.

    Args:
        pretext: The task.
        source: An `ImageSet` or a `Stream`.
        seed: Fixes initial weights, order and draws.
        encoder: A name in `ENCODERS`, or a function that makes an untrained module with an attribute
            `features`.
        features: The dimension of the representation of a named encoder.
        options: The settings; None for the defaults.
        held_out: Inputs that the task is also evaluated on after each epoch.
        checkpoint: A folder to write checkpoints to, and to resume from if it has one.
        progress: None for a bar on a terminal and nothing elsewhere, False for nothing, or a function
            that is called after each epoch with the fraction done.

    Raises:
        ValueError: If the encoder is unknown, the task does not fit the data, the batch exceeds it, the
            device is absent, early stopping has no held-out data, or the checkpoint is of another run.
        FloatingPointError: If the loss becomes infinite or NaN.
    """
    settings = options or Training()
    device = choose_device(settings.device)
    _check(pretext, source, settings, held_out, device)
    run = _Run(pretext, source, settings, device, encoder, features, seed)
    folder = None if checkpoint is None else Path(checkpoint)
    if folder is not None:
        run.restore(folder)
    with _deterministic(), _reporting(progress) as report:
        while pretext.trains and not run.finished:
            run.epoch(source, held_out)
            if folder is not None and (run.finished or run.done % settings.checkpoint_every == 0):
                run.checkpoint().save(folder)
            report(run.done / settings.epochs)
    return run.result()


def _check(
    pretext: Pretext, source: Source, settings: Training, held_out: Source | None, device: torch.device
) -> None:
    pretext.check(source.shape, source.states)
    if held_out is not None:
        if held_out.shape != source.shape:
            raise ValueError(f"held_out must have inputs of shape {source.shape}, got {held_out.shape}")
        pretext.check(held_out.shape, held_out.states)
    if settings.patience is not None and held_out is None:
        raise ValueError(f"early stopping with patience={settings.patience} needs held_out data, got none")
    if pretext.trains and settings.batch_size > source.size:
        raise ValueError(
            f"batch_size must be between 1 and the number of rows {source.size}, got {settings.batch_size}"
        )
    if settings.precision == "float16" and device.type != "cuda":
        raise ValueError(f"precision 'float16' needs CUDA, got device {device}: use 'bfloat16' or 'float32'")


class _Run:
    """The state of a run between two epochs."""

    def __init__(
        self,
        pretext: Pretext,
        source: Source,
        settings: Training,
        device: torch.device,
        encoder: str | Callable[[], nn.Module],
        features: int,
        seed: int,
    ) -> None:
        self.pretext, self.settings, self.device, self.seed = pretext, settings, device, seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(random_stream(seed, _WEIGHTS).initial_seed())
            built = (
                build_encoder(encoder, source.shape, features=features)
                if isinstance(encoder, str)
                else encoder()
            )
            width = getattr(built, "features", None)
            if not isinstance(width, int):
                raise ValueError(
                    f"an encoder needs an integer attribute `features`, {type(built).__name__} has {width!r}"
                )
            made = pretext.head(width, source.states)
        self.encoder, self.head = built.to(device), made.to(device)
        self.forward: nn.Module = torch.compile(self.encoder) if settings.compile else self.encoder  # type: ignore[assignment]
        against = pretext.adversary_parameters(self.head)
        mine = {id(p) for p in against}
        own = [p for p in (*self.encoder.parameters(), *self.head.parameters()) if id(p) not in mine]
        self.own = own
        betas = (0.5, 0.999) if pretext.adversarial else (0.9, 0.999)
        self.optimiser = _optimiser(own, settings, betas)
        self.adversary = (
            torch.optim.AdamW(against, lr=settings.adversary_rate, betas=betas) if against else None
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "float16")
        self.steps = source.size // settings.batch_size
        self.done = 0
        self.rows: list[dict[str, float]] = []
        self.best: tuple[int, float, dict[str, torch.Tensor]] | None = None
        name = encoder if isinstance(encoder, str) else None
        self.description: dict[str, Any] = {
            "encoder": name,
            "shape": list(source.shape),
            "features": width,
            "pretext": repr(pretext),
            "settings": settings.to_dict(),
            "seed": int(seed),
        }
        self.identity = {
            **self.description,
            "settings": replace(settings, checkpoint_every=1).to_dict(),
            "weights": {k: list(v.shape) for k, v in self.encoder.state_dict().items()},
            "data": _fingerprint(source),
        }

    @property
    def finished(self) -> bool:
        """Whether the epochs or the patience are at their end."""
        patience = self.settings.patience
        stopped = patience is not None and self.best is not None and self.done - self.best[0] >= patience
        return self.done >= self.settings.epochs or stopped

    def epoch(self, source: Source, held_out: Source | None) -> None:
        """One pass over the data."""
        self.forward.train()
        self.head.train()
        settings = self.settings
        total: dict[str, torch.Tensor] = {}
        count = 0
        batches = source.batches(self.done, settings.batch_size, seed=self.seed, device=self.device)
        for batch in batches:
            metrics = self._step(batch, self.done * self.steps + count)
            for name, value in metrics.items():
                total[name] = total.get(name, torch.zeros_like(value, dtype=torch.float64)) + value
            count += 1
        row = {"epoch": float(self.done + 1), **{k: float(v) / count for k, v in total.items()}}
        if not np.isfinite(row["loss"]):
            raise FloatingPointError(
                f"the loss became {row['loss']} in epoch {self.done + 1}: lower learning_rate "
                f"({settings.learning_rate:g}) or set clip"
            )
        self.done += 1
        if held_out is not None:
            row.update({f"held_out_{k}": v for k, v in self._evaluate(held_out).items()})
            loss = row["held_out_loss"]
            if settings.patience is not None and (self.best is None or loss < self.best[1]):
                self.best = self.done, loss, {k: v.detach().clone() for k, v in self._weights().items()}
        self.rows.append(row)

    def _autocast(self) -> torch.autocast:
        dtype = torch.float16 if self.settings.precision == "float16" else torch.bfloat16
        return torch.autocast(self.device.type, dtype, enabled=self.settings.precision != "float32")

    def _step(self, batch: Batch, number: int) -> Mapping[str, torch.Tensor]:
        settings = self.settings
        if self.adversary is not None:
            losses = self.pretext.adversary_losses(self.forward, self.head, batch)
            while True:
                with self._autocast():
                    loss = next(losses, None)
                if loss is None:
                    break
                self.adversary.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                self.adversary.step()
        for group in self.optimiser.param_groups:
            group["lr"] = settings.rate(number, self.steps * settings.epochs)
        with self._autocast():
            found = self.pretext.losses(self.forward, self.head, batch)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(found.total).backward()  # type: ignore[no-untyped-call]
        if settings.clip is not None:
            self.scaler.unscale_(self.optimiser)
            torch.nn.utils.clip_grad_norm_(self.own, settings.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return found.metrics

    @torch.no_grad()
    def _evaluate(self, held_out: Source) -> dict[str, float]:
        self.forward.eval()
        self.head.eval()
        total: dict[str, float] = {}
        rows = 0
        size = min(self.settings.batch_size, held_out.size)
        for batch in held_out.batches(0, size, seed=self.seed, device=self.device, held_out=True):
            if len(batch) < size and rows:
                continue
            with self._autocast():
                metrics = self.pretext.losses(self.forward, self.head, batch).metrics
            total = {k: total.get(k, 0.0) + float(v) * len(batch) for k, v in metrics.items()}
            rows += len(batch)
        return {k: v / rows for k, v in total.items()}

    def _weights(self) -> dict[str, torch.Tensor]:
        parts = {"encoder": self.encoder, "head": self.head}
        return {f"{name}.{k}": v for name, m in parts.items() for k, v in m.state_dict().items()}

    def _load_weights(self, tensors: Mapping[str, torch.Tensor]) -> None:
        for name, module in (("encoder", self.encoder), ("head", self.head)):
            mine = {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
            module.load_state_dict(mine)

    def checkpoint(self) -> Checkpoint:
        """Everything that the next epoch depends on."""
        tensors = {**self._weights(), **flatten_optimiser("optimiser", self.optimiser)}
        if self.adversary is not None:
            tensors.update(flatten_optimiser("adversary", self.adversary))
        if self.best is not None:
            tensors.update({f"best.{k}": v for k, v in self.best[2].items()})
        state = {
            "epoch": self.done,
            "curve": self.rows,
            "scaler": self.scaler.state_dict(),
            "best": None if self.best is None else list(self.best[:2]),
        }
        return Checkpoint(tensors, state, self.identity)

    def restore(self, folder: Path) -> None:
        """Continue from the checkpoint in a folder, if there is one."""
        found = Checkpoint.load(folder, self.identity)
        if found is None:
            return
        self._load_weights(found.tensors)
        restore_optimiser("optimiser", self.optimiser, found.tensors)
        if self.adversary is not None:
            restore_optimiser("adversary", self.adversary, found.tensors)
        self.scaler.load_state_dict(found.state["scaler"])
        self.done, self.rows = int(found.state["epoch"]), list(found.state["curve"])
        if found.state["best"] is not None:
            kept = {k.removeprefix("best."): v for k, v in found.tensors.items() if k.startswith("best.")}
            epoch, loss = found.state["best"]
            self.best = int(epoch), float(loss), {k: v.to(self.device) for k, v in kept.items()}

    def result(self) -> Trained:
        """The trained encoder, with the best weights where early stopping chose them."""
        if self.best is not None:
            self._load_weights(self.best[2])
        curve = pd.DataFrame(self.rows if self.rows else {"epoch": [], "loss": []})
        curve["epoch"] = curve["epoch"].astype(int)
        return Trained(self.encoder.eval(), self.head.eval(), curve, self.description)


def _optimiser(
    parameters: list[nn.Parameter], settings: Training, betas: tuple[float, float]
) -> torch.optim.Optimizer:
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=settings.learning_rate,
            momentum=settings.momentum,
            nesterov=settings.momentum > 0,
            weight_decay=settings.weight_decay,
        )
    return torch.optim.AdamW(
        parameters, lr=settings.learning_rate, betas=betas, weight_decay=settings.weight_decay
    )


def _fingerprint(source: Source) -> str:
    """What tells one data set from another: a checksum, or the generator's parameters."""
    if isinstance(source, ImageSet):
        code = zlib.crc32(np.ascontiguousarray(source.images.cpu().numpy()).tobytes())
        for name in sorted(source.labels):
            code = zlib.crc32(np.ascontiguousarray(source.labels[name].cpu().numpy()).tobytes(), code)
        return f"{source.size} inputs of shape {source.shape}, checksum {code:08x}"
    if isinstance(source, Stream):
        return f"{source.size} fresh rows of {source.source!r}"
    return f"{source.size} inputs of shape {source.shape}"


@contextmanager
def _deterministic() -> Iterator[None]:
    """Deterministic convolutions within, whatever holds outside."""
    current = torch.backends.cudnn
    with torch.backends.cudnn.flags(
        enabled=current.enabled, benchmark=False, deterministic=True, allow_tf32=current.allow_tf32
    ):
        yield


@contextmanager
def _reporting(progress: Report | bool | None) -> Iterator[Report]:
    if callable(progress):
        yield progress
        return
    if progress is False or not sys.stderr.isatty():
        yield lambda fraction: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        job = bar.add_task("training", total=1.0)
        yield lambda fraction: bar.update(job, completed=fraction)
