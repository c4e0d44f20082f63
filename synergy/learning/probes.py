"""Probes: what a simple model reads from a frozen representation, with intervals.

They are cross-validated on one sample, or fitted on a training sample and judged on a test sample, as the
field reports them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import solve
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.neighbors import NearestNeighbors

from synergy.statistics.folds import Split, make_splits
from synergy.statistics.paired import paired_estimate
from synthetic import Sample

__all__ = ["Probe", "fit_ridge", "probe", "probes"]

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
        folds: The number of folds; 0 where it was fitted on a training sample and judged on another.
        samples: The number of rows that it was judged on.
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
            "judged": "cross-validated" if self.folds else "test",
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
    test: Sample | None = None,
    representation: str = "Z",
    method: ProbeMethod = "linear",
    folds: int = 5,
    seed: int = 0,
    confidence: float = 0.95,
) -> Probe:
    """Read one variable from a frozen representation.

    The representation is standardised on the fitted rows. Rows of one group (views of one raw image) are
    never on both sides of a fold; the ridge or the number of neighbours is chosen on rows set aside
    within the fold's training rows. With a test sample the probe is fitted on all of `sample`, once that is
    chosen, and judged on the test rows.

    Args:
        sample: Holds the representation and the target.
        test: Other images, with the same columns, to judge on; None to cross-validate.
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
    column = _values(sample, target)
    kind = sample.variables[target].kind
    if kind == "image" or target == representation:
        raise ValueError(f"a probe reads a discrete or continuous variable, got {target!r}")
    groups = _groups(sample)
    if test is None:
        splits = make_splits(len(sample), folds, seed=seed, groups=groups)
        judged, rows = sample, slice(None)
    else:
        folds, judged, rows = 0, test, slice(len(sample), None)
        x, column = _appended(x, column, sample, test, target, representation)
        splits = (_held_out(len(sample), len(test), groups, seed),)
        groups = _groups(test)
    if kind == "discrete":
        scores, chance = _right(x, column, splits, method, refit=test is not None)
        scores = scores[rows]
    else:
        y = np.asarray(column, dtype=np.float64).reshape(len(column), -1)
        predicted = _predict(x, y, splits, method, classify=False, refit=test is not None)
        scores, chance = _explained(y[rows], predicted[rows]), 0.0
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
        samples=len(judged),
        scores=scores,
    )


def _groups(sample: Sample) -> npt.NDArray[np.int64] | None:
    return None if sample.groups is None else np.unique(sample[sample.groups], return_inverse=True)[1]


def _values(sample: Sample, target: str) -> npt.NDArray[Any]:
    """A column with the values that its numbers stand for, which two samples may number differently."""
    column = sample[target]
    levels = sample.metadata.get("levels", {}).get(target)
    return column if levels is None else np.asarray(levels)[column]


def _appended(
    x: Floats, column: npt.NDArray[Any], sample: Sample, test: Sample, target: str, representation: str
) -> tuple[Floats, npt.NDArray[Any]]:
    """The rows of the training sample, then those of the test sample.

    Raises:
        ValueError: If the two do not describe the target or the representation alike.
    """
    test.select([target, representation])
    if sample.variables[target].kind != test.variables[target].kind:
        raise ValueError(
            f"test must have {target!r} of the same kind, {sample.variables[target].kind}, got "
            f"{test.variables[target].kind}"
        )
    other = np.asarray(test[representation], dtype=np.float64).reshape(len(test), -1)
    values = _values(test, target)
    if other.shape[1] != x.shape[1] or values.shape[1:] != column.shape[1:]:
        raise ValueError(
            f"test must have {representation!r} of {x.shape[1]} dimensions and {target!r} of shape "
            f"{column.shape[1:]}, got {other.shape[1]} and {values.shape[1:]}"
        )
    if (values.dtype.kind in "US") != (column.dtype.kind in "US"):
        raise ValueError(f"test must name the states of {target!r} as the training sample does")
    return np.concatenate([x, other]), np.concatenate([column, values])


