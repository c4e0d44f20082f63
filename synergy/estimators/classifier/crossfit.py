"""Cross-fitted log losses: the raw material of every classifier estimate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax
from threadpoolctl import threadpool_limits

from synergy.device import choose_device
from synergy.estimators.classifier.convolution import ConvolutionClassifier
from synergy.estimators.classifier.design import Design, encode_target, make_design
from synergy.estimators.classifier.kernel import KernelClassifier
from synergy.estimators.classifier.linear import LinearClassifier
from synergy.estimators.classifier.models import (
    Classifier,
    Floats64,
    Held,
    SklearnClassifier,
    TableClassifier,
)
from synergy.estimators.classifier.modules import TorchClassifier
from synergy.estimators.classifier.networks import NetworkClassifier
from synergy.estimators.classifier.rare import Pooled, frequencies, pooled
from synergy.statistics.folds import Split, make_splits
from synthetic import Sample

__all__ = ["CrossFit", "Quality", "as_model", "calibrated", "super_learned"]

Quality = Literal["quick", "default", "best"]

_MOST_CELLS_PER_ROW = 0.5
"""Up to this many joint states of conditions and target, for each row, a table of frequencies suffices."""

_RANKS, _MANY_COLUMNS = (1, 2, 3, 5, 8), 4
"""Into how many directions more columns than the second are pressed: classes differ along few of them."""

_FEW_COLUMNS = 10
"""Up to so many numbers a logistic regression has their squares and products too: classes may differ by their
spread, or by how numbers go together."""

_BENDS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
"""Where the effect of a number may bend, in standard deviations."""

_MANY_ROWS = 10_000
"""Beyond these rows smaller models reach the loss of the default ones: of 8 numbers and 4 labels in 20,000
rows within 0.003 nats, in a sixth of the time."""


def as_model(model: object, *, device: str | None = None) -> Classifier:
    """Wrap a scikit-learn classifier or a torch module; a `Classifier` passes through.

    Args:
        model: One of these.
        device: Where to train it: a torch module, or a `Classifier` with a field `device`. None for the
            model's own; `auto` takes CUDA where there is one and the model can use it.

    Raises:
        TypeError: If it is none of these.
        ValueError: If there is no such device, or the model runs on the CPU alone.
    """
    found = _as_model(model)
    if device is None:
        return found
    place = choose_device(device)
    if "device" in getattr(found, "__dataclass_fields__", ()):
        kept: Any = found
        moved: Classifier = replace(kept, device=str(place))
        return moved
    if device != "auto" and place.type != "cpu":
        raise ValueError(
            f"device {device!r} was asked for, but {type(found).__name__} runs on the CPU alone: "
            "leave the device out, or pass a torch module"
        )
    return found


def _as_model(model: object) -> Classifier:
    if isinstance(model, Classifier):
        return model
    if isinstance(model, torch.nn.Module):
        return TorchClassifier(model)
    if hasattr(model, "fit") and (hasattr(model, "predict_proba") or hasattr(model, "decision_function")):
        return SklearnClassifier(model)
    raise TypeError(
        "model must be 'auto', a scikit-learn classifier with predict_proba or decision_function, "
        f"a torch.nn.Module or a Classifier, got {model!r}"
    )


def portfolio(design: Design, n: int, k: int, quality: Quality, device: str) -> tuple[Classifier, ...]:
    """The default classifiers for a design: a table where that suffices, else linear, kernel and network.

    One image adds a small convolutional network: on scikit-learn's digits (1797 rows) it lowers the loss of
    the digit from 0.168 to 0.147 and that of a rotation from 0.148 to 0.147, for 1.7 times the work.
    """
    if design.all_discrete and design.cells * (k - 1) <= max(_MOST_CELLS_PER_ROW * n, 4):
        return (TableClassifier(),)
    flat = all(block.kind != "image" for block in design.blocks)
    numbers = sum(
        block.columns.stop - block.columns.start for block in design.blocks if block.kind != "discrete"
    )
    linear: tuple[Classifier, ...] = (LinearClassifier(),) if flat else ()
    if flat and 0 < numbers <= _FEW_COLUMNS:
        linear = (*linear, LinearClassifier(products=True), LinearClassifier(bends=_BENDS))
        if design.plain is not None and numbers > 1:
            linear = (*linear, LinearClassifier(bends=_BENDS, sources=True))
    reduced = (LinearClassifier(ranks=_RANKS),) if flat and numbers > _MANY_COLUMNS else ()
    pictured = sum(block.kind == "image" for block in design.blocks) == 1
    if quality == "quick":
        few = KernelClassifier(
            landmarks=500, widths=(0.5, 3.0), ridges=(0.3, 3.0, 30.0), rows=6_000, gtol=1e-4
        )
        return (few,)
    if quality == "default" and flat and n > _MANY_ROWS:
        return (
            *linear,
            KernelClassifier(landmarks=300, widths=(2.0,), ridges=(10.0, 100.0), rows=6_000, gtol=1e-4),
            NetworkClassifier(hidden=96, members=1, epochs=(3, 40), device=device),
        )
    if quality == "default":
        return (
            *linear,
            *reduced,
            KernelClassifier(widths=(2.0, 4.0), ridges=(10.0, 100.0)),
            NetworkClassifier(device=device),
            *([ConvolutionClassifier(width=8, passes=20_000, device=device)] if pictured else []),
        )
    if quality == "best":
        return (
            *linear,
            *reduced,
            KernelClassifier(landmarks=1500, widths=(0.25, 1.0, 2.0, 4.0, 8.0), ridges=(1.0, 10.0, 100.0)),
            NetworkClassifier(hidden=256, members=4, passes=200_000, epochs=(10, 60), device=device),
            *([ConvolutionClassifier(device=device)] if pictured else []),
        )
    raise ValueError(f"quality must be 'quick', 'default' or 'best', got {quality!r}")


def calibrated(held: Sequence[Held], y: npt.NDArray[np.int64], split: Split, k: int) -> Floats64:
    """Log probabilities of the test rows, calibrated and combined on the tuning rows.

    The logits are sum_m b_m log p_m + (1 - sum_m b_m) log p_0 with p_0 the target's frequencies and
    b_m >= 0 of least log loss on the tuning rows: temperature scaling (Guo et al. 2017,
    arXiv:1706.04599) towards the marginal instead of towards the uniform distribution, so a classifier
    that learned nothing costs nothing.

    Args:
        held: The log probabilities of each model: of the tuning rows, (tune, k), and of the test rows, which
            may have more axes before the last, (test, .., k).
        y: The target, shape (n,).
        split: The fold.
        k: The number of classes.

    Returns:
        Shape (test, .., k).
    """
    prior = np.log(frequencies(y, split, k))
    tune = np.stack([h[0] for h in held]) - prior  # (models, tune, k)
    test = np.stack([h[1] for h in held]) - prior
    target = y[split.tune]
    rows = np.arange(len(target))

    def objective(b: Floats64) -> tuple[float, Floats64]:
        log_p = log_softmax(prior + np.tensordot(b, tune, axes=1), axis=1)
        picked = tune[:, rows, target].mean(axis=1)
        expected = (np.exp(log_p)[None] * tune).sum(axis=2).mean(axis=1)
        return -float(log_p[rows, target].mean()), expected - picked

    start = np.full(len(held), 0.9 / len(held))
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[(0.0, 4.0)] * len(held))
    log_p = log_softmax(prior + np.tensordot(found.x, test, axes=1), axis=-1)
    floor = 0.1 / (len(target) + 1)
    return np.asarray(np.logaddexp(np.log1p(-floor) + log_p, np.log(floor) + prior))


def super_learned(
    members: Sequence[npt.NDArray[np.floating[Any]]],
    y: npt.NDArray[np.int64],
    k: int,
    splits: Sequence[Split],
    *,
    asked: Sequence[npt.NDArray[np.floating[Any]]] | None = None,
) -> Floats64:
    """Held-out log probabilities of several models, weighed in each fold by how they did in all others.

    A super learner (van der Laan, Polley, Hubbard 2007): the weights of `calibrated` are fitted on the
    held-out predictions of the other folds. No weight is fitted on a row that it is used on; the models that
    predicted the other folds did see it.

    Args:
        members: The held-out log probabilities of each model, each of shape (n, k).
        y: The classes, shape (n,).
        k: Their number.
        splits: The folds; their tests are all rows, each once.
        asked: What is weighed in place of the members, by the same models: log probabilities of shape
            (n, .., k). None for the members themselves.

    Returns:
        Shape (n, k), or that of `asked`.

    Example:
        >>> from synergy.statistics.folds import make_splits
        >>> y = np.arange(60) % 2
        >>> right, wrong = np.log(np.where(np.eye(2, dtype=bool)[[y, 1 - y]], 0.9, 0.1))
        >>> found = super_learned([right, wrong], y, 2, make_splits(60, 3, seed=0))
        >>> bool(-found[np.arange(60), y].mean() < 0.02)
        True
    """
    known = [np.asarray(member, dtype=np.float64) for member in members]
    wanted = known if asked is None else [np.asarray(member, dtype=np.float64) for member in asked]
    found = np.zeros(wanted[0].shape)
    for split in splits:
        others = np.setdiff1d(np.arange(len(y)), split.test)
        rows = Split(fit=others[:0], tune=others, test=split.test)
        held = [(before[others], now[split.test]) for before, now in zip(known, wanted, strict=True)]
        found[split.test] = calibrated(held, y, rows, k)
    return found


def _for_networks(device: str | None, quality: Quality) -> str:
    """The device for the networks of the portfolio, which the quick one has none of.

    Raises:
        ValueError: If there is no such device, or no network to run on it.
    """
    place = choose_device("cpu" if device is None else device)
    if quality != "quick" or place.type == "cpu":
        return str(place)
    if device == "auto":
        return "cpu"
    raise ValueError(
        f"device {device!r} was asked for, but quality 'quick' fits a kernel classifier, which runs on the "
        "CPU alone: ask for quality 'default' or 'best', or leave the device out"
    )


class CrossFit:
    """Held-out log losses of discrete targets under many conditions, all on the same folds.

    Every loss is `-log q(target | conditions)` at a row that q was not fitted on, nor the scales of what it
    reads; the mean is an upper bound, in expectation, on H(target | conditions). Two things look further: the
    weights of several models, see `super_learned`, and which labels are rare, which all rows tell. Losses are
    remembered, so differences of terms share their parts and are paired row by row.

    Args:
        sample: The data.
        folds: The number of folds; rows with equal `sample.groups` stay together.
        seed: Fixes folds, landmarks and initial weights.
        model: `auto`, a scikit-learn classifier, a torch module, or a `Classifier`. Conditions that are
            empty always use the target's frequencies.
        quality: How much work `auto` does: `quick`, `default` or `best`.
        device: Where networks are trained, those of `auto` or a torch module; None for the CPU, or for the
            model's own. `auto` takes CUDA where there is one.
        progress: Called with a few words before each model is fitted, in all folds; None to keep silent.

    Raises:
        ValueError: If there are too few rows or groups for the folds, there is no such device, or nothing
            that would run on it.
        TypeError: If the model is of no known kind.

    Example:
        >>> from synthetic import ModularShift
        >>> fit = CrossFit(ModularShift(n=4).sample(2000, seed=0), seed=0)
        >>> bool(abs(fit.losses("A", ["C", "X"]).mean()) < 0.01)
        True
    """

    def __init__(
        self,
        sample: Sample,
        *,
        folds: int = 5,
        seed: int = 0,
        model: object = "auto",
        quality: Quality = "default",
        device: str | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        if quality not in ("quick", "default", "best"):
            raise ValueError(f"quality must be 'quick', 'default' or 'best', got {quality!r}")
        self.sample = sample
        self.seed = seed
        self.progress = progress
        self.quality: Quality = quality
        own = not (isinstance(model, str) and model == "auto")
        self.model: Classifier | None = as_model(model, device=device) if own else None
        self.device = str(getattr(self.model, "device", "cpu")) if own else _for_networks(device, quality)
        self.groups = None if sample.groups is None else _labels(sample[sample.groups])
        self.splits = make_splits(len(sample), folds, seed=seed, groups=self.groups)
        self._losses: dict[tuple[frozenset[str], frozenset[str]], Floats64] = {}
        self._log_p: dict[tuple[frozenset[str], frozenset[str]], Floats64] = {}

    def losses(self, target: str | Sequence[str], given: str | Sequence[str] = ()) -> Floats64:
        """The held-out log losses, shape (n,), in nats; they are remembered, so the array is read-only.

        Args:
            target: The discrete variable, or several taken jointly.
            given: The conditions, of any kind.

        Raises:
            ValueError: If a target is not discrete or a name is unknown.
        """
        key = self._key(target, given)
        if key not in self._losses:
            y, _ = self._target(target)
            log_p = self.log_probabilities(target, given)
            self._losses[key] = read_only(-log_p[np.arange(len(y)), y])
        return self._losses[key]

    def log_probabilities(self, target: str | Sequence[str], given: str | Sequence[str] = ()) -> Floats64:
        """The held-out log probabilities, shape (n, k), read-only; class j is the j-th state that occurs."""
        key = self._key(target, given)
        if key not in self._log_p:
            y, k = self._target(target)
            design = make_design(self.sample, sorted(key[1]), scores=self.model is None)
            self._log_p[key] = read_only(self._fit(design, y, k))
        return self._log_p[key]

    def _key(
        self, target: str | Sequence[str], given: str | Sequence[str]
    ) -> tuple[frozenset[str], frozenset[str]]:
        pair = (
            frozenset([target] if isinstance(target, str) else target),
            frozenset([given] if isinstance(given, str) else given),
        )
        for name in sorted(pair[0] | pair[1]):
            self.sample[name]
        return pair

    def _target(self, target: str | Sequence[str]) -> tuple[npt.NDArray[np.int64], int]:
        return encode_target(self.sample, sorted({target} if isinstance(target, str) else set(target)))

    def _fit(self, design: Design, y: npt.NDArray[np.int64], k: int) -> Floats64:
        if k == 1:
            return np.zeros((len(y), 1))
        target = pooled(y, k)
        return self._spread(target, self._fit_classes(design, target.codes, target.classes))

    def _spread(self, target: Pooled, log_p: Floats64) -> Floats64:
        """Log probabilities of the labels, shape (n, k), from those of the classes, shape (n, classes)."""
        found = np.zeros((len(log_p), target.k))
        for split in self.splits:
            found[split.test] = target.spread(log_p[split.test], split)
        return found

    def _fit_classes(self, design: Design, y: npt.NDArray[np.int64], k: int) -> Floats64:
        """The held-out log probabilities of the classes, shape (n, k)."""
        if k == 1:
            return np.zeros((len(y), 1))
        models = self._models(design, len(y), k)
        members = self._fitted(models, design, y, k)
        if isinstance(models[0], TableClassifier):
            return members[0]
        return super_learned(members, y, k, self.splits)

    def _models(self, design: Design, n: int, k: int) -> tuple[Classifier, ...]:
        """The classifiers that are pooled."""
        if not design.blocks:
            return (TableClassifier(),)
        if self.model is not None:
            return (self.model,)
        return portfolio(design, n, k, self.quality, self.device)

    def _fitted(
        self, models: Sequence[Classifier], design: Design, y: npt.NDArray[np.int64], k: int
    ) -> list[Floats64]:
        """The held-out log probabilities of each model, not yet calibrated, each of shape (n, k)."""
        found = []
        seen = ", ".join(block.name for block in design.blocks) or "nothing"
        for number, model in enumerate(models, start=1):
            if self.progress is not None:
                self.progress(f"{k} classes from {seen}: model {number} of {len(models)}")
            # threads that meet at each L-BFGS step cost more than they give
            with threadpool_limits(limits=1):
                held = model.fit_predict(design, y, k, self.splits, seed=self.seed)
            log_p = np.zeros((len(y), k))
            for split, (_, test) in zip(self.splits, held, strict=True):
                log_p[split.test] = test
            found.append(log_p)
        return found


def read_only(array: Floats64) -> Floats64:
    """The array, read-only."""
    array.flags.writeable = False
    return array


def _labels(column: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.unique(column, return_inverse=True)[1].reshape(-1).astype(np.int64)
