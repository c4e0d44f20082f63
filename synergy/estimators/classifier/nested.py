"""Cross-fitted losses of classifiers that may ignore what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from synergy.estimators.classifier.crossfit import CrossFit, calibrated, portfolio
from synergy.estimators.classifier.design import Design, make_design
from synergy.estimators.classifier.models import Classifier
from synergy.estimators.classifier.rare import pooled
from synergy.statistics.folds import Split

__all__ = ["NestedCrossFit"]

_MOST_CONDITIONS = 4
"""Up to this many discrete conditions every subset of them has its classifiers: 16 subsets."""


class NestedCrossFit(CrossFit):
    """Cross-fitted losses whose classifiers may ignore the discrete conditions.

    The log probabilities of predicting T from (Z, C) pool classifiers that see Z and C with classifiers
    that see Z alone. With several conditions the pool has those that miss some of them, too: so what a finer
    condition costs a classifier in rows per state is not mistaken for a loss of information. The weights of
    the pool in one fold are fitted on the held-out predictions of all other folds, as a super learner's are
    (van der Laan, Polley, Hubbard 2007): w weights fitted on g independent groups cost about w / (2 g) nats.

    Example:
        >>> from synthetic import ModularShift, Variable
        >>> rows = ModularShift(n=4).sample(600, seed=0)
        >>> noise = np.random.default_rng(0).standard_normal((600, 1), dtype=np.float32)
        >>> fit = NestedCrossFit(rows.with_column(Variable("Z", "continuous"), noise), quality="quick")
        >>> gain = fit.losses("A", "Z") - fit.losses("A", ["C", "Z"])
        >>> bool(abs(gain.mean()) < 0.01)
        True
    """

    def log_probabilities(
        self, target: str | Sequence[str], given: str | Sequence[str] = ()
    ) -> npt.NDArray[np.float64]:
        """The held-out log probabilities, shape (n, k); class j is the j-th joint state that occurs."""
        key = self._key(target, given)
        names = sorted(key[1])
        smooth = [name for name in names if self.sample.variables[name].kind != "discrete"]
        if key not in self._log_p and smooth:
            y, k = self._target(target)
            target_classes = pooled(y, k)
            if target_classes.classes > 1:
                nested = _nested(names, smooth)
                models = [log_p for each in nested for log_p in self._held(target, each)]
                log_p = np.zeros((len(y), k))
                for split in self.splits:
                    others = np.setdiff1d(np.arange(len(y)), split.test)
                    rows = Split(fit=others[:0], tune=others, test=split.test)
                    held = [(model[others], model[split.test]) for model in models]
                    found = calibrated(held, target_classes.codes, rows, target_classes.classes)
                    log_p[split.test] = target_classes.spread(found, rows)
                self._log_p[key] = log_p
        return super().log_probabilities(target, given)

    def _models(self, design: Design, n: int, k: int) -> tuple[Classifier, ...]:
        """The classifiers that are pooled."""
        if self.model is not None:
            return (self.model,)
        return portfolio(design, n, k, self.quality, self.device)

    @cached_property
    def _remembered(self) -> dict[tuple[frozenset[str], frozenset[str]], list[npt.NDArray[np.float64]]]:
        return {}

    def _classes(self, target: str | Sequence[str]) -> tuple[npt.NDArray[np.int64], int]:
        """The target with its rare labels as one class, and the number of classes."""
        found = pooled(*self._target(target))
        return found.codes, found.classes

    def _held(self, target: str | Sequence[str], given: Sequence[str]) -> list[npt.NDArray[np.float64]]:
        """The held-out log probabilities of each model, not yet calibrated, each of shape (n, k)."""
        key = self._key(target, given)
        if key not in self._remembered:
            y, k = self._classes(target)
            design = make_design(self.sample, sorted(key[1]))
            found = []
            for model in self._models(design, len(y), k):
                log_p = np.zeros((len(y), k))
                with threadpool_limits(limits=1):
                    fits = model.fit_predict(design, y, k, self.splits, seed=self.seed)
                for split, (_, test) in zip(self.splits, fits, strict=True):
                    log_p[split.test] = test
                found.append(log_p)
            self._remembered[key] = found
        return self._remembered[key]


def _nested(names: list[str], smooth: list[str]) -> list[list[str]]:
    """What the pooled classifiers see: the smooth variables, and every subset of the discrete conditions.

    So a pool holds that of every subset, and a further condition cannot cost a classifier that it replaces.
    Beyond four conditions, whose subsets are too many, it is all of them, all but one, or none.
    """
    discrete = [name for name in names if name not in smooth]
    sizes = range(len(discrete) + 1) if len(discrete) <= _MOST_CONDITIONS else (0, 1, len(discrete))
    missing = [set(some) for size in sizes for some in combinations(discrete, size)]
    return [[name for name in names if name not in left_out] for left_out in missing]
