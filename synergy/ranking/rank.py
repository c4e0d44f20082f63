r"""Which pretext transformation is worth training on? Asked of short trainings, and explained by the theory.

A pilot trains a small network on a part of the images to tell which transformation was applied, and a linear
probe reads the class from its representation of others. The gain is the probe's accuracy on these less the
mean of sixteen networks without training, or more with more seeds, on the same images. Clear losers are
dropped early (`halving`), and intervals hold whenever a task was dropped (`gains`). Beside each gain stands
what the theory asks of the task (`quantities`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy.typing as npt
import torch
from joblib import cpu_count

from synergy.device import choose_device
from synergy.ranking.candidates import candidates, check_repeats
from synergy.ranking.cost import Cost
from synergy.ranking.data import Rankable, ranked_images
from synergy.ranking.quantities import QUANTITIES
from synergy.ranking.result import Ranking
from synergy.ranking.settings import Progress, RankSettings
from synergy.ranking.store import Runs, runs_folder
from synergy.ranking.work import Work
from synthetic.images.arrays import ChannelOrder
from theory.checks import integer
from theory.errors import shown

__all__ = ["QUANTITIES", "Ranking", "rank"]

_SEEDS_OF_A_RANKING = 1000
"""The trainings of one seed of a ranking have the seeds from so many times it on."""

_TRIED = 4
"""Images on which it is tried whether a transformation makes the same of them twice."""

_LARGEST_SEED = (2**32 - 1) // _SEEDS_OF_A_RANKING - 1
"""No library's seeds end before those of its trainings."""


def rank(
    images: Rankable,
    labels: npt.ArrayLike | Sequence[str] | None = None,
    *,
    transformations: Sequence[object] = (),
    combinations: int = 1,
    augmentations: Sequence[str] = ("none",),
    channels: ChannelOrder = "auto",
    seeds: int = 4,
    seed: int = 0,
    explain: bool = True,
    settings: RankSettings | None = None,
    out: str | Path | None = None,
    jobs: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
    announce: Callable[[Cost], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Ranking:
    """Rank pretext tasks by what a short pretraining on them is worth.

    Args:
        images: Raw images, of the shapes that `synthetic.from_arrays` takes, or an `ImageSet`,
            `LabelledImages` or real-image generator, which have their labels. Where files say which images
            are to test on, those are judged, and the others trained on.
        labels: The class of each, shape (n,), integers or strings; -1 where it is not known. Labels on a
            subset suffice: that is judged, the rest is trained on.
        transformations: What `synergy.learning.as_task` takes, such as names in
            `synthetic.transformations.TRANSFORMATIONS`; none for all with finitely many states that fit. What
            one of your own draws must come from torch's own generators, which are seeded around it.
        combinations: Up to how many of them are combined, 1 to 3.
        augmentations: Base augmentations to try each task after, by name.
        channels: Where the channel axis of arrays is, as in `synthetic.from_arrays`.
        seeds: Trainings of each task, as long as it is not dropped.
        seed: Fixes every random choice.
        explain: Whether to measure what the theory asks, which doubles the cost.
        settings: How large the runs are.
        out: A folder in which finished runs are kept: the same call goes on from there.
        jobs: Processes at once; 0 for one per core, or 1 on a GPU. Inside `synthetic.parallel.cluster` the
            workers of the cluster run everything.
        device: `auto`, `cpu` or `cuda`.
        progress: Told of every run that is done.
        announce: Told of the predicted cost before it is paid.
        tell: Told a line when a worker died, or is waited for.

    Raises:
        TypeError: If labels are missing, or no integers or strings, or settings or images are something else.
        ValueError: If a transformation is unknown, continuous, does not fit the images, or makes other images
            of the same ones each time; the images and labels do not fit together, or there are too few.

    Example:
        >>> from synthetic import Digits
        >>> digits = Digits()
        >>> tiny = RankSettings(images=200, judged=100, steps=4, most_epochs=4, features=16)
        >>> found = rank(
        ...     digits.raw[:300], digits.targets[:300], transformations=["rotation"], seeds=2,
        ...     explain=False, settings=tiny, jobs=1, device="cpu",
        ... )
        >>> [task.transformation for task in found.tasks], found.judged
        (['rotation'], 100)
    """
    integer("seeds", seeds, 2, _SEEDS_OF_A_RANKING)
    if integer("seed", seed, 0) > _LARGEST_SEED:
        raise ValueError(f"seed must be at most {_LARGEST_SEED}, got {seed}")
    integer("jobs", jobs, 0)
    chosen = RankSettings() if settings is None else settings
    if not isinstance(chosen, RankSettings):
        raise TypeError(f"settings must be RankSettings(..) or None, got {shown(settings)}")
    if not isinstance(out, str | Path | None):
        raise TypeError(f"out must be the path of a folder or None, got {type(out).__name__}")
    where = choose_device(device)
    data = ranked_images(images, labels, chosen, seed=seed, channels=channels)
    tasks = candidates(transformations, data.shape, combinations=combinations, augmentations=augmentations)
    check_repeats(tasks, torch.from_numpy(data.pixels[data.judged[:_TRIED]]))
    processes = jobs or (1 if where.type == "cuda" else cpu_count())
    folder = None if out is None else runs_folder(Path(out))
    work = Work(
        data,
        chosen,
        tasks,
        first=seed * _SEEDS_OF_A_RANKING,
        seeds=seeds,
        explain=explain,
        runs=Runs(data, chosen, str(where), processes, folder, progress, tell),
    )
    if announce is not None:
        announce(work.cost())
    return work.ranking(seed)
