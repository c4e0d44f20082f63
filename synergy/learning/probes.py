"""Probes: what a simple model reads from a frozen representation, cross-validated, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import solve
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.neighbors import NearestNeighbors

from synergy.estimators.classifier import paired_estimate
from synergy.statistics.folds import Split, make_splits
from synthetic import Sample

__all__ = ["Probe", "probe", "probes"]

Floats = npt.NDArray[np.float64]
ProbeMethod = Literal["linear", "knn"]
"""Linear: logistic regression, or ridge regression for a continuous target; k-NN: votes or means."""

_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)
"""The ridge penalties to choose from, by the loss on the tuning rows."""

_NEIGHBOURS = (1, 5, 15, 50)
"""The numbers of neighbours to choose from, by the loss on the tuning rows."""


@dataclass(frozen=True)
class Probe:
    """How well a target is read from a representation.

    Args:
        target: The variable that is read.
        method: The probe.
        metric: `accuracy` for a discrete target, `r2` (the share of variance explained) for others.
        score: On rows that the probe was not fitted on.
        standard_error: Clustered by the sample's groups.
        interval: The confidence interval.
        confidence: Its nominal coverage.
        chance: What the target's frequencies alone achieve: the most frequent state, or 0.
        folds: The number of folds.
        samples: The number of rows.
        scores: One score per row, whose mean is `score`; they pair two probes of the same sample.
    """

    target: str
    method: ProbeMethod
    metric: Literal["accuracy", "r2"]
    score: float
    standard_error: float
    interval: tuple[float, float]
    confidence: float
    chance: float
    folds: int
    samples: int
    scores: Floats

    def to_dict(self) -> dict[str, Any]:
        """One row of a table."""
        low, high = self.interval
        return {
            "target": self.target,
            "method": self.method,
            "metric": self.metric,
            "score": self.score,
            "standard_error": self.standard_error,
            "low": low,
            "high": high,
            "chance": self.chance,
            "samples": self.samples,
        }

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.method} probe of {self.target}: {self.metric} {self.score:.3f} "
            f"[{low:.3f}, {high:.3f}], chance {self.chance:.3f}"
        )


def probe(
    sample: Sample,
    target: str,
    *,
    representation: str = "Z",
    method: ProbeMethod = "linear",
    folds: int = 5,
    seed: int = 0,
    confidence: float = 0.95,
) -> Probe:
    """Read one variable from a frozen representation.

    The representation is standardised on the fitted rows. Rows of one group (views of one raw image) are
    never on both sides of a fold; the ridge or the number of neighbours is chosen on rows set aside
    within the fold's training rows.

    Args:
        sample: Holds the representation and the target.
        target: A discrete variable, or a continuous one of shape (n,) or (n, d).
        representation: The column to read from.
        method: `linear` or `knn`.
        folds: The number of folds.
        seed: Fixes the folds.
        confidence: The nominal coverage of the interval.

    Raises:
        ValueError: If a name is unknown, the target is an image, or there are too few rows or groups.

    Example:
        >>> from synthetic import ModularShift, Variable
        >>> drawn = ModularShift(n=4, classes=2).sample(400, seed=0)
        >>> z = np.eye(4, dtype=np.float32)[drawn["A"]]
        >>> found = probe(drawn.with_column(Variable("Z", "continuous"), z), "A")
        >>> found.metric, round(found.score, 2), found.chance < 0.35
        ('accuracy', 1.0, True)
    """
    if method not in get_args(ProbeMethod):
        raise ValueError(f"method must be one of {', '.join(get_args(ProbeMethod))}, got {method!r}")
    x = np.asarray(sample[representation], dtype=np.float64).reshape(len(sample), -1)
    column = sample[target]
    kind = sample.variables[target].kind
    if kind == "image" or target == representation:
        raise ValueError(f"a probe reads a discrete or continuous variable, got {target!r}")
    groups = None if sample.groups is None else np.unique(sample[sample.groups], return_inverse=True)[1]
    splits = make_splits(len(sample), folds, seed=seed, groups=groups)
    if kind == "discrete":
        scores, chance = _right(x, column, splits, method)
    else:
        y = np.asarray(column, dtype=np.float64).reshape(len(sample), -1)
        scores, chance = _explained(y, _predict(x, y, splits, method, classify=False)), 0.0
    mean = paired_estimate(scores, term=target, estimator=method, confidence=confidence, groups=groups)
    return Probe(
        target=target,
        method=method,
        metric="accuracy" if kind == "discrete" else "r2",
        score=mean.value,
        standard_error=mean.standard_error,
        interval=mean.interval,
        confidence=confidence,
        chance=chance,
        folds=folds,
        samples=len(sample),
        scores=scores,
    )


def _right(
    x: Floats, column: npt.NDArray[Any], splits: Sequence[Split], method: ProbeMethod
) -> tuple[Floats, float]:
    """Whether each row is classified rightly, 0 or 1, and the share of the most frequent class."""
    states, codes = np.unique(column, return_inverse=True)
    onehot = np.eye(len(states))[codes.reshape(-1)]
    predicted = _predict(x, onehot, splits, method, classify=True)
    scores = (predicted.argmax(axis=1) == codes.reshape(-1)).astype(np.float64)
    return scores, float(onehot.mean(axis=0).max())


def probes(
    sample: Sample,
    targets: Sequence[str] | None = None,
    *,
    representation: str = "Z",
    methods: Iterable[ProbeMethod] = ("linear", "knn"),
    folds: int = 5,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """A table of probes: of the class, every style latent and the transformation, one row each.

    Args:
        sample: Holds the representation and the targets.
        targets: The variables to read; None for all of role class, style, pose or transformation that
            are not constant.
        representation: The column to read from.
        methods: The probes.
        folds: The number of folds.
        seed: Fixes the folds.
        confidence: The nominal coverage of the intervals.
    """
    if targets is None:
        roles = ("class", "style", "pose", "transformation")
        found = [v.name for v in sample.variables.values() if v.role in roles and v.kind != "image"]
        targets = [name for name in found if len(np.unique(sample[name], axis=0)) > 1]
    rows = [
        probe(
            sample,
            target,
            representation=representation,
            method=method,
            folds=folds,
            seed=seed,
            confidence=confidence,
        ).to_dict()
        for target in targets
        for method in methods
    ]
    return pd.DataFrame(rows)


def _explained(y: Floats, predicted: Floats) -> Floats:
    """Row scores whose mean is 1 - residual / total variance, shape (n,).

    The ratio is linearised in its numerator; with the denominator's influence the standard error is that
    of the ratio.
    """
    residual = ((y - predicted) ** 2).sum(axis=1)
    total = ((y - y.mean(axis=0)) ** 2).sum(axis=1)
    if total.mean() == 0:
        return np.zeros(len(y))
    ratio = residual.mean() / total.mean()
    return np.asarray(1 - ratio - (residual - ratio * total) / total.mean())


def _predict(x: Floats, y: Floats, splits: Sequence[Split], method: ProbeMethod, *, classify: bool) -> Floats:
    """Held-out predictions of shape (n, k): scores of the classes, or values."""
    predicted = np.zeros_like(y)
    for split in splits:
        mean, spread = x[split.fit].mean(axis=0), x[split.fit].std(axis=0)
        scaled = (x - mean) / np.where(spread > 0, spread, 1.0)
        if method == "knn":
            predicted[split.test] = _neighbours(scaled, y, split, classify=classify)
        elif classify:
            predicted[split.test] = _logistic(scaled, y, split)
        else:
            predicted[split.test] = _ridge(scaled, y, split)
    return predicted


def _loss(predicted: Floats, y: Floats, *, classify: bool) -> float:
    if classify:
        return float((predicted.argmax(axis=1) != y.argmax(axis=1)).mean())
    return float(((predicted - y) ** 2).mean())


def _neighbours(x: Floats, y: Floats, split: Split, *, classify: bool) -> Floats:
    """Means of the nearest rows' targets; the number of rows is the best of a few on the tuning rows."""
    sizes = [k for k in _NEIGHBOURS if k <= len(split.fit)]
    found = NearestNeighbors(n_neighbors=sizes[-1]).fit(x[split.fit])

    def means(rows: npt.NDArray[np.int64]) -> Floats:
        near = found.kneighbors(x[rows], return_distance=False)
        return np.asarray(np.cumsum(y[split.fit][near], axis=1) / np.arange(1, sizes[-1] + 1)[:, None])

    tune = means(split.tune)
    best = min(sizes, key=lambda k: _loss(tune[:, k - 1], y[split.tune], classify=classify))
    return np.asarray(means(split.test)[:, best - 1])


