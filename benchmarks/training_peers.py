"""How the paper's authors feed their networks: torchvision transforms, one image at a time, in workers.

Written after the pipelines in their repository (github.com/kaotty/Understanding-ESSL), in our own words:

- `none`, `sup` and `simclr`: `Equivariant Network/train.py`, for Tables 2 and 4, 2 workers, batches of
  128: nothing, or a crop and a mirror image half of the time, for `simclr` colour jitter and gray too; then a
  tensor, a quarter-turn of the tensor, and normalisation;
- `tasks`: `ESSL/equivariant_tasks.py` and `verification.py`, for Figure 1, with 4 workers and batches of 512:
  a crop, a quarter-turn of the PIL image, then a tensor.

The crop changes nothing: it is one of 32 pixels from images of 32.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, RandomSampler

VERSION = "0.28.0"
MEAN, DEVIATION = (0.491, 0.482, 0.447), (0.247, 0.243, 0.262)


def load_transforms(folder: Path | None) -> ModuleType:
    """The transforms of torchvision from a folder of its own, installed there if it is not yet.

    Its compiled operators are not needed, and where torch has no CUDA they do not load; importing the package
    asks for two of them by name.
    """
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="torchvision-"))
    if not (folder / "torchvision").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        subprocess.run([*pip, f"torchvision=={VERSION}"], check=True)
    sys.path.append(str(folder))
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    load_transforms.kept = library  # the operators last as long as this object
    return import_module("torchvision.transforms")


class Turned(Dataset):
    """Items (image, label): transformed, turned by the label, transformed again."""

    def __init__(self, images: np.ndarray, before: Callable, turn: Callable, after: Callable) -> None:
        self.images, self.before, self.turn, self.after = images, before, turn, after

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        label = int(np.random.randint(4))  # noqa: NPY002  (as theirs draws it)
        image = self.turn(self.before(Image.fromarray(self.images[index].squeeze())), label * 90)
        return self.after(image), label


def dataset(images: np.ndarray, augment: str, transforms: Any) -> Turned:
    """The authors' pipeline of this name over uint8 images (n, side, side, 1 or 3)."""
    t, channels = transforms, images.shape[-1]
    crop, mirror = t.RandomCrop(images.shape[1]), t.RandomHorizontalFlip()
    jitter = t.RandomApply([t.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8)
    if augment == "tasks":
        return Turned(images, crop, t.functional.rotate, t.ToTensor())
    steps = {"none": [], "sup": [crop, mirror], "simclr": [crop, mirror, jitter, t.RandomGrayscale(p=0.2)]}
    normalise = t.Normalize(MEAN[:channels], DEVIATION[:channels])
    return Turned(images, t.Compose([*steps[augment], t.ToTensor()]), t.functional.rotate, normalise)


def batches(items: Dataset, size: int, *, workers: int, device: torch.device) -> Iterator:
    """A DataLoader as they set it up, but for ever: so that no epoch ends within a turn, rows come back."""
    order = RandomSampler(items, replacement=True, num_samples=10**9)
    loader = DataLoader(items, size, sampler=order, num_workers=workers, pin_memory=device.type == "cuda")
    for images, labels in loader:
        yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
