"""Cross-fitted losses of classifiers that may ignore what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier.crossfit import CrossFit, read_only, super_learned
from synergy.estimators.classifier.design import make_design
from synergy.estimators.classifier.rare import pooled

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
        """The held-out log probabilities, shape (n, k), read-only; class j is the j-th state that occurs."""
        key = self._key(target, given)
        names = sorted(key[1])
        smooth = [name for name in names if self.sample.variables[name].kind != "discrete"]
        if key not in self._log_p and smooth:
            found = pooled(*self._target(target))
            if found.classes > 1:
                members = [log_p for each in _nested(names, smooth) for log_p in self._held(target, each)]
                log_p = super_learned(members, found.codes, found.classes, self.splits)
                self._log_p[key] = read_only(self._spread(found, log_p))
        return super().log_probabilities(target, given)

    @cached_property
    def _remembered(self) -> dict[tuple[frozenset[str], frozenset[str]], list[npt.NDArray[np.float64]]]:
        return {}

    def _held(self, target: str | Sequence[str], given: Sequence[str]) -> list[npt.NDArray[np.float64]]:
        """The held-out log probabilities of each model, not yet calibrated, each of shape (n, classes)."""
        key = self._key(target, given)
        if key not in self._remembered:
            found = pooled(*self._target(target))
            design = make_design(self.sample, sorted(key[1]), scores=self.model is None)
            models = self._models(design, len(found.codes), found.classes)
            self._remembered[key] = self._fitted(models, design, found.codes, found.classes)
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
