"""The estimators by name; a new one is a file with its entry, and a line here."""

from __future__ import annotations

from types import MappingProxyType

from synergy.estimators.auto import AUTO_ENTRY
from synergy.estimators.classifier import CLASSIFIER_ENTRY
from synergy.estimators.entries_continuous import CONTINUOUS_ENTRIES
from synergy.estimators.entries_discrete import DISCRETE_ENTRIES
from synergy.estimators.entry import Entry
from synergy.estimators.oracle import ORACLE_ENTRY
from synergy.estimators.variational import VARIATIONAL_ENTRIES

__all__ = ["ESTIMATORS"]

_ENTRIES: tuple[Entry, ...] = (
    AUTO_ENTRY,
    *DISCRETE_ENTRIES,
    *CONTINUOUS_ENTRIES,
    CLASSIFIER_ENTRY,
    *VARIATIONAL_ENTRIES,
    ORACLE_ENTRY,
)
"""All estimators, in the order in which they are listed."""

ESTIMATORS = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""The estimators by the name that `estimate(.., estimator=name)` takes."""
