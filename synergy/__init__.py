"""The synergy storey: estimate, learn, verify.

Names are loaded when first used, so that `synergy prove` on the command line never waits for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.deferred import public_names

if TYPE_CHECKING:
    from synergy.estimators import Estimate, estimate
    from synergy.experiments import experiment
    from synergy.independence import independence_test
    from synergy.learning import ImageSet, measure_representation, train
    from synergy.ranking import rank
    from synergy.sweeping import sweep
    from synergy.verification import Report, Settings, Verdict, verify
    from synergy.version import __version__
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "synergy.estimators": ("Estimate", "estimate"),
            "synergy.experiments": ("experiment",),
            "synergy.independence": ("independence_test",),
            "synergy.learning": ("ImageSet", "measure_representation", "train"),
            "synergy.ranking": ("rank",),
            "synergy.sweeping": ("sweep",),
            "synergy.verification": ("Report", "Settings", "Verdict", "verify"),
            "synergy.version": ("__version__",),
        },
    )

__all__ = [
    "Estimate",
    "ImageSet",
    "Report",
    "Settings",
    "Verdict",
    "__version__",
    "estimate",
    "experiment",
    "independence_test",
    "measure_representation",
    "rank",
    "sweep",
    "train",
    "verify",
]
