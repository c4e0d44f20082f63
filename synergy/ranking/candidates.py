"""The tasks that are ranked: transformations, their combinations, and base augmentations before them."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations as choose

import numpy as np
import torch

from synergy.learning import PredictTransformation, Task, as_task
from synergy.learning.seeds import Purpose, seeded
from synthetic.digests import digest_of
from synthetic.transformations import TRANSFORMATIONS, is_function_with_states
from synthetic.transformations.augment import augmentation
from theory.checks import integer
from theory.errors import shown

__all__ = ["Candidate", "candidates", "check_repeats", "fitting"]

MOST_COMBINED = 3
"""Transformations in a combination, at most."""


@dataclass(frozen=True)
class Candidate:
    """A pretext task that is ranked.

    Args:
        task: The transformations, and what about them is predicted.
        augment: The base augmentation before them.
    """

    task: Task
    augment: str = "none"

    @property
    def name(self) -> str:
        """The name of the task, and of the augmentation where there is one."""
        return self.task.name if self.augment == "none" else f"{self.task.name} after {self.augment}"

    @property
    def pretext(self) -> PredictTransformation:
        """The task of a pilot."""
        return PredictTransformation(self.task, augment=self.augment)

    def identity(self, images: torch.Tensor) -> str:
        """A digest of the task's code and of what it does to a few images, for code that is not here."""
        digest = hashlib.sha256(self.name.encode())
        digest.update(digest_of(*self.task.parts, self.task.coarse).encode())
        for code in range(self.task.applied):
            shown = self.shown(images.clone(), torch.full((len(images),), code))
            digest.update(shown.contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def entropy(self) -> float:
        """H(A) in nats: log k where the k states of A are equally likely.

        Example:
            >>> round(Candidate(as_task("rotation", coarse=[0, 1, 1, 1])).entropy, 3)
            0.562
        """
        codes = torch.arange(self.task.applied)
        p = np.bincount(self.task.predicted(codes).numpy()) / self.task.applied
        return float(-(p * np.log(p)).sum())

    def shown(self, images: torch.Tensor, codes: torch.Tensor, *, seed: int = 0) -> torch.Tensor:
        """Images after the task; what it draws from torch's own generators is fixed by the seed.

        Args:
            images: Shape (n, channels, height, width).
            codes: Values of B, shape (n,).
            seed: Of the draws.
        """
        with seeded(seed, Purpose.APPLIED, device=images.device):
            return self.task.apply(images, codes)


def fitting(shape: tuple[int, int, int]) -> list[str]:
    """The transformations with finitely many states that fit images (channels, height, width).

    Example:
        >>> "grayscale" in fitting((1, 8, 8)), "grayscale" in fitting((3, 8, 8))
        (False, True)
    """
    made = {name: kind() for name, kind in TRANSFORMATIONS.items()}
    return [name for name, t in made.items() if t.cardinality is not None and t.supports(shape)]


def candidates(
    transformations: Sequence[object],
    shape: tuple[int, int, int],
    *,
    combinations: int = 1,
    augmentations: Sequence[str] = ("none",),
) -> list[Candidate]:
    """Every task that is ranked, each once.

    Args:
        transformations: What `synergy.learning.as_task` takes; none for all that fit.
        shape: The shape of an image.
        combinations: Up to how many of them are combined, 1 to 3. What is a combination already, or predicts
            something coarser, is ranked as it is.
        augmentations: Base augmentations, by name.

    Raises:
        TypeError: If the transformations are no list of tasks.
        ValueError: If a name is unknown, a transformation is continuous or does not fit, or two tasks have
            one name.

    Example:
        >>> [c.name for c in candidates(["rotation", "inversion"], (1, 8, 8), combinations=2)]
        ['rotation', 'inversion', 'rotation+inversion']
    """
    if isinstance(transformations, str):
        raise TypeError(f"transformations must be a list of names, got the text {transformations!r}")
    if not isinstance(transformations, Sequence) or is_function_with_states(transformations):
        raise TypeError(
            f"transformations must be a list of tasks, also where there is one, got {shown(transformations)}"
        )
    integer("combinations", combinations, 1, MOST_COMBINED)
    if not augmentations or isinstance(augmentations, str):
        raise TypeError(f"augmentations must be a list with at least one name, got {augmentations!r}")
    tasks = [_task(spec, shape) for spec in (transformations or fitting(shape))]
    if not tasks:
        raise ValueError(f"no transformation fits images of shape {shape}")
    tasks = list(dict.fromkeys(tasks))
    made = list(tasks)
    for size in range(2, combinations + 1):
        for parts in choose([task for task in tasks if task.coarse is None and len(task.parts) == 1], size):
            made.append(Task(tuple(part for task in parts for part in task.parts)))
    made = list(dict.fromkeys(made))
    for task in made:
        task.check(shape)
    found = [Candidate(t, augmentation(a).name) for a in dict.fromkeys(augmentations) for t in made]
    names = [candidate.name for candidate in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"two different tasks are called {twice!r}: rank them one at a time, or name functions, such as "
            "FunctionTransformation(f, states=4, called='mine')"
        )
    return found


def check_repeats(tasks: Sequence[Candidate], images: torch.Tensor) -> None:
    """Try each transformation twice on a few images, as every run that is kept must be made again alike.

    Args:
        tasks: What is ranked.
        images: Shape (n, channels, height, width).

    Raises:
        ValueError: If one makes different images of the same ones under the same seed of torch.
    """
    for part in dict.fromkeys(part for candidate in tasks for part in candidate.task.parts):
        alone = Candidate(Task((part,)))
        for code in range(alone.task.applied):
            codes = torch.full((len(images),), code)
            first, second = (alone.shown(images.clone(), codes) for _ in range(2))
            if not torch.equal(first, second):
                raise ValueError(
                    f"the transformation {part.name!r} must make the same images of the same ones each time "
                    f"that torch is seeded alike, and with label {code} it does not: let it draw with "
                    "torch's own generators (torch.rand, torch.randn, ..), not with numpy or random, and "
                    "keep nothing from one call to the next"
                )


def _task(spec: object, shape: tuple[int, int, int]) -> Task:
    """The task that a name or else stands for.

    Raises:
        ValueError: If a name is unknown, with those that can be ranked and the one that was meant.
    """
    parts = spec.split("+") if isinstance(spec, str) else spec if isinstance(spec, list | tuple) else ()
    for name in (part.strip() for part in parts if isinstance(part, str)):
        if name not in TRANSFORMATIONS:
            near = difflib.get_close_matches(name.lower().replace("_", "-"), TRANSFORMATIONS, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            known = ", ".join(fitting(shape)) or "none that fits these images"
            raise ValueError(f"unknown transformation {shown(name)}{hint}: expected one of {known}")
    return as_task(spec)
