r"""Predicting the class by guessing the transformation first.

A classifier that is told the transformation reads the class far better than one that is not: it need not find
out how the image was turned. What it gains so is not synergy, but what the other one missed. So a predictor
that is told nothing may guess the labels L first, from the same representation,

    q(C|Z) = sum_l q(l|Z) q(C|l,Z),

and is pooled with the direct one. If q(C|l,Z) and q(l|Z) are right, this is p(C|Z).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from synergy.estimators.classifier import NestedCrossFit
from synergy.estimators.classifier.crossfit import portfolio, super_learned
from synergy.estimators.classifier.design import encode_target, make_design
from synergy.estimators.classifier.together import PooledClassifier
from synergy.statistics.folds import Split
from synthetic import Sample

__all__ = ["losses_of_guessing"]

Floats = npt.NDArray[np.float64]


def losses_of_guessing(
    fit: NestedCrossFit, target: str, guesses: Sequence[Sequence[str]], given: str
) -> Floats:
    """Held-out log losses of a target, its predictors being free to guess other labels first, shape (n,).

    Args:
        fit: Holds the sample, the folds and the model; its predictions of the labels and its direct ones
            of the target are used.
        target: The discrete variable that is predicted.
        guesses: Sets of discrete variables; those of each set are guessed together, and all are pooled.
        given: The representation.

    Example:
        >>> from synthetic import ModularShift, Variable
        >>> rows = ModularShift(n=4).sample(600, seed=0)
        >>> z = np.random.default_rng(0).standard_normal((600, 1), dtype=np.float32)
        >>> fit = NestedCrossFit(rows.with_column(Variable("Z", "continuous"), z), quality="quick")
        >>> bool(abs(losses_of_guessing(fit, "C", [["A"]], "Z").mean() - np.log(4)) < 0.02)
        True
    """
    y, k = encode_target(fit.sample, [target])
    models = [fit.log_probabilities(target, given)]
    models += [_guessed(fit, target, sorted(labels), given, y, k) for labels in guesses]
    log_p = super_learned(models, y, k, fit.splits)
    return -log_p[np.arange(len(y)), y]


def _guessed(
    fit: NestedCrossFit, target: str, labels: list[str], given: str, y: npt.NDArray[np.int64], k: int
) -> Floats:
    """The logarithm of sum_l q(l|Z) q(C|l,Z), shape (n, k)."""
    sample, n = fit.sample, len(y)
    codes, states = encode_target(sample, labels)
    first = np.array([np.flatnonzero(codes == state)[0] for state in range(states)])
    asked = _with_every_state(sample, labels, first, [given])
    log_labels = fit.log_probabilities(labels, given)  # (n, states)
    design = make_design(asked, [given, *labels])
    told, every = np.zeros((n, k)), np.zeros((n, states, k))
    splits = [
        Split(split.fit, split.tune, np.concatenate([split.test, _copies(split.test, n, states)]))
        for split in fit.splits
    ]
    models = (fit.model,) if fit.model is not None else portfolio(design, n, k, fit.quality, fit.device)
    repeated = np.tile(y, states + 1)
    with threadpool_limits(limits=1):
        for split, (_, test) in zip(
            fit.splits,
            PooledClassifier(models).fit_predict(design, repeated, k, splits, seed=fit.seed),
            strict=True,
        ):
            size = len(split.test)
            told[split.test] = test[:size]
            every[split.test] = test[size:].reshape(states, size, k).swapaxes(0, 1)
    log_p = super_learned([told], y, k, fit.splits, asked=[every])  # (n, states, k)
    return np.asarray(logsumexp(log_labels[:, :, None] + log_p, axis=1))


def _copies(rows: npt.NDArray[np.int64], n: int, states: int) -> npt.NDArray[np.int64]:
    """Where the rows are in each of the copies."""
    return np.concatenate([rows + n * (state + 1) for state in range(states)])


def _with_every_state(
    sample: Sample, labels: Sequence[str], first: npt.NDArray[np.int64], keep: Sequence[str]
) -> Sample:
    """The rows as they are, then all of them once under each joint state of the labels."""
    n, states = len(sample), len(first)
    columns = {name: np.concatenate([sample[name]] * (states + 1)) for name in keep}
    for name in labels:
        columns[name] = np.concatenate([sample[name], np.repeat(sample[name][first], n)])
    return Sample(columns, {name: sample.variables[name] for name in columns})
