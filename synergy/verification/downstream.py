"""What claim G1 promises downstream, and what a probe finds there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from synergy.estimators.classifier import CrossFit
from synergy.statistics.errors import clustered_error
from synthetic import Sample

__all__ = ["downstream"]


@dataclass(frozen=True)
class Downstream:
    """A bound on the error of the best classifier of C from Z, and the error of a probe.

    By G1, H(C|Z) <= H(C|Z,A) + H(A|Z); by Hellman and Raviv (1970, "Probability of error, equivocation and
    the Chernoff bound") the Bayes error is at most H(C|Z) / 2 in bits. The probe errs at least as often
    as the best classifier, so it may exceed the bound where it is poor.

    Args:
        given_a: H(C|Z,A) in bits, from held-out log losses, and so from above.
        pretext: H(A|Z) in bits, likewise.
        bound: Half of their sum.
        probe_error: The share of rows whose class the probe gets wrong.
        standard_error: Of that share.
        trainings: The number of representations, whose mean the numbers are.
    """

    given_a: float
    pretext: float
    bound: float
    probe_error: float
    standard_error: float
    trainings: int

    def to_dict(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"downstream: the Bayes error is at most half of H(C|Z,A) + H(A|Z) = {self.given_a:.3f} + "
            f"{self.pretext:.3f} bits, {self.bound:.3f} (Hellman and Raviv 1970); the probe of C on Z errs "
            f"on {self.probe_error:.3f} ± {self.standard_error:.3f}"
        )


def downstream(sample: Sample, fit: CrossFit, representations: Sequence[str]) -> Downstream:
    """The bound and the error of the probe, as means over representations of the same rows.

    Args:
        sample: Rows with A and C and the representations.
        fit: The cross-fitted losses on them; the probe is its classifier of C from Z.
        representations: Columns, at least one.
    """
    groups = None if sample.groups is None else sample[sample.groups]
    _, classes = np.unique(sample["C"], return_inverse=True)
    given_a, pretext, wrong = 0.0, 0.0, np.zeros(len(sample))
    for z in representations:
        given_a += float(fit.losses("C", ["A", z]).mean()) / math.log(2) / len(representations)
        pretext += float(fit.losses("A", [z]).mean()) / math.log(2) / len(representations)
        guess = fit.log_probabilities("C", [z]).argmax(axis=1)
        wrong += (guess != classes.reshape(-1)) / len(representations)
    return Downstream(
        given_a=given_a,
        pretext=pretext,
        bound=(given_a + pretext) / 2,
        probe_error=float(wrong.mean()),
        standard_error=clustered_error(wrong, groups),
        trainings=len(representations),
    )
