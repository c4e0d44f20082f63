"""Neural variational estimators of mutual information, evaluated on held-out rows only."""

from synergy.estimators.variational.estimator import VARIATIONAL_ENTRIES, VariationalBound, variational

__all__ = ["VARIATIONAL_ENTRIES", "VariationalBound", "variational"]
