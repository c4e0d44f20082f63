"""Estimators of information quantities from samples, one file or folder per kind, one function in front.

Example:
    >>> import numpy as np
    >>> from synergy.estimators import estimate
    >>> rng = np.random.default_rng(0)
    >>> a, c = rng.integers(2, size=(2, 5000))
    >>> found = estimate({"A": a, "C": c, "X": a ^ c}, "I(A;C|X)", unit="bits")
    >>> round(found.value, 2)
    1.0
"""

from synergy.estimators.entry import Entry
from synergy.estimators.front import estimate
from synergy.estimators.intake import as_sample
from synergy.estimators.registry import ESTIMATORS
from synergy.statistics.result import Estimate, Unit

__all__ = ["ESTIMATORS", "Entry", "Estimate", "Unit", "as_sample", "estimate"]
