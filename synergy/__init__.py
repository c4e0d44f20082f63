"""The synergy storey: estimate, learn, verify.

Names are loaded when first used, so that `synergy prove` on the command line never waits for torch.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synergy.estimators import Estimate, estimate
    from synergy.independence import independence_test
    from synergy.verification import Report, Settings, Verdict, verify

__version__ = version("essl-synergy")

_HOMES = {
    "Estimate": "synergy.estimators",
    "estimate": "synergy.estimators",
    "independence_test": "synergy.independence",
    "Report": "synergy.verification",
    "Settings": "synergy.verification",
    "Verdict": "synergy.verification",
    "verify": "synergy.verification",
}

__all__ = ["Estimate", "Report", "Settings", "Verdict", "estimate", "independence_test", "verify"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'synergy' has no attribute {name!r}")
    home: object = import_module(_HOMES[name])
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
