"""Discrete columns: entropies from counts, with six corrections, intervals that cover, and streaming.

`plug_in(expression, codes)` takes any linear expression of terms over integer-coded columns,
`DiscreteCounts` the same data batch by batch, `encode` turns labels into codes and `entropy` is the
one-table estimator with each correction.
"""

from synergy.estimators.discrete.counts import DiscreteCounts, encode
from synergy.estimators.discrete.entropies import BiasCorrection, entropy
from synergy.estimators.discrete.plug_in import plug_in, plug_in_from_counts

__all__ = ["BiasCorrection", "DiscreteCounts", "encode", "entropy", "plug_in", "plug_in_from_counts"]
