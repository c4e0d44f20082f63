"""The order in which the claims are listed. Importing this module registers them."""

from __future__ import annotations

from theory.claims import essl
from theory.claims.registry import register

for _claim in (
    *essl.EXPLAINING_AWAY,
    *essl.DATA_PROCESSING,
    *essl.LOSSY,
    *essl.RELEVANT,
    *essl.SHORTCUTS,
    *essl.DESIGNS,
    *essl.GUARANTEES,
):
    register(_claim)
