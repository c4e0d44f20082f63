"""Hypothesis strategies: joints, models, diagrams, channels, groups and actions for property tests.

Everything is drawn from small integers. So probabilities are exact fractions, and a failing example shrinks
towards few states, no edges, deterministic tables and small denominators. Needs the extra
`essl-synergy[strategies]`.

Example:
    >>> from hypothesis import given, settings
    >>> @settings(max_examples=20, derandomize=True, database=None)
    ... @given(joints("A", "C", "X"))
    ... def conditioning_reduces_entropy(joint):
    ...     assert joint.value("H(A|X)") <= joint.value("H(A)") + 1e-12
    >>> conditioning_reduces_entropy()
"""

try:
    import hypothesis as _hypothesis
except ModuleNotFoundError as error:  # pragma: no cover
    raise ModuleNotFoundError(
        "synthetic.strategies needs hypothesis: install the extra, pip install 'essl-synergy[strategies]'"
    ) from error

from synthetic.strategies.algebra import actions, groups, orbit_worlds, subgroups
from synthetic.strategies.premises import UnsupportedPremiseError, premises
from synthetic.strategies.tables import ExactJoint, channels, distributions, from_states
from synthetic.strategies.worlds import ExactModel, diagrams, joints, joints_on, models

del _hypothesis

__all__ = [
    "ExactJoint",
    "ExactModel",
    "UnsupportedPremiseError",
    "actions",
    "channels",
    "diagrams",
    "distributions",
    "from_states",
    "groups",
    "joints",
    "joints_on",
    "models",
    "orbit_worlds",
    "premises",
    "subgroups",
]
