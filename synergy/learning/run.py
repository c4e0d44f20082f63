"""The state of a training run between two epochs, and one epoch of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from synergy.learning.batches import Batch, Source
from synergy.learning.checkpoints import Checkpoint, flatten_optimiser, restore_optimiser
from synergy.learning.options import Training
from synergy.learning.own.wrapped import make_encoder, weights_digest
from synergy.learning.pretext import Pretext
from synergy.learning.seeds import Purpose, seeded
from synergy.learning.trained import Trained
from synthetic.digests import without_addresses

__all__ = ["Run"]


class Run:
    """The state of a run between two epochs."""

    def __init__(
        self,
        pretext: Pretext,
        source: Source,
        settings: Training,
        device: torch.device,
        encoder: str | nn.Module | Callable[[], nn.Module],
        features: int,
        seed: int,
        held_out: Source | None = None,
    ) -> None:
        self.pretext, self.settings, self.device, self.seed = pretext, settings, device, seed
        self._data = source, held_out
        with seeded(seed, Purpose.WEIGHTS, device=device):
            built = make_encoder(encoder, source.shape, features=features)
            width = int(built.features)  # type: ignore[arg-type]  # an integer, as make_encoder saw to
            made = pretext.head(width, source.states)
        self.encoder, self.head = built.to(device), made.to(device)
        self.forward = self.encoder
        if settings.compile:
            self.forward = torch.compile(self.encoder)  # type: ignore[assignment]  # a module, typed a callable
        against = pretext.adversary_parameters(self.head)
        mine = {id(p) for p in against}
        own = [p for p in (*self.encoder.parameters(), *self.head.parameters()) if id(p) not in mine]
        self.own = own
        betas = (0.5, 0.999) if pretext.adversarial else (0.9, 0.999)
        self.optimiser = _optimiser(own, settings, betas, device)
        self.adversary = (
            torch.optim.AdamW(against, lr=settings.adversary_rate, betas=betas, fused=_fused(device))
            if against
            else None
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
        if isinstance(encoder, nn.Module):
            self.description["start"] = weights_digest(self.encoder)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The settings that a checkpoint must share with this run."""
        source, held_out = self._data
        return {
            **self.description,
            "settings": replace(self.settings, checkpoint_every=1).to_dict(),
            "module": without_addresses(repr(self.encoder)),
            "weights": {k: list(v.shape) for k, v in self.encoder.state_dict().items()},
            "data": _fingerprint(source),
            "held_out": None if held_out is None else _fingerprint(held_out),
        }

    @property
    def finished(self) -> bool:
        """Whether the epochs or the patience are at their end."""
        patience = self.settings.patience
        stopped = patience is not None and self.best is not None and self.done - self.best[0] >= patience
        return self.done >= self.settings.epochs or stopped

    def epoch(self) -> None:
        """One pass over the data; what it draws from torch's own generators depends on its number alone."""
        with seeded(self.seed, Purpose.EPOCH, self.done, device=self.device):
            self._pass(*self._data)

    def _pass(self, source: Source, held_out: Source | None) -> None:
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
        row = {"epoch": float(self.done + 1), **{k: v / count for k, v in _numbers(total).items()}}
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
                loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
                self.adversary.step()
        for group in self.optimiser.param_groups:
            group["lr"] = settings.rate(number, self.steps * settings.epochs)
        with self._autocast():
            found = self.pretext.losses(self.forward, self.head, batch)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(found.total).backward()  # type: ignore[no-untyped-call]  # untyped in torch
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
        total: dict[str, torch.Tensor] = {}
        rows = 0
        size = min(self.settings.batch_size, held_out.size)
        for batch in held_out.batches(0, size, seed=self.seed, device=self.device, held_out=True):
            if self.pretext.pairwise and len(batch) < size and rows:
                continue
            with self._autocast():
                metrics = self.pretext.losses(self.forward, self.head, batch).metrics
            for name, value in metrics.items():
                zero = torch.zeros_like(value, dtype=torch.float64)
                total[name] = total.get(name, zero) + value.double() * len(batch)
            rows += len(batch)
        return {k: v / rows for k, v in _numbers(total).items()}

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
    parameters: list[nn.Parameter], settings: Training, betas: tuple[float, float], device: torch.device
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
        parameters,
        lr=settings.learning_rate,
        betas=betas,
        weight_decay=settings.weight_decay,
        fused=_fused(device),
    )


def _numbers(metrics: Mapping[str, torch.Tensor]) -> dict[str, float]:
    """Scalars as numbers; the host waits for the device once."""
    return dict(zip(metrics, torch.stack(list(metrics.values())).tolist(), strict=True))


def _fused(device: torch.device) -> bool | None:
    """On the CPU one pass over all weights, which small networks feel; else what torch chooses."""
    return True if device.type == "cpu" else None


def _fingerprint(source: Source) -> str:
    """A digest that differs between data sets, where the source has one."""
    return f"{source.size} inputs of shape {source.shape}, digest {getattr(source, 'digest', 'unknown')}"
