"""Verification: claims against worlds, to a table of verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.deferred import public_names

if TYPE_CHECKING:
    from synergy.verification.cases import CASES, Case
    from synergy.verification.fitting import JudgedOn, judged_on
    from synergy.verification.run import DEFAULT_CLAIMS, verify
    from synergy.verification.settings import Call, Settings
    from synergy.verification.summary import Report
    from synergy.verification.table import render, render_tests, write
    from synergy.verification.verdict import Verdict
else:  # what lists claims and cases loads no networks
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "synergy.verification.cases": ("CASES", "Case"),
            "synergy.verification.fitting": ("JudgedOn", "judged_on"),
            "synergy.verification.run": ("DEFAULT_CLAIMS", "verify"),
            "synergy.verification.settings": ("Call", "Settings"),
            "synergy.verification.summary": ("Report",),
            "synergy.verification.table": ("render", "render_tests", "write"),
            "synergy.verification.verdict": ("Verdict",),
        },
    )

__all__ = [
    "CASES",
    "DEFAULT_CLAIMS",
    "Call",
    "Case",
    "JudgedOn",
    "Report",
    "Settings",
    "Verdict",
    "judged_on",
    "render",
    "render_tests",
    "verify",
    "write",
]
