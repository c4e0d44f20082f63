r"""Shortcuts U: simple statistics of an image by which a task may be solved without any shape.

U is a function of X. It should hold what is not shape, all of it, and no shape: the choice is an assumption,
so each part has a name and can be left out. With it, S1 of the theory reads I(A;X|U) = I(A;X) - I(A;U): what
shape must tell.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

__all__ = ["SHORTCUTS", "Statistic", "predicted", "statistics"]

Statistic = Callable[[torch.Tensor], torch.Tensor]
"""Maps images (n, channels, height, width) to numbers (n, d)."""

_QUANTILES = (0.1, 0.5, 0.9)
"""The quantiles of the gray value that stand for its histogram."""

_MOST_TREES = 32
"""With more states of A, trees (one a state and step) would take minutes: linear models alone."""

_MANY_STATES = 8
"""With more states of A, fewer and faster steps of boosting."""

_HELD_OUT = 0.1
"""The share of the rows on which trees stop early."""

_FEWEST_HELD_OUT = 200
"""With fewer rows nothing is held out."""


def _gray(x: torch.Tensor) -> torch.Tensor:
    return x.mean(dim=1)


def _means(x: torch.Tensor) -> torch.Tensor:
    return x.mean(dim=(2, 3))


def _spreads(x: torch.Tensor) -> torch.Tensor:
    return x.std(dim=(2, 3), correction=min(1, x.shape[2] * x.shape[3] - 1))


def _equality(x: torch.Tensor) -> torch.Tensor:
    """The mean and the largest spread between the channels of a pixel."""
    gap = x.amax(dim=1) - x.amin(dim=1)
    return torch.stack([gap.mean(dim=(1, 2)), gap.amax(dim=(1, 2))], dim=1)


def _sharpness(x: torch.Tensor) -> torch.Tensor:
    """Mean absolute differences along rows and columns and the mean absolute Laplacian, 0 of no pixels."""
    g = _gray(x)
    along, down = g.diff(dim=2).abs(), g.diff(dim=1).abs()
    inner = g[:, 1:-1, 1:-1]
    around = g[:, :-2, 1:-1] + g[:, 2:, 1:-1] + g[:, 1:-1, :-2] + g[:, 1:-1, 2:]
    laplacian = (4 * inner - around).abs()
    parts = (along, down, laplacian)
    return torch.stack([part.sum(dim=(1, 2)) / max(1, part[0].numel()) for part in parts], dim=1)


def _histogram(x: torch.Tensor) -> torch.Tensor:
    levels = torch.tensor(_QUANTILES, dtype=x.dtype)
    return torch.quantile(_gray(x).flatten(1), levels, dim=1).T


def _border(x: torch.Tensor) -> torch.Tensor:
    """The means of the four borders, and the differences across the two middle lines."""
    g = _gray(x)
    _, height, width = g.shape
    row, column = height // 2, width // 2
    lines = (g[:, 0], g[:, -1], g[:, :, 0], g[:, :, -1])
    seams = ((g[:, row] - g[:, row - 1]).abs(), (g[:, :, column] - g[:, :, column - 1]).abs())
    return torch.stack([line.mean(dim=1) for line in (*lines, *seams)], dim=1)


SHORTCUTS: Mapping[str, Statistic] = {
    "channel means": _means,
    "channel spreads": _spreads,
    "channel equality": _equality,
    "sharpness": _sharpness,
    "histogram": _histogram,
    "border pixels": _border,
}
"""The statistics by name; written down before any value of I(A;U) was known (`theory.md`, S4)."""


def statistics(
    images: torch.Tensor, names: Sequence[str] | None = None, *, known: Mapping[str, Statistic] = SHORTCUTS
) -> npt.NDArray[np.float64]:
    """The statistics U of images, shape (n, d).

    Args:
        images: Floats of shape (n, channels, height, width).
        names: Some of `known`; None for all.
        known: The statistics by name.

    Raises:
        ValueError: If a name is unknown.

    Example:
        >>> statistics(torch.zeros(2, 3, 8, 8), ["channel means", "sharpness"]).shape
        (2, 6)
    """
    chosen = list(known) if names is None else list(names)
    for name in chosen:
        if name not in known:
            raise ValueError(f"unknown statistic {name!r}: expected one of {', '.join(known)}")
    parts = torch.split(images.float(), 2048)
    rows = [torch.cat([known[name](part).flatten(1) for name in chosen], dim=1) for part in parts]
    return torch.cat(rows).double().numpy()


def predicted(
    fitted: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]],
    judged: npt.NDArray[np.float64],
    states: int,
    *,
    seed: int,
    thorough: bool = True,
) -> list[npt.NDArray[np.float64]]:
    """What simple models, fitted on the statistics of other images, say of A: log probabilities (n, states).

    A multinomial regression on the statistics and their products, and gradient-boosted trees; both stop early
    or are penalised.

    Args:
        fitted: Statistics (m, d) and labels (m,) to fit on.
        judged: Statistics to predict from, shape (n, d).
        states: The number of states of A.
        seed: Fixes the trees.
        thorough: Whether trees take as long as they need.
    """
    u, a = fitted
    degree = 2 if u.shape[1] <= 32 and states <= _MOST_TREES else 1
    linear = make_pipeline(
        StandardScaler(),
        PolynomialFeatures(degree, include_bias=False),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=60 if thorough else 40, tol=1e-3),
    )
    models = [linear]
    if states <= _MOST_TREES:
        many = states > _MANY_STATES
        models.append(
            HistGradientBoostingClassifier(
                learning_rate=0.2 if many else 0.1,
                max_iter=(40 if many else 200) if thorough else (15 if many else 60),
                max_leaf_nodes=15,
                min_samples_leaf=min(20, max(2, len(u) // 50)),
                early_stopping=_can_hold_out(a),
                validation_fraction=_HELD_OUT,
                random_state=seed,
            )
        )
    if len(np.unique(a)) < 2:
        return [np.full((len(judged), states), -np.log(states))]
    return [_log_probabilities(model, u, a, judged, states) for model in models]


def _can_hold_out(a: npt.NDArray[np.int64]) -> bool:
    """Whether enough is left to fit on, and the part held out can have a row of each state."""
    counts = np.unique(a, return_counts=True)[1]
    return len(a) >= _FEWEST_HELD_OUT and int(counts.min()) >= 2 and _HELD_OUT * len(a) >= len(counts)


def _log_probabilities(
    model: object,
    u: npt.NDArray[np.float64],
    a: npt.NDArray[np.int64],
    judged: npt.NDArray[np.float64],
    states: int,
) -> npt.NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a bound all the same
        warnings.filterwarnings("ignore", "The number of unique classes is greater", UserWarning)
        model.fit(u, a)  # type: ignore[attr-defined]  # a classifier of scikit-learn
    given = model.predict_proba(judged)  # type: ignore[attr-defined]  # as above
    found = np.full((len(judged), states), 1e-6)
    for column, state in enumerate(model.classes_):  # type: ignore[attr-defined]  # as above
        found[:, int(state)] += given[:, column]
    return np.asarray(np.log(found / found.sum(axis=1, keepdims=True)), dtype=np.float64)
