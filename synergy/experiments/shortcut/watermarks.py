"""Images with a watermark in a frame that shows which transformation was applied."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synergy.learning import ImageSet
from synthetic import Sample

__all__ = ["framed", "judged_sets", "mark", "prepared"]

_BORDER = 1
"""The width of the frame, in pixels."""


def framed(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Images of shape (n, channels, height, width) in a frame of blank pixels."""
    return np.pad(images, ((0, 0), (0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER)))


def mark(
    sample: Sample, strength: float, *, seed: int, labels: npt.NDArray[np.int64] | None = None
) -> Sample:
    """Write A into a border of blank pixels, with a given probability; the border is there in any case.

    Images have no blank corner that a rotation would spare, so they are framed first. One pixel of the frame
    says which transformation was applied, and its last one that a watermark is shown.

    Args:
        sample: Images X and labels A.
        strength: The probability g that the watermark is shown.
        seed: Fixes on which images.
        labels: What is written, of shape (n,); None for A itself.
    """
    rng = np.random.default_rng(seed)
    images = framed(sample["X"])
    shown = rng.random(len(sample)) < strength
    rows = np.flatnonzero(shown)
    written = sample["A"] if labels is None else labels
    images[rows, 0, 0, 2 * written[rows]] = 1.0
    images[rows, 0, -1, -1] = 1.0
    return sample.with_column(sample.variables["X"], images)


def prepared(sample: Sample, strength: float, *, pruned: bool, seed: int) -> Sample:
    """Marked images; pruned, with marks that say nothing: the labels of other rows, in random order."""
    if not pruned:
        return mark(sample, strength, seed=seed)
    shuffled = np.random.default_rng([seed, 1]).permutation(sample["A"])
    return mark(sample, strength, seed=seed, labels=shuffled)


def judged_sets(
    images: ImageSet, strength: float, *, pruned: bool, copies: int, seed: int
) -> dict[str, Sample]:
    """Images to judge on, unmarked, marked, or both in a share of 1 - g to g, as far as they occur."""
    found = {}
    if strength < 1:
        found["unmarked"] = mark(images.transformed("rotation", copies=copies, seed=seed), 0.0, seed=seed)
    if strength > 0:
        times = round(strength / (1 - strength)) if strength < 1 else 1
        turned = images.transformed("rotation", copies=times * copies, seed=seed + 1000 * (strength < 1))
        found["marked"] = prepared(turned, 1.0, pruned=pruned, seed=seed)
    if len(found) == 2:
        found["mixed"] = Sample.concatenate(list(found.values()))
    return found
