"""The share of drawing and transforming in a whole step, for every pretext task."""

from __future__ import annotations

import argparse
import itertools
import time

import numpy as np
import pandas as pd
import torch
from training_learner import Learner, Shape, synchronise

from synergy.device import keep_freed_memory
from synergy.learning import Equivariance, ImageSet, Invariance, PredictTransformation, Pretext

SEVEN = ("rotation", "horizontal-flip", "vertical-flip", "inversion", "grayscale", "jigsaw", "blur")
TASKS: dict[str, Pretext] = {
    **{name: PredictTransformation(name) for name in SEVEN},
    "rotation, crop+flip": PredictTransformation("rotation", augment="crop+flip"),
    "rotation, simclr": PredictTransformation("rotation", augment="simclr"),
    "blur, simclr": PredictTransformation("blur", augment="simclr"),
    "rotation+inversion+jigsaw": PredictTransformation("rotation+inversion+jigsaw"),
    "SimCLR": Invariance(augment="simclr"),
    "CARE, simclr": Equivariance("rotation", augment="simclr"),
}
COLOURED = ("grayscale",)
"""Tasks that gray images do not have."""
DEEP = ("rotation", "rotation, simclr")
"""The tasks whose shares are also shown for ResNet-18, the network of experiments at its size."""


def shares(arguments: argparse.Namespace, device: torch.device, shapes: dict[str, Shape]) -> pd.DataFrame:
    """Processor time of the inputs and of the whole step, on one thread, in us an image.

    With more threads, those that wait for work to share count as processor time too.
    """
    keep_freed_memory()
    torch.set_num_threads(1)
    rows = []
    for size, shape in shapes.items():
        rng = np.random.default_rng(1)
        images = ImageSet.from_arrays(rng.random((arguments.count, *shape), dtype=np.float32))
        pairs = [("cnn", name) for name in TASKS if shape[0] == 3 or name not in COLOURED]
        if size == list(shapes)[-1]:
            pairs += [("resnet18", name) for name in DEEP]
        for encoder, name in pairs:
            fed, whole = one_share(images, shape, encoder, TASKS[name], arguments, device)
            cost = whole / arguments.batch * 1e6
            rows.append({"images": size, "encoder": encoder, "task": name, "share": fed / whole, "cpu": cost})
    return pd.DataFrame(rows)


def one_share(
    images: ImageSet,
    shape: Shape,
    encoder: str,
    task: Pretext,
    arguments: argparse.Namespace,
    device: torch.device,
) -> tuple[float, float]:
    """Seconds of the inputs of a step, and of the whole step."""
    warm, steps = (arguments.warm, arguments.steps) if encoder == "cnn" else (1, 2)
    learner = Learner(device, lambda: task.head(64, {}), shape, encoder=encoder)
    drawn = itertools.chain.from_iterable(
        images.batches(epoch, arguments.batch, seed=0, device=device) for epoch in itertools.count()
    )
    fed, whole = [], []
    for _ in range(warm + steps):
        begin = time.process_time()
        batch = next(drawn)
        task.views(batch)
        synchronise(device)
        middle = time.process_time()
        learner.update(task.losses(learner.encoder, learner.head, batch).total)
        fed.append(middle - begin)
        whole.append(time.process_time() - middle)
    return float(np.median(fed[warm:])), float(np.median(whole[warm:]))
