"""Checkpoints: safetensors for the numbers, JSON for the rest, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

__all__ = ["Checkpoint", "flatten_optimiser", "restore_optimiser"]

_INDEX = "checkpoint.json"
"""The file that names the tensors of a checkpoint; it is written last, so that it never names half a file."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training run after an epoch.

    Args:
        tensors: Weights, buffers and optimiser state, by name.
        state: What JSON can hold: the epoch, the curve, the early stopping.
        run: What identifies the run: task, settings, seed, the encoder's layers, checksum of the data.
    """

    tensors: Mapping[str, torch.Tensor]
    state: Mapping[str, Any]
    run: Mapping[str, Any]

    def save(self, folder: Path) -> None:
        """Write to a folder; an interruption leaves the previous checkpoint in place."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"epoch-{self.state['epoch']:06d}.safetensors"
        tensors = {k: v.detach().to("cpu", copy=True).contiguous() for k, v in self.tensors.items()}
        save_file(tensors, folder / f"{name}.part")
        os.replace(folder / f"{name}.part", folder / name)
        index = {"tensors": name, "state": dict(self.state), "run": dict(self.run)}
        part = folder / f"{_INDEX}.part"
        part.write_text(json.dumps(index, indent=1))
        os.replace(part, folder / _INDEX)
        for old in folder.glob("epoch-*.safetensors*"):
            if old.name != name:
                old.unlink()

    @classmethod
    def load(cls, folder: Path, run: Mapping[str, Any]) -> Checkpoint | None:
        """The checkpoint in a folder, or None if there is none.

        Raises:
            ValueError: If it is damaged or belongs to another run; the message says where they differ.
        """
        if not (folder / _INDEX).exists():
            return None
        try:
            index = json.loads((folder / _INDEX).read_text())
            tensors = load_file(folder / Path(index["tensors"]).name)
            found = cls(tensors, index["state"], index["run"])
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ValueError(f"the checkpoint in {folder} is damaged: {error}") from error
        wanted = json.loads(json.dumps(dict(run)))
        for key in wanted:
            if found.run.get(key) != wanted[key]:
                raise ValueError(
                    f"the checkpoint in {folder} belongs to another run: its {key} is "
                    f"{found.run.get(key)!r}, this run's is {wanted[key]!r}; "
                    "choose another folder or delete it"
                )
        return found


def flatten_optimiser(prefix: str, optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimiser's tensors by name; all of AdamW's and SGD's state is tensors."""
    return {
        f"{prefix}.{index}.{key}": value
        for index, entry in optimiser.state_dict()["state"].items()
        for key, value in entry.items()
        if isinstance(value, torch.Tensor)
    }


def restore_optimiser(
    prefix: str, optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]
) -> None:
    """The inverse of `flatten_optimiser`."""
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith(f"{prefix}."):
            index, key = name.removeprefix(f"{prefix}.").split(".", 1)
            entries.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": entries})
