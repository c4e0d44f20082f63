"""A trained encoder: its representations, and its file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from synergy.device import choose_device, seeded_generators
from synergy.learning.data import to_inputs
from synergy.learning.encoders import build_encoder
from synthetic import Sample, Variable
from theory.checks import integer

__all__ = ["Trained", "load_encoder"]

_WEIGHTS, _DESCRIPTION = "encoder.safetensors", "encoder.json"
"""The files of a stored encoder."""


@dataclass(frozen=True)
class Trained:
    """A trained encoder with its head.

    Args:
        encoder: The network whose output is the representation.
        head: What the pretext task put on the representation.
        curve: One row per epoch: `epoch`, `loss` (the mean pretext loss in nats), the task's other
            metrics such as `accuracy`, and the same with `held_out_` before them.
        description: The encoder's name, input shape and features; the task, the settings and the seed.
    """

    encoder: nn.Module
    head: nn.Module
    curve: pd.DataFrame
    description: dict[str, Any] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        """Where the encoder is."""
        return next(iter(self.encoder.parameters()), torch.zeros(0)).device

    @torch.no_grad()
    def represent(
        self, inputs: npt.NDArray[Any] | torch.Tensor, *, batch_size: int = 2048
    ) -> npt.NDArray[np.float32]:
        """The representations of inputs of shape (n, ..), of shape (n, features).

        Args:
            inputs: Floats; unsigned bytes are divided by 255, booleans are 0 and 1.
            batch_size: Inputs that the encoder sees at once.

        Raises:
            TypeError: If the inputs are of another type, such as other integers.
            ValueError: If the inputs do not fit the encoder.
        """
        self.encoder.eval()
        rows = inputs if isinstance(inputs, torch.Tensor) else np.asarray(inputs)
        size, device = integer("batch_size", batch_size, 1), self.device
        parts = (rows[start : start + size] for start in range(0, max(len(rows), 1), size))
        return torch.cat([self.encoder(to_inputs(part).to(device)).float().cpu() for part in parts]).numpy()

    def represented(self, sample: Sample, *, image: str = "X", name: str = "Z") -> Sample:
        """The sample with the representation of one of its columns as another column.

        Raises:
            ValueError: If the sample has no such column or it does not fit the encoder.
        """
        column = np.ascontiguousarray(sample[image], dtype=np.float32)
        variable = Variable(name, "continuous", None, "representation")
        return sample.with_column(variable, self.represent(column))

    def save(self, folder: str | Path) -> Path:
        """Write the encoder to a folder, as safetensors and JSON.

        Raises:
            ValueError: If the encoder was made by a function rather than by its name.
        """
        if self.description.get("encoder") is None:
            raise ValueError("only an encoder that was chosen by its name in ENCODERS can be saved")
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        weights = {k: v.detach().cpu().contiguous() for k, v in self.encoder.state_dict().items()}
        save_file(weights, path / _WEIGHTS)
        record = {**self.description, "curve": self.curve.to_dict("list")}
        (path / _DESCRIPTION).write_text(json.dumps(record, indent=1))
        return path


def load_encoder(folder: str | Path, *, device: str = "auto") -> Trained:
    """Read what `Trained.save` wrote; the head is not kept.

    Args:
        folder: The folder that was written.
        device: Where the encoder is put: `"auto"`, or a device of torch, such as `"cpu"` or `"cuda"`.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If the files do not fit together, or there is no such device.
    """
    path, place = Path(folder), choose_device(device)
    if not (path / _DESCRIPTION).exists():
        raise FileNotFoundError(f"no encoder in {path}: expected {_DESCRIPTION} and {_WEIGHTS}")
    try:
        record = json.loads((path / _DESCRIPTION).read_text())
        shape, features = tuple(record["shape"]), int(record["features"])
        with seeded_generators(0, torch.device("cpu")):  # for weights that are replaced
            encoder = build_encoder(record["encoder"], shape, features=features)
        encoder.load_state_dict(load_file(path / _WEIGHTS))
        curve = pd.DataFrame(record.pop("curve"))
    except (KeyError, TypeError, RuntimeError, json.JSONDecodeError, SafetensorError) as error:
        raise ValueError(f"the encoder in {path} is damaged: {error}") from error
    return Trained(encoder.to(place).eval(), nn.Identity(), curve, record)