def _held_out(trained: int, tested: int, groups: npt.NDArray[np.int64] | None, seed: int) -> Split:
    """All training rows to fit and tune on, by group, and all test rows."""
    tune = make_splits(trained, 2, seed=seed, groups=groups)[0].tune
    fit = np.setdiff1d(np.arange(trained), tune)
    return Split(fit, tune, np.arange(trained, trained + tested))


def _right(
    x: Floats, column: npt.NDArray[Any], splits: Sequence[Split], method: ProbeMethod, *, refit: bool
) -> tuple[Floats, float]:
    """Whether each row is classified rightly, 0 or 1, and how often the most frequent class is right.

    With one split that class is the most frequent of the training rows, on the test rows.
    """
    states, codes = np.unique(column, return_inverse=True)
    onehot = np.eye(len(states))[codes.reshape(-1)]
    predicted = _predict(x, onehot, splits, method, classify=True, refit=refit)
    scores = (predicted.argmax(axis=1) == codes.reshape(-1)).astype(np.float64)
    if not refit:
        return scores, float(onehot.mean(axis=0).max())
    split = splits[0]
    usual = onehot[np.union1d(split.fit, split.tune)].mean(axis=0).argmax()
    return scores, float(onehot[split.test, usual].mean())


def probes(
    sample: Sample,
    targets: Sequence[str] | None = None,
    *,
    test: Sample | None = None,
    representation: str = "Z",
    methods: Iterable[ProbeMethod] = ("linear", "knn"),
    folds: int = 5,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """A table of probes: of the class, every style latent and the transformation, one row each.

    Args:
        sample: Holds the representation and the targets.
        test: Other images with the same columns: probes are then fitted on `sample` and judged on them, and
            beside them are those that are cross-validated on the test images alone.
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
    listed = tuple(methods)
    ways = [(sample, None)] if test is None else [(sample, test), (test, None)]
    rows = [
        probe(
            fitted,
            target,
            test=judged,
            representation=representation,
            method=method,
            folds=folds,
            seed=seed,
            confidence=confidence,
        ).to_dict()
        for target in targets
        for method in listed
        for fitted, judged in ways
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


def _predict(
    x: Floats, y: Floats, splits: Sequence[Split], method: ProbeMethod, *, classify: bool, refit: bool = False
) -> Floats:
    """Held-out predictions of shape (n, k): scores of the classes, or values.

    Args:
        x: The representation, shape (n, d).
        y: The targets, shape (n, k).
        splits: The rows to fit, tune and predict.
        method: The probe.
        classify: Whether the targets are classes.
        refit: Whether the probe is fitted on the tuning rows too once its setting is chosen.
    """
    predicted = np.zeros_like(y)
    for split in splits:
        scaled = _standardised(x, split)
        if method == "knn":
            predicted[split.test] = _neighbours(scaled, y, split, classify=classify, refit=refit)
        elif classify:
            predicted[split.test] = _logistic(scaled, y, split, refit=refit)
        else:
            predicted[split.test] = _ridge(scaled, y, split, refit=refit)
    return predicted


def _standardised(x: Floats, split: Split) -> Floats:
    mean, spread = x[split.fit].mean(axis=0), x[split.fit].std(axis=0)
    return np.asarray((x - mean) / np.where(spread > 0, spread, 1.0))


def fit_ridge(x: Floats, y: Floats, split: Split, *, penalties: Sequence[float] = _RIDGES) -> Floats:
    """Values of shape (m, k) that ridge regression predicts for the test rows of a split.

    Args:
        x: Inputs of shape (n, d), standardised on the fitted rows.
        y: Values of shape (n, k).
        split: The rows to fit, to choose the penalty on, and to predict.
        penalties: Those to choose from.
    """
    return _ridge(_standardised(x, split), y, split, refit=True, penalties=penalties)


def _fitted_rows(split: Split, *, refit: bool) -> npt.NDArray[np.int64]:
    return np.concatenate([split.fit, split.tune]) if refit else split.fit


def _loss(predicted: Floats, y: Floats, *, classify: bool) -> float:
    if classify:
        return float((predicted.argmax(axis=1) != y.argmax(axis=1)).mean())
    return float(((predicted - y) ** 2).mean())


def _neighbours(x: Floats, y: Floats, split: Split, *, classify: bool, refit: bool) -> Floats:
    """Means of the nearest rows' targets; the number of rows is the best of a few on the tuning rows."""
    sizes = [k for k in _NEIGHBOURS if k <= len(split.fit)]

    def means(fitted: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> Floats:
        found = NearestNeighbors(n_neighbors=sizes[-1]).fit(x[fitted])
        near = found.kneighbors(x[rows], return_distance=False)
        return np.asarray(np.cumsum(y[fitted][near], axis=1) / np.arange(1, sizes[-1] + 1)[:, None])

    tune = means(split.fit, split.tune)
    best = min(sizes, key=lambda k: _loss(tune[:, k - 1], y[split.tune], classify=classify))
    return np.asarray(means(_fitted_rows(split, refit=refit), split.test)[:, best - 1])


def _ridge(
    x: Floats, y: Floats, split: Split, *, refit: bool, penalties: Sequence[float] = _RIDGES
) -> Floats:
    """Ridge regression, the penalty the best of a few on the tuning rows."""

    def weights(rows: npt.NDArray[np.int64], penalty: float) -> tuple[Floats, Floats]:
        middle, centre = x[rows].mean(axis=0), y[rows].mean(axis=0)
        phi, target = x[rows] - middle, y[rows] - centre
        gram, moment = phi.T @ phi / len(phi), phi.T @ target / len(phi)
        w = solve(gram + penalty * np.eye(len(gram)), moment, assume_a="pos")
        return w, centre - middle @ w

    def loss(penalty: float) -> float:
        w, centre = weights(split.fit, penalty)
        return _loss(x[split.tune] @ w + centre, y[split.tune], classify=False)

    w, centre = weights(_fitted_rows(split, refit=refit), min(penalties, key=loss))
    return np.asarray(x[split.test] @ w + centre)


def _logistic(x: Floats, y: Floats, split: Split, *, refit: bool) -> Floats:
    """Multinomial logistic regression, the penalty the best of a few on the tuning rows."""
    losses: list[float] = []
    found: list[Floats] = []
    for weights in _path(x[split.fit], y[split.fit]):
        logits = x[split.tune] @ weights[:-1] + weights[-1]
        losses.append(-float((log_softmax(logits, axis=1) * y[split.tune]).sum(axis=1).mean()))
        found.append(weights)
    best = int(np.argmin(losses))
    chosen = found[best]
    if refit:
        rows = _fitted_rows(split, refit=True)
        chosen = next(islice(_path(x[rows], y[rows]), best, None))
    return np.asarray(x[split.test] @ chosen[:-1] + chosen[-1])


def _path(phi: Floats, target: Floats) -> Iterator[Floats]:
    """The weights (d + 1, k) of logistic regressions, warm-started from strong to weak penalties."""
    n, (d, k) = len(phi), (phi.shape[1], target.shape[1])
    weights = np.zeros((d + 1, k))
    for ridge in _RIDGES[::-1]:

        def objective(flat: Floats, ridge: float = ridge) -> tuple[float, Floats]:
            w = flat.reshape(d + 1, k)
            log_p = phi @ w[:-1] + w[-1]
            log_p -= log_p.max(axis=1, keepdims=True)
            p = np.exp(log_p)
            total = p.sum(axis=1, keepdims=True)
            log_p -= np.log(total)
            residual = (p / total - target) / n
            gradient = np.vstack([phi.T @ residual + ridge * w[:-1], residual.sum(axis=0)])
            value = -float((log_p * target).sum()) / n + 0.5 * ridge * float((w[:-1] ** 2).sum())
            return value, gradient.ravel()

        solved = minimize(
            objective, weights.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 100, "gtol": 1e-4}
        )
        weights = np.asarray(solved.x).reshape(d + 1, k)
        yield weights
