"""Verification: claims against worlds, to a table of verdicts."""

from synergy.verification.cases import CASES, Case
from synergy.verification.run import DEFAULT_CLAIMS, verify
from synergy.verification.settings import Call, Settings
from synergy.verification.summary import Report
from synergy.verification.table import render, write
from synergy.verification.verdict import Verdict

__all__ = [
    "CASES",
    "DEFAULT_CLAIMS",
    "Call",
    "Case",
    "Report",
    "Settings",
    "Verdict",
    "render",
    "verify",
    "write",
]