def _ridge(x: Floats, y: Floats, split: Split) -> Floats:
    """Ridge regression, the penalty the best of a few on the tuning rows."""
    phi, target = x[split.fit], y[split.fit]
    centre = target.mean(axis=0)
    gram, moment = phi.T @ phi / len(phi), phi.T @ (target - centre) / len(phi)
    fits = [solve(gram + r * np.eye(len(gram)), moment, assume_a="pos") for r in _RIDGES]
    best = min(fits, key=lambda w: _loss(x[split.tune] @ w + centre, y[split.tune], classify=False))
    return np.asarray(x[split.test] @ best + centre)


def _logistic(x: Floats, y: Floats, split: Split) -> Floats:
    """Multinomial logistic regression, warm-started from strong to weak penalties."""
    phi, target = x[split.fit], y[split.fit]
    n, (d, k) = len(phi), (x.shape[1], y.shape[1])
    weights = np.zeros((d + 1, k))
    best: tuple[float, Floats] | None = None
    for ridge in _RIDGES[::-1]:

        def objective(flat: Floats, ridge: float = ridge) -> tuple[float, Floats]:
            w = flat.reshape(d + 1, k)
            log_p = log_softmax(phi @ w[:-1] + w[-1], axis=1)
            residual = (np.exp(log_p) - target) / n
            gradient = np.vstack([phi.T @ residual + ridge * w[:-1], residual.sum(axis=0)])
            value = -float((log_p * target).sum()) / n + 0.5 * ridge * float((w[:-1] ** 2).sum())
            return value, gradient.ravel()

        solved = minimize(
            objective, weights.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 100, "gtol": 1e-4}
        )
        weights = np.asarray(solved.x).reshape(d + 1, k)
        logits = x[split.tune] @ weights[:-1] + weights[-1]
        loss = -float((log_softmax(logits, axis=1) * y[split.tune]).sum(axis=1).mean())
        if best is None or loss < best[0]:
            best = loss, weights
    chosen = weights if best is None else best[1]
    return np.asarray(x[split.test] @ chosen[:-1] + chosen[-1])
