"""The order in which the claims are listed. Importing this module registers them."""

from __future__ import annotations

from theory.claims import essl, laws
from theory.claims.bottleneck import BOTTLENECK
from theory.claims.contrast import CONTRAST
from theory.claims.heads import HEADS
from theory.claims.multi_view import MULTI_VIEW
from theory.claims.pruning import PRUNING
from theory.claims.registry import register

for _claim in (
    *essl.EXPLAINING_AWAY,
    *essl.DATA_PROCESSING,
    *essl.LOSSY,
    *laws.LOSSY_LAWS,
    *essl.RELEVANT,
    essl.SHORTCUTS[0],
    *laws.SHORTCUT_LAWS,
    *essl.SHORTCUTS[1:],
    *essl.DESIGNS,
    *laws.SPECTRUM,
    *laws.GUARANTEE,
    *essl.GUARANTEES,
    *laws.FORCED,
    *PRUNING,
    *CONTRAST,
    *MULTI_VIEW,
    *BOTTLENECK,
    *HEADS,
):
    register(_claim)
